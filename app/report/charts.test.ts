import { expect, test } from 'vitest'
import { bars } from './charts.ts'

test('names of bars stand whole in one line or two, under each other, and what does not fit says so', () => {
  const names = [
    'car',
    'Ja, die Kamera zoomt heran oder fährt vor.',
    'Donaudampfschifffahrtsgesellschaftskapitän',
    `${'long '.repeat(20)}end`,
  ]
  const { text: chart } = bars(
    names.map((name) => ({ name, sure: 2, unsure: 1 })),
    (count) => `${count} clips`,
  )
  const lines = [...chart.matchAll(/<tspan x="\d+" y="([\d.]+)">([^<]*)/g)].map(([, y, text = '']) => ({ y: Number(y), text }))
  expect(lines.map(({ text }) => text)).toEqual([
    'car',
    'Ja, die Kamera zoomt heran',
    'oder fährt vor.',
    'Donaudampfschifffahrtsgesel',
    'lschaftskapitän',
    'long long long long long',
    'long long long long long l…',
  ])
  expect(lines.map(({ y }) => y)).toEqual(lines.map(({ y }) => y).toSorted((a, b) => a - b))
  expect(new Set(lines.map(({ y }) => y)).size).toBe(lines.length)
  for (const name of names) expect(chart).toContain(`<title>${name}</title>`)
})
