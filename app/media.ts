/** What a video file is: the facts that probing and decoding establish. */
import { z } from 'zod'

/** An exact fraction; frame rates, time bases and sample aspect ratios are never floats. */
export const Rational = z.object({ num: z.number().int(), den: z.number().int().positive() })
export type Rational = z.infer<typeof Rational>

/** One decoded picture of a source. `ordinal` is 0-based in display order of the chosen video stream; `pts` counts `Probe.timeBase` ticks. */
export const FrameRef = z.object({ ordinal: z.number().int().nonnegative(), pts: z.number().int() })
export type FrameRef = z.infer<typeof FrameRef>

const StreamInfo = z.object({
  index: z.number().int(),
  type: z.string(),
  codec: z.string(),
  isDefault: z.boolean(),
  /** Size of a picture stream as coded, and its title in the file. Missing in older libraries. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  title: z.string().optional(),
  /** A still image attached to the file, such as an album cover: not a moving picture. */
  cover: z.literal(true).optional(),
})
type StreamInfo = z.infer<typeof StreamInfo>

/**
 * What ffprobe reports, in the display-oriented frame (after rotation and sample aspect ratio); corrected where decoding shows otherwise.
 */
export const Probe = z.object({
  container: z.string(),
  codec: z.string(),
  pixelFormat: z.string(),
  bitDepth: z.number().int(),
  hdr: z.boolean(),
  /** Display size in square pixels: coded size, times the sample aspect ratio, turned by `rotation`. Boxes live on this frame. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  codedWidth: z.number().int().positive(),
  codedHeight: z.number().int().positive(),
  /** Clockwise degrees that a player turns the picture by. */
  rotation: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
  sampleAspectRatio: Rational,
  /** Seconds. From the stream if it states it, else the container, else the last decoded frame. */
  duration: z.number().nonnegative(),
  /** The constant (nominal) frame rate; with `variableFrameRate` only an average. */
  frameRate: Rational,
  variableFrameRate: z.boolean(),
  timeBase: Rational,
  /** PTS of the first frame, in time base ticks. Times shown to people count from here. */
  startPts: z.number().int(),
  /** Seconds of the file's own time at which its earliest stream begins. Missing in older libraries. */
  fileStart: z.number().optional(),
  /** How many of the first frames have no time in the file; they lie before the first one that has. */
  untimedFrames: z.number().int().positive().optional(),
  /**
   * Presentation times are late against decoding times, without an edit list to correct that: browsers cannot seek such a file to the exact
   * frame.
   */
  shownLate: z.boolean().optional(),
  /** Joined recordings: times in the file start again midway. Where the app gives times, the later part continues from the one before. */
  clockRestarts: z.boolean().optional(),
  /**
   * Parts that could not be read, or that a decoder made up: half-open, in seconds from the first frame, ascending, not touching. Missing
   * if everything could be read.
   */
  unread: z.array(z.object({ from: z.number(), to: z.number() })).optional(),
  /** Numbered pictures, not a file: the PTS of a frame is its ordinal, and a person gave the rate. */
  numbered: z.boolean().optional(),
  /** Exact only when the container states it or the file was decoded. */
  frameCount: z.number().int().nonnegative().nullable(),
  /** When the recording was made according to the camera, ISO 8601 in UTC; left out if the file does not say or the value is nonsense. */
  recordedAt: z.string().optional(),
  videoStream: z.number().int(),
  streams: z.array(StreamInfo),
})
export type Probe = z.infer<typeof Probe>

/** The picture streams of a file in their order, without covers: cameras with two lenses write two, which people count from 1. */
export function picturesOf({ streams }: Pick<Probe, 'streams'>): StreamInfo[] {
  return streams.filter(({ type, cover }) => type === 'video' && cover !== true)
}

/** The picture that players show: the first that is marked default, else the first. */
export function usualPicture(probe: Pick<Probe, 'streams'>): StreamInfo | undefined {
  const pictures = picturesOf(probe)
  return pictures.find(({ isDefault }) => isDefault) ?? pictures[0]
}

/** Which of the pictures of its file a video is, counted from 1; null if there is only one. */
export function pictureNumber(probe: Pick<Probe, 'streams' | 'videoStream'> | null): number | null {
  const pictures = probe === null ? [] : picturesOf(probe)
  return pictures.length < 2 ? null : pictures.findIndex(({ index }) => index === probe?.videoStream) + 1
}

/** Seconds from the first frame of the source. */
export function secondsOf(pts: number, probe: Pick<Probe, 'timeBase' | 'startPts'>): number {
  return ((pts - probe.startPts) * probe.timeBase.num) / probe.timeBase.den
}

/** Seconds from the file's beginning, from which its sound and subtitles count, to the first frame. */
export function leadOf({ startPts, timeBase, fileStart }: Pick<Probe, 'timeBase' | 'startPts' | 'fileStart'>): number {
  return fileStart === undefined ? 0 : Math.max(0, (startPts * timeBase.num) / timeBase.den - fileStart)
}

/** Video file endings that a folder drop picks up. Any file may still be added by itself and is then probed. */
export const VIDEO_EXTENSIONS = new Set(
  '3g2 3gp asf avi divx dv f4v flv gif h264 h265 hevc ivf m1v m2ts m2v m4v mj2 mjpeg mjpg mkv mov mp4 mpeg mpg mpv mts mxf nut ogg ogm ogv qt rm rmvb ts vob webm wmv y4m'.split(
    ' ',
  ),
)
