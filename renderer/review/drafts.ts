/**
 * Texts as they are being written: kept until they are saved or cancelled, whatever else is looked at meanwhile. They are long, and written
 * while looking around, so that they are not saved by leaving them, as a cell or a label is.
 */
import { create } from 'zustand'
import type { Span } from '../../app/annotation.ts'

export interface Draft {
  text: string
  /** Counts the times that any was opened. */
  opened: number
}

let openings = 0
let focused = 0

/** Whether its form takes the focus: once when it is opened, not when its clip is come back to. */
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
    /** Begin with `text`, or go on with what was written already. */
    open: (id: number, about: T, text = '') => set(id, { ...about, text: of(id)?.text ?? text, opened: (openings += 1) }),
    change: (id: number, change: Partial<T & Draft>) => {
      const draft = of(id)
      if (draft) set(id, { ...draft, ...change })
    },
    drop: (id: number) => useAll.setState(new Map([...useAll.getState()].filter(([other]) => other !== id)), true),
  }
}

/** What an annotation is to say, by its id. */
export const texts = drafts<object>()
/** A note or a caption of a part that is not there yet, by its clip. */
export const parts = drafts<{ kind: 'note' | 'segment'; span: Span }>()
