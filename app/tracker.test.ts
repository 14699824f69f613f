import { describe, expect, it } from 'vitest'
import type { Box } from './annotation.ts'
import { iou } from './boxes.ts'
import { random } from './random.ts'
import { detectorPace, groundShift, objectScore, Tracker } from './tracker.ts'
import { interpolate, type Sighting } from './tracks.ts'

/** The scores from which objects-80 counts. */
const [ASKED, VOLUNTEERED] = [0.5, 0.72]
const TIME_BASE = { num: 1, den: 1000 }
/** A frame every 40 ms, every sixth one sampled: about four a second. */
const ptsOf = (ordinal: number) => ordinal * 40
const SAMPLED = 6
const whole = { startFrame: 0, endFrame: 100_000 }

const box = (cx: number, cy: number, width = 40, height = width): Box => ({
  x1: cx - width / 2,
  y1: cy - height / 2,
  x2: cx + width / 2,
  y2: cy + height / 2,
})
const RED = [1, ...new Array<number>(10).fill(0), 1, ...new Array<number>(10).fill(0)]
const BLUE = [0, 1, ...new Array<number>(9).fill(0), 0, 1, ...new Array<number>(9).fill(0)]

type Seen = Partial<Sighting> & { box: Box }
const sighting = (ordinal: number, seen: Seen): Sighting => ({ ordinal, pts: ptsOf(ordinal), label: 'person', score: 0.7, ...seen })

/** @param seen The boxes on each sampled frame. */
function follow(seen: readonly (readonly Seen[])[]): Tracker {
  const tracker = new Tracker(detectorPace(TIME_BASE))
  seen.forEach((on, i) =>
    tracker.push({ ordinal: i * SAMPLED, pts: ptsOf(i * SAMPLED), sightings: on.map((one) => sighting(i * SAMPLED, one)) }),
  )
  return tracker
}

