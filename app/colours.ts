/**
 * The eleven basic colour words (Berlin and Kay 1969), and how much of a part of a picture has each of them.
 *
 * A colour in CIELAB (sRGB, D65) belongs to each word to a degree 0..1: R. Benavente, M. Vanrell, R. Baldrich, "Parametric fuzzy sets for
 * automatic color naming", J. Opt. Soc. Am. A 25(10), 2008, fitted to what people called 387 samples. At each of six levels of lightness
 * sigmoids around a centre cut the plane of a* and b* into sectors, one for each hue word. An ellipse around that centre, with a sigmoid
 * edge as well, holds the colours without hue; lightness divides those into black, grey and white.
 *
 * Three things are not the paper's, since its samples were painted cards under white light: the ellipse is wider (`CAST`), tan and beige have no word
 * (`PALE`), and what is more vivid than any card is named by its hue in sRGB (`VIVID`), since CIELAB turns a screen's blue to purple and its red to orange.
 */
import type { RelativeBox } from './boxes.ts'

export const COLOURS = ['black', 'white', 'grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown'] as const
export type Colour = (typeof COLOURS)[number]

/** A hue word at one level of lightness: the angles (radians) of its two edges, and how steep they are. */
type Sector = readonly [edgeX: number, edgeY: number, steepX: number, steepY: number]

interface Level {
  /** Highest L* of the level. */
  below: number
  centre: readonly [a: number, b: number]
  ellipse: { steep: number; radii: readonly [number, number]; angle: number }
  sectors: Partial<Record<Colour, Sector>>
}

/** Table 2 of the paper. */
const LEVELS: readonly Level[] = [
  {
    below: 31,
    centre: [0.424, 0.249],
    ellipse: { steep: 9.844, radii: [5.889, 7.474], angle: 0.0405 },
    sectors: {
      red: [-0.0391, -0.987, 0.901, 1.725],
      brown: [0.5838, 0.254, 1.725, 0.844],
      green: [1.8248, 2.349, 0.844, 1.952],
      blue: [3.9198, -2.5683, 1.952, 1.0143],
      purple: [-0.9975, -1.6099, 1.0143, 0.901],
    },
  },
  {
    below: 42,
    centre: [0.2296, 0.6632],
    ellipse: { steep: 6.033, radii: [6.457, 7.873], angle: 0.307 },
    sectors: {
      red: [0.0385, -0.852, 0.5244, 5],
      brown: [0.7188, 0.1199, 5, 0.6924],
      green: [1.6907, 2.1025, 0.6924, 0.9581],
      blue: [3.6733, -2.5915, 0.9581, 0.9166],
      purple: [-1.0207, -1.8452, 0.9166, 1.1003],
      pink: [-0.2744, -1.5323, 1.1003, 0.5244],
    },
  },
  {
    below: 51,
    centre: [-0.1173, 0.518],
    ellipse: { steep: 6.812, radii: [5.381, 6.982], angle: 0.3418 },
    sectors: {
      red: [0.2369, -0.7949, 0.9994, 0.5653],
      orange: [0.7759, -0.502, 0.5653, 0.5172],
      brown: [1.0688, 0.1161, 0.5172, 0.8448],
      green: [1.6869, 1.909, 0.8448, 0.5998],
      blue: [3.4798, -2.5873, 0.5998, 0.8008],
      purple: [-1.0165, -1.9658, 0.8008, 0.6237],
      pink: [-0.395, -1.3339, 0.6237, 0.9994],
    },
  },
  {
    below: 66,
    centre: [-0.4432, 1.0759],
    ellipse: { steep: 7.319, radii: [6.064, 7.502], angle: 0.4284 },
    sectors: {
      red: [0.4629, -0.995, 0.9391, 0.7548],
      orange: [0.5758, -0.1725, 0.7548, 0.4784],
      yellow: [1.3983, 0.099, 0.4784, 0.7287],
      green: [1.6698, 1.8905, 0.7287, 0.6438],
      blue: [3.4613, -2.5966, 0.6438, 0.7552],
      purple: [-1.0258, -2.1629, 0.7552, 5],
      pink: [-0.5921, -1.1079, 5, 0.9391],
    },
  },
  {
    below: 76,
    centre: [-0.5655, 1.1633],
    ellipse: { steep: 100, radii: [5.368, 6.9], angle: 0.432 },
    sectors: {
      orange: [0.4494, -0.2766, 1.9951, 0.8399],
      yellow: [1.2942, 0.2142, 0.8399, 0.856],
      green: [1.785, 1.7203, 0.856, 0.7366],
      blue: [3.2911, -2.6325, 0.7366, 0.4748],
      purple: [-1.0617, -2.1389, 0.4748, 1.7356],
      pink: [-0.5681, -1.1214, 1.7356, 1.9951],
    },
  },
  {
    below: Infinity,
    centre: [-1.2564, 1.8144],
    ellipse: { steep: 100, radii: [6.04, 7.393], angle: -0.0208 },
    sectors: {
      orange: [0.4493, -0.3064, 1.028, 0.791],
      yellow: [1.2644, 0.2835, 0.791, 0.9574],
      green: [1.8543, 1.7461, 0.9574, 0.9],
      blue: [3.3169, -2.6081, 0.9, 0.599],
      purple: [-1.0373, -2.1357, 0.599, 1.9314],
      pink: [-0.5649, -1.1215, 1.9314, 1.028],
    },
  },
]

