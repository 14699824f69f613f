/**
 * Videos that a person removed, kept for a while so that they can be restored with their annotations and history. Everything that refers to a
 * video or one of its clips is kept: tables are found by their columns, so that tables added later are included.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { deserialize, serialize } from 'node:v8'
import type { BinEntry } from '../../app/contract/bin.ts'
import { TubeletError } from '../../app/errors.ts'

/** Days that a video lies in the bin. */
export const KEPT_DAYS = 30
/** Tables that are not kept: jobs of a removed video are over, and triggers rebuild the search index from the annotations. */
const LEFT_OUT = new Set(['jobs', 'findable', 'bin', 'bin_rows'])
/** About so many bytes of rows are stored as one piece. */
const PIECE = 16 * 2 ** 20

type Row = Record<string, SQLOutputValue>
type Piece = { table: string; rows: Row[] }[]

export class Bin {
  readonly #db: DatabaseSync
  readonly #atomic: <T>(work: () => T) => T
  readonly #changed: (sourceId: number) => void
  readonly #gone: (sourceId: number) => void
  readonly #restored = new Set<number>()

  /** @param changed Called in the transaction that removes or restores a video. @param gone Called when one is deleted for good. */
  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, changed: (sourceId: number) => void, gone: (sourceId: number) => void) {
    this.#db = db
    this.#atomic = atomic
    this.#changed = changed
    this.#gone = gone
  }

  /** The removed videos, newest first. */
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

  /** Fingerprints of all that is in it. */
  contents(): Set<string> {
    return new Set(
      this.#db
        .prepare('SELECT fingerprint FROM bin')
        .all()
        .map((row) => String(row['fingerprint'])),
    )
  }

  /** The id of the most recently removed video with this content. */
  ofContent(content: string): number | null {
    const row = this.#db.prepare('SELECT source_id FROM bin WHERE fingerprint = ? ORDER BY removed_at DESC LIMIT 1').get(content)
    return row === undefined ? null : Number(row['source_id'])
  }

  /** Move a video with everything that belongs to it to the bin. */
  remove(sourceId: number): void {
    this.#atomic(() => {
      this.#db
        .prepare(
          `INSERT INTO bin (source_id, name, path, fingerprint, bytes, removed_at, clips, reviewed) SELECT s.id, s.name, s.path, s.fingerprint, s.bytes, ?,
           (SELECT count(*) FROM clips c WHERE c.source_id = s.id),
           (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state <> 'machine')) FROM sources s WHERE s.id = ?`,
        )
        .run(new Date().toISOString(), sourceId)
      // Undone edits are dropped: after a restore, redoing them could overwrite later edits.
      this.#db.prepare('DELETE FROM edits WHERE undone = 1 AND clip_id IN (SELECT id FROM clips WHERE source_id = ?)').run(sourceId)
      const keep = this.#db.prepare('INSERT INTO bin_rows (source_id, rows) VALUES (?, ?)')
      for (const piece of this.#pieces(sourceId)) keep.run(sourceId, serialize(piece))
      this.#db.prepare('DELETE FROM sources WHERE id = ?').run(sourceId)
      this.#changed(sourceId)
    })
  }

  /** @throws TubeletError `not-found` if the bin was emptied; `conflict` if the library has a video with the same content by now. */
  restore(sourceId: number): void {
    const entry = this.#db.prepare('SELECT fingerprint, name FROM bin WHERE source_id = ?').get(sourceId)
    if (entry === undefined)
      throw new TubeletError({ code: 'not-found', message: 'This video is not in the bin.', next: 'Add its file again.' })
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
      // Work that was under way when it was removed has stopped; it waits to be begun again.
      this.#db.prepare(`UPDATE sources SET state = 'queued' WHERE id = ? AND state IN ('queued', 'probing', 'analysing')`).run(sourceId)
      this.#changed(sourceId)
    })
    this.#restored.add(sourceId)
  }

  /** Videos that were restored since this was last called. */
  takeRestored(): number[] {
    const ids = [...this.#restored]
    this.#restored.clear()
    return ids
  }

  /** Delete removed videos for good: all, or those removed before a time. @returns How many. */
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

  /** Tables with rows of a video, and the SQL condition that finds those. */
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
    // Nothing refers to the rows of these tables by id, and other rows may have their ids by now.
    const numbered = table === 'encodings' || table === 'replaced'
    const columns = Object.keys(rows[0] ?? {}).filter((name) => there.has(name) && !(numbered && name === 'id'))
    const insert = this.#db.prepare(
      `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    for (const row of rows) insert.run(...columns.map((name) => row[name] ?? null))
  }

  /** Column names without generated columns. */
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
