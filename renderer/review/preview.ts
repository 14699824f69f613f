/** The preview copy of a video that the browser cannot play: a job of the queue, whose word makes this ask again. */
import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Preview } from '../../app/contract/review.ts'
import { call } from '../api.ts'
import { queryClient, tell } from '../queries.ts'

/** How far the copy of a video is, where one is needed; the first time that it is asked for, it is begun. */
export function usePreview(sourceId: number, needed: boolean): Preview | undefined {
  const { data } = useQuery<Preview>({ queryKey: ['preview', sourceId], queryFn: () => call('preview', { params: { sourceId } }), enabled: ({ state }) => needed && state.data?.state !== 'ready' })
  const begin = needed && data?.state === 'none'
  useEffect(() => {
    if (begin) void changePreview('makePreview', sourceId)
  }, [begin, sourceId])
  return data
}

export async function changePreview(how: 'makePreview' | 'cancelPreview', sourceId: number): Promise<void> {
  await call(how, { params: { sourceId } }).then((preview) => queryClient.setQueryData(['preview', sourceId], preview), tell)
}
