/**
 * Datumaro's own JSON, of a whole project: an item for each frame with a box, from which Datumaro converts to its many other formats. The classes have
 * the numbers of COCO's categories less one, `attr.frame` is the 0-based ordinal, sizes are height and width, and images are named as in our COCO
 * file.
 */
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'
import { Standing } from '../review.ts'
import { boxesByFrame } from './by-frame.ts'
import { decodedPicture, type Film, type Format, namesByNumber, thousandths } from './document.ts'
import { jsonParts } from './json-parts.ts'

const Label = z.object({ name: z.string(), parent: z.literal(''), attributes: z.array(z.never()) })
const Item = z.object({
  id: z.string(),
  annotations: z.array(
    z.object({
      id: z.number().int(),
      type: z.literal('bbox'),
      attributes: z.object({
        track_id: z.number().int(),
        occluded: z.boolean(),
        interpolated: z.boolean(),
        score: z.number().optional(),
        state: ReviewState,
        review: Standing,
      }),
      group: z.literal(0),
      label_id: z.number().int(),
      z_order: z.literal(0),
      /** x, y, width, height in pixels of the decoded picture. */
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    }),
  ),
  attr: z.object({ frame: z.number().int(), video: z.string() }),
  image: z.object({ path: z.string(), size: z.tuple([z.number(), z.number()]) }),
})
const HEAD = {
  dm_format_version: z.literal('1.0'),
  /** An image. */
  media_type: z.literal(2),
  infos: z.object({}),
  categories: z.object({ label: z.object({ labels: z.array(Label), label_groups: z.array(z.never()), attributes: z.array(z.never()) }) }),
} as const
type DatumaroPiece = { part: keyof typeof HEAD; value: unknown } | { part: 'items'; value: z.infer<typeof Item> }

export const datumaro: Format<Iterable<Film>, DatumaroPiece> = {
  *pieces(input) {
    const films = [...input].sort((a, b) => a.source.id - b.source.id)
    const labels = namesByNumber(films[0]?.categories ?? []).map((name) => ({ name, parent: '', attributes: [] }))
    yield { part: 'dm_format_version', value: '1.0' }
    yield { part: 'media_type', value: 2 }
    yield { part: 'infos', value: {} }
    yield { part: 'categories', value: { label: { labels, label_groups: [], attributes: [] } } }
    let id = 1
    for (const film of films) {
      const { source, title } = film
      const { width, height } = decodedPicture(source.probe)
      for (const { frame, boxes } of boxesByFrame(film)) {
        const name = `video-${source.id}/frame_${String(frame).padStart(6, '0')}`
        yield {
          part: 'items',
          value: {
            id: name,
            annotations: boxes.map(({ object, x1, y1, x2, y2, carried, observed, occluded }) => ({
              id: id++,
              type: 'bbox' as const,
              attributes: {
                track_id: object.id,
                occluded,
                interpolated: !observed,
                ...(carried === null ? {} : { score: carried }),
                state: object.state,
                review: object.review,
              },
              group: 0 as const,
              label_id: object.category.id - 1,
              z_order: 0 as const,
              bbox: [x1, y1, thousandths(x2 - x1), thousandths(y2 - y1)] as [number, number, number, number],
            })),
            attr: { frame, video: title.toWellFormed() },
            image: { path: `${name}.jpg`, size: [height, width] },
          },
        }
      }
    }
  },
  *write(pieces) {
    let items = 0
    yield '{'
    for (const { part, value } of pieces)
      if (part !== 'items') yield `"${part}":${JSON.stringify(value)},\n`
      else yield `${items++ === 0 ? '"items":[' : ','}\n${JSON.stringify(value)}`
    yield items === 0 ? '"items":[\n]}\n' : '\n]}\n'
  },
  *read(chunks) {
    for (const { key, value } of jsonParts(chunks)) {
      if (key === 'items') yield { part: key, value: Item.parse(value) }
      else if (key in HEAD) yield { part: key as keyof typeof HEAD, value: HEAD[key as keyof typeof HEAD].parse(value) }
      else throw new SyntaxError(`There is no “${key}” in such a file of Tubelet.`)
    }
  },
}
