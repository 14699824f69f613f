/**
 * What a question asks for, if it asks nothing that facts do not hold. Every word must be understood: what is left over restricts the question
 * ("the third person", "a person walking"), and a fact about any person would be a wrong answer to it.
 */
import type { Colour } from '../colours.ts'
import { classesOf, colourOfWord, isThing, type Language, type Meaning } from '../words.ts'

export type Asked = 'count' | 'presence' | 'colour' | 'direction' | 'moves' | 'appear' | 'leave' | 'long' | 'where' | 'what' | 'camera' | 'camera-way' | 'text' | 'text-what' | 'dark' | 'frozen' | 'length'

export interface AskedThing extends Meaning {
  /** As it was written. */
  word: string
}

export interface Question {
  asked: Asked
  language: Language
  /** What it is about: several where they are joined by "and" or "or". */
  things: AskedThing[]
  /** A colour that the thing must have, or that is asked for ("is the car red?"). */
  colour: Colour | null
  /** Which one of several, by its place. */
  side: 'left' | 'right' | 'top' | 'bottom' | null
  /** The second or third one, by when they come; null where no turn is told. */
  nth: number | null
  /** Seconds of the video, or an end of the clip. */
  at: number | 'start' | 'end' | null
  /** How many different ones, not how many at once. */
  total: boolean
  /** "Does the camera stand still?" and the like: yes means no. */
  turned: boolean
  /** Words that nothing here understands, in order. */
  left: string[]
}

const GERMAN = new Set('der die das den dem des ein eine einen einem einer wie viele viel ist sind gibt es wann wo wohin welche welcher welches welchen was wer und oder nicht im am auf bewegt sich wird zu sehen farbe richtung hat haben steht man kamera bild'.split(' '))
const ENGLISH = new Set('the a an is are how many much there what which when where does do did and or not in on at move moves moving color colour has have can you see camera picture image any'.split(' '))

/** By its small words; English where they do not tell. */
export function languageOf(question: string): Language {
  const words = question.toLowerCase().match(/\p{L}+/gu) ?? []
  const of = (set: ReadonlySet<string>) => words.filter((word) => set.has(word)).length
  return of(GERMAN) > of(ENGLISH) || /[äöüß]/i.test(question) ? 'de' : 'en'
}

/** Words that change nothing. */
const FILL: Record<Language, ReadonlySet<string>> = {
  en: new Set('the a an any some of in on at to is are was were be been there it its this that these those do does did have has had can could would will you we one i see seen visible shown show shows present here picture image video clip frame scene shot footage film recording view please ever somewhere anywhere all exactly about during throughout within whole entire inside'.split(' ')),
  de: new Set('der die das den dem des ein eine einen einem einer eines im in am an auf zu zum zur ist sind war waren wird werden es gibt da hier sehen seht sieht siehst man du wir ich kann können sichtbar zeigt bild bildes video videos clip clips film films aufnahme szene vorhanden irgendein irgendeine irgendwo etwas denn bitte mal überhaupt dieses dieser diese diesem jemals sich von vom genau etwa während ganzen gesamten über'.split(' ')),
}

interface Pattern {
  asked: Asked
  /** What of the question it explains: taken out, so that only the thing and what restricts it is left. */
  words: RegExp
  turned?: boolean
}

const VERBS = {
  en: 'move|moves|moved|moving|go|goes|going|run|runs|running|walk|walks|walking|drive|drives|driving|travel|travels|travelling|traveling|head|heads|heading|fly|flies|flying|ride|rides|riding|swim|swims|swimming|roll|rolls|rolling',
  de: 'bewegt|bewegen|fährt|fahren|läuft|laufen|geht|gehen|rennt|rennen|fliegt|fliegen|schwimmt|schwimmen|rollt|rollen',
}

