import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import type { Annotation } from '../../app/annotation.ts'
import type { Clip, Source } from '../../app/contract.ts'
import { urlOf } from '../api.ts'
import { MatchCurve } from '../find/MatchCurve.tsx'
import { clock } from '../format.ts'
import { useColours } from '../labels/vocabulary.ts'
import { type FrameTable, ordinalAt, seek, seekTarget, usePlayer } from '../player.ts'
import { useUi } from '../store.ts'

interface Props {
  source: Source
  clips: readonly Clip[]
  clip: Clip | null
  annotations: readonly Annotation[]
  frames: FrameTable | undefined
}

/** The whole source above (filmstrip, clips), the chosen clip enlarged below (tracks, where the model looked). */
export function Timeline({ source, clips, clip, annotations, frames }: Props) {
  const duration = Math.max(source.probe?.duration ?? 0, clips.at(-1)?.end ?? 0)
  const selectTrack = useUi((ui) => ui.selectTrack)
  const colourOf = useColours()
  if (duration === 0) return null
  const share = (seconds: number) => `${(100 * seconds) / duration}%`
  const span = clip && { start: clip.start, length: Math.max(clip.end - clip.start, 0.001) }
  const within = (pts: number) => {
    if (!span || !frames) return 0
    const seconds = ((pts - frames.startPts) * frames.timeBase.num) / frames.timeBase.den
    return (100 * (seconds - span.start)) / span.length
  }
  const tracks = annotations.flatMap(({ id, body, state }) => (body.kind === 'track' && state !== 'rejected' ? [{ id, body }] : []))
  const looked = annotations.find(({ body }) => body.kind === 'caption')?.evidence?.frames ?? []
  const heaviest = looked[0]?.weight ?? 1
  return (
    <section className="timeline" aria-label="Timeline">
      <MatchCurve sourceId={source.id} start={0} length={duration} frames={frames} />
      <Scrubber start={0} length={duration} frames={frames} label="Position in the video">
        <div className="strip" aria-hidden>
          {stripCells(source).map((cell) => (
            <img key={cell} src={urlOf('filmstrip', { params: { sourceId: source.id, cell } })} alt="" loading="lazy" />
          ))}
        </div>
      </Scrubber>
      <div className="segments" role="group" aria-label="Clips of this video">
        {clips.map(({ id, start, end, caption, index }) => (
          <button
            key={id} style={{ left: share(start), width: share(end - start) }} aria-current={id === clip?.id} title={`${clock(start, 1)}–${clock(end, 1)}  ${caption ?? ''}`}
            aria-label={`Clip ${index + 1}, ${clock(start, 1)} to ${clock(end, 1)}`} onClick={() => useUi.getState().selectClip(id, source.id)}
          />
        ))}
      </div>
      {span && frames && (
        <div className="lanes">
          <Scrubber start={span.start} length={span.length} frames={frames} label="Position in the clip">
            <div className="ruler num muted"><span>{clock(span.start, 1)}</span><span>{clock(span.start + span.length, 1)}</span></div>
            <div className="lane looks" title="Where the model looked for the caption">
              {looked.map(({ ordinal, pts, weight }) => <i key={ordinal} style={{ left: `${within(pts)}%`, opacity: 0.25 + (0.75 * weight) / heaviest }} />)}
            </div>
          </Scrubber>
          {tracks.map(({ id, body }) => {
            const [first, last] = [body.boxes[0], body.boxes.at(-1)]
            if (!first || !last) return null
            const from = within(first.pts)
            return (
              <div key={id} className="lane">
                <button style={{ left: `${from}%`, width: `${Math.max(within(last.pts) - from, 1)}%`, background: colourOf(body.label) }} onClick={() => selectTrack(id)} aria-label={`Track of ${body.label}`}>
                  {body.label}
                </button>
                {body.boxes.map((box) => <i key={box.ordinal} className="key" style={{ left: `${within(box.pts)}%` }} />)}
              </div>
            )
          })}
        </div>
      )}
    </section>
  )
}

/** Width of the filmstrip by its height, in a window of usual size. */
const STRIP_ASPECT = 18

/** As many of the stored cells, evenly spread, as are seen whole side by side. */
function stripCells({ filmstripCells, probe }: Source): number[] {
  const aspect = probe === null ? 1 : probe.width / probe.height
  const shown = Math.min(filmstripCells, Math.max(6, Math.round(STRIP_ASPECT / aspect)))
  return Array.from({ length: shown }, (_, i) => Math.floor(((i + 0.5) * filmstripCells) / shown))
}

/** A stretch of time to point into; the playhead is its slider. */
function Scrubber({ start, length, frames, label, children }: { start: number; length: number; frames: FrameTable | undefined; label: string; children: React.ReactNode }) {
  const ref = useRef<HTMLDivElement>(null)
  const time = usePlayer((player) => player.time)
  const to = (seconds: number) => seek(frames && frames.pts.length > 0 ? seekTarget(frames, ordinalAt(frames, seconds)) : seconds)
  const point = (event: PointerEvent) => {
    const { left, width } = ref.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    to(start + Math.min(1, Math.max(0, (event.clientX - left) / width)) * length)
  }
  const key = (event: KeyboardEvent) => {
    const target = { Home: start, End: start + length, PageUp: time - length / 10, PageDown: time + length / 10, ArrowLeft: time - length / 100, ArrowRight: time + length / 100 }[event.key]
    if (target === undefined) return
    event.preventDefault()
    to(Math.min(start + length, Math.max(start, target)))
  }
  const at = Math.min(1, Math.max(0, (time - start) / length))
  return (
    <div
      ref={ref} className="scrubber"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        point(event)
      }}
      onPointerMove={(event) => event.buttons === 1 && point(event)}
    >
      {children}
      <div
        className="playhead" style={{ left: `${at * 100}%` }} role="slider" tabIndex={0} aria-label={label} aria-valuemin={start} aria-valuemax={start + length} aria-valuenow={Number((start + at * length).toFixed(3))}
        aria-valuetext={clock(start + at * length, 2)} onKeyDown={key}
      />
    </div>
  )
}
