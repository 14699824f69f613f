/**
 * Makes tracks from what a detector saw in one clip. Each label is looked for on its own, so that a new label needs only one more run, for
 * itself; then labels compete: a box has one label, the one that fits it best, and boxes that overlap on a frame show one object.
 *
 * Thresholds take no part in this. They are compared with the score of a track afterwards, so that moving one links nothing anew and the
 * thresholds of two labels do not affect each other.
 */
import { pixelBox, type RelativeBox, suppress } from './boxes.ts'
import type { Gaze } from './contract/find.ts'
import type { FrameRef } from './media.ts'
import { linkTracks } from './tracker.ts'
import { type Candidate, trackScore } from './tracks.ts'

/** One query of the detector, read as one label. */
export interface Detection extends RelativeBox {
  query: number
  /** Index into the clip's input frames. */
  frame: number
  /** Calibrated probability 0..1. */
  score: number
}

/** Boxes on one frame that overlap this much show one object, whatever their labels. */
const SAME_OBJECT = 0.5
const UNIT = { width: 1, height: 1 }

/**
 * @param found By label; where labels fit a box equally well, the first one gets it.
 * @param frames The clip's input frames.
 * @param frame Size of the display-oriented frame, in whose pixels the tracks are.
 * @param area What the model sees of it (`areaSeen`): a detection is in shares of that.
 * @returns Every track, however unsure.
 */
export function candidatesOf(
  found: ReadonlyMap<string, readonly Detection[]>,
  frames: readonly FrameRef[],
  frame: { width: number; height: number },
  area: Gaze['area'],
): Candidate[] {
  const best = new Map<number, Detection & { label: string }>()
  for (const [label, detections] of found) {
    for (const one of detections) if (one.score > (best.get(one.query)?.score ?? 0)) best.set(one.query, { ...one, label })
  }
  const kept = [...Map.groupBy(best.values(), (one) => one.frame).values()].flatMap((on) =>
    suppress(
      on.map((one) => ({ one, box: pixelBox(one, UNIT), score: one.score })),
      SAME_OBJECT,
    ),
  )
  const sightings = kept.flatMap(({ one, score }) => {
    const at = frames[one.frame]
    const { x, y, width, height } = area
    const inFrame = { cx: x + one.cx * width, cy: y + one.cy * height, w: one.w * width, h: one.h * height }
    return at === undefined ? [] : [{ ...at, label: one.label, score, box: pixelBox(inFrame, frame) }]
  })
  return linkTracks(sightings, 0).map((body) => ({ score: trackScore(body), body }))
}
