/**
 * Texts while they are written: kept until they are saved or cancelled, whatever else is looked at meanwhile, and over a reload. They are
 * long, and written while looking around; unlike a cell or a label, leaving the field does not save them.
 */
import { create } from 'zustand'
import type { Span } from '../../app/annotation.ts'

export interface Draft {
  text: string
  /** The text when the draft was begun. */
  base: string
  /** Counts how often any draft was opened. */
  opened: number
}

/** Where the drafts of each library lie while the page is reloaded; each window has its own. */
const KEY = 'tubelet-drafts'
let library: string | null = null
let openings = 0
let focused = 0

/** Whether its form takes the focus: once when it is opened, not when the person returns to its clip. */
export function takesFocus({ opened }: Draft): boolean {
  const fresh = opened > focused
  focused = Math.max(focused, opened)
  return fresh
}

function drafts<T extends object>() {
  const useAll = create<ReadonlyMap<number, T & Draft>>(() => new Map())
  const of = (id: number) => useAll.getState().get(id)
  const setAll = (all: ReadonlyMap<number, T & Draft>) => {
    useAll.setState(all, true)
    keep()
  }
  const set = (id: number, draft: T & Draft) => setAll(new Map(useAll.getState()).set(id, draft))
  return {
    of,
    useDraft: (id: number) => useAll((all) => all.get(id)),
    useAll: () => useAll(),
    /** Begin with `text`, or continue what was written before: a note stays a note, about its own time. */
    open: (id: number, about: T, text = '') => {
      const begun = of(id)
      const written = begun !== undefined && begun.text !== begun.base
      set(id, { ...(written ? begun : { text, base: text, ...about }), opened: (openings += 1) })
    },
    change: (id: number, change: Partial<T & Draft>) => {
      const draft = of(id)
      if (draft) set(id, { ...draft, ...change })
    },
    drop: (id: number) => setAll(new Map([...useAll.getState()].filter(([other]) => other !== id))),
    kept: (): [number, T & Draft][] => [...useAll.getState()],
    /** What was kept from before a reload takes no focus. */
    restore: (kept: readonly [number, T & Draft][]) =>
      useAll.setState(new Map([...kept.map(([id, draft]) => [id, { ...draft, opened: 0 }] as const), ...useAll.getState()]), true),
  }
}

/** New texts of annotations, by the annotation's id. */
export const texts = drafts<object>()
/** A new note or caption of a part, by the id of its clip. */
export const parts = drafts<{ kind: 'note' | 'segment'; span: Span }>()

interface Kept {
  library: string
  texts: ReturnType<(typeof texts)['kept']>
  parts: ReturnType<(typeof parts)['kept']>
}

function keep(): void {
  if (library === null) return
  const kept: Kept = { library, texts: texts.kept(), parts: parts.kept() }
  sessionStorage.setItem(KEY, JSON.stringify(kept))
}

/** Drafts are of this library from here on: those that were begun in it before the page was reloaded come back. */
export function keepDrafts(of: string): void {
  if (library === of) return
  library = of
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Kept | null
  if (kept?.library === of) {
    texts.restore(kept.texts)
    parts.restore(kept.parts)
  }
  keep()
}
