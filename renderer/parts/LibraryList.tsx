import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useDeferredValue, useEffect, useMemo, useRef } from 'react'
import type { Clip, Source } from '../../app/contract.ts'
import { urlOf } from '../api.ts'
import { clock } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { useClips, useSources } from '../queries.ts'
import { listed } from '../review/clips.ts'
import { useUi } from '../store.ts'

type Row = { type: 'source'; source: Source } | { type: 'clip'; clip: Clip }
const HEIGHT = { source: 64, clip: 60 }

/** Sources with their clips beneath; only the rows in view exist. */
export function LibraryList() {
  // Deferred: while a batch runs the list may lag behind, the person's own actions may not.
  const sources = useDeferredValue(useSources().data)
  const clips = useDeferredValue(useClips().data)
  const { sourceId, clipId } = useUi()
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useMemo(() => {
    const bySource = Map.groupBy(clips?.clips ?? [], (clip) => clip.sourceId)
    return (sources?.sources ?? []).flatMap((source): Row[] => [{ type: 'source', source }, ...(bySource.get(source.id) ?? []).map((clip) => ({ type: 'clip' as const, clip }))])
  }, [sources, clips])
  // The virtualizer's functions are used in this component only, so nothing memoised can hold a stale one.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => HEIGHT[rows[index]?.type ?? 'clip'],
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : row.type === 'source' ? `s${row.source.id}` : `c${row.clip.id}`
    },
    overscan: 8,
    // Or every change of its height is drawn at once, whatever else waits.
    useFlushSync: false,
  })
  // A clip that was chosen by key is brought into view.
  useEffect(() => {
    const index = rows.findIndex((row) => row.type === 'clip' && row.clip.id === clipId)
    if (index !== -1) virtual.scrollToIndex(index, { align: 'auto' })
    // Only the choice scrolls, not a list that grows.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [clipId])
  return (
    <div ref={scroller} className="scroll" tabIndex={-1}>
      <ul className="rows" style={{ height: virtual.getTotalSize() }} aria-label={t('Videos and clips')}>
        {virtual.getVirtualItems().map(({ index, start, size, key }) => {
          const row = rows[index]
          return (
            <li key={key} style={{ transform: `translateY(${start}px)`, height: size }} aria-setsize={rows.length} aria-posinset={index + 1}>
              {row?.type === 'source' && <SourceRow source={row.source} current={row.source.id === sourceId && clipId === null} />}
              {row?.type === 'clip' && <ClipRow clip={row.clip} current={row.clip.id === clipId} />}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** A video of one clip is that clip: choosing it shows what is said about it. */
function choose(source: Source, clips: readonly { id: number }[]): void {
  const [only, more] = clips
  if (only && !more && source.state === 'done') useUi.getState().selectClip(only.id, source.id)
  else useUi.getState().selectSource(source.id)
}

const SourceRow = memo(function SourceRow({ source, current }: { source: Source; current: boolean }) {
  const { probe, name } = source
  const facts = probe === null ? [] : [clock(probe.duration), `${probe.width}×${probe.height}`, probe.codec.toUpperCase(), ...(probe.hdr ? ['HDR'] : []), ...(probe.variableFrameRate ? ['VFR'] : [])]
  return (
    <button className="source-row" aria-current={current} onClick={() => choose(source, listed().filter(({ sourceId }) => sourceId === source.id))} title={source.path}>
      {source.hasThumbnail ? <img src={urlOf('thumbnail', { params: { sourceId: source.id } })} alt="" loading="lazy" /> : <span className="blank" />}
      <span className="text">
        <strong>{name}</strong>
        <span className="facts-line"><span className="muted num">{facts.join(' · ')}</span><StateChip source={source} /></span>
      </span>
    </button>
  )
})

function StateChip({ source: { state, encodedCount, clipCount, reviewedCount } }: { source: Source }) {
  const clips = t('{{count}} clips', { count: clipCount })
  const text = {
    queued: t('Waiting'),
    probing: t('Reading'),
    analysing: clipCount > 0 ? t('{{count}} clips', { count: encodedCount }) : t('Analysing'),
    done: reviewedCount > 0 ? t('{{reviewed}}/{{clips}} reviewed', { reviewed: reviewedCount, clips: clipCount }) : clips,
    partial: t('Damaged'),
    failed: t('Unreadable'),
    cancelled: t('Cancelled'),
  }[state]
  return <span className="chip" data-state={state}>{text}</span>
}

const REVIEWED = { accepted: phrase('accepted'), edited: phrase('edited'), rejected: phrase('rejected') }

const ClipRow = memo(function ClipRow({ clip, current, score }: { clip: Clip; current: boolean; score?: string }) {
  const { id, kind, sourceId, start, end, caption, captionState, captionUnsure, labels, encoded, sourceName } = clip
  return (
    <button className="clip-row" data-clip={id} data-rejected={captionState === 'rejected'} aria-current={current} onClick={() => useUi.getState().selectClip(id, sourceId)}>
      {/* A clip that was just marked has no picture before it is encoded. */}
      {kind === 'marked' && !encoded ? <span className="blank" /> : <img src={urlOf('clipThumbnail', { params: { clipId: id } })} alt="" loading="lazy" />}
      <span className="text">
        <span className="caption">{caption ?? (encoded ? t('No caption') : t('Waiting for its caption…'))}</span>
        <span className="muted num">
          {clock(start, 1)}–{clock(end, 1)}
          {captionUnsure && captionState === 'machine' && <em> · {t('not sure')}</em>}
          {captionState !== null && captionState !== 'machine' && <em data-review={captionState}> · {t(REVIEWED[captionState])}</em>}
          {labels.length > 0 && ` · ${labels.join(', ')}`}
          {score !== undefined && ` · ${sourceName}`}
        </span>
      </span>
      {score !== undefined && <span className="chip num">{score}</span>}
    </button>
  )
})
