/** What the library holds, as the window asks for it: one query for each thing; its key also finds the answer in the cache. */
import { type InvalidateQueryFilters, QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import type { Queue, Status } from '../app/contract.ts'
import type { Task } from '../app/pack/base.ts'
import { call } from './api.ts'
import { newest } from './queue-order.ts'

// The backend is on this machine: without a network it answers all the same.
const LOCAL = { networkMode: 'always' } as const

export const queryClient = new QueryClient({
  defaultOptions: { queries: { ...LOCAL, retry: 1, staleTime: Infinity, refetchOnWindowFocus: false }, mutations: LOCAL },
})

/**
 * Ask again for what these queries show. An answer under way may have been made before the change: where the cache would wait for it, as it does for the
 * first answer of a query and for those of queries that nothing shows, it is asked for once more after it.
 */
export async function renew(filters: InvalidateQueryFilters): Promise<void> {
  const early = queryClient
    .getQueryCache()
    .findAll({ ...filters, fetchStatus: 'fetching' })
    .filter((query) => query.state.data === undefined || !query.isActive())
  const again = early.map(async (query) => {
    await query.promise?.catch(() => undefined)
    await queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true })
  })
  await Promise.all([queryClient.invalidateQueries(filters), ...again])
}

/** As many as one call returns. */
const MOST_CLIPS = 1_000_000

export const statusQuery = queryOptions({ queryKey: ['status'], queryFn: () => call('status') })
export const sourcesQuery = queryOptions({ queryKey: ['sources'], queryFn: () => call('listSources') })
/** All clips of a video, in time order: a library may hold more clips than a window should load, a video does not. */
export const clipsOf = (sourceId: number | null) =>
  queryOptions({
    queryKey: ['clips', sourceId],
    queryFn: async () => (await call('listClips', { query: { sourceId: sourceId ?? 0, limit: MOST_CLIPS } })).clips,
    enabled: sourceId !== null,
  })
export const queueQuery = queryOptions({
  queryKey: ['queue'],
  queryFn: async (): Promise<Queue> => newest(queryClient.getQueryData(['queue']), await call('queue')),
})
export const labelsQuery = queryOptions({ queryKey: ['labels'], queryFn: () => call('getLabels') })
export const historyQuery = queryOptions({ queryKey: ['history'], queryFn: () => call('history') })
export const clipQuery = (clipId: number | null) =>
  queryOptions({
    queryKey: ['clip', clipId],
    queryFn: () => call('getClip', { params: { clipId: clipId ?? 0 } }),
    enabled: clipId !== null,
  })
export const framesQuery = (sourceId: number | null) =>
  queryOptions({
    queryKey: ['frames', sourceId],
    queryFn: () => call('frames', { params: { sourceId: sourceId ?? 0 } }),
    enabled: sourceId !== null,
  })

export const useStatus = () => useQuery(statusQuery)
/** The pack that does a task in this library; null where none does, undefined until that is known. */
export function usePackOf(task: Task): Status['packs'][Task] | undefined {
  const { data: status } = useStatus()
  return status?.packs[task] ?? (status === undefined || status.engine.state === 'starting' ? undefined : null)
}
export const useSources = () => useQuery(sourcesQuery)
export const useClipsOf = (sourceId: number | null) => useQuery(clipsOf(sourceId))
/** The number of clips that have each label. */
export function useLabelCounts(): (label: string) => number {
  const { data } = useQuery({ queryKey: ['clips', 'labels'], queryFn: () => call('facets') })
  return (label) => data?.labels.find((one) => one.label.toLowerCase() === label.toLowerCase())?.clips ?? 0
}
export const useQueue = () => useQuery(queueQuery)
export const useLabels = () => useQuery(labelsQuery)
export const useHistory = () => useQuery(historyQuery)
export const useClip = (clipId: number | null) => useQuery(clipQuery(clipId))
export const useFrames = (sourceId: number | null) => useQuery(framesQuery(sourceId))
