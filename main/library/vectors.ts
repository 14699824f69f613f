/** Many L2-normalised vectors as one matrix, compared exactly; and what of such a comparison is worth showing. */

/**
 * Clips whose embeddings are at least this alike (cosine) show the same picture. Measured with tubelet-mini 0.3.0 on 113 clips of 44 real
 * files: 66 of 69 pairs of one span and its re-encodings (a quarter of the width at CRF 36, VP8 at 400 kbit/s) are above, none of 5,381
 * pairs of different videos (at most 0.945). Windows of one still video reach 0.995, so clips of one file never count as copies.
 */
export const SAME_PICTURE = 0.98
/** A clip stands out from a library by this many deviations (median absolute ones, scaled to a normal distribution's) over its median. */
const OUTSTANDING = 2
const NORMAL = 1.4826

export class Vectors {
  readonly width: number
  #matrix: Float32Array
  #rows = 0

  constructor(width: number, rows = 0) {
    this.width = width
    this.#matrix = new Float32Array(rows * width)
  }

  get rows(): number {
    return this.#rows
  }

  /** Append one or, where `row` is given, replace that one. @param bytes Of `width` floats, or more where several rows are appended. */
  set(bytes: Uint8Array, row = this.#rows): void {
    const begin = row * this.width * 4
    if (this.#matrix.byteLength < begin + bytes.byteLength) {
      const grown = new Float32Array(Math.max((begin + bytes.byteLength) / 4, this.#matrix.length * 2))
      grown.set(this.#matrix)
      this.#matrix = grown
    }
    // A BLOB's bytes need not lie on a float's boundary: copy them.
    new Uint8Array(this.#matrix.buffer, begin, bytes.byteLength).set(bytes)
    this.#rows = Math.max(this.#rows, row + bytes.byteLength / 4 / this.width)
  }

  row(row: number): Float32Array {
    return this.#matrix.subarray(row * this.width, (row + 1) * this.width)
  }

  /** With every row. */
  cosines(query: Float32Array): Float32Array {
    const cosines = new Float32Array(this.#rows)
    const { width } = this
    const matrix = this.#matrix
    for (let row = 0, at = 0; row < cosines.length; row += 1) {
      // Four sums at a time: one alone waits for itself.
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      let column = 0
      for (; column + 3 < width; column += 4, at += 4) {
        a += (query[column] ?? 0) * (matrix[at] ?? 0)
        b += (query[column + 1] ?? 0) * (matrix[at + 1] ?? 0)
        c += (query[column + 2] ?? 0) * (matrix[at + 2] ?? 0)
        d += (query[column + 3] ?? 0) * (matrix[at + 3] ?? 0)
      }
      for (; column < width; column += 1, at += 1) a += (query[column] ?? 0) * (matrix[at] ?? 0)
      cosines[row] = a + b + c + d
    }
    return cosines
  }

  cosine(a: number, b: number): number {
    let cosine = 0
    for (let i = a * this.width, j = b * this.width; i < (a + 1) * this.width; i += 1, j += 1) cosine += (this.#matrix[i] ?? 0) * (this.#matrix[j] ?? 0)
    return cosine
  }
}

/**
 * Of the scores that pass: the rows of the `most` best, best first and the earlier row first among equals; and how many reach `line`.
 *
 * @param passes 1 for each row that does.
 */
export function best(scores: Float32Array, passes: Uint8Array, most: number, line: number): { rows: number[]; matches: number; compared: number } {
  const compared = picked(scores, passes)
  // Numbers sorted as numbers take a tenth of the time that sorting rows by them takes.
  compared.sort()
  const cut = compared[Math.max(0, compared.length - most)] ?? Infinity
  const rows: number[] = []
  for (let row = 0; row < scores.length; row += 1) if ((scores[row] ?? 0) >= cut && passes[row] === 1) rows.push(row)
  rows.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  let matches = 0
  while (matches < compared.length && (compared[compared.length - 1 - matches] ?? -Infinity) >= line) matches += 1
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
  const middle = (values: Float32Array) => values[values.length >> 1] ?? SAME_PICTURE
  const sorted = unrelated.toSorted()
  const median = middle(sorted)
  const deviation = middle(sorted.map((value) => Math.abs(value - median)).sort())
  return Math.min(SAME_PICTURE, median + OUTSTANDING * NORMAL * deviation)
}
