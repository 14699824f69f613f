import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { assembled } from '../wat.testing.ts'
import type { GreyPicture } from './tiles.ts'
import { isDrawn, KERNEL, type LightSample, lightSample, lightStretches } from './light.ts'

const flat = (level: number, patch = level): GreyPicture => ({
  grey: Uint8Array.from({ length: 400 }, (_, i) => (i % 20 < 5 ? patch : level)),
  width: 20,
  height: 20,
})

function samplesOf(pictures: readonly GreyPicture[]): LightSample[] {
  return pictures.map((picture, i) => lightSample(picture, i / 2, pictures[i - 1] ?? null))
}

const repeated = (picture: GreyPicture, times: number) => new Array<GreyPicture>(times).fill(picture)

/** The same, point by point. */
function slowly({ grey, width, height }: GreyPicture, before: GreyPicture): Omit<LightSample, 'time'> {
  const mean = grey.reduce((sum, level) => sum + level, 0) / grey.length
  const inner = Array.from(grey.keys()).filter((at) => {
    const [x, y] = [at % width, Math.floor(at / width)]
    return x > 0 && x < width - 1 && y > 0 && y < height - 1 && (grey[at] ?? 0) >= 24
  })
  const isFlat = (at: number) => {
    const around = [-width, 0, width].flatMap((row) => [-1, 0, 1].map((column) => grey[at + row + column] ?? NaN))
    return Math.max(...around) - Math.min(...around) <= 1
  }
  return {
    mean,
    spread: Math.sqrt(grey.reduce((sum, level) => sum + level ** 2, 0) / grey.length - mean ** 2),
    change: grey.reduce((sum, level, at) => sum + Math.abs(level - (before.grey[at] ?? NaN)), 0) / grey.length,
    flat: inner.length < 0.25 * grey.length ? 0 : inner.filter(isFlat).length / inner.length,
  }
}

describe('light', () => {
  it('runs what light.wat says', () => {
    const source = readFileSync(path.join(import.meta.dirname, 'light.wat'), 'utf8')
    expect(assembled(source)).toEqual([...KERNEL])
    expect(assembled(source.replace('i8x16.min_u', 'i8x16.max_u'))).not.toEqual([...KERNEL])
  })

  // Sizes that are no whole number of sixteens, and the largest by turns with the smallest: nothing of one picture is left in the next.
  it.each([
    [16, 16],
    [160, 160],
    [17, 33],
    [160, 90],
    [90, 160],
  ])('measures each of %i x %i points', (width, height) => {
    const picture = (seed: number): GreyPicture => {
      // Plain parts, steps of one and of two levels, noise, and dark and full parts.
      const grey = Uint8Array.from({ length: width * height }, (_, at) => {
        const [x, y] = [at % width, Math.floor(at / width)]
        const part = (Math.floor(x / 7) + Math.floor(y / 5) + seed) % 5
        return [90, 120 + (at % 2), 200 + 2 * (x % 2), (at * 2_654_435_761 * (seed + 1)) % 256, x % 3 === 0 ? 255 : 0][part] ?? 0
      })
      return { grey, width, height }
    }
    const { time, ...fast } = lightSample(picture(2), 3, picture(1))
    const slow = slowly(picture(2), picture(1))
    expect(time).toBe(3)
    for (const key of ['mean', 'spread', 'change', 'flat'] as const) expect(fast[key], key).toBeCloseTo(slow[key] ?? NaN, 8)
    expect(fast.flat).toBeGreaterThan(0)
    expect(fast.flat).toBeLessThan(1)
  })

  it('measures mean, spread and change', () => {
    expect(lightSample(flat(100), 1, null)).toEqual({ time: 1, mean: 100, spread: 0, change: null, flat: 1 })
    expect(lightSample(flat(100, 140), 1, flat(100)).change).toBeCloseTo(10)
  })

  it('tells a black part, a dark one with something in it, and a bright one', () => {
    const pictures = [...repeated(flat(3), 2), ...repeated(flat(20, 90), 3), ...repeated(flat(200, 180), 2)].map((picture, i) => ({
      ...picture,
      grey: picture.grey.map((level, at) => level + ((i + at) % 3)),
    }))
    expect(lightStretches(samplesOf(pictures)).map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['black', 0, 0.5],
      ['dark', 1, 2],
      ['bright', 2.5, 3],
    ])
  })

  it('takes light that swings about a limit for one stretch, and no more of it than there is', () => {
    const stretchesOf = (...levels: number[]) => lightStretches(samplesOf(levels.map((level) => flat(level - 10, level + 30))))
    expect(stretchesOf(152, 147, 151, 146, 153, 147).filter(({ kind }) => kind === 'bright')).toEqual([{ kind: 'bright', from: 0, to: 2 }])
    expect(stretchesOf(152, 120, 152).filter(({ kind }) => kind === 'bright')).toHaveLength(2)
    expect(stretchesOf(38, 45, 39).filter(({ kind }) => kind === 'dark')).toEqual([{ kind: 'dark', from: 0, to: 1 }])
  })

  it('tells a drawing by its plain parts, not a camera by its noise or its black', () => {
    const drawing = flat(200, 120)
    const noisy = (picture: GreyPicture) => ({ ...picture, grey: picture.grey.map((level, i) => level + ((i * 7) % 3)) })
    const night = { ...drawing, grey: drawing.grey.map((_, i) => (i % 20 < 18 ? 10 : 150)) }
    const [shares, kinds] = [
      [drawing, noisy(drawing), night].map((picture) => lightSample(picture, 0, null).flat),
      (pictures: GreyPicture[]) => lightStretches(samplesOf(pictures)).flatMap(({ kind }) => (kind === 'drawn' ? [kind] : [])),
    ]
    expect(shares[0]).toBeGreaterThan(0.8)
    expect(shares.slice(1)).toEqual([0, 0])
    expect(kinds(repeated(drawing, 3))).toEqual(['drawn'])
    expect(isDrawn(samplesOf([...repeated(drawing, 3), ...repeated(noisy(drawing), 2)]))).toBe(true)
    expect(isDrawn(samplesOf([...repeated(drawing, 2), ...repeated(noisy(drawing), 3)]))).toBe(false)
    // Older libraries did not measure it.
    expect(isDrawn([{ time: 0, mean: 100, spread: 0, change: null }])).toBe(false)
  })

  it('does not call a hazy sky drawn, which is flat in many levels', () => {
    const sky = (row: number) => 120 + Math.floor(row / 2)
    const picture = { grey: Uint8Array.from({ length: 160 * 90 }, (_, i) => sky(Math.floor(i / 160))), width: 160, height: 90 }
    const samples = [0, 1, 2].map((time) => lightSample(picture, time, null))
    expect(samples[0]?.flat).toBeLessThan(0.2)
    expect(isDrawn(samples)).toBe(false)
  })

  it('calls a picture frozen that does not change for two seconds, and no shorter one', () => {
    const frozen = (times: number) =>
      lightStretches(samplesOf([flat(100, 120), ...repeated(flat(90, 60), times), flat(100, 120)])).filter(({ kind }) => kind === 'frozen')
    expect(frozen(6)).toEqual([{ kind: 'frozen', from: 0.5, to: 3 }])
    expect(frozen(4)).toEqual([])
  })
})
