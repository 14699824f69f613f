import { expect, test, vi } from 'vitest'
import { conflicts, PRESETS } from '../app/bindings.ts'

vi.stubGlobal('window', {})
vi.stubGlobal('localStorage', { getItem: () => null })
const { eventParser } = await import('./api.ts')
const { about, bytes, clock, number } = await import('./format.ts')
const { useLanguage } = await import('./i18n.ts')
const { scoreShown, scoreText } = await import('./labels/draft.ts')
const { ACTIONS } = await import('./actions.ts')
const { ordinalAt, seekTarget } = await import('./player.ts')

test('server-sent events come whole, however the network cut them', () => {
  const text = ':\n\ndata: {"a":1}\n\ndata: x\ndata: y\r\n\r\ndata: last'
  for (const size of [1, 2, 3, 7, 100]) {
    const parse = eventParser()
    const events: string[] = []
    for (let at = 0; at < text.length; at += size) events.push(...parse(text.slice(at, at + size)))
    expect(events).toEqual(['{"a":1}', 'x\ny'])
  }
})

test('a seek to a frame lands inside it, and the frame is found again from there, at variable rates', () => {
  const table = { timeBase: { num: 1, den: 1000 }, startPts: 500, pts: [500, 533, 567, 600, 900, 901, 940] }
  for (const ordinal of table.pts.keys()) expect(ordinalAt(table, seekTarget(table, ordinal))).toBe(ordinal)
  expect(ordinalAt(table, 0)).toBe(0)
  expect(ordinalAt(table, 0.033)).toBe(1)
  expect(ordinalAt(table, 99)).toBe(6)
})

test('numbers as people read them', () => {
  expect([clock(75.25, 2), clock(3599.999, 1), clock(3661), clock(0.0004, 3)]).toEqual(['1:15.25', '1:00:00.0', '1:01:01', '0:00.000'])
  expect([about(0.2), about(7), about(200), about(9000)]).toEqual(['a moment', 'about 7 s', 'about 3 min', 'about 2.5 h'])
  expect([bytes(0), bytes(999), bytes(1500), bytes(2_000_000_000)]).toEqual(['0 B', '999 B', '1.5 kB', '2.0 GB'])
})

test('scores follow the language where they are read, and not where they are typed', () => {
  expect([scoreShown(0.6), scoreShown(0.0451), scoreText(0.6)]).toEqual(['0.60', '0.045', '0.60'])
  useLanguage.setState({ language: 'de' })
  expect([scoreShown(0.6), scoreShown(0.0451), scoreText(0.6), bytes(10_700_000), number(12.27, 2)]).toEqual([
    '0,60',
    '0,045',
    '0.60',
    '10,7 MB',
    '12,27',
  ])
  useLanguage.setState({ language: 'en' })
})

test('no key does two things, whichever tool’s keys are chosen', () => {
  for (const preset of ['tubelet', 'cvat', 'dive'] as const)
    expect([preset, ...conflicts(ACTIONS, { preset, changed: {} })]).toEqual([preset])
  expect(new Set(ACTIONS.map(({ id }) => id)).size).toBe(ACTIONS.length)
  for (const { keys } of Object.values(PRESETS))
    for (const id of Object.keys(keys)) expect(ACTIONS.map((action) => action.id)).toContain(id)
})
