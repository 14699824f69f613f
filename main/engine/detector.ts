/**
 * Family `detector`: the pack's graph over single pictures. Every cell of each grid has a score for each class and four distances
 * from its centre to the sides of a box, as in FCOS (Tian et al. 2019).
 */
import type { Box } from '../../app/annotation.ts'
import { boxArea, clipBox, iou, type RelativeBox } from '../../app/boxes.ts'
import { coloursOf } from '../../app/colours.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import { byteTensor, floatTensor, type Graphs } from './graphs.ts'
import type { Picture, Spotted } from './protocol.ts'

/** Boxes of one name that overlap by more than this (IoU) are one thing. */
const ONE_THING = 0.6
/** So is a box of which at least this share lies inside a box of its name with a higher score. */
const NESTED = 0.85
/** Shortest side of a box, in pixels of the picture; thinner boxes are dropped. */
const LEAST_SIDE = 2
/** Memory kept for later runs: of two videos at a time, some three pictures each. */
const MOST_FREE = 6

interface Candidate {
  /** Index of its class. */
  index: number
  score: number
  /** In pixels of the bordered picture. */
  box: Box
}

export class Detector {
  readonly #manifest: DetectorManifest
  readonly #graphs: Graphs
  readonly #free: Memory[] = []

  constructor(manifest: DetectorManifest, graphs: Graphs) {
    this.#manifest = manifest
    this.#graphs = graphs
  }

  /**
   * Every other picture is mirrored for the network: false detections often appear in only one of the two orientations, even where nothing moves,
   * while real objects are found in both. That costs nothing.
   *
   * @param turn How many frames of the video were sampled before the first picture.
   * @returns For each picture its boxes, best first, in shares of the picture.
   */
  async see(pictures: readonly Picture[], turn: number): Promise<Spotted[][]> {
    const out: Spotted[][] = []
    for (const [i, picture] of pictures.entries()) out.push(await this.#seeOne(picture, (turn + i) % 2 === 1))
    return out
  }

  /** Memory for a picture of this size that no run is using. */
  #memoryOf({ width, height }: Picture): Memory {
    const at = this.#free.findIndex((one) => one.width === width && one.height === height)
    return (at >= 0 ? this.#free.splice(at, 1)[0] : undefined) ?? memoryFor({ width, height }, this.#manifest)
  }

  async #seeOne(picture: Picture, mirrored: boolean): Promise<Spotted[]> {
    const { classes, strides, calibration } = this.#manifest
    const { width, height } = picture
    const used = this.#memoryOf(picture)
    const { left, top, wide, high, scores, distances } = used
    fill(used, picture, mirrored)
    const cells = scores.length / classes.length
    await this.#graphs.run(
      'detector',
      { picture: byteTensor(used.rgb, [1, high, wide, 3]) },
      { scores: floatTensor(scores, [1, cells, classes.length]), distances: floatTensor(distances, [1, cells, 4]) },
    )
    const found = candidatesOf(scores, distances, { width: wide, height: high, strides, classes: classes.length, floor: calibration.floor })
    this.#free.push(used)
    if (this.#free.length > MOST_FREE) this.#free.shift()
    const inPicture = found.map(({ index, score, box: { x1, y1, x2, y2 } }) => ({
      name: classes[index] ?? '',
      score,
      box: clipBox({ x1: x1 - left, y1: y1 - top, x2: x2 - left, y2: y2 - top }, picture),
    }))
    return onePerThing(inPicture.filter(({ box }) => box.x2 - box.x1 >= LEAST_SIDE && box.y2 - box.y1 >= LEAST_SIDE)).map(
      ({ name, score, box: { x1, y1, x2, y2 } }) => {
        const cx = (x1 + x2) / 2 / width
        const box = { cx: mirrored ? 1 - cx : cx, cy: (y1 + y2) / 2 / height, w: (x2 - x1) / width, h: (y2 - y1) / height }
        return { name, score, box, colours: coloursOfHalves(picture, box) }
      },
    )
  }
}

