/**
 * Follows objects through a video, from boxes on sampled frames.
 *
 * On each frame the boxes that show one thing, under whatever names, become one observation. Observations and open tracks are paired by the
 * assignment of least cost. The cost compares an observation with the box that a Kalman filter of constant velocity predicts (overlap,
 * distance, size) and with the track's colours and names. Unsure boxes may continue a track but begin none: they are paired last, as in
 * ByteTrack (Zhang et al., ECCV 2022). A track has the name for which its boxes vote. It may miss its object for a while; it never
 * continues over a cut.
 */
import { munkres } from 'munkres'
import type { Box, KeyBox, Span, TrackBody } from './annotation.ts'
import { boxArea, iou } from './boxes.ts'
import { confusable, GEAR, STANDS } from './confusable.ts'
import type { CameraTrace } from './facts/camera.ts'
import type { PtsOf } from './track-edits.ts'
import { type Candidate, DEFAULT_THRESHOLD, interpolate, type Sighting, trackScore } from './tracks.ts'
import { MOVERS } from './words.ts'

/** How far the camera moved the ground in the picture: pixels, x to the right, y down. */
export interface Shift {
  dx: number
  dy: number
}

/**
 * One sampled frame, with the camera's motion since the one before if it was measured; or a frame that was skipped because it shows the
 * same as the one before.
 */
export type SampledFrame = { ordinal: number; pts: number } & ({ sightings: readonly Sighting[]; shift?: Shift } | { same: true })

/**
 * How the ground moved between two moments, in pixels of a frame, from the camera's measurements; undefined where these do not say. Where
 * an object fills most of the picture, the ground cannot be seen: it counts as resting if it rests before and after.
 *
 * @param from Seconds, as in the trace.
 */
export function groundShift({ steps }: CameraTrace, from: number, to: number, frame: { width: number; height: number }): Shift | undefined {
  const [before, after] = [
    steps.findLast((step) => step.from < from && step.trust >= TRUSTED),
    steps.find((step) => step.to > to && step.trust >= TRUSTED),
  ]
  const restsAround =
    (before !== undefined || after !== undefined) &&
    [before, after].every((step) => step === undefined || Math.hypot(step.dx, step.dy) < RESTS)
  let [seen, dx, dy] = [0, 0, 0]
  for (const step of steps) {
    const time = Math.min(step.to, to) - Math.max(step.from, from)
    if (time <= 0) continue
    seen += time
    if (step.trust < TRUSTED) {
      if (!restsAround) return undefined
      continue
    }
    dx += (frame.width * step.dx * time) / (step.to - step.from)
    dy += (frame.height * step.dy * time) / (step.to - step.from)
  }
  return seen < 0.9 * (to - from) ? undefined : { dx, dy }
}

/** What a detector and a sampling rate allow. Times in ticks of the source's time base. */
export interface Pace {
  /** The time between two sampled frames in which an object moves as far as the motion model expects: a quarter of a second. */
  step: number
  /** A track ends when its object was not seen for longer than this. */
  patience: number
  /** An object that was not seen for longer than this was absent meanwhile: no box is interpolated. */
  bridge: number
  /**
   * Whether an object counts as present from half-way between the frame before it was first seen and that one, until half-way to the frame
   * after it was last seen.
   */
  halfWay: boolean
  /** The score from which a box begins a track. */
  begin: number
  /** The score from which a box is paired before the others. */
  sure: number
}

/** For a detector with a closed list of names and sampled frames about a quarter of a second apart. */
export function detectorPace({ num, den }: { num: number; den: number }): Pace {
  const second = den / num
  return { step: second / 4, patience: 2 * second, bridge: 1.3 * second, halfWay: true, begin: 0.25, sure: 0.25 }
}

/** For a detector of any words: about `rate` sampled frames a second. @param asked The score from which a box counts by default. */
export function spottedPace({ num, den }: { num: number; den: number }, rate: number, asked: number): Pace {
  const step = den / num / Math.min(4, rate)
  return { step, patience: 2.5 * step, bridge: 1.3 * step, halfWay: true, begin: asked / 2, sure: asked }
}