/** The first that matches is what is asked. Questions are matched in small letters without punctuation, with one blank at each end. */
const PATTERNS: Record<Language, readonly Pattern[]> = {
  en: [
    { asked: 'camera-way', words: / (how|which (way|direction)|in which direction|what direction|where|what) (does|is|did) the camera (move|moves|moving|pan|panning|go|going|do|doing|turn|turning)( to)? / },
    { asked: 'camera', words: / (does|is|did) the camera (stand |stay |staying |standing |remain |kept |held )?(still|fixed|static|steady|stationary|mounted)( on a tripod)? /, turned: true },
    { asked: 'camera', words: / (does|is|did|has) the camera (being )?(move|moving|moved|in motion)( at all)? | is (it|this|the video|the clip) filmed (with|by|from) a moving camera | is there (any )?camera (motion|movement) / },
    { asked: 'text-what', words: / what (is|does) the (text|caption|writing|subtitle|title)( (say|read|on|written))* | what (text|words?|writing) (is|are)( there| visible| shown| written)? | (what|which) (text|words?) (do|can) (you|we) (see|read) | what is written | what can be read | what does it say | read the text / },
    { asked: 'text', words: / (is|are) there (any |some |a )?(text|writing|words|captions?|subtitles?|letters) | (do|can) (you|we) (see|read) (any |some )?(text|writing|words) | is (any |some |a )?(text|writing) (visible|shown) / },
    { asked: 'dark', words: / is (it|the picture|the image|the scene|the video|the clip) (very |too |quite )?(dark|black) | is (the picture|the scene|the clip|the video) at any time (dark|black) / },
    { asked: 'dark', words: / is (it|the picture|the image|the scene|the video|the clip) (very |too |quite )?(bright|light) /, turned: true },
    { asked: 'frozen', words: / (is|does) (the picture|the image|the video|the clip|it) (frozen|stand still|freeze|stuck) / },
    { asked: 'length', words: / how long is (the|this) (clip|video|recording|film|shot|scene) | how long does (the|this) (clip|video|recording|film|shot|scene) (last|take) / },
    { asked: 'count', words: / how many | (what is )?the number of | count (of )?/ },
    { asked: 'colour', words: / (what|which) colou?rs? (is|are|does|do|has|have) | (what|which) is the colou?r of | what colou?r/ },
    { asked: 'long', words: / (for )?how long / },
    { asked: 'leave', words: new RegExp(` (when|at what time|at which (time|second|moment)) (?=(?:.* )?(leave|leaves|leaving|left|disappear|disappears|disappeared|exit|exits|vanish|vanishes|gone|last seen|last visible|go away|goes away) )`) },
    { asked: 'appear', words: new RegExp(` (when|at what time|at which (time|second|moment)) (?=(?:.* )?(appear|appears|appeared|enter|enters|entered|arrive|arrives|come into|comes into|come in|comes in|show up|shows up|turn up|turns up|seen|visible|is there|are there|there) )`) },
    { asked: 'direction', words: new RegExp(` (which way|which direction|in which direction|in what direction|what direction|to which side|to where|where) (?=(?:.* )?(${VERBS.en}) )`) },
    { asked: 'where', words: / (where|whereabouts|on which side|in which part of the picture|in which part) / },
    { asked: 'what', words: / (what|which) (kind of |kinds of |sort of |type of |types of )?(objects|things) (is|are|can|do|does) | what (is|are|can) (it |we |you |there )?(be )?(seen |visible |shown |see )?(in|on|there) | (what|which) (do|can) (you|we) see | what can be seen | what (is|are) (visible|shown) | what does (the|this) (clip|video|picture) (show|contain) | what is (in )?(the|this) (clip|video|picture) | describe / },
    { asked: 'what', words: / (what|which) (kinds? of |sorts? of |types? of )?/ },
    { asked: 'moves', words: new RegExp(` (is|are|does|do|did) (?=(?:.* )?(move|moves|moving|in motion) )`) },
    { asked: 'moves', words: / (is|are|does|do|did) (?=(?:.* )?(stand|stands|standing|stay|stays|remain|remains) (still|in place|parked) )/, turned: true },
    { asked: 'presence', words: / (is|are|was|were) there (ever )?| (do|can|could|did) (you|we|i) (ever )?see | does (the|this) (video|clip|picture|image|footage|scene) (show|contain|have) | (is|are) (?=(a|an|any|some) )| has (it|the clip|the video) (?=(a|an|any|some) )| (any) (?=[a-z]+ (in|there|here|visible)? )/ },
    { asked: 'colour', words: / (is|are) (?=(the|this|that|these|those) )/ },
  ],
  de: [
    { asked: 'camera-way', words: / (wie|wohin|was|in welche richtung) (bewegt|schwenkt|macht|dreht|fährt|geht) (sich )?die kamera / },
    { asked: 'camera', words: / (steht|ist|bleibt) die kamera (still|fest|ruhig|unbewegt|statisch|starr) /, turned: true },
    { asked: 'camera', words: / bewegt sich die kamera | wird die kamera bewegt | ist die kamera (in bewegung|bewegt) | gibt es (eine )?kamerabewegung(en)? / },
    { asked: 'text-what', words: / was steht (da|dort|im bild|auf dem bild|geschrieben|im text)?( geschrieben)?| was ist (zu lesen|geschrieben) | (welcher|welchen) text (ist|steht|kann|sieht|zeigt)( zu lesen| zu sehen)?| was sagt der text | wie lautet (der|die) (text|untertitel|schrift) / },
    { asked: 'text', words: / (gibt es|ist|sind|steht|sieht man|kann man)( da)? (irgendein |irgendeinen |ein |eine )?(text|schrift|untertitel|wörter|buchstaben) / },
    { asked: 'dark', words: / ist (es|das bild|die szene|das video|der clip) (sehr |zu |ziemlich )?(dunkel|schwarz) / },
    { asked: 'dark', words: / ist (es|das bild|die szene|das video|der clip) (sehr |zu |ziemlich )?(hell) /, turned: true },
    { asked: 'frozen', words: / (ist|steht) (das bild|das video|der clip) (eingefroren|still) / },
    { asked: 'length', words: / wie lang(e)? (ist|dauert|geht|läuft) (das|der|die|dieses|dieser) (clip|video|film|aufnahme|szene) / },
    { asked: 'count', words: / wie ?viele? | (die )?anzahl (der |von )?/ },
    { asked: 'colour', words: / (welche|was für eine|in welcher) farben? (hat|haben|ist|sind|besitzt)?/ },
    { asked: 'long', words: / wie lange? / },
    { asked: 'leave', words: / (wann|ab wann|in welcher sekunde|zu welcher zeit) (?=(?:.* )?(verlässt|verlassen|verschwindet|verschwinden|weg|zuletzt|fort) )/ },
    { asked: 'appear', words: / (wann|ab wann|in welcher sekunde|zu welcher zeit) (?=(?:.* )?(erscheint|erscheinen|auf|auftaucht|auftauchen|kommt|kommen|sehen|sichtbar|da) )/ },
    { asked: 'direction', words: new RegExp(` (wohin|in welche richtung|in welcher richtung|welche richtung|nach wohin) (?=(?:.* )?(${VERBS.de}) )`) },
    { asked: 'where', words: / (wo|auf welcher seite|in welchem teil des bildes) / },
    { asked: 'what', words: / was (ist|sind) (?=.*(zu sehen|im|auf dem bild|in dem|sichtbar|da) )| was (sieht man|siehst du|zeigt|kann man sehen|gibt es zu sehen|gibt es) | (welche|was für) (dinge|gegenstände|objekte) (sind|sieht|kann)?| beschreibe? / },
    { asked: 'what', words: / (welche|welches|welcher|welchen|was für ein|was für eine|was für|was ist das für ein|was ist das für eine)( art von)? / },
    { asked: 'moves', words: / (bewegt|bewegen) (sich )?/ },
    { asked: 'moves', words: / (steht|stehen|bleibt|bleiben) (?=(?:.* )?(still|stehen) )/, turned: true },
    { asked: 'presence', words: / (gibt es|ist da|sind da|sieht man|siehst du|sind|ist|sehen wir|kommt|kommen|enthält das video|zeigt das video|zeigt der clip) (?=(ein|eine|einen|irgendein|irgendeine|irgendwelche|mehrere|[a-zäöüß]+ (zu sehen|im bild|sichtbar|da|vor)) )| gibt es | sieht man / },
    { asked: 'colour', words: / (ist|sind) (?=(der|die|das|dieser|diese|dieses) )/ },
  ],
}

