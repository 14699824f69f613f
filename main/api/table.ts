/** The calls of the question table. */
import { Readable } from 'node:stream'
import { nearestField } from '../../app/contract/strict.ts'
import { type CellState, type Column, type ColumnKey, FACTS, type TableQuery, type tableRoutes } from '../../app/contract/table.ts'
import { TubeletError } from '../../app/errors.ts'
import { csvLine } from '../../app/formats/csv.ts'
import { notesText } from '../../app/table/facts.ts'
import type { KeptColumn } from '../library/rows.ts'
import { editCells } from '../library/table-edits.ts'
import type { TableTasks } from '../library/table-worker.ts'
import type { Handlers, Services } from './handler.ts'

/** Rows that are written to a CSV file at a time. */
const CSV_ROWS = 1_000
/** The texts of a CSV file's review column. */
const STANDINGS: Readonly<Record<CellState, string | null>> = {
  empty: null,
  sure: 'not reviewed',
  unsure: 'not sure',
  accepted: 'accepted',
  edited: 'edited',
  rejected: 'rejected',
  mixed: 'mixed',
  blind: 'cannot see',
  unanswerable: 'cannot answer',
}
const FACT_TITLES: Readonly<Record<string, string>> = {
  name: 'Video',
  time: 'Time',
  length: 'Length',
  review: 'Review',
  caption: 'Caption',
  labels: 'Labels',
  note: 'Note',
}

