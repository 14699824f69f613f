/**
 * Resizes RGB pictures exactly as Pillow's `Image.resize` does (checked against version 13.0.0), since models give the answers that were published
 * for pictures made by it. Written from the description of its algorithm: an axis is resampled by a kernel that widens where it shrinks, weights
 * are whole numbers of 2^-22, and each of the two passes rounds to 8 bits.
 */

export type Filter = 'bilinear' | 'bicubic' | 'lanczos'

/** RGB24, row by row. */
export interface Rgb {
  rgb: Uint8Array
  /** Pixels. */
  width: number
  height: number
}

/** A weight of 1, as a whole number. */
const ONE = 2 ** 22
const HALF_BITS = 2 ** 21
const BITS = 22

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI))

/** By filter: how far it reaches, in pixels of the smaller of both pictures, and its height at a distance within that. */
const FILTERS: Readonly<Record<Filter, { support: number; at: (x: number) => number }>> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: (x) => cubic(Math.abs(x)) },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
}

/** Keys' cubic convolution with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

/** For each pixel along the new axis: the first old pixel, how many there are, and their weights, `most` apart. */
interface Kernels {
  first: Int32Array
  count: Int32Array
  weights: Int32Array
  most: number
}

function kernels(from: number, to: number, filter: Filter): Kernels {
  const { support, at } = FILTERS[filter]
  const scale = from / to
  const wide = Math.max(scale, 1)
  const reach = support * wide
  const most = Math.ceil(reach) * 2 + 1
  const first = new Int32Array(to)
  const count = new Int32Array(to)
  const weights = new Int32Array(to * most)
  const exact = new Float64Array(most)
  for (let i = 0; i < to; i += 1) {
    const centre = (i + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - reach + 0.5))
    const end = Math.min(from, Math.trunc(centre + reach + 0.5))
    let sum = 0
    for (let x = start; x < end; x += 1) sum += exact[x - start] = at((x - centre + 0.5) * (1 / wide))
    for (let x = 0; x < end - start; x += 1) {
      const weight = ((exact[x] ?? 0) / (sum === 0 ? 1 : sum)) * ONE
      weights[i * most + x] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5)
    }
    first[i] = start
    count[i] = end - start
  }
  return { first, count, weights, most }
}

const clamped = (sum: number) => Math.min(255, Math.max(0, sum >> BITS))

function across({ rgb, width, height }: Rgb, to: number, filter: Filter): Rgb {
  const { first, count, weights, most } = kernels(width, to, filter)
  const out = new Uint8Array(to * height * 3)
  for (let i = 0; i < to; i += 1) {
    const begin = (first[i] ?? 0) * 3
    const length = count[i] ?? 0
    for (let y = 0; y < height; y += 1) {
      let at = y * width * 3 + begin
      let [red, green, blue] = [HALF_BITS, HALF_BITS, HALF_BITS]
      for (let k = i * most, end = k + length; k < end; k += 1, at += 3) {
        const weight = weights[k] ?? 0
        red += (rgb[at] ?? 0) * weight
        green += (rgb[at + 1] ?? 0) * weight
        blue += (rgb[at + 2] ?? 0) * weight
      }
      const put = (y * to + i) * 3
      out[put] = clamped(red)
      out[put + 1] = clamped(green)
      out[put + 2] = clamped(blue)
    }
  }
  return { rgb: out, width: to, height }
}

function down({ rgb, width, height }: Rgb, to: number, filter: Filter): Rgb {
  const { first, count, weights, most } = kernels(height, to, filter)
  const row = width * 3
  const out = new Uint8Array(to * row)
  const sums = new Float64Array(row)
  for (let i = 0; i < to; i += 1) {
    sums.fill(HALF_BITS)
    for (let k = 0; k < (count[i] ?? 0); k += 1) {
      const weight = weights[i * most + k] ?? 0
      const from = ((first[i] ?? 0) + k) * row
      for (let at = 0; at < row; at += 1) sums[at] = (sums[at] ?? 0) + (rgb[from + at] ?? 0) * weight
    }
    for (let at = 0; at < row; at += 1) out[i * row + at] = clamped(sums[at] ?? 0)
  }
  return { rgb: out, width, height: to }
}

/**
 * The picture at another size. The order of the passes matters to the last bit: horizontal first, except for pictures that lose far more height than
 * width, as in Pillow 13. An axis that keeps its length has no pass.
 */
export function resample(picture: Rgb, width: number, height: number, filter: Filter): Rgb {
  const passes = [
    (one: Rgb) => (one.width === width ? one : across(one, width, filter)),
    (one: Rgb) => (one.height === height ? one : down(one, height, filter)),
  ]
  if (height < picture.height && picture.height - height > 2 * (picture.width - width)) passes.reverse()
  return passes.reduce((one, pass) => pass(one), picture)
}
