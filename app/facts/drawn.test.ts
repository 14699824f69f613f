/** Boxes that a person drew: exact in time, however short, and no more than they show. */
import { describe, expect, it } from 'vitest'
import { answerFrom } from './answer.ts'
import { captionOf } from './caption.ts'
import { camera, clip, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import type { ClipMeasures, ThingTrack } from './input.ts'
import { toldFacts } from './told.ts'

const FPS = 24
/** The same box on these frames; a person who draws one gets it on the frame drawn and on the clip's last one. */
const drawn = (label: string, frames: readonly number[], x = 320): ThingTrack => ({
  label,
  score: 1,
  boxes: frames.map((ordinal) => ({
    ordinal,
    time: ordinal / FPS,
    score: null,
    box: { x1: x - 40, y1: 150, x2: x + 40, y2: 210 },
  })),
})
const answer = (measures: ClipMeasures, question: string) => answerFrom(measures, question)
const text = (measures: ClipMeasures, question: string) => {
  const given = answer(measures, question)
  return given === null ? null : 'cannot' in given ? given.cannot : given.text
}
const seenAt = (measures: ClipMeasures) =>
  captionOf(factsOf(measures), 10, 'en')?.told.flatMap(({ evidence }) => evidence.frames.map(({ ordinal }) => ordinal))

describe('a box that is drawn between two looks, or after the last one', () => {
  it.each([
    [[53, 54], '2.2 s', '2,2 s'],
    [[85], '3.5 s', '3,5 s'],
    [[238, 239], '9.9 s', '9,9 s'],
    [[242], '10.1 s', '10,1 s'],
  ])('on frames %j is counted, dated and shown there', (frames, en, de) => {
    const last = { ...clip([drawn('dog', frames)]), span: { from: 0, to: 10.2 } }
    expect(seenAt(last)).toEqual([frames[0]])
    expect(answer(last, 'How many dogs are there?')).toMatchObject({
      text: `One dog at most at once, first at ${en}.`,
      confidence: 1,
      evidence: { frames: [{ ordinal: frames[0] }] },
    })
    expect(text(last, 'Wie viele Hunde gibt es?')).toBe(`Höchstens ein Hund gleichzeitig, zuerst bei ${de}.`)
    expect(text(last, 'When does the dog appear?')).toBe(`At ${en}.`)
    expect(text(last, 'Is there a dog?')).toBe(`Yes, a dog, first seen at ${en}.`)
    expect(answer(last, `Is there a dog at ${en}?`)).toMatchObject({ value: true })
    expect(answer(last, `How many dogs are there at ${en}?`)).toMatchObject({ value: 1 })
  })

  it('counts beside what the detector sees, which still must hold on two looks', () => {
    const dogs = clip([
      drawn('dog', [85]),
      thing({ label: 'dog', at: [100, 100] }),
      thing({ label: 'dog', from: 3.5, to: 3.5, at: [500, 100] }),
    ])
    expect(answer(dogs, 'How many dogs are there?')).toMatchObject({ value: 2, text: 'Two dogs at most at once, first at 3.5 s.' })
    expect(factsOf(dogs)[0]).toMatchObject({ kind: 'name', most: 2, mostAt: { ordinal: 85 } })
  })

  it('does not end what the detector sees to the end', () => {
    const both = { ...clip([drawn('dog', [243]), thing({ label: 'car' })]), span: { from: 0, to: 10.17 } }
    expect(answer(both, 'Is there a car at the end?')).toMatchObject({ value: true })
    expect(answer(both, 'Is there a dog at the end?')).toMatchObject({ value: true })
    expect(text(both, 'When does the dog leave?')).toBe('It is there to the end of the clip.')
  })

  it('is dated without a detector too', () => {
    const alone = drawn('dog', [48, 96])
    const measures = clip([alone])
    const looked = alone.boxes.map(({ ordinal, time }) => ({ ordinal, time }))
    const blind: ClipMeasures = { ...measures, things: measures.things && { ...measures.things, looked } }
    expect(text(blind, 'When does the dog appear?')).toBe('At 2.0 s.')
    expect(text(blind, 'When does the dog leave?')).toBe('At 4.0 s.')
    expect(text(blind, 'How many dogs are there?')).toBe('One dog at most at once, first at 2.0 s.')
  })

  it('lasts less than a tenth of a second where it is on one frame', () => {
    expect(text(clip([drawn('dog', [85])]), 'How long is the dog visible?')).toBe('Less than 0.1 s.')
  })
})

it('a detector’s track that was seen on one look is shown where it was seen, and stays unsure', () => {
  const flicker = clip([thing({ label: 'dog', from: 5, to: 5 })])
  expect(answer(flicker, 'How many dogs are there?')).toMatchObject({ value: 1, confidence: 0.5, evidence: { frames: [{ time: 5 }] } })
  expect(seenAt(flicker)).toEqual([120])
})

describe('motion of what a person drew', () => {
  const told = (track: ThingTrack, moving = camera()) =>
    toldFacts(factsOf(clip([track], { camera: moving }))).find(({ kind }) => kind === 'thing')?.text.en
  const second = drawn('dog', [96], 100)
  it('is not told from one box that was carried on, nor from less than a second', () => {
    for (const track of [
      drawn('dog', [0, 239]),
      drawn('dog', [48]),
      { ...second, boxes: [...drawn('dog', [85]).boxes, ...second.boxes] },
    ]) {
      expect(told(track)).not.toMatch(/stays|moves/)
      expect(told(track, camera(-0.5))).not.toMatch(/stays|moves/)
      expect(captionOf(factsOf(clip([track])), 10, 'en')?.text).not.toMatch(/dog (stays|moves)/)
      expect(answer(clip([track]), 'Does the dog move?')).toMatchObject({ cannot: 'Too few boxes were drawn to tell a motion.' })
    }
  })
  it('is told from two places, and from boxes that were placed again and again', () => {
    expect(told({ ...second, boxes: [...drawn('dog', [0]).boxes, ...second.boxes] })).toContain('moves to the left')
    expect(told(drawn('dog', [0, 60, 120, 180, 239]))).toContain('stays in place')
  })
})

it('says that the colour in a drawn box was not measured', () => {
  const measures = clip([drawn('dog', [0, 239])])
  for (const question of ['What colour is the dog?', 'Is the dog black?', 'Is there a black dog?'])
    expect(text(measures, question)).toBe('The colour in a drawn box was not measured.')
  expect(text(measures, 'Welche Farbe hat der Hund?')).toBe('Die Farbe in einem gezeichneten Rahmen wurde nicht gemessen.')
})

describe('when something is there first', () => {
  const person = thing({ label: 'person', from: 5, to: 10 })
  /** The track's first box was carried back to `time`, as the tracker does. */
  const since = (time: number) => ({
    ...person,
    boxes: [...person.boxes.slice(0, 1).map((box) => ({ ...box, ordinal: Math.round(time * FPS), time })), ...person.boxes],
  })
  const from = (start: number, track: ThingTrack) => {
    const measures = clip([track])
    const looked = measures.things?.looked.filter(({ time }) => time >= start) ?? []
    return { ...measures, span: { from: start, to: 10 }, things: measures.things && { ...measures.things, looked } }
  }
  it('is the beginning where it was there before the clip, or no look lies between', () => {
    const start = from(4.8, since(4.8))
    expect(text(start, 'How many people are there?')).toBe('One person at most at once, from the beginning of the clip.')
    expect(text(start, 'Wie viele Personen sind zu sehen?')).toBe('Höchstens eine Person gleichzeitig, von Anfang des Clips an.')
    expect(text(start, 'When does the person appear?')).toBe('It is there from the start of the clip.')
    // That of the video only where the clip begins with it: an answer is also read beside those of other clips.
    expect(text(from(0, since(0)), 'How many people are there?')).toBe('One person at most at once, from the beginning.')
    expect(text(start, 'Is there a person?')).toBe('Yes, a person.')
    expect(text(start, 'What appears first?')).toBe('A person, from the beginning of the clip.')
    expect(text(from(4.8, since(4.9)), 'How many people are there?')).toBe('One person at most at once, from the beginning of the clip.')
  })
  it('is the start of its own track elsewhere, the same for every question', () => {
    const late = from(2, since(4.875))
    expect(text(late, 'How many people are there?')).toBe('One person at most at once, first at 4.9 s.')
    expect(text(late, 'When does the person appear?')).toBe('At 4.9 s.')
    expect(text(late, 'Is there a person?')).toBe('Yes, a person, first seen at 4.9 s.')
    expect(text(late, 'What appears first?')).toBe('A person, at 4.9 s.')
    // A weak beginning belongs to the track as well: the files have it.
    const weak = since(4.875)
    const boxes = weak.boxes.map((box) => ({ ...box, score: box.time < 5.5 ? 0.2 : 0.9 }))
    expect(text(from(2, { ...weak, boxes }), 'How many people are there?')).toBe('One person at most at once, first at 4.9 s.')
  })
})
