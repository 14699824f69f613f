import { describe, expect, it } from 'vitest'
import type { TrackBody } from './annotation.ts'
import { agreementOf, alone } from './agreement.ts'

const track = (label: string, x: number, ordinals: readonly number[] = [0, 10], width = 100): TrackBody => ({
  kind: 'track',
  label,
  boxes: ordinals.map((ordinal) => ({ ordinal, pts: ordinal * 100, box: { x1: x, y1: 0, x2: x + width, y2: 100 }, score: 0.9 })),
})

describe('agreement of two sets of tracks', () => {
  it('counts a box as the same from an overlap of one half, of one label', () => {
    // Shifted by a third: 67 of 133 pixels. By a little more: less than half.
    expect(agreementOf([track('car', 0)], [track('car', 33)])).toMatchObject({ both: 2, first: 0, second: 0 })
    expect(agreementOf([track('car', 0)], [track('car', 34)])).toMatchObject({ both: 0, first: 2, second: 2 })
    expect(agreementOf([track('car', 0)], [track('lorry', 0)])).toMatchObject({ both: 0, first: 2, second: 2 })
  })

  it('compares interpolated boxes where only one side has a key box', () => {
    expect(agreementOf([track('car', 0, [0, 10])], [track('car', 0, [0, 4, 10])]).frames).toEqual(
      [0, 4, 10].map((ordinal) => ({ ordinal, pts: ordinal * 100, both: 1, first: 0, second: 0 })),
    )
  })

  it('pairs each box once, the best overlap first', () => {
    const left = alone([track('car', 0), track('car', 20)], [track('car', 18)], 0)
    expect([[...left.first], [...left.second], left.both]).toEqual([[0], [], 1])
  })

  it('says nothing about nothing', () => expect(agreementOf([], [])).toEqual({ both: 0, first: 0, second: 0, frames: [] }))
})
