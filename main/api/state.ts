/** Edits and their history, and the queue. */
import type { stateRoutes } from '../../app/contract/state.ts'
import { inField } from '../../app/errors.ts'
import type { Handlers, Services } from './handler.ts'

/** For calls that return nothing. */
function done(work: () => void): Record<string, never> {
  work()
  return {}
}

export function stateHandlers({ pipeline: { library }, jobs }: Services): Handlers<keyof typeof stateRoutes> {
  return {
    edit: ({ body: { edits, description, overturn } }) => {
      if (!overturn) library.checkDecisions(edits)
      return inField('body.edits', () => library.edit(edits, description))
    },
    history: () => library.history.next(),
    undo: ({ query: { whose } }) => library.history.undo(whose),
    redo: () => library.history.redo(),
    steps: ({ query: { limit, before } }) => library.history.list(limit, before),
    jump: ({ body: { step } }) => library.history.jump(step),
    clipHistory: ({ params: { clipId } }) => ({ events: library.clipHistory(clipId) }),

    pauseQueue: () => done(() => jobs.pause()),
    resumeQueue: () => done(() => jobs.resume()),
    moveJob: ({ params: { jobId }, body: { before } }) => jobs.move(jobId, before),
    retryJob: ({ params: { jobId } }) => done(() => jobs.retryJob(jobId)),
    retryFailed: () => done(() => jobs.retryFailed()),
    removeJob: ({ params: { jobId } }) => ({ binned: jobs.removeFailed(jobId) }),
    removeFailed: () => ({ binned: jobs.removeFailed() }),
    cancelJob: async ({ params: { jobId } }) => {
      await jobs.cancel(jobId)
      return {}
    },
    cancelAll: () => done(() => jobs.cancelAll()),
  }
}
