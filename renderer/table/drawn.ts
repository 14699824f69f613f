/** Which parts of the table are drawn: the rows that may be requested while it scrolls, and the columns in view. */
import { type RefObject, useEffect, useState } from 'react'
import type { PlacedColumn } from './GridRow.tsx'

/** Columns within this distance outside the window are drawn, in pixels. */
const MARGIN = 200

/** Whether rows may be requested: at once during slow scrolling, after a pause if whole blocks fly by. */
export function useSettled(blocks: string, scrolling: boolean): boolean {
  const [settled, setSettled] = useState(blocks)
  useEffect(() => {
    if (!scrolling) return
    const timer = setTimeout(() => setSettled(blocks), 70)
    return () => clearTimeout(timer)
  }, [blocks, scrolling])
  return !scrolling || settled === blocks
}

/** The pinned columns and those that the window shows of the others. */
export function useDrawnColumns(grid: RefObject<HTMLDivElement | null>, columns: readonly PlacedColumn[]): readonly PlacedColumn[] {
  const [seen, setSeen] = useState({ from: 0, to: 4_000 })
  useEffect(() => {
    const element = grid.current
    if (element === null) return
    // In steps, so that most of a scroll draws the same columns.
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
  // The same array as long as it has the same contents: rows are redrawn when it changes.
  const [kept, setKept] = useState(names)
  const same = kept.length === names.length && kept.every((column, at) => column === names[at])
  if (!same) setKept(names)
  return same ? kept : names
}
