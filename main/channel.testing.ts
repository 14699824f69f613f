/** The other side of the tests of `main/channel.ts`, as a thread and as a process. */
import { TubeletError } from '../app/errors.ts'
import { serve } from './channel.ts'

export interface Trial {
  echo: { input: unknown; output: unknown }
  /** Answers when `release` is called with the same name. */
  held: { input: string; output: string }
  release: { input: string; output: null }
  count: { input: number; output: number; note: { at: number; bytes: Uint8Array<ArrayBuffer> } }
  /** Never answers; `cancelled` gives the calls that were cancelled. */
  hang: { input: string; output: never }
  cancelled: { input: null; output: string[] }
  refuse: { input: { as: 'ours' | 'disk' | 'other' }; output: never }
  unclonable: { input: null; output: unknown }
  exit: { input: number; output: never }
  /** Throws where no call can catch it. */
  crash: { input: null; output: never }
  fill: { input: null; output: never }
  /** How many bytes the memory still has on this side after it was sent as a note. */
  sent: { input: null; output: number; note: Uint8Array<ArrayBuffer> }
  process: { input: null; output: number }
  /** Whether the bytes lie in the memory in which those of the call before lay. */
  memory: { input: { bytes: Uint8Array }; output: boolean }
}

const held = new Map<string, PromiseWithResolvers<string>>()
const cancelled: string[] = []
let before: ArrayBufferLike | null = null
const holding = (name: string) => {
  const one = held.get(name) ?? Promise.withResolvers<string>()
  held.set(name, one)
  return one
}
const never = () => new Promise<never>(() => undefined)

if (process.argv[2] === 'never-starts') process.exit(7)

serve<Trial>({
  echo: (input) => input,
  held: (name) => holding(name).promise,
  release: (name) => {
    holding(name).resolve(name)
    return null
  },
  count: (to, { note }) => {
    for (let at = 1; at <= to; at += 1) note({ at, bytes: new Uint8Array([at]) })
    return to
  },
  hang: (name, { signal }) => {
    signal.addEventListener('abort', () => cancelled.push(name))
    return never()
  },
  cancelled: () => cancelled,
  refuse: ({ as }) => {
    if (as === 'ours')
      throw new TubeletError({
        code: 'pack-cannot',
        message: '“{{pack}}” cannot do that.',
        values: { pack: 'mini' },
        next: 'Choose another.',
      })
    throw as === 'disk' ? Object.assign(new Error('write'), { code: 'ENOSPC' }) : new RangeError('out of range')
  },
  unclonable: () => () => undefined,
  exit: (code) => process.exit(code),
  crash: () => {
    setImmediate(() => {
      throw new Error('crashed between calls')
    })
    return never()
  },
  fill: () => {
    const all: string[][] = []
    for (;;) all.push(Array.from({ length: 100_000 }, (_, at) => `${all.length} ${at}`))
  },
  sent: (_, { note }) => {
    const memory = new Uint8Array(1000)
    note(memory, [memory.buffer])
    return memory.byteLength
  },
  process: () => process.pid,
  memory: ({ bytes: { buffer } }) => {
    const same = buffer === before
    before = buffer
    return same
  },
})
