import { describe, expect, it } from 'vitest'
import { answerFrom, type FactAnswer, SURE } from './answer.ts'
import { camera, clip, line, thing } from './clip.testing.ts'
import type { ClipMeasures } from './input.ts'

/** A sure answer's value; 'unsure', 'cannot' or null else. */
function sure(measures: ClipMeasures, question: string): FactAnswer['value'] {
  const answer = answerFrom(measures, question)
  if (answer === null) return null
  return 'cannot' in answer ? 'cannot' : answer.confidence >= SURE ? answer.value : 'unsure'
}

function text(measures: ClipMeasures, question: string): string | null {
  const answer = answerFrom(measures, question)
  return answer === null ? null : 'cannot' in answer ? answer.cannot : answer.text
}

const STREET = clip(
  [
    thing({ label: 'car', from: 2, to: 6, at: [60, 120], till: [580, 120], colour: 'red' }),
    thing({ label: 'car', from: 4, to: 10, at: [500, 260], colour: 'white' }),
    thing({ label: 'dog', at: [320, 200], colour: 'black' }),
  ],
  { lines: [line('EXIT 7'), line('Nur für Anlieger')] },
)

describe('answers to what is there', () => {
  it.each([
    ['How many cars are there at most at once?', 2],
    ['How many cars are there at 3 s?', 1],
    ['How many cars are there at the start?', 'unsure'],
    ['How many dogs are there?', 1],
    ['Wie viele Autos sind gleichzeitig zu sehen?', 2],
    ['Wie viele Hunde gibt es?', 1],
    ['How many red cars are there?', 1],
    ['Is there a dog?', true],
    ['Gibt es einen Hund?', true],
    ['Is there a bus?', false],
    ['Gibt es einen Bus?', false],
    ['Is there a red car?', true],
    ['Are there cars and dogs?', true],
  ])('%s %s', (question, value) => expect(sure(STREET, question)).toBe(value))

  it('says "no" only where nothing was seen at all, and where the word means nothing more than is known', () => {
    expect(sure(clip([], {}, { dog: 0.2 }), 'Is there a dog?')).toBe(false)
    expect(sure(clip([], {}, { dog: 0.5 }), 'Is there a dog?')).toBe('unsure')
    expect(sure(clip([thing({ label: 'dog', score: 0.65 })]), 'Is there a dog?')).toBe('unsure')
    expect(sure(clip([]), 'Are there any animals?')).toBe('unsure')
    expect(sure(STREET, 'Are there any animals?')).toBe(true)
    expect(answerFrom({ ...STREET, things: null }, 'Is there a dog?')).toBeNull()
  })

  it('is no number where one of them may be none, or none where somebody asks how many', () => {
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', score: 0.65 })]), 'How many dogs are there?')).toBe('unsure')
    expect(sure(clip([]), 'How many dogs are there?')).toBe('unsure')
    // One dog with two tracks, as likely as two.
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', at: [340, 185] })]), 'How many dogs are there?')).toBe('unsure')
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', at: [460, 185] })]), 'How many dogs are there?')).toBe(2)
  })

  it('refuses what the detector does not know, with the nearest', () => {
    expect(answerFrom(STREET, 'Is there a helmet?')).toEqual({ cannot: 'This pack cannot see “helmet”; nearest that it can: person.', word: 'helmet', nearest: ['person'] })
    expect(text(STREET, 'Gibt es einen Bagger?')).toBe('Dieses Paket kann „Bagger“ nicht sehen; am nächsten kommt: Lastwagen, Auto, Bus.')
    expect(sure(STREET, 'How many insects are there?')).toBe('cannot')
    expect(text(STREET, 'What colour is the sky?')).toBe('This pack cannot see “sky”.')
  })

  it('does not take a wider class for the word', () => {
    expect(sure(STREET, 'Is there a poodle?')).toBe('unsure')
    expect(text(STREET, 'Is there a poodle?')).toContain('whether that is “poodle” cannot be told')
    expect(sure(STREET, 'How many poodles are there?')).toBeNull()
    // Without a dog there is no poodle either.
    expect(sure(clip([]), 'Is there a poodle?')).toBe(false)
  })

  it('gives no answer to what restricts the thing, unless there is none at all', () => {
    const person = clip([thing({ label: 'person' })])
    expect(answerFrom(person, 'Is there a person walking?')).toBeNull()
    expect(sure(clip([]), 'Is there a person walking?')).toBe(false)
    expect(answerFrom(person, 'How many people are sitting on the bench?')).toBeNull()
    expect(answerFrom(person, 'What colour is the jacket of the person?')).toBeNull()
    expect(answerFrom(person, 'What is the person doing?')).toBeNull()
  })

  it('names the animals, and all that is there', () => {
    expect(sure(STREET, 'What animal is it?')).toBe('dog')
    expect(sure(STREET, 'Welches Tier ist zu sehen?')).toBe('Hund')
    expect(text(STREET, 'What is in the clip?')).toBe('Two cars and a dog.')
    expect(text(STREET, 'Was ist zu sehen?')).toBe('Zwei Autos und ein Hund.')
    expect(answerFrom(STREET, 'What dog is it?')).toBeNull()
  })
})

