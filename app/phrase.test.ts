import { expect, test } from 'vitest'
import { english, said } from './phrase.ts'

test('a sentence within a sentence has its own places filled', () => {
  const why = { text: 'Another video lies here since {{when}}.' }
  expect(english(said('{{name}} has no pictures. {{why}}', { name: 'a.mp4', when: '10:05', why }))).toBe(
    'a.mp4 has no pictures. Another video lies here since 10:05.',
  )
})

test('a moment is told in UTC where nobody knows who reads it, also within another sentence', () => {
  const when = { at: '2026-12-01T04:24:31.000Z' }
  expect(english(said('Since {{when}}.', { when }))).toBe('Since 2026-12-01 04:24 UTC.')
  expect(english(said('{{why}}', { when, why: { text: 'Since {{when}}.' } }))).toBe('Since 2026-12-01 04:24 UTC.')
})
