/** Which annotations of a clip a file holds. The videos and clips are chosen before. */
import { z } from 'zod'
import { type Annotation, ReviewState } from '../annotation.ts'

export const Scope = z.object({
  /** Only boxes with these labels, in any case. Annotations that are not boxes are not affected. */
  labels: z.array(z.string().trim().min(1)).min(1).optional(),
  /** Review states to include. Default: all but rejected; JSON Lines include those as well. */
  states: z.array(ReviewState).min(1).optional(),
  /**
   * machine: what the machine said and nobody changed. people: what a person wrote, drew, changed or accepted, and what is stated from facts only
   * because of that. Default: both.
   */
  by: z.enum(['machine', 'people']).optional(),
})
export type Scope = z.infer<typeof Scope>

/** @param withRejected Whether rejected annotations belong in a file for which no states are given. */
export function inScope(
  { labels, states, by }: Scope,
  { body, state, provenance }: Pick<Annotation, 'body' | 'state' | 'provenance'>,
  withRejected: boolean,
): boolean {
  if (states === undefined ? state === 'rejected' && !withRejected : !states.includes(state)) return false
  const withPeople = provenance?.people === true
  if (by === 'machine' && (provenance === null || state === 'edited' || withPeople)) return false
  if (by === 'people' && state === 'machine' && !withPeople) return false
  return body.kind !== 'track' || labels === undefined || labels.some((label) => label.toLowerCase() === body.label.toLowerCase())
}

/** The same text for equal scopes; empty for everything. */
export function scopeKey({ labels, states, by }: Scope): string {
  const parts = {
    ...(labels && { labels: labels.map((label) => label.toLowerCase()).sort() }),
    ...(states && { states: states.toSorted() }),
    ...(by && { by }),
  }
  return Object.keys(parts).length === 0 ? '' : JSON.stringify(parts)
}
