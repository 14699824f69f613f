/**
 * Annotations: what is said about a clip, by the model or by a person.
 *
 * Machine results and human decisions are two layers of one annotation: `machine` is what the newest run said, `human` what a
 * person made of it. A re-run replaces `machine` only while `state` is 'machine'.
 */
import { z } from 'zod'

/** Corners in absolute pixels of the display-oriented frame, x to the right, y down. */
export const Box = z.object({ x1: z.number(), y1: z.number(), x2: z.number(), y2: z.number() })
export type Box = z.infer<typeof Box>

/** A box that was observed (by the detector or a person) on one frame. Between key boxes boxes are interpolated linearly in time. */
export const KeyBox = z.object({
  ordinal: z.number().int().nonnegative(),
  pts: z.number().int(),
  box: Box,
  /** Calibrated probability 0..1; null on boxes that a person drew. */
  score: z.number().min(0).max(1).nullable(),
  /** The object is partly hidden from this key box to the next. */
  occluded: z.boolean().optional(),
  /** The object is out of view from this key box to the next. */
  outside: z.boolean().optional(),
})
export type KeyBox = z.infer<typeof KeyBox>

/** A run of frames: half-open, in ordinals of the source. */
export const Span = z
  .object({ startFrame: z.number().int().nonnegative(), endFrame: z.number().int().positive() })
  .refine(({ startFrame, endFrame }) => startFrame < endFrame, 'must have a frame')
export type Span = z.infer<typeof Span>

/** The part of a span that lies inside another one; null where there is none. */
export function spanWithin({ startFrame, endFrame }: Span, whole: Span): Span | null {
  const inside = { startFrame: Math.max(startFrame, whole.startFrame), endFrame: Math.min(endFrame, whole.endFrame) }
  return inside.startFrame < inside.endFrame ? inside : null
}

/** A text that every file and the database can hold: without the character NUL, at which some end a text, and without half a surrogate pair. */
const Words = z.string().overwrite((text) => text.toWellFormed().replaceAll('\0', ''))

/**
 * A caption of the whole clip. Captions in older libraries may have a span; a text about a part of a clip is now a segment, so that adding
 * one never replaces the clip's caption.
 */
const CaptionBody = z.object({ kind: z.literal('caption'), text: Words, span: Span.optional() })
const AnswerBody = z.object({
  kind: z.literal('answer'),
  question: Words,
  text: Words,
})
/** One object followed through a clip. `boxes` ascend by ordinal, at most one a frame. */
export const TrackBody = z.object({
  kind: z.literal('track'),
  label: Words,
  boxes: z.array(KeyBox).min(1),
  /** Tracks with the same number in other clips of this video are the same object, continued past the end of a clip. */
  object: z.number().int().positive().optional(),
  /**
   * Share 0..1 of the object's pixels in each of the eleven basic colours, in the order of `COLOURS` (app/colours), averaged over its
   * boxes: first for the upper half of the boxes, then for the lower half. Tracks in older libraries have eleven numbers, for the whole
   * box.
   */
  colours: z.union([z.array(z.number()).length(22), z.array(z.number()).length(11)]).optional(),
})
/** About the clip, or about a moment of it. */
const NoteBody = z.object({ kind: z.literal('note'), text: Words, span: Span.optional() })
/** What happens in a part of a clip, as a person wrote it. A clip may have many segments, and they may overlap. */
const SegmentBody = z.object({ kind: z.literal('segment'), text: Words, span: Span })
/** A line of text on the picture: where it was when it was best legible, and from which frame to which it was there. */
export const TextBody = z.object({
  kind: z.literal('text'),
  text: Words,
  span: Span,
  box: Box,
  /** Share 0..1 of the letters in each of the eleven basic colours. */
  colours: z.array(z.number()).length(11).optional(),
})
export type TextBody = z.infer<typeof TextBody>
export const AnnotationBody = z.discriminatedUnion('kind', [CaptionBody, AnswerBody, TrackBody, NoteBody, SegmentBody, TextBody])
export type AnnotationBody = z.infer<typeof AnnotationBody>
export type TrackBody = z.infer<typeof TrackBody>

