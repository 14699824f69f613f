/** Checkpoints for tests: `.safetensors` files of given tensors, and models of random weights, as the seeded.py in models/openmammut and models/smolvlm make them. */
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { z } from 'zod'
import { MammutTemplate } from './openmammut.ts'
import { OwlTemplate } from './owl.ts'
import { expectedKeys, Template } from './template.ts'

export const TEMPLATES = path.resolve(import.meta.dirname, '../../models/packs')
const OPENMAMMUT = path.join(TEMPLATES, 'openmammut', 'template.json')

/** openMaMMUT's. */
export function mammutTemplate(): z.infer<typeof MammutTemplate> {
  return MammutTemplate.parse(JSON.parse(readFileSync(OPENMAMMUT, 'utf8')))
}

export interface MadeTensor {
  dtype: string
  shape: readonly number[]
  data: Uint8Array
}

export function f32(shape: readonly number[], values: ArrayLike<number>): MadeTensor {
  return { dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) }
}

/** @param edit Changes the header, to make a file wrong. */
export function writeSafetensors(
  file: string,
  tensors: Readonly<Record<string, MadeTensor>>,
  edit: (header: Record<string, unknown>) => unknown = (header) => header,
): void {
  let at = 0
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] }
    at += data.length
  }
  const json = Buffer.from(JSON.stringify(edit(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const handle = openSync(file, 'w')
  for (const bytes of [length, json, ...Object.values(tensors).map(({ data }) => data)]) writeSync(handle, bytes)
  closeSync(handle)
}

/** The smallest openMaMMUT of the fork's layout: two vision layers, four text layers with two cross-attentions; CLIP's vocabulary takes most of its 26 MB. */
export function tinyMammut(): Record<string, MadeTensor> {
  const template = mammutTemplate()
  const sizes = {
    visionWidth: 64,
    patch: 14,
    visionTokens: 17,
    visionMlp: 256,
    embed: 64,
    vocab: 49408,
    width: 64,
    context: 77,
    mlpWidth: 256,
    visionLayers: 2,
    layers: 4,
    crossLayers: 2,
  }
  const shapes = expectedKeys(template, { ...sizes, projected: false, mlp: [false, true, false, true] })
  return Object.fromEntries(
    [...shapes].map(([key, shape]) => [
      key === 'text.lm_head' ? 'text.text_projection' : key,
      f32(shape, seeded(key, shape, recipe(key, shape))),
    ]),
  )
}

export const OWLS = ['owlvit', 'owlv2'] as const
type OwlKind = (typeof OWLS)[number]
const TINY_OWL = {
  ...{ visionWidth: 64, visionLayers: 2, visionMlp: 128, patch: 8, visionTokens: 65, width: 32, layers: 2, mlpWidth: 64, embed: 32 },
  ...{ vocab: 49408, context: 16 },
}

/** The checkpoint and the config.json of models/owl/seeded.py's tiny models. */
export function tinyOwl(kind: OwlKind): { tensors: Record<string, MadeTensor>; config: object } {
  const template = OwlTemplate.parse(JSON.parse(readFileSync(path.join(TEMPLATES, 'owl', 'template.json'), 'utf8')))
  const shapes = new Map(expectedKeys(template, { ...TINY_OWL, objectness: kind === 'owlv2' }))
  const named = (key: string) => (/^(?:text_model|vision_model|text_projection)\./.test(key) ? `${kind}.${key}` : key)
  const tensors = [...shapes].map(([key, shape]) => [named(key), f32(shape, seeded(key, shape, owlRecipe(key, shape)))] as const)
  const unused = { [`${kind}.visual_projection.weight`]: f32([32, 64], new Float32Array(2048)), [`${kind}.logit_scale`]: f32([], [2.6592]) }
  const tower = { hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, num_attention_heads: 4 }
  return {
    tensors: { ...Object.fromEntries(tensors), ...unused },
    config: {
      model_type: kind,
      vision_config: { ...tower, hidden_size: 64, image_size: 64, patch_size: 8 },
      text_config: { ...tower, hidden_size: 32, max_position_embeddings: 16 },
    },
  }
}

function owlRecipe(key: string, shape: readonly number[]): [bound: number, offset: number] {
  if (key.includes('norm')) return [0.2, key.endsWith('weight') ? 1 : 0]
  if (key.endsWith('bias')) return [0.05, 0]
  if (key.includes('embedding') && !key.includes('patch_embedding')) return [0.5, 0]
  return [Math.sqrt(3 / shape.slice(1).reduce((product, side) => product * side, 1)), 0]
}

/** The config "tiny" of models/smolvlm/seeded.py. */
export const TINY_SMOLVLM = {
  model_type: 'smolvlm',
  image_token_id: 1000,
  scale_factor: 4,
  text_config: {
    model_type: 'llama',
    hidden_size: 96,
    intermediate_size: 192,
    num_hidden_layers: 3,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    head_dim: 16,
    vocab_size: 1024,
    max_position_embeddings: 8192,
    rope_theta: 100_000,
    rms_norm_eps: 1e-5,
    hidden_act: 'silu',
  },
  vision_config: {
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    image_size: 64,
    patch_size: 8,
    layer_norm_eps: 1e-6,
    hidden_act: 'gelu_pytorch_tanh',
  },
}
export const SMOLVLM_GOLDEN = path.resolve(import.meta.dirname, '../../models/smolvlm/golden')

/** The tensors of the smallest SmolVLM2. */
export function tinySmolVlm(): Record<string, MadeTensor> {
  const template = Template.parse(JSON.parse(readFileSync(path.join(TEMPLATES, 'smolvlm', 'template.json'), 'utf8')))
  const sizes = { visionWidth: 64, patch: 8, patches: 64, visionInner: 128, visionLayers: 2, joined: 1024 }
  const shapes = expectedKeys(template, {
    ...sizes,
    ...{ width: 96, inner: 192, layers: 3, heads: 6, kvHeads: 2, headDim: 16, vocab: 1024, tied: false },
  })
  return Object.fromEntries([...shapes].map(([key, shape]) => [key, f32(shape, seeded(key, shape, smolVlmRecipe(key, shape)))]))
}

/** A folder as SmolVLM2's makers publish it. @returns The checkpoint. */
export function writeSmolVlm(folder: string, tensors = tinySmolVlm(), config: object = TINY_SMOLVLM): string {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'model.safetensors')
  writeSafetensors(file, tensors)
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
  copyFileSync(path.join(SMOLVLM_GOLDEN, 'tokenizer.json'), path.join(folder, 'tokenizer.json'))
  return file
}

/** Value i is `offset + bound * (2 h / 2^32 - 1)`, h = murmur3's finaliser of (fnv1a(key) + i * 0x9E3779B9). */
function seeded(key: string, shape: readonly number[], [exact, offset]: readonly [bound: number, offset: number]): Float32Array {
  const bound = Math.fround(exact)
  const seed = Buffer.from(key).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5)
  return Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b9) + seed) | 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    h ^= h >>> 16
    return Math.fround(Math.fround((h >>> 0) * (2 / 2 ** 32) - 1) * bound) + offset
  })
}

