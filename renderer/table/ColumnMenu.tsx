import { useQuery } from '@tanstack/react-query'
import {
  ArrowDownAZ,
  ArrowDownUp,
  ArrowLeft,
  ArrowRight,
  ArrowUpAZ,
  CirclePause,
  CirclePlay,
  EyeOff,
  Group,
  Minus,
  Pin,
  PinOff,
  Plus,
  Trash2,
} from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { CELL_STATES, type CellState, type Column, type Filter, type TableSpec } from '../../app/contract/table.ts'
import { moved, shown, withColumn } from '../../app/table/spec.ts'
import { call } from '../api.ts'
import { number, percent } from '../format.ts'
import { phrase, t } from '../i18n.ts'
import { queryClient, useQueue } from '../cache.ts'
import { tell } from '../toast.ts'
import { inOrder, offerUndo } from '../undo.ts'
import { Popover } from './Popover.tsx'
import { useTable } from './state.ts'
import { type Heading, STATE_NAMES, valueName } from './titles.ts'

/** Everything that can be done with a column, including by keyboard what the mouse does in its heading. */
export function ColumnMenu({ heading, spec, at, onClose }: { heading: Heading; spec: TableSpec; at: DOMRect; onClose: () => void }) {
  const { key, said, numeric, column } = heading
  const change = useTable((table) => table.change)
  const then = (next: Partial<TableSpec>) => () => {
    change(next)
    onClose()
  }
  const placed = shown(spec)
  const place = placed.findIndex((one) => one.key === key)
  const here = placed[place]
  const sort = (by: 'value' | 'confidence', down: boolean) => then({ sort: [{ key, by, down }] })
  const beside = (by: number) => {
    const neighbour = placed[place + by]
    if (neighbour) change(moved(spec, key, neighbour.key))
  }
  const wider = (by: number) => change(withColumn(spec, key, { width: Math.max(48, Math.min(1_200, (here?.width ?? 200) + by)) }))
  return (
    <Popover at={at} label={t('Column {{column}}', { column: heading.title })} onClose={onClose}>
      <h2 className="popover-title">{heading.title}</h2>
      {column !== null && <FillState column={column} onClose={onClose} />}
      <div className="menu">
        <button autoFocus onClick={sort('value', false)}>
          <ArrowDownAZ size={15} aria-hidden />
          {numeric ? t('Smallest first') : t('A to Z')}
        </button>
        <button onClick={sort('value', true)}>
          <ArrowUpAZ size={15} aria-hidden />
          {numeric ? t('Largest first') : t('Z to A')}
        </button>
        {said && spec.rows === 'clips' && (
          <button onClick={sort('confidence', false)}>
            <ArrowDownUp size={15} aria-hidden />
            {t('Least sure first')}
          </button>
        )}
        <button aria-pressed={spec.group === key} onClick={then({ group: spec.group === key ? null : key })}>
          <Group size={15} aria-hidden />
          {spec.group === key ? t('Stop grouping') : t('Group by this')}
        </button>
      </div>
      <FilterForm heading={heading} spec={spec} onClose={onClose} />
      <div className="menu">
        <button onClick={then(withColumn(spec, key, { pinned: here?.pinned !== true }))}>
          {here?.pinned === true ? <PinOff size={15} aria-hidden /> : <Pin size={15} aria-hidden />}
          {here?.pinned === true ? t('Unpin') : t('Pin at the left')}
        </button>
        <button disabled={placed.length === 1} onClick={then(withColumn(spec, key, { hidden: true }))}>
          <EyeOff size={15} aria-hidden />
          {t('Hide')}
        </button>
        <span className="row menu-pair">
          <button disabled={place <= 0} onClick={() => beside(-1)}>
            <ArrowLeft size={15} aria-hidden />
            {t('Move left')}
          </button>
          <button disabled={place >= placed.length - 1} onClick={() => beside(1)}>
            {t('Move right')}
            <ArrowRight size={15} aria-hidden />
          </button>
        </span>
        <span className="row menu-pair">
          <button onClick={() => wider(-40)}>
            <Minus size={15} aria-hidden />
            {t('Narrower')}
          </button>
          <button onClick={() => wider(40)}>
            {t('Wider')}
            <Plus size={15} aria-hidden />
          </button>
        </span>
        {column !== null && (
          <button
            className="danger-text"
            title={t('Its answers stay with the clips; added again, they are back at once.')}
            onClick={() => {
              onClose()
              void remove(column)
            }}
          >
            <Trash2 size={15} aria-hidden />
            {t('Remove column')}
          </button>
        )}
      </div>
    </Popover>
  )
}

