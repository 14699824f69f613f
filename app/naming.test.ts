/** What a label shows of what a word means, and under which names a thing is looked for so that it can be counted. */
import { expect, test } from 'vitest'
import { namesToCount, shows } from './naming.ts'
import { newLabel } from './vocabulary.ts'
import { classesOf, THINGS } from './words.ts'

const LIST = ['person', 'car', 'bus', 'truck', 'dog']
const labels = (...names: string[]) => names.map((name) => newLabel(name, []))

test('a label shows what a word means if it means the same or less, not if it means more or another kind', () => {
  const shown = (word: string, ...names: string[]) => shows(classesOf(word, THINGS) ?? { classes: [], wider: false }, names)
  for (const [word, name] of [
    ['vehicle', 'cars'],
    ['Fahrzeug', 'Autos'],
    ['Tier', 'poodle'],
    ['people', 'pedestrians'],
    ['car', 'taxi'],
    ['poodle', 'dog'],
  ] as const)
    expect([word, name, shown(word, name)]).toEqual([word, name, true])
  for (const [word, name] of [
    ['car', 'vehicle'],
    ['poodle', 'terrier'],
    ['animal', 'Autos'],
    ['vehicle', 'crane'],
  ] as const)
    expect([word, name, shown(word, name)]).toEqual([word, name, false])
  expect(shown('dogs', 'Bello', 'Pudel')).toBe(true)
})

test('what is counted is looked for by the names of the list, in which boxes keep their names; other words as they were typed', () => {
  for (const word of ['car', 'cars', 'Cars', 'automobiles', 'Autos', 'Pkw', 'taxis']) expect(namesToCount(word, [], LIST)).toEqual(['car'])
  for (const word of ['people', 'pedestrians', 'Leute', 'women']) expect(namesToCount(word, [], LIST)).toEqual(['person'])
  expect(namesToCount('dogs', [], LIST)).toEqual(['dog'])
  expect(namesToCount('vehicles', [], LIST)).toEqual(['car', 'bus', 'truck'])
  expect(namesToCount('crane', [], LIST)).toEqual(['crane'])
  // A person's own word stays the name of the boxes, and is looked for already.
  expect(namesToCount('cars', labels('Autos'), LIST)).toEqual([])
  expect(namesToCount('Fahrzeuge', labels('Autos'), LIST)).toEqual(['bus', 'truck'])
  expect(namesToCount('cars', labels('cars'), LIST)).toEqual([])
  // A pack without a list looks for any words, unless a label is the same already.
  expect(namesToCount('cars', [], null)).toEqual(['cars'])
  expect(namesToCount('cars', labels('car'), null)).toEqual([])
  expect(namesToCount('poodles', labels('dog'), null)).toEqual(['poodles'])
})
