/** What facts are made from: everything measured in one clip, as plain JSON. Times in seconds from the start of the video. */
import type { Box } from '../annotation.ts'
import type { EdgeColour } from '../colours.ts'
import type { CameraTrace } from './camera.ts'
import type { LightSample } from './light.ts'
import type { Stretch } from './unread.ts'

export interface Moment {
  ordinal: number
  time: number
}

/** `outside`: not in the picture from here to the next box. Box in pixels of the display-oriented frame; score null where a person drew it. */
export interface ThingBox extends Moment {
  box: Box
  score: number | null
  outside?: boolean
}

/** One object followed through the clip. `boxes` ascend in time; between them it moves linearly. */
export interface ThingTrack {
  label: string
  /** How sure the track is, 0..1. */
  score: number
  /** The detector's own score, where the threshold of its label raised or lowered `score`. */
  found?: number
  /** Somebody asked for it: a label of the library means its name. */
  asked?: boolean
  /** Only a part of what its name means is seen: see `showsPart`. */
  part?: boolean
  /** Index of the detector's track; missing where a person drew it or decided about it. */
  candidate?: number
  boxes: readonly ThingBox[]
  /** Shares 0..1 of the eleven basic colours, in the order of `COLOURS` (app/colours). */
  colours?: readonly number[]
  /** The same for the upper and the lower half of its boxes, where these were kept. */
  halves?: readonly [upper: readonly number[], lower: readonly number[]]
}

/** A line of text on the picture, and a frame on which it was read. `score`: the reader's confidence 0..1. */
export interface TextLine {
  text: string
  ordinal: number
  from: number
  to: number
  box: Box
  score: number
  /** Shares of the eleven basic colours of its letters, where they were measured. */
  colours?: readonly number[]
}

export interface Things {
  /** Every track, including those below the thresholds. */
  tracks: readonly ThingTrack[]
  /** The frames that the detector looked at, ascending, including those that it skipped because nothing had changed. */
  looked: readonly Moment[]
  /** The best score of a single box of each class in the clip, however weak; a class without a box is missing. */
  weak: Readonly<Record<string, number>>
  /** The classes that the detector knows. */
  known: readonly string[]
  /** The track score from which a name that somebody asked for counts, and from which another name counts. */
  asked: number
  volunteered: number
  /** The picture is a drawing, or looks like one: the detector's names are then guesses. */
  drawn?: boolean
}

/** From `time` on the edge of the picture has this colour; null where it has not one. */
export interface EdgeSample {
  time: number
  edge: EdgeColour | null
}

export interface ClipMeasures {
  /** Half-open, seconds of the video. */
  span: { from: number; to: number }
  frame: { width: number; height: number }
  /** Null where no detector has run. */
  things: Things | null
  camera: CameraTrace
  light: readonly LightSample[]
  /** Ascending in time, one for each change; missing where no pictures in colour were measured, and in older libraries. */
  edges?: readonly EdgeSample[]
  /** The parts that could not be read, ascending, not touching: see `readable`. Missing if everything could be read. */
  unread?: readonly Stretch[]
  /** The cuts of the whole video, without its beginning; missing where they were not measured. */
  cuts?: readonly number[]
  /** Null where no text was read. */
  lines: readonly TextLine[] | null
}
