/** What a person can do to an annotation, and the wording for it in undo and in the history of a clip. */
import type { AnnotationBody, ReviewState } from './annotation.ts'
import { phrase } from './phrase.ts'

export const ACTIONS = ['add', 'accept', 'reject', 'edit', 'reset'] as const
export type Action = (typeof ACTIONS)[number]

/** Each text is followed by the place where it was done. */
export const DEEDS: Record<AnnotationBody['kind'], Record<Action, string>> = {
  caption: {
    add: phrase('Caption added'),
    accept: phrase('Caption accepted'),
    reject: phrase('Caption rejected'),
    edit: phrase('Caption edited'),
    reset: phrase('Caption reset'),
  },
  answer: {
    add: phrase('Answer added'),
    accept: phrase('Answer accepted'),
    reject: phrase('Answer rejected'),
    edit: phrase('Answer edited'),
    reset: phrase('Answer reset'),
  },
  track: {
    add: phrase('Track added'),
    accept: phrase('Track accepted'),
    reject: phrase('Track rejected'),
    edit: phrase('Track edited'),
    reset: phrase('Track reset'),
  },
  note: {
    add: phrase('Note added'),
    accept: phrase('Note accepted'),
    reject: phrase('Note rejected'),
    edit: phrase('Note edited'),
    reset: phrase('Note reset'),
  },
  text: {
    add: phrase('Text added'),
    accept: phrase('Text accepted'),
    reject: phrase('Text rejected'),
    edit: phrase('Text edited'),
    reset: phrase('Text reset'),
  },
  segment: {
    add: phrase('Caption of a part added'),
    accept: phrase('Caption of a part accepted'),
    reject: phrase('Caption of a part rejected'),
    edit: phrase('Caption of a part edited'),
    reset: phrase('Caption of a part reset'),
  },
}

/** Decisions that an action reverses. Rewriting a rejected text agrees with the rejection. */
const OVERTURNED: Record<Exclude<Action, 'add'>, readonly ReviewState[]> = {
  accept: ['rejected'],
  reject: ['accepted', 'edited'],
  edit: ['accepted', 'edited'],
  reset: ['accepted', 'edited', 'rejected'],
}

/** Whether an action contradicts an earlier decision of a person. Bulk actions skip those unless told otherwise. */
export function overturns(action: Exclude<Action, 'add'>, state: ReviewState): boolean {
  return OVERTURNED[action].includes(state)
}
