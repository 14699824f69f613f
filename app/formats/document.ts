/**
 * The one input of every annotation file: a film, which is a source with its clips and what is said about them.
 *
 * Frames are 0-based decoded ordinals, times seconds from the first frame. In the library boxes are absolute pixels of the display-oriented
 * frame, which are square; in every file they are pixels of the decoded picture: turned upright, its pixels as they are coded. A film is
 * read as it is written: the key boxes of one track of it are in memory at a time, no track's every box, and no whole file.
 */
import { z } from 'zod'
import type { Annotation, AnnotationBody, Box, Provenance, ReviewState, Span } from '../annotation.ts'
import { boxArea, clipBox } from '../boxes.ts'
import { Probe, secondsOf } from '../media.ts'
import { NumberedVideo } from '../numbered.ts'
import { type Standing, standingOfAnnotation } from '../review.ts'
import { sameObject } from '../tracks.ts'

export const DocumentClip = z.object({
  id: z.number().int(),
  index: z.number().int(),
  kind: z.enum(['shot', 'window', 'marked', 'beginning']),
  /** Half-open span, seconds from the first frame of the source. */
  start: z.number(),
  end: z.number(),
  /** Ordinals, half-open. */
  startFrame: z.number().int(),
  endFrame: z.number().int(),
})
export type DocumentClip = z.infer<typeof DocumentClip>

export const DocumentSource = z.object({
  id: z.number().int(),
  path: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  probe: Probe,
  /** Of numbered pictures, which `path` names by their pattern; files of before do not know it. */
  numbered: NumberedVideo.nullish(),
})
export type DocumentSource = z.infer<typeof DocumentSource>

/** A label of the project. Its id stays the same for ever and in every file, and is given to no other. */
export const Category = z.object({ id: z.number().int().min(1), name: z.string(), colour: z.string() })
export type Category = z.infer<typeof Category>

export type Kind = AnnotationBody['kind']

export interface Film {
  source: DocumentSource
  /** What it is called in files: unlike its name, no two films of a library have the same. */
  title: string
  /** PTS by ordinal, in time base ticks. Of many films not all are in memory: take it once for a walk along the frames. */
  readonly pts: ArrayLike<number>
  /** In time order. */
  clips: readonly DocumentClip[]
  /** What is said of a clip and is to be written, by id, read anew each time. @param withRejected Also what a person rejected, unless the export names states. */
  of: (clip: DocumentClip, kinds: readonly Kind[], withRejected?: boolean) => Iterable<Annotation>
  /** All labels of the project, also those without a box here: each that a track has is among them. */
  categories: readonly Category[]
  /** Those of them that were looked for everywhere in these clips. */
  lookedFor: readonly string[]
  /** Whether a part of the file could not be read, so that nothing is said of it. */
  partial: boolean
  appVersion: string
}

/** How one kind of file carries films: `read(write(pieces))` gives the pieces again, whatever the sizes of the chunks of text. */
export interface Format<Input, Piece> {
  /** What the file holds, piece by piece in its order. */
  pieces: (input: Input) => Iterable<Piece>
  write: (pieces: Iterable<Piece>) => Iterable<string>
  /** @throws When the text is not such a file. */
  read: (chunks: Iterable<string>) => Iterable<Piece>
}

type BodyOf<K extends Kind> = Extract<AnnotationBody, { kind: K }>
export interface Spoken<K extends Kind> {
  clip: DocumentClip
  annotation: Annotation
  body: BodyOf<K>
}

/** In pixels. */
interface Size {
  width: number
  height: number
}

/** One frame's box of a track: clipped to the frame, to a thousandth of a pixel of the decoded picture. */
export interface TrackedBox extends Box {
  frame: number
  pts: number
  /** Of the observation; null where a person drew the box or it is interpolated. */
  score: number | null
  /** Of the last observation before, where the box is interpolated. */
  carried: number | null
  /** False where the box is interpolated between two observed ones. */
  observed: boolean
  /** Something stands before the object. */
  occluded: boolean
}

/**
 * A track with a box on every frame of its life on which it is in the picture, made anew at each walk along them. `id` is the annotation's and
 * stays the same from export to export.
 */
export interface TrackedObject {
  id: number
  category: Category
  state: ReviewState
  /** How it stands: `unsure` where nobody asked for its name, nobody decided about it and it may be something else. */
  review: Standing
  provenance: Provenance | null
  boxes: Iterable<TrackedBox>
}

/** What is to be written, of the kinds asked for, in time order. */
export function* spoken<K extends Kind>(film: Film, ...kinds: readonly K[]): Generator<Spoken<K>> {
  for (const clip of film.clips) yield* spokenIn(film, clip, ...kinds)
}

export function* spokenIn<K extends Kind>(film: Film, clip: DocumentClip, ...kinds: readonly K[]): Generator<Spoken<K>> {
  for (const annotation of film.of(clip, kinds)) yield { clip, annotation, body: annotation.body as BodyOf<K> }
}

/**
 * The tracks of a film that have a box with an area inside the frame. An object has one box a frame: where two clips show it, the boxes of
 * the one that a person decided about are left, else of the one that was not marked, else of the earlier one.
 */
