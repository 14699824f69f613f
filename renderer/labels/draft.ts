/** Thresholds while they are dragged: shown at once, saved together as one step of undo. */
import { create } from 'zustand'
import type { Label } from '../../app/vocabulary.ts'
import { number } from '../format.ts'
import { labelsQuery, queryClient } from '../cache.ts'

interface Draft {
  /** The label whose details are shown. */
  selected: string | null
  /** By label; thresholds that were not moved are missing. */
  thresholds: Readonly<Record<string, number>>
  select: (name: string | null) => void
  move: (name: string, threshold: number) => void
  clear: () => void
}

export const useDraft = create<Draft>((set) => ({
  selected: null,
  thresholds: {},
  select: (selected) => set({ selected }),
  move: (name, threshold) => set(({ thresholds }) => ({ thresholds: { ...thresholds, [name]: Math.round(threshold * 1000) / 1000 } })),
  clear: () => set({ thresholds: {} }),
}))

/** The vocabulary with the dragged thresholds in place of the saved ones. */
export function drafted(vocabulary: readonly Label[], thresholds: Draft['thresholds']): Label[] {
  return vocabulary.map((label) => ({ ...label, threshold: thresholds[label.name] ?? label.threshold }))
}

/** Labels whose dragged threshold differs from the saved one. */
export function moved(vocabulary: readonly Label[], thresholds: Draft['thresholds']): Label[] {
  return vocabulary.filter(({ name, threshold }) => thresholds[name] !== undefined && thresholds[name] !== threshold)
}

/** Discards dragged thresholds; false if there were none. */
export function takeBackMoves(): boolean {
  const { thresholds, clear } = useDraft.getState()
  const any = moved(queryClient.getQueryData(labelsQuery.queryKey)?.labels ?? [], thresholds).length > 0
  if (any) clear()
  return any
}

/** Scores and thresholds have two decimals, or three where that matters. */
const digitsOf = (score: number) => (score < 0.1 || Math.abs(score * 100 - Math.round(score * 100)) > 1e-6 ? 3 : 2)

/** A score formatted for people, in the language of the window. */
export function scoreShown(score: number): string {
  return number(score, digitsOf(score))
}

/** A score as a number field takes it. */
export function scoreText(score: number): string {
  return score.toFixed(digitsOf(score))
}
