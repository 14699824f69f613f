/** How sure a statement is, and how far a clip is reviewed: decided here, once, for every list, table, chart and file. */
import { z } from 'zod'
import { type Annotation, ReviewState } from './annotation.ts'
import { looksYesNo, yesNo } from './table/question.ts'

/** sure, unsure: stated by the machine, not decided. The others: what a person decided. */
export const Standing = z.enum([...ReviewState.exclude(['machine']).options, 'sure', 'unsure'])
export type Standing = z.infer<typeof Standing>

/** @param unsure Whether the machine says that it is unsure (`Evidence.unsure`), or said nothing that could be right. */
export function standingOf(state: ReviewState, unsure: boolean): Standing {
  return state === 'machine' ? (unsure ? 'unsure' : 'sure') : state
}

/**
 * The state of a statement that a person agrees with: accepted, but what a person wrote or drew stays the person's own.
 * @param body As it stands. @param machine What the machine said; null if it said nothing.
 */
export function agreedState<T>({ state, body, machine }: { state: ReviewState; body: T; machine: T | null }): 'accepted' | 'edited' {
  const own = state === 'edited' || (state === 'rejected' && JSON.stringify(body) !== JSON.stringify(machine))
  return own ? 'edited' : 'accepted'
}

/** The standing of a whole annotation. Words that are neither yes nor no do not answer what asks for one of them, however sure of them a model is. */
export function standingOfAnnotation({ state, evidence, body }: Pick<Annotation, 'state' | 'evidence' | 'body'>): Standing {
  const isBeside = body.kind === 'answer' && looksYesNo(body.question) && yesNo(body.text) === 'unsure'
  return standingOf(state, isBeside || (evidence?.unsure ?? false))
}

/**
 * A name as written in lists, cells and charts and on boxes: an unsure name is followed by a question mark, in every language. A name is as
 * sure as its surest track.
 */
export function labelText(label: string, unsure: boolean): string {
  return unsure ? `${label}?` : label
}

/** Written before a text that is unsure and undecided, where only the text can be seen: subtitles, the clipboard, a legend. */
const DOUBT = '(?) '

/** A text for places where nothing else shows how it stands. */
export function doubted(text: string, unsure: boolean): string {
  return unsure && text !== '' ? `${DOUBT}${text}` : text
}

/** Whether a text was written as `doubted`, and without its mark. */
export function undoubted(text: string): { text: string; unsure: boolean } {
  return text.startsWith(DOUBT) ? { text: text.slice(DOUBT.length), unsure: true } : { text, unsure: false }
}

/** All names of a clip as written in lists, sure ones first. */
export function labelTexts({ labels, perhaps }: { labels: readonly string[]; perhaps: readonly string[] }): string[] {
  return [...labels, ...perhaps.map((label) => labelText(label, true))]
}

/**
 * How far a clip or a video is reviewed: the part of its annotations that a person decided about. A clip that was analysed and in which there is nothing
 * to decide is neither left to review nor reviewed: it counts on no side.
 */
export type Review = 'open' | 'partly' | 'done' | 'nothing'

/** @param total How many annotations count for the review. @param analysed Whether that is all that there will be. */
export function reviewOf(decided: number, total: number, analysed = false): Review {
  if (total === 0) return analysed ? 'nothing' : 'open'
  return decided === 0 ? 'open' : decided < total ? 'partly' : 'done'
}
