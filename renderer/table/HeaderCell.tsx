import {
  ArrowDown,
  ArrowUp,
  ChevronDown,
  Clock3,
  FileVideo,
  Filter,
  Hash,
  MessageCircleQuestion,
  NotebookPen,
  Pin,
  Ruler,
  ScanSearch,
  Tags,
  TextQuote,
  ToggleLeft,
} from 'lucide-react'
import { type PointerEvent, useState } from 'react'
import type { TableSpec } from '../../app/contract/table.ts'
import { moved, sortedBy, withColumn } from '../../app/table/spec.ts'
import { percent } from '../format.ts'
import { t } from '../i18n.ts'
import { useQueue } from '../cache.ts'
import type { PlacedColumn } from './GridRow.tsx'
import { useTable } from './state.ts'
import type { ColumnType } from './titles.ts'

const TYPE_ICONS: Record<ColumnType, typeof Hash> = {
  name: FileVideo,
  time: Clock3,
  length: Ruler,
  review: ScanSearch,
  caption: TextQuote,
  labels: Tags,
  note: NotebookPen,
  question: MessageCircleQuestion,
  yesno: ToggleLeft,
  count: Hash,
}
/** A media type of its own, so that files dropped here are ignored. */
const DRAGGED = 'application/x-tubelet-column'

export function HeaderCell({
  column,
  spec,
  onMenu,
}: {
  column: PlacedColumn
  spec: TableSpec
  onMenu: (key: string, at: DOMRect) => void
}) {
  const { key, heading, width, left, pinned, index } = column
  const change = useTable((table) => table.change)
  const [over, setOver] = useState(false)
  const sort = spec.sort.find((one) => one.key === key)
  const filtered = spec.filters.some((filter) => filter.key === key)
  const Icon = TYPE_ICONS[heading.type]
  return (
    <div
      role="columnheader"
      className="grid-heading"
      data-heading={key}
      aria-colindex={index + 2}
      aria-sort={sort === undefined ? undefined : sort.down ? 'descending' : 'ascending'}
      data-pinned={pinned}
      data-over={over}
      style={{ width, left }}
      draggable
      onDragStart={(event) => event.dataTransfer.setData(DRAGGED, key)}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAGGED)) return
        event.preventDefault()
        event.stopPropagation()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false)
        const from = event.dataTransfer.getData(DRAGGED)
        if (from === '') return
        event.preventDefault()
        event.stopPropagation()
        change(moved(spec, from, key))
      }}
    >
      <button
        className="grid-title"
        tabIndex={-1}
        title={heading.title}
        onClick={(event) => change({ sort: sortedBy(spec.sort, key, event.shiftKey) })}
      >
        <Icon size={14} aria-hidden />
        <span>{heading.title}</span>
        {sort && (sort.down ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />)}
        {sort && spec.sort.length > 1 && (
          <span className="num small" aria-hidden>
            {spec.sort.indexOf(sort) + 1}
          </span>
        )}
        {filtered && <Filter size={12} className="accent" aria-label={t('filtered')} />}
        {pinned && key !== 'name' && <Pin size={11} aria-label={t('pinned')} />}
      </button>
      <button
        className="icon"
        tabIndex={-1}
        aria-label={t('Column {{column}}', { column: heading.title })}
        title={t('Sort, filter, group (Alt+↓)')}
        onClick={(event) => onMenu(key, event.currentTarget.closest('[data-heading]')?.getBoundingClientRect() ?? new DOMRect())}
      >
        <ChevronDown size={14} />
      </button>
      <Resizer column={column} spec={spec} />
      {heading.column !== null && <Filling columnId={heading.column.id} label={heading.title} />}
    </div>
  )
}

/** How far a column is filled, while it is being filled. */
function Filling({ columnId, label }: { columnId: number; label: string }) {
  const { data } = useQueue()
  const job = data?.jobs.find((one) => one.columnId === columnId && (one.state === 'running' || one.state === 'queued'))
  if (job === undefined) return null
  return (
    <progress
      className="filling"
      value={job.state === 'running' ? job.progress : 0}
      aria-label={t('Filling {{column}}', { column: label })}
      title={job.state === 'running' ? percent(job.progress) : t('Waiting')}
    />
  )
}

function Resizer({ column: { key, width }, spec }: { column: PlacedColumn; spec: TableSpec }) {
  const change = useTable((table) => table.change)
  const [from, setFrom] = useState<{ x: number; width: number } | null>(null)
  const drag = (event: PointerEvent) => {
    if (from === null) return
    change(withColumn(spec, key, { width: Math.round(Math.max(48, Math.min(1_200, from.width + event.clientX - from.x))) }))
  }
  return (
    <span
      className="resizer"
      aria-hidden
      draggable
      onDragStart={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        event.stopPropagation()
        event.currentTarget.setPointerCapture(event.pointerId)
        setFrom({ x: event.clientX, width })
      }}
      onPointerMove={drag}
      onPointerUp={() => setFrom(null)}
    />
  )
}
