/** The kernel matches its source, dots.wat, and multiplies. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { assembled } from '../../app/wat.testing.ts'
import { dotsIn, KERNEL, LANES } from './dots.ts'

test('the bytes are those of dots.wat', () => {
  const source = readFileSync(path.join(import.meta.dirname, 'dots.wat'), 'utf8')
  expect(assembled(source)).toEqual([...KERNEL])
  expect(assembled(source.replace('i32.lt_u', 'i32.sub'))).not.toEqual([...KERNEL])
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
