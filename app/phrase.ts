/**
 * Sentences of the backend for people: English, with `{{name}}` where a value goes. The window shows them in its language (the English is
 * the key of the translation); everything else fills them in with `english`.
 */
import { z } from 'zod'

/**
 * Values for the places of a sentence; a value that is a sentence itself is translated too, and a moment (`at`, ISO 8601) is told on the clock of
 * whoever reads it.
 */
export const Values = z.record(z.string(), z.union([z.string(), z.number(), z.object({ text: z.string() }), z.object({ at: z.string() })]))
export type Values = z.infer<typeof Values>

/** A sentence and its values. `count` chooses the plural form. */
export const Phrase = z.object({ text: z.string(), values: Values.optional() })
export type Phrase = z.infer<typeof Phrase>

/** Marks a sentence for translation where it is written, since it is shown elsewhere. */
export const phrase = (text: string): string => text

export function said(text: string, values?: Values): Phrase {
  return values === undefined ? { text } : { text, values }
}

/** The values that are no sentences: a sentence within another has its places filled from these. */
export function plainOf(values: Values, moment: (at: string) => string): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      if (typeof value !== 'object') return [[name, value]]
      return 'at' in value ? [[name, moment(value.at)]] : []
    }),
  )
}

/** Where nobody knows who reads it, the zone is named. */
const inUtc = (at: string) => `${at.slice(0, 16).replace('T', ' ')} UTC`

/** The sentence with its values, for output that no window translates. */
export function english({ text, values = {} }: Phrase): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = values[name]
    const plain = plainOf(values, inUtc)
    return typeof value === 'object' && 'text' in value ? english({ text: value.text, values: plain }) : String(plain[name] ?? whole)
  })
}
