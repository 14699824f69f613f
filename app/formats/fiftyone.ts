/**
 * FiftyOne's video labels (`FiftyOneVideoLabelsDataset`), a folder for each video: manifest.json names the video and its labels, and labels.json has
 * texts as temporal detections and boxes frame by frame.
 *
 * Frames count from 1, a span has its first and its last frame, and boxes are shares 0..1 of the picture. FiftyOne makes a field of each `name` of
 * an event, and takes `index` for the number of a track.
 */
import { z } from 'zod'
import { type AnnotationBody, ReviewState } from '../annotation.ts'
import { Standing, standingOfAnnotation } from '../review.ts'
import { boxesByFrame } from './by-frame.ts'
import { decodedPicture, type DocumentClip, type Film, type Format, machineEvidence, spoken } from './document.ts'
import { linesOf } from './lines.ts'

const [CATEGORICAL, BOOLEAN] = ['eta.core.data.CategoricalAttribute', 'eta.core.data.BooleanAttribute'] as const
const attributes = <T extends z.ZodType>(attribute: T) => z.object({ attrs: z.array(attribute) })
const Told = z.object({ type: z.literal(CATEGORICAL), name: z.string(), value: z.string() })
const Point = z.object({ x: z.number(), y: z.number() })

const Event = z.object({
  type: z.literal('eta.core.events.VideoEvent'),
  name: z.string(),
  label: z.string(),
  confidence: z.number().optional(),
  /** First and last frame. */
  support: z.object({ ranges: z.tuple([z.tuple([z.number().int(), z.number().int()])]) }),
  attrs: attributes(Told),
})
const Frame = z.object({
  frame_number: z.number().int(),
  objects: z.object({
    objects: z.array(
      z.object({
        label: z.string(),
        index: z.number().int(),
        confidence: z.number().optional(),
        bounding_box: z.object({ top_left: Point, bottom_right: Point }),
        attrs: attributes(z.union([Told, z.object({ type: z.literal(BOOLEAN), name: z.string(), value: z.boolean() })])),
      }),
    ),
  }),
})
type FiftyonePiece = { part: 'event'; value: z.infer<typeof Event> } | { part: 'frame'; value: z.infer<typeof Frame> }

/** The fields that FiftyOne makes of the texts. */
const FIELDS = { caption: 'captions', segment: 'captions', answer: 'answers', note: 'notes', text: 'text_on_screen' } as const

const told = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => ({ type: CATEGORICAL, name, value: value.toWellFormed() }))

export const fiftyone: Format<Film, FiftyonePiece> = {
  *pieces(film) {
    for (const { clip, annotation, body } of spoken(film, 'caption', 'segment', 'answer', 'note', 'text')) {
      const { startFrame, endFrame } = spanOf(clip, body)
      if (body.text.trim() === '' || endFrame <= startFrame) continue
      const confidence = machineEvidence(annotation)?.confidence ?? null
      yield {
        part: 'event',
        value: {
          type: 'eta.core.events.VideoEvent',
          name: FIELDS[body.kind],
          label: body.text.toWellFormed(),
          ...(confidence === null ? {} : { confidence }),
          support: { ranges: [[startFrame + 1, endFrame]] },
          attrs: {
            attrs: told({
              ...(body.kind === 'answer' ? { question: body.question } : {}),
              state: ReviewState.parse(annotation.state),
              review: Standing.parse(standingOfAnnotation(annotation)),
            }),
          },
        },
      }
    }
    const { width, height } = decodedPicture(film.source.probe)
    for (const { frame, boxes } of boxesByFrame(film))
      yield {
        part: 'frame',
        value: {
          frame_number: frame + 1,
          objects: {
            objects: boxes.map(({ object, x1, y1, x2, y2, carried, observed, occluded }) => ({
              label: object.category.name,
              index: object.id,
              ...(carried === null ? {} : { confidence: carried }),
              bounding_box: { top_left: { x: x1 / width, y: y1 / height }, bottom_right: { x: x2 / width, y: y2 / height } },
              attrs: {
                attrs: [
                  ...told({ state: object.state, review: object.review }),
                  { type: BOOLEAN, name: 'occluded', value: occluded },
                  { type: BOOLEAN, name: 'interpolated', value: !observed },
                ],
              },
            })),
          },
        },
      }
  },

  /** An event or a frame on each line, so that they can be read back one by one. */
  *write(pieces) {
    let part: FiftyonePiece['part'] = 'event'
    let isFirst = true
    yield EVENTS
    for (const piece of pieces) {
      if (piece.part !== part) {
        yield FRAMES
        part = piece.part
        isFirst = true
      }
      const key = piece.part === 'frame' ? `"${piece.value.frame_number}":` : ''
      yield `${isFirst ? '' : ','}${key}${JSON.stringify(piece.value)}\n`
      isFirst = false
    }
    yield part === 'event' ? `${FRAMES}${END}` : END
  },

  *read(chunks) {
    let part: FiftyonePiece['part'] = 'event'
    let last = ''
    for (const line of linesOf(chunks)) {
      if (line === '') continue
      last = line
      if (`${line}\n` === FRAMES) part = 'frame'
      else if (`${line}\n` !== EVENTS && `${line}\n` !== END) {
        const value: unknown = JSON.parse(line.replace(/^,?(?:"\d+":)?/, ''))
        yield part === 'event' ? { part, value: Event.parse(value) } : { part, value: Frame.parse(value) }
      }
    }
    if (`${last}\n` !== END) throw new SyntaxError('The list of frames does not end: the file may be cut off.')
  },
}
const [EVENTS, FRAMES, END] = ['{"events":{"events":[\n', ']},"frames":{\n', '}}\n'] as const

function spanOf(clip: DocumentClip, body: Exclude<AnnotationBody, { kind: 'track' }>) {
  return 'span' in body && body.span ? body.span : clip
}

/** Where the video is, and where its labels are beside this file. */
export function fiftyoneManifest({ source }: Pick<Film, 'source'>): string {
  const index = [{ data: source.path.toWellFormed(), labels: 'labels.json' }]
  return `${JSON.stringify({ type: 'eta.core.datasets.LabeledVideoDataset', description: 'Tubelet', index }, null, 2)}\n`
}
