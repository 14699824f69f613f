import { type KeyboardEvent, type PointerEvent, type RefObject, useRef, useState } from 'react'
import type { Box, TextAnnotation, TrackAnnotation } from '../../app/annotation.ts'
import { type Grip, GRIPS, movedBox, spannedBox } from '../../app/boxes.ts'
import type { Probe } from '../../app/media.ts'
import { labelText, standingOfAnnotation } from '../../app/review.ts'
import { keyInForce, withKeyBox } from '../../app/track-edits.ts'
import { interpolate } from '../../app/tracks.ts'
import { t } from '../i18n.ts'
import { useColours } from '../labels/vocabulary.ts'
import { type FrameTable, ordinalAt, pause, usePlayer } from '../player.ts'
import { commit } from './edits.ts'
import { useReview } from './store.ts'
import { chooseTrack, deleteBox, drawn, standIn } from './tracks.ts'
import { useUi } from '../store.ts'

interface Props {
  probe: Probe
  clipId: number
  tracks: readonly TrackAnnotation[]
  /** Text on the picture: outlined while it is there; not editable. */
  texts: readonly TextAnnotation[]
  frames: FrameTable
  /** Pixels of the video in one pixel of the screen, so that drawn lines keep their size when the picture is enlarged. */
  unit: number
}

interface Point {
  x: number
  y: number
}

/** A drag in progress: `box` is its present result. */
type Drag = { id: number; grip: Grip | 'move'; from: Point; start: Box; box: Box } | { id: null; from: Point; box: Box }

/** Smallest side of a dragged box, in pixels of the screen; a smaller drag is a click. */
const CLICK = 4

