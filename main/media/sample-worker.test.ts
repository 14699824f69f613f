/** In a file of its own: a fresh process has not started the thread yet. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { killNewestThreadWhenAsked } from '../threads.testing.ts'
import { probe } from './probe.ts'
import type { Want } from './decode-plan.ts'
import { sample } from './sample.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const file = path.resolve(import.meta.dirname, '../../models/packs/sample.mp4')
const found = await probe(tools, file)
const wants: Want[] = [
  {
    key: 'a',
    kind: 'tubes',
    input: {
      frames: 4,
      width: 32,
      height: 32,
      fit: 'stretch',
      maxClipSeconds: 1,
      tubes: [{ name: 'frame', kernel: [1, 32, 32], stride: [1, 32, 32], offset: [0, 0, 0], depth: [1, 1, 1] }],
    },
  },
]

test('passes share one thread, and one that is given up leaves the others alone', async () => {
  const threads: unknown[] = []
  const count = (thread: unknown) => threads.push(thread)
  process.on('worker', count)
  const stop = new AbortController()
  const spans = async (signal?: AbortSignal) => {
    const all: string[] = []
    for await (const event of sample(tools, file, found, wants, signal ? { signal } : {})) {
      if (event.type === 'clip') all.push(`${event.clip.startFrame}-${event.clip.endFrame}`)
      if (signal) stop.abort(new Error('given up'))
    }
    return all
  }
  const gone = expect(spans(stop.signal)).rejects.toThrow('given up')
  const [one, other] = await Promise.all([spans(), spans()])
  await gone
  expect(one.length).toBeGreaterThan(1)
  expect(other).toEqual(one)
  expect(threads).toHaveLength(1)
  process.off('worker', count)
}, 60_000)

test('a consumer that is slower than its decoder disturbs no other file: its thread has passed on to that one', async () => {
  const [ended, held] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  const slow = async () => {
    for await (const { type } of sample(tools, file, found, wants)) {
      if (type !== 'done') continue
      ended.resolve(undefined)
      await held.promise
    }
  }
  const first = slow()
  await ended.promise

  // The first decoder has ended, but its consumer is still taking its events.
  const kinds: string[] = []
  for await (const { type } of sample(tools, file, found, wants)) {
    kinds.push(type)
    held.resolve(undefined)
    await first
  }
  expect(kinds).toContain('clip')
  expect(kinds.at(-1)).toBe('done')
}, 60_000)

test('a pass whose thread dies says so, and the next one is read by another', async () => {
  const kinds = async () => {
    const all: string[] = []
    for await (const { type } of sample(tools, file, found, wants)) all.push(type)
    return all
  }
  killNewestThreadWhenAsked()
  await expect(kinds()).rejects.toMatchObject({
    problem: { code: 'tool-killed', message: expect.stringContaining('Reading the video stopped') as string },
  })
  expect((await kinds()).at(-1)).toBe('done')
}, 60_000)
