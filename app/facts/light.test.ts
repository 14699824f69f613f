import { describe, expect, it } from 'vitest'
import type { GreyPicture } from './camera.ts'
import { isDrawn, type LightSample, lightSample, lightStretches } from './light.ts'

const flat = (level: number, patch = level): GreyPicture => ({
  grey: Uint8Array.from({ length: 400 }, (_, i) => (i % 20 < 5 ? patch : level)),
  width: 20,
  height: 20,
})

function samplesOf(pictures: readonly GreyPicture[]): LightSample[] {
  return pictures.map((picture, i) => lightSample(picture, i / 2, pictures[i - 1] ?? null))
}

const repeated = (picture: GreyPicture, times: number) => new Array<GreyPicture>(times).fill(picture)

describe('light', () => {
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

  it('calls a picture frozen that does not change for two seconds, and no shorter one', () => {
    const frozen = (times: number) =>
      lightStretches(samplesOf([flat(100, 120), ...repeated(flat(90, 60), times), flat(100, 120)])).filter(({ kind }) => kind === 'frozen')
    expect(frozen(6)).toEqual([{ kind: 'frozen', from: 0.5, to: 3 }])
    expect(frozen(4)).toEqual([])
  })
})
