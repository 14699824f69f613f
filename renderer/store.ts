/** What the window shows: choices of the person at the screen. What the library holds lives in the query cache. */
import { create } from 'zustand'
import { phrase } from './i18n.ts'

type Panel = 'add' | 'export' | 'shortcuts' | 'palette' | 'queue' | 'engine'
/** What the middle of the window is for. */
export type Page = 'review' | 'table' | 'labels' | 'overview' | 'queue' | 'packs' | 'settings'
export const THEMES = { system: phrase('as the system'), light: phrase('light'), dark: phrase('dark') }
export type Theme = keyof typeof THEMES

interface Ui {
  page: Page
  sourceId: number | null
  clipId: number | null
  trackId: number | null
  panel: Panel | null
  theme: Theme
  /** Files were dropped whose paths a browser does not tell. */
  dropped: readonly string[]
  selectSource: (sourceId: number | null) => void
  selectClip: (clipId: number | null, sourceId: number | null) => void
  selectTrack: (trackId: number | null) => void
  goTo: (page: Page) => void
  open: (panel: Panel | null) => void
  setTheme: (theme: Theme) => void
  setDropped: (names: readonly string[]) => void
}

const THEME_KEY = 'tubelet-theme'
const storedTheme = localStorage.getItem(THEME_KEY)

export const useUi = create<Ui>((set) => ({
  page: 'review',
  sourceId: null,
  clipId: null,
  trackId: null,
  panel: null,
  theme: storedTheme === 'light' || storedTheme === 'dark' ? storedTheme : 'system',
  dropped: [],
  selectSource: (sourceId) => set({ sourceId, clipId: null, trackId: null }),
  selectClip: (clipId, sourceId) => set({ clipId, sourceId, trackId: null }),
  selectTrack: (trackId) => set({ trackId }),
  goTo: (page) => set({ page }),
  open: (panel) => set({ panel, ...(panel === 'add' ? {} : { dropped: [] }) }),
  setTheme: (theme) => {
    localStorage.setItem(THEME_KEY, theme)
    set({ theme })
  },
  setDropped: (dropped) => set({ dropped, panel: 'add' }),
}))
