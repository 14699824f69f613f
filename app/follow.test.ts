import { describe, expect, it } from 'vitest'
import type { Box, KeyBox, TrackBody } from './annotation.ts'
import { iou } from './boxes.ts'
import { enteredAs, Follower, type Help, keyBoxesOf, type Picture } from './follow.ts'
import { random } from './random.ts'
import { interpolate } from './tracks.ts'

const [WIDTH, HEIGHT] = [320, 240]

/** Soft blobs of many colours, so that there is texture everywhere. [side, side, 3] */
function texture(seed: number, side: number, tint: readonly [number, number, number]): Uint8Array {
  const next = random(seed)
  const blobs = Array.from({ length: 60 }, () => ({
    x: next() * side,
    y: next() * side,
    r: side * (0.03 + 0.07 * next()),
    level: 0.4 + next(),
  }))
  const rgb = new Uint8Array(side * side * 3)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const blob = blobs.find((one) => (one.x - x) ** 2 + (one.y - y) ** 2 < one.r ** 2)
      tint.forEach((value, channel) => (rgb[3 * (y * side + x) + channel] = Math.min(255, value * (blob?.level ?? 0.7))))
    }
  }
  return rgb
}

const GROUND = texture(1, WIDTH, [120, 130, 110])
const THING = texture(7, 64, [200, 90, 60])

/** The thing in a box on the ground, with noise. */
function picture(box: Box | null, noise: () => number, hidden: Box | null = null): Picture {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3)
  const inside = (x: number, y: number, one: Box | null) => one !== null && x >= one.x1 && x < one.x2 && y >= one.y1 && y < one.y2
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const thing = box !== null && inside(x, y, box) && !inside(x, y, hidden)
      const u = thing ? Math.floor((64 * (x - box.x1)) / (box.x2 - box.x1)) : x
      const v = thing ? Math.floor((64 * (y - box.y1)) / (box.y2 - box.y1)) : y
      for (let channel = 0; channel < 3; channel++) {
        const level = thing ? THING[3 * (v * 64 + u) + channel] : GROUND[3 * (v * WIDTH + u) + channel]
        rgb[3 * (y * WIDTH + x) + channel] = Math.min(255, Math.max(0, (level ?? 0) + (noise() - 0.5) * 12))
      }
    }
  }
  return { rgb, width: WIDTH, height: HEIGHT }
}

const box = (x: number, y: number, width: number, height = width): Box => ({
  x1: x - width / 2,
  y1: y - height / 2,
  x2: x + width / 2,
  y2: y + height / 2,
})

/** Overlap with the true box on each frame until the object is lost. */
function followed(
  truth: readonly (Box | null)[],
  help: (frame: number) => Help[] = () => [],
  hidden: (frame: number) => Box | null = () => null,
): number[] {
  const noise = random(3)
  const [first] = truth
  const follower = new Follower(picture(first ?? null, noise), first ?? expect.fail(), help(0))
  const overlaps: number[] = []
  for (const [frame, at] of truth.entries()) {
    if (frame === 0) continue
    const found = follower.next(picture(at, noise, hidden(frame)), help(frame))
    if (found === null) break
    overlaps.push(at ? iou(found.box, at) : 0)
  }
  return overlaps
}

