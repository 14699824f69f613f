/**
 * WebVTT captions. A cue's identifier is its annotation's id. A comment before the first cue states as JSON, one line for each cue, who
 * made the caption and whether a person looked at it. Between cues several readers take a comment for text of the cue before it.
 */
import { z } from 'zod'
import { Provenance, ReviewState } from '../annotation.ts'
import { Standing } from '../review.ts'
import { blocksOf, captionCues, cuesIn, textFound, timesOf, timestamp } from './cues.ts'
import type { Cue } from './cues.ts'
import { fault, type Found } from './found.ts'
import { escapedLines } from './lines.ts'
import type { Film, Format } from './document.ts'
import { phrase } from '../phrase.ts'

const Origin = z.object({
  state: ReviewState,
  review: Standing,
  confidence: z.number().nullable(),
  provenance: Provenance.nullable(),
  by: z.string().optional(),
})
const Told = Origin.extend({ cue: z.string() })

interface CaptionCue extends Cue {
  /** The cue's identifier, empty where it has none. */
  id: string
  /** Null in files that Tubelet did not write. */
  origin: z.infer<typeof Origin> | null
}

const NOTE = 'NOTE tubelet'
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&nbsp;': '\u00A0',
  '&lrm;': '\u200E',
  '&rlm;': '\u200F',
}

export const vtt: Format<Film, CaptionCue> = {
  pieces: (film) => captionCues(film).map(({ id, ...cue }) => ({ id: String(id), ...cue })),
  *write(pieces) {
    const cues = [...pieces]
    yield 'WEBVTT\n'
    const told = cues.flatMap(({ id, origin }) => (origin ? [{ cue: id, ...origin }] : []))
    if (told.length > 0) yield `\n${NOTE}\n`
    // A comment may not contain an arrow, and two times in a line are taken for a cue: `>` and colons in numbers are written as JSON
    // escapes.
    for (const line of told) {
      const text = JSON.stringify(line).replaceAll('>', '\\u003e')
      yield `${escapedLines(text).replace(/(?<=\d\s*):(?=\s*\d)/g, '\\u003a')}\n`
    }
    for (const { id, start, end, text } of cues) yield `\n${id}\n${timestamp(start, '.')} --> ${timestamp(end, '.')}\n${escaped(text)}\n`
  },
  *read(chunks) {
    const origins = new Map<string, CaptionCue['origin']>()
    let isHead = true
    for (const lines of blocksOf(chunks)) {
      const first = lines[0] ?? ''
      if (isHead && !/^WEBVTT(?:[ \t]|$)/.test(first)) throw new SyntaxError('The file must start with WEBVTT.')
      const told = !isHead && first === NOTE && !timesOf(lines[1])
      if (told) {
        for (const line of lines.slice(1)) {
          const { cue, ...origin } = Told.parse(JSON.parse(line))
          origins.set(cue, origin)
        }
      }
      if (isHead || (/^(?:NOTE|STYLE|REGION)\b/.test(first) && !timesOf(lines[1]))) {
        isHead = false
        continue
      }
      const named = timesOf(first) === null
      const times = timesOf(lines[named ? 1 : 0])
      if (!times) throw new SyntaxError(`A cue without times: ${lines.join(' ')}`)
      const id = named ? first : ''
      yield { id, ...times, text: unescaped(lines.slice(named ? 2 : 1).join('\n')), origin: origins.get(id) ?? null }
    }
    if (isHead) throw new SyntaxError('The file must start with WEBVTT.')
  },
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Removes tags such as `<i>`, which are formatting, and decodes the standard's entities. Who speaks (`<v Anna>`) stands before what they say. */
function unescaped(text: string): string {
  return text
    .replace(/<v(?:\.[^\s>]*)?\s+([^>]*[^>\s])\s*>\s*/g, '$1: ')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|nbsp|lrm|rlm);/g, (entity) => ENTITIES[entity] ?? entity)
}

/** The cues of any tool as captions of parts, without formatting. @throws SyntaxError where the file does not begin as WebVTT does. */
export function* readVtt(open: () => Iterable<string>): Generator<Found> {
  const origins = new Map<string, ReviewState>()
  let isHead = true
  yield { type: 'video', key: '' }
  for (const cue of cuesIn(open())) {
    if (!('strange' in cue)) {
      if (isHead) throw new SyntaxError(phrase('The file must start with WEBVTT.'))
      yield* textFound(cue, unescaped(cue.text), origins.get(cue.head) ?? null)
      continue
    }
    const [first = '', ...rest] = cue.strange
    if (isHead && !/^WEBVTT(?:[ \t]|$)/.test(first)) throw new SyntaxError(phrase('The file must start with WEBVTT.'))
    if (first === NOTE)
      for (const line of rest) {
        const told = Told.safeParse(jsonIn(line))
        if (told.success) origins.set(told.data.cue, told.data.state)
      }
    else if (!isHead && !/^(?:NOTE|STYLE|REGION)\b/.test(first))
      yield fault('This belongs to no subtitle: “{{text}}”', cue.line, { text: cue.strange.join(' ').slice(0, 80) })
    isHead = false
  }
  if (isHead) throw new SyntaxError(phrase('The file must start with WEBVTT.'))
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
