/** Single facts in words, as they are listed under a caption: each can be looked at by itself. */
import type { ClipFact } from '../contract/clip.ts'
import { clockText } from '../table/facts.ts'
import { type Language, nameOf, nounOf, numberName, theNameOf } from '../words.ts'
import { quoted } from './caption.ts'
import type { Fact } from './facts.ts'
import { SURE } from './scene.ts'
import { unreadText } from './unread.ts'
import { cameraText, capital, lightText, listText, motionText, placeText } from './wording.ts'

/** A motion is told from this clarity on, as in captions. */
const CLEAR = 0.62
/** More objects than people read through. */
const MOST_THINGS = 12

/** What can be told of a clip, names first. */
export function toldFacts(facts: readonly Fact[]): ClipFact[] {
  const things = facts.filter(({ kind }) => kind === 'thing').slice(0, MOST_THINGS)
  return facts.flatMap((fact): ClipFact[] => {
    if (fact.kind === 'thing' && !things.includes(fact)) return []
    const [en, de] = [wordsOf(fact, 'en'), wordsOf(fact, 'de')]
    if (en === null || de === null) return []
    const perhaps = (fact.kind === 'name' || fact.kind === 'thing') && fact.reliability < SURE
    return [
      {
        kind: fact.kind,
        text: perhaps ? { en: `Perhaps ${en}`, de: `Vielleicht ${de}` } : { en: capital(en), de: capital(de) },
        ordinals: fact.evidence.frames.map(({ ordinal }) => ordinal),
        reliability: fact.reliability,
      },
    ]
  })
}

/** Null where nothing is known. */
function wordsOf(fact: Fact, language: Language): string | null {
  const german = language === 'de'
  switch (fact.kind) {
    case 'name': {
      const { label, most, distinct, there } = fact
      const atOnce = most > 1 ? (german ? ' zugleich' : ' at once') : ''
      const others =
        distinct > most
          ? german
            ? `, insgesamt ${numberName(distinct, language)} verschiedene`
            : `, ${numberName(distinct, language)} different in all`
          : ''
      return `${nameOf(label, most, language)}${atOnce}${others}: ${there.map(spanText).join(', ')}`
    }
    case 'thing': {
      const { label, colour, motion, ground, x, y } = fact
      // Before a camera that moves, what stays where it is in the picture does not stand still.
      const told = motion && motion.clarity >= CLEAR && (motion.way !== 'still' || ground?.way === 'still')
      const way = told ? motionText(motion.way, false, language) : null
      return (
        [theNameOf(label, language, colour ?? undefined), placeText(x, y, language), ...(way === null ? [] : [way])].join(', ') +
        `: ${spanText(fact)}`
      )
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
      return `Text ${quoted(fact.line.text, language)}: ${spanText(fact.line)}`
    case 'unread':
      return unreadText(fact.unread, language)
    case 'light':
      return `${lightText(fact.light, language)}: ${spanText(fact)}`
  }
}

function spanText({ from, to }: { from: number; to: number }): string {
  return to - from < 0.05 ? clockText(from) : `${clockText(from)}–${clockText(to)}`
}