const frames = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('Follower', () => {
  it('stays on what moves along a bent path', () => {
    const overlaps = followed(frames(50).map((f) => box(60 + 4 * f, 120 + 50 * Math.sin(f / 8), 50)))
    expect(overlaps).toHaveLength(49)
    expect(Math.min(...overlaps)).toBeGreaterThan(0.75)
  })

  it('grows and shrinks with what comes nearer and goes away', () => {
    const overlaps = followed(frames(50).map((f) => box(160, 120, 60 + 30 * Math.sin(f / 8))))
    expect(overlaps).toHaveLength(49)
    expect(Math.min(...overlaps)).toBeGreaterThan(0.65)
  })

  it('says that it lost what left the picture', () => {
    const truth = frames(60).map((f) => box(200 + 5 * f, 120, 50))
    const overlaps = followed(truth)
    // Its middle passes the edge on frame 24; it is out of the picture on frame 29.
    expect(overlaps.length).toBeGreaterThan(20)
    expect(overlaps.length).toBeLessThan(40)
  })

  it('says that it lost what vanished, and not what was hidden for a moment', () => {
    const still = frames(60).map(() => box(160, 120, 50))
    expect(followed(still.map((at, f) => (f < 20 ? at : null))).length).toBeLessThan(35)
    const hidden = followed(
      still,
      () => [],
      (f) => (f >= 20 && f < 25 ? box(160, 120, 60) : null),
    )
    expect(hidden).toHaveLength(59)
    expect(hidden.at(-1)).toBeGreaterThan(0.75)
  })

  it("is drawn to the detector's track of its object, and to no other", () => {
    // It gets wider, which no scale of its first look explains.
    const truth = frames(50).map((f) => box(160, 120, 40 + 1.6 * f, 50))
    const other: Help = { object: 2, box: box(175, 125, 90, 80) }
    const alone = followed(truth).at(-1) ?? 0
    const helped = followed(truth, (f) => [other, { object: 1, box: truth[f] ?? box(0, 0, 1) }]).at(-1) ?? 0
    expect(helped).toBeGreaterThan(0.85)
    expect(helped).toBeGreaterThan(alone)
    expect(
      Math.min(
        ...followed(
          frames(30).map(() => box(160, 120, 50)),
          (f) => (f === 0 ? [] : [{ object: 2, box: box(225, 120, 50) }]),
        ),
      ),
    ).toBeGreaterThan(0.85)
  })

  it('does not shrink with the part that another thing leaves to be seen', () => {
    const truth = Array.from({ length: 40 }, () => box(150, 120, 60, 80))
    const front = (frame: number): Box => ({ x1: 120, y1: 160 - frame, x2: 200, y2: 160 })
    const help = (frame: number): Help[] => [
      { object: 1, box: { x1: 120, y1: 80, x2: 180, y2: 160 - frame } },
      { object: 2, box: front(frame) },
    ]
    const alone = (frame: number): Help[] => help(frame).slice(0, 1)
    const last = (overlaps: number[]) => overlaps.at(-1) ?? expect.fail()
    expect(last(followed(truth, help, front))).toBeGreaterThan(last(followed(truth, alone, front)) + 0.1)
  })
})

describe('keyBoxesOf', () => {
  const path = frames(80).map(
    (f): KeyBox => ({ ordinal: f, pts: f * 40, score: null, box: box(100 + 2 * f + 40 * Math.sin(f / 12), 100, 50) }),
  )

  it('keeps few boxes, between which the rest is interpolated', () => {
    const keys = keyBoxesOf(path, 0.9)
    expect(keys.length).toBeLessThan(20)
    expect([keys[0], keys.at(-1)]).toEqual([path[0], path.at(-1)])
    for (const { pts, box: at } of path) expect(iou(interpolate({ boxes: keys }, pts) ?? box(0, 0, 1), at)).toBeGreaterThanOrEqual(0.9)
  })

  it('keeps two of a straight path and all of the shortest', () => {
    expect(
      keyBoxesOf(
        path.map((key, f) => ({ ...key, box: box(100 + f, 100, 50) })),
        0.9,
      ),
    ).toHaveLength(2)
    expect(keyBoxesOf(path.slice(0, 1), 0.9)).toEqual(path.slice(0, 1))
  })
})

describe('an object that comes into the picture', () => {
  const track = (object: number, pts: number, first: Box): TrackBody => ({
    kind: 'track',
    label: 'car',
    object,
    boxes: [
      { ordinal: pts, pts, box: first, score: 0.9 },
      { ordinal: pts + 25, pts: pts + 25, box: first, score: 0.9 },
    ],
  })
  const frame = { width: WIDTH, height: HEIGHT }
  /** Drawn at the lower edge when ten rows of it showed. */
  const drawn = { x1: 100, y1: 230, x2: 160, y2: 240 }
  const grown = { x1: 90, y1: 150, x2: 180, y2: 239 }

  it('is the track that begins soon after at the same place of the same edge', () => {
    const tracks = [track(1, 100, { x1: 0, y1: 0, x2: 60, y2: 40 }), track(2, 110, grown), track(3, 112, grown)]
    expect(enteredAs(drawn, 100, 115, tracks, frame)?.object).toBe(2)
  })

  it('is none that was there before, comes later, elsewhere or at another edge', () => {
    expect(enteredAs(drawn, 100, 115, [track(1, 100, grown)], frame)).toBeNull()
    expect(enteredAs(drawn, 100, 115, [track(1, 116, grown)], frame)).toBeNull()
    expect(enteredAs(drawn, 100, 115, [track(1, 60, grown), track(1, 110, grown)], frame)).toBeNull()
    expect(enteredAs(drawn, 100, 115, [track(1, 110, { ...grown, x1: 150, x2: 240 })], frame)).toBeNull()
    expect(enteredAs(drawn, 100, 115, [track(1, 110, { x1: 100, y1: 0, x2: 160, y2: 90 })], frame)).toBeNull()
    expect(enteredAs({ x1: 100, y1: 100, x2: 160, y2: 160 }, 100, 115, [track(1, 110, grown)], frame)).toBeNull()
  })
})
