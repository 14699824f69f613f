import { useQuery } from '@tanstack/react-query'
import { call } from '../api.ts'
import { useQueue } from '../cache.ts'

/** While something runs, pictures of the whole follow at this pace. */
const FOLLOW_MS = 5_000
const BUILDING_MS = 700

// Beneath the key of the clips: what makes those stale makes these stale; the map only where clips came or went.
export const useFacts = () => useQuery({ queryKey: ['clips', 'overview'], queryFn: () => call('overview') })
export function useMap() {
  const running = (useQueue().data?.running ?? 0) > 0
  return useQuery({
    queryKey: ['overview', 'map'],
    queryFn: () => call('clipMap'),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.building !== null ? BUILDING_MS : running ? FOLLOW_MS : false),
  })
}
