/** From measurements to statements, each with its evidence and its reliability. */
import type { Box } from '../annotation.ts'
import { boxArea, sharedArea } from '../boxes.ts'
import { type Colour, dominantColour } from '../colours.ts'
import { type CameraMotion, cameraMotion, type Cover, type PicturePart } from './camera.ts'
import type { ClipMeasures, Moment, TextLine, ThingBox, Things, ThingTrack } from './input.ts'
import { type LightKind, type LightStretch, lightStretches } from './light.ts'
import { type Motion, motionOf } from './motion.ts'
import { reliabilityOf, SURE } from './reliability.ts'
import { FIXTURES, MOVERS, SEEN_THROUGH } from '../words.ts'
import { readable, readableParts, type Stretch } from './unread.ts'

export interface FactEvidence {
  frames: Moment[]
  boxes: (Moment & { box: Box })[]
  numbers: Record<string, number>
}

interface Stated {
  evidence: FactEvidence
  /** 0..1: how often statements of this kind are right. */
  reliability: number
}

/**
 * One object: where, how large, which way, which colour. Places and sizes are shares of the picture, averaged over the time it is there.
 */
export interface ThingFact extends Stated {
  kind: 'thing'
  label: string
  track: ThingTrack
  /** When it is first and last seen. */
  from: number
  to: number
  x: number
  y: number
  area: number
  /** Motion in the picture. */
  motion: Motion | null
  /** Motion over the ground: the same as in the picture if the camera stands; null if it is not known. */
  ground: Motion | null
  /** Null also for people, whose clothes have several colours, and for what is seen through. */
  colour: Colour | null
}

/** All objects of one name. */
export interface NameFact extends Stated {
  kind: 'name'
  label: string
  /** When at least one of them is there, in order. */
  there: { from: number; to: number }[]
  /** The most at once, when that is first reached, and how many different ones there are. */
  most: number
  mostAt: Moment
  distinct: number
  /** The most at once of those that are sure: less than `most` where some of so many may be wrong. */
  sure: number
  /** There may be more than `most`: weaker boxes of the name, which do not count, are there at the same time. */
  more: boolean
}

/** Two objects that overlap for most of the time in which both are there. */
interface OverlapFact extends Stated {
  kind: 'overlap'
  labels: [string, string]
}

interface CameraFact extends Stated {
  kind: 'camera'
  motion: CameraMotion
}

interface LightFact extends Stated {
  kind: 'light'
  light: LightKind
  from: number
  to: number
}

/** The parts of the clip that could not be read: nothing is stated about them. */
interface UnreadFact extends Stated {
  kind: 'unread'
  unread: readonly Stretch[]
}

export interface TextFact extends Stated {
  kind: 'text'
  line: TextLine
}

export type Fact = ThingFact | NameFact | OverlapFact | CameraFact | LightFact | TextFact | UnreadFact

/** A number counts if it holds on this many consecutive frames that were looked at. */
const HOLDS = 2
/** Boxes overlap if this share of the smaller one is covered. */
const COVERED = 0.3
/** Reliability of a thing on a drawing, or of a person seen only in part. */
const GUESS = 0.5
/** A line counts from this confidence of the reader on. */
const READ = 0.7

/**
 * How often such a track is right, 0..1; below `SURE` it is unsure wherever it is shown. By its score if somebody asked for its name, drew
 * it or decided about it; else also by how often such a name is right.
 */
export function trackReliability(
  { label, score, asked: wanted, part = false }: Pick<ThingTrack, 'label' | 'score' | 'asked' | 'part'>,
  { asked, volunteered, drawn = false }: Pick<Things, 'asked' | 'volunteered' | 'drawn'>,
): number {
  if (drawn && score < 1) return GUESS
  const points = [
    [0, 0],
    [asked, 0.5],
    [volunteered, 0.75],
    [1, 1],
  ] as const
  const next = points.findIndex(([at]) => score <= at)
  const [[from, low], [to, high]] = [points[next - 1] ?? points[0], points[next] ?? [1, 1]]
  const byScore = to > from ? low + ((score - from) * (high - low)) / (to - from) : high
  return wanted === true || score >= 1 ? byScore : Math.min(byScore, reliabilityOf(label, score), part ? GUESS : 1)
}

