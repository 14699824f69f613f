/** The channel with real threads and processes on the other side. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Problem, TubeletError } from '../app/errors.ts'
import { Channel, childProcess, thread } from './channel.ts'
import type { Trial } from './channel.testing.ts'

const STOPPED: Problem = { code: 'engine-unavailable', message: 'The trial stopped.', next: 'Try again.' }
const SIDES = {
  thread: (...args: string[]) => thread(import.meta.url, 'channel.testing', args),
  process: (...args: string[]) => childProcess(path.join(import.meta.dirname, 'channel.testing.ts'), args),
}

let channel: Channel<Trial> | undefined
afterEach(() => channel?.close())

const problemOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => (error as TubeletError).problem,
  )

describe.each(['thread', 'process'] as const)('with a %s', (kind) => {
  let started = 0
  const open = (...args: string[]) => {
    started = 0
    return (channel = new Channel<Trial>(() => {
      started += 1
      return SIDES[kind](...args)
    }, STOPPED))
  }

  test('it starts at the first call and serves all of them', async () => {
    const asked = open()
    expect(started).toBe(0)
    const tree = { text: 'größer', numbers: new Float32Array([1.5, -2]), map: new Map([[1, new Set(['a'])]]), nothing: null }
    expect(await asked.call('echo', tree)).toEqual(tree)
    expect(await asked.call('echo', 2)).toBe(2)
    expect(started).toBe(1)
  })

  test('each call gets its own answer, in whatever order they come', async () => {
    const asked = open()
    const order: string[] = []
    const calls = ['first', 'second', 'third'].map(async (name) => order.push(await asked.call('held', name)))
    for (const name of ['third', 'first', 'second']) {
      await asked.call('release', name)
      await expect.poll(() => order.at(-1)).toBe(name)
    }
    await Promise.all(calls)
    expect(order).toEqual(['third', 'first', 'second'])
  })

  test('an error keeps its kind and its words, and is no end', async () => {
    const asked = open()
    expect(await problemOf(asked.call('refuse', { as: 'ours' }))).toEqual({
      code: 'pack-cannot',
      message: '“{{pack}}” cannot do that.',
      values: { pack: 'mini' },
      next: 'Choose another.',
    })
    await expect(asked.call('refuse', { as: 'ours' })).rejects.toThrow('“mini” cannot do that.')
    expect(await problemOf(asked.call('refuse', { as: 'disk' }))).toMatchObject({ code: 'disk-full' })
    const other = await problemOf(asked.call('refuse', { as: 'other' }))
    expect(other).toMatchObject({ code: 'internal' })
    expect(other?.details).toContain('out of range')
    expect(await asked.call('echo', 1)).toBe(1)
    expect(started).toBe(1)
  })

  test('notes come in order before the answer, and to their own call alone', async () => {
    const asked = open()
    const [few, many]: [number[], number[]] = [[], []]
    const answers = await Promise.all([
      asked.call('count', 3, { onNote: ({ at, bytes }) => few.push(at * 10 + (bytes[0] ?? 0)) }),
      asked.call('count', 5, { onNote: ({ at }) => many.push(at) }),
      asked.call('count', 2),
    ])
    expect(answers).toEqual([3, 5, 2])
    expect(few).toEqual([11, 22, 33])
    expect(many).toEqual([1, 2, 3, 4, 5])
  })

  test('a cancelled call rejects with the reason, and the other side hears of it', async () => {
    const asked = open()
    await asked.call('echo', null)
    const [stop, goOn] = [new AbortController(), new AbortController()]
    const reason = new Error('the person chose so')
    const gone = expect(asked.call('hang', 'gone', { signal: stop.signal })).rejects.toBe(reason)
    const kept = asked.call('held', 'kept', { signal: goOn.signal })
    stop.abort(reason)
    await gone
    await expect(asked.call('echo', 0, { signal: stop.signal })).rejects.toBe(reason)
    expect(await asked.call('cancelled', null)).toEqual(['gone'])
    await asked.call('release', 'kept')
    expect(await kept).toBe('kept')
    goOn.abort()
    expect(await asked.call('cancelled', null)).toEqual(['gone'])
  })

  test.each([
    ['ends itself', 'exit', 3, 'exit code 3'],
    ['fails outside any call', 'crash', null, kind === 'thread' ? 'crashed between calls' : 'exit code 1'],
  ] as const)('a side that %s in mid-call is told to all who wait, and the next call starts another', async (_, how, input, details) => {
    const asked = open()
    const waiting = problemOf(asked.call('held', 'for ever'))
    const dying = problemOf(asked.call(how, input))
    for (const problem of [await waiting, await dying]) {
      expect(problem).toMatchObject(STOPPED)
      expect(problem?.details).toContain(details)
    }
    expect(await asked.call('echo', 'again')).toBe('again')
    expect(started).toBe(2)
  })

  test('what cannot be cloned is refused, either way, and nothing hangs', async () => {
    const asked = open()
    expect(await problemOf(asked.call('echo', () => undefined))).toMatchObject({ code: 'internal' })
    expect(await problemOf(asked.call('unclonable', null))).toMatchObject({ code: 'internal' })
    expect(await asked.call('echo', 1)).toBe(1)
    expect(started).toBe(1)
  })

  test('closed, it rejects what waits and what comes, and starts nothing more', async () => {
    const asked = open()
    await asked.call('echo', 1)
    const waiting = problemOf(asked.call('held', 'for ever'))
    await asked.close()
    expect(await waiting).toEqual({ code: 'cancelled', message: 'Tubelet was closed.' })
    expect(await problemOf(asked.call('echo', 1))).toMatchObject({ code: 'cancelled' })
    await asked.close()
    expect(started).toBe(1)
  })

  test('closed before its first call it starts nothing', async () => {
    await open().close()
    expect(started).toBe(0)
  })
})

test('an idle thread does not keep this process alive, a call under way does', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-channel-'))
  const script = path.join(folder, 'script.mjs')
  writeFileSync(
    script,
    `
    import { Channel, thread } from ${JSON.stringify(new URL('channel.ts', import.meta.url).href)}
    const channel = new Channel(() => thread(${JSON.stringify(import.meta.url)}, 'channel.testing', []), {})
    const held = channel.call('held', 'late')
    setTimeout(() => channel.call('release', 'late'), 500).unref()
    console.log(await held)`,
  )
  const { stdout, status } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect([stdout, status]).toEqual(['late\n', 0])
})

test('a process that is killed is told with its signal', async () => {
  channel = new Channel<Trial>(() => SIDES.process(), STOPPED)
  const pid = await channel.call('process', null)
  const waiting = problemOf(channel.call('held', 'for ever'))
  process.kill(pid, 'SIGKILL')
  const problem = await waiting
  expect(problem).toMatchObject(STOPPED)
  expect(problem?.details).toContain('SIGKILL')
  expect(await channel.call('process', null)).not.toBe(pid)
})

test('a process that ends before its first answer is told', async () => {
  channel = new Channel<Trial>(() => SIDES.process('never-starts'), STOPPED)
  const problem = await problemOf(channel.call('echo', 1))
  expect(problem).toMatchObject(STOPPED)
  expect(problem?.details).toContain('exit code 7')
})

test('a thread that ends before its first answer is told', async () => {
  channel = new Channel<Trial>(() => thread(import.meta.url, 'no such file'), STOPPED)
  const problem = await problemOf(channel.call('echo', 1))
  expect(problem).toMatchObject(STOPPED)
  expect(problem?.details).toContain('no such file')
})

test('a thread that fills its memory is told with that as the cause', async () => {
  channel = new Channel<Trial>(
    () => thread(import.meta.url, 'channel.testing', [], { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 }),
    STOPPED,
  )
  await expect(channel.call('fill', null)).rejects.toMatchObject({ problem: STOPPED, cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' } })
})

test('memory that is transferred to or from a thread is not copied', async () => {
  channel = new Channel<Trial>(() => SIDES.thread(), STOPPED)
  const bytes = new Uint8Array([1, 2, 3])
  expect(await channel.call('echo', bytes, { transfer: [bytes.buffer] })).toEqual(new Uint8Array([1, 2, 3]))
  expect(bytes.byteLength).toBe(0)
  const got: number[] = []
  expect(await channel.call('sent', null, { onNote: (memory) => got.push(memory.byteLength) })).toBe(0)
  expect(got).toEqual([1000])
})

describe('large bytes for a process', () => {
  const bytes = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => i * seed)

  test('come whole and to their own call, though another is cancelled between', async () => {
    const asked = (channel = new Channel<Trial>(() => SIDES.process(), STOPPED))
    const trees = [1, 2, 3].map((seed) => ({ seed, pictures: [{ rgb: bytes(300_000, seed) }, { rgb: bytes(900_000, seed + 3) }] }))
    const stop = new AbortController()
    const [first, ...others] = trees.map((tree, i) => asked.call('echo', tree, i === 1 ? { signal: stop.signal } : {}))
    const gone = expect(others[0]).rejects.toThrow()
    stop.abort()
    await gone
    expect(await first).toEqual(trees[0])
    expect(await others[1]).toEqual(trees[2])
  })

  test.skipIf(process.platform === 'win32')('lie in the same memory each time, which is the call’s own while it runs', async () => {
    const asked = (channel = new Channel<Trial>(() => SIDES.process(), STOPPED))
    const same = () => asked.call('memory', { bytes: bytes(100_000, 7) })
    expect([await same(), await same(), await same()]).toEqual([false, true, true])
  })
})
