/** What a job of each kind does. */
import type { Source } from '../../app/contract.ts'
import type { Problem } from '../../app/errors.ts'
import { said } from '../../app/phrase.ts'
import { ofFamily } from '../engine/engine.ts'
import type { JobPayload } from '../library/job-table.ts'
import type { StoredJob } from '../library/rows.ts'
import { fillColumn } from './columns.ts'
import { analyseSource, encodeMarked, lookAgain, type Pipeline, type Report } from './pipeline.ts'
import { makePreview } from './previews.ts'

/** Resolves with what was wrong with a file that was not analysed whole. */
export async function perform(
  pipeline: Pipeline,
  job: StoredJob,
  { clipIds }: JobPayload,
  report: Report,
  signal: AbortSignal,
): Promise<Problem | null> {
  switch (job.kind) {
    case 'analyse':
      return analyseSource(pipeline, sourceOf(pipeline, job), report, signal)
    case 'preview':
      await makePreview(pipeline, sourceOf(pipeline, job), report, signal)
      return null
    case 'mark':
      await encodeMarked(pipeline, sourceOf(pipeline, job).id, report, signal)
      return null
    case 'ask': {
      const column = pipeline.library.table.columns().find(({ id }) => id === job.columnId)
      if (column !== undefined) await fillColumn(pipeline, column.text, clipIds ?? null, report, signal)
      return null
    }
    case 'detect':
      await detect(pipeline, report, signal)
      return null
  }
}

function sourceOf({ library }: Pipeline, { id, sourceId }: StoredJob): Source {
  if (sourceId === null) throw new Error(`job ${id} is on no source`)
  return library.source(sourceId)
}

/** Look for the words of the vocabulary wherever nobody looked for them yet. */
async function detect(pipeline: Pipeline, report: Report, signal: AbortSignal): Promise<void> {
  const engine = await pipeline.packs.boxes()
  // What a detector of a closed list saw is there for every label.
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
