/**
 * A caption from facts, by a small grammar. It never names anything that no fact supports; if nothing is known it says what was measured.
 */
import type { Colour } from '../colours.ts'
import { type Language, nameOf, theNameOf, nounOf } from '../words.ts'
import { type Fact, type NameFact, statedMotion, type ThingFact } from './facts.ts'
import { SURE } from './reliability.ts'
import { unreadText } from './unread.ts'
import { cameraText, capital, lightText, listText, motionText } from './wording.ts'

/** The most names, motions and lines of text that one caption includes. */
const MOST = { names: 4, motions: 2, lines: 2, letters: 60 }
/** A thing that is in view for this share of the clip matters more than one that passes. */
const LASTING = 0.3

export interface FactCaption {
  text: string
  /** Reliability of its least sure part, 0..1. */
  reliability: number
  /** The facts that it includes. */
  told: Fact[]
}

/**
 * @param facts From `factsOf`, with the threshold for names that nobody asked for.
 * @param seconds Length of the clip.
 * @returns Null where nothing at all was measured.
 */
export function captionOf(facts: readonly Fact[], seconds: number, language: Language): FactCaption | null {
  // A name that may be wrong is not in the caption; it stays in the list of facts as "perhaps".
  const names = facts
    .filter((fact) => fact.kind === 'name')
    .filter(({ reliability }) => reliability >= SURE)
    .sort((a, b) => weight(b, seconds) - weight(a, seconds))
    .slice(0, MOST.names)
  const things = facts.filter((fact) => fact.kind === 'thing')
  const told: Fact[] = [...names]
  const parts: string[] = []
  if (names.length > 0) {
    parts.push(
      listText(
        names.map((name) => {
          const only = onlyThing(name, things)
          return countText(name, language, only && only.reliability >= SURE ? (only.colour ?? undefined) : undefined)
        }),
        language,
      ),
    )
  }
  const motions = names.flatMap((name) => movesOf(name, things, language)).slice(0, MOST.motions)
  for (const { text, facts: of } of motions) {
    parts.push(text)
    told.push(...of)
  }
  const camera = facts.find((fact) => fact.kind === 'camera')
  const cameraSaid = camera && camera.reliability >= SURE ? cameraText(camera.motion, language) : null
  if (camera && cameraSaid !== null) {
    parts.push(cameraSaid)
    told.push(camera)
  }
  const lines = facts
    .filter((fact) => fact.kind === 'text')
    .sort((a, b) => b.line.to - b.line.from - (a.line.to - a.line.from))
    // A line that is there before and after an unread stretch is one line.
    .filter(({ line }, at, all) => all.findIndex((other) => other.line.text === line.text) === at)
    .slice(0, MOST.lines)
  if (lines.length > 0) {
    parts.push(
      `Text ${lines.map(({ line }) => quoted(line.text, language)).join(', ')}`.replace(/^Text/, language === 'en' ? 'text' : 'Text'),
    )
    told.push(...lines)
  }
  // A bright picture is not worth mentioning.
  const light = facts.find((fact) => fact.kind === 'light' && fact.light !== 'bright' && fact.to - fact.from >= seconds / 2)
  if (light?.kind === 'light') {
    parts.push(lightText(light.light, language))
    told.push(light)
  }
  const unread = facts.find((fact) => fact.kind === 'unread')
  if (unread) {
    parts.push(unreadText(unread.unread, language))
    told.push(unread)
  }
  if (parts.length === 0) return null
  return { text: capital(parts.join('; ')), reliability: Math.min(...told.map(({ reliability }) => reliability)), told }
}

function weight({ there, reliability }: NameFact, seconds: number): number {
  const lasts = there.reduce((sum, { from, to }) => sum + to - from, 0) / Math.max(seconds, 1e-3)
  return reliability * (lasts >= LASTING ? 2 : 1)
}

/** The thing that a name stands for, if there is just one. */
function onlyThing({ label, distinct }: NameFact, things: readonly ThingFact[]): ThingFact | null {
  return distinct === 1 ? (things.find((thing) => thing.label === label) ?? null) : null
}

/**
 * "a dog", "two dogs"; where some of so many may be wrong, or more may be there, "at least two dogs": as many as are sure.
 * A single one is no number: where one is sure, one is there.
 */
export function countText(fact: NameFact, language: Language, colour?: Colour): string {
  const { label, most, sure, more } = fact
  if (most <= 1 || (sure >= most && !more)) return nameOf(label, most, language, colour)
  const number = nameOf(label, statedNumber(fact), language)
  return language === 'en' ? `at least ${number.replace(/^an? /, 'one ')}` : `mindestens ${number}`
}

/** As many as are sure, of those that are there at once. */
export const statedNumber = ({ most, sure }: NameFact): number => Math.max(1, Math.min(sure, most))

/** "the dog moves to the right"; "both dogs move …" only if all of them do. Empty for things that stay in place. */
function movesOf(name: NameFact, things: readonly ThingFact[], language: Language): { text: string; facts: ThingFact[] }[] {
  const own = things.filter(({ label }) => label === name.label)
  const ways = new Set(own.map((thing) => statedMotion(thing)?.way))
  const [way] = ways
  if (ways.size !== 1 || way === undefined || way === 'still') return []
  // Several tracks may be of one thing.
  const many = own.length > 1 && name.most > 1
  const subject = many ? `${language === 'en' ? 'the' : 'die'} ${nounOf(name.label, language).many}` : theNameOf(name.label, language)
  return [{ text: `${subject} ${motionText(way, many, language)}`, facts: own }]
}

export function quoted(text: string, language: Language): string {
  const short = text.length > MOST.letters ? `${text.slice(0, MOST.letters - 1).trimEnd()}…` : text
  return language === 'en' ? `“${short}”` : `„${short}“`
}
