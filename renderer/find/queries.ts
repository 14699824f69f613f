/** What search asks the backend, and keeps in the query cache. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Annotation } from '../../app/annotation.ts'
import type { Filters, FindQuery, FindResult } from '../../app/contract/find.ts'
import { keepOrder } from '../../app/find.ts'
import { call } from '../api.ts'
import { queryClient } from '../queries.ts'
import { isFinding, useFind } from './store.ts'

interface Found extends FindResult {
  /** Results that came while these were read and belong further up. */
  late: number
}

const keyOf = (query: FindQuery | null, filters: Filters, limit: number) => ['search', query, filters, limit]

export function useSearch() {
  const { query, filters, limit } = useFind()
  const queryKey = keyOf(query, filters, limit)
  return useQuery({
    queryKey,
    queryFn: async (): Promise<Found> => {
      const fresh = await call('search', { body: { query, filters, limit } })
      return { ...fresh, ...keepOrder(queryClient.getQueryData<Found>(queryKey)?.hits ?? [], fresh.hits) }
    },
    enabled: isFinding({ query, filters }),
    placeholderData: keepPreviousData,
  })
}

/** Put the results in the order of their match. */
export function sortAgain(): void {
  const { query, filters, limit } = useFind.getState()
  void queryClient.resetQueries({ queryKey: keyOf(query, filters, limit) })
}

/** What is found, in the order in which it is listed. */
export function found(): { id: number; sourceId: number }[] {
  const { query, filters, limit } = useFind.getState()
  const data = queryClient.getQueryData<Found>(keyOf(query, filters, limit))
  return data ? [...data.hits, ...data.nearest].map(({ clip }) => clip) : []
}

export const useCurve = (sourceId: number, query: FindQuery | null) =>
  useQuery({
    queryKey: ['search', 'curve', sourceId, query],
    queryFn: () => (query ? call('curve', { params: { sourceId }, body: { query } }) : null),
    enabled: query !== null,
    placeholderData: (earlier, of) => (of?.queryKey[2] === sourceId ? earlier : undefined),
  })

export const useFacets = (enabled: boolean) => useQuery({ queryKey: ['search', 'facets'], queryFn: () => call('facets'), enabled, placeholderData: keepPreviousData, staleTime: 2_000 })
export const useSearches = (enabled: boolean) => useQuery({ queryKey: ['searches'], queryFn: () => call('searches'), enabled, staleTime: 0 })

export const useGaze = (annotation: Annotation | undefined, enabled: boolean) =>
  useQuery({ queryKey: ['gaze', annotation?.id, annotation && 'text' in annotation.body ? annotation.body.text : null], queryFn: () => call('gaze', { params: { annotationId: annotation?.id ?? 0 } }), enabled: enabled && annotation !== undefined })
