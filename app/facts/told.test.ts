import { expect, test } from 'vitest'
import { factsOf } from './facts.ts'
import { findableFacts, toldFacts } from './told.ts'
import type { ClipMeasures, ThingTrack } from './input.ts'

const RED = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
const looked = [0, 1, 2, 3, 4].map((nth) => ({ ordinal: nth * 25, time: nth }))
/** A box of 40 × 40 pixels that moves `by` pixels to the right per second. */
const track = (label: string, x: number, by: number): ThingTrack => ({
  label,
  score: 0.9,
  colours: RED,
  boxes: looked.map(({ ordinal, time }) => ({
    ordinal,
    time,
    score: 0.9,
    box: { x1: x + by * time, y1: 100, x2: x + by * time + 40, y2: 140 },
  })),
})
const clip = (tracks: ThingTrack[]): ClipMeasures => ({
  span: { from: 0, to: 4 },
  frame: { width: 640, height: 240 },
  light: [],
  lines: [{ text: 'EXIT', ordinal: 0, from: 0, to: 4, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: 0.99 }],
  camera: { steps: [], stays: [{ from: 0, to: 4, rests: 1 }] },
  things: { tracks, looked, weak: {}, known: ['person', 'car'], asked: 0.5, volunteered: 0.8 },
})

test('each fact says in both languages what is there, which way it goes, and which frames show it', () => {
  const told = toldFacts(factsOf(clip([track('car', 20, 120), track('person', 300, 0), track('person', 500, 0)])))
  const [people] = told.filter(({ text }) => text.en.startsWith('Two people'))
  expect(people?.text).toEqual({ en: 'Two people at once: 0:00.0–0:04.0', de: 'Zwei Personen zugleich: 0:00.0–0:04.0' })
  const car = told.find(({ kind, text }) => kind === 'thing' && text.en.includes('car'))
  expect(car?.text.en).toMatch(/^The red car, .*, moves to the right: 0:00\.0–0:04\.0$/)
  expect(car?.text.de).toMatch(/^Das rote Auto, .*, bewegt sich nach rechts: /)
  expect(car?.ordinals).toEqual([50])
})

test('before a camera that moves nothing is said to stay in its place', () => {
  const measures = clip([track('person', 300, 0)])
  const pan = Array.from({ length: 8 }, (_, nth) => ({ from: nth / 2, to: (nth + 1) / 2, dx: -0.05, dy: 0, zoom: 0, trust: 1 }))
  const told = (camera: ClipMeasures['camera']) => toldFacts(factsOf({ ...measures, camera })).find(({ kind }) => kind === 'thing')?.text.en
  expect(told(measures.camera)).toContain('stays in place')
  expect(told({ steps: pan, stays: [{ from: 0, to: 4, rests: 0 }] })).not.toContain('stays in place')
})

test('text on the picture is told, and what nobody knows of the camera is not', () => {
  const unknown = { ...clip([]), camera: { steps: [], stays: [] } }
  expect(toldFacts(factsOf(unknown)).map(({ kind, text, ordinals }) => ({ kind, text, ordinals }))).toEqual([
    { kind: 'text', text: { en: 'Text “EXIT”: 0:00.0–0:04.0', de: 'Text „EXIT“: 0:00.0–0:04.0' }, ordinals: [0] },
  ])
})

test('a number is found where so many are sure at once, in words and in digits, and never by what is perhaps there or by tracks', () => {
  const wordsOf = (tracks: ThingTrack[]) =>
    findableFacts(factsOf(clip(tracks))).flatMap(({ words, fact }) => (fact.kind === 'name' ? words.split(' ') : []))
  const half = (one: ThingTrack, from: number, to: number) => ({ ...one, boxes: one.boxes.slice(from, to) })
  expect(wordsOf([track('person', 300, 0), track('person', 500, 0)])).toEqual(expect.arrayContaining(['two', 'people', 'zwei', '2']))
  const inTurn = wordsOf([half(track('person', 100, 0), 0, 2), half(track('person', 500, 0), 3, 5)])
  expect(inTurn).toContain('person')
  for (const word of ['two', 'zwei', '2', 'tracks', 'spuren', 'perhaps']) expect(inTurn).not.toContain(word)
})
