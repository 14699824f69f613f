import { expect, test } from 'vitest'
import { english, said } from './phrase.ts'

test('a sentence within a sentence has its own places filled', () => {
  const why = { text: 'Another video lies here since {{when}}.' }
  expect(english(said('{{name}} has no pictures. {{why}}', { name: 'a.mp4', when: '10:05', why }))).toBe(
    'a.mp4 has no pictures. Another video lies here since 10:05.',
  )
})
