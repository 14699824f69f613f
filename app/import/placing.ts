/** Where things of an annotation file are in a video of the library: its frames, and pixels of the picture as it is shown. */
import type { Box, KeyBox, Span } from '../annotation.ts'
import { boxArea, clipBox } from '../boxes.ts'
import { decodedPicture } from '../formats/document.ts'
import type { VideoFound } from '../formats/found.ts'
import { leadOf, type Probe, secondsOf } from '../media.ts'

/** How a file counts frames and pixels: from 0 or from 1. */
export interface Counting {
  firstFrame: 0 | 1
  firstPixel: 0 | 1
}

export interface Target {
  probe: Probe
  /** By ordinal, in time base ticks. */
  pts: ArrayLike<number>
}

/** A box of a track on a frame of the video, in pixels of the display-oriented frame. */
export interface PlacedBox {
  ordinal: number
  box: Box
  score: number | null
  observed: boolean
  occluded: boolean
  outside: boolean
}

/** The pictures whose pixels a file may count, widest known first. */
export type Picture = 'decoded' | 'shown' | 'unturned' | 'scaled' | 'other'

/** Which picture a size in a file is that of: `scaled` has the same sides at another size, `other` none of them. */
export function pictureOf(found: Pick<VideoFound, 'width' | 'height'>, probe: Probe): Picture {
  const { width, height } = found
  if (width === undefined || height === undefined) return 'decoded'
  const decoded = decodedPicture(probe)
  if (width === decoded.width && height === decoded.height) return 'decoded'
  if (width === probe.width && height === probe.height) return 'shown'
  if (width === probe.codedWidth && height === probe.codedHeight) return 'unturned'
  const ratio = width / height
  const near = (other: { width: number; height: number }) => Math.abs(ratio / (other.width / other.height) - 1) < 0.02
  return near(decoded) || near(probe) ? 'scaled' : 'other'
}

/** Frames a second of a video, by the times of its frames; 0 of a single frame. */
function rateOf({ probe, pts }: Target): number {
  const count = pts.length
  const lasts = count > 1 ? secondsOf(pts[count - 1] ?? 0, probe) - secondsOf(pts[0] ?? 0, probe) : 0
  return lasts > 0 ? (count - 1) / lasts : 0
}

/** How far a rate may be from that of the video and still mean its frames: DIVE cuts 29.97 to 29, and 14.99 to 14. */
const SAME_RATE = 0.07

/**
 * Whether a file counts frames at a rate of its own and not those of the video: then its numbers are times. Where it says how many frames
 * there are, these must be the video's, but for one at the end.
 */
export function hasOwnRate({ rate, frames }: Pick<VideoFound, 'rate' | 'frames'>, video: { rate: number; frames: number }): boolean {
  if (rate === undefined || video.rate === 0) return false
  if (frames !== undefined) return Math.abs(frames - video.frames) > 1
  return Math.abs(rate / video.rate - 1) > SAME_RATE
}

/** How the numbers of frames of a file lie in a video. */
export interface Numbering {
  /** The ordinal of a number of the file: those below 0 and from the number of the video's frames on are none of it. */
  ordinalOf: (frame: number) => number
  /** The first number of the file that is after the end of the video. */
  end: number
  /** Frames of the video from one number of the file to the next, where the file counts at a rate of its own; else null. */
  step: number | null
}

/** By a rate of the file's own, a number means the frame nearest to the time at which it begins: there DIVE and Label Studio show it. */
export function numberingOf(found: VideoFound, { firstFrame }: Pick<Counting, 'firstFrame'>, target: Target): Numbering {
  const { pts, probe } = target
  const count = pts.length
  const own = rateOf(target)
  const { rate } = found
  if (rate === undefined || !hasOwnRate(found, { rate: own, frames: count }))
    return { ordinalOf: (frame) => frame - firstFrame, end: count + firstFrame, step: null }
  const at = (ordinal: number) => secondsOf(pts[ordinal] ?? 0, probe) - secondsOf(pts[0] ?? 0, probe)
  const over = at(count - 1) + 1 / own
  const ordinalOf = (frame: number) => {
    const time = (frame - firstFrame) / rate
    if (time < 0) return -1
    if (time >= over) return count
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (at(middle) < time) low = middle + 1
      else high = middle
    }
    return low > 0 && time - at(low - 1) <= at(low) - time ? low - 1 : low
  }
  return { ordinalOf, end: Math.ceil(over * rate) + firstFrame, step: own / rate }
}

