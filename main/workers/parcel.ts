/**
 * What a worker sends to the library when a video is analysed, as one zip: `result.json`, `library.sqlite` (a library with that one video), and the small
 * pictures `thumbnail.jpg`, `strip-N.jpg` and `clip-ID.jpg`.
 */
import { createWriteStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { Problem } from '../../app/errors.ts'
import { LIBRARY_FILE } from '../../app/handover.ts'
import { contentOf, entriesOf, type Entry, notOurs, writeArchive } from '../archive.ts'
import { makeFolderSync } from '../folders.ts'
import { admit } from '../sharing/foreign.ts'

const RESULT = 'result.json'
const PICTURE = /^(?:thumbnail|strip-\d+|clip-\d+)\.jpg$/
const LARGEST_RESULT = 2 ** 20
/** All pictures of one video together: a day of video has 60 MB. */
const MOST_PICTURES = 2 ** 29

const Result = z.object({
  /** Of Tubelet. */
  version: z.string().max(100),
  /** The digests of the packs that were used. */
  packs: z.array(z.string().max(64)).max(100),
  /** What could not be read of the video. */
  problem: Problem.nullable(),
  /** Seconds of work. */
  busy: z.number().min(0),
})
export type Result = z.infer<typeof Result>

export interface Opened {
  result: Result
  /** By name. */
  pictures: ReadonlyMap<string, Uint8Array>
}

/** @param project The folder of the library, closed, and of its pictures; `sourceId` is its video. @param file A new file. */
export async function packParcel(project: string, sourceId: number, result: Result, file: string): Promise<void> {
  const folder = path.join(project, 'cache', 'sources', String(sourceId))
  const pictures = (await readdir(folder).catch(() => [])).filter((name) => PICTURE.test(name))
  await writeArchive(
    file,
    [
      { name: RESULT, from: Buffer.from(JSON.stringify(result)), deflate: false },
      { name: LIBRARY_FILE, from: path.join(project, LIBRARY_FILE), deflate: true },
      ...pictures.map((name) => ({ name, from: path.join(folder, name), deflate: false })),
    ],
    () => undefined,
    { kept: false },
  )
}

/**
 * Take a parcel apart: the library lies in the folder `into` then, checked.
 * @throws TubeletError `file-unreadable` where it is damaged or none that a worker sends, `conflict` where a newer Tubelet made it.
 */
export async function openParcel(file: string, into: string): Promise<Opened> {
  const entries = await entriesOf(file)
  const of = (name: string) => entries.find((entry) => entry.name === name)
  const [told, library] = [of(RESULT), of(LIBRARY_FILE)]
  const small = entries.filter(({ name }) => PICTURE.test(name))
  if (told === undefined || library === undefined || told.bytes > LARGEST_RESULT || entries.length !== small.length + 2) throw notOurs(file)
  if (small.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_PICTURES) throw notOurs(file)
  const result = resultIn(await bytesOf(file, told), file)
  makeFolderSync(into)
  await pipeline(Readable.from(contentOf(file, library)), createWriteStream(path.join(into, LIBRARY_FILE), { flags: 'wx' }))
  admit(into, file)
  const pictures = new Map<string, Uint8Array>()
  for (const entry of small) pictures.set(entry.name, await bytesOf(file, entry))
  return { result, pictures }
}

async function bytesOf(file: string, entry: Entry): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of contentOf(file, entry)) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

function resultIn(bytes: Uint8Array, file: string): Result {
  try {
    return Result.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    throw notOurs(file)
  }
}
