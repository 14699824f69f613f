import { expect, test } from 'vitest'
import { compoundsOf, folded, formsOf, names, quoted, spelt, termsOf, withoutExcluded, wordsIn } from './wording.ts'

const [term] = [(text: string) => termsOf(text)[0] ?? { text: '', words: [] }]
const same = (a: string, b: string) => names(b, term(a))

test('case, marks and ß fold away, however the marks are written', () => {
  expect(folded('GRÖSSE Straße Café')).toBe('grosse strasse cafe')
  expect(folded('U\u0308bung')).toBe('ubung')
  expect(spelt('Übung Größe')).toBe('uebung groesse')
  expect(spelt('U\u0308bung')).toBe('uebung')
  expect(wordsIn("C++ don't 5.1 🦄 foo_bar")).toEqual(['c', 'don', 't', '5', '1', 'foo', 'bar'])
})

test('what people type becomes terms; signs are nothing, quotes hold together, empty words go', () => {
  expect(termsOf('!!! 🦄 -')).toEqual([])
  expect(termsOf('a red car on the road').map(({ text }) => text)).toEqual(['red', 'car', 'road'])
  expect(termsOf('„rotes Auto“ "NOT this" what?')).toEqual([
    { text: 'rotes Auto', words: ['rotes', 'auto'] },
    { text: 'NOT this', words: ['not', 'this'] },
    { text: 'what', words: ['what'] },
  ])
  expect(termsOf('the').map(({ text }) => text)).toEqual(['the'])
  expect(termsOf('"unfinished').map(({ words }) => words)).toEqual([['unfinished']])
})

test('forms of German nouns and adjectives, and English plurals, are the same word', () => {
  for (const [one, other] of [
    ['Hund', 'Hunde'],
    ['Hunde', 'Hund'],
    ['Katze', 'Katzen'],
    ['Haus', 'Häuser'],
    ['Häuser', 'Haus'],
    ['Haeuser', 'Häuser'],
    ['Kinder', 'Kind'],
    ['Bälle', 'Ball'],
    ['Ball', 'Bälle'],
    ['rotes', 'rot'],
    ['rot', 'rote'],
    ['Autos', 'Auto'],
    ['Brücken', 'Brücke'],
    ['bruecke', 'Brücke'],
    ['cars', 'car'],
    ['boxes', 'box'],
    ['bus', 'buses'],
    ['Strasse', 'Straße'],
    ['Vögel', 'Vogel'],
  ] as const) {
    expect(same(one, other), `${one} ${other}`).toBe(true)
  }
})

test('words that only look alike are others', () => {
  for (const [one, other] of [
    ['corner', 'corn'],
    ['flow', 'flower'],
    ['car', 'care'],
    ['car', 'cargo'],
    ['hat', 'hate'],
    ['show', 'shower'],
    ['dress', 'dres'],
    ['Hund', 'hundert'],
    ['bus', 'bu'],
  ] as const) {
    expect(same(one, other), `${one} ${other}`).toBe(false)
  }
})

test('a compound is found by its end, in any form, where enough stands before it', () => {
  const known = ['autobahnbrucke', 'autobahnbrucken', 'brucke', 'plane', 'broad', 'football', 'oscar', 'briefkasten']
  expect(compoundsOf(term('Brücke'), known)).toEqual(['autobahnbrucke', 'autobahnbrucken'])
  expect(compoundsOf(term('ball'), known)).toEqual(['football'])
  for (const word of ['lane', 'road', 'car', 'Brief']) expect(compoundsOf(term(word), known), word).toEqual([])
})

test('no word is syntax', () => {
  expect(quoted(['a"b', 'OR'])).toBe('"a""b OR"')
  expect(formsOf('straße').plain).toContain('strasse')
})

test('what must not be there has a minus before it, and a number its own', () => {
  expect(withoutExcluded('bottle -person -"red car"')).toEqual({ wanted: 'bottle  ', excluded: ['person', '"red car"'] })
  for (const query of ['-5 °C', 'well-known', 'a - b', '-person', '- dog', 'over-the-shoulder']) {
    expect(withoutExcluded(query)).toEqual({ wanted: query, excluded: [] })
  }
})
