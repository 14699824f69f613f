/** The kernels match their sources, and multiply. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { assembled } from '../../app/wat.testing.ts'
import { BYTE_LANES, BYTE_ROWS, byteDotsIn, dotsIn, KERNELS, LANES } from './dots.ts'

test.each(['dots', 'bytes'] as const)('the bytes are those of %s.wat', (name) => {
  const source = readFileSync(path.join(import.meta.dirname, `${name}.wat`), 'utf8')
  expect(assembled(source)).toEqual([...KERNELS[name]])
  expect(assembled(source.replace('i32.lt_u', 'i32.sub'))).not.toEqual([...KERNELS[name]])
})

test.each([
  [1, LANES],
  [3, LANES * 5],
  [100, LANES * 96],
])('%i rows of %i floats give the sums of their products', (rows, width) => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536 })
  const floats = new Float32Array(memory.buffer)
  const values = (count: number, seed: number) => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i * 1.7)))
  const [query, matrix] = [values(width, 1), values(rows * width, 2)]
  floats.set(query, 0)
  floats.set(matrix, width)
  const out = width + rows * width
  dotsIn(memory)(width * 4, rows, width * 4, 0, out * 4)
  for (let row = 0; row < rows; row += 1) {
    const expected = query.reduce((sum, value, i) => sum + value * (matrix[row * width + i] ?? NaN), 0)
    expect(floats[out + row]).toBeCloseTo(expected, 3)
  }
})

test.each([
  [BYTE_ROWS, BYTE_LANES],
  [BYTE_ROWS * 25, BYTE_LANES * 6],
])('%i rows of %i bytes give the sums of their products', (rows, width) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 })
  const query = new Int16Array(memory.buffer, 0, width).map((_, i) => Math.round(16_384 * Math.sin(1 + i * 1.7)))
  new Int16Array(memory.buffer).set(query)
  // Every byte that there is, the least too.
  const matrix = Int8Array.from({ length: rows * width }, (_, i) => (i * 37) % 256)
  const [at, out] = [width * 2, width * 2 + rows * width]
  new Int8Array(memory.buffer).set(matrix, at)
  byteDotsIn(memory)(at, rows, width, 0, out)
  const sums = Array.from({ length: rows }, (_, row) => query.reduce((sum, value, i) => sum + value * (matrix[row * width + i] ?? NaN), 0))
  expect([...new Int32Array(memory.buffer, out, rows)]).toEqual(sums)
})
