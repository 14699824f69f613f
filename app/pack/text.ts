/** Family `text`: lines of text on single pictures, found and read. Written by models/screentext. */
import { z } from 'zod'
import { FileRef, Pack, PictureInput, Side } from './base.ts'

const Share = z.number().min(0).max(1)

export const TextManifest = Pack.extend({
  family: z.literal('text'),
  tasks: z.tuple([z.literal('text')]),
  /**
   * Pictures of at most this size, `rate` per second where something changes. The finder gets a smaller copy; lines are read from the
   * picture.
   */
  input: PictureInput.extend({ fit: z.literal('inside'), rate: z.number().positive().max(240) }),
  /**
   * finder: `rgb` u8 [1, H, W, 3], sides multiples of 32 -> `text` f32 [1, 1, H, W], the probability that a pixel lies in the core of a line.
   * reader: `rgb` u8 [1, 48, W, 3] -> `symbols` i32 [1, T] and `certainty` f32 [1, T], the likeliest symbol of each step; 0 is the blank.
   */
  graphs: z.object({ finder: FileRef, reader: FileRef }),
  /** The reader's symbols, one per line, in the order of its classes without the blank. */
  symbols: FileRef,
  finding: z.object({
    /** Longer side of the finder's copy, in pixels; small pictures are enlarged by at most half. */
    side: Side,
    /** A pixel above `core` lies in a core; the surest core of a line has a mean of at least `sure`. */
    core: Share,
    sure: Share,
    /** A core's box grows on every side by area x this / circumference. */
    grow: z.number().positive(),
  }),
  calibration: z.object({
    /** Lines read with less certainty than this are dropped. */
    floor: Share,
  }),
})
export type TextManifest = z.infer<typeof TextManifest>
