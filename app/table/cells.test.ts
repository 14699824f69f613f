import { expect, test } from 'vitest'
import type { CellState, Filter, Sort } from '../contract/table.ts'
import { arrange, Cells, summarised, valuesOf } from './cells.ts'

function column(
  values: readonly (readonly [text: string | null, state?: CellState, confidence?: number | null, number?: number])[],
): Cells {
  const cells = new Cells()
  cells.resize(values.length)
  for (const [row, [text, state, confidence, number]] of values.entries())
    cells.set(row, text, state ?? (text === null ? 'empty' : 'sure'), confidence ?? null, number ?? null)
  return cells
}

const colour = column([['Red', 'sure', 0.9], ['blue', 'unsure', 0.3], [null], ['red', 'accepted', 0.8], ['green', 'rejected', 0.7]])
const size = column([['10', 'sure', null, 10], ['9', 'sure', null, 9], ['100', 'sure', null, 100], [null], ['9', 'sure', null, 9]])
const cellsOf = (key: string) => (key === 'q1' ? colour : size)
const all = Int32Array.from([0, 1, 2, 3, 4])
const found = (...filters: Filter[]) => [...arrange(all, { filters, sort: [], group: null }, cellsOf).order]
const sorted = (...sort: Sort[]) => [...arrange(all, { filters: [], sort, group: null }, cellsOf).order]

test('filters find by text whatever its case, by state, by confidence, by number, and by being empty', () => {
  expect(found({ key: 'q1', op: 'contains', text: 'RE' })).toEqual([0, 3])
  expect(found({ key: 'q1', op: 'is', texts: ['red', 'BLUE'] })).toEqual([0, 1, 3])
  expect(found({ key: 'q1', op: 'state', states: ['accepted', 'rejected'] })).toEqual([3, 4])
  expect(found({ key: 'q1', op: 'lessSureThan', value: 0.8 })).toEqual([1, 4])
  expect(found({ key: 'q1', op: 'surerThan', value: 0.8 })).toEqual([0, 3])
  expect(found({ key: 'q2', op: 'atLeast', value: 10 })).toEqual([0, 2])
  expect(found({ key: 'q2', op: 'atMost', value: 9 })).toEqual([1, 4])
  expect(found({ key: 'q1', op: 'empty' })).toEqual([2, 4])
  expect(found({ key: 'q1', op: 'filled' }, { key: 'q2', op: 'filled' })).toEqual([0, 1])
})

test('rejected is no value: it is not found by its text, and goes last with what is empty', () => {
  expect(found({ key: 'q1', op: 'contains', text: 'green' })).toEqual([])
  expect(sorted({ key: 'q1', by: 'value', down: false })).toEqual([1, 0, 3, 2, 4])
})

test('empty cells come last both ways, equals keep their order, a second key decides between equals', () => {
  expect(sorted({ key: 'q2', by: 'value', down: false })).toEqual([1, 4, 0, 2, 3])
  expect(sorted({ key: 'q2', by: 'value', down: true })).toEqual([2, 0, 1, 4, 3])
  expect(sorted({ key: 'q1', by: 'confidence', down: false })).toEqual([1, 4, 3, 0, 2])
  expect(sorted({ key: 'q2', by: 'value', down: false }, { key: 'q1', by: 'confidence', down: true })).toEqual([4, 1, 0, 2, 3])
})

test('texts sort as people do: numbers inside by size, accents by their letter, yes before no before unsure', () => {
  const names = column([['clip 10'], ['Clip 2'], ['éclair'], ['echo'], ['zebra']])
  expect([...arrange(all, { filters: [], sort: [{ key: 'q1', by: 'value', down: false }], group: null }, () => names).order]).toEqual([
    1, 0, 3, 2, 4,
  ])
  const answers = column([['unsure'], ['no'], ['yes'], ['no'], [null]])
  expect([...arrange(all, { filters: [], sort: [{ key: 'q1', by: 'value', down: false }], group: null }, () => answers).order]).toEqual([
    2, 1, 3, 0, 4,
  ])
})

