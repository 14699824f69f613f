/** The queue as the window and the API see it. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { Phrase } from '../phrase.ts'

const Told = z.object({
  id: z.number().int(),
  /** The file, the question, or the labels. */
  title: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  /** What is being done; null unless it runs. */
  stage: Phrase.nullable(),
  /** 0..1 */
  progress: z.number(),
  /** Seconds of video per second for jobs that read a video from end to end, else clips per second; null until it is known. */
  rate: z.number().nullable(),
  problem: Problem.nullable(),
})
const onSource = { sourceId: z.number().int(), columnId: z.null() }

export const Job = z.discriminatedUnion('kind', [
  /** Analyse a source from end to end. */
  Told.extend({ kind: z.literal('analyse'), ...onSource }),
  /** Look for labels in stored encodings. */
  Told.extend({ kind: z.literal('detect'), sourceId: z.null(), columnId: z.null() }),
  /** Ask the question of a column of stored encodings. */
  Told.extend({ kind: z.literal('ask'), sourceId: z.null(), columnId: z.number().int() }),
  /** Analyse spans of a source that a person marked. */
  Told.extend({ kind: z.literal('mark'), ...onSource }),
  /** Make a copy of a source that every browser plays. */
  Told.extend({ kind: z.literal('preview'), ...onSource }),
])
export type Job = z.infer<typeof Job>

export const Queue = z.object({
  /** Grows with every message, even over restarts, so that a late older message can be told from a newer one. */
  revision: z.number().int(),
  jobs: z.array(Job),
  waiting: z.number().int(),
  running: z.number().int(),
  finished: z.number().int(),
  /** How many of the finished ones failed. */
  failed: z.number().int(),
  /** No job starts; a running job waits after its current clip, a preview copy at once. Kept over restarts. */
  paused: z.boolean(),
  /** Seconds, from the throughput of this machine; null until three files were timed. */
  etaSeconds: z.number().nullable(),
})
export type Queue = z.infer<typeof Queue>