describe('answers to how things are', () => {
  it.each([
    ['What colour is the dog?', 'black'],
    ['Welche Farbe hat der Hund?', 'schwarz'],
    ['What colour is the car?', null],
    ['What colour is the car farthest to the right?', 'white'],
    ['What colour is the second car?', 'white'],
    ['Is the dog black?', true],
    ['Is the dog red?', false],
    ['Which way does the red car move?', 'to the right'],
    ['Wohin fährt das rote Auto?', 'nach rechts'],
    ['Which way does the car move?', 'to the right'],
    ['When does the red car appear?', 1.875],
    ['Wann verschwindet das rote Auto?', 6.125],
    ['When does the first car appear?', 1.875],
    ['When does the second car appear?', 3.875],
    ['How long is the red car visible?', 4],
    ['Where is the dog?', 'in the middle'],
    ['Wo ist der Hund?', 'in der Mitte'],
    ['Does the dog move?', false],
    ['Bewegt sich der Hund?', false],
    ['Is the red car moving?', true],
  ])('%s %s', (question, value) => expect(sure(STREET, question)).toBe(value))

  it('says that a thing was there from the start, or stays to the end', () => {
    expect(text(STREET, 'When does the dog first appear?')).toBe('It is there from the start.')
    expect(text(STREET, 'When does the dog leave?')).toBe('It is there to the end.')
  })

  it('does not tell the way of a thing that only the camera moved, nor of two that part', () => {
    const passed = clip([thing({ label: 'car', at: [520, 180], till: [200, 180] })], { camera: camera(-0.5) })
    expect(sure(passed, 'Which way does the car move?')).toBe('unsure')
    const parting = clip([thing({ label: 'car', at: [300, 100], till: [60, 100] }), thing({ label: 'car', at: [300, 250], till: [600, 250] })])
    expect(answerFrom(parting, 'Which way does the car move?')).toBeNull()
    const unknown = clip([thing({ label: 'car', at: [520, 180], till: [200, 180] })], { camera: { steps: [], stays: [] } })
    expect(sure(unknown, 'Which way does the car move?')).toBe('unsure')
  })

  it('tells no colour of a person, nor of what has none that stands out', () => {
    expect(answerFrom(clip([thing({ label: 'person', colour: 'red' })]), 'What colour is the person?')).toBeNull()
    expect(answerFrom(clip([thing({ label: 'car' })]), 'What colour is the car?')).toBeNull()
  })

  it('shows where it was seen', () => {
    const answer = answerFrom(STREET, 'When does the red car appear?')
    expect(answer).toMatchObject({ evidence: { frames: [{ ordinal: 48, time: 2 }], boxes: [{ ordinal: 48, box: { x1: 20 } }] } })
  })
})

describe('answers to the picture', () => {
  it.each([
    ['Is the camera moving?', false],
    ['Steht die Kamera still?', true],
    ['Is there text in the picture?', true],
    ['What does the text say?', 'EXIT 7\nNur für Anlieger'],
    ['Was steht im Bild?', 'EXIT 7\nNur für Anlieger'],
    ['Is it dark?', false],
    ['Ist es dunkel?', false],
    ['Is the picture frozen?', false],
    ['How long is the clip?', 10],
  ])('%s %s', (question, value) => expect(sure(STREET, question)).toBe(value))

  it('tells how the camera moves', () => {
    const pan = clip([], { camera: camera(-0.6) })
    expect(sure(pan, 'Is the camera moving?')).toBe(true)
    expect(text(pan, 'How does the camera move?')).toBe('The camera pans to the right.')
    expect(text(pan, 'Wie bewegt sich die Kamera?')).toBe('Die Kamera schwenkt nach rechts.')
    expect(answerFrom(clip([], { camera: { steps: [], stays: [] } }), 'Is the camera moving?')).toBeNull()
  })

  it('says nothing of text that was not looked for, and "no" where none was read', () => {
    expect(answerFrom(clip([], { lines: null }), 'Is there text in the picture?')).toBeNull()
    expect(sure(clip([]), 'Is there text in the picture?')).toBe(false)
    expect(answerFrom(STREET, 'What colour is the text?')).toBeNull()
  })

  it('answers in the language that is asked for', () => {
    expect(answerFrom(STREET, 'Is there a dog?', 'de')).toMatchObject({ text: 'Ja, ein Hund.' })
    expect(answerFrom(STREET, 'Wie viele Autos gibt es?', 'en')).toMatchObject({ text: 'Two cars at most at once, first at 4.0 s.' })
  })
})

describe('answers about a moment', () => {
  it.each([
    ['Is there a car at 3 s?', true],
    ['Gibt es bei 3 s ein Auto?', true],
    ['Is there a car at the end?', true],
    ['Is there a cat at 3 s?', false],
    // A car was there before and after: that none was seen just then is not sure.
    ['Is there a car at 1 s?', 'unsure'],
    ['Is there a car at the start?', 'unsure'],
    ['Is there a car at 300 s?', null],
    ['How many cars are there at 300 s?', null],
    ['Is there a car after 7 s?', null],
  ])('%s %s', (question, value) => expect(sure(STREET, question)).toBe(value))
})

it('tells nothing of a camera that seems to stand where text covers the picture, nor what is absent from a picture of a few pixels', () => {
  const wide = { ...line('WE TOOK A ROAD TRIP', 0, 10), box: { x1: 20, y1: 40, x2: 620, y2: 100 } }
  expect(sure(clip([], { lines: [wide] }), 'Is the camera moving?')).toBeNull()
  expect(sure(clip([]), 'Is the camera moving?')).toBe(false)
  expect(sure(clip([], { frame: { width: 16, height: 16 } }), 'Is there a dog?')).toBe('unsure')
})
