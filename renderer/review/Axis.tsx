import { createContext, type KeyboardEvent, type PointerEvent, type ReactNode, useContext, useLayoutEffect, useRef, useState } from 'react'
import type { Span } from '../../app/annotation.ts'
import type { Stretch } from '../../app/facts/unread.ts'
import { panView, ticks, type View } from '../../app/timeline.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { endTime, type FrameTable, showFrame, ordinalAt, seek, seekTarget, timeOf, usePlayer } from '../player.ts'
import { close, toast } from '../toast.ts'
import { markedSpan, useReview } from './store.ts'

/** How time is laid out on the screen, shared by all lanes of a timeline. */
export interface Axis {
  view: View
  duration: number
  /** Where the last picture ends, seconds: before the duration if the end could not be read. */
  end: number
  /** What could not be read, seconds. */
  unread: readonly Stretch[]
  frames: FrameTable
  /** The position of a time, in percent of the lane's width; outside 0..100 if it is out of view. */
  at: (seconds: number) => number
  /** The time under the pointer, seconds, and the frame. */
  timeAt: (clientX: number) => number
  frameAt: (clientX: number) => number
}

const AxisContext = createContext<Axis | null>(null)
export const AxisProvider = AxisContext.Provider

export function useAxis(): Axis {
  const axis = useContext(AxisContext)
  if (axis === null) throw new Error('a lane outside a timeline')
  return axis
}

/** The start and end of a span of frames, in seconds. */
function spanSeconds({ frames, end }: Pick<Axis, 'frames' | 'end'>, { startFrame, endFrame }: Span): { from: number; to: number } {
  return { from: timeOf(frames, startFrame), to: endTime(frames, endFrame, end) }
}

/** Show the picture of a time in the video; where none could be read, the last one before it, and say so. */
function show({ frames, unread, duration }: Pick<Axis, 'frames' | 'unread' | 'duration'>, seconds: number): void {
  const time = Math.min(duration, Math.max(0, seconds))
  const ordinal = ordinalAt(frames, time)
  seek(seekTarget(frames, ordinal))
  const lost = unread.find(({ from, to }) => time >= from && time <= to)
  // A decoder may have made up pictures there: those are shown.
  if (lost === undefined || timeOf(frames, ordinal) >= lost.from) close(UNREAD)
  else {
    const span = { from: clock(lost.from, 1), to: clock(lost.to, 1) }
    toast.info(t('{{from}}–{{to}} cannot be read: this is the last picture before it.', span), { id: UNREAD })
  }
}
/** The place of that notice. */
const UNREAD = 'unread'

/** Whether any of it is in view. */
function inView({ view }: Axis, { from, to }: View): boolean {
  return to >= view.from && from <= view.to
}

/** A named row of the timeline. */
export function Lane({ name, children, className = '' }: { name: string; children: ReactNode; className?: string }) {
  return (
    <div className={`lane ${className}`} role="group" aria-label={name}>
      <span className="lane-name" aria-hidden>
        {name}
      </span>
      <div className="lane-body">{children}</div>
    </div>
  )
}

interface BarProps {
  span: Span
  /** For the tooltip and for screen readers. */
  label: string
  text?: ReactNode
  selected?: boolean
  className?: string
  colour?: string
  onChoose: (event: { shiftKey: boolean }) => void
  onOpen?: () => void
  /** Makes its ends draggable; called once, when an end is released. */
  onChange?: ((span: Span) => void) | undefined
  /** The limits of its ends; default: the whole video. */
  within?: Span | undefined
  /** Its ends can be reached by Tab even when it is not selected. */
  reachable?: boolean
  /** Shown on the bar, given its current span. */
  children?: ReactNode
}

