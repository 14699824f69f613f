/** Work of several people: names on decisions, handing a library over, and taking somebody's work into one's own. */
import { z } from 'zod'
import { AnnotationBody, ReviewState } from '../annotation.ts'
import { LONGEST_NAME } from '../handover.ts'
import { FilePath, route } from './route.ts'

/** What becomes of something that both decided differently. both: theirs is kept beside ours, where a clip may have several. */
export const Verdict = z.enum(['mine', 'theirs', 'both'])
export type Verdict = z.infer<typeof Verdict>

/** `body` is null where it was set back to what the machine says. */
const Side = z.object({ state: ReviewState, body: AnnotationBody.nullable(), by: z.string().nullable(), at: z.string().nullable() })
const Kind = z.enum(['caption', 'answer', 'track', 'note', 'segment', 'text'])

/** Something that both decided differently. `clipId` is ours. */
const Conflict = z.object({
  id: z.number().int(),
  clipId: z.number().int(),
  kind: Kind,
  mine: Side,
  theirs: Side,
  canBoth: z.boolean(),
})
export type Conflict = z.infer<typeof Conflict>

export const Merge = z.object({
  mergeId: z.string(),
  file: z.string(),
  /** Who handed it over, and when. */
  by: z.string().nullable(),
  madeAt: z.string(),
  /** Names of videos that only they have. */
  videos: z.array(z.string()),
  /** Videos of theirs that lie in the bin here: they are left out. */
  binned: z.array(z.string()),
  /** Clips that only they have, in videos of both. */
  clips: z.number().int(),
  /** Decisions, and what people made, that only they have or that are newer. */
  taken: z.record(Kind, z.number().int()),
  alike: z.number().int(),
  labels: z.array(z.string()),
  columns: z.array(z.string()),
  views: z.array(z.string()),
  /** The first of them, and how many there are. */
  conflicts: z.array(Conflict),
  differing: z.number().int(),
})
export type Merge = z.infer<typeof Merge>

export const Merged = z.object({
  /** The step of undo; 0 where nothing was new. */
  step: z.number().int(),
  /** Names of new videos whose files are not here. */
  away: z.array(z.string()),
})
export type Merged = z.infer<typeof Merged>

const Name = z.string().regex(/^[\w-]{1,64}$/)

export const sharingRoutes = {
  person: route({
    method: 'get',
    path: '/api/person',
    summary: 'The name that decisions made here are stored with; empty where none is wanted',
    output: z.object({ name: z.string() }),
  }),
  setPerson: route({
    method: 'put',
    path: '/api/person',
    summary: 'Give the name that decisions made from now on are stored with, or none',
    body: z.object({ name: z.string().trim().max(LONGEST_NAME) }),
    output: z.object({}),
  }),
  handOver: route({
    method: 'post',
    path: '/api/hand-overs',
    summary:
      'Write the open library into one new file that another person can open or take into a library of their own: everything that was said and decided, with the videos if wanted. The bin, the queue and the name and habits of the person stay here',
    body: z.object({
      /** The new file; .tubelet is added where it is missing. */
      path: FilePath,
      withVideos: z.boolean().default(false),
      /** A name for it; its progress events carry it. */
      handOverId: Name.optional(),
    }),
    /** `left`: videos that were wanted and are not where they were. */
    output: z.object({ path: z.string(), bytes: z.number().int(), videos: z.number().int(), left: z.array(z.string()) }),
    errors: ['bad-request', 'conflict', 'forbidden', 'disk-full', 'cancelled'],
  }),
  cancelHandOver: route({
    method: 'post',
    path: '/api/hand-overs/{handOverId}/cancel',
    summary: 'Stop a hand-over; nothing is left of its file',
    params: z.object({ handOverId: Name }),
    output: z.object({}),
    errors: ['not-found'],
  }),
  openHandedOver: route({
    method: 'post',
    path: '/api/projects/open-file',
    summary:
      'Make a library of its own of a file that was handed over, and open that. Videos that did not come along are looked for by their content, beside the file and in `search`',
    body: z.object({
      path: FilePath,
      /** A new or empty folder. Default: beside the file, with its name. */
      into: FilePath.optional(),
      search: FilePath.optional(),
    }),
    /** `away`: videos that were not found. */
    output: z.object({ path: z.string(), away: z.array(z.string()) }),
    errors: ['bad-request', 'file-missing', 'file-unreadable', 'conflict', 'forbidden', 'disk-full'],
  }),
  readMerge: route({
    method: 'post',
    path: '/api/merges',
    summary:
      'Read a file that was handed over, and say what taking it in would bring and what differs; nothing is stored until it is taken',
    body: z.object({ path: FilePath }),
    output: Merge,
    errors: ['bad-request', 'file-missing', 'file-unreadable', 'conflict', 'forbidden', 'disk-full', 'cancelled'],
  }),
  takeMerge: route({
    method: 'post',
    path: '/api/merges/{mergeId}/take',
    summary:
      'Take in what was read: all of it or nothing, as one step of undo. What only one did is taken, what both did alike stays; what differs must be decided, each by `verdicts` or all others by `rest`',
    params: z.object({ mergeId: z.string() }),
    body: z.object({
      verdicts: z
        .array(z.object({ id: z.number().int(), verdict: Verdict }))
        .max(100_000)
        .default([]),
      rest: Verdict.optional(),
    }),
    output: Merged,
    errors: ['not-found', 'file-unreadable', 'conflict', 'disk-full', 'cancelled'],
  }),
  leaveMerge: route({
    method: 'delete',
    path: '/api/merges/{mergeId}',
    summary: 'Put away what was read, with nothing taken',
    params: z.object({ mergeId: z.string() }),
    output: z.object({}),
    errors: ['not-found'],
  }),
} as const
