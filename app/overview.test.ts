import { describe, expect, it } from 'vitest'
import { binsOf, byDate, type ClipFact, commonest, endToEnd, histogram, inside } from './overview.ts'

const source = (id: number, duration: number, recordedAt?: string) => ({
  id,
  probe: { duration, ...(recordedAt === undefined ? {} : { recordedAt }) },
})
const clip = (id: number, sourceId: number, start: number, labels: Record<string, number> = {}): ClipFact => ({
  id,
  sourceId,
  start,
  end: start + 2,
  caption: null,
  state: null,
  confidence: null,
  labels,
  perhaps: {},
  unsure: false,
  review: 'open',
})

describe('the axis of a library', () => {
  it('lays videos end to end, recorded ones first and in their order', () => {
    const axis = endToEnd([
      source(1, 10),
      source(2, 20, '2026-05-02T00:00:00Z'),
      { id: 3, probe: null },
      source(4, 5, '2026-05-01T00:00:00Z'),
      source(5, 0),
    ])
    expect(axis).toEqual({
      sources: [
        { sourceId: 4, from: 0, length: 5 },
        { sourceId: 2, from: 5, length: 20 },
        { sourceId: 1, from: 25, length: 10 },
      ],
      length: 35,
      origin: null,
    })
  })
  it('places videos by date where they tell one', () => {
    expect(byDate([source(1, 10)])).toBeNull()
    expect(byDate([source(1, 10), source(2, 20, '2026-05-01T00:01:00Z'), source(3, 5, '2026-05-01T00:00:00Z')])).toEqual({
      sources: [
        { sourceId: 3, from: 0, length: 5 },
        { sourceId: 2, from: 60, length: 20 },
      ],
      length: 80,
      origin: Date.parse('2026-05-01T00:00:00Z'),
    })
  })
  it('counts clips and tracks along it, each clip once', () => {
    const axis = endToEnd([source(1, 10), source(2, 10)])
    const clips = [clip(1, 1, 0, { car: 2 }), clip(2, 1, 8, { car: 1, dog: 1 }), clip(3, 2, 8), clip(4, 99, 0)]
    const bins = binsOf(clips, axis, 4, [0, axis.length])
    expect(bins.map(({ clipIds }) => clipIds)).toEqual([[1], [2], [], [3]])
    expect([...(bins[1]?.labels ?? [])]).toEqual([
      ['car', 1],
      ['dog', 1],
    ])
    expect(binsOf(clips, axis, 2, [0, 5]).map(({ clipIds }) => clipIds)).toEqual([[1], []])
  })
})

describe('regions of charts', () => {
  it('hold values from their lower edge on; the last also its upper', () => {
    const ids = (...values: number[]) =>
      histogram(
        values.map((value, clipId) => ({ clipId, value })),
        10,
      )
    expect(ids(0, 0.1, 0.3, 0.999, 1, 0.7).map((bin) => bin.length)).toEqual([1, 1, 0, 1, 0, 0, 0, 1, 0, 2])
  })
  it('hold the points inside a drawn line, also of one that is not convex', () => {
    const u = [
      { x: 0, y: 0 },
      { x: 9, y: 0 },
      { x: 9, y: 9 },
      { x: 6, y: 9 },
      { x: 6, y: 3 },
      { x: 3, y: 3 },
      { x: 3, y: 9 },
      { x: 0, y: 9 },
    ]
    expect(
      [
        { x: 1, y: 8 },
        { x: 4.5, y: 8 },
        { x: 4.5, y: 1 },
        { x: 8, y: 8 },
        { x: 12, y: 1 },
      ].map((point) => inside(point, u)),
    ).toEqual([true, false, true, true, false])
    expect(inside({ x: 0, y: 0 }, [])).toBe(false)
  })
  it('name the commonest', () => expect(commonest(['b', 'a', 'c', 'a', 'b', 'd'], 3)).toEqual(['a', 'b', 'c']))
})
