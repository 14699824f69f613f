/**
 * The one input of every annotation file: a film, which is a source with its clips and their annotations.
 *
 * Frames are 0-based decoded ordinals; times are seconds from the first frame. Boxes in the library are absolute pixels of the
 * display-oriented frame, which are square; in every file they are pixels of the decoded picture: turned upright, with its pixels as coded.
 * A film is read while it is written: only the key boxes of one track are in memory at a time, never every box of a track nor a whole file.
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
  /** Given for numbered pictures, which `path` names by their pattern; older files do not have it. */
  numbered: NumberedVideo.nullish(),
})
export type DocumentSource = z.infer<typeof DocumentSource>

/** A label of the project. Its id stays the same for ever and in every file, and is never given to another label. */
export const Category = z.object({ id: z.number().int().min(1), name: z.string(), colour: z.string() })
export type Category = z.infer<typeof Category>

export type Kind = AnnotationBody['kind']

export interface Film {
  source: DocumentSource
  /** Its name in files: unlike its name, unique among the films of a library. */
  title: string
  /** PTS by ordinal, in time base ticks. With many films not all are in memory: read it once for a pass over the frames. */
  readonly pts: ArrayLike<number>
  /** In time order. */
  clips: readonly DocumentClip[]
  /**
   * The annotations of a clip that are to be written, by id, read anew each time.
   * @param withRejected Also those that a person rejected, unless the export names states.
   */
  of: (clip: DocumentClip, kinds: readonly Kind[], withRejected?: boolean) => Iterable<Annotation>
  /** All labels of the project, including those without a box here; every label of a track is among them. */
  categories: readonly Category[]
  /** The labels that were looked for everywhere in these clips. */
  lookedFor: readonly string[]
  /** Whether a label is surely absent from a clip, or from those of its frames that have no box of it. */
  isAbsent: (clip: DocumentClip, label: string) => boolean
  /** Whether a part of the file could not be read, so that nothing is said about it. */
  partial: boolean
  appVersion: string
}

/** How one kind of file carries films: `read(write(pieces))` returns the same pieces, whatever the sizes of the text chunks. */
export interface Format<Input, Piece> {
  /** What the file holds, piece by piece in writing order. */
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
  /** Score of the observation; null where a person drew the box or it is interpolated. */
  score: number | null
  /** For an interpolated box: the score of the last observation before it. */
  carried: number | null
  /** False where the box is interpolated between two observed ones. */
  observed: boolean
  /** Something stands in front of the object. */
  occluded: boolean
}

/**
 * A track with a box on every frame on which it is in the picture, computed anew on each iteration. `id` is the annotation's and stays the
 * same from export to export.
 */
export interface TrackedObject {
  id: number
  category: Category
  state: ReviewState
  /** How it stands: `unsure` if nobody asked for its name, nobody decided about it and it may be something else. */
  review: Standing
  provenance: Provenance | null
  by: string | undefined
  decidedAt: string | undefined
  boxes: Iterable<TrackedBox>
}

/** The annotations to write, of the kinds asked for, in time order. */
export function* spoken<K extends Kind>(film: Film, ...kinds: readonly K[]): Generator<Spoken<K>> {
  for (const clip of film.clips) yield* spokenIn(film, clip, ...kinds)
}

export function* spokenIn<K extends Kind>(film: Film, clip: DocumentClip, ...kinds: readonly K[]): Generator<Spoken<K>> {
  for (const annotation of film.of(clip, kinds)) yield { clip, annotation, body: annotation.body as BodyOf<K> }
}

/** What the machine says of its own text; null where a person wrote another one, of which it says nothing. */
export function machineEvidence({ machine, body, evidence }: Annotation): Annotation['evidence'] {
  return machine && 'text' in machine && 'text' in body && machine.text === body.text ? evidence : null
}

