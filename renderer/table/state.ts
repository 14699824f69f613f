/** How the table looks and what is selected in it. Kept while other pages are shown, so that the person returns to the same table. */
import { create } from 'zustand'
import type { TableSpec } from '../../app/contract/table.ts'
import { NOBODYS, type Place, type Selection } from '../../app/table/selection.ts'
import { START } from '../../app/table/spec.ts'
import type { Range } from './rows.ts'

/** A text that is being written. It is of the cell in which it was begun, whatever is selected meanwhile. */
export interface Writing {
  text: string
  /** What the cell said when it was begun to be changed. */
  before: string
  cell: Range
  /** Where its field stands. */
  at: Place
}

interface TableState {
  /** Null until the library has reported the table's stored appearance. */
  spec: TableSpec | null
  selection: Selection
  /** The selected rows of the view on the screen, if there are several. */
  marked: { view: string; from: number; to: number } | null
  writing: Writing | null
  /** Names of groups whose rows are hidden. */
  closed: ReadonlySet<string>
  scroll: { top: number; left: number }
  change: (spec: Partial<TableSpec>) => void
  select: (selection: Selection) => void
  write: (writing: Writing | null) => void
  toggleGroup: (name: string) => void
}

/** The parts of a spec that determine the rows and their order. */
const ARRANGING = ['rows', 'sort', 'filters', 'group', 'picked'] as const

export const useTable = create<TableState>((set) => ({
  spec: null,
  selection: NOBODYS,
  marked: null,
  writing: null,
  closed: new Set(),
  scroll: { top: 0, left: 0 },
  change: (spec) =>
    set((now) => ({
      spec: { ...(now.spec ?? START), ...spec },
      // Names of groups belong to one grouping.
      ...('group' in spec && spec.group !== now.spec?.group ? { closed: new Set<string>() } : {}),
      // Other rows now lie where the selection was.
      ...(ARRANGING.some((part) => part in spec && JSON.stringify(spec[part]) !== JSON.stringify(now.spec?.[part]))
        ? { selection: NOBODYS }
        : {}),
    })),
  select: (selection) => set({ selection }),
  write: (writing) => set({ writing }),
  toggleGroup: (name) =>
    set(({ closed }) => {
      const next = new Set(closed)
      if (!next.delete(name)) next.add(name)
      return { closed: next }
    }),
}))

/** Whether the table is being scrolled: kept apart, since it changes with every wheel event and few components read it. */
export const useMotion = create(() => ({ scrolling: false }))
