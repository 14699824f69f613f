import { describe, expect, it } from 'vitest'
import { type Colour, COLOURS } from '../colours.ts'
import { yesNo } from '../table/question.ts'
import { answerFrom, type FactAnswer, SURE } from './answer.ts'
import { camera, clip, line, thing } from './clip.testing.ts'
import type { ClipMeasures } from './input.ts'

/** The value of a sure answer; otherwise 'unsure', 'cannot' or null. Whoever reads a yes or a no in its words, as a table does, reads its value. */
function sure(measures: ClipMeasures, question: string): FactAnswer['value'] {
  const answer = answerFrom(measures, question)
  if (answer === null) return null
  if ('value' in answer && typeof answer.value === 'boolean') expect(yesNo(answer.text), answer.text).toBe(answer.value ? 'yes' : 'no')
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
    // A question about a dog finds one that reaches the threshold for names asked for.
    expect(sure(clip([thing({ label: 'dog', score: 0.65 })]), 'Is there a dog?')).toBe(true)
    expect(sure(clip([thing({ label: 'dog', score: 0.55 })], {}, { dog: 0.4 }), 'Is there a dog?')).toBe('unsure')
    expect(sure(clip([]), 'Are there any animals?')).toBe('unsure')
    expect(sure(STREET, 'Are there any animals?')).toBe(true)
    expect(answerFrom({ ...STREET, things: null }, 'Is there a dog?')).toBeNull()
  })

  it('knows what people called things, and nothing of them elsewhere', () => {
    const drawn = (label: string, at: [number, number]) => thing({ label, at, score: 1 })
    const here = clip([drawn('Kettle', [100, 100]), drawn('van', [300, 200])])
    for (const question of ['Is there a kettle?', 'Ist da ein Kettle?', 'Is there a van?', 'Is there a vehicle?', 'Gibt es Fahrzeuge?'])
      expect([question, sure(here, question)]).toEqual([question, true])
    expect(['How many kettles are there?', 'When does the van appear?'].map((question) => sure(here, question))).toEqual([1, 0])
    // Nobody says that no other car is a van.
    expect(sure(clip([drawn('van', [300, 200]), { ...thing({ label: 'car' }), candidate: 1 }]), 'How many vans are there?')).toBe('unsure')
    expect(['Is there a car?', 'Is there a teapot?'].map((question) => sure(here, question))).toEqual([false, 'cannot'])
    expect(sure(clip([]), 'Is there a kettle?')).toBe('cannot')
    expect(text(clip([]), 'Is there a van?')).toBe('No: nothing like “van” was seen.')
    expect(text(clip([]), 'Gibt es Fahrzeuge?')).toBe('Nein: nichts wie „Fahrzeuge“ gesehen.')
  })

  it('is no number where one of them may be none, or none where somebody asks how many', () => {
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', score: 0.55 })]), 'How many dogs are there?')).toBe(1)
    expect(sure(clip([]), 'How many dogs are there?')).toBe('unsure')
    // One dog with two tracks is as likely as two dogs.
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', at: [340, 185] })]), 'How many dogs are there?')).toBe('unsure')
    expect(sure(clip([thing({ label: 'dog' }), thing({ label: 'dog', at: [460, 185] })]), 'How many dogs are there?')).toBe(2)
  })

  it('is not sure of the colour of what is seen through: most of its box is what stands behind', () => {
    expect(sure(clip([thing({ label: 'car', colour: 'grey' })]), 'What colour is the car?')).toBe('grey')
    expect(sure(clip([thing({ label: 'bicycle', colour: 'grey' })]), 'What colour is the bicycle?')).toBe('unsure')
    expect(sure(clip([thing({ label: 'bicycle', colour: 'grey' })]), 'Is the bicycle red?')).toBe('unsure')
    expect(sure(clip([thing({ label: 'bicycle', colour: 'grey' })]), 'Is there a grey bicycle?')).toBe('unsure')
  })

  it('refuses what the detector does not know, with the nearest', () => {
    expect(answerFrom(STREET, 'Is there a helmet?')).toEqual({
      cannot: 'This pack cannot see “helmet”; nearest that it can: person.',
      word: 'helmet',
      nearest: ['person'],
    })
    expect(text(STREET, 'Gibt es einen Bagger?')).toBe('Dieses Paket kann „Bagger“ nicht sehen; am nächsten kommt: Lastwagen, Auto, Bus.')
    expect(sure(STREET, 'How many insects are there?')).toBe('cannot')
    expect(text(STREET, 'What colour is the sky?')).toBe('This pack cannot see “sky”.')
  })

  it('does not take a wider class for the word', () => {
    expect(sure(STREET, 'Is there a poodle?')).toBe('unsure')
    expect(text(STREET, 'Is there a poodle?')).toContain('whether that is “poodle” cannot be told')
    expect(sure(STREET, 'How many poodles are there?')).toBeNull()
    // If there is no dog, there is no poodle either.
    expect(sure(clip([]), 'Is there a poodle?')).toBe(false)
  })

  it('gives no answer to what restricts the thing, unless there is none at all', () => {
    const person = clip([thing({ label: 'person' })])
    expect(answerFrom(person, 'Is there a person walking?')).toBeNull()
    expect(sure(clip([]), 'Is there a person walking?')).toBe(false)
    expect(answerFrom(person, 'How many people are sitting on the bench?')).toBeNull()
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
    ['What colour is the car?', 'unsure'],
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
    expect(text(STREET, 'When does the dog leave?')).toBe('It is there to the end of the clip.')
  })

  it('does not tell the way of a thing that only the camera moved, nor of two that part', () => {
    const passed = clip([thing({ label: 'car', at: [520, 180], till: [200, 180] })], { camera: camera(-0.5) })
    expect(sure(passed, 'Which way does the car move?')).toBe('unsure')
    const parting = clip([
      thing({ label: 'car', at: [300, 100], till: [60, 100] }),
      thing({ label: 'car', at: [300, 250], till: [600, 250] }),
    ])
    expect(answerFrom(parting, 'Which way does the car move?')).toBeNull()
    // One came and went too quickly to tell its way.
    const quick = { ...thing({ label: 'car', at: [100, 60] }), boxes: thing({ label: 'car', at: [100, 60] }).boxes.slice(0, 1) }
    expect(sure(clip([thing({ label: 'car', at: [300, 100], till: [60, 100] }), quick]), 'Which way does the car move?')).toBe('unsure')
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
    expect(sure(clip([], { span: { from: 0, to: 1.7 } }), 'Is there text in the picture?')).toBe('unsure')
    expect(answerFrom(STREET, 'What colour is the text?')).toBeNull()
  })

  it.each([
    ['When does the text appear?', 2],
    ['When does the caption disappear?', 6],
    ['Wann erscheint der Text?', 2],
    ['How long is the text visible?', 4],
    ['Where is the text?', 'in the lower left'],
    ['What colour is the text?', 'yellow'],
    ['Is the text yellow?', true],
    ['Welche Farbe hat die Schrift?', 'gelb'],
    ['What does the text say at 3 s?', 'EXIT'],
    ['What does the text say at 8 s?', 'unsure'],
    ['What colour is the text on the car?', null],
  ])('of text: %s %s', (question, value) => {
    const yellow = { ...line('EXIT', 2, 6), colours: COLOURS.map((one) => (one === 'yellow' ? 1 : 0)) }
    expect(sure(clip([thing({ label: 'car' })], { lines: [yellow] }), question)).toBe(value)
  })

  it('of cuts, black, frozen and light', () => {
    expect(sure(clip([], { cuts: [4, 12] }), 'How many cuts are there?')).toBe(2)
    expect(text(clip([], { cuts: [4, 12] }), 'How many cuts are there?')).toBe('Two cuts in the whole video, one cut inside this clip.')
    expect(answerFrom(clip([]), 'How many cuts are there?')).toBeNull()
    expect(sure(clip([]), 'Is the picture ever black?')).toBe(false)
    const black = clip([], { light: [0, 1, 2, 9].map((time) => ({ time, mean: 3, spread: 1, change: 0 })) })
    expect(sure(black, 'Is the picture black?')).toBe(true)
    expect(sure(black, 'Does anything move?')).toBe(false)
    expect(sure(clip([]), 'Is it day or night?')).toBe('unsure')
  })

  it('answers in the language that is asked for', () => {
    expect(answerFrom(STREET, 'Is there a dog?', 'de')).toMatchObject({ text: 'Ja, ein Hund.' })
    expect(answerFrom(STREET, 'Wie viele Autos gibt es?', 'en')).toMatchObject({ text: 'Two cars at most at once, first at 4.0 s.' })
  })
})

