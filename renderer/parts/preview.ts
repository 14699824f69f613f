/** The preview copy of a video that the browser cannot play: a job of the queue, whose events make this refetch. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Source } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { call, urlOf } from '../api.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'

/**
 * What a video element plays for a source: the file, or, where the browser cannot play it, its copy as soon as there is one. `origin`: the
 * element's time, in seconds, of the first frame. A file keeps its own time, in which sound may begin earlier; a copy begins with its first
 * frame.
 */
export function usePlayable({ id, playback, probe }: Source) {
  // This browser may refuse a file that every browser should play.
  const [refused, setRefused] = useState(false)
  const copied = playback === 'proxy' || refused
  const preview = usePreview(id, copied)
  const params = { sourceId: id }
  const src = !copied ? urlOf('media', { params }) : preview?.state === 'ready' ? urlOf('previewMedia', { params }) : undefined
  const origin = copied || probe === null ? 0 : (probe.startPts * probe.timeBase.num) / probe.timeBase.den
  /** @returns Whether a copy is played instead: it can only be made of a file that is there. */
  const refuse = async () => {
    const source = (await call('listSources').catch(() => null))?.sources.find((one) => one.id === id)
    const isThere = source !== undefined && !isLost(source)
    if (isThere) setRefused(true)
    return isThere
  }
  return { src, origin, copied, preview, refuse }
}

/** Whether its content is no longer where it was. */
export function isLost({ file }: Pick<Source, 'file'>): boolean {
  return file === 'missing' || file === 'replaced'
}

/** The progress of a video's preview copy, if one is needed; the first request starts it. */
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
