/** Tracks: boxes of single key frames joined to objects that are followed through a clip, and read back between the key frames. */
import { munkres } from 'munkres'
import type { Box, KeyBox, TrackBody } from './annotation.ts'
import { boxArea, iou, suppress } from './boxes.ts'

/** A box that the detector saw. `box` in pixels, `score` a calibrated probability 0..1. */
export interface Sighting {
  ordinal: number
  pts: number
  label: string
  box: Box
  score: number
  /** Shares 0..1 of the eleven basic colours (app/colours) in the upper half of the box, then in the lower half: 22 numbers. */
  colours?: readonly number[]
}

/** Boxes of one label that overlap this much on one frame are one object; tracks of one label that do so on the average of their frames. */
const SAME_OBJECT = 0.5
/** How far an object may be from where it was expected, in diagonals of its box: key frames can be two seconds apart. */
const REACH = 2.5
/** How many times larger or smaller it may look. */
const GROWTH = 3
/** A track ends after this many key frames without its object. */
const PATIENCE = 2
/** The score from which a track counts unless its label has a threshold of its own: one sure sighting, or several less sure ones. */
export const DEFAULT_THRESHOLD = 0.6
/** Dearer than any allowed pairing, so that the assignment makes as many of those as it can. */
const FORBIDDEN = 1e6

interface OpenTrack {
  label: string
  boxes: (KeyBox & { score: number })[]
  /** Index of the key frame that it was last seen on. */
  seen: number
}

/**
 * Follow the objects of one clip.
 *
 * On each key frame the open tracks of a label and its boxes are paired by the assignment of least cost: overlap with, distance from and
 * size against the box expected at constant velocity. A box without a track starts one.
 *
 * @param least Tracks with a lower score are left out.
 * @returns By first frame, then label, then place.
 */
export function linkTracks(sightings: readonly Sighting[], least = DEFAULT_THRESHOLD): TrackBody[] {
  const tracks: OpenTrack[] = []
  const ordinals = [...new Set(sightings.map(({ ordinal }) => ordinal))].sort((a, b) => a - b)
  const labels = [...new Set(sightings.map(({ label }) => label))]
  ordinals.forEach((ordinal, frame) => {
    for (const label of labels) {
      // A clip with fewer frames than the model reads shows it one frame twice, so one object can be found twice on it.
      const found = suppress(sightings.filter((one) => one.ordinal === ordinal && one.label === label), SAME_OBJECT)
      const open = tracks.filter((track) => track.label === label && frame - track.seen <= PATIENCE)
      const taken = assign(open, found)
      found.forEach((one, i) => {
        const key = { ordinal, pts: one.pts, box: one.box, score: one.score }
        const track = taken.get(i)
        if (track) {
          track.boxes.push(key)
          track.seen = frame
        } else {
          tracks.push({ label, boxes: [key], seen: frame })
        }
      })
    }
  })
  return tracks
    .map(({ label, boxes }): TrackBody => ({ kind: 'track', label, boxes }))
    .filter((track) => trackScore(track) >= least)
    .sort(byAppearance)
}

/** How sure a track is, 0..1: the probability that any of its boxes is right, were they independent. A box that a person drew is right. */
export function trackScore({ boxes }: Pick<TrackBody, 'boxes'>): number {
  return 1 - boxes.reduce((doubt, { score }) => doubt * (1 - (score ?? 1)), 1)
}

/** Which open track each found box continues, by index of the box. */
function assign(open: readonly OpenTrack[], found: readonly Sighting[]): Map<number, OpenTrack> {
  const taken = new Map<number, OpenTrack>()
  if (open.length === 0 || found.length === 0) return taken
  const costs = open.map((track) => found.map((one) => costOf(expected(track, one.pts), one.box)))
  for (const [row, column] of munkres(costs)) {
    const track = open[row]
    if (track && (costs[row]?.[column] ?? FORBIDDEN) < FORBIDDEN) taken.set(column, track)
  }
  return taken
}

function costOf(expectation: Box, box: Box): number {
  const growth = Math.sqrt((boxArea(box) + 1) / (boxArea(expectation) + 1))
  const distance = Math.hypot(...difference(centre(expectation), centre(box))) / (diagonal(expectation) / 2 + diagonal(box) / 2 + 1)
  if (distance > REACH || growth > GROWTH || growth < 1 / GROWTH) return FORBIDDEN
  return 1 - iou(expectation, box) + distance + Math.abs(Math.log(growth))
}

/** Where a track's object is at `pts` if it keeps the velocity of its last two boxes, with its last size. */
function expected({ boxes }: OpenTrack, pts: number): Box {
  const [before, last] = [boxes.at(-2), boxes.at(-1)]
  if (!last) throw new RangeError('a track without boxes')
  if (!before || last.pts === before.pts) return last.box
  const [dx, dy] = difference(centre(before.box), centre(last.box))
  const steps = (pts - last.pts) / (last.pts - before.pts)
  const { x1, y1, x2, y2 } = last.box
  return { x1: x1 + dx * steps, y1: y1 + dy * steps, x2: x2 + dx * steps, y2: y2 + dy * steps }
}

/** The box of a track at a time, linear between its key boxes; null before its first, after its last, and while it is outside the picture. */
export function interpolate({ boxes }: Pick<TrackBody, 'boxes'>, pts: number): Box | null {
  const after = boxes.find((key) => key.pts >= pts)
  if (!after) return null
  if (after.pts === pts) return after.outside ? null : after.box
  const before = boxes.findLast((key) => key.pts < pts)
  if (!before || before.outside) return null
  const share = (pts - before.pts) / (after.pts - before.pts)
  const between = (from: number, to: number) => from + (to - from) * share
  return {
    x1: between(before.box.x1, after.box.x1),
    y1: between(before.box.y1, after.box.y1),
    x2: between(before.box.x2, after.box.x2),
    y2: between(before.box.y2, after.box.y2),
  }
}

/** Whether two tracks of one label cover each other where both exist. */
export function sameObject(a: TrackBody, b: TrackBody): boolean {
  if (a.label !== b.label) return false
  const overlaps = [...a.boxes, ...b.boxes].flatMap(({ pts }) => {
    const [first, second] = [interpolate(a, pts), interpolate(b, pts)]
    return first && second ? [iou(first, second)] : []
  })
  return overlaps.length > 0 && overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length > SAME_OBJECT
}

function byAppearance(a: TrackBody, b: TrackBody): number {
  const [first, second] = [a.boxes[0], b.boxes[0]]
  if (!first || !second) return 0
  return first.ordinal - second.ordinal || a.label.localeCompare(b.label) || first.box.x1 - second.box.x1 || first.box.y1 - second.box.y1
}

function centre({ x1, y1, x2, y2 }: Box): [number, number] {
  return [(x1 + x2) / 2, (y1 + y2) / 2]
}

function difference([ax, ay]: [number, number], [bx, by]: [number, number]): [number, number] {
  return [bx - ax, by - ay]
}

function diagonal({ x1, y1, x2, y2 }: Box): number {
  return Math.hypot(x2 - x1, y2 - y1)
}
