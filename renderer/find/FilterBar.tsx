import { ListFilter, X } from 'lucide-react'
import { useId, useState } from 'react'
import type { Filters } from '../../app/contract/find.ts'
import { daysOf, filterCount, instantsOf } from '../../app/find.ts'
import { labelText } from '../../app/review.ts'
import { phrase, t } from '../i18n.ts'
import { useSources } from '../cache.ts'
import { useFacets } from './queries.ts'
import { useFind } from './store.ts'

const STATES: Record<NonNullable<Filters['state']>, string> = {
  open: phrase('Not reviewed'),
  partly: phrase('Partly reviewed'),
  unsure: phrase('Not sure'),
  accepted: phrase('Accepted'),
  edited: phrase('Corrected'),
  rejected: phrase('Rejected'),
}

/** Filters on clips, with or without a search: a button to choose them, and a chip for each that is set. */
export function FilterBar() {
  const { filters, setFilters } = useFind()
  const [open, setOpen] = useState(false)
  const panel = useId()
  const count = filterCount(filters)
  return (
    <div className="filterbar" role="group" aria-label={t('Filters')}>
      <button className="quiet filter-button" popoverTarget={panel} data-active={count > 0}>
        <ListFilter size={14} aria-hidden />
        {t('Filter')}
        {count > 0 && <span className="num"> {count}</span>}
      </button>
      <Chips />
      {count > 1 && (
        <button className="quiet small" onClick={() => setFilters({})}>
          {t('Clear filters')}
        </button>
      )}
      <div
        id={panel}
        popover="auto"
        className="filter-panel"
        role="dialog"
        aria-label={t('Filters')}
        onToggle={(event) => setOpen(event.newState === 'open')}
        // Escape closes the panel and nothing else.
        onKeyDown={(event) => event.key === 'Escape' && event.stopPropagation()}
      >
        {open && <Fields />}
      </div>
    </div>
  )
}

function Chips() {
  const { filters, setFilters } = useFind()
  const { data: sources } = useSources()
  const days = (from: string | undefined, before: string | undefined) => {
    const range = daysOf({ from, before })
    return range.from === ''
      ? t('until {{day}}', { day: range.to })
      : range.to === ''
        ? t('from {{day}}', { day: range.from })
        : range.from === range.to
          ? range.from
          : `${range.from} – ${range.to}`
  }
  const without =
    (...keys: (keyof Filters)[]) =>
    () =>
      setFilters(Object.fromEntries(Object.entries(filters).filter(([key]) => !keys.includes(key as keyof Filters))))
  const chips: { text: string; remove: () => void }[] = []
  for (const label of filters.labels ?? [])
    chips.push({ text: label, remove: () => setFilters({ ...filters, labels: filters.labels?.filter((other) => other !== label) }) })
  if (filters.says !== undefined) chips.push({ text: `“${filters.says}”`, remove: without('says') })
  if (filters.answer !== undefined)
    chips.push({ text: `${filters.answer.question}${filters.answer.text ? ` ${filters.answer.text}` : ''}`, remove: without('answer') })
  if (filters.state !== undefined) chips.push({ text: t(STATES[filters.state]), remove: without('state') })
  for (const id of filters.sourceIds ?? [])
    chips.push({
      text: sources?.sources.find((source) => source.id === id)?.name ?? t('A removed video'),
      remove: () => setFilters({ ...filters, sourceIds: filters.sourceIds?.filter((other) => other !== id) }),
    })
  if (filters.minSeconds !== undefined || filters.maxSeconds !== undefined)
    chips.push({ text: `${filters.minSeconds ?? 0}–${filters.maxSeconds ?? '…'} s`, remove: without('minSeconds', 'maxSeconds') })
  if (filters.addedFrom ?? filters.addedBefore)
    chips.push({ text: `${t('Added')} ${days(filters.addedFrom, filters.addedBefore)}`, remove: without('addedFrom', 'addedBefore') })
  if (filters.recordedFrom ?? filters.recordedBefore)
    chips.push({
      text: `${t('Recorded')} ${days(filters.recordedFrom, filters.recordedBefore)}`,
      remove: without('recordedFrom', 'recordedBefore'),
    })
  return chips.map(({ text, remove }) => (
    <span key={text} className="chip removable" title={text}>
      <span>{text}</span>
      <button className="icon" aria-label={t('Remove filter {{text}}', { text })} onClick={remove}>
        <X size={12} />
      </button>
    </span>
  ))
}

/** The filters that are two ends of a span; dates are written by this window, all in UTC. */
const SPANS = [
  ['minSeconds', 'maxSeconds'],
  ['addedFrom', 'addedBefore'],
  ['recordedFrom', 'recordedBefore'],
] as const

