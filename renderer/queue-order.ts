/** The order that a person asked for. It holds until the backend has stored it: word of the order before that may still be on its way. */
import type { Queue } from '../app/contract.ts'

interface Move {
  jobId: number
  /** The job that it comes before; null: the end of those that wait. */
  before: number | null
}
const asked: Move[] = []

/** What to show when the backend has told of its queue: the newest word of it, as it will be when every move that was asked for is stored. */
export function newest(shown: Queue | undefined, told: Queue): Queue {
  return asked.reduce(withMove, shown !== undefined && shown.revision > told.revision ? shown : told)
}

export function withMove(queue: Queue, { jobId, before }: Move): Queue {
  const { jobs } = queue
  const job = jobs.find(({ id }) => id === jobId)
  // It runs or is gone by now: nothing is left to move.
  if (job?.state !== 'queued') return queue
  const others = jobs.filter(({ id }) => id !== jobId)
  const at = others.findIndex(({ id }) => id === before)
  return { ...queue, jobs: others.toSpliced(at === -1 ? others.findLastIndex(({ state }) => state === 'queued') + 1 : at, 0, job) }
}

let last: Promise<unknown> = Promise.resolve()

/**
 * Ask for a move, and keep it in sight until `store` is done. One is stored after the other: requests that are under way together can overtake.
 * @returns The queue with it, as `store` tells it.
 */
export async function ask(move: Move, store: () => Promise<Queue>): Promise<Queue> {
  asked.push(move)
  const stored = last.then(store)
  last = stored.catch(() => undefined)
  try {
    return await stored
  } finally {
    asked.splice(asked.indexOf(move), 1)
  }
}
