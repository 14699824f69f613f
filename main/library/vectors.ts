/** Many L2-normalised vectors as one matrix, compared exactly; and what of such a comparison is worth showing. */
import { dotsIn, LANES, PAGE, PAGES } from './dots.ts'

/**
 * Clips whose embeddings are at least this alike (cosine) show the same picture. Measured with tubelet-mini 0.7.0: of spans of real clips and their
 * re-encodings 90 of 98 are above (half the width at CRF 33: all 40; a quarter of it at CRF 36, and VP8 at 400 kbit/s: 50 of 58), none of the pairs of
 * different videos (at most 0.78). Windows of one still video reach 0.99, so clips of one file never count as copies.
 */
export const SAME_PICTURE = 0.95
/** A clip stands out from a library by this many deviations (median absolute ones, scaled to a normal distribution's) over its median. */
const OUTSTANDING = 2
const NORMAL = 1.4826

/** Rows that are compared at a time; before the matrix lie the vector to compare them with and as many results. */
const BLOCK = 8_192

export class Vectors {
  readonly width: number
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES })
  readonly #dots = dotsIn(this.#memory)
  /** Bytes from row to row. */
  readonly #stride: number
  /** Where the matrix begins, in bytes. */
  readonly #begin: number
  #rows = 0

  constructor(width: number) {
    this.width = width
    this.#stride = Math.ceil(width / LANES) * LANES * 4
    this.#begin = this.#stride + BLOCK * 4
  }

  get rows(): number {
    return this.#rows
  }

  /** Append one or, where `row` is given, replace that one. @param bytes Of `width` floats, or more where several rows are appended. */
  set(bytes: Uint8Array, row = this.#rows): void {
    const [size, rows] = [this.width * 4, bytes.byteLength / 4 / this.width]
    const there = this.#memory.buffer.byteLength
    const missing = this.#begin + (row + rows) * this.#stride - there
    // A tenth more each time, so that it is seldom.
    if (missing > 0) this.#memory.grow(Math.max(Math.ceil(missing / PAGE), Math.min(Math.ceil(there / 10 / PAGE), PAGES - there / PAGE)))
    // A BLOB's bytes need not lie on a float's boundary: copy them.
    const all = new Uint8Array(this.#memory.buffer)
    for (let at = 0; at < rows; at += 1) all.set(bytes.subarray(at * size, (at + 1) * size), this.#begin + (row + at) * this.#stride)
    this.#rows = Math.max(this.#rows, row + rows)
  }

  /** As it lies there: the next `set` may outdate it. */
  row(row: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#begin + row * this.#stride, this.width)
  }

  /** With every row. */
  cosines(query: Float32Array): Float32Array {
    const cosines = new Float32Array(this.#rows)
    if (this.#rows === 0) return cosines
    new Float32Array(this.#memory.buffer, 0, this.width).set(query)
    for (let row = 0; row < this.#rows; row += BLOCK) {
      const some = Math.min(BLOCK, this.#rows - row)
      this.#dots(this.#begin + row * this.#stride, some, this.#stride, 0, this.#stride)
      cosines.set(new Float32Array(this.#memory.buffer, this.#stride, some), row)
    }
    return cosines
  }

  cosine(a: number, b: number): number {
    const [one, other] = [this.row(a), this.row(b)]
    let cosine = 0
    for (let at = 0; at < this.width; at += 1) cosine += (one[at] ?? 0) * (other[at] ?? 0)
    return cosine
  }
}

/**
 * Of the scores that pass: the rows of the `most` best, best first and the earlier row first among equals; and how many reach `line`.
 *
 * @param passes 1 for each row that does.
 */
export function best(
  scores: Float32Array,
  passes: Uint8Array,
  most: number,
  line: number,
): { rows: number[]; matches: number; compared: number } {
  const compared = picked(scores, passes)
  let matches = 0
  for (const score of compared) if (score >= line) matches += 1
  const cut = nth(compared, Math.max(0, compared.length - most)) ?? Infinity
  const rows: number[] = []
  for (let row = 0; row < scores.length; row += 1) if ((scores[row] ?? 0) >= cut && passes[row] === 1) rows.push(row)
  rows.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  return { rows: rows.slice(0, most), matches, compared: compared.length }
}

/** In their order. */
export function picked(scores: Float32Array, passes: Uint8Array): Float32Array {
  const some = new Float32Array(scores.length)
  let count = 0
  for (let row = 0; row < scores.length; row += 1) if (passes[row] === 1) some[count++] = scores[row] ?? 0
  return some.slice(0, count)
}

/** Where likeness stands out, since nothing calibrates it: two deviations above the median of what has nothing to do with it, at most that of a copy. */
export function outstanding(unrelated: Float32Array): number {
  const middle = (values: Float32Array) => nth(values, values.length >> 1) ?? SAME_PICTURE
  const median = middle(unrelated.slice())
  const deviation = middle(unrelated.map((value) => Math.abs(value - median)))
  return Math.min(SAME_PICTURE, median + OUTSTANDING * NORMAL * deviation)
}

/** What would stand at `place` if `values` were sorted; puts smaller ones before it and larger ones after it (Hoare's selection), which takes a tenth of a sort. */
function nth(values: Float32Array, place: number): number | undefined {
  let [from, to] = [0, values.length - 1]
  while (from < to) {
    const pivot = values[(from + to) >> 1] ?? 0
    let [low, high] = [from, to]
    while (low <= high) {
      while ((values[low] ?? 0) < pivot) low += 1
      while ((values[high] ?? 0) > pivot) high -= 1
      if (low > high) break
      const swapped = values[low] ?? 0
      values[low] = values[high] ?? 0
      values[high] = swapped
      low += 1
      high -= 1
    }
    if (place <= high) to = high
    else if (place >= low) from = low
    else break
  }
  return values[place]
}
