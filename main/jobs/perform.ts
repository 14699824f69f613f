/** Performs a job of each kind. What the queue must know about the kinds is in app/job-kinds.ts. */
import type { Problem } from '../../app/errors.ts'
import type { JobKind } from '../../app/job-kinds.ts'
import { said } from '../../app/phrase.ts'
import { ofFamily, type OwlEngine } from '../engine/engine.ts'
import type { StoredJob } from '../library/rows.ts'
import { fillColumn } from './columns.ts'
import { analyseSource, encodeMarked, lookAgain, type Pipeline, type Report } from './pipeline.ts'
import { makePreview } from './previews.ts'
import { lookAmongCells } from './watch.ts'

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
  if (engine === null || ofFamily(engine, 'detector')) return
  if (ofFamily(engine, 'owl')) {
    await detectAmongCells(pipeline, engine, report, signal)
    return
  }
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

/** The same for a detector of any words, video by video, since its tracks run through all clips. */
async function detectAmongCells(pipeline: Pipeline, engine: OwlEngine, report: Report, signal: AbortSignal): Promise<void> {
  const { library } = pipeline
  const stale = library.detections.stale(engine.info.digest)
  const sources = [...new Set(stale.map((clipId) => library.clip(clipId).sourceId))]
  for (const [index, sourceId] of sources.entries()) {
    signal.throwIfAborted()
    const clipIds = await lookAmongCells(pipeline, engine, sourceId, signal)
    if (clipIds.length > 0) library.emit({ type: 'annotations', clipIds })
    await report({
      stage: said('{{done}} of {{total}} videos', { done: index + 1, total: sources.length }),
      progress: (index + 1) / sources.length,
      clips: index + 1,
    })
  }
  library.emit({ type: 'labels' })
}
