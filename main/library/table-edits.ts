/**
 * Edits of many cells: what they mean for the annotations behind them, and why some cannot be made. All that one command changes is one
 * step of undo, made in parts so that the host's thread is free in between.
 */
import { setImmediate } from 'node:timers/promises'
import type { AnnotationBody } from '../../app/annotation.ts'
import type { Edit } from '../../app/contract/state.ts'
import type { ColumnKey, EditReport } from '../../app/contract/table.ts'
import { phrase, said } from '../../app/phrase.ts'
import { typedYesNo, yesNo } from '../../app/table/question.ts'
import type { Library } from './library.ts'

export interface CellRange {
  view: string
  from: number
  to: number
  columns: readonly ColumnKey[]
}
/** A decision about all cells, or what each is to say: `cells` by row of the range and column. */
export type Deed = { action: 'accept' | 'reject' | 'reset' } | { cells: readonly (readonly string[])[] } | { value: string }

type Reason = EditReport['refused'][number]['reason']
/** What a column's cells are: which annotation of a clip, and whether it takes yes and no alone. */
interface Target {
  kind: 'caption' | 'answer' | 'note'
  question: string | null
  yesNo: boolean
}

/** So many rows are looked at, and so many edits made, before others have their turn. */
const ROWS = 250
const EDITS = 100
const LONGEST = 10_000

/** @throws TubeletError `not-found` when the view was forgotten. */
export async function editCells(library: Library, { view, from, to, columns }: CellRange, deed: Deed): Promise<EditReport> {
  const targets = columns.map((key) => targetOf(library, key))
  const edits: Edit[] = []
  const refused = new Map<Reason, { cells: number; example: string }>()
  let unchanged = 0
  const refuse = (reason: Reason, example: string, cells = 1) => refused.set(reason, { cells: (refused.get(reason)?.cells ?? 0) + cells, example: refused.get(reason)?.example ?? example })
  const writes = 'action' in deed ? null : (row: number, column: number) => ('value' in deed ? deed.value : (deed.cells[row - from]?.[column] ?? ''))

  for (let at = from; at < to; at += ROWS) {
    const { clipIds, total } = await library.table.ask('clips', { view, from: at, to: Math.min(to, at + ROWS) })
    for (const [column, target] of targets.entries()) {
      if (target === null) {
        // Whole rows are accepted or rejected with all that stands in them; only what somebody tried to write is told.
        if (writes !== null || targets.every((other) => other === null)) refuse('fixed', '', clipIds.length)
        continue
      }
      const there = library.table.annotationsIn(clipIds.flat(), target.kind, target.question)
      for (const [offset, clips] of clipIds.entries()) {
        if (writes === null) {
          for (const clipId of clips) {
            const edit = decision(there.get(clipId), (deed as { action: 'accept' | 'reject' | 'reset' }).action)
            if (edit === 'nothing') refuse('nothing-there', '')
            else if (edit === null) unchanged += 1
            else edits.push(edit)
          }
          continue
        }
        const [clipId, more] = clips
        const text = writes(at + offset, column).trim()
        if (clipId === undefined) refuse('no-clip', text)
        else if (more !== undefined) refuse('summary', text)
        else {
          const edit = writing(library, clipId, target, there.get(clipId), text)
          if (typeof edit === 'string') refuse(edit, text)
          else if (edit === null) unchanged += 1
          else edits.push(edit)
        }
      }
    }
    const beyond = Math.min(to, at + ROWS) - Math.max(at, total)
    if (beyond > 0) refuse('beyond', writes?.(Math.max(from, total), 0) ?? '', beyond * columns.length)
    await setImmediate()
  }

  // Small ones are called by what they are; of one that is made in parts, no part knows the whole.
  const description = edits.length > EDITS ? said('{{deed}} × {{times}}', { deed: said(phrase('Changed')), times: edits.length }) : undefined
  let step: number | undefined
  for (let at = 0; at < edits.length; at += EDITS) {
    step = library.edit(edits.slice(at, at + EDITS), description, step).step
    await setImmediate()
  }
  return { changed: edits.length, unchanged, refused: [...refused].map(([reason, found]) => ({ reason, ...found })) }
}

function targetOf(library: Library, key: ColumnKey): Target | null {
  if (key === 'caption' || key === 'note') return { kind: key, question: null, yesNo: false }
  const column = library.table.columns().find(({ id }) => `q${id}` === key)
  return column === undefined || column.kind === 'count' ? null : { kind: 'answer', question: column.text, yesNo: column.kind === 'yesno' }
}

type There = ReturnType<Library['table']['annotationsIn']> extends Map<number, infer V> ? V | undefined : never

/** Null where it is so already, `nothing` where there is nothing to decide about. */
function decision(there: There, action: 'accept' | 'reject' | 'reset'): Edit | null | 'nothing' {
  if (there === undefined || (action === 'reset' && !there.machine)) return 'nothing'
  const after = { accept: 'accepted', reject: 'rejected', reset: 'machine' }[action]
  if (there.state === after || (action === 'accept' && there.state === 'edited')) return null
  return { action, annotationId: there.id }
}

/** What makes the cell say `text`; nothing written takes away what is there. A cell that says it already is left alone, also by a paste. */
function writing(library: Library, clipId: number, target: Target, there: There, text: string): Edit | null | Reason {
  if (text === '') return there === undefined || there.state === 'rejected' ? null : { action: 'reject', annotationId: there.id }
  if (text.length > LONGEST) return 'too-long'
  const value = target.yesNo ? typedYesNo(text) : text
  if (value === null) return 'not-yes-or-no'
  if (there === undefined) return { action: 'add', clipId, body: bodyOf(target, value) }
  if (there.state !== 'rejected' && (target.yesNo ? yesNo(there.text) : there.text) === value) return null
  const { body } = library.annotation(there.id)
  return { action: 'edit', annotationId: there.id, body: body.kind === 'track' ? body : { ...body, text: value } }
}

function bodyOf({ kind, question }: Target, text: string): AnnotationBody {
  return kind === 'answer' ? { kind, question: question ?? '', text } : { kind, text }
}
