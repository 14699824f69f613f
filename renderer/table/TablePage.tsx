import { useEffect, useMemo, useRef } from 'react'
import type { TableSpec } from '../../app/contract/table.ts'
import { fitted, START } from '../../app/table/spec.ts'
import { call, callAtLast } from '../api.ts'
import { close, tell } from '../toast.ts'
import { UNCHANGED, useColumns } from './rows.ts'
import { useTable } from './state.ts'
import './table.css'
import { Workspace } from './Workspace.tsx'

/** The question table: questions about every clip, side by side. */
export function TablePage() {
  const { data } = useColumns()
  const { spec, change } = useTable()
  // Columns may have been added or removed since the table was last shown, here or elsewhere.
  useEffect(() => {
    if (data === undefined) return
    const now = spec ?? data.current ?? START
    const next = fitted(now, data.columns)
    if (spec === null || JSON.stringify(next) !== JSON.stringify(now)) change(next)
  }, [data, spec, change])
  useKept(spec)
  useEffect(() => () => close(UNCHANGED), [])
  // Fitted here as well: the effect runs only after a column that is gone would have been drawn.
  const shown = useMemo(() => (spec === null || data === undefined ? null : fitted(spec, data.columns)), [spec, data])
  return <main className="page table-page">{shown !== null && data !== undefined && <Workspace spec={shown} data={data} />}</main>
}

/** Stores the table's appearance in the library. */
function useKept(spec: TableSpec | null): void {
  const kept = useRef(spec)
  useEffect(() => {
    if (spec === null || spec === kept.current) return
    // The first one came from the library.
    const told = kept.current === null
    kept.current = spec
    if (told) return
    keepSoon(spec)
  }, [spec])
}

/** Dragging a column's width changes it many times a second. */
const SOON_MS = 400
let unkept: { spec: TableSpec; timer: number } | null = null

function keepSoon(spec: TableSpec): void {
  clearTimeout(unkept?.timer)
  unkept = {
    spec,
    timer: window.setTimeout(() => {
      unkept = null
      void call('saveView', { body: { name: null, spec } }).catch(tell)
    }, SOON_MS),
  }
  window.addEventListener('pagehide', keepNow)
}

/** Called when the window closes. */
function keepNow(): void {
  if (unkept !== null) callAtLast('saveView', { body: { name: null, spec: unkept.spec } })
}