/** SmolVLM2's, as models/smolvlm/seeded.py has it. */
function smolVlmRecipe(key: string, shape: readonly number[]): [bound: number, offset: number] {
  if (key.includes('norm')) return [0.2, key.endsWith('weight') ? 1 : 0]
  if (key.endsWith('bias')) return [0.05, 0]
  if (key.includes('position_embedding')) return [0.1, 0]
  if (key.includes('embed_tokens')) return [1.7, 0]
  const fanIn = shape.slice(1).reduce((product, side) => product * side, 1)
  return [Math.sqrt(3 / fanIn) * (key === 'lm_head.weight' ? 2 : 1), 0]
}

function recipe(key: string, shape: readonly number[]): [bound: number, offset: number] {
  if (key === 'logit_scale') return [0, Math.log(1 / 0.07)]
  if (key.includes('.ln_')) return [0.2, key.endsWith('weight') ? 1 : 0]
  if (key.endsWith('bias')) return [0.05, 0]
  if (key.includes('embedding')) return [0.5, 0]
  const rowsAreInputs = ['map_viz2txt_kv', 'visual.proj', 'text.lm_head', 'text.text_projection'].includes(key)
  const fanIn = rowsAreInputs ? (shape[0] ?? 1) : shape.slice(1).reduce((product, side) => product * side, 1)
  return [Math.sqrt(3 / fanIn) * (key === 'text.lm_head' ? 4 : 1), 0]
}