/**
 * How often such a track is one more of its name, 0..1: where somebody asked for the name, a weak one is shown, since one is probably there; but a
 * second weak one is no surer for that.
 */
export function countReliability(track: ThingTrack, things: Things): number {
  return trackReliability({ ...track, score: track.found ?? track.score }, things)
}

/** A motion is stated from this clarity on. */
const CLEAR = 0.62

/**
 * The motion of a thing that may be stated: the same way in the picture and over the ground. Before a camera that goes along, what rides to the
 * right moves to the left in the picture. Null where the two differ, or where the camera is not known.
 */
export function statedMotion({ motion, ground }: Pick<ThingFact, 'motion' | 'ground'>): Motion | null {
  return motion !== null && motion.clarity >= CLEAR && ground?.way === motion.way ? motion : null
}

/** Every statement about a clip. @param least The track score from which a thing counts: `things.volunteered`, unless it was asked for. */
export function factsOf(measured: ClipMeasures, least = measured.things?.volunteered ?? 1): Fact[] {
  const clip = readable(measured)
  const camera = cameraFact(clip)
  return [
    ...(clip.things ? thingsFacts(clip, clip.things, camera.motion, least) : []),
    camera,
    ...lightFacts(clip),
    ...textFacts(clip),
    ...unreadFacts(clip),
  ]
}

function unreadFacts({ unread = [] }: ClipMeasures): UnreadFact[] {
  const seconds = unread.reduce((sum, { from, to }) => sum + to - from, 0)
  return unread.length === 0 ? [] : [{ kind: 'unread', unread, evidence: { frames: [], boxes: [], numbers: { seconds } }, reliability: 1 }]
}

function thingsFacts(clip: ClipMeasures, things: Things, camera: CameraMotion, least: number): Fact[] {
  const tracks = things.tracks.filter(({ score }) => score >= least)
  const best = (facts: (NameFact | ThingFact)[]) => facts.sort((a, b) => b.reliability - a.reliability)
  return [
    ...best([...Map.groupBy(tracks, ({ label }) => label)].flatMap(([label, of]) => nameFact(label, of, things, least) ?? [])),
    ...best(tracks.flatMap((track) => thingFact(track, clip, things, camera) ?? [])),
    ...overlapFacts(tracks, things),
  ]
}

/** The box of a track at a time, linear between its boxes; null while the object is not in the picture. */
export function boxAt({ boxes }: Pick<ThingTrack, 'boxes'>, time: number): Box | null {
  const next = boxes.findIndex((one) => one.time >= time)
  const after = boxes[next]
  if (!after) return null
  if (after.time === time) return after.outside === true ? null : after.box
  const before = boxes[next - 1]
  if (!before || before.outside === true) return null
  const share = (time - before.time) / (after.time - before.time)
  const between = (a: number, b: number) => a + (b - a) * share
  return {
    x1: between(before.box.x1, after.box.x1),
    y1: between(before.box.y1, after.box.y1),
    x2: between(before.box.x2, after.box.x2),
    y2: between(before.box.y2, after.box.y2),
  }
}

/** A box weaker than this share of its track's best tells nothing at either end of the track. */
const WEAK = 0.5

/**
 * When a track can be counted on: from its first to its last box that is not weak beside its best. Before and after, what was paired with it may be
 * another thing that stood there (a post, before a person walks past it), which must not make one more.
 */
function strongSpan({ boxes }: ThingTrack): { from: number; to: number } {
  const best = Math.max(...boxes.map(({ score }) => score ?? 1))
  const strong = boxes.filter(({ score }) => (score ?? 1) >= WEAK * best)
  return { from: strong[0]?.time ?? Infinity, to: strong.at(-1)?.time ?? -Infinity }
}

/** Whether a person drew the track or decided about it: no detector's track is that sure. */
export const isDecided = ({ score }: Pick<ThingTrack, 'score'>): boolean => score >= 1

/** The first box of a track that is in the picture; undefined if there is none. */
export function firstSeen({ boxes }: Pick<ThingTrack, 'boxes'>): ThingBox | undefined {
  return boxes.find(({ outside }) => outside !== true)
}

/** The frames that were looked at, and those with a key box of a track that a person decided about, in order. */
export function knownMoments(tracks: readonly ThingTrack[], looked: readonly Moment[]): Moment[] {
  const keys = tracks.filter(isDecided).flatMap(({ boxes }) => boxes.map(({ ordinal, time }) => ({ ordinal, time })))
  return [...new Map([...keys, ...looked].map((one) => [one.ordinal, one])).values()].sort((a, b) => a.time - b.time)
}

