/**
 * YouTube-VIS: a "video" is a stretch of frames, and an annotation is one object in it, with a place for each of its frames: a box, or null where it
 * is not. Ours are the clips of a film, and the frames between them that have a box, in stretches of at most LONGEST frames.
 *
 * Readers pass over a box whose mask is null, so each box has its own rectangle as a polygon. The names of pictures are as in our COCO file, but in a
 * folder for each stretch, by which TrackEval tells them apart. A video that is in several stretches has one `metadata.source_id`, and an object one
 * `track_id` in all of them.
 */
import { z } from 'zod'
import { ReviewState } from '../annotation.ts'
import { Standing } from '../review.ts'
import { decodedPicture, type Film, type Format, thousandths, type TrackedObject, trackedObjects, wellFormed } from './document.ts'
import { frameInName, type VideoFound } from './found.ts'
import { listsOf } from './json-parts.ts'

const id = z.number().int().min(1)
const four = z.tuple([z.number(), z.number(), z.number(), z.number()])

const PARTS = {
  info: z.object({ description: z.string(), version: z.string(), x_extensions: z.array(z.string()) }),
  categories: z.object({ id, name: z.string() }),
  videos: z.object({
    id,
    name: z.string(),
    width: z.number(),
    height: z.number(),
    length: z.number().int(),
    file_names: z.array(z.string()),
    metadata: z.object({ source_id: id, name: z.string(), path: z.string(), fingerprint: z.string() }),
  }),
  annotations: z.object({
    id,
    video_id: id,
    category_id: id,
    track_id: id,
    iscrowd: z.literal(0),
    width: z.number(),
    height: z.number(),
    length: z.number().int(),
    /** The best score of the machine. */
    score: z.number().optional(),
    attributes: z.object({ state: ReviewState, review: Standing }),
    /** x, y, width, height in pixels of the decoded picture, for each frame. */
    bboxes: z.array(four.nullable()),
    areas: z.array(z.number().nullable()),
    segmentations: z.array(z.array(z.array(z.number())).nullable()),
  }),
} as const
type Parts = { [K in keyof typeof PARTS]: z.infer<(typeof PARTS)[K]> }
type VisPiece = { [K in keyof Parts]: { part: K; value: Parts[K] } }[keyof Parts]

/** Frames of a stretch: a place for each is written for every object in it. */
const LONGEST = 512

/** Half-open. */
interface Stretch {
  from: number
  to: number
  id: number
}

export const youtubeVis: Format<Iterable<Film>, VisPiece> = {
  *pieces(input) {
    const films = [...input].sort((a, b) => a.source.id - b.source.id)
    const [first] = films
    yield {
      part: 'info',
      value: {
        description: 'Boxes and tracks from Tubelet; masks are the rectangles of the boxes',
        version: first?.appVersion ?? '',
        x_extensions: ['videos[].metadata', 'annotations[].track_id', 'annotations[].score', 'annotations[].attributes'],
      },
    }
    for (const { id: category, name } of first?.categories ?? []) yield { part: 'categories', value: { id: category, name } }
    let next = 1
    const cut = films.map((film) => {
      const stretches = stretchesOf(film, next)
      next += stretches.length
      return { film, stretches }
    })
    for (const { film, stretches } of cut) for (const stretch of stretches) yield { part: 'videos', value: videoOf(film, stretch) }
    let annotation = 1
    for (const { film, stretches } of cut)
      for (const object of trackedObjects(film))
        for (const value of partsOf(object, film, stretches)) yield { part: 'annotations', value: { id: annotation++, ...value } }
  },
  ...listsOf<VisPiece>(PARTS),
}

function stretchesOf(film: Film, firstId: number): Stretch[] {
  const { length } = film.pts
  /** 1: a clip begins or ends here. */
  const borders = new Uint8Array(length + 1)
  const used = new Uint8Array(length)
  for (const { startFrame, endFrame } of film.clips) {
    borders[Math.min(startFrame, length)] = borders[Math.min(endFrame, length)] = 1
    used.fill(1, startFrame, endFrame)
  }
  for (const { boxes } of trackedObjects(film)) for (const { frame } of boxes) used[frame] = 1
  const stretches: Stretch[] = []
  for (let frame = 0; frame < length; frame++) {
    if (used[frame] !== 1) continue
    const last = stretches.at(-1)
    if (last?.to === frame && borders[frame] !== 1 && frame - last.from < LONGEST) last.to = frame + 1
    else stretches.push({ from: frame, to: frame + 1, id: firstId + stretches.length })
  }
  return stretches
}

function videoOf({ source, title }: Film, { from, to, id: video }: Stretch): Parts['videos'] {
  const { path, fingerprint } = wellFormed(source)
  const name = title.toWellFormed()
  return {
    id: video,
    name: `${name} [${from}-${to - 1}]`,
    ...decodedPicture(source.probe),
    length: to - from,
    file_names: Array.from({ length: to - from }, (_, at) => `video-${source.id}-${from}/frame_${String(from + at).padStart(6, '0')}.jpg`),
    metadata: { source_id: source.id, name, path, fingerprint },
  }
}

function* partsOf(
  { id: track, category, state, review, boxes }: TrackedObject,
  { source }: Film,
  stretches: readonly Stretch[],
): Generator<Omit<Parts['annotations'], 'id'>> {
  const picture = decodedPicture(source.probe)
  let at = 0
  let part: Omit<Parts['annotations'], 'id'> | null = null
  for (const { frame, x1, y1, x2, y2, carried } of boxes) {
    const before = at
    while ((stretches[at]?.to ?? Infinity) <= frame) at += 1
    const stretch = stretches[at]
    if (stretch === undefined) return
    if (part !== null && before !== at) {
      yield part
      part = null
    }
    const length = stretch.to - stretch.from
    part ??= {
      video_id: stretch.id,
      category_id: category.id,
      track_id: track,
      iscrowd: 0,
      ...picture,
      length,
      ...(carried === null ? {} : { score: carried }),
      attributes: { state, review },
      bboxes: Array.from({ length }, () => null),
      areas: Array.from({ length }, () => null),
      segmentations: Array.from({ length }, () => null),
    }
    const [w, h] = [thousandths(x2 - x1), thousandths(y2 - y1)]
    const place = frame - stretch.from
    part.bboxes[place] = [x1, y1, w, h]
    part.areas[place] = thousandths(w * h)
    part.segmentations[place] = [[x1, y1, x2, y1, x2, y2, x1, y2]]
    if (carried !== null && part.score !== undefined) part.score = Math.max(part.score, carried)
  }
  if (part !== null) yield part
}

// ── reading files of any tool

/**
 * The frame of each place in the lists of a video, by the names of its pictures: their numbers where these ascend, else the places themselves. Where
 * the first number is not 0, a person decides from which frames count.
 */
export function framesInNames(names: unknown): { places: number[]; video: Pick<VideoFound, 'name' | 'frames' | 'firstFrame'> } | null {
  if (!Array.isArray(names)) return null
  const named = names.map((one) => (typeof one === 'string' ? frameInName(one) : null))
  const numbers = named.flatMap((one) => (one === null ? [] : [one.frame]))
  const ascend = numbers.length === names.length && numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0))
  const name = named[0]?.video ?? undefined
  if (!ascend) return { places: names.map((_, at) => at), video: { name, frames: names.length, firstFrame: 0 } }
  const isWhole = numbers.at(-1) === numbers.length - 1
  return { places: numbers, video: { name, ...(isWhole && { frames: names.length }), ...(numbers[0] === 0 && { firstFrame: 0 }) } }
}
