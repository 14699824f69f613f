/**
 * The map of a library: UMAP (McInnes et al. 2018, by umap-js) of its clips' embeddings, in a worker thread. The same embeddings give
 * the same map. The map is cached; as long as few clips are new, they are placed beside the clips that they are most like.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UMAP } from 'umap-js'
import { z } from 'zod'
import { random } from '../../app/random.ts'
import { dot } from '../../app/vector.ts'
import { serve } from '../channel.ts'
import { makeFolderSync } from '../folders.ts'

export interface MapService {
  /** @param note Progress, 0..1. `x` and `y`: each clip's place on the map, 0..1. */
  draw: { input: { projectDir: string; digest: string }; output: { clipIds: number[]; x: number[]; y: number[] }; note: number }
}

interface Clip {
  id: number
  embedding: number[]
}
type Place = [x: number, y: number]

const Kept = z.object({ clipIds: z.array(z.number()), x: z.array(z.number()), y: z.array(z.number()) })
/** If more clips are new than this share of the old ones, a new map is made. */
const FEW = 0.1
const NEIGHBOURS = 15
const AMONG = 5

serve<MapService>({
  draw: ({ projectDir, digest }, { note }) => {
    const file = path.join(projectDir, 'cache', 'maps', `${digest}.json`)
    const clips = clipsOf(projectDir, digest)
    const places = placed(clips, kept(file)) ?? drawn(clips, note)
    const map = {
      clipIds: clips.map(({ id }) => id),
      x: clips.map((_, at) => places[at]?.[0] ?? 0.5),
      y: clips.map((_, at) => places[at]?.[1] ?? 0.5),
    }
    makeFolderSync(path.dirname(file))
    writeFileSync(file, JSON.stringify(map))
    return map
  },
})

function clipsOf(projectDir: string, digest: string): Clip[] {
  const db = new DatabaseSync(path.join(projectDir, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
  const clips = db
    .prepare('SELECT clip_id, embedding FROM encodings WHERE pack_digest = ? ORDER BY clip_id')
    .all(digest)
    .map((row) => ({
      id: Number(row['clip_id']),
      embedding: Array.from(new Float32Array(new Uint8Array(row['embedding'] as Uint8Array).buffer)),
    }))
  db.close()
  return clips
}

function kept(file: string): z.infer<typeof Kept> | null {
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // There is no cached map, or its file is incomplete.
    return null
  }
}

/** Places on the old map: old clips keep theirs, new ones go beside the clips most like them; null if too many are new. */
function placed(clips: readonly Clip[], old: z.infer<typeof Kept> | null): Place[] | null {
  if (old === null) return null
  const known = new Map(old.clipIds.map((id, at): [number, Place] => [id, [old.x[at] ?? 0.5, old.y[at] ?? 0.5]]))
  const there = clips.flatMap(({ id, embedding }) => {
    const place = known.get(id)
    return place ? [{ embedding, place }] : []
  })
  if (clips.length - there.length > FEW * there.length) return null
  return clips.map(({ id, embedding }) => {
    const place = known.get(id)
    if (place) return place
    const near = there
      .map((one) => ({ place: one.place, like: dot(one.embedding, embedding) }))
      .sort((a, b) => b.like - a.like)
      .slice(0, AMONG)
    return [near.reduce((sum, one) => sum + one.place[0], 0) / near.length, near.reduce((sum, one) => sum + one.place[1], 0) / near.length]
  })
}

/** A new map. @param tell Gets the progress, 0..1. */
function drawn(clips: readonly Clip[], tell: (share: number) => void): Place[] {
  // UMAP needs neighbours: fewer clips are placed in a row.
  if (clips.length < 4) return clips.map((_, at) => [(at + 0.5) / clips.length, 0.5])
  const umap = new UMAP({ nNeighbors: Math.min(NEIGHBOURS, clips.length - 1), minDist: 0.1, random: random(20_180_209) })
  const epochs = umap.initializeFit(clips.map(({ embedding }) => embedding))
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    umap.step()
    if (epoch % 20 === 0) tell(epoch / epochs)
  }
  const points = umap.getEmbedding()
  const [xs, ys] = [points.map(([x = 0]) => x), points.map(([, y = 0]) => y)]
  const share = (values: readonly number[]) => {
    const low = values.reduce((least, value) => Math.min(least, value), Infinity)
    const high = values.reduce((most, value) => Math.max(most, value), -Infinity)
    return values.map((value) => (high > low ? (value - low) / (high - low) : 0.5))
  }
  const [x, y] = [share(xs), share(ys)]
  return points.map((_, at) => [x[at] ?? 0.5, y[at] ?? 0.5])
}
