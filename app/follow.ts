/**
 * Follows an object that a person boxed from frame to frame by its appearance.
 *
 * Place: a correlation filter on edges, brightness and colour (Bolme et al., CVPR 2010; Galoogahi et al., ICCV 2013) finds the place whose
 * surroundings look as before. In addition the object's colours are compared with those around it, since they stay when its shape changes
 * (Staple: Bertinetto et al., CVPR 2016). Size: a second filter, over scales (Danelljan et al., BMVC 2014). The object is lost when the
 * answer has no clear peak for a while, or when it has left the picture.
 */
import type { Box, KeyBox, TrackBody } from './annotation.ts'
import { boxArea, clipBox, iou, sharedArea } from './boxes.ts'
import { Fourier, type Plane } from './fourier.ts'
import { interpolate } from './tracks.ts'

/** A frame, possibly scaled down: [height, width, 3] sRGB bytes. */
export interface Picture {
  rgb: Uint8Array
  width: number
  height: number
}

/** `clear`: the object was recognised, by its look or by the detector's track; otherwise the box is where it is expected. */
export interface Followed {
  box: Box
  clear: boolean
}

/** Cells per side of the window in which the object is searched for, and pixels per side of a cell after the window is resized. */
const CELLS = 32
const CELL = 2
const SIDE = CELLS * CELL
/** Side of the window as a multiple of the box's side. */
const WINDOW = 2.5
/** Number of edge directions, over half a turn. */
const DIRECTIONS = 9
/** The edge directions, brightness and two colour differences. */
const CHANNELS = DIRECTIONS + 3
/** The answer that the filter is trained for: a bell around the object's place, with this deviation in cells. */
const BELL = 1
/** Keeps the filter from trusting frequencies that the object hardly contains. */
const REGULARISATION = 0.01
/** Share of the filter, and of the colours, that each frame renews. */
const RENEWAL = 0.025
const COLOUR_RENEWAL = 0.04
/** Weight of the colours' answer beside the filter's. */
const COLOUR_WEIGHT = 0.3
/** Levels per channel in the colour histograms. */
const LEVELS = 16
/** Number of scales that are tried, and the ratio between neighbouring ones. */
const SCALES = 17
const SCALE_STEP = 1.02
/** Side of the input of the scale filter, in cells. */
const SCALE_CELLS = 8
/** Ratio of peak to side lobe below which the filter has not found the object. */
const UNCLEAR = 5
/** Nor has it if the answer is this much weaker than usual. */
const WEAK = 0.35
/** After this many unclear frames in a row the object is lost. */
const PATIENCE = 10
/** The object has left if less than this share of its box is in the picture. */
const LEFT = 0.35
/** A detector's box that overlaps ours this much is of the same object. */
const SAME_OBJECT = 0.5
/** A track that was this object and now overlaps it by less belongs to another object. */
const APART = 0.15
/** Share of the difference between the person's box and the detector's that each frame forgets. */
const FADING = 0.02
/** How strongly a detector's box of the same object pulls. */
const PULL = 0.35

/** A detector's box of an object that its tracker calls `object`. */
export interface Help {
  object: number
  box: Box
}

/** If more than this share of its box lies under another box, an object is partly hidden. */
const COVERED = 0.05
/** A box this near to an edge of the picture, as a share of the side, is cut off by it. */
const AT_EDGE = 0.02
/** Share of the drawn box, along the edge that it touches, that lies within the first box of the track that it belongs to. */
const SAME_STRETCH = 0.7

interface Centred {
  x: number
  y: number
  width: number
  height: number
}

/** Number of frequencies in a spectrum of SCALES real values that are not mirrored. */
const HALF = (SCALES + 1) / 2
const COS = Float32Array.from({ length: SCALES }, (_, i) => Math.cos((2 * Math.PI * i) / SCALES))
const SIN = Float32Array.from({ length: SCALES }, (_, i) => Math.sin((2 * Math.PI * i) / SCALES))
const fourier = new Fourier(CELLS)
const hann = Float32Array.from({ length: CELLS }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / CELLS))
const bell = fourier.forward(
  Float32Array.from({ length: CELLS * CELLS }, (_, i) => {
    const [x, y] = [around(i % CELLS), around(Math.floor(i / CELLS))]
    return Math.exp(-(x * x + y * y) / (2 * BELL * BELL))
  }),
)

