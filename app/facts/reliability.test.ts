import { describe, expect, it } from 'vitest'
import { answerFrom, SURE } from './answer.ts'
import { captionOf } from './caption.ts'
import { clip, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import { toldFacts } from './told.ts'

const confidenceOf = (answer: ReturnType<typeof answerFrom>) => (answer !== null && 'confidence' in answer ? answer.confidence : null)
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

  it('is never more than "perhaps" on a drawing, asked for or not, but for what a person drew', () => {
    const on = (score: number) => {
      const made = clip([{ ...thing({ label: 'person', score }), asked: true }])
      return made.things ? { ...made, things: { ...made.things, drawn: true } } : made
    }
    const told = (score: number) => toldFacts(factsOf(on(score)))[0]?.text.en ?? ''
    expect(told(0.95)).toMatch(/^Perhaps a person/)
    expect(captionOf(factsOf(on(0.95)), 10, 'en')?.text).toBe('The camera is still')
    expect(captionOf(factsOf(on(1)), 10, 'en')?.text).toMatch(/^A person/)
    for (const question of ['how many people are there?', 'is there a person?', 'when does the person appear?']) {
      expect(confidenceOf(answerFrom(clip([thing({ label: 'person', score: 0.95 })]), question))).toBeGreaterThanOrEqual(SURE)
      expect(confidenceOf(answerFrom(on(0.95), question))).toBeLessThan(SURE)
      expect(confidenceOf(answerFrom(on(1), question))).toBeGreaterThanOrEqual(SURE)
    }
  })

  it('is a fact where a label asks for it, or a person drew it', () => {
    expect(caption('horse', 0.9, { asked: true })).toBe('A horse; the camera is still')
    expect(caption('horse', 1)).toBe('A horse; the camera is still')
  })
})
