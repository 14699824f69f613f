/**
 * WebVTT captions. A cue's identifier is its annotation's id; a NOTE before it says as JSON who made the caption and whether a person
 * looked at it.
 */
import { z } from 'zod'
import { Provenance, ReviewState } from '../annotation.ts'
import { blocksOf, captionCues, timesOf, timestamp } from './cues.ts'
import type { Cue } from './cues.ts'
import type { AnnotationDocument, Format } from './document.ts'

const Origin = z.object({ state: ReviewState, confidence: z.number().nullable(), provenance: Provenance.nullable() })

interface CaptionCue extends Cue {
  /** The cue identifier, empty where it has none. */
  id: string
  /** Null in files that Tubelet did not write. */
  origin: z.infer<typeof Origin> | null
}

const NOTE = 'NOTE tubelet '
const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&nbsp;': '\u00A0', '&lrm;': '\u200E', '&rlm;': '\u200F' }

export const vtt: Format<AnnotationDocument, CaptionCue[]> = {
  project: (document) =>
    captionCues(document).map(({ annotation, ...cue }) => ({
      id: String(annotation.id),
      ...cue,
      origin: { state: annotation.state, confidence: annotation.evidence?.confidence ?? null, provenance: annotation.provenance },
    })),
  write: (cues) =>
    ['WEBVTT\n', ...cues.map((cue) => `${noteOf(cue)}${cue.id}\n${timestamp(cue.start, '.')} --> ${timestamp(cue.end, '.')}\n${escaped(cue.text)}\n`)].join('\n'),
  read(text) {
    const [head, ...blocks] = blocksOf(text)
    if (!/^WEBVTT(?:[ \t]|$)/.test(head?.[0] ?? '')) throw new SyntaxError('The file must start with WEBVTT.')
    const cues: CaptionCue[] = []
    let origin: CaptionCue['origin'] = null
    for (const lines of blocks) {
      const first = lines[0] ?? ''
      if (first.startsWith(NOTE)) origin = Origin.parse(JSON.parse(first.slice(NOTE.length)))
      if (/^(?:NOTE|STYLE|REGION)\b/.test(first) && !timesOf(lines[1])) continue
      const named = timesOf(first) === null
      const times = timesOf(lines[named ? 1 : 0])
      if (!times) throw new SyntaxError(`A cue without times: ${lines.join(' ')}`)
      cues.push({ id: named ? first : '', ...times, text: unescaped(lines.slice(named ? 2 : 1).join('\n')), origin })
      origin = null
    }
    return cues
  },
}

/** The arrow may not stand in a note, so `>` is written as JSON's escape. */
function noteOf({ origin }: CaptionCue): string {
  return origin ? `${NOTE}${JSON.stringify(origin).replaceAll('>', '\\u003e')}\n\n` : ''
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Tags such as `<i>` and `<v Anna>` are formatting and go; the entities of the standard become characters. */
function unescaped(text: string): string {
  return text.replace(/<[^>]*>/g, '').replace(/&(?:amp|lt|gt|nbsp|lrm|rlm);/g, (entity) => ENTITIES[entity] ?? entity)
}
