import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef } from 'react'
import type { TableSpec } from '../../app/contract/table.ts'
import type { Layout } from '../../app/table/layout.ts'
import { type Extent, rectangle, type Selection } from '../../app/table/selection.ts'
import { toggled } from '../../app/table/question.ts'
import { t } from '../i18n.ts'
import { useActions } from './actions.ts'
import { useDrawnColumns, useSettled } from './drawn.ts'
import { dragged, placeOf, pointed, pressed } from './grid-input.ts'
import { GroupRow } from './GroupRow.tsx'
import { GridRow, NUMBER_WIDTH, type PlacedColumn, ROW_HEIGHT } from './GridRow.tsx'
import { HeaderCell } from './HeaderCell.tsx'
import { BLOCK, nowInView, useRows } from './rows.ts'
import { useMotion, useTable } from './state.ts'

const HEADER_HEIGHT = 40
/** Rows drawn beyond the visible ones, so that they are ready before they come into view. */
const OVERSCAN = 8

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

/** The rows and columns in view, and keyboard and pointer selection. */
export function Grid({ spec, columns, columnKeys, width, view, layout, selection, filling, grid, onMenu, onSet }: Props) {
  const { writing, select, write: begin } = useTable()
  const actions = useActions()
  // oxlint-disable-next-line react-hooks/incompatible-library -- its functions are used in this component only
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
  // A cell scrolled out of view is not in the document, so it cannot be referred to.
  const named =
    items.some(({ index }) => index === focus.line) && (line?.type === 'group' || drawn.some(({ index }) => index === focus.column))

  // After a return from another page, the scroll position is restored.
  useLayoutEffect(() => {
    const element = grid.current
    if (element === null) return
    element.scrollTo(useTable.getState().scroll)
    return () => useTable.setState({ scroll: { top: element.scrollTop, left: element.scrollLeft } })
  }, [grid])

  const go = (next: typeof selection) => {
    select(next)
    if (grid.current !== null) showCell(grid.current, columns, next.focus)
  }
  // A row that Tab or Enter reached out of an edit is scrolled into view too.
  const shownFocus = useRef(focus)
  useEffect(() => {
    if (shownFocus.current !== focus && grid.current !== null) showCell(grid.current, columns, focus)
    shownFocus.current = focus
  })

  const page = Math.max(1, Math.floor(((grid.current?.clientHeight ?? 400) - HEADER_HEIGHT) / ROW_HEIGHT) - 1)
  const extent: Extent = { lines: layout.count, columns: columns.length, page }

  const rowOf = (at: number) => {
    const found = layout.at(at)
    return found?.type === 'row' ? rows.get(found.row) : undefined
  }
  const write = (text: boolean) => {
    const row = rowOf(focus.line)
    if (row === undefined || focused === undefined || view === undefined || line?.type !== 'row') return
    // One that was scrolled out of view was not left by a blur.
    actions.commit(null, false)
    const before = row.cells[focused.key]?.text ?? ''
    const cell = { view, from: line.row, to: line.row + 1, columns: [focused.key] }
    if (!focused.heading.editable) actions.open()
    else if (focused.heading.type === 'yesno' && !text) onSet(toggled(before))
    else begin({ text: before, before, cell, at: focus })
  }

  const press = (event: KeyboardEvent) =>
    pressed(event, {
      ...{ layout, selection, line, column: focused, columns: columns.length, extent, actions, go, write },
      openMenu: (key) => {
        const heading = grid.current?.querySelector(`[data-heading="${key}"]`)
        if (heading) onMenu(key, heading.getBoundingClientRect())
      },
    })
  const area = { selection, columns: columns.length, extent }

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
      onPointerDown={(event) => pointed(event, area)}
      onPointerMove={(event) => writing === null && dragged(event, area)}
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
              writing={index === writing?.at.line ? writing : null}
              filling={filling}
            />
          )
        })}
      </div>
    </div>
  )
}

/** Scroll as little as possible until a cell is in view, clear of the heading and the pinned columns. */
function showCell(element: HTMLElement, columns: readonly PlacedColumn[], place: { line: number; column: number }): void {
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
