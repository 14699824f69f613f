/**
 * Checkpoints that can be downloaded, with what their pages and papers state. Tubelet measured none of this, and what is not known is null:
 * no checksum and no licence of these files could be read when this was written. The sources were copies of LAION's two model cards and of
 * the page of its study; open_clip's own list of pretrained models names the first. Neither a list of the files in any of them nor the page
 * of mammut2 was seen: docs/openmammut.md says where each fact comes from.
 */
import { z } from 'zod'

export const CatalogueEntry = z.object({
  /** On the Hugging Face hub: owner/name. */
  repo: z.string(),
  page: z.string(),
  /** Where the file is expected, under the name that open_clip's own loader looks for; null where the app cannot read the file. */
  address: z.string().nullable(),
  network: z.string(),
  /** Side of its square input pictures. */
  pixels: z.number().int().nullable(),
  trainedOn: z.string(),
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
const at = (repo: string) => ({ repo, page: `${HUB}/${repo}`, address: `${HUB}/${repo}/resolve/main/${FILE}`, sha256: null, licence: null })

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    ...at('laion/openMaMMUT-ViT-L-14-DataComp-1.4B-s12.8B-b180K'),
    network: 'ViT-L/14',
    pixels: 224,
    trainedOn: 'DataComp-1.4B',
    parameters: 508_294_913,
    bytes: 2_033_000_000,
    scores: [{ measure: 'ImageNet-1k zero-shot, %', value: 80.34 }],
  },
  {
    ...at('laion/openMaMMUT-ViT-L-14-512x512-pt_datacomp1b-ft_datacomp512x512-s76M-b73k'),
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
