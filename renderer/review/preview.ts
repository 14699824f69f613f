/** The preview copy of a video that the browser cannot play. */
import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Preview } from '../../app/contract/review.ts'
import { call } from '../api.ts'
import { queryClient, tell } from '../queries.ts'

/** How far the copy of a video is, where one is needed; the first time that it is asked for, it is begun. */
export function usePreview(sourceId: number, needed: boolean): Preview | undefined {
  const { data } = useQuery({ queryKey: ['preview', sourceId], queryFn: () => call('preview', { params: { sourceId } }), enabled: needed })
  const begin = needed && data?.state === 'none' && !stopped.has(sourceId)
  useEffect(() => {
    if (begin) void makePreview(sourceId)
  }, [begin, sourceId])
  return data
}

/** Whose copy a person did not want. */
const stopped = new Set<number>()

export async function makePreview(sourceId: number): Promise<void> {
  stopped.delete(sourceId)
  await call('makePreview', { params: { sourceId } }).then((preview) => queryClient.setQueryData(['preview', sourceId], preview), tell)
}

export async function cancelPreview(sourceId: number): Promise<void> {
  stopped.add(sourceId)
  await call('cancelPreview', { params: { sourceId } }).then((preview) => queryClient.setQueryData(['preview', sourceId], preview), tell)
}
