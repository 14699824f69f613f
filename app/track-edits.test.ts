import { describe, expect, it } from 'vitest'
import type { KeyBox, TrackBody } from './annotation.ts'
import {
  copyToNextKey,
  keyAt,
  lifetime,
  mergeTracks,
  moveKey,
  neighbourKey,
  retimeTrack,
  splitTrack,
  withFlag,
  withKeyBox,
  withoutKey,
} from './track-edits.ts'
import { random } from './random.ts'
import { interpolate } from './tracks.ts'

const FRAMES = 60
/** Frame times of a variable rate, so that code that counts in ordinals fails. */
const pts = Array.from({ length: FRAMES }).reduce<number[]>((times, _, i) => [...times, (times.at(-1) ?? 100) + 7 + ((i * 13) % 29)], [])
const ptsOf = (ordinal: number) => pts[ordinal] ?? 0

function randomTrack(seed: number): TrackBody {
  const next = random(seed)
  const first = Math.floor(next() * 20)
  const ordinals = Array.from({ length: 40 }, (_, i) => first + i).filter((_, i) => i === 0 || next() < 0.2)
  const boxes = ordinals.map((ordinal): KeyBox => {
    const [x1, y1] = [next() * 500, next() * 300]
    const flags = { ...(next() < 0.15 ? { outside: true } : {}), ...(next() < 0.2 ? { occluded: true } : {}) }
    return {
      ordinal,
      pts: ptsOf(ordinal),
      box: { x1, y1, x2: x1 + 10 + next() * 80, y2: y1 + 10 + next() * 80 },
      score: next() < 0.5 ? null : next(),
      ...flags,
    }
  })
  return { kind: 'track', label: `label ${seed}`, boxes }
}

/** The track's box on a frame, to a thousandth of a pixel. */
const at = (track: TrackBody, ordinal: number) => {
  const box = interpolate(track, ptsOf(ordinal))
  return box && [box.x1, box.y1, box.x2, box.y2].map((side) => Math.round(side * 1000))
}
const everyFrame = Array.from({ length: FRAMES }, (_, ordinal) => ordinal)
const sound = (track: TrackBody) =>
  track.boxes.every((key, i) => key.pts === ptsOf(key.ordinal) && (i === 0 || key.ordinal > (track.boxes[i - 1]?.ordinal ?? Infinity)))
const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1)

describe('what holds for every track', () => {
  it('split, then merge, is the same object', () => {
    for (const seed of seeds) {
      const track = randomTrack(seed)
      const { first, last } = lifetime(track)
      for (let cut = first - 1; cut <= last + 1; cut += 3) {
        const parts = splitTrack(track, cut, ptsOf)
        if (parts === null) {
          expect(cut <= first || cut > last).toBe(true)
          continue
        }
        const [before, after] = parts
        expect([sound(before), sound(after)]).toEqual([true, true])
        expect([lifetime(before), lifetime(after)]).toEqual([
          { first, last: cut - 1 },
          { first: cut, last },
        ])
        for (const frame of everyFrame) expect(frame < cut ? at(before, frame) : at(after, frame)).toEqual(at(track, frame))
        for (const whole of [mergeTracks(before, after), mergeTracks(after, before)]) {
          expect(sound(whole)).toBe(true)
          for (const frame of everyFrame) expect(at(whole, frame)).toEqual(at(track, frame))
        }
      }
    }
  })

  it('of two merged tracks, the first decides where both are', () => {
    for (const seed of seeds) {
      const [first, second] = [randomTrack(seed), randomTrack(seed + 1000)]
      const merged = mergeTracks(first, second)
      const [life, other] = [lifetime(first), lifetime(second)]
      expect(sound(merged)).toBe(true)
      expect(merged.label).toBe(first.label)
      expect(lifetime(merged)).toEqual({ first: Math.min(life.first, other.first), last: Math.max(life.last, other.last) })
      for (const frame of everyFrame) if (frame >= life.first && frame <= life.last) expect(at(merged, frame)).toEqual(at(first, frame))
      for (const { ordinal, box, outside } of second.boxes) {
        if (!outside && (ordinal < life.first || ordinal > life.last)) expect(interpolate(merged, ptsOf(ordinal))).toEqual(box)
      }
    }
  })

  it('another end moves nothing inside the life that stays', () => {
    for (const seed of seeds) {
      const track = randomTrack(seed)
      const { first, last } = lifetime(track)
      for (const edge of ['first', 'last'] as const) {
        for (const to of [0, first, first + 1, Math.floor((first + last) / 2), last, FRAMES - 1]) {
          const retimed = retimeTrack(track, edge, to, ptsOf)
          const life = lifetime(retimed)
          expect(sound(retimed)).toBe(true)
          expect(life[edge]).toBe(edge === 'first' ? Math.min(to, last) : Math.max(to, first))
          for (const frame of everyFrame)
            if (frame >= Math.max(first, life.first) && frame <= Math.min(last, life.last))
              expect(at(retimed, frame)).toEqual(at(track, frame))
        }
      }
    }
  })

  it('a moved key stays between its neighbours', () => {
    for (const seed of seeds) {
      const track = randomTrack(seed)
      for (const { ordinal } of track.boxes) {
        const moved = moveKey(track, ordinal, Math.floor(random(seed + ordinal)() * FRAMES), ptsOf)
        expect(sound(moved)).toBe(true)
        expect(moved.boxes.map(({ box }) => box)).toEqual(track.boxes.map(({ box }) => box))
      }
    }
  })

  it('no edit changes what it was given', () => {
    for (const seed of seeds) {
      const track = randomTrack(seed)
      const before = structuredClone(track)
      const frame = lifetime(track).first + 2
      splitTrack(track, frame, ptsOf)
      mergeTracks(track, randomTrack(seed + 1))
      retimeTrack(track, 'last', frame, ptsOf)
      moveKey(track, lifetime(track).first, frame, ptsOf)
      withFlag(track, frame, ptsOf, 'outside', true)
      withKeyBox(track, frame, ptsOf(frame), { x1: 0, y1: 0, x2: 9, y2: 9 })
      withoutKey(track, lifetime(track).first)
      copyToNextKey(track, frame, ptsOf)
      expect(track).toEqual(before)
    }
  })
})

