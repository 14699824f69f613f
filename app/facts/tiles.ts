/**
 * Finds tiles of one small grey picture again in the next, by the place where they differ least. Each is compared with some 450 places, for every
 * sampled frame of a video in which something moves.
 */

export interface GreyPicture {
  grey: Uint8Array
  width: number
  height: number
}

/** Side of a tile in pixels; tiles.wat has it too. */
export const TILE = 8
/** How far a tile is searched for, in pixels. */
const REACH = 5
/** A place is compared with those this far around it. */
const AROUND = 2
/** The most places of a window on one axis. */
const WINDOW = 2 * (REACH + AROUND) + 1
const PAGE = 65_536

/** A tile at (x, y), upper left, and how far from there it was found again. */
export interface FoundTile {
  x: number
  y: number
  u: number
  v: number
}

/** tiles.wat in WebAssembly's binary format; tiles.test.ts says when it is not. */
export const KERNEL = Uint8Array.from(
  atob(
    'AGFzbQEAAAABCgFgBn9/f39/fwACCgEAAW0CAQGAgAQDAgEABwUBAXQAAAqaAwGXAwICfwZ7IAD9XQAAIQggACACaiIAIAj9VwAAASEIIAAgAm' +
      'ohACAA/V0AACEJIAAgAmoiACAJ/VcAAAEhCSAAIAJqIQAgAP1dAAAhCiAAIAJqIgAgCv1XAAABIQogACACaiEAIAD9XQAAIQsgACACaiIAIAv9' +
      'VwAAASELA0AgAyEGA0AgASEHIAf9XQAAIQwgByACaiIHIAz9VwAAASIMIAj9cyAIIAz9c/1Q/X0hDSAHIAJqIQcgB/1dAAAhDCAHIAJqIgcgDP' +
      '1XAAABIgwgCf1zIAkgDP1z/VD9fSAN/Y4BIQ0gByACaiEHIAf9XQAAIQwgByACaiIHIAz9VwAAASIMIAr9cyAKIAz9c/1Q/X0gDf2OASENIAcg' +
      'AmohByAH/V0AACEMIAcgAmoiByAM/VcAAAEiDCAL/XMgCyAM/XP9UP19IA39jgEhDSAFIA39fyIN/RsAIA39GwFqIA39GwJqIA39GwNqNgIAIA' +
      'VBBGohBSABQQFqIQEgBkEBayIGDQALIAEgAmogA2shASAEQQFrIgQNAAsL',
  ),
  (byte) => byte.charCodeAt(0),
)

/** See tiles.wat. */
type Differences = (tile: number, window: number, width: number, columns: number, rows: number, out: number) => void

/** A window of places, as shifts of a tile; both ends included. */
interface Window {
  left: number
  right: number
  top: number
  bottom: number
  /** Of each place, row by row: the sum of the differences of the tile's grey levels. */
  sums: Int32Array
}

/** Memory with two pictures of one size. */
class Pair {
  readonly width: number
  readonly height: number
  readonly #bytes: Uint8Array
  readonly #differences: Differences
  /** Of two windows. */
  readonly #sums: readonly [Int32Array, Int32Array]
  /** Where the first picture begins. */
  readonly #first: number

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    const window = 4 * WINDOW ** 2
    this.#first = 2 * window
    const pages = Math.ceil((this.#first + 2 * width * height) / PAGE)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    this.#differences = new WebAssembly.Instance(new WebAssembly.Module(KERNEL), { '': { m: memory } }).exports['t'] as Differences
    this.#bytes = new Uint8Array(memory.buffer)
    this.#sums = [new Int32Array(memory.buffer, 0, WINDOW ** 2), new Int32Array(memory.buffer, window, WINDOW ** 2)]
  }

  set(a: Uint8Array, b: Uint8Array): void {
    this.#bytes.set(a, this.#first)
    this.#bytes.set(b, this.#first + a.length)
  }

  /** The window around a shift of a tile that lies within the picture; null if none of it does. `which`: a later one of the same number replaces it. */
  window(x: number, y: number, [u, v]: readonly [number, number], which: 0 | 1): Window | null {
    const far = REACH + AROUND
    const [left, right] = [Math.max(u - far, -x), Math.min(u + far, this.width - TILE - x)]
    const [top, bottom] = [Math.max(v - far, -y), Math.min(v + far, this.height - TILE - y)]
    if (left > right || top > bottom) return null
    const second = this.#first + this.width * this.height
    const sums = this.#sums[which]
    this.#differences(
      this.#first + y * this.width + x,
      second + (y + top) * this.width + x + left,
      this.width,
      right - left + 1,
      bottom - top + 1,
      sums.byteOffset,
    )
    return { left, right, top, bottom, sums }
  }
}

/** Mean difference of grey levels at a shift; Infinity outside of the window. */
function differenceAt({ left, right, top, bottom, sums }: Window, u: number, v: number): number {
  if (u < left || u > right || v < top || v > bottom) return Infinity
  return (sums[(v - top) * (right - left + 1) + u - left] ?? Infinity) / TILE ** 2
}

/** Nearly always the next pictures have the size of the last. */
let pair: Pair | null = null

/**
 * The tiles of picture `a` that are found again in `b`, which has the same size, near no shift or near `guess` (whole pixels): those whose place is
 * certain along both axes. `lost`: the mean difference above which a tile was not found.
 */
export function tilesAgain(
  a: GreyPicture,
  b: GreyPicture,
  tiles: readonly { x: number; y: number; lost: number }[],
  guess: readonly [number, number],
): FoundTile[] {
  if (pair?.width !== a.width || pair.height !== a.height) pair = new Pair(a.width, a.height)
  const both = pair
  both.set(a.grey, b.grey)
  return tiles.flatMap(({ x, y, lost }) => found(both, x, y, lost, guess) ?? [])
}

function found(both: Pair, x: number, y: number, lost: number, guess: readonly [number, number]): FoundTile | null {
  const near = both.window(x, y, [0, 0], 0)
  if (near === null) return null
  let [u, v, least, place] = [0, 0, differenceAt(near, 0, 0), near]
  const search = (window: Window, [gu, gv]: readonly [number, number]) => {
    for (let dv = Math.max(gv - REACH, window.top); dv <= Math.min(gv + REACH, window.bottom); dv++) {
      for (let du = Math.max(gu - REACH, window.left); du <= Math.min(gu + REACH, window.right); du++) {
        const value = differenceAt(window, du, dv)
        if (value < least) [u, v, least, place] = [du, dv, value, window]
      }
    }
  }
  search(near, [0, 0])
  const further = Math.hypot(...guess) < 2 ? null : both.window(x, y, guess, 1)
  if (further) search(further, guess)
  if (least > lost) return null
  const at = (du: number, dv: number) => differenceAt(place, u + du, v + dv)
  const [west, east, north, south] = [at(-1, 0), at(1, 0), at(0, -1), at(0, 1)]
  // A straight edge matches anywhere along itself, so the tile must fit clearly less well two pixels to either side; at one pixel it may
  // fit as well, when the true place is half-way.
  const clear = least + 1 + 0.15 * least
  if (Math.min(at(-2, 0), at(2, 0), at(0, -2), at(0, 2)) < clear) return null
  return { x, y, u: u + between(west, least, east), v: v + between(north, least, south) }
}

/** Position -0.5..0.5 of the minimum of a parabola through three neighbours. */
function between(before: number, here: number, after: number): number {
  const bend = before - 2 * here + after
  return Number.isFinite(bend) && bend > 1e-6 ? Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend))) : 0
}
