/**
 * How the camera moves, from small grey pictures of a clip. Tiles of one picture are searched for in the next; most of them must agree on a
 * shift, a growth and a turn (RANSAC, then least squares), and that motion must put more of the picture where it is than no motion does.
 *
 * Pictures are grey bytes, row-major, about 160 pixels on the longer side, without black bars, about four a second.
 */

import { type FoundTile, type GreyPicture, TILE, tilesAgain } from './tiles.ts'

/** How the ground of the picture moved between two moments: a point at (x, y) from the middle is then at shift + growth * turned (x, y). */
export interface CameraStep {
  /** Seconds of the video. */
  from: number
  to: number
  /** Shares of the picture's width and height; right and down count up. A camera that pans right shifts the picture left. */
  dx: number
  dy: number
  /** Growth of the picture less 1. */
  zoom: number
  /**
   * Share 0..1 of the tiles with texture that the step explains at least as well as no motion does; 0 where nothing fits (a cut, or nothing
   * to see).
   */
  trust: number
}

/** What stays in place over about a second. */
interface Stay {
  from: number
  to: number
  /**
   * Share 0..1 of the tiles with edges that look the same: the mean of the two quarters of the picture where this share is largest; null
   * where too few tiles have edges.
   */
  rests: number | null
  /**
   * Tiles with edges, and how many of them look the same, in each part of the picture: `PARTS` x `PARTS`, row by row. Missing in older
   * libraries.
   */
  parts?: [edged: number, rest: number][]
}

/** A part of the picture, in shares of it. */
export interface PicturePart {
  x: number
  y: number
  w: number
  h: number
}

/**
 * What lies over a part of the picture, which then says nothing about the camera: overlaid text rests whatever the camera does, and a
 * person, an animal or a vehicle moves by itself, or stays in the picture while a camera follows it.
 */
export type Cover = 'overlay' | 'mover' | null

/** What was measured of the camera in a clip. */
export interface CameraTrace {
  steps: CameraStep[]
  stays: Stay[]
}

/** The whole picture is first searched for this far, as a share of its side. */
const SWEEP = 0.35
/** A tile has texture if its grey levels deviate from their mean by this much. */
const TEXTURE = 5
/**
 * Mean difference above which a tile was not found again: in grey levels, or as a share of its texture, since fine texture that moved by
 * part of a pixel never looks the same.
 */
const LOST = { level: 14, share: 0.6 }
/**
 * A tile has edges if it differs by this much from itself shifted by two pixels, and looks the same if it changed by less than this share
 * of that difference.
 */
const EDGES = 3
const SAME = 0.35
/** As a share of the picture's longer side: tiles whose motions differ by less agree. */
const AGREE = 0.008
/** With fewer textured tiles than this there is nothing to see. */
const LEAST_TILES = 6
/** A picture is compared with the last one kept until the ground has moved this far (share of a side), or for this long (seconds). */
const FAR = 0.02
const PATIENCE = 0.95
/** If this share of the tiles rests, no motion is searched for: the camera stands. */
const QUIET = 0.75
/**
 * Number of parts on each axis of the picture in which resting tiles are counted; and the fewest tiles with edges from which a quarter says
 * anything.
 */
const PARTS = 4
const LEAST_EDGED = 3
/** In libraries without parts: if more than this share of the picture is covered, resting tiles say nothing. */
const MUCH = 0.25
/**
 * WIDE: a camera is seen to move only if at least this share of the parts has edges. Before a plain wall, whatever moves may be one thing;
 * the moving cameras of the development clips have 15 parts of 16 and more. GROUND: the direction is known only if the parts beside things
 * that move by themselves have this share.
 */
const WIDE = 0.75
const GROUND = 0.5
/** Share of a clip's seconds that must say something. */
const TELLING = 0.5
/** Below this trust a step does not count as motion. */
const TRUST = 0.3

/** x → (tx + s x - r y, ty + r x + s y) from the middle of the picture, less the identity: [tx, ty, s, r]. */
type Motion = readonly [tx: number, ty: number, growth: number, turn: number]