/** A stretch of frames on a lane. */
export function Bar({
  span,
  label,
  text,
  selected = false,
  className = '',
  colour,
  onChoose,
  onOpen,
  onChange,
  within,
  reachable = selected,
  children,
}: BarProps) {
  const axis = useAxis()
  const [preview, setPreview] = useState<Span | null>(null)
  const shown = preview ?? span
  const seconds = spanSeconds(axis, shown)
  if (!inView(axis, seconds)) return null
  const [left, right] = [Math.max(-2, axis.at(seconds.from)), Math.min(102, axis.at(seconds.to))]
  const [least, most] = [within?.startFrame ?? 0, within?.endFrame ?? axis.frames.pts.length]
  const moved = (edge: 'startFrame' | 'endFrame', frame: number): Span =>
    edge === 'startFrame'
      ? { ...span, startFrame: Math.min(Math.max(least, frame), span.endFrame - 1) }
      : { ...span, endFrame: Math.max(Math.min(frame, most), span.startFrame + 1) }
  const settle = (to: Span) => {
    setPreview(null)
    if (to.startFrame !== span.startFrame || to.endFrame !== span.endFrame) onChange?.(to)
  }
  const handle = (edge: 'startFrame' | 'endFrame') => (
    <span
      className={`handle ${edge === 'startFrame' ? 'start' : 'end'}`}
      role="slider"
      tabIndex={reachable ? 0 : -1}
      aria-label={edge === 'startFrame' ? t('Start of {{label}}', { label }) : t('End of {{label}}', { label })}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={shown[edge]}
      aria-valuetext={clock(edge === 'startFrame' ? seconds.from : seconds.to, 2)}
      onPointerDown={(event) => {
        event.stopPropagation()
        event.currentTarget.setPointerCapture(event.pointerId)
        setPreview(span)
      }}
      onPointerMove={(event) => {
        if (preview === null) return
        const next = moved(edge, axis.frameAt(event.clientX) + (edge === 'endFrame' ? 1 : 0))
        setPreview(next)
        // Show the frame to which the end is dragged.
        showFrame(axis.frames, edge === 'startFrame' ? next.startFrame : next.endFrame - 1)
      }}
      onPointerUp={() => preview && settle(preview)}
      onPointerCancel={() => setPreview(null)}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
        if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return
        event.preventDefault()
        settle(moved(edge, span[edge] + by * (event.shiftKey ? 10 : 1)))
      }}
    />
  )
  return (
    <div
      className={`bar ${className}`}
      data-selected={selected}
      style={{ left: `${left}%`, width: `max(3px, ${right - left}%)`, ...(colour ? { '--bar': colour } : {}) }}
    >
      <button aria-pressed={selected} aria-label={label} title={label} onClick={onChoose} onDoubleClick={onOpen}>
        {text}
      </button>
      {children}
      {onChange && handle('startFrame')}
      {onChange && handle('endFrame')}
    </div>
  )
}

/** A point on a lane that is moved to another frame by dragging or by arrow keys; Tab reaches it if it is `reachable`. */
export function Point({
  ordinal,
  label,
  reachable,
  onChoose,
  onMove,
  className = '',
}: {
  ordinal: number
  label: string
  reachable: boolean
  onChoose: () => void
  onMove: (ordinal: number) => void
  className?: string
}) {
  const axis = useAxis()
  const [preview, setPreview] = useState<number | null>(null)
  const at = timeOf(axis.frames, preview ?? ordinal)
  if (!inView(axis, { from: at, to: at })) return null
  return (
    <span
      className={`point ${className}`}
      style={{ left: `${axis.at(at)}%` }}
      title={label}
      data-key={ordinal}
      role="slider"
      tabIndex={reachable ? 0 : -1}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={axis.frames.pts.length - 1}
      aria-valuenow={ordinal}
      aria-valuetext={clock(at, 2)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onChoose()
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
        if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return
        event.preventDefault()
        onMove(Math.min(axis.frames.pts.length - 1, Math.max(0, ordinal + by * (event.shiftKey ? 10 : 1))))
      }}
      onPointerDown={(event) => {
        event.stopPropagation()
        event.currentTarget.setPointerCapture(event.pointerId)
        setPreview(ordinal)
        onChoose()
      }}
      onPointerMove={(event) => preview !== null && setPreview(axis.frameAt(event.clientX))}
      onPointerUp={() => {
        setPreview(null)
        if (preview !== null && preview !== ordinal) onMove(preview)
      }}
      onPointerCancel={() => setPreview(null)}
    />
  )
}

/** Round times, the marked span, and the playhead's slider. */
/** Width of a time label in pixels, and the most labels. */
const [TICK_WIDTH, MOST_TICKS] = [64, 9]

