import type { Rgb } from './resample.ts'

/** A picture of noise, as `noise` in models/resampling.py makes it. */
export function noise(width: number, height: number, seed: number): Rgb {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b9) + seed) | 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return (h ^ (h >>> 16)) >>> 24
  })
  return { rgb, width, height }
}
