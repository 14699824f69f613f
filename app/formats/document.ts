/**
 * The one input of every annotation file: a source with its clips and what is said about them.
 *
 * Frames are 0-based decoded ordinals, times seconds from the first frame, boxes absolute pixels of the display-oriented frame, which are
 * square. Each format turns a document into the part that it can carry, writes that part as text, and reads the same part back.
 */
import { z } from 'zod'
import { Annotation } from '../annotation.ts'
import type { AnnotationBody, Box, Provenance, ReviewState, Span } from '../annotation.ts'
import { boxArea, clipBox } from '../boxes.ts'
import { Probe, secondsOf } from '../media.ts'
import { interpolate, sameObject } from '../tracks.ts'
import { Label, labelNamed } from '../vocabulary.ts'

const DocumentClip = z.object({
  id: z.number().int(),
  index: z.number().int(),
  kind: z.enum(['shot', 'window', 'marked']),
  /** Half-open span, seconds from the first frame of the source. */
  start: z.number(),
  end: z.number(),
  /** Ordinals, half-open. */
  startFrame: z.number().int(),
  endFrame: z.number().int(),
  annotations: z.array(Annotation),
})
export type DocumentClip = z.infer<typeof DocumentClip>

export const DocumentSource = z.object({ id: z.number().int(), path: z.string(), name: z.string(), fingerprint: z.string(), probe: Probe })

export const AnnotationDocument = z.object({
  source: DocumentSource,
  /** PTS by ordinal, in time base ticks. */
  pts: z.array(z.number()),
  clips: z.array(DocumentClip),
  /** The colours that the project draws its labels in. */
  labels: z.array(Label.pick({ name: true, colour: true })),
  appVersion: z.string(),
})
export type AnnotationDocument = z.infer<typeof AnnotationDocument>

/** How one kind of file carries documents: `read(write(project(x)))` equals `project(x)`. */
export interface Format<Input, Carried> {
  /** The part of the input that this file can hold, sorted and normalised. */
  project(input: Input): Carried
  write(carried: Carried): string
  /** @throws When the text is not such a file. */
  read(text: string): Carried
}

type BodyOf<K extends AnnotationBody['kind']> = Extract<AnnotationBody, { kind: K }>
export interface Spoken<K extends AnnotationBody['kind']> {
  clip: DocumentClip
  annotation: Annotation
  body: BodyOf<K>
}

/** In pixels. */
interface Size {
  width: number
  height: number
}

/** One frame's box of a track: clipped to the frame, to a thousandth of a pixel. */
export interface TrackedBox {
  frame: number
  pts: number
  box: Box
  /** Of the observation; null where a person drew the box or it is interpolated. */
  score: number | null
  /** False where the box is interpolated between two observed ones. */
  observed: boolean
  /** Something stands before the object. */
  occluded: boolean
}

/** A track with a box on every frame of its life on which it is in the picture. `id` is the annotation's and stays the same from export to export. */
export interface TrackedObject {
  id: number
  label: string
  state: ReviewState
  provenance: Provenance | null
  boxes: TrackedBox[]
}

/** What was not rejected, of the kinds asked for, in time order. */
export function spoken<K extends AnnotationBody['kind']>(document: AnnotationDocument, ...kinds: readonly K[]): Spoken<K>[] {
  const isOfKind = (body: AnnotationBody): body is BodyOf<K> => kinds.some((kind) => kind === body.kind)
  return sortedClips(document).flatMap((clip) =>
    clip.annotations
      .toSorted((a, b) => a.id - b.id)
      .flatMap((annotation) => (annotation.state !== 'rejected' && isOfKind(annotation.body) ? [{ clip, annotation, body: annotation.body }] : [])),
  )
}

export function sortedClips(document: AnnotationDocument): DocumentClip[] {
  return document.clips.toSorted((a, b) => a.startFrame - b.startFrame || a.id - b.id)
}

/**
 * The tracks of a document that were not rejected and have a box with an area inside the frame. An object has one box a frame: where two
 * clips show it, the boxes of the one that a person decided about are left, else of the one that was not marked, else of the earlier one.
 *
 * @param picture Size of the picture whose pixels the boxes are to count.
 */
