/** Which cells are selected: a rectangle between the anchor and the focus, as in spreadsheets. */

export interface Place {
  line: number
  column: number
}
export interface Selection {
  anchor: Place
  focus: Place
}
export interface Extent {
  lines: number
  columns: number
  /** Lines that fit on the screen. */
  page: number
}

/** All cells of the rectangle, corners included. */
export function rectangle({ anchor, focus }: Selection) {
  return {
    top: Math.min(anchor.line, focus.line),
    bottom: Math.max(anchor.line, focus.line),
    left: Math.min(anchor.column, focus.column),
    right: Math.max(anchor.column, focus.column),
  }
}

export function within(place: Place, extent: Extent): Place {
  const inside = (value: number, count: number) => Math.max(0, Math.min(count - 1, value))
  return { line: inside(place.line, extent.lines), column: inside(place.column, extent.columns) }
}

/** The selection, limited to the rows and columns that are left. */
export function kept({ anchor, focus }: Selection, extent: Extent): Selection {
  return { anchor: within(anchor, extent), focus: within(focus, extent) }
}

export const alone = (place: Place): Selection => ({ anchor: place, focus: place })

/** The selection before anybody selects: the first cell. */
export const NOBODYS: Selection = alone({ line: 0, column: 0 })

/**
 * The selection within a layout. If nobody selected anything, it is never a group heading, which stands for all of its rows, but the cell
 * beneath it.
 */
export function chosenIn(asked: Selection, extent: Extent, isHeading: (line: number) => boolean): Selection {
  if (asked !== NOBODYS) return kept(asked, extent)
  let line = 0
  while (line < extent.lines - 1 && isHeading(line)) line += 1
  return kept(alone({ line, column: 0 }), extent)
}

/**
 * @param key As KeyboardEvent.key.
 * @returns Null where the key does not move the selection.
 */
export function moved(
  { anchor, focus }: Selection,
  key: string,
  { shift, ctrl }: { shift: boolean; ctrl: boolean },
  extent: Extent,
): Selection | null {
  const { lines, columns, page } = extent
  const to = ((): Place | null => {
    switch (key) {
      case 'ArrowUp':
        return { ...focus, line: ctrl ? 0 : focus.line - 1 }
      case 'ArrowDown':
        return { ...focus, line: ctrl ? lines - 1 : focus.line + 1 }
      case 'ArrowLeft':
        return { ...focus, column: ctrl ? 0 : focus.column - 1 }
      case 'ArrowRight':
        return { ...focus, column: ctrl ? columns - 1 : focus.column + 1 }
      case 'PageUp':
        return { ...focus, line: focus.line - page }
      case 'PageDown':
        return { ...focus, line: focus.line + page }
      case 'Home':
        return { line: ctrl ? 0 : focus.line, column: 0 }
      case 'End':
        return { line: ctrl ? lines - 1 : focus.line, column: columns - 1 }
      default:
        return null
    }
  })()
  if (to === null) return null
  const place = within(to, extent)
  return shift ? { anchor, focus: place } : alone(place)
}

/** Where Tab and Enter go after an edit: to the next cell, or from the end of a line to the next line. */
export function advanced({ focus }: Selection, by: 'across' | 'down', back: boolean, extent: Extent): Selection {
  const step = back ? -1 : 1
  if (by === 'down') return alone(within({ ...focus, line: focus.line + step }, extent))
  const column = focus.column + step
  if (column >= 0 && column < extent.columns) return alone({ ...focus, column })
  const line = focus.line + step
  if (line < 0 || line >= extent.lines) return alone(focus)
  return alone({ line, column: back ? extent.columns - 1 : 0 })
}
