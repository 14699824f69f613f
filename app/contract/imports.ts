/** Annotation files of other tools, of colleagues and of Tubelet itself: what is in them, which video each part is about, and taking them in. */
import { z } from 'zod'
import { Box, Span } from '../annotation.ts'
import { Problem } from '../errors.ts'
import { Phrase } from '../phrase.ts'
import { FilePath, Id, route } from './route.ts'

/** How a file counts: its first frame, and its leftmost and topmost pixel, are 0 or 1. */
const Counting = z.object({ firstFrame: z.literal([0, 1]).default(0), firstPixel: z.literal([0, 1]).default(0) })

/** A video as a file names it, and what the file says of it. */
export const ImportPart = z.object({
  id: z.number().int(),
  /** Place in `files`. */
  file: z.number().int(),
  /** Null where the file names no video. */
  named: z.string().nullable(),
  boxes: z.number().int(),
  tracks: z.number().int(),
  texts: z.number().int(),
  /** Of the tracks and texts: those that a machine made and nobody looked at. They are taken only if that is wanted. */
  unreviewed: z.number().int(),
  /** Those of which the file does not tell who made them: they are taken as people's work, with the name of the file. */
  unknown: z.number().int(),
  /** Those that were rejected there: they are left out. */
  rejected: z.number().int(),
  labels: z.array(z.string()),
  /** Null where no video of the library fits, or several do. */
  sourceId: z.number().int().nullable(),
  why: Phrase.nullable(),
  /** Whether nothing speaks against that video. */
  fits: z.boolean(),
  /** Whether that is so, and the file says how it counts. A part that is not sure is taken only if it is chosen. */
  sure: z.boolean(),
  counting: Counting,
  /** What the file does not say and a person must decide: what `counting` has is a guess. */
  asks: z.object({ firstFrame: z.boolean(), firstPixel: z.boolean() }),
})
export type ImportPart = z.infer<typeof ImportPart>

/** Something that cannot be read, or has no place. `line`: of the file, or the number of the entry in COCO's list of annotations, from 1. */
export const ImportFault = z.object({ file: z.number().int(), line: z.number().int().nullable(), what: Phrase })
export type ImportFault = z.infer<typeof ImportFault>
const Faults = z.object({ list: z.array(ImportFault), total: z.number().int() })

export const Import = z.object({
  importId: z.string(),
  /** `format` is null for a file of another kind. */
  files: z.array(
    z.object({
      path: z.string(),
      name: z.string(),
      format: z.string().nullable(),
      counts: z.enum(['lines', 'entries']),
      problem: Problem.nullable(),
    }),
  ),
  parts: z.array(ImportPart),
  /** The first of them, and how many there are. */
  faults: Faults,
})
export type Import = z.infer<typeof Import>

const Chosen = Counting.extend({ part: z.number().int(), sourceId: Id })

/** How a part would lie on a video. */
export const ImportLook = z.object({
  /** The first frame that something is said about; null where the video has none of them. */
  ordinal: z.number().int().nullable(),
  /** Of that frame, in pixels of the picture as it is shown. */
  boxes: z.array(z.object({ box: Box, label: z.string() })),
  texts: z.array(z.object({ text: z.string(), span: Span })),
  /** Boxes on frames that the video does not have. */
  beyond: z.number().int(),
  doubts: z.array(Phrase),
})
export type ImportLook = z.infer<typeof ImportLook>

export const Imported = z.object({
  /** The step of undo; 0 where nothing was new. */
  step: z.number().int(),
  tracks: z.number().int(),
  texts: z.number().int(),
  /** Things that were here already. */
  there: z.number().int(),
  /** Captions and answers that differ from those of people here: both are kept. */
  beside: z.number().int(),
  /** Labels that the vocabulary lacked. */
  labels: z.array(z.string()),
  faults: Faults,
})
export type Imported = z.infer<typeof Imported>

