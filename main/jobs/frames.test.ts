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
/** Three squares side by side: the field of a clock. */
const field = (cx: number, cy: number) => [square(cx - 0.05, cy), square(cx, cy), square(cx + 0.05, cy)]
/** The first of all, and so many that have changed at one place. */
const clock = (count: number) => [null, ...Array.from({ length: count }, () => field(0.9, 0.1))]
const afterwards = [19, 36, 53]

it('looks at what changes where nothing was seen, and when it is used to that, every seventeenth time; of the others it tells that they are the same', async () => {
  const { looked, told } = await looksAt(clock(53), [cup(0.5)])
  expect(looked).toEqual([0, 1, 2, ...afterwards])
  expect(told.flatMap(({ ordinal, seen }) => (seen === null ? [] : [ordinal]))).toEqual(looked)
  expect(told).toHaveLength(54)
})

/** A corner that lies apart from the clock, of so many squares. */
const corner = (count: number) => Array.from({ length: count }, (_, i) => square(0.1, 0.9 - i * 0.05))

it('looks at once where more than two other squares have changed, and has then still not forgotten what always does', async () => {
  const other = (count: number) => clock(29).map((squares, at) => (at === 6 ? corner(count) : squares))
  expect((await looksAt(other(3), [cup(0.5)])).looked).toEqual([0, 1, 2, 6, 23])
  expect((await looksAt(other(2), [cup(0.5)])).looked).toEqual([0, 1, 2, 19])
  const growing = clock(29).map((squares, at) => (at > 5 && at < 9 ? [square(0.1, 0.9 - at * 0.05)] : squares))
  expect((await looksAt(growing, [cup(0.5)])).looked).toEqual([0, 1, 2, 8, 25])
})

it('takes another part of the same clock for what always changes, but nothing farther away', async () => {
  const digits = clock(21).map((squares, at) => squares && field(at < 3 ? 0.9 : 0.95, 0.1))
  expect((await looksAt(digits, [cup(0.5)])).looked).toEqual([0, 1, 2, 19])
  const elsewhere = clock(21).map((squares, at) => squares && field(0.9, at < 3 ? 0.1 : 0.2))
  expect((await looksAt(elsewhere, [cup(0.5)])).looked).toEqual([0, 1, 2, 3, 4, 21])
})

it('follows what it has seen as it moves, and not what changes on it', async () => {
  const moving = clock(53).map((squares) => squares && field(0.5, 0.5))
  expect((await looksAt(moving, [cup(0.5)])).looked).toHaveLength(54)
  expect((await looksAt(moving, [cup(0.5, 0.8)])).looked).toEqual([0, 1, 2, ...afterwards])
})

/** So many squares, four hundred of which are the whole picture. */
const many = (count: number) => Array.from({ length: count }, (_, i) => square(0.025 + (i % 20) * 0.05, 0.025 + Math.floor(i / 20) * 0.05))

it('is used to nothing any more in another scene, and has forgotten nothing where less has changed', async () => {
  const after = (changed: number) => clock(24).map((squares, at) => (at === 5 ? many(changed) : squares))
  expect((await looksAt(after(160), [])).looked).toEqual([0, 1, 2, 5, 6, 7, 24])
  expect((await looksAt(after(60), [])).looked).toEqual([0, 1, 2, 5, 22])
})

it('remembers what changed while it did not look', async () => {
  // Known from an earlier run, in which it was passed over.
  const later = new Map<number, Spotted[] | null>([[3, null]])
  const changed = clock(5).map((squares, at) => (at === 3 ? field(0.5, 0.5) : squares))
  expect((await looksAt(changed, [cup(0.5)], later)).looked).toEqual([0, 1, 2, 4])
})

it('gives every picture back, looked at or not, and asks nothing of frames that are known', async () => {
  const { looked, returned } = await looksAt(clock(19), [], new Map([[0, [cup(0.5)]]]))
  expect(looked).toEqual([1, 2, 19])
  expect(returned.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

it('keeps the memory of a picture whose look failed: the engine may still be reading it', async () => {
  const returned: number[] = []
  const frames = new Frames<Spotted>(new Map(), null, (_, { ordinal }) =>
    ordinal === 1 ? Promise.reject(new Error('gone')) : Promise.resolve([]),
  )
  for (const ordinal of [0, 1, 2])
    await frames.push(
      { ordinal, pts: ordinal * 250 },
      { rgb: new Uint8Array(3), width: 1, height: 1, giveBack: () => void returned.push(ordinal) },
      null,
    )
  await expect(frames.take(Infinity)).rejects.toThrow('gone')
  expect(returned).toEqual([0, 2])
})
