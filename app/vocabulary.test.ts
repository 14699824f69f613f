import { describe, expect, it } from 'vitest'
import { thingsIn } from './things.ts'
import {
  changeOf,
  colourIn,
  coloursApart,
  PALETTE,
  readVocabulary,
  renamed,
  tidy,
  tooMuch,
  withNames,
  writeVocabulary,
  type Label,
} from './vocabulary.ts'

const label = (name: string, more: Partial<Label> = {}): Label => ({ name, synonyms: [], colour: '#112233', threshold: 0.6, ...more })

describe('a vocabulary', () => {
  it('has each name once whatever its case, in order', () => {
    expect(withNames([], ['Car', 'dog', 'car ', '', 'Dog']).map(({ name }) => name)).toEqual(['Car', 'dog'])
    expect(tidy([label(' car '), label('CAR', { threshold: 0.1 }), label('dog', { synonyms: ['Dog', 'hound', ' HOUND', ''] })])).toEqual([
      label('car'),
      label('dog', { synonyms: ['hound'] }),
    ])
  })

  it('gives each new label a colour of its own until all are used', () => {
    const names = Array.from({ length: PALETTE.length + 1 }, (_, at) => `label ${at}`)
    const colours = withNames([], names).map(({ colour }) => colour)
    expect(new Set(colours.slice(0, PALETTE.length)).size).toBe(PALETTE.length)
    expect(colours.at(-1)).toBe(colours[0])
    expect(colourIn(withNames([], names), 'LABEL 3')).toBe(colours[3])
    expect(PALETTE).toContain(colourIn([], 'only on a track'))
  })

  it('keeps what is said about a label when only its name is given again', () => {
    expect(
      withNames([label('car', { threshold: 0.2 }), label('dog')], ['Car', 'cat']).map(({ name, threshold }) => [name, threshold]),
    ).toEqual([
      ['car', 0.2],
      ['dog', 0.6],
      ['cat', 0.6],
    ])
  })

  it('renames, and merges where the name is there: no phrase is lost', () => {
    const all = [label('car', { synonyms: ['auto'] }), label('dog'), label('vehicle', { threshold: 0.3, synonyms: ['Auto'] })]
    expect(renamed(all, 'car', 'Automobile')).toMatchObject([{ name: 'Automobile', synonyms: ['auto'] }, {}, {}])
    expect(renamed(all, 'car', 'VEHICLE')).toEqual([label('dog'), label('vehicle', { threshold: 0.3, synonyms: ['Auto', 'car'] })])
    expect(renamed(all, 'car', 'CAR').map(({ name }) => name)).toEqual(['CAR', 'dog', 'vehicle'])
    expect(changeOf(all, renamed(all, 'car', 'vehicle'))).toEqual({
      text: '{{from}} merged into {{to}}',
      values: { from: 'car', to: 'vehicle' },
    })
    expect(changeOf(all, all.slice(1))?.text).toBe('Labels removed: {{labels}}')
  })
})

describe('a vocabulary that is too much', () => {
  it('is refused with the name, the label or the number that is', () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => `name ${at}`)
    expect(tooMuch(withNames([], ['x'.repeat(60), ...many(199)]))).toBeNull()
    expect(tooMuch([label('car', { synonyms: ['x'.repeat(61)] })])?.values).toMatchObject({ length: 61, name: 'x'.repeat(61) })
    expect(tooMuch([label('car', { synonyms: many(20) })])).toBeNull()
    expect(tooMuch([label('car', { synonyms: many(21) })])?.values).toMatchObject({ label: 'car', length: 21 })
    expect(tooMuch(withNames([], many(201)))?.values).toMatchObject({ most: 200, length: 201 })
  })
})

describe('a vocabulary file', () => {
  it('comes back as it was written', () => {
    const all = [
      label('car', { synonyms: ['auto', 'motor car, old', '0.5', '#abcdef', 'the "T"'] }),
      label('#1', { threshold: 0 }),
      label('Hund, groß', { threshold: 1 }),
    ]
    expect(readVocabulary(writeVocabulary(all))).toEqual(all)
  })

  it('reads lists that people write', () => {
    const read = readVocabulary('\uFEFF# things on the road\nperson, human, #FF0000, 0.4\r\n\n  car  \nPerson\ndog, .25,')
    expect(read.map(({ name, synonyms, threshold }) => [name, synonyms, threshold])).toEqual([
      ['person', ['human'], 0.4],
      ['car', [], 0.6],
      ['dog', [], 0.25],
    ])
    expect(read[0]?.colour).toBe('#ff0000')
  })

  it('says which line is wrong', () => {
    expect(() => readVocabulary('car\n"dog, cat')).toThrow(/Line 2/)
    expect(() => readVocabulary('car\ncat, 7')).toThrow(/Line 2.*threshold/)
    expect(() => readVocabulary('x'.repeat(61))).toThrow(/Line 1.*name/)
  })
})

describe('thingsIn', () => {
  const words = (...captions: string[]) => thingsIn(captions).map(({ word, clips }) => `${word} ${clips}`)
  it('finds the heads of noun phrases, singular, commonest first', () => {
    expect(words('a small red car moves to the left', 'two cars and a green hat', 'the person in a white shirt pours coffee')).toEqual([
      'car 2',
      'hat 1',
      'person 1',
      'shirt 1',
    ])
    expect(words('a yellow traffic light spins', 'three boxes', 'an octopus swims', 'the glass')).toEqual([
      'box 1',
      'glass 1',
      'light 1',
      'octopus 1',
    ])
  })
  it('counts a caption once, and what is no thing never', () => {
    expect(words('a dog and another dog on the left', 'the background')).toEqual(['dog 1'])
    expect(words('', '...', 'runs very quickly', 'the camera shakes')).toEqual([])
  })
})

it('names that nobody chose a colour for are told apart where they stand side by side', () => {
  const names = ['cup', 'person', 'car', 'apple', 'orange?', 'cake?']
  const vocabulary = [{ name: 'car', colour: PALETTE[7] }]
  const colours = coloursApart(vocabulary, names)
  expect(new Set(colours.values()).size).toBe(names.length)
  expect(colours.get('car')).toBe(PALETTE[7])
  expect(coloursApart([], ['cup'])).toEqual(new Map([['cup', colourIn([], 'cup')]]))
})