/** Where black turns into grey, and grey into white: L* and steepness. */
const DARK = { at: 28.28, steep: 0.714 }
const LIGHT = { at: 79.65, steep: 0.307 }
/** Below this L* the hue of a pixel of coded video is noise: the pixel counts as black. */
const NO_HUE_BELOW = 9
/** How much wider than in the paper the ellipse without hue is: light and white balance tint grey things. */
const CAST = 1.5
/**
 * Fur, wood, sand and walls are tan and beige, for which none of the eleven words is right. The cards had no such colours, and above the lightness where
 * brown ends the paper calls them orange or yellow: below `PALE` in chroma they get no word.
 */
const PALE = { chroma: 42, steep: 0.8, aboveLevel: 3 }
const PALE_WORDS: ReadonlySet<Colour> = new Set(['orange', 'yellow'])
/** From this chroma on a colour is named by its hue in sRGB; the degrees are where each word ends. */
const VIVID = 70
const VIVID_HUES: readonly (readonly [upTo: number, colour: Colour])[] = [
  [15, 'red'],
  [42, 'orange'],
  [68, 'yellow'],
  [172, 'green'],
  [258, 'blue'],
  [295, 'purple'],
  [342, 'pink'],
  [360, 'red'],
]
/** Samples a side: a part of a picture is read at no more than 20 x 20 places. */
const SAMPLES = 20

/** Linear light of an sRGB byte. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
})

/** sRGB bytes to CIELAB under D65. */
function labOf(red: number, green: number, blue: number): [lightness: number, a: number, b: number] {
  const [r, g, b] = [LINEAR[red] ?? 0, LINEAR[green] ?? 0, LINEAR[blue] ?? 0]
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389) / 27 / 116 + 16 / 116)
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
  const y = f(0.2127 * r + 0.7152 * g + 0.0722 * b)
  const z = f((0.0193 * r + 0.1192 * g + 0.9504 * b) / 1.089)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/** Hue of HSV in degrees 0..360. */
function hueOf(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue)
  const range = most - Math.min(red, green, blue)
  if (range === 0) return 0
  const sixth = most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range
  return (sixth * 60 + 360) % 360
}

const sigmoid = (value: number, steep: number) => 1 / (1 + Math.exp(-steep * value))

const PLACE = Object.fromEntries(COLOURS.map((colour, i) => [colour, i])) as Record<Colour, number>
/** The sectors of each level with the sines and cosines of their edges. */
const HUES = LEVELS.map(({ sectors }) =>
  COLOURS.flatMap((colour) => {
    const sector = sectors[colour]
    if (!sector) return []
    const [edgeX, edgeY, steepX, steepY] = sector
    return [
      { place: PLACE[colour], sinX: Math.sin(edgeX), cosX: Math.cos(edgeX), sinY: Math.sin(edgeY), cosY: Math.cos(edgeY), steepX, steepY },
    ]
  }),
)

