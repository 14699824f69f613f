/** Filling a column of the table: one question to many clips, over their stored encodings. */
import { said } from '../../app/phrase.ts'
import { fillCell, type Pipeline, type Report } from './pipeline.ts'

/** Clips to fetch at a time: a library may have a hundred thousand. */
const CHUNK = 200

/** Ask each encoded clip that has no answer yet, or those of `clipIds`, in order. A clip that was removed in the meantime is skipped. */
export async function fillColumn(
  pipeline: Pipeline,
  question: string,
  clipIds: readonly number[] | null,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { table } = pipeline.library
  const { digest } = (await pipeline.packs.words('answer')).info
  const wanted = clipIds && new Set(clipIds)
  const of = wanted?.size ?? table.unanswered(question, digest, 0, Number.MAX_SAFE_INTEGER).length
  let done = 0
  /** Whether a cell that was not known to have no answer has none. */
  let isNews = false
  for (
    let ids = table.unanswered(question, digest, 0, CHUNK);
    ids.length > 0;
    ids = table.unanswered(question, digest, ids.at(-1) ?? 0, CHUNK)
  ) {
    for (const clipId of ids) {
      if (wanted?.has(clipId) === false) continue
      signal.throwIfAborted()
      const knew = table.whyUnanswered(clipId, question) !== null
      if ((await fillCell(pipeline, clipId, question, signal)) && !knew) isNews = true
      done += 1
      await report({
        stage: said('{{done}} of {{total}} clips', { done, total: Math.max(of, done) }),
        progress: done / Math.max(of, done),
        clips: done,
      })
    }
  }
  // Of the whole column: it may have been filled in parts, or again.
  if (isNews)
    pipeline.library.emit({
      type: 'told',
      phrase: said('“{{question}}” cannot be answered in {{refused}} of {{asked}} clips. Their cells say why.', {
        question,
        ...table.refused(question, digest),
      }),
    })
}
