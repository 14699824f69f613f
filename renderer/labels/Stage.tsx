/**
 * A clip to look at with read-only boxes: once, or side by side with different boxes. All pictures are drawn from one video element when it
 * shows a frame, so that they cannot drift apart.
 */
import { Pause, Play, StepBack, StepForward } from 'lucide-react'
import { type ReactNode, type RefObject, useEffect, useImperativeHandle, useRef, useState } from 'react'
import type { TrackBody } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import type { Probe } from '../../app/media.ts'
import { interpolate } from '../../app/tracks.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { Copying } from '../parts/Copying.tsx'
import { scoreShown } from './draft.ts'
import { type FrameTable, ordinalAt, ptsAt, seekTarget, timeOf } from '../player.ts'
import { usePlayable } from '../parts/preview.ts'

export interface StageTrack {
  key: string
  body: TrackBody
  colour: string
  score: number | null
}

export interface Pane {
  /** Below the picture's upper edge. */
  title?: ReactNode
  tracks: readonly StageTrack[]
  /** Keys of the tracks that are highlighted at a time. */
  outstanding?: (pts: number) => ReadonlySet<string>
}

export interface StageHandle {
  /** Pause and show this frame. */
  show: (ordinal: number) => void
}

export function Stage({
  source,
  clip,
  frames,
  panes,
  ref,
}: {
  source: Source
  clip: Clip
  frames: FrameTable
  panes: readonly Pane[]
  ref?: RefObject<StageHandle | null>
}) {
  const video = useRef<HTMLVideoElement>(null)
  const mirrors = useRef(new Map<number, HTMLCanvasElement>())
  const [time, setTime] = useState(clip.start)
  const [playing, setPlaying] = useState(false)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const { probe } = source
  const { src, origin, copied, preview, refuse } = usePlayable(source)
  const ordinal = ordinalAt(frames, time)

  useEffect(() => {
    const { current } = video
    if (current === null) return
    let handle = 0
    const shown = (_now: number, { mediaTime }: VideoFrameCallbackMetadata) => {
      const now = Math.max(0, mediaTime - origin)
      setTime(now)
      for (const canvas of mirrors.current.values()) canvas.getContext('2d')?.drawImage(current, 0, 0, canvas.width, canvas.height)
      if (now >= clip.end - 0.001 && !current.paused) current.currentTime = origin + clip.start + 0.001
      handle = current.requestVideoFrameCallback(shown)
    }
    handle = current.requestVideoFrameCallback(shown)
    return () => current.cancelVideoFrameCallback(handle)
  }, [clip.start, clip.end, origin])

  /** The frame that was requested last; while the video seeks it is not yet the one shown. */
  const wanted = useRef(clip.startFrame)
  const show = (frame: number) => {
    if (video.current === null) return
    wanted.current = Math.min(Math.max(frame, clip.startFrame), clip.endFrame - 1)
    video.current.pause()
    video.current.currentTime = origin + seekTarget(frames, wanted.current)
  }
  // Fast clicks continue from the requested frame: from the shown one, each would start the same seek again.
  const step = (by: number) => show((video.current?.seeking ? wanted.current : ordinal) + by)
  useImperativeHandle(ref, () => ({ show }))
  // A chosen clip is shown from its first frame.
  useEffect(() => {
    if (state !== 'ready' || video.current === null) return
    wanted.current = clip.startFrame
    video.current.currentTime = origin + seekTarget(frames, clip.startFrame)
  }, [state, frames, clip.startFrame, origin])

  if (probe === null) return null
  const toggle = () => {
    if (video.current?.paused) void video.current.play().catch(() => undefined)
    else video.current?.pause()
  }
  const pts = frames.pts[ordinal] ?? ptsAt(frames, time)
  return (
    <div className="looking">
      <div className="panes" style={{ gridTemplateColumns: `repeat(${panes.length}, minmax(0, 1fr))` }}>
        {panes.map((pane, at) => (
          <figure key={at}>
            {pane.title !== undefined && <figcaption>{pane.title}</figcaption>}
            <div className="frame" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
              {at === 0 ? (
                <video
                  ref={video}
                  src={src}
                  preload="auto"
                  muted
                  playsInline
                  aria-label={source.title}
                  onClick={toggle}
                  onPlay={() => setPlaying(true)}
                  onPause={() => setPlaying(false)}
                  onLoadedData={() => setState('ready')}
                  onError={() => (copied ? setState('failed') : void refuse())}
                />
              ) : (
                <canvas
                  width={probe.width}
                  height={probe.height}
                  role="img"
                  aria-label={t('{{name}}, the same frame', { name: source.title })}
                  ref={(canvas) => {
                    if (canvas) mirrors.current.set(at, canvas)
                    else mirrors.current.delete(at)
                  }}
                />
              )}
              <StageBoxes probe={probe} pane={pane} pts={pts} />
              {state === 'loading' &&
                at === 0 &&
                (copied && preview?.state !== 'ready' ? (
                  <Copying source={source} preview={preview} />
                ) : (
                  <p className="cover">{t('Loading…')}</p>
                ))}
              {state === 'failed' && at === 0 && <p className="cover">{t('This video cannot be played here.')}</p>}
            </div>
          </figure>
        ))}
      </div>
      <div className="row controls">
        <button className="icon" aria-label={t('One frame back')} onClick={() => step(-1)}>
          <StepBack size={15} />
        </button>
        <button className="icon" aria-label={playing ? t('Pause') : t('Play')} onClick={toggle}>
          {playing ? <Pause size={16} /> : <Play size={16} />}
        </button>
        <button className="icon" aria-label={t('One frame on')} onClick={() => step(1)}>
          <StepForward size={15} />
        </button>
        <input
          className="grow"
          type="range"
          aria-label={t('Position in the clip')}
          min={clip.startFrame}
          max={Math.max(clip.startFrame, clip.endFrame - 1)}
          value={ordinal}
          onChange={({ target }) => show(Number(target.value))}
          aria-valuetext={clock(timeOf(frames, ordinal), 2)}
        />
        <span className="num muted small">{clock(timeOf(frames, ordinal), 2)}</span>
      </div>
    </div>
  )
}

function StageBoxes({ probe, pane: { tracks, outstanding }, pts }: { probe: Probe; pane: Pane; pts: number }) {
  const unit = probe.width / 640
  const special = outstanding?.(pts)
  return (
    <svg className="boxes" viewBox={`0 0 ${probe.width} ${probe.height}`} aria-hidden>
      {tracks.map(({ key, body, colour, score }) => {
        const box = interpolate(body, pts)
        if (box === null) return null
        return (
          <g key={key} data-track={key} data-alone={special?.has(key)} style={{ color: colour }}>
            <rect x={box.x1} y={box.y1} width={box.x2 - box.x1} height={box.y2 - box.y1} />
            <text x={box.x1 + 3 * unit} y={Math.max(box.y1 - 4 * unit, 12 * unit)} fontSize={12 * unit}>
              {body.label}
              {score === null ? '' : ` ${scoreShown(score)}`}
            </text>
          </g>
        )
      })}
    </svg>
  )
}
