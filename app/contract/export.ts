/** Annotation files: the formats, what they hold, and the calls that write them. */
import { z } from 'zod'
import { Scope } from '../formats/scope.ts'
import { Phrase } from '../phrase.ts'
import { LabelName } from '../vocabulary.ts'
import { Filters, FindQuery } from './find.ts'
import { FilePath, Id, route } from './route.ts'
import { Rows, TableQuery } from './table.ts'

/** Files of annotations. */
export const AnnotationFormat = z.enum([
  'coco',
  'youtube-vis',
  'cvat',
  'mot',
  'yolo',
  'viame',
  'label-studio',
  'datumaro',
  'fiftyone',
  'vtt',
  'srt',
  'eaf',
  'activitynet',
  'web-annotation',
  'csv',
  'parquet',
  'jsonl',
])
export type AnnotationFormat = z.infer<typeof AnnotationFormat>
/** Those that need nothing but the library: the others have pictures of the videos beside them. */
export const SidecarFormat = AnnotationFormat.exclude(['yolo'])
export type SidecarFormat = z.infer<typeof SidecarFormat>
/** Pictures, videos and pages for people. */
const PictureFormat = z.enum(['pictures', 'crops', 'clips', 'reel', 'sheet', 'report'])
export type PictureFormat = z.infer<typeof PictureFormat>
/** Those that are one page, which can be printed. */
export const PageFormat = PictureFormat.extract(['report', 'sheet'])
export type PageFormat = z.infer<typeof PageFormat>
export const ExportFormat = z.enum([...AnnotationFormat.options, ...PictureFormat.options])
export type ExportFormat = z.infer<typeof ExportFormat>

/**
 * Which frames pictures are made of: those on which a box was seen or drawn, every n-th (whose number divides by n) of the chosen clips, or
 * those with these numbers in each chosen video.
 */
export const FrameChoice = z.union(
  [
    z.literal('annotated'),
    z.object({ every: z.number().int().positive() }),
    z.object({ numbers: z.array(z.number().int().nonnegative()).min(1).max(100_000) }),
  ],
  { error: 'must be "annotated", {"every": N} or {"numbers": [N, …]}' },
)
export type FrameChoice = z.infer<typeof FrameChoice>

/** A chosen video that is not in the files because of the state of its analysis: a file with a part of it would look complete. */
export const LeftOut = z.object({ sourceId: z.number().int(), name: z.string(), state: z.string() })
export type LeftOut = z.infer<typeof LeftOut>

/** Which videos and clips to export. All conditions given must hold; none means everything. */
const Which = z.object({
  sourceIds: z.array(Id).min(1).optional(),
  clipIds: z.array(Id).min(1).max(1_000_000).optional(),
  /** The clips that a search finds. */
  search: z.object({ query: FindQuery.nullable(), filters: Filters.default({}) }).optional(),
  /** The clips of the rows that a table with this query shows. */
  table: TableQuery.optional(),
  /** The clips of these rows of an open table, as a person selected them. */
  rows: Rows.optional(),
  /** The clips of the rows of a saved view, by its name. */
  view: z.string().optional(),
})
export type Which = z.infer<typeof Which>

const ExportRequest = Which.extend({
  ...Scope.shape,
  formats: z.array(ExportFormat).min(1),
  /** A full path; the library's own folder where it is left out. */
  directory: FilePath.optional(),
  /** One COCO file for each video, in that video's folder, in place of one for all: DIVE takes a file of several videos for one video. */
  perVideo: z.boolean().optional(),
  /**
   * Labels that were looked for everywhere in what is exported, so that an evaluator counts other boxes of them as false. Default: those
   * that the detector looked for in every clip.
   */
  lookedFor: z.array(LabelName).optional(),
  /** Of pictures, crops and YOLO. Default: annotated. */
  frames: FrameChoice.optional(),
  /** Of clips: copied without loss, from the key frame before, or encoded again, exact to the frame. Default: copy. */
  cut: z.enum(['copy', 'exact']).optional(),
  /** Of a report and a contact sheet. Default: en. */
  language: z.enum(['en', 'de']).optional(),
  /** A name for the export; its progress events carry it. */
  exportId: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
})

/** Of clips that would be copied without loss. */
const CutsAhead = z.object({
  /** How many there are, and how many of them were looked at. */
  clips: z.number().int(),
  looked: z.number().int(),
  /** Of those: how many begin before their first frame, at the key frame before, and by how many seconds at most. */
  early: z.number().int(),
  most: z.number(),
  /** Of those: how many cannot be cut without encoding them again. */
  uncut: z.number().int(),
})
export type CutsAhead = z.infer<typeof CutsAhead>

export const exportRoutes = {
  export: route({
    method: 'post',
    path: '/api/export',
    summary:
      'Write annotation files, each video’s beside a frames.csv. Videos whose analysis is unfinished are left out, and told. Ends with nothing written where the request is aborted',
    body: ExportRequest,
    output: z.object({
      exportId: z.string(),
      directory: z.string(),
      /**
       * `reader`: the library that read the file back, with its version; null where only Tubelet’s own reader did. `count`: how many files are in a
       * folder of pictures or videos, which is named here as one.
       */
      files: z.array(
        z.object({
          format: z.string(),
          path: z.string(),
          bytes: z.number().int(),
          reader: z.string().nullable(),
          count: z.number().int().optional(),
        }),
      ),
      leftOut: z.array(LeftOut),
      /** What else to know about the files. */
      notes: z.array(Phrase),
    }),
    errors: ['bad-request', 'not-found', 'conflict', 'forbidden', 'file-missing', 'file-replaced', 'disk-full', 'cancelled'],
  }),
  exportCounts: route({
    method: 'post',
    path: '/api/export/counts',
    summary: 'How many annotations of each kind an export would write; what a format cannot hold of them stays behind',
    body: Which.extend(Scope.shape),
    output: z.object({
      track: z.number().int(),
      caption: z.number().int(),
      segment: z.number().int(),
      answer: z.number().int(),
      note: z.number().int(),
      text: z.number().int(),
    }),
    errors: ['bad-request', 'not-found'],
  }),
  cutsAhead: route({
    method: 'post',
    path: '/api/export/cuts',
    summary:
      'How far clips that are copied without loss would begin early, at the key frame before; told by some of them, and nothing is written',
    body: Which,
    output: CutsAhead,
    errors: ['bad-request', 'not-found', 'ffmpeg-missing'],
  }),
  cancelExport: route({
    method: 'post',
    path: '/api/exports/{exportId}/cancel',
    summary: 'End an export that is under way, with nothing written',
    params: z.object({ exportId: z.string() }),
    output: z.object({}),
    errors: ['not-found'],
  }),
  exportPage: route({
    method: 'get',
    path: '/api/exports/{exportId}/page',
    summary: 'The report or the contact sheet of one export, to be printed',
    params: z.object({ exportId: z.string() }),
    query: z.object({ format: PageFormat }),
    bytes: 'text/html',
    errors: ['not-found'],
  }),
  exportZip: route({
    method: 'get',
    path: '/api/exports/{exportId}',
    summary: 'The files of one export as a zip',
    params: z.object({ exportId: z.string() }),
    bytes: 'application/zip',
    errors: ['not-found'],
  }),
} as const
