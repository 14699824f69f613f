/** Edits and their history, and the queue. */
import type { History, stateRoutes } from '../../app/contract/state.ts'
import type { Handlers, Services } from './handler.ts'

/** For calls whose answer is that they were done. */
function done(work: () => void): Record<string, never> {
  work()
  return {}
}

export function stateHandlers({ pipeline: { library }, jobs }: Services): Handlers<keyof typeof stateRoutes> {
  /** What undo puts back must be looked for or encoded again, where that had not been done. */
  const stepped = async (step: () => Promise<History>): Promise<History> => {
    const vocabulary = () => JSON.stringify(library.detections.vocabulary())
    const before = vocabulary()
    const history = await step()
    jobs.eventually(() => jobs.encodeMarks())
    if (vocabulary() !== before) {
      library.emit({ type: 'labels' })
      jobs.eventually(() => jobs.detectLabels())
    }
    return history
  }
  return {
    edit: ({ body: { edits, description, overturn } }) => {
      if (!overturn) library.checkDecisions(edits)
      return library.edit(edits, description)
    },
    history: () => library.steps.history(),
    undo: ({ query: { whose } }) => stepped(() => library.steps.undo(whose)),
    redo: () => stepped(() => library.steps.redo()),
    steps: ({ query: { limit, before } }) => library.steps.list(limit, before),
    jump: ({ body: { step } }) => stepped(() => library.steps.jump(step)),
    clipHistory: ({ params: { clipId } }) => ({ events: library.clipHistory(clipId) }),

    pauseQueue: () => done(() => jobs.pause()),
    resumeQueue: () => done(() => jobs.resume()),
    moveJob: ({ params: { jobId }, body: { before } }) => jobs.move(jobId, before),
    retryJob: ({ params: { jobId } }) => done(() => jobs.retryJob(jobId)),
    retryFailed: () => done(() => jobs.retryFailed()),
    cancelJob: async ({ params: { jobId } }) => {
      await jobs.cancel(jobId)
      return {}
    },
    cancelAll: () => done(() => jobs.cancelAll()),
  }
}
