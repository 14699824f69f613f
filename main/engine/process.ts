/**
 * The engine process: runs apart from the host because a graph blocks its thread while it computes and a GPU driver may crash. Takes
 * calls over the process channel; calls interleave at graph runs, so a question need not wait for a long caption to end.
 */
import { problemOf, TubeletError } from '../../app/errors.ts'
import type { Handlers } from './families.ts'
import type { Calls, CallName, EngineInfo, Reply, Request } from './protocol.ts'

/** The channel of an Electron utility process; a forked Node process has `process.send` instead. */
interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
}
const { parentPort }: { parentPort?: ParentPort } = process

function post(reply: Reply): void {
  if (parentPort) parentPort.postMessage(reply)
  // The host may be gone already; "disconnect" then ends this process.
  else if (process.connected) process.send?.(reply, undefined, undefined, () => undefined)
}

function onRequest(listener: (request: Request) => void): void {
  if (parentPort) parentPort.on('message', ({ data }) => listener(data as Request))
  else process.on('message', (message) => listener(message as Request))
}

async function serve(packDir: string, untested: boolean): Promise<void> {
  // Loaded here, so that a runtime without a binary for this machine is reported instead of ending the process.
  const { openPlaceable } = await import('./families.ts')
  const { placePack, placeUntested } = await import('./provider.ts')
  const pack = await openPlaceable(packDir, untested)
  const { placed, info } = await (untested ? placeUntested(pack) : placePack(pack))
  const handlers: Handlers = {
    ...placed.handlers,
    selfTest: () => placed.selfTest({}),
    counts: () => Promise.resolve(placed.graphs.counts()),
  }
  const running = new Map<number, AbortController>()

  async function run<N extends CallName>(id: number, name: N, input: Calls[N]['input']): Promise<void> {
    const abort = new AbortController()
    running.set(id, abort)
    try {
      const handler = handlers[name]
      if (handler === undefined) throw cannot(info)
      const output = await handler(input, { onToken: (text) => post({ type: 'token', id, text }), signal: abort.signal })
      post({ type: 'result', id, output })
    } catch (error) {
      post({ type: 'error', id, problem: problemOf(error) })
    } finally {
      running.delete(id)
    }
  }

  onRequest((request) => {
    if (request.type === 'call') void run(request.id, request.name, request.input)
    else running.get(request.id)?.abort(new TubeletError({ code: 'cancelled', message: 'Cancelled.' }))
  })
  post({ type: 'ready', info })
}

function cannot({ manifest }: EngineInfo): TubeletError {
  return new TubeletError({
    code: 'pack-cannot',
    message: '“{{pack}}” cannot do that.',
    values: { pack: manifest.name },
    stillWorks: 'What this model can do is written on the Packs page.',
    next: 'Give that task to a pack that can.',
  })
}

// The runtime's official binaries report to their maker unless this is set before they are loaded. Nothing leaves this computer.
process.env['ORT_DISABLE_TELEMETRY'] = '1'
process.on('disconnect', () => process.exit())
const [packDir, untested] = process.argv.slice(2)
if (packDir === undefined) throw new Error('usage: process PACK_DIR [untested]')
serve(packDir, untested !== undefined).catch((error: unknown) => post({ type: 'failed', problem: problemOf(error) }))
