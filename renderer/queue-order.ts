/** The order that a person asked for. It is shown until the backend has stored it: messages with the older order may still arrive. */
import type { Queue } from '../app/contract.ts'

interface Move {
  jobId: number
  /** The job in front of which it is put; null: the end of the waiting jobs. */
  before: number | null
}
const asked: Move[] = []

/** What to show when a queue message arrives: the newest queue known, with every move applied that is still being stored. */
export function newest(shown: Queue | undefined, told: Queue): Queue {
  return asked.reduce(withMove, shown !== undefined && shown.revision > told.revision ? shown : told)
}

export function withMove(queue: Queue, { jobId, before }: Move): Queue {
  const { jobs } = queue
  const job = jobs.find(({ id }) => id === jobId)
  // It is running or gone by now, so there is nothing to move.
  if (job?.state !== 'queued') return queue
  const others = jobs.filter(({ id }) => id !== jobId)
  const at = others.findIndex(({ id }) => id === before)
  return { ...queue, jobs: others.toSpliced(at === -1 ? others.findLastIndex(({ state }) => state === 'queued') + 1 : at, 0, job) }
}

let last: Promise<unknown> = Promise.resolve()

/**
 * Ask for a move, and show it until `store` is done. Moves are stored one after the other: parallel requests can overtake each other.
 * @returns The queue with the move, as returned by `store`.
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
