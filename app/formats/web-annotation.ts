/**
 * W3C Web Annotation, JSON-LD: one page of annotations for each video, whose targets are media fragments of it. A text has the span that it is about;
 * a track is one annotation with a target for each stretch of time on which its box does not move.
 *
 * Fragments count in seconds from the beginning of the file, half-open, and in whole pixels of the picture as players show it: upright, with square
 * pixels (Media Fragments URI 1.0, sections 4.2.1 and 4.2.2). Boxes are therefore rounded here, and in other pixels than in our other files.
 */
import { z } from 'zod'
import type { Box, Provenance, ReviewState } from '../annotation.ts'
import { leadOf, secondsOf } from '../media.ts'
import { doubted, standingOfAnnotation } from '../review.ts'
import {
  clipTimes,
  decodedPicture,
  fileUrl,
  type Film,
  type Format,
  spoken,
  thousandths,
  type TrackedBox,
  trackedObjects,
} from './document.ts'
import { linesOf } from './lines.ts'

const Body = z.object({ type: z.literal('TextualBody'), value: z.string(), purpose: z.string() })
const Said = z.object({
  id: z.string(),
  type: z.literal('Annotation'),
  motivation: z.string(),
  created: z.string().optional(),
  creator: z.object({ type: z.literal('Person'), name: z.string().optional() }).optional(),
  generator: z.object({ type: z.literal('Software'), name: z.string() }).optional(),
  body: z.array(Body),
})
const Target = z.object({
  source: z.string(),
  selector: z.object({
    type: z.literal('FragmentSelector'),
    conformsTo: z.literal('http://www.w3.org/TR/media-frags/'),
    value: z.string(),
  }),
})
type WebPiece =
  | { part: 'page'; id: string }
  | { part: 'annotation'; value: z.infer<typeof Said> }
  | { part: 'target'; value: z.infer<typeof Target> }

/** Who made an annotation, and when. */
interface Made {
  id: number
  provenance: Provenance | null
  state: ReviewState
  by?: string | undefined
  updatedAt?: string
}

const HEAD = '{"@context":"http://www.w3.org/ns/anno.jsonld","type":"AnnotationPage","startIndex":0,"id":'
const [ITEMS, TARGETS, END_OF_ANNOTATION, END] = [',"items":[', ',"target":[', ']}', ']}'] as const

