/** What WebVTT and SRT share: captions of clips and of their parts as cues, and reading cue times. */
import type { ReviewState } from '../annotation.ts'
import { leadOf } from '../media.ts'
import { doubted, standingOfAnnotation } from '../review.ts'
import { clipTimes, machineEvidence, spoken } from './document.ts'
import type { Film } from './document.ts'
import { fault, type Found } from './found.ts'
import { linesOf } from './lines.ts'

/**
 * Text shown over a span, in whole milliseconds from the beginning of the file. Players count from there; sound may begin before the first
 * frame.
 */
export interface Cue {
  start: number
  end: number
  text: string
}

/**
 * One cue for each caption of a clip or of a span in it, by start. Times are rounded once; a cue lasts at least a millisecond. A cue that
 * the machine is not sure of, and that nobody looked at, begins with (?), since a reader of subtitles sees nothing but their text.
 */
export function captionCues(film: Film) {
  const lead = leadOf(film.source.probe)
  const cues = [...spoken(film, 'caption', 'segment')].flatMap(({ clip, annotation, body }) => {
    const { start, end } = clipTimes(clip, film, body.span)
    const from = Math.round((lead + start) * 1000)
    const text = cueText(body.text)
    const review = standingOfAnnotation(annotation)
    const { id, state, provenance, by } = annotation
    const origin = {
      state,
      review,
      confidence: machineEvidence(annotation)?.confidence ?? null,
      provenance,
      ...(by !== undefined && { by }),
    }
    return text === ''
      ? []
      : [
          {
            start: from,
            end: Math.max(from + 1, Math.round((lead + end) * 1000)),
            text: doubted(text, review === 'unsure'),
            id,
            origin,
          },
        ]
  })
  // WebVTT requires ascending starts, with longer cues first; clips that people marked overlap others.
  return cues.sort((a, b) => a.start - b.start || b.end - a.end)
}

/**
 * A text without blank lines, which would end a cue, and without characters that no player shows. Readers such as pysubs2 take any line
 * with two times as a cue's timing, and a number alone on the last line as the next cue's number: so no line has two times, and no line but
 * the first is only a number.
 */
function cueText(text: string): string {
  return text
    .toWellFormed()
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
    .map((line) => line.replaceAll('\t', ' ').replace(/[\p{Cc}\uFEFF\uFFFE\uFFFF]/gu, ''))
    .flatMap(oneTimeEach)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .reduce((lines, line) => `${lines}${lines === '' ? '' : /^\d+$/.test(line) ? ' ' : '\n'}${line}`, '')
}

/** Anything that some reader takes for a time. */
const TIME = /(?:\d{1,4}\s*:\s*)?\d{1,2}\s*:\s*\d{1,2}\s*[.,]\s*\d{1,3}/g

/** A line, broken before every time except the first. */
function oneTimeEach(line: string): string[] {
  const [, ...others] = Array.from(line.matchAll(TIME), ({ index }) => index)
  return [0, ...others].map((from, at) => line.slice(from, others[at]))
}

/** @param mark What stands before the milliseconds: `.` in WebVTT, `,` in SRT. */
export function timestamp(milliseconds: number, mark: '.' | ','): string {
  const part = (unit: number, limit: number, width: number) => String(Math.floor(milliseconds / unit) % limit).padStart(width, '0')
  return `${part(3_600_000, Infinity, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${mark}${part(1, 1000, 3)}`
}

/** Blocks between blank lines, as lines. Accepts a byte order mark and any line ending. */
export function* blocksOf(chunks: Iterable<string>): Generator<string[]> {
  let block: string[] = []
  for (const line of linesOf(chunks)) {
    if (line !== '') block.push(line)
    else if (block.length > 0) {
      yield block
      block = []
    }
  }
  if (block.length > 0) yield block
}

const TIMING = /^\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})(?:\s.*)?$/

/** Start and end in milliseconds of a timing line, hours optional, settings ignored; null for any other line. */
export function timesOf(line: string | undefined): { start: number; end: number } | null {
  const found = TIMING.exec(line ?? '')
  if (!found) return null
  const at = (group: number) => Number(found[group] ?? 0)
  const milliseconds = (group: number) => Number((found[group] ?? '').padEnd(3, '0'))
  return {
    start: (at(1) * 60 + at(2)) * 60_000 + at(3) * 1000 + milliseconds(4),
    end: (at(5) * 60 + at(6)) * 60_000 + at(7) * 1000 + milliseconds(8),
  }
}

// ── reading for an import

/** A cue of a file of any tool, or lines that are none. `head`: the line before its times. */
interface CueFound extends Cue {
  line: number
  head: string
}

/** The cues of a file, whatever stands between them. Lines between two cues that belong to neither are `strange`. */
export function* cuesIn(chunks: Iterable<string>): Generator<CueFound | { line: number; strange: string[] }> {
  let cue: (CueFound & { lines: string[] }) | null = null
  /** Lines since the last blank one, outside a cue. */
  let before: string[] = []
  let at = 0
  const ended = function* (): Generator<CueFound | { line: number; strange: string[] }> {
    if (cue) yield { start: cue.start, end: cue.end, line: cue.line, head: cue.head, text: cue.lines.join('\n') }
    else if (before.length > 0) yield { line: at - before.length, strange: before }
    cue = null
    before = []
  }
  for (const line of linesOf(chunks)) {
    at += 1
    const times = timesOf(line)
    if (times) {
      // Some tools write no blank line before the number of the next cue.
      const head: string = cue ? (/^\s*\d+\s*$/.test(cue.lines.at(-1) ?? '') ? (cue.lines.pop() ?? '') : '') : (before.pop() ?? '')
      yield* ended()
      cue = { ...times, line: at, head, text: '', lines: [] }
    } else if (line.trim() === '') yield* ended()
    else if (cue) cue.lines.push(line)
    else before.push(line)
  }
  at += 1
  yield* ended()
}

/** What a cue of either format becomes; the mark of what nobody looked at is read back. */
export function textFound(
  { line, start, end }: Pick<CueFound, 'line' | 'start' | 'end'>,
  said: string,
  state: ReviewState | null,
): Found[] {
  const text = said.replace(/^\(\?\) /, '').trim()
  if (text === '') return []
  if (end <= start) return [fault('The subtitle ends before it begins.', line)]
  return [
    {
      type: 'text',
      kind: 'caption',
      video: '',
      text,
      frames: null,
      ms: { start, end },
      state: state ?? (text === said.trim() ? null : 'machine'),
      line,
    },
  ]
}
