/**
 * COCO JSON with TAO's keys for video, one file for a whole project.
 *
 * There is one image for every frame that carries a box; a frame without an entry is not claimed to be empty, so every video names all
 * categories as not exhaustive. Image file names are made up (`video-<id>/<frame>.jpg`); `frame_index` is the 0-based ordinal.
 * Interpolated boxes are included and marked. Scores are attributes only, so that the file can serve as ground truth.
 */
import { z } from 'zod'
import { Provenance, ReviewState } from '../annotation.ts'
import { Rational } from '../media.ts'
import { colourIn } from '../vocabulary.ts'
import { byText, decodedPicture, sharedName, thousandths, trackedObjects, wellFormed } from './document.ts'
import type { AnnotationDocument, Format, TrackedBox, TrackedObject } from './document.ts'

const id = z.number().int().min(1)
const Channel = z.number().int().min(0).max(255)

const CocoDataset = z.object({
  info: z.object({
    description: z.string(),
    version: z.string(),
    /** Names the keys below that plain COCO does not have. */
    x_extensions: z.array(z.string()),
  }),
  licenses: z.array(z.never()),
  /** `color` as in COCO's panoptic categories: red, green, blue, each 0..255. */
  categories: z.array(z.object({ id, name: z.string(), color: z.tuple([Channel, Channel, Channel]) })),
  videos: z.array(
    z.object({
      id,
      name: z.string(),
      width: z.number(),
      height: z.number(),
      neg_category_ids: z.array(id),
      not_exhaustive_category_ids: z.array(id),
      metadata: z.object({ path: z.string(), fingerprint: z.string(), time_base: Rational, start_pts: z.number() }),
    }),
  ),
  images: z.array(
    z.object({
      id, video_id: id, file_name: z.string(), video: z.string(), width: z.number(), height: z.number(), frame_index: z.number().int().min(0), pts: z.number(),
    }),
  ),
  tracks: z.array(z.object({ id, category_id: id, video_id: id, state: ReviewState, provenance: Provenance.nullable() })),
  annotations: z.array(
    z.object({
      id, image_id: id, video_id: id, track_id: id, category_id: id,
      /** x, y, width, height in pixels of the decoded picture. */
      bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
      area: z.number(),
      iscrowd: z.literal(0),
      segmentation: z.array(z.never()),
      /** Repeats the track: Datumaro keeps attributes and drops the key. */
      attributes: z.object({ track_id: id, state: ReviewState, interpolated: z.boolean(), score: z.number().nullable() }),
    }),
  ),
})
type CocoDataset = z.infer<typeof CocoDataset>

export const coco: Format<readonly AnnotationDocument[], CocoDataset> = {
  project(documents) {
    // A label that is in no vocabulary may be written in another case in another film.
    const known: { name: string }[] = []
    const films = documents
      .toSorted((a, b) => a.source.id - b.source.id)
      .map((document) => ({ document, objects: trackedObjects(document, decodedPicture(document.source.probe)).map((object) => ({ ...object, label: sharedName(known, object.label) })) }))
    const names = known.map(({ name }) => name).sort(byText)
    const categoryIds = new Map(names.map((name, i) => [name, i + 1]))
    const labels = films[0]?.document.labels ?? []
    const dataset: CocoDataset = {
      info: {
        description: 'Boxes and tracks from Tubelet',
        version: films[0]?.document.appVersion ?? '',
        x_extensions: ['categories[].color', 'videos[].metadata', 'images[].pts', 'tracks[].state', 'tracks[].provenance', 'annotations[].attributes'],
      },
      licenses: [],
      categories: names.map((name, i) => ({ id: i + 1, name, color: channels(colourIn(labels, name)) })),
      videos: [],
      images: [],
      tracks: [],
      annotations: [],
    }
    for (const { document, objects } of films) addVideo(dataset, document, objects, categoryIds)
    return dataset
  },
  write: (dataset) => `${JSON.stringify(dataset)}\n`,
  read: (text) => CocoDataset.parse(JSON.parse(text)),
}

/** `#rrggbb` as red, green, blue. */
function channels(colour: string): [number, number, number] {
  const channel = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  return [channel(1), channel(3), channel(5)]
}

function addVideo(dataset: CocoDataset, { source }: AnnotationDocument, objects: readonly TrackedObject[], categoryIds: ReadonlyMap<string, number>): void {
  const { timeBase, startPts } = source.probe
  const { width, height } = decodedPicture(source.probe)
  const { name, path, fingerprint } = wellFormed(source)
  const metadata = { path, fingerprint, time_base: timeBase, start_pts: startPts }
  dataset.videos.push({
    id: source.id, name, width, height, neg_category_ids: [], not_exhaustive_category_ids: [...categoryIds.values()], metadata,
  })

  const frames = new Map<number, { pts: number; boxes: { object: TrackedObject; tracked: TrackedBox; categoryId: number }[] }>()
  for (const object of objects) {
    const categoryId = categoryIds.get(object.label)
    if (categoryId === undefined) throw new RangeError(`no category for the label ${object.label}`)
    dataset.tracks.push({ id: object.id, category_id: categoryId, video_id: source.id, state: object.state, provenance: object.provenance })
    for (const tracked of object.boxes) {
      const frame = frames.get(tracked.frame) ?? { pts: tracked.pts, boxes: [] }
      frame.boxes.push({ object, tracked, categoryId })
      frames.set(tracked.frame, frame)
    }
  }

  for (const [index, { pts, boxes }] of [...frames].sort(([a], [b]) => a - b)) {
    const imageId = dataset.images.length + 1
    const fileName = `video-${source.id}/${String(index).padStart(6, '0')}.jpg`
    dataset.images.push({ id: imageId, video_id: source.id, file_name: fileName, video: name, width, height, frame_index: index, pts })
    for (const { object, tracked, categoryId } of boxes) {
      const { x1, y1, x2, y2 } = tracked.box
      const [w, h] = [thousandths(x2 - x1), thousandths(y2 - y1)]
      dataset.annotations.push({
        // From 1: pycocotools takes a match with annotation 0 for no match.
        id: dataset.annotations.length + 1,
        image_id: imageId, video_id: source.id, track_id: object.id, category_id: categoryId,
        bbox: [x1, y1, w, h], area: w * h, iscrowd: 0, segmentation: [],
        attributes: { track_id: object.id, state: object.state, interpolated: !tracked.observed, score: tracked.score },
      })
    }
  }
}