/** Turns boxes of a file into boxes of the display-oriented frame, clipped to it. Null for a box that has no area in it. */
export function boxPlacer(found: VideoFound, { firstPixel }: Counting, probe: Probe): (box: Box) => Box | null {
  const picture = pictureOf(found, probe)
  const decoded = decodedPicture(probe)
  const from =
    found.relative === true
      ? { width: 1, height: 1 }
      : picture === 'unturned'
        ? decoded
        : { width: found.width ?? decoded.width, height: found.height ?? decoded.height }
  const [across, down] = [probe.width / from.width, probe.height / from.height]
  const upright = picture === 'unturned' && found.relative !== true ? turned(probe) : (box: Box) => box
  return (given) => {
    const shifted =
      firstPixel === 0 || found.relative === true ? given : { x1: given.x1 - 1, y1: given.y1 - 1, x2: given.x2 - 1, y2: given.y2 - 1 }
    const { x1, y1, x2, y2 } = upright(shifted)
    const box = clipBox(
      { x1: Math.min(x1, x2) * across, y1: Math.min(y1, y2) * down, x2: Math.max(x1, x2) * across, y2: Math.max(y1, y2) * down },
      probe,
    )
    return boxArea(box) > 0 ? box : null
  }
}

/** From the picture as it is coded to the one that is turned upright. */
function turned({ rotation, codedWidth, codedHeight }: Probe): (box: Box) => Box {
  if (rotation === 90) return ({ x1, y1, x2, y2 }) => ({ x1: codedHeight - y2, y1: x1, x2: codedHeight - y1, y2: x2 })
  if (rotation === 270) return ({ x1, y1, x2, y2 }) => ({ x1: y1, y1: codedWidth - x2, x2: y2, y2: codedWidth - x1 })
  return (box) => box
}

/** The frames of a time span in milliseconds from the beginning of the file: those nearest to its ends, at least one. Null where it lies outside. */
export function framesOfTimes({ start, end }: { start: number; end: number }, { probe, pts }: Target): Span | null {
  const lead = leadOf(probe)
  const at = (ordinal: number) => (lead + secondsOf(pts[ordinal] ?? 0, probe)) * 1000
  const count = pts.length
  if (count === 0) return null
  // The video ends a frame after the last one.
  const step = count > 1 ? (at(count - 1) - at(0)) / (count - 1) : 0
  const last = Math.max(at(count - 1) + step, (lead + probe.duration) * 1000)
  if (start >= last || end <= at(0) - 0.5) return null
  const nearest = (ms: number) => {
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >> 1
      if (at(middle) < ms) low = middle + 1
      else high = middle
    }
    const after = low < count ? at(low) : last
    return low > 0 && ms - at(low - 1) <= after - ms ? low - 1 : low
  }
  const startFrame = Math.min(nearest(start), count - 1)
  // The end of the last frame is that of the video, which subtitles often miss by some milliseconds.
  const endFrame = end >= at(count - 1) + step / 2 ? count : nearest(end)
  return { startFrame, endFrame: Math.max(startFrame + 1, endFrame) }
}

/** Pixels by which a box that was only drawn between others may differ from the line here; files hold thousandths. */
const TOLERANCE = 0.01
/** Pixels by which a line drawn by frame number may differ from ours, which goes by time. */
const DRAWN_TOLERANCE = 0.5
/** The most frames that are filled between two boxes. */
const FILLED = 4_096

/**
 * The key boxes of a track from its boxes, ascending by frame, one a frame: those that were observed, those at the ends of what is there, and
 * those between which our line would miss a box of the file.
 * @param stride Frames from one box to the next where the object goes on; after more frames it was gone. Infinity: it always goes on.
 */