function Fields() {
  const { filters, setFilters } = useFind()
  const { data: facets } = useFacets(true)
  const { data: sources } = useSources()
  const change = (changes: { [K in keyof Filters]: Filters[K] | undefined }) => {
    const all = { ...filters, ...changes }
    // What was set last counts: the other end of a span gives way to it.
    for (const [from, before] of SPANS) {
      const [first, end] = [all[from], all[before]]
      if (first !== undefined && end !== undefined && first > end) all[from in changes ? before : from] = undefined
    }
    setFilters(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
  }
  const chosen = filters.labels ?? []
  const added = daysOf({ from: filters.addedFrom, before: filters.addedBefore })
  const recorded = daysOf({ from: filters.recordedFrom, before: filters.recordedBefore })
  const addedIn = (range: { from: string; to: string }) => {
    const { from, before } = instantsOf(range)
    change({ addedFrom: from, addedBefore: before })
  }
  const recordedIn = (range: { from: string; to: string }) => {
    const { from, before } = instantsOf(range)
    change({ recordedFrom: from, recordedBefore: before })
  }
  return (
    <>
      <fieldset>
        <legend>{t('Labels')}</legend>
        {facets?.labels.length === 0 && <p className="muted small">{t('No label was found in any clip yet.')}</p>}
        <div className="options">
          {facets?.labels.map(({ label, clips, unsure }) => (
            <label key={label} className="chip option">
              <input
                type="checkbox"
                checked={chosen.includes(label)}
                onChange={() => change({ labels: chosen.includes(label) ? chosen.filter((other) => other !== label) : [...chosen, label] })}
              />
              {labelText(label, unsure)} <span className="muted num">{clips}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <label className="field">
        <span>{t('Says')}</span>
        <input
          autoFocus
          value={filters.says ?? ''}
          placeholder={t('words in a caption, answer or note')}
          onChange={(event) => change({ says: event.target.value.trimStart() === '' ? undefined : event.target.value.trimStart() })}
        />
      </label>
      <div className="field">
        <span id="filter-answer">{t('Answer')}</span>
        <select
          aria-labelledby="filter-answer"
          value={filters.answer?.question ?? ''}
          disabled={(facets?.questions.length ?? 0) === 0}
          onChange={(event) => change({ answer: event.target.value === '' ? undefined : { question: event.target.value } })}
        >
          <option value="">{facets?.questions.length === 0 ? t('No question was asked yet') : t('Any question')}</option>
          {facets?.questions.map(({ question, clips }) => (
            <option key={question} value={question}>
              {question} ({clips})
            </option>
          ))}
        </select>
        {filters.answer !== undefined && (
          <input
            aria-label={t('The answer has these words')}
            placeholder={t('has these words')}
            value={filters.answer.text ?? ''}
            onChange={(event) => filters.answer && change({ answer: { ...filters.answer, text: event.target.value } })}
          />
        )}
      </div>
      <label className="field">
        <span>{t('Review')}</span>
        <select
          value={filters.state ?? ''}
          onChange={(event) => change({ state: event.target.value === '' ? undefined : (event.target.value as keyof typeof STATES) })}
        >
          <option value="">{t('Any state')}</option>
          {(Object.keys(STATES) as (keyof typeof STATES)[]).map((state) => (
            <option key={state} value={state}>
              {t(STATES[state])}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{t('Video')}</span>
        <select
          value={filters.sourceIds?.[0] ?? ''}
          onChange={(event) => change({ sourceIds: event.target.value === '' ? undefined : [Number(event.target.value)] })}
        >
          <option value="">{t('All videos')}</option>
          {sources?.sources.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div className="field" role="group" aria-label={t('Length in seconds')}>
        <span>{t('Length')}</span>
        <Seconds label={t('At least, seconds')} value={filters.minSeconds} onChange={(minSeconds) => change({ minSeconds })} />–
        <Seconds
          label={t('Less than, seconds')}
          value={filters.maxSeconds}
          onChange={(maxSeconds) => change({ maxSeconds: maxSeconds === 0 ? undefined : maxSeconds })}
        />
        <span className="muted">s</span>
      </div>
      <Days name={t('Added')} range={added} onChange={addedIn} />
      <Days name={t('Recorded')} range={recorded} onChange={recordedIn} />
    </>
  )
}

function Seconds({
  label,
  value,
  onChange,
}: {
  label: string
  value: number | undefined
  onChange: (seconds: number | undefined) => void
}) {
  return (
    <input
      type="number"
      min={0}
      step={1}
      aria-label={label}
      value={value ?? ''}
      onChange={({ target }) => onChange(target.value === '' || !(target.valueAsNumber >= 0) ? undefined : target.valueAsNumber)}
    />
  )
}

function Days({
  name,
  range,
  onChange,
}: {
  name: string
  range: { from: string; to: string }
  onChange: (range: { from: string; to: string }) => void
}) {
  return (
    <div className="field" role="group" aria-label={name}>
      <span>{name}</span>
      <input
        type="date"
        aria-label={t('{{name}} from', { name })}
        value={range.from}
        onChange={(event) => onChange({ ...range, from: event.target.value })}
      />
      –
      <input
        type="date"
        aria-label={t('{{name}} until', { name })}
        value={range.to}
        onChange={(event) => onChange({ ...range, to: event.target.value })}
      />
    </div>
  )
}
