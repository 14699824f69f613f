/**
 * ActivityNet captions: one object with an entry for each video: its duration, spans in seconds from the beginning of the file, and as many
 * sentences. A sentence that nobody looked at and that is not sure begins with (?), as in subtitles.
 */
import { z } from 'zod'
import { leadOf } from '../media.ts'
import { captionCues, textFound } from './cues.ts'
import { type Film, type Format, lineText, thousandths } from './document.ts'
import { fault, type Found } from './found.ts'
import { jsonParts } from './json-parts.ts'
import { phrase } from '../phrase.ts'

const Entry = z.object({
  duration: z.number(),
  timestamps: z.array(z.tuple([z.number(), z.number()])),
  sentences: z.array(z.string()),
})
interface ActivityPiece {
  video: string
  entry: z.infer<typeof Entry>
}

export const activitynet: Format<Iterable<Film>, ActivityPiece> = {
  *pieces(films) {
    for (const film of [...films].sort((a, b) => a.source.id - b.source.id)) {
      const { probe } = film.source
      const cues = captionCues(film)
      const ends = Math.max(0, ...cues.map(({ end }) => end)) / 1000
      const duration = Math.max(thousandths(leadOf(probe) + probe.duration), ends)
      const timestamps = cues.map(({ start, end }): [number, number] => [start / 1000, end / 1000])
      yield {
        video: film.title.toWellFormed(),
        entry: { duration, timestamps, sentences: cues.map(({ text }) => lineText(text)) },
      }
    }
  },
  *write(pieces) {
    let isFirst = true
    for (const { video, entry } of pieces) {
      yield `${isFirst ? '{' : ','}\n${JSON.stringify(video)}:${JSON.stringify(entry)}`
      isFirst = false
    }
    yield isFirst ? '{}\n' : '\n}\n'
  },
  *read(chunks) {
    for (const { key, value } of jsonParts(chunks)) yield { video: key, entry: Entry.parse(value) }
  },
}

// ── reading files of any tool

/**
 * What a file holds of each video: the captions themselves, results for the challenge, or parts with the name of what is done in them, as
 * ActivityNet 1.3 and mmaction have them.
 */
const Given = z.union([
  z
    .object({ timestamps: z.array(z.unknown()), sentences: z.array(z.unknown()) })
    .transform(({ timestamps, sentences }) => timestamps.map((times, at): Said => [times, sentences[at]])),
  z
    .array(z.object({ sentence: z.string(), timestamp: z.unknown() }))
    .transform((all) => all.map((one): Said => [one.timestamp, one.sentence])),
  z.array(z.object({ label: z.string(), segment: z.unknown() })).transform((all) => all.map((one): Said => [one.segment, one.label])),
  z
    .object({ annotations: z.array(z.object({ label: z.unknown(), segment: z.unknown() })) })
    .transform(({ annotations }) => annotations.map((one): Said => [one.segment, one.label])),
])
/** Times, and what is said of them. */
type Said = [times: unknown, text: unknown]
/** Keys beside the videos, and those that hold the videos. */
const [FACTS, LISTS] = [new Set(['version', 'external_data', 'taxonomy']), new Set(['results', 'database'])]
const Times = z.tuple([z.number(), z.number()])

/** Captions or named parts of videos by name. The numbers of entries count them, from 1. @throws SyntaxError */
export function* readActivitynet(open: () => Iterable<string>): Generator<Found> {
  let entry = 0
  let videos = 0
  for (const { key, value } of jsonParts(open())) {
    if (FACTS.has(key)) continue
    const given: [string, unknown][] =
      LISTS.has(key) && typeof value === 'object' && value !== null ? Object.entries(value) : [[key, value]]
    for (const [video, one] of given) {
      const all = Given.safeParse(one)
      if (!all.success) throw new SyntaxError(phrase('The file is no list of captions by video.'))
      videos += 1
      yield { type: 'video', key: video, name: video }
      for (const [times, sentence] of all.data) {
        entry += 1
        const span = Times.safeParse(times)
        if (!span.success || typeof sentence !== 'string') yield fault('A caption needs two times and a sentence.', entry)
        else
          for (const found of textFound({ line: entry, start: span.data[0] * 1000, end: span.data[1] * 1000 }, sentence, null))
            yield found.type === 'text' ? { ...found, video } : found
      }
    }
  }
  if (videos === 0) throw new SyntaxError(phrase('The file is empty.'))
}
