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
    ['What colour is the hat of the person?', ['hat']],
    ['How many items are on the belt?', ['belt']],
    ['What colour is the text on the car?', ['text']],
    ['Is there a car without a driver?', ['without', 'driver']],
    ['Is there a man with a hat?', ['with', 'hat']],
    ['Which way does the bottle move when it is taken away?', ['when', 'taken', 'away']],
    ['Is there a helmet?', ['helmet']],
    ['Gibt es einen Helm?', ['Helm']],
    ['How many dogs and helmets are there?', ['helmets']],
  ])('leaves over what it does not understand: %s', (question, left) => expect(read(question)?.left).toEqual(left))

  it.each([
    // How many
    ['How many bicycles are visible?', 'count', 'bicycle'],
    ['What is the number of birds in the clip?', 'count', 'bird'],
    ['Could you tell me how many cats there are?', 'count', 'cat'],
    ['What is the maximum number of buses at the same time?', 'count', 'bus'],
    ['Count the chairs', 'count', 'chair'],
    ['how many persons appear in total', 'count', 'person'],
    ['How many horses can be seen simultaneously?', 'count', 'horse'],
    ['Number of bottles?', 'count', 'bottle'],
    ['Wie viele Fahrräder sind im Bild?', 'count', 'bicycle'],
    ['Wieviele Vögel sieht man höchstens?', 'count', 'bird'],
    ['Wie viele verschiedene Katzen kommen vor?', 'count', 'cat'],
    ['Kannst du mir sagen, wie viele Stühle es gibt?', 'count', 'chair'],
    ['Zahl der Pferde', 'count', 'horse'],
    // Whether there is
    ['Was there ever a bus?', 'presence', 'bus'],
    ['Does a cat appear in this video?', 'presence', 'cat'],
    ['Does the footage contain a bicycle?', 'presence', 'bicycle'],
    ['Can a bird be seen?', 'presence', 'bird'],
    ['Could you please check if there is a bottle', 'presence', 'bottle'],
    ['I want to know whether there are horses', 'presence', 'horse'],
    ['Do we see any chairs?', 'presence', 'chair'],
    ['Is anybody there?', 'presence', 'person'],
    ['Is somebody in the picture?', 'presence', 'person'],
    ['cats?', 'presence', 'cat'],
    ['Kommt ein Bus vor?', 'presence', 'bus'],
    ['Ist da jemand?', 'presence', 'person'],
    ['Siehst du irgendwo eine Katze?', 'presence', 'cat'],
    ['Enthält das Video Vögel?', 'presence', 'bird'],
    ['Taucht ein Fahrrad auf?', 'presence', 'bicycle'],
    ['Erkennt man eine Flasche?', 'presence', 'bottle'],
    ['Zeigt der Clip ein Pferd?', 'presence', 'horse'],
    // Colour
    ["What's the colour of the bus?", 'colour', 'bus'],
    ['What color does the bottle have?', 'colour', 'bottle'],
    ['In which colour is the bicycle?', 'colour', 'bicycle'],
    ['Is the cat black?', 'colour', 'cat'],
    ['Are the chairs white?', 'colour', 'chair'],
    ['Was für eine Farbe hat das Fahrrad?', 'colour', 'bicycle'],
    ['Was ist die Farbe des Busses?', 'colour', 'bus'],
    ['Ist die Katze schwarz?', 'colour', 'cat'],
    ['Sind die Stühle weiß?', 'colour', 'chair'],
    // Which way, and whether it moves
    ['Where is the horse heading?', 'direction', 'horse'],
    ['To which side does the bus drive?', 'direction', 'bus'],
    ['What direction is the bicycle travelling?', 'direction', 'bicycle'],
    ['What is the direction of travel of the bus?', 'direction', 'bus'],
    ['Nach welcher Seite fährt der Bus?', 'direction', 'bus'],
    ['Wohin fliegt der Vogel?', 'direction', 'bird'],
    ['Was ist die Fahrtrichtung des Busses?', 'direction', 'bus'],
    ['Did the cat move?', 'moves', 'cat'],
    ['Are the horses moving?', 'moves', 'horse'],
    ['Is the bus parked?', 'moves', 'bus'],
    ['Does the bird stay in place?', 'moves', 'bird'],
    ['Ist der Bus in Bewegung?', 'moves', 'bus'],
    ['Steht der Bus still?', 'moves', 'bus'],
    // When
    ['At which second does the bus come into view?', 'appear', 'bus'],
    ['When do we first see a cat?', 'appear', 'cat'],
    ['When does the first bird show up?', 'appear', 'bird'],
    ['At what point does the horse enter?', 'appear', 'horse'],
    ['When is a bottle visible for the first time?', 'appear', 'bottle'],
    ['Ab wann ist die Katze zu sehen?', 'appear', 'cat'],
    ['In welcher Sekunde taucht der Vogel auf?', 'appear', 'bird'],
    ['Wann sieht man zum ersten Mal ein Pferd?', 'appear', 'horse'],
    ['Seit wann ist der Bus im Bild?', 'appear', 'bus'],
    ['When is the cat last seen?', 'leave', 'cat'],
    ['When does the bird go out of the picture?', 'leave', 'bird'],
    ['At what time does the bus drive away?', 'leave', 'bus'],
    ['When is the horse no longer visible?', 'leave', 'horse'],
    ['Wann ist die Katze nicht mehr zu sehen?', 'leave', 'cat'],
    ['Wann sieht man den Bus zuletzt?', 'leave', 'bus'],
    ['Wann ist der Vogel weg?', 'leave', 'bird'],
    ['For how many seconds is the cat visible?', 'long', 'cat'],
    ['How long does the bus stay in view?', 'long', 'bus'],
    ['Wie lange bleibt die Katze im Bild?', 'long', 'cat'],
    ['Wie viele Sekunden lang sieht man den Vogel?', 'long', 'bird'],
    // Where
    ['Whereabouts is the cat?', 'where', 'cat'],
    ['In which part of the picture is the bird?', 'where', 'bird'],
    ['On which side is the bus?', 'where', 'bus'],
    ['In which corner can the cat be seen?', 'where', 'cat'],
    ['What is the position of the horse?', 'where', 'horse'],
    ['In welcher Ecke sitzt die Katze?', 'where', 'cat'],
    ['Auf welcher Seite steht der Bus?', 'where', 'bus'],
    ['An welcher Stelle ist der Vogel?', 'where', 'bird'],
  ])('knows many wordings: %s', (question, asked, name) => {
    expect(read(question)).toMatchObject({ asked, things: [{ classes: [name] }], left: [] })
  })

  it.each([
    ['Does the camera ever move?', 'camera'],
    ['Is the camera panning?', 'camera'],
    ['Was this filmed with a handheld camera?', 'camera'],
    ['Is there any camera movement?', 'camera'],
    ['Is the camera stationary?', 'camera'],
    ['Is the camera on a tripod?', null],
    ['Was this shot from a tripod?', 'camera'],
    ['Does the camera zoom?', 'camera'],
    ['Wackelt die Kamera?', 'camera'],
    ['Ist die Kamera fest?', 'camera'],
    ['Wird die Kamera bewegt?', 'camera'],
    ['Gibt es einen Schwenk?', 'camera'],
    ['What is the camera movement?', 'camera-way'],
    ['In which direction does the camera pan?', 'camera-way'],
    ['Was macht die Kamera?', 'camera-way'],
    ['Can you read any text?', 'text'],
    ['Are there subtitles?', 'text'],
    ['Is some writing visible?', 'text'],
    ['Does the video contain text?', 'text'],
    ['Sieht man Text?', 'text'],
    ['Sind Untertitel zu sehen?', 'text'],
    ['Steht etwas geschrieben?', 'text'],
    ['What is written there?', 'text-what'],
    ['What do the subtitles say?', 'text-what'],
    ['Read the text', 'text-what'],
    ['Which text can be seen?', 'text-what'],
    ['Wie lautet der Text?', 'text-what'],
    ['Welcher Text ist zu sehen?', 'text-what'],
    ['When does the text appear?', 'appear'],
    ['When does the caption disappear?', 'leave'],
    ['How long is the text visible?', 'long'],
    ['Where is the text?', 'where'],
    ['What colour is the text?', 'colour'],
    ['Wann erscheint der Text?', 'appear'],
    ['Welche Farbe hat die Schrift?', 'colour'],
    ['Wo steht der Text?', 'where'],
    ['Is the scene dark?', 'dark'],
    ['Is the video rather bright?', 'dark'],
    ['Ist die Szene düster?', 'dark'],
    ['Is the screen ever black?', 'black'],
    ['Are there black frames?', 'black'],
    ['Ist das Bild irgendwann schwarz?', 'black'],
    ['Is it day or night?', 'day'],
    ['Was it filmed at night?', 'day'],
    ['Ist es Tag oder Nacht?', 'day'],
    ['Does the video freeze?', 'frozen'],
    ['Is it a still picture?', 'frozen'],
    ['Ist das Bild eingefroren?', 'frozen'],
    ['What is the duration of the clip?', 'length'],
    ['Wie lange dauert der Clip?', 'length'],
    ['How many cuts are there?', 'cuts'],
    ['Are there any cuts?', 'cuts'],
    ['Wie viele Schnitte gibt es?', 'cuts'],
    ['Does anything move?', 'moves'],
    ['Is something moving?', 'moves'],
    ['Bewegt sich etwas?', 'moves'],
    ['What can you see?', 'what'],
    ['Please describe the video', 'what'],
    ['Which objects are visible?', 'what'],
    ['What is shown here?', 'what'],
    ['Was erkennt man?', 'what'],
    ['Welche Gegenstände sind zu sehen?', 'what'],
    ['Who is in the picture?', 'who'],
    ['Who can be seen?', 'who'],
    ['Wer ist zu sehen?', 'who'],
    ['What appears first?', 'order'],
    ['What comes into the picture last?', 'order'],
    ['Was erscheint zuerst?', 'order'],
  ])('knows many wordings: %s', (question, asked) => {
    const found = read(question)
    expect(found?.left.length === 0 ? found.asked : null).toBe(asked)
    if (asked !== null) expect(found).toMatchObject({ things: [], colour: null })
  })

  it('reads comparisons, numbers, clothes, turns and text', () => {
    expect(read('Which is bigger, the dog or the cat?')).toMatchObject({
      asked: 'bigger',
      relation: null,
      things: [{ word: 'dog' }, { word: 'cat' }],
      left: [],
    })
    expect(read('Is the dog smaller than the horse?')).toMatchObject({ asked: 'bigger', relation: 'smaller', left: [] })
    expect(read('Ist der Hund größer als die Katze?')).toMatchObject({ asked: 'bigger', relation: 'bigger', left: [] })
    expect(read('Is the dog to the left of the car?')).toMatchObject({
      asked: 'beside',
      relation: 'left',
      things: [{ word: 'dog' }, { word: 'car' }],
      left: [],
    })
    expect(read('Steht der Hund rechts neben dem Auto?')).toMatchObject({ asked: 'beside', relation: 'right', left: [] })
    expect(read('Are there more than two cars?')).toMatchObject({ asked: 'presence', quantity: { least: 3, most: Infinity }, left: [] })
    expect(read('Sind genau zwei Autos zu sehen?')).toMatchObject({ asked: 'presence', quantity: { least: 2, most: 2 }, left: [] })
    expect(read('Are there three dogs?')).toMatchObject({ quantity: { least: 3 }, left: [] })
    expect(read('What colour is the jacket of the man on the left?')).toMatchObject({
      asked: 'colour',
      garment: { half: 'upper' },
      side: 'left',
      left: [],
    })
    expect(read('Welche Farbe hat die Hose der Person?')).toMatchObject({ asked: 'colour', garment: { half: 'lower' }, left: [] })
    expect(read('What colour are the trousers that the second person wears?')).toMatchObject({
      garment: { half: 'lower' },
      nth: 2,
      left: [],
    })
    expect(read('Is the T-shirt red?')).toMatchObject({
      asked: 'colour',
      colour: 'red',
      garment: { half: 'upper' },
      things: [{ classes: ['person'] }],
      left: [],
    })
    expect(read('When does the third dog first appear?')).toMatchObject({ asked: 'appear', nth: 3, left: [] })
    expect(read('When does the last car leave?')).toMatchObject({ asked: 'leave', nth: -1, left: [] })
    expect(read('When is the dog last seen?')).toMatchObject({ asked: 'leave', nth: null, left: [] })
    expect(read('What does the text say at 3 s?')).toMatchObject({ asked: 'text-what', at: 3, left: [] })
    expect(read('Which animal appears first?')).toMatchObject({ asked: 'order', things: [{ narrower: true }], nth: null, left: [] })
    expect(read('Is there a dog on the left?')).toMatchObject({ asked: 'presence', side: 'left', left: [] })
  })

  it.each([
    'Why does the dog bark?',
    'Who is that?',
    'Tell me a story',
    'What time of day is it in Paris?',
    '',
    '???',
    'When do the palms first touch?',
  ])('is not known: %s', (question) => {
    const found = read(question)
    expect(found === null || found.left.length > 0).toBe(true)
  })
})