async function remove({ id, text }: Column): Promise<void> {
  try {
    await inOrder(() => call('removeColumn', { params: { columnId: id } }))
    offerUndo(t('Column “{{column}}” removed', { column: text }), { id: 'table' })
  } catch (error) {
    tell(error)
  }
}

/** How far the column is filled, with buttons to stop or continue. */
function FillState({ column: { id, kind, filled, of, automatic }, onClose }: { column: Column; onClose: () => void }) {
  const { data: queue } = useQueue()
  const job = queue?.jobs.find((one) => one.columnId === id && (one.state === 'running' || one.state === 'queued'))
  const act = (name: 'fillColumn' | 'stopColumn') => () => {
    onClose()
    const done =
      name === 'fillColumn' ? call('fillColumn', { params: { columnId: id }, body: {} }) : call('stopColumn', { params: { columnId: id } })
    void done.then(() => queryClient.invalidateQueries({ queryKey: ['table'] })).catch(tell)
  }
  if (kind === 'count') return null
  return (
    <div className="fill-state">
      <span className="muted num">{t('{{n}} of {{of}} clips answered', { n: filled, of })}</span>
      {job !== undefined ? (
        <button onClick={act('stopColumn')}>
          <CirclePause size={15} aria-hidden />
          {job.state === 'running' ? t('Stop at {{share}}', { share: percent(job.progress) }) : t('Do not fill')}
        </button>
      ) : filled < of || !automatic ? (
        <button onClick={act('fillColumn')}>
          <CirclePlay size={15} aria-hidden />
          {filled < of ? t('Fill {{count}} more', { count: of - filled }) : t('Fill new clips too')}
        </button>
      ) : null}
    </div>
  )
}

type Op = Filter['op']
const TEXT_OPS: readonly [Op, string][] = [
  ['is', phrase('is one of')],
  ['contains', phrase('contains')],
]
const NUMBER_OPS: readonly [Op, string][] = [
  ['atLeast', phrase('at least')],
  ['atMost', phrase('at most')],
]
const SAID_OPS: readonly [Op, string][] = [
  ['lessSureThan', phrase('less sure than')],
  ['surerThan', phrase('at least as sure as')],
  ['state', phrase('review is')],
]