/** The half-size copy of each picture, which is compared with several others. */
const HALVES = new WeakMap<GreyPicture, GreyPicture>()

/** Mean of 2 x 2 pixels. */
function halved(picture: GreyPicture): GreyPicture {
  const known = HALVES.get(picture)
  if (known) return known
  const { grey, width, height } = picture
  const [w, h] = [width >> 1, height >> 1]
  const half = { grey: new Uint8Array(w * h), width: w, height: h }
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 2 * y * width + 2 * x
      half.grey[y * w + x] = ((grey[at] ?? 0) + (grey[at + 1] ?? 0) + (grey[at + width] ?? 0) + (grey[at + width + 1] ?? 0) + 2) >> 2
    }
  }
  HALVES.set(picture, half)
  return half
}

/**
 * The whole shift in pixels that brings picture `a` nearest to `b`. Differences above a limit count as that limit, so that moving things do
 * not decide.
 */
function sweep(a: GreyPicture, b: GreyPicture): [number, number] {
  const { width, height } = a
  const [mx, my] = [Math.floor(width * SWEEP), Math.floor(height * SWEEP)]
  let best: [number, number] = [0, 0]
  let least = Infinity
  const { grey: before } = a
  const { grey: after } = b
  const look = (dx: number, dy: number) => {
    const fromX = Math.max(0, -dx)
    const toX = Math.min(width, width - dx)
    const fromY = Math.max(0, -dy)
    const toY = Math.min(height, height - dy)
    const count = (toX - fromX) * (toY - fromY)
    // Among equals the nearest decides.
    const far = 0.02 * Math.sqrt(dx * dx + dy * dy)
    const most = (least - far) * count
    let sum = 0
    for (let y = fromY; y < toY && sum < most; y++) {
      const rowA = y * width
      const rowB = (y + dy) * width + dx
      for (let x = fromX; x < toX; x++) {
        const apart = Math.abs((before[rowA + x] ?? 0) - (after[rowB + x] ?? 0))
        sum += apart < 24 ? apart : 24
      }
    }
    const cost = sum / count + far
    if (cost < least) [least, best] = [cost, [dx, dy]]
  }
  // Small shifts are likelier; trying them first ends the comparison of most others early.
  look(0, 0)
  for (let dy = -my; dy <= my; dy++) for (let dx = -mx; dx <= mx; dx++) look(dx, dy)
  return best
}

/** Mean difference of grey levels between a tile of `a` and the place (u, v) further in `b`; Infinity outside. */
function difference(a: GreyPicture, b: GreyPicture, x: number, y: number, u: number, v: number): number {
  const left = x + u
  const top = y + v
  if (left < 0 || top < 0 || left + TILE > b.width || top + TILE > b.height) return Infinity
  const { grey: before, width: strideA } = a
  const { grey: after, width: strideB } = b
  let sum = 0
  for (let row = 0, rowA = y * strideA + x, rowB = top * strideB + left; row < TILE; row++, rowA += strideA, rowB += strideB) {
    for (let column = 0; column < TILE; column++) sum += Math.abs((before[rowA + column] ?? 0) - (after[rowB + column] ?? 0))
  }
  return sum / TILE ** 2
}

/** Like `difference`, at a place between pixels. */
function differenceBetween(a: GreyPicture, b: GreyPicture, x: number, y: number, u: number, v: number): number {
  const left = Math.floor(x + u)
  const top = Math.floor(y + v)
  const fx = x + u - left
  const fy = y + v - top
  if (left < 0 || top < 0 || left + TILE + 1 > b.width || top + TILE + 1 > b.height) return Infinity
  let sum = 0
  for (let row = 0; row < TILE; row++) {
    const rowA = (y + row) * a.width + x
    const rowB = (top + row) * b.width + left
    for (let column = 0; column < TILE; column++) {
      const at = rowB + column
      const upper = (b.grey[at] ?? 0) * (1 - fx) + (b.grey[at + 1] ?? 0) * fx
      const lower = (b.grey[at + b.width] ?? 0) * (1 - fx) + (b.grey[at + b.width + 1] ?? 0) * fx
      sum += Math.abs((a.grey[rowA + column] ?? 0) - upper * (1 - fy) - lower * fy)
    }
  }
  return sum / TILE ** 2
}

