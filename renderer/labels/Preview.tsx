/** Clips around a threshold, and the chosen one with the boxes that reach the threshold. */
import { useState } from 'react'
import { colourIn, type Label } from '../../app/vocabulary.ts'
import { captionText } from '../caption.ts'
import { urlOf } from '../api.ts'
import { t } from '../i18n.ts'
import { useClip, useFrames, useSources } from '../cache.ts'
import { useUi } from '../store.ts'
import { drafted, scoreShown, useDraft } from './draft.ts'
import { Stage, type StageTrack } from './Stage.tsx'
import { useCandidates, useLabelClips } from './vocabulary.ts'

/** The number shown on each side of the threshold. */
const NEIGHBOURS = 6

export function Preview({ label, vocabulary }: { label: Label; vocabulary: readonly Label[] }) {
  const { data } = useLabelClips(label.name)
  const thresholds = useDraft((draft) => draft.thresholds)
  const threshold = thresholds[label.name] ?? label.threshold
  const [chosen, setChosen] = useState<number | null>(null)
  if (data === undefined) return null
  if (data.clips.length === 0) return <p className="muted">{t('Nothing to show: no clip has anything like it yet.')}</p>
  const inside = data.clips.filter(({ score }) => score >= threshold - 1e-9)
  const outside = data.clips.slice(inside.length)
  const clipId = chosen ?? inside.at(-1)?.clipId ?? outside[0]?.clipId ?? null
  return (
    <>
      <div className="around">
        <Strip
          title={t('Just in')}
          clips={inside.slice(-NEIGHBOURS).reverse()}
          current={clipId}
          onChoose={setChosen}
          none={t('No clip reaches the threshold.')}
        />
        <Strip
          title={t('Just out')}
          clips={outside.slice(0, NEIGHBOURS)}
          current={clipId}
          onChoose={setChosen}
          none={t('Every clip that has it is in.')}
        />
      </div>
      {clipId !== null && <Looked clipId={clipId} vocabulary={drafted(vocabulary, thresholds)} />}
    </>
  )
}

function Strip({
  title,
  clips,
  current,
  onChoose,
  none,
}: {
  title: string
  clips: readonly { clipId: number; score: number }[]
  current: number | null
  onChoose: (clipId: number) => void
  none: string
}) {
  return (
    <div role="group" aria-label={title}>
      <h4 className="muted">{title}</h4>
      {clips.length === 0 && <p className="muted small">{none}</p>}
      <div className="thumbs">
        {clips.map(({ clipId, score }) => (
          <button
            key={clipId}
            aria-current={clipId === current}
            aria-label={t('Clip {{clip}}, score {{score}}', { clip: clipId, score: scoreShown(score) })}
            onClick={() => onChoose(clipId)}
          >
            <img src={urlOf('clipThumbnail', { params: { clipId } })} alt="" loading="lazy" />
            <span className="num">{scoreShown(score)}</span>
          </button>
        ))}
      </div>
    </div>
  )
}

/** One clip with every track that reaches its label's threshold, and those that a person decided about. */
function Looked({ clipId, vocabulary }: { clipId: number; vocabulary: readonly Label[] }) {
  const { data: detail } = useClip(clipId)
  const { data: sources } = useSources()
  const { data } = useCandidates(clipId)
  const source = sources?.sources.find(({ id }) => id === detail?.clip.sourceId)
  const { data: frames } = useFrames(source?.id ?? null)
  const { selectClip, goTo } = useUi.getState()
  if (!detail || !source || !frames || frames.pts.length === 0) return null
  const found = (data?.candidates ?? []).flatMap(({ score, body }, at): StageTrack[] => {
    const label = vocabulary.find(({ name }) => name === body.label)
    return label && score >= label.threshold - 1e-9 ? [{ key: `candidate ${at}`, body, colour: label.colour, score }] : []
  })
  const decided = detail.annotations.flatMap(({ id, body, state }): StageTrack[] =>
    body.kind === 'track' && (state === 'accepted' || state === 'edited')
      ? [{ key: `track ${id}`, body, colour: colourIn(vocabulary, body.label), score: null }]
      : [],
  )
  const review = () => {
    selectClip(clipId, source.id)
    goTo('review')
  }
  return (
    <>
      <Stage key={clipId} source={source} clip={detail.clip} frames={frames} panes={[{ tracks: [...found, ...decided] }]} />
      <div className="row small">
        <span className="muted">
          {source.title}
          {detail.clip.caption === null
            ? ''
            : ` · ${captionText({ caption: detail.clip.caption, state: detail.clip.captionState, unsure: detail.clip.captionUnsure })}`}
        </span>
        <span className="grow" />
        <span className="muted num" role="status">
          {t('{{count}} tracks shown', { count: found.length + decided.length })}
        </span>
        <button className="small" onClick={review}>
          {t('Review this clip')}
        </button>
      </div>
    </>
  )
}
