/** The files of a SmolVLM2: its graphs, its tokenizer, and the known answers of its self-test. */
import { z } from 'zod'
import { FileRef } from '../../app/pack/base.ts'
import type { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import type { GraphFiles } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import { SmolVlmText } from './smolvlm-text.ts'

export const SmolVlmTokenizer = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z.array(z.looseObject({ id: z.number().int(), content: z.string() })),
})

/** What the graphs said where the pack was made. */
const SelfTest = z.object({
  /** Clips of one frame: gzipped RGB bytes [height, width, 3]. */
  clips: z.array(FileRef).min(1),
  /** Some of the numbers of each clip's features. */
  features: z.array(z.array(z.number())),
  /** Greedily, of the first clip. */
  caption: z.string(),
  /** Largest allowed difference of a number, relative to the largest. */
  tolerance: z.number().positive(),
})

export interface SmolVlmPack {
  dir: string
  manifest: SmolVlmManifest
  /** Paths: the runtime then reads files of the same folder only, and those have been checked. */
  graphs: GraphFiles
  text: SmolVlmText
  knownAnswers: Omit<z.infer<typeof SelfTest>, 'clips'> & { clips: Uint8Array[] }
}

/**
 * @param untested For a pack that is being made, which has no known answers yet.
 * @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder.
 */
export async function openSmolVlm(folder: PackFolder, manifest: SmolVlmManifest, untested: boolean): Promise<SmolVlmPack> {
  const { graphs: refs, weights, tokenizer, selfTest, input } = manifest
  for (const ref of weights) await folder.check(ref)
  const graphs: GraphFiles = {}
  for (const [name, ref] of Object.entries(refs)) graphs[name] = await folder.check(ref)
  const text = new SmolVlmText(folder.parse(SmolVlmTokenizer, await folder.read(tokenizer), tokenizer.file))
  const pack = { dir: folder.dir, manifest, graphs, text }
  if (untested) return { ...pack, knownAnswers: { clips: [], features: [], caption: '', tolerance: 0 } }
  const { clips: files, ...answers } = folder.parse(SelfTest, await folder.read(selfTest), selfTest.file)
  const clips: Uint8Array[] = []
  for (const ref of files) clips.push(await folder.unzip(ref, input.height * input.width * 3))
  await folder.refuseOthers([...Object.values(refs), ...weights, tokenizer, selfTest, ...files])
  return { ...pack, knownAnswers: { ...answers, clips } }
}
