/** Opening a pack folder: the manifest is checked, every file must be the one that it names, and nothing outside the folder is read. */
import { hash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { TubeletError } from '../../app/errors.ts'
import { PackManifest } from '../../app/pack.ts'

const FileRef = PackManifest.shape.selfTest

/** What the pack says its own graphs give, computed where it was exported. */
const SelfTest = z.object({
  /** gzipped RGB bytes [frames, height, width, 3]. */
  clips: z.array(FileRef).min(1),
  texts: z.array(z.string()),
  embeddings: z.array(z.array(z.number())),
  textEmbeddings: z.array(z.array(z.number())),
  /** Greedy, of the first clip. */
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
  /** ONNX files as bytes, not paths, so that a graph cannot name further files to load. */
  graphs: Partial<Record<GraphName, Uint8Array>>
  tokenizer: object
  knownAnswers: KnownAnswers
}

/** @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder. */
export async function openPack(dir: string): Promise<Pack> {
  const root = await realpath(dir).catch((error: unknown) => invalid(dir, 'The folder cannot be read.', error))
  const manifestBytes = await bytesOf(root, 'pack.json')
  const manifest = parse(PackManifest, manifestBytes, root, 'pack.json')
  const read = async ({ file, sha256 }: z.infer<typeof FileRef>): Promise<Buffer> => {
    const bytes = await bytesOf(root, file)
    if (hash('sha256', bytes) !== sha256) invalid(root, `${file} is damaged or was changed: its checksum differs from the one in pack.json.`)
    return bytes
  }
  const { graphs: refs, input } = manifest
  const graphs: Pack['graphs'] = { vision: await read(refs.vision), text: await read(refs.text), cross: await read(refs.cross), decoder: await read(refs.decoder) }
  if (refs.detector) graphs.detector = await read(refs.detector)
  const { clips: clipFiles, ...answers } = parse(SelfTest, await read(manifest.selfTest), root, manifest.selfTest.file)
  const clipBytes = input.frames * input.height * input.width * 3
  const clips: Uint8Array[] = []
  for (const ref of clipFiles) clips.push(unzip(await read(ref), clipBytes, root, ref.file))
  const tokenizer = parse(z.looseObject({ model: z.looseObject({}) }), await read(manifest.tokenizer), root, manifest.tokenizer.file)
  return { dir: root, manifest, digest: hash('sha256', manifestBytes), graphs, tokenizer, knownAnswers: { ...answers, clips } }
}

async function bytesOf(root: string, file: string): Promise<Buffer> {
  const full = await realpath(path.join(root, file)).catch((error: unknown) => invalid(root, `${file} is missing.`, error))
  // A link inside the folder may point out of it.
  if (path.dirname(full) !== root) invalid(root, `${file} lies outside the pack folder.`)
  return readFile(full).catch((error: unknown) => invalid(root, `${file} cannot be read.`, error))
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

function invalid(root: string, details: string, cause?: unknown): never {
  throw new TubeletError(
    {
      code: 'pack-invalid',
      message: `The model pack in "${path.basename(root)}" is not complete and unchanged, so it was not loaded.`,
      file: root,
      stillWorks: 'Your library, its annotations and exports work without a model.',
      next: 'Install the pack again, or choose another one.',
      details: cause instanceof Error ? `${details} (${cause.message})` : details,
    },
    { cause },
  )
}
