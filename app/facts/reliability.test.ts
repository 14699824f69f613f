import { describe, expect, it } from 'vitest'
import { answerFrom, SURE } from './answer.ts'
import { captionOf } from './caption.ts'
import { clip, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import { showsPart } from './reliability.ts'
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

  it('may be a cat where the detector is very sure, but no bear: other animals are called bears at any score', () => {
    expect(caption('cat', 0.92)).toMatch(/^A cat/)
    expect([caption('cat', 0.85), caption('bear', 0.97)]).toEqual(['The camera is still', 'The camera is still'])
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

describe('two people of whom parts are seen, asked for', () => {
  const hands = clip([
    { ...thing({ label: 'person', score: 0.95, at: [120, 60], size: [160, 120] }), asked: true, part: true },
    { ...thing({ label: 'person', score: 0.95, at: [500, 60], size: [160, 120] }), asked: true, part: true },
  ])
  it('are one person for sure: two hands may be one person’s', () => {
    expect(captionOf(factsOf(hands), 10, 'en')?.text).toMatch(/^(?:At least one|A) person/)
    expect(confidenceOf(answerFrom(hands, 'how many people are there?'))).toBeLessThan(SURE)
    expect(confidenceOf(answerFrom(hands, 'is there a person?'))).toBeGreaterThanOrEqual(SURE)
  })
})

describe('a person of whom a part is seen', () => {
  const frame = { width: 640, height: 360 }
  const part = (at: [number, number], size: [number, number], till = at) => showsPart(thing({ label: 'person', at, size, till }), frame)

  it.each([
    ['a hand from above', [300, 80], [200, 160]],
    ['an arm from the side', [560, 180], [160, 200]],
    ['a forearm across the picture', [200, 60], [400, 120]],
    ['two hands from below, wide', [320, 290], [420, 140]],
  ] as const)('%s is no sure person', (_, [x, y], [w, h]) => {
    expect(part([x, y], [w, h])).toBe(true)
  })

  it.each([
    ['head and shoulders before a camera', [320, 230], [260, 260]],
    ['somebody who stands there', [320, 180], [100, 260]],
    ['somebody who stands at the side', [600, 200], [80, 240]],
    ['somebody who fills the picture', [320, 180], [300, 360]],
    ['a child close to the camera', [330, 180], [550, 360]],
    ['somebody who lies there', [320, 250], [300, 100]],
  ] as const)('%s is a person', (_, [x, y], [w, h]) => {
    expect(part([x, y], [w, h])).toBe(false)
  })

  it('who walks into the picture is a person', () => {
    expect(part([10, 180], [110, 200], [400, 180])).toBe(false)
  })

  it('is "perhaps" a person where nobody asked for one, and nothing else is ever a part', () => {
    const hand = { ...thing({ label: 'person', at: [300, 80], size: [200, 160] }), part: true }
    expect(toldFacts(factsOf(clip([hand])))[0]?.text.en).toBe('Perhaps a person: 0:00.0–0:10.0')
    expect(captionOf(factsOf(clip([hand])), 10, 'en')?.text).toBe('The camera is still')
    expect(captionOf(factsOf(clip([{ ...hand, asked: true }])), 10, 'en')?.text).toMatch(/^A person/)
    expect(showsPart(thing({ label: 'car', at: [300, 80], size: [200, 160] }), frame)).toBe(false)
  })
})
