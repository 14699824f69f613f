/**
 * Tables as CSV: RFC 4180, UTF-8, `.` decimals. docs/exports.md describes the columns.
 *
 * A text that a spreadsheet would run as a formula gets an apostrophe in front, which reading removes (guard.ts). A text that programs read as
 * "missing" (NA, None, null) is quoted. An empty cell is null, a quoted empty cell an empty text.
 */
import { type Annotation, ReviewState, type Span } from '../annotation.ts'
import { secondsOf } from '../media.ts'
import { type Standing, standingOfAnnotation } from '../review.ts'
import { clipTimes, decodedPicture, machineEvidence, spokenIn, trackedObjects, wellFormed } from './document.ts'
import type { Film, Format } from './document.ts'
import { fault, type Found, numberIn, scoreOf, type VideoFound } from './found.ts'
import { phrase } from '../phrase.ts'
import { guarded, unguarded } from './guard.ts'

export type Columns = Readonly<Record<string, 'text' | 'number'>>
export type Row<C extends Columns> = { [K in keyof C]: (C[K] extends 'text' ? string : number) | null }

/** What pandas, R and others read as "missing" unless it is quoted or they are told otherwise. */
const MISSING = /^(?:#N\/A(?: N\/A)?|#NA|-?1\.#(?:IND|QNAN)|-?nan|<NA>|N\/A|NA|null|none)$/i

interface Table<C extends Columns> {
  write: (rows: Iterable<Row<C>>) => Iterable<string>
  read: (chunks: Iterable<string>) => Iterable<Row<C>>
}

/** Writer and reader of a table whose columns have these names, in this order. */
export function table<C extends Columns>(columns: C): Table<C> {
  const names = Object.keys(columns)
  return {
    *write(rows) {
      yield csvLine(names)
      // Most cells repeat the row before.
      const values: (string | number | null)[] = names.map(() => null)
      const cells: string[] = names.map(() => '')
      for (const row of rows) {
        for (let at = 0; at < names.length; at++) {
          const value = row[names[at] ?? ''] ?? null
          if (value === values[at]) continue
          values[at] = value
          cells[at] = cellOf(value)
        }
        yield `${cells.join(',')}\r\n`
      }
    },
    *read(chunks) {
      let count = -1
      let before: Record<string, string | number | null> = Object.fromEntries(names.map((name) => [name, null]))
      let last: Cell[] = names.map(() => null)
      for (const cells of recordsOf(chunks)) {
        count += 1
        if (count === 0) {
          if (cells.join() !== names.join()) throw new SyntaxError(`The columns must be ${names.join(', ')}.`)
          continue
        }
        if (cells.length !== names.length) throw new SyntaxError(`Row ${count} has ${cells.length} cells, not ${names.length}.`)
        // Copied as a whole, as only some of its cells differ.
        const row = { ...before }
        for (let at = 0; at < names.length; at++) {
          const cell = cells[at] ?? null
          if (cell === last[at]) continue
          const name = names[at] ?? ''
          row[name] = valueOf(cell, columns[name])
        }
        before = row
        last = cells
        yield row as Row<C>
      }
      if (count === -1) throw new SyntaxError(`The columns must be ${names.join(', ')}.`)
    },
  }
}

/** One line of a table whose columns are not known in advance, with its line break. */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(cellOf).join(',')}\r\n`
}

function cellOf(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = guarded(value)
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) || MISSING.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The text of a cell, without its quotes; null for an empty one that has none. */
type Cell = string | null

function valueOf(cell: Cell | undefined, type: 'text' | 'number' | undefined): string | number | null {
  if (cell == null) return null
  if (type === 'text') return unguarded(cell)
  const number = Number(cell)
  if (!Number.isFinite(number)) throw new SyntaxError(`${cell} is not a number.`)
  return number
}

/** The longest record, in characters: a longer one has a quote that does not end. */
const LONGEST = 1 << 24

/** What stands between the cells: Excel writes semicolons where the decimal sign is a comma, as in German. */
const SEPARATORS = [',', ';', '\t'] as const
type Separator = (typeof SEPARATORS)[number]

/** Records of a table as chunks arrive; a record whose end has not arrived waits for more text. */
export function* recordsOf(chunks: Iterable<string>, separator: Separator = ','): Generator<Cell[]> {
  let text = ''
  let isFirst = true
  function* records(isLast: boolean): Generator<Cell[]> {
    let from = 0
    let quote = text.indexOf('"')
    while (from < text.length) {
      if (quote !== -1 && quote < from) quote = text.indexOf('"', from)
      const line = text.indexOf('\n', from)
      if (line === -1 && quote === -1 && !isLast) break
      const isPlain = quote === -1 || (line !== -1 && line < quote)
      const record = isPlain ? plainRecord(text, from, line, separator) : quotedRecord(text, from, isLast, separator)
      if (record === null) break
      yield record.cells
      from = record.end
    }
    text = text.slice(from)
  }
  for (const chunk of chunks) {
    text += isFirst ? chunk.replace(/^\uFEFF/, '') : chunk
    isFirst &&= chunk === ''
    yield* records(false)
    if (text.length > LONGEST) throw new SyntaxError(`A quote does not end: “${text.slice(0, 20)}”.`)
  }
  yield* records(true)
}

/** The record without a quote that begins at `from`. @param line Where its line feed is; -1 where the text ends without one. */
function plainRecord(text: string, from: number, line: number, separator: Separator): { cells: Cell[]; end: number } {
  const until = line === -1 ? text.length : text[line - 1] === '\r' && line > from ? line - 1 : line
  const own = text.slice(from, until)
  if (own.includes('\r')) throw misplaced(own)
  const cells: Cell[] = own.split(separator)
  for (let at = 0; at < cells.length; at++) if (cells[at] === '') cells[at] = null
  return { cells, end: line === -1 ? text.length : line + 1 }
}

/** The record that begins at `from`; null where its end has not arrived. */
function quotedRecord(text: string, from: number, isLast: boolean, separator: Separator): { cells: Cell[]; end: number } | null {
  const cells: Cell[] = []
  for (let at = from; ; ) {
    const begins = at
    if (text[at] === '"') {
      at = text.indexOf('"', at + 1)
      while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2)
      if (at === -1 && !isLast) return null
      if (at === -1) throw misplaced(text.slice(begins))
      cells.push(text.slice(begins + 1, at).replaceAll('""', '"'))
      at += 1
    } else {
      while (at < text.length && text[at] !== separator && !PLAIN_ENDS.has(text.charCodeAt(at))) at += 1
      cells.push(at === begins ? null : text.slice(begins, at))
    }
    const line = text[at] === '\r' ? at + 1 : at
    // What follows has not arrived: a second quote, or a line feed.
    if (line >= text.length && !isLast) return null
    if (at === text.length) return { cells, end: at }
    if (text[line] === '\n') return { cells, end: line + 1 }
    if (text[at] !== separator) throw misplaced(text.slice(begins))
    at += 1
  }
}

/** Where a cell without quotes ends but for its separator: a line break, or a quote, which is out of its place. */
const PLAIN_ENDS = new Set(['\r', '\n', '"'].map((sign) => sign.charCodeAt(0)))

function misplaced(near: string): SyntaxError {
  return new SyntaxError(`A quote is out of its place near “${near.slice(0, 20)}”.`)
}

const video = { video_fingerprint: 'text', video_path: 'text' } as const
const decision = {
  state: 'text',
  review: 'text',
  pack_id: 'text',
  pack_version: 'text',
  pack_digest: 'text',
  provider: 'text',
  prompt: 'text',
  app_version: 'text',
  made_at: 'text',
  decided_by: 'text',
  decided_at: 'text',
} as const
const boxColumns = {
  ...video,
  frame: 'number',
  pts: 'number',
  timebase_num: 'number',
  timebase_den: 'number',
  time_s: 'number',
  track_id: 'number',
  label: 'text',
  score: 'number',
  observed: 'number',
  occluded: 'number',
  x1: 'number',
  y1: 'number',
  x2: 'number',
  y2: 'number',
  width: 'number',
  height: 'number',
  ...decision,
} as const
const spanColumns = {
  ...video,
  clip_id: 'number',
  annotation_id: 'number',
  kind: 'text',
  start_s: 'number',
  end_s: 'number',
  start_frame: 'number',
  end_frame: 'number',
  text: 'text',
  question: 'text',
  machine_text: 'text',
  confidence: 'number',
  unsure: 'number',
  agreement: 'number',
  ...decision,
} as const

/**
 * boxes.csv: one row for each box on a frame, in pixels of the decoded picture, which is `width` by `height`. `observed` is 0 where the box
 * is interpolated, `occluded` 1 where something stands in front of the object.
 */
export const boxes: Format<Film, Row<typeof boxColumns>> & { columns: typeof boxColumns } = {
  columns: boxColumns,
  *pieces(film) {
    const { probe } = film.source
    const [named, timeBase, picture] = [
      videoOf(film),
      { timebase_num: probe.timeBase.num, timebase_den: probe.timeBase.den },
      decodedPicture(probe),
    ]
    for (const { id, category, review, boxes: all, ...made } of trackedObjects(film)) {
      // In the order of the columns, and copied as a whole for each box.
      const shared = {
        ...named,
        ...{ frame: 0, pts: 0, ...timeBase, time_s: 0 },
        ...{ track_id: id, label: category.name, score: null, observed: 0, occluded: 0, x1: 0, y1: 0, x2: 0, y2: 0 },
        ...picture,
        ...wellFormed(decisionOf(made, review)),
      }
      for (const { frame, pts, x1, y1, x2, y2, score, observed, occluded } of all) {
        const flags = { observed: Number(observed), occluded: Number(occluded) }
        yield { ...shared, frame, pts, time_s: secondsOf(pts, probe), score, ...flags, x1, y1, x2, y2 }
      }
    }
  },
  ...table(boxColumns),
}

/**
 * spans.csv: one row for each clip (kind shot, window or marked; annotation_id 0) and one for each caption, answer, note, segment and line
 * of text on screen, with its span.
 */
export const spans: Format<Film, Row<typeof spanColumns>> & { columns: typeof spanColumns } = {
  columns: spanColumns,
  *pieces(film) {
    const named = videoOf(film)
    for (const clip of film.clips) {
      const spanOf = (part: Span = clip) => {
        const { start, end } = clipTimes(clip, film, part)
        return { start_s: start, end_s: end, start_frame: part.startFrame, end_frame: part.endFrame }
      }
      const unsaid = { text: null, question: null, machine_text: null, confidence: null, unsure: 0, agreement: null }
      yield { ...named, clip_id: clip.id, annotation_id: 0, kind: clip.kind, ...spanOf(), ...unsaid, ...decisionOf(null, null) }
      for (const { annotation, body } of spokenIn(film, clip, 'caption', 'answer', 'note', 'segment', 'text')) {
        const evidence = machineEvidence(annotation)
        yield wellFormed({
          ...named,
          clip_id: clip.id,
          annotation_id: annotation.id,
          kind: body.kind,
          ...spanOf('span' in body ? body.span : undefined),
          text: body.text,
          question: body.kind === 'answer' ? body.question : null,
          machine_text: annotation.machine && annotation.machine.kind !== 'track' ? annotation.machine.text : null,
          confidence: evidence?.confidence ?? null,
          unsure: Number(evidence?.unsure ?? false),
          agreement: evidence?.agreement ?? null,
          ...decisionOf(annotation, standingOfAnnotation(annotation)),
        })
      }
    }
  },
  ...table(spanColumns),
}

function videoOf({ source }: Film): Row<typeof video> {
  return wellFormed({ video_fingerprint: source.fingerprint, video_path: source.path })
}

/** After the source of a statement that rests on what people drew or decided too. */
const WITH_PEOPLE = ', with what people decided'

type Decided = Pick<Annotation, 'state' | 'provenance'> & { by?: string | undefined; decidedAt?: string | undefined }

function decisionOf(decided: Decided | null, review: Standing | null): Row<typeof decision> {
  const made = decided?.provenance
  return {
    state: decided?.state ?? null,
    review,
    pack_id: made ? `${made.packId}${made.people ? WITH_PEOPLE : ''}` : null,
    pack_version: made?.packVersion ?? null,
    pack_digest: made?.packDigest ?? null,
    provider: made?.provider ?? null,
    prompt: made?.prompt ?? null,
    app_version: made?.appVersion ?? null,
    made_at: made?.at ?? null,
    decided_by: decided?.by ?? null,
    decided_at: decided?.decidedAt ?? null,
  }
}

// ── reading for an import

/** A row of a table whose columns may be more, fewer or in another order. */
export interface LooseRow {
  line: number
  text: (name: string) => string | undefined
  number: (name: string) => number | null
}

function* looseRows(open: () => Iterable<string>, needed: readonly string[]): Generator<LooseRow> {
  const separator = separatorOf(firstLine(open()), needed)
  let names: Map<string, number> | null = null
  let line = 1
  for (const cells of recordsOf(open(), separator)) {
    const at = line
    line += 1 + cells.reduce((sum, cell) => sum + (cell?.includes('\n') ? cell.split('\n').length - 1 : 0), 0)
    if (names === null) {
      names = new Map(cells.map((cell, i) => [(cell ?? '').trim(), i]))
      const missing = needed.filter((name) => names?.has(name) === false)
      if (missing.length > 0) throw new SyntaxError(`These columns are missing: ${missing.join(', ')}.`)
      continue
    }
    if (cells.length === 1 && !cells[0]) continue
    const columns = names
    const cell = (name: string) => cells[columns.get(name) ?? -1]
    yield {
      line: at,
      text: (name) => {
        const value = valueOf(cell(name), 'text')
        return typeof value === 'string' ? value : undefined
      },
      number: (name) => numberIn((separator === ',' ? cell(name) : cell(name)?.replace(',', '.')) ?? undefined),
    }
  }
  if (names === null) throw new SyntaxError(phrase('The file is empty.'))
}

/** The columns without which a row says nothing. */
const NEEDED = {
  boxes: ['frame', 'label', 'x1', 'y1', 'x2', 'y2'],
  spans: ['kind', 'start_frame', 'end_frame', 'text'],
} as const

/** Which of the two tables a line of column names begins; null for neither. */
export function tableOf(head: string): keyof typeof NEEDED | null {
  const found = (['boxes', 'spans'] as const).find((table) => hasColumns(head, separatorOf(head, NEEDED[table]), NEEDED[table]))
  return found ?? null
}

/** What stands between the names of columns, by those that must be among them. */
function separatorOf(head: string, needed: readonly string[]): Separator {
  return SEPARATORS.find((separator) => hasColumns(head, separator, needed)) ?? ','
}

function hasColumns(head: string, separator: Separator, needed: readonly string[]): boolean {
  const names = new Set(
    head
      .replace(/^\uFEFF/, '')
      .split(separator)
      .map((name) => name.trim().replaceAll('"', '')),
  )
  return needed.every((name) => names.has(name))
}

function firstLine(chunks: Iterable<string>): string {
  let text = ''
  for (const chunk of chunks) {
    text += chunk
    if (/[\r\n]/.test(text) || text.length > LONGEST) break
  }
  return text.split(/[\r\n]/, 1)[0] ?? ''
}

/** A table of boxes, also one without the columns that only Tubelet writes. @throws SyntaxError */
export function readBoxes(open: () => Iterable<string>): Generator<Found> {
  return foundInBoxes(looseRows(open, NEEDED.boxes))
}

export function* foundInBoxes(rows: Iterable<LooseRow>): Generator<Found> {
  const known = new Set<string>()
  for (const row of rows) {
    const [frame, x1, y1, x2, y2] = ['frame', 'x1', 'y1', 'x2', 'y2'].map(row.number)
    const label = row.text('label')
    if (frame == null || x1 == null || y1 == null || x2 == null || y2 == null || label === undefined) {
      yield fault('A box needs a frame, a label and four numbers.', row.line)
      continue
    }
    const { key, video } = videoIn(row)
    if (!known.has(key)) {
      known.add(key)
      yield { ...video, width: row.number('width') ?? undefined, height: row.number('height') ?? undefined, gaps: 'empty' }
    }
    const track = row.text('track_id')
    yield {
      type: 'box',
      video: key,
      track: track === undefined ? null : `${track} ${label}`,
      label,
      frame,
      box: { x1, y1, x2, y2 },
      score: scoreOf(row.number('score')),
      observed: row.text('observed') !== '0',
      occluded: row.text('occluded') === '1',
      outside: false,
      state: stateIn(row),
      line: row.line,
    }
  }
}

/** A table of captions, answers and notes. @throws SyntaxError */
export function readSpans(open: () => Iterable<string>): Generator<Found> {
  return foundInSpans(looseRows(open, NEEDED.spans))
}

export function* foundInSpans(rows: Iterable<LooseRow>): Generator<Found> {
  const known = new Set<string>()
  for (const row of rows) {
    const { key, video } = videoIn(row)
    if (!known.has(key)) {
      known.add(key)
      yield video
    }
    const [kind, startFrame, endFrame] = [row.text('kind'), row.number('start_frame'), row.number('end_frame')]
    // The rows of the clips themselves, which the analysis finds again.
    if (row.number('annotation_id') === 0) continue
    if (kind === 'text') yield fault('A table has no place for where a line of text stands on the picture: JSON Lines has it.', row.line)
    else if (kind !== 'caption' && kind !== 'segment' && kind !== 'note' && kind !== 'answer')
      yield fault('“{{kind}}” is no kind of annotation.', row.line, { kind: kind ?? '' })
    else if (startFrame === null || endFrame === null || endFrame <= startFrame)
      yield fault('It needs a first frame, and an end after that.', row.line)
    else {
      const text = row.text('text')
      if (text === undefined || text.trim() === '') continue
      yield {
        type: 'text',
        kind,
        video: key,
        text,
        ...(kind === 'answer' && { question: row.text('question') ?? '' }),
        frames: { startFrame, endFrame },
        ms: null,
        state: stateIn(row),
        line: row.line,
      }
    }
  }
}

function videoIn(row: LooseRow): { key: string; video: VideoFound } {
  const [fingerprint, path] = [row.text('video_fingerprint'), row.text('video_path')]
  const key = `${fingerprint ?? ''} ${path ?? ''}`.trim()
  return {
    key,
    video: { type: 'video', key, path, fingerprint, name: path?.split(/[\\/]/).at(-1), firstFrame: 0, firstPixel: 0 },
  }
}

function stateIn(row: LooseRow): ReviewState | null {
  const state = ReviewState.safeParse(row.text('state'))
  return state.success ? state.data : null
}
