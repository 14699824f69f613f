/** Family `detector`: boxes of a closed list of names on single pictures. */
import { z } from 'zod'
import { FileRef, Line, Pack, PictureInput, Side } from './base.ts'

const Share = z.number().min(0).max(1)

export const DetectorManifest = Pack.extend({
  family: z.literal('detector'),
  tasks: z.tuple([z.literal('boxes')]),
  /**
   * Pictures of at most this size, each side a multiple of `multiple` once the border is added; `rate` pictures per second where something
   * moves.
   */
  input: PictureInput.extend({
    fit: z.literal('letterbox'),
    multiple: Side,
    rate: z.number().positive().max(240),
  }),
  /** `picture` uint8 [1, H, W, 3] RGB -> `scores` f32 [1, cells, classes] of 0..1 and `distances` f32 [1, cells, 4] in pixels: see main/engine/detector. */
  graphs: z.object({ detector: FileRef }),
  /** Pixels from one cell to the next in each grid, in the order of the cells. */
  strides: z.array(Side).min(1).max(16),
  /** Names in the order of the scores. */
  classes: z.array(Line).min(1).max(20_000),
  calibration: z.object({
    /** Boxes below this score are not kept. */
    floor: Share,
    /** The track score from which a name that somebody asked for counts, and from which another name counts. */
    asked: Share,
    volunteered: Share,
  }),
})
export type DetectorManifest = z.infer<typeof DetectorManifest>
