/** Family `owl`: boxes of any words on single pictures (OWL-ViT, OWLv2). Made by main/packs/owl.ts of a checkpoint that its user has. */
import { z } from 'zod'
import { FileRef, Line, Pack, PictureInput, Side, Size, Source } from './base.ts'

const Share = z.number().min(0).max(1)
const Channels = z.tuple([z.number(), z.number(), z.number()])
/** Numbers in one tensor of a picture. */
const MOST_TENSOR = 2 ** 28

export const OwlManifest = Pack.extend({
  family: z.literal('owl'),
  tasks: z.tuple([z.literal('boxes')]),
  /** The picture as it is decoded, `rate` per second where something changes; the pack's own code makes the model's square of it, exactly. */
  input: PictureInput.extend({ fit: z.literal('inside'), rate: z.number().positive().max(240) }),
  /** `side` pixels, normalised by channel. stretch: bicubic, as OWL-ViT. pad: black at right and bottom until square, then linear, as OWLv2. */
  square: z.object({ side: Side, fit: z.enum(['stretch', 'pad']), mean: Channels, std: Channels }),
  dims: z
    .object({ cells: Size, region: Size, context: Size })
    .refine(({ cells, region }) => cells * region <= MOST_TENSOR, 'tensors of at most 2 ** 28 numbers'),
  /**
   * image: `pixel_values` f32 [1, 3, side, side] -> `boxes` [1, cells, 4], `regions` [1, cells, region], `shift`, `scale` and `worth` [1, cells], all f32.
   * text: `input_ids` and `attention_mask` i64 [B, L] -> `query` f32 [B, region]. See app/cells.
   */
  graphs: z.object({ image: FileRef, text: FileRef }),
  /** Tensors of the graphs in separate files (ONNX external data). */
  weights: z.array(FileRef).max(1_000).default([]),
  tokenizer: FileRef.extend({ pad: z.number().int(), start: z.number().int(), end: z.number().int(), clean: z.literal('clip') }),
  /** A label's query is the mean of those of its prompts. */
  prompts: z.object({ label: z.array(Line.includes('{label}')).min(1).max(100) }),
  /** So many cells of a picture are stored at most: see `keptOf` in app/cells. */
  kept: z.number().int().positive().max(16_384),
  calibration: z.object({
    /** False: the score is no probability, and the line between found and not found is the makers' or a guess. */
    measured: z.boolean(),
    /** Boxes below this score are not shown, however low a label's threshold is. */
    floor: Share,
    /** The score from which a box counts by default. */
    asked: Share,
  }),
  source: Source.optional(),
})
export type OwlManifest = z.infer<typeof OwlManifest>
