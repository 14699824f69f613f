import { expect, test } from 'vitest'
import type { Column } from '../contract/table.ts'
import { fitted, moved, shown, sortedBy, START, withColumn } from './spec.ts'

const column = (id: number): Column => ({ id, kind: 'yesno', text: `Is it ${id}?`, automatic: true, filled: 0, of: 0 })
const keys = (spec: typeof START) => spec.columns.map(({ key }) => key)

test('columns that came are shown before the note, those that went take their sorting, filters and groups with them', () => {
  const spec = fitted(
    {
      ...START,
      sort: [
        { key: 'q1', by: 'value', down: false },
        { key: 'q2', by: 'value', down: true },
      ],
      filters: [{ key: 'q1', op: 'filled' }],
      group: 'q1',
    },
    [column(2), column(3)],
  )
  expect(keys(spec)).toEqual(['name', 'time', 'length', 'review', 'caption', 'labels', 'q2', 'q3', 'note'])
  expect([spec.sort.map(({ key }) => key), spec.filters, spec.group]).toEqual([['q2'], [], null])
  expect(fitted(spec, [column(2), column(3)])).toEqual(spec)
})

test('a moved column lands where it was put, and is pinned or let go with its neighbours', () => {
  expect(keys(moved(START, 'review', 'time'))).toEqual(['name', 'review', 'time', 'length', 'caption', 'labels', 'note'])
  expect(keys(moved(START, 'time', 'review'))).toEqual(['name', 'length', 'review', 'time', 'caption', 'labels', 'note'])
  const pinned = moved(START, 'note', 'name')
  expect(
    shown(pinned)
      .slice(0, 3)
      .map(({ key, pinned: is }) => [key, is]),
  ).toEqual([
    ['note', true],
    ['name', true],
    ['time', false],
  ])
  expect(moved(START, 'time', 'labels')).toEqual(START)
})

test('a heading sorts up, down and not at all; with Shift beside what is sorted by already', () => {
  const up = sortedBy([], 'time', false)
  expect(up).toEqual([{ key: 'time', by: 'value', down: false }])
  expect(sortedBy(up, 'time', false)).toEqual([{ key: 'time', by: 'value', down: true }])
  expect(sortedBy(sortedBy(up, 'time', false), 'time', false)).toEqual([])
  const two = sortedBy(up, 'name', true)
  expect(two.map(({ key }) => key)).toEqual(['time', 'name'])
  expect(sortedBy(two, 'time', true).map(({ key, down }) => [key, down])).toEqual([
    ['time', true],
    ['name', false],
  ])
  expect(sortedBy(two, 'name', false)).toEqual([{ key: 'name', by: 'value', down: true }])
})

test('hidden columns are kept and not shown', () => {
  expect(shown(withColumn(START, 'caption', { hidden: true })).map(({ key }) => key)).toEqual(['name', 'time', 'length', 'review', 'note'])
})
