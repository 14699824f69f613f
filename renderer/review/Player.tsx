import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Annotation, TextAnnotation, TrackAnnotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import { interpolate } from '../../app/tracks.ts'
import { Heat } from '../find/Heat.tsx'
import { t, told } from '../i18n.ts'
import { endTime, type FrameTable, ordinalAt, play, ptsAt, seek, seekTarget, showFrame, timeOf, togglePlay, usePlayer } from '../player.ts'
import { Copying } from '../parts/Copying.tsx'
import { isLost, usePlayable } from '../parts/preview.ts'
import { markedSpan, useReview, type Zoom } from './store.ts'
import { Transport } from './Transport.tsx'
import { useUi } from '../store.ts'
import { Boxes } from './Boxes.tsx'

interface Props {
  source: Source
  /** The chosen clip: shown from its first frame, and looped. */
  clip: Clip | null
  /** What is drawn on the picture: of the chosen clip, or of the one that is playing. */
  shown: { clipId: number; tracks: readonly TrackAnnotation[]; texts: readonly TextAnnotation[] } | null
  /** All annotations of the chosen clip. */
  annotations: readonly Annotation[]
  frames: FrameTable | undefined
}

/** The video with its boxes. Its time is that of the frames actually shown, not of a clock. */
export function Player({ source, clip, shown, annotations, frames }: Props) {
  const ref = useRef<HTMLVideoElement>(null)
  const frame = useRef<HTMLElement>(null)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const { src, origin, copied, preview, refuse } = usePlayable(source)
  const { attach, setShown, setPlaying } = usePlayer.getState()
  const muted = usePlayer((player) => player.muted)
  const volume = usePlayer((player) => player.volume)
  const showBoxes = useReview((review) => review.showBoxes)

  useEffect(() => {
    const video = ref.current
    if (video === null) return
    attach(video)
    useReview.getState().reset()
    let handle = 0
    const presented = (_now: number, { mediaTime, presentationTime }: VideoFrameCallbackMetadata) => {
      setShown(mediaTime, presentationTime)
      handle = video.requestVideoFrameCallback(presented)
    }
    handle = video.requestVideoFrameCallback(presented)
    return () => {
      video.cancelVideoFrameCallback(handle)
      attach(null)
    }
  }, [attach, setShown])

  useEffect(() => usePlayer.setState({ origin }), [origin])

  useEffect(() => {
    if (ref.current) ref.current.volume = volume
  }, [volume])

  // A chosen clip is shown from its first frame.
  const startFrame = clip?.startFrame
  const broken = useRef<{ startFrame: number | undefined } | null>(null)
  useEffect(() => {
    if (!frames || state !== 'ready' || usePlayer.getState().goal !== null) return
    const { going, time } = usePlayer.getState()
    // The copy of a file that broke off goes on with the picture that was asked for last.
    const at = broken.current && broken.current.startFrame === startFrame ? ordinalAt(frames, going ?? time) : startFrame
    broken.current = null
    if (at !== undefined) seek(seekTarget(frames, at))
  }, [startFrame, frames, state])

  // If the clip was chosen for a moment in it, that moment is shown.
  const goal = usePlayer((player) => player.goal)
  useEffect(() => {
    // A file that failed shows nothing any more; its copy will.
    if (goal?.sourceId !== source.id || !frames || state !== 'ready' || ref.current?.error) return
    showFrame(frames, goal.ordinal)
    usePlayer.setState({ goal: null })
  }, [goal, source.id, frames, state])

  const span = useLoop(clip, frames, ref)

  // No frame follows the last one of the file, so only the file's end shows that a span ending there is over.
  const ended = () => {
    const { playing, shuttle } = usePlayer.getState()
    // A paused video that is taken to its end by a seek stays there.
    if (!playing) return
    if (useReview.getState().loop) {
      seek(span === null ? 0 : span.start + 0.001)
      play(shuttle)
    } else setPlaying(false)
  }

  const failed = async () => {
    if (copied) setState('failed')
    else if (await refuse()) {
      if (state === 'ready') broken.current = { startFrame }
      setState('loading')
    }
  }

  const { probe } = source
  if (probe === null) return null
  return (
    <section className="player" aria-label={t('Player')} ref={frame}>
      <Picture aspect={probe.width / probe.height} pixels={probe.width} frames={frames} tracks={shown?.tracks ?? []}>
        {(unit) => (
          <>
            <video
              ref={ref}
              src={src}
              preload="auto"
              muted={muted}
              playsInline
              aria-label={source.title}
              onPlay={() => setPlaying(true)}
              onPause={({ currentTarget: { ended: over } }) => !over && usePlayer.getState().shuttle > 0 && setPlaying(false)}
              onLoadedData={() => setState('ready')}
              onError={() => void failed()}
              onEnded={ended}
            />
            {state === 'ready' && frames && clip && <Heat probe={probe} clip={clip} annotations={annotations} frames={frames} />}
            {state === 'ready' && frames && shown && showBoxes && (
              <Boxes probe={probe} clipId={shown.clipId} tracks={shown.tracks} texts={shown.texts} frames={frames} unit={unit} />
            )}
          </>
        )}
      </Picture>
      {state === 'loading' &&
        (isLost(source) && preview?.state !== 'ready' ? (
          <p className="cover">{source.problem && told(source.problem).message}</p>
        ) : copied && preview?.state !== 'ready' ? (
          <Copying source={source} preview={preview} />
        ) : (
          <p className="cover">{t('Loading…')}</p>
        ))}
      {state === 'failed' && (
        <p className="cover">{t('This video cannot be played here. Captions, answers, search and labels work all the same.')}</p>
      )}
      <Transport source={source} clip={clip} frames={frames} onFullscreen={() => void toggleFullscreen(frame.current)} />
    </section>
  )
}

