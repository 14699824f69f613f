/** Searching for what is like what one looks at. */
import { interpolate } from '../../app/tracks.ts'
import { ordinalAt, ptsAt, usePlayer } from '../player.ts'
import { clipQuery, framesQuery, queryClient } from '../cache.ts'
import { useUi } from '../store.ts'
import { useFind } from './store.ts'

/** Like the selected box on the shown frame (or, where the track is not on it, on the track's first), else like the clip. */
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