export function* trackedObjects(film: Film): Generator<TrackedObject> {
  const categories = new Map(film.categories.map((category) => [category.name.toLowerCase(), category]))
  for (const [at, clip] of film.clips.entries()) {
    const over = film.clips
      .filter((other) => liesOver(clip, other))
      .flatMap((other) => [...spokenIn(film, other, 'track')].map((track) => ({ track, later: film.clips.indexOf(other) > at })))
    for (const track of spokenIn(film, clip, 'track')) {
      const {
        annotation: { id, state, provenance },
        body,
      } = track
      const firsts = over
        .filter(({ track: other, later }) => (precedence(other) - precedence(track) || (later ? 1 : -1)) < 0 && isRepeatOf(track, other))
        .map(({ track: other }) => lifeOf(other.body))
      const category = categories.get(labelText(body.label).toLowerCase())
      if (category === undefined) throw new RangeError(`no category for the label ${body.label}`)
      const boxes = {
        *[Symbol.iterator]() {
          for (const box of everyBox(body, film)) if (!firsts.some(({ first, last }) => first <= box.frame && box.frame <= last)) yield box
        },
      }
      const review = standingOfAnnotation(track.annotation)
      if (hasAny(boxes)) yield { id, category, state, review, provenance: provenance && wellFormed(provenance), boxes }
    }
  }
}

/** The picture as a decoder hands it on: turned upright, its pixels as they are coded, square or not. CVAT, OpenCV and ffmpeg's frames show it so. */
export function decodedPicture({ codedWidth, codedHeight, rotation }: Probe): Size {
  const turned = rotation === 90 || rotation === 270
  return turned ? { width: codedHeight, height: codedWidth } : { width: codedWidth, height: codedHeight }
}

/** A box of the library in pixels of the decoded picture. */
export function decodedBox({ x1, y1, x2, y2 }: Box, probe: Probe): Box {
  const picture = decodedPicture(probe)
  const [across, down] = [picture.width / probe.width, picture.height / probe.height]
  return { x1: x1 * across, y1: y1 * down, x2: x2 * across, y2: y2 * down }
}

function hasAny(things: Iterable<unknown>): boolean {
  return things[Symbol.iterator]().next().done !== true
}

/** Whose boxes count where two tracks are of one object: the lower's. */
function precedence({ annotation, clip }: Spoken<'track'>): number {
  return annotation.state !== 'machine' ? 0 : clip.kind !== 'marked' ? 1 : 2
}

/** A clip that a person marked lies over others, and the model finds in it again what it found in those. Nobody decided about such a track. */
function isRepeatOf(track: Spoken<'track'>, other: Spoken<'track'>): boolean {
  return (
    track.annotation.state === 'machine' &&
    sameObject({ ...track.body, label: track.body.label.toLowerCase() }, { ...other.body, label: other.body.label.toLowerCase() })
  )
}

function liesOver(a: DocumentClip, b: DocumentClip): boolean {
  return a.id !== b.id && a.startFrame < b.endFrame && b.startFrame < a.endFrame
}

/** A label as every file can hold it: on one line, without characters that XML cannot hold, and never empty. */
export function labelText(text: string): string {
  return lineText(text) || 'unnamed'
}

/** On one line and without the characters that XML 1.0 cannot hold. */
export function lineText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\uFFFE\uFFFF]/gu, '')
    .trim()
}

/**
 * Span of a clip in seconds, or of the part of it that something is said about, from the PTS of its frames; the stored end only where no
 * frame follows.
 */
export function clipTimes(clip: DocumentClip, { pts, source }: Film, span: Span = clip): { start: number; end: number } {
  const secondsAt = (ordinal: number, otherwise: number) => {
    const at = pts[ordinal]
    return at === undefined ? otherwise : secondsOf(at, source.probe)
  }
  return { start: secondsAt(span.startFrame, clip.start), end: secondsAt(span.endFrame, clip.end) }
}

/** UTF-8 cannot hold half a surrogate pair, which a text that was cut in the middle of an emoji ends with. */
export function wellFormed<R extends object>(record: R): R {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]: [string, unknown]) => [name, typeof value === 'string' ? value.toWellFormed() : value]),
  ) as R
}

/** First and last ordinal. */
function lifeOf({ boxes }: BodyOf<'track'>): { first: number; last: number } {
  return { first: boxes[0]?.ordinal ?? 0, last: boxes.at(-1)?.ordinal ?? -1 }
}

/** Box by box along the frames, linear in time between key boxes: one walk, however many there are. */
function* everyBox({ boxes: keys }: BodyOf<'track'>, { pts, source }: Film): Generator<TrackedBox> {
  const { probe } = source
  const picture = decodedPicture(probe)
  const [across, down] = [picture.width / probe.width, picture.height / probe.height]
  for (const [at, key] of keys.entries()) {
    const next = keys[at + 1]
    const until = key.outside || next === undefined ? key.ordinal + 1 : next.ordinal
    for (let frame = key.ordinal; frame < until; frame++) {
      const observed = frame === key.ordinal
      const now = observed ? key.pts : pts[frame]
      if (now === undefined || frame >= pts.length || (observed && key.outside)) continue
      const share = observed || next === undefined ? 0 : (now - key.pts) / (next.pts - key.pts)
      const raw = share === 0 || next === undefined ? key.box : between(key.box, next.box, share)
      const { x1, y1, x2, y2 } = clipBox(raw, probe)
      const box = {
        frame,
        pts: now,
        x1: thousandths(x1 * across),
        y1: thousandths(y1 * down),
        x2: thousandths(x2 * across),
        y2: thousandths(y2 * down),
        score: observed ? key.score : null,
        carried: key.score,
        observed,
        occluded: key.occluded ?? false,
      }
      if (boxArea(box) > 0) yield box
    }
  }
}

function between(from: Box, to: Box, share: number): Box {
  const side = (a: number, b: number) => a + (b - a) * share
  return { x1: side(from.x1, to.x1), y1: side(from.y1, to.y1), x2: side(from.x2, to.x2), y2: side(from.y2, to.y2) }
}

/** Adding zero turns -0, which no text format keeps, into 0. */
export function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000 + 0
}