/** Least trust in a step of the camera; and the largest motion of a step in which the ground counts as resting, in shares of the frame. */
const TRUSTED = 0.3
const RESTS = 0.003
/** Boxes of one name, or of two confusable names, that overlap by this much on one frame show one thing. */
const SAME_THING = 0.55
/** So do boxes of any two names that overlap by this much. */
const SAME_PLACE = 0.85
/** A box is a part of a stronger box of its name if this share of it lies inside. */
const NESTED = 0.85
/** A box that overlaps an object of its name by this much, but was not paired with it, begins no new object. */
const TWICE = 0.4
/** How far an object may be from its predicted place, in diagonals of its box. */
const REACH = 2.5
/** How far it may be off even with no uncertainty of its motion. */
const SLACK = 0.35
/** How many times larger or smaller it may look. */
const GROWTH = 3
/** The colours of two halves, and what has no word in each: tan is like tan. */
function withoutWord(colours: readonly number[]): readonly number[] {
  const middle = colours.length / 2
  const rest = [colours.slice(0, middle), colours.slice(middle)].map((half) => Math.max(0, 1 - half.reduce((sum, share) => sum + share, 0)))
  return [...colours, ...rest]
}

const shared = (a: readonly number[], b: readonly number[]) => a.reduce((sum, share, i) => sum + Math.sqrt(share * (b[i] ?? 0)), 0)

/** Two looks whose colours have less in common (Bhattacharyya coefficient 0..1) are different objects, unless the place says otherwise. */
const UNLIKE = 0.5
/** A track and a box without a common name are paired only at this overlap. */
const RENAMED = 0.7
/** An unsure box continues a track only if it overlaps the predicted place by this much. */
const UNSURE_OVERLAP = 0.3
/** A track that was not seen for more steps than this takes no unsure box. */
const UNSURE_STEPS = 3
/** Boxes on one frame beyond this number, weakest first, are ignored: the time of the assignment grows with the third power. */
const MOST = 100
/** Weights of the parts of a pairing's cost, each part 0..1. */
const WEIGHTS = { overlap: 0.5, distance: 0.7, shape: 1, colours: 0.5 }
/** From this cost on a pair counts as two objects. */
const APART = 1.4
/** Standard deviations, in diagonals of the box: of a box's place, of a new object's speed per step, of the change of speed per step. */
const NOISE = { place: 0.06, speed: 0.7, change: 0.2 }

/** What stands where it is, or is carried, does not go this far by itself, in diagonals of its box. */
const STRAYED = 0.3
/** Pixels: less is no motion of the camera. */
const LEAST_SHIFT = 0.5
/**
 * An object that moves over the ground by more than this, in diagonals of its box, is a person, an animal or a vehicle if it was sometimes
 * called one:
 */
const WENT = 1
/** within this many of its boxes, */
const WAY = 12
/** on a way that is at least this straight (ratio of distance to length), */
const STRAIGHT = 0.7
/** with at least this share of the votes of its commonest name. */
const GOER_VOTES = 0.2

/** Boxes of one frame that show one thing. */
interface Observation {
  box: Box
  score: number
  /** Best score by name. */
  names: Map<string, number>
  colours: readonly number[] | undefined
}

/** Place and speed along one coordinate: a Kalman filter of constant velocity. Pixels, and pixels per step. */
class Coordinate {
  value: number
  #speed = 0
  /** Covariance of (value, speed). */
  #vv: number
  #vs = 0
  #ss: number

  constructor(value: number, diagonal: number) {
    this.value = value
    this.#vv = (NOISE.place * diagonal) ** 2
    this.#ss = (NOISE.speed * diagonal) ** 2
  }

  /** Value and its variance after `steps`. */
  expected(steps: number, diagonal: number): { value: number; variance: number } {
    const change = (NOISE.change * diagonal) ** 2
    return {
      value: this.value + this.#speed * steps,
      variance: this.#vv + 2 * steps * this.#vs + steps ** 2 * this.#ss + (change * steps ** 3) / 3,
    }
  }

  update(seen: number, steps: number, diagonal: number): void {
    const change = (NOISE.change * diagonal) ** 2
    const { value, variance } = this.expected(steps, diagonal)
    const vs = this.#vs + steps * this.#ss + (change * steps ** 2) / 2
    const ss = this.#ss + change * steps
    const total = variance + (NOISE.place * diagonal) ** 2
    const [gain, gainSpeed] = [variance / total, vs / total]
    this.value = value + gain * (seen - value)
    this.#speed += gainSpeed * (seen - value)
    this.#vv = (1 - gain) * variance
    this.#vs = (1 - gain) * vs
    this.#ss = ss - gainSpeed * vs
  }
}

