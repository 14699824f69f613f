/** Tiles are found where a comparison point by point finds them, and the kernel is that of tiles.wat. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { assembled } from '../wat.testing.ts'
import { type GreyPicture, KERNEL, TILE, tilesAgain } from './tiles.ts'

/** A soft texture without repeats, shifted. */
function scene(width: number, height: number, dx: number, dy: number): GreyPicture {
  const level = (x: number, y: number) =>
    128 + 40 * Math.sin(x / 2.3 + Math.sin(y / 3.1)) + 40 * Math.sin(y / 2.7 + x / 9) + 20 * Math.sin(x * y * 0.013)
  return {
    grey: Uint8Array.from({ length: width * height }, (_, at) => level((at % width) - dx, Math.floor(at / width) - dy)),
    width,
    height,
  }
}

function differs(a: GreyPicture, b: GreyPicture, x: number, y: number, u: number, v: number): number {
  const [left, top] = [x + u, y + v]
  if (left < 0 || top < 0 || left + TILE > b.width || top + TILE > b.height) return Infinity
  const one = (i: number, picture: GreyPicture, px: number, py: number) =>
    picture.grey[(py + Math.floor(i / TILE)) * picture.width + px + (i % TILE)] ?? NaN
  return (
    Array.from({ length: TILE ** 2 }, (_, i) => Math.abs(one(i, a, x, y) - one(i, b, left, top))).reduce((sum, it) => sum + it) / TILE ** 2
  )
}

/** The whole shift within reach of no shift or of the guess at which a tile differs least. */
function best(a: GreyPicture, b: GreyPicture, x: number, y: number, guess: readonly [number, number]): [number, number] {
  let [least, at]: [number, [number, number]] = [Infinity, [0, 0]]
  for (const [gu, gv] of [[0, 0] as const, guess])
    for (let v = gv - 5; v <= gv + 5; v++)
      for (let u = gu - 5; u <= gu + 5; u++) {
        const value = differs(a, b, x, y, u, v)
        if (value < least) [least, at] = [value, [u, v]]
      }
  return at
}

describe('tiles', () => {
  it('runs what tiles.wat says', () => {
    const source = readFileSync(path.join(import.meta.dirname, 'tiles.wat'), 'utf8')
    expect(assembled(source)).toEqual([...KERNEL])
    expect(assembled(source.replace('i8x16.sub_sat_u', 'i8x16.sub'))).not.toEqual([...KERNEL])
  })

  it.each([
    [80, 45, [3, -2], [0, 0]],
    [45, 80, [-4, 4], [0, 0]],
    [80, 60, [13, 6], [12, 6]],
    [21, 17, [2, 1], [0, 0]],
  ] as const)('are found in pictures of %i x %i points, up to their edges', (width, height, [dx, dy], guess) => {
    const [a, b] = [scene(width, height, 0, 0), scene(width, height, dx, dy)]
    const tiles = [0, 3, 8, width - TILE].flatMap((x) => [0, 5, height - TILE].map((y) => ({ x, y, lost: 14 })))
    const again = tilesAgain(a, b, tiles, guess)
    expect(again.length).toBeGreaterThan(0)
    for (const { x, y, u, v } of again) {
      const [bestU, bestV] = best(a, b, x, y, guess)
      expect([Math.abs(u - bestU) <= 0.5, Math.abs(v - bestV) <= 0.5], `${x} ${y}`).toEqual([true, true])
    }
    const inside = again.filter(({ x, y }) => x + dx >= 2 && y + dy >= 2 && x + dx + TILE + 2 <= width && y + dy + TILE + 2 <= height)
    expect(inside.filter(({ u, v }) => Math.abs(u - dx) > 0.5 || Math.abs(v - dy) > 0.5)).toEqual([])
  })

  it('are lost where nothing looks like them, and uncertain on a plain ground', () => {
    const [textured, plain] = [scene(40, 40, 0, 0), { grey: new Uint8Array(1600).fill(90), width: 40, height: 40 }]
    const tiles = [{ x: 16, y: 16, lost: 14 }]
    expect(tilesAgain(textured, plain, tiles, [0, 0])).toEqual([])
    expect(tilesAgain(plain, plain, tiles, [0, 0])).toEqual([])
    expect(tilesAgain(textured, textured, tiles, [0, 0])).toHaveLength(1)
  })
})