/** What a kind of question may say besides, and what that means. */
const ALSO: Record<Language, readonly { of: readonly Asked[]; words: RegExp }[]> = {
  en: [
    { of: ['appear'], words: / (first |for the first time )?(appear|appears|appeared|enter|enters|entered|arrive|arrives|comes? (into|in)|shows? up|turns? up)( for the first time| first)?(?= )| first(?= )/ },
    { of: ['leave'], words: / (leaves?|leaving|left|disappears?|disappeared|exits?|vanish|vanishes|gone|last|go away|goes away|finally)(?= )/ },
    { of: ['direction', 'moves'], words: new RegExp(` (${VERBS.en}|in motion|towards?|stand|stands|standing|stay|stays|remain|remains|still|in place|parked)(?= )`) },
    { of: ['long'], words: / (visible|stay|stays|remain|remains|present|last|lasts)(?= )/ },
    { of: ['where', 'presence', 'what'], words: / (located|placed|found|standing|be|being)(?= )/ },
  ],
  de: [
    { of: ['appear'], words: / (zum ersten mal|erste[rsn]?|zuerst|erstmals|das erste mal|erscheint|erscheinen|taucht|tauchen|auf|auftaucht|auftauchen|kommt|kommen|ins|herein|hinein|vor)(?= )/ },
    { of: ['leave'], words: / (verlässt|verlassen|verschwindet|verschwinden|geht|gehen|weg|zuletzt|letzte[rsn]?|fort|aus)(?= )/ },
    { of: ['direction', 'moves'], words: new RegExp(` (${VERBS.de}|still|stehen)(?= )`) },
    { of: ['long'], words: / (bleibt|bleiben|dauert|ist|sind|lange?)(?= )/ },
    { of: ['where', 'presence', 'what'], words: / (befindet|befinden|steht|stehen|liegt|liegen|sitzt|vor|kommt|kommen)(?= )/ },
  ],
}

