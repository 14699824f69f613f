/** The tracks that a question is about, how sure it is that they are there, and their evidence. */
import { COLOURS, type Colour } from '../colours.ts'
import { type Language, nounOf, PERSON } from '../words.ts'
import { boxAt, type FactEvidence, firstSeen, isDecided, knownMoments } from './facts.ts'
import type { ClipMeasures, Moment, ThingBox, Things, ThingTrack } from './input.ts'
import type { AskedThing, Question } from './question.ts'
import { listText, secondsText } from './wording.ts'

/** `value`: the bare answer, for tables: a number (a count, seconds of the video), yes or no, or a word in the answer's language. */
export interface FactAnswer {
  text: string
  value: string | number | boolean | null
  evidence: FactEvidence
  /** How often such an answer is right, 0..1. Below `SURE` it is shown as unsure. */
  confidence: number
}

/** Confidence of answers by how they were found. */
export const TRUST = { absent: 0.9, hedged: 0.45, guess: 0.5 }

export const NOTHING: FactEvidence = { frames: [], boxes: [], numbers: {} }

/** A class is absent if no box of it in the whole clip scores above this. */
const ABSENT_BELOW = 0.35
/** Pixels: in a smaller picture "there is none" cannot be stated. */
const LEAST_SIDE = 100
/** A track has the colour in question from this share on. */
const HAS_COLOUR = 0.3
/** If no track reaches that share, the track with the most of the colour is taken, provided it has at least the first share and the second times as much as the next. */
const HAS_HUE = { share: 0.12, times: 3 }
/** Needed for "the light blue car", most of which is white or grey by the table of colour names. */
const PALE = { share: 0.03, rest: 0.6 }
export interface Scene {
  clip: ClipMeasures
  things: Things
  asked: readonly AskedThing[]
  classes: string[]
  /** Those that reach the threshold for names asked for, best first. */
  tracks: ThingTrack[]
  /** The best score of any box that might still be one. */
  doubt: number
}

export function sceneOf(clip: ClipMeasures, things: Things, asked: readonly AskedThing[]): Scene {
  const classes = [...new Set(asked.flatMap((thing) => thing.classes))]
  const own = things.tracks.filter(({ label }) => classes.includes(label)).sort((a, b) => b.score - a.score)
  const doubt = Math.max(0, ...classes.map((name) => things.weak[name] ?? 0))
  return { clip, things, asked, classes, tracks: own.filter(({ score }) => score >= things.asked), doubt }
}

/** Confidence of "none" as the answer to "how many": a person who asks how many there are has probably seen some. */
const NONE_AT_ALL = 0.6

/** `looked`: how many frames the detector looked at. `doubt`: the best score of a box that might be one. */
interface Absence {
  looked: number
  doubt: number
  frame: ClipMeasures['frame']
  /** Whether the word means more than the known classes. */
  narrower: boolean
}

/** How sure it is that there is none: less if weak boxes were seen, or if the word means more than the known classes. */
export function absence({ looked, doubt, frame, narrower }: Absence): number {
  if (looked === 0) return 0
  return Math.min(frame.width, frame.height) < LEAST_SIDE || doubt >= ABSENT_BELOW || narrower ? TRUST.guess : TRUST.absent
}

/** How sure "none" is as the answer to "how many". @param absent How sure it is that there is none. */
export function noneCounted(absent: number): number {
  return Math.min(NONE_AT_ALL, absent)
}

export function absenceIn({ doubt, asked, things, clip: { frame } }: Scene): number {
  return absence({ looked: things.looked.length, doubt, frame, narrower: asked.some(({ narrower }) => narrower) })
}

export function shareOf({ colours = [] }: ThingTrack, colour: Colour): number {
  return colours[COLOURS.indexOf(colour)] ?? 0
}

/**
 * Shares of the colours of a person's clothes on that half of the body; null where the box does not show it, or where the halves were not
 * kept.
 */
export function wornColours({ halves, boxes }: ThingTrack, half: 'upper' | 'lower'): readonly number[] | null {
  if (!halves) return null
  const shapes = boxes
    .filter(({ outside }) => outside !== true)
    .map(({ box }) => (box.y2 - box.y1) / Math.max(1, box.x2 - box.x1))
    .sort((a, b) => a - b)
  const upright = (shapes[shapes.length >> 1] ?? 0) >= UPRIGHT
  // For a person seen from the waist up the upper half of the box is the head.
  if (!upright) return half === 'upper' ? halves[1] : null
  return half === 'upper' ? halves[0] : halves[1]
}

/** Ratio of height to width of the box of a person who is seen down to about the knees or further. */
const UPRIGHT = 1.5

/**
 * The tracks that have the colour.
 * @param named The question says that there is one: if none clearly has the colour, the track with most of it counts.
 */
export function ofColour(tracks: readonly ThingTrack[], colour: Colour, named: boolean, pale = false): ThingTrack[] {
  const having = tracks.filter((track) => shareOf(track, colour) >= HAS_COLOUR)
  if (having.length > 0 || !named) return having
  const [first, second] = tracks.toSorted((a, b) => shareOf(b, colour) - shareOf(a, colour))
  const least = pale && first && shareOf(first, 'white') + shareOf(first, 'grey') >= PALE.rest ? PALE.share : HAS_HUE.share
  return first && shareOf(first, colour) >= least && shareOf(first, colour) >= HAS_HUE.times * (second ? shareOf(second, colour) : 0)
    ? [first]
    : []
}

