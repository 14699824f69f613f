/**
 * Rows with values that cannot be read back, as after a bad disk. One of them would make every list fail in which it is, so it is set aside: written to a
 * file as it is, and taken out of the library.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { deserialize } from 'node:v8'
import { inflateSync } from 'node:zlib'
import type { BackendEvent } from '../../app/contract.ts'
import { type Problem, problemOf } from '../../app/errors.ts'
import { phrase, said } from '../../app/phrase.ts'
import { isDirection } from '../../app/vector.ts'

/**
 * How a value is stored. `halves`: numbers of two bytes; `vector`: as many floats as in the other rows of its pack, with a direction; `vectors`: one for
 * each place of the row.
 */
type Kind = 'json' | 'packed' | 'serialized' | 'halves' | 'vector' | 'vectors'
/**
 * What becomes of a row when the value is gone: the value is missing (`null`) or empty, the video must be analysed again (`analyse`), the whole row goes
 * (`row`), the whole step of undo goes (`step`), or nothing is done: the value is read only when somebody brings the row back (`stays`).
 */
type Cure = 'null' | 'row' | 'step' | 'analyse' | 'layer' | 'stays' | { empty: string }

interface Stored {
  kind: Kind
  cure: Cure
  /** Of JSON: what it is, in SQL, `@` being the value. */
  shape?: string
}
const json = (cure: Cure, shape = '1'): Stored => ({ kind: 'json', cure, shape })
/** Shapes are told by what every version of the library wrote. */
const LIST = `json_type(@) = 'array'`
const OBJECT = `json_type(@) = 'object'`
const PROBLEM = `json_type(@, '$.code') = 'text' AND json_type(@, '$.message') = 'text'`
const BODY = `json_type(@, '$.kind') = 'text'`
const MADE = `json_type(@, '$.packId') = 'text'`
const PROBE = `json_type(@, '$.duration') IN ('integer', 'real') AND json_type(@, '$.timeBase') = 'object'`
const SETTING = `CASE key WHEN 'vocabulary' THEN json_type(@) = 'array' WHEN 'packs' THEN json_type(@) = 'object' ELSE 1 END`

const COLUMNS: Readonly<Record<string, Readonly<Record<string, Stored>>>> = {
  sources: {
    problem: json('null', PROBLEM),
    probe: json('analyse', PROBE),
    numbered: json('analyse', OBJECT),
    pts: { kind: 'packed', cure: 'analyse' },
  },
  clips: { frames: json({ empty: '[]' }, LIST) },
  encodings: {
    frames: json('null', LIST),
    caption: json('null', OBJECT),
    looked_for: json('null', LIST),
    embedding: { kind: 'vector', cure: 'row' },
    memory: { kind: 'halves', cure: 'row' },
    tokens: { kind: 'halves', cure: 'row' },
  },
  annotations: {
    machine: json('layer', BODY),
    human: json('row', BODY),
    evidence: json('null', OBJECT),
    provenance: json('null', MADE),
    origin: json('null', OBJECT),
    lineage: json('null', OBJECT),
  },
  replaced: { machine: json('row', BODY), evidence: json('null', OBJECT), provenance: json('null', MADE) },
  candidates: { body: json('row', BODY), provenance: json('row', MADE) },
  edits: { description: json('step'), before: json('step'), after: json('step') },
  jobs: { payload: json('row', OBJECT), problem: json('null', PROBLEM) },
  settings: { value: json('row', SETTING) },
  unanswered: { why: json('row') },
  views: { spec: json('row', OBJECT) },
  picks: { clip_ids: json('row', LIST) },
  regions: { places: json('row', LIST), vectors: { kind: 'vectors', cure: 'row' } },
  seen: { body: { kind: 'packed', cure: 'row' } },
  cells: { body: { kind: 'halves', cure: 'row' } },
  removed: { rows: { kind: 'serialized', cure: 'stays' } },
  bin_rows: { rows: { kind: 'serialized', cure: 'stays' } },
}

/** A value that cannot be read, and where it is. */
export interface Unreadable {
  table: string
  column: string
  kind: Kind
  /** The row, by its primary key. */
  key: Readonly<Record<string, SQLOutputValue>>
}

/** @param most Stops after so many. @param tables Only these. @param kinds Only these; all if left out. */
export function unreadable(db: DatabaseSync, most = Infinity, tables = Object.keys(COLUMNS), kinds?: readonly Kind[]): Unreadable[] {
  const found: Unreadable[] = []
  db.function('undirected', undirected)
  for (const [table, columns] of Object.entries(COLUMNS)) {
    if (!tables.includes(table)) continue
    const there = db.prepare('SELECT name, pk FROM pragma_table_info(?)').all(table)
    const keys = there.filter(({ pk }) => Number(pk) > 0).map(({ name }) => String(name))
    for (const [column, { kind, shape }] of Object.entries(columns)) {
      if (!there.some(({ name }) => name === column) || kinds?.includes(kind) === false) continue
      // Plain text before steps of undo were counted.
      if (table === 'edits' && column === 'description' && !there.some(({ name }) => name === 'step')) continue
      const [where, isBroken] = conditionOf(kind, column, shape)
      const rows = db
        .prepare(
          `SELECT ${keys.map(quoted).join(', ')}, ${quoted(column)} AS stored FROM ${quoted(table)} WHERE ${quoted(column)} IS NOT NULL AND (${where})`,
        )
        .iterate()
      for (const { stored = null, ...key } of rows) {
        if (found.length >= most) return found
        if (isBroken(stored)) found.push({ table, column, kind, key })
      }
    }
  }
  return found
}

