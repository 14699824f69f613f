/** The frames of a clip as SmolVLM2 sees them: which, and as what pictures. */
import type { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import { resample, type Rgb } from '../../app/resample.ts'

type FramesInput = SmolVlmManifest['input']

/** Longer side of a picture as it comes from the decoder, pixels: larger ones are made smaller by ffmpeg first, since two clips of them are in memory. */
const LONGEST_SIDE = 3840

/** How many frames a clip of so many seconds gives. */
export function frameCount({ rate, frames }: Pick<FramesInput, 'rate' | 'frames'>, seconds: number): number {
  return Math.max(1, Math.min(frames, Math.round(seconds * rate)))
}

/** The size at which the decoder gives its pictures: their own. */
export function wholeSize({ width, height }: { width: number; height: number }): { width: number; height: number } {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/**
 * A frame as the reference's processor prepares it: to a longer side of `side`, the other one even, and then to a square; each by Pillow's Lanczos, which
 * rounds to whole values. @returns [side, side, 3]
 */
export function squared(picture: Rgb, side: number): Uint8Array<ArrayBuffer> {
  const { width, height } = longerTo(side, picture)
  return new Uint8Array(resample(resample(picture, width, height, 'lanczos'), side, side, 'lanczos').rgb)
}

function longerTo(side: number, { width, height }: Rgb): { width: number; height: number } {
  const ratio = width / height
  const even = (other: number) => Math.max(1, Math.floor(other) + (Math.floor(other) % 2))
  return ratio >= 1 ? { width: side, height: even(side / ratio) } : { width: even(side * ratio), height: side }
}