/** `at`: a frame on which they are there. `from`: when the last of them begins, in seconds. `held`: false for one that was seen on one frame only. */
export interface MostAtOnce {
  most: number
  at: Moment
  from: number
  held: boolean
}

/**
 * The most at once, and when that is first reached; null if none of the tracks is ever in the picture. A detector's tracks count as far as
 * they can be counted on, and if they are there on two consecutive frames that were looked at (on one, if only few were). What a person
 * decided about counts wherever it is, however short.
 */
export function mostAtOnce(tracks: readonly ThingTrack[], looked: readonly Moment[]): MostAtOnce | null {
  const spans = tracks.map((track) => ({ track, ...strongSpan(track) }))
  const [theirs, detected] = [spans.filter(({ track }) => isDecided(track)), spans.filter(({ track }) => !isDecided(track))]
  const countAt = (of: typeof spans, time: number) =>
    of.filter(({ track, from, to }) => time >= from && time <= to && boxAt(track, time) !== null).length
  const holds = Math.min(looked.length < 3 ? 1 : HOLDS, looked.length)
  const seen = looked.map(({ time }) => countAt(detected, time))
  const heldAt = (time: number) => {
    const last = looked.findLastIndex((one) => one.time <= time)
    const start = Math.max(0, Math.min(last, looked.length - holds))
    return holds === 0 ? 0 : Math.min(...seen.slice(start, start + holds))
  }
  let best: { most: number; at: Moment } | null = null
  for (const { ordinal, time } of knownMoments(tracks, looked)) {
    const count = countAt(theirs, time) + heldAt(time)
    if (count > (best?.most ?? 0)) best = { most: count, at: { ordinal, time } }
  }
  const there = thereOf(tracks)[0]
  const surest = firstSeen(tracks.filter(firstSeen).sort((a, b) => b.score - a.score)[0] ?? { boxes: [] })
  if (!there || !surest) return null
  if (best === null) return { most: 1, at: { ordinal: surest.ordinal, time: surest.time }, from: there.from, held: false }
  const { time } = best.at
  const starts = spans.flatMap(({ track, from }) => {
    const own = thereOf([track]).findLast((stretch) => stretch.from <= time && stretch.to >= time)
    return own ? [Math.max(own.from, from)] : []
  })
  return { ...best, from: best.most === 1 ? there.from : Math.max(...starts), held: true }
}

/** The stretches in which at least one of the tracks is in the picture. */
export function thereOf(tracks: readonly ThingTrack[]): { from: number; to: number }[] {
  const stretches = tracks.flatMap(({ boxes }) => {
    const own: { from: number; to: number }[] = []
    let open = false
    for (const { time, outside } of boxes) {
      const last = own.at(-1)
      if (outside !== true && open && last) last.to = time
      else if (outside !== true) own.push({ from: time, to: time })
      open = outside !== true
    }
    return own
  })
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of stretches.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else joined.push({ from, to })
  }
  return joined
}

function thingFact(track: ThingTrack, clip: ClipMeasures, things: Things, camera: CameraMotion): ThingFact | null {
  const seen = track.boxes.filter(({ outside }) => outside !== true)
  const { width, height } = clip.frame
  const mean = (of: (box: Box) => number) => seen.reduce((sum, { box }) => sum + of(box), 0) / Math.max(1, seen.length)
  // A box of furniture that seems to move was cut, or covered in part.
  const fixture = FIXTURES.has(track.label)
  const motion = fixture ? null : motionOf(track, clip.frame, null)
  const [first, last, key] = [seen[0], seen.at(-1), seen[seen.length >> 1]]
  if (!first || !last || !key) return null
  return {
    kind: 'thing',
    label: track.label,
    track,
    from: first.time,
    to: last.time,
    x: mean(({ x1, x2 }) => (x1 + x2) / 2) / width,
    y: mean(({ y1, y2 }) => (y1 + y2) / 2) / height,
    area: mean(boxArea) / (width * height),
    motion,
    ground:
      camera.moves === false
        ? motion
        : !fixture && camera.moves === true && clip.camera.steps.some(({ dx, dy, zoom }) => dx !== 0 || dy !== 0 || zoom !== 0)
          ? motionOf(track, clip.frame, clip.camera)
          : null,
    colour: track.label === 'person' || SEEN_THROUGH.has(track.label) ? null : (dominantColour(track.colours ?? [])?.colour ?? null),
    evidence: {
      frames: [{ ordinal: key.ordinal, time: key.time }],
      boxes: [{ ordinal: key.ordinal, time: key.time, box: key.box }],
      numbers: { score: track.score, boxes: seen.length },
    },
    reliability: trackReliability(track, things),
  }
}

