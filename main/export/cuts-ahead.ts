/** How far clips that are copied without loss would begin before their first frame, told before any is made. */
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { CutsAhead } from '../../app/contract/export.ts'
import { mediaFile } from '../jobs/pipeline.ts'
import type { Library } from '../library/library.ts'
import { earlyBy } from '../media/cuts.ts'
import type { MediaTools } from '../media/tools.ts'

/** So many clips are looked at, evenly among the chosen ones: each costs a run of ffmpeg over a part of a file. */
const LOOKED = 24
/** Less is the rounding of times. */
const EARLY = 0.001

/**
 * @param clipIds Default: all clips of the videos.
 * @param there Throws where a video's content does not lie at its path (`Identity.there`).
 */
export async function cutsAhead(
  library: Library,
  tools: MediaTools,
  { sourceIds, clipIds }: { sourceIds?: readonly number[] | undefined; clipIds?: readonly number[] | undefined },
  there: (sourceId: number) => Promise<unknown>,
  signal: AbortSignal,
): Promise<CutsAhead> {
  const wanted = clipIds && new Set(clipIds)
  const finished = library.sources().filter(({ id, state }) => analysedToItsEnd(state) && (sourceIds?.includes(id) ?? true))
  const all = finished.flatMap((source) =>
    library
      .clips({ sourceId: source.id, limit: 1_000_000, offset: 0 })
      .clips.filter(({ id }) => wanted?.has(id) ?? true)
      .map((clip) => ({ source, clip })),
  )
  const step = Math.max(1, all.length / LOOKED)
  const chosen = Array.from({ length: Math.min(LOOKED, all.length) }, (_, at) => all[Math.floor(at * step)]).filter(
    (one) => one !== undefined,
  )
  const told: CutsAhead = { clips: all.length, looked: 0, early: 0, most: 0, uncut: 0 }
  for (const { source, clip } of chosen) {
    signal.throwIfAborted()
    const { id, probe } = source
    if (probe === null) continue
    const look = async () => {
      await there(id)
      return earlyBy(tools, { file: await mediaFile(library, source), probe, pts: library.frames(id) }, clip, signal)
    }
    // A video that is not there is told when its clips are made.
    const early = await look().catch(() => {
      signal.throwIfAborted()
      return undefined
    })
    if (early === undefined) continue
    told.looked += 1
    if (early === null) told.uncut += 1
    else if (early > EARLY) told.early += 1
    told.most = Math.max(told.most, early ?? 0)
  }
  return told
}
