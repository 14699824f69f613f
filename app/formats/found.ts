/**
 * What reading an annotation file gives, whichever tool wrote it: in the file's own terms, one thing after the other. Nothing here knows the
 * library: which video is meant, and which frame a number is, is decided later, by a person where there is doubt.
 */
import type { Box, ReviewState, Span } from '../annotation.ts'
import { type Phrase, said } from '../phrase.ts'

/** A video as the file names it. What the file does not say is left out. */
export interface VideoFound {
  type: 'video'
  /** How the things that follow refer to it; files without names of videos have one video with the key ''. */
  key: string
  name?: string | undefined
  path?: string | undefined
  fingerprint?: string | undefined
  /** The picture in whose pixels the boxes are. Without it: the decoded picture. */
  width?: number | undefined
  height?: number | undefined
  /** How many frames it has. */
  frames?: number | undefined
  /** The number that the first frame has. Without it a person decides. */
  firstFrame?: 0 | 1 | undefined
  /** The coordinate of the leftmost and topmost pixel. */
  firstPixel?: 0 | 1 | undefined
  /** Boxes are shares 0..1 of the picture. */
  relative?: true | undefined
  /**
   * Frames a second by which the file counts, evenly, whatever the video has: as in DIVE, where people look at five frames of thirty, or in Label
   * Studio. Without it, a number is that of a frame of the video.
   */
  rate?: number | undefined
  /** What is between two boxes of a track that are not on neighbouring frames: the object, moving, or nothing. */
  gaps?: 'filled' | 'empty' | undefined
}

/** One box on one frame. Boxes of one track may come in any order. */
export interface BoxFound {
  type: 'box'
  video: string
  /** Which object it is; null where the file does not tell: then it is one of its own. */
  track: string | null
  label: string
  /** As the file counts. */
  frame: number
  box: Box
  /** 0..1 */
  score: number | null
  /** False where the file says that the box was only drawn between others. */
  observed: boolean
  occluded: boolean
  /** The object is out of the picture from this frame on. */
  outside: boolean
  /** What a person decided about it; null where the file does not say. */
  state: ReviewState | null
  line: number | null
}

/** A text about a part of a video. */
export interface TextFound {
  type: 'text'
  kind: 'caption' | 'segment' | 'note' | 'answer' | 'text'
  video: string
  text: string
  question?: string | undefined
  /** Half-open, in frames as the file counts them or in milliseconds from the beginning of the file; null: the whole video. */
  frames: Span | null
  ms: { start: number; end: number } | null
  /** Where a line of text stands on the picture. */
  box?: Box | undefined
  state: ReviewState | null
  line: number | null
}

/** Something that cannot be read, and why. The rest can. */
export interface FaultFound {
  type: 'fault'
  what: Phrase
  /** Counted from 1. */
  line: number | null
}

export type Found = VideoFound | BoxFound | TextFound | FaultFound

/** The text of a small file that belongs to the one that is read, by its path from there; null where there is none. */
export type Beside = (name: string) => string | null

/** The names of the files in a folder beside the one that is read, by its path from there, sorted; none where there is no such folder. */
export type FolderOf = (name: string) => readonly string[]

/** @param open Reads the file from its beginning; some formats need to be read twice. @throws SyntaxError where it is no such file. */
export type Reader = (open: () => Iterable<string>, beside: Beside, folderOf: FolderOf) => Iterable<Found>

export const fault = (what: string, line: number | null, values?: Record<string, string | number>): FaultFound => ({
  type: 'fault',
  what: said(what, values),
  line,
})

/** A number from a text of a file; null where it is none. */
export function numberIn(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return null
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

/** A score as files have it: a share, or nothing; -1 and other values outside 0..1 mean that there is none. */
export function scoreOf(value: number | null | undefined): number | null {
  return value === null || value === undefined || !(value >= 0 && value <= 1) ? null : value
}

/** The video and the number of a frame in the name of its picture, such as `cam 1/frame_000012.jpg`; null where it has no number. */
export function frameInName(file: string): { video: string; frame: number } | null {
  if (ROBOFLOWS.test(file)) return null
  const found = /^(.*?)(\d+)\.[A-Za-z]{2,5}$/.exec(file.replaceAll('\\', '/'))
  if (!found) return null
  const [, before = '', digits = ''] = found
  const at = before.lastIndexOf('/')
  const stem = before
    .slice(at + 1)
    .replace(/(?:^|[\s_.-])(?:frame|img|image)[\s_.-]*$/i, '')
    .replace(/[\s_.-]+$/, '')
  // The last folder that says more than that there are pictures in it.
  const folder = before
    .slice(0, Math.max(0, at))
    .split('/')
    .findLast((part) => part !== '' && !/^(?:images?|img\d*|frames?|train|val|test|data|obj_\w+)$/i.test(part))
  return { video: stem === '' || /^(?:frame|img|image)$/i.test(stem) ? (folder ?? '') : stem, frame: Number(digits) }
}

/** `cam_mp4-0012_jpg.rf.1f0c….jpg`: the number is that of the picture among those that were taken out of the video. */
const ROBOFLOWS = /\.rf\.[0-9A-Za-z]{6,}\.\w+$/

/** Why the name of a picture does not tell its frame. */
export function withoutFrame(file: string): FaultFound {
  return ROBOFLOWS.test(file)
    ? fault(
        '“{{file}}” is a picture of Roboflow, which numbers those that it took out of a video and not the frames: it is not known which frame it is.',
        null,
        { file },
      )
    : fault('The name of “{{file}}” has no number, so it is not known which frame it is.', null, { file })
}
