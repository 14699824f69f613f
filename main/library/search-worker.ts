/**
 * Exact search beside the host's thread. It reads embeddings through a connection of its own and keeps them as one matrix, adding only
 * what is new since the last query.
 */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

export interface SearchTask {
  id: number
  digest: string
  /** [E], L2-normalised. */
  query: Float32Array
  limit: number
  /** Embeddings of the texts that a query competes with for each clip, and the scale of their cosines; null where the pack is calibrated. */
  rivals: { scale: number; texts: Float32Array[] } | null
  /** Rises when clips were removed: what is kept is then stale. */
  generation: number
}
export interface Found {
  clipId: number
  cosine: number
  /** log of the sum of exp(scale * cosine) over the rivals, or null: the odds of the query against them are exp(scale * cosine - rivals). */
  rivals: number | null
}
export type SearchReply = { id: number; found: Found[]; searched: number } | { id: number; error: string }

const db = new DatabaseSync(path.join(workerData as string, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
const newer = db.prepare('SELECT id, clip_id, embedding FROM encodings WHERE pack_digest = ? AND id > ? ORDER BY id')
const index = { digest: '', generation: -1, last: 0, clipIds: [] as number[], matrix: new Float32Array(0) }

function refresh({ digest, generation, query }: SearchTask): void {
  if (index.digest !== digest || index.generation !== generation) Object.assign(index, { digest, generation, last: 0, clipIds: [], matrix: new Float32Array(0) })
  for (const row of newer.iterate(digest, index.last)) {
    const bytes = row['embedding'] as Uint8Array
    const end = (index.clipIds.length + 1) * query.length
    if (index.matrix.length < end) {
      const grown = new Float32Array(Math.max(end, index.matrix.length * 2))
      grown.set(index.matrix)
      index.matrix = grown
    }
    // A BLOB's bytes need not lie on a float's boundary: copy them.
    new Uint8Array(index.matrix.buffer, index.clipIds.length * query.length * 4, query.length * 4).set(bytes)
    index.clipIds.push(Number(row['clip_id']))
    index.last = Number(row['id'])
  }
}

function search(task: SearchTask): SearchReply {
  refresh(task)
  const { query, limit, id, rivals } = task
  const found = index.clipIds.map((clipId, row) => ({ clipId, row, cosine: cosineWith(query, row) }))
  found.sort((a, b) => b.cosine - a.cosine || a.clipId - b.clipId)
  const best = found.slice(0, limit).map(({ clipId, row, cosine }) => {
    const scaled = rivals?.texts.map((text) => rivals.scale * cosineWith(text, row))
    return { clipId, cosine, rivals: scaled ? logSumExp(scaled) : null }
  })
  return { id, found: best, searched: index.clipIds.length }
}

function cosineWith(query: Float32Array, row: number): number {
  let cosine = 0
  for (let column = 0, at = row * query.length; column < query.length; column += 1, at += 1) cosine += (query[column] ?? 0) * (index.matrix[at] ?? 0)
  return cosine
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values)
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0))
}

parentPort?.on('message', (task: SearchTask) => {
  try {
    parentPort?.postMessage(search(task))
  } catch (error) {
    parentPort?.postMessage({ id: task.id, error: String(error) } satisfies SearchReply)
  }
})