/** A cell's distance from the first one, around the edge if that is shorter. */
function around(i: number): number {
  return i < CELLS / 2 ? i : i - CELLS
}

export class Follower {
  #at: Centred
  /** Numerators by channel and the common denominator of the filter, as spectra. */
  #filter: { top: Plane[]; bottom: Float32Array } | null = null
  readonly #scales = new ScaleFilter()
  #colours: { inside: Float32Array; outside: Float32Array } | null = null
  /** Recent height of the filter's peak. */
  #usual = 0
  #unclear = 0
  /** The detector's track of this object, and how the box lay relative to the track's box. */
  #bound: { object: number; dx: number; dy: number; width: number; height: number } | null = null

  /**
   * @param box The person's box on this picture, in its pixels.
   * @param help Boxes that a detector gives here.
   */
  constructor(picture: Picture, box: Box, help: readonly Help[] = []) {
    this.#at = centred(box)
    this.#bind(help)
    this.#learn(picture, 1)
  }

  /**
   * The next picture, of the same size.
   *
   * @param help Boxes that a detector gives here for things with the object's name.
   * @returns Null when it is lost; it was last seen on the last clear frame.
   */
  next(picture: Picture, help: readonly Help[] = []): Followed | null {
    const patch = patchOf(picture, this.#at)
    const features = featuresOf(patch)
    const answer = this.#answer(features)
    const colours = this.#colourAnswer(patch)
    const merged = answer.map((value, i) => (1 - COLOUR_WEIGHT) * value + COLOUR_WEIGHT * (colours[i] ?? 0))
    const peak = peakOf(merged)
    const clear = clarityOf(answer, peak)
    const strength = answer[peak.y * CELLS + peak.x] ?? 0
    const unclear = clear < UNCLEAR || strength < WEAK * this.#usual
    const cell = { width: (this.#at.width * WINDOW) / CELLS, height: (this.#at.height * WINDOW) / CELLS }
    if (!unclear) {
      this.#at = {
        ...this.#at,
        x: this.#at.x + (around(peak.x) + peak.dx) * cell.width,
        y: this.#at.y + (around(peak.y) + peak.dy) * cell.height,
      }
      // At the edge of the picture it only looks smaller.
      if (this.#inside(picture) > 0.9) this.#resize(this.#scales.best(picture, this.#at), picture)
    }
    const helped = this.#pull(help)
    this.#unclear = unclear && !helped ? this.#unclear + 1 : 0
    if (this.#inside(picture) < LEFT || this.#unclear >= PATIENCE) return null
    if (!unclear) {
      this.#usual += 0.05 * (strength - this.#usual)
      this.#learn(picture, RENEWAL)
    }
    return { box: clipBox(boxOf(this.#at), picture), clear: !unclear || helped }
  }

  #inside(picture: Picture): number {
    const box = boxOf(this.#at)
    return boxArea(clipBox(box, picture)) / boxArea(box)
  }

  #resize(scale: number, picture: Picture): void {
    const { x, y, width, height } = this.#at
    const least = 6
    if (width * scale < least || height * scale < least || width * scale > 2 * picture.width || height * scale > 2 * picture.height) return
    this.#at = { x, y, width: width * scale, height: height * scale }
  }

  /** Bind to the detector's track that lies where the object is, if there is one. */
  #bind(help: readonly Help[]): void {
    const box = boxOf(this.#at)
    const best = help.toSorted((a, b) => iou(b.box, box) - iou(a.box, box))[0]
    if (!best || iou(best.box, box) < SAME_OBJECT) return
    const other = centred(best.box)
    const { x, y, width, height } = this.#at
    this.#bound = {
      object: best.object,
      dx: (x - other.x) / other.width,
      dy: (y - other.y) / other.height,
      width: width / other.width,
      height: height / other.height,
    }
  }

  /**
   * Moves the box towards the detector's box of this object, keeping the person's offset to it.
   * @returns Whether there was such a box.
   */
  #pull(help: readonly Help[]): boolean {
    const bound = this.#bound
    const same = help.find(({ object }) => object === bound?.object)
    if (!same || !bound) {
      this.#bind(help)
      return false
    }
    const { x, y, width, height } = centred(same.box)
    // The error of the detector's first box is forgotten over time; what the person meant was the object.
    bound.dx *= 1 - FADING
    bound.dy *= 1 - FADING
    bound.width += FADING * (1 - bound.width)
    bound.height += FADING * (1 - bound.height)
    const to = { x: x + bound.dx * width, y: y + bound.dy * height, width: width * bound.width, height: height * bound.height }
    if (iou(boxOf(to), boxOf(this.#at)) < APART) return false
    const mix = (a: number, b: number) => a + PULL * (b - a)
    // If something stands in front of the object, the detector boxes only the visible part; the object does not shrink.
    const box = boxOf(this.#at)
    const covered = help.some((other) => other !== same && sharedArea(other.box, box) > COVERED * boxArea(box))
    const side = (a: number, b: number) => (covered && b < a ? a : mix(a, b))
    this.#at = {
      x: mix(this.#at.x, to.x),
      y: mix(this.#at.y, to.y),
      width: side(this.#at.width, to.width),
      height: side(this.#at.height, to.height),
    }
    return true
  }

  /** The filter's answer, [CELLS, CELLS]: about 1 where the object's middle is expected; the first cell is where it was. */
  #answer(features: readonly Plane[]): Float32Array {
    const [re, im] = [new Float32Array(CELLS * CELLS), new Float32Array(CELLS * CELLS)]
    const filter = this.#filter
    if (filter === null) return re
    features.forEach((plane, channel) => {
      const top = filter.top[channel]
      if (top === undefined) return
      for (let i = 0; i < re.length; i++) {
        const a = top.re[i] ?? 0
        const b = top.im[i] ?? 0
        const c = plane.re[i] ?? 0
        const d = plane.im[i] ?? 0
        re[i] = (re[i] ?? 0) + a * c - b * d
        im[i] = (im[i] ?? 0) + a * d + b * c
      }
    })
    for (let i = 0; i < re.length; i++) {
      const bottom = (filter.bottom[i] ?? 0) + REGULARISATION
      re[i] = (re[i] ?? 0) / bottom
      im[i] = (im[i] ?? 0) / bottom
    }
    return fourier.backward({ re, im })
  }

  #learn(picture: Picture, rate: number): void {
    const patch = patchOf(picture, this.#at)
    const features = featuresOf(patch)
    const filter = (this.#filter ??= {
      top: features.map(({ re }) => ({ re: new Float32Array(re.length), im: new Float32Array(re.length) })),
      bottom: new Float32Array(CELLS * CELLS),
    })
    const energy = new Float32Array(CELLS * CELLS)
    features.forEach((plane, channel) => {
      const top = filter.top[channel]
      if (top === undefined) return
      for (let i = 0; i < energy.length; i++) {
        const a = bell.re[i] ?? 0
        const b = bell.im[i] ?? 0
        const c = plane.re[i] ?? 0
        const d = plane.im[i] ?? 0
        // Bell times the conjugate of the features.
        top.re[i] = (1 - rate) * (top.re[i] ?? 0) + rate * (a * c + b * d)
        top.im[i] = (1 - rate) * (top.im[i] ?? 0) + rate * (b * c - a * d)
        energy[i] = (energy[i] ?? 0) + c * c + d * d
      }
    })
    for (let i = 0; i < energy.length; i++) filter.bottom[i] = (1 - rate) * (filter.bottom[i] ?? 0) + rate * (energy[i] ?? 0)
    if (this.#usual === 0) this.#usual = Math.max(...this.#answer(features))
    this.#scales.learn(picture, this.#at, rate)
    const seen = coloursOf(patch)
    const colours = (this.#colours ??= seen)
    const colourRate = rate === 1 ? 1 : COLOUR_RENEWAL
    for (const side of ['inside', 'outside'] as const)
      for (let i = 0; i < seen.inside.length; i++)
        colours[side][i] = (1 - colourRate) * (colours[side][i] ?? 0) + colourRate * (seen[side][i] ?? 0)
  }

  /** [CELLS, CELLS] like the filter's answer: the mean likelihood 0..1 of the pixels that the object would cover. */
  #colourAnswer(patch: Float32Array): Float32Array {
    const answer = new Float32Array(CELLS * CELLS)
    const colours = this.#colours
    if (colours === null) return answer
    // Sums of likelihoods over all cells above and to the left.
    const sums = new Float32Array((CELLS + 1) * (CELLS + 1))
    for (let y = 0; y < CELLS; y++) {
      let row = 0
      for (let x = 0; x < CELLS; x++) {
        let sum = 0
        for (let i = 0; i < CELL * CELL; i++) {
          const bin = binOf(patch, (y * CELL + Math.floor(i / CELL)) * SIDE + x * CELL + (i % CELL))
          const inside = colours.inside[bin] ?? 0
          sum += (inside + 1e-5) / (inside + (colours.outside[bin] ?? 0) + 2e-5)
        }
        row += sum / (CELL * CELL)
        sums[(y + 1) * (CELLS + 1) + x + 1] = row + (sums[y * (CELLS + 1) + x + 1] ?? 0)
      }
    }
    const half = Math.round(CELLS / WINDOW / 2)
    const at = (x: number, y: number) => sums[Math.min(Math.max(y, 0), CELLS) * (CELLS + 1) + Math.min(Math.max(x, 0), CELLS)] ?? 0
    for (let dy = -CELLS / 2; dy < CELLS / 2; dy++) {
      for (let dx = -CELLS / 2; dx < CELLS / 2; dx++) {
        const [left, top] = [CELLS / 2 + dx - half, CELLS / 2 + dy - half]
        const value = at(left + 2 * half, top + 2 * half) - at(left, top + 2 * half) - at(left + 2 * half, top) + at(left, top)
        answer[((dy + CELLS) % CELLS) * CELLS + ((dx + CELLS) % CELLS)] = value / (4 * half * half)
      }
    }
    return answer
  }
}

/** A filter over the object's size: finds the scale at which it looks as before. */
class ScaleFilter {
  /** Numerators, feature by feature, and the common denominator. Spectra of real values are symmetric, so half is kept. */
  #top: Plane | null = null
  readonly #bottom = new Float32Array(HALF)
  readonly #factors = Array.from({ length: SCALES }, (_, i) => SCALE_STEP ** (i - (SCALES - 1) / 2))
  /** The bell over scales, as a spectrum. */
  readonly #bell = spectra(Array.from({ length: SCALES }, (_, i) => Float32Array.of(Math.exp(-((i - (SCALES - 1) / 2) ** 2) / 2))))

  best(picture: Picture, at: Centred): number {
    const top = this.#top
    if (top === null) return 1
    const { re, im } = this.#seen(picture, at)
    const answer = { re: new Float32Array(HALF), im: new Float32Array(HALF) }
    for (let i = 0; i < re.length; i++) {
      const k = i % HALF
      const a = top.re[i] ?? 0
      const b = top.im[i] ?? 0
      const c = re[i] ?? 0
      const d = im[i] ?? 0
      answer.re[k] = (answer.re[k] ?? 0) + a * c - b * d
      answer.im[k] = (answer.im[k] ?? 0) + a * d + b * c
    }
    const values = this.#factors.map((_, i) => {
      let value = 0
      for (let k = 0; k < HALF; k++) {
        const turn = (k * i) % SCALES
        value +=
          ((k === 0 ? 1 : 2) * ((answer.re[k] ?? 0) * (COS[turn] ?? 0) - (answer.im[k] ?? 0) * (SIN[turn] ?? 0))) /
          ((this.#bottom[k] ?? 0) + REGULARISATION)
      }
      return value
    })
    return this.#factors[values.indexOf(Math.max(...values))] ?? 1
  }

  learn(picture: Picture, at: Centred, rate: number): void {
    const { re, im } = this.#seen(picture, at)
    const top = (this.#top ??= { re: new Float32Array(re.length), im: new Float32Array(re.length) })
    const energy = new Float32Array(HALF)
    for (let i = 0; i < re.length; i++) {
      const k = i % HALF
      const a = this.#bell.re[k] ?? 0
      const b = this.#bell.im[k] ?? 0
      const c = re[i] ?? 0
      const d = im[i] ?? 0
      top.re[i] = (1 - rate) * (top.re[i] ?? 0) + rate * (a * c + b * d)
      top.im[i] = (1 - rate) * (top.im[i] ?? 0) + rate * (b * c - a * d)
      energy[k] = (energy[k] ?? 0) + c * c + d * d
    }
    for (let k = 0; k < HALF; k++) this.#bottom[k] = (1 - rate) * (this.#bottom[k] ?? 0) + rate * (energy[k] ?? 0)
  }

  /** The box at every scale, resized to one size. */
  #seen(picture: Picture, { x, y, width, height }: Centred): Plane {
    const side = SCALE_CELLS * CELL
    return spectra(
      this.#factors.map((factor) => edgesOf(sampled(picture, { x, y, width: width * factor, height: height * factor }, side), side)),
    )
  }
}

/** The discrete Fourier transform of each feature over the samples: [features, HALF]. */
function spectra(samples: readonly Float32Array[]): Plane {
  const count = samples[0]?.length ?? 0
  const re = new Float32Array(count * HALF)
  const im = new Float32Array(count * HALF)
  samples.forEach((sample, i) => {
    for (let f = 0; f < count; f++) {
      const value = sample[f] ?? 0
      if (value === 0) continue
      for (let k = 0; k < HALF; k++) {
        const turn = (k * i) % SCALES
        const to = f * HALF + k
        re[to] = (re[to] ?? 0) + value * (COS[turn] ?? 0)
        im[to] = (im[to] ?? 0) - value * (SIN[turn] ?? 0)
      }
    }
  })
  return { re, im }
}

/** The window around the object at one size: [SIDE, SIDE, 3], 0..1. */
function patchOf(picture: Picture, { x, y, width, height }: Centred): Float32Array {
  return sampled(picture, { x, y, width: width * WINDOW, height: height * WINDOW }, SIDE)
}

/**
 * A part of a picture, resized to a square: [side, side, 3], 0..1. Beyond the edge the outermost pixels repeat. Each pixel is the mean of
 * the area that it covers.
 */
function sampled({ rgb, width, height }: Picture, at: Centred, side: number): Float32Array {
  const out = new Float32Array(side * side * 3)
  const [stepX, stepY] = [at.width / side, at.height / side]
  const [manyX, manyY] = [Math.min(4, Math.max(1, Math.round(stepX))), Math.min(4, Math.max(1, Math.round(stepY)))]
  const [left, top] = [at.x - at.width / 2, at.y - at.height / 2]
  const columns = places(left, stepX, side, manyX, width)
  const rows = places(top, stepY, side, manyY, height)
  const weight = 1 / (255 * manyX * manyY)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let r = 0
      let g = 0
      let b = 0
      for (let j = 0; j < manyY; j++) {
        const line = (rows[y * manyY + j] ?? 0) * width
        for (let i = 0; i < manyX; i++) {
          const from = 3 * (line + (columns[x * manyX + i] ?? 0))
          r += rgb[from] ?? 0
          g += rgb[from + 1] ?? 0
          b += rgb[from + 2] ?? 0
        }
      }
      const to = 3 * (y * side + x)
      out[to] = r * weight
      out[to + 1] = g * weight
      out[to + 2] = b * weight
    }
  }
  return out
}

function places(start: number, step: number, side: number, many: number, length: number): Int32Array {
  return Int32Array.from({ length: side * many }, (_, i) =>
    Math.min(Math.max(Math.floor(start + ((i + 0.5) * step) / many), 0), length - 1),
  )
}

/** Spectra of the channels of a patch, each windowed so that the patch's edges do not count. */
function featuresOf(patch: Float32Array): Plane[] {
  const edges = edgesOf(patch, SIDE)
  const cells = CELLS * CELLS
  const channels = new Float32Array(CHANNELS * cells)
  channels.set(edges)
  const [grey, redGreen, yellowBlue] = [DIRECTIONS * cells, (DIRECTIONS + 1) * cells, (DIRECTIONS + 2) * cells]
  const share = 1 / (CELL * CELL)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const from = 3 * (y * SIDE + x)
      const r = patch[from] ?? 0
      const g = patch[from + 1] ?? 0
      const b = patch[from + 2] ?? 0
      const cell = Math.floor(y / CELL) * CELLS + Math.floor(x / CELL)
      channels[grey + cell] = (channels[grey + cell] ?? 0) + ((r + g + b) / 3) * share
      channels[redGreen + cell] = (channels[redGreen + cell] ?? 0) + (r - g) * share
      channels[yellowBlue + cell] = (channels[yellowBlue + cell] ?? 0) + ((r + g) / 2 - b) * share
    }
  }
  return Array.from({ length: CHANNELS }, (_, channel) => {
    const plane = channels.subarray(channel * cells, (channel + 1) * cells)
    const mean = channel < DIRECTIONS ? 0 : plane.reduce((sum, value) => sum + value, 0) / cells
    return fourier.forward(plane.map((value, i) => (value - mean) * (hann[i % CELLS] ?? 0) * (hann[Math.floor(i / CELLS)] ?? 0)))
  })
}

/**
 * Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), [DIRECTIONS, side / CELL, side / CELL]: the edge strength in each cell
 * and direction, normalised against contrast by the energy of the cells around.
 */
function edgesOf(patch: Float32Array, side: number): Float32Array {
  const across = side / CELL
  const grey = new Float32Array(side * side)
  for (let i = 0; i < grey.length; i++) grey[i] = ((patch[3 * i] ?? 0) + (patch[3 * i + 1] ?? 0) + (patch[3 * i + 2] ?? 0)) / 3
  const out = new Float32Array(DIRECTIONS * across * across)
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const i = y * side + x
      const dx = (grey[i + 1] ?? 0) - (grey[i - 1] ?? 0)
      const dy = (grey[i + side] ?? 0) - (grey[i - side] ?? 0)
      const size = Math.sqrt(dx * dx + dy * dy)
      if (size < 1e-4) continue
      const turn = ((Math.atan2(dy, dx) / Math.PI + 1) % 1) * DIRECTIONS
      const lower = Math.floor(turn) % DIRECTIONS
      const share = turn - Math.floor(turn)
      const cell = Math.floor(y / CELL) * across + Math.floor(x / CELL)
      const a = lower * across * across + cell
      const b = ((lower + 1) % DIRECTIONS) * across * across + cell
      out[a] = (out[a] ?? 0) + size * (1 - share)
      out[b] = (out[b] ?? 0) + size * share
    }
  }
  const energy = new Float32Array(across * across)
  for (let d = 0; d < DIRECTIONS; d++)
    for (let i = 0; i < energy.length; i++) energy[i] = (energy[i] ?? 0) + (out[d * energy.length + i] ?? 0) ** 2
  const normal = energy.map((_, i) => {
    const x = i % across
    const y = Math.floor(i / across)
    let sum = 0
    for (let v = Math.max(0, y - 1); v <= Math.min(across - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(across - 1, x + 1); u++) sum += energy[v * across + u] ?? 0
    return 1 / Math.sqrt(sum + 0.05)
  })
  return out.map((value, i) => Math.min(0.4, value * (normal[i % energy.length] ?? 0)))
}

function binOf(patch: Float32Array, pixel: number): number {
  return (level(patch[3 * pixel] ?? 0) * LEVELS + level(patch[3 * pixel + 1] ?? 0)) * LEVELS + level(patch[3 * pixel + 2] ?? 0)
}

function level(value: number): number {
  return Math.min(LEVELS - 1, Math.floor(value * LEVELS))
}

/** Colour shares in the middle of the box, which is mostly the object, and outside the box. */
function coloursOf(patch: Float32Array): { inside: Float32Array; outside: Float32Array } {
  const [inside, outside] = [new Float32Array(LEVELS ** 3), new Float32Array(LEVELS ** 3)]
  let [many, few] = [0, 0]
  for (let i = 0; i < SIDE * SIDE; i++) {
    const far = Math.max(Math.abs((i % SIDE) - SIDE / 2), Math.abs(Math.floor(i / SIDE) - SIDE / 2)) / (SIDE / WINDOW / 2)
    const bin = binOf(patch, i)
    if (far < 0.8) {
      inside[bin] = (inside[bin] ?? 0) + 1
      many += 1
    } else if (far > 1.1) {
      outside[bin] = (outside[bin] ?? 0) + 1
      few += 1
    }
  }
  return { inside: inside.map((count) => count / many), outside: outside.map((count) => count / few) }
}

/** The highest cell, and the offset of the true peak in parts of a cell, from a parabola through it and its neighbours. */
function peakOf(answer: Float32Array): { x: number; y: number; dx: number; dy: number } {
  let best = 0
  for (let i = 1; i < answer.length; i++) if ((answer[i] ?? 0) > (answer[best] ?? 0)) best = i
  const [x, y] = [best % CELLS, Math.floor(best / CELLS)]
  const at = (u: number, v: number) => answer[((v + CELLS) % CELLS) * CELLS + ((u + CELLS) % CELLS)] ?? 0
  const beside = (before: number, middle: number, after: number) => {
    const bend = before - 2 * middle + after
    return bend < 0 ? Math.min(Math.max((before - after) / (2 * bend), -0.5), 0.5) : 0
  }
  return { x, y, dx: beside(at(x - 1, y), at(x, y), at(x + 1, y)), dy: beside(at(x, y - 1), at(x, y), at(x, y + 1)) }
}

/** Peak to side lobe ratio: how many standard deviations the peak stands above the values that are not near it. */
function clarityOf(answer: Float32Array, { x, y }: { x: number; y: number }): number {
  let [sum, squares, count] = [0, 0, 0]
  for (let i = 0; i < answer.length; i++) {
    const far = Math.max(
      Math.abs(around((i % CELLS) - x + (i % CELLS < x ? CELLS : 0))),
      Math.abs(around(Math.floor(i / CELLS) - y + (Math.floor(i / CELLS) < y ? CELLS : 0))),
    )
    if (far <= 4) continue
    const value = answer[i] ?? 0
    sum += value
    squares += value * value
    count += 1
  }
  const mean = sum / count
  return ((answer[y * CELLS + x] ?? 0) - mean) / Math.sqrt(Math.max(squares / count - mean * mean, 1e-12))
}

function centred({ x1, y1, x2, y2 }: Box): Centred {
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2, width: x2 - x1, height: y2 - y1 }
}

function boxOf({ x, y, width, height }: Centred): Box {
  return { x1: x - width / 2, y1: y - height / 2, x2: x + width / 2, y2: y + height / 2 }
}

/**
 * The detector's track of an object that is coming into the picture, of which a person boxed the first part; that part is too little to
 * recognise the object later. The track begins soon after, at the same edge of the picture and over the same stretch of it.
 *
 * @param drawn In pixels of the frame, at `pts` in ticks.
 * @param until Ticks: a track that begins later is another object.
 * @returns Null where there is none.
 */
export function enteredAs(
  drawn: Box,
  pts: number,
  until: number,
  tracks: readonly TrackBody[],
  { width, height }: { width: number; height: number },
): TrackBody | null {
  const edgesOf = ({ x1, y1, x2, y2 }: Box) => [
    x1 <= AT_EDGE * width,
    x2 >= (1 - AT_EDGE) * width,
    y1 <= AT_EDGE * height,
    y2 >= (1 - AT_EDGE) * height,
  ]
  const within = (from: number, to: number, first: number, last: number) => (Math.min(to, last) - Math.max(from, first)) / (to - from)
  const edges = edgesOf(drawn)
  const begins = (track: TrackBody) =>
    tracks
      .filter(({ object }) => object !== undefined && object === track.object)
      .concat(track)
      .reduce((least, { boxes }) => Math.min(least, boxes[0]?.pts ?? Infinity), Infinity)
  const entering = tracks.flatMap((track) => {
    const first = track.boxes[0]
    if (!first || first.pts <= pts || first.pts > until || begins(track) < first.pts) return []
    const found = edgesOf(first.box)
    const across = within(drawn.x1, drawn.x2, first.box.x1, first.box.x2)
    const down = within(drawn.y1, drawn.y2, first.box.y1, first.box.y2)
    const shares = edges.flatMap((at, i) => (at && found[i] === true ? [i < 2 ? down : across] : []))
    return shares.length > 0 && Math.max(...shares) >= SAME_STRETCH ? [track] : []
  })
  return entering.sort((a, b) => (a.boxes[0]?.pts ?? 0) - (b.boxes[0]?.pts ?? 0))[0] ?? null
}

/**
 * The fewest key boxes whose linear interpolation stays close to the path (Douglas and Peucker, 1973, with overlap for distance).
 *
 * @param path A box on each frame, in order.
 * @param overlap Least intersection over union of an interpolated box and the path's.
 */
export function keyBoxesOf(path: readonly KeyBox[], overlap: number): KeyBox[] {
  const [first, last] = [path[0], path.at(-1)]
  if (!first || !last || path.length <= 2) return [...path]
  let [worst, at] = [overlap, -1]
  for (let i = 1; i < path.length - 1; i++) {
    const one = path[i]
    const between = one && interpolate({ boxes: [first, last] }, one.pts)
    const same = one && between ? iou(between, one.box) : 0
    if (same < worst) [worst, at] = [same, i]
  }
  return at < 0 ? [first, last] : [...keyBoxesOf(path.slice(0, at + 1), overlap).slice(0, -1), ...keyBoxesOf(path.slice(at), overlap)]
}