/** @param least The score from which a track counts; `tracks` have it. */
function nameFact(label: string, tracks: readonly ThingTrack[], things: Things, least: number): NameFact | null {
  const reached = mostAtOnce(tracks, things.looked)
  if (reached === null) return null
  const { most, at } = reached
  const sure = tracks.filter((track) => trackReliability(track, things) >= SURE)
  // Two hands may be one person's: of those who are seen in part alone, at most one is sure beside nobody else.
  const whole = mostAtOnce(
    sure.filter((track) => track.part !== true && countReliability(track, things) >= SURE),
    things.looked,
  )
  const weak = things.tracks.filter((track) => track.label === label && track.score >= things.asked && track.score < least)
  const boxes = tracks.flatMap((track) => {
    const box = boxAt(track, at.time)
    return box ? [{ ...at, box }] : []
  })
  return {
    kind: 'name',
    label,
    there: thereOf(tracks),
    most,
    mostAt: at,
    distinct: tracks.length,
    sure: whole?.most ?? Math.min(1, sure.length),
    more: (weak.length > 0 && (mostAtOnce([...tracks, ...weak], things.looked)?.most ?? 0) > most) || mayBeMore(tracks, things),
    evidence: { frames: [at], boxes, numbers: { most, distinct: tracks.length } },
    // Reliability that at least one of them is right.
    reliability: Math.max(...tracks.map((track) => trackReliability(track, things))),
  }
}

function overlapFacts(tracks: readonly ThingTrack[], things: Things): OverlapFact[] {
  return tracks.flatMap((a, i) =>
    tracks.slice(i + 1).flatMap((b): OverlapFact[] => {
      const both = a.boxes.flatMap(({ ordinal, time, box, outside }) => {
        const other = outside === true ? null : boxAt(b, time)
        return other ? [{ ordinal, time, box, share: coveredShare(box, other) }] : []
      })
      const covered = both.filter(({ share }) => share >= COVERED)
      const first = covered[0]
      // Two boxes around one thing do not overlap as two things do.
      if (!first || twice(a, b, first) || covered.length < HOLDS || covered.length * 2 < both.length) return []
      return [
        {
          kind: 'overlap',
          labels: [a.label, b.label],
          evidence: {
            frames: [{ ordinal: first.ordinal, time: first.time }],
            boxes: [{ ordinal: first.ordinal, time: first.time, box: first.box }],
            numbers: { share: covered.length / both.length },
          },
          reliability: Math.min(trackReliability(a, things), trackReliability(b, things)),
        },
      ]
    }),
  )
}

/** The share of the smaller of two boxes that lies in the other. */
function coveredShare(a: Box, b: Box): number {
  return sharedArea(a, b) / Math.max(1e-9, Math.min(boxArea(a), boxArea(b)))
}

/** Two boxes of one name that overlap by this much may show the same thing, */
const TWICE = 0.5
/** unless one moved this far past the other, in diagonals of the smaller box: parts of one thing move together. */
const PAST = 0.5

/** Whether two tracks of one name may show the same thing: they overlap at that moment and never moved past each other. */
export function twice(a: ThingTrack, b: ThingTrack, moment: Moment): boolean {
  const [first, second] = [boxAt(a, moment.time), boxAt(b, moment.time)]
  if (a.label !== b.label || !first || !second || coveredShare(first, second) < TWICE) return false
  const both = a.boxes.flatMap(({ time, box, outside }) => {
    const other = outside === true ? null : boxAt(b, time)
    return other ? [{ box, other }] : []
  })
  const apart = (of: (box: Box) => number) => {
    const ways = both.map(({ box, other }) => of(other) - of(box))
    return Math.max(...ways) - Math.min(...ways)
  }
  const size = Math.min(...both.map(({ box, other }) => Math.min(diagonal(box), diagonal(other))))
  return (
    Math.hypot(
      apart(({ x1, x2 }) => (x1 + x2) / 2),
      apart(({ y1, y2 }) => (y1 + y2) / 2),
    ) <
    PAST * size
  )
}

