/** Geometry of boxes: corners in pixels of the display-oriented frame, x to the right, y down. */
import type { Box } from './annotation.ts'
import type { PackManifest } from './pack.ts'

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

/** In pixels of a frame, clipped to it. */
export function pixelBox({ cx, cy, w, h }: RelativeBox, frame: Size): Box {
  return clipBox(
    { x1: (cx - w / 2) * frame.width, y1: (cy - h / 2) * frame.height, x2: (cx + w / 2) * frame.width, y2: (cy + h / 2) * frame.height },
    frame,
  )
}

/** The part of a frame that a model sees, in the frame's pixels: all of it, or the middle of the shape of its input. Boxes that it gives are shares of that part. */
export function seenPart({ fit, ...input }: Pick<PackManifest['input'], 'fit' | 'width' | 'height'>, frame: Size): Box {
  if (fit === 'stretch') return { x1: 0, y1: 0, x2: frame.width, y2: frame.height }
  const scale = Math.min(frame.width / input.width, frame.height / input.height)
  const [x1, y1] = [(frame.width - scale * input.width) / 2, (frame.height - scale * input.height) / 2]
  return { x1, y1, x2: frame.width - x1, y2: frame.height - y1 }
}

/** The part of a box inside the frame. What lies wholly outside becomes a box without area at the frame's edge. */
export function clipBox(box: Box, { width, height }: Size): Box {
  const within = (value: number, limit: number) => Math.min(Math.max(value, 0), limit)
  return { x1: within(box.x1, width), y1: within(box.y1, height), x2: within(box.x2, width), y2: within(box.y2, height) }
}

export function boxArea({ x1, y1, x2, y2 }: Box): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
}

/** Intersection over union, 0..1. Two boxes without area have none. */
export function iou(a: Box, b: Box): number {
  const both = boxArea({ x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1), x2: Math.min(a.x2, b.x2), y2: Math.min(a.y2, b.y2) })
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
