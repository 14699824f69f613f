import { describe, expect, it } from 'vitest'
import { classesOf, colourOfWord, nameOf, nearestWords, nounOf, theNameOf } from './words.ts'

const KNOWN = (
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking ' +
  'meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,' +
  'skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine ' +
  'glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot ' +
  'dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell ' +
  'phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'
).split(',')

const only = (word: string, language?: 'en' | 'de') => {
  const meaning = classesOf(word, KNOWN, language)
  return meaning && meaning.classes.length === 1 && !meaning.narrower
    ? `${meaning.classes[0] ?? ''}${meaning.wider ? ' (wider)' : ''}`
    : meaning
}

describe('words to classes', () => {
  it('finds every class by its own name, in any case, and by its names in both languages, one and many', () => {
    for (const name of KNOWN) {
      expect(only(name)).toBe(name)
      expect(only(name.toUpperCase())).toBe(name)
      for (const language of ['en', 'de'] as const) {
        const { one, many } = nounOf(name, language)
        expect(only(one, language), one).toBe(name)
        expect(only(many, language), many).toBe(name)
      }
    }
  })

  it.each([
    ['automobile', 'car'],
    ['Pkw', 'car'],
    ['lorries', 'truck'],
    ['Lkws', 'truck'],
    ['Laster', 'truck'],
    ['pickup', 'truck (wider)'],
    ['Radfahrer', 'person (wider)'],
    ['pedestrians', 'person (wider)'],
    ['women', 'person (wider)'],
    ['Frauen', 'person (wider)'],
    ['Fussgaenger', 'person (wider)'],
    ['people', 'person'],
    ['Leute', 'person'],
    ['mug', 'cup (wider)'],
    ['puppies', 'dog (wider)'],
    ['poodle', 'dog (wider)'],
    ['Hunden', 'dog'],
    ['Katzen', 'cat'],
    ['geese', 'bird (wider)'],
    ['knives', 'knife'],
    ['TVs', 'tv'],
    ['Straßenbahn', 'train (wider)'],
    ['teddy-bear', 'teddy bear'],
    ['Handys', 'cell phone'],
    ['hot dogs', 'hot dog'],
    ['Stühle', 'chair'],
    ['chairs', 'chair'],
  ])('%s means %s', (word, name) => expect(only(word)).toBe(name))

  it('gives several classes for what stands above them, and says that the word means more than they hold', () => {
    expect(classesOf('animals', KNOWN)).toEqual({
      classes: ['bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'],
      wider: false,
      narrower: true,
    })
    expect(classesOf('Tiere', KNOWN)?.classes).toEqual(classesOf('animal', KNOWN)?.classes)
    expect(classesOf('Fahrzeuge', KNOWN)?.classes).toContain('truck')
    expect(classesOf('Obst', KNOWN)?.classes).toEqual(['banana', 'apple', 'orange'])
    expect(classesOf('van', KNOWN)).toEqual({ classes: ['car', 'truck'], wider: true, narrower: false })
    expect(classesOf('animal', ['dog', 'car'])?.classes).toEqual(['dog'])
  })

  it.each(
    (
      'excavator helmet kettle tractor glove stove sign face insect crane hand head sleeve rabbit figurine flower tree ' +
      'building box roof glasses wristwatch ambulance helicopter drone weapon shirt palm coffee spout item object thing ' +
      'border sky text zxqv 🦄 123 !!! Bagger Helm Wasserkocher Traktor Handschuh Herd Schild Gesicht Insekt Kran Hase ' +
      'Baum Dach Ding Gegenstand'
    ).split(' '),
  )('refuses %s', (word) => {
    expect(classesOf(word, KNOWN)).toBeNull()
  })

  it('keeps English words from German nouns of the same letters', () => {
    expect(classesOf('kind', KNOWN)).toBeNull()
    expect(classesOf('Kind', KNOWN, 'en')).toBeNull()
    expect(only('Kind')).toBe('person (wider)')
    expect(only('kind', 'de')).toBe('person (wider)')
    expect(classesOf('boot', KNOWN)).toBeNull()
    expect(only('Boot')).toBe('boat')
    expect(only('boot', 'de')).toBe('boat')
    expect(classesOf('bank', KNOWN, 'en')).toBeNull()
    expect(only('Bank', 'de')).toBe('bench')
  })

  it('knows only what the pack knows, and also classes that the table lacks', () => {
    expect(classesOf('dog', ['car'])).toBeNull()
    expect(classesOf('Forklift Truck', ['forklift truck'])).toEqual({ classes: ['forklift truck'], wider: false, narrower: false })
  })
})