describe('answers to what people wear', () => {
  const shares = (colour: Colour) => COLOURS.map((one) => (one === colour ? 0.8 : 0.02))
  const dressed = (size: [number, number], upper: Colour, lower: Colour, at: [number, number] = [320, 180], from = 0) => ({
    ...thing({ label: 'person', size, at, from }),
    halves: [shares(upper), shares(lower)] as const,
  })
  const standing = dressed([60, 160], 'red', 'blue')

  it.each([
    ['What colour is the jacket?', 'red'],
    ['What colour is the T-shirt of the person?', 'red'],
    ['What colour are the trousers?', 'blue'],
    ['Welche Farbe hat die Jacke?', 'rot'],
    ['Welche Farbe hat die Hose der Person?', 'blau'],
    ['Is the shirt red?', true],
    ['What colour is the hat?', 'cannot'],
    ['What colour is the person?', null],
    ['Is somebody wearing a red jacket?', 'unsure'],
    ['How many people wear a red jacket?', null],
  ])('%s %s', (question, value) => expect(sure(clip([standing]), question)).toBe(value))

  it('takes the lower half of somebody who is seen from the waist up, and tells of one person at a time', () => {
    expect(sure(clip([dressed([150, 180], 'brown', 'yellow')]), 'What colour is the hoodie?')).toBe('yellow')
    expect(answerFrom(clip([dressed([150, 180], 'brown', 'yellow')]), 'What colour are the trousers?')).toBeNull()
    const two = clip([standing, dressed([60, 160], 'green', 'black', [500, 180], 3)])
    expect(answerFrom(two, 'What colour is the jacket?')).toBeNull()
    expect(sure(two, 'What colour is the jacket of the second person?')).toBe('green')
    expect(sure(two, 'What colour is the jacket of the person on the right?')).toBe('green')
    expect(answerFrom(clip([thing({ label: 'person', colour: 'red' })]), 'What colour is the jacket?')).toBeNull()
  })
})

