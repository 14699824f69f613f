/** The clips in the order of the list at the left, and going from one to the next. */
import type { Clip } from '../../app/contract.ts'
import { found } from '../find/queries.ts'
import { isFinding, useFind } from '../find/store.ts'
import { queryClient } from '../queries.ts'
import { useUi } from '../store.ts'

/** Clips in the order of the list at the left, seen or scrolled away. */
export function listed(): { id: number; sourceId: number }[] {
  if (isFinding(useFind.getState())) return found()
  const bySource = Map.groupBy(queryClient.getQueryData<{ clips: Clip[] }>(['clips'])?.clips ?? [], ({ sourceId }) => sourceId)
  return (queryClient.getQueryData<{ sources: { id: number }[] }>(['sources'])?.sources ?? []).flatMap(({ id }) => bySource.get(id) ?? [])
}

/** The next or previous clip; from a video without a chosen clip, its first. */
export function neighbourClip(by: 1 | -1): void {
  const { clipId, sourceId, selectClip } = useUi.getState()
  const clips = listed()
  const at = clips.findIndex((clip) => clip.id === clipId)
  const next = at === -1 ? (clips.find((clip) => clip.sourceId === sourceId) ?? clips[0]) : clips[at + by]
  if (next) selectClip(next.id, next.sourceId)
}