/** Where an object was seen on a frame, and its names there. */
interface Sight {
  ordinal: number
  pts: number
  box: Box
  score: number
  names: Map<string, number>
  /** The last of the frames after it that showed the same. */
  until?: { ordinal: number; pts: number }
}

/** One object. */
class Path {
  readonly id: number
  readonly sights: Sight[] = []
  /** Sum of the scores by name. */
  readonly votes = new Map<string, number>()
  /** Number of frames that showed the same as one on which it was seen. */
  repeats = 0
  /**
   * First and last ordinal at which it counts as being in its outermost places: the edges of a shot, if it was there on the first or last
   * sampled frame of the shot.
   */
  from: number | null = null
  to: number | null = null
  /** Sum of the colours of its boxes, and the number of boxes. */
  readonly #colours = { sum: new Array<number>(22).fill(0), count: 0 }
  /** Recent colours, for comparison. */
  #look: readonly number[] | undefined
  /** How far the ground moved in the picture since it was first seen, as far as known. */
  #ground: [number, number] = [0, 0]
  /** Its recent places on the ground. */
  #way: [number, number][] = []
  /** How far it was seen to go by itself in a short while, in diagonals of its box; 0 where that was not straight. */
  #went = 0
  /** Whether the camera ever moved. */
  #carried = false
  readonly #centre: [Coordinate, Coordinate]
  readonly #size: [number, number]

  constructor(id: number, at: { ordinal: number; pts: number }, seen: Observation) {
    this.id = id
    const diagonal = diagonalOf(seen.box)
    const [x, y] = centreOf(seen.box)
    this.#centre = [new Coordinate(x, diagonal), new Coordinate(y, diagonal)]
    this.#size = [seen.box.x2 - seen.box.x1, seen.box.y2 - seen.box.y1]
    this.#keep(at, seen)
  }

  get first(): Sight {
    return this.sights[0] ?? this.last
  }

  get last(): Sight {
    const last = this.sights.at(-1)
    if (last === undefined) throw new RangeError('a track without boxes')
    return last
  }

  /** When it was last seen. */
  get seen(): number {
    return this.last.until?.pts ?? this.last.pts
  }

  /** Whether it goes its own way, if only a little, before a camera that stands still: small errors of a camera's motion would add up to as much. */
  get strays(): boolean {
    return this.#went > STRAYED && !this.#carried
  }

  get name(): string {
    return nameOf(this.#possible())
  }

  /** The votes for names that it can have: an object that moves by itself is not a cell phone if it was also called a car. */
  #possible(): Map<string, number> {
    const most = Math.max(...this.votes.values())
    const goers = [...this.votes].filter(([name, vote]) => MOVERS.has(name) && vote >= GOER_VOTES * most)
    return goers.length > 0 && this.#went > WENT ? new Map(goers) : this.votes
  }

  /** Its predicted box after some steps, and the standard deviation of that in pixels. */
  expected(steps: number): { box: Box; deviation: number } {
    const [width, height] = this.#size
    const diagonal = Math.hypot(width, height)
    const [x, y] = this.#centre.map((one) => one.expected(steps, diagonal))
    if (x === undefined || y === undefined) throw new RangeError('a place has two coordinates')
    return {
      box: { x1: x.value - width / 2, y1: y.value - height / 2, x2: x.value + width / 2, y2: y.value + height / 2 },
      deviation: Math.sqrt((x.variance + y.variance) / 2),
    }
  }

  /** Bhattacharyya coefficient 0..1 of its colours and others; null if either is not known. */
  likeness(colours: readonly number[] | undefined): number | null {
    const look = this.#look
    return look === undefined || colours === undefined ? null : shared(withoutWord(colours), withoutWord(look)) / 2
  }

  see(at: { ordinal: number; pts: number }, seen: Observation, steps: number): void {
    const diagonal = diagonalOf(seen.box)
    const [x, y] = centreOf(seen.box)
    this.#centre[0].update(x, steps, diagonal)
    this.#centre[1].update(y, steps, diagonal)
    this.#size[0] += 0.6 * (seen.box.x2 - seen.box.x1 - this.#size[0])
    this.#size[1] += 0.6 * (seen.box.y2 - seen.box.y1 - this.#size[1])
    this.#keep(at, seen)
  }

