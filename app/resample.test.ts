import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { noise } from './noise.testing.ts'
import { type Filter, resample } from './resample.ts'

const Size = z.tuple([z.number(), z.number()])
const Digests = z.object({ bilinear: z.string(), bicubic: z.string(), lanczos: z.string() })
/** Made by models/resampling.py. */
const golden = z
  .object({
    pillow: z.literal('13.0.0'),
    first: z.record(z.enum(['bilinear', 'bicubic', 'lanczos']), z.array(z.number())),
    cases: z.array(Digests.extend({ from: Size, to: Size })),
  })
  .parse(JSON.parse(readFileSync(new URL('resample.golden.json', import.meta.url), 'utf8')))
const FILTERS = ['bilinear', 'bicubic', 'lanczos'] as const satisfies readonly Filter[]

test('a picture comes out as Pillow makes it, to the last bit, whichever pass is first', () => {
  for (const filter of FILTERS) expect([...resample(noise(4, 3, 0), 2, 2, filter).rgb], filter).toEqual(golden.first[filter])
  const wrong = golden.cases.flatMap(({ from: [width, height], to: [w, h], ...digests }, seed) =>
    FILTERS.filter((filter) => {
      const { rgb } = resample(noise(width, height, seed), w, h, filter)
      return createHash('sha256').update(rgb).digest('hex').slice(0, 16) !== digests[filter]
    }).map((filter) => `${filter} ${width} × ${height} → ${w} × ${h}`),
  )
  expect(wrong).toEqual([])
  expect(golden.cases.length).toBeGreaterThan(60)
})

test('a picture that keeps its size is left as it is', () => {
  const picture = noise(9, 5, 1)
  expect(resample(picture, 9, 5, 'lanczos')).toEqual(picture)
})
