/** How light the picture is, and whether it changes at all, from the same small grey pictures as the camera. */
import type { GreyPicture } from './camera.ts'

export interface LightSample {
  /** Seconds of the video. */
  time: number
  /** Mean grey level and deviation from it, 0..255. */
  mean: number
  spread: number
  /** Mean difference of grey levels from the picture before, 0..255; null of the first. */
  change: number | null
}

/** @param before The picture before this one, of the same size. */
export function lightSample({ grey }: GreyPicture, time: number, before: GreyPicture | null): LightSample {
  const count = Math.max(1, grey.length)
  let [sum, squares, change] = [0, 0, 0]
  for (let i = 0; i < grey.length; i++) {
    const value = grey[i] ?? 0
    sum += value
    squares += value * value
    change += Math.abs(value - (before?.grey[i] ?? value))
  }
  const mean = sum / count
  return { time, mean, spread: Math.sqrt(Math.max(0, squares / count - mean * mean)), change: before ? change / count : null }
}

/** Grey levels: below the first and as flat as the second a picture is black; up to the third it is dark, from the fourth on bright. */
const BLACK = { mean: 20, spread: 6 }
const DARK = 40
const BRIGHT = 150
/** Mean change of grey levels of a picture that stands: coded noise of one still picture. */
const FROZEN = 0.25
/** In seconds: a shorter stand is no frozen picture. */
const STANDS = 2

export type LightKind = 'black' | 'dark' | 'bright' | 'frozen'

/** A stretch of the clip in seconds of the video. */
export interface LightStretch {
  kind: LightKind
  from: number
  to: number
}

/** The stretches of the clip that are black, dark or bright, and those of at least two seconds in which nothing changes at all. */
export function lightStretches(samples: readonly LightSample[]): LightStretch[] {
  const black = ({ mean, spread }: LightSample) => mean < BLACK.mean && spread < BLACK.spread
  return [
    ...stretches(samples, 'black', black),
    ...stretches(samples, 'dark', (sample) => sample.mean < DARK && !black(sample)),
    ...stretches(samples, 'bright', ({ mean }) => mean >= BRIGHT),
    // The change of a sample is that since the one before, where the stretch begins.
    ...stretches(samples, 'frozen', (sample) => sample.change !== null && sample.change < FROZEN && !black(sample), true).filter(
      ({ from, to }) => to - from >= STANDS,
    ),
  ]
}

function stretches(
  samples: readonly LightSample[],
  kind: LightKind,
  is: (sample: LightSample) => boolean,
  sinceBefore = false,
): LightStretch[] {
  const found: LightStretch[] = []
  samples.forEach((sample, i) => {
    if (!is(sample)) return
    const last = found.at(-1)
    const before = samples[i - 1]
    if (last && before && last.to === before.time) last.to = sample.time
    else found.push({ kind, from: sinceBefore && before ? before.time : sample.time, to: sample.time })
  })
  return found
}
