import {
  Camera,
  Crosshair,
  Ellipsis,
  Flame,
  Maximize,
  Pause,
  Play,
  Repeat,
  Scissors,
  Square,
  SquareDashedMousePointer,
  StepBack,
  StepForward,
  Volume2,
  VolumeX,
  X,
  ZoomOut,
} from 'lucide-react'
import { type KeyboardEvent, useId, useRef } from 'react'
import type { Clip, Source } from '../../app/contract.ts'
import { parseMoment } from '../../app/moment.ts'
import { useFind } from '../find/store.ts'
import { clock, number } from '../format.ts'
import { t } from '../i18n.ts'
import { hint } from '../keys.ts'
import { type FrameTable, ordinalAt, seek, seekTarget, step, timeOf, togglePlay, usePlayer } from '../player.ts'
import { clipFromMarks } from './marked.ts'
import { snapshot } from './snapshot.ts'
import { markedSpan, useReview } from './store.ts'

interface Props {
  source: Source
  clip: Clip | null
  frames: FrameTable | undefined
  onFullscreen: () => void
}

const RATES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4]

/** The bar below the picture. */
export function Transport({ source, clip, frames, onFullscreen }: Props) {
  const { playing, shuttle, rate, muted, volume, setRate, toggleSound, setVolume } = usePlayer()
  const { loop, toggle, drawing, setDrawing, zoom, setZoom, showBoxes, following, markIn, markOut, clearMarks } = useReview()
  const heat = useFind((find) => find.heat)
  const marked = markedSpan({ markIn, markOut })
  const more = useId()
  const { probe } = source
  if (probe === null) return null
  // Escape closes the open panel, and does nothing else in the window then.
  const escape = (event: KeyboardEvent) =>
    event.key === 'Escape' && document.getElementById(more)?.matches(':popover-open') && event.stopPropagation()
  const speed = playing ? shuttle * rate : rate
  return (
    <div className="transport" role="toolbar" aria-label={t('Playback')} onKeyDown={escape}>
      <button
        className="icon"
        aria-label={t('One frame back')}
        title={hint('One frame back', 'frame-back')}
        onClick={() => frames && step(frames, -1)}
      >
        <StepBack size={16} />
      </button>
      <button
        className="icon"
        aria-label={playing ? t('Pause') : t('Play')}
        title={hint(playing ? 'Pause' : 'Play', 'play')}
        onClick={togglePlay}
      >
        {playing ? <Pause size={18} /> : <Play size={18} />}
      </button>
      <button
        className="icon"
        aria-label={t('One frame on')}
        title={hint('One frame on', 'frame-on')}
        onClick={() => frames && step(frames, 1)}
      >
        <StepForward size={16} />
      </button>
      <button
        className="icon"
        aria-label={t('Loop')}
        aria-pressed={loop}
        title={hint('Play the clip or what is marked again and again', 'loop')}
        onClick={() => toggle('loop')}
      >
        <Repeat size={15} />
      </button>
      <Time frames={frames} duration={probe.duration} />
      <span className="grow" />
      {marked && (
        <span className="row tight passing">
          <button
            aria-label={t('New clip')}
            title={hint('New clip from what is marked', 'new-clip')}
            onClick={() => void clipFromMarks(source.id)}
          >
            <Scissors size={14} aria-hidden />
            <span className="roomy">{t('New clip')}</span>
          </button>
          <button className="icon" aria-label={t('Clear the marks')} title={t('Clear the marks')} onClick={clearMarks}>
            <X size={14} />
          </button>
        </span>
      )}
      {zoom.scale > 1 && (
        <button
          className="quiet num passing"
          aria-label={t('Show the whole picture')}
          title={hint('Show the whole picture', 'picture-fit')}
          onClick={() => setZoom({ scale: 1, x: 0.5, y: 0.5 })}
        >
          <ZoomOut size={14} aria-hidden />
          <span className="roomy">{number(zoom.scale, 1)}×</span>
        </button>
      )}
      <button
        className="icon"
        aria-label={t('Show boxes')}
        aria-pressed={showBoxes}
        title={hint('Show boxes', 'boxes')}
        onClick={() => toggle('showBoxes')}
      >
        <Square size={15} />
      </button>
      <button className="icon menu-button" aria-label={t('More')} title={t('More')} popoverTarget={more}>
        <Ellipsis size={16} />
      </button>
      {/* In the bar if there is room, else in the panel that that button opens. */}
      <div id={more} popover="auto" className="less-needed" role="group" aria-label={t('More')}>
        {clip && (
          <>
            <button
              className="icon"
              aria-label={t('Draw a box')}
              aria-pressed={drawing}
              title={hint('Draw a box', 'draw')}
              onClick={() => setDrawing(!drawing)}
            >
              <SquareDashedMousePointer size={16} />
              <span className="in-menu">{t('Draw a box')}</span>
            </button>
            <button
              className="icon"
              aria-label={t('Keep the chosen track in view')}
              aria-pressed={following}
              title={hint('Keep the chosen track in view when enlarged', 'follow')}
              onClick={() => toggle('following')}
            >
              <Crosshair size={15} />
              <span className="in-menu">{t('Keep the chosen track in view')}</span>
            </button>
            <button
              className="icon"
              aria-label={t('Show where the model looked')}
              aria-pressed={heat}
              title={hint('Show where the model looked', 'heat')}
              onClick={() => useFind.getState().toggleHeat()}
            >
              <Flame size={15} />
              <span className="in-menu">{t('Show where the model looked')}</span>
            </button>
          </>
        )}
        <button
          className="icon"
          aria-label={t('Save this frame as a picture')}
          title={hint('Save this frame as a picture; with Shift without boxes', 'snapshot')}
          onClick={(event) => snapshot(!event.shiftKey)}
        >
          <Camera size={15} />
          <span className="in-menu">{t('Save this frame as a picture')}</span>
        </button>
        <label className="speed">
          <span className="in-menu">{t('Speed')}</span>
          <select
            aria-label={t('Speed')}
            title={t('Speed')}
            value={RATES.includes(rate) ? rate : ''}
            onChange={({ target }) => setRate(Number(target.value))}
          >
            {!RATES.includes(rate) && <option value="">{rate}×</option>}
            {RATES.map((value) => (
              <option key={value} value={value}>
                {value}×
              </option>
            ))}
          </select>
        </label>
      </div>
      {playing && shuttle !== 1 && <span className="chip num">{speed}×</span>}
      {probe.streams.some(({ type }) => type === 'audio') && (
        <span className="row tight">
          <button className="icon" aria-label={t('Sound')} aria-pressed={!muted} title={hint('Sound', 'sound')} onClick={toggleSound}>
            {muted ? <VolumeX size={15} /> : <Volume2 size={15} />}
          </button>
          <input
            type="range"
            className="volume"
            aria-label={t('Volume')}
            min={0}
            max={1}
            step={0.05}
            value={muted ? 0 : volume}
            onChange={({ target }) => setVolume(Number(target.value))}
          />
        </span>
      )}
      <button
        className="icon"
        aria-label={t('Full screen')}
        title={hint('Full screen', 'fullscreen')}
        onClick={onFullscreen}
        data-fullscreen
      >
        <Maximize size={15} />
      </button>
    </div>
  )
}