/** Bits of a channel that distinguish colours: finer differences are noise of coded video. */
const BITS = 6
/**
 * Cache of the memberships of every colour met so far, eleven each, with whether it was met: a box has 800 pixels of few colours, and a
 * membership costs as much as a hundred additions.
 */
const KNOWN = { memberships: new Float32Array(2 ** (3 * BITS) * COLOURS.length), met: new Uint8Array(2 ** (3 * BITS)) }

/** Adds `weight` times the memberships of one sRGB colour, to 6 bits a channel, to `into` (11 numbers, in the order of `COLOURS`). They sum to at most 1. */
function addMembership(red: number, green: number, blue: number, weight: number, into: number[]): void {
  const entry = ((red >> (8 - BITS)) << (2 * BITS)) | ((green >> (8 - BITS)) << BITS) | (blue >> (8 - BITS))
  const from = entry * COLOURS.length
  if (KNOWN.met[entry] === 0) {
    KNOWN.memberships.set(membership(rounded(red), rounded(green), rounded(blue)), from)
    KNOWN.met[entry] = 1
  }
  for (let place = 0; place < COLOURS.length; place++) into[place] = (into[place] ?? 0) + weight * (KNOWN.memberships[from + place] ?? 0)
}

/**
 * The byte that stands for all bytes with the same upper bits; 0 and 255 stay as they are, so that black, white and the purest colours are
 * exact.
 */
function rounded(byte: number): number {
  return Math.round(((byte >> (8 - BITS)) * 255) / (2 ** BITS - 1))
}

/** The memberships of one sRGB colour: 11 numbers, in the order of `COLOURS`, that sum to 1, or to less for what has no word. */
function membership(red: number, green: number, blue: number): number[] {
  const out = new Array<number>(COLOURS.length).fill(0)
  const add = (place: number, share: number) => (out[place] = (out[place] ?? 0) + share)
  const [lightness, a, b] = labOf(red, green, blue)
  if (lightness < NO_HUE_BELOW) {
    add(PLACE.black, 1)
    return out
  }
  if (Math.hypot(a, b) > VIVID) {
    const hue = hueOf(red, green, blue)
    add(PLACE[VIVID_HUES.find(([upTo]) => hue <= upTo)?.[1] ?? 'red'], 1)
    return out
  }
  const at = LEVELS.findIndex(({ below }) => lightness <= below)
  const level = LEVELS[at]
  if (!level) return out
  const { centre, ellipse } = level
  const [x, y] = [a - centre[0], b - centre[1]]
  const [sin, cos] = [Math.sin(ellipse.angle), Math.cos(ellipse.angle)]
  const outside = ((x * cos + y * sin) / (ellipse.radii[0] * CAST)) ** 2 + ((y * cos - x * sin) / (ellipse.radii[1] * CAST)) ** 2 - 1
  const coloured = sigmoid(outside, ellipse.steep)
  const hues = coloured > 1e-4 ? (HUES[at] ?? []) : []
  const degrees = hues.map(
    ({ sinX, cosX, sinY, cosY, steepX, steepY }) => coloured * sigmoid(x * cosY + y * sinY, steepY) * sigmoid(y * cosX - x * sinX, steepX),
  )
  const total = degrees.reduce((sum, degree) => sum + degree, 0)
  // Neighbouring sectors overlap a little; together they must not exceed 1.
  const scale = total > 1 ? 1 / total : 1
  const named = at >= PALE.aboveLevel ? sigmoid(Math.hypot(a, b) - PALE.chroma, PALE.steep) : 1
  hues.forEach(({ place }, i) => add(place, (degrees[i] ?? 0) * scale * (PALE_WORDS.has(COLOURS[place] ?? 'grey') ? named : 1)))
  const plain = Math.max(0, 1 - total)
  const [light, dark] = [sigmoid(lightness - LIGHT.at, LIGHT.steep), sigmoid(DARK.at - lightness, DARK.steep)]
  add(PLACE.black, plain * dark)
  add(PLACE.white, plain * light)
  add(PLACE.grey, plain * (1 - light - dark))
  return out
}

