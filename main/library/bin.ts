/**
 * Videos that a person removed, kept whole for a while: restored, all is there that was said about them, with its history. What belongs to a
 * video is every row of every table that names it or one of its clips, so that tables which come later are kept too.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { deserialize, serialize } from 'node:v8'
import type { BinEntry } from '../../app/contract/bin.ts'
import { TubeletError } from '../../app/errors.ts'

/** Days that a video lies in the bin. */
export const KEPT_DAYS = 30
/** Jobs are done with; what search reads is made by triggers of what is said. */
const LEFT_OUT = new Set(['jobs', 'findable', 'bin', 'bin_rows'])
/** Bytes of rows that are written as one piece. */
const PIECE = 16 * 2 ** 20

type Row = Record<string, SQLOutputValue>
type Piece = { table: string; rows: Row[] }[]

export class Bin {
  readonly #db: DatabaseSync
  readonly #atomic: <T>(work: () => T) => T
  readonly #changed: (sourceId: number) => void
  readonly #gone: (sourceId: number) => void

  /** @param changed Called in the transaction in which a video went or came back. @param gone One went for good. */
  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, changed: (sourceId: number) => void, gone: (sourceId: number) => void) {
    this.#db = db
    this.#atomic = atomic
    this.#changed = changed
    this.#gone = gone
  }

  /** Newest first. */
  list(): BinEntry[] {
    return this.#db
      .prepare('SELECT * FROM bin ORDER BY removed_at DESC, source_id DESC')
      .all()
      .map((row) => ({
        sourceId: Number(row['source_id']),
        name: String(row['name']),
        path: String(row['path']),
        clips: Number(row['clips']),
        reviewed: Number(row['reviewed']),
        removedAt: String(row['removed_at']),
        until: new Date(Date.parse(String(row['removed_at'])) + KEPT_DAYS * 86_400_000).toISOString(),
      }))
  }

  /** The newest with a content. */
  ofContent(content: string): number | null {
    const row = this.#db.prepare('SELECT source_id FROM bin WHERE fingerprint = ? ORDER BY removed_at DESC LIMIT 1').get(content)
    return row === undefined ? null : Number(row['source_id'])
  }

  /** Take a video out of the library, with everything said about it. */
  remove(sourceId: number): void {
    this.#atomic(() => {
      this.#db
        .prepare(
          `INSERT INTO bin (source_id, name, path, fingerprint, bytes, removed_at, clips, reviewed) SELECT s.id, s.name, s.path, s.fingerprint, s.bytes, ?,
           (SELECT count(*) FROM clips c WHERE c.source_id = s.id),
           (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state <> 'machine')) FROM sources s WHERE s.id = ?`,
        )
        .run(new Date().toISOString(), sourceId)
      // A step that was taken back is not done again over what comes later.
      this.#db.prepare('DELETE FROM edits WHERE undone = 1 AND clip_id IN (SELECT id FROM clips WHERE source_id = ?)').run(sourceId)
      const keep = this.#db.prepare('INSERT INTO bin_rows (source_id, rows) VALUES (?, ?)')
      for (const piece of this.#pieces(sourceId)) keep.run(sourceId, serialize(piece))
      this.#db.prepare('DELETE FROM sources WHERE id = ?').run(sourceId)
      this.#changed(sourceId)
    })
  }

  /** @throws TubeletError `not-found` where it was emptied; `conflict` where the library has its content meanwhile. */
  restore(sourceId: number): void {
    const entry = this.#db.prepare('SELECT fingerprint, name FROM bin WHERE source_id = ?').get(sourceId)
    if (entry === undefined)
      throw new TubeletError({ code: 'not-found', message: 'This video is not in the bin any more.', next: 'Add its file again.' })
    const there = this.#db.prepare('SELECT name FROM sources WHERE fingerprint = ?').get(entry['fingerprint'] ?? null)
    if (there) {
      throw new TubeletError({
        code: 'conflict',
        message: '{{name}} is in the library again.',
        values: { name: String(there['name']) },
        stillWorks: 'Its earlier entry stays in the bin.',
        next: 'Remove the newer entry first, then restore the earlier one.',
      })
    }
    this.#atomic(() => {
      this.#db.exec('PRAGMA defer_foreign_keys = ON')
      for (const { rows } of this.#db.prepare('SELECT rows FROM bin_rows WHERE source_id = ? ORDER BY id').iterate(sourceId)) {
        if (rows instanceof Uint8Array) for (const { table, rows: own } of deserialize(rows) as Piece) this.#insert(table, own)
      }
      this.#db.prepare('DELETE FROM bin WHERE source_id = ?').run(sourceId)
      // What was being done when it went is not being done now.
      this.#db.prepare(`UPDATE sources SET state = 'cancelled' WHERE id = ? AND state IN ('queued', 'probing', 'analysing')`).run(sourceId)
      this.#changed(sourceId)
    })
  }

  /** For good: all, or what has lain there long enough. @returns How many. */
  empty(before = '9'): number {
    const ids = this.#db
      .prepare('SELECT source_id FROM bin WHERE removed_at < ?')
      .all(before)
      .map((row) => Number(row['source_id']))
    this.#atomic(() => {
      for (const id of ids) {
        this.#db.prepare('DELETE FROM bin WHERE source_id = ?').run(id)
        this.#db.prepare(`DELETE FROM edits WHERE action = 'source' AND annotation_id = ?`).run(id)
      }
    })
    for (const id of ids) this.#gone(id)
    return ids.length
  }

  *#pieces(sourceId: number): Generator<Piece> {
    let [piece, bytes]: [Piece, number] = [[], 0]
    for (const { table, where } of this.#tables()) {
      let rows: Row[] = []
      for (const row of this.#db
        .prepare(`SELECT ${this.#columns(table).map(quoted).join(', ')} FROM ${quoted(table)} WHERE ${where}`)
        .iterate(sourceId)) {
        rows.push(row)
        bytes += Object.values(row).reduce<number>(
          (sum, value) => sum + (value instanceof Uint8Array ? value.length : typeof value === 'string' ? value.length : 8),
          0,
        )
        if (bytes < PIECE) continue
        yield [...piece, { table, rows }]
        ;[piece, rows, bytes] = [[], [], 0]
      }
      if (rows.length > 0) piece.push({ table, rows })
    }
    yield piece
  }

  /** Tables with rows of a video, and how to find them. */
  #tables(): { table: string; where: string }[] {
    const names = this.#db
      .prepare(`SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite%' ORDER BY name`)
      .all()
      .map(({ name }) => String(name))
    return names
      .filter((table) => !LEFT_OUT.has(table))
      .flatMap((table) => {
        const columns = this.#columns(table)
        if (table === 'sources') return { table, where: 'id = ?' }
        if (columns.includes('source_id')) return { table, where: 'source_id = ?' }
        if (!columns.includes('clip_id')) return []
        return {
          table,
          where: 'clip_id IN (SELECT id FROM clips WHERE source_id = ?1 UNION ALL SELECT clip_id FROM removed WHERE source_id = ?1)',
        }
      })
  }

  #insert(table: string, rows: readonly Row[]): void {
    const there = new Set(this.#columns(table))
    // Nothing knows these rows by their number, which others may have by now.
    const numbered = table === 'encodings' || table === 'replaced'
    const columns = Object.keys(rows[0] ?? {}).filter((name) => there.has(name) && !(numbered && name === 'id'))
    const insert = this.#db.prepare(
      `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    for (const row of rows) insert.run(...columns.map((name) => row[name] ?? null))
  }

  /** Without those that the database computes. */
  #columns(table: string): string[] {
    return this.#db
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map(({ name }) => String(name))
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