test('a word that comes later takes its place among those that were sorted before', () => {
  const cells = column([['pear'], ['fig'], ['plum'], [null]])
  const order = () => [
    ...arrange(Int32Array.from([0, 1, 2, 3]), { filters: [], sort: [{ key: 'q1', by: 'value', down: false }], group: null }, () => cells)
      .order,
  ]
  expect(order()).toEqual([1, 0, 2, 3])
  cells.set(3, 'Olive', 'edited', null)
  cells.set(0, 'apple', 'edited', null)
  expect(cells.ranked).toBe(false)
  expect(order()).toEqual([0, 1, 3, 2])
  expect(cells.ranked).toBe(true)
})

test('groups hold every row once, the largest first and what has no value last, each in the order asked for', () => {
  const answers = column([['no'], ['yes'], [null], ['no'], ['unsure', 'rejected']])
  const { order, groups } = arrange(all, { filters: [], sort: [{ key: 'q2', by: 'value', down: true }], group: 'q1' }, (key) =>
    key === 'q1' ? answers : size,
  )
  expect(groups).toEqual([
    { text: 'no', others: false, start: 0, count: 2, unsure: 0 },
    { text: 'yes', others: false, start: 2, count: 1, unsure: 0 },
    { text: null, others: false, start: 3, count: 2, unsure: 0 },
  ])
  expect([...order]).toEqual([0, 3, 1, 2, 4])
})

test('thousands of values are a thousand groups and one for the rest', () => {
  const many = new Cells()
  many.resize(3_000)
  for (let row = 0; row < 3_000; row += 1) many.set(row, `v${row}`, 'sure', null)
  const { order, groups } = arrange(
    Int32Array.from({ length: 3_000 }, (_, row) => row),
    { filters: [], sort: [], group: 'q1' },
    () => many,
  )
  expect(groups).toHaveLength(1_001)
  expect(groups?.at(-1)).toEqual({ text: null, others: true, start: 1_000, count: 2_000, unsure: 0 })
  expect(new Set(order).size).toBe(3_000)
})

test('rows that come later are empty until they are set, and can be changed', () => {
  const cells = column([['a']])
  cells.resize(3)
  cells.set(2, 'b', 'sure', 0.5)
  expect([cells.textAt(0), cells.textAt(1), cells.textAt(2), cells.stateAt(1)]).toEqual(['a', null, 'b', 'empty'])
  cells.clear(0)
  expect(cells.textAt(0)).toBeNull()
  expect(valuesOf(cells, Int32Array.from([0, 1, 2]), 10)).toEqual({ values: [{ text: 'b', count: 1 }], distinct: 1 })
})

test('a video says what most of its clips say, and how many; of numbers the largest', () => {
  const answers = column([['yes'], ['no'], ['yes'], [null], ['no', 'accepted']])
  const { cells, shares } = summarised(
    answers,
    all,
    [
      [0, 3],
      [3, 4],
      [4, 5],
    ],
    false,
  )
  expect([0, 1, 2].map((video) => [cells.textAt(video), cells.stateAt(video)])).toEqual([
    ['yes', 'sure'],
    [null, 'empty'],
    ['no', 'accepted'],
  ])
  expect([...shares]).toEqual([2, 3, 0, 0, 1, 1])
  const counts = summarised(size, all, [[0, 5]], false)
  expect([counts.cells.textAt(0), [...counts.shares]]).toEqual(['100', [1, 4]])
})

test('a video has what one of its clips has, whatever more of them lack, and guesses have no say beside what is sure', () => {
  const answers = column([['yes', 'accepted'], ['no', 'unsure'], ['no'], ['no'], ['yes', 'unsure'], ['no', 'rejected'], ['no', 'unsure']])
  const rows = Int32Array.from([0, 1, 2, 3, 4, 5, 6])
  const { cells, shares } = summarised(
    answers,
    rows,
    [
      [0, 3],
      [2, 4],
      [3, 5],
      [4, 7],
    ],
    true,
  )
  expect([0, 1, 2, 3].map((video) => [cells.textAt(video), cells.stateAt(video)])).toEqual([
    ['yes', 'accepted'],
    ['no', 'sure'],
    ['no', 'unsure'],
    ['yes', 'unsure'],
  ])
  expect([...shares]).toEqual([1, 3, 2, 2, 1, 2, 1, 2])
  // What is said in words: one sure clip beside two guesses.
  const colours = summarised(column([['White'], ['Grey', 'unsure'], ['Grey', 'unsure']]), rows, [[0, 3]], false)
  expect([colours.cells.textAt(0), colours.cells.stateAt(0), [...colours.shares]]).toEqual(['White', 'sure', [1, 3]])
})
