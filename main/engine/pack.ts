/** Opening a pack folder: the manifest is checked, every file must be the one that it names, and nothing outside the folder is read. */
import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { TubeletError } from '../../app/errors.ts'
import { PackManifest } from '../../app/pack.ts'
import { fromHalf } from './float16.ts'

type FileRef = PackManifest['selfTest']
const FileRef = z.object({ file: z.string(), sha256: z.string() })

const TokenizerFile = z.looseObject({ model: z.looseObject({}), added_tokens: z.array(z.looseObject({ id: z.number().int() })) })

/** What the pack says its own graphs give, computed where it was exported or imported. */
const SelfTest = z.object({
  /** gzipped RGB bytes [frames, height, width, 3]. */
  clips: z.array(FileRef).min(1),
  texts: z.array(z.string()),
  embeddings: z.array(z.array(z.number())),
  textEmbeddings: z.array(z.array(z.number())),
  /** Of the first clip. */
  caption: z.string(),
  /** Largest difference of any component. */
  tolerance: z.number().positive(),
})

interface KnownAnswers extends Omit<z.infer<typeof SelfTest>, 'clips'> {
  clips: Uint8Array[]
}

export type GraphName = keyof PackManifest['graphs']

export interface Pack {
  dir: string
  manifest: PackManifest
  /** SHA-256 of pack.json. */
  digest: string
  /**
   * ONNX files as bytes, so that a graph cannot name further files to load; as paths in a pack with weights, where the runtime reads from
   * files in the same folder only, and those have been checked.
   */
  graphs: Partial<Record<GraphName, Uint8Array | string>>
  tokenizer: z.infer<typeof TokenizerFile>
  /** [M, E]: embeddings of the clips that its user taught it. */
  taught: Float32Array
  knownAnswers: KnownAnswers
}

/**
 * `untested`: of a pack that is being made, whose known answers do not exist yet.
 * @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder.
 */
export async function openPack(dir: string, { untested = false } = {}): Promise<Pack> {
  const root = await realpath(dir).catch((error: unknown) => invalid(dir, 'The folder cannot be read.', error))
  const manifestBytes = await bytesOf(root, 'pack.json')
  const manifest = parse(PackManifest, manifestBytes, root, 'pack.json')
  const read = async ({ file, sha256 }: FileRef): Promise<Buffer> => {
    const bytes = await bytesOf(root, file)
    if (hash('sha256', bytes) !== sha256) damaged(root, file)
    return bytes
  }
  const { graphs: refs, input, weights, dims, calibration } = manifest
  for (const ref of weights) await checkLarge(root, ref)
  const graphs: Pack['graphs'] = {}
  for (const [name, ref] of Object.entries(refs) as [GraphName, FileRef | undefined][]) {
    if (!ref) continue
    const bytes = await read(ref)
    graphs[name] = weights.length === 0 ? bytes : path.join(root, ref.file)
  }
  const tokenizer = parse(TokenizerFile, await read(manifest.tokenizer), root, manifest.tokenizer.file)
  const bank = calibration.familiar?.taught
  const taught = bank ? fromHalf(halves(await read(bank))) : new Float32Array()
  if (bank && (taught.length === 0 || taught.length % dims.embedding !== 0)) invalid(root, `${bank.file} does not hold whole embeddings.`)
  const pack = { dir: root, manifest, digest: hash('sha256', manifestBytes), graphs, tokenizer, taught }
  if (untested) return { ...pack, knownAnswers: { clips: [], texts: [], embeddings: [], textEmbeddings: [], caption: '', tolerance: 0 } }
  const { clips: clipFiles, ...answers } = parse(SelfTest, await read(manifest.selfTest), root, manifest.selfTest.file)
  const clipBytes = input.frames * input.height * input.width * 3
  const clips: Uint8Array[] = []
  for (const ref of clipFiles) clips.push(unzip(await read(ref), clipBytes, root, ref.file))
  if (weights.length > 0) await refuseOthers(root, manifest, clipFiles)
  return { ...pack, knownAnswers: { ...answers, clips } }
}

async function inside(root: string, file: string): Promise<string> {
  const full = await realpath(path.join(root, file)).catch((error: unknown) => invalid(root, `${file} is missing.`, error))
  // A link inside the folder may point out of it.
  if (path.dirname(full) !== root) invalid(root, `${file} lies outside the pack folder.`)
  return full
}

async function bytesOf(root: string, file: string): Promise<Buffer> {
  return readFile(await inside(root, file)).catch((error: unknown) => invalid(root, `${file} cannot be read.`, error))
}

/** Gigabytes: never in memory at once. */
async function checkLarge(root: string, { file, sha256 }: FileRef): Promise<void> {
  const digest = createHash('sha256')
  await pipeline(createReadStream(await inside(root, file), { highWaterMark: 1 << 20 }), digest).catch((error: unknown) => invalid(root, `${file} cannot be read.`, error))
  if (digest.digest('hex') !== sha256) damaged(root, file)
}

/** A graph that is loaded by its path could read any file beside it, so there is none that was not checked. */
async function refuseOthers(root: string, { graphs, weights, tokenizer, selfTest, calibration }: PackManifest, clips: readonly FileRef[]): Promise<void> {
  const known = new Set(['pack.json', 'LICENSE', 'NOTICE', ...[...Object.values(graphs), ...weights, tokenizer, selfTest, calibration.familiar?.taught, ...clips].flatMap((ref) => ref?.file ?? [])])
  const other = (await readdir(root)).find((file) => !known.has(file))
  if (other !== undefined) invalid(root, `${other} is not named in pack.json.`)
}

function parse<S extends z.ZodType>(schema: S, bytes: Buffer, root: string, file: string): z.infer<S> {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    invalid(root, `${file} is not JSON.`, error)
  }
  const checked = schema.safeParse(json)
  if (!checked.success) invalid(root, `${file} is not as it should be: ${z.prettifyError(checked.error)}`)
  return checked.data
}

function unzip(bytes: Buffer, length: number, root: string, file: string): Uint8Array {
  try {
    const clip = gunzipSync(bytes, { maxOutputLength: length })
    if (clip.length === length) return clip
  } catch (error) {
    invalid(root, `${file} cannot be unpacked.`, error)
  }
  return invalid(root, `${file} is not a clip of the pack's input size.`)
}

/** A file's bytes may begin anywhere in their buffer; 16-bit numbers may not. */
function halves(bytes: Buffer): Uint16Array {
  const own = new Uint8Array(bytes)
  return new Uint16Array(own.buffer, 0, own.length >> 1)
}

function damaged(root: string, file: string): never {
  return invalid(root, `${file} is damaged or was changed: its checksum differs from the one in pack.json.`)
}

function invalid(root: string, details: string, cause?: unknown): never {
  throw new TubeletError(
    {
      code: 'pack-invalid',
      message: 'The model pack in “{{folder}}” is not complete and unchanged, so it was not loaded.',
      values: { folder: path.basename(root) },
      file: root,
      stillWorks: 'Your library, its annotations and exports work without a model.',
      next: 'Install the pack again, or choose another one.',
      details: cause instanceof Error ? `${details} (${cause.message})` : details,
    },
    { cause },
  )
}
