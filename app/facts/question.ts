/**
 * What a question asks for, if facts can answer all of it. Every word must be understood: a word left over restricts the question ("a
 * person walking"), and a fact about any person would be a wrong answer to it.
 */
import type { Colour } from '../colours.ts'
import { classesOf, colourOfWord, garmentOf, isThing, type Language, type Meaning, numberOf, PERSON } from '../words.ts'
import { ALSO, type Asked, FILL, PATTERNS } from './patterns.ts'

export type { Asked }

export interface AskedThing extends Meaning {
  /** As it was written. */
  word: string
}

/** A garment, and which half of the person it covers. */
interface Garment {
  word: string
  half: 'upper' | 'lower'
}

/** "more than two", "at least one", "exactly 3". */
interface Quantity {
  least: number
  most: number
}

export interface Question {
  asked: Asked
  language: Language
  /** What it is about: several where they are joined by "and" or "or", or compared. */
  things: AskedThing[]
  /** A colour that the thing must have, or that is asked for ("is the car red?"). */
  colour: Colour | null
  /** The colour is a light one. */
  pale: boolean
  /** It is about the text on the picture. */
  text: boolean
  /** It is about the edge of the picture, or about what is behind everything; and what it calls that. */
  edge: { of: 'border' | 'background'; word: string } | null
  /** It is about whatever there is ("anything"). */
  anything: boolean
  /** It is about a piece of clothing. */
  garment: Garment | null
  /** Which one of several, by its place. */
  side: 'left' | 'right' | 'top' | 'bottom' | null
  /** The first, second or third one in order of appearance, or the last one (-1); null where the question names no turn. */
  nth: number | null
  /** "Are there two dogs?" */
  quantity: Quantity | null
  /** How the first thing compares with the second; null where one of them is asked for ("which is bigger"). */
  relation: 'bigger' | 'smaller' | 'left' | 'right' | 'above' | 'below' | null
  /** Seconds of the video, or an end of the clip. */
  at: number | 'start' | 'end' | null
  /** How many different ones, not how many at once. */
  total: boolean
  /** "Does the camera stand still?" and the like: yes means no. */
  turned: boolean
  /** Words that are not understood, in order. */
  left: string[]
}

const GERMAN = new Set(
  'der die das den dem des ein eine einen einem einer wie viele viel ist sind gibt es wann wo wohin welche welcher welches welchen was wer und oder nicht im am auf bewegt sich wird zu sehen farbe richtung hat haben steht man kamera bild'.split(
    ' ',
  ),
)
const ENGLISH = new Set(
  'the a an is are how many much there what which when where who does do did and or not in on at move moves moving color colour has have can you see camera picture image any'.split(
    ' ',
  ),
)

/** Recognised by its short words; English where they do not tell. */
export function languageOf(question: string): Language {
  const words = question.toLowerCase().match(/\p{L}+/gu) ?? []
  const of = (set: ReadonlySet<string>) => words.filter((word) => set.has(word)).length
  return of(GERMAN) > of(ENGLISH) || /[äöüß]/i.test(question) ? 'de' : 'en'
}

const SIDES: readonly { side: NonNullable<Question['side']>; words: RegExp }[] = [
  {
    side: 'left',
    words:
      / (on the (very |far )?left(-hand)?( side| edge)?|leftmost|left-most|left-hand|(farthest|furthest) (to the |on the )?left|to the far left|ganz links|am weitesten links|ganz linken?|linken?|linkes|links)(?= )/,
  },
  {
    side: 'right',
    words:
      / (on the (very |far )?right(-hand)?( side| edge)?|rightmost|right-most|right-hand|(farthest|furthest) (to the |on the )?right|to the far right|ganz rechts|am weitesten rechts|rechten?|rechtes|rechts)(?= )/,
  },
  { side: 'top', words: / (at the (very )?top|topmost|uppermost|ganz oben|oberste[rsn]?|oben)(?= )/ },
  { side: 'bottom', words: / (at the (very )?bottom|bottommost|lowest|ganz unten|unterste[rsn]?|unten)(?= )/ },
]

