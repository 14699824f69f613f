import { describe, expect, it } from 'vitest'
import { candidatesOf, type Detection } from './detections.ts'

const FRAMES = [0, 10, 20].map((ordinal) => ({ ordinal, pts: ordinal * 512 }))
const SIZE = { width: 1000, height: 500 }
const WHOLE = { x: 0, y: 0, width: 1, height: 1 }
const detection = (query: number, frame: number, cx: number, score: number): Detection => ({
  query,
  frame,
  cx,
  cy: 0.5,
  w: 0.1,
  h: 0.2,
  score,
})
const said = (found: Record<string, Detection[]>) =>
  candidatesOf(new Map(Object.entries(found)), FRAMES, SIZE, WHOLE).map(({ body, score }) => [
    body.label,
    body.boxes.length,
    Number(score.toFixed(3)),
  ])

describe('candidatesOf', () => {
  it('gives a box to the label that fits it best, the first of equals', () => {
    expect(
      said({ car: [detection(1, 0, 0.2, 0.4), detection(2, 0, 0.7, 0.5)], lorry: [detection(1, 0, 0.2, 0.6), detection(2, 0, 0.7, 0.5)] }),
    ).toEqual([
      ['car', 1, 0.5],
      ['lorry', 1, 0.6],
    ])
  })

  it('takes boxes of two labels that overlap on a frame for one object', () => {
    expect(said({ car: [detection(1, 0, 0.2, 0.4)], dog: [detection(2, 0, 0.21, 0.7)] })).toEqual([['dog', 1, 0.7]])
  })

  it('scores a track by all of its boxes, and keeps those that are unsure', () => {
    expect(
      said({ car: [detection(1, 0, 0.2, 0.5), detection(2, 1, 0.21, 0.5), detection(3, 2, 0.22, 0.5)], dog: [detection(4, 1, 0.8, 0.06)] }),
    ).toEqual([
      ['car', 3, 0.875],
      ['dog', 1, 0.06],
    ])
  })

  it('places boxes in pixels on the frames that the model saw', () => {
    const [only] = candidatesOf(new Map([['car', [detection(1, 1, 0.25, 0.5)]]]), FRAMES, SIZE, WHOLE)
    expect(only?.body.boxes).toEqual([{ ordinal: 10, pts: 5120, box: { x1: 200, y1: 200, x2: 300, y2: 300 }, score: 0.5 }])
    const [middle] = candidatesOf(new Map([['car', [detection(1, 1, 0.25, 0.5)]]]), FRAMES, SIZE, { x: 0.25, y: 0, width: 0.5, height: 1 })
    expect(middle?.body.boxes[0]?.box).toEqual({ x1: 350, y1: 200, x2: 400, y2: 300 })
  })
})