/**
 * How much of a part of a picture has each basic colour. The middle weighs most and the corners nothing, since the corners of a box show
 * what stands behind the object.
 *
 * @param rgb [height, width, 3] sRGB bytes.
 * @param box In shares of the picture; parts outside the picture are not read.
 * @returns Eleven shares in the order of `COLOURS` that sum to at most 1; all zero for a box without a pixel.
 */
export function coloursOf(rgb: Uint8Array, width: number, height: number, { cx, cy, w, h }: RelativeBox): number[] {
  const sums = new Array<number>(COLOURS.length).fill(0)
  const [left, top] = [Math.max(0, (cx - w / 2) * width), Math.max(0, (cy - h / 2) * height)]
  const [right, bottom] = [Math.min(width, (cx + w / 2) * width), Math.min(height, (cy + h / 2) * height)]
  if (right - left < 1 || bottom - top < 1) return sums
  const [columns, rows] = [Math.min(SAMPLES, Math.floor(right - left)), Math.min(SAMPLES, Math.floor(bottom - top))]
  let total = 0
  for (let row = 0; row < rows; row++) {
    const y = Math.min(height - 1, Math.floor(top + ((row + 0.5) * (bottom - top)) / rows))
    const high = ((y + 0.5) / height - cy) / (h / 2)
    for (let column = 0; column < columns; column++) {
      const x = Math.min(width - 1, Math.floor(left + ((column + 0.5) * (right - left)) / columns))
      const weight = (1 - high ** 2) * (1 - (((x + 0.5) / width - cx) / (w / 2)) ** 2)
      if (weight <= 0) continue
      const at = (y * width + x) * 3
      addMembership(rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0, weight, sums)
      total += weight
    }
  }
  return total > 0 ? sums.map((sum) => sum / total) : sums
}

/** How far from the edge its colour is read, as a share of the shorter side; pixels read on a side; and the share of them that must have the one colour. */
const INSET = 0.01
const ON_A_SIDE = 40
const ONE_COLOUR = 0.85

/** `whole`: share of the whole picture that has the colour too. */
export interface EdgeColour {
  colour: Colour
  whole: number
}

/**
 * The colour that all four sides of a picture have, such as that of a border or of a plain background; null where they differ or are not of one colour.
 *
 * @param rgb [height, width, 3] sRGB bytes.
 */
export function edgeOf(rgb: Uint8Array, width: number, height: number): EdgeColour | null {
  const inset = Math.max(1, Math.round(INSET * Math.min(width, height)))
  if (Math.min(width, height) <= 2 * inset) return null
  const mean = (places: readonly (readonly [x: number, y: number])[]) => {
    const sums = new Array<number>(COLOURS.length).fill(0)
    for (const [x, y] of places) {
      const at = (Math.floor(y) * width + Math.floor(x)) * 3
      addMembership(rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0, 1 / places.length, sums)
    }
    return sums
  }
  const along = Array.from({ length: ON_A_SIDE }, (_, i) => (i + 0.5) / ON_A_SIDE)
  let place: number | null = null
  for (const side of [
    along.map((t) => [t * width, inset] as const),
    along.map((t) => [t * width, height - 1 - inset] as const),
    along.map((t) => [inset, t * height] as const),
    along.map((t) => [width - 1 - inset, t * height] as const),
  ]) {
    const its = mean(side).findIndex((share) => share >= ONE_COLOUR)
    if (its < 0 || (place !== null && its !== place)) return null
    place = its
  }
  const colour = COLOURS[place ?? -1]
  const across = Array.from({ length: SAMPLES }, (_, i) => (i + 0.5) / SAMPLES)
  const shares = mean(across.flatMap((y) => across.map((x) => [x * width, y * height] as const)))
  return colour === undefined ? null : { colour, whole: shares[place ?? -1] ?? 0 }
}

/**
 * Share of the rows at either edge of a line's picture that show the ground; and share of the letters' pixels that count, those that differ
 * most: the edges of letters mix with the ground.
 */
const MARGIN = 0.08
const CORE = 0.5

/**
 * How much of the letters of a line has each basic colour. Letters are the pixels that differ from the ground, which is the median of the
 * rows at the line's edges; the difference is cut by Otsu's threshold on the distance in RGB (N. Otsu, IEEE Trans. SMC 9(1), 1979).
 *
 * @param rgb [height, width, 3] sRGB bytes of the line alone.
 * @returns Eleven shares in the order of `COLOURS` that sum to at most 1.
 */
