/// <reference lib="esnext.float16" />
/**
 * What the image pass of an open-vocabulary detector (family `owl`) leaves of one picture: cells, each with a box and a region that any text can be
 * compared with later, without the picture. Formulas: Minderer et al., "Simple Open-Vocabulary Object Detection with Vision Transformers" (ECCV 2022),
 * and "Scaling Open-Vocabulary Object Detection" (NeurIPS 2023).
 */
import { iou, pixelBox, type RelativeBox } from './boxes.ts'

/** K cells, in any order. */
export interface Cells {
  count: number
  /** [K, 4]: centre x, centre y, width, height, in shares of the picture. */
  boxes: Float32Array
  /** [K, E], each of length 1. */
  regions: Float32Array
  /** [K] each: logit = (region . query + shift) scale */
  shift: Float32Array
  scale: Float32Array
  /** [K]: how much a cell is worth keeping, 0..1. OWLv2: its objectness. OWL-ViT, which has none: the highest score that any text could get there. */
  worth: Float32Array
}

/** A box of one label. */
export interface Spot {
  /** Index of the label. */
  label: number
  /** sigmoid(logit), 0..1. Not a probability: OWL is calibrated on nothing. */
  score: number
  box: RelativeBox
}

/** Boxes of one label that overlap by more than this (IoU) are one thing. The reference leaves this out for texts; for pictures it has 0.3. */
const ONE_THING = 0.5
/** OWL-ViT takes as cells of a box those whose overlap with it is at least this share of the greatest one. */
const ALIKE = 0.8
/** Numbers of a cell besides its region: box, shift, scale, worth. */
const BESIDE = 7
const UNIT = { width: 1, height: 1 }

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** The score of a query in a cell is never above this: both vectors have length 1. */
export function highestScore({ shift, scale }: Cells, cell: number): number {
  return sigmoid(((shift[cell] ?? 0) + 1) * (scale[cell] ?? 0))
}

/**
 * The `most` cells that are worth most, of those that some text could give a score of at least `floor` and whose box is not empty. The first limit
 * costs recall and the second none, as long as boxes below `floor` are not shown.
 */
export function keptOf(cells: Cells, most: number, floor: number): Cells {
  const chosen = Array.from({ length: cells.count }, (_, cell) => cell)
    .filter((cell) => highestScore(cells, cell) >= floor && (cells.boxes[cell * 4 + 2] ?? 0) > 0 && (cells.boxes[cell * 4 + 3] ?? 0) > 0)
    .sort((a, b) => (cells.worth[b] ?? 0) - (cells.worth[a] ?? 0) || a - b)
    .slice(0, most)
  const of = (values: Float32Array, width: number) => {
    const out = new Float32Array(chosen.length * width)
    chosen.forEach((cell, i) => out.set(values.subarray(cell * width, (cell + 1) * width), i * width))
    return out
  }
  const width = cells.count === 0 ? 0 : cells.regions.length / cells.count
  return {
    count: chosen.length,
    boxes: of(cells.boxes, 4),
    regions: of(cells.regions, width),
    shift: of(cells.shift, 1),
    scale: of(cells.scale, 1),
    worth: of(cells.worth, 1),
  }
}

const PARTS = ['boxes', 'shift', 'scale', 'worth', 'regions'] as const

/** As they are stored: half-precision bits, one kind of number after the other. */
export function packed(cells: Cells): Uint16Array<ArrayBuffer> {
  const out = new Float16Array(PARTS.reduce((sum, part) => sum + cells[part].length, 0))
  let at = 0
  for (const part of PARTS) {
    out.set(cells[part], at)
    at += cells[part].length
  }
  return new Uint16Array(out.buffer)
}

