/** Performs a job of each kind. What the queue must know about the kinds is in app/job-kinds.ts. */
import type { Problem } from '../../app/errors.ts'
import type { JobKind } from '../../app/job-kinds.ts'
import { said } from '../../app/phrase.ts'
import { ofFamily } from '../engine/engine.ts'
import type { StoredJob } from '../library/rows.ts'
import { fillColumn } from './columns.ts'
import { analyseSource, encodeMarked, lookAgain, type Pipeline, type Report } from './pipeline.ts'
import { makePreview } from './previews.ts'

type JobOf<K extends JobKind> = Extract<StoredJob, { kind: K }>
/** Resolves with the problem of a file that could be analysed only in part. */
type Work<K extends JobKind> = (pipeline: Pipeline, job: JobOf<K>, report: Report, signal: AbortSignal) => Promise<Problem | null>

const WORK: { readonly [K in JobKind]: Work<K> } = {
  analyse: (pipeline, { sourceId }, report, signal) => analyseSource(pipeline, pipeline.library.source(sourceId), report, signal),
  preview: async (pipeline, { sourceId }, report, signal) => {
    await makePreview(pipeline, pipeline.library.source(sourceId), report, signal)
    return null
  },
  mark: async (pipeline, { sourceId }, report, signal) => {
    await encodeMarked(pipeline, sourceId, report, signal)
    return null
  },
  ask: async (pipeline, { id, columnId }, report, signal) => {
    const { library } = pipeline
    // Somebody may have removed the column.
    const column = library.table.columns().find((one) => one.id === columnId)
    if (column !== undefined) await fillColumn(pipeline, column.text, library.jobs.clipsOf(id), report, signal)
    return null
  },
  detect: async (pipeline, _, report, signal) => {
    await detect(pipeline, report, signal)
    return null
  },
}

export function perform<K extends JobKind>(
  pipeline: Pipeline,
  kind: K,
  job: JobOf<K>,
  report: Report,
  signal: AbortSignal,
): Promise<Problem | null> {
  return WORK[kind](pipeline, job, report, signal)
}

/** Look for the words of the vocabulary wherever nobody looked for them yet. */
async function detect(pipeline: Pipeline, report: Report, signal: AbortSignal): Promise<void> {
  const engine = await pipeline.packs.boxes()
  // A detector with a closed list has already looked for every name.
  if (engine === null || !ofFamily(engine, 'mammut')) return
  const ids = pipeline.library.detections.stale(engine.info.digest)
  for (const [index, clipId] of ids.entries()) {
    signal.throwIfAborted()
    await lookAgain(pipeline, engine, clipId, signal)
    await report({
      stage: said('{{done}} of {{total}} clips', { done: index + 1, total: ids.length }),
      progress: (index + 1) / ids.length,
      clips: index + 1,
    })
  }
  pipeline.library.emit({ type: 'labels' })
}