export function coloursOfLetters(rgb: Uint8Array, width: number, height: number): number[] {
  const margin = Math.max(1, Math.round(MARGIN * height))
  const pixels: { colour: [number, number, number]; edge: boolean }[] = []
  // A stroke is wider than two pixels in a line that is 48 pixels high.
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const at = (y * width + x) * 3
      pixels.push({ colour: [rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0], edge: y < margin || y >= height - margin })
    }
  }
  const edge = pixels.filter((pixel) => pixel.edge)
  const [red = 0, green = 0, blue = 0] = [0, 1, 2].map(
    (channel) => edge.map(({ colour }) => colour[channel] ?? 0).sort((a, b) => a - b)[edge.length >> 1] ?? 0,
  )
  const all = pixels.map(({ colour }) => ({
    colour,
    off: Math.round(Math.hypot(colour[0] - red, colour[1] - green, colour[2] - blue) / Math.sqrt(3)),
  }))
  const least = otsu(all.map(({ off }) => off))
  const letters = all.filter(({ off }) => off > least).sort((a, b) => b.off - a.off)
  const core = letters.slice(0, Math.ceil(CORE * letters.length))
  const sums = new Array<number>(COLOURS.length).fill(0)
  for (const { colour } of core) addMembership(...colour, 1 / core.length, sums)
  return sums
}

/** The value 0..255 that best separates two groups: largest variance between them (Otsu). */
function otsu(values: readonly number[]): number {
  const counts = new Array<number>(256).fill(0)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  const total = values.reduce((sum, value) => sum + value, 0)
  let [below, sum, best, most] = [0, 0, 0, -1]
  counts.forEach((count, value) => {
    below += count
    sum += count * value
    const above = values.length - below
    if (below === 0 || above === 0) return
    const between = below * above * (sum / below - (total - sum) / above) ** 2
    if (between > most) [best, most] = [value, between]
  })
  return best
}

/** A thing is named by a colour that has at least this share, and is this far ahead of the next one. */
const DOMINANT = 0.4
const AHEAD = 0.12
/** The hue of what is nearly black is mostly the light's: a colour beside black, or black beside a colour, must be this far ahead. */
const AHEAD_OF_BLACK = 0.3
const GREYS: ReadonlySet<Colour> = new Set(['black', 'grey', 'white'])
/**
 * A shadow turns the first colour into the second. Both count as the first if it has at least `LIT` and both together have at least
 * `TOGETHER`; a shadow never adds light.
 */
const SHADES: readonly (readonly [lit: Colour, shaded: Colour])[] = [
  ['white', 'grey'],
  ['orange', 'brown'],
]
const LIT = 0.3
const TOGETHER = 0.6
/** Gloss adds white, which turns red into pink, and nothing turns pink into red: with this share of red, and both together `TOGETHER`, it is red. */
const GLOSSY = 0.1

/**
 * The colour by which a thing may be called; null where none stands out, since then no colour may be claimed.
 * @param shares In the order of `COLOURS`.
 */
export function dominantColour(shares: readonly number[]): { colour: Colour; share: number } | null {
  const shareOf = (colour: Colour) => shares[PLACE[colour]] ?? 0
  for (const [lit, shaded] of SHADES) {
    const share = shareOf(lit) + shareOf(shaded)
    if (shareOf(lit) >= LIT && share >= TOGETHER && shareOf(lit) >= shareOf(shaded) / 2) return { colour: lit, share }
  }
  if (shareOf('red') >= GLOSSY && shareOf('red') + shareOf('pink') >= TOGETHER)
    return { colour: 'red', share: shareOf('red') + shareOf('pink') }
  const [first, second] = COLOURS.map((colour) => ({ colour, share: shareOf(colour) })).sort((a, b) => b.share - a.share)
  if (!first || !second || first.share < DOMINANT) return null
  const dark = [first, second].some(({ colour }) => colour === 'black') && [first, second].some(({ colour }) => !GREYS.has(colour))
  return first.share - second.share >= (dark ? AHEAD_OF_BLACK : AHEAD) ? first : null
}
