/** Tracks: a detector's boxes, how sure a track of them is, and where an object is between its key frames. */
import type { Box, KeyBox, Span, TrackBody } from './annotation.ts'
import { iou } from './boxes.ts'

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

/** Tracks of one label that overlap by this much on the average of their frames show one object. */
const SAME_OBJECT = 0.5
/** The score from which a track counts unless its label has a threshold of its own: one sure sighting, or several less sure ones. */
export const DEFAULT_THRESHOLD = 0.6

/** A track that counts if `score` reaches its label's threshold. */
export interface Candidate {
  score: number
  body: TrackBody
}

/**
 * How sure a track is, 0..1: the probability that at least one of its boxes is right, if they were independent. A box that a person drew is
 * right.
 */
export function trackScore({ boxes }: Pick<TrackBody, 'boxes'>): number {
  return 1 - boxes.reduce((doubt, { score }) => doubt * (1 - (score ?? 1)), 1)
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

/**
 * The keys of a track without those in these ascending stretches of frames, in which nothing could be seen: the object is marked outside
 * there.
 */
export function withoutSpans(keys: readonly KeyBox[], spans: readonly Span[], ptsOf: (ordinal: number) => number): KeyBox[] {
  const seen = keys.filter(({ ordinal }) => !spans.some(({ startFrame, endFrame }) => ordinal >= startFrame && ordinal < endFrame))
  const all = seen.flatMap((key, at): KeyBox[] => {
    const next = seen[at + 1]
    const over = next && spans.find(({ startFrame, endFrame }) => key.ordinal < startFrame && next.ordinal >= endFrame)
    if (!over || key.outside === true) return [key]
    return [key, { ...key, ordinal: over.startFrame, pts: ptsOf(over.startFrame), outside: true }]
  })
  return all.some(({ outside }) => outside !== true) ? all.slice(0, all.findLastIndex(({ outside }) => outside !== true) + 1) : []
}

function startOf({ boxes }: TrackBody): number {
  return boxes[0]?.pts ?? Infinity
}

function endOf({ boxes }: TrackBody): number {
  return boxes.at(-1)?.pts ?? -Infinity
}

/** Whether two tracks of one label overlap where both exist. */
export function sameObject(a: TrackBody, b: TrackBody): boolean {
  if (a.label !== b.label) return false
  const [first, last] = [Math.max(startOf(a), startOf(b)), Math.min(endOf(a), endOf(b))]
  if (first > last) return false
  const overlaps = [...a.boxes, ...b.boxes].flatMap(({ pts }) => {
    const [first, second] = [interpolate(a, pts), interpolate(b, pts)]
    return first && second ? [iou(first, second)] : []
  })
  return overlaps.length > 0 && overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length > SAME_OBJECT
}
