/** What the machine has to do, as it is told. */
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
  /** Seconds of video a second where it reads a video from end to end, else clips a second; null until it can be told. */
  rate: z.number().nullable(),
  problem: Problem.nullable(),
})
const onSource = { sourceId: z.number().int(), columnId: z.null() }

export const Job = z.discriminatedUnion('kind', [
  /** A source, end to end. */
  Told.extend({ kind: z.literal('analyse'), ...onSource }),
  /** Labels over stored encodings. */
  Told.extend({ kind: z.literal('detect'), sourceId: z.null(), columnId: z.null() }),
  /** The question of a column over stored encodings. */
  Told.extend({ kind: z.literal('ask'), sourceId: z.null(), columnId: z.number().int() }),
  /** Spans of a source that a person marked. */
  Told.extend({ kind: z.literal('mark'), ...onSource }),
  /** A copy of a source that every browser plays. */
  Told.extend({ kind: z.literal('preview'), ...onSource }),
])
export type Job = z.infer<typeof Job>

export const Queue = z.object({
  /** Grows with every message, also over restarts, so that an older message that arrives late can be told from a newer one. */
  revision: z.number().int(),
  jobs: z.array(Job),
  waiting: z.number().int(),
  running: z.number().int(),
  finished: z.number().int(),
  /** Of the finished ones. */
  failed: z.number().int(),
  /** Nothing is begun, and what runs waits after its clip, a preview copy at once. Kept over restarts. */
  paused: z.boolean(),
  /** Seconds, from the throughput of this machine; null until three files were timed on it. */
  etaSeconds: z.number().nullable(),
})
export type Queue = z.infer<typeof Queue>
