/** How sure what is said is, and how far people have looked at a clip: decided here, once, for every list, table, chart and file. */
import type { ReviewState } from './annotation.ts'

/** sure, unsure: the machine's word, that nobody decided about. Else what a person decided. */
export type Standing = Exclude<ReviewState, 'machine'> | 'sure' | 'unsure'

/** @param unsure Whether the machine says that it is (`Evidence.unsure`), or said nothing that could be right. */
export function standingOf(state: ReviewState, unsure: boolean): Standing {
  return state === 'machine' ? (unsure ? 'unsure' : 'sure') : state
}

/** How far a clip, or a video, is reviewed: of what is to be reviewed, how much a person decided. */
export type Review = 'open' | 'partly' | 'done'

export function reviewOf(decided: number, total: number): Review {
  return decided === 0 ? 'open' : decided < total ? 'partly' : 'done'
}
