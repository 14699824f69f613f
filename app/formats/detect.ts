/** Which kind of annotation file a file is, by its name and its beginning, and how each kind is read. */
import { readActivitynet } from './activitynet.ts'
import { readCoco } from './coco.ts'
import { readBoxes, readSpans, tableOf } from './csv.ts'
import { readCvat } from './cvat.ts'
import { readEaf } from './eaf.ts'
import type { Reader } from './found.ts'
import { readJsonl } from './jsonl.ts'
import { readLabelstudio } from './labelstudio.ts'
import { isMot, readMot } from './mot.ts'
import { readParquet } from './parquet.ts'
import { readSrt } from './srt.ts'
import { isViameRow, readViame } from './viame.ts'
import { readVtt } from './vtt.ts'
import { phrase } from '../phrase.ts'
import { isYoloData, isYoloRow, readYolo } from './yolo.ts'

/** `counts`: what the numbers are that its faults are told with. */
export const READERS = {
  coco: { name: 'COCO', read: readCoco, counts: 'entries' },
  cvat: { name: 'CVAT', read: readCvat, counts: 'lines' },
  'label-studio': { name: 'Label Studio', read: readLabelstudio, counts: 'entries' },
  eaf: { name: 'ELAN', read: readEaf, counts: 'lines' },
  activitynet: { name: 'ActivityNet', read: readActivitynet, counts: 'entries' },
  boxes: { name: 'CSV', read: readBoxes, counts: 'lines' },
  spans: { name: 'CSV', read: readSpans, counts: 'lines' },
  parquet: { name: 'Parquet', readGroups: readParquet, counts: 'lines' },
  mot: { name: 'MOT Challenge', read: readMot, counts: 'lines' },
  yolo: { name: 'YOLO', read: readYolo, counts: 'lines' },
  viame: { name: 'VIAME CSV', read: readViame, counts: 'lines' },
  jsonl: { name: 'JSONL', read: readJsonl, counts: 'lines' },
  srt: { name: 'SRT', read: readSrt, counts: 'lines' },
  vtt: { name: 'WebVTT', read: readVtt, counts: 'lines' },
} as const satisfies Record<string, { name: string; counts: 'lines' | 'entries' } & ({ read: Reader } | { readGroups: typeof readParquet })>
export type ImportFormat = keyof typeof READERS

/** How a file begins that is no text. */
export const PARQUET = 'PAR1'

/** @param head The beginning of its text. @returns Null for a file of another kind. */
export function formatOf(name: string, head: string): ImportFormat | null {
  if (head.startsWith(PARQUET)) return 'parquet'
  const text = head.replace(/^\uFEFF/, '').trimStart()
  const first = text.split(/\r\n|\n|\r/, 1)[0] ?? ''
  if (/^WEBVTT(?:[ \t]|$)/.test(first) || /\.vtt$/i.test(name)) return 'vtt'
  if (/\.eaf$/i.test(name) || /^(?:<[?!][^>]*>\s*)*<ANNOTATION_DOCUMENT\b/.test(text)) return 'eaf'
  if (text.startsWith('<')) return /<annotations\b/.test(text) ? 'cvat' : null
  if (/^\{\s*"schema"\s*:\s*"tubelet-annotations/.test(text) || /\.(?:jsonl|ndjson)$/i.test(name)) return 'jsonl'
  if (/\.ya?ml$/i.test(name)) return isYoloData(text) ? 'yolo' : null
  // A list is no COCO file.
  if (text.startsWith('[')) return companionOf(text) === null && /^\[\s*\{/.test(text) ? 'label-studio' : null
  if (text.startsWith('{') && !/"(?:images|categories)"\s*:/.test(text) && /"(?:timestamps?|segment)"\s*:\s*\[/.test(text))
    return 'activitynet'
  // A head that is cut off may be one that has its lists further on.
  if (text.startsWith('{')) return companionOf(text) === null && (OF_COCO.test(text) || !/\}\s*$/.test(text)) ? 'coco' : null
  if (/\.json$/i.test(name)) return 'coco'
  const table = tableOf(first)
  if (table !== null) return table
  if (isMot(text)) return 'mot'
  if (isViameRow(text.split(/\r\n|\n|\r/).find((line) => line !== '' && !line.startsWith('#')) ?? '')) return 'viame'
  if (/\.srt$/i.test(name) || /^\d+\s*\r?\n\s*\d+:\d+:\d+[.,]\d+\s*-->/.test(text)) return 'srt'
  return null
}

/** A key of the lists of COCO. */
const OF_COCO = /"(?:info|licenses|videos|images|annotations|categories)"\s*:/

/** Sound files that lie beside annotations and hold none: what each is, and what to import instead. */
const COMPANIONS = [
  {
    begins: /^\{[^]*"(?:confidencePairs"\s*:|tracks"\s*:\s*\{)/,
    what: phrase('This is DIVE’s own JSON.'),
    next: phrase('In DIVE export as VIAME CSV or as COCO, and import that.'),
  },
  {
    begins: /^\[\s*\{\s*"name"\s*:\s*"(?:[^"\\]|\\.)*"\s*,\s*"(?:color|attributes|id|type)"/,
    what: phrase('This is a list of labels for CVAT, without annotations.'),
    next: phrase('Import the cvat.xml beside it.'),
  },
  {
    begins: /^frame,pts,time_s\b/,
    what: phrase('These are the times of the frames of a video, without annotations.'),
    next: phrase('Import the files beside it.'),
  },
  {
    begins: /^\[\s*\{[^{}[\]]*"(?:image_id|category_id)"/,
    what: phrase('These are COCO results: boxes without the images and categories that their numbers mean.'),
    next: phrase('Import the COCO file with “images”, “annotations” and “categories”.'),
  },
] as const
/** A text of one picture. */
const OF_YOLO = { what: phrase('These are the labels of one picture for YOLO.'), next: phrase('Import the data.yaml of the data set.') }

/** What a file is that `formatOf` does not know, if it is one of COMPANIONS. */
export function companionOf(head: string): { what: string; next: string } | null {
  const text = head.replace(/^\uFEFF/, '').trimStart()
  return COMPANIONS.find(({ begins }) => begins.test(text)) ?? (isYoloRow(text.split(/[\r\n]/, 1)[0] ?? '') ? OF_YOLO : null)
}
