/**
 * Packs as a library knows them: which one does which task, and what each has encoded. Encodings of several packs are stored side by side and never
 * mix, so switching back to a pack shows its results at once.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { BackendEvent } from '../../app/contract.ts'
import type { Task } from '../../app/pack/base.ts'
import { writeSetting } from './settings.ts'

export interface ChosenPack {
  id: string
  digest: string
  /** The names that a detector with a closed list knows. */
  names?: readonly string[] | undefined
}
export type ChosenPacks = Partial<Record<Task, ChosenPack | null>>

/** What a pack has not encoded, in sources that can be analysed. */
export interface Missing {
  sourceIds: number[]
  clips: number
  /** Length of the video in those clips, seconds. */
  seconds: number
}

/** The pack of each task, see `LibraryPacks.current`. */
export function currentPacks(db: DatabaseSync): ChosenPacks {
  const value = db.prepare(`SELECT value FROM settings WHERE key = 'packs'`).get()?.['value']
  return typeof value === 'string' ? (JSON.parse(value) as ChosenPacks) : {}
}

export class LibraryPacks {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction. */
  readonly #atomic: <T>(work: () => T) => T
  readonly #emit: (event: BackendEvent) => void
  /** Encodings were removed: the search index is stale. */
  readonly #removed: () => void

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, emit: (event: BackendEvent) => void, removed: () => void) {
    this.#db = db
    this.#atomic = atomic
    this.#emit = emit
    this.#removed = removed
  }

  /** The pack of each task: null if the user chose none, missing if it was never set. */
  current(): ChosenPacks {
    return currentPacks(this.#db)
  }

  /** The digests of the packs in use, each once. */
  inUse(): string[] {
    return [...new Set(Object.values(this.current()).flatMap((pack) => pack?.digest ?? []))]
  }

  /** Give a task to a pack, or to none. If the task is captions, the pack's captions become the machine layer. */
  use(task: Task, pack: ChosenPack | null): void {
    const touched = this.#atomic(() => {
      writeSetting(this.#db, 'packs', {
        ...this.current(),
        [task]: pack && { id: pack.id, digest: pack.digest, ...(pack.names ? { names: pack.names } : {}) },
      })
      if (task !== 'caption' || pack === null) return []
      return this.#db
        .prepare(
          `UPDATE annotations SET machine = json_extract(e.caption, '$.body'), evidence = json_extract(e.caption, '$.evidence'), provenance = json_extract(e.caption, '$.provenance')
           FROM encodings e WHERE e.pack_digest = ? AND e.caption IS NOT NULL AND e.clip_id = annotations.clip_id AND annotations.kind = 'caption'
             AND annotations.provenance ->> '$.packDigest' IS NOT e.pack_digest
           RETURNING annotations.clip_id`,
        )
        .all(pack.digest)
    })
    const bySource = this.#db.prepare(
      'SELECT source_id, json_group_array(id) AS ids FROM clips WHERE id IN (SELECT value FROM json_each(?)) GROUP BY source_id',
    )
    for (const row of bySource.all(JSON.stringify(touched.map((row) => Number(row['clip_id']))))) {
      this.#emit({ type: 'clips', sourceId: Number(row['source_id']), clipIds: JSON.parse(String(row['ids'])) as number[] })
    }
    this.#emit({ type: 'sources', ids: [] })
    this.#emit({ type: 'status' })
  }

  /** Results stored under these older digests belong to the pack `digest`. Where that pack has looked again since, the newer results stay. */
  rename(formerly: readonly string[], digest: string): void {
    const before = JSON.stringify(formerly)
    const known = this.#db
      .prepare(
        `SELECT 1 WHERE EXISTS (SELECT 1 FROM encodings WHERE pack_digest IN (SELECT value FROM json_each(?1))) OR EXISTS (SELECT 1 FROM seen WHERE by IN (SELECT value FROM json_each(?1)))
         OR EXISTS (SELECT 1 FROM settings, json_each(settings.value) t WHERE settings.key = 'packs' AND t.value ->> '$.digest' IN (SELECT value FROM json_each(?1)))`,
      )
      .get(before)
    if (known === undefined) return
    this.#atomic(() => {
      // Rows of `detections` refer to their encoding by its digest.
      this.#db.exec('PRAGMA defer_foreign_keys = ON')
      for (const [table, column] of [
        ['encodings', 'pack_digest'],
        ['detections', 'pack_digest'],
        ['seen', 'by'],
        ['cells', 'by'],
      ] as const) {
        this.#db
          .prepare(`UPDATE OR IGNORE ${table} SET ${column} = ? WHERE ${column} IN (SELECT value FROM json_each(?))`)
          .run(digest, before)
        this.#db.prepare(`DELETE FROM ${table} WHERE ${column} IN (SELECT value FROM json_each(?))`).run(before)
      }
      this.#db
        .prepare(
          `DELETE FROM candidates WHERE pack_digest IN (SELECT value FROM json_each(?1)) AND EXISTS (SELECT 1 FROM candidates c WHERE c.clip_id = candidates.clip_id AND c.pack_digest = ?2)`,
        )
        .run(before, digest)
      this.#db.prepare('UPDATE candidates SET pack_digest = ? WHERE pack_digest IN (SELECT value FROM json_each(?))').run(digest, before)
      for (const [table, column, at] of [
        ['encodings', 'caption', '$.provenance.packDigest'],
        ['candidates', 'provenance', '$.packDigest'],
        ['annotations', 'provenance', '$.packDigest'],
      ] as const)
        this.#db
          .prepare(
            `UPDATE ${table} SET ${column} = json_set(${column}, '${at}', ?) WHERE ${column} ->> '${at}' IN (SELECT value FROM json_each(?))`,
          )
          .run(digest, before)
      const chosen = Object.entries(this.current()).map(([task, pack]) => [
        task,
        pack && formerly.includes(pack.digest) ? { ...pack, digest } : pack,
      ])
      this.#db.prepare(`UPDATE settings SET value = ? WHERE key = 'packs'`).run(JSON.stringify(Object.fromEntries(chosen)))
    })
  }

  /** Clips of which any of these packs has no result. */
  missing(digests: readonly string[]): Missing {
    const rows = this.#db
      .prepare(
        `SELECT c.source_id, count(*) AS clips, total(c."end" - c.start) AS seconds FROM clips c JOIN sources s ON s.id = c.source_id
         WHERE s.state <> 'failed' AND EXISTS (SELECT 1 FROM json_each(?) d WHERE NOT EXISTS (SELECT 1 FROM encodings e WHERE e.clip_id = c.id AND e.pack_digest = d.value)
           AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.clip_id = c.id AND s.by = d.value))
         GROUP BY c.source_id`,
      )
      .all(JSON.stringify(digests))
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0)
    return { sourceIds: rows.map((row) => Number(row['source_id'])), clips: sum('clips'), seconds: sum('seconds') }
  }

  /** For each pack, by digest: the number of clips it encoded, and the bytes that the encodings take in the library file. */
  usage(): Map<string, { clips: number; bytes: number }> {
    const rows = this.#db
      .prepare(
        `SELECT pack_digest, count(*) AS clips, total(length(embedding) + length(memory) + coalesce(length(tokens), 0)) AS bytes FROM encodings GROUP BY pack_digest
         UNION ALL SELECT s.by, count(*), total(length(s.body)) + coalesce((SELECT total(length(body)) FROM cells WHERE by = s.by), 0) FROM seen s WHERE s.by <> '' GROUP BY s.by`,
      )
      .all()
    return new Map(rows.map((row) => [String(row['pack_digest']), { clips: Number(row['clips']), bytes: Number(row['bytes']) }]))
  }

  /** Delete a pack's encodings. Its captions and answers stay until another pack replaces them. */
  forget(digest: string): void {
    this.#atomic(() => {
      this.#db.prepare('DELETE FROM candidates WHERE pack_digest = ?').run(digest)
      this.#db.prepare('DELETE FROM encodings WHERE pack_digest = ?').run(digest)
      this.#db.prepare('DELETE FROM seen WHERE by = ?').run(digest)
      this.#db.prepare('DELETE FROM cells WHERE by = ?').run(digest)
    })
    this.#removed()
    this.#emit({ type: 'sources', ids: [] })
  }
}