const SIDES: readonly { side: NonNullable<Question['side']>; words: RegExp }[] = [
  { side: 'left', words: / (on the (very |far )?left( side)?|leftmost|(farthest|furthest) (to the|on the) left|ganz links|am weitesten links|linken?|linkes|links)(?= )/ },
  { side: 'right', words: / (on the (very |far )?right( side)?|rightmost|(farthest|furthest) (to the|on the) right|ganz rechts|am weitesten rechts|rechten?|rechtes|rechts)(?= )/ },
  { side: 'top', words: / (at the (very )?top|topmost|ganz oben|oben)(?= )/ },
  { side: 'bottom', words: / (at the (very )?bottom|bottommost|ganz unten|unten)(?= )/ },
]

const START = / (at the (very )?(start|beginning)|in the beginning|am anfang|zu beginn|anfangs)(?= )/
const END = / (at the (very )?end|in the end|am ende|am schluss|zum schluss)(?= )/
const ONCE = / (at most|at once|at the same time|simultaneously|at a time|maximum|maximal|höchstens|gleichzeitig|auf einmal|zugleich|zur gleichen zeit)(?= )/g
const TOTAL = / (in total|altogether|overall|different|distinct|all in all|insgesamt|verschiedene|verschiedenen|unterschiedliche|in summe)(?= )/g
/** "at 20 s", "nach 3,5 Sekunden", "at 1:20". */
const TIME = / (at|um|bei|at second|in second|bei sekunde|in sekunde) (?:(\d+):)?(\d+(?:[.,]\d+)?) ?(s|sec|secs|second|seconds|sek|sekunde|sekunden)?(?= )/

/** By place in the list: the second one, and so on. The first one is what comes first anyway. */
const TURNS = [/ (second|zweite[rsn]?)(?= )/, / (third|dritte[rsn]?)(?= )/, / (fourth|vierte[rsn]?)(?= )/, / (fifth|fünfte[rsn]?)(?= )/]

/** The longest word of the table, in words. */
const MOST_WORDS = 4

