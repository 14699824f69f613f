/** The clips picked in a chart: to open, decide about, or add a note to. */
import { create } from 'zustand'

interface Picked {
  clipIds: ReadonlySet<number>
  /** How they were picked, in words. */
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
