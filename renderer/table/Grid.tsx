import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { TableSpec } from '../../app/contract/table.ts'
import { pressed } from '../../app/bindings.ts'
import type { Layout } from '../../app/table/layout.ts'
import { alone, type Extent, moved, rectangle, type Selection, within } from '../../app/table/selection.ts'
import { toggled } from '../../app/table/question.ts'
import { t } from '../i18n.ts'
import { currentKeys } from '../keys.ts'
import { useActions } from './actions.ts'
import { GroupRow } from './GroupRow.tsx'
import { GridRow, NUMBER_WIDTH, type PlacedColumn, ROW_HEIGHT } from './GridRow.tsx'
import { HeaderCell } from './HeaderCell.tsx'
import { BLOCK, nowInView, useRows } from './rows.ts'
import { useMotion, useTable } from './state.ts'

const HEADER_HEIGHT = 40
/** Beside what is seen, so that it is there before it comes into view. */
const OVERSCAN = 8
/** Columns this far outside of the window are drawn, in pixels. */
const MARGIN = 200

interface Props {
  spec: TableSpec
  columns: readonly PlacedColumn[]
  columnKeys: string
  width: number
  view: string | undefined
  layout: Layout
  selection: Selection
  /** Keys of columns that are being filled, each followed by a comma. */
  filling: string
  grid: RefObject<HTMLDivElement | null>
  onMenu: (key: string, at: DOMRect) => void
  onSet: (value: string) => void
}

