/** The names of columns, states and values. */
import type { CellState, Column, ColumnKey, Fact, TableSpec } from '../../app/contract/table.ts'
import { phrase, t } from '../i18n.ts'

const FACT_NAMES: Record<Fact, string> = {
  name: phrase('Video'),
  time: phrase('Time'),
  length: phrase('Length'),
  review: phrase('Review'),
  caption: phrase('Caption'),
  labels: phrase('Labels'),
  note: phrase('Note'),
}
const VALUES: Readonly<Record<string, string>> = {
  yes: phrase('yes'),
  no: phrase('no'),
  unsure: phrase('unsure'),
  open: phrase('To review'),
  partly: phrase('Partly'),
  done: phrase('Reviewed'),
  nothing: phrase('Nothing to review'),
}
export const STATE_NAMES: Record<CellState, string> = {
  empty: phrase('empty'),
  sure: phrase('sure'),
  unsure: phrase('not sure'),
  accepted: phrase('accepted'),
  edited: phrase('edited'),
  rejected: phrase('rejected'),
  mixed: phrase('mixed'),
  blind: phrase('cannot see'),
  unanswerable: phrase('cannot answer'),
}

export type ColumnType = Fact | Column['kind']

/** What a column is and says: its own facts, or the question that it asks. */
export interface Heading {
  key: ColumnKey
  type: ColumnType
  title: string
  column: Column | null
  /** Whether its cells are statements of the model or a person, which can be accepted and rejected and have a certainty. */
  said: boolean
  editable: boolean
  numeric: boolean
}

export function headingOf(key: ColumnKey, columns: readonly Column[], rows: TableSpec['rows']): Heading {
  const column = columns.find(({ id }) => `q${id}` === key) ?? null
  const type: ColumnType = column?.kind ?? (key as Fact)
  const counted = column?.kind === 'count' ? t('{{label}} (most at once)', { label: column.text }) : undefined
  const title = counted ?? column?.text ?? (type === 'time' && rows === 'videos' ? t('Clips') : t(FACT_NAMES[type as Fact]))
  return {
    key,
    type,
    title,
    column,
    said: type === 'question' || type === 'yesno' || type === 'caption',
    editable: rows === 'clips' && ['question', 'yesno', 'caption', 'note'].includes(type),
    numeric: type === 'length' || type === 'count' || type === 'time',
  }
}

/** A value as shown in the window's language; texts that were written or typed stay as they are. */
export function valueName(type: ColumnType, text: string): string {
  const word = type === 'yesno' || type === 'review' ? VALUES[text] : undefined
  return word === undefined ? text : t(word)
}
