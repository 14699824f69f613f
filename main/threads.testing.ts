/** The worker threads that this process starts, so that a test can end one in the middle of its work. */
import type { Worker } from 'node:worker_threads'

const started: Worker[] = []
process.on('worker', (worker) => started.push(worker))

/** End the thread that was started last, as if it had crashed. */
export async function killNewestThread(): Promise<void> {
  await started.at(-1)?.terminate()
}
