import { expect, test } from 'vitest'
import { STRIP_CELLS, stripOf } from './filmstrip.ts'

const at = (...times: number[]) => times.map((time) => ({ time, picture: time }))

test('pictures at even times are a cell each', () => {
  expect(stripOf(at(0, 1, 2, 3), { duration: 4, unread: [] })).toEqual([0, 1, 2, 3])
  expect(stripOf(at(0), { duration: 0.04, unread: [] })).toEqual([0])
  expect(stripOf([], { duration: 4, unread: [] })).toEqual([])
})

test('a picture that stands for longer fills more cells: each cell shows what is on the screen at its time', () => {
  expect(stripOf(at(0, 1, 2, 6), { duration: 8, unread: [] })).toEqual([0, 1, 2, 2, 2, 2, 6, 6])
  // Thirty pictures in the first second, then one a second.
  const uneven = at(...Array.from({ length: 30 }, (_, i) => i / 30), 1, 2, 3, 4, 5, 6, 7, 8, 9)
  const strip = stripOf(uneven, { duration: 10, unread: [] })
  expect(strip).toHaveLength(STRIP_CELLS)
  expect(strip.filter((time) => (time ?? 0) < 1)).toHaveLength(6)
})

test('where nothing could be read there is no picture', () => {
  expect(stripOf(at(0, 1, 2, 3), { duration: 8, unread: [{ from: 4, to: 8 }] })).toEqual([0, 1, 2, 3, null, null, null, null])
  expect(stripOf(at(0, 1, 4, 5), { duration: 6, unread: [{ from: 2, to: 4 }] })).toEqual([0, 1, null, null, 4, 5])
})
