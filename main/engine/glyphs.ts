/**
 * What the letters of one line looked like when the reader read them. A clock, a counter or a score shows the same few digits at the same places again and
 * again: from the second time on they are told by comparing pixels, which costs a hundredth of a run of the reader.
 */

/** Height of a crop, and the width of the strips that are compared as a whole, pixels. */
const HEIGHT = 48
const STRIP = 4
/** A column has ink if its grey levels differ by this share of the crop's contrast. */
const INK = 0.25
/** With less contrast, grey levels 0..255, noise would decide. */
const LEAST_CONTRAST = 60
/** Shares of the contrast: strips of the same letter differ by less than SAME; those of different letters must differ by more than OTHER somewhere. */
const SAME = 0.03
const OTHER = 0.05
/** By so many pixels the edges of a letter may lie elsewhere. */
const JITTER = 1
/** A line with more letters than this at one place is no counter. */
const MOST = 40

/** A letter at its place, and what is needed to know it again. */
interface Glyph {
  symbol: string
  /** Its columns of the crop. */
  from: number
  to: number
  /** [HEIGHT, to - from] */
  grey: Uint8Array
  /** Certainty of the reading that it is from. */
  confidence: number
}

interface Ink {
  /** [HEIGHT, width] */
  grey: Uint8Array
  width: number
  contrast: number
  letters: { from: number; to: number }[]
}

export class Glyphs {
  #known: Glyph[] = []
  /** The text that was read last: where its spaces are. */
  #like = ''
  /** Whether two different letters looked alike: then none is told any more. */
  #doubtful = false

  /** @param crop RGB [48, width, 3] in which `text` was read surely. */
  learn(crop: Uint8Array, width: number, text: string, confidence: number): void {
    const ink = inkOf(crop, width)
    const symbols = Array.from(text).filter((symbol) => symbol !== ' ')
    const letters = ink && inPieces(ink.letters, symbols.length)
    if (this.#doubtful || ink === null || letters === null) return
    this.#like = text
    for (const [i, letter] of letters.entries()) {
      const symbol = symbols[i] ?? ''
      const alike = this.#known.filter((glyph) => difference(glyph, letter, ink) <= OTHER)
      if (alike.some((glyph) => glyph.symbol !== symbol)) {
        this.#doubtful = true
        this.#known = []
        return
      }
      if (alike.some((glyph) => difference(glyph, letter, ink) <= SAME)) continue
      this.#known.push({ symbol, ...letter, grey: cut(ink, letter), confidence })
    }
    if (this.#known.length > MOST) this.#known = this.#known.slice(-MOST)
  }

  /** The text of another crop of the same place, if each of its letters is known there; else null. */
  read(crop: Uint8Array, width: number): { text: string; confidence: number } | null {
    const ink = this.#known.length === 0 ? null : inkOf(crop, width)
    const like = Array.from(this.#like)
    const letters = ink && inPieces(ink.letters, like.filter((symbol) => symbol !== ' ').length)
    if (ink === null || letters === null) return null
    let [text, confidence, at] = ['', 1, 0]
    for (const symbol of like) {
      const letter = symbol === ' ' ? null : letters[at++]
      const glyph = letter ? this.#known.find((one) => difference(one, letter, ink) <= SAME) : { symbol, confidence }
      if (glyph === undefined) return null
      text += glyph.symbol
      confidence = Math.min(confidence, glyph.confidence)
    }
    return { text, confidence }
  }
}

/**
 * Where so many letters are, if some of them touch: the widest pieces are halved, or cut into three or more. That need not hit the gaps, since only
 * pixels are compared: the same digits at the same places are cut alike. Null where there are more pieces than letters.
 */
function inPieces(pieces: Ink['letters'], count: number): Ink['letters'] | null {
  if (pieces.length > count || pieces.length === 0) return null
  const parts = pieces.map(() => 1)
  const widthOf = (i: number) => ((pieces[i]?.to ?? 0) - (pieces[i]?.from ?? 0)) / (parts[i] ?? 1)
  for (let more = count - pieces.length; more > 0; more--) {
    const widest = pieces.reduce((best, _, i) => (widthOf(i) > widthOf(best) ? i : best), 0)
    parts[widest] = (parts[widest] ?? 1) + 1
  }
  return pieces.flatMap(({ from, to }, i) => {
    const edges = Array.from({ length: (parts[i] ?? 1) + 1 }, (_, part) => Math.round(from + ((to - from) * part) / (parts[i] ?? 1)))
    return edges.slice(1).map((end, part) => ({ from: edges[part] ?? from, to: end }))
  })
}

/** The letters of a crop from left to right, if its columns without ink separate them; null where there is too little contrast. */
function inkOf(crop: Uint8Array, width: number): Ink | null {
  const grey = new Uint8Array(HEIGHT * width)
  for (let i = 0; i < grey.length; i++) grey[i] = ((crop[3 * i] ?? 0) + 2 * (crop[3 * i + 1] ?? 0) + (crop[3 * i + 2] ?? 0)) >> 2
  const [least, most] = [new Uint8Array(width).fill(255), new Uint8Array(width)]
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < width; x++) {
      const level = grey[y * width + x] ?? 0
      if (level < (least[x] ?? 0)) least[x] = level
      if (level > (most[x] ?? 0)) most[x] = level
    }
  const contrast = Math.max(...most) - Math.min(...least)
  if (contrast < LEAST_CONTRAST) return null
  const letters: Ink['letters'] = []
  let from = -1
  for (let x = 0; x <= width; x++) {
    const inked = x < width && (most[x] ?? 0) - (least[x] ?? 0) > INK * contrast
    if (inked && from < 0) from = x
    if (inked || from < 0) continue
    letters.push({ from, to: x })
    from = -1
  }
  return { grey, width, contrast, letters }
}

function cut({ grey, width }: Ink, { from, to }: { from: number; to: number }): Uint8Array {
  const out = new Uint8Array(HEIGHT * (to - from))
  for (let y = 0; y < HEIGHT; y++) out.set(grey.subarray(y * width + from, y * width + to), y * (to - from))
  return out
}

/** The largest mean difference of a strip, as a share of the contrast; Infinity for a letter at another place or of another width. */
function difference({ from, to, grey: before }: Glyph, letter: { from: number; to: number }, { grey, width, contrast }: Ink): number {
  if (Math.abs(from - letter.from) > JITTER || Math.abs(to - letter.to) > JITTER) return Infinity
  const wide = to - from
  let largest = 0
  for (let left = 0; left < wide; left += STRIP) {
    const right = Math.min(left + STRIP, wide)
    let sum = 0
    for (let y = 0; y < HEIGHT; y++)
      for (let x = left; x < right; x++) sum += Math.abs((before[y * wide + x] ?? 0) - (grey[y * width + from + x] ?? 0))
    largest = Math.max(largest, sum / (HEIGHT * (right - left)))
  }
  return largest / contrast
}
