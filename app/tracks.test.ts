import { describe, expect, it } from 'vitest'
import { iou } from './boxes.ts'
import { random } from './random.ts'
import { linkTracks } from './tracker.ts'
import { interpolate, type Sighting, withoutSpans } from './tracks.ts'

const box = (cx: number, cy: number, side = 40) => ({ x1: cx - side / 2, y1: cy - side / 2, x2: cx + side / 2, y2: cy + side / 2 })
const sighting = (ordinal: number, cx: number, cy: number, more: Partial<Sighting> = {}): Sighting => ({
  ordinal,
  pts: ordinal * 512,
  label: 'ball',
  box: box(cx, cy),
  score: 0.8,
  ...more,
})

describe('withoutSpans', () => {
  const keys = [0, 6, 12, 18, 24].map((ordinal) => ({ ordinal, pts: ordinal * 512, box: box(100 + ordinal, 100), score: 0.8 }))
  const ptsOf = (ordinal: number) => ordinal * 512

  it('has no box where nothing could be seen, also none drawn on a line over it', () => {
    const boxes = withoutSpans(keys, [{ startFrame: 8, endFrame: 16 }], ptsOf)
    expect(boxes.map(({ ordinal, outside }) => [ordinal, outside === true])).toEqual([
      [0, false],
      [6, false],
      [8, true],
      [18, false],
      [24, false],
    ])
    const there = Array.from({ length: 25 }, (_, ordinal) => interpolate({ boxes }, ptsOf(ordinal)) !== null)
    expect(there.flatMap((one, ordinal) => (one ? [] : [ordinal]))).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
  })

  it('begins and ends with what was seen, and is nothing where all of it was made up', () => {
    expect(withoutSpans(keys, [{ startFrame: 0, endFrame: 8 }], ptsOf).map(({ ordinal }) => ordinal)).toEqual([12, 18, 24])
    expect(withoutSpans(keys, [{ startFrame: 14, endFrame: 99 }], ptsOf).map(({ ordinal }) => ordinal)).toEqual([0, 6, 12])
    expect(withoutSpans(keys, [{ startFrame: 0, endFrame: 99 }], ptsOf)).toEqual([])
    expect(withoutSpans(keys, [], ptsOf)).toEqual(keys)
  })
})

describe('linkTracks', () => {
  it('follows one object', () => {
    const tracks = linkTracks([0, 4, 8, 12].map((ordinal) => sighting(ordinal, 100 + ordinal * 5, 100)))
    expect(tracks).toHaveLength(1)
    expect(tracks[0]?.boxes.map(({ ordinal }) => ordinal)).toEqual([0, 4, 8, 12])
  })

  it('keeps two objects apart where they cross', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = random(seed)
      const [speed, row, jitter] = [20 + next() * 40, 100 + next() * 60, () => (next() - 0.5) * 6]
      const frames = [0, 1, 2, 3, 4, 5, 6, 7]
      const right = frames.map((f) => sighting(f * 4, 50 + speed * f + jitter(), row + jitter()))
      const left = frames.map((f) => sighting(f * 4, 50 + speed * (7 - f) + jitter(), row + 30 + jitter()))
      // The order of the detector's boxes says nothing about identity.
      const tracks = linkTracks([...right, ...left].sort(() => next() - 0.5))
      expect(tracks, `seed ${seed}`).toHaveLength(2)
      for (const path of [right, left]) {
        const same = tracks.find((track) => track.boxes[0]?.box === path[0]?.box)
        expect(
          same?.boxes.map((key) => key.box),
          `seed ${seed}`,
        ).toEqual(path.map((one) => one.box))
      }
    }
  })

  it('never joins two labels', () => {
    const tracks = linkTracks([sighting(0, 100, 100), sighting(4, 100, 100, { label: 'car' }), sighting(8, 100, 100)])
    expect(tracks.map(({ label, boxes }) => [label, boxes.length])).toEqual([
      ['ball', 2],
      ['car', 1],
    ])
  })

  it('bridges a key frame on which the object was missed', () => {
    const other = [0, 4, 8, 12].map((ordinal) => sighting(ordinal, 400, 400, { label: 'car' }))
    const tracks = linkTracks([sighting(0, 100, 100), sighting(8, 140, 100), sighting(12, 160, 100), ...other])
    expect(tracks.map(({ label, boxes }) => [label, boxes.length])).toEqual([
      ['ball', 3],
      ['car', 4],
    ])
  })

  it('starts a new track where the object would have to leap or burst', () => {
    expect(linkTracks([sighting(0, 50, 50), sighting(4, 900, 700)])).toHaveLength(2)
    expect(linkTracks([sighting(0, 300, 300), sighting(4, 300, 300, { box: box(300, 300, 400) })])).toHaveLength(2)
  })

  it('asks for evidence: one sure box or several less sure ones', () => {
    expect(linkTracks([sighting(0, 100, 100, { score: 0.4 })])).toEqual([])
    expect(linkTracks([sighting(0, 100, 100, { score: 0.7 })])).toHaveLength(1)
    expect(linkTracks([sighting(0, 100, 100, { score: 0.4 }), sighting(4, 102, 100, { score: 0.4 })])).toHaveLength(1)
  })

  it('has at most one box of an object on a frame, in ascending order, whatever comes in', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = random(seed)
      const sightings = Array.from({ length: 40 }, () =>
        sighting(Math.floor(next() * 6) * 3, next() * 300, next() * 200, { label: next() < 0.5 ? 'ball' : 'car', score: next() }),
      )
      const tracks = linkTracks(sightings)
      expect(tracks).toEqual(linkTracks(sightings.toReversed()))
      const used = tracks.flatMap(({ boxes }) => boxes.map((key) => key.box))
      expect(new Set(used).size).toBe(used.length)
      for (const { boxes } of tracks) {
        boxes.slice(1).forEach((key, i) => expect(key.ordinal).toBeGreaterThan(boxes[i]?.ordinal ?? NaN))
      }
    }
  })

  it('finds nothing in nothing', () => expect(linkTracks([])).toEqual([]))
})

describe('interpolate', () => {
  const track = linkTracks([sighting(0, 100, 100), sighting(4, 140, 120), sighting(8, 200, 120)])[0] ?? expect.fail()

  it('is the key box on key frames and linear in time between them', () => {
    expect(interpolate(track, 4 * 512)).toEqual(box(140, 120))
    expect(interpolate(track, 1 * 512)).toEqual(box(110, 105))
    expect(iou(interpolate(track, 6 * 512) ?? box(0, 0), box(170, 120))).toBeCloseTo(1)
  })

  it('is nothing outside the track', () => {
    expect(interpolate(track, -1)).toBeNull()
    expect(interpolate(track, 8 * 512 + 1)).toBeNull()
  })
})