export function keysOf(boxes: readonly PlacedBox[], stride: number, { probe, pts }: Target): KeyBox[] {
  const at = (ordinal: number) => pts[ordinal] ?? 0
  const drawn = stride === Infinity && probe.variableFrameRate ? filled(boxes) : boxes.map((box) => ({ ...box, tolerance: TOLERANCE }))
  const isKey = (one: PlacedBox, i: number) => {
    const [before, after] = [drawn[i - 1], drawn[i + 1]]
    if (one.observed || one.outside || !before || !after || before.outside || after.outside) return true
    return one.occluded !== before.occluded || one.ordinal - before.ordinal > stride || after.ordinal - one.ordinal > stride
  }
  const chosen = new Set(drawn.flatMap((one, i) => (isKey(one, i) ? [i] : [])))
  const stretches = [...chosen].sort((a, b) => a - b).map((from, i, all) => [from, all[i + 1] ?? from] as const)
  const open = stretches.filter(([from, to]) => to - from > 1).map(([from, to]) => [from, to] as [number, number])
  for (let stretch = open.pop(); stretch; stretch = open.pop()) {
    const [from, to] = stretch
    const missed = mostMissed(drawn, from, to, at)
    if (missed === null) continue
    chosen.add(missed)
    open.push([from, missed], [missed, to])
  }
  const keys: KeyBox[] = []
  const push = ({ ordinal, box, score, observed, occluded, outside }: PlacedBox) =>
    keys.push({
      ordinal,
      pts: at(ordinal),
      box,
      score: observed && !outside ? score : null,
      ...(occluded && !outside && { occluded }),
      ...(outside && { outside }),
    })
  for (const i of [...chosen].sort((a, b) => a - b)) {
    const one = drawn[i]
    if (!one) continue
    const last = keys.at(-1)
    if (last && last.outside !== true && one.ordinal - last.ordinal > stride && gapBefore(drawn, i, stride)) {
      const gone = drawn[i - 1] ?? one
      push({ ...gone, ordinal: gone.ordinal + 1, observed: false, occluded: false, outside: true })
    }
    if (one.outside && (last === undefined || last.outside === true)) continue
    push(one)
  }
  while (keys.at(-1)?.outside === true) keys.pop()
  return keys
}

function gapBefore(boxes: readonly PlacedBox[], i: number, stride: number): boolean {
  const [one, before] = [boxes[i], boxes[i - 1]]
  return one !== undefined && before !== undefined && one.ordinal - before.ordinal > stride
}

type DrawnBox = PlacedBox & { tolerance: number }

/** With a box on every frame, on a line by frame number, as CVAT draws it: where frames are not evenly in time, that is another line than ours. */
function filled(boxes: readonly PlacedBox[]): DrawnBox[] {
  return boxes.flatMap((one, i) => {
    const next = boxes[i + 1]
    const all: DrawnBox[] = [{ ...one, tolerance: TOLERANCE }]
    const steps = next === undefined || one.outside ? 0 : next.ordinal - one.ordinal
    if (next === undefined || steps > FILLED) return all
    for (let step = 1; step < steps; step++)
      all.push({
        ...one,
        ordinal: one.ordinal + step,
        box: between(one.box, next.box, step / steps),
        observed: false,
        tolerance: DRAWN_TOLERANCE,
      })
    return all
  })
}

function mostMissed(boxes: readonly DrawnBox[], from: number, to: number, at: (ordinal: number) => number): number | null {
  const [first, last] = [boxes[from], boxes[to]]
  if (!first || !last) return null
  const [begin, end] = [at(first.ordinal), at(last.ordinal)]
  let missed: number | null = null
  let most = 0
  for (let i = from + 1; i < to; i++) {
    const one = boxes[i]
    if (!one) continue
    const line = between(first.box, last.box, end > begin ? (at(one.ordinal) - begin) / (end - begin) : 0)
    const off = Math.max(...SIDES.map((side) => Math.abs(line[side] - one.box[side]))) - one.tolerance
    if (off > most) [missed, most] = [i, off]
  }
  return missed
}

const SIDES = ['x1', 'y1', 'x2', 'y2'] as const

function between(a: Box, b: Box, share: number): Box {
  const side = (one: number, other: number) => one + (other - one) * share
  return { x1: side(a.x1, b.x1), y1: side(a.y1, b.y1), x2: side(a.x2, b.x2), y2: side(a.y2, b.y2) }
}
