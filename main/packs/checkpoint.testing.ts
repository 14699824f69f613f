/** Checkpoints for tests: `.safetensors` files of given tensors, and openMaMMUT ones of random weights, as models/openmammut/seeded.py makes them. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { z } from 'zod'
import { MammutTemplate } from './openmammut.ts'
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
    [...shapes].map(([key, shape]) => [key === 'text.lm_head' ? 'text.text_projection' : key, f32(shape, seeded(key, shape))]),
  )
}

/** Value i is `offset + bound * (2 h / 2^32 - 1)`, h = murmur3's finaliser of (fnv1a(key) + i * 0x9E3779B9). */
function seeded(key: string, shape: readonly number[]): Float32Array {
  const [bound, offset] = recipe(key, shape).map(Math.fround) as [number, number]
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
