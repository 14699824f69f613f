/**
 * Family `detector`: the pack's graph over single pictures. As in NanoDet (Lyu 2020), every cell of each grid has a score for each
 * class and four distances from its centre to the sides of a box.
 */
import type { Box } from '../../app/annotation.ts'
import { boxArea, clipBox, iou, type RelativeBox } from '../../app/boxes.ts'
import { coloursOf } from '../../app/colours.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import { byteTensor, floatsOf, type Graphs } from './graphs.ts'
import type { Picture, Spotted } from './protocol.ts'

/** Boxes of one name that overlap by more than this (IoU) are one thing; NanoDet was measured with this value. */
const ONE_THING = 0.6
/** So is a box of which at least this share lies inside a box of its name with a higher score. */
const NESTED = 0.85
/** Shortest side of a box, in pixels of the picture; thinner boxes are dropped. */
const LEAST_SIDE = 2

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

  async #seeOne(picture: Picture, mirrored: boolean): Promise<Spotted[]> {
    const { classes, strides, calibration, input } = this.#manifest
    const { width, height } = picture
    const { left, top, ...bordered } = withBorder(mirrored ? mirror(picture) : picture, input.multiple)
    const outputs = await this.#graphs.run('detector', { picture: byteTensor(bordered.rgb, [1, bordered.height, bordered.width, 3]) })
    const cells = candidatesOf(floatsOf(outputs, 'scores'), floatsOf(outputs, 'distances'), {
      ...bordered,
      strides,
      classes: classes.length,
      floor: calibration.floor,
    })
    const inPicture = cells.map(({ index, score, box: { x1, y1, x2, y2 } }) => ({
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

/** The picture with left and right exchanged. */
function mirror({ rgb, width, height }: Picture): Picture {
  const out = new Uint8Array(rgb.length)
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = width - 1; x >= 0; x--) {
      const from = (y * width + x) * 3
      out[to++] = rgb[from] ?? 0
      out[to++] = rgb[from + 1] ?? 0
      out[to++] = rgb[from + 2] ?? 0
    }
  }
  return { rgb: out, width, height }
}

/** A picture centred on black, with sides padded to the next multiples that the graph needs; `left` and `top`: where the picture begins, pixels. */
function withBorder({ rgb, width, height }: Picture, multiple: number): Picture & { left: number; top: number } {
  const up = (side: number) => Math.ceil(side / multiple) * multiple
  const [wide, high] = [up(width), up(height)]
  const [left, top] = [(wide - width) >> 1, (high - height) >> 1]
  const out = new Uint8Array(wide * high * 3)
  for (let y = 0; y < height; y++) out.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), ((y + top) * wide + left) * 3)
  return { rgb: out, width: wide, height: high, left, top }
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
        for (let index = 0; index < classes; index++) {
          const score = scores[cell * classes + index] ?? 0
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
