import { describe, expect, it } from 'vitest'
import { captionOf } from './caption.ts'
import { clip, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import { toldFacts } from './told.ts'

const caption = (label: string, score: number, more = {}) =>
  captionOf(factsOf(clip([{ ...thing({ label, score }), ...more }])), 10, 'en')?.text

describe('a name that nobody asked for', () => {
  it('is told in a caption where such names are mostly right, and only as "perhaps" where they are not', () => {
    expect(caption('car', 0.9)).toBe('A car; the camera is still')
    expect(caption('horse', 0.9)).toBe('The camera is still')
    expect(toldFacts(factsOf(clip([thing({ label: 'horse', score: 0.9 })])))[0]?.text).toEqual({
      en: 'Perhaps a horse: 0:00.0–0:10.0',
      de: 'Vielleicht ein Pferd: 0:00.0–0:10.0',
    })
  })

  it('is a fact where a label asks for it, or a person drew it', () => {
    expect(caption('horse', 0.9, { asked: true })).toBe('A horse; the camera is still')
    expect(caption('horse', 1)).toBe('A horse; the camera is still')
  })
})
