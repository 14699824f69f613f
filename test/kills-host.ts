/**
 * A Tubelet that a test kills: a process of its own, which answers requests that come over its channel as the window's host does. It also says which
 * threads it has, and ends one when it is told to.
 */
import { flushCompileCache } from 'node:module'
import type { Worker } from 'node:worker_threads'
import { openTubelet } from '../main/open.ts'

export type ToHost = { id: number; method: string; url: string; body?: unknown } | { id: number; endThread: number }
export interface FromHost {
  /** 0 when it is open. */
  id: number
  status: number
  json: unknown
}

const [projectDir = '', packsDir = ''] = process.argv.slice(2)
const threads = new Set<Worker>()
process.on('worker', (worker) => {
  threads.add(worker)
  worker.once('exit', () => threads.delete(worker))
})
const tubelet = openTubelet({ projectDir, packsDir, host: 'cli' })
const say = (message: FromHost) => void process.send?.(message, undefined, undefined, () => undefined)
process.on('message', (message: ToHost) => void answer(message))
// Its parent has ended.
process.on('disconnect', () => process.exit())
flushCompileCache()
say({ id: 0, status: 200, json: null })

async function answer(message: ToHost): Promise<void> {
  const { id } = message
  if ('endThread' in message) {
    const all = [...threads]
    const one = all[Math.floor(message.endThread * all.length)]
    await one?.terminate()
    say({ id, status: 200, json: all.length > 0 })
    return
  }
  const { method, url, body } = message
  const response = await tubelet.handle(
    new Request(`http://tubelet${url}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  )
  const text = await response.text()
  say({ id, status: response.status, json: text.startsWith('{') ? (JSON.parse(text) as unknown) : null })
}
