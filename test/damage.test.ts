/** Four damaged files and four healthy ones (damage.ts). `npm run damage` makes sixty, of twenty kinds. */
import { expect, test } from 'vitest'
import { countsOf, damageStudy, RECIPES } from './damage.ts'

test('no damage that costs more than two pictures is silent, most of its seconds are named, and no healthy file is called damaged', async () => {
  const only = (family: keyof typeof RECIPES, wanted: string) =>
    RECIPES[family].filter(([name, container]) => `${name} in ${container}` === wanted)
  const recipes = { streams: only('streams', 'VP8 in webm'), indexed: only('indexed', 'Huffyuv in avi') }
  const outcome = await damageStudy({ files: 2, seed: 22, recipes })
  expect(outcome.accused).toEqual([])
  expect(countsOf(outcome)).toMatchObject({ files: 4, 'told though nothing is lost': 0, healthy: 4 })
  // These two codecs have no check: a picture or two that are spoilt, without being cut short, look like any other.
  expect(outcome.damaged.filter(({ lost, told }) => !told && lost > 0.02)).toEqual([])
  const [lost, named] = [0, 1].map((which) => outcome.damaged.reduce((sum, one) => sum + one.lost * (which === 0 ? 1 : one.named), 0)) as [
    number,
    number,
  ]
  expect(named / lost).toBeGreaterThan(0.8)
  for (const { tooMuch } of outcome.damaged) expect(tooMuch).toBeLessThan(2)
}, 240_000)
