/**
 * Makes a pack of what a person brings: a `.safetensors` checkpoint, which is converted, or a pack folder. A pack is listed only once it has passed
 * its self-test, and a stopped import leaves nothing behind.
 */
import { hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { isCheckpoint } from '../../app/catalogue.ts'
import type { PackWork, Precision } from '../../app/contract/packs.ts'
import { TubeletError } from '../../app/errors.ts'
import type { FileRef } from '../../app/pack/base.ts'
import { Engine, type ForkEngine, ofFamily } from '../engine/engine.ts'
import type { CheckpointFamily, CheckpointModel, Made, Origin } from './checkpoint.ts'
import { needRoom } from './download.ts'
import { onnxFile } from './onnx-writer.ts'
import { openMammut, testClips } from './openmammut.ts'
import { owl } from './owl.ts'
import { INDEX, readCheckpoint, refusal } from './safetensors.ts'
import type { Measured } from './settings.ts'
import { smolVlm } from './smolvlm.ts'
import type { PackStore, StoredPack } from './store.ts'
import { expandTemplate, type Graph } from './template.ts'
import { planWeights, type PlannedWeight, writeWeights } from './weights.ts'

/** Asked in this order. */
const FAMILIES: readonly CheckpointFamily[] = [owl, smolVlm, openMammut]

type Report = (progress: Pick<PackWork, 'stage' | 'bytes' | 'totalBytes'>) => void
export interface ImportOptions {
  store: PackStore
  fork: ForkEngine | undefined
  report: Report
  signal: AbortSignal
  origin?: Origin
}
export interface Imported {
  pack: StoredPack
  /** Null for packs that encode no clips. */
  measured: Measured | null
}
/** A checked file or folder, ready to be made a pack. */
export type Prepared = { run: (options: ImportOptions) => Promise<Imported> }

const WEIGHTS = 'weights.bin'
/** The file names that the makers' own loaders look for, first those that they prefer. */
const PUBLISHED = ['open_clip_model.safetensors', 'model.safetensors', INDEX]
const PUBLISHED_BEFORE = 'open_clip_pytorch_model.bin'
/** Bytes of a pack besides its weights: graphs, tokenizer, self-test. */
const BESIDE_WEIGHTS = 8e6

/** Whether a folder with these names is a pack or has a checkpoint. Of .bin files only the published name counts: folders of videos may have others. */
export function isPackFolder(names: readonly string[]): boolean {
  return names.some((name) => name === 'pack.json' || (isCheckpoint(name) && !name.endsWith('.bin')) || name === PUBLISHED_BEFORE)
}

/** The pack or checkpoint of a folder; null if it is no folder or has neither. @throws TubeletError `checkpoint-unusable` if it has several checkpoints */
async function modelIn(folder: string): Promise<string | null> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'))
  if (names.includes('pack.json')) return folder
  const published = PUBLISHED.find((name) => names.includes(name))
  if (published !== undefined) return path.join(folder, published)
  const kinds = [names.filter((name) => name.endsWith('.safetensors')), names.filter(isCheckpoint)]
  const [one, ...more] = kinds.find((some) => some.length > 0) ?? []
  if (one === undefined) return null
  if (more.length > 0)
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'There are several checkpoints in this folder: {{names}}.',
      file: folder,
      next: 'Choose one of them.',
      values: { names: [one, ...more].slice(0, 5).join(', ') },
    })
  return path.join(folder, one)
}

/**
 * Checks everything that can be checked without long work, and throws if the file cannot be used.
 * @param given A checkpoint, a pack folder, or a folder with one checkpoint.
 * @param templates models/packs, or its place in the packaged app: the folder of the families' templates.
 * @param whole The final size of a file of which only the beginning is here yet.
 * @throws TubeletError `checkpoint-unusable`, `pack-invalid`, `file-missing`, `file-unreadable`, `disk-full`
 */
export async function prepareImport(
  given: string,
  precision: Precision,
  templates: string,
  store: PackStore,
  whole?: number,
): Promise<Prepared> {
  const file = path.basename(given) === 'pack.json' ? path.dirname(given) : ((await modelIn(given)) ?? given)
  if (await stat(path.join(file, 'pack.json')).catch(() => null)) return { run: (options) => importFolder(file, options) }
  const checkpoint = await readCheckpoint(file, whole)
  const family = FAMILIES.find(({ owns }) => owns(checkpoint.tensors)) ?? openMammut
  const folder = path.join(templates, family.folder)
  const model = await family.read(checkpoint, precision, folder)
  const graphs = expandTemplate(model.template, model.env, precision)
  const { places, bytes } = planWeights(graphs, model.tensors)
  const toCome = whole === undefined ? 0 : whole - (await stat(file)).size
  await needRoom(store.existingFolder(), bytes + BESIDE_WEIGHTS + toCome, store.folder)
  return { run: (options) => importCheckpoint({ folder, model, graphs, places, bytes }, options) }
}