export function trackedObjects(document: AnnotationDocument, picture: Size = document.source.probe): TrackedObject[] {
  const labels = [...document.labels]
  const tracks = spoken(document, 'track').map((track) => ({ ...track, body: { ...track.body, label: sharedName(labels, track.body.label).toWellFormed() } }))
  return tracks.flatMap((track, i) => {
    const { annotation: { id, state, provenance }, body } = track
    const firsts = tracks.filter((other, j) => (precedence(other) - precedence(track) || j - i) < 0 && isRepeatOf(track, other)).map((other) => lifeOf(other.body))
    const boxes = everyBox(body, document, picture).filter(({ frame }) => !firsts.some(({ first, last }) => first <= frame && frame <= last))
    return boxes.length > 0 ? [{ id, label: body.label, state, provenance: provenance && wellFormed(provenance), boxes }] : []
  })
}

/** The picture as a decoder hands it on: turned upright, its pixels as they are coded, square or not. CVAT, OpenCV and ffmpeg's frames show it so. */
export function decodedPicture({ codedWidth, codedHeight, rotation }: Probe): Size {
  const turned = rotation === 90 || rotation === 270
  return turned ? { width: codedHeight, height: codedWidth } : { width: codedWidth, height: codedHeight }
}

/** Whose boxes count where two tracks are of one object: the lower's. */
function precedence({ annotation, clip }: Spoken<'track'>): number {
  return annotation.state !== 'machine' ? 0 : clip.kind !== 'marked' ? 1 : 2
}

/** A clip that a person marked lies over others, and the model finds in it again what it found in those. Nobody decided about such a track. */
function isRepeatOf(track: Spoken<'track'>, other: Spoken<'track'>): boolean {
  return track.annotation.state === 'machine' && liesOver(track.clip, other.clip) && sameObject(track.body, other.body)
}

function liesOver(a: DocumentClip, b: DocumentClip): boolean {
  return a.id !== b.id && a.startFrame < b.endFrame && b.startFrame < a.endFrame
}

/** The one name of a label that is written in this or another case: that of `known`, which a name without an entry joins. */
export function sharedName(known: Pick<Label, 'name'>[], name: string): string {
  const named = labelNamed(known, name)
  if (!named) known.push({ name })
  return named?.name ?? name
}

/**
 * Span of a clip in seconds, or of the part of it that something is said about, from the PTS of its frames; the stored end only where no
 * frame follows.
 */
export function clipTimes(clip: DocumentClip, { pts, source }: AnnotationDocument, span: Span = clip): { start: number; end: number } {
  const secondsAt = (ordinal: number, otherwise: number) => {
    const at = pts[ordinal]
    return at === undefined ? otherwise : secondsOf(at, source.probe)
  }
  return { start: secondsAt(span.startFrame, clip.start), end: secondsAt(span.endFrame, clip.end) }
}

/** Order of code units: the same on every machine, unlike a locale's. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** UTF-8 cannot hold half a surrogate pair, which a text that was cut in the middle of an emoji ends with. */
export function wellFormed<R extends object>(record: R): R {
  return Object.fromEntries(Object.entries(record).map(([name, value]: [string, unknown]) => [name, typeof value === 'string' ? value.toWellFormed() : value])) as R
}

/** First and last ordinal. */
function lifeOf({ boxes }: BodyOf<'track'>): { first: number; last: number } {
  return { first: boxes[0]?.ordinal ?? 0, last: boxes.at(-1)?.ordinal ?? -1 }
}

function everyBox(track: BodyOf<'track'>, { pts, source }: AnnotationDocument, picture: Size): TrackedBox[] {
  const [across, down] = [picture.width / source.probe.width, picture.height / source.probe.height]
  const keys = new Map(track.boxes.map((key) => [key.ordinal, key]))
  const { first, last } = lifeOf(track)
  const boxes: TrackedBox[] = []
  let inForce = track.boxes[0]
  for (let frame = first; frame <= last; frame++) {
    const key = keys.get(frame)
    inForce = key ?? inForce
    const at = key?.pts ?? pts[frame]
    const raw = at === undefined || inForce?.outside ? null : (key?.box ?? interpolate(track, at))
    if (at === undefined || !raw) continue
    const { x1, y1, x2, y2 } = clipBox(raw, source.probe)
    const box = rounded({ x1: x1 * across, y1: y1 * down, x2: x2 * across, y2: y2 * down })
    if (boxArea(box) > 0) boxes.push({ frame, pts: at, box, score: key?.score ?? null, observed: key !== undefined, occluded: inForce?.occluded ?? false })
  }
  return boxes
}

function rounded({ x1, y1, x2, y2 }: Box): Box {
  return { x1: thousandths(x1), y1: thousandths(y1), x2: thousandths(x2), y2: thousandths(y2) }
}

/** Adding zero turns -0, which no text format keeps, into 0. */
export function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000 + 0
}
