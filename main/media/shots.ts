/**
 * Where one shot ends and the next begins, from a tiny picture of every frame.
 *
 * A cut changes most of the picture at once, only once, and to something else. So a frame starts a shot when it differs from the one
 * before it (1) enough, (2) over a good part of the picture, not in a counter or a border, (3) far more than the frames around it differ from each
 * other, and (4) cannot be explained as the same scene moved, zoomed or differently exposed. Pans and hand-held motion fail (3), since
 * their neighbours change as much; so does a flash, which changes the picture twice; a change of lens or exposure fails (4).
 * Dissolves and fades are no cuts: the shot goes on through them. A picture that stands for long, as in recordings of screens and slow
 * animations, is no flash, and what came before it is no neighbour of what comes after.
 */
import type { Rational } from '../../app/media.ts'

/** Size of the pictures that the detector takes, pixels: enough to tell shots apart, small enough for every frame of a long video. */
export const TINY = { width: 48, height: 32 }

/** Mean difference of a channel, 0..255. */
const MIN_DIFFERENCE = 8
/** A pixel has changed when its channels differ by this sum, 0..765. */
const PIXEL_CHANGED = 36
/** Share of the pixels that must have changed. */
const MIN_CHANGED = 0.35
/** Least ratio to the largest neighbouring difference. */
const MIN_RATIO = 2
/** Correlation above which two pictures show the same scene. Different scenes reach 0.2 to 0.45 by chance, the same scene 0.8 and more. */
const SAME_SCENE = 0.62
/** Frames looked at on either side. A shot shorter than this is taken for a flash, unless a frame of it stands. */
const REACH = 3
/** A frame stands that is shown for so many seconds and for so many usual stays. */
const STANDS = { seconds: 1, stays: 2 }

/** @param stay How long the frame is shown, seconds. @param frameRate The usual number of frames a second. */
export function stands(stay: number, { num, den }: Rational): boolean {
  return stay >= STANDS.seconds && stay * num >= STANDS.stays * den
}

interface Step {
  frame: Uint8Array
  /** Mean difference from the frame before, 0..255. */
  difference: number
  /** Share of the pixels that changed since the frame before. */
  changed: number
  stands: boolean
}

/** Finds cuts in a stream of frames, REACH frames late, in constant memory. */
export class ShotDetector {
  /** Ordinals below this are decided: a cut there has been reported. */
  decided = 0
  /** Frame `decided` and up to REACH frames on either side. */
  #steps: Step[] = []
  /** Ordinal of the first of them. */
  #first = 0

  /** How many frames it has taken. */
  get taken(): number {
    return this.#first + this.#steps.length
  }

  /** Takes the next frame in display order, RGB24 of the size TINY. @returns Ordinals, now certain, at which a shot begins. */
  push(frame: Uint8Array, isStanding = false): number[] {
    const before = this.#steps.at(-1)
    const change = before === undefined ? { difference: 0, changed: 0 } : changeBetween(before.frame, frame)
    this.#steps.push({ frame, ...change, stands: isStanding })
    return this.#decide(REACH)
  }

  /** No more frames follow. @returns The last cuts. */
  finish(): number[] {
    return this.#decide(0)
  }

  #decide(ahead: number): number[] {
    const cuts: number[] = []
    while (this.decided + ahead < this.taken) {
      if (this.#isCut(this.decided - this.#first)) cuts.push(this.decided)
      this.decided += 1
      const passed = this.decided - REACH - 1 - this.#first
      if (passed > 0) {
        this.#steps.splice(0, passed)
        this.#first += passed
      }
    }
    return cuts
  }

