/**
 * Clips that a person removed, kept with their annotations and encodings, so that undo can bring them back, even
 * after a restart. What belongs to the video (reach.ts) is not removed with one of its clips: it moves to the clip in which it begins. Edits of a removed clip stay in the history, since the steps before its removal can still be undone.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { deserialize, serialize } from 'node:v8'
import { TubeletError } from '../../app/errors.ts'
import { MOVE_OUT } from './reach.ts'

/** Tables with rows of a clip, in the order in which they can be restored. Regions are computed again when needed, facts when the clip is back. */
const TABLES = [
  'clips',
  'encodings',
  'detections',
  'candidates',
  'seen',
  'cells',
  'annotations',
  'replaced',
  'unanswered',
  'asked',
] as const
/** Rows by table; clips removed by an earlier version have fewer tables. */
type Rows = Partial<Record<(typeof TABLES)[number], Record<string, SQLOutputValue>[]>>
/** `moved`: ids of what belongs to the video and moved to other clips. */
type Kept = Rows & { moved?: number[] }

export class RemovedClips {
  readonly #db: DatabaseSync
  readonly #changed: (sourceId: number, clipIds: number[]) => void

  /** @param changed Called in the transaction that removes or restores a clip. */
  constructor(db: DatabaseSync, changed: (sourceId: number, clipIds: number[]) => void) {
    this.#db = db
    this.#changed = changed
  }

  remove(clipId: number): void {
    const moved = this.#db.prepare(MOVE_OUT).all(clipId)
    const rows = Object.fromEntries(
      TABLES.map((table) => [
        table,
        this.#db
          .prepare(`SELECT ${this.#columns(table).join(', ')} FROM ${table} WHERE ${table === 'clips' ? 'id' : 'clip_id'} = ?`)
          .all(clipId),
      ]),
    ) as Rows
    const sourceId = Number(rows.clips?.[0]?.['source_id'])
    this.#db
      .prepare('INSERT INTO removed (clip_id, source_id, rows) VALUES (?, ?, ?)')
      .run(clipId, sourceId, serialize({ ...rows, moved: moved.map(({ id }) => Number(id)) } satisfies Kept))
    this.#db.prepare('DELETE FROM clips WHERE id = ?').run(clipId)
    this.#changed(sourceId, [clipId, ...new Set(moved.map(({ clip_id: into }) => Number(into)))])
  }

  /** @throws TubeletError `not-found` */
  restore(clipId: number): void {
    const blob = this.#db.prepare('SELECT rows FROM removed WHERE clip_id = ?').get(clipId)?.['rows']
    if (!(blob instanceof Uint8Array))
      throw new TubeletError({ code: 'not-found', message: 'There is no such clip in the library.', next: 'Reload the list.' })
    const { moved = [], ...rows } = deserialize(blob) as Kept
    const [{ source_id: sourceId = 0, start_frame: startFrame = 0, end_frame: endFrame = 0 } = {}] = rows.clips ?? []
    // An analysis may have made a clip of the same span meanwhile. What a person decided about that one has been undone before this.
    this.#db.prepare('DELETE FROM clips WHERE source_id = ? AND start_frame = ? AND end_frame = ?').run(sourceId, startFrame, endFrame)
    for (const table of TABLES) {
      // Encodings get new ids: another one may have the old id by now, and only regions refer to it.
      const columns = this.#columns(table).filter((name) => table !== 'encodings' || name !== '"id"')
      const insert = this.#db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
      for (const row of rows[table] ?? []) insert.run(...columns.map((name) => row[name.slice(1, -1)] ?? null))
    }
    this.#db.prepare('DELETE FROM removed WHERE clip_id = ?').run(clipId)
    const from = this.#db
      .prepare('SELECT DISTINCT clip_id AS id FROM annotations WHERE id IN (SELECT value FROM json_each(?))')
      .all(JSON.stringify(moved))
      .map(({ id }) => Number(id))
    this.#db.prepare('UPDATE annotations SET clip_id = ? WHERE id IN (SELECT value FROM json_each(?))').run(clipId, JSON.stringify(moved))
    this.#changed(Number(sourceId), [clipId, ...from])
  }

  /** Quoted column names without generated columns. */
  #columns(table: string): string[] {
    return this.#db
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map(({ name }) => `"${String(name)}"`)
  }
}
