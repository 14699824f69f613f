import { expect, test } from 'vitest'
import type { Clip } from './contract/clip.ts'
import type { FindHit } from './contract/find.ts'
import { daysOf, filterCount, instantsOf, keepOrder } from './find.ts'

const hit = (id: number, score: number, alike: readonly number[] = []) =>
  ({ clip: { id }, score, alike: alike.map((copy) => ({ id: copy })) }) as FindHit
const NONE: ReadonlyMap<number, Clip> = new Map()
/** Clips in their present state, by id. */
const now = (...clips: readonly (readonly [id: number, caption: string])[]) =>
  new Map(clips.map(([id, caption]) => [id, { id, caption } as Clip]))
const ids = (hits: readonly FindHit[]) => hits.map(({ clip }) => clip.id)

test('what is listed stays where it is, what is new comes below, and how much belongs further up is told', () => {
  const listed = [hit(1, 0.9), hit(2, 0.8), hit(3, 0.7)]
  const { hits, late } = keepOrder(listed, [hit(9, 0.95), hit(1, 0.9), hit(2, 0.8), hit(8, 0.75), hit(3, 0.7), hit(7, 0.1)], NONE)
  expect(ids(hits)).toEqual([1, 2, 3, 9, 8, 7])
  expect(late).toBe(2)
})

test('what is no result any more stays in its place as it is now, with its copies; what became a result is listed once', () => {
  const { hits, late } = keepOrder(
    [hit(1, 1), hit(2, 1, [3, 4]), hit(5, 1)],
    [hit(5, 1), hit(4, 1)],
    now([1, 'mine'], [2, 'a dog'], [3, 'a copy']),
  )
  expect(hits.map(({ clip, alike }) => [clip.id, alike.map(({ id }) => id)])).toEqual([
    [1, []],
    [2, [3]],
    [5, []],
    [4, []],
  ])
  expect(hits[0]?.clip.caption).toBe('mine')
  expect(late).toBe(0)
})

test('what is gone goes, and a first result comes as it is', () => {
  expect(ids(keepOrder([hit(1, 1), hit(2, 1)], [hit(2, 0.5)], NONE).hits)).toEqual([2])
  expect(keepOrder([], [hit(4, 1), hit(5, 0)], NONE)).toMatchObject({ hits: [hit(4, 1), hit(5, 0)], late: 0 })
})

test('a listed result shows its new score', () => {
  expect(keepOrder([hit(1, 0.2)], [hit(1, 0.4)], NONE).hits[0]?.score).toBe(0.4)
})

test('days go to instants and back, months and years included', () => {
  for (const days of [
    { from: '2026-01-31', to: '2026-02-28' },
    { from: '', to: '2025-12-31' },
    { from: '2024-02-29', to: '' },
    { from: '', to: '' },
  ])
    expect(daysOf(instantsOf(days))).toEqual(days)
  const { from = '', before = '' } = instantsOf({ from: '2026-05-04', to: '2026-05-04' })
  expect(Date.parse(before) - Date.parse(from)).toBe(24 * 3600 * 1000)
})

test('filters are counted by kind', () => {
  expect(filterCount({})).toBe(0)
  expect(filterCount({ labels: [], sourceIds: [] })).toBe(0)
  expect(filterCount({ labels: ['a', 'b'], minSeconds: 1, maxSeconds: 2, state: 'open', addedBefore: '2026-01-01T00:00:00Z' })).toBe(4)
})
