/** The files of a MaMMUT: its graphs, its tokenizer, what its user taught it, and the known answers of its self-test. */
import { z } from 'zod'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { fromHalf } from './float16.ts'
import type { GraphFiles } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import { TokenizerFile } from './tokenizer.ts'

const FileRef = z.object({ file: z.string(), sha256: z.string() })

/** The graphs' known outputs, computed where the pack was exported or imported. */
const SelfTest = z.object({
  /** gzipped RGB bytes [frames, height, width, 3]. */
  clips: z.array(FileRef).min(1),
  texts: z.array(z.string()),
  embeddings: z.array(z.array(z.number())),
  textEmbeddings: z.array(z.array(z.number())),
  /** The caption of the first clip. */
  caption: z.string(),
  /** Largest allowed difference of any component. */
  tolerance: z.number().positive(),
})

interface KnownAnswers extends Omit<z.infer<typeof SelfTest>, 'clips'> {
  clips: Uint8Array[]
}

export interface Pack {
  dir: string
  manifest: MammutManifest
  /** As `digestsOf` gives it. */
  digest: string
  /**
   * ONNX files as bytes, so that a graph cannot name further files to load. In a pack with a file of weights they are paths: the runtime then reads
   * files of the same folder only, and those have been checked.
   */
  graphs: GraphFiles
  tokenizer: z.infer<typeof TokenizerFile>
  /** [M, E]: embeddings of the clips that its user taught it. */
  taught: Float32Array
  knownAnswers: KnownAnswers
}

/**
 * @param untested For a pack that is being made, which has no known answers yet.
 * @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder.
 */
export async function openMammut(folder: PackFolder, manifest: MammutManifest, digest: string, untested = false): Promise<Pack> {
  const { graphs: refs, input, weights, dims, calibration } = manifest
  for (const ref of weights) await folder.check(ref)
  const graphs: GraphFiles = {}
  for (const [name, ref] of Object.entries(refs))
    if (ref) graphs[name] = weights.length === 0 ? await folder.read(ref) : await folder.check(ref)
  const tokenizer = folder.parse(TokenizerFile, await folder.read(manifest.tokenizer), manifest.tokenizer.file)
  const bank = calibration.familiar?.taught
  const taught = bank ? fromHalf(halves(await folder.read(bank))) : new Float32Array()
  if (bank && (taught.length === 0 || taught.length % dims.embedding !== 0)) folder.invalid(`${bank.file} does not hold whole embeddings.`)
  const pack = { dir: folder.dir, manifest, digest, graphs, tokenizer, taught }
  if (untested) return { ...pack, knownAnswers: { clips: [], texts: [], embeddings: [], textEmbeddings: [], caption: '', tolerance: 0 } }
  const { clips: clipFiles, ...answers } = folder.parse(SelfTest, await folder.read(manifest.selfTest), manifest.selfTest.file)
  const clips: Uint8Array[] = []
  for (const ref of clipFiles) clips.push(await folder.unzip(ref, input.frames * input.height * input.width * 3))
  if (weights.length > 0)
    await folder.refuseOthers([
      ...Object.values(refs).filter((ref) => ref !== undefined),
      ...weights,
      manifest.tokenizer,
      manifest.selfTest,
      ...(bank ? [bank] : []),
      ...clipFiles,
    ])
  return { ...pack, knownAnswers: { ...answers, clips } }
}

/** Bytes as 16-bit numbers; a copy, since a file's bytes may begin at an odd place of their buffer. */
function halves(bytes: Buffer): Uint16Array {
  const own = new Uint8Array(bytes)
  return new Uint16Array(own.buffer, 0, own.length >> 1)
}
