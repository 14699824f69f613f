/**
 * Texts while they are written: kept until they are saved or cancelled, whatever else is looked at meanwhile. They are long, and written
 * while looking around; unlike a cell or a label, leaving the field does not save them.
 */
import { create } from 'zustand'
import type { Span } from '../../app/annotation.ts'

export interface Draft {
  text: string
  /** Counts how often any draft was opened. */
  opened: number
}

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
  const set = (id: number, draft: T & Draft) => useAll.setState(new Map(useAll.getState()).set(id, draft), true)
  return {
    of,
    useDraft: (id: number) => useAll((all) => all.get(id)),
    /** Begin with `text`, or continue what was written before. */
    open: (id: number, about: T, text = '') => set(id, { ...about, text: of(id)?.text ?? text, opened: (openings += 1) }),
    change: (id: number, change: Partial<T & Draft>) => {
      const draft = of(id)
      if (draft) set(id, { ...draft, ...change })
    },
    drop: (id: number) => useAll.setState(new Map([...useAll.getState()].filter(([other]) => other !== id)), true),
  }
}

/** New texts of annotations, by the annotation's id. */
export const texts = drafts<object>()
/** A new note or caption of a part, by the id of its clip. */
export const parts = drafts<{ kind: 'note' | 'segment'; span: Span }>()
