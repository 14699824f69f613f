/** Search and its reasons: by words, by a clip, by a box; filters; the curve of a video; where the model looked. */
import { z } from 'zod'
import { Box, ReviewState } from '../annotation.ts'
import { Standing } from '../review.ts'
import { FrameRef } from '../media.ts'
import { Clip } from './clip.ts'
import { Id, route } from './route.ts'
import { Picked } from './table.ts'

export const FindQuery = z.discriminatedUnion('by', [
  /** `guesses`: also compare clips unlike any that the pack was taught; by default they are left out. */
  z.object({ by: z.literal('words'), words: z.string().trim().min(1).max(300), guesses: z.boolean().optional() }),
  z.object({ by: z.literal('clip'), clipId: z.number().int().positive() }),
  /** A box on one frame of a clip, in pixels of the display-oriented frame. */
  z.object({ by: z.literal('box'), clipId: z.number().int().positive(), ordinal: z.number().int().nonnegative(), box: Box }),
])
export type FindQuery = z.infer<typeof FindQuery>

const Instant = z.iso.datetime({ offset: true })

/** Conditions on a clip; all that are given must hold. */
export const Filters = z
  .object({
    /** Each of them was found or drawn in the clip, and not rejected. */
    labels: z.array(z.string()).optional(),
    /** Exactly these words, in any case, in a caption, answer or note that was not rejected. */
    says: z.string().trim().min(1).optional(),
    /** The question was answered; with `text`, the answer contains it. */
    answer: z.object({ question: z.string(), text: z.string().optional() }).optional(),
    /**
     * open: nobody decided anything yet. partly: some things are decided. unsure: the model is not sure of its caption or of an answer. The
     * others: something in the clip has this review state.
     */
    state: z.enum(['open', 'partly', 'accepted', 'edited', 'rejected', 'unsure']).optional(),
    sourceIds: z.array(z.number().int().positive()).optional(),
    /** When it was added to the library. Half-open. */
    addedFrom: Instant.optional(),
    addedBefore: Instant.optional(),
    /** When it was recorded: as the file states it, else the file's date on disk. Half-open. */
    recordedFrom: Instant.optional(),
    recordedBefore: Instant.optional(),
    /** Length of the clip. Half-open. */
    minSeconds: z.number().nonnegative().optional(),
    maxSeconds: z.number().positive().optional(),
  })
  .superRefine((filters, context) => {
    const time = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant))
    const spans = [
      [time(filters.addedFrom), time(filters.addedBefore), 'addedBefore', 'must not be before “addedFrom”'],
      [time(filters.recordedFrom), time(filters.recordedBefore), 'recordedBefore', 'must not be before “recordedFrom”'],
      [filters.minSeconds, filters.maxSeconds, 'maxSeconds', 'must not be less than “minSeconds”'],
    ] as const
    for (const [from, before, field, message] of spans)
      if (from !== undefined && before !== undefined && from > before) context.addIssue({ code: 'custom', path: [field], message })
  })
export type Filters = z.infer<typeof Filters>

/** One reason why a clip matches the words. */
export const Why = z.object({
  /**
   * box: a track's label. fact: a statement about the clip. text: on screen. name: of the file or its folder. picture: the pack of the
   * search task compared the words with the clip.
   */
  kind: z.enum(['caption', 'answer', 'note', 'segment', 'box', 'fact', 'text', 'name', 'picture']),
  /** The words, label or name that match; empty for a picture. */
  text: z.string(),
  /** Only for an answer. */
  question: z.string().optional(),
  /** edited: a person's own. accepted: a person agreed. machine: nobody looked at it. Null for names and pictures. */
  state: ReviewState.nullable(),
  /** Name of the file that it was imported from. */
  file: z.string().optional(),
  /** 0..1: how sure the machine is of it; null where a person made it or no score exists. */
  score: z.number().min(0).max(1).nullable(),
  /** How it stands: see `standingOf`. Null for names and pictures. */
  standing: Standing.nullable(),
  /** The clip is unlike any that the pack was taught. */
  guess: z.boolean(),
  /**
   * When it is there: half-open, in seconds from the first frame of the source, with its first frame; null where it is about the whole
   * clip.
   */
  when: z.object({ start: z.number(), end: z.number(), ordinal: z.number().int() }).nullable(),
  annotationId: z.number().int().nullable(),
})
export type Why = z.infer<typeof Why>

const FindHit = z.object({
  clip: Clip,
  /** In the result's measure; null where no pack compared the clip with the query. */
  score: z.number().nullable(),
  /** For words: the best reasons; what a person wrote or drew comes first. */
  why: z.array(Why),
  /** Where in the clip: the region that resembles the box, with its frame. */
  place: z.object({ ordinal: z.number().int(), box: Box }).nullable(),
  /** Clips of other videos with the same picture (re-encoded, resized, cut differently): not listed again. */
  alike: z.array(Clip),
})
export type FindHit = z.infer<typeof FindHit>

