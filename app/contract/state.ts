/** What was done and what remains to do: edits and their history, the queue. */
import { z } from 'zod'
import { AnnotationBody, Provenance } from '../annotation.ts'
import { ACTIONS } from '../deeds.ts'
import { Phrase } from '../phrase.ts'
import { Queue } from './queue.ts'
import { Id, route, whole } from './route.ts'

/**
 * What the annotation said when the edit was begun. Where a person has made something else of it since, the edit is refused (`conflict`), so
 * that nobody overwrites what somebody wrote meanwhile. Without it an edit holds whatever is there.
 */
export const BasedOn = AnnotationBody.optional()

export const Edit = z.discriminatedUnion('action', [
  z.object({ action: z.literal('add'), clipId: Id, body: AnnotationBody }),
  z.object({ action: z.literal('edit'), annotationId: Id, body: AnnotationBody, basedOn: BasedOn }),
  z.object({ action: z.enum(['accept', 'reject', 'reset']), annotationId: Id, basedOn: BasedOn }),
])
export type Edit = z.infer<typeof Edit>

/**
 * What undo and redo would do; null where there is nothing. A window cannot undo what another open window did: `elsewhere` is the last step
 * of the others, given where this window has none of its own.
 */
export const History = z.object({ undo: Phrase.nullable(), redo: Phrase.nullable(), elsewhere: Phrase.nullable() })
export type History = z.infer<typeof History>

/** One step of undo: what a person did at once, to one annotation or to many; without a clip, to the vocabulary only. */
export const Step = z.object({
  id: z.number().int(),
  description: Phrase,
  edits: z.number().int(),
  clipId: z.number().int().nullable(),
  sourceId: z.number().int().nullable(),
  undone: z.boolean(),
  at: z.string(),
})
export type Step = z.infer<typeof Step>

/** A change to a clip, by the model (`provenance`) or by a person. `body` is null where nothing was left. */
export const ClipEvent = z.object({
  at: z.string(),
  annotationId: z.number().int(),
  action: z.enum(['said', ...ACTIONS]),
  kind: z.enum(['caption', 'answer', 'track', 'note', 'segment', 'text']),
  body: AnnotationBody.nullable(),
  provenance: Provenance.nullable(),
  confidence: z.number().nullable(),
  /** The name of the person, where one was given. */
  by: z.string().nullable(),
  /** The step was taken back. */
  undone: z.boolean(),
})
export type ClipEvent = z.infer<typeof ClipEvent>

const onJob = z.object({ jobId: Id })

export const stateRoutes = {
  edit: route({
    method: 'post',
    path: '/api/edits',
    summary:
      'Edits that are one step of undo together: all are made or none. Answers with the annotation of each, ' +
      'in order. Decisions about many that would turn round what a person decided are refused, with their number, ' +
      'unless `overturn` says that they are meant too. An edit with `basedOn` is refused where a person has changed the ' +
      'annotation since',
    body: z.object({ edits: z.array(Edit).min(1).max(1_000_000), description: Phrase.optional(), overturn: z.boolean().default(false) }),
    output: z.object({ annotationIds: z.array(z.number().int()), step: z.number().int() }),
    errors: ['not-found', 'bad-request', 'conflict'],
  }),
  history: route({ method: 'get', path: '/api/history', summary: 'What undo and redo would do', output: History }),
  undo: route({
    method: 'post',
    path: '/api/history/undo',
    summary: 'Undo the newest step; survives restarts. Asked by a window: the newest of its own, unless all are meant',
    query: z.object({ whose: z.enum(['own', 'all']).default('own') }),
    output: History,
    errors: ['conflict'],
  }),
  redo: route({ method: 'post', path: '/api/history/redo', summary: 'Redo', output: History }),
  steps: route({
    method: 'get',
    path: '/api/history/steps',
    summary: 'Steps, newest first, with those that redo would do again',
    query: z.object({ limit: whole(z.number().int().min(1).max(1_000)).default(200), before: Id.optional() }),
    output: z.object({ steps: z.array(Step), total: z.number().int() }),
  }),
  jump: route({
    method: 'post',
    path: '/api/history/jump',
    summary: 'Undo or redo until this step is the newest one that holds; 0 is before all of them',
    body: z.object({ step: z.number().int().min(0) }),
    output: History,
    errors: ['not-found'],
  }),
  clipHistory: route({
    method: 'get',
    path: '/api/clips/{clipId}/history',
    summary: 'Who said what about a clip and when, model and people, newest first',
    params: z.object({ clipId: Id }),
    output: z.object({ events: z.array(ClipEvent) }),
    errors: ['not-found'],
  }),

  pauseQueue: route({
    method: 'post',
    path: '/api/queue/pause',
    summary: 'Begin nothing; what runs waits after the clip that it is at, a preview copy at once. Kept over restarts',
    output: z.object({}),
  }),
  resumeQueue: route({ method: 'post', path: '/api/queue/resume', summary: 'Go on', output: z.object({}) }),
  moveJob: route({
    method: 'post',
    path: '/api/queue/{jobId}/move',
    summary: 'Do a waiting job just before another waiting one; before none is last',
    params: onJob,
    body: z.object({ before: Id.nullable() }),
    output: Queue,
    errors: ['not-found', 'conflict'],
  }),
  retryJob: route({
    method: 'post',
    path: '/api/queue/{jobId}/retry',
    summary: 'Do a job again that failed or was cancelled; what it stored stays',
    params: onJob,
    output: z.object({}),
    errors: ['not-found'],
  }),
  retryFailed: route({ method: 'post', path: '/api/queue/retry', summary: 'Do all failed jobs again', output: z.object({}) }),
  removeJob: route({
    method: 'post',
    path: '/api/queue/{jobId}/remove',
    summary:
      'Take a job that failed or was cancelled off the list. A video of which nothing could be read goes to the bin with it; `binned` says how many did. A step of undo',
    params: onJob,
    output: z.object({ binned: z.number().int() }),
    errors: ['not-found', 'conflict'],
  }),
  removeFailed: route({
    method: 'post',
    path: '/api/queue/remove',
    summary: 'Take all failed jobs off the list, and videos of which nothing could be read with them: a step of undo',
    output: z.object({ binned: z.number().int() }),
  }),
  cancelJob: route({
    method: 'post',
    path: '/api/queue/{jobId}/cancel',
    summary: 'Cancel one job; what it finished stays',
    params: onJob,
    output: z.object({}),
    errors: ['not-found'],
  }),
  cancelAll: route({ method: 'post', path: '/api/queue/cancel', summary: 'Cancel every waiting and running job', output: z.object({}) }),
} as const
