/** Searching for clips similar to what is being looked at. */
import { interpolate } from '../../app/tracks.ts'
import { ordinalAt, ptsAt, usePlayer } from '../player.ts'
import { clipQuery, framesQuery, queryClient } from '../cache.ts'
import { useUi } from '../store.ts'
import { useFind } from './store.ts'

/**
 * Search for what resembles the selected box on the shown frame (or on the track's first frame, if the track is not on the shown one);
 * without a box, for clips like this one.
 */
export function findSimilar(): void {
  const { clipId, sourceId, trackId, goTo } = useUi.getState()
  if (clipId === null) return
  const track = queryClient.getQueryData(clipQuery(clipId).queryKey)?.annotations.find(({ id }) => id === trackId)?.body
  const frames = queryClient.getQueryData(framesQuery(sourceId).queryKey)
  const { seek } = useFind.getState()
  if (track?.kind === 'track' && frames) {
    const ordinal = ordinalAt(frames, usePlayer.getState().time)
    const box = interpolate(track, frames.pts[ordinal] ?? ptsAt(frames, usePlayer.getState().time))
    const [first] = track.boxes
    if (box) seek({ by: 'box', clipId, ordinal, box })
    else if (first) seek({ by: 'box', clipId, ordinal: first.ordinal, box: first.box })
  } else {
    seek({ by: 'clip', clipId })
  }
  goTo('review')
}
