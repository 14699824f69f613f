/** What a detector of a closed list of names gives for one picture, before anything is linked over time. */
import type { Box } from './annotation.ts'
import { boxArea, iou, type RelativeBox } from './boxes.ts'

/** A display-oriented frame, scaled to fit the detector's input with its sides in proportion. */
export interface Picture {
  /** [height, width, 3] sRGB bytes. */
  rgb: Uint8Array
  width: number
  height: number
}

/** One box on one picture. */
export interface Spotted {
  /** One of the pack's classes. */
  name: string
  /** 0..1, of the network: an order, not a probability. */
  score: number
  /** In shares of the picture. */
  box: RelativeBox
  /** Shares of the basic colours (`COLOURS`), eleven of the upper half of the box and then eleven of the lower. */
  colours: number[]
}

/** Boxes of one class that overlap by more than this are one thing: what NanoDet was measured with. */
const ONE_THING = 0.6
/** So is a box of which this share lies in a stronger one of its class. */
const NESTED = 0.85

/**
 * One box for each thing that has several of one name.
 * @param found Best first, in pixels.
 */
export function onePerThing<T extends { name: string; box: Box }>(found: readonly T[]): T[] {
  const kept: T[] = []
  for (const one of found) {
    if (kept.every(({ name, box }) => name !== one.name || (iou(box, one.box) <= ONE_THING && shareWithin(one.box, box) < NESTED))) kept.push(one)
  }
  return kept
}

/** How much of a box lies inside another, 0..1. */
function shareWithin(box: Box, { x1, y1, x2, y2 }: Box): number {
  const area = boxArea(box)
  return area > 0 ? boxArea({ x1: Math.max(box.x1, x1), y1: Math.max(box.y1, y1), x2: Math.min(box.x2, x2), y2: Math.min(box.y2, y2) }) / area : 1
}