/** Rows and columns that are in view, and the keys and the pointer that choose among them. */
export function Grid({ spec, columns, columnKeys, width, view, layout, selection, filling, grid, onMenu, onSet }: Props) {
  const { editing, select, edit } = useTable()
  const actions = useActions()
  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are used in this component only
  const virtual = useVirtualizer({
    count: layout.count,
    getScrollElement: () => grid.current,
    estimateSize: () => ROW_HEIGHT,
    scrollMargin: HEADER_HEIGHT,
    overscan: OVERSCAN,
    initialOffset: useTable.getState().scroll.top,
    useFlushSync: false,
  })
  const items = virtual.getVirtualItems()
  const lines = items.map(({ index }) => layout.at(index))
  const blocks = [...new Set(lines.flatMap((line) => (line?.type === 'row' ? [Math.floor(line.row / BLOCK)] : [])))]
  const rows = useRows(view, columnKeys, blocks, useSettled(blocks.join(), virtual.isScrolling))
  const drawn = useDrawnColumns(grid, columns)
  useEffect(() => nowInView(blocks))
  useEffect(() => useMotion.setState({ scrolling: virtual.isScrolling }), [virtual.isScrolling])
  const { focus } = selection
  const chosen = rectangle(selection)
  const line = layout.at(focus.line)
  const focused = columns[focus.column]
  // Scrolled away, the cell is not there to be named.
  const named =
    items.some(({ index }) => index === focus.line) && (line?.type === 'group' || drawn.some(({ index }) => index === focus.column))

  // Back from another page, it is where it was left.
  useLayoutEffect(() => {
    const element = grid.current
    if (element === null) return
    element.scrollTo(useTable.getState().scroll)
    return () => useTable.setState({ scroll: { top: element.scrollTop, left: element.scrollLeft } })
  }, [grid])

  const show = (place: { line: number; column: number }) => {
    const element = grid.current
    if (element === null) return
    const top = HEADER_HEIGHT + place.line * ROW_HEIGHT
    const above = element.scrollTop + HEADER_HEIGHT
    const below = element.scrollTop + element.clientHeight
    if (top < above) element.scrollTop = top - HEADER_HEIGHT
    else if (top + ROW_HEIGHT > below) element.scrollTop = top + ROW_HEIGHT - element.clientHeight
    const column = columns[place.column]
    if (column === undefined || column.pinned) return
    const left = columns.filter(({ pinned }) => pinned).reduce((sum, pinned) => sum + pinned.width, NUMBER_WIDTH)
    if (column.left - left < element.scrollLeft) element.scrollLeft = column.left - left
    else if (column.left + column.width > element.scrollLeft + element.clientWidth)
      element.scrollLeft = column.left + column.width - element.clientWidth
  }
  const go = (next: typeof selection) => {
    select(next)
    show(next.focus)
  }
  // A row that was reached by Tab or Enter out of an edit comes into view too.
  const shownFocus = useRef(focus)
  useEffect(() => {
    if (shownFocus.current !== focus) show(focus)
    shownFocus.current = focus
  })

  const page = Math.max(1, Math.floor(((grid.current?.clientHeight ?? 400) - HEADER_HEIGHT) / ROW_HEIGHT) - 1)
  const extent: Extent = { lines: layout.count, columns: columns.length, page }

  const press = (event: KeyboardEvent) => {
    const { key, shiftKey: shift, altKey: alt } = event
    const ctrl = event.ctrlKey || event.metaKey
    const done = () => {
      event.preventDefault()
      event.stopPropagation()
    }
    if (layout.count === 0 || focused === undefined) return
    if (alt && (key === 'ArrowDown' || key === 'ArrowUp')) {
      done()
      const heading = grid.current?.querySelector(`[data-heading="${focused.key}"]`)
      if (heading) onMenu(focused.key, heading.getBoundingClientRect())
      return
    }
    // The same keys as in Review, as this person has them.
    const combination = pressed(event.nativeEvent)
    const decision = (['accept', 'reject', 'reset'] as const).find((id) => currentKeys().get(id)?.includes(combination))
    const next = alt ? null : moved(selection, key, { shift, ctrl }, extent)
    if (next !== null) {
      done()
      if (line?.type === 'group' && !shift && !ctrl && ((key === 'ArrowLeft' && line.open) || (key === 'ArrowRight' && !line.open)))
        actions.toggle(focus.line)
      else go(next)
      return
    }
    if (ctrl && key.toLowerCase() === 'a') {
      done()
      select({ anchor: { line: 0, column: 0 }, focus: { line: layout.count - 1, column: columns.length - 1 } })
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
      select(alone(focus))
    } else if (ctrl || alt) {
      return
    } else if (key === 'Delete' || key === 'Backspace') {
      done()
      actions.reject()
    } else if (line?.type === 'group') {
      if (key !== 'Enter' && key !== ' ') return
      done()
      actions.toggle(focus.line)
    } else if (key === 'Enter' || key === 'F2') {
      done()
      write(key === 'F2')
    } else if (key.length === 1 && key !== '?' && key !== '/') {
      // The keys of the player mean nothing here.
      event.stopPropagation()
    }
  }
  const rowOf = (at: number) => {
    const found = layout.at(at)
    return found?.type === 'row' ? rows.get(found.row) : undefined
  }
  const write = (text: boolean) => {
    const row = rowOf(focus.line)
    if (row === undefined || focused === undefined) return
    if (!focused.heading.editable) actions.open()
    else if (focused.heading.type === 'yesno' && !text) onSet(toggled(row.cells[focused.key]?.text ?? ''))
    else edit(row.cells[focused.key]?.text ?? '')
  }

  const placeOf = (target: EventTarget) => {
    if (!(target instanceof Element)) return null
    const at = {
      line: target.closest<HTMLElement>('[data-line]')?.dataset['line'],
      column: target.closest<HTMLElement>('[data-column]')?.dataset['column'],
    }
    return at.line === undefined ? null : { line: Number(at.line), column: Number(at.column ?? 0) }
  }
  const point = (event: PointerEvent) => {
    const place = placeOf(event.target)
    if (place === null || event.button !== 0 || (event.target instanceof Element && event.target.closest('textarea, button') !== null))
      return
    if (place.column === -1)
      select({
        anchor: { line: event.shiftKey ? selection.anchor.line : place.line, column: 0 },
        focus: { line: place.line, column: columns.length - 1 },
      })
    else select(event.shiftKey ? { anchor: selection.anchor, focus: place } : alone(place))
  }
  const drag = (event: PointerEvent) => {
    const place = placeOf(event.target)
    if (place === null || event.buttons !== 1 || editing !== null || (place.line === focus.line && place.column === focus.column)) return
    const rowsOnly = chosen.left === 0 && chosen.right === columns.length - 1 && place.column === -1
    select({ anchor: selection.anchor, focus: rowsOnly ? { ...place, column: columns.length - 1 } : within(place, extent) })
  }

  return (
    <div
      ref={grid}
      className="grid"
      data-view={view}
      role="grid"
      tabIndex={0}
      aria-label={t('Table of clips')}
      aria-multiselectable
      aria-rowcount={layout.count + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={named ? (line?.type === 'group' ? `group-${focus.line}` : `cell-${focus.line}-${focus.column}`) : undefined}
      onKeyDown={press}
      onPointerDown={point}
      onPointerMove={drag}
      onDoubleClick={(event) => placeOf(event.target) && line?.type === 'row' && write(true)}
    >
      <div className="grid-sheet" style={{ width, height: virtual.getTotalSize() + HEADER_HEIGHT }}>
        <div role="row" className="grid-head" aria-rowindex={1} style={{ width, height: HEADER_HEIGHT }}>
          <div role="columnheader" className="grid-number">
            <span className="visually-hidden">{t('Row')}</span>
          </div>
          {drawn.map((column) => (
            <HeaderCell key={column.key} column={column} spec={spec} onMenu={onMenu} />
          ))}
        </div>
        {items.map(({ index, start }, at) => {
          const item = lines[at]
          if (!item) return null
          const inside = index >= chosen.top && index <= chosen.bottom
          if (item.type === 'group')
            return (
              <GroupRow
                key={`g${item.group.start}-${index}`}
                line={index}
                group={item.group}
                open={item.open}
                top={start}
                width={width}
                focus={index === focus.line}
                chosen={inside}
                heading={spec.group ?? ''}
              />
            )
          return (
            <GridRow
              key={item.row}
              line={index}
              row={item.row}
              data={rows.get(item.row)}
              top={start}
              columns={drawn}
              width={width}
              rows={spec.rows}
              from={inside ? chosen.left : -1}
              to={inside ? chosen.right : -1}
              focus={index === focus.line ? focus.column : -1}
              editing={index === focus.line ? editing : null}
              filling={filling}
            />
          )
        })}
      </div>
    </div>
  )
}

/** Whether rows may be asked for: at once while the scroll goes slowly, after a pause where whole blocks fly by. */
function useSettled(blocks: string, scrolling: boolean): boolean {
  const [settled, setSettled] = useState(blocks)
  useEffect(() => {
    if (!scrolling) return
    const timer = setTimeout(() => setSettled(blocks), 70)
    return () => clearTimeout(timer)
  }, [blocks, scrolling])
  return !scrolling || settled === blocks
}

/** The pinned columns and those that the window shows of the others. */
function useDrawnColumns(grid: RefObject<HTMLDivElement | null>, columns: readonly PlacedColumn[]): readonly PlacedColumn[] {
  const [seen, setSeen] = useState({ from: 0, to: 4_000 })
  useEffect(() => {
    const element = grid.current
    if (element === null) return
    // In steps: most of a scroll draws the same columns.
    const look = () => {
      const from = Math.floor((element.scrollLeft - MARGIN) / MARGIN) * MARGIN
      const to = from + (Math.ceil(element.clientWidth / MARGIN) + 3) * MARGIN
      setSeen((now) => (now.from === from && now.to === to ? now : { from, to }))
    }
    look()
    element.addEventListener('scroll', look, { passive: true })
    const size = new ResizeObserver(look)
    size.observe(element)
    return () => {
      element.removeEventListener('scroll', look)
      size.disconnect()
    }
  }, [grid])
  const { from, to } = seen
  const names = columns.filter(({ pinned, left, width }) => pinned || (left < to && left + width > from))
  // The same list as long as it holds the same: rows are drawn again when it changes.
  const [kept, setKept] = useState(names)
  const same = kept.length === names.length && kept.every((column, at) => column === names[at])
  if (!same) setKept(names)
  return same ? kept : names
}
