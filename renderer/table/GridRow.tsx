import { Check, Pencil, X } from 'lucide-react'
import { memo, useState } from 'react'
import type { Cell, Row, ShownColumn, TableSpec } from '../../app/contract/table.ts'
import { clockText, notesText } from '../../app/table/facts.ts'
import { urlOf } from '../api.ts'
import { saidOfDecision } from '../decision.ts'
import { percent } from '../format.ts'
import { t, told } from '../i18n.ts'
import { FileName } from '../parts/FileName.tsx'
import { CellEditor } from './CellEditor.tsx'
import { useMotion, type Writing } from './state.ts'
import { type Heading, STATE_NAMES, valueName } from './titles.ts'

export const ROW_HEIGHT = 44
/** The number at the left of each row. */
export const NUMBER_WIDTH = 52

export interface PlacedColumn extends ShownColumn {
  heading: Heading
  /** From the left edge of the table, in pixels. */
  left: number
  /** Index among the shown columns. */
  index: number
}

interface Props {
  line: number
  row: number
  data: Row | undefined
  top: number
  columns: readonly PlacedColumn[]
  width: number
  rows: TableSpec['rows']
  /** Selected cells of this line, first and last, both included; -1 for none. */
  from: number
  to: number
  /** The column of the focused cell, -1 for none on this line. */
  focus: number
  /** What is being written in a cell of this line. */
  writing: Writing | null
  /** Keys of columns that are being filled just now. */
  filling: string
}

/** One clip or video. Redrawn only when it changes, so that scrolling draws only new rows. */
export const GridRow = memo(function GridRow({ line, row, data, top, columns, width, rows, from, to, focus, writing, filling }: Props) {
  return (
    <div role="row" className="grid-row" aria-rowindex={line + 2} data-line={line} style={{ transform: `translateY(${top}px)`, width }}>
      <div role="rowheader" className="grid-number num" data-column={-1} aria-selected={from !== -1}>
        {row + 1}
      </div>
      {columns.map((column) => {
        const { key, heading, index, pinned, left } = column
        const cell = data?.cells[key]
        const chosen = index >= from && index <= to && from !== -1
        const waits = cell === undefined && data !== undefined && data.encoded && filling.includes(`${key},`)
        return (
          <div
            key={key}
            id={`cell-${line}-${index}`}
            role="gridcell"
            className="grid-cell"
            aria-colindex={index + 2}
            aria-selected={chosen}
            aria-readonly={!heading.editable}
            data-column={index}
            data-key={key}
            data-focus={index === focus}
            data-pinned={pinned}
            data-state={cell?.state}
            data-type={heading.type}
            style={{ width: column.width, left }}
          >
            {index === writing?.at.column ? (
              <CellEditor writing={writing} label={heading.title} />
            ) : data === undefined ? (
              <span className="skeleton" />
            ) : waits ? (
              <span className="waits" title={t('Being asked…')} />
            ) : (
              <Shown data={data} cell={cell} heading={heading} rows={rows} />
            )}
          </div>
        )
      })}
    </div>
  )
})

function Shown({ data, cell, heading, rows }: { data: Row; cell: Cell | undefined; heading: Heading; rows: TableSpec['rows'] }) {
  const { type, said } = heading
  if (type === 'name') {
    return (
      <span className="clip-name">
        {data.clipId === null ? <span className="blank" /> : <Picture key={data.clipId} clipId={data.clipId} />}
        <span className="clamped" title={cell?.text}>
          <FileName of={cell?.text ?? ''} />
        </span>
      </span>
    )
  }
  if (cell?.state === 'blind' || cell?.state === 'unanswerable')
    return (
      <span className="muted small" title={cell.why && told(cell.why).message}>
        {t(STATE_NAMES[cell.state])}
      </span>
    )
  if (cell === undefined)
    return data.encoded || !said ? null : <span className="muted small">{rows === 'clips' ? t('not analysed yet') : ''}</span>
  // Clips last seconds, videos may last hours.
  const text = type === 'length' && rows === 'videos' ? clockText(Number(cell.text)) : valueName(type, cell.text)
  if (type === 'review')
    return (
      <span className="chip" data-review={cell.text === 'done' ? 'accepted' : undefined}>
        {text}
      </span>
    )
  if (cell.notes) return <Notes notes={cell.notes} />
  const counts = type === 'count'
  if (!said && !counts) return <span className={heading.numeric ? 'clamped num' : 'clamped'}>{text}</span>
  return (
    <>
      {type === 'yesno' && cell.text !== '' ? (
        <span className="answer" data-answer={cell.text}>
          {text}
        </span>
      ) : (
        <span className={counts ? 'clamped num' : 'clamped'} title={text}>
          {text}
        </span>
      )}
      <Standing cell={cell} />
    </>
  )
}

/** The first note of a clip, how many others there are, and which part of the video each is about. */
function Notes({ notes }: { notes: NonNullable<Cell['notes']> }) {
  const [first, ...others] = notes
  return (
    <>
      <span className="clamped" title={notesText(notes)}>
        {first?.time && <span className="muted num">{first.time} </span>}
        {first?.text}
      </span>
      {others.length > 0 && (
        <span className="standing muted num" title={notesText(notes)}>
          {t('and {{count}} more', { count: others.length })}
        </span>
      )}
    </>
  )
}

/**
 * A third of the cost of a scroll frame would go into pictures of rows that are gone before these load: they are requested when the scroll
 * rests.
 */
function Picture({ clipId }: { clipId: number }) {
  const scrolling = useMotion((motion) => motion.scrolling)
  const [asked, setAsked] = useState(!scrolling)
  if (!scrolling && !asked) setAsked(true)
  return asked ? (
    <img src={urlOf('clipThumbnail', { params: { clipId } })} alt="" loading="lazy" decoding="async" />
  ) : (
    <span className="blank" />
  )
}

/** How sure the model is, or a person's decision; screen readers get the icons as words. */
function Standing({ cell: { state, confidence, agreement, share, decided: who } }: { cell: Cell }) {
  const decided = state === 'accepted' || state === 'edited' || state === 'rejected'
  return (
    <span className="standing num" title={decided && who ? saidOfDecision(state, who.by, who.at) : undefined}>
      {share !== null && share[1] > 1 && (
        <span className="muted" title={t('{{n}} of {{of}} clips', { n: share[0], of: share[1] })}>
          {share[0]}/{share[1]}
        </span>
      )}
      {decided && <span className="visually-hidden">{t(STATE_NAMES[state])}</span>}
      {state === 'unsure' && <em className="unsure">{t(STATE_NAMES.unsure)}</em>}
      {state === 'mixed' && <span className="muted">{t(STATE_NAMES.mixed)}</span>}
      {/* Statements from facts have no percentage, since no model was sure of them. */}
      {state === 'sure' && agreement !== null && confidence !== null && <span className="muted">{percent(confidence)}</span>}
      {state === 'accepted' && <Check size={14} className="good" aria-hidden />}
      {state === 'edited' && <Pencil size={12} className="good" aria-hidden />}
      {state === 'rejected' && <X size={14} className="bad" aria-hidden />}
    </span>
  )
}
