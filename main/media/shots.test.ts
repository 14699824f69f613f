import { describe, expect, it } from 'vitest'
import { ShotDetector, stands, TINY } from './shots.ts'

/** A scene of random soft blobs, seen from (dx, dy) at a brightness: the same seed is the same scene. */
function view(seed: number, { dx = 0, dy = 0, zoom = 1, light = 1 } = {}): Uint8Array {
  const blobs = Array.from({ length: 40 }, (_, i) => {
    const random = (k: number) => Math.abs(Math.sin(seed * 1000 + i * 17 + k * 101) * 43758.5453) % 1
    return {
      x: random(1) * 90 - 20,
      y: random(2) * 60 - 14,
      r: 2 + random(3) * 4,
      colour: [random(4) * 255, random(5) * 255, random(6) * 255],
    }
  })
  const frame = new Uint8Array(TINY.width * TINY.height * 3)
  for (let y = 0; y < TINY.height; y++) {
    for (let x = 0; x < TINY.width; x++) {
      const [sx, sy] = [(x - 24) * zoom + 24 + dx, (y - 16) * zoom + 16 + dy]
      for (let c = 0; c < 3; c++) {
        let value = 90
        for (const blob of blobs) if ((sx - blob.x) ** 2 + (sy - blob.y) ** 2 < blob.r ** 2) value = blob.colour[c] ?? 0
        frame[(y * TINY.width + x) * 3 + c] = Math.min(255, value * light)
      }
    }
  }
  return frame
}

function cutsOf(frames: Uint8Array[]): number[] {
  const detector = new ShotDetector()
  return [...frames.flatMap((frame) => detector.push(frame)), ...detector.finish()]
}

const times = (count: number, make: (i: number) => Uint8Array) => Array.from({ length: count }, (_, i) => make(i))

describe('ShotDetector', () => {
  it('finds a cut at its frame, between still and between moving pictures', () => {
    expect(cutsOf([...times(10, () => view(1)), ...times(8, () => view(2))])).toEqual([10])
    expect(
      cutsOf([...times(10, (i) => view(1, { dx: i / 2 })), ...times(8, (i) => view(2, { dy: -i / 2 })), ...times(5, () => view(3))]),
    ).toEqual([10, 18])
  })

  it('finds none in a pan, a zoom, a jump of the lens, a change of exposure, or a flash', () => {
    expect(cutsOf(times(20, (i) => view(1, { dx: 2 * i - 20 })))).toEqual([])
    expect(cutsOf(times(20, (i) => view(1, { zoom: 1.05 ** (i - 10) })))).toEqual([])
    expect(cutsOf([...times(10, () => view(1)), ...times(10, () => view(1, { zoom: 1.4 }))])).toEqual([])
    expect(cutsOf([...times(10, () => view(1)), ...times(10, () => view(1, { light: 0.6 }))])).toEqual([])
    expect(cutsOf([...times(10, () => view(1)), view(1).fill(255), ...times(10, () => view(1))])).toEqual([])
  })

  it('finds the cuts on both sides of one frame that stands, which would else be a flash', () => {
    const cuts = (isStanding: boolean) => {
      const detector = new ShotDetector()
      const moving = (seed: number) => times(8, (i) => view(seed, { dx: i / 2 }))
      const frames = [...moving(1), view(2), ...moving(3)]
      return [...frames.flatMap((frame, at) => detector.push(frame, isStanding && at === 8)), ...detector.finish()]
    }
    expect(cuts(true)).toEqual([8, 9])
    expect(cuts(false)).toEqual([])
    expect([0.04, 1, 10].map((stay) => stands(stay, { num: 25, den: 1 }))).toEqual([false, true, true])
    // Where all frames are slow, none stands.
    expect([2, 3, 4].map((stay) => stands(stay, { num: 1, den: 2 }))).toEqual([false, false, true])
  })

  it('finds none in a counter or a border that changes alone', () => {
    const border = (shade: number) => {
      const frame = view(1)
      for (let i = 0; i < frame.length; i++) if (Math.floor(i / 3 / TINY.width) < 4) frame[i] = shade
      return frame
    }
    expect(cutsOf([...times(10, () => border(0)), ...times(10, () => border(255))])).toEqual([])
  })
})
