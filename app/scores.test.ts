import { describe, expect, it } from 'vitest'
import { tell } from './scores.ts'

const row = (task: string, metric: string, value: number, on = 'set') => ({ task, metric, value, n: 100, on, date: '2026-01-01' })

describe('scores in plain words', () => {
  it('sorts kinds of question by whether they beat the commonest answer', () => {
    const told = tell([
      ...(['colour', 'size'] as const).flatMap((kind, i) => [
        row('answer', `exact match: ${kind}`, 0.7 + i / 10),
        row('answer', `commonest answer: ${kind}`, 0.3),
      ]),
      row('answer', 'exact match: yesno', 0.58),
      row('answer', 'commonest answer: yesno', 0.5),
      row('answer', 'exact match: where', 0.2),
      row('answer', 'commonest answer: where', 0.05),
      row('answer', 'exact match: camera', 0.5),
      row('answer', 'commonest answer: camera', 0.2),
    ])
    expect(told?.good.map(({ kind }) => kind)).toEqual(['size', 'colour'])
    expect(told?.poor).toEqual([
      { kind: 'where', right: 0.2 },
      { kind: 'yesno', right: 0.58 },
    ])
  })

  it('tells of the largest set, and only what was measured', () => {
    const told = tell([
      row('answer', 'exact match', 1, 'small'),
      row('search', 'R@1 among 50', 0.3),
      row('search', 'R@10 among 50', 0.8),
      row('search', 'clip to text R@1 among 50', 0.9),
      row('detect', 'AP50, known names', 0.15),
    ])
    expect(told).toEqual({
      on: 'set',
      good: [],
      poor: [],
      search: { first: 0.3, ten: 0.8, among: 50 },
      boxes: { known: 0.15, novel: null },
    })
  })

  it('tells of boxes of a public set, where no name counts as learnt', () =>
    expect(tell([row('boxes', 'AP50', 0.4), row('boxes', 'AP', 0.2)])?.boxes).toEqual({ all: 0.4 }))

  it('says nothing where nothing was measured', () => expect(tell([])).toBeNull())
})