  #isCut(at: number): boolean {
    const [before, step] = [this.#steps[at - 1], this.#steps[at]]
    if (before === undefined || step === undefined || step.difference < MIN_DIFFERENCE || step.changed < MIN_CHANGED) return false
    let most = 0
    for (let k = at - 1; k >= Math.max(0, at - REACH) && this.#steps[k]?.stands === false; k -= 1)
      most = Math.max(most, this.#steps[k]?.difference ?? 0)
    for (let k = at + 1; k <= at + REACH && this.#steps[k - 1]?.stands === false; k += 1)
      most = Math.max(most, this.#steps[k]?.difference ?? 0)
    const calm = most * MIN_RATIO <= step.difference
    return calm && !alike(structureOf(before.frame), structureOf(step.frame))
  }
}

function changeBetween(before: Uint8Array, after: Uint8Array): { difference: number; changed: number } {
  let sum = 0
  let changed = 0
  for (let at = 0; at < after.length; at += 3) {
    const red = Math.abs((after[at] ?? 0) - (before[at] ?? 0))
    const green = Math.abs((after[at + 1] ?? 0) - (before[at + 1] ?? 0))
    const blue = Math.abs((after[at + 2] ?? 0) - (before[at + 2] ?? 0))
    sum += red + green + blue
    if (red + green + blue >= PIXEL_CHANGED) changed += 1
  }
  return { difference: sum / after.length, changed: (changed * 3) / after.length }
}

/** Luma minus its local mean: edges and texture, without the light and dark areas that different scenes share (sky above, ground below). */
function structureOf(frame: Uint8Array): Float32Array {
  const { width, height } = TINY
  const luma = Float32Array.from({ length: width * height }, (_, i) => {
    return 0.299 * (frame[3 * i] ?? 0) + 0.587 * (frame[3 * i + 1] ?? 0) + 0.114 * (frame[3 * i + 2] ?? 0)
  })
  const radius = 3
  return luma.map((value, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    let sum = 0
    let count = 0
    for (let row = Math.max(0, y - radius); row <= Math.min(height - 1, y + radius); row++) {
      for (let column = Math.max(0, x - radius); column <= Math.min(width - 1, x + radius); column++) {
        sum += luma[row * width + column] ?? 0
        count += 1
      }
    }
    return value - sum / count
  })
}

/**
 * Whether two pictures correlate (normalised, -1..1) by SAME_SCENE at any zoom of 0.5 to 2 and any shift of up to 8 pixels, a sixth of the
 * width. It tries some 4000 positions, which takes tens of milliseconds, so it is the last check of a cut. Small zooms come
 * first, since most false cuts are pans.
 */
function alike(before: Float32Array, after: Float32Array): boolean {
  for (const power of [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6, -7, 7]) {
    const columns = zoomed(TINY.width, 1.1 ** power)
    const rows = zoomed(TINY.height, 1.1 ** power)
    for (let dy = -8; dy <= 8; dy++) {
      for (let dx = -8; dx <= 8; dx++) if (correlation(before, after, columns, rows, dx, dy) >= SAME_SCENE) return true
    }
  }
  return false
}

/** Where each pixel of a line comes from when the line is zoomed about its middle: the pixel to its left, and the fraction past that, 0..1. */
interface Zoomed {
  from: Int32Array
  past: Float64Array
}

function zoomed(length: number, zoom: number): Zoomed {
  const at = Float64Array.from({ length }, (_, i) => (i - (length - 1) / 2) * zoom + (length - 1) / 2)
  return { from: Int32Array.from(at, Math.floor), past: at.map((value) => value - Math.floor(value)) }
}

/** Correlation of `after` with `before` zoomed and shifted; -1 where less than 40 % of them overlap. */
function correlation(before: Float32Array, after: Float32Array, columns: Zoomed, rows: Zoomed, dx: number, dy: number): number {
  const { width, height } = TINY
  let n = 0
  let sumA = 0
  let sumB = 0
  let sumAA = 0
  let sumBB = 0
  let sumAB = 0
  for (let y = 0; y < height; y++) {
    const top = (rows.from[y] ?? 0) + dy
    if (top < 0 || top + 1 >= height) continue
    const down = rows.past[y] ?? 0
    for (let x = 0; x < width; x++) {
      const left = (columns.from[x] ?? 0) + dx
      if (left < 0 || left + 1 >= width) continue
      const right = columns.past[x] ?? 0
      const i = top * width + left
      const upper = (before[i] ?? 0) * (1 - right) + (before[i + 1] ?? 0) * right
      const lower = (before[i + width] ?? 0) * (1 - right) + (before[i + width + 1] ?? 0) * right
      const a = upper * (1 - down) + lower * down
      const b = after[y * width + x] ?? 0
      n += 1
      sumA += a
      sumB += b
      sumAA += a * a
      sumBB += b * b
      sumAB += a * b
    }
  }
  if (n < 0.4 * width * height) return -1
  const spread = (sumAA - (sumA * sumA) / n) * (sumBB - (sumB * sumB) / n)
  return spread <= 0 ? 0 : (sumAB - (sumA * sumB) / n) / Math.sqrt(spread)
}
