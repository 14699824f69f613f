/** The host's side of search: asks the worker, and keeps what search needs beside the encodings. */
import type { DatabaseSync } from 'node:sqlite'
import type { Clip } from '../../app/contract/clip.ts'
import type { Problem } from '../../app/errors.ts'
import { isDirection } from '../../app/vector.ts'
import { Channel, thread } from '../channel.ts'
import type { Regions } from '../engine/engine.ts'
import { CLIP_VIEW, clipsOf } from './rows.ts'
import type { Calls, SearchService } from './search-worker.ts'

const STOPPED: Problem = {
  code: 'internal',
  message: 'The search stopped unexpectedly.',
  stillWorks: 'Your library and everything already shown as done are safe.',
  next: 'Try again: it starts anew.',
}

export class LibraryFind {
  readonly #db: DatabaseSync
  /** The channel to the worker that holds all embeddings. */
  readonly #worker: Channel<SearchService>
  #generation = 0

  constructor(projectDir: string, db: DatabaseSync) {
    this.#db = db
    this.#worker = new Channel(() => thread(import.meta.url, 'search-worker', projectDir), STOPPED)
  }

  close(): Promise<void> {
    return this.#worker.close()
  }

  /** Encodings were removed: the worker must read them again. */
  forget(): void {
    this.#generation += 1
  }

  /** Call the worker on the encodings of one pack. @throws TubeletError `internal` when the worker died: ask again. */
  ask<N extends keyof Calls>(name: N, input: Calls[N]['input'], digest = ''): Promise<Calls[N]['output']> {
    return this.#worker.call(name, { input, digest, generation: this.#generation })
  }

  /** The clips in the order of `ids`; those that no longer exist are left out. */
  clips(ids: readonly number[]): Clip[] {
    const rows = this.#db.prepare(`${CLIP_VIEW} WHERE c.id IN (SELECT value FROM json_each(?))`).all(JSON.stringify(ids))
    const byId = new Map(clipsOf(this.#db, rows).map((clip) => [clip.id, clip]))
    return ids.flatMap((id) => byId.get(id) ?? [])
  }

  /** @throws RangeError for an embedding that cannot be compared with the others of its pack. */
  mustCompare(embedding: Float32Array, digest: string): void {
    const others = this.#db.prepare('SELECT length(embedding) / 4 AS width FROM encodings WHERE pack_digest = ? LIMIT 1').get(digest)
    if (embedding.length !== Number(others?.['width'] ?? embedding.length)) throw new RangeError('an embedding of another length')
    // Packs that do not search give none.
    if (embedding.length > 0 && !isDirection(embedding)) throw new RangeError('an embedding without a direction')
  }

  /** How many videos are not analysed to their end yet. */
  unread(): number {
    return Number(this.#db.prepare(`SELECT count(*) AS n FROM sources WHERE state IN ('queued', 'probing', 'analysing')`).get()?.['n'])
  }

  /** Up to `most` clips whose regions are not stored yet. */
  undescribed(digest: string, most: number): number[] {
    return this.#db
      .prepare(
        'SELECT e.clip_id FROM encodings e WHERE e.pack_digest = ? AND e.tokens IS NOT NULL AND NOT EXISTS (SELECT 1 FROM regions r WHERE r.encoding_id = e.id) ORDER BY e.id LIMIT ?',
      )
      .all(digest, most)
      .map((row) => Number(row['clip_id']))
  }

  /** Regions without a direction are left out: nothing can be compared with them. */
  saveRegions(clipId: number, digest: string, { frames, boxes, vectors: all }: Regions): void {
    const width = all.length / frames.length
    const kept = frames.flatMap((frame, at) => {
      const vector = all.subarray(at * width, (at + 1) * width)
      return isDirection(vector) ? [{ frame, box: boxes[at], vector }] : []
    })
    const places = kept.map(({ frame, box }) => ({ frame, box }))
    const vectors = Float32Array.from(kept.flatMap(({ vector }) => [...vector]))
    this.#db
      .prepare(
        'INSERT OR REPLACE INTO regions (encoding_id, places, vectors) SELECT id, ?, ? FROM encodings WHERE clip_id = ? AND pack_digest = ?',
      )
      .run(JSON.stringify(places), new Uint8Array(vectors.buffer), clipId, digest)
  }
}
