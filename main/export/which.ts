/** Which clips to export: resolves clips, views, filters and searches. */
import type { Which } from '../../app/contract/export.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Library } from '../library/library.ts'
import type { Search } from '../search/search.ts'

/**
 * The clips that every part of `which` finds; undefined where it says nothing of clips.
 * @throws TubeletError `not-found` for a clip or a view that is not there, `bad-request` where nothing is found, and what a search throws.
 */
export async function chosenClips(
  library: Library,
  search: Search,
  { clipIds, search: sought, table, rows, view }: Which,
): Promise<number[] | undefined> {
  const parts: number[][] = []
  if (clipIds) {
    library.checkClips(clipIds)
    parts.push(clipIds)
  }
  if (sought) parts.push(await search.matching(sought.query, sought.filters))
  if (table) parts.push(await rowsOf(library, table))
  if (rows) parts.push((await library.table.ask('clips', rows)).clipIds.flat())
  if (view !== undefined) {
    const saved = library.table.views().find(({ name }) => name.toLowerCase() === view.trim().toLowerCase())
    if (saved === undefined) {
      const names = library.table.views().map(({ name }) => name)
      throw new TubeletError({
        code: 'not-found',
        message: 'There is no view “{{view}}”.',
        values: { view, views: names.join(', ') },
        next:
          names.length > 0
            ? 'Views are kept on the Table page. There are: {{views}}.'
            : 'Views are kept on the Table page; there is none yet.',
      })
    }
    parts.push(await rowsOf(library, saved.spec))
  }
  const chosenBy = Object.entries({ clipIds, search: sought, table, rows, view }).flatMap(([name, by]) => (by === undefined ? [] : [name]))
  const [first, ...rest] = parts
  if (first === undefined) return undefined
  const both = rest.map((ids) => new Set(ids)).reduce((ids, others) => ids.filter((id) => others.has(id)), first)
  if (both.length === 0)
    throw new TubeletError({
      code: 'bad-request',
      message: 'No clip is chosen by this, so there is nothing to export.',
      field: `body.${chosenBy.join(', body.')}`,
      next: 'Choose other clips, another search or another view.',
    })
  return both
}

async function rowsOf(library: Library, query: NonNullable<Which['table']>): Promise<number[]> {
  const { view, total } = await library.table.ask('open', {
    query: { rows: query.rows, sort: [], filters: query.filters, group: null, ...(query.picked ? { picked: query.picked } : {}) },
  })
  return total === 0 ? [] : (await library.table.ask('clips', { view, from: 0, to: total })).clipIds.flat()
}
