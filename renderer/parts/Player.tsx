import { Flame, Pause, Play, Repeat, StepBack, StepForward, Volume2, VolumeX } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { Annotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import { urlOf } from '../api.ts'
import { Heat } from '../find/Heat.tsx'
import { useFind } from '../find/store.ts'
import { clock } from '../format.ts'
import { t } from '../i18n.ts'
import { type FrameTable, ordinalAt, seek, seekTarget, step, timeOf, togglePlay, usePlayer } from '../player.ts'
import { Boxes, type TrackAnnotation } from './Boxes.tsx'

interface Props {
  source: Source
  clip: Clip | null
  tracks: readonly TrackAnnotation[]
  /** Everything said about the clip. */
  annotations: readonly Annotation[]
  frames: FrameTable | undefined
}

/** The video with its boxes. Time comes from the frames that are really shown, not from a clock. */
export function Player({ source, clip, tracks, annotations, frames }: Props) {
  const ref = useRef<HTMLVideoElement>(null)
  const [loop, setLoop] = useState(true)
  const [state, setState] = useState<'loading' | 'ready' | 'failed'>('loading')
  const { attach, setTime, setPlaying } = usePlayer.getState()
  const heat = useFind((find) => find.heat)
  const playing = usePlayer((player) => player.playing)
  const muted = usePlayer((player) => player.muted)

  useEffect(() => {
    const video = ref.current
    if (video === null) return
    attach(video)
    let handle = 0
    const shown = (_now: number, { mediaTime }: VideoFrameCallbackMetadata) => {
      setTime(mediaTime)
      handle = video.requestVideoFrameCallback(shown)
    }
    handle = video.requestVideoFrameCallback(shown)
    return () => {
      video.cancelVideoFrameCallback(handle)
      attach(null)
    }
  }, [attach, setTime])

  // A chosen clip is shown from its first frame.
  const startFrame = clip?.startFrame
  useEffect(() => {
    if (startFrame !== undefined && frames && state === 'ready' && usePlayer.getState().goal === null) seek(seekTarget(frames, startFrame))
  }, [startFrame, frames, state])

  // Who chose the clip for a moment in it sees that moment.
  const goal = usePlayer((player) => player.goal)
  useEffect(() => {
    if (goal?.sourceId !== source.id || !frames || state !== 'ready') return
    ref.current?.pause()
    seek(seekTarget(frames, goal.ordinal))
    usePlayer.setState({ goal: null })
  }, [goal, source.id, frames, state])

  useEffect(() => {
    if (!clip) return
    return usePlayer.subscribe(({ time, playing: moving }, { time: before }) => {
      if (moving && before < clip.end && time >= clip.end - 0.001) {
        if (loop) seek(clip.start + 0.001)
        else ref.current?.pause()
      }
    })
  }, [clip, loop])

  // No frame follows the last clip, so only the file's own end tells that it is over.
  const ended = () => {
    if (clip === null || !loop) return
    seek(clip.start + 0.001)
    togglePlay()
  }

  const { probe } = source
  if (probe === null) return null
  return (
    <section className="player" aria-label="Player">
      <div className="picture" style={{ aspectRatio: `${probe.width} / ${probe.height}` }}>
        <video
          ref={ref} src={urlOf('media', { params: { sourceId: source.id } })} preload="auto" muted={muted} playsInline aria-label={source.name}
          onClick={togglePlay} onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)} onLoadedData={() => setState('ready')} onError={() => setState('failed')}
          onSeeked={(event) => setTime(event.currentTarget.currentTime)} onEnded={ended} loop={clip === null && loop}
        />
        {state === 'ready' && frames && clip && <Heat probe={probe} clip={clip} annotations={annotations} frames={frames} />}
        {state === 'ready' && frames && <Boxes probe={probe} tracks={tracks} frames={frames} />}
        {state === 'loading' && (
          <p className="cover">{source.playback === 'proxy' ? `A browser cannot play ${probe.codec.toUpperCase()} here. Analysis works; a preview copy is being made…` : 'Loading…'}</p>
        )}
        {state === 'failed' && <p className="cover">This video cannot be played here. Captions, answers, search and labels work all the same.</p>}
      </div>
      <div className="transport">
        <button className="icon" aria-label="One frame back" title="One frame back (,)" onClick={() => frames && step(frames, -1)}><StepBack size={16} /></button>
        <button className="icon" aria-label={playing ? 'Pause' : 'Play'} title={`${playing ? 'Pause' : 'Play'} (Space)`} onClick={togglePlay}>{playing ? <Pause size={18} /> : <Play size={18} />}</button>
        <button className="icon" aria-label="One frame on" title="One frame on (.)" onClick={() => frames && step(frames, 1)}><StepForward size={16} /></button>
        <button className="icon" aria-label="Loop" aria-pressed={loop} title="Loop the clip" onClick={() => setLoop(!loop)}><Repeat size={15} /></button>
        {clip && <button className="icon" aria-label={t('Show where the model looked')} aria-pressed={heat} title={t('Show where the model looked (H)')} onClick={() => useFind.getState().toggleHeat()}><Flame size={15} /></button>}
        {probe.streams.some(({ type }) => type === 'audio') && (
          <button className="icon" aria-label="Sound" aria-pressed={!muted} title={`Sound ${muted ? 'on' : 'off'} (M)`} onClick={() => usePlayer.getState().toggleSound()}>{muted ? <VolumeX size={15} /> : <Volume2 size={15} />}</button>
        )}
        <Time frames={frames} duration={probe.duration} />
      </div>
    </section>
  )
}

function Time({ frames, duration }: { frames: FrameTable | undefined; duration: number }) {
  const time = usePlayer((player) => player.time)
  const ordinal = frames && frames.pts.length > 0 ? ordinalAt(frames, time) : null
  return (
    <span className="num" role="timer" aria-label="Time">
      {clock(frames && ordinal !== null ? timeOf(frames, ordinal) : time, 3)} <span className="muted">/ {clock(duration, 1)}{ordinal === null ? '' : ` · frame ${ordinal}`}</span>
    </span>
  )
}
