/** How one thing moves: in the picture, and over the ground if the camera moves too. Distances as shares of the picture's diagonal. */
import type { Box } from '../annotation.ts'
import { type CameraTrace, groundAt } from './camera.ts'
import type { ClipMeasures, ThingBox, ThingTrack } from './input.ts'

export type Way = 'left' | 'right' | 'up' | 'down' | 'nearer' | 'farther' | 'still' | 'back'

export interface Motion {
  way: Way
  /**
   * Net way, and speed along it per second, in diagonals of the picture; for `nearer` and `farther` the growth of the box's side
   * (logarithm).
   */
  distance: number
  speed: number
  /** How much of the motion goes this way, 0..1: the rest goes another way or back. */
  clarity: number
}

/** A thing moves if it goes at least this far, and at least this share of its own size: the jitter of boxes grows with their size. */
const LEAST = 0.05
const OWN = 0.3
/** It comes nearer or goes away if its side grows or shrinks by this factor. */
const GROWS = 1.35
/** Of two motions across each other, one that has at least this share of the whole is the main way. */
const MAIN = 0.62
/** It turned back if this share of its longest way was taken back. */
const BACK = 0.7
/** Where a thing began or ended is the median of this many boxes. */
const ENDS = 3
/** A person's boxes tell a motion from this many seconds on; fewer than this many of one place are one box that was carried on. */
const PLACED = { seconds: 1, boxes: 4 }
/** A box this near to the picture's edge, as a share of its side, is cut off: its middle and size are not the thing's. */
const EDGE = 0.01

interface Place {
  time: number
  x: number
  y: number
  side: number
  cut: boolean
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/**
 * Motion of a track in the picture, or over the ground if `camera` is given. Null for a track that was seen once, and for boxes that a person
 * placed and that are too few or too short to tell.
 */
export function motionOf({ boxes }: Pick<ThingTrack, 'boxes'>, frame: ClipMeasures['frame'], camera: CameraTrace | null): Motion | null {
  const diagonal = Math.hypot(frame.width, frame.height)
  const seen = boxes.filter(({ outside }) => outside !== true)
  if (!tellsMotion(seen)) return null
  const places = seen.map(({ time, box }) => placeOf(time, box, frame, camera))
  const [first, last] = [places[0], places.at(-1)]
  if (!first || !last || places.length < 2 || last.time <= first.time) return null
  const seconds = last.time - first.time
  const ends = Math.min(ENDS, Math.max(1, places.length >> 1))
  const [from, to] = [meanPlace(places.slice(0, ends)), meanPlace(places.slice(-ends))]
  const size = median(places.map(({ side }) => side)) / diagonal
  const least = Math.max(LEAST, OWN * size)
  const [dx, dy] = [(to.x - from.x) / diagonal, (to.y - from.y) / diagonal]
  const net = Math.hypot(dx, dy)
  const growth = Math.log(to.side / from.side)
  const whole = !from.cut && !to.cut
  if (whole && Math.abs(growth) >= Math.log(GROWS) && Math.abs(growth) * size > net / 2)
    return {
      way: growth > 0 ? 'nearer' : 'farther',
      distance: Math.abs(growth),
      speed: Math.abs(growth) / seconds,
      clarity: Math.min(1, Math.abs(growth) / (2 * Math.log(GROWS))),
    }
  const far = Math.max(...places.map(({ x, y }) => Math.hypot(x - from.x, y - from.y) / diagonal))
  if (far >= 2 * least && net <= (1 - BACK) * far) return { way: 'back', distance: far, speed: (2 * far) / seconds, clarity: 1 - net / far }
  if (net < least) return { way: 'still', distance: net, speed: net / seconds, clarity: Math.max(0, 1 - far / least / 2) }
  const [across, along] = [Math.abs(dx), Math.abs(dy)]
  const clarity = Math.max(across, along) / (across + along)
  return {
    way: across >= along ? (dx > 0 ? 'right' : 'left') : dy > 0 ? 'down' : 'up',
    distance: net,
    speed: net / seconds,
    clarity: clarity < MAIN ? clarity / 2 : clarity * Math.min(1, net / far),
  }
}

/**
 * Whether boxes can tell a motion. A person who draws one box says where the thing is on that frame; the app carries the box on to the end of
 * the clip, which says nothing of how it moves.
 */
function tellsMotion(seen: readonly ThingBox[]): boolean {
  const [first, last] = [seen[0], seen.at(-1)]
  if (!first || !last || !seen.some(({ score }) => score === null)) return true
  const moved = seen.some(
    ({ box: { x1, y1, x2, y2 } }) => x1 !== first.box.x1 || y1 !== first.box.y1 || x2 !== first.box.x2 || y2 !== first.box.y2,
  )
  return last.time - first.time >= PLACED.seconds && (moved || seen.length >= PLACED.boxes)
}

/** Middle and side of a box in pixels; with the camera's ground, where they would be if the camera had stood still. */
function placeOf(time: number, { x1, y1, x2, y2 }: Box, { width, height }: ClipMeasures['frame'], camera: CameraTrace | null): Place {
  const cut = x1 <= EDGE * width || y1 <= EDGE * height || x2 >= (1 - EDGE) * width || y2 >= (1 - EDGE) * height
  const [x, y, side] = [(x1 + x2) / 2, (y1 + y2) / 2, Math.sqrt(Math.max(1, (x2 - x1) * (y2 - y1)))]
  if (!camera) return { time, x, y, side, cut }
  const ground = groundAt(camera.steps, time)
  return {
    time,
    x: (x - width / 2 - ground.x * width) / ground.growth + width / 2,
    y: (y - height / 2 - ground.y * height) / ground.growth + height / 2,
    side: side / ground.growth,
    cut,
  }
}

function meanPlace(places: readonly Place[]): Omit<Place, 'time'> {
  const of = (value: (place: Place) => number) => median(places.map(value))
  return { x: of(({ x }) => x), y: of(({ y }) => y), side: of(({ side }) => side), cut: places.some(({ cut }) => cut) }
}
