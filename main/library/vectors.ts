/** Many L2-normalised vectors as one matrix, compared exactly; and which results of a comparison are worth showing. */
import { dot, isDirection } from '../../app/vector.ts'
import { BYTE_LANES, BYTE_ROWS, byteDotsIn, dotsIn, LANES, PAGE, PAGES } from './dots.ts'

/**
 * Clips whose embeddings are at least this alike (cosine) show the same picture. Measured with tubelet-mini 0.7.0: of 98 pairs of a span and its
 * re-encoding 90 are above it (half the width at CRF 33: all 40; a quarter of it at CRF 36, and VP8 at 400 kbit/s: 50 of 58), of pairs of
 * different videos none (at most 0.78). Windows of one still video reach 0.99, so clips of one file never count as copies.
 */
export const SAME_PICTURE = 0.95
/** A clip stands out from a library by this many deviations (median absolute ones, scaled to a normal distribution's) over its median. */
const OUTSTANDING = 2
const NORMAL = 1.4826

/** Up to so many rows floats are kept; of more rows two bytes a number, of which a comparison reads the first. */
const FLOAT_ROWS = 1_000_000
/** Rows that are compared at a time; the query and so many results lie in memory before the matrix. */
const BLOCK = 8_192

/** A way to keep rows: `Floats` as they are, `Bytes` so that ten million fit. */
interface Rows {
  set: (vector: Float32Array, row: number) => void
  /** Valid until the next `set`. */
  row: (row: number) => Float32Array
  /** The product of `query` with what `row` gives. */
  dot: (query: Float32Array, row: number) => number
  /** The same with each of the first `count` rows. @returns How far one may be off. */
  dots: (query: Float32Array, count: number, into: Float32Array) => number
}

export class Vectors {
  readonly width: number
  readonly #floatRows: number
  #kept: Rows
  #rows = 0

  /** @param floatRows Up to so many rows are kept as floats. */
  constructor(width: number, floatRows = FLOAT_ROWS) {
    this.width = width
    this.#floatRows = floatRows
    this.#kept = new Floats(width)
  }

  get rows(): number {
    return this.#rows
  }

  /**
   * Append a row or, if `row` is given, replace that one.
   * @param bytes `width` floats, or a multiple of them to append several rows.
   * @throws RangeError for vectors of another length and for those without a direction, of which nothing is kept; and where 4 GiB are full.
   */
  set(bytes: Uint8Array, row = this.#rows): void {
    const rows = bytes.byteLength / 4 / this.width
    if (!Number.isInteger(rows) || rows === 0) throw new RangeError(`${bytes.byteLength} bytes are no vectors of ${this.width} numbers`)
    // A BLOB's bytes need not be aligned for floats: copy them.
    const all = new Float32Array(new Uint8Array(bytes).buffer)
    const vectors = Array.from({ length: rows }, (_, at) => all.subarray(at * this.width, (at + 1) * this.width))
    if (!vectors.every(isDirection)) throw new RangeError('a vector without a direction')
    if (this.#kept instanceof Floats && row + rows > this.#floatRows) {
      const kept = new Bytes(this.width)
      for (let at = 0; at < this.#rows; at += 1) kept.set(this.#kept.row(at), at)
      this.#kept = kept
    }
    for (const [at, vector] of vectors.entries()) this.#kept.set(vector, row + at)
    this.#rows = Math.max(this.#rows, row + rows)
  }

  /** The row, valid until the next `set`. Of more rows than are kept as floats it is what 16 bits a number keep of it. */
  row(row: number): Float32Array {
    return this.#kept.row(row)
  }

  /** The cosine of `query` with every row. `within`: how far each may be from what `cosine` gives; 0 for rows that are kept as floats. */
  cosines(query: Float32Array): { cosines: Float32Array; within: number } {
    const cosines = new Float32Array(this.#rows)
    return { cosines, within: this.#kept.dots(query, this.#rows, cosines) }
  }

  cosine(query: Float32Array, row: number): number {
    return this.#kept.dot(query, row)
  }
}

/** A memory of WebAssembly that grows. */
class Memory {
  protected readonly memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES })

  /** @returns Whether it had to grow, so that what was seen of it is gone. @throws RangeError beyond the 4 GiB that WebAssembly can address. */
  protected reach(bytes: number): boolean {
    const there = this.memory.buffer.byteLength
    if (bytes <= there) return false
    // A tenth more each time, so that it rarely has to grow.
    this.memory.grow(Math.max(Math.ceil((bytes - there) / PAGE), Math.min(Math.ceil(there / 10 / PAGE), PAGES - there / PAGE)))
    return true
  }
}

class Floats extends Memory implements Rows {
  readonly #width: number
  readonly #dots = dotsIn(this.memory)
  /** Bytes per row, padding included. */
  readonly #stride: number
  /** Where the matrix begins, in bytes. */
  readonly #begin: number