const START = / (at the (very )?(start|beginning|first frame)|in the beginning|in the first frame|am (ganz )?anfang|zu beginn|anfangs)(?= )/
const END = / (at the (very )?(end|last frame)|in the end|in the last frame|am (ganz )?ende|am schluss|zum schluss)(?= )/
const ONCE =
  / (at (the )?most|at once|at the same time|simultaneously|at a time|at any (one )?time|maximum|maximal|maximally|höchstens|gleichzeitig|auf einmal|zugleich|zur gleichen zeit|together at once)(?= )/g
const TOTAL =
  / (in total|altogether|overall|different|distinct|all in all|in all|insgesamt|verschiedene[rsn]?|unterschiedliche[rsn]?|in summe)(?= )/g
/** "at 20 s", "nach 3,5 Sekunden", "at 1:20". */
const TIME =
  / (at|um|bei|at second|in second|at minute|bei sekunde|in sekunde|zur sekunde|at time) (?:(\d+):)?(\d+(?:[.,]\d+)?) ?(s|sec|secs|second|seconds|sek|sekunde|sekunden)?(?= )/

const NUMBER = '(one|two|three|four|five|six|seven|eight|nine|ten|ein|eine|einen|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|\\d+)'
const QUANTITIES: readonly { words: RegExp; quantity: (n: number) => Quantity }[] = [
  { words: new RegExp(` (?:more than|mehr als) ${NUMBER}(?= )`), quantity: (n) => ({ least: n + 1, most: Infinity }) },
  { words: new RegExp(` (?:at least|mindestens) ${NUMBER}(?= )`), quantity: (n) => ({ least: n, most: Infinity }) },
  { words: new RegExp(` (?:fewer than|less than|weniger als) ${NUMBER}(?= )`), quantity: (n) => ({ least: 0, most: n - 1 }) },
  { words: new RegExp(` (?:exactly|only|just|genau|nur) ${NUMBER}(?= )`), quantity: (n) => ({ least: n, most: n }) },
  // "Are there two dogs?" is also true of three.
  {
    words: / (?:two|three|four|five|six|seven|eight|nine|ten|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|\d+)(?= )/,
    quantity: (n) => ({ least: n, most: Infinity }),
  },
]

/** Each is taken out, and the things on its two sides are compared. */
const RELATIONS: readonly { relation: NonNullable<Question['relation']>; words: RegExp }[] = [
  { relation: 'bigger', words: / (bigger than|larger than|größer als)(?= )/ },
  { relation: 'smaller', words: / (smaller than|kleiner als)(?= )/ },
  { relation: 'left', words: / ((to|on) the left( side)? of|left of|links von|links neben)(?= )/ },
  { relation: 'right', words: / ((to|on) the right( side)? of|right of|rechts von|rechts neben)(?= )/ },
  { relation: 'above', words: / (above|oberhalb von|oberhalb|über)(?= )/ },
  { relation: 'below', words: / (below|underneath|beneath|under|unterhalb von|unterhalb|unter)(?= )/ },
]

/** By position in this list; the first entry is turn 1. */
const TURNS = [
  / (first|erste[rsn]?)(?= )/,
  / (second|zweite[rsn]?)(?= )/,
  / (third|dritte[rsn]?)(?= )/,
  / (fourth|vierte[rsn]?)(?= )/,
  / (fifth|fünfte[rsn]?)(?= )/,
]
const LAST = / (last|letzte[rsn]?)(?= )/
const TURNED: readonly Asked[] = ['appear', 'leave', 'direction', 'colour', 'where', 'long', 'moves']

const TEXT =
  /^(text|texts|writing|captions?|subtitles?|lettering|inscriptions?|words|titles?|schrift|texts?|untitel|untertitels?|schriftzug|schriftzüge|einblendung(en)?|beschriftung|aufschrift)$/
const ANYTHING =
  /^(anything|something|everything|things?|objects?|items?|etwas|irgendetwas|irgendwas|was|alles|dinge?|gegenst[aä]nde?|objekte?|sachen?)$/
const WEARS = /^(wear|wears|wearing|worn|dressed|has on|trägt|tragen|angezogen|bekleidet|anhat)$/

const PALE = /^(light|pale|hell)/

