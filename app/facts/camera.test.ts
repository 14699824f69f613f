import { describe, expect, it } from 'vitest'
import { CameraGauge, cameraMotion, cameraStep, type CameraTrace, type Cover, groundAt, type PicturePart, restingShare } from './camera.ts'
import type { GreyPicture } from './tiles.ts'

const [WIDTH, HEIGHT] = [160, 90]

/** Pseudo-random number of a cell, 0..1, the same in every run. */
function speck(x: number, y: number, seed: number): number {
  const value = Math.sin(x * 127.1 + y * 311.7 + seed * 74.7) * 43758.5453
  return value - Math.floor(value)
}

/** A landscape of soft patches some ten pixels wide, as coarse as real pictures of this size, defined everywhere. */
function scene(x: number, y: number, seed = 1): number {
  const [cx, cy] = [x / 11, y / 11]
  const [ix, iy] = [Math.floor(cx), Math.floor(cy)]
  const [fx, fy] = [cx - ix, cy - iy]
  const at = (dx: number, dy: number) => speck(ix + dx, iy + dy, seed)
  return 255 * ((at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy)
}

function picture(level: (x: number, y: number) => number, noise = 0, seed = 0): GreyPicture {
  const grey = new Uint8Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) grey[y * WIDTH + x] = Math.max(0, Math.min(255, level(x, y) + noise * (2 * speck(x, y, seed + 99) - 1)))
  return { grey, width: WIDTH, height: HEIGHT }
}

/** The landscape as seen by a camera whose ground moved by (dx, dy) pixels and grew by a factor from the middle. */
const seen = (dx: number, dy: number, growth = 1, noise = 0, seed = 0) =>
  picture((x, y) => scene((x - 80 - dx) / growth + 80, (y - 45 - dy) / growth + 45), noise, seed)

/** A thing of another texture in front of what `behind` shows, with its upper left corner at (left, top). */
function withThing(
  behind: (x: number, y: number) => number,
  left: number,
  top: number,
  width: number,
  height: number,
  noise = 0,
  seed = 0,
): GreyPicture {
  return picture(
    (x, y) => (x >= left && x < left + width && y >= top && y < top + height ? scene(x - left, y - top, 5) : behind(x, y)),
    noise,
    seed,
  )
}

function traceOf(pictures: readonly GreyPicture[]): CameraTrace {
  const gauge = new CameraGauge()
  pictures.forEach((one, i) => gauge.add(one, i / 4))
  return gauge.trace
}

const steps = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('a step of the camera', () => {
  it.each([
    [6, 0],
    [-9, 4],
    [0.8, -1.6],
    [30, -8],
    [-41, 0],
  ])('finds a shift of %s, %s pixels through noise', (dx, dy) => {
    const step = cameraStep(seen(0, 0, 1, 6, 1), seen(dx, dy, 1, 6, 2))
    expect(Math.abs(step.dx * WIDTH - dx)).toBeLessThan(0.8)
    expect(Math.abs(step.dy * HEIGHT - dy)).toBeLessThan(0.8)
    expect(step.trust).toBeGreaterThan(0.5)
  })

  it.each([1.06, 0.93])('finds a growth by %s', (growth) => {
    const step = cameraStep(seen(0, 0, 1, 4, 1), seen(3, 0, growth, 4, 2))
    expect(Math.abs(step.zoom - (growth - 1))).toBeLessThan(0.015)
    expect(Math.abs(step.dx * WIDTH - 3)).toBeLessThan(1.2)
  })

  it('finds no motion where only noise and light change', () => {
    const step = cameraStep(
      picture((x, y) => scene(x, y), 8, 1),
      picture((x, y) => 0.9 * scene(x, y) + 12, 8, 2),
    )
    expect(step).toMatchObject({ dx: 0, dy: 0, zoom: 0 })
  })

  it('finds no motion where a large thing passes before a camera that stands', () => {
    const step = cameraStep(withThing(scene, 20, 10, 70, 70, 4, 1), withThing(scene, 32, 10, 70, 70, 4, 2))
    expect(step).toMatchObject({ dx: 0, dy: 0, zoom: 0 })
  })

  it('follows the ground, not the thing before it', () => {
    const moved = (x: number, y: number) => scene(x - 8, y)
    const step = cameraStep(withThing(scene, 40, 20, 50, 50, 4, 1), withThing(moved, 36, 20, 50, 50, 4, 2))
    expect(Math.abs(step.dx * WIDTH - 8)).toBeLessThan(1)
  })

  it('trusts nothing in a plain picture, and little over a cut', () => {
    expect(
      cameraStep(
        picture(() => 120, 3, 1),
        picture(() => 120, 3, 2),
      ).trust,
    ).toBe(0)
    const cut = cameraStep(
      seen(0, 0),
      picture((x, y) => scene(x, y, 77)),
    )
    expect(cut.trust).toBeLessThan(0.3)
  })
})

describe('what stays', () => {
  it('is all where nothing moves, and nothing where the camera pans', () => {
    expect(restingShare(seen(0, 0, 1, 4, 1), seen(0, 0, 1, 4, 2))).toBeGreaterThan(0.9)
    expect(restingShare(seen(0, 0, 1, 4, 1), seen(12, 0, 1, 4, 2))).toBeLessThan(0.15)
  })

  it('is enough behind a thing that fills half the picture, in another light too', () => {
    const before = withThing(scene, 0, 0, 80, 90, 4, 1)
    const after = withThing((x, y) => scene(x, y) + 14, 9, 0, 80, 90, 4, 2)
    expect(restingShare(before, after)).toBeGreaterThan(0.6)
  })

  it('is not known of a plain picture', () =>
    expect(
      restingShare(
        picture(() => 90),
        picture(() => 90),
      ),
    ).toBeNull())
})