describe('answers to how things are to each other', () => {
  it.each([
    ['Which is bigger, the dog or the car on the left?', null],
    ['Are there more than one car?', true],
    ['Are there at least two cars?', true],
    ['Are there three cars?', false],
    ['Are there exactly two cars?', true],
    ['Sind mehr als zwei Autos zu sehen?', false],
    ['What appears first?', 'dog'],
    ['Which vehicle appears last?', 'car'],
    ['Is there a dog on the left?', null],
    ['Is there a car on the right?', true],
    ['Does anything move?', true],
    ['Who is in the picture?', null],
  ])('%s %s', (question, value) => expect(sure(STREET, question)).toBe(value))

  it('compares sizes and places of two', () => {
    const two = clip([thing({ label: 'dog', at: [120, 200], size: [60, 50] }), thing({ label: 'horse', at: [480, 180], size: [200, 160] })])
    expect(sure(two, 'Which is bigger, the dog or the horse?')).toBe('horse')
    expect(sure(two, 'Is the dog bigger than the horse?')).toBe(false)
    expect(sure(two, 'Is the dog smaller than the horse?')).toBe(true)
    expect(sure(two, 'Is the dog to the left of the horse?')).toBe(true)
    expect(sure(two, 'Ist der Hund rechts von dem Pferd?')).toBe(false)
    expect(sure(two, 'Is there a dog on the left?')).toBe(true)
    expect(sure(two, 'Is there a dog on the right?')).toBe(false)
    expect(sure(two, 'Is the dog above the horse?')).toBe(false)
    expect(answerFrom(two, 'Is the dog above the car?')).toBeNull()
    expect(text(two, 'Who can be seen?')).toBe('Nobody was seen.')
    expect(text(clip([thing({ label: 'person' })]), 'Who can be seen?')).toBe('A person; who that is cannot be told.')
  })
})