/** The player's position; a click asks where to go. */
function Time({ frames, duration }: { frames: FrameTable | undefined; duration: number }) {
  const time = usePlayer((player) => player.time)
  const { goingTo, setGoingTo } = useReview()
  const wrong = useRef<HTMLInputElement>(null)
  const ordinal = frames && frames.pts.length > 0 ? ordinalAt(frames, time) : null
  const now = clock(frames && ordinal !== null ? timeOf(frames, ordinal) : time, 3)
  if (!goingTo || !frames) {
    return (
      <button className="quiet num time" title={hint('Go to a time or a frame', 'go-to')} onClick={() => setGoingTo(true)}>
        <span role="timer" aria-label={t('Time')}>
          {now}{' '}
          <span className="muted">
            <span className="whole">/ {clock(duration, 1)}</span>
            {ordinal === null ? '' : ` · ${t('frame {{frame}}', { frame: ordinal })}`}
          </span>
        </span>
      </button>
    )
  }
  const go = (text: string) => {
    const refuse = (why: string) => {
      wrong.current?.setCustomValidity(why)
      wrong.current?.reportValidity()
    }
    const moment = parseMoment(text)
    if (moment === null) {
      refuse(t('A time such as 1:02.5, or a frame such as #120'))
      return
    }
    const last = frames.pts.length - 1
    // The last frame is shown until the end.
    if ('frame' in moment ? moment.frame > last : moment.seconds > Math.max(duration, timeOf(frames, last))) {
      refuse(t('The video ends at {{time}}, with frame {{frame}}.', { time: clock(duration, 1), frame: last }))
      return
    }
    const frame = 'frame' in moment ? moment.frame : ordinalAt(frames, moment.seconds)
    seek(seekTarget(frames, frame))
    setGoingTo(false)
  }
  return (
    <form
      className="row tight"
      onSubmit={(event) => {
        event.preventDefault()
        go(wrong.current?.value ?? '')
      }}
    >
      <input
        ref={wrong}
        className="num goto"
        aria-label={t('Go to a time or a frame')}
        placeholder={t('1:02.5 or #120')}
        autoFocus
        onChange={({ target }) => target.setCustomValidity('')}
        onBlur={() => setGoingTo(false)}
        onKeyDown={({ key }) => key === 'Escape' && setGoingTo(false)}
      />
    </form>
  )
}
