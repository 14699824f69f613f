/** How the table on the screen looks and what is chosen in it. It is kept while other pages are shown, so that coming back is coming back. */
import { create } from 'zustand'
import type { TableSpec } from '../../app/contract/table.ts'
import { NOBODYS, type Selection } from '../../app/table/selection.ts'
import { START } from '../../app/table/spec.ts'

interface TableState {
  /** Null until the library has told how the table was left. */
  spec: TableSpec | null
  selection: Selection
  /** The rows that are marked, of the view on the screen, where they are several. */
  marked: { view: string; from: number; to: number } | null
  /** What the cell with the focus is being changed to. */
  editing: string | null
  /** Names of groups whose rows are hidden. */
  closed: ReadonlySet<string>
  scroll: { top: number; left: number }
  change: (spec: Partial<TableSpec>) => void
  select: (selection: Selection) => void
  edit: (text: string | null) => void
  toggleGroup: (name: string) => void
}

/** Parts of a spec that say which rows there are, and in what order. */
const ARRANGING = ['rows', 'sort', 'filters', 'group', 'picked'] as const

export const useTable = create<TableState>((set) => ({
  spec: null,
  selection: NOBODYS,
  marked: null,
  editing: null,
  closed: new Set(),
  scroll: { top: 0, left: 0 },
  change: (spec) =>
    set((now) => ({
      spec: { ...(now.spec ?? START), ...spec },
      // Other groups have other names.
      ...('group' in spec && spec.group !== now.spec?.group ? { closed: new Set<string>() } : {}),
      // Other rows come to lie where others were chosen.
      ...(ARRANGING.some((part) => part in spec && JSON.stringify(spec[part]) !== JSON.stringify(now.spec?.[part]))
        ? { selection: NOBODYS }
        : {}),
    })),
  select: (selection) => set({ selection }),
  edit: (editing) => set({ editing }),
  toggleGroup: (name) =>
    set(({ closed }) => {
      const next = new Set(closed)
      if (!next.delete(name)) next.add(name)
      return { closed: next }
    }),
}))

/** Whether it is being scrolled just now: apart, since it changes with every touch of the wheel and few look at it. */
export const useMotion = create(() => ({ scrolling: false }))
