/** What each format can hold. The one place for it: the window shows it before an export, `tubelet export --help` and docs/exports.md print it. */
import type { AnnotationFormat, ExportFormat, PictureFormat } from '../contract/export.ts'
import { type Phrase, phrase, said } from '../phrase.ts'
import type { Kind } from './document.ts'

/** What a format may keep of the things that it holds. */
export const DETAILS = {
  identity: phrase('which object a box is'),
  score: phrase('scores'),
  occluded: phrase('what is occluded'),
  observed: phrase('which boxes are interpolated'),
  decided: phrase('what people decided'),
  maker: phrase('who made it'),
} as const
export type Detail = keyof typeof DETAILS

export interface Holding {
  name: string
  what: string
  /** The kinds of annotation that it holds. */
  kinds: readonly Kind[]
  keeps: readonly Detail[]
  /** What else to know of it, if anything. */
  but?: string
}

const BOXES = ['track'] as const
const CAPTIONS = ['caption', 'segment'] as const
const ALL = ['track', 'caption', 'segment', 'answer', 'note', 'text'] as const

export const HOLDS: Record<AnnotationFormat, Holding> = {
  coco: {
    name: 'COCO',
    what: phrase('Boxes and tracks as JSON, with TAO’s and LVIS’s keys'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided', 'maker'],
  },
  'youtube-vis': {
    name: 'YouTube-VIS',
    what: phrase('Tracks as JSON, an object with its boxes in each clip'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'decided'],
    but: phrase('An object has one score in a clip, its best. Masks are the rectangles of the boxes.'),
  },
  cvat: {
    name: 'CVAT video 1.1',
    what: phrase('Tracks as XML, to go on labelling in CVAT'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided', 'maker'],
  },
  mot: {
    name: 'MOT Challenge 1.1',
    what: phrase('Tracks as ground truth and as detections, for trackers and TrackEval'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'occluded'],
    but: phrase('Scores are in det/det.txt only. The frame rate is a whole number.'),
  },
  yolo: {
    name: 'YOLO',
    what: phrase('Pictures of frames with their boxes for training, split by video'),
    kinds: BOXES,
    keeps: [],
    but: phrase('Of the chosen frames alone.'),
  },
  viame: {
    name: 'VIAME CSV',
    what: phrase('Tracks as a table, to go on labelling in DIVE'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided'],
    but: phrase('DIVE rounds corners to whole pixels.'),
  },
  'label-studio': {
    name: 'Label Studio',
    what: phrase('Tracks as predictions and annotations, with the labelling configuration'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'decided'],
    but: phrase(
      'A track has one score, its best. Label Studio counts frames by a steady rate, so that in videos of variable rate boxes may lie a frame off.',
    ),
  },
  datumaro: {
    name: 'Datumaro',
    what: phrase('Boxes frame by frame, to convert them to many formats with Datumaro'),
    kinds: BOXES,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided'],
  },
  fiftyone: {
    name: 'FiftyOne',
    what: phrase('Boxes frame by frame and texts with their times, a data set for each video'),
    kinds: ALL,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided'],
    but: phrase('Where a line of text stands on the picture is left out.'),
  },
  vtt: {
    name: 'WebVTT',
    what: phrase('Captions as subtitles for the web'),
    kinds: CAPTIONS,
    keeps: ['decided', 'maker'],
  },
  srt: {
    name: 'SRT',
    what: phrase('Captions as subtitles for players'),
    kinds: CAPTIONS,
    keeps: [],
    but: phrase('“(?)” before a text says that it is not sure.'),
  },
  eaf: {
    name: 'ELAN EAF 3.0',
    what: phrase('Everything that has a time, on tiers, for ELAN'),
    kinds: ALL,
    keeps: [],
    but: phrase(
      'Of tracks and lines of text it says when, not where. Its tiers tell a machine’s texts from people’s. “(?)” before a text says that it is not sure.',
    ),
  },
  activitynet: {
    name: 'ActivityNet Captions',
    what: phrase('Captions with their times, for training and evaluation'),
    kinds: CAPTIONS,
    keeps: [],
    but: phrase('“(?)” before a text says that it is not sure.'),
  },
  'web-annotation': {
    name: 'W3C Web Annotation',
    what: phrase('Everything as JSON-LD that points into the video by time and place'),
    kinds: ALL,
    keeps: ['identity', 'maker'],
    but: phrase('Boxes are in whole pixels of the picture as players show it. “(?)” before a text says that it is not sure.'),
  },
  csv: {
    name: 'CSV',
    what: phrase('Boxes and spans as tables'),
    kinds: ALL,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided', 'maker'],
    but: phrase('Where a line of text stands on the picture is left out.'),
  },
  parquet: {
    name: 'Parquet',
    what: phrase('Boxes and spans as tables with types, for programs that analyse data'),
    kinds: ALL,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided', 'maker'],
    but: phrase('Where a line of text stands on the picture is left out.'),
  },
  jsonl: {
    name: 'JSONL',
    what: phrase('Everything, with who decided what and where it came from'),
    kinds: ALL,
    keeps: ['identity', 'score', 'occluded', 'observed', 'decided', 'maker'],
  },
}

/** What is made for people to look at. It holds no annotations for other programs. */
const SHOWS: Record<PictureFormat, Pick<Holding, 'name' | 'what'>> = {
  pictures: { name: phrase('Pictures'), what: phrase('Whole frames as JPEG, upright, with square pixels') },
  crops: { name: phrase('Crops'), what: phrase('Boxes cut out of their frames as PNG, in a folder for each label') },
  clips: { name: phrase('Clips'), what: phrase('Each clip as a video of its own') },
  reel: { name: phrase('Reel'), what: phrase('All clips one after the other in one video, in the order of the search') },
  sheet: { name: phrase('Contact sheet'), what: phrase('A picture of each clip with its time, on one page') },
  report: { name: phrase('Report'), what: phrase('One page with pictures, facts, answers and sources, for people without Tubelet') },
}

export function holdsAnnotations(format: ExportFormat): format is AnnotationFormat {
  return format in HOLDS
}

/** What people call a format, and what it is. */
export function aboutFormat(format: ExportFormat): Pick<Holding, 'name' | 'what'> {
  return holdsAnnotations(format) ? HOLDS[format] : SHOWS[format]
}

/** How many annotations of each kind there are. */
export type Counts = Record<Kind, number>
export const KINDS = ALL

/** A sentence for each kind, since other languages inflect it. */
const LEFT: Record<Kind, string> = {
  track: phrase('Tracks stay behind ({{left}}): {{formats}} cannot hold them.'),
  caption: phrase('Captions stay behind ({{left}}): {{formats}} cannot hold them.'),
  segment: phrase('Captions of parts stay behind ({{left}}): {{formats}} cannot hold them.'),
  answer: phrase('Answers stay behind ({{left}}): {{formats}} cannot hold them.'),
  note: phrase('Notes stay behind ({{left}}): {{formats}} cannot hold them.'),
  text: phrase('Lines of text on screen stay behind ({{left}}): {{formats}} cannot hold them.'),
}

/** What stays behind of these annotations in files of these formats. */
export function staysBehind(formats: readonly ExportFormat[], counts: Counts): Phrase[] {
  return KINDS.flatMap((kind) => {
    const without = formats
      .filter(holdsAnnotations)
      .filter((format) => !HOLDS[format].kinds.includes(kind))
      .map((format) => HOLDS[format].name)
    return counts[kind] === 0 || without.length === 0 ? [] : [said(LEFT[kind], { left: counts[kind], formats: without.join(', ') })]
  })
}
