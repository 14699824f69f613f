/**
 * COCO JSON with TAO's keys for video, of a whole project or of one video.
 *
 * A category keeps its id for ever and in every file of a project, and all labels of the project are listed. Image files are named
 * `video-<id>/frame_<ordinal>.jpg`, which CVAT reads as that frame; `frame_index` is the 0-based ordinal. `neg_category_ids` lists the
 * labels that were looked for and are surely absent, `not_exhaustive_category_ids` those that are present but were not looked for everywhere; of
 * videos as in TAO, of images as in LVIS. Labels that are present and in neither list were looked for everywhere, so that a box missing
 * from this file is a false one. If something was looked for, every frame has an image, with or without boxes. Interpolated boxes are
 * included and marked. A machine's box has a `score`; an interpolated box has that of the last observed one.
 */
import { z } from 'zod'
import { type Box, Provenance, ReviewState } from '../annotation.ts'
import { Rational, secondsOf } from '../media.ts'
import { Standing } from '../review.ts'
import { decodedPicture, thousandths, trackedObjects, wellFormed } from './document.ts'
import type { Category, DocumentClip, Film, Format, TrackedBox, TrackedObject } from './document.ts'
import { fault, type Found, frameInName, scoreOf, type VideoFound, withoutFrame } from './found.ts'
import { jsonParts, listsOf } from './json-parts.ts'
import { phrase } from '../phrase.ts'
import { framesInNames } from './youtube-vis.ts'

const id = z.number().int().min(1)
const ids = z.array(id)
const Channel = z.number().int().min(0).max(255)

/** In writing order; all but the first are lists. */
const PARTS = {
  info: z.object({
    description: z.string(),
    version: z.string(),
    /** Names the keys below that plain COCO lacks. */
    x_extensions: z.array(z.string()),
  }),
  /** `color` as in COCO's panoptic categories: red, green, blue, each 0..255. */
  categories: z.object({ id, name: z.string(), color: z.tuple([Channel, Channel, Channel]) }),
  annotations: z.object({
    id,
    image_id: id,
    video_id: id,
    track_id: id,
    category_id: id,
    /** x, y, width, height in pixels of the decoded picture. */
    bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
    area: z.number(),
    iscrowd: z.literal(0),
    segmentation: z.array(z.never()),
    score: z.number().optional(),
    /** The track id again: Datumaro keeps attributes and drops the key. */
    attributes: z.object({ track_id: id, state: ReviewState, review: Standing, interpolated: z.boolean(), occluded: z.boolean() }),
  }),
  tracks: z.object({ id, category_id: id, video_id: id, state: ReviewState, review: Standing, provenance: Provenance.nullable() }),
  videos: z.object({
    id,
    /** Unique among the videos of a library. */
    name: z.string(),
    width: z.number(),
    height: z.number(),
    /** The frame rate that DIVE reads. */
    annotation_fps: z.number(),
    neg_category_ids: ids,
    not_exhaustive_category_ids: ids,
    metadata: z.object({ path: z.string(), fingerprint: z.string(), time_base: Rational, start_pts: z.number(), partial: z.boolean() }),
  }),
  images: z.object({
    id,
    video_id: id,
    file_name: z.string(),
    video: z.string(),
    width: z.number(),
    height: z.number(),
    frame_index: z.number().int().min(0),
    pts: z.number(),
    neg_category_ids: ids,
    not_exhaustive_category_ids: ids,
  }),
} as const
type Parts = { [K in keyof typeof PARTS]: z.infer<(typeof PARTS)[K]> }
type CocoPiece = { [K in keyof Parts]: { part: K; value: Parts[K] } }[keyof Parts]

