/** The words of facts must not be among those that stand for things. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { classesOf } from '../words.ts'
import { lightText } from './wording.ts'

const { classes } = JSON.parse(readFileSync(new URL('../../models/packs/objects-80/pack.json', import.meta.url), 'utf8')) as {
  classes: readonly string[]
}

test('what is said of the light and of the kind of picture names nothing that could be in it', () => {
  expect(classes.length).toBe(80)
  for (const language of ['en', 'de'] as const)
    for (const kind of ['black', 'dark', 'bright', 'frozen', 'drawn'] as const)
      for (const word of lightText(kind, language).match(/\p{L}+/gu) ?? [])
        expect([word, classesOf(word, classes, language)]).toEqual([word, null])
})