export const FindResult = z.object({
  /**
   * What matches, best first, or in time order where there is no query; at most `limit`. Empty means no match. Order for words: what a
   * person wrote or drew; then boxes, text and machine statements by how sure they are; then file names; then clips at or above the pack's
   * match line.
   */
  hits: z.array(FindHit),
  /**
   * The closest clips that do not match, at most three, only when there are no hits: clips that have some of the words, else those below
   * the line.
   */
  nearest: z.array(FindHit),
  /** How many match, including those in `alike`. */
  matches: z.number().int(),
  /**
   * probability: calibrated, that a person would call it a match. cosine: similarity of pictures, not calibrated; for a box also the score
   * of a detector of any words.
   */
  measure: z.enum(['probability', 'cosine']).nullable(),
  /**
   * For words: the pack's match line, null where it compared nothing. For a clip or a box: the score from which a clip stands out from the
   * rest of the library.
   */
  line: z.number().nullable(),
  /** Clips that pass the filters: those compared so far, and all. */
  searched: z.number().int(),
  total: z.number().int(),
  /** Videos that are not analysed to their end yet: more clips may come. */
  unread: z.number().int(),
  /** Captions of this library to search for instead, when nothing matches the words. */
  suggestions: z.array(z.string()),
  /**
   * Words of the query that occur nowhere in the library. `seen`: boxes of it were looked for and none was found. `nearest`: the closest
   * words that can be found.
   */
  unknown: z.array(z.object({ word: z.string(), seen: z.boolean(), nearest: z.array(z.string()) })),
  /**
   * Names whose boxes can be found here, most clips first: labels that were found, then those that are looked for. Given when there are no
   * hits.
   */
  findable: z.array(z.string()),
  /** Some of these clips are unlike any that the search pack was taught. With `guesses` they are compared too. */
  couldGuess: z.boolean(),
  /** For a box: the region of the detector that stands for it. */
  region: z.object({ ordinal: z.number().int(), box: Box }).nullable(),
})
export type FindResult = z.infer<typeof FindResult>

export const Curve = z.object({
  measure: z.enum(['probability', 'cosine']),
  line: z.number(),
  /** In time order; null where a clip is not encoded yet. */
  clips: z.array(z.object({ clipId: z.number().int(), start: z.number(), end: z.number(), score: z.number().nullable() })),
  /** Single moments in seconds from the first frame, from the tokens at that time; empty where the pack's tokens cannot be compared. */
  moments: z.array(z.object({ clipId: z.number().int(), time: z.number(), score: z.number() })),
})
export type Curve = z.infer<typeof Curve>

const Facets = z.object({
  /** `unsure`: none of its tracks, in any clip, is sure. */
  labels: z.array(z.object({ label: z.string(), clips: z.number().int(), unsure: z.boolean() })),
  questions: z.array(z.object({ question: z.string(), clips: z.number().int() })),
})

/** Heat 0..255, from nothing to the strongest cell of this array: [frames, rows, columns], row-major. */
const Heat = z.array(z.number().int().min(0).max(255))

export const Gaze = z.object({
  text: z.string(),
  rows: z.number().int(),
  columns: z.number().int(),
  /** The part of the picture that the rows and columns divide, in shares of its width and height: some packs see only its middle. */
  area: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  /** The frames that the model was given. In a very short clip a frame may come several times. */
  frames: z.array(FrameRef),
  heat: Heat,
  words: z.array(z.object({ text: z.string(), probability: z.number(), heat: Heat })),
})
export type Gaze = z.infer<typeof Gaze>

export const findRoutes = {
  search: route({
    method: 'post',
    path: '/api/search',
    summary: 'Find clips by words, by a clip or by a box, and by what is known of them; without a query, by that alone',
    body: z.object({ query: FindQuery.nullable(), filters: Filters.default({}), limit: z.number().int().min(1).max(2_000).default(60) }),
    output: FindResult,
    errors: ['bad-request', 'not-found', 'clip-not-encoded', 'pack-cannot', 'engine-unavailable'],
  }),
  pickRows: route({
    method: 'post',
    path: '/api/search/pick',
    summary: 'Keep clips to be the rows of a table: some by id, or all that a search finds, best first or not',
    body: z.object({
      clipIds: z.array(z.number().int().positive()).min(1).max(1_000_000).optional(),
      search: z.object({ query: FindQuery.nullable(), filters: Filters }).optional(),
    }),
    output: Picked,
    errors: ['bad-request', 'not-found', 'clip-not-encoded', 'pack-cannot', 'engine-unavailable'],
  }),
  curve: route({
    method: 'post',
    path: '/api/sources/{sourceId}/curve',
    summary: 'How well each moment of a video matches',
    params: z.object({ sourceId: Id }),
    body: z.object({ query: FindQuery }),
    output: Curve,
    errors: ['bad-request', 'not-found', 'clip-not-encoded', 'engine-unavailable'],
  }),
  facets: route({ method: 'get', path: '/api/search/facets', summary: 'What clips can be filtered by', output: Facets }),
  searches: route({
    method: 'get',
    path: '/api/search/history',
    summary: 'Words that were searched for, newest first',
    output: z.object({ searches: z.array(z.string()) }),
  }),
  forgetSearches: route({ method: 'delete', path: '/api/search/history', summary: 'Forget them', output: z.object({}) }),
  gaze: route({
    method: 'get',
    path: '/api/annotations/{annotationId}/gaze',
    summary: 'Where the model looks in the clip for each word of a caption or an answer, whoever wrote it',
    params: z.object({ annotationId: Id }),
    output: Gaze,
    errors: ['bad-request', 'not-found', 'clip-not-encoded', 'engine-unavailable'],
  }),
}
