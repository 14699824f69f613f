/** Clips that were picked elsewhere, to go through one by one in place of the library. */
import { create } from 'zustand'
import { useFind } from '../find/store.ts'
import { useUi } from '../store.ts'

interface Walk {
  clips: readonly { id: number; sourceId: number }[] | null
  /** What they have in common, in words. */
  name: string
}

export const useWalk = create<Walk>(() => ({ clips: null, name: '' }))

export function walkThrough(clips: readonly { id: number; sourceId: number }[], name: string): void {
  const [first] = clips
  if (first === undefined) return
  useFind.getState().clear()
  useWalk.setState({ clips, name })
  useUi.getState().openClip(first.id, first.sourceId)
}

/** Drop clips of videos that were removed meanwhile. */
export function keepThoseOf(sourceIds: ReadonlySet<number>): void {
  const { clips } = useWalk.getState()
  const kept = clips?.filter(({ sourceId }) => sourceIds.has(sourceId))
  if (kept && kept.length < (clips?.length ?? 0)) useWalk.setState({ clips: kept.length > 0 ? kept : null })
}

export function endWalk(): void {
  useWalk.setState({ clips: null, name: '' })
}

/** Back to the page from which Review was opened, in its previous state. */
export function goBack(): void {
  const { from, goTo } = useUi.getState()
  if (from === null) return
  endWalk()
  goTo(from)
  // The focus makes that page's keys work at once.
  setTimeout(() => document.querySelector<HTMLElement>('.grid, #page')?.focus({ preventScroll: true }))
}
