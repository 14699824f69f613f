import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AveragePrecision, holds, isSame, recallAt } from './measures.ts'

const Side = z.tuple([z.number(), z.number(), z.number(), z.number()])
const Boxes = z.array(
  z
    .object({ image_id: z.number(), category_id: z.number(), bbox: Side, iscrowd: z.number().default(0), score: z.number().default(0) })
    .transform(({ image_id, category_id, bbox: [x, y, w, h], iscrowd, score }) => ({
      picture: image_id,
      label: category_id,
      box: { x1: x, y1: y, x2: x + w, y2: y + h },
      crowd: iscrowd === 1,
      score,
    })),
)
const { truth, said, each } = z
  .object({ truth: Boxes, said: Boxes, each: z.array(z.tuple([z.number(), z.number()])) })
  .parse(JSON.parse(readFileSync(new URL('precision.golden.json', import.meta.url), 'utf8')))

const judgedOn = (change: { judged?: ReadonlySet<number> | null; partly?: ReadonlySet<number> } = {}) => {
  const measure = new AveragePrecision()
  for (let picture = 1; picture <= 12; picture += 1) {
    const of = <T extends { picture: number }>(all: readonly T[]) => all.filter((one) => one.picture === picture)
    measure.add({ truth: of(truth), said: of(said), judged: null, partly: new Set(), ...change })
  }
  return measure.result()
}

describe('average precision', () => {
  it('is what pycocotools says, label by label', () => {
    const own = judgedOn()
    for (const [i, [mean, half]] of each.entries()) {
      expect(own.get(i + 1)?.mean).toBeCloseTo(mean, 9)
      expect(own.get(i + 1)?.half).toBeCloseTo(half, 9)
    }
  })

  it('counts no box of a label that nobody looked for on the picture, and none that matches nothing where not every thing has a box', () => {
    const all = judgedOn()
    for (const own of [judgedOn({ judged: new Set() }), judgedOn({ partly: new Set([1, 2, 3, 4]) })]) {
      for (const [label, { half }] of own) expect(half).toBeGreaterThanOrEqual(all.get(label)?.half ?? 1)
      expect([...own].filter(([label, { half }]) => half > (all.get(label)?.half ?? 1)).length).toBeGreaterThan(1)
    }
  })
})

it('answers are compared by their words', () => {
  expect(isSame('A dog.', 'dog')).toBe(true)
  expect(isSame('Two', '2')).toBe(true)
  expect(isSame('dogs', 'dog')).toBe(false)
  expect(holds('A man is playing the guitar', 'play')).toBe(false)
  expect(holds('A man is playing the guitar', 'guitar')).toBe(true)
})

it('a query counts as found only if what belongs to it is ahead of nearly all others, and equal scores count against it', () => {
  const scores = [
    [0.9, 0.1, 0.2],
    [0.5, 0.5, 0.1],
    [0.3, 0.2, 0.1],
  ]
  expect(recallAt(scores, [[0], [1], [2]], 1)).toBeCloseTo(1 / 3)
  expect(recallAt(scores, [[0], [1], [2]], 2)).toBeCloseTo(2 / 3)
  expect(recallAt(scores, [[0], [1], [0, 2]], 2)).toBe(1)
})