function FilterForm({ heading: { key, type, said, numeric }, spec, onClose }: { heading: Heading; spec: TableSpec; onClose: () => void }) {
  const change = useTable((table) => table.change)
  const now = spec.filters.find((filter) => filter.key === key)
  const own = numeric ? NUMBER_OPS : type === 'caption' || type === 'note' ? TEXT_OPS.toReversed() : TEXT_OPS
  const ops = [
    ...own,
    ...(said ? SAID_OPS.filter(([op]) => spec.rows === 'clips' || op === 'state') : []),
    ['empty', phrase('is empty')] as const,
    ['filled', phrase('is filled')] as const,
  ]
  const [op, setOp] = useState<Op>(now?.op ?? ops[0]?.[0] ?? 'contains')
  const [text, setText] = useState(
    now?.op === 'contains'
      ? now.text
      : now !== undefined && 'value' in now
        ? String(now.op === 'atLeast' || now.op === 'atMost' ? now.value : Math.round(now.value * 100))
        : '',
  )
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set(now?.op === 'is' ? now.texts : now?.op === 'state' ? now.states : []))
  const filter = ((): Filter | null => {
    const number = Number(text.replace(',', '.'))
    switch (op) {
      case 'contains':
        return text.trim() === '' ? null : { key, op, text: text.trim() }
      case 'is':
        return picked.size === 0 ? null : { key, op, texts: [...picked] }
      case 'state':
        return picked.size === 0 ? null : { key, op, states: CELL_STATES.filter((state) => picked.has(state)) }
      case 'atLeast':
      case 'atMost':
        return text === '' || Number.isNaN(number) ? null : { key, op, value: number }
      case 'surerThan':
      case 'lessSureThan':
        return text === '' || !(number >= 0 && number <= 100) ? null : { key, op, value: number / 100 }
      default:
        return { key, op }
    }
  })()
  const others = spec.filters.filter((one) => one.key !== key)
  const apply = (event: SubmitEvent) => {
    event.preventDefault()
    change({ filters: filter === null ? others : [...others, filter] })
    onClose()
  }
  const choose = (next: Op) => {
    setOp(next)
    setPicked(new Set())
  }
  return (
    <form className="filter" onSubmit={apply}>
      <span className="row">
        <select aria-label={t('Filter')} value={op} onChange={(event) => choose(event.target.value as Op)}>
          {ops.map(([name, english]) => (
            <option key={name} value={name}>
              {t(english)}
            </option>
          ))}
        </select>
        {op === 'contains' && (
          <input
            aria-label={t('Text to find')}
            value={text}
            onChange={(event) => setText(event.target.value)}
            placeholder={t('Text to find')}
          />
        )}
        {(op === 'atLeast' || op === 'atMost') && (
          <input aria-label={t('Number')} inputMode="decimal" value={text} onChange={(event) => setText(event.target.value)} />
        )}
        {(op === 'surerThan' || op === 'lessSureThan') && (
          <>
            <input aria-label={t('Per cent')} inputMode="numeric" size={4} value={text} onChange={(event) => setText(event.target.value)} />
            <span className="muted">%</span>
          </>
        )}
      </span>
      {op === 'is' && <Values columnKey={key} rows={spec.rows} type={type} picked={picked} onPick={setPicked} />}
      {op === 'state' && (
        <Checks
          items={(['sure', 'unsure', 'accepted', 'edited', 'rejected'] satisfies CellState[]).map((state) => ({
            value: state,
            name: t(STATE_NAMES[state]),
            count: null,
          }))}
          picked={picked}
          onPick={setPicked}
        />
      )}
      <span className="row">
        <button className="primary" disabled={filter === null && now === undefined}>
          {t('Filter')}
        </button>
        {now !== undefined && (
          <button
            type="button"
            onClick={() => {
              change({ filters: others })
              onClose()
            }}
          >
            {t('Clear filter')}
          </button>
        )}
      </span>
    </form>
  )
}

function Values({
  columnKey,
  rows,
  type,
  picked,
  onPick,
}: {
  columnKey: string
  rows: TableSpec['rows']
  type: Heading['type']
  picked: ReadonlySet<string>
  onPick: (picked: ReadonlySet<string>) => void
}) {
  const { data } = useQuery({
    queryKey: ['values', columnKey, rows],
    queryFn: () => call('tableValues', { query: { key: columnKey, rows } }),
    staleTime: 0,
  })
  if (data === undefined) return <span className="muted small">{t('Looking…')}</span>
  if (data.values.length === 0) return <span className="muted small">{t('This column has no values yet.')}</span>
  return (
    <>
      <Checks
        items={data.values.map(({ text, count }) => ({ value: text, name: valueName(type, text), count }))}
        picked={picked}
        onPick={onPick}
      />
      {data.distinct > data.values.length && (
        <span className="muted small">{t('The {{n}} commonest of {{count}} values', { n: data.values.length, count: data.distinct })}</span>
      )}
    </>
  )
}

function Checks({
  items,
  picked,
  onPick,
}: {
  items: { value: string; name: string; count: number | null }[]
  picked: ReadonlySet<string>
  onPick: (picked: ReadonlySet<string>) => void
}) {
  return (
    <ul className="checks">
      {items.map(({ value, name, count }) => (
        <li key={value}>
          <label>
            <input
              type="checkbox"
              checked={picked.has(value)}
              onChange={(event) => {
                const next = new Set(picked)
                if (event.target.checked) next.add(value)
                else next.delete(value)
                onPick(next)
              }}
            />
            <span>{name}</span>
            {count !== null && <span className="muted num">{number(count)}</span>}
          </label>
        </li>
      ))}
    </ul>
  )
}
