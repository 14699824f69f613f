import { describe, expect, it } from 'vitest'
import { boxArea, clipBox, GRIPS, iou, movedBox, pixelBox, spannedBox, suppress } from './boxes.ts'

const square = (x: number, y: number, side: number) => ({ x1: x, y1: y, x2: x + side, y2: y + side })

describe('iou', () => {
  it('is 1 for the same box, 0 for boxes that only touch, and 1/7 for a quarter shared', () => {
    expect(iou(square(3, 4, 10), square(3, 4, 10))).toBe(1)
    expect(iou(square(0, 0, 10), square(10, 0, 10))).toBe(0)
    expect(iou(square(0, 0, 10), square(5, 5, 10))).toBeCloseTo(25 / 175)
  })
  it('does not depend on the order, and is 0 without area', () => {
    expect(iou(square(0, 0, 7), square(2, 3, 9))).toBe(iou(square(2, 3, 9), square(0, 0, 7)))
    expect(iou(square(5, 5, 0), square(5, 5, 0))).toBe(0)
    expect(boxArea({ x1: 5, y1: 5, x2: 3, y2: 3 })).toBe(0)
  })
})

it('becomes pixels of the frame and stays inside it', () => {
  expect(pixelBox({ cx: 0.5, cy: 0.25, w: 0.2, h: 0.1 }, { width: 1920, height: 1080 })).toEqual({ x1: 768, y1: 216, x2: 1152, y2: 324 })
  expect(pixelBox({ cx: 0, cy: 1, w: 0.5, h: 0.5 }, { width: 100, height: 200 })).toEqual({ x1: 0, y1: 150, x2: 25, y2: 200 })
  expect(boxArea(clipBox(square(-50, -50, 20), { width: 100, height: 100 }))).toBe(0)
})

it('keeps the best of overlapping boxes and all that stand apart', () => {
  const found = [
    { box: square(0, 0, 10), score: 0.5 },
    { box: square(1, 0, 10), score: 0.9 },
    { box: square(50, 50, 10), score: 0.3 },
  ]
  expect(suppress(found, 0.5).map(({ score }) => score)).toEqual([0.9, 0.3])
  expect(suppress(found, 1).length).toBe(3)
})

describe('movedBox', () => {
  const frame = { width: 200, height: 100 }
  const box = { x1: 50, y1: 20, x2: 90, y2: 40 }

  it('moves whole, and stops at the edges of the frame', () => {
    expect(movedBox(box, 'move', 10, -5, frame)).toEqual({ x1: 60, y1: 15, x2: 100, y2: 35 })
    expect(movedBox(box, 'move', 500, -500, frame)).toEqual({ x1: 160, y1: 0, x2: 200, y2: 20 })
  })

  it('moves the sides of its grip only', () => {
    expect(movedBox(box, 'e', 10, 10, frame)).toEqual({ ...box, x2: 100 })
    expect(movedBox(box, 'n', 10, -10, frame)).toEqual({ ...box, y1: 10 })
    expect(movedBox(box, 'sw', -10, 10, frame)).toEqual({ x1: 40, y1: 20, x2: 90, y2: 50 })
  })

  it('keeps the sides’ ratio by a corner, wherever that leads', () => {
    for (const grip of ['ne', 'se', 'sw', 'nw'] as const) {
      for (const [dx, dy] of [
        [13, 4],
        [-300, 2],
        [500, 500],
        [-7, -90],
        [0, 0],
      ] as const) {
        const { x1, y1, x2, y2 } = movedBox(box, grip, dx, dy, frame, true)
        expect((x2 - x1) / (y2 - y1)).toBeCloseTo(2)
        expect(clipBox({ x1, y1, x2, y2 }, frame)).toEqual({ x1, y1, x2, y2 })
      }
    }
  })

  it('always has a size and lies in the frame', () => {
    for (const grip of GRIPS) {
      for (const [dx, dy] of [
        [999, 999],
        [-999, -999],
        [999, -999],
        [39, 19],
      ] as const) {
        const moved = movedBox(box, grip, dx, dy, frame)
        expect(boxArea(moved)).toBeGreaterThan(0)
        expect(clipBox(moved, frame)).toEqual(moved)
      }
    }
  })

  it('spans two points in any order', () => {
    expect(spannedBox({ x: 90, y: 20 }, { x: 50, y: 140 }, frame)).toEqual({ x1: 50, y1: 20, x2: 90, y2: 100 })
  })
})
