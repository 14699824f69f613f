import { describe, expect, it } from 'vitest'
import type { GreyPicture } from './camera.ts'
import { type LightSample, lightSample, lightStretches } from './light.ts'

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
    expect(lightSample(flat(100), 1, null)).toEqual({ time: 1, mean: 100, spread: 0, change: null })
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

  it('calls a picture frozen that does not change for two seconds, and no shorter one', () => {
    const frozen = (times: number) =>
      lightStretches(samplesOf([flat(100, 120), ...repeated(flat(90, 60), times), flat(100, 120)])).filter(({ kind }) => kind === 'frozen')
    expect(frozen(6)).toEqual([{ kind: 'frozen', from: 0.5, to: 3 }])
    expect(frozen(4)).toEqual([])
  })
})
