/** Checkpoints for tests: `.safetensors` files of given tensors, and openMaMMUT ones of random weights, as models/openmammut/seeded.py makes them. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { z } from 'zod'
import { MammutTemplate } from './openmammut.ts'
import { OwlTemplate } from './owl.ts'
import { expectedKeys } from './template.ts'

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

function recipe(key: string, shape: readonly number[]): [bound: number, offset: number] {
  if (key === 'logit_scale') return [0, Math.log(1 / 0.07)]
  if (key.includes('.ln_')) return [0.2, key.endsWith('weight') ? 1 : 0]
  if (key.endsWith('bias')) return [0.05, 0]
  if (key.includes('embedding')) return [0.5, 0]
  const rowsAreInputs = ['map_viz2txt_kv', 'visual.proj', 'text.lm_head', 'text.text_projection'].includes(key)
  const fanIn = rowsAreInputs ? (shape[0] ?? 1) : shape.slice(1).reduce((product, side) => product * side, 1)
  return [Math.sqrt(3 / fanIn) * (key === 'text.lm_head' ? 4 : 1), 0]
}
