/** Keyboard and pointer input of the table: move and extend the selection, decide, edit, open. */
import type { KeyboardEvent, PointerEvent } from 'react'
import { pressed as combinationOf } from '../../app/bindings.ts'
import type { Layout } from '../../app/table/layout.ts'
import { alone, type Extent, moved, rectangle, type Selection, within } from '../../app/table/selection.ts'
import { currentKeys } from '../keys.ts'
import type { useActions } from './actions.ts'
import type { PlacedColumn } from './GridRow.tsx'
import { useTable } from './state.ts'

interface Area {
  selection: Selection
  /** How many there are. */
  columns: number
  extent: Extent
}
interface Grid extends Area {
  layout: Layout
  /** Where the focus is. */
  line: ReturnType<Layout['at']>
  column: PlacedColumn | undefined
  actions: ReturnType<typeof useActions>
  /** Move the selection, and scroll to its focus. */
  go: (next: Selection) => void
  /** Edit the focused cell, or toggle it if it is yes or no and `text` is false. */
  write: (text: boolean) => void
  openMenu: (column: string) => void
}

export function pressed(
  event: KeyboardEvent,
  { layout, selection, line, column, columns, extent, actions, go, write, openMenu }: Grid,
): void {
  const { key, shiftKey: shift, altKey: alt } = event
  const ctrl = event.ctrlKey || event.metaKey
  const done = () => {
    event.preventDefault()
    event.stopPropagation()
  }
  if (layout.count === 0 || column === undefined) return
  if (alt && (key === 'ArrowDown' || key === 'ArrowUp')) {
    done()
    openMenu(column.key)
    return
  }
  // The same keys as in Review, as this person has set them.
  const combination = combinationOf(event.nativeEvent)
  const decision = (['accept', 'reject', 'reset'] as const).find((id) => currentKeys().get(id)?.includes(combination))
  const next = alt ? null : moved(selection, key, { shift, ctrl }, extent)
  if (next !== null) {
    done()
    if (line?.type === 'group' && !shift && !ctrl && ((key === 'ArrowLeft' && line.open) || (key === 'ArrowRight' && !line.open)))
      actions.toggle(selection.focus.line)
    else go(next)
    return
  }
  if (ctrl && key.toLowerCase() === 'a') {
    done()
    useTable.getState().select({ anchor: { line: 0, column: 0 }, focus: { line: layout.count - 1, column: columns - 1 } })
  } else if (ctrl && key.toLowerCase() === 'c') {
    done()
    actions.copy()
  } else if (ctrl && key === 'Enter') {
    done()
    actions.accept()
  } else if (alt && (key === 'Enter' || key.toLowerCase() === 'o')) {
    done()
    actions.open()
  } else if (decision !== undefined) {
    done()
    actions[decision]()
  } else if (key === 'Escape') {
    done()
    useTable.getState().select(alone(selection.focus))
  } else if (ctrl || alt) {
    return
  } else if (key === 'Delete' || key === 'Backspace') {
    done()
    actions.reject()
  } else if (line?.type === 'group') {
    if (key !== 'Enter' && key !== ' ') return
    done()
    actions.toggle(selection.focus.line)
  } else if (key === 'Enter' || key === 'F2') {
    done()
    write(key === 'F2')
  } else if (key.length === 1 && key !== '?' && key !== '/') {
    // The player's keys do nothing here.
    event.stopPropagation()
  }
}

/** The cell, or the number of a row (column -1), that an element belongs to. */
export function placeOf(target: EventTarget): { line: number; column: number } | null {
  if (!(target instanceof Element)) return null
  const at = {
    line: target.closest<HTMLElement>('[data-line]')?.dataset['line'],
    column: target.closest<HTMLElement>('[data-column]')?.dataset['column'],
  }
  return at.line === undefined ? null : { line: Number(at.line), column: Number(at.column ?? 0) }
}

export function pointed(event: PointerEvent, { selection, columns }: Area): void {
  const place = placeOf(event.target)
  if (place === null || event.button !== 0 || (event.target instanceof Element && event.target.closest('textarea, button') !== null)) return
  if (place.column === -1)
    useTable.getState().select({
      anchor: { line: event.shiftKey ? selection.anchor.line : place.line, column: 0 },
      focus: { line: place.line, column: columns - 1 },
    })
  else useTable.getState().select(event.shiftKey ? { anchor: selection.anchor, focus: place } : alone(place))
}

export function dragged(event: PointerEvent, { selection, columns, extent }: Area): void {
  const place = placeOf(event.target)
  if (place === null || event.buttons !== 1 || (place.line === selection.focus.line && place.column === selection.focus.column)) return
  const chosen = rectangle(selection)
  const rowsOnly = chosen.left === 0 && chosen.right === columns - 1 && place.column === -1
  useTable.getState().select({ anchor: selection.anchor, focus: rowsOnly ? { ...place, column: columns - 1 } : within(place, extent) })
}