const EDGES: ReadonlyMap<string, 'border' | 'background'> = new Map([
  ...['border', 'borders', 'edge', 'edges', 'rim', 'margin', 'rand', 'ränder', 'rahmen', 'umrandung'].map(
    (word) => [word, 'border'] as const,
  ),
  ...['background', 'backdrop', 'hintergrund'].map((word) => [word, 'background'] as const),
])

/** The longest entry of the table, in words. */
const MOST_WORDS = 4

/** What a question asks. Null where it is no kind of question that facts answer. */
export function readQuestion(question: string, known: readonly string[], language = languageOf(question)): Question | null {
  // Capitals mark German nouns; everything else is matched in lower case.
  const plain = ` ${question
    .replaceAll(/[?!;"“”„()]|[.,:](?!\d)/g, ' ')
    .replaceAll(/[‘’´`]/g, "'")
    .replaceAll(/\b(what|who|where|when|how|it|there|that)'s\b/gi, '$1 is')
    .replaceAll(/ '|' /g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()} `
  let text = plain.toLowerCase()
  const take = (words: RegExp): RegExpExecArray | null => {
    const found = words.exec(text)
    if (found) text = text.replace(words, ' ').replaceAll(/\s+/g, ' ')
    return found
  }
  const pattern = PATTERNS[language].find(({ words }) => words.test(text))
  if (!pattern) {
    // "dogs?", "any red cars": whether there are.
    const named = wordsOf(text.replace(/ (any|some) /, ' '), plain, known, language)
    return named.things.length > 0 && named.left.length === 0 && named.garment === null
      ? { ...NOTHING_MORE, asked: 'presence', language, ...named }
      : null
  }
  const { asked } = pattern
  const order = asked === 'order' && /\b(last|zuletzt|letzte[rsn]?)\b/.test(text) ? -1 : null
  // "Which is bigger, the dog or the cat?", "is the dog left of the cat?"
  const relation = asked === 'bigger' || asked === 'beside' ? (RELATIONS.find(({ words }) => words.test(text)) ?? null) : null
  if (relation) text = text.replace(relation.words, ' and ')
  take(pattern.words)
  text = ` ${text.trim()} `
  const turn = TURNED.includes(asked) ? turnIn(text, asked, take) : null
  text = ` ${text.trim()} `
  for (const { of, words } of ALSO[language]) if (of.includes(asked)) while (take(words)) text = ` ${text.trim()} `
  const time = take(TIME)
  const at = time
    ? Number(time[2] ?? 0) * 60 + Number((time[3] ?? '0').replace(',', '.'))
    : take(START)
      ? 'start'
      : take(END)
        ? 'end'
        : null
  const total = text.search(TOTAL) !== -1
  text = text.replaceAll(TOTAL, ' ').replaceAll(ONCE, ' ').replaceAll(ONCE, ' ')
  const quantity = asked === 'presence' ? quantityIn(take) : null
  const side = relation === null ? (SIDES.find(({ words }) => take(words))?.side ?? null) : null
  const words = wordsOf(text, plain, known, language)
  return {
    ...NOTHING_MORE,
    asked,
    language,
    ...words,
    side,
    nth: order ?? turn,
    quantity,
    relation: relation?.relation ?? null,
    at,
    total,
    turned: pattern.turned === true,
  }
}

const NOTHING_MORE = { side: null, nth: null, quantity: null, relation: null, at: null, total: false, turned: false }

function turnIn(text: string, asked: Asked, take: (words: RegExp) => unknown): number | null {
  // "When does the dog first appear?" does not ask for a first dog, nor "when is it last seen?" for a last one.
  const first =
    asked === 'appear' &&
    / first (appear|come|enter|seen|visible|show|arrive|see|in|time|turn|there|become|pop|walk|drive)|(visible|appears?|seen|comes?|enters?|there|time) first | zum ersten mal| das erste mal| als erste[rs]? /.test(
      text,
    )
  const last = / last (seen|visible|time)|(seen|visible) last | zum letzten mal/.test(text)
  const turn = TURNS.findIndex((words, i) => !(i === 0 && first) && take(words))
  if (turn !== -1) return turn + 1
  return !last && take(LAST) ? -1 : null
}

function quantityIn(take: (words: RegExp) => RegExpExecArray | null): Quantity | null {
  for (const { words, quantity } of QUANTITIES) {
    const found = take(words)
    const number = found?.[0].split(' ').findLast((word) => numberOf(word) !== null)
    if (number !== undefined) return quantity(numberOf(number) ?? 1)
  }
  return null
}

/** The things, colours and unknown words in what is left of a question. */
function wordsOf(
  text: string,
  plain: string,
  known: readonly string[],
  language: Language,
): Pick<Question, 'things' | 'colour' | 'pale' | 'text' | 'edge' | 'anything' | 'garment' | 'left'> {
  const words = text
    .trim()
    .split(' ')
    .filter((word) => word !== '')
  /** With its capital, where it has one in the question. */
  const written = (part: readonly string[]) => {
    const at = plain.toLowerCase().indexOf(` ${part.join(' ')} `)
    return at === -1 ? part.join(' ') : plain.slice(at + 1, at + 1 + part.join(' ').length)
  }
  const things: AskedThing[] = []
  const left: string[] = []
  let colour: Colour | null = null
  let [ofText, anything, joined, pale] = [false, false, true, false]
  let garment: Garment | null = null
  let edge: Question['edge'] = null
  let wears = false
  for (let i = 0; i < words.length; ) {
    const found = [...Array(Math.min(MOST_WORDS, words.length - i)).keys()]
      .map((less) => words.slice(i, i + Math.min(MOST_WORDS, words.length - i) - less))
      .map((part) => ({ part, word: written(part) }))
      .find(
        ({ word, part }) =>
          !(part.length === 1 && FILL[language].has(part[0] ?? '')) &&
          (classesOf(word, known, language) !== null || isThing(word, language)),
      )
    const word = words[i] ?? ''
    const shaded = colourOfWord(`${word} ${words[i + 1] ?? ''}`)
    const hue = shaded ?? colourOfWord(word)
    const meaning = found ? classesOf(found.word, known, language) : null
    const worn = garmentOf(word, language)
    // "the orange car" is a car, "an orange" a fruit.
    const fruit = hue !== null && found !== undefined && words.slice(i + 1).some((next) => classesOf(next, known, language) !== null)
    if (hue !== null && (found === undefined || fruit)) {
      // Two colours ask for more than one answer.
      if (colour !== null) left.push(word)
      colour ??= hue
      pale ||= PALE.test(word)
      i += shaded === null ? 1 : 2
    } else if (found && meaning) {
      // A second thing that is not joined to the first stands in some relation to it.
      if (things.length > 0 && !joined) left.push(found.word)
      else things.push({ ...meaning, word: found.word })
      joined = false
      i += found.part.length
    } else if (edge === null && things.length === 0 && EDGES.has(word)) {
      edge = { of: EDGES.get(word) ?? 'border', word: written([word]) }
      i += 1
    } else if (worn) {
      if (garment !== null) left.push(word)
      garment ??= { word: written([word]), half: worn }
      i += 1
    } else if (found) {
      left.push(found.word)
      i += found.part.length
    } else {
      if (['and', 'or', 'und', 'oder'].includes(word)) joined = true
      else if (TEXT.test(word)) ofText = true
      else if (WEARS.test(word)) wears = true
      else if (things.length === 0 && ANYTHING.test(word)) anything = true
      else if (!FILL[language].has(word)) left.push(written([word]))
      i += 1
    }
  }
  if (wears && garment === null) left.push(language === 'en' ? 'wear' : 'tragen')
  if (garment !== null && things.length === 0)
    things.push({
      classes: known.includes(PERSON) ? [PERSON] : [],
      wider: false,
      narrower: false,
      word: language === 'en' ? 'person' : 'Person',
    })
  // Clothes on something that is no person; and text on a thing.
  if (garment !== null && things.some(({ classes }) => classes.some((name) => name !== PERSON))) left.push(garment.word)
  if (ofText && things.length > 0) left.push('text')
  // "The edge of the table".
  if (edge !== null && (things.length > 0 || garment !== null || ofText)) left.push(edge.word)
  return { things, colour, pale, text: ofText, edge, anything, garment, left }
}
