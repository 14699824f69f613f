import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react'
import type { Annotation, Box, TrackBody } from '../../app/annotation.ts'
import { clipBox } from '../../app/boxes.ts'
import type { Probe } from '../../app/media.ts'
import { interpolate } from '../../app/tracks.ts'
import { useColours } from '../labels/vocabulary.ts'
import { type FrameTable, ordinalAt, ptsAt, usePlayer } from '../player.ts'
import { review } from '../queries.ts'
import { useUi } from '../store.ts'

export type TrackAnnotation = Annotation & { body: TrackBody }

/** A track with one key box set: where a person put it on this frame. Neighbours stay; what lies between is interpolated anew. */
export function withKeyBox(track: TrackBody, ordinal: number, pts: number, box: Box): TrackBody {
  const others = track.boxes.filter((key) => key.ordinal !== ordinal)
  return { ...track, boxes: [...others, { ordinal, pts, box, score: null }].sort((a, b) => a.ordinal - b.ordinal) }
}

const CORNERS = ['nw', 'ne', 'sw', 'se'] as const
type Grip = (typeof CORNERS)[number] | 'move'

function moved({ x1, y1, x2, y2 }: Box, grip: Grip, dx: number, dy: number, frame: Probe): Box {
  if (grip === 'move') {
    const left = Math.min(Math.max(dx, -x1), frame.width - x2)
    const up = Math.min(Math.max(dy, -y1), frame.height - y2)
    return { x1: x1 + left, y1: y1 + up, x2: x2 + left, y2: y2 + up }
  }
  const box = { x1: x1 + (grip.endsWith('w') ? dx : 0), y1: y1 + (grip.startsWith('n') ? dy : 0), x2: x2 + (grip.endsWith('e') ? dx : 0), y2: y2 + (grip.startsWith('s') ? dy : 0) }
  return clipBox({ x1: Math.min(box.x1, box.x2 - 2), y1: Math.min(box.y1, box.y2 - 2), x2: Math.max(box.x2, box.x1 + 2), y2: Math.max(box.y2, box.y1 + 2) }, frame)
}

/** Boxes over the picture, in its display-oriented pixels, at the shown frame's PTS; the selected one can be dragged and nudged. */
export function Boxes({ probe, tracks, frames }: { probe: Probe; tracks: readonly TrackAnnotation[]; frames: FrameTable }) {
  const time = usePlayer((player) => player.time)
  const { trackId, selectTrack } = useUi()
  const colourOf = useColours()
  const svg = useRef<SVGSVGElement>(null)
  const [drag, setDrag] = useState<{ id: number; grip: Grip; from: { x: number; y: number }; box: Box } | null>(null)
  const ordinal = ordinalAt(frames, time)
  const pts = frames.pts[ordinal] ?? ptsAt(frames, time)

  const point = (event: PointerEvent) => {
    const { left, top, width } = svg.current?.getBoundingClientRect() ?? { left: 0, top: 0, width: 1 }
    return { x: ((event.clientX - left) * probe.width) / width, y: ((event.clientY - top) * probe.width) / width }
  }
  const store = (track: TrackAnnotation, box: Box) => void review({ id: track.id, action: 'edit', body: withKeyBox(track.body, ordinal, pts, box) })
  const grab = (track: TrackAnnotation, grip: Grip, box: Box) => (event: PointerEvent<SVGElement>) => {
    event.stopPropagation()
    usePlayer.getState().video?.pause()
    selectTrack(track.id)
    event.currentTarget.setPointerCapture(event.pointerId)
    setDrag({ id: track.id, grip, from: point(event), box })
  }
  const dragged = (event: PointerEvent): Box | null => {
    if (drag === null) return null
    const { x, y } = point(event)
    return moved(drag.box, drag.grip, x - drag.from.x, y - drag.from.y, probe)
  }
  const [preview, setPreview] = useState<Box | null>(null)
  const release = (track: TrackAnnotation) => (event: PointerEvent) => {
    const box = dragged(event)
    if (box && drag && (Math.abs(box.x1 - drag.box.x1) + Math.abs(box.y1 - drag.box.y1) + Math.abs(box.x2 - drag.box.x2) + Math.abs(box.y2 - drag.box.y2) > 1)) store(track, box)
    setDrag(null)
    setPreview(null)
  }
  const nudge = (track: TrackAnnotation, box: Box) => (event: KeyboardEvent) => {
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault()
      const rest = track.body.boxes.filter((key) => key.ordinal !== ordinal)
      // A track without boxes is no track: taking its last one rejects it.
      if (rest.length === 0) void review({ id: track.id, action: 'reject' })
      else if (rest.length < track.body.boxes.length) void review({ id: track.id, action: 'edit', body: { ...track.body, boxes: rest } })
      return
    }
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    if (arrow === undefined) return
    event.preventDefault()
    const [dx = 0, dy = 0] = arrow.map((by) => by * (event.shiftKey ? 10 : 1))
    store(track, moved(box, event.altKey ? 'se' : 'move', dx, dy, probe))
  }
  return (
    <svg ref={svg} className="boxes" viewBox={`0 0 ${probe.width} ${probe.height}`} role="group" aria-label="Boxes on this frame">
      {tracks.map((track) => {
        const now = interpolate(track.body, pts)
        if (now === null) return null
        const box = drag?.id === track.id && preview ? preview : now
        const selected = track.id === trackId
        const { label, boxes } = track.body
        const observed = boxes.some((key) => key.ordinal === ordinal)
        const unit = probe.width / 640
        return (
          <g
            key={track.id} data-box={track.id} data-selected={selected} style={{ color: colourOf(label) }} tabIndex={0} role="button" aria-label={`${label}, box`} aria-pressed={selected}
            onPointerDown={grab(track, 'move', box)} onPointerMove={(event) => setPreview(dragged(event))} onPointerUp={release(track)} onFocus={() => selectTrack(track.id)} onKeyDown={nudge(track, box)}
          >
            <rect x={box.x1} y={box.y1} width={box.x2 - box.x1} height={box.y2 - box.y1} strokeDasharray={observed ? undefined : `${6 * unit} ${4 * unit}`} />
            <text x={box.x1 + 3 * unit} y={Math.max(box.y1 - 4 * unit, 12 * unit)} fontSize={12 * unit}>{label}</text>
            {selected && CORNERS.map((corner) => (
              <circle key={corner} cx={corner.endsWith('w') ? box.x1 : box.x2} cy={corner.startsWith('n') ? box.y1 : box.y2} r={5 * unit} onPointerDown={grab(track, corner, box)} className={corner} />
            ))}
          </g>
        )
      })}
    </svg>
  )
}
