/** The question table: what a column, a row and a cell are, and the calls that fill, show, edit and keep it. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { ASCENDING, Id, route, whole } from './route.ts'
import { nearestOf } from './strict.ts'

/**
 * The columns that every row has without a question. `name` is the file, `time` the clip's span in it (for a video, how many clips it has).
 */
export const FACTS = ['name', 'time', 'length', 'review', 'caption', 'labels', 'note'] as const
export type Fact = (typeof FACTS)[number]

/** The key of a fact's column, or `q` and the id of a column that a person added. */
export const ColumnKey = z.string().regex(new RegExp(`^(${FACTS.join('|')}|q[1-9]\\d*)$`), {
  error: ({ input }) => `is no column (a fact, or q and the id of an added one); ${nearestOf(String(input), FACTS)}`,
})
export type ColumnKey = z.infer<typeof ColumnKey>

/** question: a free question. yesno: a question answered yes, no or unsure. count: how many things with a label. */
export const ColumnKind = z.enum(['question', 'yesno', 'count'])
export type ColumnKind = z.infer<typeof ColumnKind>

/** Something that a person wants to know about every clip. */
export const Column = z.object({
  id: z.number().int(),
  kind: ColumnKind,
  /** The question or the label, as typed. */
  text: z.string(),
  /** Whether clips that are analysed later fill it too. Off where only some clips were asked, or where filling was cancelled. */
  automatic: z.boolean(),
  /** Clips that have a value, and all clips that could have one. */
  filled: z.number().int(),
  of: z.number().int(),
})
export type Column = z.infer<typeof Column>

/**
 * How a cell stands: `sure` and `unsure` come from the model, the others from a person. `mixed`: the clips of a video differ. `blind`: the
 * detector cannot see such things, so it gives no count, not even 0. `unanswerable`: it was asked, and nothing can answer it.
 */
export const CELL_STATES = ['empty', 'sure', 'unsure', 'accepted', 'edited', 'rejected', 'mixed', 'blind', 'unanswerable'] as const
export const CellState = z.enum(CELL_STATES)
export type CellState = z.infer<typeof CellState>

const on = { key: ColumnKey }
export const Filter = z.discriminatedUnion('op', [
  z.object({ ...on, op: z.literal('contains'), text: z.string().max(300) }),
  /** One of these values, in any case. */
  z.object({ ...on, op: z.literal('is'), texts: z.array(z.string()).max(500) }),
  z.object({ ...on, op: z.enum(['empty', 'filled']) }),
  z.object({ ...on, op: z.literal('state'), states: z.array(CellState) }),
  z.object({ ...on, op: z.enum(['atLeast', 'atMost']), value: z.number() }),
  /** Calibrated probability 0..1; cells without one do not match. */
  z.object({ ...on, op: z.enum(['surerThan', 'lessSureThan']), value: z.number().min(0).max(1) }),
])
export type Filter = z.infer<typeof Filter>

/** Clips that were chosen on another page, kept under a number, so that a view that refers to them stays small. */
export const Picked = z.object({ id: z.number().int(), count: z.number().int() })
export type Picked = z.infer<typeof Picked>

const Sort = z.object({ ...on, by: z.enum(['value', 'confidence']), down: z.boolean() })
export type Sort = z.infer<typeof Sort>

/** Which rows, in what order. */
export const TableQuery = z.object({
  rows: z.enum(['clips', 'videos']),
  sort: z.array(Sort).max(4),
  filters: z.array(Filter).max(40),
  group: ColumnKey.nullable(),
  /** Only these clips, or only the videos that contain them. */
  picked: Picked.optional(),
})
export type TableQuery = z.infer<typeof TableQuery>

const ShownColumn = z.object({ ...on, width: z.number().int().min(40).max(2_000), hidden: z.boolean(), pinned: z.boolean() })
export type ShownColumn = z.infer<typeof ShownColumn>

/** The whole appearance of the table: what a saved view keeps. Columns in order, including hidden ones. */
export const TableSpec = TableQuery.extend({ columns: z.array(ShownColumn).max(400) })
export type TableSpec = z.infer<typeof TableSpec>

export const View = z.object({ id: z.number().int(), name: z.string(), spec: TableSpec })
export type View = z.infer<typeof View>

