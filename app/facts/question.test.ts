import { describe, expect, it } from 'vitest'
import { KNOWN } from './clip.testing.ts'
import { languageOf, readQuestion } from './question.ts'

const read = (question: string) => readQuestion(question, KNOWN)

describe('the language of a question', () => {
  it.each([
    ['How many dogs are there?', 'en'],
    ['Wie viele Hunde sind zu sehen?', 'de'],
    ['Is there a car?', 'en'],
    ['Gibt es ein Auto?', 'de'],
    ['Bewegt sich die Kamera?', 'de'],
    ['dogs', 'en'],
    ['What colour is the car?', 'en'],
    ['Welche Farbe hat der Bus?', 'de'],
  ])('%s: %s', (question, language) => expect(languageOf(question)).toBe(language))
})

describe('what a question asks', () => {
  it.each([
    ['How many dogs are there at most at once?', 'count', 'dog'],
    ['how many people can you see', 'count', 'person'],
    ['What is the number of cars?', 'count', 'car'],
    ['Wie viele Hunde sind gleichzeitig zu sehen?', 'count', 'dog'],
    ['Anzahl der Autos', 'count', 'car'],
    ['Is there a dog?', 'presence', 'dog'],
    ['Are there any people in the video?', 'presence', 'person'],
    ['Do you see a cat?', 'presence', 'cat'],
    ['Can you see a traffic light?', 'presence', 'traffic light'],
    ['Is a dog visible?', 'presence', 'dog'],
    ['Does the video show a bus?', 'presence', 'bus'],
    ['Any dogs?', 'presence', 'dog'],
    ['Gibt es einen Hund?', 'presence', 'dog'],
    ['Ist ein Auto im Bild?', 'presence', 'car'],
    ['Sind Menschen zu sehen?', 'presence', 'person'],
    ['Sieht man eine Katze?', 'presence', 'cat'],
    ['What colour is the car?', 'colour', 'car'],
    ['which color does the bus have?', 'colour', 'bus'],
    ['Welche Farbe hat das Auto?', 'colour', 'car'],
    ['Is the car red?', 'colour', 'car'],
    ['Ist das Auto rot?', 'colour', 'car'],
    ['Which way does the dog move?', 'direction', 'dog'],
    ['In which direction is the bus driving?', 'direction', 'bus'],
    ['Where does the dog go?', 'direction', 'dog'],
    ['Wohin läuft der Hund?', 'direction', 'dog'],
    ['In welche Richtung bewegt sich das Auto?', 'direction', 'car'],
    ['Does the dog move?', 'moves', 'dog'],
    ['Is the car moving?', 'moves', 'car'],
    ['Bewegt sich das Auto?', 'moves', 'car'],
    ['When does the dog first appear?', 'appear', 'dog'],
    ['When is the dog first visible?', 'appear', 'dog'],
    ['At what time does the bus enter the picture?', 'appear', 'bus'],
    ['Wann erscheint der Hund?', 'appear', 'dog'],
    ['Wann taucht der erste Hund auf?', 'appear', 'dog'],
    ['Wann kommt der Bus ins Bild?', 'appear', 'bus'],
    ['When does the dog leave the picture?', 'leave', 'dog'],
    ['When does the bus disappear?', 'leave', 'bus'],
    ['Wann verlässt die Person das Bild?', 'leave', 'person'],
    ['Wann verschwindet das Auto?', 'leave', 'car'],
    ['How long is the dog visible?', 'long', 'dog'],
    ['Wie lange ist der Hund zu sehen?', 'long', 'dog'],
    ['Where is the dog?', 'where', 'dog'],
    ['Wo befindet sich der Hund?', 'where', 'dog'],
    ['Wo ist das Auto?', 'where', 'car'],
  ])('%s', (question, asked, name) => {
    expect(read(question)).toMatchObject({ asked, things: [{ classes: [name] }], left: [] })
  })

  it.each([
    ['Is the camera moving?', 'camera', false],
    ['Does the camera move?', 'camera', false],
    ['Is the camera still?', 'camera', true],
    ['Bewegt sich die Kamera?', 'camera', false],
    ['Steht die Kamera still?', 'camera', true],
    ['How does the camera move?', 'camera-way', false],
    ['Which way does the camera pan?', 'camera-way', false],
    ['Wohin schwenkt die Kamera?', 'camera-way', false],
    ['Is there text in the picture?', 'text', false],
    ['Gibt es Text im Bild?', 'text', false],
    ['What does the text say?', 'text-what', false],
    ['Was steht im Bild?', 'text-what', false],
    ['Is it dark?', 'dark', false],
    ['Ist es dunkel?', 'dark', false],
    ['Is the picture bright?', 'dark', true],
    ['Is the picture frozen?', 'frozen', false],
    ['How long is the clip?', 'length', false],
    ['Wie lang ist das Video?', 'length', false],
    ['What is in the clip?', 'what', false],
    ['Was ist zu sehen?', 'what', false],
  ])('%s', (question, asked, turned) => expect(read(question)).toMatchObject({ asked, turned, things: [], left: [] }))

  it('reads colours, places, turns and moments', () => {
    expect(read('When does the red car leave?')).toMatchObject({ colour: 'red', left: [] })
    expect(read('In welche Richtung fährt das rote Auto?')).toMatchObject({ asked: 'direction', colour: 'red', left: [] })
    expect(read('Which way does the light blue car move?')).toMatchObject({ colour: 'blue', left: [] })
    expect(read('Wohin fährt das hellblaue Auto?')).toMatchObject({ colour: 'blue', left: [] })
    expect(read('What colour is the car farthest to the right?')).toMatchObject({ side: 'right', left: [] })
    expect(read('Welche Farbe hat das Auto ganz links?')).toMatchObject({ side: 'left', left: [] })
    expect(read('When does the third person appear?')).toMatchObject({ nth: 3, left: [] })
    expect(read('How many dogs are there at 20 s?')).toMatchObject({ at: 20, left: [] })
    expect(read('How many dogs are there at 1:05?')).toMatchObject({ at: 65, left: [] })
    expect(read('Wie viele Autos sind bei 3,5 Sekunden zu sehen?')).toMatchObject({ at: 3.5, left: [] })
    expect(read('How many dogs are there at the end?')).toMatchObject({ at: 'end', left: [] })
    expect(read('How many different people are there in total?')).toMatchObject({ total: true, left: [] })
    expect(read('Are there cats and dogs?')?.things.map(({ word }) => word)).toEqual(['cats', 'dogs'])
  })

  it('tells the fruit from the colour', () => {
    expect(read('Is there an orange?')).toMatchObject({ colour: null, things: [{ classes: ['orange'] }] })
    expect(read('Is there an orange car?')).toMatchObject({ colour: 'orange', things: [{ classes: ['car'] }] })
  })

  it.each([
    ['Is there a person walking?', ['walking']],
    ['How many people are sitting on the bench?', ['sitting', 'bench']],
    ['What colour is the jacket of the person?', ['jacket']],
    ['Is there a man with a hat?', ['with', 'hat']],
    ['Which way does the bottle move when it is taken away?', ['when', 'taken', 'away']],
    ['Is there a helmet?', ['helmet']],
    ['Gibt es einen Helm?', ['Helm']],
    ['How many dogs and helmets are there?', ['helmets']],
  ])('leaves over what it does not understand: %s', (question, left) => expect(read(question)?.left).toEqual(left))

  it.each(['Why does the dog bark?', 'Who is that?', 'Tell me a story', 'What time of day is it in Paris?', '', '???', 'When do the palms first touch?'])('is not known: %s', (question) => {
    const found = read(question)
    expect(found === null || found.left.length > 0).toBe(true)
  })
})
