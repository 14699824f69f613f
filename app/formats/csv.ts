/**
 * Tables as CSV: RFC 4180, UTF-8, `.` decimals.
 *
 * A text that a spreadsheet would run as a formula gets an apostrophe in front; reading takes it off again. An empty cell is null, a
 * quoted empty cell an empty text.
 */
import { clipTimes, sortedClips, spoken, trackedObjects, wellFormed } from './document.ts'
import type { AnnotationDocument, Format } from './document.ts'
import type { Annotation, Span } from '../annotation.ts'
import { secondsOf } from '../media.ts'

type Columns = Readonly<Record<string, 'text' | 'number'>>
type Row<C extends Columns> = { [K in keyof C]: (C[K] extends 'text' ? string : number) | null }

/** Apostrophes before a sign are part of the pattern, so that a text which has one already comes back unharmed. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/

/** Writer and reader of a table whose columns have these names, in this order. */
export function table<C extends Columns>(columns: C): { write(rows: readonly Row<C>[]): string; read(text: string): Row<C>[] } {
  const names = Object.keys(columns)
  return {
    write: (rows) => csvLine(names) + rows.map((row) => csvLine(names.map((name) => row[name] ?? null))).join(''),
    read(text) {
      const [header, ...records] = recordsOf(text.replace(/^\uFEFF/, ''))
      if (header?.map(({ text: name }) => name).join() !== names.join()) throw new SyntaxError(`The columns must be ${names.join(', ')}.`)
      return records.map((cells, i) => {
        if (cells.length !== names.length) throw new SyntaxError(`Row ${i + 1} has ${cells.length} cells, not ${names.length}.`)
        const values = names.map((name, column) => [name, valueOf(cells[column], columns[name])])
        return Object.fromEntries(values) as Row<C>
      })
    },
  }
}

/** One line of a table whose columns are not known ahead, with its line break. */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(cellOf).join(',')}\r\n`
}

function cellOf(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const guarded = FORMULA.test(value) ? `'${value}` : value
  return guarded === '' || /[",\r\n]|^\s|\s$/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}

interface Cell {
  text: string
  quoted: boolean
}

function valueOf(cell: Cell | undefined, type: 'text' | 'number' | undefined): string | number | null {
  if (!cell || (cell.text === '' && !cell.quoted)) return null
  if (type === 'text') return cell.text.startsWith("'") && FORMULA.test(cell.text.slice(1)) ? cell.text.slice(1) : cell.text
  const number = Number(cell.text)
  if (!Number.isFinite(number)) throw new SyntaxError(`${cell.text} is not a number.`)
  return number
}

function recordsOf(text: string): Cell[][] {
  const records: Cell[][] = []
  let record: Cell[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  while (cell.lastIndex < text.length || record.length > 0) {
    const at = cell.lastIndex
    const found = cell.exec(text)
    if (!found) throw new SyntaxError(`A quote is out of its place at character ${at}.`)
    const [, quoted, plain = '', end] = found
    record.push(quoted === undefined ? { text: plain, quoted: false } : { text: quoted.replaceAll('""', '"'), quoted: true })
    if (end === ',') continue
    records.push(record)
    record = []
  }
  return records
}

const video = { video_fingerprint: 'text', video_path: 'text' } as const
const decision = {
  state: 'text', pack_id: 'text', pack_version: 'text', pack_digest: 'text', provider: 'text', prompt: 'text', app_version: 'text', made_at: 'text',
} as const
const boxTable = table({
  ...video, frame: 'number', pts: 'number', timebase_num: 'number', timebase_den: 'number', time_s: 'number', track_id: 'number', label: 'text', score: 'number',
  observed: 'number', x1: 'number', y1: 'number', x2: 'number', y2: 'number', width: 'number', height: 'number', ...decision,
})
const spanTable = table({
  ...video, clip_id: 'number', annotation_id: 'number', kind: 'text', start_s: 'number', end_s: 'number', start_frame: 'number', end_frame: 'number',
  text: 'text', question: 'text', machine_text: 'text', confidence: 'number', unsure: 'number', agreement: 'number', ...decision,
})

/**
 * boxes.csv: one row for a box on a frame, in square pixels of a picture that is `width` by `height`. `observed` is 0 where the box is
 * interpolated.
 */
export const boxes: Format<AnnotationDocument, ReturnType<typeof boxTable.read>> = {
  project(document) {
    const { probe } = document.source
    const fixed = { ...videoOf(document), timebase_num: probe.timeBase.num, timebase_den: probe.timeBase.den, width: probe.width, height: probe.height }
    return trackedObjects(document).flatMap((object) =>
      object.boxes.map(({ frame, pts, box, score, observed }) =>
        wellFormed({
          ...fixed, frame, pts, time_s: secondsOf(pts, probe), track_id: object.id, label: object.label, score, observed: Number(observed), ...box, ...decisionOf(object),
        }),
      ),
    )
  },
  ...boxTable,
}

/** spans.csv: one row for a clip itself (kind shot, window or marked) and one for each caption, answer, note, segment and line of text on screen, with the span that it is about. */
export const spans: Format<AnnotationDocument, ReturnType<typeof spanTable.read>> = {
  project(document) {
    const said = Map.groupBy(spoken(document, 'caption', 'answer', 'note', 'segment', 'text'), ({ clip }) => clip.id)
    return sortedClips(document).flatMap((clip) => {
      const spanOf = (part: Span = clip) => {
        const { start, end } = clipTimes(clip, document, part)
        return { ...videoOf(document), clip_id: clip.id, start_s: start, end_s: end, start_frame: part.startFrame, end_frame: part.endFrame }
      }
      const itself = { ...spanOf(), annotation_id: null, kind: clip.kind, text: null, question: null, machine_text: null, confidence: null, unsure: null, agreement: null }
      return [
        wellFormed({ ...itself, ...decisionOf(null) }),
        ...(said.get(clip.id) ?? []).map(({ annotation, body }) => wellFormed({
          ...spanOf('span' in body ? body.span : undefined),
          annotation_id: annotation.id,
          kind: body.kind,
          text: body.text,
          question: body.kind === 'answer' ? body.question : null,
          machine_text: annotation.machine && annotation.machine.kind !== 'track' ? annotation.machine.text : null,
          confidence: annotation.evidence?.confidence ?? null,
          unsure: annotation.evidence ? Number(annotation.evidence.unsure) : null,
          agreement: annotation.evidence?.agreement ?? null,
          ...decisionOf(annotation),
        })),
      ]
    })
  },
  ...spanTable,
}

function videoOf({ source }: AnnotationDocument): Row<typeof video> {
  return { video_fingerprint: source.fingerprint, video_path: source.path }
}

function decisionOf(decided: Pick<Annotation, 'state' | 'provenance'> | null): Row<typeof decision> {
  const made = decided?.provenance
  return {
    state: decided?.state ?? null, pack_id: made?.packId ?? null, pack_version: made?.packVersion ?? null, pack_digest: made?.packDigest ?? null,
    provider: made?.provider ?? null, prompt: made?.prompt ?? null, app_version: made?.appVersion ?? null, made_at: made?.at ?? null,
  }
}
