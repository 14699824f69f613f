/**
 * Checkpoints that can be downloaded, with what their pages and papers state. Tubelet measured none of this, and what is not known is null:
 * no checksum of these files could be read when this was written. docs/openmammut.md, docs/owl.md and docs/smolvlm.md say where each fact comes from.
 */
import { z } from 'zod'
import { Task } from './pack/base.ts'

export const CatalogueEntry = z.object({
  /** On the Hugging Face hub: owner/name. */
  repo: z.string(),
  page: z.string(),
  /** Where the file is expected, under the name that open_clip's own loader looks for; null where the app cannot read the file. */
  address: z.string().nullable(),
  network: z.string(),
  /** What a pack made of it does. */
  tasks: z.array(Task),
  /**
   * What running it takes: the peak memory of its engine in bytes, and the seconds for a clip of eight seconds. Measured with random weights of its shape in
   * full precision on two cores of another machine; null where nobody did.
   */
  cost: z.object({ memory: z.number().int(), secondsPerClip: z.number() }).nullable(),
  /** Side of its square input pictures. */
  pixels: z.number().int().nullable(),
  trainedOn: z.string().nullable(),
  parameters: z.number().int().nullable(),
  /** Size of the file. */
  bytes: z.number().int().nullable(),
  sha256: z.string().nullable(),
  licence: z.string().nullable(),
  /** As its makers report them. */
  scores: z.array(z.object({ measure: z.string(), value: z.number() })),
})
export type CatalogueEntry = z.infer<typeof CatalogueEntry>

const HUB = 'https://huggingface.co'
const FILE = 'open_clip_model.safetensors'
const MAMMUT = { tasks: ['caption', 'search'], cost: null } satisfies Partial<CatalogueEntry>
const at = (repo: string, file = FILE) => ({
  ...{ repo, page: `${HUB}/${repo}`, address: `${HUB}/${repo}/resolve/main/${file}`, sha256: null, licence: null },
})
/** Of the base models, as their cards state. */
const OWL = { tasks: ['boxes'], licence: 'Apache-2.0', scores: [] } satisfies Partial<CatalogueEntry>
/** As transformers stores a model. */
const STORED = 'model.safetensors'

const smolVlm = (size: string) => ({
  ...at(`HuggingFaceTB/SmolVLM2-${size}-Video-Instruct`, STORED),
  ...({ tasks: ['caption', 'answer'], licence: 'Apache-2.0', network: `SmolVLM2 ${size}`, pixels: 512 } satisfies Partial<CatalogueEntry>),
})

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    ...at('laion/openMaMMUT-ViT-L-14-DataComp-1.4B-s12.8B-b180K'),
    ...MAMMUT,
    network: 'ViT-L/14',
    pixels: 224,
    trainedOn: 'DataComp-1.4B',
    parameters: 508_294_913,
    bytes: 2_033_000_000,
    scores: [{ measure: 'ImageNet-1k zero-shot, %', value: 80.34 }],
  },
  {
    ...at('laion/openMaMMUT-ViT-L-14-512x512-pt_datacomp1b-ft_datacomp512x512-s76M-b73k'),
    ...MAMMUT,
    network: 'ViT-L/14',
    pixels: 512,
    trainedOn: 'DataComp-1B',
    parameters: null,
    bytes: null,
    scores: [
      { measure: 'ImageNet-1k zero-shot, %', value: 80.94 },
      { measure: 'COCO image retrieval R@5', value: 71.95 },
      { measure: 'COCO text retrieval R@5', value: 86.56 },
    ],
  },
  {
    ...at('rwightman/mammut2_ViT-B-32.cc12m'),
    ...MAMMUT,
    network: 'ViT-B/32',
    pixels: null,
    trainedOn: 'CC12M',
    parameters: null,
    bytes: null,
    scores: [
      { measure: 'ImageNet-1k zero-shot, %', value: 38.36 },
      { measure: 'COCO caption CIDEr', value: 10.04 },
    ],
  },
  {
    ...smolVlm('500M'),
    trainedOn: null,
    parameters: 507_482_304,
    bytes: 2_030_000_000,
    cost: { memory: 2_600_000_000, secondsPerClip: 20 },
    scores: [
      { measure: 'Video-MME', value: 42.2 },
      { measure: 'MLVU', value: 47.3 },
      { measure: 'MVBench', value: 39.73 },
    ],
  },
  {
    ...smolVlm('256M'),
    trainedOn: null,
    parameters: 256_484_928,
    bytes: 1_030_000_000,
    cost: { memory: 1_450_000_000, secondsPerClip: 15 },
    scores: [
      { measure: 'Video-MME', value: 33.7 },
      { measure: 'MLVU', value: 40.6 },
      { measure: 'MVBench', value: 32.7 },
    ],
  },
  {
    ...MAMMUT,
    // Thousands of .pt files, which the app does not open; `python -m models.openmammut convert` converts them to .safetensors.
    ...at('laion/scaling-laws-for-comparison'),
    address: null,
    network: 'ViT-S … ViT-H',
    pixels: null,
    trainedOn: 'DataComp, DFN, Re-LAION',
    parameters: null,
    bytes: null,
    scores: [],
  },
  {
    ...at('google/owlvit-base-patch32', STORED),
    ...OWL,
    network: 'OWL-ViT B/32',
    pixels: 768,
    trainedOn: null,
    parameters: 153_200_000,
    bytes: 613_000_000,
    cost: { memory: 775_000_000, secondsPerClip: 5.8 },
  },
  {
    ...at('google/owlv2-base-patch16-ensemble', STORED),
    ...OWL,
    network: 'OWLv2 B/16',
    pixels: 960,
    trainedOn: null,
    parameters: 155_000_000,
    bytes: 620_000_000,
    cost: { memory: 1_240_000_000, secondsPerClip: 13.2 },
  },
]

/** Whether a file of this name is likely to be a model, and certainly no video. */
export const isCheckpoint = (name: string): boolean => /\.(safetensors(\.index\.json)?|pt|pth|bin|ckpt|onnx|gguf)$/i.test(name)

/** Files that are read where they lie beside a checkpoint, or come with it: they state what its tensors do not. */
export const BESIDE: readonly string[] = [
  'open_clip_config.json',
  'config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'generation_config.json',
  'tokenizer_config.json',
  'tokenizer.json',
]
/** Bytes of the largest of them: a tokenizer. */
export const MOST_BESIDE_BYTES = 64 * 2 ** 20

/** Memory in bytes that the engine needs for a pack of this size: its weights, a working copy of the largest parts, and the runtime. */
export function engineMemory(packBytes: number): number {
  return Math.round(packBytes * 1.25 + 300e6)
}
