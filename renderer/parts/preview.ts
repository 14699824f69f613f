/** The preview copy of a video that the browser cannot play: a job of the queue, whose word makes this ask again. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Source } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { call, urlOf } from '../api.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'

/**
 * What a video element plays of a source: the file, or where the browser cannot play it its copy, as soon as there is one. `origin`: seconds of
 * the element's time at which the first frame is shown. The file's time is the file's own, in which sound may begin earlier; a copy's
 * begins with its first frame.
 */
export function usePlayable({ id, playback, probe }: Source) {
  // What every browser should play, this one may still refuse.
  const [refused, setRefused] = useState(false)
  const copied = playback === 'proxy' || refused
  const preview = usePreview(id, copied)
  const params = { sourceId: id }
  const src = !copied ? urlOf('media', { params }) : preview?.state === 'ready' ? urlOf('previewMedia', { params }) : undefined
  const origin = copied || probe === null ? 0 : (probe.startPts * probe.timeBase.num) / probe.timeBase.den
  const refuse = async () => {
    // A copy can be made only of what is there.
    const source = (await call('listSources').catch(() => null))?.sources.find((one) => one.id === id)
    if (source && !isLost(source)) setRefused(true)
  }
  return { src, origin, copied, preview, refuse }
}

/** Its content is not where it was. */
export function isLost({ file }: Pick<Source, 'file'>): boolean {
  return file === 'missing' || file === 'replaced'
}

/** How far the copy of a video is, where one is needed; the first time that it is asked for, it is begun. */
function usePreview(sourceId: number, needed: boolean): Preview | undefined {
  const { data } = useQuery<Preview>({
    queryKey: ['preview', sourceId],
    queryFn: () => call('preview', { params: { sourceId } }),
    enabled: ({ state }) => needed && state.data?.state !== 'ready',
  })
  const begin = needed && data?.state === 'none'
  useEffect(() => {
    if (begin) void changePreview('makePreview', sourceId)
  }, [begin, sourceId])
  return data
}

export async function changePreview(how: 'makePreview' | 'cancelPreview', sourceId: number): Promise<void> {
  await call(how, { params: { sourceId } }).then((preview) => queryClient.setQueryData(['preview', sourceId], preview), tell)
}
