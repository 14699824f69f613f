import { expect, test } from 'vitest'
import { looksYesNo, toggled, topicOf, typedYesNo, wantsWords, yesNo } from './question.ts'

test('one question however it is typed is one column', () => {
  for (const typed of ['What moves?', ' what  moves', 'WHAT MOVES ??', 'what moves.']) expect(topicOf(typed)).toBe('what moves')
  expect(topicOf('What moved?')).not.toBe(topicOf('What moves?'))
})

test('an answer is yes or no by its first word, and unsure where it is neither', () => {
  expect(['Yes', 'yes, a red one', 'yeah.', 'True'].map(yesNo)).toEqual(['yes', 'yes', 'yes', 'yes'])
  expect(['no', 'No!', 'none', 'not at all', 'Keine Hunde gesehen.', 'Nein: niemand gesehen.'].map(yesNo)).toEqual(Array(6).fill('no'))
  const neither = ['', 'a red car', 'nobody knows', 'yesterday', 'maybe', 'No idea.', 'keine Ahnung']
  expect(neither.map(yesNo)).toEqual(neither.map(() => 'unsure'))
})

test('what people and spreadsheets write for yes and no is understood, anything else refused', () => {
  expect(['Y', 'TRUE', ' ja ', '1'].map(typedYesNo)).toEqual(['yes', 'yes', 'yes', 'yes'])
  expect(['N', 'FALSE', 'nein', '0'].map(typedYesNo)).toEqual(['no', 'no', 'no', 'no'])
  expect(['?', 'Not sure'].map(typedYesNo)).toEqual(['unsure', 'unsure'])
  expect(['yes and no', 'red', ''].map(typedYesNo)).toEqual([null, null, null])
})

test('a question for a number, a thing, a place or a time is known by its first word; all others may be answered by yes or no', () => {
  const words = [
    'how many cars?',
    'What moves?',
    ' which way',
    'Wie viele Autos?',
    'Was ist zu sehen?',
    'Was fährt dort?',
    'wo ist der Hund',
    'Whose is it?',
  ]
  expect(words.filter((one) => !wantsWords(one))).toEqual([])
  const others = ['Is there a car?', 'was there a car', 'any cars?', 'red car', 'Is it red or blue?', 'Hat er einen Hut?', 'Whatever moves']
  expect(others.filter(wantsWords)).toEqual([])
})

test('a toggle turns yes to no and all else to yes', () => {
  expect(['yes', 'no', 'unsure', ''].map(toggled)).toEqual(['no', 'yes', 'yes', 'yes'])
})

test('a question that can be answered by yes or no is known by its start', () => {
  expect(['Is there a car?', 'does it move', 'Hat sie einen Hut?'].map(looksYesNo)).toEqual([true, true, true])
  expect(['What colour is it?', 'Is it red or blue?', 'island?', ''].map(looksYesNo)).toEqual([false, false, false, false])
})
