/** What every pack states about itself; each family has its own file in this folder. */
import { z } from 'zod'

/** Limits of what a pack states: each far above what any model needs, and small enough to be read, kept and shown. */
export const Line = z.string().max(500)
const Prose = z.string().max(20_000)
/** A count or a width of a tensor; 0 where a pack has none. */
export const Size = z
  .number()
  .int()
  .min(0)
  .max(2 ** 24)
/** Pixels of a side of a picture. */
export const Side = z.number().int().positive().max(16_384)
/** Bytes of pack.json. */
export const MOST_MANIFEST = 4 * 2 ** 20

export const FileRef = z.object({
  file: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a plain file name inside the pack folder'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
export type FileRef = z.infer<typeof FileRef>

/** The tasks of a library that a pack can do. text: reading the text on the picture. */
export const Task = z.enum(['caption', 'answer', 'search', 'boxes', 'text'])
export type Task = z.infer<typeof Task>
export const TASKS = Task.options

/**
 * The picture that a pack takes, RGB24. stretch: scaled to width x height. crop: scaled until it covers that size, and cut equally on both
 * sides. letterbox: scaled with its proportions until it fits into that size; the pack's own code adds the border. inside: as letterbox,
 * but never enlarged.
 */
export const PictureInput = z.object({
  width: Side,
  height: Side,
  fit: z.enum(['stretch', 'crop', 'letterbox', 'inside']),
})
export type PictureInput = z.infer<typeof PictureInput>

/** The checkpoint that a pack was made from on somebody's own machine. */
export const Source = z.object({
  file: z.string().max(1_000),
  precision: z.enum(['fp32', 'fp16', 'int8']),
  /** Where the file was fetched from, and its SHA-256. */
  url: z.string().max(4_000).optional(),
  sha256: z.string().max(64).optional(),
})

export const Pack = z.object({
  format: z.literal(1),
  id: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9.-]*$/),
  version: Line,
  name: Line,
  description: Prose,
  licence: Line,
  data: z.array(z.object({ name: Line, licence: Line })).max(1_000),
  selfTest: FileRef,
  /** SHA-256 of earlier pack.json files of the same pack with the same answers: results may be stored under those. */
  formerly: z.array(z.string().max(64)).max(1_000).optional(),
  scores: z.array(z.object({ task: Line, metric: Line, value: z.number(), n: z.number().int(), on: Line, date: Line })).max(1_000),
})