/** A caption added for a span of frames becomes a segment, beside the clip's own caption, unless that span is the whole clip. */
export function asAdded(body: AnnotationBody, whole: Span): AnnotationBody {
  if (body.kind !== 'caption' || body.span === undefined) return body
  const { text, span } = body
  const isWhole = span.startFrame === whole.startFrame && span.endFrame === whole.endFrame
  return isWhole ? { kind: 'caption', text } : { kind: 'segment', text, span }
}

/**
 * Whether a clip has at most one annotation of this kind: one caption, and one answer to each question. It may have any number of every
 * other kind.
 */
export function isOnlyOne(kind: AnnotationBody['kind']): boolean {
  return kind === 'caption' || kind === 'answer'
}

/** machine: not looked at. accepted / edited / rejected: a person decided. */
export const ReviewState = z.enum(['machine', 'accepted', 'edited', 'rejected'])
export type ReviewState = z.infer<typeof ReviewState>

/** Where the model looked and how sure it is. */
export const Evidence = z.object({
  /** Calibrated probability 0..1 that the text is right. */
  confidence: z.number().min(0).max(1),
  /**
   * True when the confidence is below the pack's operating point (0.7 for tracks and for texts made from facts), the clip is unfamiliar, or
   * the question has words that the pack never learnt. The window then says "not sure".
   */
  unsure: z.boolean(),
  /** The pack was trained on nothing like this clip. */
  unfamiliar: z.boolean().optional(),
  /** Cosine of the text and the clip in the contrastive pass: a second opinion of the same model. Null where no model wrote the text. */
  agreement: z.number().nullable(),
  /**
   * Only on tracks: whether a label of the library means the track's name, so that somebody asked for it. Names that nobody asked for must
   * be surer.
   */
  asked: z.boolean().optional(),
  /**
   * Only on tracks: false where one is surely there, but a number of several is not: it is shown because somebody asked for its name, or more
   * may be there.
   */
  countable: z.boolean().optional(),
  /** The sampled frames by cross-attention mass, heaviest first; the weights sum to at most 1. For a fact: the frames that show it. */
  frames: z.array(z.object({ ordinal: z.number().int(), pts: z.number().int(), weight: z.number() })),
})
export type Evidence = z.infer<typeof Evidence>

export const Provenance = z.object({
  packId: z.string(),
  packVersion: z.string(),
  packDigest: z.string(),
  provider: z.string(),
  prompt: z.string(),
  appVersion: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** Made from facts that would say something else, or be less sure, without what people drew or decided. */
  people: z.literal(true).optional(),
})
export type Provenance = z.infer<typeof Provenance>

/** The file from which an annotation was imported: it counts as people's work, and this tells whose. */
export const Origin = z.object({
  /** Name of the file, without its folder. */
  file: z.string(),
  format: z.string(),
  /** When it was imported, ISO 8601, UTC. */
  at: z.string(),
})
export type Origin = z.infer<typeof Origin>

/**
 * Which versions a decision is, and which it took the place of, so that the work of two people can be joined: of two decisions about the same thing,
 * one that knows the other is the newer one, and two that do not know each other are a conflict. Versions are names given at random.
 */
export const Lineage = z.object({
  /** More than one where people said the same, each in a library of their own. */
  now: z.array(z.string()).min(1),
  past: z.array(z.string()),
})
export type Lineage = z.infer<typeof Lineage>

export const Annotation = z.object({
  id: z.number().int(),
  clipId: z.number().int(),
  /** What holds now: the human layer if there is one, else the machine's. */
  body: AnnotationBody,
  /** The newest machine result; null for an annotation that a person added. */
  machine: AnnotationBody.nullable(),
  state: ReviewState,
  evidence: Evidence.nullable(),
  provenance: Provenance.nullable(),
  /** Only on what was imported. */
  origin: Origin.optional(),
  /** The name of the person who decided last; left out where that person gave none. */
  by: z.string().optional(),
  /** When that was, ISO 8601, UTC; left out where nobody decided, or before it was kept. */
  decidedAt: z.string().optional(),
  updatedAt: z.string(),
})
export type Annotation = z.infer<typeof Annotation>

export type TrackAnnotation = Annotation & { body: TrackBody }
export type TextAnnotation = Annotation & { body: TextBody }

/** Whether it was made from facts and not written by a model. It then has no probability. */
export function fromFacts({ provenance }: Pick<Annotation, 'provenance'>): boolean {
  return provenance?.packId === 'facts'
}
