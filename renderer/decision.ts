/** Who decided what a statement is, and when, in words. */
import type { Annotation } from '../app/annotation.ts'
import { day } from './format.ts'
import { phrase, t } from './i18n.ts'

type Decided = Exclude<Annotation['state'], 'machine'>
const BY: Record<Decided, string> = {
  accepted: phrase('accepted by {{name}}, {{when}}'),
  edited: phrase('edited by {{name}}, {{when}}'),
  rejected: phrase('rejected by {{name}}, {{when}}'),
}

/** @param at ISO 8601; empty where it is not known. */
export function saidOfDecision(state: Decided, name: string, at: string): string {
  return t(BY[state], { name, when: day(at) })
}
