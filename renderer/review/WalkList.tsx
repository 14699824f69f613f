import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowLeft, ChevronDown, ChevronUp, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { number } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { hint, keyOf } from '../keys.ts'
import { ClipRow } from '../parts/LibraryList.tsx'
import { useClip, useSources } from '../cache.ts'
import { type Page, useUi } from '../store.ts'
import { neighbourClip } from './clips.ts'
import { endWalk, goBack, keepThoseOf, useWalk } from './walk.ts'

const ROW = 60
const BACK: Partial<Record<Page, string>> = {
  table: phrase('Back to the table'),
  overview: phrase('Back to the overview'),
  queue: phrase('Back to the queue'),
}

/** The way back to the page from which the clip was opened. */
export function BackBar() {
  const from = useUi((ui) => ui.from)
  const name = from === null ? undefined : BACK[from]
  if (name === undefined) return null
  return (
    <div className="back-bar">
      <button className="quiet" title={hint(name, 'back')} onClick={goBack}>
        <ArrowLeft size={15} aria-hidden />
        {t(name)}
      </button>
      <span className="grow" />
      <kbd>{keyOf('back')}</kbd>
    </div>
  )
}

/** Clips that were picked elsewhere, shown in place of the library, to go through one by one. */
export function WalkList({ clips }: { clips: readonly { id: number; sourceId: number }[] }) {
  const clipId = useUi((ui) => ui.clipId)
  const name = useWalk((walk) => walk.name)
  const scroller = useRef<HTMLDivElement>(null)
  const at = clips.findIndex(({ id }) => id === clipId)
  const virtual = useVirtualizer({
    count: clips.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 6,
    useFlushSync: false,
  })
  useEffect(() => {
    if (at !== -1) virtual.scrollToIndex(at, { align: 'auto' })
    // Only a new choice scrolls.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [at])
  const { data } = useSources()
  useEffect(() => {
    if (data) keepThoseOf(new Set(data.sources.map(({ id }) => id)))
  }, [data])
  return (
    <>
      <header className="walk">
        <div className="text">
          <strong className="num" role="status">
            {at === -1
              ? t('{{count}} clips picked', { count: clips.length })
              : t('Picked clip {{n}} of {{of}}', { n: number(at + 1), of: number(clips.length) })}
          </strong>
          <span className="muted small">{name}</span>
        </div>
        <button
          className="icon"
          aria-label={t('Previous clip')}
          title={hint('Previous clip', 'clip-back')}
          disabled={at <= 0}
          onClick={() => void neighbourClip(-1)}
        >
          <ChevronUp size={16} />
        </button>
        <button
          className="icon"
          aria-label={t('Next clip')}
          title={hint('Next clip', 'clip-next')}
          disabled={at === clips.length - 1}
          onClick={() => void neighbourClip(1)}
        >
          <ChevronDown size={16} />
        </button>
        <button className="icon" aria-label={t('Back to the whole library')} title={t('Back to the whole library')} onClick={endWalk}>
          <X size={15} />
        </button>
      </header>
      <div ref={scroller} className="scroll" tabIndex={-1}>
        <ul className="rows" style={{ height: virtual.getTotalSize() }} aria-label={t('Picked clips')}>
          {virtual.getVirtualItems().map(({ index, start, size }) => {
            const clip = clips[index]
            return (
              <li
                key={index}
                style={{ transform: `translateY(${start}px)`, height: size }}
                aria-setsize={clips.length}
                aria-posinset={index + 1}
              >
                {clip && <Picked id={clip.id} current={clip.id === clipId} />}
              </li>
            )
          })}
        </ul>
      </div>
    </>
  )
}

function Picked({ id, current }: { id: number; current: boolean }) {
  const { data } = useClip(id)
  return data ? <ClipRow clip={data.clip} current={current} named /> : null
}
