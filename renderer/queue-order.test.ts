import { expect, test } from 'vitest'
import type { Queue } from '../app/contract.ts'
import { ask, newest } from './queue-order.ts'

const queue = (...jobs: [id: number, state?: 'queued' | 'running' | 'done'][]) =>
  ({ revision: 0, jobs: jobs.map(([id, state = 'queued']) => ({ id, state })) }) as unknown as Queue
const order = (of: Queue) => of.jobs.map(({ id }) => id)

test('what was asked for holds against older word of the order, until it is stored', async () => {
  const told = queue([1, 'running'], [2], [3], [4], [5, 'done'])
  const stored = Promise.withResolvers<Queue>()
  const first = ask({ jobId: 4, before: 2 }, () => stored.promise)
  expect(order(newest(undefined, told))).toEqual([1, 4, 2, 3, 5])
  const second = ask({ jobId: 2, before: null }, () => stored.promise)
  expect(order(newest(undefined, told))).toEqual([1, 4, 3, 2, 5])
  expect(order(newest(undefined, queue([4, 'running'], [2], [3], [5, 'done']))), 'what runs by now stays').toEqual([4, 3, 2, 5])
  stored.resolve(told)
  await Promise.all([first, second])
  expect(order(newest(undefined, told))).toEqual([1, 2, 3, 4, 5])
})

test('moves are stored one after the other: an early one that comes late does not undo what was asked for after it', async () => {
  const first = Promise.withResolvers<Queue>()
  const stored: number[] = []
  const both = Promise.all([
    ask({ jobId: 3, before: 2 }, () => first.promise.then((told) => (stored.push(3), told))),
    ask({ jobId: 4, before: 3 }, () => (stored.push(4), Promise.resolve(queue()))),
  ])
  await new Promise(setImmediate)
  expect(stored).toEqual([])
  first.resolve(queue())
  await both
  expect(stored).toEqual([3, 4])
})

test('a move that is refused is not held', async () => {
  await expect(ask({ jobId: 3, before: 2 }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(order(newest(undefined, queue([2], [3])))).toEqual([2, 3])
})

test('word of the queue that was overtaken changes nothing', () => {
  const [older, newer] = [
    { ...queue([2], [3]), revision: 5 },
    { ...queue([3], [2]), revision: 6 },
  ]
  expect(order(newest(newer, older))).toEqual([3, 2])
  expect(order(newest(older, newer))).toEqual([3, 2])
})
