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
import { fault, type Found, type VideoFound } from './found.ts'
import { escapedLines, linesOf } from './lines.ts'
import { phrase } from '../phrase.ts'

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

// ── reading for an import

/** Version 1 had boxes in square pixels and no picture. */
const ANY_VERSION = /^tubelet-annotations\/(\d+)$/
const Head = z.object({
  schema: z.string(),
  source: DocumentSource,
  title: z.string().optional(),
  picture: z.object({ width: z.number(), height: z.number() }).optional(),
})

/** What a file of Tubelet's says, except what was rejected there. @throws SyntaxError where it is no such file. */
export function* readJsonl(open: () => Iterable<string>): Generator<Found> {
  let video: VideoFound | null = null
  const clips = new Map<number, { startFrame: number; endFrame: number }>()
  let at = 0
  for (const text of linesOf(open())) {
    at += 1
    if (text.trim() === '') continue
    const line = parsedLine(text)
    const version = ANY_VERSION.exec(String(line?.['schema']))?.[1]
    if (line === null || version === undefined) {
      if (video === null) throw new SyntaxError(phrase('The first line is not that of a file of Tubelet.'))
      yield fault(line === null ? 'This is not JSON: the line may be cut off.' : 'This line is of another kind of file.', at)
      continue
    }
    if (Number(version) > 2) throw new SyntaxError(phrase('A newer version of Tubelet wrote this file.'))
    if (line['type'] === 'source') {
      const head = Head.safeParse(line)
      if (!head.success) throw new SyntaxError(phrase('The line of the video is not as Tubelet writes it.'))
      const { source, picture } = head.data
      clips.clear()
      video = {
        type: 'video',
        key: String(source.id),
        name: source.name,
        path: source.path,
        fingerprint: source.fingerprint,
        ...(picture ?? { width: source.probe.width, height: source.probe.height }),
        firstFrame: 0,
        firstPixel: 0,
        gaps: 'filled',
      }
      // Its number of frames is in the next line, and known already where the file was decoded.
      if (source.probe.frameCount !== null) video.frames = source.probe.frameCount
      yield video
    } else if (video === null) throw new SyntaxError(phrase('The first line must be the video.'))
    else if (line['type'] === 'clip') {
      const clip = DocumentClip.safeParse(line['clip'])
      if (clip.success) clips.set(clip.data.id, clip.data)
      else yield fault('This clip is not as Tubelet writes it.', at)
    } else if (line['type'] === 'annotation') {
      const read = Annotation.safeParse(line['annotation'])
      if (read.success) yield* foundIn(read.data, video.key, clips, at)
      else yield fault('This annotation is not as Tubelet writes it.', at)
    }
  }
  if (video === null) throw new SyntaxError(phrase('The file is empty.'))
}

function* foundIn(
  { id, clipId, body, state }: Annotation,
  video: string,
  clips: ReadonlyMap<number, { startFrame: number; endFrame: number }>,
  line: number,
): Generator<Found> {
  if (state === 'rejected') return
  if (body.kind === 'track') {
    for (const { ordinal, box, score, occluded = false, outside = false } of body.boxes)
      yield {
        type: 'box',
        video,
        track: String(id),
        label: body.label,
        frame: ordinal,
        box,
        score,
        observed: true,
        occluded,
        outside,
        state,
        line,
      }
    return
  }
  const whole = clips.get(clipId)
  const frames = (body.kind === 'answer' ? undefined : body.span) ?? whole
  if (!frames) yield fault('The clip of this annotation is not in the file.', line)
  else {
    const { startFrame, endFrame } = frames
    const { kind, text } = body
    const more = body.kind === 'answer' ? { question: body.question } : body.kind === 'text' ? { box: body.box } : {}
    yield { type: 'text', kind, video, text, ...more, frames: { startFrame, endFrame }, ms: null, state, line }
  }
}

function parsedLine(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return null
  }
}