describe('what is nearest to a word that finds nothing', () => {
  it.each([
    ['helmet', ['person']],
    ['Kessel', ['bottle', 'cup', 'bowl']],
    ['excavator', ['truck', 'car', 'bus']],
    ['insect', []],
    ['zxqv', []],
    ['weather', []],
    ['bycicle', ['bicycle']],
    // No slip of the hand makes a burger of a border.
    ['border', []],
    ['elefphant', ['elephant']],
    ['police dog', ['dog']],
    ['Polizeihund', ['dog']],
    ['sign', ['stop sign', 'traffic light']],
  ])('%s: %j', (word, classes) => expect(nearestWords(word, KNOWN)).toEqual(classes))

  it('never names what the pack does not know', () => expect(nearestWords('kettle', ['cup', 'dog'])).toEqual(['cup']))
})

describe('what things are called', () => {
  it.each([
    [nameOf('dog', 1, 'en'), 'a dog'],
    [nameOf('apple', 1, 'en'), 'an apple'],
    [nameOf('unicorn', 1, 'en'), 'a unicorn'],
    [nameOf('umbrella', 1, 'en'), 'an umbrella'],
    [nameOf('hourglass', 1, 'en'), 'an hourglass'],
    [nameOf('car', 1, 'en', 'orange'), 'an orange car'],
    [nameOf('person', 2, 'en'), 'two people'],
    [nameOf('sheep', 3, 'en'), 'three sheep'],
    [nameOf('scissors', 1, 'en'), 'a pair of scissors'],
    [nameOf('knife', 14, 'en'), '14 knives'],
    [nameOf('dog', 0, 'en'), 'no dogs'],
    [nameOf('dog', 1, 'de'), 'ein Hund'],
    [nameOf('cat', 1, 'de'), 'eine Katze'],
    [nameOf('car', 2, 'de'), 'zwei Autos'],
    [nameOf('dog', 1, 'de', 'black'), 'ein schwarzer Hund'],
    [nameOf('car', 1, 'de', 'red'), 'ein rotes Auto'],
    [nameOf('cat', 1, 'de', 'pink'), 'eine rosa Katze'],
    [nameOf('dog', 2, 'de', 'brown'), 'zwei braune Hunde'],
    [nameOf('bird', 0, 'de'), 'keine Vögel'],
    [theNameOf('cat', 'de'), 'die Katze'],
    [theNameOf('truck', 'de', 'white'), 'der weiße Lastwagen'],
    [theNameOf('bus', 'en', 'blue'), 'the blue bus'],
    [nameOf('forklift truck', 2, 'en'), 'two forklift trucks'],
    [nameOf('forklift truck', 2, 'de'), 'zwei „forklift truck“'],
  ])('%s', (said, right) => expect(said).toBe(right))

  it.each([
    ['grey', 'grey'],
    ['gray', 'grey'],
    ['rotes', 'red'],
    ['Weißen', 'white'],
    ['grünes', 'green'],
    ['violet', 'purple'],
    ['graue', 'grey'],
    ['dunkelrotes', 'red'],
    ['light blue', 'blue'],
    ['dark', null],
    ['dog', null],
    ['heavy', null],
  ])('the colour of %s is %s', (word, colour) => expect(colourOfWord(word)).toBe(colour))
})