const diagonal = ({ x1, y1, x2, y2 }: Box) => Math.hypot(x2 - x1, y2 - y1)

/**
 * A thing that just misses the threshold for names asked for, and lingers through so much of the clip, may be one more. Where there are several such
 * things, however short, it is a crowd of which some were found.
 */
const JUST_MISSES = 0.3
const LINGERS = 0.8
const CROWD = 2

/** Whether the detector kept seeing one more of a kind than `tracks`, below the threshold: then their number is not known. */
export function mayBeMore(tracks: readonly ThingTrack[], { looked, ...things }: Things): boolean {
  const [start, end] = [looked[0]?.time ?? 0, looked.at(-1)?.time ?? 0]
  const missed = things.tracks.flatMap((one) => {
    if (one.score >= things.asked || one.score < JUST_MISSES || !tracks.some(({ label }) => label === one.label)) return []
    const boxes = one.boxes.filter(({ outside }) => outside !== true)
    const [first, last] = [boxes[0], boxes.at(-1)]
    // A second box around one thing is not another.
    if (!first || !last || boxes.length < 2 || tracks.some((other) => boxes.some((box) => twice(one, other, box)))) return []
    return [{ label: one.label, lingers: last.time - first.time >= LINGERS * (end - start) }]
  })
  return missed.some(({ label, lingers }) => lingers || missed.filter((other) => other.label === label).length >= CROWD)
}

/** Movers that fill at least this share of a part of the picture cover it. */
const MOSTLY = 0.5

/** Overlaid text stands still before any camera; people, animals and vehicles move before a standing one. */
function coverOf({ frame, lines, things }: ClipMeasures): (part: PicturePart, time: number) => Cover {
  const movers = things?.tracks.filter(({ label, score }) => MOVERS.has(label) && score >= things.asked) ?? []
  return ({ x, y, w, h }, time) => {
    const part = { x1: x * frame.width, y1: y * frame.height, x2: (x + w) * frame.width, y2: (y + h) * frame.height }
    const common = (box: Box) => sharedArea(box, part)
    if (lines?.some(({ box }) => common(box) > 0) === true) return 'overlay'
    const boxes = movers.flatMap((track) => boxAt(track, time) ?? [])
    return boxes.reduce((sum, box) => sum + common(box), 0) >= MOSTLY * boxArea(part) ? 'mover' : null
  }
}

function cameraFact(clip: ClipMeasures): CameraFact {
  const motion = cameraMotion(clip.camera, coverOf(clip))
  // On the development clips every camera was right; clips of few seconds, or with a share near the limit, get less.
  const clear = motion.moves === null ? 0 : motion.moves ? Math.min(1, motion.share) : 1 - motion.share
  return {
    kind: 'camera',
    motion,
    evidence: { frames: [], boxes: [], numbers: { share: motion.share, seconds: clip.camera.stays.length } },
    reliability: motion.moves === null ? 0 : 0.75 + 0.2 * clear,
  }
}

function lightFacts(clip: ClipMeasures): LightFact[] {
  return lightOf(clip).map(({ kind, from, to }) => ({
    kind: 'light',
    light: kind,
    from,
    to,
    evidence: { frames: [], boxes: [], numbers: { seconds: to - from } },
    reliability: 0.95,
  }))
}

/** Stretches of light, without the stretches that could not be read. */
export function lightOf({ light, ...clip }: ClipMeasures): LightStretch[] {
  return readableParts(clip).flatMap(({ from, to }) =>
    lightStretches(light.filter(({ time }) => time >= from && (time < to || to === clip.span.to))),
  )
}

function textFacts(clip: ClipMeasures): TextFact[] {
  return (clip.lines ?? [])
    .filter(({ score }) => score >= READ)
    .map((line) => ({
      kind: 'text',
      line,
      evidence: {
        frames: [{ ordinal: line.ordinal, time: line.from }],
        boxes: [{ ordinal: line.ordinal, time: line.from, box: line.box }],
        numbers: { score: line.score },
      },
      reliability: line.score,
    }))
}
