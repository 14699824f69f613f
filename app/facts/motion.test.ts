import { describe, expect, it } from 'vitest'
import type { CameraTrace } from './camera.ts'
import type { ThingBox } from './input.ts'
import { motionOf } from './motion.ts'

const FRAME = { width: 640, height: 360 }

/** Four boxes a second for three seconds; middle and side in pixels for each moment 0..1. */
function track(middle: (share: number) => [number, number], side: (share: number) => number = () => 60): { boxes: ThingBox[] } {
  return {
    boxes: Array.from({ length: 13 }, (_, i) => {
      const [x, y] = middle(i / 12)
      const half = side(i / 12) / 2
      // Boxes jitter by a few pixels.
      const shake = ((i * 7) % 5) - 2
      return { ordinal: 6 * i, time: i / 4, score: 0.8, box: { x1: x - half + shake, y1: y - half, x2: x + half + shake, y2: y + half } }
    }),
  }
}

/** A camera whose ground moves by (dx, dy) of the picture in three seconds. */
const camera = (dx: number, dy: number): CameraTrace => ({
  steps: Array.from({ length: 12 }, (_, i) => ({ from: i / 4, to: (i + 1) / 4, dx: dx / 12, dy: dy / 12, zoom: 0, trust: 1 })),
  stays: [],
})

describe('motion of a thing', () => {
  it.each([
    ['right', [100, 180], [500, 190]],
    ['left', [500, 180], [100, 180]],
    ['down', [320, 60], [330, 300]],
    ['up', [320, 300], [310, 60]],
  ] as const)('goes %s', (way, [x, y], [toX, toY]) => {
    const motion = motionOf(
      track((share) => [x + share * (toX - x), y + share * (toY - y)]),
      FRAME,
      null,
    )
    expect(motion?.way).toBe(way)
    expect(motion?.clarity).toBeGreaterThan(0.85)
    // Its ends are medians of three boxes.
    expect(motion?.distance).toBeCloseTo((Math.hypot(toX - x, toY - y) * 10) / 12 / Math.hypot(640, 360), 1)
  })

  it('stays, though its box shakes', () =>
    expect(
      motionOf(
        track(() => [300, 200]),
        FRAME,
        null,
      )?.way,
    ).toBe('still'))

  it('is not clear across both', () =>
    expect(
      motionOf(
        track((share) => [100 + 250 * share, 80 + 230 * share]),
        FRAME,
        null,
      )?.clarity,
    ).toBeLessThan(0.5))

  it('turns back', () =>
    expect(
      motionOf(
        track((share) => [100 + 400 * (1 - Math.abs(2 * share - 1)), 180]),
        FRAME,
        null,
      )?.way,
    ).toBe('back'))

  it('comes nearer and goes away', () => {
    expect(
      motionOf(
        track(
          () => [320, 180],
          (share) => 60 + 80 * share,
        ),
        FRAME,
        null,
      )?.way,
    ).toBe('nearer')
    expect(
      motionOf(
        track(
          () => [320, 180],
          (share) => 140 - 80 * share,
        ),
        FRAME,
        null,
      )?.way,
    ).toBe('farther')
  })

  it('does not come nearer where the edge of the picture lets more of it in', () => {
    const entering = track(() => [0, 0])
    const boxes = entering.boxes.map((key, i) => ({ ...key, box: { x1: 0, y1: 100, x2: Math.min(200, 20 + 15 * i), y2: 220 } }))
    expect(motionOf({ boxes }, FRAME, null)?.way).not.toBe('nearer')
  })

  it('stands on the ground while the camera pans over it, and goes over the ground while the camera follows', () => {
    const passed = track((share) => [500 - 320 * share, 180])
    expect(motionOf(passed, FRAME, null)?.way).toBe('left')
    expect(motionOf(passed, FRAME, camera(-0.5, 0))?.way).toBe('still')
    const followed = track(() => [320, 180])
    expect(motionOf(followed, FRAME, null)?.way).toBe('still')
    expect(motionOf(followed, FRAME, camera(-0.5, 0))?.way).toBe('right')
  })

  it('is not known of one box', () => expect(motionOf({ boxes: track(() => [1, 1]).boxes.slice(0, 1) }, FRAME, null)).toBeNull())
})
