/**
 * Sentences of the backend for people: English, with `{{name}}` where a value goes. The window shows them in its language (the English is
 * the key of the translation); everything else fills them in with `english`.
 */
import { z } from 'zod'

/** Values for the places of a sentence; a value that is a sentence itself is translated too. */
export const Values = z.record(z.string(), z.union([z.string(), z.number(), z.object({ text: z.string() })]))
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
export function plainOf(values: Values): Record<string, string | number> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (typeof value === 'object' ? [] : [[name, value]])))
}

/** The sentence with its values, for output that no window translates. */
export function english({ text, values = {} }: Phrase): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    const value = values[name] ?? whole
    return typeof value === 'object' ? english({ text: value.text, values: plainOf(values) }) : String(value)
  })
}