const onImport = z.object({ importId: z.string() })
const NewImport = z.string().regex(/^[\w-]{1,64}$/)
const FileName = z.string().min(1).max(255)

export const importRoutes = {
  readImport: route({
    method: 'post',
    path: '/api/imports',
    summary:
      'Read annotation files: COCO, YouTube-VIS, CVAT for video 1.1, MOT Challenge, YOLO (its data.yaml), VIAME CSV, Label Studio, WebVTT, SRT, ELAN, ActivityNet Captions, and Tubelet’s CSV, Parquet and JSON Lines. Answers with what is in them and which videos of the library are meant; nothing is stored until they are taken',
    body: z.object({
      paths: z.array(FilePath).min(1).max(1_000),
      /** A name for the import; its progress events carry it. */
      importId: NewImport.optional(),
    }),
    output: Import,
    errors: ['bad-request', 'file-missing', 'file-unreadable', 'forbidden', 'conflict', 'disk-full', 'cancelled'],
  }),
  bringImport: route({
    method: 'post',
    path: '/api/imports/bytes',
    summary: 'Read an annotation file whose path is not known, from its bytes, and those that were sent before under the same name',
    /** `importId`: the name under which others, and files that belong to it, were sent. */
    query: z.object({ name: FileName, importId: NewImport.optional() }),
    accepts: 'application/octet-stream',
    output: Import,
    errors: ['bad-request', 'conflict', 'disk-full', 'cancelled'],
  }),
  bringBeside: route({
    method: 'post',
    path: '/api/imports/{importId}/beside',
    summary:
      'Send a small file that belongs to the annotation file that is sent next under this name, from its bytes: labels.txt or seqinfo.ini of MOT Challenge',
    params: z.object({ importId: NewImport }),
    query: z.object({ name: FileName }),
    accepts: 'application/octet-stream',
    output: z.object({}),
    errors: ['bad-request', 'conflict', 'disk-full', 'cancelled'],
  }),
  bringAlso: route({
    method: 'post',
    path: '/api/imports/{importId}/also',
    summary: 'Send an annotation file that is read together with the one that is sent last under this name, from its bytes',
    params: z.object({ importId: NewImport }),
    query: z.object({ name: FileName }),
    accepts: 'application/octet-stream',
    output: z.object({}),
    errors: ['bad-request', 'conflict', 'disk-full', 'cancelled'],
  }),
  lookImport: route({
    method: 'post',
    path: '/api/imports/{importId}/look',
    summary: 'How one part would lie on a video: the boxes of its first frame, and what speaks against it',
    params: onImport,
    body: Chosen,
    output: ImportLook,
    errors: ['not-found', 'bad-request'],
  }),
  takeImport: route({
    method: 'post',
    path: '/api/imports/{importId}/take',
    summary:
      'Take what was read into the library: all of it or nothing, as one step of undo. Without `parts` those are taken whose video is sure. What people did here stays: the same is not added twice, and what differs is kept beside it',
    params: onImport,
    body: z.object({
      parts: z.array(Chosen).min(1).optional(),
      /** Also what a machine made and nobody looked at. Default: only if nothing else is in the files. */
      unreviewed: z.boolean().optional(),
    }),
    output: Imported,
    errors: ['not-found', 'bad-request', 'conflict', 'cancelled', 'disk-full'],
  }),
  leaveImport: route({
    method: 'delete',
    path: '/api/imports/{importId}',
    summary: 'Put away what was read, or end a reading or taking that is under way, with nothing taken',
    params: onImport,
    output: z.object({}),
    errors: ['not-found'],
  }),
  framePicture: route({
    method: 'get',
    path: '/api/sources/{sourceId}/frames/{ordinal}',
    summary: 'JPEG: one frame of a video as it is shown',
    params: z.object({ sourceId: Id, ordinal: z.coerce.number().int().nonnegative() }),
    bytes: 'image/jpeg',
    errors: ['not-found', 'no-frames', 'file-missing', 'ffmpeg-missing'],
  }),
} as const