/** What SQL can tell of a broken value, and what must be tried. */
function conditionOf(kind: Kind, column: string, shape = '1'): [where: string, isBroken: (stored: SQLOutputValue) => boolean] {
  switch (kind) {
    case 'json':
      return [
        `CASE WHEN json_valid(${quoted(column)}) THEN NOT coalesce(${shape.replaceAll('@', quoted(column))}, 0) ELSE 1 END`,
        () => true,
      ]
    case 'vectors':
      return [`undirected(${quoted(column)}, CASE WHEN json_valid(places) THEN json_array_length(places) END)`, () => true]
    case 'halves':
      return [`length(${quoted(column)}) % 2 <> 0`, () => true]
    case 'vector':
      return [
        `${quoted('id')} IN (SELECT id FROM (SELECT id, 2 * count(*) OVER (PARTITION BY pack_digest, length(${quoted(column)})) <= count(*) OVER (PARTITION BY pack_digest) AS odd FROM encodings) WHERE odd) OR undirected(${quoted(column)}, 1)`,
        () => true,
      ]
    case 'packed':
      // zlib's checksum shows every changed byte.
      return ['1', (stored) => fails(() => inflateSync(stored as Uint8Array))]
    case 'serialized':
      return ['1', (stored) => fails(() => deserialize(stored as Uint8Array))]
  }
}

/** Whether one of so many vectors of the same length, one after the other, cannot be compared with others. None has no numbers at all. */
function undirected(stored: SQLOutputValue, count: SQLOutputValue): number {
  if (!(stored instanceof Uint8Array) || stored.byteLength % 4 !== 0) return 1
  const all = new Float32Array(new Uint8Array(stored).buffer)
  const width = all.length / Number(count ?? NaN)
  for (let at = 0; at < all.length; at += width) if (!Number.isInteger(width) || !isDirection(all.subarray(at, at + width))) return 1
  return 0
}

function fails(read: () => unknown): boolean {
  try {
    read()
    return false
  } catch {
    return true
  }
}

/** The file in a library's folder to which damaged rows are added, one JSON document a line; bytes are base64. */
const ASIDE_FILE = 'damaged-rows.jsonl'
const SET_ASIDE = phrase('The library was damaged: {{count}} values in it could not be read and were set aside in {{file}}.')

/** Damaged rows are not looked for again so soon after none were found. */
const SEARCH_AGAIN_MS = 60_000

/** The library, which learns that what was read of it may no longer hold. */
interface Told {
  emit: (event: BackendEvent) => void
  find: { forget: () => void }
}

export class DamagedRows {
  readonly #projectDir: string
  readonly #db: DatabaseSync
  readonly #library: Told
  /** When they were looked for in vain. */
  #searched = -Infinity

  constructor(db: DatabaseSync, projectDir: string, library: Told) {
    this.#library = library
    this.#projectDir = projectDir
    this.#db = db
  }