/**
 * Consecutive rows with one value, from row `start` of the view. `text` is null where there is no value; `others`: the one group of all
 * values beyond the largest groups. `unsure` counts those of the `count` rows of which the model is not sure.
 */
const Group = z.object({
  text: z.string().nullable(),
  others: z.boolean(),
  start: z.number().int(),
  count: z.number().int(),
  unsure: z.number().int(),
})
export type Group = z.infer<typeof Group>

export const Cell = z.object({
  text: z.string(),
  state: CellState,
  /** Calibrated probability 0..1 that the text is right; null where the model did not say it. */
  confidence: z.number().nullable(),
  /** Cosine of the text and the clip in the contrastive pass. */
  agreement: z.number().nullable(),
  /** The model's value, if the cell shows another. */
  machine: z.string().nullable(),
  /** Who decided it last, where that person gave a name, and when; only for clips. */
  decided: z.object({ by: z.string(), at: z.string() }).optional(),
  /** Why nothing can answer the question. */
  why: Problem.optional(),
  /** All notes of a clip, of which `text` is the first, each with the part of the video that it is about; null where it is about the whole clip. */
  notes: z.array(z.object({ text: z.string(), time: z.string().nullable() })).optional(),
  /** For a video: how many of its clips have this value, and how many have any. */
  share: z.tuple([z.number().int(), z.number().int()]).nullable(),
})
export type Cell = z.infer<typeof Cell>

export const Row = z.object({
  /** The first clip of a video; null where it has none. */
  clipId: z.number().int().nullable(),
  sourceId: z.number().int(),
  encoded: z.boolean(),
  cells: z.record(ColumnKey, Cell),
})
export type Row = z.infer<typeof Row>

/** Rows [from, to) of an opened view. */
const RowSpan = { view: z.string().max(64), from: whole(z.number().int().min(0)), to: whole(z.number().int().min(0)) }
export const Rows = z.object(RowSpan).refine(...ASCENDING)
/** Which clips: those named, or those of rows of an opened view; all if neither is given. */
const which = { clipIds: z.array(Id).min(1).optional(), rows: Rows.optional() }
const Range = z.object({ ...RowSpan, columns: z.array(ColumnKey).min(1).max(400) })

/**
 * What each cell of a range said when its edit was begun, row by row; null for a cell that nobody looked at. Where a person has written something else
 * since, nothing is changed (`conflict`).
 */
const CellsSeen = z.array(z.array(z.string().nullable()))

/** Why values could not be written, with the first one that was tried. */
const Refusal = z.object({
  reason: z.enum(['fixed', 'not-yes-or-no', 'nothing-there', 'no-clip', 'beyond', 'too-long', 'summary', 'guess']),
  cells: z.number().int(),
  example: z.string(),
})
/** `kept`: cells left alone because a person had decided the opposite. With `overturn` they are changed too. */
export const EditReport = z.object({
  changed: z.number().int(),
  unchanged: z.number().int(),
  kept: z.number().int(),
  refused: z.array(Refusal),
})
export type EditReport = z.infer<typeof EditReport>

/** Also change cells that a person decided otherwise. Without it they are left alone and counted. */
export const Overturn = z.boolean().default(false)

/** A list of column keys, as `columns=name,q3` in an address. */
const KeyList = z
  .string()
  .transform((list) => list.split(','))
  .pipe(z.array(ColumnKey).min(1).max(400))

