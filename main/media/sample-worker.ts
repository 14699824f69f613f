/**
 * The worker thread of one decode pass: starts ffmpeg, reads its pipes, finds cuts and cuts tubes, so that no pixel is touched on the
 * host's thread. It ends by itself when the pass is over.
 */
import type { Readable } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import { problemOf } from '../../app/errors.ts'
import { DecodePass } from './decode-pass.ts'
import type { FromWorker, ToWorker, WorkerTask } from './sample.ts'
import { ended, startTool } from './tools.ts'

/** Finished clips that the host has not taken yet; at this number ffmpeg's pipes are left to fill, and it waits. */
const MAX_WAITING = 2
/** A decoder that gives no byte for this long, though it is read from, never will. */
const STALL_MS = 60_000

const host = parentPort
if (host === null) throw new Error('sample-worker runs as a worker thread')
// The task is typed by the one place that starts this worker.
const task = workerData as WorkerTask

function send(message: FromWorker): void {
  const buffers =
    message.type === 'clip'
      ? [...message.clip.tubes.map((tube) => tube.buffer), message.clip.thumbnail.buffer]
      : message.type === 'thumbnail'
        ? [message.jpeg.buffer]
        : message.type === 'done'
          ? [message.pts.buffer, ...message.filmstrip.map((jpeg) => jpeg.buffer)]
          : []
  host?.postMessage(message, buffers)
}

const stop = new AbortController()
const stall = new AbortController()
const child = startTool(task.ffmpeg, task.args, ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'], AbortSignal.any([stop.signal, stall.signal]))
const [, tiny, messages, model, preview, strip] = child.stdio as (Readable | null)[]
const pipes = [tiny, messages, model, preview, strip].filter((pipe) => pipe !== null && pipe !== undefined)

const pass = new DecodePass(task)
let waiting = 0
let lastBytes = Date.now()

function read(pipe: Readable | null | undefined, take: (chunk: Buffer) => Iterable<FromWorker>): void {
  pipe?.on('data', (chunk: Buffer) => {
    lastBytes = Date.now()
    try {
      for (const event of take(chunk)) post(event)
    } catch (error) {
      halt()
      send({ type: 'failed', problem: problemOf(error) })
    }
  })
}

/** Kills ffmpeg. Its pipes go too: a paused pipe never ends, and the child would never count as closed. */
function halt(): void {
  stop.abort()
  for (const pipe of pipes) pipe.destroy()
}

function post(event: FromWorker): void {
  if (event.type === 'clip' && ++waiting === MAX_WAITING) for (const pipe of pipes) pipe.pause()
  send(event)
}

host.on('message', (message: ToWorker) => {
  if (message === 'stop') halt()
  else if (--waiting < MAX_WAITING) {
    lastBytes = Date.now()
    for (const pipe of pipes) pipe.resume()
  }
})

read(tiny, (chunk) => pass.tiny(chunk))
read(messages, (chunk) => pass.messages(chunk))
read(model, (chunk) => pass.model(chunk))
read(preview, (chunk) => pass.preview(chunk))
strip?.on('data', (chunk: Buffer) => pass.strip(chunk))

const watch = setInterval(() => {
  if (waiting < MAX_WAITING && Date.now() - lastBytes > STALL_MS) stall.abort()
}, 1000)

try {
  const code = await ended(child)
  if (!stop.signal.aborted) for (const event of pass.finish(code, stall.signal.aborted)) send(event)
} catch (error) {
  send({ type: 'failed', problem: problemOf(error) })
} finally {
  clearInterval(watch)
  host.close()
}
