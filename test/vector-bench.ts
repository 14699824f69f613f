/** `npm run bench -- --vectors`: the exact comparison of one embedding with a million and ten million others, as search does it. */
import os from 'node:os'
import { best, Vectors } from '../main/library/vectors.ts'

const REPEATS = 5
const SHOWN = 60
const TOGETHER = 10_000

export function benchVectors(row: (what: string, measured: string, goal: string) => void): void {
  for (const [rows, width, goal] of [
    [1_000_000, 96, '150 ms'],
    [1_000_000, 256, '150 ms'],
    [10_000_000, 96, '300 ms'],
  ] as const) {
    const bytes = rows * width * 4
    if (os.freemem() < 1.3 * bytes) {
      row(`${rows.toLocaleString('en')} × ${width}`, `not measured: ${(bytes / 1e9).toFixed(1)} GB are not free`, goal)
      continue
    }
    const vectors = new Vectors(width)
    const some = new Float32Array(TOGETHER * width)
    let state = 1
    const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0) / 2 ** 31
    for (let at = 0; at < some.length; at += 1) some[at] = next() / Math.sqrt(width)
    // The same block again and again: what is compared does not change the time.
    for (let done = 0; done < rows; done += TOGETHER) vectors.set(new Uint8Array(some.buffer))
    const passes = new Uint8Array(rows).fill(1)
    const query = some.slice(0, width)
    const times = Array.from({ length: REPEATS }, () => {
      const began = performance.now()
      best(vectors.cosines(query), passes, SHOWN, 0.5)
      return performance.now() - began
    }).sort((a, b) => a - b)
    const [fastest = 0, , median = 0] = times
    row(
      `${rows.toLocaleString('en')} embeddings of ${width} numbers, exact (recall 1), the best ${SHOWN}; ${(bytes / 1e9).toFixed(1)} GB`,
      `${median.toFixed(0)} ms, median of ${REPEATS}; fastest ${fastest.toFixed(0)} ms`,
      goal,
    )
  }
}