function deviation({ grey, width }: GreyPicture, x: number, y: number): number {
  let [sum, squares] = [0, 0]
  for (let row = 0; row < TILE; row++) {
    for (let column = 0; column < TILE; column++) {
      const value = grey[(y + row) * width + x + column] ?? 0
      sum += value
      squares += value * value
    }
  }
  return Math.sqrt(Math.max(0, squares / TILE ** 2 - (sum / TILE ** 2) ** 2))
}

/** Upper left corners of the tiles of a picture, as a grid. */
function tilesOf({ width, height }: GreyPicture): [number, number][] {
  const tiles: [number, number][] = []
  for (let y = 0; y + TILE <= height; y += TILE) for (let x = 0; x + TILE <= width; x += TILE) tiles.push([x, y])
  return tiles
}

const movedBy = ([tx, ty, growth, turn]: Motion, x: number, y: number): [number, number] => [
  tx + growth * x - turn * y,
  ty + turn * x + growth * y,
]

/** The motion that most tiles agree on. @param middle Of the picture, in the tiles' pixels. */
function agreed(tiles: readonly FoundTile[], middle: readonly [number, number], tolerance: number): Motion {
  const points = tiles.map(({ x, y, u, v }) => ({ x: x + TILE / 2 - middle[0], y: y + TILE / 2 - middle[1], u, v }))
  const near = tolerance * tolerance
  const fits = ({ x, y, u, v }: (typeof points)[number], [tx, ty, growth, turn]: Motion) => {
    const du = tx + growth * x - turn * y - u
    const dv = ty + turn * x + growth * y - v
    return du * du + dv * dv <= near
  }
  const agree = (motion: Motion) => points.filter((point) => fits(point, motion))
  let [best, most]: [Motion, number] = [[0, 0, 0, 0], 0]
  // No motion is tried first: any other motion must explain more tiles.
  const tries: Motion[] = [[0, 0, 0, 0]]
  points.forEach(({ u, v }) => tries.push([u, v, 0, 0]))
  points.forEach((a, i) => {
    for (const step of [3, 7, 16]) {
      const b = points[(i + step) % points.length]
      const apart = b ? (b.x - a.x) ** 2 + (b.y - a.y) ** 2 : 0
      if (!b || apart < 16 * TILE) continue
      // Similarity through two points, as a complex division.
      const growth = ((b.u - a.u) * (b.x - a.x) + (b.v - a.v) * (b.y - a.y)) / apart
      const turn = ((b.v - a.v) * (b.x - a.x) - (b.u - a.u) * (b.y - a.y)) / apart
      if (Math.abs(growth) > 0.35 || Math.abs(turn) > 0.2) continue
      tries.push([a.u - growth * a.x + turn * a.y, a.v - turn * a.x - growth * a.y, growth, turn])
    }
  })
  for (const motion of tries) {
    let count = 0
    for (const point of points) if (fits(point, motion)) count += 1
    if (count > most) [best, most] = [motion, count]
  }
  return fit(agree(fit(agree(best))))
}

/** Least squares of shift, growth and turn; only the shift if there are fewer than six points, or if they lie close together. */
function fit(points: readonly { x: number; y: number; u: number; v: number }[]): Motion {
  const n = points.length
  if (n === 0) return [0, 0, 0, 0]
  const mean = (of: (point: (typeof points)[number]) => number) => points.reduce((sum, point) => sum + of(point), 0) / n
  const [mx, my, mu, mv] = [mean(({ x }) => x), mean(({ y }) => y), mean(({ u }) => u), mean(({ v }) => v)]
  const spread = mean(({ x, y }) => (x - mx) ** 2 + (y - my) ** 2)
  if (n < 6 || spread < (2 * TILE) ** 2) return [mu, mv, 0, 0]
  const growth = mean(({ x, y, u, v }) => (x - mx) * (u - mu) + (y - my) * (v - mv)) / spread
  const turn = mean(({ x, y, u, v }) => (x - mx) * (v - mv) - (y - my) * (u - mu)) / spread
  return [mu - growth * mx + turn * my, mv - turn * mx - growth * my, growth, turn]
}

