import { expect, test } from 'vitest'
import { fromTsv, repeated, toTsv } from './tsv.ts'

test('what was copied comes back, whatever is in its cells', () => {
  const cells = [
    ['plain', 'with\ttab', 'two\nlines'],
    ['"quoted" start', 'a 12" disc', ''],
    ['', '"', '=1+1'],
  ]
  expect(fromTsv(toTsv(cells))).toEqual(cells)
})

test('text as spreadsheets write it is read', () => {
  expect(fromTsv('a\tb\r\nc\td\r\n')).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]) // Excel ends with a line break
  expect(fromTsv('a\tb\nc\td')).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]) // Google Sheets does not
  expect(fromTsv('"two\r\nlines"\tx')).toEqual([['two\nlines', 'x']])
  expect(fromTsv('"he said ""yes"""')).toEqual([['he said "yes"']])
  expect(fromTsv('\t\n\t')).toEqual([
    ['', ''],
    ['', ''],
  ])
})

test('text that is no table is one cell a line, quotes and all', () => {
  expect(fromTsv('say "hi" to me')).toEqual([['say "hi" to me']])
  expect(fromTsv('"open only\nnext')).toEqual([['"open only'], ['next']])
  expect(fromTsv('"a" and b')).toEqual([['"a" and b']])
  expect(fromTsv('')).toEqual([['']])
})

test('rows of different length are made one width', () => {
  expect(fromTsv('a\nb\tc')).toEqual([
    ['a', ''],
    ['b', 'c'],
  ])
})

test('one value fills what is chosen, a pattern repeats only where it fits', () => {
  expect(repeated([['x']], 3, 2)).toEqual([
    ['x', 'x'],
    ['x', 'x'],
    ['x', 'x'],
  ])
  expect(repeated([['a'], ['b']], 4, 1)).toEqual([['a'], ['b'], ['a'], ['b']])
  expect(repeated([['a'], ['b']], 3, 1)).toEqual([['a'], ['b']])
  expect(
    repeated(
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      1,
      1,
    ),
  ).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
})