describe('answers to parts of people', () => {
  it('are "no" where nobody is even weakly seen, and none where somebody is', () => {
    expect(sure(clip([]), 'Is there a hand?')).toBe(false)
    expect(sure(clip([]), 'Gibt es ein Gesicht?')).toBe(false)
    expect(sure(clip([], {}, { person: 0.33 }), 'Is there a hand?')).toBe('cannot')
    expect(sure(clip([thing({ label: 'person' })]), 'Is there a face?')).toBe('cannot')
    expect(sure(clip([]), 'Is there a helmet?')).toBe('cannot')
  })
})

describe('answers to when things come', () => {
  /** Seen once, missed for three looks, then seen. */
  const late = (label: string) => {
    const whole = thing({ label, from: 2, to: 8 })
    return { ...whole, boxes: whole.boxes.filter((_, i) => i === 0 || i > 3) }
  }

  it('tell an interval where a thing was seen once and then missed', () => {
    expect(text(clip([late('dog')]), 'When does the dog appear?')).toBe('At about 2.3 s, between 1.8 s and 2.9 s.')
  })

  it('take no half way twice: tracks begin between the looks already', () => {
    const dog = thing({ label: 'dog', from: 2, to: 8 })
    const [first] = dog.boxes
    const halfWay = first ? [{ ...first, ordinal: 45, time: 1.875 }] : []
    expect(sure(clip([{ ...dog, boxes: [...halfWay, ...dog.boxes] }]), 'When does the dog appear?')).toBe(1.875)
  })

  it('know the second and the last by when they come', () => {
    expect(sure(STREET, 'When does the last car appear?')).toBe(3.875)
    expect(sure(STREET, 'When does the second car first appear?')).toBe(3.875)
    expect(answerFrom(STREET, 'When does the fourth car appear?')).toBeNull()
  })
})

it('counts two that pass each other as two, and one that has two boxes as one', () => {
  const passing = [
    thing({ label: 'person', at: [300, 180], size: [60, 160] }),
    thing({ label: 'person', at: [220, 180], till: [380, 180], size: [60, 160] }),
  ]
  const meet = passing.map((track) => ({ ...track, boxes: track.boxes.slice(17) }))
  expect(sure(clip(meet), 'How many people are there?')).toBe(2)
  expect(sure(clip(meet.map((track) => ({ ...track, boxes: track.boxes.slice(0, 6) }))), 'How many people are there?')).toBe('unsure')
})

it('is not sure of a number where one more lingers just below the threshold, elsewhere in the picture', () => {
  const one = thing({ label: 'person', at: [150, 180], size: [100, 200] })
  const next = { label: 'person', at: [450, 180] as [number, number], size: [100, 200] as [number, number] }
  const counted = (...others: ReturnType<typeof thing>[]) => sure(clip([one, ...others]), 'How many people are there?')
  expect(counted()).toBe(1)
  expect(counted(thing({ ...next, score: 0.33 }))).toBe('unsure')
  expect(counted(thing({ ...next, score: 0.25 }))).toBe(1)
  expect(counted(thing({ ...next, score: 0.33, to: 5 }))).toBe(1)
  expect(counted(thing({ ...next, label: 'dog', score: 0.33 }))).toBe(1)
  expect(counted(thing({ label: 'person', at: [150, 190], size: [90, 160], score: 0.33 }))).toBe(1)
})

