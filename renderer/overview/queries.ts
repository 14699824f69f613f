import { useQuery } from '@tanstack/react-query'
import { call } from '../api.ts'
import { useQueue } from '../cache.ts'

/** While something runs, charts of the whole library are refreshed at this pace. */
const FOLLOW_MS = 5_000
const BUILDING_MS = 700

// The key begins with that of the clips, so that invalidating those invalidates these as well; the map is only invalidated where clips were
// added or removed.
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
