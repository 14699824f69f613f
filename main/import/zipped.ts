/**
 * Annotation files in a zip: CVAT, DIVE, Label Studio and Roboflow hand them out so, some with the pictures or the video, which stay where they are.
 */
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { TubeletError } from '../../app/errors.ts'
import { contentOf, entriesOf } from '../archive.ts'
import { makeFolderSync } from '../folders.ts'

/** Texts that annotations lie in, or that belong to them. */
const TEXTS = /\.(?:json|jsonl|ndjson|xml|eaf|csv|parquet|srt|vtt|txt|ya?ml|ini)$/i
/** Those that are read with others, or hold no annotations. */
const BESIDE =
  /(?:^|\/)(?:seqinfo\.ini|(?:labels|classes|train|val|valid|test|readme[^/]*)\.txt|tubelet-export\.json|handover\.json|cvat-labels\.json|label-studio-config\.xml|frames\.csv|annotations\/instances_[^/]*part\.json)$/i
/** Of other systems. */
const HIDDEN = /(?:^|\/)(?:__MACOSX|\.)/
/** The most that is taken out of one zip: files, and bytes. */
const MOST = { files: 100_000, bytes: 8 * 2 ** 30 }

export async function isZip(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return bytesRead === 4 && buffer.readUInt32LE(0) === 0x04034b50
  } finally {
    await handle.close()
  }
}

/**
 * Takes the annotation files of a zip out into a folder of its name.
 * @returns Those to be read, with their names in the zip; none where it is damaged, holds none, or too much.
 */
export async function unzipped(zip: string, into: string, signal?: AbortSignal): Promise<{ file: string; name: string }[]> {
  try {
    const entries = (await entriesOf(zip)).filter(({ name }) => TEXTS.test(name) && !HIDDEN.test(name))
    if (entries.length > MOST.files || entries.reduce((sum, { bytes }) => sum + bytes, 0) > MOST.bytes) return []
    // Subtitles and rows are called like their video, and so is what they are handed out in.
    const folder = path.join(into, path.parse(zip).name)
    for (const entry of entries) {
      const file = path.join(folder, ...entry.name.split('/'))
      makeFolderSync(path.dirname(file))
      await pipeline(Readable.from(contentOf(zip, entry)), createWriteStream(file), signal ? { signal } : {})
    }
    return toRead(entries.map(({ name }) => name)).map((name) => ({ file: path.join(folder, ...name.split('/')), name }))
  } catch (error) {
    if (error instanceof TubeletError && error.problem.code === 'file-unreadable') return []
    throw error
  }
}

/** Of YOLO the texts of pictures are read by their data.yaml, of MOT Challenge the truth and not what a detector said. */
function toRead(names: readonly string[]): string[] {
  const hasYaml = names.some((name) => /\.ya?ml$/i.test(name))
  const hasTruth = names.some((name) => /(?:^|\/)gt\.txt$/i.test(name))
  return names.filter((name) => !BESIDE.test(name) && !(/\.txt$/i.test(name) && (hasYaml || (hasTruth && !/(?:^|\/)gt\.txt$/i.test(name)))))
}