/** What one run of the graph reads and writes, kept for later runs: each would otherwise allocate two megabytes, which costs time when they are freed. */
interface Memory {
  /** Size of the picture that it is for, pixels. */
  width: number
  height: number
  /** Where the picture begins in the bordered one, whose sides are multiples of what the graph needs; and the size of that. */
  left: number
  top: number
  wide: number
  high: number
  /** [high, wide, 3], black outside the picture. */
  rgb: Uint8Array
  /** [1, cells, classes] and [1, cells, 4]. */
  scores: Float32Array
  distances: Float32Array
}

function memoryFor(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  { input: { multiple }, strides, classes }: DetectorManifest,
): Memory {
  const up = (side: number) => Math.ceil(side / multiple) * multiple
  const [wide, high] = [up(width), up(height)]
  const cells = strides.reduce((sum, stride) => sum + Math.ceil(wide / stride) * Math.ceil(high / stride), 0)
  return {
    ...{ width, height, wide, high, left: (wide - width) >> 1, top: (high - height) >> 1 },
    rgb: new Uint8Array(wide * high * 3),
    scores: new Float32Array(cells * classes.length),
    distances: new Float32Array(cells * 4),
  }
}

/** Puts a picture into its place on the black, with left and right exchanged if it is to be mirrored. */
function fill({ rgb: out, left, top, wide }: Memory, { rgb, width, height }: Picture, mirrored: boolean): void {
  for (let y = 0; y < height; y++) {
    const start = y * width * 3
    let to = ((y + top) * wide + left) * 3
    if (!mirrored) {
      out.set(rgb.subarray(start, start + width * 3), to)
      continue
    }
    for (let from = start + (width - 1) * 3; from >= start; from -= 3, to += 3) {
      out[to] = rgb[from] ?? 0
      out[to + 1] = rgb[from + 1] ?? 0
      out[to + 2] = rgb[from + 2] ?? 0
    }
  }
}

/**
 * Every cell and class with a score of at least `floor`, best first.
 * @param scores [cells, classes], 0..1; cells grid by grid, row by row.
 * @param distances [cells, 4]: pixels from the centre of a cell to the left, top, right and bottom of its box.
 * @param grid Size of the bordered picture in pixels, divisible by every stride.
 */
function candidatesOf(
  scores: Float32Array,
  distances: Float32Array,
  grid: { width: number; height: number; strides: readonly number[]; classes: number; floor: number },
): Candidate[] {
  const { width, height, strides, classes, floor } = grid
  const out: Candidate[] = []
  let cell = 0
  for (const stride of strides) {
    for (let y = (stride - 1) / 2; y < height; y += stride) {
      for (let x = (stride - 1) / 2; x < width; x += stride, cell++) {
        for (let index = 0, at = cell * classes; index < classes; index++, at++) {
          const score = scores[at] ?? 0
          if (score < floor) continue
          const [left = 0, top = 0, right = 0, bottom = 0] = distances.subarray(cell * 4, cell * 4 + 4)
          out.push({ index, score, box: { x1: x - left, y1: y - top, x2: x + right, y2: y + bottom } })
        }
      }
    }
  }
  return out.sort((a, b) => b.score - a.score)
}

/** One box per thing and name (non-maximum suppression). Different names for a thing compete later, over more frames. @param found Best first. */
function onePerThing<T extends { name: string; box: Box }>(found: readonly T[]): T[] {
  const kept: T[] = []
  for (const one of found) {
    if (kept.every(({ name, box }) => name !== one.name || (iou(box, one.box) <= ONE_THING && shareWithin(one.box, box) < NESTED)))
      kept.push(one)
  }
  return kept
}

/** How much of a box with an area lies inside another, 0..1. */
function shareWithin(box: Box, { x1, y1, x2, y2 }: Box): number {
  return boxArea({ x1: Math.max(box.x1, x1), y1: Math.max(box.y1, y1), x2: Math.min(box.x2, x2), y2: Math.min(box.y2, y2) }) / boxArea(box)
}

/** Shares of the basic colours in the upper, then in the lower half of a box. */
function coloursOfHalves({ rgb, width, height }: Picture, { cx, cy, w, h }: RelativeBox): number[] {
  return [cy - h / 4, cy + h / 4].flatMap((middle) => coloursOf(rgb, width, height, { cx, cy: middle, w, h: h / 2 }))
}
