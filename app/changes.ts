/** Where a person would see a change between two pictures of a video. */
import type { RelativeBox } from './boxes.ts'

/** Every fourth pixel of every fourth row is compared; and the side of the squares that are compared as a whole, in such pixels. */
const STEP = 4
const SQUARE = 4
/**
 * Mean difference of a square, summed over the three channels (0..765), from which it counts as changed. Noise and compression stay below.
 */
const CHANGED = 27

/** The pixels of a picture that are compared: every `STEP`th of every `STEP`th row, RGB24. */
export interface Thinned {
  rgb: Uint8Array
  columns: number
}

/** @param rgb RGB24. @param width In pixels. */
export function thinned(rgb: Uint8Array, width: number): Thinned {
  const [columns, rows] = [Math.ceil(width / STEP), Math.ceil(rgb.length / 3 / width / STEP)]
  const out = new Uint8Array(columns * rows * 3)
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0, at = row * STEP * width * 3; column < columns; column++, at += STEP * 3) {
      out[to++] = rgb[at] ?? 0
      out[to++] = rgb[at + 1] ?? 0
      out[to++] = rgb[at + 2] ?? 0
    }
  }
  return { rgb: out, columns }
}

/** Where a person would see a change between two pictures of one size: squares, in shares of the picture. */
export function changesBetween({ rgb: a, columns }: Thinned, { rgb: b }: Thinned): RelativeBox[] {
  const rows = a.length / 3 / columns
  const changed: RelativeBox[] = []
  for (let top = 0; top < rows; top += SQUARE) {
    const bottom = Math.min(top + SQUARE, rows)
    for (let left = 0; left < columns; left += SQUARE) {
      const right = Math.min(left + SQUARE, columns)
      let sum = 0
      for (let y = top; y < bottom; y++)
        for (let at = 3 * (y * columns + left); at < 3 * (y * columns + right); at++) sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0))
      if (sum > CHANGED * (bottom - top) * (right - left))
        changed.push({
          cx: (left + right) / 2 / columns,
          cy: (top + bottom) / 2 / rows,
          w: (right - left) / columns,
          h: (bottom - top) / rows,
        })
    }
  }
  return changed
}
