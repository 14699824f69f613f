/** What the machine has to do, as it is told. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { Phrase } from '../phrase.ts'

export const Job = z.object({
  id: z.number().int(),
  /** analyse: a source end to end. detect: labels over stored encodings. ask: a column's question over stored encodings. mark: spans of a source that a person marked. preview: a copy of a source that every browser plays. */
  kind: z.enum(['analyse', 'detect', 'ask', 'mark', 'preview']),
  /** The file, the question, or the labels. */
  title: z.string(),
  sourceId: z.number().int().nullable(),
  /** The column that an `ask` fills. */
  columnId: z.number().int().nullable(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  /** What is being done; null unless it runs. */
  stage: Phrase.nullable(),
  /** 0..1 */
  progress: z.number(),
  /** Seconds of video a second where it reads a video from end to end, else clips a second; null until it can be told. */
  rate: z.number().nullable(),
  problem: Problem.nullable(),
})
export type Job = z.infer<typeof Job>

export function readsWhole({ kind }: Pick<Job, 'kind'>): boolean {
  return kind === 'analyse' || kind === 'preview'
}

export const Queue = z.object({
  /** Grows from one telling to the next, also over restarts: they come by several ways and may overtake each other. */
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
