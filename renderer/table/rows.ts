/** What the table fetches from the library: its columns, an arrangement of its rows, and the blocks of rows in view. */
import { keepPreviousData, queryOptions, useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { ColumnKey, EditReport, Row, TableQuery } from '../../app/contract/table.ts'
import type { RouteOutput } from '../../app/contract.ts'
import { problemOf } from '../../app/errors.ts'
import { call } from '../api.ts'
import { phrase, t, told } from '../i18n.ts'
import { confirmed } from '../parts/Confirm.tsx'
import { queryClient } from '../cache.ts'
import { tell, toast } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'

export const columnsQuery = queryOptions({ queryKey: ['table'], queryFn: () => call('table') })
export const useColumns = () => useQuery(columnsQuery)

export type Arranged = RouteOutput<'openTable'>

/** Rows come in blocks of this many. */
export const BLOCK = 100

interface Block {
  /** The index of its first row. */
  first: number
  rows: Row[]
}

const rowsQuery = (view: string, columns: string, block: number) =>
  queryOptions({
    queryKey: ['rows', view, columns, block],
    queryFn: async (): Promise<Block> => ({
      first: block * BLOCK,
      ...(await call('tableRows', { query: { view, from: block * BLOCK, to: (block + 1) * BLOCK, columns } })),
    }),
    gcTime: 60_000,
  })

/** The blocks on the screen. */
let inView: readonly number[] = [0]
export function nowInView(blocks: readonly number[]): void {
  inView = blocks
}

/**
 * The rows of a query, in an order that stays the same while their cells change. New clips are added at once if nothing is sorted, filtered
 * or grouped; otherwise `stale` says that the order could be refreshed. The result is on the screen as a whole: a newer order waits for its
 * rows.
 */
export function useArranged(query: TableQuery, columns: string) {
  const natural = query.picked === undefined && query.sort.length === 0 && query.filters.length === 0 && query.group === null
  const { data, error, isStale, isFetching, refetch } = useQuery({
    queryKey: ['arranged', natural ? 'natural' : 'asked', query],
    queryFn: () => call('openTable', { body: query }),
    placeholderData: keepPreviousData,
    refetchOnMount: natural,
    // However long a person looks at a clip, the table to return to is unchanged.
    gcTime: Infinity,
  })
  const [arranged, setArranged] = useState(data)
  useEffect(() => {
    if (data === undefined || data.view === arranged?.view) return
    let left = false
    void Promise.allSettled(inView.map((block) => queryClient.query(rowsQuery(data.view, columns, block)))).then(() => {
      if (!left) setArranged(data)
    })
    return () => {
      left = true
    }
    // Only a new order has to wait.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [data])
  return {
    arranged: arranged?.view === data?.view ? data : arranged,
    error,
    stale: isStale && !natural,
    busy: isFetching,
    again: () => void refetch(),
  }
}

/** The results for the requested blocks: rows by their place in the arrangement, and whether the backend has dropped that arrangement. */
function collected(results: UseQueryResult<Block>[]): { rows: ReadonlyMap<number, Row>; forgotten: boolean } {
  const rows = new Map<number, Row>()
  for (const { data } of results) for (const [offset, row] of (data?.rows ?? []).entries()) rows.set((data?.first ?? 0) + offset, row)
  return { rows, forgotten: results.some(({ error }) => error !== null && problemOf(error).code === 'not-found') }
}

/** The rows of some blocks. Blocks that are scrolled past quickly are not requested. */
export function useRows(view: string | undefined, columns: string, blocks: readonly number[], settled: boolean): ReadonlyMap<number, Row> {
  const { rows, forgotten } = useQueries({
    queries: view === undefined ? [] : blocks.map((block) => ({ ...rowsQuery(view, columns, block), enabled: settled })),
    combine: collected,
  })
  useEffect(() => {
    if (forgotten) void queryClient.invalidateQueries({ queryKey: ['arranged'] })
  }, [forgotten])
  return rows
}

/** Rows from `from` to before `to` of a view, in these columns. */
export interface Range {
  view: string
  from: number
  to: number
  columns: ColumnKey[]
}

/** What is to be written. `basedOn`: what the one cell said before, where somebody looked at it. */
interface Written {
  value?: string
  basedOn?: string
}

/** So many rows are compared with what the window shows of them; of more, most were never on the screen. */
const COMPARED = 1_000

/** What the window shows of each cell of a range, row by row; null for rows that it has not loaded. */
function seenIn({ view, from, to, columns }: Range): (string | null)[][] | undefined {
  if (to - from > COMPARED) return undefined
  const rows = new Map<number, Row>()
  for (const [, page] of queryClient.getQueriesData<Block>({ queryKey: ['rows', view] }))
    for (const [offset, row] of (page?.rows ?? []).entries()) rows.set((page?.first ?? 0) + offset, row)
  return Array.from({ length: to - from }, (_, at) => {
    const row = rows.get(from + at)
    return columns.map((key) => (row === undefined ? null : (row.cells[key]?.text ?? null)))
  })
}

export async function editCells(
  range: Range,
  action: 'accept' | 'reject' | 'reset' | 'set',
  { value, ...written }: Written = {},
  keepMine = false,
): Promise<void> {
  const basedOn = keepMine ? undefined : (written.basedOn ?? seenIn(range))
  const single = range.to - range.from === 1 && range.columns.length === 1
  // A single cell shows its new value at once; the change's event then brings what was stored. In bulk edits some cells may be left
  // unchanged.
  if (action === 'set' && value !== undefined && single) foresee(range, value)
  await reported(
    // What was left alone the first time is known to the person who is asked about it.
    (overturn) => call('editCells', { body: { ...range, action, overturn, value, basedOn: overturn ? undefined : basedOn } }),
    DONE[action],
    OVERTURN[action],
    action === 'set' && single,
    () => editCells(range, action, value === undefined ? {} : { value }, true),
  )
}

/** A bulk edit of which some cells had been decided otherwise: the wording of the question about them. */
export interface Overturning {
  text: (count: number) => string
  yes: (count: number) => string
}
const OVERTURN: Record<'accept' | 'reject' | 'reset' | 'set', Overturning> = {
  accept: {
    text: (count) => t('{{count}} cells had been rejected by a person, and were left as they are.', { count }),
    yes: (count) => t('Accept these {{count}} too', { count }),
  },
  reject: {
    text: (count) => t('{{count}} cells had been accepted or written by a person, and were left as they are.', { count }),
    yes: (count) => t('Reject these {{count}} too', { count }),
  },
  reset: {
    text: (count) => t('{{count}} cells had been decided by a person, and were left as they are.', { count }),
    yes: (count) => t('Take back these {{count}} decisions', { count }),
  },
  set: {
    text: (count) => t('{{count}} cells had been accepted or written by a person, and were left as they are.', { count }),
    yes: (count) => t('Write over these {{count}} too', { count }),
  },
}

/**
 * Run an edit. If it left cells as a person had decided them, say how many and ask whether to change them too.
 * @returns What was done in total.
 */
export async function askingFirst(edit: (overturn: boolean) => Promise<EditReport>, overturning: Overturning): Promise<EditReport> {
  const report = await inOrder(() => edit(false))
  const { kept } = report
  if (kept === 0 || !(await confirmed({ title: t('Decided otherwise before'), text: overturning.text(kept), yes: overturning.yes(kept) })))
    return report
  const more = await inOrder(() => edit(true))
  return { ...more, changed: report.changed + more.changed, kept: 0 }
}

/**
 * Of what two persons wrote, somebody decides who sees both: if an edit was refused because of that, say so and offer to make it all the same.
 * @returns Whether it was.
 */
export function askedWhose(error: unknown, id: string, keepMine: () => Promise<void>): boolean {
  const problem = problemOf(error)
  if (problem.field?.endsWith('basedOn') !== true) return false
  toast.warning(told(problem).message, { id, duration: Infinity, action: { label: t('Keep mine'), onClick: () => void keepMine() } })
  return true
}

const DONE = {
  accept: (count: number) => t('Accepted {{count}} cells', { count }),
  reject: (count: number) => t('Rejected {{count}} cells', { count }),
  reset: (count: number) => t('Reset {{count}} cells', { count }),
  set: (count: number) => t('Changed {{count}} cells', { count }),
}

export async function pasteCells(range: Range, cells: string[][], keepMine = false): Promise<void> {
  const basedOn = keepMine ? undefined : seenIn(range)
  await reported(
    (overturn) => call('pasteCells', { body: { ...range, cells, overturn, basedOn: overturn ? undefined : basedOn } }),
    (count) => t('Pasted {{count}} cells', { count }),
    OVERTURN.set,
    false,
    () => pasteCells(range, cells, true),
  )
}

function foresee({ view, from, to, columns }: Range, value: string): void {
  for (const [key, page] of queryClient.getQueriesData<Block>({ queryKey: ['rows', view] })) {
    if (page === undefined || page.first >= to || page.first + BLOCK <= from) continue
    const { first } = page
    const rows = page.rows.map((row, at) => {
      if (first + at < from || first + at >= to) return row
      const nothing = { agreement: null, machine: null, share: null, confidence: null }
      return {
        ...row,
        cells: {
          ...row.cells,
          ...Object.fromEntries(
            columns.map((column) => [
              column,
              { ...(row.cells[column] ?? nothing), text: value, notes: undefined, state: 'edited' as const },
            ]),
          ),
        },
      }
    })
    queryClient.setQueryData<Block>(key, { first, rows })
  }
}

const REASONS: Record<EditReport['refused'][number]['reason'], string> = {
  fixed: phrase('this column cannot be changed ({{n}})'),
  'not-yes-or-no': phrase('neither yes, no nor unsure ({{n}})'),
  'nothing-there': phrase('nothing there to decide about ({{n}})'),
  'no-clip': phrase('a video without clips ({{n}})'),
  beyond: phrase('beyond the end of the table ({{n}})'),
  'too-long': phrase('too long for a cell ({{n}})'),
  summary: phrase('sums up several clips ({{n}})'),
  guess: phrase('copied from a guess, which is no decision ({{n}})'),
}

/** The notice of an edit that changed nothing: only of use beside the cells that it is about. */
export const UNCHANGED = 'table-unchanged'

/** Report what an edit did and what it could not do, and offer undo. A single cell is not reported, since its change is visible. */
async function reported(
  edit: (overturn: boolean) => Promise<EditReport>,
  done: (count: number) => string,
  overturning: Overturning,
  quiet: boolean,
  again: () => Promise<void>,
): Promise<void> {
  try {
    const { changed, kept, refused } = await askingFirst(edit, overturning)
    void queryClient.invalidateQueries({ queryKey: ['history'] })
    const reasons = refused.map(
      ({ reason, cells, example }) =>
        `${t(REASONS[reason], { n: cells })}${example === '' ? '' : `: “${example.length > 40 ? `${example.slice(0, 40)}…` : example}”`}`,
    )
    if (kept > 0) reasons.push(t('decided otherwise by a person ({{n}})', { n: kept }))
    if (quiet && reasons.length === 0) return
    if (changed === 0 && reasons.length > 0) {
      toast.warning(`${t('Left as they were:')} ${reasons.join('; ')}`, { id: UNCHANGED })
      return
    }
    const description = reasons.length > 0 ? `${t('Left as they were:')} ${reasons.join('; ')}` : undefined
    const show = reasons.length > 0 ? toast.warning : toast
    const notice = { id: 'table', description, duration: reasons.length > 0 ? 12_000 : 4_000 }
    if (changed > 0) offerUndo(done(changed), notice, show)
    else show(done(changed), notice)
  } catch (error) {
    if (!askedWhose(error, 'table', again)) tell(error)
    void queryClient.invalidateQueries({ queryKey: ['rows'] })
  }
}

/**
 * Copy the whole range to the clipboard, including rows out of view; the text is fetched while the browser still accepts the key press as
 * the reason.
 */
export async function copyCells(range: Range): Promise<void> {
  try {
    const text = call('copyCells', { body: range }).then((copied) => new Blob([copied.text], { type: 'text/plain' }))
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': text })])
    toast(t('Copied {{count}} rows', { count: range.to - range.from }), { id: 'table' })
  } catch (error) {
    tell(error)
  }
}
