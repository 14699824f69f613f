/**
 * The engine process: separate from the host because a running graph blocks its thread and a GPU driver may crash. Calls interleave
 * at graph runs, so a question need not wait for a long caption to end.
 */
import { TubeletError } from '../../app/errors.ts'
import { type Call, serve } from '../channel.ts'
import type { PackHandlers } from './families.ts'
import type { CallName, Calls, EngineInfo, EngineService } from './protocol.ts'

interface Opened {
  info: EngineInfo
  handlers: PackHandlers
}

async function open(packDir: string, untested: boolean): Promise<Opened> {
  // Loaded here, so that a runtime without a binary for this machine is reported instead of ending the process.
  const { openPlaceable } = await import('./families.ts')
  const { placePack, placeUntested } = await import('./provider.ts')
  const pack = await openPlaceable(packDir, untested)
  const { placed, info } = await (untested ? placeUntested(pack) : placePack(pack))
  const handlers = {
    ...placed.handlers,
    selfTest: () => placed.selfTest({}),
    counts: () => Promise.resolve(placed.graphs.counts()),
  }
  return { info, handlers }
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
const [packDir, untested] = process.argv.slice(2)
if (packDir === undefined) throw new Error('usage: process PACK_DIR [untested]')
const opened = open(packDir, untested !== undefined)
// Avoids an unhandled rejection: callers get the error.
opened.catch(() => undefined)

const of =
  <N extends CallName>(name: N) =>
  async (input: Calls[N]['input'], call: Call<Calls[N]>): Promise<Calls[N]['output']> => {
    const { info, handlers } = await opened
    const handler = handlers[name]
    if (handler === undefined) throw cannot(info)
    return await handler(input, call)
  }

serve<EngineService>({
  open: async () => (await opened).info,
  beat: () => Promise.resolve(null),
  encode: of('encode'),
  unfamiliar: of('unfamiliar'),
  caption: of('caption'),
  answer: of('answer'),
  follow: of('follow'),
  regions: of('regions'),
  embedText: of('embedText'),
  detect: of('detect'),
  see: of('see'),
  read: of('read'),
  look: of('look'),
  spot: of('spot'),
  liken: of('liken'),
  knownLook: of('knownLook'),
  knownAnswers: of('knownAnswers'),
  counts: of('counts'),
  selfTest: of('selfTest'),
})
