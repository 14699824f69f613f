/** Edits of many cells: what they mean for the annotations behind them, and why some are refused. Each command is one step of undo. */
import { setImmediate } from 'node:timers/promises'
import type { AnnotationBody } from '../../app/annotation.ts'
import type { ColumnKey, EditReport } from '../../app/contract/table.ts'
import { type Phrase, phrase, said } from '../../app/phrase.ts'
import { DEEDS, overturns } from '../../app/deeds.ts'
import { undoubted } from '../../app/review.ts'
import { typedYesNo, yesNo } from '../../app/table/question.ts'
import { changedError } from './annotation-checks.ts'
import type { Deed } from './annotations.ts'
import type { Library } from './library.ts'

export interface CellRange {
  view: string
  from: number
  to: number
  columns: readonly ColumnKey[]
}
/**
 * A decision about all cells, or new texts: `cells` by row of the range and column. `overturn`: even where a person decided otherwise.
 * `basedOn`: what each cell said when its edit was begun, by row of the range and column; null where nobody looked.
 */
export type Wish = { overturn?: boolean; basedOn?: readonly (readonly (string | null)[])[] | undefined } & (
  | { action: 'accept' | 'reject' | 'reset' }
  | { cells: readonly (readonly string[])[] }
  | { value: string }
)

type Reason = EditReport['refused'][number]['reason']
/** Which annotation of a clip a column's cells are, and whether they only take yes or no. */
interface Target {
  kind: 'caption' | 'answer' | 'note'
  question: string | null
  yesNo: boolean
}

/** After so many rows others have their turn. */
const ROWS = 250
const LONGEST = 10_000

/** @throws TubeletError `not-found` when the view was forgotten; `conflict` where a person has changed a cell since `basedOn`. */
export function editCells(library: Library, { view, from, to, columns }: CellRange, wish: Wish): Promise<EditReport> {
  return edit(library, (at, end) => library.table.ask('clips', { view, from: at, to: end }), { from, to, columns }, wish)
}

/** The same for clips that were chosen outside the table. @param called The name in the history for a change of so many cells. */
export function editClips(
  library: Library,
  clipIds: readonly number[],
  columns: readonly ColumnKey[],
  wish: Wish,
  called: (cells: number) => Phrase,
): Promise<EditReport> {
  const rows = (at: number, end: number) => Promise.resolve({ clipIds: clipIds.slice(at, end).map((id) => [id]), total: clipIds.length })
  return edit(library, rows, { from: 0, to: clipIds.length, columns }, wish, called)
}

/** Add a note to each clip, beside existing ones. */
export async function noteClips(library: Library, clipIds: readonly number[], text: string): Promise<EditReport> {
  await library.editMany(
    clipIds.map((clipId) => ({ action: 'add', clipId, body: { kind: 'note', text } })),
    said('Note on {{clips}} clips', { clips: clipIds.length }),
  )
  return { changed: clipIds.length, unchanged: 0, kept: 0, refused: [] }
}

type RowsOf = (from: number, to: number) => Promise<{ clipIds: number[][]; total: number }>

async function edit(
  library: Library,
  rowsOf: RowsOf,
  { from, to, columns }: Omit<CellRange, 'view'>,
  wish: Wish,
  called?: (cells: number) => Phrase,
): Promise<EditReport> {
  const targets = columns.map((key) => targetOf(library, key))
  const agreed: Deed[] = []
  // Edits that go against a person's decision.
  const opposed: Deed[] = []
  const refused = new Map<Reason, { cells: number; example: string }>()
  let unchanged = 0
  // Annotations that say something else by now than the person saw who edits them.
  const changed: number[] = []
  const take = (deed: Deed, there: There, onlyYesNo: boolean, seen: string | null | undefined) => {
    if (typeof seen === 'string' && there !== undefined && there.state !== 'machine' && there.text !== seen)
      if (!onlyYesNo || yesNo(there.text) !== seen) changed.push(there.id)
    ;(there !== undefined && deed.action !== 'add' && overturns(deed.action, there.state) ? opposed : agreed).push(deed)
  }
  const refuse = (reason: Reason, example: string, cells = 1) =>
    refused.set(reason, { cells: (refused.get(reason)?.cells ?? 0) + cells, example: refused.get(reason)?.example ?? example })
  const writes =
    'action' in wish ? null : (row: number, column: number) => ('value' in wish ? wish.value : (wish.cells[row - from]?.[column] ?? ''))

  for (let at = from; at < to; at += ROWS) {
    const { clipIds, total } = await rowsOf(at, Math.min(to, at + ROWS))
    for (const [column, target] of targets.entries()) {
      if (target === null) {
        // When whole rows are accepted or rejected, fixed columns are skipped silently; only a write to one is refused.
        if (writes !== null || targets.every((other) => other === null)) refuse('fixed', '', clipIds.length)
        continue
      }
      const there = library.table.annotationsIn(clipIds.flat(), target.kind, target.question)
      for (const [offset, clips] of clipIds.entries()) {
        // A row that sums up several clips says nothing of each.
        const seen = clips.length > 1 ? null : wish.basedOn?.[at + offset - from]?.[column]
        if (writes === null) {
          for (const clipId of clips) {
            const edit = decision(there.get(clipId), (wish as { action: 'accept' | 'reject' | 'reset' }).action)
            if (edit === 'nothing') refuse('nothing-there', '')
            else if (edit === null) unchanged += 1
            else take(edit, there.get(clipId), target.yesNo, seen)
          }
          continue
        }
        const [clipId, more] = clips
        const text = writes(at + offset, column).trim()
        if (clipId === undefined) refuse('no-clip', text)
        else if (more !== undefined) refuse('summary', text)
        else {
          const edit = writing(clipId, target, there.get(clipId), text)
          if (typeof edit === 'string') refuse(edit, text)
          else if (edit === null) unchanged += 1
          else take(edit, there.get(clipId), target.yesNo, seen)
        }
      }
    }
    const beyond = Math.min(to, at + ROWS) - Math.max(at, total)
    if (beyond > 0) refuse('beyond', writes?.(Math.max(from, total), 0) ?? '', beyond * columns.length)
    await setImmediate()
  }

  const [first] = changed
  if (first !== undefined) throw changedError(library.annotation(first), changed.length)
  // A person who decides one cell is looking at it; nobody looks at each of many.
  const many = agreed.length + opposed.length + unchanged + [...refused.values()].reduce((sum, { cells }) => sum + cells, 0) > 1
  const kept = many && !wish.overturn ? opposed.length : 0
  const edits = kept > 0 ? agreed : [...agreed, ...opposed]
  const [only, more] = edits
  if (only !== undefined && more === undefined && called === undefined) editOne(library, only)
  else if (only !== undefined)
    await library.editMany(
      edits,
      called?.(edits.length) ?? said('{{deed}} × {{times}}', { deed: nameOf(edits, targets), times: edits.length }),
    )
  return { changed: edits.length, unchanged, kept, refused: [...refused].map(([reason, found]) => ({ reason, ...found })) }
}