/**
 * The step from picture `a` to picture `b`, which have the same size.
 *
 * No motion wins unless the other motion brings more than a sixth of the textured tiles nearer to their place, and more than it takes away
 * from it.
 */
export function cameraStep(a: GreyPicture, b: GreyPicture): Omit<CameraStep, 'from' | 'to'> {
  const [halfA, halfB] = [halved(a), halved(b)]
  if ((restingShare(a, b) ?? 0) >= QUIET) return { dx: 0, dy: 0, zoom: 0, trust: 1 }
  const tiles = tilesOf(halfA).flatMap(([x, y]) => {
    const texture = deviation(halfA, x, y)
    return texture >= TEXTURE
      ? [{ x, y, lost: Math.max(LOST.level, LOST.share * texture), unmoved: difference(halfA, halfB, x, y, 0, 0) }]
      : []
  })
  const still = { dx: 0, dy: 0, zoom: 0 }
  if (tiles.length < LEAST_TILES) return { ...still, trust: 0 }
  const [coarseX, coarseY] = sweep(halved(halfA), halved(halfB))
  const seen = tilesAgain(halfA, halfB, tiles, [2 * coarseX, 2 * coarseY])
  const middle = [halfA.width / 2, halfA.height / 2] as const
  const motion = agreed(seen, middle, Math.max(0.5, Math.max(halfA.width, halfA.height) * AGREE))
  let [better, worse, fits, fitsStill] = [0, 0, 0, 0]
  for (const { x, y, lost, unmoved } of tiles) {
    const [u, v] = movedBy(motion, x + TILE / 2 - middle[0], y + TILE / 2 - middle[1])
    const moved = differenceBetween(halfA, halfB, x, y, u, v)
    if (unmoved <= lost) fitsStill++
    if (moved === Infinity) continue
    // In grey levels, beyond the noise of what fits best.
    const counts = 0.5 + 0.2 * Math.min(moved, unmoved)
    if (unmoved - moved > counts) better++
    else if (moved - unmoved > counts) worse++
    if (moved <= lost) fits++
  }
  if (better <= 2 * worse || better <= tiles.length / 6) return { ...still, trust: fitsStill / tiles.length }
  const [tx, ty, growth] = motion
  return { dx: tx / halfA.width, dy: ty / halfA.height, zoom: growth, trust: Math.max(0, fits - worse) / tiles.length }
}

/**
 * Share of the tiles with edges that stay in place, in the two quarters of the picture where most do: things that move before a standing
 * camera seldom fill three. The light may change: each tile is compared after subtracting its mean.
 */
export function restingShare(a: GreyPicture, b: GreyPicture): number | null {
  return restingOf(restingParts(a, b))
}

/** How much each tile of a picture differs from itself two pixels further, the most of four ways; a picture is compared with several others. */
const EDGES_IN = new WeakMap<GreyPicture, Float64Array>()

function edgesIn(picture: GreyPicture): Float64Array {
  const known = EDGES_IN.get(picture)
  if (known) return known
  const edges = Float64Array.from(tilesOf(picture), ([x, y]) => {
    let most = -Infinity
    for (const [u, v] of TWO_FURTHER) {
      const apart = difference(picture, picture, x, y, u, v)
      if (apart !== Infinity) most = Math.max(most, apart)
    }
    return most
  })
  EDGES_IN.set(picture, edges)
  return edges
}

const TWO_FURTHER = [
  [2, 0],
  [0, 2],
  [-2, 0],
  [0, -2],
] as const

