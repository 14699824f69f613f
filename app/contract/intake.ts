/** What became of everything that a person brought: one answer names each thing, in the window and on the command line alike. */
import { z } from 'zod'
import { Problem } from '../errors.ts'
import { PackWork, Precision } from './packs.ts'
import { FilePath } from './route.ts'

const Known = z.object({ path: z.string(), sourceId: z.number().int() })

/** Numbered pictures that can be one video: nothing was done with them yet, for nothing but a person knows how many are shown a second. */
export const NumberedOffer = z.object({
  /** Their folder with the pattern of their names: what to bring again, with a frame rate. */
  path: z.string(),
  count: z.number().int(),
  first: z.string(),
  last: z.string(),
  /** Numbers between the first and the last that are not there. */
  missing: z.number().int(),
  /** Which these are: the first and the last number of each gap. */
  gaps: z.array(z.tuple([z.number().int(), z.number().int()])),
})
export type NumberedOffer = z.infer<typeof NumberedOffer>

/** Of everything but videos that are new. */
export const BroughtBeside = z.object({
  duplicates: z.array(Known),
  /** Known videos that were found at another place than before. */
  moved: z.array(Known.extend({ from: z.string() })),
  /** Videos that lay in the bin. */
  restored: z.array(Known),
  rejected: z.array(z.object({ path: z.string(), problem: Problem })),
  /** Checkpoints and packs: the work that makes a pack of each, or why there is none. */
  packs: z.array(z.object({ path: z.string(), work: PackWork.nullable(), problem: Problem.nullable() })),
  numbered: z.array(NumberedOffer),
  /** Subtitles, notes and lists beside videos: they stay where they are. */
  sidecars: z.array(z.string()),
  /** Texts that are called like videos, such as TypeScript's .ts. */
  texts: z.array(z.string()),
  /** Folders in which there is nothing of all this, with the number of files that lie in them all the same. */
  nothing: z.array(z.object({ path: z.string(), files: z.number().int() })),
})
export type BroughtBeside = z.infer<typeof BroughtBeside>

export const Bring = z.object({
  paths: z.array(FilePath).min(1),
  /** Numbered pictures are taken as videos of so many pictures a second; without it they are offered in the answer. */
  frameRate: z.number().min(0.0001).max(1000).optional(),
  /** Of numbered pictures of which some are missing: join makes one video over the gaps, split one of each part between them. */
  gaps: z.enum(['join', 'split']).optional(),
  /** Of files with several pictures, such as front and rear: which one, counted from 1, or all; without it the one that players show. */
  picture: z.union([z.number().int().min(1).max(100), z.literal('all')]).optional(),
  /** Of packs that are made of checkpoints. */
  precision: Precision.optional(),
})
export type Bring = z.infer<typeof Bring>
