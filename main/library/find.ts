/** The host's side of search: asks the worker, and keeps what search needs beside the encodings. */
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Clip } from '../../app/contract/clip.ts'
import type { Regions } from '../engine/engine.ts'
import { CLIP_VIEW, clipOf } from './rows.ts'
import type { Calls, Reply } from './search-worker.ts'

/** The worker that holds all embeddings, and who waits for its replies. */
interface Running {
  worker: Worker
  waiting: Map<number, { resolve: (output: Calls[keyof Calls]['output']) => void; reject: (error: unknown) => void }>
}

export class LibraryFind {
  readonly #projectDir: string
  readonly #db: DatabaseSync
  #running: Running | null = null
  #next = 0
  #generation = 0

  constructor(projectDir: string, db: DatabaseSync) {
    this.#projectDir = projectDir
    this.#db = db
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.worker.terminate()
    for (const { reject } of running?.waiting.values() ?? []) reject(new Error('the library was closed'))
  }

  /** Encodings were removed: what the worker holds is stale. */
  forget(): void {
    this.#generation += 1
  }

  /** Have the worker do something over the encodings of one pack. */
  async ask<N extends keyof Calls>(name: N, input: Calls[N]['input'], digest = ''): Promise<Calls[N]['output']> {
    const { worker, waiting } = (this.#running ??= this.#start())
    const id = (this.#next += 1)
    const { promise, resolve, reject } = Promise.withResolvers<Calls[keyof Calls]['output']>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, name, input, digest, generation: this.#generation })
    // The reply to `id` has the output of the call that `id` was given to.
    return promise
  }

  #start(): Running {
    const worker = new Worker(new URL(`./search-worker${path.extname(import.meta.url)}`, import.meta.url), { workerData: this.#projectDir })
    const waiting: Running['waiting'] = new Map()
    worker.on('message', (reply: Reply) => {
      const asked = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('error' in reply) asked?.reject(new Error(`search failed: ${reply.error}`))
      else asked?.resolve(reply.output)
    })
    worker.on('error', (error) => {
      this.#running = null
      for (const { reject } of waiting.values()) reject(error)
    })
    // An idle index must not keep a finished command alive.
    worker.unref()
    return { worker, waiting }
  }

  /** In the order of `ids`; those that are gone are left out. */
  clips(ids: readonly number[]): Clip[] {
    const rows = this.#db.prepare(`${CLIP_VIEW} WHERE c.id IN (SELECT value FROM json_each(?))`).all(JSON.stringify(ids))
    const byId = new Map(rows.map((row) => [Number(row['id']), clipOf(row)]))
    return ids.flatMap((id) => byId.get(id) ?? [])
  }

  /** Videos that are not read to their end yet. */
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

  saveRegions(clipId: number, digest: string, { frames, boxes, vectors }: Regions): void {
    const places = frames.map((frame, at) => ({ frame, box: boxes[at] }))
    this.#db
      .prepare(
        'INSERT OR REPLACE INTO regions (encoding_id, places, vectors) SELECT id, ?, ? FROM encodings WHERE clip_id = ? AND pack_digest = ?',
      )
      .run(JSON.stringify(places), new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength), clipId, digest)
  }
}
