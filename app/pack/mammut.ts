/** Family `mammut`: one vision encoder and one text decoder with two passes. Written by models/export. */
import { z } from 'zod'
import { FileRef, Line, Pack, Side, Size, Source, Task } from './base.ts'

const Step = z.number().int().max(16_384)
const Triple = z.tuple([Step, Step, Step])
/** Bytes of the pictures that a pack takes at once. */
const MOST_INPUT = 2 ** 30
/** Numbers in one tensor of a clip. */
const MOST_TENSOR = 2 ** 28

/**
 * A kind of tube, all in voxels, order (t, y, x). A 2D patch is a tube of length 1. `depth` is space-to-depth (TubeViT 3.4): a token joins
 * that many kernels along each axis, read at a stride that is as many times finer.
 */
export const TubeKind = z
  .object({
    name: Line,
    kernel: Triple.refine((k) => k.every((n) => n > 0)),
    stride: Triple.refine((s) => s.every((n) => n > 0)),
    offset: Triple.refine((o) => o.every((n) => n >= 0)),
    depth: Triple.refine((d) => d.every((n) => n > 0)).default([1, 1, 1]),
  })
  .refine(
    ({ stride, depth }) => stride.every((s, axis) => s % (depth[axis] ?? 1) === 0),
    'a stride that is a multiple of the space-to-depth',
  )
export type TubeKind = z.infer<typeof TubeKind>

const Threshold = z.number().min(0).max(1)
const Logistic = z.object({ scale: z.number(), bias: z.number(), threshold: Threshold })
/**
 * For packs without measurements: the probability of the text against a bank of everyday captions, by softmax at the scale that the model
 * learnt.
 */
const Against = z.object({ scale: z.number(), background: z.array(Line).min(1).max(10_000), threshold: Threshold })

const Manifest = Pack.extend({
  family: z.literal('mammut'),
  /** `detect`: the name of the task boxes in older packs. */
  tasks: z.array(z.union([Task.exclude(['text']), z.literal('detect').transform(() => 'boxes' as const)])),
  input: z
    .object({
      frames: z.number().int().positive().max(4_096),
      width: Side,
      height: Side,
      /** How the display-oriented frame becomes width x height. crop: scaled until it covers that size, and cut equally on both sides. */
      fit: z.enum(['stretch', 'crop']),
      maxClipSeconds: z.number().positive(),
      tubes: z.array(TubeKind).min(1).max(64),
    })
    .refine(({ frames, width, height }) => frames * width * height * 3 <= MOST_INPUT, 'pictures of at most 1 GB at once'),
  dims: z
    .object({
      embedding: Size,
      /** Width of the tokens that the decoder reads, and their number per clip; the detector's tokens are `token` wide. */
      memory: Size,
      tokens: Size,
      token: Size,
      layers: Size,
      crossLayers: Size,
      heads: Size,
      headDim: Size,
      vocab: Size,
      context: Size,
      queries: Size,
    })
    .refine(
      ({ tokens, memory, token, queries, embedding, crossLayers, heads, headDim }) =>
        Math.max(tokens * memory, tokens * token, queries * embedding, crossLayers * heads * tokens * headDim) <= MOST_TENSOR,
      'tensors of at most 2 ** 28 numbers',
    ),
  graphs: z.object({ vision: FileRef, text: FileRef, cross: FileRef, decoder: FileRef, detector: FileRef.optional() }),
  /** Tensors of the graphs in separate files (ONNX external data). */
  weights: z.array(FileRef).max(1_000).default([]),
  tokenizer: FileRef.extend({
    pad: z.number().int(),
    start: z.number().int(),
    end: z.number().int(),
    /** How a text is normalised before it is split. clip: as open_clip's tokenizer does. */
    clean: z.enum(['none', 'clip']).default('none'),
  }),
  prompts: z.object({
    caption: Line,
    search: Line.includes('{query}'),
    question: Line.includes('{question}').optional(),
    label: Line.includes('{label}').optional(),
  }),
  /** All words, in lower case, of the texts that the pack learnt from. Missing if it learnt from texts of any kind. */
  words: z.array(z.string().max(100)).max(200_000).optional(),
  /** How captions are generated: see main/engine/beam. */
  decoding: z
    .object({ beams: z.number().int().min(1).max(16), lengthPenalty: z.number().min(0), longest: z.number().int().positive().max(4_096) })
    .optional(),
  calibration: z.object({
    /** False: these numbers rest on no measurement, and the app must not show them as if they did. */
    measured: z.boolean().default(true),
    /** probability = sigmoid(scale * cosine + bias), or against a background; a probability below `threshold` is no match. */
    search: z.union([Logistic, Against]),
    answer: z.object({ temperature: z.number().positive(), notSureBelow: z.number() }).optional(),
    caption: z.object({ notSureBelow: z.number() }),
    /** score = objectness * sigmoid(scale * cosine + bias) */
    detect: Logistic.optional(),
    /**
     * For a pack that learnt from no footage except what its user taught it: it is sure only of clips whose cosine with one of those is at
     * least `threshold`. `taught`: their embeddings [M, E], little-endian half floats; null: nobody has taught it yet, so it is sure of
     * nothing.
     */
    familiar: z.object({ threshold: z.number(), taught: FileRef.nullable() }).optional(),
  }),
  source: Source.extend({ layout: z.enum(['fork', 'upstream']) }).optional(),
})

export const MammutManifest = Manifest.refine(
  ({ tasks, prompts, calibration, graphs }) =>
    (!tasks.includes('answer') || (prompts.question !== undefined && calibration.answer !== undefined)) &&
    (!tasks.includes('boxes') || (graphs.detector !== undefined && prompts.label !== undefined && calibration.detect !== undefined)),
  'the prompt, the calibration and the graph of each of its tasks',
)
export type MammutManifest = z.infer<typeof MammutManifest>

/** Logits are divided by this before they become probabilities. */
export function temperatureOf({ calibration }: MammutManifest): number {
  return calibration.answer?.temperature ?? 1
}

/** The words of a text that the pack never learnt, in order: an answer that depends on them is a guess. */
export function unlearnt({ words }: MammutManifest, text: string): string[] {
  if (words === undefined) return []
  return [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu))].filter((word) => !words.includes(word))
}
