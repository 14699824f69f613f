/**
 * Describing what lies in clips, for search by a box: some regions of each, from its stored encoding. Not part of the analysis, since few
 * libraries are searched so; it begins with the first such search and takes a few milliseconds a clip.
 */
import type { Pipeline } from './pipeline.ts'

/** Kept of a clip: enough for nine in ten of real clips to lose nothing (see SAME_REGION); of tubelet-mini they take 6 kB on average. */
const KEPT = 40
const BATCH = 50

/** @returns Describes every clip that is not yet, one run at a time; says so as it goes on. Never fails: what is missing then is missing. */
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