/** A single edit, named with its clip. */
function editOne(library: Library, deed: Deed): void {
  if (deed.action === 'add') library.addAnnotation(deed.clipId, deed.body)
  else if (deed.action === 'edit')
    library.review(deed.annotationId, 'edit', { ...library.annotation(deed.annotationId).body, text: deed.text } as AnnotationBody)
  else library.review(deed.annotationId, deed.action)
}

/** The step's name in the history: what was done, if that is the same for all cells. */
function nameOf(edits: readonly Deed[], targets: readonly (Target | null)[]): Phrase {
  const [actions, kinds] = [new Set(edits.map(({ action }) => action)), new Set(targets.flatMap((target) => target?.kind ?? []))]
  const [[action], [kind]] = [[...actions], [...kinds]]
  return said(
    action !== undefined && kind !== undefined && actions.size === 1 && kinds.size === 1 ? DEEDS[kind][action] : phrase('Changed'),
  )
}

function targetOf(library: Library, key: ColumnKey): Target | null {
  if (key === 'caption' || key === 'note') return { kind: key, question: null, yesNo: false }
  const column = library.table.columns().find(({ id }) => `q${id}` === key)
  return column === undefined || column.kind === 'count' ? null : { kind: 'answer', question: column.text, yesNo: column.kind === 'yesno' }
}

type There = ReturnType<Library['table']['annotationsIn']> extends Map<number, infer V> ? V | undefined : never

/** The edit for a decision; null if the cell is so already, `nothing` if there is nothing to decide. */
function decision(there: There, action: 'accept' | 'reject' | 'reset'): Deed | null | 'nothing' {
  // An annotation that a person made and then deleted counts as none.
  if (there === undefined || (!there.machine && (action === 'reset' || there.state === 'rejected'))) return 'nothing'
  const after = { accept: 'accepted', reject: 'rejected', reset: 'machine' }[action]
  if (there.state === after || (action === 'accept' && there.state === 'edited')) return null
  return { action, annotationId: there.id }
}

/** The edit that sets a cell to `text`; an empty text removes what is there. A cell that already has the text is left alone. */
function writing(clipId: number, { kind, question, yesNo: onlyYesNo }: Target, there: There, pasted: string): Deed | null | Reason {
  const { text, unsure } = undoubted(pasted)
  // A guess that was copied is nobody's decision, wherever it is pasted.
  if (unsure) return there !== undefined && (onlyYesNo ? yesNo(there.text) : there.text) === text ? null : 'guess'
  if (text === '') return there === undefined || there.state === 'rejected' ? null : { action: 'reject', annotationId: there.id }
  if (text.length > LONGEST) return 'too-long'
  const value = onlyYesNo ? typedYesNo(text) : text
  if (value === null) return 'not-yes-or-no'
  if (there === undefined)
    return { action: 'add', clipId, body: kind === 'answer' ? { kind, question: question ?? '', text: value } : { kind, text: value } }
  if (there.state !== 'rejected' && (onlyYesNo ? yesNo(there.text) : there.text) === value) return null
  return { action: 'edit', annotationId: there.id, text: value }
}
