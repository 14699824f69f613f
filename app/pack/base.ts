/** What every pack states about itself; each family has its own file in this folder. */
import { z } from 'zod'

export const FileRef = z.object({
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a plain file name inside the pack folder'),
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
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  fit: z.enum(['stretch', 'crop', 'letterbox', 'inside']),
})
export type PictureInput = z.infer<typeof PictureInput>

export const Pack = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  version: z.string(),
  name: z.string(),
  description: z.string(),
  licence: z.string(),
  data: z.array(z.object({ name: z.string(), licence: z.string() })),
  selfTest: FileRef,
  /** SHA-256 of earlier pack.json files of the same pack with the same answers: results may be stored under those. */
  formerly: z.array(z.string()).optional(),
  scores: z.array(
    z.object({ task: z.string(), metric: z.string(), value: z.number(), n: z.number().int(), on: z.string(), date: z.string() }),
  ),
})
