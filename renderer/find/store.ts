/** The state of search, and of the heat shown over the picture. */
import { create } from 'zustand'
import type { Filters, FindQuery } from '../../app/contract/find.ts'
import { filterCount } from '../../app/find.ts'

const PAGE = 60
/** More than people read through one by one; the table takes all. */
export const MOST_LISTED = 2_000

export interface Find {
  query: FindQuery | null
  /** As typed, submitted or not. */
  text: string
  filters: Filters
  limit: number
  /** Counts searches. Rows that no longer match stay listed until the next search. */
  asked: number
  /** Whether heat is drawn over the picture. */
  heat: boolean
  /** The annotation whose words are shown; null means the caption. */
  annotationId: number | null
  /** The word under the pointer or the focus: its heat shows even while heat is off. */
  word: number | null
  seek: (query: FindQuery | null) => void
  type: (text: string) => void
  setFilters: (filters: Filters) => void
  /** Back to the library. */
  clear: () => void
  more: () => void
  toggleHeat: () => void
  lookAt: (annotationId: number) => void
  pointAt: (annotationId: number, word: number | null) => void
}

export const useFind = create<Find>((set) => ({
  query: null,
  text: '',
  filters: {},
  limit: PAGE,
  asked: 0,
  heat: false,
  annotationId: null,
  word: null,
  seek: (query) => set(({ asked }) => ({ query, text: query?.by === 'words' ? query.words : '', limit: PAGE, asked: asked + 1 })),
  type: (text) => set({ text }),
  setFilters: (filters) => set(({ asked }) => ({ filters, limit: PAGE, asked: asked + 1 })),
  clear: () => set(({ asked }) => ({ query: null, text: '', filters: {}, limit: PAGE, asked: asked + 1 })),
  more: () => set(({ limit }) => ({ limit: Math.min(MOST_LISTED, limit + 4 * PAGE) })),
  toggleHeat: () => set(({ heat }) => ({ heat: !heat, word: null })),
  lookAt: (annotationId) => set({ heat: true, annotationId, word: null }),
  pointAt: (annotationId, word) => set({ annotationId, word }),
}))

/** Whether results are shown in place of the library. */
export function isFinding({ query, filters }: Pick<Find, 'query' | 'filters'>): boolean {
  return query !== null || filterCount(filters) > 0
}