/** The tracks that have the colour, place and turn that the question names. */
export function choose({ clip, tracks }: Scene, { colour, pale, side, asked, nth, garment }: Question): ThingTrack[] {
  const coloured = colour === null || asked === 'colour' || garment !== null ? tracks : ofColour(tracks, colour, true, pale)
  if (nth !== null) {
    const came = coloured.toSorted((a, b) => firstOf(a) - firstOf(b))
    return nth === -1 ? came.slice(-1) : came.slice(nth - 1, nth)
  }
  if (side === null || coloured.length < 2) return [...coloured]
  const place = (track: ThingTrack) => {
    const { x, y } = placeOf(track, clip)
    return side === 'left' ? -x : side === 'right' ? x : side === 'top' ? -y : y
  }
  return coloured.toSorted((a, b) => place(b) - place(a)).slice(0, 1)
}

const firstOf = (track: ThingTrack) => firstSeen(track)?.time ?? Infinity

/** Whether a person placed the box at this end of the track, so that its time is exact: a detector's tracks begin and end between two looks. */
export const isPlaced = (box: ThingBox | undefined): boolean => box?.score === null

/** Seconds: what a person placed this near to the clip's start begins with it. */
const EXACT = 0.01

/**
 * Whether tracks that begin at this time are there from the clip's beginning: a detector's if no look lies between it and the beginning,
 * a person's if they begin on its first frame.
 */
export function fromStart(time: number, tracks: readonly ThingTrack[], { clip: { span }, things: { looked } }: Scene): boolean {
  const late = time - span.from
  const [first, second] = looked
  if (late < EXACT || !first || tracks.some((track) => firstSeen(track)?.time === time && isPlaced(firstSeen(track)))) return late < EXACT
  return second ? late < second.time - first.time - 1e-6 : time <= first.time
}

/** "first at 4.7 s", "from the beginning": that of the video, or "of the clip" where the clip begins later, since an answer is also read beside those of other clips. */
export function sinceText(time: number, tracks: readonly ThingTrack[], scene: Scene, language: Language): string {
  const { from } = scene.clip.span
  if (fromStart(time, tracks, scene))
    return language === 'en'
      ? `from the beginning${from > EXACT ? ' of the clip' : ''}`
      : `von Anfang ${from > EXACT ? 'des Clips ' : ''}an`
  return language === 'en' ? `first at ${secondsText(time, language)}` : `zuerst bei ${secondsText(time, language)}`
}

/** Seconds: times are shown with one decimal, so a question that repeats one may mean a frame this near to it. */
const ROUNDED = 0.05 + 1e-6

/** The moment of the clip that a question means, of those that something is known about. */
export function momentAt({ tracks, things: { looked } }: Scene, at: number | 'start' | 'end'): Moment | undefined {
  const known = knownMoments(tracks, looked)
  if (at === 'start') return known[0]
  if (at === 'end') return known.at(-1)
  const near = known.toSorted((a, b) => Math.abs(a.time - at) - Math.abs(b.time - at))
  const meant = near.find(({ time }) => Math.abs(time - at) <= ROUNDED && tracks.some((track) => boxAt(track, time) !== null))
  return meant ?? near[0]
}

/** Whether a track is there at a moment: a detector's may end at the look next to it, which only a person's boxes make a moment. */
export function isThere(track: ThingTrack, { time }: Pick<Moment, 'time'>, { things: { looked } }: Scene): boolean {
  if (boxAt(track, time) !== null) return true
  const near = isDecided(track) ? undefined : looked.toSorted((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0]
  return near !== undefined && boxAt(track, near.time) !== null
}

/** The mean middle of its boxes, in shares of the picture. */
export function placeOf({ boxes }: ThingTrack, { frame }: ClipMeasures): { x: number; y: number } {
  const seen = boxes.filter(({ outside }) => outside !== true)
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return {
    x: mean(seen.map(({ box }) => (box.x1 + box.x2) / 2)) / frame.width,
    y: mean(seen.map(({ box }) => (box.y1 + box.y2) / 2)) / frame.height,
  }
}

export function evidenceOf(tracks: readonly ThingTrack[], at: Moment | null, numbers: Record<string, number>): FactEvidence {
  const boxes = tracks.flatMap((track) => {
    const key = at ?? track.boxes.filter(({ outside }) => outside !== true).toSorted((a, b) => (b.score ?? 1) - (a.score ?? 1))[0]
    const box = key ? boxAt(track, key.time) : null
    return key && box ? [{ ordinal: key.ordinal, time: key.time, box }] : []
  })
  const frames = [...new Map(boxes.map(({ ordinal, time }) => [ordinal, { ordinal, time }])).values()]
  return { frames: at && frames.length === 0 ? [{ ordinal: at.ordinal, time: at.time }] : frames, boxes, numbers }
}

/** The name of the things in an answer: the plural of the class if the word means exactly one class, else the question's own word. */
export function calledMany(scene: Scene, language: Language): string {
  return listText(
    scene.asked.map(({ classes, word, narrower }) =>
      classes.length === 1 && !narrower ? nounOf(classes[0] ?? word, language).many : word,
    ),
    language,
  )
}

export const isPerson = ({ label }: Pick<ThingTrack, 'label'>) => label === PERSON