export const coco: Format<Iterable<Film>, CocoPiece> = {
  *pieces(input) {
    const films = [...input].sort((a, b) => a.source.id - b.source.id)
    const [first] = films
    yield {
      part: 'info',
      value: {
        description: 'Boxes and tracks from Tubelet',
        version: first?.appVersion ?? '',
        x_extensions: [
          'categories[].color',
          'videos[].annotation_fps',
          'videos[].metadata',
          'images[].pts',
          'tracks[].state',
          'tracks[].review',
          'tracks[].provenance',
          'annotations[].score',
          'annotations[].attributes',
        ],
      },
    }
    for (const { id: category, name, colour } of first?.categories ?? [])
      yield { part: 'categories', value: { id: category, name, color: channels(colour) } }
    const seen: { film: Film; firstImage: number; presence: Presence; tracks: Parts['tracks'][] }[] = []
    // Many tracks share one maker.
    const makers = new Map<string, Provenance | null>()
    let firstImage = 1
    // From 1, because pycocotools treats a match with annotation 0 as no match.
    let annotation = 1
    for (const film of films) {
      const presence = new Presence(film.pts.length)
      const tracks: Parts['tracks'][] = []
      for (const object of trackedObjects(film)) {
        const maker = JSON.stringify(object.provenance)
        if (!makers.has(maker)) makers.set(maker, object.provenance)
        tracks.push({
          id: object.id,
          category_id: object.category.id,
          video_id: film.source.id,
          state: object.state,
          review: object.review,
          provenance: makers.get(maker) ?? null,
        })
        for (const box of object.boxes) {
          presence.add(object.category.id, box.frame)
          yield {
            part: 'annotations',
            value: annotationOf(box, object, { id: annotation, image_id: firstImage + box.frame, video_id: film.source.id }),
          }
          annotation += 1
        }
      }
      seen.push({ film, firstImage, presence, tracks })
      firstImage += film.pts.length
    }
    for (const { tracks } of seen) for (const track of tracks) yield { part: 'tracks', value: track }
    // If a part of a video could not be read, nothing can be said to be absent from it.
    for (const { film, presence } of seen) {
      const lookedFor = (film.source.probe.unread ?? []).length > 0 ? [] : film.lookedFor
      const doubted = lookedIds(film.categories, lookedFor).filter((one) => film.clips.some((clip) => isDoubted(film, clip, one)))
      yield { part: 'videos', value: videoOf(film, statedIds(film.categories, lookedFor, presence.ids(), doubted)) }
    }
    for (const { film, firstImage: from, presence } of seen) yield* imagesOf(film, from, presence)
  },

  ...listsOf<CocoPiece>(PARTS),
}

/** In which frames of a video each category is present. */
class Presence {
  readonly #frames: number
  readonly #bits = new Map<number, Uint8Array>()

  constructor(frames: number) {
    this.#frames = frames
  }

  add(category: number, frame: number): void {
    let bits = this.#bits.get(category)
    if (bits === undefined) this.#bits.set(category, (bits = new Uint8Array((this.#frames >> 3) + 1)))
    bits[frame >> 3] = (bits[frame >> 3] ?? 0) | (1 << (frame & 7))
  }