/** What a question asks. Null where it asks nothing of the kinds that facts answer. */
export function readQuestion(question: string, known: readonly string[], language = languageOf(question)): Question | null {
  // Capitals tell German nouns; all else is matched in small letters.
  const plain = ` ${question.replaceAll(/[?!;"“”„'’()]|[.,](?!\d)/g, ' ').replaceAll(/\s+/g, ' ').trim()} `
  let text = plain.toLowerCase()
  const take = (words: RegExp): boolean => {
    if (!words.test(text)) return false
    text = text.replace(words, ' ').replaceAll(/\s+/g, ' ')
    return true
  }
  const pattern = PATTERNS[language].find(({ words }) => words.test(text))
  if (!pattern) {
    // "dogs?", "any red cars": whether there are.
    const named = wordsOf(text.replace(/ (any|some) /, ' '), plain, known, language)
    return named.things.length > 0 && named.left.length === 0 ? { asked: 'presence', language, ...named, side: null, nth: null, at: null, total: false, turned: false } : null
  }
  take(pattern.words)
  text = ` ${text.trim()} `
  for (const { of, words } of ALSO[language]) if (of.includes(pattern.asked)) while (take(words)) text = ` ${text.trim()} `
  const time = TIME.exec(text)
  take(TIME)
  const at = time ? Number(time[2] ?? 0) * 60 + Number((time[3] ?? '0').replace(',', '.')) : take(START) ? 'start' : take(END) ? 'end' : null
  const total = TOTAL.test(text)
  text = text.replaceAll(TOTAL, ' ').replaceAll(ONCE, ' ').replaceAll(ONCE, ' ')
  const side = SIDES.find(({ words }) => take(words))?.side ?? null
  const turn = ['appear', 'leave', 'direction', 'colour', 'where'].includes(pattern.asked) ? TURNS.findIndex(take) : -1
  const { things, colour, left } = wordsOf(text, plain, known, language)
  return { asked: pattern.asked, language, things, colour, side, nth: turn === -1 ? null : turn + 2, at, total, turned: pattern.turned === true, left }
}

/** The things, colours and unknown words of what is left of a question. */
function wordsOf(text: string, plain: string, known: readonly string[], language: Language): Pick<Question, 'things' | 'colour' | 'left'> {
  const words = text.trim().split(' ').filter((word) => word !== '')
  /** With its capital, where it has one in the question. */
  const written = (part: readonly string[]) => {
    const at = plain.toLowerCase().indexOf(` ${part.join(' ')} `)
    return at === -1 ? part.join(' ') : plain.slice(at + 1, at + 1 + part.join(' ').length)
  }
  const things: AskedThing[] = []
  const left: string[] = []
  let colour: Colour | null = null
  let joined = true
  for (let i = 0; i < words.length; ) {
    const found = [...Array(Math.min(MOST_WORDS, words.length - i)).keys()]
      .map((less) => words.slice(i, i + Math.min(MOST_WORDS, words.length - i) - less))
      .map((part) => ({ part, word: written(part) }))
      .find(({ word, part }) => !(part.length === 1 && FILL[language].has(part[0] ?? '')) && (classesOf(word, known, language) !== null || isThing(word, language)))
    const word = words[i] ?? ''
    const shaded = colourOfWord(`${word} ${words[i + 1] ?? ''}`)
    const hue = shaded ?? colourOfWord(word)
    const meaning = found ? classesOf(found.word, known, language) : null
    // "the orange car" is a car, "an orange" a fruit.
    const fruit = hue !== null && found !== undefined && words.slice(i + 1).some((next) => classesOf(next, known, language) !== null)
    if (hue !== null && (found === undefined || fruit)) {
      // Two colours ask for more than one answer.
      if (colour !== null) left.push(word)
      colour ??= hue
      i += shaded === null ? 1 : 2
    } else if (found && meaning) {
      // A second thing that is not joined to the first is in some relation to it.
      if (things.length > 0 && !joined) left.push(found.word)
      else things.push({ ...meaning, word: found.word })
      joined = false
      i += found.part.length
    } else if (found) {
      left.push(found.word)
      i += found.part.length
    } else {
      if (['and', 'or', 'und', 'oder'].includes(word)) joined = true
      else if (!FILL[language].has(word)) left.push(written([word]))
      i += 1
    }
  }
  return { things, colour, left }
}