describe('what the camera does in a clip', () => {
  it('stands, while things move before it', () => {
    const motion = cameraMotion(traceOf(steps(20).map((i) => withThing(scene, 8 * i - 30, 20, 50, 60, 4, i))))
    expect(motion).toMatchObject({ moves: false, swings: [], shakes: false })
  })

  it.each([
    ['right', -4, 0],
    ['left', 4, 0],
    ['down', 0, -3],
    ['up', 0, 3],
  ] as const)('goes %s where the ground goes the other way', (way, dx, dy) => {
    const { moves, swings } = cameraMotion(traceOf(steps(16).map((i) => seen(dx * i, dy * i, 1, 4, i))))
    expect(moves).toBe(true)
    expect(swings[0]?.way).toBe(way)
    expect(Math.abs((swings[0]?.amount ?? 0) - Math.abs((15 * dx) / WIDTH + (15 * dy) / HEIGHT))).toBeLessThan(0.05)
  })

  it('notices a drift of less than a pixel between two pictures', () => {
    const { moves, swings } = cameraMotion(traceOf(steps(60).map((i) => seen(-0.6 * i, 0, 1, 3, i))))
    expect(moves).toBe(true)
    expect(swings[0]?.way).toBe('right')
  })

  it('comes nearer', () => {
    const { swings } = cameraMotion(traceOf(steps(16).map((i) => seen(0, 0, 1.03 ** i, 3, i))))
    expect(swings[0]?.way).toBe('nearer')
    expect(swings[0]?.amount).toBeCloseTo(15 * Math.log(1.03), 1)
  })

  it('pans there and back', () => {
    const { swings } = cameraMotion(traceOf(steps(24).map((i) => seen(-5 * Math.min(i, 23 - i), 0, 1, 4, i))))
    expect(swings.map(({ way }) => way).sort()).toEqual(['left', 'right'])
  })

  it('does not shake as far as the picture of a ridged roof seems to jump', () => {
    const jumping = (dy: number) => ({
      steps: steps(16).map((i) => ({ from: i / 4, to: (i + 1) / 4, dx: 0, dy: i % 2 === 0 ? dy : -dy, zoom: 0, trust: 0.7 })),
      stays: [0, 1, 2, 3].map((from) => ({ from, to: from + 1, rests: 0 })),
    })
    expect(cameraMotion(jumping(0.02))).toMatchObject({ moves: true, shakes: true })
    expect(cameraMotion(jumping(0.17))).toMatchObject({ moves: true, swings: [], shakes: false })
  })

  it('is not said to stand where only half of the picture rests in a short clip, as far hills beside a road do', () => {
    const resting = (rests: number) =>
      cameraMotion({ steps: [{ from: 0, to: 1.7, dx: 0.008, dy: 0, zoom: 0, trust: 0.9 }], stays: [{ from: 0, to: 1.7, rests }] }).moves
    expect([resting(0.9), resting(0.55), resting(0.1)]).toEqual([false, null, true])
  })

  it('shakes', () => {
    const motion = cameraMotion(traceOf(steps(24).map((i) => seen(6 * Math.sin(2.1 * i), 4 * Math.cos(2.6 * i), 1, 4, i))))
    expect(motion).toMatchObject({ moves: true, shakes: true })
  })

  it('does what nobody knows in the dark, and in a clip of one picture', () => {
    expect(cameraMotion(traceOf(steps(12).map((i) => picture(() => 4, 2, i)))).moves).toBeNull()
    expect(cameraMotion(traceOf([seen(0, 0)])).moves).toBeNull()
  })

  it('is not told from one thing that moves before a plain wall', () => {
    const { moves } = cameraMotion(traceOf(steps(20).map((i) => withThing(() => 200, 64 + 16 * Math.sin(0.7 * i), 20, 36, 60, 1, i))))
    expect(moves).not.toBe(true)
  })

  it('is told beside a person who fills most of the picture, whether the camera stands or goes along', () => {
    const inFront = ({ x }: PicturePart): Cover => (x >= 0.25 ? 'mover' : null)
    const head = (i: number) => withThing(scene, 62 + 14 * Math.sin(0.9 * i), 0, 130, 90, 4, i)
    const before = traceOf(steps(20).map(head))
    expect(cameraMotion(before).moves).not.toBe(false)
    expect(cameraMotion(before, inFront).moves).toBe(false)
    const along = traceOf(steps(20).map((i) => withThing((x, y) => scene(x + 5 * i, y), 60, 4, 60, 86, 4, i)))
    expect(cameraMotion(along, ({ x }) => (x >= 0.25 && x < 0.75 ? 'mover' : null)).moves).toBe(true)
  })

  it('is told of a clip of less than a second', () =>
    expect(cameraMotion(traceOf(steps(3).map((i) => seen(0, 0, 1, 4, i)))).moves).toBe(false))
})

describe('where the ground is', () => {
  const trace = [
    { from: 0, to: 1, dx: 0.1, dy: 0, zoom: 0, trust: 1 },
    { from: 1, to: 2, dx: 0.1, dy: -0.2, zoom: 0.1, trust: 1 },
  ]
  it('is between two steps in proportion', () => {
    expect(groundAt(trace, 0.5)).toEqual({ x: 0.05, y: 0, growth: 1 })
    expect(groundAt(trace, 1.5).x).toBeCloseTo(0.15)
    expect(groundAt(trace, 9).growth).toBeCloseTo(1.1)
  })
})
