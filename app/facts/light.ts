/** How light the picture is, whether it changes, and whether a camera recorded it, from the same small grey pictures as the camera. */
import type { GreyPicture } from './tiles.ts'

export interface LightSample {
  /** Seconds of the video. */
  time: number
  /** Mean grey level and deviation from it, 0..255. */
  mean: number
  spread: number
  /** Mean difference of grey levels from the previous picture, 0..255; null for the first. */
  change: number | null
  /**
   * Share of the picture, without its black parts, where almost nothing changes from one point to its neighbours; where that is most of it, no
   * more than what is of a few grey levels. Missing in older libraries.
   */
  flat?: number
}

/** @param before The previous picture, of the same size. */
export function lightSample(picture: GreyPicture, time: number, before: GreyPicture | null): LightSample {
  const count = Math.max(1, picture.grey.length)
  const { sum, squares, change, flat, all } = sumsOf(picture, before)
  const mean = sum / count
  return {
    time,
    mean,
    spread: Math.sqrt(Math.max(0, squares / count - mean * mean)),
    change: before ? change / count : null,
    flat: all < PARTLY * picture.grey.length ? 0 : plainest(picture.grey, flat / all),
  }
}

/** A drawing is of so many grey levels where it is flat; a hazy sky is flat too, but goes through many. */
const PLAIN_LEVELS = 4

/** @param flat Share of flat points. @returns It, or the share of the commonest grey levels where that is less. */
function plainest(grey: Uint8Array, flat: number): number {
  if (flat < FLAT) return flat
  const levels = new Uint32Array(256)
  for (const level of grey) levels[level] = (levels[level] ?? 0) + 1
  const bright = levels.subarray(SHADOW)
  const sum = (counts: Uint32Array) => counts.reduce((all, one) => all + one, 0)
  return Math.min(flat, sum(bright.toSorted().subarray(-PLAIN_LEVELS)) / sum(bright))
}

/** A point is flat if it and its eight neighbours differ by no more grey levels than this. */
const LEVEL = 1
/** Darker points do not count: a camera records no noise in black either, and bars are black. */
const SHADOW = 24
/** A picture with less than this share of brighter points gives no result. */
const PARTLY = 0.25

/**
 * light.wat in WebAssembly's binary format; light.test.ts says when it is not. Every sampled frame of every video comes here: sixteen pixels at a time
 * take a tenth of the time that JavaScript takes.
 */
export const KERNEL = Uint8Array.from(
  atob(
    'AGFzbQEAAAABDAFgCH9/f39/f39/AAIKAQABbQIBAYCABAMCAQAHBQEBbAAACpEDAY4DAgN/CHsDQCAA/QAAACILIgwhDSAMIABBAWv9AAAAIg' +
      '/9dyEMIA0gD/15IQ0gDCAA/QAAASIP/XchDCANIA/9eSENIAAgAmtBAWshCiAMIAr9AAAAIg/9dyEMIA0gD/15IQ0gDCAK/QAAASIP/XchDCAN' +
      'IA/9eSENIAwgCv0AAAIiD/13IQwgDSAP/XkhDSAAIAJqQQFrIQogDCAK/QAAACIP/XchDCANIA/9eSENIAwgCv0AAAEiD/13IQwgDSAP/XkhDS' +
      'AMIAr9AAACIg/9dyEMIA0gD/15IQ0gCyAF/Q/9LCAAIARq/QAAAP1OIg79ZGkgCWohCSAG/Q8gDSAM/XH9LCAO/U79ZGkgCGohCCAL/X39fyAQ' +
      '/a4BIRAgCyAL/Z4B/X8gCyAL/Z8B/X/9rgEgEf2uASERIAsgACADav0AAAAiD/1zIA8gC/1z/VD9ff1/IBL9rgEhEiAAQRBqIgAgAUkNAAsgBy' +
      'AQ/QsAACAHIBH9CwAQIAcgEv0LACAgByAINgAwIAcgCTYANAs=',
  ),
  (byte) => byte.charCodeAt(0),
)
const LANES = 16
const PAGE = 65_536

/** See light.wat. */
type Sums = (at: number, end: number, width: number, before: number, inside: number, shadow: number, level: number, out: number) => void

/** Memory with a picture, the one before, and which points have eight neighbours, for pictures of one size. */
class Room {
  readonly width: number
  readonly height: number
  readonly #length: number
  /** Bytes from one picture to the next; a row and a point before and behind a picture are read too. */
  readonly #apart: number
  readonly #bytes: Uint8Array
  readonly #results: Uint32Array
  readonly #sums: Sums

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    const whole = (bytes: number) => Math.ceil(bytes / LANES) * LANES
    this.#length = whole(width * height)
    this.#apart = this.#length + whole(width + 1)
    const pages = Math.ceil((4 * this.#apart + 4 * LANES) / PAGE)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.#sums = new WebAssembly.Instance(new WebAssembly.Module(KERNEL), { '': { m: memory } }).exports['l'] as Sums
    this.#bytes = new Uint8Array(memory.buffer)
    this.#results = new Uint32Array(memory.buffer, 0, 14)
    for (let y = 1; y < height - 1; y++) this.#bytes.fill(255, this.#place(2) + y * width + 1, this.#place(2) + (y + 1) * width - 1)
  }

  /** Where a picture, the one before it, and the mask begin. */
  #place(of: 0 | 1 | 2): number {
    return 4 * LANES + (this.#apart - this.#length) + of * this.#apart
  }

  sums(grey: Uint8Array, before: Uint8Array): { sum: number; squares: number; change: number; flat: number; all: number } {
    const at = this.#place(0)
    this.#bytes.set(grey, at)
    this.#bytes.set(before, this.#place(1))
    this.#sums(at, at + this.#length, this.width, this.#apart, 2 * this.#apart, SHADOW, LEVEL, 0)
    const [flat = 0, all = 0] = this.#results.subarray(12)
    const added = (from: number) => this.#results.subarray(from, from + 4).reduce((sum, one) => sum + one)
    return { sum: added(0), squares: added(4), change: added(8), flat, all }
  }
}
/** Nearly always the next picture has the size of the last. */
let room: Room | null = null

function sumsOf({ grey, width, height }: GreyPicture, before: GreyPicture | null): ReturnType<Room['sums']> {
  if (room?.width !== width || room.height !== height) room = new Room(width, height)
  return room.sums(grey, before?.grey ?? grey)
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
 * development and of 600 photographs none has (models/RESULTS.md). Drawings on a painted or real ground or one that goes from colour to
 * colour, and 3D animation, have less and are not recognised.
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