export function Ruler() {
  const axis = useAxis()
  const { frames, view, end } = axis
  const [markIn, markOut] = [useReview((review) => review.markIn), useReview((review) => review.markOut)]
  const body = useRef<HTMLDivElement>(null)
  const [most, setMost] = useState(MOST_TICKS)
  useLayoutEffect(() => {
    const { current } = body
    if (current === null) return
    const observer = new ResizeObserver(() => setMost(Math.max(2, Math.min(MOST_TICKS, Math.floor(current.clientWidth / TICK_WIDTH)))))
    observer.observe(current)
    return () => observer.disconnect()
  }, [])
  const { times, decimals } = ticks(view, most)
  const marked = markedSpan({ markIn, markOut })
  const scrub = (event: PointerEvent<HTMLDivElement>) => show(axis, axis.timeAt(event.clientX))
  return (
    <div className="lane ruler">
      <span className="lane-name" aria-hidden />
      <div
        ref={body}
        className="lane-body"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          scrub(event)
        }}
        onPointerMove={(event) => event.buttons === 1 && scrub(event)}
      >
        {times.map((time) => (
          <span key={time} className="tick num" style={{ left: `${axis.at(time)}%` }}>
            {clock(time, decimals)}
          </span>
        ))}
        {marked && (
          <Bar
            span={marked}
            className="marked"
            label={t('Marked span')}
            selected
            onChoose={() => showFrame(frames, marked.startFrame)}
            onChange={({ startFrame, endFrame }) => useReview.setState({ markIn: startFrame, markOut: endFrame - 1 })}
          />
        )}
        {!marked && markIn !== null && <span className="edge in" style={{ left: `${axis.at(timeOf(frames, markIn))}%` }} />}
        {!marked && markOut !== null && <span className="edge out" style={{ left: `${axis.at(endTime(frames, markOut + 1, end))}%` }} />}
        <Head />
      </div>
    </div>
  )
}

/** The playhead's handle. */
function Head() {
  const axis = useAxis()
  const { duration, at, view } = axis
  const time = usePlayer((player) => player.time)
  const key = (event: KeyboardEvent) => {
    const page = (view.to - view.from) / 10
    const target = { Home: 0, End: duration, PageUp: time - page, PageDown: time + page }[event.key]
    if (target === undefined) return
    event.preventDefault()
    show(axis, target)
  }
  return (
    <span
      className="head"
      style={{ left: `${at(time)}%` }}
      hidden={time < view.from || time > view.to}
      role="slider"
      tabIndex={0}
      aria-label={t('Position in the video')}
      aria-valuemin={0}
      aria-valuemax={Number(duration.toFixed(3))}
      aria-valuenow={Number(time.toFixed(3))}
      aria-valuetext={clock(time, 2)}
      onKeyDown={key}
    />
  )
}

/** The playhead's line through all lanes. */
export function PlayLine() {
  const { at, view } = useAxis()
  const time = usePlayer((player) => player.time)
  return time < view.from || time > view.to ? null : <span className="play-line" style={{ left: `${at(time)}%` }} aria-hidden />
}

/** Pixels by which a pointer may move in a click. */
const STILL = 3

/** The whole video, with the part that the lanes show: click to go there, drag that part to show another. */
export function Overview({ view, children }: { view: View; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null)
  const grabbed = useRef<{ offset: number; x: number; moved: boolean } | null>(null)
  const setView = useReview((review) => review.setView)
  const time = usePlayer((player) => player.time)
  const axis = useAxis()
  const { duration } = axis
  const secondsAt = (clientX: number) => {
    const { left, width } = ref.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    return Math.min(1, Math.max(0, (clientX - left) / width)) * duration
  }
  const whole = view.to - view.from > duration * 0.999
  const go = (event: PointerEvent) => {
    const at = secondsAt(event.clientX)
    show(axis, at)
    if (!whole && (at < view.from || at > view.to)) setView(panView(view, at - (view.from + view.to) / 2, duration))
  }
  const share = (seconds: number) => `${(100 * seconds) / duration}%`
  return (
    <div className="lane whole-video">
      <span className="lane-name" aria-hidden />
      <div
        ref={ref}
        className="lane-body"
        data-whole={whole}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          const at = secondsAt(event.clientX)
          if (!whole && at >= view.from && at <= view.to) grabbed.current = { offset: at - view.from, x: event.clientX, moved: false }
          else go(event)
        }}
        onPointerMove={(event) => {
          if (event.buttons !== 1) return
          const { current: held } = grabbed
          if (held === null) go(event)
          else if ((held.moved ||= Math.abs(event.clientX - held.x) > STILL))
            setView(panView(view, secondsAt(event.clientX) - held.offset - view.from, duration))
        }}
        onPointerUp={(event) => {
          if (grabbed.current?.moved === false) go(event)
          grabbed.current = null
        }}
      >
        {children}
        {axis.unread.map(({ from, to }) => (
          <span key={from} className="unread-part" style={{ left: share(from), width: share(to - from) }} />
        ))}
        {!whole && (
          <>
            <span className="shade" style={{ left: 0, width: share(view.from) }} />
            <span className="shade" style={{ left: share(view.to), right: 0 }} />
            <span className="window" style={{ left: share(view.from), width: share(view.to - view.from) }} />
          </>
        )}
        <span className="play-line" style={{ left: share(Math.min(time, duration)) }} aria-hidden />
      </div>
    </div>
  )
}