  ids(): number[] {
    return [...this.#bits.keys()]
  }

  idsOn(frame: number): number[] {
    return this.ids().filter((category) => (this.#bits.get(category)?.[frame >> 3] ?? 0) & (1 << (frame & 7)))
  }
}

function lookedIds(categories: readonly Category[], lookedFor: readonly string[]): number[] {
  const names = new Set(lookedFor.map((name) => name.toLowerCase()))
  return categories.filter(({ name }) => names.has(name.toLowerCase())).map((category) => category.id)
}

/** Whether a label that was looked for may be in a clip even where it has no box. */
function isDoubted({ categories, isAbsent }: Film, clip: DocumentClip, category: number): boolean {
  const name = categories.find(({ id: one }) => one === category)?.name
  return name !== undefined && !isAbsent(clip, name)
}

/** The labels that were looked for and are not there, and those that are `there` and were not looked for. @param doubted May be there without a box. */
function statedIds(
  categories: readonly Category[],
  lookedFor: readonly string[],
  there: readonly number[],
  doubted: readonly number[] = [],
): Pick<Parts['images'], 'neg_category_ids' | 'not_exhaustive_category_ids'> {
  const looked = new Set(lookedIds(categories, lookedFor))
  const [present, perhaps] = [new Set(there), new Set(doubted)]
  return {
    neg_category_ids: [...looked].filter((one) => !present.has(one) && !perhaps.has(one)),
    not_exhaustive_category_ids: [...present].filter((one) => !looked.has(one)).sort((a, b) => a - b),
  }
}

function videoOf(film: Film, stated: ReturnType<typeof statedIds>): Parts['videos'] {
  const { source, title, partial } = film
  const { timeBase, startPts, frameRate } = source.probe
  const { path, fingerprint } = wellFormed(source)
  return {
    id: source.id,
    name: title.toWellFormed(),
    ...decodedPicture(source.probe),
    annotation_fps: thousandths(frameRate.num / frameRate.den),
    ...stated,
    metadata: { path, fingerprint, time_base: timeBase, start_pts: startPts, partial },
  }
}

/** Frames with boxes; if something was looked for, every readable frame of the clips. */
function* imagesOf(film: Film, firstImage: number, presence: Presence): Generator<CocoPiece> {
  const { source, title, pts, clips, categories, lookedFor } = film
  const picture = decodedPicture(source.probe)
  const video = title.toWellFormed()
  const looked = new Uint8Array(pts.length)
  const doubts = new Presence(pts.length)
  const ids = lookedIds(categories, lookedFor)
  for (const clip of clips) {
    if (lookedFor.length > 0) looked.fill(1, clip.startFrame, clip.endFrame)
    for (const one of ids.filter((category) => isDoubted(film, clip, category)))
      for (let frame = clip.startFrame; frame < clip.endFrame; frame++) doubts.add(one, frame)
  }
  for (const { from, to } of source.probe.unread ?? [])
    for (let frame = 0; frame < pts.length; frame++) {
      const time = secondsOf(pts[frame] ?? 0, source.probe)
      if (time < from || time >= to) continue
      looked[frame] = 0
      for (const one of ids) doubts.add(one, frame)
    }
  let last = { key: '', stated: statedIds(categories, lookedFor, []) }
  for (let frame = 0; frame < pts.length; frame++) {
    const there = presence.idsOn(frame)
    if (there.length === 0 && looked[frame] !== 1) continue
    const doubted = doubts.idsOn(frame)
    const key = `${there.join()} ${doubted.join()}`
    if (key !== last.key) last = { key, stated: statedIds(categories, lookedFor, there, doubted) }
    const file_name = `video-${source.id}/frame_${String(frame).padStart(6, '0')}.jpg`
    yield {
      part: 'images',
      value: {
        id: firstImage + frame,
        video_id: source.id,
        file_name,
        video,
        ...picture,
        frame_index: frame,
        pts: pts[frame] ?? 0,
        ...last.stated,
      },
    }
  }
}

function annotationOf(
  box: TrackedBox,
  { id: track, category, state, review }: TrackedObject,
  place: Pick<Parts['annotations'], 'id' | 'image_id' | 'video_id'>,
): Parts['annotations'] {
  const [w, h] = [thousandths(box.x2 - box.x1), thousandths(box.y2 - box.y1)]
  return {
    ...place,
    track_id: track,
    category_id: category.id,
    bbox: [box.x1, box.y1, w, h],
    area: w * h,
    iscrowd: 0,
    segmentation: [],
    ...(box.carried === null ? {} : { score: box.carried }),
    attributes: { track_id: track, state, review, interpolated: !box.observed, occluded: box.occluded },
  }
}

/** `#rrggbb` as red, green, blue. */
function channels(colour: string): [number, number, number] {
  const channel = (at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  return [channel(1), channel(3), channel(5)]
}

// ── reading files of any tool

type Key = number | string
type Json = Readonly<Record<string, unknown>>

/** How our own files count. */
const OURS = { firstFrame: 0, firstPixel: 0, gaps: 'empty' } as const

/** Lists whose entries are small; annotations are read in a second pass, because other tools write them before or after their images. */
const HEADS = new Set(['info', 'videos', 'images', 'categories', 'tracks'])

/**
 * Boxes of a COCO file, with TAO's keys for video, as CocoVID or YouTube-VIS, or without any: then the names of the images tell which video
 * and which frame. The numbers of an entry are those in the list of annotations, counted from 1.
 * @throws SyntaxError
 */
export function* readCoco(open: () => Iterable<string>): Generator<Found> {
  const categories = new Map<Key, string>()
  const states = new Map<Key, ReviewState>()
  const videos = new Map<Key, VideoFound>()
  const images = new Map<Key, { video: string; frame: number }>()
  /** YouTube-VIS: the frame of each place in the lists of a video. */
  const places = new Map<Key, readonly number[]>()
  const sources = new Map<Key, VideoFound>()
  let ours = false
  let lists = 0
  const faults: Found[] = []
  const videoOf = (key: string, name: string) => {
    const known = videos.get(key)
    if (known) return known
    const made: VideoFound = { type: 'video', key, name }
    videos.set(key, made)
    return made
  }
  for (const { key, value } of jsonParts(open(), (name) => HEADS.has(name))) {
    if (key !== 'info') lists += 1
    if (!isJson(value)) continue
    const id = keyOf(value['id'])
    if (key === 'info') ours = Array.isArray(value['x_extensions']) && textOf(value['description'])?.includes('Tubelet') === true
    else if (id === null) continue
    else if (key === 'categories') categories.set(id, textOf(value['name']) ?? String(id))
    else if (key === 'tracks') {
      const state = ReviewState.safeParse(value['state'])
      if (state.success) states.set(id, state.data)
    } else if (key === 'videos') {
      const metadata = isJson(value['metadata']) ? value['metadata'] : {}
      const named = framesInNames(value['file_names'])
      if (named) places.set(id, named.places)
      // Of one video several stretches may be listed.
      const part = keyOf(metadata['source_id'])
      const known = part === null ? undefined : sources.get(part)
      const fingerprint = textOf(metadata['fingerprint'])
      if (known) videos.set(id, known)
      else
        videos.set(id, {
          type: 'video',
          key: String(id),
          ...(part === null && named?.video),
          name: textOf(metadata['name']) ?? textOf(value['name']) ?? textOf(value['file_name']) ?? named?.video.name,
          path: textOf(metadata['path']),
          fingerprint,
          ...sizeOf(value),
          // Of a file of ours that another tool wrote anew: it may leave out what `info` says.
          ...(fingerprint === undefined ? rateIn(value) : OURS),
        })
      const video = videos.get(id)
      if (part !== null && video) sources.set(part, video)
    } else if (key === 'images') {
      const file = textOf(value['file_name']) ?? ''
      const named = frameInName(file)
      const videoId = keyOf(value['video_id'])
      const frame = wholeOf(value['frame_index']) ?? wholeOf(value['frame_id']) ?? named?.frame ?? null
      if (frame === null) {
        faults.push(withoutFrame(file))
        continue
      }
      const video =
        videoId === null
          ? videoOf(`name:${named?.video ?? ''}`, named?.video ?? '')
          : (videos.get(videoId) ?? videoOf(String(videoId), textOf(value['video']) ?? named?.video ?? ''))
      const { width, height } = sizeOf(value)
      video.width ??= width
      video.height ??= height
      images.set(id, { video: video.key, frame })
    }
  }
  if (lists === 0) throw new SyntaxError(phrase('The file has no lists of images and categories.'))
  for (const video of new Set(videos.values())) yield ours ? { ...video, rate: undefined, ...OURS } : video
  yield* faults
  let entry = 0
  for (const { key, value } of jsonParts(open(), (name) => name === 'annotations')) {
    if (key !== 'annotations') continue
    entry += 1
    if (!isJson(value)) {
      yield fault('This is no annotation.', entry)
      continue
    }
    const category = keyOf(value['category_id'])
    const label = category === null ? undefined : categories.get(category)
    if (label === undefined) {
      yield fault('There is no category {{category}} in the file.', entry, { category: String(value['category_id']) })
      continue
    }
    const attributes = isJson(value['attributes']) ? value['attributes'] : {}
    const track = keyOf(value['track_id']) ?? keyOf(value['instance_id']) ?? keyOf(attributes['track_id'])
    const state = ReviewState.safeParse((track === null ? undefined : states.get(track)) ?? attributes['state'])
    const shared = {
      type: 'box',
      label,
      score: scoreOf(numberOf(value['score'])),
      observed: attributes['interpolated'] !== true,
      occluded: attributes['occluded'] === true,
      outside: false,
      state: state.success ? state.data : null,
      line: entry,
    } as const
    const { bboxes } = value
    if (Array.isArray(bboxes)) {
      const at = keyOf(value['video_id']) ?? ''
      const [video, frames] = [videos.get(at), places.get(at)]
      if (!video) yield fault('There is no video {{video}} in the file.', entry, { video: String(value['video_id']) })
      else
        for (const [place, one] of bboxes.entries()) {
          const box = cornersOf(one)
          if (box) yield { ...shared, video: video.key, track: String(track ?? value['id']), frame: frames?.[place] ?? place, box }
        }
      continue
    }
    const image = images.get(keyOf(value['image_id']) ?? '')
    const box = cornersOf(value['bbox'])
    if (value['image_id'] === undefined && videos.has(keyOf(value['video_id']) ?? '')) yield fault('It has no box of four numbers.', entry)
    else if (!image) yield fault('There is no image {{image}} in the file.', entry, { image: String(value['image_id']) })
    else if (!box) yield fault('It has no box of four numbers.', entry)
    else yield { ...shared, ...image, track: track === null ? null : `${track} ${label}`, box }
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keyOf(value: unknown): Key | null {
  return typeof value === 'number' || typeof value === 'string' ? value : null
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function wholeOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null
}

function sizeOf({ width, height }: Json): { width?: number; height?: number } {
  const [w, h] = [numberOf(width), numberOf(height)]
  return w !== null && h !== null && w > 0 && h > 0 ? { width: w, height: h } : {}
}

/** DIVE counts frames by the rate at which people look at them; other tools write none. */
function rateIn(video: Json): { rate?: number } {
  const rate = numberOf(video['annotation_fps'])
  return rate !== null && rate > 0 ? { rate } : {}
}

/** Corners of a box that is given as x, y, width, height. */
function cornersOf(bbox: unknown): Box | null {
  if (!Array.isArray(bbox) || bbox.length !== 4) return null
  const [x, y, w, h] = bbox.map(numberOf)
  // A negative width is some other tool's corner, not a box.
  return x == null || y == null || w == null || h == null || w < 0 || h < 0 ? null : { x1: x, y1: y, x2: x + w, y2: y + h }
}
