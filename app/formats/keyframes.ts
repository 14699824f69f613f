/**
 * Which boxes of a track a tool needs that draws lines by frame number between them (CVAT, Label Studio): our boxes move by time, and end at the
 * frame's edge.
 */
import type { TrackedBox } from './document.ts'

const SIDES = ['x1', 'y1', 'x2', 'y2'] as const
/** Pixels by which a box that is drawn may differ from ours. */
const TOLERANCE = 0.5
/** The most frames between two keyframes: bounds the memory for a track that was drawn through hours of video. */
const LONGEST = 4_096

export interface Keyed {
  box: TrackedBox
  keyframe: boolean
  /** Whether the track has no box on the next frame. */
  isLast: boolean
}

/** Marks the boxes that are needed: those observed, those beside a gap, and between two of them those that the line would miss. */
export function* withKeyframes(boxes: Iterable<TrackedBox>): Generator<Keyed> {
  /** The boxes since the last keyframe. */
  let stretch: TrackedBox[] = []
  let last: TrackedBox | null = null
  for (const box of boxes) {
    if (last !== null) {
      const goesOn = last.frame === box.frame - 1
      yield* tell(last, !goesOn)
    }
    last = box
  }
  if (last !== null) yield* tell(last, true)

  function* tell(box: TrackedBox, isLast: boolean): Generator<Keyed> {
    const begins = stretch.length === 0
    stretch.push(box)
    if (begins) {
      yield { box, keyframe: true, isLast }
      if (isLast) stretch = []
      return
    }
    if (!box.observed && !isLast && stretch.length < LONGEST) return
    const keyframes = keyframesOf(stretch)
    // The first was yielded when the stretch began.
    for (let at = 1; at < stretch.length; at += 1) {
      const one = stretch[at]
      if (one) yield { box: one, keyframe: keyframes.has(at), isLast: isLast && one === box }
    }
    stretch = isLast ? [] : [box]
  }
}

/** Indices of the boxes of a stretch that are needed: between two of them, the one that the line misses most, until it misses none. */
function keyframesOf(boxes: readonly TrackedBox[]): Set<number> {
  const keyframes = new Set([0, boxes.length - 1])
  const spans: [number, number][] = [[0, boxes.length - 1]]
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span
    const missed = mostMissed(boxes, from, to)
    if (missed === null) continue
    keyframes.add(missed)
    spans.push([from, missed], [missed, to])
  }
  return keyframes
}

/** The box between two keyframes that would be drawn furthest from its place; null if all are near enough. */
function mostMissed(boxes: readonly TrackedBox[], from: number, to: number): number | null {
  const [first, last] = [boxes[from], boxes[to]]
  if (!first || !last) return null
  let missed: number | null = null
  let most = TOLERANCE
  for (let i = from + 1; i < to; i++) {
    const one = boxes[i]
    if (!one) continue
    const share = (one.frame - first.frame) / (last.frame - first.frame)
    const off = Math.max(...SIDES.map((side) => Math.abs(first[side] + (last[side] - first[side]) * share - one[side])))
    if (off > most) [missed, most] = [i, off]
  }
  return missed
}
