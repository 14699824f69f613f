import { expect, it } from 'vitest'
import type { RelativeBox } from '../../app/boxes.ts'
import type { Spotted } from '../engine/engine.ts'
import { detectorPatience, Frames } from './frames.ts'

const PROBE = { timeBase: { num: 1, den: 1000 }, startPts: 0 }
const square = (cx: number, cy: number): RelativeBox => ({ cx, cy, w: 0.05, h: 0.05 })
const cup = (cx: number, side = 0.1): Spotted => ({ name: 'cup', score: 0.5, box: { cx, cy: 0.5, w: side, h: side }, colours: [] })

/** Four pictures a second, each changed as said since the one before, and what a detector sees on all of them. */
async function looksAt(changed: readonly (RelativeBox[] | null)[], sees: Spotted[], known = new Map<number, Spotted[] | null>()) {
  const looked: number[] = []
  const returned: number[] = []
  const frames = new Frames<Spotted>(known, detectorPatience(PROBE), (_, { ordinal }) => {
    looked.push(ordinal)
    return Promise.resolve(sees)
  })
  for (const [ordinal, squares] of changed.entries()) {
    const rgb = new Uint8Array(3)
    const picture = squares?.length === 0 ? null : { rgb, width: 1, height: 1, giveBack: () => void returned.push(ordinal) }
    await frames.push({ ordinal, pts: ordinal * 250 }, picture, squares)
  }
  return { looked, returned, told: await frames.take(Infinity) }
}
/** The first of all, and so many that have changed at one place. */
const clock = (count: number) => [null, ...Array.from({ length: count }, () => [square(0.9, 0.1)])]
const afterwards = [11, 20, 29]

it('looks at what changes where nothing was seen, and when it is used to that, every ninth time; of the others it tells that they are the same', async () => {
  const { looked, told } = await looksAt(clock(29), [cup(0.5)])
  expect(looked).toEqual([0, 1, 2, ...afterwards])
  expect(told.flatMap(({ ordinal, seen }) => (seen === null ? [] : [ordinal]))).toEqual(looked)
  expect(told).toHaveLength(30)
})

it('looks at once where something else has changed, and has then still not forgotten what always does', async () => {
  const other = clock(29).map((squares, at) => (at === 6 ? [square(0.1, 0.9)] : squares))
  expect((await looksAt(other, [cup(0.5)])).looked).toEqual([0, 1, 2, 6, 15, 24])
})

it('takes another part of the same clock for what always changes, but nothing farther away', async () => {
  const digits = clock(20).map((squares, at) => squares && [square(at < 3 ? 0.9 : 0.95, 0.1)])
  expect((await looksAt(digits, [cup(0.5)])).looked).toEqual([0, 1, 2, 11, 20])
  const elsewhere = clock(20).map((squares, at) => squares && [square(at < 3 ? 0.9 : 0.8, 0.1)])
  expect((await looksAt(elsewhere, [cup(0.5)])).looked).toEqual([0, 1, 2, 3, 4, 13])
})

it('follows what it has seen as it moves, and not what changes on it', async () => {
  const moving = clock(29).map((squares) => squares && [square(0.5, 0.5)])
  expect((await looksAt(moving, [cup(0.5)])).looked).toHaveLength(30)
  expect((await looksAt(moving, [cup(0.5, 0.8)])).looked).toEqual([0, 1, 2, ...afterwards])
})

it('is used to nothing any more where much has changed', async () => {
  const much = Array.from({ length: 60 }, (_, i) => square(0.025 + (i % 20) * 0.05, 0.1 + Math.floor(i / 20) * 0.05))
  const cut = clock(20).map((squares, at) => (at === 5 ? much : squares))
  expect((await looksAt(cut, [])).looked).toEqual([0, 1, 2, 5, 6, 7, 16])
})

it('remembers what changed while it did not look', async () => {
  // Known from an earlier run, in which it was passed over.
  const later = new Map<number, Spotted[] | null>([[3, null]])
  const changed = clock(5).map((squares, at) => (at === 3 ? [square(0.5, 0.5)] : squares))
  expect((await looksAt(changed, [cup(0.5)], later)).looked).toEqual([0, 1, 2, 4])
})

it('gives every picture back, looked at or not, and asks nothing of frames that are known', async () => {
  const { looked, returned } = await looksAt(clock(11), [], new Map([[0, [cup(0.5)]]]))
  expect(looked).toEqual([1, 2, 11])
  expect(returned.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})
