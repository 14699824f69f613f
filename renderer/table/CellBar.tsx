import { Check, ExternalLink, MessageCircleQuestion, RotateCcw, X } from 'lucide-react'
import type { Cell, Group, Row } from '../../app/contract/table.ts'
import { call } from '../api.ts'
import { percent } from '../format.ts'
import { t, told } from '../i18n.ts'
import { hint } from '../keys.ts'
import { tell } from '../toast.ts'
import { useActions } from './actions.ts'
import type { Range } from './rows.ts'
import { type Heading, STATE_NAMES, valueName } from './titles.ts'

/** How sure a cell is, in one plain sentence. Cells of facts have none: no model was sure of their text. */
function surety({ state, confidence, agreement }: Cell): string[] {
  const share = confidence === null || agreement === null ? null : percent(confidence)
  if (state === 'unsure') return [share === null ? t('not sure') : t('the model is not sure of this ({{share}})', { share })]
  if (state === 'sure') return share === null ? [] : [t('the model is {{share}} sure', { share })]
  return state === 'empty' ? [] : [t(STATE_NAMES[state])]
}

/** The full text of the focused cell, the model's answer and how sure it is, and the actions on all selected cells. */
export function CellBar({
  heading,
  row,
  group,
  chosen,
  range,
}: {
  heading: Heading
  row: Row | undefined /** Given if the focus is on a group's heading. */
  group: Group | null
  chosen: { rows: number; columns: readonly Heading[] }
  range: () => Range | null
}) {
  const { accept, reject, reset, open } = useActions()
  const cell = row?.cells[heading.key]
  const { title, type, said } = heading
  const why = cell?.why && told(cell.why)
  const facts =
    cell === undefined || !said
      ? []
      : [...surety(cell), ...(cell.share === null ? [] : [t('{{n}} of {{of}} clips', { n: cell.share[0], of: cell.share[1] })])]
  const cells = chosen.rows * chosen.columns.length
  const decidable = chosen.columns.some((one) => one.said || one.type === 'note')
  const column = heading.column !== null && heading.type !== 'count' ? heading.column : null
  const ask = () => {
    const asked = range()
    if (asked === null || column === null) return
    const { view, from, to } = asked
    void call('fillColumn', { params: { columnId: column.id }, body: { rows: { view, from, to } } }).catch(tell)
  }
  return (
    <section className="cell-bar" aria-label={t('Chosen cell')}>
      <div className="cell-bar-text">
        <p className="muted small">
          <strong>{group ? t('Group') : title}</strong>
          {facts.length > 0 && ` · ${facts.join(' · ')}`}
        </p>
        <p className="cell-bar-value" data-state={cell?.state}>
          {group ? (
            t('{{count}} rows', { count: group.count })
          ) : why !== undefined ? (
            why.message
          ) : cell === undefined || cell.text === '' ? (
            <span className="muted">{t('empty')}</span>
          ) : (
            (cell.notes?.map(({ text, time }) => (time === null ? text : `${time} ${text}`)).join(' · ') ?? valueName(type, cell.text))
          )}
        </p>
        {why?.stillWorks !== undefined && <p className="muted small">{t('What can be answered: {{kinds}}', { kinds: why.stillWorks })}</p>}
        {why?.next !== undefined && <p className="muted small">{why.next}</p>}
        {cell?.machine != null && <p className="muted small">{t('The model said: {{text}}', { text: cell.machine })}</p>}
      </div>
      {cells > 1 && <span className="chip num">{t('{{count}} cells', { count: cells })}</span>}
      {column !== null && column.filled < column.of && (
        <button title={t('Ask the model where the chosen rows are empty')} onClick={ask}>
          <MessageCircleQuestion size={15} aria-hidden />
          {t('Ask')}
        </button>
      )}
      <span className="row tight">
        <button className="icon" aria-label={t('Accept')} title={hint('Accept', 'accept')} disabled={!decidable} onClick={accept}>
          <Check size={16} />
        </button>
        <button className="icon" aria-label={t('Reject')} title={hint('Reject', 'reject')} disabled={!decidable} onClick={reject}>
          <X size={16} />
        </button>
        <button
          className="icon"
          aria-label={t('Back to what the model said')}
          title={hint('Back to what the model said', 'reset')}
          disabled={!decidable}
          onClick={reset}
        >
          <RotateCcw size={15} />
        </button>
      </span>
      <button disabled={row?.clipId == null} title={t('Show in Review (Alt+Enter)')} onClick={open}>
        <ExternalLink size={15} aria-hidden />
        {t('Open')}
      </button>
    </section>
  )
}
