/**
 * Computes regions of clips from their stored encodings, for search by a box. It is not part of the analysis, since few
 * libraries are searched by boxes; it begins with the first such search and takes a few milliseconds per clip.
 */
import type { Pipeline } from './pipeline.ts'

/** Regions kept per clip: nine in ten real clips have no more (see SAME_REGION); with tubelet-mini they take 6 kB on average. */
const KEPT = 40
const BATCH = 50

/** @returns A function that computes the missing regions of all clips, one run at a time, and reports progress. It never fails; clips may stay without. */
export function describer({ library, packs }: Pick<Pipeline, 'library' | 'packs'>): () => Promise<void> {
  let running: Promise<void> | null = null
  const describeAll = async () => {
    const { info, regions } = await packs.words('search').then((ready) => ({ info: ready.info, regions: ready.regions.bind(ready) }))
    for (;;) {
      const clips = library.find.undescribed(info.digest, BATCH)
      if (clips.length === 0) return
      for (const clipId of clips) {
        const encoding = library.encoding(clipId, info.digest)
        const found = encoding && (await regions(encoding, KEPT))
        if (found) library.find.saveRegions(clipId, info.digest, found)
      }
      library.emit({ type: 'search' })
    }
  }
  return () =>
    (running ??= describeAll()
      .catch(() => undefined)
      .finally(() => (running = null)))
}
