/**
 * What became of everything that a person dropped, chose or typed: one answer names each thing, for the window and the command line alike.
 */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { PackWork, Precision } from './packs.ts'
import { FilePath } from './route.ts'

const Known = z.object({ path: z.string(), sourceId: z.number().int() })

/** Numbered pictures that may be one video. Nothing is done with them yet, because only a person knows the frame rate. */
export const NumberedOffer = z.object({
  /** Their folder with the pattern of their names: the path to bring again, with a frame rate. */
  path: z.string(),
  count: z.number().int(),
  first: z.string(),
  last: z.string(),
  /** How many numbers between the first and the last are missing. */
  missing: z.number().int(),
  /** The gaps: the first and the last missing number of each. */
  gaps: z.array(z.tuple([z.number().int(), z.number().int()])),
})
export type NumberedOffer = z.infer<typeof NumberedOffer>

/** Everything that was brought, except new videos. */
export const BroughtBeside = z.object({
  duplicates: z.array(Known),
  /** Known videos that were found at a new place. */
  moved: z.array(Known.extend({ from: z.string() })),
  /** Known videos in whose places other videos were found: what was said of them stays, their files are gone from there. */
  replaced: z.array(Known),
  /** Videos that were in the bin. */
  restored: z.array(Known),
  rejected: z.array(z.object({ path: z.string(), problem: Problem })),
  /** Checkpoints and packs: the work that makes a pack of each, or why none can be made. */
  packs: z.array(z.object({ path: z.string(), work: PackWork.nullable(), problem: Problem.nullable() })),
  numbered: z.array(NumberedOffer),
  /** Subtitles, notes and lists beside videos: they are left alone. */
  sidecars: z.array(z.string()),
  /** Text files with a video's ending, such as TypeScript's .ts. */
  texts: z.array(z.string()),
  /** Folders with none of the above, with the number of files in them. */
  nothing: z.array(z.object({ path: z.string(), files: z.number().int() })),
})
export type BroughtBeside = z.infer<typeof BroughtBeside>

export const Bring = z.object({
  paths: z.array(FilePath).min(1),
  /** Frame rate at which numbered pictures are taken as videos; without it they are offered in the answer. */
  frameRate: z.number().min(0.0001).max(1000).optional(),
  /** For numbered pictures with gaps: join makes one video across the gaps, split one video of each part between them. */
  gaps: z.enum(['join', 'split']).optional(),
  /** For files with several pictures, such as front and rear: which one, counted from 1, or all; without it the one that players show. */
  picture: z.union([z.number().int().min(1).max(100), z.literal('all')]).optional(),
  /** For packs that are made from checkpoints. */
  precision: Precision.optional(),
})
export type Bring = z.infer<typeof Bring>