/** Tiles with edges, and how many of them stay, by part of the picture. */
function restingParts(a: GreyPicture, b: GreyPicture): [edged: number, rest: number][] {
  const [halfA, halfB] = [halved(a), halved(b)]
  const parts = Array.from({ length: PARTS ** 2 }, (): [number, number] => [0, 0])
  const edgesOf = edgesIn(halfA)
  for (const [i, [x, y]] of tilesOf(halfA).entries()) {
    const edges = edgesOf[i] ?? 0
    const [column, row] = [Math.floor((PARTS * (x + TILE / 2)) / halfA.width), Math.floor((PARTS * (y + TILE / 2)) / halfA.height)]
    const part = parts[row * PARTS + column]
    if (edges < EDGES || !part) continue
    part[0]++
    if (changeLessLight(halfA, halfB, x, y) < SAME * edges) part[1]++
  }
  return parts
}

/** The resting share of those parts that say something. */
function restingOf(
  parts: readonly (readonly [edged: number, rest: number])[],
  lies: (part: PicturePart) => Cover = () => null,
): number | null {
  const quarters = [0, 1, 2, 3].map(() => ({ edged: 0, rest: 0 }))
  parts.forEach(([edged, rest], i) => {
    const [column, row] = [i % PARTS, Math.floor(i / PARTS)]
    const quarter = quarters[(column < PARTS / 2 ? 0 : 1) + (row < PARTS / 2 ? 0 : 2)]
    const cover = lies(partAt(i))
    if (!quarter || cover !== null) return
    quarter.edged += edged
    quarter.rest += rest
  })
  const shares = quarters.flatMap(({ edged, rest }) => (edged >= LEAST_EDGED ? [rest / edged] : []))
  const best = shares.sort((x, y) => y - x).slice(0, 2)
  return best.length === 0 ? null : best.reduce((sum, share) => sum + share, 0) / best.length
}

/** Mean difference of the grey levels of one tile in two pictures, after subtracting each one's mean. */
function changeLessLight(a: GreyPicture, b: GreyPicture, x: number, y: number): number {
  const { grey: before, width } = a
  const { grey: after } = b
  let shift = 0
  for (let row = 0, at = y * width + x; row < TILE; row++, at += width)
    for (let column = 0; column < TILE; column++) shift += (after[at + column] ?? 0) - (before[at + column] ?? 0)
  shift /= TILE ** 2
  let sum = 0
  for (let row = 0, at = y * width + x; row < TILE; row++, at += width)
    for (let column = 0; column < TILE; column++) sum += Math.abs((after[at + column] ?? 0) - (before[at + column] ?? 0) - shift)
  return sum / TILE ** 2
}

interface Kept {
  picture: GreyPicture
  time: number
}

function stayOf(anchor: Kept, here: Kept): Stay {
  const parts = restingParts(anchor.picture, here.picture)
  return { from: anchor.time, to: here.time, rests: restingOf(parts), parts }
}

/** Follows the camera over the pictures of a clip as they come. */
export class CameraGauge {
  private readonly done: CameraTrace = { steps: [], stays: [] }
  private kept: Kept | null = null
  private anchor: Kept | null = null
  private first: Kept | null = null
  private last: Kept | null = null

  /** @param time Seconds of the video, ascending. */
  add(picture: GreyPicture, time: number): void {
    const here = { picture, time }
    this.last = here
    this.kept ??= here
    this.first ??= here
    this.anchor ??= here
    if (this.kept !== here) {
      // A slow drift is less than a pixel between two pictures: one picture is kept until the ground has moved far enough, or for a while.
      const step = { from: this.kept.time, to: time, ...cameraStep(this.kept.picture, picture) }
      const gone = Math.max(Math.abs(step.dx), Math.abs(step.dy), Math.abs(step.zoom) / 2)
      if (gone >= FAR || step.trust < TRUST || time - this.kept.time >= PATIENCE) {
        this.done.steps.push(step)
        this.kept = here
      }
    }
    if (time - this.anchor.time >= PATIENCE) {
      this.done.stays.push(stayOf(this.anchor, here))
      this.anchor = here
    }
  }

