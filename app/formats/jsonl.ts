/**
 * JSON Lines: the complete state of a source, without loss, including what was rejected.
 *
 * The first line is the source, the second its frames; then each clip is followed by its annotations, one object per line. Boxes are in
 * pixels of `picture`, the decoded picture, as in every file. `review` is the standing of a statement: see `standingOf` in app/review.
 */
import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import type { AnnotationBody } from '../annotation.ts'
import type { Probe } from '../media.ts'
import { Standing, standingOfAnnotation } from '../review.ts'
import { Category, decodedBox, decodedPicture, DocumentClip, DocumentSource } from './document.ts'
import type { Film, Format } from './document.ts'
import { escapedLines, linesOf } from './lines.ts'

/** The first version had boxes in square pixels and no picture. */
const SCHEMA = 'tubelet-annotations/2'
const schema = z.literal(SCHEMA)
const Line = z.discriminatedUnion('type', [
  z.object({
    schema,
    type: z.literal('source'),
    appVersion: z.string(),
    title: z.string(),
    source: DocumentSource,
    picture: z.object({ width: z.number(), height: z.number() }),
    labels: z.array(Category),
    /** A part of the file could not be read. */
    partial: z.boolean(),
  }),
  z.object({ schema, type: z.literal('frames'), pts: z.array(z.number()) }),
  z.object({ schema, type: z.literal('clip'), clip: DocumentClip }),
  z.object({ schema, type: z.literal('annotation'), review: Standing, annotation: Annotation }),
])
type Line = z.infer<typeof Line>

const KINDS = ['answer', 'caption', 'note', 'segment', 'text', 'track'] as const

export const jsonl: Format<Film, Line> = {
  *pieces(film) {
    const { source, title, pts, clips, categories, partial, appVersion } = film
    yield {
      schema: SCHEMA,
      type: 'source',
      appVersion,
      title,
      source,
      picture: decodedPicture(source.probe),
      labels: [...categories],
      partial,
    }
    yield { schema: SCHEMA, type: 'frames', pts: Array.from(pts) }
    for (const clip of clips) {
      yield { schema: SCHEMA, type: 'clip', clip }
      for (const annotation of film.of(clip, KINDS, true)) {
        const { body, machine } = annotation
        yield {
          schema: SCHEMA,
          type: 'annotation',
          review: standingOfAnnotation(annotation),
          annotation: { ...annotation, body: decoded(body, source.probe), machine: machine && decoded(machine, source.probe) },
        }
      }
    }
  },
  *write(pieces) {
    for (const line of pieces) yield `${escapedLines(JSON.stringify(line))}\n`
  },
  *read(chunks) {
    let count = 0
    for (const text of linesOf(chunks)) {
      if (text === '') continue
      const line = Line.parse(JSON.parse(text))
      const place = count === 0 ? 'source' : count === 1 ? 'frames' : null
      if (place !== null && line.type !== place) throw new SyntaxError('The first two lines must be the source and its frames.')
      if (place === null && line.type !== 'clip' && (line.type !== 'annotation' || count === 2))
        throw new SyntaxError(`A line of type ${line.type} out of its place.`)
      count += 1
      yield line
    }
    if (count < 2) throw new SyntaxError('The first two lines must be the source and its frames.')
  },
}

/** The same body with its boxes in pixels of the decoded picture. */
function decoded(body: AnnotationBody, probe: Probe): AnnotationBody {
  if (body.kind === 'track') return { ...body, boxes: body.boxes.map((key) => ({ ...key, box: decodedBox(key.box, probe) })) }
  return body.kind === 'text' ? { ...body, box: decodedBox(body.box, probe) } : body
}
