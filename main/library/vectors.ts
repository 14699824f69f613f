/** Many L2-normalised vectors as one matrix, compared exactly; and which results of a comparison are worth showing. */
import { dotsIn, LANES, PAGE, PAGES } from './dots.ts'

/**
 * Clips whose embeddings are at least this alike (cosine) show the same picture. Measured with tubelet-mini 0.7.0: of 98 pairs of a span and its
 * re-encoding 90 are above it (half the width at CRF 33: all 40; a quarter of it at CRF 36, and VP8 at 400 kbit/s: 50 of 58), of pairs of
 * different videos none (at most 0.78). Windows of one still video reach 0.99, so clips of one file never count as copies.
 */
export const SAME_PICTURE = 0.95
/** A clip stands out from a library by this many deviations (median absolute ones, scaled to a normal distribution's) over its median. */
const OUTSTANDING = 2
const NORMAL = 1.4826

/** Rows that are compared at a time; the query and so many results lie in memory before the matrix. */
const BLOCK = 8_192

export class Vectors {
  readonly width: number
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES })
  readonly #dots = dotsIn(this.#memory)
  /** Bytes per row, padding included. */
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

  /** Append a row or, if `row` is given, replace that one. @param bytes `width` floats, or a multiple of them to append several rows. */
  set(bytes: Uint8Array, row = this.#rows): void {
    const [size, rows] = [this.width * 4, bytes.byteLength / 4 / this.width]
    const there = this.#memory.buffer.byteLength
    const missing = this.#begin + (row + rows) * this.#stride - there
    // A tenth more each time, so that it rarely has to grow.
    if (missing > 0) this.#memory.grow(Math.max(Math.ceil(missing / PAGE), Math.min(Math.ceil(there / 10 / PAGE), PAGES - there / PAGE)))
    // A BLOB's bytes need not be aligned for floats: copy them.
    const all = new Uint8Array(this.#memory.buffer)
    for (let at = 0; at < rows; at += 1) all.set(bytes.subarray(at * size, (at + 1) * size), this.#begin + (row + at) * this.#stride)
    this.#rows = Math.max(this.#rows, row + rows)
  }

  /** A view of the row, valid until the next `set`. */
  row(row: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#begin + row * this.#stride, this.width)
  }

  /** The cosine of `query` with every row. */
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
 * The rows of the `most` best scores that pass, best first and the earlier row first among equals; and how many scores reach `line`.
 *
 * @param passes 1 for each row that passes.
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

/** The scores of the rows that pass, in order. */
export function picked(scores: Float32Array, passes: Uint8Array): Float32Array {
  const some = new Float32Array(scores.length)
  let count = 0
  for (let row = 0; row < scores.length; row += 1) if (passes[row] === 1) some[count++] = scores[row] ?? 0
  return some.slice(0, count)
}

/** The score from which likeness stands out, as it is not calibrated: two deviations above the median of unrelated clips, but at most SAME_PICTURE. */
export function outstanding(unrelated: Float32Array): number {
  const middle = (values: Float32Array) => nth(values, values.length >> 1) ?? SAME_PICTURE
  const median = middle(unrelated.slice())
  const deviation = middle(unrelated.map((value) => Math.abs(value - median)))
  return Math.min(SAME_PICTURE, median + OUTSTANDING * NORMAL * deviation)
}

/** The value at `place` if `values` were sorted. Reorders them, smaller before and larger after it (Hoare's selection): a tenth of the time of a sort. */
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