/**
 * The tracks of a film that have a box with an area inside the frame. An object has one box per frame: where two clips show it, the boxes
 * are taken from the clip that a person decided about, else from the one that was not marked, else from the earlier one.
 */
export function* trackedObjects(film: Film): Generator<TrackedObject> {
  const categories = new Map(film.categories.map((category) => [category.name.toLowerCase(), category]))
  for (const [at, clip] of film.clips.entries()) {
    const over = film.clips
      .filter((other) => liesOver(clip, other))
      .flatMap((other) => [...spokenIn(film, other, 'track')].map((track) => ({ track, later: film.clips.indexOf(other) > at })))
    for (const track of spokenIn(film, clip, 'track')) {
      const {
        annotation: { id, state, provenance, by, decidedAt },
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
      if (hasAny(boxes))
        yield { id, category, state, review, provenance: provenance && wellFormed(provenance), by: by?.toWellFormed(), decidedAt, boxes }
    }
  }
}

/**
 * The picture as a decoder returns it: turned upright, with its pixels as coded, square or not. CVAT, OpenCV and ffmpeg's frames show it
 * this way.
 */
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

/** Decides whose boxes count where two tracks are of one object: the lower's. */
function precedence({ annotation, clip }: Spoken<'track'>): number {
  return annotation.state !== 'machine' ? 0 : clip.kind !== 'marked' ? 1 : 2
}

/**
 * A clip that a person marked overlaps others, and the model finds in it what it found in those. A track is such a repeat if nobody decided
 * about it.
 */
function isRepeatOf(track: Spoken<'track'>, other: Spoken<'track'>): boolean {
  return (
    track.annotation.state === 'machine' &&
    sameObject({ ...track.body, label: track.body.label.toLowerCase() }, { ...other.body, label: other.body.label.toLowerCase() })
  )
}

function liesOver(a: DocumentClip, b: DocumentClip): boolean {
  return a.id !== b.id && a.startFrame < b.endFrame && b.startFrame < a.endFrame
}

/** A label as every file can hold it: on one line, without characters that XML cannot hold, never empty. */
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
 * Span in seconds of a clip, or of an annotated part of it, from the PTS of its frames; the stored end is used only if no frame follows.
 */
export function clipTimes(clip: DocumentClip, { pts, source }: Film, span: Span = clip): { start: number; end: number } {
  const secondsAt = (ordinal: number, otherwise: number) => {
    const at = pts[ordinal]
    return at === undefined ? otherwise : secondsOf(at, source.probe)
  }
  return { start: secondsAt(span.startFrame, clip.start), end: secondsAt(span.endFrame, clip.end) }
}

/** The names of the classes from 0: a label has the same number in every file; a number that is no label's has a name that says so. */
export function namesByNumber(categories: readonly Category[]): string[] {
  const names = new Map(categories.map(({ id, name }) => [id, name]))
  return Array.from({ length: Math.max(0, ...names.keys()) }, (_, at) => names.get(at + 1) ?? `unused ${at + 1}`)
}

/** The address of a file by its path. */
export function fileUrl(path: string): string {
  const slashed = path.replaceAll('\\', '/')
  return `file://${slashed.startsWith('/') ? '' : '/'}${escapedPath(slashed)}`
}

/** A path with `/` between its parts as a part of an address. */
export function escapedPath(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':')
}

/** UTF-8 cannot hold half a surrogate pair, which remains where a text was cut in the middle of an emoji. */
export function wellFormed<R extends object>(record: R): R {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]: [string, unknown]) => [name, typeof value === 'string' ? value.toWellFormed() : value]),
  ) as R
}

/** First and last ordinal. */
function lifeOf({ boxes }: BodyOf<'track'>): { first: number; last: number } {
  return { first: boxes[0]?.ordinal ?? 0, last: boxes.at(-1)?.ordinal ?? -1 }
}

/** Every box along the frames, linear in time between key boxes, in one pass whatever their number. */
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
