import { expect, it } from 'vitest'
import { fuzzy } from './fuzzy.ts'

const ranked = (query: string, texts: readonly string[]) =>
  texts.filter((text) => fuzzy(query, text) > 0).toSorted((a, b) => fuzzy(query, b) - fuzzy(query, a))

it('finds letters in order, in any case, and nothing else', () => {
  expect(fuzzy('gtq', 'Go to Queue')).toBeGreaterThan(0)
  expect(fuzzy('QUEUE', 'go to queue')).toBeGreaterThan(0)
  expect(fuzzy('qg', 'Go to Queue')).toBe(0)
  expect(fuzzy('', 'anything')).toBeGreaterThan(0)
})

it('prefers the starts of words and letters that follow each other', () => {
  expect(ranked('st', ['Last frame', 'Split track', 'Merge tracks'])[0]).toBe('Split track')
  expect(ranked('split', ['Show places in the list', 'Split the track here'])[0]).toBe('Split the track here')
  expect(ranked('exp', ['Explain a box', 'Export'])[0]).toBe('Export')
  expect(ranked('bot', ['d03_bottles.mp4', 'b05_audio_only_15s.mp4'])[0]).toBe('d03_bottles.mp4')
})

it('takes long names in no time', () => {
  expect(fuzzy('aaaaaaaaaa', 'a'.repeat(300))).toBeGreaterThan(0)
  expect(fuzzy('aaaaaaaaab', 'a'.repeat(300))).toBe(0)
})
