import { FileDown, Plus, RefreshCw, X } from 'lucide-react'
import { useState } from 'react'
import type { Column, Filter, TableSpec, View } from '../../app/contract/table.ts'
import { urlOf } from '../api.ts'
import { number, percent } from '../format.ts'
import { t } from '../i18n.ts'
import { AddColumn } from './AddColumn.tsx'
import type { Arranged } from './rows.ts'
import { useTable } from './state.ts'
import { type Heading, STATE_NAMES, valueName } from './titles.ts'
import { ColumnsMenu, Views } from './Views.tsx'

interface Props {
  spec: TableSpec
  views: readonly View[]
  headings: readonly Heading[]
  arranged: Arranged | undefined
  /** The order does not reflect the newest values. */
  stale: boolean
  busy: boolean
  again: () => void
  columnKeys: string
  /** Given if more than one row is selected. */
  chosen: { view: string; from: number; to: number } | null
  onAdded: (column: Column) => void
}

export function Toolbar({ spec, views, headings, arranged, stale, busy, again, columnKeys, chosen, onAdded }: Props) {
  const change = useTable((table) => table.change)
  const [at, setAt] = useState<DOMRect | null>(null)
  const count =
    arranged === undefined
      ? ''
      : arranged.total === arranged.of
        ? spec.rows === 'clips'
          ? t('{{count}} clips', { count: arranged.of })
          : t('{{count}} videos', { count: arranged.of })
        : t('{{n}} of {{of}}', { n: number(arranged.total), of: number(arranged.of) })
  return (
    <header className="table-bar">
      <div className="row table-tools" role="toolbar" aria-label={t('Table')}>
        <span className="switch" role="group" aria-label={t('Rows')}>
          <button aria-pressed={spec.rows === 'clips'} onClick={() => change({ rows: 'clips' })}>
            {t('Clips')}
          </button>
          <button aria-pressed={spec.rows === 'videos'} onClick={() => change({ rows: 'videos' })}>
            {t('Videos')}
          </button>
        </span>
        <Views spec={spec} views={views} />
        <ColumnsMenu spec={spec} headings={headings} />
        <span className="grow" />
        <span className="muted num" role="status">
          {count}
        </span>
        {stale && (
          <button className="stale" disabled={busy} title={t('Values changed since the rows were put in order.')} onClick={again}>
            <RefreshCw size={14} aria-hidden />
            {t('Update order')}
          </button>
        )}
        {arranged !== undefined && arranged.total > 0 && (
          <a
            className="button"
            href={urlOf('tableCsv', { query: { view: arranged.view, columns: columnKeys } })}
            download="tubelet-table.csv"
            title={t('All rows as they are shown, as CSV')}
          >
            <FileDown size={15} aria-hidden />
            {t('CSV')}
          </a>
        )}
        <button className="primary" aria-haspopup="dialog" onClick={(event) => setAt(event.currentTarget.getBoundingClientRect())}>
          <Plus size={15} aria-hidden />
          {t('Add column')}
        </button>
      </div>
      {(spec.picked !== undefined || spec.filters.length > 0 || spec.group !== null || spec.sort.length > 1) && (
        <ul className="row filter-chips" aria-label={t('Filters')}>
          {spec.picked && (
            <Chip text={t('{{count}} clips picked', { count: spec.picked.count })} onRemove={() => change({ picked: undefined })} />
          )}
          {spec.filters.map((filter) => (
            <Chip
              key={filter.key}
              text={`${titleOf(headings, filter.key)} ${filterText(filter, headings)}`}
              onRemove={() => change({ filters: spec.filters.filter((one) => one !== filter) })}
            />
          ))}
          {spec.group !== null && (
            <Chip text={t('Grouped by {{column}}', { column: titleOf(headings, spec.group) })} onRemove={() => change({ group: null })} />
          )}
          {spec.sort.length > 1 && (
            <Chip
              text={t('Sorted by {{columns}}', { columns: spec.sort.map(({ key }) => titleOf(headings, key)).join(', ') })}
              onRemove={() => change({ sort: [] })}
            />
          )}
        </ul>
      )}
      {at && <AddColumn at={at} chosen={chosen} onClose={() => setAt(null)} onAdded={onAdded} />}
    </header>
  )
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <li className="chip filter-chip">
      <span>{text}</span>
      <button className="icon" aria-label={t('Remove: {{what}}', { what: text })} onClick={onRemove}>
        <X size={12} />
      </button>
    </li>
  )
}

function titleOf(headings: readonly Heading[], key: string): string {
  return headings.find((heading) => heading.key === key)?.title ?? ''
}

function filterText(filter: Filter, headings: readonly Heading[]): string {
  const type = headings.find(({ key }) => key === filter.key)?.type ?? 'question'
  switch (filter.op) {
    case 'contains':
      return t('contains “{{text}}”', { text: filter.text })
    case 'is':
      return t('is {{values}}', { values: filter.texts.map((text) => valueName(type, text)).join(', ') })
    case 'state':
      return t('is {{values}}', { values: filter.states.map((state) => t(STATE_NAMES[state])).join(', ') })
    case 'empty':
      return t('is empty')
    case 'filled':
      return t('is filled')
    case 'atLeast':
      return `≥ ${filter.value}`
    case 'atMost':
      return `≤ ${filter.value}`
    case 'surerThan':
      return t('at least {{share}} sure', { share: percent(filter.value) })
    case 'lessSureThan':
      return t('less than {{share}} sure', { share: percent(filter.value) })
  }
}
