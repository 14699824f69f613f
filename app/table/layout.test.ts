import { expect, test } from 'vitest'
import type { Group } from '../contract/table.ts'
import { groupName, layoutOf } from './layout.ts'

const group = (text: string | null, start: number, count: number): Group => ({ text, others: false, start, count, unsure: 0 })
const groups = [group('no', 0, 3), group('yes', 3, 2), group(null, 5, 1)]

test('without groups a line is a row', () => {
  const layout = layoutOf(4, null, new Set())
  expect([layout.count, layout.at(2), layout.at(4), layout.lineOf(3), layout.rows(1, 2)]).toEqual([
    4,
    { type: 'row', row: 2, group: null },
    null,
    3,
    [1, 3],
  ])
  expect(layoutOf(0, null, new Set()).count).toBe(0)
  expect(layoutOf(0, [], new Set()).at(0)).toBeNull()
})

test('every row has its line and every line its row, whichever groups are closed', () => {
  for (const closed of [[], ['is no'], ['is yes', 'none'], ['is no', 'is yes', 'none']]) {
    const layout = layoutOf(6, groups, new Set(closed))
    const lines = Array.from({ length: layout.count }, (_, line) => layout.at(line))
    expect(lines.flatMap((line) => (line?.type === 'group' ? [groupName(line.group)] : []))).toEqual(['is no', 'is yes', 'none'])
    for (const [line, item] of lines.entries()) if (item?.type === 'row') expect(layout.lineOf(item.row)).toBe(line)
    const shown = lines.flatMap((line) => (line?.type === 'row' ? [line.row] : []))
    expect(shown).toEqual([0, 1, 2, 3, 4, 5].filter((row) => !closed.includes(row < 3 ? 'is no' : row < 5 ? 'is yes' : 'none')))
  }
})

test('a heading alone stands for its group; in a range a closed one does, an open one is only passed', () => {
  const open = layoutOf(6, groups, new Set())
  expect(open.rows(0, 0)).toEqual([0, 3])
  expect(open.rows(2, 4)).toEqual([1, 3])
  expect(open.rows(2, 5)).toEqual([1, 4])
  const closed = layoutOf(6, groups, new Set(['is yes']))
  expect(closed.rows(2, 4)).toEqual([1, 5])
  expect(closed.lineOf(4)).toBe(4)
})
