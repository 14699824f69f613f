/// <reference lib="esnext.float16" />
/**
 * Makes a pack of what a person brings: a `.safetensors` checkpoint, which is converted, or a pack folder. A pack is listed only once it has passed
 * its self-test, and a stopped import leaves nothing behind.
 */
import { hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { isCheckpoint } from '../../app/catalogue.ts'
import type { PackWork, Precision } from '../../app/contract/packs.ts'
import { TubeletError } from '../../app/errors.ts'
import type { FileRef } from '../../app/pack/base.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { Engine, type ForkEngine, ofFamily } from '../engine/engine.ts'
import { needRoom } from './download.ts'
import { onnxFile } from './onnx-writer.ts'
import { type OpenMammut, readConfig, recogniseOpenMammut } from './openmammut.ts'
import { readSafetensors, refusal, type Tensor } from './safetensors.ts'
import type { Measured } from './settings.ts'
import type { PackStore, StoredPack } from './store.ts'
import { type Env, expandTemplate, type Graph, type GraphName, Template } from './template.ts'
import { planWeights, type PlannedWeight, writeWeights } from './weights.ts'

type Report = (progress: Pick<PackWork, 'stage' | 'bytes' | 'totalBytes'>) => void
export interface ImportOptions {
  store: PackStore
  fork: ForkEngine | undefined
  report: Report
  signal: AbortSignal
  /** Where the checkpoint was fetched from, and its SHA-256. */
  origin?: { url: string; sha256: string }
}
export interface Imported {
  pack: StoredPack
  /** Null for packs that encode no clips. */
  measured: Measured | null
}
/** A checked file or folder, ready to be made a pack. */
export type Prepared = { run: (options: ImportOptions) => Promise<Imported> }

const WEIGHTS = 'weights.bin'
/** The file name that open_clip's own loader looks for. */
const PUBLISHED = 'open_clip_model.safetensors'
const PUBLISHED_BEFORE = 'open_clip_pytorch_model.bin'
/** Token ids of CLIP's tokenizer, see models/openmammut/clip_bpe.py. */
const TOKENS = { pad: 0, start: 49406, end: 49407 }
const LETTERS: Readonly<Record<number, string>> = { 384: 'S', 512: 'M', 768: 'B', 1024: 'L', 1280: 'H' }
const STORED: Readonly<Record<Precision, string>> = { fp32: '', fp16: ', half precision', int8: ', 8 bits' }
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
  const kinds = [names.filter((name) => name.endsWith('.safetensors')), names.filter(isCheckpoint)]
  const [one, ...more] = kinds.find((some) => some.length > 0) ?? []
  if (one === undefined) return null
  if (more.length > 0 && !names.includes(PUBLISHED))
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'There are several checkpoints in this folder: {{names}}.',
      file: folder,
      next: 'Choose one of them.',
      values: { names: [one, ...more].slice(0, 5).join(', ') },
    })
  return path.join(folder, names.includes(PUBLISHED) ? PUBLISHED : one)
}

/**
 * Checks everything that can be checked without long work, and throws if the file cannot be used.
 * @param given A checkpoint, a pack folder, or a folder with one checkpoint.
 * @param templateDir models/packs/openmammut, or its place in the packaged app.
 * @param whole The final size of a file of which only the beginning is here yet.
 * @throws TubeletError `checkpoint-unusable`, `pack-invalid`, `file-missing`, `file-unreadable`, `disk-full`
 */
export async function prepareImport(
  given: string,
  precision: Precision,
  templateDir: string,
  store: PackStore,
  whole?: number,
): Promise<Prepared> {
  const file = path.basename(given) === 'pack.json' ? path.dirname(given) : ((await modelIn(given)) ?? given)
  if (await stat(path.join(file, 'pack.json')).catch(() => null)) return { run: (options) => importFolder(file, options) }
  const template = Template.parse(JSON.parse(await readFile(path.join(templateDir, 'template.json'), 'utf8')))
  const checkpoint = await readSafetensors(file, whole)
  const model = recogniseOpenMammut(checkpoint, template, await readConfig(file))
  const graphs = expandTemplate(template, model.env, precision)
  const { places, bytes } = planWeights(graphs, model.tensors)
  const toCome = whole === undefined ? 0 : whole - (await stat(file)).size
  await needRoom(store.existingFolder(), bytes + BESIDE_WEIGHTS + toCome, store.folder)
  return { run: (options) => importCheckpoint({ file, precision, templateDir, template, model, graphs, places, bytes }, options) }
}

