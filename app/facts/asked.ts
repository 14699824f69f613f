/**
 * What questions ask for. Somebody who asks for a thing has a reason to: from then on its tracks count in that clip as those of a label do, in every
 * statement: in the answer, the facts, the caption and the boxes alike.
 */
import { PERSON } from '../words.ts'
import type { ClipMeasures } from './input.ts'
import { readQuestion } from './question.ts'

/** The names of the detector that a question asks for; none where it asks what is there. */
export function namesAsked(question: string, known: readonly string[]): string[] {
  const read = readQuestion(question, known)
  if (read === null || read.asked === 'what' || read.asked === 'order') return []
  const names = read.things.flatMap(({ classes }) => classes)
  return [...new Set(read.asked === 'who' && names.length === 0 && known.includes(PERSON) ? [PERSON] : names)]
}

/** The clip with every track that these questions ask for, and that reaches the threshold for names asked for, as one that somebody asked for. */
export function withAsked<C extends ClipMeasures>(clip: C, questions: readonly string[]): C {
  const { things } = clip
  if (things === null || things.tracks.length === 0) return clip
  const names = new Set(questions.flatMap((question) => namesAsked(question, things.known)))
  if (names.size === 0) return clip
  const { asked, volunteered, tracks } = things
  return {
    ...clip,
    things: {
      ...things,
      tracks: tracks.map((track) =>
        names.has(track.label) && track.score >= asked ? { ...track, asked: true, score: Math.max(track.score, volunteered) } : track,
      ),
    },
  }
}
