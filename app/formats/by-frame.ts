/** The boxes of a film frame by frame, for files that have them so: few of all are in memory at a time, however many there are. */
import { type Film, type TrackedBox, type TrackedObject, trackedObjects } from './document.ts'

/** The most boxes of which places are kept: with more, the tracks are read several times. */
const MOST = 500_000

export interface FramedBox extends TrackedBox {
  object: Pick<TrackedObject, 'id' | 'category' | 'state' | 'review'>
}
export interface FilledFrame {
  frame: number
  /** In the order of the tracks. */
  boxes: FramedBox[]
}

/** Frames that have a box, ascending. @param wanted Which frames. */
export function* boxesByFrame(film: Film, wanted: (frame: number) => boolean = () => true, most = MOST): Generator<FilledFrame> {
  const counts = new Uint32Array(film.pts.length)
  /** Between its first and its last frame, by its id. */
  const lives = new Map<number, { first: number; last: number }>()
  for (const { id, boxes } of trackedObjects(film))
    for (const { frame } of boxes) {
      if (!wanted(frame)) continue
      counts[frame] = (counts[frame] ?? 0) + 1
      const life = lives.get(id)
      if (life) life.last = frame
      else lives.set(id, { first: frame, last: frame })
    }
  const stretch = new Stretch()
  for (let from = 0; from < counts.length; ) {
    let to = from
    let sum = 0
    do sum += counts[to++] ?? 0
    while (to < counts.length && sum + (counts[to] ?? 0) <= most)
    if (sum > 0) {
      stretch.begin(counts.subarray(from, to), from, sum)
      for (const object of trackedObjects(film)) {
        const life = lives.get(object.id)
        if (life === undefined || life.last < from || life.first >= to) continue
        const { id, category, state, review } = object
        for (const box of object.boxes)
          if (box.frame >= from && box.frame < to && wanted(box.frame)) stretch.add({ id, category, state, review }, box)
      }
      yield* stretch.frames()
    }
    from = to
  }
}

const SIDES = ['x1', 'y1', 'x2', 'y2'] as const
const [OBSERVED, OCCLUDED] = [1, 2] as const

/** Boxes of neighbouring frames in plain memory, which is used again for the next ones. */
class Stretch {
  #counts = new Uint32Array(0)
  #first = 0
  /** Where the next box of each frame goes. */
  #places = new Uint32Array(0)
  /** In thousandths of a pixel, as boxes are told to that. */
  #sides = new Int32Array(0)
  #pts = new Float64Array(0)
  #carried = new Float64Array(0)
  #flags = new Uint8Array(0)
  #owners = new Uint32Array(0)
  #objects: FramedBox['object'][] = []

  /** What was in it is gone. @param counts Of boxes, by frame from the first on. */
  begin(counts: Uint32Array<ArrayBuffer>, first: number, sum: number): void {
    this.#counts = counts
    this.#first = first
    this.#places = new Uint32Array(counts.length)
    for (let at = 1; at < counts.length; at++) this.#places[at] = (this.#places[at - 1] ?? 0) + (counts[at - 1] ?? 0)
    this.#objects = []
    if (sum <= this.#flags.length) return
    this.#sides = new Int32Array(sum * SIDES.length)
    this.#pts = new Float64Array(sum)
    this.#carried = new Float64Array(sum)
    this.#flags = new Uint8Array(sum)
    this.#owners = new Uint32Array(sum)
  }

  add(object: FramedBox['object'], box: TrackedBox): void {
    if (this.#objects.at(-1)?.id !== object.id) this.#objects.push(object)
    const at = this.#places[box.frame - this.#first] ?? 0
    this.#places[box.frame - this.#first] = at + 1
    for (let side = 0; side < SIDES.length; side++) this.#sides[at * SIDES.length + side] = Math.round(box[SIDES[side] ?? 'x1'] * 1000)
    this.#pts[at] = box.pts
    this.#carried[at] = box.carried ?? NaN
    this.#flags[at] = (box.observed ? OBSERVED : 0) | (box.occluded ? OCCLUDED : 0)
    this.#owners[at] = this.#objects.length - 1
  }

  *frames(): Generator<FilledFrame> {
    let at = 0
    for (let i = 0; i < this.#counts.length; i++) {
      const boxes: FramedBox[] = []
      for (const end = at + (this.#counts[i] ?? 0); at < end; at++) {
        const object = this.#objects[this.#owners[at] ?? 0]
        const side = (which: number) => (this.#sides[at * SIDES.length + which] ?? 0) / 1000
        const [flags, told] = [this.#flags[at] ?? 0, this.#carried[at] ?? NaN]
        const observed = (flags & OBSERVED) !== 0
        const carried = Number.isNaN(told) ? null : told
        if (object)
          boxes.push({
            object,
            ...{ frame: this.#first + i, pts: this.#pts[at] ?? 0, x1: side(0), y1: side(1), x2: side(2), y2: side(3) },
            // Only the score of an observed box is its own.
            ...{ score: observed ? carried : null, carried, observed, occluded: (flags & OCCLUDED) !== 0 },
          })
      }
      if (boxes.length > 0) yield { frame: this.#first + i, boxes }
    }
  }
}
