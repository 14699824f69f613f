/** Nothing is stated about seconds that could not be read, whatever was measured in the pictures that a decoder made up. */
import { describe, expect, it } from 'vitest'
import { answerFrom } from './answer.ts'
import { captionOf } from './caption.ts'
import { camera, clip, line, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import type { ClipMeasures } from './input.ts'
import { SURE } from './reliability.ts'
import { toldFacts } from './told.ts'

const caption = (measures: ClipMeasures) => captionOf(factsOf(measures), 10, 'en')?.text
const told = (measures: ClipMeasures) => toldFacts(factsOf(measures)).map(({ text }) => text.en)
const answer = (measures: ClipMeasures, question: string) => {
  const given = answerFrom(measures, question)
  return given === null ? null : 'cannot' in given ? given.cannot : { text: given.text, sure: given.confidence >= SURE }
}
const times = Array.from({ length: 41 }, (_, i) => i / 4)

describe('a clip of which nothing could be read', () => {
  const lost = clip([thing({ label: 'dog', to: 9.75 })], {
    unread: [{ from: 0, to: 10 }],
    lines: [line('STOP', 0, 10)],
    light: times.slice(0, -1).map((time) => ({ time, mean: 8, spread: 2, change: 0 })),
  })

  it('says that, and nothing of the camera, the light, things or text', () => {
    expect(told(lost)).toEqual(['Seconds 0–10 are unreadable'])
    expect(caption(lost)).toBe('Seconds 0–10 are unreadable')
    expect(captionOf(factsOf(lost), 10, 'de')?.text).toBe('Sekunden 0–10 sind unlesbar')
  })

  it.each(['Does the camera move?', 'Is there a dog?', 'How many dogs are there?', 'Is the picture frozen?', 'What does the text say?'])(
    'answers with that alone: %s',
    (question) => {
      expect(answer(lost, question) ?? 'Seconds 0–10 are unreadable.').toBe('Seconds 0–10 are unreadable.')
    },
  )
})

describe('a short clip of which a part could not be read', () => {
  const second = (from: number, to: number) => ({
    ...clip([thing({ label: 'dog', to: 0.25 })]),
    span: { from: 0, to: 1 },
    unread: [{ from, to }],
  })

  it('says which part to a tenth of a second: never seconds in which something was seen', () => {
    expect(told(second(0.32, 1))).toContain('Seconds 0.3–1 are unreadable')
    expect(told(second(0.32, 1))).toContain('A dog: 0:00.0–0:00.3')
    expect(caption(second(0.36, 1))).toMatch(/seconds 0.4–1 are unreadable$/)
    expect(captionOf(factsOf(second(0.36, 1)), 1, 'de')?.text).toMatch(/Sekunden 0,4–1 sind unlesbar$/)
  })

  it('names the tenth in which a single picture is lost', () => {
    expect(told(second(0.36, 0.4))).toContain('Seconds 0.3–0.4 are unreadable')
    expect(told(second(0.4, 0.44))).toContain('Seconds 0.4–0.5 are unreadable')
  })
})

describe('a clip of which a part could not be read', () => {
  const unread = [{ from: 4, to: 6 }]

  it('no thing is there meanwhile, and none is counted there', () => {
    const measures = clip([thing({ label: 'dog' }), thing({ label: 'dog', from: 4, to: 5.75, at: [100, 100] })], { unread })
    const name = factsOf(measures).find((fact) => fact.kind === 'name')
    expect(name).toMatchObject({
      most: 1,
      distinct: 1,
      there: [
        { from: 0, to: 3.75 },
        { from: 6, to: 10 },
      ],
    })
    expect(caption(measures)).toMatch(/^A dog; .*seconds 4–6 are unreadable$/)
  })

  it('the camera is told by what could be read', () => {
    const still = camera()
    const shaken = camera(3, 0)
    const mixed = {
      steps: [...still.steps.slice(0, 4), ...shaken.steps.slice(4, 6), ...still.steps.slice(6)],
      stays: [...still.stays.slice(0, 4), ...shaken.stays.slice(4, 6), ...still.stays.slice(6)],
    }
    expect(factsOf(clip([], { camera: mixed })).find(({ kind }) => kind === 'camera')).toMatchObject({ motion: { moves: null } })
    expect(factsOf(clip([], { camera: mixed, unread })).find(({ kind }) => kind === 'camera')).toMatchObject({
      motion: { moves: false },
      evidence: { numbers: { seconds: 8 } },
    })
  })

  it('a picture that a decoder repeats is not one that stands still, and no stretch of light goes over it', () => {
    const light = times.map((time) => ({ time, mean: 20, spread: 30, change: time > 4 && time < 6 ? 0 : 3 }))
    const repeated = light.map((sample) => (sample.time >= 3.75 && sample.time <= 6.25 ? { ...sample, change: 0 } : sample))
    expect(told(clip([], { light: repeated })).some((text) => text.includes('stands still'))).toBe(true)
    expect(told(clip([], { light: repeated, unread })).filter((text) => text.startsWith('The picture'))).toEqual([
      'The picture is dark: 0:00.0–0:03.8',
      'The picture is dark: 0:06.0–0:10.0',
    ])
  })

  it('text stands before and after it, and is read out once', () => {
    const measures = clip([], { unread, lines: [line('STOP', 1, 9)] })
    expect(told(measures).filter((text) => text.startsWith('Text'))).toEqual(['Text “STOP”: 0:01.0–0:04.0', 'Text “STOP”: 0:06.0–0:09.0'])
    expect(caption(measures)?.match(/STOP/g)).toHaveLength(1)
  })

  it('what was seen holds; that something was not, how many and when are not sure', () => {
    const measures = clip([thing({ label: 'dog', from: 0, to: 4 })], { unread })
    const lost = ' Seconds 4–6 are unreadable.'
    expect(answer(measures, 'Is there a dog?')).toEqual({ text: `Yes, a dog.${lost}`, sure: true })
    expect(answer(measures, 'Is there a cat?')).toEqual({ text: `No cats were seen.${lost}`, sure: false })
    for (const question of ['How many dogs are there?', 'When does the dog leave?', 'Does the camera move?'])
      expect(answer(measures, question)).toMatchObject({ text: expect.stringContaining(lost) as string, sure: false })
  })
})
