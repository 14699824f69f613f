/** Rows and group headings as one list from top to bottom, computed without building the list: a view may have a million rows. */
import type { Group } from '../contract/table.ts'

type Line = { type: 'row'; row: number; group: Group | null } | { type: 'group'; group: Group; open: boolean }

export interface Layout {
  count: number
  at: (line: number) => Line | null
  /** The line of a row, or of its group's heading if the group is closed. */
  lineOf: (row: number) => number
  /**
   * The rows [from, to) that lines `from` to `to`, both included, stand for. The heading of a closed group stands for its rows; that of an
   * open group only if it is the only line.
   */
  rows: (from: number, to: number) => readonly [from: number, to: number]
}

/** The key under which a closed group is remembered. */
export function groupName({ text, others }: Group): string {
  return others ? 'others' : text === null ? 'none' : `is ${text}`
}

/** @param closed Names of the groups whose rows are hidden. */
export function layoutOf(total: number, groups: readonly Group[] | null, closed: ReadonlySet<string>): Layout {
  const headings = (groups ?? []).map((group) => ({ group, open: !closed.has(groupName(group)), line: 0 }))
  let count = groups === null ? total : 0
  for (const heading of headings) {
    heading.line = count
    count += 1 + (heading.open ? heading.group.count : 0)
  }
  /** The last heading whose `place` is not after `value`. */
  const headingAt = (value: number, place: (heading: (typeof headings)[number]) => number) => {
    let [low, high] = [0, headings.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      const heading = headings[middle]
      if (heading !== undefined && place(heading) <= value) low = middle
      else high = middle - 1
    }
    return headings[low]
  }
  const at = (line: number): Line | null => {
    if (line < 0 || line >= count) return null
    const heading = headingAt(line, (candidate) => candidate.line)
    if (heading === undefined) return { type: 'row', row: line, group: null }
    const { group, open } = heading
    return line === heading.line ? { type: 'group', group, open } : { type: 'row', row: group.start + line - heading.line - 1, group }
  }
  return {
    count,
    at,
    lineOf: (row) => {
      const heading = headingAt(row, ({ group }) => group.start)
      return heading === undefined ? row : heading.line + (heading.open ? 1 + row - heading.group.start : 0)
    },
    rows: (from, to) => {
      const [first, last] = [at(from), at(to)]
      if (first === null || last === null) return [0, 0]
      const start = first.type === 'row' ? first.row : first.group.start
      const whole = last.type === 'group' && (!last.open || from === to)
      return [start, last.type === 'row' ? last.row + 1 : last.group.start + (whole ? last.group.count : 0)]
    },
  }
}