  /**
   * Where work failed for an unexpected reason, look for damaged rows and set them aside. Windows are told, and read everything again.
   * @returns What to say; null if there were none, so that the reason is another one.
   * @throws What the disk refuses; the library is then unchanged.
   */
  setAside(error: unknown): Problem | null {
    // Looking for them takes seconds in a large library, and most unexpected errors have other reasons.
    if (problemOf(error).code !== 'internal' || performance.now() - this.#searched < SEARCH_AGAIN_MS) return null
    const found = unreadable(this.#db).filter(({ table, column }) => cureOf(table, column) !== 'stays')
    if (found.length === 0) this.#searched = performance.now()
    return this.#set(found)
  }

  /** Look through the small tables without which a library cannot be opened at all, or would be listed with what no window can show. */
  lookAtStart(): void {
    this.#set(unreadable(this.#db, Infinity, ['settings', 'jobs', 'views', 'sources'], ['json']))
  }

  #set(found: readonly Unreadable[]): Problem | null {
    if (found.length === 0) return null
    const file = path.join(this.#projectDir, ASIDE_FILE)
    keep(this.#db, file, found)
    this.#cure(found)
    this.#library.find.forget()
    this.#library.emit({ type: 'sources', ids: [] })
    for (const { id } of this.#db.prepare('SELECT id FROM sources').all())
      this.#library.emit({ type: 'clips', sourceId: Number(id), clipIds: [] })
    for (const type of ['labels', 'table', 'history', 'status'] as const) this.#library.emit({ type })
    const values = { count: found.length, file }
    this.#library.emit({ type: 'told', phrase: said(SET_ASIDE, values) })
    return {
      code: 'file-unreadable',
      message: SET_ASIDE,
      values,
      stillWorks: 'Everything else in the library.',
      next: 'Try again. If something is missing, restore a backup, in the settings or with "tubelet library restore".',
    }
  }

  /** Run `work`; if damaged rows made it fail, set them aside and run it again. @throws What `work` throws. */
  async despite<T>(work: () => Promise<T> | T): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (this.setAside(error) === null) throw error
      return await work()
    }
  }

  #cure(found: readonly Unreadable[]): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const [inAnnotations = [], others = []] = [true, false].map((is) => found.filter(({ table }) => (table === 'annotations') === is))
      for (const one of others) cure(this.#db, one)
      if (inAnnotations.length > 0)
        withoutIndexes(this.#db, 'annotations', () => {
          for (const one of inAnnotations) cure(this.#db, one)
        })
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

const cureOf = (table: string, column: string): Cure => COLUMNS[table]?.[column]?.cure ?? 'stays'

/** Writes the rows to the file, and to the disk, before anything is changed. */
function keep(db: DatabaseSync, file: string, found: readonly Unreadable[]): void {
  const handle = openSync(file, 'a')
  try {
    for (const { table, column, key } of found) {
      const columns = db
        .prepare('SELECT name FROM pragma_table_info(?)')
        .all(table)
        .map(({ name }) => quoted(String(name)))
      const [where, values] = whereOf(key)
      const row = db.prepare(`SELECT ${columns.join(', ')} FROM ${quoted(table)} WHERE ${where}`).get(...values) ?? {}
      const plain = Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value]),
      )
      writeSync(handle, `${JSON.stringify({ at: new Date().toISOString(), table, column, row: plain })}\n`)
    }
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Without the indexes and triggers of a table: they compute values from what cannot be read. */
function withoutIndexes(db: DatabaseSync, table: string, work: () => void): void {
  const made = db
    .prepare(`SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL`)
    .all(table)
  for (const { type, name } of made) db.exec(`DROP ${String(type)} ${quoted(String(name))}`)
  work()
  for (const { sql } of made) db.exec(String(sql))
}

function cure(db: DatabaseSync, { table, column, key }: Unreadable): void {
  const [where, values] = whereOf(key)
  const set = (what: string) => db.prepare(`UPDATE ${quoted(table)} SET ${what} WHERE ${where}`).run(...values)
  const remove = () => {
    db.prepare(`DELETE FROM ${quoted(table)} WHERE ${where}`).run(...values)
    if (table === 'annotations') for (const [index, id] of FOUND_BY) db.prepare(`DELETE FROM ${index} WHERE ${id} = ?`).run(...values)
  }
  const how = cureOf(table, column)
  if (how === 'null') set(`${quoted(column)} = NULL`)
  else if (how === 'analyse') {
    set(`${quoted(column)} = NULL`)
    db.prepare(`UPDATE sources SET state = 'failed', problem = ? WHERE ${where}`).run(JSON.stringify(ANALYSE_AGAIN), ...values)
  } else if (how === 'layer') {
    // What a person made of it is whole.
    const human = db.prepare(`SELECT 1 FROM annotations WHERE ${where} AND json_valid(human)`).get(...values)
    if (human === undefined) remove()
    else set('machine = NULL')
  } else if (how === 'step') db.prepare(`DELETE FROM edits WHERE step = (SELECT step FROM edits WHERE ${where})`).run(...values)
  else if (how === 'row') {
    // The job of a video says nothing by this value.
    if (table === 'jobs' && db.prepare(`SELECT 1 FROM jobs WHERE ${where} AND kind <> 'ask'`).get(...values)) set(`payload = '{}'`)
    else remove()
  } else if (typeof how === 'object') set(`${quoted(column)} = '${how.empty}'`)
}

/** The search index of annotations, kept up to date by triggers elsewhere. */
const FOUND_BY = [
  ['findable', 'id'],
  ['said', 'rowid'],
  ['stems', 'rowid'],
] as const

const ANALYSE_AGAIN: Problem = {
  code: 'file-unreadable',
  message: phrase('What the library knew of this video was damaged and has been set aside.'),
  stillWorks: phrase('What people decided about it is kept.'),
  next: phrase('Analyse it again, or restore a backup of the library in the settings.'),
}

function whereOf(key: Unreadable['key']): [where: string, values: SQLInputValue[]] {
  return [
    Object.keys(key)
      .map((name) => `${quoted(name)} = ?`)
      .join(' AND '),
    Object.values(key),
  ]
}

function quoted(name: string): string {
  return `"${name}"`
}