async function toggleFullscreen(element: HTMLElement | null): Promise<void> {
  if (document.fullscreenElement !== null) await document.exitFullscreen()
  else await element?.requestFullscreen()
}

/**
 * Keeps playback inside the marked span, else inside the chosen clip, by looping or pausing. Returns that span in seconds, null for the
 * whole video.
 */
function useLoop(
  clip: Clip | null,
  frames: FrameTable | undefined,
  video: React.RefObject<HTMLVideoElement | null>,
): { start: number; end: number } | null {
  const [markIn, markOut] = [useReview((review) => review.markIn), useReview((review) => review.markOut)]
  const marked = markedSpan({ markIn, markOut })
  const start = marked && frames ? timeOf(frames, marked.startFrame) : clip?.start
  const end = marked && frames ? endTime(frames, marked.endFrame, Infinity) : clip?.end
  useEffect(() => {
    if (start === undefined || end === undefined) return
    // Browsers round frame times.
    const over = end - 0.001
    return usePlayer.subscribe(({ time, playing, shuttle }, { time: before }) => {
      if (!playing || shuttle < 0 || before >= over || time < over) return
      if (useReview.getState().loop) seek(start + 0.001)
      else video.current?.pause()
    })
  }, [start, end, video])
  return start === undefined || end === undefined ? null : { start, end }
}

interface PictureProps {
  /** Width by height. */
  aspect: number
  /** Width of the video in its own pixels. */
  pixels: number
  frames: FrameTable | undefined
  tracks: readonly TrackAnnotation[]
  /** Called with the number of video pixels in one pixel of the screen. */
  children: (unit: number) => React.ReactNode
}

/** Mouse wheel distance that doubles the size. */
const WHEEL_DOUBLES = 500
/** A press that moved less than this is a click. */
const CLICK = 4

