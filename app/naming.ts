/** The labels under which names of a detector's closed list are shown, and how sure a track of each must be. */
import type { DetectorManifest } from './pack/detector.ts'
import { labelNamed, phrasesOf, type Vocabulary } from './vocabulary.ts'
import { DEFAULT_THRESHOLD } from './tracks.ts'
import { classesOf, type Meaning, THINGS } from './words.ts'

/** The score from which a track counts if nobody asked for its name. */
export const VOLUNTEERED = 0.8

export interface ShownAs {
  label: string
  threshold: number
  /** Whether a label of the vocabulary means this name, or a question about the clip asks for it. */
  asked: boolean
}

/**
 * For each name of the list: the label of the vocabulary that means it, the narrowest if several do; else the name itself, which then needs
 * a higher score, since nobody asked for it.
 *
 * @param questioned Names that questions about the clip ask for.
 */
export function shownAs(
  { classes }: Pick<DetectorManifest, 'classes'>,
  vocabulary: Vocabulary,
  questioned: readonly string[] = [],
): Map<string, ShownAs> {
  const asked = vocabulary
    .map((label) => ({ label, means: namesOf(phrasesOf(label), classes) }))
    .sort((a, b) => a.means.length - b.means.length)
  return new Map(
    classes.map((name) => {
      const own = asked.find(({ means }) => means.includes(name))?.label
      return [
        name,
        own
          ? { label: own.name, threshold: own.threshold, asked: true }
          : questioned.includes(name)
            ? { label: name, threshold: DEFAULT_THRESHOLD, asked: true }
            : { label: name, threshold: VOLUNTEERED, asked: false },
      ]
    }),
  )
}

/** The names of a list that any of these phrases means; none where the list has no such thing. */
export function namesOf(phrases: readonly string[], classes: readonly string[]): string[] {
  return [...new Set(phrases.flatMap((phrase) => classesOf(phrase, classes)?.classes ?? []))]
}

/**
 * Whether boxes of a label show what a word means, whatever the label is called: "Autos" and "taxi" are vehicles, and "dog" may be a poodle, but
 * "terrier" is none.
 *
 * @param asked What the word means.
 * @param phrases The label's name and synonyms.
 */
export function shows(asked: Pick<Meaning, 'classes' | 'wider'>, phrases: readonly string[]): boolean {
  return phrases.some((phrase) => {
    if (asked.classes.includes(phrase)) return true
    const own = classesOf(phrase, THINGS)
    return own !== null && !(asked.wider && own.wider) && own.classes.every((name) => asked.classes.includes(name))
  })
}

/** Whether a thing that is called by one of two labels may be called by the other: "Car" and "car", "Auto" and "car", "vehicle" and "truck". */
export function mayBeOne(one: string, other: string, vocabulary: Vocabulary): boolean {
  if (one.toLowerCase() === other.toLowerCase()) return true
  const [a, b] = [one, other].map((name) => namesOf(phrasesOf(labelNamed(vocabulary, name) ?? { name, synonyms: [] }), THINGS))
  return a?.some((name) => b?.includes(name)) ?? false
}

/**
 * The names that must join the vocabulary so that a thing can be counted: the detector's own names of it, so that boxes keep the names that they
 * have; the word itself where none is known for it.
 *
 * @param classes The names on the detector's closed list; null if it looks for any words.
 */
export function namesToCount(word: string, vocabulary: Vocabulary, classes: readonly string[] | null): string[] {
  if (labelNamed(vocabulary, word)) return []
  const asked = classesOf(word, classes ?? vocabulary.map(({ name }) => name))
  // A detector of any words can tell a poodle from other dogs.
  if (asked === null || (classes === null && (asked.wider || asked.narrower))) return [word]
  const there = vocabulary.filter((label) => shows(asked, phrasesOf(label)))
  return asked.classes.filter((name) => !there.some((label) => namesOf(phrasesOf(label), [name]).length > 0))
}

/**
 * A track's score on the scale of the app's thresholds. The raw score that was measured as enough for a name asked for becomes
 * `DEFAULT_THRESHOLD`, the one measured as enough for other names becomes `VOLUNTEERED`, linear between.
 * @param raw 0..1, see `objectScore`.
 */
export function trackScoreOf(raw: number, { asked, volunteered }: Pick<DetectorManifest['calibration'], 'asked' | 'volunteered'>): number {
  const points = [
    [0, 0],
    [asked, DEFAULT_THRESHOLD],
    [volunteered, VOLUNTEERED],
    [1, 1],
  ] as const
  for (const [i, [to, high]] of points.entries()) {
    const [from, low] = points[i - 1] ?? [0, 0]
    if (i > 0 && raw <= to) return to === from ? high : low + ((raw - from) * (high - low)) / (to - from)
  }
  return 1
}
