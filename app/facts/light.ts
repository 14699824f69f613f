/** How light the picture is, whether it changes, and whether a camera recorded it, from the same small grey pictures as the camera. */
import type { GreyPicture } from './camera.ts'

export interface LightSample {
  /** Seconds of the video. */
  time: number
  /** Mean grey level and deviation from it, 0..255. */
  mean: number
  spread: number
  /** Mean difference of grey levels from the previous picture, 0..255; null for the first. */
  change: number | null
  /**
   * Share of the picture, without its black parts, where almost nothing changes from one point to its neighbours; missing in older
   * libraries.
   */
  flat?: number
}

/** @param before The previous picture, of the same size. */
export function lightSample({ grey, width, height }: GreyPicture, time: number, before: GreyPicture | null): LightSample {
  const count = Math.max(1, grey.length)
  let [sum, squares, change] = [0, 0, 0]
  for (let i = 0; i < grey.length; i++) {
    const value = grey[i] ?? 0
    sum += value
    squares += value * value
    change += Math.abs(value - (before?.grey[i] ?? value))
  }
  const mean = sum / count
  return {
    time,
    mean,
    spread: Math.sqrt(Math.max(0, squares / count - mean * mean)),
    change: before ? change / count : null,
    flat: flatShare(grey, width, height),
  }
}

/** A point is flat if it and its eight neighbours differ by no more grey levels than this. */
const LEVEL = 1
/** Darker points do not count: a camera records no noise in black either, and bars are black. */
const SHADOW = 24
/** A picture with less than this share of brighter points gives no result. */
const PARTLY = 0.25

function flatShare(grey: Uint8Array, width: number, height: number): number {
  let [flat, all] = [0, 0]
  // Minimum and maximum of every point and its two neighbours in the row; then of three such values one above the other.
  const [low, high] = [new Uint8Array(grey.length), new Uint8Array(grey.length)]
  for (let at = 1; at < grey.length - 1; at++) {
    const left = grey[at - 1] ?? 0
    const here = grey[at] ?? 0
    const right = grey[at + 1] ?? 0
    low[at] = Math.min(left, here, right)
    high[at] = Math.max(left, here, right)
  }
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      if ((grey[at] ?? 0) < SHADOW) continue
      all += 1
      const least = Math.min(low[at - width] ?? 0, low[at] ?? 0, low[at + width] ?? 0)
      const most = Math.max(high[at - width] ?? 0, high[at] ?? 0, high[at + width] ?? 0)
      if (most - least <= LEVEL) flat += 1
    }
  }
  return all < PARTLY * grey.length ? 0 : flat / all
}

/** Grey levels: a picture below this mean and spread is black; up to `DARK` it is dark, from `BRIGHT` on bright. */
const BLACK = { mean: 20, spread: 6 }
const DARK = 40
const BRIGHT = 150
/** Grey levels by which a dark or bright stretch may be crossed without an end: light that swings about a limit is one stretch. */
const SWING = 8
/** Mean change of grey levels below which a picture stands still: the coding noise of one still picture. */
const FROZEN = 0.25
/** In seconds: a shorter stretch is not a frozen picture. */
const STANDS = 2
/**
 * From this share of flat points on a picture counts as drawn. Nearly all drawings on a plain ground have more; of the real videos of
 * development and of 600 photographs none has (models/RESULTS.md). Drawings on a painted or real ground, and 3D animation, have less and
 * are not recognised.
 */
const FLAT = 0.58

export type LightKind = 'black' | 'dark' | 'bright' | 'frozen' | 'drawn'

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
    ...stretches(samples, 'dark', (sample) => sample.mean < DARK && !black(sample), {
      bridged: (sample) => sample.mean < DARK + SWING && !black(sample),
    }),
    ...stretches(samples, 'bright', ({ mean }) => mean >= BRIGHT, { bridged: ({ mean }) => mean >= BRIGHT - SWING }),
    ...stretches(samples, 'drawn', isFlat),
    // The change of a sample is measured from the one before, where the stretch begins.
    ...stretches(samples, 'frozen', (sample) => sample.change !== null && sample.change < FROZEN && !black(sample), {
      sinceBefore: true,
    }).filter(({ from, to }) => to - from >= STANDS),
  ]
}

const isFlat = (sample: LightSample) => (sample.flat ?? 0) >= FLAT && !(sample.mean < BLACK.mean)

/** Whether most of the clip is a drawing or a slide: a detector trained on photographs may call it anything. */
export function isDrawn(samples: readonly LightSample[]): boolean {
  return samples.filter(isFlat).length * 2 > samples.length
}

/** @param bridged What may lie between two samples of one stretch, beside those that `is` takes. */
function stretches(
  samples: readonly LightSample[],
  kind: LightKind,
  is: (sample: LightSample) => boolean,
  { bridged = is, sinceBefore = false }: { bridged?: (sample: LightSample) => boolean; sinceBefore?: boolean } = {},
): LightStretch[] {
  const found: LightStretch[] = []
  let open: LightStretch | null = null
  samples.forEach((sample, i) => {
    if (!is(sample)) {
      if (!bridged(sample)) open = null
      return
    }
    if (open) {
      open.to = sample.time
      return
    }
    const before = samples[i - 1]
    open = { kind, from: sinceBefore && before ? before.time : sample.time, to: sample.time }
    found.push(open)
  })
  return found
}
