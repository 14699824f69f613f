import { useQueries } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useDeferredValue, useEffect, useMemo, useRef } from 'react'
import type { Clip, Source } from '../../app/contract.ts'
import { labelTexts } from '../../app/review.ts'
import { urlOf } from '../api.ts'
import { clock, clockSpan } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { clipsOf, queryClient, useClipsOf, useSources } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { FileName } from './FileName.tsx'

/** A video, or the clip at an index in it, which is fetched when it comes into view. */
type Row = { type: 'source'; source: Source } | { type: 'clip'; source: Source; at: number }
const HEIGHT = { source: 64, clip: 60 }

/** The first row of each video, with its clips' rows beneath it; and the row at an index. */
function rowsOf(sources: readonly Source[]) {
  const starts: number[] = []
  let count = 0
  for (const { clipCount } of sources) {
    starts.push(count)
    count += 1 + clipCount
  }
  const at = (index: number): Row | undefined => {
    let [from, to] = [0, starts.length - 1]
    while (from < to) {
      const middle = (from + to + 1) >> 1
      if ((starts[middle] ?? 0) <= index) from = middle
      else to = middle - 1
    }
    const source = sources[from]
    if (source === undefined || index >= count) return undefined
    const offset = index - (starts[from] ?? 0)
    return offset === 0 ? { type: 'source', source } : { type: 'clip', source, at: offset - 1 }
  }
  return { count, at, startOf: (sourceId: number) => starts[sources.findIndex(({ id }) => id === sourceId)] }
}

