import { expect, test } from 'vitest'
import { areaSeen, brightest, glanceAt, glancesOf, secondOpinion } from './gaze.ts'

const frame = (ordinal: number) => ({ ordinal, pts: ordinal * 10 })

test('a frame glows where it has more than its even share', () => {
  const [first, second] = glancesOf({ frames: [frame(0), frame(5)], rows: 2, columns: 2 }, [10, 10, 10, 50, 20, 20, 20, 20])
  // In the first frame: half the even share three times, and two and a half times the even share.
  expect(first).toEqual({ ordinal: 0, pts: 0, weight: 0.5, glow: [0, 0, 0, 1], strongest: 2.5 })
  expect(second).toEqual({ ordinal: 5, pts: 50, weight: 0.5, glow: [0, 0, 0, 0], strongest: 1 })
})

test('a frame that the model saw twice is one frame', () => {
  const glances = glancesOf({ frames: [frame(3), frame(3), frame(4)], rows: 1, columns: 2 }, [30, 0, 0, 30, 10, 30])
  expect(glances.map(({ ordinal, weight, glow }) => ({ ordinal, weight, glow }))).toEqual([
    { ordinal: 3, weight: 0.6, glow: [0, 0] },
    { ordinal: 4, weight: 0.4, glow: [0, 1] },
  ])
})

test('nothing looked at is nothing shown', () => {
  const glances = glancesOf({ frames: [frame(0)], rows: 1, columns: 2 }, [0, 0])
  expect(glances).toEqual([{ ordinal: 0, pts: 0, weight: 0, glow: [0, 0], strongest: 0 }])
  expect(glanceAt([], 5)).toBeNull()
})

test('between two frames the nearer one counts', () => {
  const glances = glancesOf({ frames: [frame(0), frame(10)], rows: 1, columns: 1 }, [1, 1])
  expect([0, 49, 51, 500].map((pts) => glanceAt(glances, pts)?.ordinal)).toEqual([0, 0, 10, 10])
})

test('the brightest part of the picture is named', () => {
  const at = (cell: number, rows: number, columns: number) =>
    brightest({ glow: Array.from({ length: rows * columns }, (_, i) => Number(i === cell)) }, { rows, columns })
  expect([0, 4, 8].map((cell) => at(cell, 3, 3))).toEqual(['upper left', 'middle centre', 'lower right'])
  expect(at(15, 4, 4)).toBe('lower right')
  expect(at(0, 1, 1)).toBe('middle centre')
  expect(brightest({ glow: [0, 0] }, { rows: 1, columns: 2 })).toBeNull()
})

test('the second opinion is the match line of search', () => {
  const search = { scale: 10, bias: -3, threshold: 0.5 }
  expect(secondOpinion(0.3, search)).toEqual({ probability: 0.5, agrees: true })
  expect(secondOpinion(0.2, search)?.agrees).toBe(false)
  expect(secondOpinion(0.2, { scale: 100, background: ['a photo'], threshold: 0.5 })).toBeNull()
})

test('a pack that crops sees the middle of a wide or a tall picture', () => {
  const square = { width: 224, height: 224, fit: 'crop' } as const
  expect(areaSeen({ width: 400, height: 200 }, square)).toEqual({ x: 0.25, y: 0, width: 0.5, height: 1 })
  expect(areaSeen({ width: 100, height: 400 }, square)).toEqual({ x: 0, y: 0.375, width: 1, height: 0.25 })
  expect(areaSeen({ width: 400, height: 200 }, { ...square, fit: 'stretch' })).toEqual({ x: 0, y: 0, width: 1, height: 1 })
})