describe('single edits', () => {
  const key = (ordinal: number, x1: number, more: Partial<KeyBox> = {}): KeyBox => ({
    ordinal,
    pts: ptsOf(ordinal),
    box: { x1, y1: 10, x2: x1 + 20, y2: 40 },
    score: 0.9,
    ...more,
  })
  const track: TrackBody = { kind: 'track', label: 'car', boxes: [key(5, 0), key(10, 100), key(20, 200)] }
  const box = { x1: 1, y1: 2, x2: 3, y2: 4 }

  it('a box of a person is a key without a score', () => {
    expect(withKeyBox(track, 10, ptsOf(10), box).boxes[1]).toEqual({ ordinal: 10, pts: ptsOf(10), box, score: null })
    expect(withKeyBox(track, 2, ptsOf(2), box).boxes.map(({ ordinal }) => ordinal)).toEqual([2, 5, 10, 20])
  })

  it('outside lasts until the next key, and a box drawn there ends it', () => {
    const gone = withFlag(track, 7, ptsOf, 'outside', true) ?? expect.fail()
    expect([6, 7, 9, 10].map((frame) => interpolate(gone, ptsOf(frame)) !== null)).toEqual([true, false, false, true])
    const back = withKeyBox(gone, 8, ptsOf(8), box)
    expect([7, 8, 9].map((frame) => interpolate(back, ptsOf(frame)) !== null)).toEqual([false, true, true])
    expect(withFlag(gone, 7, ptsOf, 'outside', false)?.boxes).toHaveLength(4)
    expect(withFlag(track, 30, ptsOf, 'outside', true)).toBeNull()
  })

  it('a box moved while it is occluded stays occluded', () => {
    const hidden = withFlag(track, 10, ptsOf, 'occluded', true) ?? expect.fail()
    expect(withKeyBox(hidden, 12, ptsOf(12), box).boxes.find(({ ordinal }) => ordinal === 12)?.occluded).toBe(true)
  })

  it('the last key takes the track with it', () => {
    expect(withoutKey({ ...track, boxes: [key(5, 0)] }, 5)).toBeNull()
    expect(withoutKey(track, 6)).toBe(track)
    expect(withoutKey(track, 5)?.boxes).toHaveLength(2)
  })

  it('goes from key to key', () => {
    expect(neighbourKey(track, 10, 1)?.ordinal).toBe(20)
    expect(neighbourKey(track, 10, -1)?.ordinal).toBe(5)
    expect(neighbourKey(track, 20, 1)).toBeUndefined()
  })

  it('copies a box to the next key frame', () => {
    expect(copyToNextKey(track, 10, ptsOf)?.boxes[2]?.box).toEqual(track.boxes[1]?.box)
    expect(copyToNextKey(track, 20, ptsOf)).toBeNull()
    expect(keyAt(track, 30, ptsOf)).toBeNull()
  })
})
