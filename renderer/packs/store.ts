/** The state of the Packs page: choices of the person at the screen. */
import { create } from 'zustand'
import type { Precision } from '../../app/contract/packs.ts'
import type { Problem } from '../../app/errors.ts'
import type { Task } from '../../app/pack/base.ts'

interface PacksUi {
  /** The file picker is open. */
  choosing: boolean
  /** Why chosen files were refused, until each notice is dismissed. */
  refused: readonly Problem[]
  /** How imported weights are stored. */
  precision: Precision
  /** The pack whose switch is being considered: for one task, or for all that suit the pack. */
  considered: { packId: string; task: Task | null } | null
  /** A new pack, to be scrolled into view. */
  made: string | null
  set: (changes: Partial<Omit<PacksUi, 'set'>>) => void
}

export const usePacksUi = create<PacksUi>((set) => ({
  choosing: false,
  refused: [],
  precision: 'fp32',
  considered: null,
  made: null,
  set: (changes) => set(changes),
}))
