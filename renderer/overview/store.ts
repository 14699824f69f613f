/** What was picked in a chart: clips to open, decide about or note something on. */
import { create } from 'zustand'

interface Picked {
  clipIds: ReadonlySet<number>
  /** How it came about, in words. */
  from: string
  pick: (clipIds: Iterable<number>, from: string) => void
  add: (clipIds: Iterable<number>) => void
  clear: () => void
}

export const usePicked = create<Picked>((set) => ({
  clipIds: new Set(),
  from: '',
  pick: (clipIds, from) => set({ clipIds: new Set(clipIds), from }),
  add: (more) => set(({ clipIds }) => ({ clipIds: new Set([...clipIds, ...more]) })),
  clear: () => set({ clipIds: new Set(), from: '' }),
}))