const tracksOf = (tracker: Tracker, span = whole) => tracker.tracksIn(span, ptsOf).map(({ body }) => body)
const range = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('Tracker', () => {
  it('is no surer of an object in one clip than its boxes there, if they are far weaker than later', () => {
    // A post for four seconds; then a person who stops before it.
    const seen = range(32).map((f) => [{ box: f < 16 ? box(100, 100, 40, 80) : box(102, 100, 50, 110), score: f < 16 ? 0.36 : 0.88 }])
    const tracker = follow(seen)
    const [border, end] = [16 * SAMPLED, 32 * SAMPLED]
    const parts = [
      { startFrame: 0, endFrame: border },
      { startFrame: border, endFrame: end },
    ].map((span) => tracker.tracksIn(span, ptsOf)[0])
    expect(new Set(parts.map((part) => part?.body.object)).size).toBe(1)
    expect(parts[0]?.score).toBeLessThan(ASKED)
    expect(parts[1]?.score).toBeGreaterThan(VOLUNTEERED)
  })

  it('takes an object to be there from half way to the frame before until half way to the frame after', () => {
    const seen = range(8).map((f) => (f >= 2 && f <= 5 ? [{ box: box(100, 100) }] : []))
    const [track] = tracksOf(follow(seen))
    expect([track?.boxes[0]?.ordinal, track?.boxes.at(-1)?.ordinal]).toEqual([2 * SAMPLED - SAMPLED / 2, 5 * SAMPLED + SAMPLED / 2])
  })

  it('keeps objects apart where they cross, though boxes jitter, scores vary and some are missed', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = random(seed)
      const jitter = () => (next() - 0.5) * 8
      const [speed, frames] = [15 + next() * 30, range(14)]
      const paths = frames.map((f) => [box(50 + speed * f, 100, 40, 90), box(50 + speed * (13 - f), 125, 40, 90)])
      // None on the first two frames: the direction of motion is not known yet.
      const seen = paths.map((at, f) =>
        at
          .filter(() => f < 2 || next() > 0.12)
          .map(
            ({ x1, y1, x2, y2 }): Seen => ({
              box: { x1: x1 + jitter(), y1: y1 + jitter(), x2: x2 + jitter(), y2: y2 + jitter() },
              score: 0.35 + next() * 0.5,
            }),
          )
          .sort(() => next() - 0.5),
      )
      const tracks = tracksOf(follow(seen))
      expect(tracks, `seed ${seed}`).toHaveLength(2)
      for (const side of [0, 1]) {
        const first = paths[0]?.[side] ?? expect.fail()
        const track = tracks.find(({ boxes }) => iou(boxes[0]?.box ?? box(0, 0), first) > 0.4) ?? expect.fail(`seed ${seed}`)
        for (const key of track.boxes.filter(({ ordinal }) => ordinal % SAMPLED === 0))
          expect(iou(key.box, paths[key.ordinal / SAMPLED]?.[side] ?? box(0, 0)), `seed ${seed}`).toBeGreaterThan(0.4)
      }
    }
  })

  it('knows an object again behind something that hid it, and another one by its colours', () => {
    const walk = range(12).map((f): Seen => ({ box: box(50 + 20 * f, 100, 40, 90), colours: RED }))
    const hidden = walk.map((one, f) => (f >= 5 && f < 9 ? [] : [one]))
    expect(tracksOf(follow(hidden))).toHaveLength(1)
    const exchanged = hidden.map((on, f) =>
      f < 9 ? on : on.map((one) => ({ ...one, box: box(50 + 20 * f + 25, 100, 40, 90), colours: BLUE })),
    )
    expect(tracksOf(follow(exchanged))).toHaveLength(2)
  })

  it('invents no boxes where an object was away for long, and gives up in the end', () => {
    const away = range(16).map((f): Seen[] => (f >= 4 && f < 10 ? [] : [{ box: box(100, 100) }]))
    const [track] = tracksOf(follow(away))
    expect(track?.boxes.filter(({ outside }) => outside).map(({ ordinal }) => ordinal)).toEqual([4 * SAMPLED])
    expect(interpolate(track ?? expect.fail(), ptsOf(6 * SAMPLED))).toBeNull()
    expect(interpolate(track ?? expect.fail(), ptsOf(12 * SAMPLED))).toEqual(box(100, 100))
    const gone = range(30).map((f): Seen[] => (f >= 4 && f < 24 ? [] : [{ box: box(100, 100) }]))
    expect(tracksOf(follow(gone))).toHaveLength(2)
  })

  it('gives one object one name, whatever some frames call it', () => {
    const names = ['car', 'car', 'truck', 'car', 'car', 'bus', 'car', 'car']
    const [track, ...others] = tracksOf(follow(names.map((label, f) => [{ box: box(80 + 15 * f, 100, 90, 60), label }])))
    expect(others).toEqual([])
    expect(track?.label).toBe('car')
    expect(track?.boxes).toHaveLength(8)
  })

  it('takes boxes on one place for one object, and its parts for no more', () => {
    const tracks = tracksOf(
      follow(
        range(5).map(() => [
          { box: box(100, 100, 60), label: 'dog', score: 0.5 },
          { box: box(101, 100, 60), label: 'cat', score: 0.6 },
          { box: box(100, 100, 61), label: 'person', score: 0.3 },
          { box: box(95, 95, 20), label: 'cat', score: 0.5 },
          { box: box(130, 100, 60), label: 'bicycle', score: 0.5 },
        ]),
      ),
    )
    expect(tracks.map(({ label }) => label)).toEqual(['bicycle', 'cat'].sort())
  })

  it('lets unsure boxes carry an object on, but begin none', () => {
    const fading = [0.7, 0.7, 0.2, 0.15, 0.2, 0.7].map((score, f): Seen[] => [{ box: box(100 + 8 * f, 100), score }])
    expect(tracksOf(follow(fading))[0]?.boxes).toHaveLength(6)
    expect(tracksOf(follow(range(8).map(() => [{ box: box(100, 100), score: 0.2 }])))).toEqual([])
  })

  it('stays on its objects while the camera pans, and starts to', () => {
    const pan = (f: number) => (f < 4 ? 0 : (f - 4) * 30)
    const still = range(12).map((f) => [60, 160, 260, 400].map((x): Seen => ({ box: box(x + pan(f), 100, 50, 100) })))
    const tracks = tracksOf(follow(still))
    expect(tracks).toHaveLength(4)
    for (const { boxes } of tracks) expect((boxes.at(-1)?.box.x1 ?? 0) - (boxes[0]?.box.x1 ?? 0)).toBe(pan(11))
  })

  it('never goes on over a cut, up to which its objects last', () => {
    const tracker = new Tracker(detectorPace(TIME_BASE))
    for (const i of range(8)) {
      if (i === 4) tracker.cut(21)
      tracker.push({ ordinal: i * SAMPLED, pts: ptsOf(i * SAMPLED), sightings: [sighting(i * SAMPLED, { box: box(100, 100) })] })
    }
    tracker.cut(45)
    expect(tracksOf(tracker).map(({ boxes }) => [boxes[0]?.ordinal, boxes.at(-1)?.ordinal])).toEqual([
      [0, 20],
      [21, 44],
    ])
  })

  it('stays where it is over frames that show the same, and moves only after them', () => {
    const tracker = new Tracker(detectorPace(TIME_BASE))
    tracker.push({ ordinal: 0, pts: 0, sightings: [sighting(0, { box: box(100, 100) })] })
    for (const i of range(20)) tracker.push({ ordinal: (i + 1) * SAMPLED, pts: ptsOf((i + 1) * SAMPLED), same: true })
    tracker.push({ ordinal: 126, pts: ptsOf(126), sightings: [sighting(126, { box: box(120, 100) })] })
    const [track, ...others] = tracksOf(tracker)
    expect(others).toEqual([])
    expect(interpolate(track ?? expect.fail(), ptsOf(119))).toEqual(box(100, 100))
    expect(interpolate(track ?? expect.fail(), ptsOf(123))).toEqual(box(110, 100))
  })

  it('cuts objects at the edges of clips where they are, with one id', () => {
    const tracker = follow(range(10).map((f) => [{ box: box(100 + 12 * f, 100), score: f < 5 ? 0.6 : 0.8, colours: RED }]))
    const [before] = tracksOf(tracker, { startFrame: 0, endFrame: 28 })
    const [after] = tracksOf(tracker, { startFrame: 28, endFrame: 70 })
    expect(before?.object).toBe(after?.object)
    expect(before?.boxes.at(-1)).toMatchObject({ ordinal: 27, pts: ptsOf(27), box: box(154, 100) })
    expect(before?.boxes.at(-1)?.score).toBeCloseTo(0.7)
    expect(after?.boxes[0]).toMatchObject({ ordinal: 28, pts: ptsOf(28), box: box(156, 100) })
    expect(after?.boxes[0]?.score).toBeCloseTo(0.6 + (0.2 * 4) / 6)
    expect(after?.boxes.map(({ ordinal }) => ordinal)).toEqual([28, 30, 36, 42, 48, 54])
    expect(before?.colours).toEqual(RED)
    expect(tracksOf(tracker, { startFrame: 60, endFrame: 90 })).toEqual([])
  })

  it('names what goes by itself after what can: a phone does not cross a car park', () => {
    const seen = range(8).map((f): Seen[] => [
      { box: box(60 + 30 * f, 100, 90, 60), label: 'cell phone', score: 0.6 },
      { box: box(60 + 30 * f, 100, 90, 60), label: 'car', score: 0.25 },
    ])
    const name = (shift: { dx: number; dy: number } | null) => {
      const tracker = new Tracker(detectorPace(TIME_BASE))
      seen.forEach((on, i) =>
        tracker.push({
          ordinal: i * SAMPLED,
          pts: ptsOf(i * SAMPLED),
          sightings: on.map((one) => sighting(i * SAMPLED, one)),
          ...(shift ? { shift } : {}),
        }),
      )
      return tracker.tracksIn(whole, ptsOf).map(({ body, score }) => ({ label: body.label, counts: score > ASKED }))
    }
    expect(name({ dx: 0, dy: 0 })).toEqual([{ label: 'car', counts: true }])
    // The camera pans over it, or the camera's motion is not known.
    expect(name({ dx: 30, dy: 0 })).toEqual([{ label: 'cell phone', counts: true }])
    expect(name(null)).toEqual([{ label: 'cell phone', counts: true }])
  })

  it('doubts a kite that nobody flies', () => {
    const kite: Seen = { box: box(60, 40, 40), label: 'kite', score: 0.5 }
    const score = (others: Seen[]) =>
      follow(range(10).map(() => [kite, ...others]))
        .tracksIn(whole, ptsOf)
        .find(({ body }) => body.label === 'kite')?.score ?? 0
    expect(score([])).toBeLessThan(VOLUNTEERED)
    expect(score([{ box: box(200, 160, 40, 90) }])).toBeGreaterThan(VOLUNTEERED)
  })

  it('takes from what was measured of the camera what lies between two frames', () => {
    const step = { from: 1, to: 2, dx: 0.1, dy: -0.2, zoom: 0, trust: 0.8 }
    const trace = { steps: [step, { ...step, from: 2, to: 3, dx: 0, dy: 0 }, { ...step, from: 3, to: 4, trust: 0.1 }], stays: [] }
    const frame = { width: 200, height: 100 }
    expect(groundShift(trace, 1.25, 1.75, frame)).toEqual({ dx: 10, dy: -10 })
    expect(groundShift(trace, 1.5, 2.5, frame)).toEqual({ dx: 10, dy: -10 })
    expect(groundShift({ ...trace, steps: trace.steps.slice(0, 1) }, 1.5, 2.5, frame)).toBeUndefined()
    expect(groundShift(trace, 3.8, 4.8, frame)).toBeUndefined()
    // A car that fills the picture hides ground that rests.
    const hidden = {
      steps: [
        { ...step, dx: 0, dy: 0 },
        { ...step, from: 2, to: 3, trust: 0.1 },
        { ...step, from: 3, to: 4, dx: 0, dy: 0 },
      ],
      stays: [],
    }
    expect(groundShift(hidden, 2.25, 2.5, frame)).toEqual({ dx: 0, dy: 0 })
    expect(groundShift({ ...hidden, steps: hidden.steps.with(2, { ...step, from: 3, to: 4 }) }, 2.25, 2.5, frame)).toBeUndefined()
  })

  it('takes what drives off by itself for no phone, but where somebody may carry it, or where the camera moves', () => {
    const still = { dx: 0, dy: 0 }
    const score = (shift: { dx: number; dy: number }, beside: readonly Seen[] = []) => {
      const tracker = new Tracker(detectorPace(TIME_BASE))
      for (const f of range(12)) {
        const sightings = [{ box: box(60 + 20 * f, 100, 60, 80), label: 'cell phone', score: 0.9 }, ...beside].map((one) =>
          sighting(f * SAMPLED, one),
        )
        tracker.push({ ordinal: f * SAMPLED, pts: ptsOf(f * SAMPLED), sightings, ...(f === 0 ? {} : { shift }) })
      }
      return tracker.tracksIn(whole, ptsOf).find(({ body }) => body.label === 'cell phone')?.score ?? NaN
    }
    expect(score(still)).toBeLessThan(ASKED)
    expect(score(still, [{ box: box(300, 300, 60, 180), score: 0.8 }])).toBeGreaterThan(VOLUNTEERED)
    expect(score({ dx: 20, dy: 0 })).toBeGreaterThan(VOLUNTEERED)
  })

  it('is surer of what persists, and of what was seen better', () => {
    const of = (scores: number[], repeats = 0, likely = 1, missed = 0) =>
      objectScore({ scores, looks: scores.length + missed, repeats, likely })
    expect(of([0.5, 0.5, 0.5, 0.5])).toBeGreaterThan(of([0.5]))
    expect(of([0.7, 0.7])).toBeGreaterThan(of([0.5, 0.5]))
    expect(of([0.6], 20)).toBeGreaterThan(of([0.6]))
    expect(of([0.6, 0.6], 0, 1, 4)).toBeLessThan(of([0.6, 0.6]))
    expect(of([0.6, 0.6], 0, 0.85)).toBeLessThan(of([0.6, 0.6]))
    expect(of(range(400).map(() => 0.9))).toBeLessThanOrEqual(1)
    // For names that nobody asked for two frames are never enough.
    expect(of([0.95, 0.95])).toBeLessThan(VOLUNTEERED)
    expect(of(range(8).map(() => 0.6))).toBeGreaterThan(VOLUNTEERED)
  })
})