  constructor(width: number) {
    super()
    this.#width = width
    this.#stride = Math.ceil(width / LANES) * LANES * 4
    this.#begin = this.#stride + BLOCK * 4
  }

  set(vector: Float32Array, row: number): void {
    this.reach(this.#begin + (row + 1) * this.#stride)
    this.row(row).set(vector)
  }

  row(row: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#begin + row * this.#stride, this.#width)
  }

  dot(query: Float32Array, row: number): number {
    return dot(query, this.row(row))
  }

  dots(query: Float32Array, count: number, into: Float32Array): number {
    if (count > 0) new Float32Array(this.memory.buffer, 0, this.#width).set(query)
    for (let row = 0; row < count; row += BLOCK) {
      const some = Math.min(BLOCK, count - row)
      this.#dots(this.#begin + row * this.#stride, some, this.#stride, 0, this.#stride)
      into.set(new Float32Array(this.memory.buffer, this.#stride, some), row)
    }
    return 0
  }
}

/** The largest integer of a row, whose first byte is 127; and the length of a query in integers, so that they fit into 16 bits and sums into 32. */
const [MOST, QUERY_LENGTH] = [127 * 256 + 127, 2 ** 14]
/** How far a sum of floats may be off, beside what is computed below. */
const ROUNDING = 1e-6

/**
 * Rows as integers of 16 bits, with a scale for each. Their first bytes lie apart, so that a comparison reads a quarter of what it reads of floats. How far
 * it may then be off is known: no product with the second bytes is larger than the longest row of them times the length of the query (Cauchy and Schwarz).
 */
class Bytes extends Memory implements Rows {
  readonly #width: number
  readonly #dots = byteDotsIn(this.memory)
  readonly #stride: number
  readonly #begin: number
  /** Bytes of a block: the first bytes of its rows, the second ones, and the scales. */
  readonly #block: number
  #bytes = new Int8Array(this.memory.buffer)
  #floats = new Float32Array(this.memory.buffer)
  /** Lengths of the longest row of first bytes and of second ones, to their scales. */
  readonly #longest = { first: 0, second: 0 }

  constructor(width: number) {
    super()
    this.#width = width
    this.#stride = Math.ceil(width / BYTE_LANES) * BYTE_LANES
    this.#begin = this.#stride * 2 + BLOCK * 4
    this.#block = BLOCK * (2 * this.#stride + 4)
  }

  set(vector: Float32Array, row: number): void {
    if (this.reach(this.#begin + (Math.floor(row / BLOCK) + 1) * this.#block)) {
      this.#bytes = new Int8Array(this.memory.buffer)
      this.#floats = new Float32Array(this.memory.buffer)
    }
    let most = 0
    for (let column = 0; column < this.#width; column += 1) most = Math.max(most, Math.abs(vector[column] ?? 0))
    const scale = Math.fround(most / MOST)
    const { first, second } = this.#placeOf(row)
    this.#floats[this.#scaleOf(row)] = scale
    const squares = { first: 0, second: 0 }
    for (let column = 0; column < this.#width; column += 1) {
      const whole = Math.max(-MOST, Math.min(MOST, Math.round((vector[column] ?? 0) / scale)))
      const high = (whole + 128) >> 8
      const low = whole - high * 256
      this.#bytes[first + column] = high
      this.#bytes[second + column] = low
      squares.first += high * high
      squares.second += low * low
    }
    this.#longest.first = Math.max(this.#longest.first, 256 * scale * Math.sqrt(squares.first))
    this.#longest.second = Math.max(this.#longest.second, scale * Math.sqrt(squares.second))
  }

  row(row: number): Float32Array {
    const { first, second } = this.#placeOf(row)
    const scale = this.#floats[this.#scaleOf(row)] ?? 0
    const values = new Float32Array(this.#width)
    for (let column = 0; column < values.length; column += 1)
      values[column] = scale * ((this.#bytes[first + column] ?? 0) * 256 + (this.#bytes[second + column] ?? 0))
    return values
  }

  dot(query: Float32Array, row: number): number {
    const { first, second } = this.#placeOf(row)
    const bytes = this.#bytes
    let sum = 0
    for (let column = 0; column < query.length; column += 1)
      sum += (query[column] ?? 0) * ((bytes[first + column] ?? 0) * 256 + (bytes[second + column] ?? 0))
    return sum * (this.#floats[this.#scaleOf(row)] ?? 0)
  }

  dots(query: Float32Array, count: number, into: Float32Array): number {
    const length = Math.hypot(...query)
    const scale = length / QUERY_LENGTH || 1
    const whole = new Int16Array(this.memory.buffer, 0, this.#stride)
    let off = 0
    for (const [column, value] of query.entries()) {
      const rounded = Math.round(value / scale)
      whole[column] = rounded
      off += (value - scale * rounded) ** 2
    }
    const at = this.#stride * 2
    const sums = new Int32Array(this.memory.buffer, at, BLOCK)
    for (let row = 0; row < count; row += BLOCK) {
      const some = Math.min(BLOCK, count - row)
      this.#dots(this.#placeOf(row).first, Math.ceil(some / BYTE_ROWS) * BYTE_ROWS, this.#stride, 0, at)
      const scales = this.#floats.subarray(this.#scaleOf(row), this.#scaleOf(row) + some)
      for (let nth = 0; nth < some; nth += 1) into[row + nth] = (sums[nth] ?? 0) * (scales[nth] ?? 0) * (256 * scale)
    }
    return this.#longest.second * length + this.#longest.first * Math.sqrt(off) + ROUNDING
  }

  /** Where the bytes of a row begin. */
  #placeOf(row: number): { first: number; second: number } {
    const first = this.#begin + Math.floor(row / BLOCK) * this.#block + (row % BLOCK) * this.#stride
    return { first, second: first + BLOCK * this.#stride }
  }

  /** The place of its scale among the floats of the memory. */
  #scaleOf(row: number): number {
    return (this.#begin + Math.floor(row / BLOCK) * this.#block + 2 * BLOCK * this.#stride) / 4 + (row % BLOCK)
  }
}

/** Scores that may be off. */
export interface Doubt {
  /** By how much at most. */
  within: number
  /** What the score of a row is. */
  settled: (row: number) => number
}

/**
 * The rows of the `most` best scores that pass, best first and the earlier row first among equals; and how many scores reach `line`.
 *
 * @param scores If they may be off, all that may be among the best are settled in place, so that the rows are those of what the scores are. How many reach
 *   `line` is counted without that: scores nearer to it than `within` may count wrongly.
 * @param passes 1 for each row that passes.
 */
export function best(
  scores: Float32Array,
  passes: Uint8Array,
  most: number,
  line: number,
  { within, settled }: Doubt = EXACT,
): { rows: number[]; matches: number; compared: number } {
  const highest = new Highest(most)
  /** Rows that may be among the best, and how many are looked through at a time. */
  let [candidates, many]: [number[], number] = [[], 4 * most + 1_000]
  // The best have scores of at least `least - within`: one that is off by `within` as well may be one of them.
  let gate = highest.least - 2 * within
  const mayBe = (row: number) => (scores[row] ?? 0) >= gate
  let [matches, compared] = [0, 0]
  for (let row = 0; row < scores.length; row += 1) {
    if (passes[row] !== 1) continue
    compared += 1
    const score = scores[row] ?? 0
    if (score >= line) matches += 1
    if (score < gate) continue
    candidates.push(row)
    if (score > highest.least) {
      highest.add(score)
      gate = highest.least - 2 * within
    }
    if (candidates.length < many) continue
    candidates = candidates.filter(mayBe)
    many = Math.max(many, 2 * candidates.length)
  }
  candidates = candidates.filter(mayBe)
  if (within > 0) {
    // What the best so far are says which of the others may be better: fewer than before.
    const [likely, others] = [true, false].map((is) => candidates.filter((row) => (scores[row] ?? 0) >= highest.least === is))
    let least = Infinity
    for (const row of likely ?? []) {
      scores[row] = settled(row)
      least = Math.min(least, scores[row] ?? 0)
    }
    candidates = likely ?? []
    for (const row of others ?? []) {
      if ((scores[row] ?? 0) < least - within) continue
      scores[row] = settled(row)
      candidates.push(row)
    }
  }
  const rows = candidates.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b).slice(0, most)
  return { rows, matches, compared }
}
const EXACT: Doubt = { within: 0, settled: () => NaN }

/** The highest numbers so far, the least of them first (a heap). */
class Highest {
  /** The least of them once there are as many as are wanted; every number up to it changes nothing. */
  least: number
  readonly #most: number
  readonly #heap: number[] = []

  constructor(most: number) {
    this.#most = most
    this.least = most > 0 ? -Infinity : Infinity
  }

  /** @param value Above `least`. */
  add(value: number): void {
    const heap = this.#heap
    let at: number
    if (heap.length < this.#most) {
      // Up, from a new place at the end.
      at = heap.length
      for (let above = (at - 1) >> 1; at > 0 && (heap[above] ?? 0) > value; above = (at - 1) >> 1) {
        heap[at] = heap[above] ?? 0
        at = above
      }
    } else {
      // Down, from the place of the least, which goes.
      at = 0
      for (let below = 1; below < heap.length; below = 2 * at + 1) {
        if ((heap[below + 1] ?? Infinity) < (heap[below] ?? 0)) below += 1
        if ((heap[below] ?? 0) >= value) break
        heap[at] = heap[below] ?? 0
        at = below
      }
    }
    heap[at] = value
    if (heap.length === this.#most) this.least = heap[0] ?? 0
  }
}

/** Of so many scores the line is drawn at most; of more, of a part that is spread evenly. */
const DRAWN_BY = 1_000_000

/**
 * The score from which likeness stands out, as it is not calibrated: two deviations above the median of unrelated clips, but at most SAME_PICTURE.
 * @param unrelated 1 for each row of `scores` that is one of them.
 */
export function outstanding(scores: Float32Array, unrelated: Uint8Array): number {
  const step = Math.ceil(scores.length / DRAWN_BY)
  const some = new Float32Array(Math.ceil(scores.length / step) || 0)
  let count = 0
  for (let row = 0; row < scores.length; row += step) if (unrelated[row] === 1) some[count++] = scores[row] ?? 0
  const values = some.subarray(0, count)
  const middle = () => nth(values, count >> 1) ?? SAME_PICTURE
  const median = middle()
  for (let at = 0; at < count; at += 1) values[at] = Math.abs((values[at] ?? 0) - median)
  return Math.min(SAME_PICTURE, median + OUTSTANDING * NORMAL * middle())
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
