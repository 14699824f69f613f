/** The files of a text pack: its two graphs, the reader's symbols, and the picture of its self-test. */
import { z } from 'zod'
import { iou, type RelativeBox } from '../../app/boxes.ts'
import { FileRef } from '../../app/pack/base.ts'
import type { TextManifest } from '../../app/pack/text.ts'
import type { Picture } from './protocol.ts'
import { byteTensor, floatsOf, type GraphFiles } from './graphs.ts'
import type { PackFolder } from './pack.ts'
import type { TextReader } from './text.ts'

const Box = z.object({ cx: z.number(), cy: z.number(), w: z.number(), h: z.number() })

/** Written by models/screentext: what was drawn on a picture, and the outputs of the published networks for it, with their authors' preprocessing. */
const SelfTest = z.object({
  /** gzipped RGB bytes [height, width, 3], sides multiples of 32. */
  picture: FileRef,
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  /** The drawn lines, from top to bottom. */
  lines: z.array(z.object({ text: z.string(), box: Box })).min(1),
  /** The finder's mean probability over the picture. */
  text: z.number(),
  /** The reader's mean certainty, over its steps, on the 48 rows of the picture from `y` on. */
  strip: z.object({ y: z.number().int(), certainty: z.number() }),
  /** Largest allowed difference of either mean. */
  tolerance: z.number().positive(),
})

export interface TextPack {
  graphs: GraphFiles
  symbols: string[]
  knownAnswers: Omit<z.infer<typeof SelfTest>, 'picture'> & { picture: Picture }
}

const MOST_SYMBOLS = 200_000
const LONGEST_SYMBOL = 16

/** Least overlap (IoU) of a found box with a drawn line's: their margins may differ. */
const SAME_BOX = 0.4

/** @throws TubeletError `pack-invalid` when anything is missing, changed, malformed or outside the folder. */
export async function openText(folder: PackFolder, manifest: TextManifest): Promise<TextPack> {
  const graphs = { finder: await folder.read(manifest.graphs.finder), reader: await folder.read(manifest.graphs.reader) }
  const symbols = (await folder.read(manifest.symbols)).toString('utf8').replace(/\n$/, '').split('\n')
  if (symbols.length > MOST_SYMBOLS || symbols.some((symbol) => symbol.length > LONGEST_SYMBOL))
    folder.invalid(`${manifest.symbols.file} has more or longer symbols than any script.`)
  const { picture, ...answers } = folder.parse(SelfTest, await folder.read(manifest.selfTest), manifest.selfTest.file)
  const { width, height } = answers
  return { graphs, symbols, knownAnswers: { ...answers, picture: { rgb: await folder.unzip(picture, width * height * 3), width, height } } }
}

/** Compare with the known answers. Returns what is wrong, or null. */
export async function testText({ knownAnswers }: TextPack, reader: TextReader): Promise<string | null> {
  const { picture, width, height, lines, text, strip, tolerance } = knownAnswers
  const found = floatsOf(await reader.graphs.run('finder', { rgb: byteTensor(picture.rgb, [1, height, width, 3]) }), 'text')
  if (!(Math.abs(mean(found) - text) <= tolerance)) return `the finder gives ${mean(found).toFixed(4)}, not ${text.toFixed(4)}`
  const rows = picture.rgb.subarray(strip.y * width * 3, (strip.y + 48) * width * 3)
  const certainty = floatsOf(await reader.graphs.run('reader', { rgb: byteTensor(rows, [1, 48, width, 3]) }), 'certainty')
  if (!(Math.abs(mean(certainty) - strip.certainty) <= tolerance))
    return `the reader gives ${mean(certainty).toFixed(4)}, not ${strip.certainty.toFixed(4)}`
  const [read = []] = await reader.read([picture])
  const off = lines.find((line, i) => read[i]?.text !== line.text || iou(corners(read[i].box), corners(line.box)) < SAME_BOX)
  if (off) return `the line "${off.text}" is read as ${read.map((line) => `"${line.text}"`).join(', ')}`
  return read.length === lines.length ? null : `${read.length} lines are read, not ${lines.length}`
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function corners({ cx, cy, w, h }: RelativeBox) {
  return { x1: cx - w / 2, y1: cy - h / 2, x2: cx + w / 2, y2: cy + h / 2 }
}
