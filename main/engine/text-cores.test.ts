import { describe, expect, it } from 'vitest'
import { linesIn, textOf } from './text-cores.ts'

const FINDING = { side: 320, core: 0.3, sure: 0.6, grow: 1.6 }
const SIZE = { width: 320, height: 96 }

/** A map with rectangles [x, y, width, height] of one probability each. */
function lines(...cores: [x: number, y: number, width: number, height: number, probability?: number][]) {
  const map = new Float32Array(SIZE.width * SIZE.height).fill(0.01)
  for (const [left, top, width, height, probability = 0.95] of cores) {
    for (let y = top; y < top + height; y++) map.fill(probability, y * SIZE.width + left, y * SIZE.width + left + width)
  }
  return linesIn(map, SIZE.width, SIZE.height, FINDING).map(({ box }) => box)
}

describe('lines in a map', () => {
  it('hold whole letters: the core and as much around it as was taken away for training', () => {
    const [box] = lines([100, 40, 100, 10])
    // Grown by 100 x 10 x 1.6 / 220 above and below; a little more at the ends.
    expect(box?.y1).toBeCloseTo(40 - 7.27, 1)
    expect(box?.y2).toBeCloseTo(50 + 7.27, 1)
    expect(box?.x1).toBeGreaterThan(88)
    expect(box?.x1).toBeLessThan(92)
    expect(box?.x2).toBeGreaterThan(207.2)
  })

  it('end at the edge of the picture', () => {
    expect(lines([0, 0, 320, 12])[0]).toMatchObject({ x1: 0, y1: 0, x2: 320 })
  })

  it('are neither specks nor unsure', () => {
    expect(lines([100, 40, 4, 4], [200, 40, 60, 8, 0.5], [20, 80, 60, 2])).toEqual([])
  })

  it('are one where they were cut at a space, with a dash and a weak end', () => {
    expect(lines([20, 40, 60, 10], [108, 40, 60, 10])).toHaveLength(1)
    expect(lines([20, 40, 60, 10], [100, 42, 12, 5], [134, 40, 60, 10, 0.4])).toHaveLength(1)
  })

  it('are two in two columns, on two rows, and in two sizes', () => {
    expect(lines([20, 40, 60, 10], [160, 40, 60, 10])).toHaveLength(2)
    expect(lines([20, 20, 60, 10], [20, 50, 60, 10])).toHaveLength(2)
    expect(lines([20, 20, 60, 40], [120, 40, 60, 6])).toHaveLength(2)
  })
})

describe('steps of the reader', () => {
  const read = (classes: number[], certainty: number[] = classes.map(() => 0.9)) =>
    textOf(Int32Array.from(classes), Float32Array.from(certainty), ['a', 'ß', ' '])

  it('become text: repeats and blanks fall out, a letter after a blank counts again', () => {
    expect(read([0, 1, 1, 0, 1, 2, 2, 0]).text).toBe('aaß')
  })

  it('lose spaces at the ends and spaces after spaces', () => {
    expect(read([3, 1, 3, 0, 3, 2, 3]).text).toBe('a ß')
  })

  it('are as sure as the steps that were kept', () => {
    expect(read([0, 1, 1, 0, 2], [0.1, 0.8, 0.2, 0.1, 0.6]).confidence).toBeCloseTo(0.7)
    expect(read([0, 0])).toEqual({ text: '', confidence: 0 })
  })
})
