/** The queries of search, and how their answers are kept in the query cache. */
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import type { Annotation } from '../../app/annotation.ts'
import type { Clip } from '../../app/contract.ts'
import type { FindHit, FindQuery, FindResult } from '../../app/contract/find.ts'
import { clipIdsOf, keepOrder } from '../../app/find.ts'
import { call } from '../api.ts'
import { clipsOf, queryClient } from '../cache.ts'
import { type Find, isFinding, useFind } from './store.ts'

interface Found extends FindResult {
  /** Results that arrived while these were read and belong further up. */
  late: number
}

/** Each search has its own list, even one with the same words. */
const keyOf = ({ query, filters, limit, asked }: Pick<Find, 'query' | 'filters' | 'limit' | 'asked'>) => [
  'search',
  query,
  filters,
  limit,
  asked,
]

function searchQuery(find: Find) {
  const { query, filters, limit } = find
  const queryKey = keyOf(find)
  return queryOptions({
    queryKey,
    queryFn: async (): Promise<Found> => {
      const fresh = await call('search', { body: { query, filters, limit } })
      const listed = queryClient.getQueryData<Found>(queryKey)?.hits ?? []
      return { ...fresh, ...keepOrder(listed, fresh.hits, await othersNow(listed, fresh.hits)) }
    },
    enabled: isFinding(find),
    placeholderData: keepPreviousData,
  })
}
export const useSearch = () => useQuery(searchQuery(useFind()))

/** The present state of listed clips that no longer pass the filters, because something in them was decided or changed. */
async function othersNow(listed: readonly FindHit[], fresh: readonly FindHit[]): Promise<ReadonlyMap<number, Clip>> {
  const found = new Set(fresh.flatMap(clipIdsOf))
  const left = listed.flatMap(({ clip, alike }) => [clip, ...alike]).filter(({ id }) => !found.has(id))
  const clips = await Promise.all(
    [...new Set(left.map(({ sourceId }) => sourceId))].map((sourceId) => queryClient.query({ ...clipsOf(sourceId), staleTime: 0 })),
  )
  const ids = new Set(left.map(({ id }) => id))
  return new Map(clips.flat().flatMap((clip) => (ids.has(clip.id) ? [[clip.id, clip]] : [])))
}

/** Sort the results by match again. */
export function sortAgain(): void {
  void queryClient.resetQueries({ queryKey: keyOf(useFind.getState()) })
}

/** The results, in the order in which they are listed. */
export function found(): { id: number; sourceId: number }[] {
  const data = queryClient.getQueryData(searchQuery(useFind.getState()).queryKey)
  return data ? (data.hits.length > 0 ? data.hits : data.nearest).map(({ clip }) => clip) : []
}

export const useCurve = (sourceId: number, query: FindQuery | null) =>
  useQuery({
    queryKey: ['search', 'curve', sourceId, query],
    queryFn: () => (query ? call('curve', { params: { sourceId }, body: { query } }) : null),
    enabled: query !== null,
    placeholderData: (earlier, of) => (of?.queryKey[2] === sourceId ? earlier : undefined),
  })

/** Whether a pack compared any clip of a video with the query: words alone are found without a comparison. */
export function useCompared(sourceId: number): boolean {
  const query = useFind((find) => find.query)
  return useCurve(sourceId, query).data?.clips.some(({ score }) => score !== null) ?? false
}

export const useFacets = (enabled: boolean) =>
  useQuery({ queryKey: ['search', 'facets'], queryFn: () => call('facets'), enabled, placeholderData: keepPreviousData, staleTime: 2_000 })
export const useSearches = (enabled: boolean) =>
  useQuery({ queryKey: ['searches'], queryFn: () => call('searches'), enabled, staleTime: 0 })

export const useGaze = (annotation: Annotation | undefined, enabled: boolean) =>
  useQuery({
    queryKey: ['gaze', annotation?.id, annotation && 'text' in annotation.body ? annotation.body.text : null],
    queryFn: () => call('gaze', { params: { annotationId: annotation?.id ?? 0 } }),
    enabled: enabled && annotation !== undefined,
  })
