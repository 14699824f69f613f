/**
 * The engine process: runs apart from the host because a graph blocks its thread while it computes and a GPU driver may crash. Takes
 * calls over the process channel; calls interleave at graph runs, so a question need not wait for a long caption to end.
 */
import { problemOf, TubeletError } from '../../app/errors.ts'
import type { Model } from './model.ts'
import { openPack } from './pack.ts'
import type { Calls, CallName, Reply, Request } from './protocol.ts'

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

type Handler<N extends CallName> = (input: Calls[N]['input'], context: { onToken: (text: string) => void; signal: AbortSignal }) => Promise<Calls[N]['output']>

function handlersOf(model: Model, selfTest: () => Promise<string | null>): { [N in CallName]: Handler<N> } {
  return {
    encode: ({ tubes }) => model.encode(tubes),
    caption: (encoding, { signal }) => model.caption(encoding, { signal }),
    answer: ({ question, ...encoding }, { onToken, signal }) => model.answer(encoding, question, { onToken, signal }),
    follow: ({ memory, text, question }, { signal }) => model.follow(memory, text, question, signal),
    regions: ({ tokens, most }) => model.regions(tokens, most),
    embedText: ({ texts, as }) => model.embedText(texts, as),
    detect: ({ tokens, labels }) => model.detect(tokens, labels),
    knownAnswers: ({ clips, texts }) => model.knownAnswers(clips, texts),
    selfTest,
    counts: () => Promise.resolve(model.graphs.counts()),
  }
}

async function serve(packDir: string, untested: boolean): Promise<void> {
  const pack = await openPack(packDir, { untested })
  // Loaded here, so that a runtime without a binary for this machine is reported instead of ending the process.
  const { placeModel, placeUntested, selfTest } = await import('./provider.ts')
  const { model, info } = await (untested ? placeUntested(pack) : placeModel(pack))
  const handlers = handlersOf(model, () => selfTest(pack, model))
  const running = new Map<number, AbortController>()

  async function run<N extends CallName>(id: number, name: N, input: Calls[N]['input']): Promise<void> {
    const abort = new AbortController()
    running.set(id, abort)
    try {
      const output = await handlers[name](input, { onToken: (text) => post({ type: 'token', id, text }), signal: abort.signal })
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

// The runtime's official binaries report to their maker unless this is set before they are loaded. Nothing leaves this computer.
process.env['ORT_DISABLE_TELEMETRY'] = '1'
process.on('disconnect', () => process.exit())
const [packDir, untested] = process.argv.slice(2)
if (packDir === undefined) throw new Error('usage: process PACK_DIR [untested]')
serve(packDir, untested !== undefined).catch((error: unknown) => post({ type: 'failed', problem: problemOf(error) }))
