import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { readPipe } from './pipes.ts'

/** A process that writes to its output and to its messages. */
const start = () =>
  spawn(process.execPath, ['-e', `process.stdout.write(Buffer.alloc(300_000, 'abc')); process.stderr.write('said')`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })

test('each pipe is read to its end, in pieces that lie in the same memory', async () => {
  const child = start()
  const exited = once(child, 'close')
  const got = [child.stdout, child.stderr].map((pipe) => {
    const all = { text: '', memories: new Set<ArrayBufferLike>() }
    const { closed } = readPipe(pipe, (piece) => {
      all.text += Buffer.from(piece).toString()
      all.memories.add(piece.buffer)
    })
    return { all, closed }
  })
  await Promise.all([exited, ...got.map(({ closed }) => closed)])
  expect(got.map(({ all }) => all.text)).toEqual(['abc'.repeat(100_000), 'said'])
  expect(got.map(({ all }) => all.memories.size)).toEqual([1, 1])
})

test('a reading that pauses gets nothing, and one that is destroyed lets the child go', async () => {
  const child = start()
  const exited = once(child, 'close')
  let bytes = 0
  const { reading, closed } = readPipe(child.stdout, (piece) => {
    bytes += piece.length
    reading.pause()
  })
  await expect.poll(() => bytes).toBeGreaterThan(0)
  const first = bytes
  await new Promise((resolve) => setImmediate(resolve))
  expect(bytes).toBe(first)
  reading.resume()
  await expect.poll(() => bytes).toBeGreaterThan(first)
  reading.destroy()
  await Promise.all([exited, closed])
})

test('a stream whose handle Node keeps elsewhere is read as well', async () => {
  const stream = new PassThrough()
  let text = ''
  const { closed } = readPipe(stream, (piece) => {
    text += Buffer.from(piece).toString()
  })
  stream.end('abc')
  await closed
  expect(text).toBe('abc')
})