/** As large as fits; the wheel enlarges it around the pointer, a drag moves it. A click plays. */
function Picture({ aspect, pixels, frames, tracks, children }: PictureProps) {
  const ref = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const zoom = useReview((review) => review.zoom)
  const drawing = useReview((review) => review.drawing)
  const press = useRef<{ x: number; y: number; zoom: Zoom; moved: boolean } | null>(null)
  useFollow(frames, tracks, aspect, pixels)

  useLayoutEffect(() => {
    const box = ref.current
    if (box === null) return
    const observer = new ResizeObserver(() => setSize({ width: box.clientWidth, height: box.clientHeight }))
    observer.observe(box)
    // React's own wheel listener is passive, but the page must not scroll.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { zoom: now, setZoom } = useReview.getState()
      const { left, top, width, height } = box.querySelector('.picture')?.getBoundingClientRect() ?? box.getBoundingClientRect()
      const at = { x: (event.clientX - left) / width, y: (event.clientY - top) / height }
      const factor = 2 ** (-event.deltaY / WHEEL_DOUBLES)
      setZoom({ scale: now.scale * factor, x: at.x + (now.x - at.x) / factor, y: at.y + (now.y - at.y) / factor })
    }
    box.addEventListener('wheel', wheel, { passive: false })
    return () => {
      observer.disconnect()
      box.removeEventListener('wheel', wheel)
    }
  }, [])

  const fitted =
    size.width / size.height > aspect
      ? { width: size.height * aspect, height: size.height }
      : { width: size.width, height: size.width / aspect }
  const [width, height] = [fitted.width * zoom.scale, fitted.height * zoom.scale]
  // The whole picture is centred; enlarged, its chosen point is.
  const place = (full: number, room: number, share: number) =>
    full <= room ? (room - full) / 2 : Math.min(0, Math.max(room - full, room / 2 - share * full))
  const pan = {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button > 1) return
      event.currentTarget.setPointerCapture(event.pointerId)
      press.current = { x: event.clientX, y: event.clientY, zoom: useReview.getState().zoom, moved: false }
    },
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
      const began = press.current
      if (began === null) return
      const [dx, dy] = [event.clientX - began.x, event.clientY - began.y]
      if (Math.hypot(dx, dy) > CLICK) began.moved = true
      if (began.moved && began.zoom.scale > 1)
        useReview.getState().setZoom({ ...began.zoom, x: began.zoom.x - dx / width, y: began.zoom.y - dy / height })
    },
    onPointerUp: (event: PointerEvent<HTMLDivElement>) => {
      if (press.current?.moved === false && event.button === 0) {
        if (useUi.getState().trackId === null) togglePlay()
        else useUi.getState().selectTrack(null)
      }
      press.current = null
    },
    onPointerCancel: () => {
      press.current = null
    },
  }
  return (
    <div ref={ref} className="viewport" data-zoomed={zoom.scale > 1} data-drawing={drawing} {...pan}>
      <div
        className="picture"
        style={{ width, height, transform: `translate(${place(width, size.width, zoom.x)}px, ${place(height, size.height, zoom.y)}px)` }}
      >
        {children(width > 0 ? pixels / width : 1)}
      </div>
    </div>
  )
}

/** Keeps the chosen track in the middle of the enlarged picture. */
function useFollow(frames: FrameTable | undefined, tracks: readonly TrackAnnotation[], aspect: number, pixels: number): void {
  const following = useReview((review) => review.following)
  const trackId = useUi((ui) => ui.trackId)
  const track = tracks.find(({ id }) => id === trackId)
  useEffect(() => {
    if (!following || !frames || !track) return
    const centre = (time: number) => {
      const { zoom, setZoom } = useReview.getState()
      const box = zoom.scale > 1 ? interpolate(track.body, frames.pts[ordinalAt(frames, time)] ?? ptsAt(frames, time)) : null
      if (box) setZoom({ ...zoom, x: (box.x1 + box.x2) / 2 / pixels, y: ((box.y1 + box.y2) / 2 / pixels) * aspect })
    }
    centre(usePlayer.getState().time)
    return usePlayer.subscribe(({ time }, before) => time !== before.time && centre(time))
  }, [following, frames, track, aspect, pixels])
}
