/** Resizes parts of decoded pictures. */
import type { Picture } from './protocol.ts'

/** A part of a picture, in its pixels; its edges need not be whole numbers. */
export interface Part {
  x: number
  y: number
  width: number
  height: number
}

/** For each output pixel along one side: the first of the two pixels that it lies between, and the weight of the second in 256ths. */
interface Between {
  first: Int32Array
  weight: Int32Array
}

/**
 * A part resized bilinearly between the four nearest pixels, as the networks were trained (OpenCV's INTER_LINEAR, which does not average when it
 * shrinks); beyond the picture's edge its last pixels are repeated. @returns [height, width, 3]
 */
export function resized({ rgb, ...size }: Picture, part: Part, width: number, height: number): Uint8Array {
  const across = between(part.x, part.width, width, size.width)
  const down = between(part.y, part.height, height, size.height)
  const right = size.width > 1 ? 3 : 0
  const below = size.height > 1 ? size.width * 3 : 0
  const out = new Uint8Array(width * height * 3)
  let to = 0
  for (let y = 0; y < height; y++) {
    const row = (down.first[y] ?? 0) * size.width * 3
    const lower = down.weight[y] ?? 0
    for (let x = 0; x < width; x++) {
      const farther = across.weight[x] ?? 0
      const d = farther * lower
      const b = (farther << 8) - d
      const c = (lower << 8) - d
      const a = 65_536 - b - c - d
      let at = row + (across.first[x] ?? 0) * 3
      for (let channel = 0; channel < 3; channel++, at++) {
        out[to++] =
          (a * (rgb[at] ?? 0) + b * (rgb[at + right] ?? 0) + c * (rgb[at + below] ?? 0) + d * (rgb[at + right + below] ?? 0) + 32_768) >> 16
      }
    }
  }
  return out
}

function between(start: number, length: number, to: number, size: number): Between {
  const first = new Int32Array(to)
  const weight = new Int32Array(to)
  for (let i = 0; i < to; i++) {
    const place = Math.min(Math.max(start + ((i + 0.5) * length) / to - 0.5, 0), size - 1)
    const before = Math.max(Math.min(Math.floor(place), size - 2), 0)
    first[i] = before
    weight[i] = Math.round((place - before) * 256)
  }
  return { first, weight }
}