export const tableRoutes = {
  table: route({
    method: 'get',
    path: '/api/table',
    summary: 'Columns that were added, saved views, and how the table was left',
    output: z.object({ columns: z.array(Column), views: z.array(View), current: TableSpec.nullable() }),
  }),
  addColumn: route({
    method: 'post',
    path: '/api/table/columns',
    summary:
      'Ask every clip a question, or count a label in each; answered from stored encodings as the queue reaches it. One that is there already goes on filling',
    body: z.object({ kind: ColumnKind, text: z.string().trim().min(1).max(300), ...which }),
    output: Column,
    errors: ['bad-request', 'not-found'],
  }),
  fillColumn: route({
    method: 'post',
    path: '/api/table/columns/{columnId}/fill',
    summary: 'Fill what is empty, in all clips (those to come too) or some',
    params: z.object({ columnId: Id }),
    body: z.object(which),
    output: Column,
    errors: ['not-found'],
  }),
  stopColumn: route({
    method: 'post',
    path: '/api/table/columns/{columnId}/stop',
    summary: 'Cancel its filling; what is filled stays',
    params: z.object({ columnId: Id }),
    output: Column,
    errors: ['not-found'],
  }),
  removeColumn: route({
    method: 'delete',
    path: '/api/table/columns/{columnId}',
    summary: 'Take a column away; its answers stay with their clips',
    params: z.object({ columnId: Id }),
    output: z.object({}),
    errors: ['not-found'],
  }),
  openTable: route({
    method: 'post',
    path: '/api/table/open',
    summary: 'Filter, sort and group; the order then stands still under its name until it is opened again',
    body: TableQuery,
    output: z.object({ view: z.string(), total: z.number().int(), of: z.number().int(), groups: z.array(Group).nullable() }),
    errors: ['bad-request', 'not-found'],
  }),
  tableRows: route({
    method: 'get',
    path: '/api/table/rows',
    summary: 'Some rows of an opened view',
    query: z.object({ ...RowSpan, columns: KeyList }).refine(...ASCENDING),
    output: z.object({ rows: z.array(Row) }),
    errors: ['bad-request', 'not-found'],
  }),
  tableValues: route({
    method: 'get',
    path: '/api/table/values',
    summary: 'The values of a column with how often each is there, commonest first',
    query: z.object({ key: ColumnKey, rows: TableQuery.shape.rows }),
    output: z.object({ values: z.array(z.object({ text: z.string(), count: z.number().int() })), distinct: z.number().int() }),
    errors: ['bad-request'],
  }),
  editCells: route({
    method: 'post',
    path: '/api/table/edit',
    summary:
      'Accept, reject, reset or set cells; one step of undo. Of many, those that a person decided otherwise are left alone and counted as `kept`, unless `overturn` says that they are meant too. With `basedOn` nothing is changed where a person has written something else since',
    body: Range.extend({
      action: z.enum(['accept', 'reject', 'reset', 'set']),
      value: z.string().max(10_000).optional(),
      /** One text is that of the one cell. */
      basedOn: z.union([z.string(), CellsSeen]).optional(),
      overturn: Overturn,
    }).refine(...ASCENDING),
    output: EditReport,
    errors: ['not-found', 'bad-request', 'conflict'],
  }),
  pasteCells: route({
    method: 'post',
    path: '/api/table/paste',
    summary:
      'Write values from a spreadsheet, row by row; one step of undo. What a person wrote or accepted is left alone and counted as `kept`, unless `overturn`',
    body: Range.extend({
      cells: z.array(z.array(z.string())).min(1).max(200_000),
      basedOn: CellsSeen.optional(),
      overturn: Overturn,
    }).refine(...ASCENDING),
    output: EditReport,
    errors: ['not-found', 'bad-request', 'conflict'],
  }),
  copyCells: route({
    method: 'post',
    path: '/api/table/copy',
    summary: 'Cells as tab-separated text',
    body: Range.refine(...ASCENDING),
    output: z.object({ text: z.string() }),
    errors: ['bad-request', 'not-found'],
  }),
  tableCsv: route({
    method: 'get',
    path: '/api/table/csv',
    summary: 'All rows of an opened view as CSV, with confidence and review beside each answer',
    query: z.object({ view: RowSpan.view, columns: KeyList }),
    bytes: 'text/csv',
    errors: ['bad-request', 'not-found'],
  }),
  saveView: route({
    method: 'put',
    path: '/api/table/views',
    summary: 'Keep a view under a name, in place of the one that has it; without a name, how the table is left',
    body: z.object({ name: z.string().trim().min(1).max(80).nullable(), spec: TableSpec }),
    output: z.object({ views: z.array(View) }),
  }),
  removeView: route({
    method: 'delete',
    path: '/api/table/views/{viewId}',
    summary: 'Forget a saved view',
    params: z.object({ viewId: Id }),
    output: z.object({ views: z.array(View) }),
    errors: ['not-found'],
  }),
} as const
