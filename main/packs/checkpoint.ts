/**
 * What the import knows of a family of checkpoints, and what the families share: each says which checkpoints are its own, and makes of one the graphs,
 * the manifest and the known answers of a pack, or refuses it with a reason. One file for each: openmammut.ts, …
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import { MOST_BESIDE_BYTES } from '../../app/catalogue.ts'
import type { Precision } from '../../app/contract/packs.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import type { FileRef } from '../../app/pack/base.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import type { Engine } from '../engine/engine.ts'
import { openPlain } from '../plain-file.ts'
import { type Checkpoint, CHOOSE_OTHER, refusal, type Tensor } from './safetensors.ts'
import type { Measured } from './settings.ts'
import { type Env, expectedKeys, type Template } from './template.ts'

export type Tensors = ReadonlyMap<string, Tensor>

/** Where a checkpoint was fetched from, and its SHA-256 if it is one file. */
export interface Origin {
  url: string
  sha256?: string
}

/** The files of a pack that is being made, as its manifest names them. */
export interface Made {
  graphs: Readonly<Record<string, FileRef>>
  weights: FileRef[]
  /** `CheckpointModel.files` */
  files: Readonly<Record<string, FileRef>>
  selfTest: FileRef
  origin: Origin | undefined
}

/** Adds a file to the pack that is being made. */
type Put = (name: string, content: Uint8Array | string) => Promise<FileRef>

/** A checkpoint that was recognised and checked. */
export interface CheckpointModel {
  /** By the keys that the template uses. */
  tensors: Tensors
  template: Template
  env: Env
  /** Content of the pack's further files, by name. */
  files: Readonly<Record<string, Uint8Array>>
  manifest: (made: Made) => Promise<PackManifest>
  /**
   * What the finished graphs say, which becomes the pack's self-test, and what that cost here.
   * @param engine Runs the pack without a self-test. @throws TubeletError `checkpoint-unusable` where they give no numbers
   */
  knownAnswers: (engine: Engine, put: Put, signal: AbortSignal) => Promise<{ selfTest: FileRef; measured: Measured | null }>
}

export interface CheckpointFamily {
  /** Its folder in models/packs, with template.json and NOTICE. */
  folder: string
  /** Whether these are the tensors of one of its models, though perhaps of a broken one or of a kind that it refuses. */
  owns: (tensors: Tensors) => boolean
  /** @param dir Its folder. @throws TubeletError `checkpoint-unusable` with the reason why it cannot be used */
  read: (checkpoint: Checkpoint, precision: Precision, dir: string) => Promise<CheckpointModel>
}

/** Further parts of a refusal beside its sentence. */
type Aside = Partial<Pick<Problem, 'values' | 'details' | 'next'>>
export type Unusable = (message: string, more?: Aside) => Error

export function unusableFile(file: string): Unusable {
  return (message, more = {}) => refusal({ code: 'checkpoint-unusable', message, file, next: CHOOSE_OTHER, ...more })
}

/** The template of a family, which may say more than its graphs. */
export async function readTemplate<T>(dir: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await readFile(path.join(dir, 'template.json'), 'utf8')))
}

/** More layers than any model has: of each a dozen tensors are asked for. */
const MOST_LAYERS = 1000

/** The sizes that the shapes and the names of the tensors show. @param model How its kind is called. @throws what `unusable` makes */
export function sizesOf(template: Template, tensors: Tensors, model: string, unusable: Unusable): Record<string, number> {
  const incomplete = (details: string) => unusable('This {{model}} checkpoint is not complete.', { values: { model }, details })
  const sizes: Record<string, number> = {}
  for (const [name, [key, axis]] of Object.entries(template.dims)) {
    const side = tensors.get(key)?.shape[axis]
    if (side === undefined || side === 0) throw incomplete(`The tensor ${key} is missing or not of the right shape.`)
    sizes[name] = side
  }
  for (const [name, pattern] of Object.entries(template.counts)) {
    let count = 0
    while (tensors.has(pattern.replace('{i}', String(count)))) count += 1
    if (count === 0) throw incomplete(`The tensor ${pattern.replace('{i}', '0')} is missing.`)
    if (count > MOST_LAYERS)
      throw unusable('This is a {{model}} of a kind that Tubelet does not know.', { values: { model }, details: `It has ${count} layers.` })
    sizes[name] = count
  }
  return sizes
}

