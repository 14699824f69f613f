import { expect, test } from 'vitest'
import { advanced, alone, chosenIn, kept, moved, NOBODYS, rectangle } from './selection.ts'

const extent = { lines: 100, columns: 5, page: 20 }
const plain = { shift: false, ctrl: false }
const at = (line: number, column: number) => alone({ line, column })

test('arrows, Home, End and pages move the focus and stay inside', () => {
  expect(moved(at(0, 0), 'ArrowUp', plain, extent)).toEqual(at(0, 0))
  expect(moved(at(3, 4), 'ArrowRight', plain, extent)).toEqual(at(3, 4))
  expect(moved(at(3, 2), 'ArrowDown', plain, extent)).toEqual(at(4, 2))
  expect(moved(at(90, 2), 'PageDown', plain, extent)).toEqual(at(99, 2))
  expect(moved(at(3, 2), 'End', plain, extent)).toEqual(at(3, 4))
  expect(moved(at(3, 2), 'Home', { shift: false, ctrl: true }, extent)).toEqual(at(0, 0))
  expect(moved(at(3, 2), 'ArrowDown', { shift: false, ctrl: true }, extent)).toEqual(at(99, 2))
  expect(moved(at(3, 2), 'a', plain, extent)).toBeNull()
})

test('Shift keeps where the choice began, whichever way it grows', () => {
  const up = moved(
    moved(at(5, 2), 'ArrowUp', { shift: true, ctrl: false }, extent) ?? at(0, 0),
    'ArrowLeft',
    { shift: true, ctrl: false },
    extent,
  )
  expect(up && rectangle(up)).toEqual({ top: 4, bottom: 5, left: 1, right: 2 })
})

test('Tab goes on over the end of a line, and stops at the ends of the table', () => {
  expect(advanced(at(0, 4), 'across', false, extent)).toEqual(at(1, 0))
  expect(advanced(at(1, 0), 'across', true, extent)).toEqual(at(0, 4))
  expect(advanced(at(0, 0), 'across', true, extent)).toEqual(at(0, 0))
  expect(advanced(at(99, 4), 'across', false, extent)).toEqual(at(99, 4))
  expect(advanced(at(2, 3), 'down', false, extent)).toEqual(at(3, 3))
})

test('what was chosen stays within a table that became smaller', () => {
  expect(kept({ anchor: { line: 99, column: 4 }, focus: { line: 3, column: 1 } }, { lines: 5, columns: 2, page: 1 })).toEqual({
    anchor: { line: 4, column: 1 },
    focus: { line: 3, column: 1 },
  })
})

test('where nobody chose, no heading of a group is chosen; who goes to it chooses it', () => {
  const isHeading = (line: number) => line === 0 || line === 1
  expect(chosenIn(NOBODYS, extent, isHeading)).toEqual(at(2, 0))
  expect(chosenIn(at(0, 0), extent, isHeading)).toEqual(at(0, 0))
  expect(chosenIn(NOBODYS, extent, () => false)).toEqual(at(0, 0))
})
