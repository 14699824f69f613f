/** The words of facts must not be among those that stand for things. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { classesOf } from '../words.ts'
import { cameraText, lightText } from './wording.ts'

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

test('a second movement of the camera is a German clause of its own', () => {
  const swing = { from: 0, to: 1, amount: 0.2 }
  const swings = [
    { ...swing, way: 'left' as const },
    { ...swing, way: 'nearer' as const, from: 2, to: 3 },
  ]
  const motion = { moves: true, swings, shakes: false, share: 1 }
  expect(cameraText(motion, 'en')).toBe('the camera pans to the left, then zooms in or moves closer')
  expect(cameraText(motion, 'de')).toBe('die Kamera schwenkt nach links, dann zoomt sie heran oder kommt näher')
})
