/** What the window shows: choices of the person at the screen. The library's contents are in the query cache. */
import { create } from 'zustand'
import type { NumberedOffer } from '../app/contract/intake.ts'

type Panel = 'add' | 'numbered' | 'export' | 'import' | 'shortcuts' | 'palette' | 'history' | 'shared'
/** What the middle of the window is for. */
export type Page = 'review' | 'table' | 'labels' | 'overview' | 'queue' | 'packs' | 'settings'

interface Ui {
  page: Page
  /** The page from which a clip was opened, to go back to; null if Review was opened by itself. */
  from: Page | null
  sourceId: number | null
  clipId: number | null
  trackId: number | null
  panel: Panel | null
  /** Dropped files whose paths the browser does not reveal. */
  dropped: readonly string[]
  /** Annotation files that were dropped with them, and are read after them. */
  held: readonly string[]
  /** Numbered pictures that were dropped or chosen, and can be videos. */
  offered: readonly NumberedOffer[]
  selectSource: (sourceId: number | null) => void
  selectClip: (clipId: number | null, sourceId: number | null) => void
  /** Show a clip in Review, with a way back to here. */
  openClip: (clipId: number, sourceId: number) => void
  selectTrack: (trackId: number | null) => void
  goTo: (page: Page) => void
  open: (panel: Panel | null) => void
  setDropped: (names: readonly string[], held: readonly string[]) => void
  setOffered: (offered: readonly NumberedOffer[]) => void
}

export const useUi = create<Ui>((set) => ({
  page: 'review',
  from: null,
  sourceId: null,
  clipId: null,
  trackId: null,
  panel: null,
  dropped: [],
  held: [],
  offered: [],
  selectSource: (sourceId) => set({ sourceId, clipId: null, trackId: null }),
  selectClip: (clipId, sourceId) => set({ clipId, sourceId, trackId: null }),
  openClip: (clipId, sourceId) =>
    set(({ page, from }) => ({ clipId, sourceId, trackId: null, page: 'review', from: page === 'review' ? from : page })),
  selectTrack: (trackId) => set({ trackId }),
  goTo: (page) => set({ page, from: null }),
  open: (panel) => set({ panel, ...(panel === 'add' ? {} : { dropped: [], held: [] }) }),
  setOffered: (offered) => set({ offered, panel: 'numbered' }),
  setDropped: (dropped, held) => set({ dropped, held, panel: 'add' }),
}))
