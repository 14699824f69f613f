import { type ClipboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { RouteOutput } from '../../app/contract.ts'
import type { Column, TableSpec } from '../../app/contract/table.ts'
import { groupName, layoutOf } from '../../app/table/layout.ts'
import { advanced, alone, chosenIn, rectangle } from '../../app/table/selection.ts'
import { fitted, keyOf, queryOf, shown } from '../../app/table/spec.ts'
import { fromTsv, repeated } from '../../app/table/tsv.ts'
import { t } from '../i18n.ts'
import { callAtLast } from '../api.ts'
import { queryClient, useQueue } from '../cache.ts'
import { endWalk } from '../review/walk.ts'
import { useUi } from '../store.ts'
import { type Actions, ActionsContext } from './actions.ts'
import { CellBar } from './CellBar.tsx'
import { ColumnMenu } from './ColumnMenu.tsx'
import { Grid } from './Grid.tsx'
import { NUMBER_WIDTH, type PlacedColumn } from './GridRow.tsx'
import { BLOCK, columnsQuery, copyCells, editCells, pasteCells, type Range, useArranged, useRows } from './rows.ts'
import { useTable } from './state.ts'
import { headingOf } from './titles.ts'
import { Toolbar } from './Toolbar.tsx'

/** The shown columns from left to right, each with its left edge. */
function placed(spec: TableSpec, all: readonly Column[]): PlacedColumn[] {
  const columns: PlacedColumn[] = []
  let left = NUMBER_WIDTH
  for (const [index, column] of shown(spec).entries()) {
    columns.push({ ...column, index, left, heading: headingOf(column.key, all, spec.rows) })
    left += column.width
  }
  return columns
}

/** What was written in a cell, which is being written no longer. Null if nothing was; `edit` is null where it says what it said before. */
function takeWritten() {
  const { writing, write } = useTable.getState()
  if (writing === null) return null
  write(null)
  const { cell, before: basedOn, text } = writing
  if (text === basedOn) return { edit: null }
  const value = text.trim()
  // An empty text means that there is no statement: the cell is rejected.
  return value === ''
    ? { edit: { cell, action: 'reject' as const, written: { basedOn } } }
    : { edit: { cell, action: 'set' as const, written: { basedOn, value } } }
}

/** Toolbar, grid, and the bar of the selected cell, over one arrangement of the rows. */
export function Workspace({ spec, data }: { spec: TableSpec; data: RouteOutput<'table'> }) {
  const { selection: asked, closed, select } = useTable()
  const grid = useRef<HTMLDivElement>(null)
  const [menu, setMenu] = useState<{ key: string; at: DOMRect } | null>(null)
  const { data: queue } = useQueue()
  const headings = useMemo(
    () => spec.columns.map(({ key }) => headingOf(key, data.columns, spec.rows)),
    [spec.columns, spec.rows, data.columns],
  )
  const columns = useMemo(() => placed(spec, data.columns), [spec, data.columns])
  const width = columns.reduce((sum, column) => sum + column.width, NUMBER_WIDTH)
  const columnKeys = columns.map(({ key }) => key).join()
  const query = useMemo(() => queryOf(spec), [spec])
  const { arranged, stale, busy, again } = useArranged(query, columnKeys)
  const layout = useMemo(() => layoutOf(arranged?.total ?? 0, arranged?.groups ?? null, closed), [arranged, closed])
  const filling = data.columns
    .flatMap((column) =>
      queue?.jobs.some((job) => job.columnId === column.id && (job.state === 'running' || job.state === 'queued')) === true
        ? [`${keyOf(column)},`]
        : [],
    )
    .join('')

  const extent = { lines: layout.count, columns: columns.length, page: 1 }
  const selection = chosenIn(asked, extent, (at) => layout.at(at)?.type === 'group')
  const line = layout.at(selection.focus.line)
  const focusRow = line?.type === 'row' ? line.row : null
  const row = useRows(arranged?.view, columnKeys, focusRow === null ? [] : [Math.floor(focusRow / BLOCK)], true).get(focusRow ?? -1)
  const focused = columns[selection.focus.column]
  const chosen = rectangle(selection)
  const [from, to] = layout.rows(chosen.top, Math.min(chosen.bottom, layout.count - 1))
  const shownView = arranged?.view
  const marked = shownView !== undefined && to - from > 1
  // An export may cover them as long as they are on the screen.
  useEffect(() => {
    useTable.setState({ marked: marked ? { view: shownView, from, to } : null })
    return () => useTable.setState({ marked: null })
  }, [marked, shownView, from, to])
  // A group's heading stands for whole rows.
  const chosenColumns = line?.type === 'group' && chosen.left === chosen.right ? columns : columns.slice(chosen.left, chosen.right + 1)
  const range = (): Range | null => {
    return arranged === undefined || to <= from || chosenColumns.length === 0
      ? null
      : { view: arranged.view, from, to, columns: chosenColumns.map(({ key }) => key) }
  }
  const decide = (action: 'accept' | 'reject' | 'reset') => () => {
    const cells = range()
    if (cells !== null) void editCells(cells, action)
  }
  const set = (value: string) => {
    const cells = range()
    if (cells !== null) void editCells(cells, 'set', { value })
  }
  const actions: Actions = {
    commit: (then, back) => {
      const written = takeWritten()
      if (written === null) return
      if (written.edit !== null) void editCells(written.edit.cell, written.edit.action, written.edit.written)
      if (then === null) return
      select(advanced(selection, then, back, extent))
      grid.current?.focus()
    },
    commitAtLast: () => {
      const edit = takeWritten()?.edit
      if (edit) callAtLast('editCells', { body: { ...edit.cell, action: edit.action, ...edit.written } })
    },
    accept: decide('accept'),
    reject: decide('reject'),
    reset: decide('reset'),
    copy: () => {
      const cells = range()
      if (cells !== null) void copyCells(cells)
    },
    toggle: (at) => {
      const item = layout.at(at)
      if (item?.type === 'group') useTable.getState().toggleGroup(groupName(item.group))
    },
    open: () => {
      if (row?.clipId == null) return
      endWalk()
      useUi.getState().openClip(row.clipId, row.sourceId)
    },
  }
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData('text/plain')
    if (text === '' || arranged === undefined || to <= from) return
    event.preventDefault()
    const cells = repeated(fromTsv(text), to - from, chosen.right - chosen.left + 1)
    const widest = cells[0]?.length ?? 0
    const keys = columns.slice(chosen.left, chosen.left + widest).map(({ key }) => key)
    if (keys.length > 0) void pasteCells({ view: arranged.view, from, to: from + cells.length, columns: keys }, cells)
  }
  const empty = arranged !== undefined && arranged.total === 0
  return (
    <ActionsContext value={actions}>
      <Toolbar
        spec={spec}
        views={data.views}
        headings={headings}
        arranged={arranged}
        stale={stale}
        busy={busy}
        again={again}
        columnKeys={columnKeys}
        chosen={marked ? { view: shownView, from, to } : null}
        onAdded={(column) => {
          // The new column is scrolled into view with the focus on the first row. The table drawn here is still the one before it was
          // added.
          const now = fitted(useTable.getState().spec ?? spec, queryClient.getQueryData(columnsQuery.queryKey)?.columns ?? data.columns)
          useTable.getState().change(now)
          const index = shown(now).findIndex(({ key }) => key === keyOf(column))
          if (index !== -1) select(alone({ line: 0, column: index }))
          grid.current?.focus()
        }}
      />
      <div className="grid-frame" onPaste={paste}>
        <Grid
          spec={spec}
          columns={columns}
          columnKeys={columnKeys}
          width={width}
          view={arranged?.view}
          layout={layout}
          selection={selection}
          filling={filling}
          grid={grid}
          onMenu={(key, at) => setMenu({ key, at })}
          onSet={set}
        />
        {empty && (
          <p className="placeholder muted grid-empty" role="status">
            {arranged.of === 0 ? t('Clips come here as they are analysed.') : t('No row passes the filters.')}
          </p>
        )}
      </div>
      {focused !== undefined && !empty && (
        <CellBar
          heading={focused.heading}
          row={row}
          group={line?.type === 'group' ? line.group : null}
          chosen={{ rows: to - from, columns: chosenColumns.map(({ heading }) => heading) }}
          range={range}
        />
      )}
      {menu !== null && (
        <ColumnMenu
          key={menu.key}
          heading={headingOf(menu.key, data.columns, spec.rows)}
          spec={spec}
          at={menu.at}
          onClose={() => setMenu(null)}
        />
      )}
    </ActionsContext>
  )
}