/** Whether the tensors are exactly those that a model of these sizes has, of types that can be converted. @throws what `unusable` makes */
export function checkTensors(template: Template, env: Env, tensors: Tensors, model: string, unusable: Unusable): void {
  const values = { model }
  const unknown = (details: string) => unusable('This is a {{model}} of a kind that Tubelet does not know.', { values, details })
  const expected = expectedKeys(template, env)
  const missing = [...expected.keys()].filter((key) => !tensors.has(key))
  if (missing.length > 0)
    throw unusable('This {{model}} checkpoint is not complete.', { values, details: `Tensors are missing: ${few(missing)}.` })
  const unexpected = [...tensors.keys()].filter((key) => !expected.has(key))
  if (unexpected.length > 0) throw unknown(`There are tensors that it should not have: ${few(unexpected)}.`)
  const misfits = [...expected].flatMap(([key, shape]) => {
    const found = tensors.get(key)?.shape ?? []
    // A scalar may be stored as a vector of one.
    return String(found) === String(shape) || (shape.length === 0 && String(found) === '1')
      ? []
      : [`${key} is [${found.join(', ')}], not [${shape.join(', ')}]`]
  })
  if (misfits.length > 0) throw unknown(`Tensors do not fit each other: ${few(misfits)}.`)
  const types = [...tensors]
    .filter(([, { dtype }]) => !['F32', 'F16', 'BF16'].includes(dtype))
    .map(([key, { dtype }]) => `${key} is ${dtype}`)
  if (types.length > 0)
    throw unusable('The weights are stored in a way that cannot be converted here.', {
      details: `F32, F16 and BF16 can be; ${few(types)}.`,
    })
}

/**
 * The sizes that a config states must be those of the tensors.
 * @param said What it says (not compared where undefined), the name of the size among `sizes`, and how it is called for a reader.
 * @throws what `unusable` makes
 */
export function mustAgree(
  said: readonly [value: number | undefined, name: string, what: string][],
  sizes: Readonly<Record<string, number>>,
  config: string,
  unusable: Unusable,
): void {
  for (const [value, name, what] of said) {
    const size = sizes[name] ?? 0
    if (value !== undefined && value !== size)
      throw unusable('The {{config}} beside the checkpoint is of another model.', {
        values: { config },
        details: `It says ${what} ${value}, the tensors say ${size}.`,
      })
  }
}

export function few(names: readonly string[]): string {
  return names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '')
}

/** A file beside the checkpoint; null if there is none. @throws TubeletError `file-unreadable`, `checkpoint-unusable` */
async function readBeside(checkpoint: string, name: string): Promise<Buffer | null> {
  const file = path.join(path.dirname(checkpoint), name)
  const handle = await openPlain(file).catch((error: unknown) => {
    if (error instanceof TubeletError) throw error
    return null
  })
  if (handle === null) return null
  try {
    const info = await handle.stat()
    if (info.isDirectory()) return null
    if (info.size > MOST_BESIDE_BYTES) throw unreadable(file, new Error('it is far larger than any of its kind'))
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** The JSON of a file beside the checkpoint; null if there is none. @throws TubeletError `checkpoint-unusable` if it is not as it should be */
export async function jsonBeside<T>(checkpoint: string, name: string, schema: z.ZodType<T>): Promise<T | null> {
  const bytes = await readBeside(checkpoint, name)
  if (bytes === null) return null
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw unreadable(path.join(path.dirname(checkpoint), name), cause)
  }
}

function unreadable(file: string, cause: unknown): TubeletError {
  return refusal(
    {
      code: 'checkpoint-unusable',
      message: 'The {{config}} beside the checkpoint cannot be read.',
      file,
      next: 'Download it again, or move it away to import without it.',
      values: { config: path.basename(file) },
      details: cause instanceof Error ? cause.message : String(cause),
    },
    cause,
  )
}

/** The outputs of a pack that is being made, if all of them are numbers. @throws TubeletError `checkpoint-unusable` */
export function mustBeNumbers(outputs: Iterable<ArrayLike<number>>, file: string, precision: Precision): void {
  for (const values of outputs)
    for (let i = 0; i < values.length; i += 1)
      if (!Number.isFinite(values[i]))
        throw refusal({
          code: 'checkpoint-unusable',
          message: 'With these weights the model gives no numbers.',
          file,
          next: precision === 'fp32' ? 'Download the checkpoint again; it may be damaged.' : 'Import it in full precision.',
        })
}
