/** `pack.json`: a model in a folder. Written by models/export, checked here; a pack is data and names only files inside its own folder. */
import { z } from 'zod'

const FileRef = z.object({
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a plain file name inside the pack folder'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const Triple = z.tuple([z.number().int(), z.number().int(), z.number().int()])

/**
 * A kind of tube, all in voxels, order (t, y, x). A 2D patch is a tube of length 1. `depth` is space-to-depth (TubeViT 3.4): a token joins
 * that many kernels along each axis, read at a stride that is as many times finer.
 */
export const TubeKind = z
  .object({
    name: z.string(),
    kernel: Triple.refine((k) => k.every((n) => n > 0)),
    stride: Triple.refine((s) => s.every((n) => n > 0)),
    offset: Triple.refine((o) => o.every((n) => n >= 0)),
    depth: Triple.refine((d) => d.every((n) => n > 0)).default([1, 1, 1]),
  })
  .refine(({ stride, depth }) => stride.every((s, axis) => s % (depth[axis] ?? 1) === 0), 'a stride that is a multiple of the space-to-depth')
export type TubeKind = z.infer<typeof TubeKind>

const Logistic = z.object({ scale: z.number(), bias: z.number(), threshold: z.number().min(0).max(1) })

export const PackManifest = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  version: z.string(),
  name: z.string(),
  description: z.string(),
  licence: z.string(),
  data: z.array(z.object({ name: z.string(), licence: z.string() })),
  tasks: z.array(z.enum(['caption', 'answer', 'search', 'detect'])),
  input: z.object({
    frames: z.number().int().positive(),
    width: z.number().int().positive(),
    height: z.number().int().positive(),
    /** How the display-oriented frame becomes width x height. */
    fit: z.enum(['stretch']),
    maxClipSeconds: z.number().positive(),
    tubes: z.array(TubeKind).min(1),
  }),
  dims: z.object({
    embedding: z.number().int(),
    memory: z.number().int(),
    tokens: z.number().int(),
    token: z.number().int(),
    layers: z.number().int(),
    crossLayers: z.number().int(),
    heads: z.number().int(),
    headDim: z.number().int(),
    vocab: z.number().int(),
    context: z.number().int(),
    queries: z.number().int(),
  }),
  graphs: z.object({ vision: FileRef, text: FileRef, cross: FileRef, decoder: FileRef, detector: FileRef.optional() }),
  tokenizer: FileRef.extend({ pad: z.number().int(), start: z.number().int(), end: z.number().int() }),
  prompts: z.object({ caption: z.string(), question: z.string().includes('{question}'), label: z.string().includes('{label}'), search: z.string().includes('{query}') }),
  calibration: z.object({
    /** probability = sigmoid(scale * cosine + bias); below `threshold` nothing matches. */
    search: Logistic,
    answer: z.object({ temperature: z.number().positive(), notSureBelow: z.number() }),
    caption: z.object({ notSureBelow: z.number() }),
    /** score = objectness * sigmoid(scale * cosine + bias) */
    detect: Logistic,
  }),
  selfTest: FileRef,
  scores: z.array(z.object({ task: z.string(), metric: z.string(), value: z.number(), n: z.number().int(), on: z.string(), date: z.string() })),
})
export type PackManifest = z.infer<typeof PackManifest>
