/**
 * The table in a worker thread: it reads the library through its own connection, keeps columns in memory, and gives each arrangement (rows filtered,
 * sorted and grouped) a name by which rows can be read. The arrangement of a name never changes. Columns on the screen are read ahead, a part
 * at a time between tasks, so that they are there for the first sort, filter or group.
 */
import path from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { SourceState } from '../../app/contract.ts'
import type { ReviewState, TrackBody } from '../../app/annotation.ts'
import {
  type Cell,
  type CellState,
  type ColumnKey,
  type ColumnKind,
  FACTS,
  type Group,
  type Row,
  type TableQuery,
} from '../../app/contract/table.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { mostAtOnce } from '../../app/facts/facts.ts'
import type { ThingTrack } from '../../app/facts/input.ts'
import { SURE } from '../../app/facts/reliability.ts'
import { noneCounted } from '../../app/facts/scene.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { arrange, Cells, reviewed, summarised, valuesOf } from '../../app/table/cells.ts'
import { lengthText, notesText, timeText } from '../../app/table/facts.ts'
import { doubted, labelText, reviewOf, standingOf } from '../../app/review.ts'
import { looksYesNo, topicOf, yesNo } from '../../app/table/question.ts'
import { toTsv } from '../../app/table/tsv.ts'
import { clipped } from '../../app/tracker.ts'
import { namesOf, shows } from '../../app/naming.ts'
import { labelNamed, oneLine, phrasesOf } from '../../app/vocabulary.ts'
import { classesOf, THINGS } from '../../app/words.ts'
import { serve } from '../channel.ts'
import { frameTimes } from './frame-times.ts'
import { keyOf } from './detections.ts'
import { onTracks, storedVocabulary } from './spelling.ts'
import { ELSEWHERE } from './reach.ts'
import { ANALYSED, REVIEWED, UNSURE_NAME } from './rows.ts'
import { Seen } from './seen.ts'
import { Titles } from './titles.ts'

export interface TableTasks {
  open: { args: { query: TableQuery }; result: { view: string; total: number; of: number; groups: Group[] | null } }
  rows: { args: { view: string; from: number; to: number; columns: readonly ColumnKey[] }; result: Row[] }
  kind: { args: { view: string }; result: TableQuery['rows'] }
  /** The clips of each row: one clip, or all clips of a video. */
  clips: { args: { view: string; from: number; to: number }; result: { clipIds: number[][]; total: number } }
  values: { args: { key: ColumnKey; rows: TableQuery['rows'] }; result: { values: { text: string; count: number }[]; distinct: number } }
  tsv: { args: { view: string; from: number; to: number; columns: readonly ColumnKey[] }; result: string }
  /** By column id: how many clips have a value, of how many that could have one. */
  filled: { args: { digest: string | null }; result: Map<number, { filled: number; of: number }> }
}
/** `changed`: clips that changed since the last task; null for all. */
export type TableService = {
  [O in keyof TableTasks]: { input: { args: TableTasks[O]['args']; changed: number[] | null }; output: TableTasks[O]['result'] }
}

