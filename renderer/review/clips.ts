/** The clips in the order of the list at the left, and going from one to the next. */
import type { Clip, Source } from '../../app/contract.ts'
import { found } from '../find/queries.ts'
import { isFinding, useFind } from '../find/store.ts'
import { clipsOf, queryClient, sourcesQuery } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'
import { useWalk } from './walk.ts'

/**
 * The next or previous clip: of the picked ones, of the search results, or of the library, where it continues into the next video; from a
 * video without a chosen clip, its first.
 */
export async function neighbourClip(by: 1 | -1): Promise<void> {
  const { clipId, sourceId, selectClip } = useUi.getState()
  const list = isFinding(useFind.getState()) ? found() : useWalk.getState().clips
  if (list !== null) {
    const at = list.findIndex(({ id }) => id === clipId)
    const next = at === -1 ? list[0] : list[at + by]
    if (next) selectClip(next.id, next.sourceId)
    return
  }
  try {
    const sources = queryClient.getQueryData(sourcesQuery.queryKey)?.sources ?? []
    const here = sources.findIndex(({ id }) => id === sourceId)
    const clips = await of(sources[here])
    const at = clips.findIndex(({ id }) => id === clipId)
    const beside = at === -1 ? clips[0] : clips[at + by]
    // A video that cannot be read has no clips, and is skipped.
    const hasClips = ({ clipCount }: Source) => clipCount > 0
    const other = by === 1 || here === -1 ? sources.slice(here + 1).find(hasClips) : sources.slice(0, here).findLast(hasClips)
    const next = beside ?? (await of(other)).at(by === 1 || here === -1 ? 0 : -1)
    // The person may have chosen another clip meanwhile.
    if (next && useUi.getState().clipId === clipId) selectClip(next.id, next.sourceId)
  } catch (error) {
    tell(error)
  }
}

/** The clips of a video, from the cache if the list shows them. */
async function of(source: Source | undefined): Promise<readonly Clip[]> {
  if (source === undefined || source.clipCount === 0) return []
  const query = clipsOf(source.id)
  return queryClient.getQueryData(query.queryKey) ?? (await queryClient.query(query))
}