export const webAnnotation: Format<Film, WebPiece> = {
  *pieces(film) {
    const { source } = film
    const { probe } = source
    const lead = leadOf(probe)
    const url = fileUrl(source.path)
    const page = `urn:x-tubelet:${encodeURIComponent(source.fingerprint.toWellFormed())}`
    const targetOf = (value: string): WebPiece => ({
      part: 'target',
      value: { source: url, selector: { type: 'FragmentSelector', conformsTo: 'http://www.w3.org/TR/media-frags/', value } },
    })
    const saidOf = (
      { id, provenance, state, by, updatedAt }: Made,
      motivation: string,
      bodies: [purpose: string, value: string][],
    ): WebPiece => {
      return {
        part: 'annotation',
        value: {
          id: `${page}:${id}`,
          type: 'Annotation',
          motivation,
          ...(updatedAt === undefined ? {} : { created: updatedAt }),
          ...(provenance === null || state !== 'machine'
            ? { creator: { type: 'Person' as const, ...(by !== undefined && { name: by.toWellFormed() }) } }
            : {}),
          ...(provenance === null
            ? {}
            : { generator: { type: 'Software' as const, name: `${provenance.packId} ${provenance.packVersion}`.toWellFormed() } }),
          body: bodies.map(([purpose, value]) => ({ type: 'TextualBody' as const, value: value.toWellFormed(), purpose })),
        },
      }
    }
    yield { part: 'page', id: page }
    for (const { clip, annotation, body } of spoken(film, 'caption', 'segment', 'answer', 'note', 'text')) {
      if (body.text.trim() === '') continue
      const said = doubted(body.text, standingOfAnnotation(annotation) === 'unsure')
      const { start, end } = clipTimes(clip, film, 'span' in body ? body.span : undefined)
      const time = timeOf(lead + start, lead + end)
      if (body.kind === 'answer')
        yield saidOf(annotation, 'questioning', [
          ['questioning', body.question],
          ['replying', said],
        ])
      else if (body.kind === 'note') yield saidOf(annotation, 'commenting', [['commenting', said]])
      else if (body.kind === 'text') yield saidOf(annotation, 'identifying', [['identifying', said]])
      else yield saidOf(annotation, 'describing', [['describing', said]])
      yield targetOf(body.kind === 'text' ? `${time}&${placeOf(body.box)}` : time)
    }
    const picture = decodedPicture(probe)
    const [across, down] = [probe.width / picture.width, probe.height / picture.height]
    const { pts } = film
    const placeOn = ({ x1, y1, x2, y2 }: Box) => placeOf({ x1: x1 * across, y1: y1 * down, x2: x2 * across, y2: y2 * down })
    const secondsAt = (frame: number) =>
      lead +
      secondsOf(
        pts[frame] ?? (pts[pts.length - 1] ?? 0) + (probe.timeBase.den * probe.frameRate.den) / (probe.timeBase.num * probe.frameRate.num),
        probe,
      )
    for (const object of trackedObjects(film)) {
      yield saidOf(object, 'tagging', [['tagging', doubted(object.category.name, object.review === 'unsure')]])
      for (const { from, to, place } of stretchesOf(object.boxes, placeOn))
        yield targetOf(`${timeOf(secondsAt(from), secondsAt(to))}&${place}`)
    }
  },

  /** An annotation and each of its targets on a line, so that they can be read back one by one. */
  *write(pieces) {
    let isFirst = true
    let isFirstTarget = true
    for (const piece of pieces) {
      if (piece.part === 'page') yield `${HEAD}${JSON.stringify(piece.id)}${ITEMS}\n`
      else if (piece.part === 'annotation') {
        yield `${isFirst ? '' : `${END_OF_ANNOTATION},\n`}${JSON.stringify(piece.value).slice(0, -1)}${TARGETS}\n`
        isFirst = false
        isFirstTarget = true
      } else {
        yield `${isFirstTarget ? '' : ','}${JSON.stringify(piece.value)}\n`
        isFirstTarget = false
      }
    }
    yield `${isFirst ? '' : `${END_OF_ANNOTATION}\n`}${END}\n`
  },

  *read(chunks) {
    let last = ''
    for (const line of linesOf(chunks)) {
      if (line === '') continue
      last = line
      if (line.startsWith(HEAD)) yield { part: 'page', id: z.string().parse(JSON.parse(line.slice(HEAD.length, -ITEMS.length))) }
      else if (line.endsWith(TARGETS)) yield { part: 'annotation', value: Said.parse(JSON.parse(`${line.slice(0, -TARGETS.length)}}`)) }
      else if (line !== END && line !== `${END_OF_ANNOTATION},`)
        yield { part: 'target', value: Target.parse(JSON.parse(line.replace(/^,/, ''))) }
    }
    if (last !== END) throw new SyntaxError('The list of annotations does not end: the file may be cut off.')
  },
}

/** Normal play time, half-open. A fragment of no length is none. */
function timeOf(start: number, end: number): string {
  const from = thousandths(Math.max(0, start))
  return `t=${from},${Math.max(thousandths(from + 0.001), thousandths(end))}`
}

/** Whole pixels; at least one. */
function placeOf({ x1, y1, x2, y2 }: Box): string {
  const [x, y] = [Math.max(0, Math.round(x1)), Math.max(0, Math.round(y1))]
  return `xywh=pixel:${[x, y, Math.max(1, Math.round(x2) - x), Math.max(1, Math.round(y2) - y)].join(',')}`
}

/** Neighbouring frames on which a box has one place. `to` is the frame after the last. */
function* stretchesOf(
  boxes: Iterable<TrackedBox>,
  placeOn: (box: Box) => string,
): Generator<{ from: number; to: number; place: string }, undefined> {
  let open: { from: number; to: number; place: string } | undefined
  for (const box of boxes) {
    const place = placeOn(box)
    if (open?.to === box.frame && open.place === place) {
      open.to += 1
      continue
    }
    if (open) yield open
    open = { from: box.frame, to: box.frame + 1, place }
  }
  if (open) yield open
  return undefined
}