export function tableHandlers({ pipeline, jobs, status }: Services): Handlers<keyof typeof tableRoutes> {
  const { library } = pipeline
  const { table } = library

  const counted = async (columns: readonly KeptColumn[]): Promise<Column[]> => {
    const filled = await table.ask('filled', { digest: (await status()).packs.answer?.digest ?? null })
    return columns.map((column) => ({ ...column, ...(filled.get(column.id) ?? { filled: 0, of: 0 }) }))
  }
  const one = async (id: number): Promise<Column> => {
    const [column] = await counted([table.column(id)])
    if (column === undefined) throw new Error('a column was not counted')
    return column
  }

  const clipsOf = async ({ clipIds, rows }: { clipIds?: number[] | undefined; rows?: TableTasks['clips']['args'] | undefined }) => {
    library.checkClips(clipIds ?? [])
    return rows === undefined ? clipIds : (await table.ask('clips', rows)).clipIds.flat()
  }
  /** @throws TubeletError `bad-request` for the key of a column that is not there. */
  const checkColumns = (field: string, keys: readonly ColumnKey[]): void => {
    const known = [...FACTS, ...table.columns().map(({ id }) => `q${id}`)]
    const at = keys.findIndex((key) => !known.includes(key))
    const unknown = keys[at]
    if (unknown === undefined) return
    const nearest = nearestField(unknown, known)
    throw new TubeletError({
      code: 'bad-request',
      message:
        nearest === null
          ? 'There is no column “{{column}}”; there are {{columns}}.'
          : 'There is no column “{{column}}”; the nearest is “{{nearest}}”.',
      values: { column: unknown, nearest: nearest ?? '', columns: known.join(', ') },
      field: field.replace('*', String(at)),
      next: 'Columns are named by what they show, those that were added by q and their id.',
    })
  }
  const checkQuery = ({ sort, filters, group, picked }: TableQuery): void => {
    checkColumns(
      'body.sort.*.key',
      sort.map(({ key }) => key),
    )
    checkColumns(
      'body.filters.*.key',
      filters.map(({ key }) => key),
    )
    if (group !== null) checkColumns('body.group', [group])
    if (picked !== undefined) table.checkPick(picked.id)
  }
  const titleOf = (column: KeptColumn | undefined) => (column?.kind === 'count' ? `${column.text} (most at once)` : column?.text)
  /** The heading of a column as the window has it in English. */
  const title = (key: ColumnKey, rows: TableQuery['rows']) =>
    (rows === 'videos' && key === 'time' ? 'Clips' : FACT_TITLES[key]) ?? titleOf(table.columns().find(({ id }) => `q${id}` === key)) ?? key
  /** Whether a video's cell says what holds for some of its clips: the file says of how many, as the window does. */
  const hasShare = (key: ColumnKey, rows: TableQuery['rows']) => rows === 'videos' && key !== 'name' && key !== 'time' && key !== 'length'
  const hasEvidence = (key: ColumnKey) => key === 'caption' || !FACTS.some((fact) => fact === key)

  return {
    table: async () => ({ columns: await counted(table.columns()), views: table.views(), current: table.current() }),
    addColumn: async ({ body: { kind, text, ...which } }) => {
      const { id } = await jobs.addColumn(kind, text, await clipsOf(which))
      return one(id)
    },
    fillColumn: async ({ params: { columnId }, body }) => {
      jobs.fillColumn(table.column(columnId), await clipsOf(body))
      return one(columnId)
    },
    stopColumn: async ({ params: { columnId } }) => {
      jobs.stopColumn(table.column(columnId).id)
      return one(columnId)
    },
    removeColumn: ({ params: { columnId } }) => {
      jobs.removeColumn(columnId)
      return {}
    },

    openTable: ({ body }) => {
      checkQuery(body)
      return table.ask('open', { query: body })
    },
    tableRows: async ({ query }) => {
      checkColumns('query.columns.*', query.columns)
      return { rows: await table.ask('rows', query) }
    },
    tableValues: ({ query }) => {
      checkColumns('query.key', [query.key])
      return table.ask('values', query)
    },
    editCells: ({ body: { action, value, basedOn: seen, overturn, ...range } }) => {
      checkColumns('body.columns.*', range.columns)
      const basedOn = typeof seen === 'string' ? [[seen]] : seen
      if (action !== 'set') return editCells(library, range, { action, basedOn, overturn })
      if (value === undefined)
        throw new TubeletError({ code: 'bad-request', message: 'A value is needed to set cells.', field: 'body.value' })
      return editCells(library, range, { value, basedOn, overturn })
    },
    pasteCells: ({ body: { cells, basedOn, overturn, ...range } }) => {
      checkColumns('body.columns.*', range.columns)
      return editCells(library, range, { cells, basedOn, overturn })
    },
    copyCells: async ({ body }) => {
      checkColumns('body.columns.*', body.columns)
      return { text: await table.ask('tsv', body) }
    },
    tableCsv: async ({ query: { view, columns } }) => {
      checkColumns('query.columns.*', columns)
      // Read before the response begins, so that a view that no longer exists gives an error and not half a file.
      const first = await table.ask('rows', { view, from: 0, to: CSV_ROWS, columns })
      const kind = await table.ask('kind', { view })
      const headings = columns.flatMap((key) => {
        const name = title(key, kind)
        return [
          name,
          ...(hasEvidence(key) ? [`${name} (confidence)`, `${name} (review)`] : []),
          ...(hasShare(key, kind) ? [`${name} (clips)`] : []),
        ]
      })
      const lines = (rows: typeof first) =>
        rows.map(({ cells }) =>
          csvLine(
            columns.flatMap((key) => {
              const { text = null, state, confidence = null, notes, share = null } = cells[key] ?? {}
              const value = state === 'rejected' || text === '' ? null : notes ? notesText(notes) : text
              return [
                value,
                ...(hasEvidence(key) ? [confidence, state === undefined ? null : STANDINGS[state]] : []),
                ...(hasShare(key, kind) ? [share && `${share[0]} of ${share[1]}`] : []),
              ]
            }),
          ),
        )
      async function* file() {
        // Excel needs the byte order mark to read a file as UTF-8.
        yield Buffer.from(`\uFEFF${csvLine(headings)}`)
        for (let from = 0, rows = first; rows.length > 0; rows = await table.ask('rows', { view, from, to: from + CSV_ROWS, columns })) {
          yield Buffer.from(lines(rows).join(''))
          from += CSV_ROWS
        }
      }
      return new Response(Readable.toWeb(Readable.from(file())) as ReadableStream<Uint8Array>, {
        headers: { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="tubelet-table.csv"' },
      })
    },

    saveView: ({ body: { name, spec } }) => {
      table.saveView(name, spec)
      return { views: table.views() }
    },
    removeView: ({ params: { viewId } }) => {
      table.removeView(viewId)
      return { views: table.views() }
    },
  }
}