  /** What was measured so far, up to the last picture. */
  get trace(): CameraTrace {
    const { done, kept, anchor, first, last } = this
    const steps = [...done.steps]
    const stays = [...done.stays]
    if (kept && last && kept !== last) steps.push({ from: kept.time, to: last.time, ...cameraStep(kept.picture, last.picture) })
    // Of a short clip the whole length says most: resting things rest over any time, and a slow move goes furthest.
    if (anchor && first && last && anchor !== last && stays.length < 2) stays.splice(0, 1, stayOf(first, last))
    return { steps, stays }
  }
}

/**
 * One movement of the camera along one axis, from one reversal to the next. `amount`: share of the picture's width or height, or growth
 * (logarithm).
 */
export interface Swing {
  way: 'left' | 'right' | 'up' | 'down' | 'nearer' | 'farther'
  from: number
  to: number
  amount: number
}

export interface CameraMotion {
  /** Null where the pictures do not show it: dark, plain, or between still and moving. */
  moves: boolean | null
  /** Sustained pans, tilts and zooms, longest way first. */
  swings: Swing[]
  /** It moves, but comes back again and again. */
  shakes: boolean
  /** Share 0..1 of the seconds in which nothing stays in place. */
  share: number
}

/** Largest share of resting tiles in a second in which the camera moves, and smallest in one in which it stands. */
const MOVED = 0.3
const STOOD = 0.38
/** In a clip of one comparison, in which the ground was seen to move a little, this share must rest: half may be what is far away from a road. */
const RESTED = 0.6
/** A swing goes at least this far, and ends where this share of it is taken back. */
const SWING = { shift: 0.08, zoom: 0.12, back: 0.5 }
/** A camera shakes if it makes at least this many steps, of which this share goes back, over at least this way in all. */
const SHAKE = { steps: 6, turns: 0.35, way: 0.1 }
/** No hand shakes this far in most steps: the tiles were found again on another ridge of a roof or slat of a fence. */
const TOO_FAR = 0.08

/**
 * What the camera does in a clip.
 *
 * @param cover What lies over most of a part of the picture at a time (seconds of the video).
 */
export function cameraMotion({ steps, stays }: CameraTrace, cover: (part: PicturePart, time: number) => Cover = () => null): CameraMotion {
  const told = stays.flatMap((stay) => {
    const lies = (part: PicturePart) => cover(part, (stay.from + stay.to) / 2)
    const rests = restsBeside(stay, lies)
    const ground = edgedShare(stay, lies) >= GROUND && edgedShare(stay, () => null) >= WIDE
    return rests === null || (rests < STOOD && !ground) ? [] : [{ rests, ground }]
  })
  const part = (of: (rests: number) => boolean) => (told.length > 0 ? told.filter(({ rests }) => of(rests)).length / told.length : 0)
  const share = part((rests) => rests <= MOVED)
  const most = (of: readonly unknown[]) => of.length >= stays.length * TELLING
  // If the ground is not in sight, the steps followed something that moves before it.
  const followed = steps.filter(({ dx, dy, zoom, trust }) => trust >= TRUST && (dx !== 0 || dy !== 0 || zoom !== 0))
  const far = followed.filter(({ dx, dy }) => Math.hypot(dx, dy) > TOO_FAR)
  const lost = shaking(followed) && 2 * far.length >= followed.length
  const path = most(told.filter(({ ground }) => ground)) && !lost ? followed : []
  const swings = [
    ...swingsOf(path, ({ dx }) => -dx, SWING.shift, ['left', 'right']),
    ...swingsOf(path, ({ dy }) => -dy, SWING.shift, ['up', 'down']),
    ...swingsOf(path, ({ zoom }) => Math.log1p(zoom), SWING.zoom, ['farther', 'nearer']),
  ].sort((a, b) => b.amount - a.amount)
  const seconds = (of: readonly CameraStep[]) => of.reduce((sum, { from, to }) => sum + to - from, 0)
  // A drift so slow that most things nearly stay in place, though the ground moves one way for most of the time.
  const drifts = swings.length > 0 && seconds(path) > 0.5 * seconds(steps)
  // The camera moves all the time, or during a part of the clip in which the ground moves one way.
  // Things that rest while the ground moves a long way are moving along with the camera: a dashboard, a frame, the sky.
  const rests = part((of) => of >= (told.length === 1 && followed.length > 0 ? RESTED : STOOD)) >= 0.7 && swings.length === 0
  const goes = drifts || share > 0.5 || (share >= 0.25 && swings.length > 0)
  const moves = told.length === 0 || !most(told) ? null : goes ? true : rests ? false : null
  return { moves, swings: moves === true ? swings : [], shakes: moves === true && shaking(path), share }
}

