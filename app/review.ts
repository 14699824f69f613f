/** How sure what is said is, and how far people have looked at a clip: decided here, once, for every list, table, chart and file. */
import { z } from 'zod'
import { type Annotation, ReviewState } from './annotation.ts'

/** sure, unsure: the machine's word, that nobody decided about. Else what a person decided. */
export const Standing = z.enum([...ReviewState.exclude(['machine']).options, 'sure', 'unsure'])
export type Standing = z.infer<typeof Standing>

/** @param unsure Whether the machine says that it is (`Evidence.unsure`), or said nothing that could be right. */
export function standingOf(state: ReviewState, unsure: boolean): Standing {
  return state === 'machine' ? (unsure ? 'unsure' : 'sure') : state
}

/** Of one annotation, whole. */
export function standingOfAnnotation({ state, evidence }: Pick<Annotation, 'state' | 'evidence'>): Standing {
  return standingOf(state, evidence?.unsure ?? false)
}

/**
 * A name as it stands in lists, cells, charts and on boxes: what is not sure has a question mark behind it, in every language.
 * A name is as sure as the surest track of it.
 */
export function labelText(label: string, unsure: boolean): string {
  return unsure ? `${label}?` : label
}

/** Before a text that the machine is not sure of and nobody decided about, where nothing but the text can be seen: subtitles, the clipboard, a legend. */
const DOUBT = '(?) '

/** A text as it stands where nothing stands beside it. */
export function doubted(text: string, unsure: boolean): string {
  return unsure && text !== '' ? `${DOUBT}${text}` : text
}

/** All names of a clip as they stand in lists, those that are sure first. */
export function labelTexts({ labels, perhaps }: { labels: readonly string[]; perhaps: readonly string[] }): string[] {
  return [...labels, ...perhaps.map((label) => labelText(label, true))]
}

/** How far a clip, or a video, is reviewed: of what is to be reviewed, how much a person decided. */
export type Review = 'open' | 'partly' | 'done'

export function reviewOf(decided: number, total: number): Review {
  return decided === 0 ? 'open' : decided < total ? 'partly' : 'done'
}
