/** How the table looks, and what changes to it mean. */
import type { Column, ColumnKey, ShownColumn, Sort, TableQuery, TableSpec } from '../contract/table.ts'

export const START: TableSpec = {
  rows: 'clips',
  sort: [],
  filters: [],
  group: null,
  columns: [
    { key: 'name', width: 220, hidden: false, pinned: true },
    { key: 'time', width: 128, hidden: false, pinned: false },
    { key: 'length', width: 112, hidden: false, pinned: false },
    { key: 'review', width: 138, hidden: false, pinned: false },
    { key: 'caption', width: 300, hidden: false, pinned: false },
    { key: 'labels', width: 150, hidden: true, pinned: false },
    { key: 'note', width: 180, hidden: false, pinned: false },
  ],
}
const NEW_WIDTH = { question: 200, yesno: 150, count: 150 }

export const keyOf = ({ id }: Pick<Column, 'id'>): ColumnKey => `q${id}`

/** A spec as it can be shown now: without removed columns, and with new ones before the note. */
export function fitted(spec: TableSpec, columns: readonly Column[]): TableSpec {
  const there = new Set<ColumnKey>([...START.columns.map(({ key }) => key), ...columns.map(keyOf)])
  const known = spec.columns.filter(({ key }) => there.has(key))
  const has = new Set(known.map(({ key }) => key))
  const facts = START.columns.filter(({ key }) => !has.has(key))
  const added = columns
    .filter((column) => !has.has(keyOf(column)))
    .map((column): ShownColumn => ({ key: keyOf(column), width: NEW_WIDTH[column.kind], hidden: false, pinned: false }))
  const note = known.findLastIndex(({ key }) => key === 'note')
  const place = note === -1 ? known.length : note
  return {
    ...spec,
    columns: [...known.slice(0, place), ...added, ...known.slice(place), ...facts],
    sort: spec.sort.filter(({ key }) => there.has(key)),
    filters: spec.filters.filter(({ key }) => there.has(key)),
    group: spec.group !== null && there.has(spec.group) ? spec.group : null,
  }
}

/** Columns in the order shown, from left to right: pinned ones first. */
export function shown({ columns }: TableSpec): ShownColumn[] {
  const visible = columns.filter(({ hidden }) => !hidden)
  return [...visible.filter(({ pinned }) => pinned), ...visible.filter(({ pinned }) => !pinned)]
}

export function withColumn(spec: TableSpec, key: ColumnKey, change: Partial<ShownColumn>): TableSpec {
  return { ...spec, columns: spec.columns.map((column) => (column.key === key ? { ...column, ...change } : column)) }
}

/** Move a column to the place of another one. Moved across the border of the pinned columns, it becomes pinned or unpinned. */
export function moved(spec: TableSpec, key: ColumnKey, to: ColumnKey): TableSpec {
  const order = shown(spec).map((column) => column.key)
  const [from, at] = [order.indexOf(key), order.indexOf(to)]
  const column = spec.columns.find((candidate) => candidate.key === key)
  const target = spec.columns.find((candidate) => candidate.key === to)
  if (column === undefined || target === undefined || from === -1 || at === -1 || from === at) return spec
  const rest = spec.columns.filter((candidate) => candidate !== column)
  const place = rest.indexOf(target) + (from < at ? 1 : 0)
  return { ...spec, columns: [...rest.slice(0, place), { ...column, pinned: target.pinned }, ...rest.slice(place)] }
}

/** Sorting by a heading: up, down, not at all. `more` keeps the present sort keys in front of it. */
export function sortedBy(sort: readonly Sort[], key: ColumnKey, more: boolean): Sort[] {
  const now = sort.find((one) => one.key === key && one.by === 'value')
  const next: Sort[] = now === undefined ? [{ key, by: 'value', down: false }] : now.down ? [] : [{ key, by: 'value', down: true }]
  if (!more) return next
  return now === undefined ? [...sort, ...next] : sort.flatMap((one) => (one === now ? next : [one]))
}

export function queryOf({ rows, sort, filters, group, picked }: TableSpec): TableQuery {
  return { rows, sort, filters, group, ...(picked === undefined ? {} : { picked }) }
}
