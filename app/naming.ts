/** The labels under which names of a detector's closed list are shown, and how sure a track of each must be. */
import type { DetectorManifest } from './pack/detector.ts'
import { phrasesOf, type Vocabulary } from './vocabulary.ts'
import { DEFAULT_THRESHOLD } from './tracks.ts'
import { classesOf } from './words.ts'

/** The score from which a track counts if nobody asked for its name. */
export const VOLUNTEERED = 0.8

export interface ShownAs {
  label: string
  threshold: number
  /** Whether a label of the vocabulary means this name. */
  asked: boolean
}

/**
 * For each name of the list: the label of the vocabulary that means it, the narrowest if several do; else the name itself, which then needs
 * a higher score, since nobody asked for it.
 */
export function shownAs({ classes }: Pick<DetectorManifest, 'classes'>, vocabulary: Vocabulary): Map<string, ShownAs> {
  const asked = vocabulary
    .map((label) => ({ label, means: namesOf(phrasesOf(label), classes) }))
    .sort((a, b) => a.means.length - b.means.length)
  return new Map(
    classes.map((name) => {
      const own = asked.find(({ means }) => means.includes(name))?.label
      return [
        name,
        own ? { label: own.name, threshold: own.threshold, asked: true } : { label: name, threshold: VOLUNTEERED, asked: false },
      ]
    }),
  )
}

/** The names of a list that any of these phrases means; none where the list has no such thing. */
export function namesOf(phrases: readonly string[], classes: readonly string[]): string[] {
  return [...new Set(phrases.flatMap((phrase) => classesOf(phrase, classes)?.classes ?? []))]
}

/**
 * A track's score on the scale of the app's thresholds. The raw score that was measured as enough for a name asked for becomes
 * `DEFAULT_THRESHOLD`, the one measured as enough for other names becomes `VOLUNTEERED`, linear between.
 * @param raw 0..1, see `objectScore`.
 */
export function trackScoreOf(raw: number, { asked, volunteered }: DetectorManifest['calibration']): number {
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
