/** Which part of what is said about clips a file holds. Which videos and clips it is about is chosen before. */
import { z } from 'zod'
import { type Annotation, ReviewState } from '../annotation.ts'

export const Scope = z.object({
  /** Boxes of these labels alone, whatever their case. What is not a box is not touched by it. */
  labels: z.array(z.string().trim().min(1)).min(1).optional(),
  /** How it was reviewed. All but what was rejected where it is left out; JSON Lines have that too. */
  states: z.array(ReviewState).min(1).optional(),
  /** machine: what the machine said and nobody changed. people: what a person wrote, drew, changed or accepted. Both where it is left out. */
  by: z.enum(['machine', 'people']).optional(),
})
export type Scope = z.infer<typeof Scope>

/** @param withRejected Whether what was rejected belongs to a file that names no states. */
export function inScope(
  { labels, states, by }: Scope,
  { body, state, provenance }: Pick<Annotation, 'body' | 'state' | 'provenance'>,
  withRejected: boolean,
): boolean {
  if (states === undefined ? state === 'rejected' && !withRejected : !states.includes(state)) return false
  if (by === 'machine' && (provenance === null || state === 'edited')) return false
  if (by === 'people' && state === 'machine') return false
  return body.kind !== 'track' || labels === undefined || labels.some((label) => label.toLowerCase() === body.label.toLowerCase())
}

/** The same text for the same part of things; empty for all. */
export function scopeKey({ labels, states, by }: Scope): string {
  const parts = {
    ...(labels && { labels: labels.map((label) => label.toLowerCase()).sort() }),
    ...(states && { states: states.toSorted() }),
    ...(by && { by }),
  }
  return Object.keys(parts).length === 0 ? '' : JSON.stringify(parts)
}
