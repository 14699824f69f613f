/** The worker threads that this process starts, so that a test can end one in the middle of its work. */
import type { Worker } from 'node:worker_threads'

const started: Worker[] = []
process.on('worker', (worker) => started.push(worker))

/** The thread that was started last ends at the next message that it is sent, before it can answer. */
export function killNewestThreadWhenAsked(): void {
  const worker = started.at(-1)
  if (worker !== undefined) worker.postMessage = () => void worker.terminate()
}

/** The thread that is started next ends at once. */
export function killNextThread(): void {
  process.once('worker', (worker) => void worker.terminate())
}