  /** The camera moved by `shift`; undefined where its motion is not known. */
  carry(shift: Shift | undefined): void {
    if (shift === undefined) {
      this.#way = []
      return
    }
    const { dx, dy } = shift
    this.#carried ||= Math.hypot(dx, dy) > LEAST_SHIFT
    this.#centre[0].value += dx
    this.#centre[1].value += dy
    this.#ground = [this.#ground[0] + dx, this.#ground[1] + dy]
  }

  /**
   * Updates its place on the ground, without the camera's motion. Whether it moves by itself is decided over a short while, before small
   * errors of the camera's motion add up.
   */
  #step([x, y]: [number, number], diagonal: number): void {
    const [dx, dy] = this.#ground
    this.#way = [...this.#way.slice(1 - WAY), [x - dx, y - dy]]
    const [first, last] = [this.#way[0], this.#way.at(-1)]
    if (!first || !last || this.#way.length < 4) return
    const walked = this.#way
      .slice(1)
      .reduce((sum, [toX, toY], i) => sum + Math.hypot(toX - (this.#way[i]?.[0] ?? toX), toY - (this.#way[i]?.[1] ?? toY)), 0)
    const went = Math.hypot(last[0] - first[0], last[1] - first[1])
    if (went > STRAIGHT * walked) this.#went = Math.max(this.#went, went / diagonal)
  }

  /** It is still where it was. */
  stay(at: { ordinal: number; pts: number }, steps: number): void {
    const [x, y] = centreOf(this.last.box)
    const diagonal = diagonalOf(this.last.box)
    this.#centre[0].update(x, steps, diagonal)
    this.#centre[1].update(y, steps, diagonal)
    this.last.until = { ordinal: at.ordinal, pts: at.pts }
    this.repeats += 1
  }

  #keep({ ordinal, pts }: { ordinal: number; pts: number }, { box, score, names, colours }: Observation): void {
    this.sights.push({ ordinal, pts, box, score, names })
    this.#step(centreOf(box), diagonalOf(box))
    for (const [name, vote] of names) this.votes.set(name, (this.votes.get(name) ?? 0) + vote)
    if (colours === undefined) return
    this.#look = this.#look === undefined ? colours : this.#look.map((share, i) => share + 0.3 * ((colours[i] ?? 0) - share))
    colours.forEach((share, i) => (this.#colours.sum[i] = (this.#colours.sum[i] ?? 0) + share))
    this.#colours.count += 1
  }

  /**
   * Shares of the eleven colours over all its boxes, in their upper and then in their lower halves, rounded to a hundredth, which nobody
   * can see.
   */
  get colours(): number[] | undefined {
    const { sum, count } = this.#colours
    return count === 0 ? undefined : sum.map((share) => Math.round((1e3 * share) / count) / 1e3)
  }

  /** The scores of its name on the frames on which it was seen. */
  get scores(): number[] {
    const possible = this.#possible()
    const name = nameOf(possible)
    return this.sights.map(({ names }) => {
      const own = names.get(name) ?? 0
      // Doubt from names that it cannot have does not count.
      const impossible = Math.max(0, ...[...names].filter(([other]) => !possible.has(other)).map(([, score]) => score))
      return own / Math.max(own, 1 - impossible)
    })
  }
}

export class Tracker {
  readonly #pace: Pace
  readonly #paths: Path[] = []
  #open: Path[] = []
  /** All frames that were looked at, or skipped because they show the same. */
  readonly #frames: { ordinal: number; pts: number }[] = []
  /** Ordinal of the first frame of the shot, if a cut gave it, and the number of frames sampled before it. */
  #shot: { start: number | null; framesBefore: number } = { start: null, framesBefore: 0 }

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** The next sampled frame, in order. */
  push(frame: SampledFrame): void {
    const at = { ordinal: frame.ordinal, pts: frame.pts }
    const before = this.#frames.at(-1)
    const first = this.#frames.length === this.#shot.framesBefore
    this.#frames.push(at)
    if ('same' in frame) {
      for (const path of this.#open) if (path.seen === before?.pts) path.stay(at, (at.pts - before.pts) / this.#pace.step)
      return
    }
    this.#open = this.#open.filter((path) => at.pts - path.seen <= this.#pace.patience)
    const seen = observations(frame.sightings)
    if (!first) for (const path of this.#open) path.carry(frame.shift)
    const [sure, unsure] = [seen.filter(({ score }) => score >= this.#pace.sure), seen.filter(({ score }) => score < this.#pace.sure)]
    const carriedOn = new Set<Path>()
    const left: Observation[] = []
    for (const [some, open] of [
      [sure, () => this.#open],
      [unsure, () => this.#open.filter((path) => !carriedOn.has(path))],
    ] as const) {
      const taken = this.#assign(open(), some, at.pts, some === unsure)
      some.forEach((one, i) => {
        const path = taken.get(i)
        if (path === undefined) {
          left.push(one)
          return
        }
        // Ignore a hand or a leg that was taken for an object of its own, as long as it is inside the whole.
        if (
          [...taken].some(
            ([j, whole]) =>
              whole.sights.length > path.sights.length &&
              whole.name === path.name &&
              shareInside(one.box, some[j]?.box ?? one.box) >= NESTED,
          )
        )
          return
        path.see(at, one, this.#steps(path, at.pts))
        carriedOn.add(path)
      })
    }
    for (const one of left) {
      if (one.score < this.#pace.begin || [...carriedOn].some((path) => partOf(one, path))) continue
      const path = new Path(this.#paths.length + 1, at, one)
      if (first) path.from = this.#shot.start
      this.#paths.push(path)
      this.#open.push(path)
      carriedOn.add(path)
    }
  }

  /** The frame with this ordinal begins another shot, or is the first one past the video's end: no object continues. */
  cut(ordinal: number): void {
    const last = this.#frames.at(-1)
    for (const path of this.#open) if (path.seen === last?.pts) path.to = ordinal - 1
    this.#open = []
    this.#shot = { start: ordinal, framesBefore: this.#frames.length }
  }

  /**
   * The parts of all objects that lie in a span, from the frames pushed so far. An object that continues past the span's edge is cut at its
   * interpolated place. Asked again after more frames, objects may have other names, scores and places in gaps.
   *
   * @returns Every object, however unsure, by first frame, then name, then place. Scores are those of the whole objects, except where an
   * object is far less sure in the span than elsewhere.
   */
  tracksIn(span: Span, ptsOf: PtsOf, scoreOf: (evidence: Evidence) => number = objectScore): Candidate[] {
    return this.#paths
      .flatMap((path): Candidate[] => {
        const boxes = clipped(this.#keysOf(path, ptsOf), span, ptsOf)
        const { colours } = path
        return boxes.length === 0
          ? []
          : [
              {
                score: scoreOf(this.#evidenceOf(path, span)),
                body: { kind: 'track', label: path.name, boxes, object: path.id, ...(colours ? { colours } : {}) },
              },
            ]
      })
      .sort((a, b) => byAppearance(a.body, b.body))
  }

  #steps(path: Path, pts: number): number {
    return (pts - path.seen) / this.#pace.step
  }

  #evidenceOf(path: Path, span: Span): Evidence {
    const { first, last, repeats, name, scores } = path
    const inside = ({ ordinal }: { ordinal: number }) => ordinal >= span.startFrame && ordinal < span.endFrame
    const here = scores.filter((_, i) => path.sights.slice(i, i + 1).some(inside))
    const { patience } = this.#pace
    const somebody = (other: Path) =>
      other.name === 'person' && other.sights.length > 1 && other.first.pts <= last.pts + patience && other.last.pts >= first.pts - patience
    const frames = this.#after(last.ordinal) - this.#after(first.ordinal - 1)
    const nobody = !this.#paths.some(somebody)
    const likely = nobody ? likelyAlone(name, path.strays) : 1
    // A post that is paired with a person who walks past it later is no person before that; a thing that comes in view moves.
    if (here.length >= ENOUGH && betterHalf(here) < WEAK * betterHalf(scores) && rests(path.sights.filter(inside)))
      return { scores: here, looks: here.length, repeats: 0, likely }
    return { scores, looks: Math.max(scores.length, frames - repeats), repeats, likely }
  }

  #keysOf(path: Path, ptsOf: PtsOf): KeyBox[] {
    const keys: KeyBox[] = []
    const key = ({ ordinal, pts }: { ordinal: number; pts: number }, { box, score }: Sight): KeyBox => ({ ordinal, pts, box, score })
    path.sights.forEach((sight, i) => {
      const begin = i === 0 ? (path.from ?? this.#halfWay(sight.ordinal, -1)) : sight.ordinal
      if (begin < sight.ordinal) keys.push(key({ ordinal: begin, pts: ptsOf(begin) }, sight))
      keys.push(key(sight, sight))
      if (sight.until) keys.push(key(sight.until, sight))
      const end = sight.until ?? sight
      const next = path.sights[i + 1]
      if (next === undefined) {
        const last = path.to ?? this.#halfWay(end.ordinal, 1)
        if (last > end.ordinal) keys.push(key({ ordinal: last, pts: ptsOf(last) }, sight))
      } else if (next.pts - end.pts > this.#pace.bridge) {
        const missed = this.#frames[this.#after(end.ordinal)]
        if (missed && missed.ordinal < next.ordinal) keys.push({ ...key(missed, sight), outside: true })
      }
    })
    return keys
  }

  /** Half-way between a frame and the next (1) or previous (-1) one that was looked at: an object came or went somewhere in between. */
  #halfWay(ordinal: number, way: 1 | -1): number {
    if (!this.#pace.halfWay) return ordinal
    const other = this.#frames[way === 1 ? this.#after(ordinal) : this.#after(ordinal - 1) - 1]
    return other ? ordinal + Math.trunc((other.ordinal - ordinal) / 2) : ordinal
  }

  /** Index of the first frame after one, by bisection. */
  #after(ordinal: number): number {
    let [low, high] = [0, this.#frames.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#frames[middle]?.ordinal ?? Infinity) > ordinal) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The open track that each observation continues, by index of the observation. */
  #assign(open: readonly Path[], seen: readonly Observation[], pts: number, unsure: boolean): Map<number, Path> {
    const taken = new Map<number, Path>()
    if (open.length === 0 || seen.length === 0) return taken
    const costs = open.map((path) => {
      const steps = this.#steps(path, pts)
      if (unsure && steps > UNSURE_STEPS) return seen.map(() => null)
      const expectation = path.expected(steps)
      return seen.map((one) => costOf(path, expectation, one, unsure))
    })
    for (const [row, column] of munkres(costs.map((of) => of.map((cost) => cost ?? APART)))) {
      const path = open[row]
      if (path && (costs[row]?.[column] ?? null) !== null) taken.set(column, path)
    }
    return taken
  }
}

/** How unlikely it is that an observation shows the object of a path: 0 is exactly as predicted; null rules it out. */
function costOf(path: Path, { box, deviation }: { box: Box; deviation: number }, seen: Observation, unsure: boolean): number | null {
  const growth = Math.sqrt((boxArea(seen.box) + 1) / (boxArea(box) + 1))
  const diagonal = (diagonalOf(box) + diagonalOf(seen.box)) / 2 + 1
  const [x, y] = centreOf(box)
  const [seenX, seenY] = centreOf(seen.box)
  const distance = Math.hypot(seenX - x, seenY - y) / diagonal
  const reach = Math.min(REACH, SLACK + (3 * deviation) / diagonal)
  if (distance > reach || growth > GROWTH || growth < 1 / GROWTH) return null
  const overlap = iou(box, seen.box)
  if (unsure && overlap < UNSURE_OVERLAP) return null
  const { name } = path
  const rename = seen.names.has(name)
    ? 0
    : [...seen.names.keys()].some((other) => confusable(name, other))
      ? 0.2
      : overlap >= RENAMED || (distance < 0.3 && shapeOverlap(box, seen.box) > 0.5)
        ? 0.4
        : null
  if (rename === null) return null
  const likeness = path.likeness(seen.colours)
  if (likeness !== null && likeness < UNLIKE && overlap < RENAMED) return null
  const cost =
    WEIGHTS.overlap * (1 - overlap) +
    WEIGHTS.distance * (distance / reach) +
    WEIGHTS.shape * (1 - shapeOverlap(box, seen.box)) +
    rename +
    (likeness === null ? 0 : WEIGHTS.colours * (1 - likeness))
  return cost < APART ? cost : null
}

/** Intersection over union, 0..1, of two boxes moved to the same place. */
function shapeOverlap(a: Box, b: Box): number {
  const [width, height] = [
    [a.x2 - a.x1, b.x2 - b.x1],
    [a.y2 - a.y1, b.y2 - b.y1],
  ].map((sides) => Math.min(...sides))
  const both = (width ?? 0) * (height ?? 0)
  return both / (boxArea(a) + boxArea(b) - both || 1)
}

/** One observation for each thing: best first, with every name that it got. */
function observations(sightings: readonly Sighting[]): Observation[] {
  const seen: Observation[] = []
  const best = sightings
    .toSorted((a, b) => b.score - a.score || a.box.x1 - b.box.x1 || a.box.y1 - b.box.y1 || a.label.localeCompare(b.label))
    .slice(0, MOST)
  for (const { box, score, label, colours } of best) {
    const same = seen.find((one) => {
      const overlap = iou(one.box, box)
      return overlap >= SAME_PLACE || (overlap >= SAME_THING && [...one.names.keys()].some((name) => confusable(name, label)))
    })
    if (same) same.names.set(label, same.names.get(label) ?? score)
    else if (!seen.some((one) => one.names.has(label) && shareInside(box, one.box) >= NESTED))
      seen.push({ box, score, names: new Map([[label, score]]), colours })
  }
  return seen
}

/** Whether an observation is a second box, or a box of a part, of an object that was just seen. */
function partOf(one: Observation, { name, last }: Path): boolean {
  if (!one.names.has(name) && ![...one.names.keys()].some((other) => confusable(name, other))) return false
  return iou(one.box, last.box) >= TWICE || (one.names.has(name) && shareInside(one.box, last.box) >= NESTED)
}

function nameOf(votes: ReadonlyMap<string, number>): string {
  return [...votes].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
}

/** Share 0..1 of a box that lies in another. */
function shareInside(box: Box, other: Box): number {
  return (
    boxArea({
      x1: Math.max(box.x1, other.x1),
      y1: Math.max(box.y1, other.y1),
      x2: Math.min(box.x2, other.x2),
      y2: Math.min(box.y2, other.y2),
    }) / (boxArea(box) || 1)
  )
}

/** In a clip where an object's scores are below this share of those in the whole video, only those in the clip count, if it has so many. */
const WEAK = 0.5
const ENOUGH = 4

/** Whether a thing stays where it is, but for the jitter of its boxes: within this share of their diagonal. */
const STAYS = 0.25
function rests(sights: readonly { box: Box }[]): boolean {
  const [first, last] = [sights[0], sights.at(-1)]
  if (!first || !last) return false
  const [[x1, y1], [x2, y2]] = [centreOf(first.box), centreOf(last.box)]
  return Math.hypot(x2 - x1, y2 - y1) < STAYS * diagonalOf(first.box)
}

/** Mean of the better half of some scores. */
function betterHalf(scores: readonly number[]): number {
  const best = scores.toSorted((a, b) => b - a).slice(0, Math.ceil(scores.length / 2))
  return best.reduce((sum, score) => sum + score, 0) / best.length
}

/**
 * Factor on the evidence for an object where no person is: less for one that is hardly ever seen without somebody, such as a kite; and for one that stands
 * or is carried, such as a phone, and goes its own way, so little that no score is enough.
 */
function likelyAlone(name: string, strays: boolean): number {
  return strays && STANDS.has(name) ? 0.4 : GEAR.has(name) ? 0.85 : 1
}

/** The evidence for an object. */
export interface Evidence {
  /** The score of its name on each frame on which it was seen. */
  scores: readonly number[]
  /** Number of frames that were looked at from its first to its last. */
  looks: number
  /** Number of frames that showed the same as one on which it was seen, and were skipped. */
  repeats: number
  /** Factor for what is unlikely where it is seen; else 1. */
  likely: number
}

/**
 * How sure it is that an object is there and has its name, 0..1: the mean of the better half of its scores, less if it was seen on few
 * frames, and less if it was missed on others (otherwise boxes that come and go on parts of a thing would count as one more object). The
 * logistic curve was fitted to the boxes of the development clips with the detector objects-80, plain and mirrored in turn, and made
 * flatter than the best fit, since the boxes of one track are not independent.
 */
export function objectScore({ scores, looks, repeats, likely }: Evidence): number {
  const mean = betterHalf(scores)
  // A still picture says little more than a single one.
  const persistence = 1 - 0.75 ** (scores.length + Math.min(repeats, 2))
  return 1 / (1 + Math.exp(-12 * (mean * persistence * Math.sqrt(scores.length / looks) * likely - 0.375)))
}

/** The keys inside a span, with one added at each edge past which the object continues. */
export function clipped(keys: readonly KeyBox[], { startFrame, endFrame }: Span, ptsOf: PtsOf): KeyBox[] {
  const [start, end] = [edgeKey(keys, startFrame, ptsOf), edgeKey(keys, endFrame - 1, ptsOf)]
  const inside = keys.filter(({ ordinal }) => ordinal >= startFrame && ordinal < endFrame)
  const all = [
    ...(start && inside[0]?.ordinal !== startFrame ? [start] : []),
    ...inside,
    ...(end && inside.at(-1)?.ordinal !== endFrame - 1 && endFrame - 1 > startFrame ? [end] : []),
  ]
  // A final stretch out of the picture is the end of the track.
  const visible = all.findLastIndex(({ outside }) => outside !== true)
  return all.slice(0, visible + 1)
}

/** A key between two others, with an interpolated score; null where the object is not there. */
function edgeKey(keys: readonly KeyBox[], ordinal: number, ptsOf: PtsOf): KeyBox | null {
  const [before, after] = [keys.findLast((key) => key.ordinal < ordinal), keys.find((key) => key.ordinal > ordinal)]
  if (!before || !after) return null
  const pts = ptsOf(ordinal)
  const box = interpolate({ boxes: [before, after] }, pts)
  const share = (pts - before.pts) / (after.pts - before.pts)
  return box && { ordinal, pts, box, score: (before.score ?? 0) + ((after.score ?? 0) - (before.score ?? 0)) * share }
}

/**
 * Key frames across which an object of an open-vocabulary pack is bridged: such a pack sees a clip on a few frames, up to two seconds
 * apart.
 */
const KEY_FRAMES = 2

/**
 * Follow the objects of one clip that was looked at on a few key frames, each label by itself: labels are free words, and which boxes they
 * fit was decided before.
 *
 * @param least Tracks with a lower score are left out.
 * @returns By first frame, then label, then place.
 */
export function linkTracks(sightings: readonly Sighting[], least = DEFAULT_THRESHOLD): TrackBody[] {
  const frames = [...Map.groupBy(sightings, ({ ordinal }) => ordinal).values()].sort((a, b) => (a[0]?.ordinal ?? 0) - (b[0]?.ordinal ?? 0))
  // Counted in key frames: those of a clip are evenly spread, but a short clip repeats some.
  const pace = { step: 1, patience: KEY_FRAMES, bridge: Infinity, halfWay: false, begin: 0, sure: 0 }
  return [...new Set(sightings.map(({ label }) => label))]
    .flatMap((label) => {
      const tracker = new Tracker(pace)
      frames.forEach((on, frame) =>
        tracker.push({ ordinal: on[0]?.ordinal ?? 0, pts: frame, sightings: on.filter((one) => one.label === label) }),
      )
      return tracker.tracksIn({ startFrame: 0, endFrame: Infinity }, () => 0)
    })
    .map(
      ({ body: { kind, label, boxes } }): TrackBody => ({
        kind,
        label,
        boxes: boxes.map((key) => ({ ...key, pts: frames[key.pts]?.[0]?.pts ?? 0 })),
      }),
    )
    .filter((track) => trackScore(track) >= least)
    .sort(byAppearance)
}

function byAppearance(a: TrackBody, b: TrackBody): number {
  const [first, second] = [a.boxes[0], b.boxes[0]]
  if (!first || !second) return 0
  return first.ordinal - second.ordinal || a.label.localeCompare(b.label) || first.box.x1 - second.box.x1 || first.box.y1 - second.box.y1
}

function centreOf({ x1, y1, x2, y2 }: Box): [number, number] {
  return [(x1 + x2) / 2, (y1 + y2) / 2]
}

function diagonalOf({ x1, y1, x2, y2 }: Box): number {
  return Math.hypot(x2 - x1, y2 - y1)
}
