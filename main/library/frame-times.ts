/** When each frame of a video is shown, as the library stores it. */
import type { DatabaseSync } from 'node:sqlite'
import { deflateSync, inflateSync } from 'node:zlib'

/** PTS of every frame, by ordinal, as bytes: frames are mostly equally far apart, which packs well. */
export function packedTimes(pts: Float64Array): Uint8Array {
  const steps = Float64Array.from(pts, (value, at) => value - (at === 0 ? 0 : (pts[at - 1] ?? 0)))
  return deflateSync(new Uint8Array(steps.buffer))
}

/** PTS of every decoded frame of a source, by ordinal; none before it was decoded. */
export function frameTimes(db: DatabaseSync, sourceId: number): Float64Array {
  const blob = db.prepare('SELECT pts FROM sources WHERE id = ?').get(sourceId)?.['pts']
  if (!(blob instanceof Uint8Array)) return new Float64Array(0)
  const pts = new Float64Array(new Uint8Array(inflateSync(blob)).buffer)
  for (let at = 1; at < pts.length; at += 1) pts[at] = (pts[at] ?? 0) + (pts[at - 1] ?? 0)
  return pts
}