/** Boxes over the picture, in its display-oriented pixels, at the shown frame's PTS; they are drawn, dragged and nudged here. */
export function Boxes({ probe, clipId, tracks, texts, frames, unit }: Props) {
  const time = usePlayer((player) => player.time)
  const trackId = useUi((ui) => ui.trackId)
  const also = useReview((state) => state.also)
  const drawing = useReview((state) => state.drawing)
  const colourOf = useColours()
  const svg = useRef<SVGSVGElement>(null)
  const [drag, setDrag] = useState<Drag | null>(null)
  const ordinal = ordinalAt(frames, time)
  const pts = frames.pts[ordinal] ?? frames.startPts
  const chosen = new Set([...(trackId === null ? [] : [trackId]), ...also])

  /** A box on the picture may belong to the clip that is playing, not to the chosen one: then that clip is chosen. */
  const chooseHere = (id: number) => {
    standIn(clipId, ordinal)
    chooseTrack(id)
  }
  const store = (track: TrackAnnotation, box: Box) =>
    void commit(clipId, [{ action: 'edit', annotationId: track.id, body: withKeyBox(track.body, ordinal, pts, box) }])
  const grab = (track: TrackAnnotation, grip: Grip | 'move', box: Box) => (event: PointerEvent<SVGElement>) => {
    if (drawing || event.button !== 0) return
    event.stopPropagation()
    pause()
    if (event.shiftKey && grip === 'move') {
      chooseTrack(track.id, true)
      return
    }
    if (!chosen.has(track.id)) chooseHere(track.id)
    event.currentTarget.setPointerCapture(event.pointerId)
    setDrag({ id: track.id, grip, from: pointOf(svg, event, probe), start: box, box })
  }
  const move = (event: PointerEvent) => {
    if (drag === null) return
    const { x, y } = pointOf(svg, event, probe)
    if (drag.id === null) setDrag({ ...drag, box: spannedBox(drag.from, { x, y }, probe) })
    else setDrag({ ...drag, box: movedBox(drag.start, drag.grip, x - drag.from.x, y - drag.from.y, probe, event.shiftKey) })
  }
  const release = () => {
    setDrag(null)
    if (drag === null) return
    if (drag.id === null) {
      if (Math.min(drag.box.x2 - drag.box.x1, drag.box.y2 - drag.box.y1) >= CLICK * unit) drawn(clipId, drag.box, { ordinal, pts }, frames)
      return
    }
    const { start, box, id } = drag
    const track = tracks.find((one) => one.id === id)
    if (
      track &&
      Math.abs(box.x1 - start.x1) + Math.abs(box.y1 - start.y1) + Math.abs(box.x2 - start.x2) + Math.abs(box.y2 - start.y2) > unit
    )
      store(track, box)
  }
  const nudge = (track: TrackAnnotation, box: Box) => (event: KeyboardEvent) => {
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault()
      deleteBox()
      return
    }
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
    // With Ctrl, arrows zoom the timeline.
    if (arrow === undefined || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const [dx = 0, dy = 0] = arrow.map((by) => by * (event.shiftKey ? 10 : 1))
    store(track, movedBox(box, event.altKey ? 'se' : 'move', dx, dy, probe))
  }
  const sketch = {
    onPointerDown: (event: PointerEvent<SVGElement>) => {
      if (!drawing || event.button !== 0) return
      event.stopPropagation()
      pause()
      event.currentTarget.setPointerCapture(event.pointerId)
      const from = pointOf(svg, event, probe)
      setDrag({ id: null, from, box: { x1: from.x, y1: from.y, x2: from.x, y2: from.y } })
    },
    onPointerMove: move,
    onPointerUp: release,
    onPointerCancel: () => setDrag(null),
  }
  return (
    <svg
      ref={svg}
      className="boxes"
      viewBox={`0 0 ${probe.width} ${probe.height}`}
      role="group"
      aria-label={t('Boxes on this frame')}
      data-drawing={drawing}
      {...sketch}
    >
      {texts
        .filter(({ body: { span } }) => span.startFrame <= ordinal && ordinal < span.endFrame)
        .map(({ id, body: { box } }) => (
          <rect
            key={id}
            className="text-box"
            data-text-box={id}
            data-selected={chosen.has(id)}
            x={box.x1}
            y={box.y1}
            width={box.x2 - box.x1}
            height={box.y2 - box.y1}
            aria-hidden
          />
        ))}
      {tracks.map((track) => {
        const now = interpolate(track.body, pts)
        if (now === null) return null
        const box = drag?.id === track.id ? drag.box : now
        const selected = chosen.has(track.id)
        const { label, boxes } = track.body
        const name = labelText(label, standingOfAnnotation(track) === 'unsure')
        const observed = boxes.some((key) => key.ordinal === ordinal)
        const hidden = keyInForce(track.body, ordinal)?.occluded === true
        return (
          <g
            key={track.id}
            data-box={track.id}
            data-selected={selected}
            data-occluded={hidden}
            style={{ color: colourOf(label) }}
            tabIndex={0}
            role="button"
            aria-label={t('{{label}}, box', { label: name })}
            aria-pressed={selected}
            onPointerDown={grab(track, 'move', box)}
            onFocus={() => !chosen.has(track.id) && chooseHere(track.id)}
            onKeyDown={nudge(track, box)}
          >
            <rect x={box.x1} y={box.y1} width={box.x2 - box.x1} height={box.y2 - box.y1} strokeDasharray={observed ? undefined : '6 4'} />
            <text x={box.x1 + 2 * unit} y={box.y1 > 18 * unit ? box.y1 - 5 * unit : box.y1 + 14 * unit} fontSize={12 * unit}>
              {name}
            </text>
            {selected &&
              track.id === trackId &&
              GRIPS.map((grip) => {
                const { x, y } = gripAt(grip, box)
                return (
                  <circle
                    key={grip}
                    cx={x}
                    cy={y}
                    r={(grip.length === 2 ? 5 : 4) * unit}
                    onPointerDown={grab(track, grip, box)}
                    className={grip}
                  />
                )
              })}
          </g>
        )
      })}
      {drag?.id === null && (
        <rect className="sketch" x={drag.box.x1} y={drag.box.y1} width={drag.box.x2 - drag.box.x1} height={drag.box.y2 - drag.box.y1} />
      )}
    </svg>
  )
}

function pointOf(svg: RefObject<SVGSVGElement | null>, event: PointerEvent, probe: Probe): Point {
  const { left, top, width } = svg.current?.getBoundingClientRect() ?? { left: 0, top: 0, width: 1 }
  return { x: ((event.clientX - left) * probe.width) / width, y: ((event.clientY - top) * probe.width) / width }
}

function gripAt(grip: Grip, { x1, y1, x2, y2 }: Box): Point {
  return {
    x: grip.includes('w') ? x1 : grip.includes('e') ? x2 : (x1 + x2) / 2,
    y: grip.includes('n') ? y1 : grip.includes('s') ? y2 : (y1 + y2) / 2,
  }
}
