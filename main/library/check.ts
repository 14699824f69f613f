/** Looks for damage in a library file: SQLite's own check, broken references, and values that cannot be read back. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { inflateSync } from 'node:zlib'

/** Columns that hold JSON, by table. */
const JSON_IN: Readonly<Record<string, readonly string[]>> = {
  sources: ['problem', 'probe', 'numbered'],
  clips: ['frames'],
  encodings: ['frames', 'caption'],
  annotations: ['machine', 'human', 'evidence', 'provenance'],
  replaced: ['machine', 'evidence', 'provenance'],
  candidates: ['body', 'provenance'],
  edits: ['description', 'before', 'after'],
  jobs: ['payload', 'problem'],
  settings: ['value'],
  views: ['spec'],
  picks: ['clip_ids'],
}
/** Columns that hold zlib data, by table. Its checksum shows every changed byte. */
const PACKED_IN: Readonly<Record<string, string>> = { sources: 'pts', seen: 'body' }
/** SQLite's result codes: a corrupt database, no database. */
const DAMAGED = new Set([11, 26])
const READ_ONLY = 8
/** Faults that are named one by one; of more only the number matters. */
const NAMED = 100

/**
 * @param how `quick` reads every page once; `thorough` also compares indexes with their tables and reads every value back.
 * @returns What is wrong, in English, for somebody who looks into the file; empty if nothing is.
 * @throws What SQLite throws if the file may not be read.
 */
export function faultsOf(file: string, how: 'quick' | 'thorough'): string[] {
  try {
    return faultsBy(file, how, true)
  } catch (error) {
    // A process was killed while it wrote: what it began must be taken back first, as whoever opens the file does.
    if (resultOf(error) === READ_ONLY && existsSync(`${file}-journal`)) return faultsBy(file, how, false)
    throw error
  }
}

/** SQLite's primary result code; NaN for other errors. */
function resultOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : NaN
}

function faultsBy(file: string, how: 'quick' | 'thorough', readOnly: boolean): string[] {
  const db = new DatabaseSync(file, { readOnly, timeout: 5_000 })
  try {
    const said = db.prepare(how === 'quick' ? `PRAGMA quick_check(${NAMED})` : `PRAGMA integrity_check(${NAMED})`).all()
    const faults = said.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok')
    if (how === 'quick' || faults.length > 0) return faults
    return [...strays(db), ...values(db)].slice(0, NAMED)
  } catch (error) {
    // The file is too damaged for the check itself, or no database.
    if (error instanceof Error && DAMAGED.has(resultOf(error))) return [error.message]
    throw error
  } finally {
    db.close()
  }
}

/** Rows that name a row of another table which is not there. */
function strays(db: DatabaseSync): string[] {
  return db
    .prepare('PRAGMA foreign_key_check')
    .all()
    .map((row) => `row ${String(row['rowid'])} of ${String(row['table'])} names a row of ${String(row['parent'])} that is not there`)
}

function values(db: DatabaseSync): string[] {
  const columns = new Set(
    db
      .prepare(`SELECT m.name || '.' || c.name AS it FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
      .all()
      .map((row) => String(row['it'])),
  )
  const json = Object.entries(JSON_IN)
    .flatMap(([table, names]) => names.map((name) => ({ table, name })))
    .filter(({ table, name }) => columns.has(`${table}.${name}`))
    // Plain text before steps of undo were counted.
    .filter(({ table, name }) => !(table === 'edits' && name === 'description') || columns.has('edits.step'))
    .flatMap(({ table, name }) =>
      db
        .prepare(`SELECT rowid AS id FROM "${table}" WHERE "${name}" IS NOT NULL AND NOT json_valid("${name}") LIMIT ${NAMED}`)
        .all()
        .map((row) => `“${name}” in row ${String(row['id'])} of ${table} is no JSON`),
    )
  const packed = Object.entries(PACKED_IN)
    .filter(([table, name]) => columns.has(`${table}.${name}`))
    .flatMap(([table, name]) => {
      const broken: string[] = []
      for (const row of db.prepare(`SELECT "${name}" AS packed, * FROM "${table}" WHERE "${name}" IS NOT NULL`).iterate()) {
        const { packed: bytes, id, clip_id: clip } = row
        if (!(bytes instanceof Uint8Array) || !unpacks(bytes))
          broken.push(`“${name}” in row ${String(id ?? clip)} of ${table} does not unpack`)
      }
      return broken
    })
  return [...json, ...packed]
}

function unpacks(bytes: Uint8Array): boolean {
  try {
    inflateSync(bytes)
    return true
  } catch {
    return false
  }
}
