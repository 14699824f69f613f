/** Geometry of boxes: corners in pixels of the display-oriented frame, x to the right, y down. */
import type { Box } from './annotation.ts'

/** A box as the detector gives it: centre and size as shares 0..1 of the frame. */
export interface RelativeBox {
  cx: number
  cy: number
  w: number
  h: number
}

interface Size {
  width: number
  height: number
}

/** The box in pixels of a frame, clipped to it. */
export function pixelBox({ cx, cy, w, h }: RelativeBox, frame: Size): Box {
  return clipBox(
    { x1: (cx - w / 2) * frame.width, y1: (cy - h / 2) * frame.height, x2: (cx + w / 2) * frame.width, y2: (cy + h / 2) * frame.height },
    frame,
  )
}

/** The part of a box inside the frame. A box wholly outside becomes a box without area at the frame's edge. */
export function clipBox(box: Box, { width, height }: Size): Box {
  const within = (value: number, limit: number) => Math.min(Math.max(value, 0), limit)
  return { x1: within(box.x1, width), y1: within(box.y1, height), x2: within(box.x2, width), y2: within(box.y2, height) }
}

export function boxArea({ x1, y1, x2, y2 }: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
}

/** Area that two boxes share. */
export function sharedArea(a: Box, b: Box): number {
  return boxArea({ x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1), x2: Math.min(a.x2, b.x2), y2: Math.min(a.y2, b.y2) })
}

/** Intersection over union, 0..1; 0 for boxes without area. */
export function iou(a: Box, b: Box): number {
  const both = sharedArea(a, b)
  const either = boxArea(a) + boxArea(b) - both
  return either > 0 ? both / either : 0
}

/** Greedy non-maximum suppression: best score first, dropping what overlaps a kept box by `overlap` or more. Best first. */
export function suppress<T extends { box: Box; score: number }>(found: readonly T[], overlap: number): T[] {
  const kept: T[] = []
  for (const one of found.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => iou(box, one.box) < overlap)) kept.push(one)
  }
  return kept
}

/** The handles by which a box is dragged, named by compass: its edges and corners. */
export const GRIPS = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const
export type Grip = (typeof GRIPS)[number]

/** Smallest side of a box that is being dragged, in pixels. */
const LEAST_SIDE = 2

/**
 * A box after the whole box, or one of its handles, was dragged by (dx, dy); the result stays inside the frame. A handle never passes the opposite
 * side. With `keepAspect` a dragged corner keeps the ratio of the sides and follows the larger of the two movements.
 */
export function movedBox(box: Box, grip: Grip | 'move', dx: number, dy: number, frame: Size, keepAspect = false): Box {
  const { x1, y1, x2, y2 } = box
  if (grip === 'move') {
    const right = Math.min(Math.max(dx, -x1), frame.width - x2)
    const down = Math.min(Math.max(dy, -y1), frame.height - y2)
    return { x1: x1 + right, y1: y1 + down, x2: x2 + right, y2: y2 + down }
  }
  const [west, north] = [grip.includes('w'), grip.includes('n')]
  // How far the dragged sides may move outwards.
  const [roomX, roomY] = [west ? x2 : frame.width - x1, north ? y2 : frame.height - y1]
  let width = Math.min(Math.max(x2 - x1 + (west ? -dx : grip.includes('e') ? dx : 0), LEAST_SIDE), roomX)
  let height = Math.min(Math.max(y2 - y1 + (north ? -dy : grip.includes('s') ? dy : 0), LEAST_SIDE), roomY)
  if (keepAspect && grip.length === 2) {
    const scale = Math.min(Math.max(width / (x2 - x1), height / (y2 - y1)), roomX / (x2 - x1), roomY / (y2 - y1))
    width = (x2 - x1) * scale
    height = (y2 - y1) * scale
  }
  return { x1: west ? x2 - width : x1, y1: north ? y2 - height : y1, x2: west ? x2 : x1 + width, y2: north ? y2 : y1 + height }
}

/** The box with two given points as opposite corners, clipped to the frame. */
export function spannedBox(a: { x: number; y: number }, b: { x: number; y: number }, frame: Size): Box {
  return clipBox({ x1: Math.min(a.x, b.x), y1: Math.min(a.y, b.y), x2: Math.max(a.x, b.x), y2: Math.max(a.y, b.y) }, frame)
}