const db = new DatabaseSync(path.join(workerData as string, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
type Raw = SQLOutputValue[]

function all(sql: string, ...values: (string | number)[]): Raw[] {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return statement.all(...values) as unknown as Raw[]
}

/** How many of the newest arrangements are kept, so that the one on the screen stays valid while the next is made. */
const KEPT = 8
interface View {
  rows: TableQuery['rows']
  /** Ids of clips or sources, in order. */
  ids: Int32Array
  query: string
}
const views = new Map<string, View>()
let opened = 0

/** Every clip, by row: rows are numbered in the order in which clips were added, and keep their number until a clip is removed. */
const base = {
  ids: [] as number[],
  sum: 0,
  sources: [] as number[],
  starts: [] as number[],
  ends: [] as number[],
  order: new Int32Array(0),
  rowOf: new Map<number, number>(),
}
const titles = new Titles(db)
const seen = new Seen(db)
const names = new Map<number, string>()
const lengths = new Map<number, number>()
/** Those that were not analysed to their end. */
const unfinished = new Set<number>()
/** Columns in memory, each read up to row `read`; `wanted` are those to read ahead. */
const kept = new Map<ColumnKey, { cells: Cells; read: number }>()
let wanted: readonly ColumnKey[] = []

/** Changes with every change that another connection made. */
let version: SQLOutputValue | undefined

function refresh(): void {
  const [[now] = []] = all('PRAGMA data_version')
  if (now === version) return
  version = now
  for (const known of [names, lengths, unfinished]) known.clear()
  titles.forget()
  for (const [id, length, state] of all(`SELECT id, json_extract(probe, '$.duration'), state FROM sources ORDER BY id`)) {
    names.set(Number(id), titles.of(Number(id)))
    if (length !== null) lengths.set(Number(id), Number(length))
    if (!analysedToItsEnd(state as SourceState)) unfinished.add(Number(id))
  }
  const newest = base.ids.at(-1) ?? 0
  const [[stayed, sum] = []] = all('SELECT count(*), total(id) FROM clips WHERE id <= ?', newest)
  const [[added] = []] = all('SELECT count(*) FROM clips WHERE id > ?', newest)
  // The count alone does not tell: one clip may have been removed and another one restored.
  const removed = Number(stayed) !== base.ids.length || Number(sum) !== base.sum
  if (!removed && Number(added) === 0) return
  if (removed) {
    for (const list of [base.ids, base.sources, base.starts, base.ends]) list.length = 0
    base.sum = 0
    base.rowOf.clear()
    kept.clear()
  }
  for (const [id, source, start, end] of all(
    'SELECT id, source_id, start, "end" FROM clips WHERE id > ? ORDER BY id',
    removed ? 0 : newest,
  )) {
    base.rowOf.set(Number(id), base.ids.length)
    base.ids.push(Number(id))
    base.sum += Number(id)
    base.sources.push(Number(source))
    base.starts.push(Number(start))
    base.ends.push(Number(end))
  }
  base.order = Int32Array.from(base.ids.keys()).sort(
    (a, b) => (base.sources[a] ?? 0) - (base.sources[b] ?? 0) || (base.starts[a] ?? 0) - (base.starts[b] ?? 0),
  )
  for (const { cells } of kept.values()) cells.resize(base.ids.length)
}

// ── columns

/** A cell as it is read from the library; `said` is the model's text. */
interface Read {
  clipId: number
  text: string | null
  number: number | null
  state: CellState
  confidence: number | null
  agreement: number | null
  said: string | null
  /** Why nothing can answer it: a Problem as JSON. */
  why?: string
  /** Notes with the frames that they are about. */
  notes?: { text: string; span: readonly [start: number, end: number] | null }[]
}
const fact = (clipId: number, text: string, number: number | null = null): Read => ({
  clipId,
  text,
  number,
  state: 'sure',
  confidence: null,
  agreement: null,
  said: null,
})

function definition(key: ColumnKey): { kind: ColumnKind; text: string } | null {
  const [row] = all('SELECT kind, text FROM columns WHERE id = ?', Number(key.slice(1)))
  return row === undefined ? null : { kind: row[0] as ColumnKind, text: String(row[1]) }
}

/** Clips to read: by id, or rows from `from` to before `to`. */
type Which = { ids: readonly number[] } | { from: number; to: number }

/** The cells of some clips in a column. Empty cells may be left out. */
function read(key: ColumnKey, which: Which): Read[] {
  const rows =
    'ids' in which
      ? which.ids.flatMap((id) => base.rowOf.get(id) ?? [])
      : Array.from({ length: which.to - which.from }, (_, at) => which.from + at)
  // Rows are numbered by ascending id.
  const [only, named] =
    'ids' in which
      ? ['AND a.clip_id IN (SELECT value FROM json_each(?))', [JSON.stringify(which.ids)]]
      : ['AND a.clip_id BETWEEN ? AND ?', [base.ids[which.from] ?? 0, base.ids[which.to - 1] ?? 0]]
  switch (key as (typeof FACTS)[number]) {
    case 'name':
      return rows.map((row) => fact(base.ids[row] ?? 0, names.get(base.sources[row] ?? 0) ?? ''))
    case 'time':
      return rows.map((row) => fact(base.ids[row] ?? 0, timeText(base.starts[row] ?? 0, base.ends[row] ?? 0), base.starts[row] ?? 0))
    case 'length':
      return rows.map((row) => {
        const seconds = (base.ends[row] ?? 0) - (base.starts[row] ?? 0)
        return fact(base.ids[row] ?? 0, lengthText(seconds), seconds)
      })
    case 'review':
      return all(
        `SELECT c.id, coalesce(n.decided, 0), coalesce(n.total, 0), ${ANALYSED} FROM clips c
         LEFT JOIN (SELECT a.clip_id, total(a.state <> 'machine') AS decided, count(*) AS total FROM annotations a WHERE ${REVIEWED} ${only} GROUP BY a.clip_id) n ON n.clip_id = c.id
         WHERE true ${only.replaceAll('a.clip_id', 'c.id')}`,
        ...named,
        ...named,
      ).map(([id, decided, total, analysed]) => {
        const review = reviewOf(Number(decided), Number(total), analysed === 1)
        return fact(Number(id), review, review === 'done' || review === 'nothing' ? 1 : Number(decided) / Math.max(1, Number(total)))
      })
    case 'labels':
      return all(
        `SELECT id, json_group_array(json_array(label, unsure)) FROM (SELECT id, label, ${UNSURE_NAME} AS unsure
           FROM (SELECT a.clip_id AS id, a.label, a.state, a.unsure FROM annotations a WHERE a.kind = 'track' AND a.state <> 'rejected' ${only}
           UNION ALL SELECT r.id, a.label, a.state, 0 FROM ${ELSEWHERE} WHERE true ${into(only)}) t GROUP BY id, label ORDER BY unsure, label) GROUP BY id`,
        ...named,
        ...named,
      ).map(([id, stored]) => {
        const labels = JSON.parse(String(stored)) as [label: string, unsure: 0 | 1][]
        const text = labels.map(([label, unsure]) => labelText(oneLine(label), unsure === 1)).join(', ')
        return { ...fact(Number(id), text), state: labels.every(([, unsure]) => unsure === 1) ? 'unsure' : 'sure' }
      })
    case 'caption':
      return statements(`a.kind = 'caption'`, [], only, named)
    case 'note':
      return notes(only, named)
    default: {
      const column = definition(key)
      if (column === null) return []
      if (column.kind !== 'count')
        return [
          ...unanswered(topicOf(column.text), only, named),
          // Where there is an answer by now, it counts.
          ...statements(`a.kind = 'answer' AND a.topic = ?`, [topicOf(column.text)], only, named, column),
        ]
      return counts(column.text, only, named)
    }
  }
}

/** The notes of each clip, oldest first: they are found by the words of all, and the first is the one that is edited. */
function notes(only: string, named: readonly (string | number)[]): Read[] {
  const rows = all(
    `SELECT a.clip_id, a.state, a.shown, json_extract(a.human, '$.span.startFrame'), json_extract(a.human, '$.span.endFrame')
     FROM annotations a WHERE a.kind = 'note' AND a.state <> 'rejected' ${only} ORDER BY a.id`,
    ...named,
  )
  return [...Map.groupBy(rows, ([id]) => Number(id))].map(([id, those]) => ({
    ...fact(id, those.map(([, , text]) => String(text)).join('\n')),
    state: standingOf((those[0]?.[1] ?? 'edited') as ReviewState, false),
    notes: those.map(([, , text, start, end]) => ({
      text: String(text),
      span: start === null ? null : ([Number(start), Number(end)] as const),
    })),
  }))
}

/** The time of a span of frames of a clip's video. */
function timeOf(
  clipId: number,
  [start, end]: readonly [number, number],
  timesOf: (sourceId: number) => (ordinal: number) => number,
): string {
  const secondsAt = timesOf(base.sources[base.rowOf.get(clipId) ?? -1] ?? 0)
  return timeText(secondsAt(start), secondsAt(end))
}

/** Seconds of the frames of sources, each of which is read once. */
function secondsOfFrames(): (sourceId: number) => (ordinal: number) => number {
  const read = new Map<number, (ordinal: number) => number>()
  return (sourceId) => {
    const known = read.get(sourceId)
    if (known) return known
    const pts = frameTimes(db, sourceId)
    const [[stored] = []] = all('SELECT probe FROM sources WHERE id = ?', sourceId)
    const probe = typeof stored === 'string' ? (JSON.parse(stored) as Probe) : null
    const secondsAt = (ordinal: number) => {
      const at = pts[ordinal]
      return probe === null ? 0 : at === undefined ? probe.duration : secondsOf(at, probe)
    }
    read.set(sourceId, secondsAt)
    return secondsAt
  }
}

/** The condition for the clips that a track reaches into. */
const into = (only: string) => only.replaceAll('a.clip_id', 'r.id')

/**
 * How many each clip shows at once, at most, of a label or, where no label has that name, of what the word means, whatever it is called, by the rule of
 * the facts: tracks are no number of things, since one thing may have several. 0 only for a clip in which a detector looked for it.
 */
function counts(word: string, only: string, named: readonly (string | number)[]): Read[] {
  const vocabulary = storedVocabulary(db)
  const [[digest = null, names] = []] = all(
    `SELECT value ->> '$.boxes.digest', value ->> '$.boxes.names' FROM settings WHERE key = 'packs'`,
  )
  const list = typeof names === 'string' ? (JSON.parse(names) as string[]) : null
  const own = labelNamed(vocabulary, word)
  const asked = own === undefined ? classesOf(word, [...THINGS, ...(list ?? [])]) : null
  const known = own ? [own] : asked === null ? [] : vocabulary.filter((label) => shows(asked, phrasesOf(label)))
  const called =
    asked === null ? [] : onTracks(db).filter(({ name }) => shows(asked, phrasesOf(labelNamed(known, name) ?? { name, synonyms: [] })))
  const labels = JSON.stringify([word, ...called.map(({ name }) => name)])
  // A result of another pack does not count: it may not find what this one does.
  const looked =
    known.length === 0
      ? []
      : all(
          `SELECT a.clip_id FROM detections a WHERE a.phrases IN (SELECT value FROM json_each(?)) ${digest === null ? '' : 'AND a.pack_digest = ?'} ${only}
           GROUP BY a.clip_id HAVING count(DISTINCT a.phrases) = ?`,
          JSON.stringify(known.map(keyOf)),
          ...(digest === null ? [] : [String(digest)]),
          ...named,
          new Set(known.map(keyOf)).size,
        )
  // A detector looks for everything on its list, and for nothing else.
  const blind = list !== null && namesOf(known.length > 0 ? known.flatMap(phrasesOf) : [word], list).length === 0
  if (list !== null && (known.length > 0 || blind))
    looked.push(...all(`SELECT a.clip_id FROM seen a WHERE a.by = ? ${only}`, String(digest), ...named))
  const tracks = all(
    `SELECT a.clip_id, a.id, a.state, coalesce(a.unsure, 0) FROM annotations a WHERE a.kind = 'track' AND a.state <> 'rejected' AND lower(a.label) IN (SELECT lower(value) FROM json_each(?)) ${only}
     UNION ALL SELECT r.id, a.id, a.state, 0 FROM ${ELSEWHERE} WHERE lower(a.label) IN (SELECT lower(value) FROM json_each(?)) ${into(only)}`,
    labels,
    ...named,
    labels,
    ...named,
  ).map(([clipId, id, state, unsure]) => ({
    clipId: Number(clipId),
    id: Number(id),
    machine: state === 'machine',
    unsure: standingOf(state as ReviewState, unsure === 1) === 'unsure',
  }))
  const found = new Map(
    [...Map.groupBy(tracks, ({ clipId }) => clipId)].map(([clipId, of]) => {
      const sure = of.filter(({ unsure }) => !unsure)
      const { count, countable } = atOnce(clipId, of, digest)
      // As in the facts: those that may be wrong make the number unsure only where it needs them.
      const unsure = (count > 1 && !countable) || (sure.length < of.length && atOnce(clipId, sure, digest).count < count)
      return [clipId, { count, machine: of.some(({ machine }) => machine), unsure }] as const
    }),
  )
  // In clips with unread seconds the count is not certain.
  const partly = new Set(
    all(
      `SELECT c.id FROM clips c JOIN sources s ON s.id = c.source_id, json_each(s.probe, '$.unread') u
       WHERE u.value ->> '$.from' < c."end" AND u.value ->> '$.to' > c.start ${only.replaceAll('a.clip_id', 'c.id')}`,
      ...named,
    ).map(([id]) => Number(id)),
  )
  const ids = new Set([...looked.map(([id]) => Number(id)), ...found.keys()])
  return [...ids].map((id): Read => {
    const there = found.get(id)
    if (there === undefined && blind) return { ...fact(id, ''), text: null, state: 'blind' }
    const { count, machine, unsure } = there ?? { count: 0, machine: true, unsure: false }
    // A 0 is as sure as the answer to how many there are; not every dog is a poodle.
    const perhaps = unsure || asked?.wider === true || partly.has(id) || (there === undefined && noneCounted(1) < SURE)
    return { ...fact(id, String(count), count), state: !machine ? 'accepted' : perhaps ? 'unsure' : 'sure' }
  })
}

/**
 * The most of these tracks that a clip shows at once, and whether such a number is sure as far as each of them is (`Evidence.countable`); boxes are
 * read only where there are several. @param digest The detector's; null if there is none.
 */
function atOnce(clipId: number, tracks: readonly { id: number }[], digest: SQLOutputValue): { count: number; countable: boolean } {
  if (tracks.length < 2) return { count: tracks.length, countable: true }
  const [[startFrame, endFrame] = []] = all('SELECT start_frame, end_frame FROM clips WHERE id = ?', clipId)
  const span = { startFrame: Number(startFrame), endFrame: Number(endFrame) }
  // Only the order of moments counts here, so a frame's number is its time.
  let countable = true
  const things = all(
    `SELECT coalesce(human, machine), state, evidence ->> '$.countable' FROM annotations WHERE id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(tracks.map(({ id }) => id)),
  ).map(([body, state, counts]): ThingTrack => {
    if (state === 'machine' && counts === 0) countable = false
    const { label, boxes } = JSON.parse(String(body)) as TrackBody
    const inside = clipped(
      boxes.map((box) => ({ ...box, pts: box.ordinal })),
      span,
      (ordinal) => ordinal,
    )
    return {
      label,
      score: state === 'machine' ? 0 : 1,
      boxes: inside.map(({ ordinal, box, score: of, outside = false }) => ({ ordinal, time: ordinal, box, score: of, outside })),
    }
  })
  const looked = digest === null ? [] : (seen.spotted(clipId, String(digest)) ?? [])
  const moments = looked.length > 0 ? looked : things.flatMap(({ boxes }) => boxes)
  const ordinals = [...new Set(moments.map(({ ordinal }) => ordinal))].sort((a, b) => a - b)
  const counted = mostAtOnce(
    things,
    ordinals.map((ordinal) => ({ ordinal, time: ordinal })),
  )
  return { count: counted?.most ?? 1, countable }
}

/** Clips about which nothing could answer a question. */
function unanswered(topic: string, only: string, named: readonly (string | number)[]): Read[] {
  return all(`SELECT a.clip_id, a.why FROM unanswered a WHERE a.topic = ? ${only}`, topic, ...named).map(([id, why]) => ({
    ...fact(Number(id), ''),
    text: null,
    state: 'unanswerable',
    why: String(why),
  }))
}

/** @param asked The question that they answer. */
function statements(
  which: string,
  values: readonly string[],
  only: string,
  named: readonly (string | number)[],
  asked: { kind: string; text: string } | null = null,
): Read[] {
  const isYesNo = asked?.kind === 'yesno'
  const wantsYesNo = isYesNo || (asked !== null && looksYesNo(asked.text))
  // All these columns are in the index, so no annotation is parsed.
  const rows = all(
    `SELECT a.clip_id, a.state, a.shown, a.overruled, a.confidence, a.unsure, a.agreement FROM annotations a WHERE ${which} ${only}`,
    ...values,
    ...named,
  )
  return rows.map(([id, state, shown, overruled, confidence, unsure, agreement]) => {
    const words = String(shown ?? '')
    const text = isYesNo ? yesNo(words) : words
    const machine = state === 'machine' ? words : overruled === null ? null : String(overruled)
    const review = standingOf(state as ReviewState, unsure === 1 || (wantsYesNo && yesNo(words) === 'unsure'))
    // An annotation that a person made and then deleted counts as none.
    const nothing = review === 'rejected' && machine === null
    return {
      clipId: Number(id),
      text: nothing ? null : text,
      number: null,
      state: nothing ? 'empty' : review,
      // The machine's confidence is in its own text, and for an answer that is neither yes nor no it says nothing about yes or no.
      confidence: confidence === null || words !== machine || (wantsYesNo && yesNo(machine) === 'unsure') ? null : Number(confidence),
      agreement: agreement === null || words !== machine ? null : Number(agreement),
      said: machine,
    }
  })
}

function load(key: ColumnKey, cells: Cells, which: Which): void {
  if ('from' in which) cells.clear(which.from, which.to)
  else {
    for (const id of which.ids) {
      const row = base.rowOf.get(id)
      if (row !== undefined) cells.clear(row)
    }
  }
  for (const { clipId, text, number, state, confidence } of read(key, which)) {
    const row = base.rowOf.get(clipId)
    if (row !== undefined) cells.set(row, text, state, confidence, number)
  }
}

/** So many rows of a column are read at a time: that takes a few hundredths of a second, during which no other task is answered. */
const PART = 10_000

/** Read the next part of a column, if there is one. */
function readOn(key: ColumnKey): Cells {
  const column = kept.get(key) ?? { cells: new Cells(), read: 0 }
  if (!kept.has(key)) {
    column.cells.resize(base.ids.length)
    kept.set(key, column)
  }
  const to = Math.min(column.read + PART, base.ids.length)
  if (to > column.read) load(key, column.cells, { from: column.read, to })
  column.read = to
  return column.cells
}

const isRead = (key: ColumnKey) => kept.get(key)?.read === base.ids.length

function cellsOf(key: ColumnKey): Cells {
  while (!isRead(key)) readOn(key)
  return readOn(key)
}

/** @returns Whether there is more to do. */
function readAhead(): boolean {
  const unread = wanted.find((key) => !isRead(key))
  if (unread !== undefined) readOn(unread)
  else {
    const unsorted = wanted.find((key) => kept.get(key)?.cells.ranked === false)
    if (unsorted === undefined) return false
    cellsOf(unsorted).ranks()
  }
  return true
}

/** If more clips than this changed, columns are read again as a whole, which is faster than clip by clip. */
const MANY = 5_000

function update(changed: readonly number[] | null): void {
  if (changed?.length === 0) return
  const ids = (changed ?? []).filter((id) => base.rowOf.has(id))
  for (const [key, column] of kept) {
    if (key === 'name' || key === 'time' || key === 'length') continue
    if (changed === null || changed.length > MANY) column.read = 0
    else load(key, column.cells, { ids })
  }
}

// ── videos: their clips are adjacent in the natural order

interface Videos {
  ids: number[]
  spans: (readonly [from: number, to: number])[]
}

function videos(): Videos {
  const ids = [...names.keys()]
  const spans = new Map<number, [number, number]>()
  for (const [at, row] of base.order.entries()) {
    const source = base.sources[row] ?? 0
    const span = spans.get(source)
    if (span === undefined) spans.set(source, [at, at + 1])
    else span[1] = at + 1
  }
  return { ids, spans: ids.map((id) => spans.get(id) ?? [0, 0]) }
}

const isYesNo = (key: ColumnKey) => definition(key)?.kind === 'yesno'

/** A column by video: properties of the file itself, or a summary of its clips. */
function videoCells(key: ColumnKey, { ids, spans }: Videos): { cells: Cells; shares: Int32Array | null } {
  if (key === 'review') return reviewed(cellsOf(key), base.order, spans, (video) => unfinished.has(ids[video] ?? 0))
  if (key !== 'name' && key !== 'time' && key !== 'length') return summarised(cellsOf(key), base.order, spans, isYesNo(key))
  const cells = new Cells()
  cells.resize(ids.length)
  for (const [row, id] of ids.entries()) {
    const [from, to] = spans[row] ?? [0, 0]
    const length = lengths.get(id)
    if (key === 'name') cells.set(row, names.get(id) ?? '', 'sure', null)
    else if (key === 'time') cells.set(row, String(to - from), 'sure', null, to - from)
    else if (length !== undefined) cells.set(row, lengthText(length), 'sure', null, length)
  }
  return { cells, shares: null }
}

// ── tasks

function viewOf(name: string): View {
  const view = views.get(name)
  if (view === undefined)
    throw new TubeletError({ code: 'not-found', message: 'This arrangement of the table was forgotten.', next: 'Open it again.' })
  return view
}

function open({ query }: TableTasks['open']['args']): TableTasks['open']['result'] {
  refresh()
  const known = query.rows === 'clips' ? null : videos()
  const every = known === null ? base.order : Int32Array.from(known.ids.keys())
  const rows = query.picked === undefined ? every : only(every, query.picked.id, known)
  const columns = new Map<ColumnKey, Cells>()
  const column = (key: ColumnKey): Cells => {
    if (known === null) return cellsOf(key)
    const cells = columns.get(key) ?? videoCells(key, known).cells
    columns.set(key, cells)
    return cells
  }
  const { order, groups } = arrange(rows, query, column)
  const ids = order.map((row) => (known === null ? base.ids : known.ids)[row] ?? 0)
  const text = JSON.stringify(query)
  const same = [...views].findLast(
    ([, view]) => view.query === text && view.ids.length === ids.length && view.ids.every((id, at) => id === ids[at]),
  )
  const view = same?.[0] ?? String((opened += 1))
  // The newest comes last, the oldest is dropped.
  views.delete(view)
  views.set(view, { rows: query.rows, ids, query: text })
  for (const name of [...views.keys()].slice(0, -KEPT)) views.delete(name)
  return { view, total: ids.length, of: every.length, groups }
}

/** Those of `rows` that are picked clips, or videos with a picked clip. */
function only(rows: Int32Array, pick: number, known: Videos | null): Int32Array {
  const [[ids] = []] = all('SELECT clip_ids FROM picks WHERE id = ?', pick)
  const clipIds = new Set(JSON.parse(String(ids ?? '[]')) as number[])
  if (known === null) return rows.filter((row) => clipIds.has(base.ids[row] ?? 0))
  const sources = new Set(Array.from(clipIds, (id) => base.sources[base.rowOf.get(id) ?? -1]))
  return rows.filter((row) => sources.has(known.ids[row]))
}

function rows({ view, from, to, columns }: TableTasks['rows']['args']): Row[] {
  const { rows: kind, ids } = viewOf(view)
  const some = [...ids.subarray(from, to)]
  wanted = columns
  return kind === 'clips' ? clipRows(some, columns) : videoRows(some, columns)
}

const NOTHING: Cell = { text: '', state: 'empty', confidence: null, agreement: null, machine: null, share: null }

function clipRows(ids: readonly number[], columns: readonly ColumnKey[]): Row[] {
  const encoded = new Set(
    all('SELECT DISTINCT clip_id FROM encodings WHERE clip_id IN (SELECT value FROM json_each(?))', JSON.stringify(ids)).map(([id]) =>
      Number(id),
    ),
  )
  const found = ids.map(
    (clipId): Row => ({ clipId, sourceId: base.sources[base.rowOf.get(clipId) ?? -1] ?? 0, encoded: encoded.has(clipId), cells: {} }),
  )
  const timesOf = secondsOfFrames()
  for (const key of columns) {
    const cells = new Map(read(key, { ids }).map((cell) => [cell.clipId, cell]))
    const signatures = signaturesOf(key, ids)
    for (const row of found) {
      const cell = cells.get(row.clipId ?? 0)
      const decided = signatures.get(row.clipId ?? 0)
      if (cell !== undefined)
        row.cells[key] = {
          text: (cell.notes ? cell.notes[0]?.text : cell.text) ?? '',
          ...(cell.notes && {
            notes: cell.notes.map(({ text, span }) => ({ text, time: span && timeOf(cell.clipId, span, timesOf) })),
          }),
          ...(cell.why !== undefined && { why: JSON.parse(cell.why) as Problem }),
          ...(decided && { decided }),
          state: cell.state,
          confidence: cell.confidence,
          agreement: cell.agreement,
          machine: cell.said === cell.text ? null : cell.said,
          share: null,
        }
    }
  }
  return found
}

/** Who decided the captions or answers of some clips, where they gave a name. */
function signaturesOf(key: ColumnKey, ids: readonly number[]): Map<number, NonNullable<Cell['decided']>> {
  const column = key.startsWith('q') ? definition(key) : null
  if (key !== 'caption' && (column === null || column.kind === 'count')) return new Map()
  const rows = all(
    `SELECT clip_id, by, decided_at FROM annotations WHERE kind = ? AND topic = ? AND by IS NOT NULL AND state <> 'machine' AND clip_id IN (SELECT value FROM json_each(?))`,
    column === null ? 'caption' : 'answer',
    column === null ? '' : topicOf(column.text),
    JSON.stringify(ids),
  )
  return new Map(rows.map(([id, by, at]) => [Number(id), { by: String(by), at: String(at ?? '') }]))
}

function videoRows(ids: readonly number[], columns: readonly ColumnKey[]): Row[] {
  const every = videos()
  const places = ids.map((id) => every.ids.indexOf(id))
  const some: Videos = { ids: [...ids], spans: places.map((place) => every.spans[place] ?? [0, 0]) }
  const found = some.ids.map((sourceId, at): Row => {
    const [from, to] = some.spans[at] ?? [0, 0]
    return { clipId: to > from ? (base.ids[base.order[from] ?? -1] ?? null) : null, sourceId, encoded: to > from, cells: {} }
  })
  for (const key of columns) {
    const { cells, shares } = videoCells(key, some)
    for (const [at, row] of found.entries()) {
      const text = cells.textAt(at)
      const state = cells.stateAt(at)
      if (text === null && state === 'empty') continue
      row.cells[key] = {
        ...NOTHING,
        text: text ?? '',
        state,
        share: shares === null ? null : [shares[at * 2] ?? 0, shares[at * 2 + 1] ?? 0],
      }
    }
  }
  return found
}

function clipsOf({ view, from, to }: TableTasks['clips']['args']): TableTasks['clips']['result'] {
  const { rows: kind, ids } = viewOf(view)
  const some = [...ids.subarray(from, to)]
  if (kind === 'clips') return { clipIds: some.map((id) => [id]), total: ids.length }
  const every = videos()
  const spans = new Map(every.ids.map((id, at) => [id, every.spans[at] ?? [0, 0]]))
  return {
    clipIds: some.map((id) => Array.from(base.order.subarray(...(spans.get(id) ?? [0, 0])), (row) => base.ids[row] ?? 0)),
    total: ids.length,
  }
}

/** So many rows are read at a time, which bounds memory. */
const CHUNK = 2_000

function tsv({ view, from, to, columns }: TableTasks['tsv']['args']): string {
  const parts: string[] = []
  const end = Math.min(to, viewOf(view).ids.length)
  for (let at = from; at < end; at += CHUNK)
    parts.push(
      toTsv(
        rows({ view, from: at, to: Math.min(end, at + CHUNK), columns }).map(({ cells }) =>
          columns.map((key) => {
            const { text, state, notes = [] } = cells[key] ?? NOTHING
            // One note can be copied and pasted as it is.
            if (notes.length > 1) return notesText(notes)
            // In a list of labels each one has its own question mark.
            return state === 'rejected' ? '' : key === 'labels' ? text : doubted(text, state === 'unsure')
          }),
        ),
      ),
    )
  return parts.join('\r\n')
}

function filled({ digest }: TableTasks['filled']['args']): TableTasks['filled']['result'] {
  const [[clips] = []] =
    digest === null
      ? all('SELECT count(DISTINCT clip_id) FROM encodings')
      : all('SELECT count(*) FROM encodings WHERE pack_digest = ?', digest)
  return new Map(
    all('SELECT id, kind, text FROM columns').map(([id, kind, text]) => {
      const [[answers] = []] =
        kind === 'count' ? [[clips]] : all(`SELECT count(*) FROM annotations WHERE kind = 'answer' AND topic = ?`, topicOf(String(text)))
      return [Number(id), { filled: Number(answers), of: Math.max(Number(clips), Number(answers)) }]
    }),
  )
}

function values({ key, rows }: TableTasks['values']['args']): TableTasks['values']['result'] {
  refresh()
  if (rows === 'clips') return valuesOf(cellsOf(key), base.order, 200)
  const every = videos()
  return valuesOf(videoCells(key, every).cells, Int32Array.from(every.ids.keys()), 200)
}

/** The next part of reading ahead, which runs only while no task waits. */
let ahead: NodeJS.Immediate | undefined
function goOn(): void {
  ahead = readAhead() ? setImmediate(goOn) : undefined
}

/** Wraps `task` so that it first takes in what changed in the library. */
function fresh<A, R>(task: (args: A) => R): (input: { args: A; changed: number[] | null }) => R {
  return ({ args, changed }) => {
    try {
      update(changed)
      return task(args)
    } finally {
      ahead ??= setImmediate(goOn)
    }
  }
}

serve<TableService>({
  open: fresh(open),
  rows: fresh(rows),
  kind: fresh(({ view }) => viewOf(view).rows),
  clips: fresh(clipsOf),
  values: fresh(values),
  tsv: fresh(tsv),
  filled: fresh(filled),
})
