/** Two thresholds or two packs on one clip, side by side: what both found, and what only one did. */
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useRef, useState } from 'react'
import { agreementOf, alone } from '../../app/agreement.ts'
import type { TrackBody } from '../../app/annotation.ts'
import type { LookedBy } from '../../app/contract/labels.ts'
import { colourIn, type Label } from '../../app/vocabulary.ts'
import { clockSpan, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { useClip, useClipsOf, useFrames, useSources, usePackOf } from '../cache.ts'
import { useUi } from '../store.ts'
import { drafted, scoreShown, useDraft } from './draft.ts'
import { Stage, type StageHandle, type StageTrack } from './Stage.tsx'
import { useCandidates, useLabelClips } from './vocabulary.ts'

interface Side {
  /** A digest; null is the pack in use. */
  pack: string | null
  /** For all labels; null uses each label's own. */
  threshold: number | null
}

export function Compare({ label, vocabulary }: { label: Label; vocabulary: readonly Label[] }) {
  const { data: clips } = useLabelClips(label.name)
  // The pack in use may have found nothing where another one has.
  const { data: sources } = useSources()
  const { data: others } = useClipsOf(sources?.sources.find(({ encodedCount }) => encodedCount > 0)?.id ?? null)
  const current = useUi((ui) => ui.clipId)
  const [chosen, setChosen] = useState<number | null>(null)
  const clipId = chosen ?? current ?? clips?.clips[0]?.clipId ?? others?.find(({ encoded }) => encoded)?.id ?? null
  const [first, setFirst] = useState<Side>({ pack: null, threshold: null })
  const thresholds = useDraft((draft) => draft.thresholds)
  const [second, setSecond] = useState<Side>({
    pack: null,
    threshold: Math.round((thresholds[label.name] ?? label.threshold) * 500) / 1000,
  })
  const [onlyThis, setOnlyThis] = useState(true)
  const { data: detail } = useClip(clipId)
  const inUse = usePackOf('boxes')?.digest ?? null
  const source = sources?.sources.find(({ id }) => id === detail?.clip.sourceId)
  const { data: frames } = useFrames(source?.id ?? null)
  const stage = useRef<StageHandle>(null)
  const known = drafted(vocabulary, thresholds)
  const bodies = useSides(clipId, [first, second], known, onlyThis ? label.name : null)
  if (clipId === null) return <p className="muted">{t('Nothing to compare: no clip is encoded yet.')}</p>
  if (!detail || !source || !frames || frames.pts.length === 0) return null
  const agreement = agreementOf(bodies[0].tracks, bodies[1].tracks)
  const differing = agreement.frames.filter((frame) => frame.first + frame.second > 0)
  const packs = bodies[0].packs
  const tracksOf = (side: 0 | 1) =>
    bodies[side].tracks.map((body, at): StageTrack => ({ key: String(at), body, colour: colourIn(known, body.label), score: null }))
  const outstanding = (side: 'first' | 'second') => (pts: number) =>
    new Set([...alone(bodies[0].tracks, bodies[1].tracks, pts)[side]].map(String))
  return (
    <div className="compare">
      <div className="row small">
        <label className="row">
          {t('Clip')}
          <select value={clipId} onChange={({ target }) => setChosen(Number(target.value))}>
            {[...new Set([clipId, ...(clips?.clips ?? []).slice(0, 100).map((one) => one.clipId)])].map((id) => (
              <option key={id} value={id}>
                {id === clipId
                  ? `${source.title} · ${clockSpan(detail.clip)}`
                  : t('Clip {{clip}}, score {{score}}', {
                      clip: id,
                      score: scoreShown(clips?.clips.find((one) => one.clipId === id)?.score ?? 0),
                    })}
              </option>
            ))}
          </select>
        </label>
        <label className="row">
          <input type="checkbox" checked={onlyThis} onChange={({ target }) => setOnlyThis(target.checked)} />
          {t('Only {{label}}', { label: label.name })}
        </label>
      </div>
      <Stage
        key={clipId}
        ref={stage}
        source={source}
        clip={detail.clip}
        frames={frames}
        panes={[
          {
            title: <SideControls name={t('Left')} side={first} packs={packs} inUse={inUse} onChange={setFirst} />,
            tracks: tracksOf(0),
            outstanding: outstanding('first'),
          },
          {
            title: <SideControls name={t('Right')} side={second} packs={packs} inUse={inUse} onChange={setSecond} />,
            tracks: tracksOf(1),
            outstanding: outstanding('second'),
          },
        ]}
      />
      {packs.length === 1 && (
        <p className="muted small">
          {t('Only “{{pack}}” has looked at this clip. Use another pack once, on the Packs page, and the two can stand side by side.', {
            pack: packs[0]?.name ?? '',
          })}
        </p>
      )}
      {bodies.some(({ stale }) => stale) && (
        <p className="muted small">{t('One of these packs has not looked for the newest labels yet: use it once, and it will.')}</p>
      )}
      <div className="row agreement" role="status">
        <Part kind="both" count={agreement.both} text={t('on both sides')} />
        <Part kind="first" count={agreement.first} text={t('only left')} />
        <Part kind="second" count={agreement.second} text={t('only right')} />
        <span className="muted small">
          {t('Boxes on {{count}} key frames; the same from an overlap (IoU) of 0.5', { count: agreement.frames.length })}
        </span>
      </div>
      {differing.length > 0 && (
        <div className="row small" role="group" aria-label={t('Frames that differ')}>
          <Jump frames={differing.map(({ ordinal }) => ordinal)} show={(ordinal) => stage.current?.show(ordinal)} />
        </div>
      )}
    </div>
  )
}

function Part({ kind, count, text }: { kind: string; count: number; text: string }) {
  return (
    <span className="part" data-kind={kind}>
      <strong className="num">{count}</strong> {text}
    </span>
  )
}

function Jump({ frames, show }: { frames: readonly number[]; show: (ordinal: number) => void }) {
  const [at, setAt] = useState(-1)
  const go = (by: number) => {
    const next = (at + by + frames.length) % frames.length
    setAt(next)
    show(frames[next] ?? 0)
  }
  return (
    <>
      <button className="icon" aria-label={t('Previous difference')} onClick={() => go(at === -1 ? 0 : -1)}>
        <ChevronLeft size={15} />
      </button>
      <span className="num">
        {at === -1
          ? t('{{count}} frames differ', { count: frames.length })
          : t('Difference {{at}} of {{total}}', { at: at + 1, total: frames.length })}
      </span>
      <button className="icon" aria-label={t('Next difference')} onClick={() => go(1)}>
        <ChevronRight size={15} />
      </button>
    </>
  )
}

function SideControls({
  name,
  side,
  packs,
  inUse,
  onChange,
}: {
  name: string
  side: Side
  packs: readonly LookedBy[]
  inUse: string | null
  onChange: (side: Side) => void
}) {
  const chosen = packs.find(({ digest }) => digest === (side.pack ?? inUse))
  return (
    <span className="row small side-controls" role="group" aria-label={name}>
      {packs.length > 1 && (
        <>
          <select
            aria-label={t('Pack')}
            value={side.pack ?? inUse ?? ''}
            onChange={({ target }) => onChange({ ...side, pack: target.value })}
          >
            {packs.map(({ digest, name: pack }) => (
              <option key={digest} value={digest}>
                {pack}
              </option>
            ))}
          </select>
          <Caption caption={chosen?.caption ?? null} />
        </>
      )}
      <select
        aria-label={t('Thresholds')}
        value={side.threshold === null ? 'own' : 'one'}
        onChange={({ target }) => onChange({ ...side, threshold: target.value === 'own' ? null : 0.5 })}
      >
        <option value="own">{t('Thresholds as set')}</option>
        <option value="one">{t('Threshold:')}</option>
      </select>
      {side.threshold !== null && (
        <>
          <input
            type="range"
            min={0}
            max={1}
            step={0.01}
            value={Math.sqrt(side.threshold)}
            aria-label={t('Threshold')}
            aria-valuetext={scoreShown(side.threshold)}
            onChange={({ target }) => onChange({ ...side, threshold: Math.round(target.valueAsNumber ** 2 * 1000) / 1000 })}
          />
          <span className="num">{scoreShown(side.threshold)}</span>
        </>
      )}
    </span>
  )
}

/** The caption by one side's pack. */
function Caption({ caption }: { caption: LookedBy['caption'] }) {
  if (caption === null) return <q className="told muted">{t('No caption')}</q>
  return (
    <q className="told">
      {caption.text}{' '}
      {caption.confidence !== null && (
        <span className="muted num">
          {caption.unsure && <em className="unsure">{t('not sure')} · </em>}
          {percent(caption.confidence)}
        </span>
      )}
    </q>
  )
}

type Looked = { tracks: TrackBody[]; packs: LookedBy[]; stale: boolean }

function useSides(
  clipId: number | null,
  [first, second]: readonly [Side, Side],
  vocabulary: readonly Label[],
  only: string | null,
): readonly [Looked, Looked] {
  const left = useCandidates(clipId, first.pack ?? undefined).data
  const right = useCandidates(clipId, second.pack ?? undefined).data
  const looked = (side: Side, data: typeof left): Looked => {
    const counts = (body: TrackBody, score: number) =>
      (only === null || body.label === only) &&
      score >= (side.threshold ?? vocabulary.find(({ name }) => name === body.label)?.threshold ?? 1) - 1e-9
    const packs = data?.packs ?? []
    return {
      tracks: (data?.candidates ?? []).filter(({ body, score }) => counts(body, score)).map(({ body }) => body),
      packs,
      stale: packs.some(({ digest, current }) => digest === side.pack && !current),
    }
  }
  return [looked(first, left), looked(second, right)]
}
