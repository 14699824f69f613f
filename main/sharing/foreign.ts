/**
 * Checks a library that somebody else made, before anything of it is used. Its file may be damaged, of another program, or made to do harm: only the
 * tables, views and triggers that Tubelet itself makes are let through, and only values that it could have written.
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inflateSync } from 'node:zlib'
import { z } from 'zod'
import { AnnotationBody, Evidence, Lineage, Origin, Provenance, ReviewState } from '../../app/annotation.ts'
import { ColumnKind, TableSpec } from '../../app/contract/table.ts'
import { TubeletError } from '../../app/errors.ts'
import { LIBRARY_FILE, LONGEST_NAME } from '../../app/handover.ts'
import { Probe } from '../../app/media.ts'
import { NumberedVideo } from '../../app/numbered.ts'
import { Vocabulary } from '../../app/vocabulary.ts'
import { notOurs } from '../archive.ts'
import { faultsOf } from '../library/check.ts'
import { MIGRATIONS, openDatabase } from '../library/schema.ts'

/** No value of a library unpacks to more: an hour of video at 1000 frames per second. */
const MOST_UNPACKED = 64 * 2 ** 20

/** Values that are JSON, by table and column. */
const VALUES: readonly (readonly [table: string, column: string, schema: z.ZodType])[] = [
  ['annotations', 'machine', AnnotationBody],
  ['annotations', 'human', AnnotationBody],
  ['annotations', 'evidence', Evidence],
  ['annotations', 'provenance', Provenance],
  ['annotations', 'origin', Origin],
  ['annotations', 'lineage', Lineage],
  ['sources', 'probe', Probe],
  ['sources', 'numbered', NumberedVideo],
  ['views', 'spec', TableSpec],
]

/**
 * Check the library in a folder, which nobody else uses, and bring it to the schema of this version. What could not be used here is taken out: removed
 * videos and clips, and jobs.
 * @throws TubeletError `file-unreadable`, or `conflict` where a newer Tubelet wrote it.
 */
export function admit(folder: string, source: string): void {
  const file = path.join(folder, LIBRARY_FILE)
  const version = checked(file, source)
  // Before the schema is known to be ours, nothing is run that could use it.
  if (faultsOf(file, 'quick').length > 0) throw notOurs(source)
  mustUnpack(file, source)
  const db = version < MIGRATIONS.length ? openDatabase(folder) : new DatabaseSync(file)
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = ON')
    // Their rows are read by a reader that trusts them.
    db.exec('DELETE FROM removed; DELETE FROM bin; DELETE FROM jobs')
    mustBeReadable(db, source)
  } finally {
    db.close()
  }
  rmSync(path.join(folder, 'backups'), { recursive: true, force: true })
  if (faultsOf(file, 'thorough').length > 0) throw notOurs(source)
}

/** @returns The version of its schema, which is exactly what this version of Tubelet makes of it. */
function checked(file: string, source: string): number {
  let db: DatabaseSync
  try {
    db = new DatabaseSync(file, { readOnly: true })
  } catch {
    throw notOurs(source)
  }
  try {
    db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
    if (version > MIGRATIONS.length) throw tooNew(source)
    if (version < 1 || schemaOf(db) !== schemaAt(version)) throw notOurs(source)
    return version
  } catch (error) {
    if (error instanceof TubeletError) throw error
    throw notOurs(source)
  } finally {
    db.close()
  }
}

/** By version: making all tables takes as long as the rest of the check, which workers' results go through video by video. */
const schemas = new Map<number, string>()

function schemaAt(version: number): string {
  const known = schemas.get(version)
  if (known !== undefined) return known
  const db = new DatabaseSync(':memory:')
  try {
    for (const migration of MIGRATIONS.slice(0, version)) db.exec(migration)
    const schema = schemaOf(db)
    schemas.set(version, schema)
    return schema
  } finally {
    db.close()
  }
}

/** Versions of SQLite differ in how they write a table down that was renamed: in quotes and spaces. */
function schemaOf(db: DatabaseSync): string {
  const parts = db
    .prepare(`SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`)
    .all()
  return JSON.stringify(parts).replaceAll(/\\?"|\\n|\s+/g, '')
}

/** What is packed in a value must not fill the memory when it is unpacked. */
function mustUnpack(file: string, source: string): void {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    for (const sql of ['SELECT pts AS packed FROM sources WHERE pts IS NOT NULL', 'SELECT body AS packed FROM seen'])
      try {
        for (const { packed } of db.prepare(sql).iterate())
          if (packed instanceof Uint8Array) inflateSync(packed, { maxOutputLength: MOST_UNPACKED })
      } catch (error) {
        // Libraries of before have no such table.
        if (!(error instanceof Error && /no such (?:table|column)/.test(error.message))) throw notOurs(source)
      }
  } finally {
    db.close()
  }
}

function mustBeReadable(db: DatabaseSync, source: string): void {
  const mustBe = (schema: z.ZodType, value: unknown) => {
    if (!schema.safeParse(value).success) throw notOurs(source)
  }
  try {
    for (const [table, column, schema] of VALUES)
      for (const { value } of db.prepare(`SELECT ${column} AS value FROM ${table} WHERE ${column} IS NOT NULL`).iterate())
        mustBe(schema, JSON.parse(String(value)))
    for (const { kind, state } of db.prepare('SELECT DISTINCT kind, state FROM annotations').all()) {
      mustBe(z.enum(['caption', 'answer', 'track', 'note', 'segment', 'text']), kind)
      mustBe(ReviewState, state)
    }
    // Layers and rows that an edit took the place of name a person where those that hold do.
    for (const { by } of db
      .prepare(
        `SELECT by FROM annotations WHERE by IS NOT NULL
         UNION SELECT before ->> '$.by' FROM edits WHERE json_valid(before) UNION SELECT after ->> '$.by' FROM edits WHERE json_valid(after)`,
      )
      .iterate())
      mustBe(z.string().max(LONGEST_NAME).nullable(), by)
    for (const { kind } of db.prepare('SELECT kind FROM columns').all()) mustBe(ColumnKind, kind)
    const vocabulary = db.prepare(`SELECT value FROM settings WHERE key = 'vocabulary'`).get()?.['value']
    if (vocabulary !== undefined) mustBe(Vocabulary, JSON.parse(String(vocabulary)))
  } catch (error) {
    if (error instanceof TubeletError) throw error
    throw notOurs(source)
  }
}

export function tooNew(file: string): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message: 'A newer version of Tubelet made this file.',
    file,
    stillWorks: 'Nothing was changed.',
    next: 'Open it with that version, or ask for a file of this one.',
  })
}