/** Sources with their clips beneath; only rows in view are drawn, and only clips of videos in view are fetched. */
export function LibraryList() {
  // Deferred: while a batch runs, the list may lag behind; the person's own actions must not.
  const sources = useDeferredValue(useSources().data)
  const { sourceId, clipId } = useUi()
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useMemo(() => rowsOf(sources?.sources ?? []), [sources])
  const chosen = useClipsOf(clipId === null ? null : sourceId).data?.findIndex(({ id }) => id === clipId) ?? -1
  const virtual = useVirtualizer({
    count: rows.count,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => HEIGHT[rows.at(index)?.type ?? 'clip'],
    getItemKey: (index) => {
      const row = rows.at(index)
      return row === undefined ? index : row.type === 'source' ? `s${row.source.id}` : `c${row.source.id}-${row.at}`
    },
    overscan: 8,
    // Otherwise every change of its height is drawn at once, before anything else that waits.
    useFlushSync: false,
  })
  // Scrolls a clip that was chosen by key into view.
  useEffect(() => {
    const start = sourceId === null ? undefined : rows.startOf(sourceId)
    if (start !== undefined && chosen !== -1) virtual.scrollToIndex(start + 1 + chosen, { align: 'auto' })
    // Only a new choice scrolls, not a list that grows.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [clipId, chosen !== -1])
  const items = virtual.getVirtualItems()
  const inView = [
    ...new Set(
      items.flatMap(({ index }) => {
        const row = rows.at(index)
        return row?.type === 'clip' ? row.source.id : []
      }),
    ),
  ]
  const clips = useQueries({ queries: inView.map((id) => clipsOf(id)), combine: clipsBySource })
  return (
    <div ref={scroller} className="scroll" tabIndex={-1}>
      <ul className="rows" style={{ height: virtual.getTotalSize() }} aria-label={t('Videos and clips')}>
        {items.map(({ index, start, size, key }) => {
          const row = rows.at(index)
          const clip = row?.type === 'clip' ? clips.get(row.source.id)?.[row.at] : undefined
          return (
            <li key={key} style={{ transform: `translateY(${start}px)`, height: size }} aria-setsize={rows.count} aria-posinset={index + 1}>
              {row?.type === 'source' && (
                <SourceRow
                  source={row.source}
                  current={row.source.id === sourceId && clipId === null}
                  chosen={row.source.id === sourceId}
                />
              )}
              {clip && <ClipRow clip={clip} current={clip.id === clipId} />}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function clipsBySource(results: readonly { data: Clip[] | undefined }[]): ReadonlyMap<number, readonly Clip[]> {
  return new Map(results.flatMap(({ data }) => (data?.[0] === undefined ? [] : [[data[0].sourceId, data]])))
}

/** A video with a single clip is that clip: choosing it shows its annotations. */
async function choose({ id, state, clipCount }: Source): Promise<void> {
  const { selectClip, selectSource } = useUi.getState()
  if (clipCount !== 1 || state !== 'done') {
    selectSource(id)
    return
  }
  try {
    const [only] = await queryClient.query(clipsOf(id))
    if (only) selectClip(only.id, id)
    else selectSource(id)
  } catch (error) {
    tell(error)
  }
}

const SourceRow = memo(function SourceRow({
  source,
  current,
  chosen,
}: {
  source: Source
  /** Whether it is what the list has chosen, rather than one of its clips. */
  current: boolean
  chosen: boolean
}) {
  const { probe, title } = source
  const facts = probe === null ? [] : [clock(probe.duration), `${probe.width}×${probe.height}`]
  // Shown if there is room: unusual properties, or else the codec.
  const unusual = probe === null ? [] : [...(probe.hdr ? ['HDR'] : []), ...(probe.variableFrameRate ? ['VFR'] : [])]
  const more = probe === null || unusual.length > 0 ? unusual : [probe.codec.toUpperCase()]
  return (
    <button className="source-row" data-chosen={chosen} aria-current={current} onClick={() => void choose(source)} title={source.path}>
      {source.hasThumbnail ? (
        <img src={urlOf('thumbnail', { params: { sourceId: source.id } })} alt="" loading="lazy" />
      ) : (
        <span className="blank" />
      )}
      <span className="text">
        <strong>
          <FileName of={title} />
        </strong>
        <span className="facts-line">
          <span className="muted num">
            {facts.join(' · ')}
            {more.length > 0 && <span className="roomy"> · {more.join(' · ')}</span>}
          </span>
          <StateChip source={source} />
        </span>
      </span>
    </button>
  )
})

function StateChip({ source: { state, file, encodedCount, clipCount, reviewedCount, reviewableCount } }: { source: Source }) {
  const clips = t('{{count}} clips', { count: clipCount })
  const text = {
    queued: file === 'growing' ? t('Being written') : t('Waiting'),
    probing: t('Reading'),
    analysing: encodedCount > 0 ? t('{{count}} clips', { count: encodedCount }) : t('Analysing'),
    done: reviewedCount > 0 ? t('{{reviewed}}/{{clips}} reviewed', { reviewed: reviewedCount, clips: reviewableCount }) : clips,
    partial: t('Damaged'),
    failed: t('Unreadable'),
    cancelled: t('Cancelled'),
  }[state]
  // If its file is missing, that comes first.
  if (file === 'missing' || file === 'replaced')
    return (
      <span className="chip" data-state="partial">
        {file === 'missing' ? t('File missing') : t('File replaced')}
      </span>
    )
  return (
    <span className="chip" data-state={state}>
      {text}
    </span>
  )
}

const REVIEWED = { accepted: phrase('accepted'), edited: phrase('edited'), rejected: phrase('rejected') }

/** The state of a clip's caption: a person's decision, or that the model is not sure. */
export function Standing({ clip: { captionState, captionUnsure } }: { clip: Clip }) {
  if (captionState === null || captionState === 'machine') return captionState !== null && captionUnsure && <em>{t('not sure')}</em>
  return <em data-review={captionState}>{t(REVIEWED[captionState])}</em>
}

export const ClipRow = memo(function ClipRow({
  clip,
  current,
  named = false,
}: {
  clip: Clip
  current: boolean
  /** Show the name of its video. */
  named?: boolean
}) {
  const { id, kind, sourceId, start, end, caption, captionState, encoded, sourceName } = clip
  const labels = labelTexts(clip)
  return (
    <button
      className="clip-row"
      data-clip={id}
      data-rejected={captionState === 'rejected'}
      aria-current={current}
      onClick={() => useUi.getState().selectClip(id, sourceId)}
    >
      {/* A clip that was just marked has no picture until it is encoded. */}
      {kind === 'marked' && !encoded ? (
        <span className="blank" />
      ) : (
        <img src={urlOf('clipThumbnail', { params: { clipId: id } })} alt="" loading="lazy" />
      )}
      <span className="text">
        <span className="caption">{caption ?? (encoded ? t('No caption') : t('Waiting for its caption…'))}</span>
        {/* In a narrow list the other details are hidden before the decisions. */}
        <span className="facts-line">
          <span className="muted num">
            {clockSpan({ start, end })}
            {labels.length > 0 && (
              <span
                title={
                  clip.perhaps.length > 0 ? `${labels.join(', ')} · ${t('?: nobody asked for it, and it is not sure')}` : labels.join(', ')
                }
              >
                {' '}
                · {labels.join(', ')}
              </span>
            )}
            {named && ` · ${sourceName}`}
          </span>
          <Standing clip={clip} />
        </span>
      </span>
    </button>
  )
})