interface Conversion {
  /** The folder of its family's template. */
  folder: string
  model: CheckpointModel
  graphs: Graph[]
  places: Map<string, PlannedWeight>
  bytes: number
}

async function importCheckpoint(
  { folder, model, graphs, places, bytes }: Conversion,
  { store, fork, report, signal, origin }: ImportOptions,
): Promise<Imported> {
  return building(store, async (dir) => {
    const put = async (name: string, content: Uint8Array | string): Promise<FileRef> => {
      await writeFile(path.join(dir, name), content)
      return { file: name, sha256: hash('sha256', content) }
    }
    report({ stage: 'converting', bytes: 0, totalBytes: bytes })
    const sha256 = await writeWeights(
      { out: path.join(dir, WEIGHTS), plan: [...places.values()] },
      (done) => report({ stage: 'converting', bytes: done, totalBytes: bytes }),
      signal,
    )
    const made: Omit<Made, 'selfTest'> = {
      graphs: Object.fromEntries(
        await Promise.all(
          graphs.map(async (graph) => {
            const content = onnxFile(graph, places, { ...model.template, location: WEIGHTS })
            return [graph.name, await put(`${graph.name}.onnx`, content)] as const
          }),
        ),
      ),
      weights: [{ file: WEIGHTS, sha256 }],
      files: Object.fromEntries(
        await Promise.all(Object.entries(model.files).map(async ([name, content]) => [name, await put(name, content)] as const)),
      ),
      origin,
    }
    await copyFile(path.join(folder, 'NOTICE'), path.join(dir, 'NOTICE'))

    // The engine opens it without a self-test; its answers become the pack's known answers.
    report({ stage: 'testing', bytes: null, totalBytes: null })
    const unknown = { file: 'selftest.json', sha256: '0'.repeat(64) }
    await put('pack.json', JSON.stringify(await model.manifest({ ...made, selfTest: unknown })))
    const engine = await Engine.start({ packDir: dir, untested: true, signal, ...(fork ? { fork } : {}) })
    try {
      const { selfTest, measured } = await model.knownAnswers(engine, put, signal)
      await put('pack.json', `${JSON.stringify(await model.manifest({ ...made, selfTest }), null, 2)}\n`)
      return measured
    } finally {
      await engine.close()
    }
  })
}

/** Imports a pack from elsewhere: it is copied, checked file by file, and tested. */
async function importFolder(folder: string, { store, fork, report, signal }: ImportOptions): Promise<Imported> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size))
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0)
  await needRoom(store.existingFolder(), totalBytes, store.folder)
  return building(store, async (dir) => {
    let bytes = 0
    for (const [i, name] of names.entries()) {
      report({ stage: 'copying', bytes, totalBytes })
      await pipeline(createReadStream(path.join(folder, name)), createWriteStream(path.join(dir, name)), { signal })
      bytes += sizes[i] ?? 0
    }
    report({ stage: 'testing', bytes: null, totalBytes: null })
    const engine = await Engine.start({ packDir: dir, signal, ...(fork ? { fork } : {}) })
    try {
      // The cost of detectors and readers is measured when they are used.
      if (!ofFamily(engine, 'mammut') && !ofFamily(engine, 'smolvlm')) return null
      const { family, input } = engine.info.manifest
      const clips = testClips(family === 'mammut' ? input.frames : 1, input.width, input.height)
      const { secondsPerClip, memoryBytes } = await engine.knownAnswers(clips, [], signal)
      return { secondsPerClip, memoryBytes }
    } finally {
      await engine.close()
    }
  })
}

/** Builds a pack in a folder of its own, which is deleted if that fails. */
async function building(store: PackStore, build: (dir: string) => Promise<Measured | null>): Promise<Imported> {
  const dir = store.unfinished()
  try {
    const measured = await build(dir)
    return { pack: store.adopt(dir), measured }
  } catch (error) {
    // The folder is about to be deleted, so an error must not name a file in it.
    throw error instanceof TubeletError && error.problem.file?.startsWith(dir)
      ? new TubeletError({ ...error.problem, file: store.folder }, { cause: error })
      : error
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
