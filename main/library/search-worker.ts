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
  /** Rises when clips were removed: what is kept is then stale. */
  generation: number
}
export type SearchReply = { id: number; found: { clipId: number; cosine: number }[]; searched: number } | { id: number; error: string }

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
  const { query, limit, id } = task
  const found = index.clipIds.map((clipId, row) => {
    let cosine = 0
    for (let column = 0, at = row * query.length; column < query.length; column += 1, at += 1) cosine += (query[column] ?? 0) * (index.matrix[at] ?? 0)
    return { clipId, cosine }
  })
  found.sort((a, b) => b.cosine - a.cosine || a.clipId - b.clipId)
  return { id, found: found.slice(0, limit), searched: index.clipIds.length }
}

parentPort?.on('message', (task: SearchTask) => {
  try {
    parentPort?.postMessage(search(task))
  } catch (error) {
    parentPort?.postMessage({ id: task.id, error: String(error) } satisfies SearchReply)
  }
})
