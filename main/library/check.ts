/** Looks for damage in a library file: SQLite's own check, broken references, and values that cannot be read back. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { unreadable } from './damaged-rows.ts'

/** SQLite's result codes: a corrupt database, no database. */
const DAMAGED = new Set([11, 26])
const READ_ONLY = 8
/** Its code for everything without one of its own, such as a value that is no JSON. */
const UNEXPECTED = 1
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
    // SQLite computes indexed values while it checks, and ends at the first that it cannot compute.
    const broken = resultOf(error) === UNEXPECTED ? values(db) : []
    if (broken.length === 0) throw error
    return broken
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
  return unreadable(db, NAMED).map(({ table, column, kind, key }) => {
    const row = Object.values(key).map(String).join(' ')
    return `“${column}” in row ${row} of ${table} ${kind === 'json' ? 'is no JSON, or not of this kind' : kind === 'packed' || kind === 'serialized' ? 'does not unpack' : kind === 'halves' ? 'has a wrong length' : 'has a wrong length, or no direction'}`
  })
}
