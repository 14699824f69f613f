/** The files of a text pack: its graphs, its symbols, and the picture by which it is tested. */
import { z } from 'zod'
import { FileRef } from '../../app/pack/base.ts'
import type { TextManifest } from '../../app/pack/text.ts'
import type { GraphFiles } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import type { Picture } from './picture.ts'
import type { TextReader } from './text.ts'

const Side = z.number().int().positive().max(4096)
const SelfTest = z.object({
  /** gzipped RGB bytes [height, width, 3]. */
  picture: FileRef,
  width: Side,
  height: Side,
  lines: z.array(z.object({ text: z.string(), box: z.object({ cx: z.number(), cy: z.number(), w: z.number(), h: z.number() }) })),
  /** Largest difference of any number of a box, in shares of the picture. */
  tolerance: z.number().positive(),
})

export interface TextPack {
  graphs: GraphFiles
  symbols: string[]
  known: Omit<z.infer<typeof SelfTest>, 'picture' | 'width' | 'height'> & { picture: Picture }
}

/** @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder. */
export async function openText(folder: PackFolder, manifest: TextManifest): Promise<TextPack> {
  const graphs: GraphFiles = { finder: await folder.read(manifest.graphs.finder), reader: await folder.read(manifest.graphs.reader) }
  const symbols = (await folder.read(manifest.symbols)).toString('utf8').replace(/\n$/, '').split('\n')
  const { picture, width, height, ...known } = folder.parse(SelfTest, await folder.read(manifest.selfTest), manifest.selfTest.file)
  return { graphs, symbols, known: { ...known, picture: { rgb: await folder.unzip(picture, width * height * 3), width, height } } }
}

/** @returns What is read otherwise than the pack says, or null. */
export async function testText({ known: { picture, lines, tolerance } }: TextPack, reader: TextReader): Promise<string | null> {
  const read = (await reader.read([picture]))[0] ?? []
  if (read.length !== lines.length) return `${read.length} lines are read instead of ${lines.length}`
  const off = lines.findIndex(({ text, box }, i) => {
    const got = read[i]
    return got?.text !== text || (['cx', 'cy', 'w', 'h'] as const).some((side) => Math.abs(got.box[side] - box[side]) > tolerance)
  })
  return off < 0 ? null : `line ${off + 1} is read as “${read[off]?.text ?? ''}”`
}
