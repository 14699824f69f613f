/** Single facts in words, as listed under a caption: each can be checked by itself. */
import type { ClipFact } from '../contract/clip.ts'
import { clockText } from '../table/facts.ts'
import { wordsIn } from '../wording.ts'
import { type Language, nounOf, numberName, theNameOf } from '../words.ts'
import { countText, quoted, statedNumber } from './caption.ts'
import { type Fact, statedMotion } from './facts.ts'
import { SURE } from './reliability.ts'
import { unreadText } from './unread.ts'
import { cameraText, capital, lightText, listText, motionText, placeText } from './wording.ts'

const LANGUAGES = ['en', 'de'] as const
/** The most objects listed: people do not read through more. */
const MOST_THINGS = 12

/** A fact as search knows it. */
export interface FindableFact {
  /** Normalised in the same way as a query, with one space between words. */
  words: string
  text: Record<Language, string>
  /** It is about the whole picture, not about one thing in it. */
  whole: boolean
  fact: Fact
}

/** What can be said about a clip, names first. */
export function toldFacts(facts: readonly Fact[]): ClipFact[] {
  const things = facts.filter(({ kind }) => kind === 'thing').slice(0, MOST_THINGS)
  return facts.flatMap((fact): ClipFact[] => {
    if (fact.kind === 'thing' && !things.includes(fact)) return []
    const [en, de] = [lineOf(fact, 'en'), lineOf(fact, 'de')]
    if (en === null || de === null) return []
    const perhaps = fact.reliability < SURE
    // In German "vielleicht" goes before a thing's name; before a whole sentence it needs a colon.
    const maybe = fact.kind === 'name' || fact.kind === 'thing' ? 'Vielleicht' : 'Vielleicht:'
    return [
      {
        kind: fact.kind,
        text: perhaps ? { en: `Perhaps ${en}`, de: `${maybe} ${de}` } : { en: capital(en), de: capital(de) },
        ordinals: fact.evidence.frames.map(({ ordinal }) => ordinal),
        reliability: fact.reliability,
        // No detector's track is that sure.
        people: (fact.kind === 'name' || fact.kind === 'thing' || fact.kind === 'overlap') && fact.reliability >= 1,
      },
    ]
  })
}

/**
 * What can be said for sure, in the words under which it is found: English and German, without times. Text on screen is searched
 * separately.
 */
export function findableFacts(facts: readonly Fact[]): FindableFact[] {
  const sure = facts.filter(({ kind, reliability }) => kind !== 'text' && reliability >= SURE)
  const things = sure.filter(({ kind }) => kind === 'thing').slice(0, MOST_THINGS)
  const lines = sure.flatMap((fact): FindableFact[] => {
    const [en, de] = [wordsOf(fact, 'en'), wordsOf(fact, 'de')]
    if (en === null || de === null || (fact.kind === 'thing' && !things.includes(fact))) return []
    // Neither what is only perhaps there nor a number of tracks is a number of things.
    const said = fact.kind === 'name' ? LANGUAGES.map((language) => countText(fact, language)) : [en, de]
    const count = fact.kind === 'name' && fact.most > 1 ? [String(statedNumber(fact))] : []
    // Any other number is a time, which nobody searches for as a word.
    const words = [...said.flatMap(wordsIn).filter((word) => !/^\d+$/.test(word)), ...count].join(' ')
    const whole = fact.kind !== 'name' && fact.kind !== 'thing' && fact.kind !== 'overlap'
    return [{ words, text: { en: capital(en), de: capital(de) }, whole, fact }]
  })
  return [...new Map(lines.reverse().map((line) => [line.words, line])).values()].reverse()
}

/** What a fact says and when; null where nothing is known. */
function lineOf(fact: Fact, language: Language): string | null {
  const words = wordsOf(fact, language)
  const when =
    fact.kind === 'name' ? fact.there : fact.kind === 'text' ? [fact.line] : fact.kind === 'thing' || fact.kind === 'light' ? [fact] : []
  return words === null || when.length === 0 ? words : `${words}: ${when.map(spanText).join(', ')}`
}

/** Null where nothing is known. */
function wordsOf(fact: Fact, language: Language): string | null {
  const german = language === 'de'
  switch (fact.kind) {
    case 'name': {
      const { most, sure, distinct } = fact
      const perhaps = most > 1 && sure < most ? `, ${german ? 'vielleicht' : 'perhaps'} ${numberName(most, language)}` : ''
      const atOnce = most > 1 ? (german ? ' zugleich' : ' at once') : ''
      // One thing may have several tracks, so their number is not a number of things.
      const tracks = distinct > most ? `, ${numberName(distinct, language)} ${german ? 'Spuren' : 'tracks'}` : ''
      return `${countText(fact, language)}${perhaps}${atOnce}${tracks}`
    }
    case 'thing': {
      const { label, colour, x, y } = fact
      const motion = statedMotion(fact)
      const way = motion && motionText(motion.way, false, language)
      return [theNameOf(label, language, colour ?? undefined), placeText(x, y, language), ...(way === null ? [] : [way])].join(', ')
    }
    case 'overlap': {
      const names = listText(
        fact.labels.map((label) => nounOf(label, language).one),
        language,
      )
      return german ? `${names} verdecken einander` : `${names} overlap`
    }
    case 'camera':
      return cameraText(fact.motion, language)
    case 'text':
      return `Text ${quoted(fact.line.text, language)}`
    case 'unread':
      return unreadText(fact.unread, language)
    case 'light':
      return lightText(fact.light, language)
  }
}

function spanText({ from, to }: { from: number; to: number }): string {
  return to - from < 0.05 ? clockText(from) : `${clockText(from)}–${clockText(to)}`
}