it('picks the pale one where a light colour is named, and the one that has most of a colour', () => {
  const shares = (some: Partial<Record<Colour, number>>) => COLOURS.map((one) => some[one] ?? 0)
  const cars = [
    { ...thing({ label: 'car', at: [100, 100], till: [100, 300] }), colours: shares({ white: 0.5, grey: 0.4, blue: 0.05 }) },
    { ...thing({ label: 'car', at: [500, 300], till: [500, 100] }), colours: shares({ pink: 0.5, red: 0.22, blue: 0.01 }) },
  ]
  expect(sure(clip(cars), 'Which way does the light blue car move?')).toBe('down')
  expect(answerFrom(clip(cars), 'Which way does the blue car move?')).toBeNull()
  expect(sure(clip(cars), 'Which way does the red car move?')).toBe('up')
})

it('tells the colours of things of several colours, and is sure of a colour only where it stands out', () => {
  const shares = (some: Partial<Record<Colour, number>>) => COLOURS.map((one) => some[one] ?? 0)
  const car = (x: number, some: Partial<Record<Colour, number>>) => ({ ...thing({ label: 'car', at: [x, 100] }), colours: shares(some) })
  const two = clip([car(100, { white: 0.7, grey: 0.2 }), car(500, { red: 0.8, black: 0.1 })])
  expect(sure(two, 'What colour are the cars?')).toBe('white and red')
  expect(sure(two, 'Which colour is the car on the right?')).toBe('red')
  const dark = clip([car(100, { black: 0.4, green: 0.55 })])
  expect(sure(dark, 'What colour is the car?')).not.toBe('green')
  expect(sure(dark, 'Is there a black car?')).toBe('unsure')
  expect(sure(two, 'Is there a red car?')).toBe(true)
})

describe('answers about a moment', () => {
  it.each([
    ['Is there a car at 3 s?', true],
    ['Gibt es bei 3 s ein Auto?', true],
    ['Is there a car at the end?', true],
    ['Is there a cat at 3 s?', false],
    // A car was there before and after, so that none was seen at that moment is not sure.
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

it('says of the camera what the caption says, also where somebody fills the picture', () => {
  const parts: [number, number][] = Array.from({ length: 16 }, () => [4, 0])
  const restless = { ...camera(-0.5), stays: camera(-0.5).stays.map((stay) => ({ ...stay, parts })) }
  const before = (size: [number, number]) => clip([thing({ label: 'person', size })], { camera: restless })
  expect(sure(before([100, 200]), 'Is the camera moving?')).toBe(true)
  expect(sure(before([500, 360]), 'Is the camera moving?')).toBeNull()
})

describe('answers about the edge of the picture', () => {
  const edges = [
    { time: 0, edge: { colour: 'red', whole: 0.1 } },
    { time: 6, edge: { colour: 'blue', whole: 0.1 } },
    { time: 9, edge: null },
  ] as const

  it.each([
    ['What colour is the border at 3 s?', 'red'],
    ['What colour is the edge of the picture at 7 s?', 'blue'],
    ['Welche Farbe hat der Rand bei 3 s?', 'rot'],
    ['Is the border blue at 3 s?', false],
    ['What colour is the border at the end?', 'cannot'],
    ['What colour is the border?', 'cannot'],
    ['What colour is the background at 3 s?', 'cannot'],
    ['What colour is the edge of the table?', null],
  ] as const)('%s', (question, value) => {
    expect(sure(clip([], { edges }), question)).toBe(value)
  })

  it('takes a plain ground that reaches the edge for the background, and for no border', () => {
    const plain = clip([], { edges: [{ time: 0, edge: { colour: 'green', whole: 0.7 } }] })
    expect(sure(plain, 'What colour is the background?')).toBe('green')
    expect(sure(plain, 'What colour is the border?')).toBe('cannot')
    expect(sure(clip([]), 'What colour is the background?')).toBe('cannot')
    expect(text(clip([]), 'Welche Farbe hat der Rand?')).toContain('„Rand“')
    expect(text(plain, 'What colour is the edge of the picture?')).toContain('“edge”')
  })
})