interface Conversion {
  file: string
  precision: Precision
  templateDir: string
  template: Template
  model: OpenMammut
  graphs: Graph[]
  places: Map<string, PlannedWeight>
  bytes: number
}

async function importCheckpoint(
  { file, precision, templateDir, template, model, graphs, places, bytes }: Conversion,
  { store, fork, report, signal, origin }: ImportOptions,
): Promise<Imported> {
  return building(store, async (dir) => {
    const refs: Record<string, { file: string; sha256: string }> = {}
    const put = async (name: string, content: Uint8Array | string) => {
      await writeFile(path.join(dir, name), content)
      return (refs[name] = { file: name, sha256: hash('sha256', content) })
    }
    report({ stage: 'converting', bytes: 0, totalBytes: bytes })
    const sha256 = await writeWeights(
      { checkpoint: file, out: path.join(dir, WEIGHTS), plan: [...places.values()] },
      (done) => report({ stage: 'converting', bytes: done, totalBytes: bytes }),
      signal,
    )
    for (const graph of graphs) await put(`${graph.name}.onnx`, onnxFile(graph, places, { ...template, location: WEIGHTS }))
    await put('tokenizer.json', await readFile(path.join(templateDir, 'tokenizer.json')))
    await copyFile(path.join(templateDir, 'NOTICE'), path.join(dir, 'NOTICE'))
    const scale = Math.exp(await scalarOf(file, model.tensors.get('logit_scale')))
    const manifest = (selfTest: FileRef): MammutManifest => ({
      ...manifestOf({ file, precision, template, model, scale, origin }),
      graphs: Object.fromEntries(graphs.map(({ name }) => [name, refs[`${name}.onnx`]])) as Record<GraphName, FileRef>,
      weights: [{ file: WEIGHTS, sha256 }],
      tokenizer: { ...(refs['tokenizer.json'] as FileRef), ...TOKENS, clean: 'clip' },
      selfTest,
    })

    // The engine opens it without a self-test; its answers become the pack's known answers.
    report({ stage: 'testing', bytes: null, totalBytes: null })
    await put('pack.json', JSON.stringify(manifest({ file: 'selftest.json', sha256: '0'.repeat(64) })))
    const clips = testClips(template.frames, model.size)
    const engine = await Engine.start({ packDir: dir, untested: true, signal, ...(fork ? { fork } : {}) })
    try {
      const { secondsPerClip, memoryBytes, ...answers } = await engine.knownAnswers(clips, template.selfTest.texts, signal)
      if ([...answers.embeddings, ...answers.textEmbeddings].flat().some((value) => !Number.isFinite(value))) {
        throw refusal({
          code: 'checkpoint-unusable',
          message: 'With these weights the model gives no numbers.',
          file,
          next: precision === 'fp32' ? 'Download the checkpoint again; it may be damaged.' : 'Import it in full precision.',
        })
      }
      const clipRefs = []
      for (const [i, clip] of clips.entries()) clipRefs.push(await put(`selftest_${i}.u8.gz`, await promisify(gzip)(clip)))
      const selfTest = await put('selftest.json', JSON.stringify({ clips: clipRefs, ...template.selfTest, ...answers }))
      await put('pack.json', `${JSON.stringify(manifest(selfTest), null, 2)}\n`)
      return { secondsPerClip, memoryBytes }
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
      if (!ofFamily(engine, 'mammut')) return null
      const { frames, width, height } = engine.info.manifest.input
      const { secondsPerClip, memoryBytes } = await engine.knownAnswers(testClips(frames, width, height), [], signal)
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

interface Facts {
  file: string
  precision: Precision
  template: Template
  model: OpenMammut
  /** The learnt scale of the model's cosines. */
  scale: number
  origin: ImportOptions['origin']
}

/** The content of pack.json except the files. */
function manifestOf({
  file,
  precision,
  template: { manifest },
  model: { env, size, fit, layout },
  scale,
  origin,
}: Facts): Omit<MammutManifest, 'graphs' | 'weights' | 'tokenizer' | 'selfTest'> {
  const of = (name: keyof Env) => Number(env[name])
  const width = of('visionWidth')
  const kind = `ViT-${LETTERS[width] ?? width}/${of('patch')}`
  const patch: [number, number, number] = [1, of('patch'), of('patch')]
  return {
    format: 1,
    family: 'mammut',
    id: `openmammut-${kind.toLowerCase().replace('/', '-')}-${precision}`,
    version: '1.0.0',
    name: `openMaMMUT ${kind}${STORED[precision]}`,
    description: `Made from ${path.basename(file)} on this machine: ${of('frames')} frames of a clip, each seen as a picture. It writes captions and finds clips by words; it answers no questions and finds no boxes. Nothing of it was measured here, so how often it is right is not known.`,
    licence: manifest.licence,
    data: [],
    tasks: ['caption', 'search'],
    input: {
      frames: of('frames'),
      width: size,
      height: size,
      fit,
      maxClipSeconds: manifest.maxClipSeconds,
      tubes: [{ name: 'patch', kernel: patch, stride: patch, offset: [0, 0, 0], depth: [1, 1, 1] }],
    },
    dims: {
      embedding: of('embed'),
      memory: of('width'),
      tokens: of('frames') * of('memoryTokens'),
      token: 0,
      layers: of('layers'),
      crossLayers: of('crossLayers'),
      heads: of('heads'),
      headDim: of('headDim'),
      vocab: of('vocab'),
      context: of('context'),
      queries: 0,
    },
    prompts: manifest.prompts,
    decoding: manifest.decoding,
    // It is not known how often its captions are right, so none is called sure.
    calibration: {
      measured: false,
      search: { scale, background: manifest.background, threshold: manifest.threshold },
      caption: { notSureBelow: 1 },
    },
    scores: [],
    source: { file: path.basename(file), layout, precision, ...origin },
  }
}

async function scalarOf(file: string, tensor: Tensor | undefined): Promise<number> {
  if (tensor === undefined) throw new Error('a recognised checkpoint has no logit_scale')
  const handle = await open(file)
  try {
    const { buffer } = await handle.read(new Uint8Array(tensor.bytes), 0, tensor.bytes, tensor.begin)
    const bits = new DataView(buffer.buffer)
    if (tensor.dtype === 'F32') return bits.getFloat32(0, true)
    return tensor.dtype === 'F16'
      ? bits.getFloat16(0, true)
      : (new Float32Array(Uint32Array.of(bits.getUint16(0, true) << 16).buffer)[0] ?? NaN)
  } finally {
    await handle.close()
  }
}

/** Two test clips whose pixels vary everywhere, RGB [frames, height, width, 3]: models/tubes.formula_video, and the same backwards. */
function testClips(frames: number, width: number, height = width): Uint8Array[] {
  const video = (time: (t: number) => number, mirror: boolean) => {
    const bytes = new Uint8Array(frames * height * width * 3)
    let at = 0
    for (let frame = 0; frame < frames; frame += 1) {
      for (let row = 0; row < height; row += 1) {
        const [t, y] = [time(frame), mirror ? height - 1 - row : row]
        for (let x = 0; x < width; x += 1)
          for (let c = 0; c < 3; c += 1) bytes[at++] = (t * 7 + y * 13 + x * 29 + c * 53 + ((t * y * x) % 17)) % 256
      }
    }
    return bytes
  }
  return [video((frame) => frame, false), video((frame) => frames - 1 - frame, true)]
}