/** @param width Of a region. */
export function unpacked(bits: Uint16Array, width: number): Cells {
  const all = new Float32Array(new Float16Array(bits.buffer, bits.byteOffset, bits.length))
  const count = all.length / (BESIDE + width)
  if (!Number.isInteger(count)) throw new RangeError(`${all.length} numbers are no cells of ${BESIDE + width}`)
  return {
    count,
    boxes: all.slice(0, count * 4),
    shift: all.slice(count * 4, count * 5),
    scale: all.slice(count * 5, count * 6),
    worth: all.slice(count * 6, count * 7),
    regions: all.slice(count * 7),
  }
}

/** [K]: the logit of a query in each cell. @param query [E] */
export function logitsOf({ count, regions, shift, scale }: Cells, query: Float32Array): Float32Array {
  const width = query.length
  const out = new Float32Array(count)
  for (let cell = 0; cell < count; cell += 1) {
    let dot = 0
    for (let i = 0, at = cell * width; i < width; i += 1, at += 1) dot += (regions[at] ?? 0) * (query[i] ?? 0)
    out[cell] = (dot + (shift[cell] ?? 0)) * (scale[cell] ?? 0)
  }
  return out
}

const boxOf = ({ boxes }: Cells, cell: number): RelativeBox => {
  const [cx = 0, cy = 0, w = 0, h = 0] = boxes.subarray(cell * 4, cell * 4 + 4)
  return { cx, cy, w, h }
}

/**
 * The boxes of labels: each cell has the label that fits it best, and of boxes of one label that overlap one is kept.
 * @param labels For each the queries of the phrases that mean it; the best of them counts. @param floor Boxes below this score are dropped.
 * @returns Best first.
 */
export function spotsOf(cells: Cells, labels: readonly (readonly Float32Array[])[], floor: number): Spot[] {
  const best = new Float32Array(cells.count).fill(-Infinity)
  const of = new Int32Array(cells.count).fill(-1)
  for (const [label, queries] of labels.entries()) {
    for (const query of queries) {
      for (const [cell, logit] of logitsOf(cells, query).entries()) {
        if (logit <= (best[cell] ?? 0)) continue
        best[cell] = logit
        of[cell] = label
      }
    }
  }
  const found = Array.from(of, (label, cell) => ({ label, score: sigmoid(best[cell] ?? 0), box: boxOf(cells, cell) }))
    .filter(({ label, score }) => label !== -1 && score >= floor)
    .sort((a, b) => b.score - a.score)
  const kept: (Spot & { at: ReturnType<typeof pixelBox> })[] = []
  for (const one of found) {
    const at = pixelBox(one.box, UNIT)
    if (kept.every((other) => other.label !== one.label || iou(other.at, at) <= ONE_THING)) kept.push({ ...one, at })
  }
  return kept.map(({ label, score, box }) => ({ label, score, box }))
}

/**
 * The query that finds what looks like a box: as in OWL-ViT, of the cells that overlap it about as much as any, the one whose region is least like the
 * mean of the picture, which is background. @returns [E]; null if no cell overlaps the box.
 */
export function queryOf(cells: Cells, box: RelativeBox): Float32Array | null {
  if (cells.count === 0) return null
  const width = cells.regions.length / cells.count
  const region = (cell: number) => cells.regions.subarray(cell * width, (cell + 1) * width)
  const wanted = pixelBox(box, UNIT)
  const overlaps = Array.from({ length: cells.count }, (_, cell) => iou(pixelBox(boxOf(cells, cell), UNIT), wanted))
  const most = overlaps.reduce((a, b) => Math.max(a, b), 0)
  if (most === 0) return null
  const mean = new Float32Array(width)
  for (let at = 0; at < cells.regions.length; at += 1) mean[at % width] = (mean[at % width] ?? 0) + (cells.regions[at] ?? 0) / cells.count
  const likeness = (cell: number) => region(cell).reduce((sum, value, i) => sum + value * (mean[i] ?? 0), 0)
  const chosen = overlaps
    .flatMap((overlap, cell) => (overlap >= ALIKE * most ? [{ cell, like: likeness(cell) }] : []))
    .reduce((a, b) => (b.like < a.like ? b : a))
  return region(chosen.cell).slice()
}