/** Share of the picture's parts that have edges and nothing over them; 1 in libraries without parts. */
const edgedShare = ({ parts }: Stay, lies: (part: PicturePart) => Cover) =>
  parts === undefined ? 1 : parts.filter(([edged], i) => edged > 0 && lies(partAt(i)) === null).length / parts.length

/** The `i`th part, row by row. */
const partAt = (i: number): PicturePart => ({ x: (i % PARTS) / PARTS, y: Math.floor(i / PARTS) / PARTS, w: 1 / PARTS, h: 1 / PARTS })

function restsBeside({ rests, parts }: Stay, lies: (part: PicturePart) => Cover): number | null {
  if (parts) return restingOf(parts, lies)
  const whole = Array.from({ length: PARTS ** 2 }, (_, i) => partAt(i))
  return rests !== null && rests > MOVED && whole.filter((part) => lies(part) === 'overlay').length > MUCH * whole.length ? null : rests
}

/** Whether the ground reverses at about every other step, and gets nowhere. */
function shaking(path: readonly CameraStep[]): boolean {
  const turns = path.filter(({ dx, dy }, i) => {
    const before = path[i - 1]
    return before !== undefined && dx * before.dx + dy * before.dy < 0
  })
  const sum = (of: (step: CameraStep) => number) => path.reduce((all, step) => all + of(step), 0)
  const way = sum(({ dx, dy }) => Math.hypot(dx, dy))
  return (
    path.length >= SHAKE.steps &&
    turns.length >= SHAKE.turns * path.length &&
    way > SHAKE.way &&
    way >
      3 *
        Math.hypot(
          sum(({ dx }) => dx),
          sum(({ dy }) => dy),
        )
  )
}

/**
 * The runs of a path that go at least `least` one way without taking half of it back.
 * @param ways For a falling and for a rising value.
 */
function swingsOf(
  path: readonly CameraStep[],
  of: (step: CameraStep) => number,
  least: number,
  [falling, rising]: readonly [Swing['way'], Swing['way']],
): Swing[] {
  const first = path[0]
  if (!first) return []
  const swings: Swing[] = []
  let place = 0
  let start = { place: 0, time: first.from }
  let turn = start
  const close = () => {
    const amount = turn.place - start.place
    if (Math.abs(amount) >= least)
      swings.push({ way: amount > 0 ? rising : falling, from: start.time, to: turn.time, amount: Math.abs(amount) })
    start = turn
  }
  for (const step of path) {
    place += of(step)
    const outward = Math.sign(turn.place - start.place) || Math.sign(place)
    if ((place - turn.place) * outward >= 0) turn = { place, time: step.to }
    else if ((turn.place - place) * outward >= least * SWING.back) {
      close()
      turn = { place, time: step.to }
    }
  }
  close()
  return swings
}

/**
 * How far the ground of the picture has moved by `time` since the first step, in shares of the picture; linear within a step. Growth is a
 * factor.
 */
export function groundAt(steps: readonly CameraStep[], time: number): { x: number; y: number; growth: number } {
  let [x, y, growth] = [0, 0, 1]
  for (const { from, to, dx, dy, zoom } of steps) {
    if (time <= from) break
    const share = Math.min(1, (time - from) / (to - from))
    x += dx * share
    y += dy * share
    growth *= 1 + zoom * share
  }
  return { x, y, growth }
}
