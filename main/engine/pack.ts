/** Opens a pack folder: the manifest is checked, every file must have the checksum in it, and nothing outside the folder is read. */
import { createHash, hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { TubeletError } from '../../app/errors.ts'
import type { FileRef } from '../../app/pack/base.ts'
import { PackManifest } from '../../app/pack/pack.ts'
import { digestsOf } from '../pack-digest.ts'

/** Bytes of a file of JSON: the largest tokenizers have 20 MB. */
const MOST_JSON = 64 * 2 ** 20

/** The files of one pack; only those that its manifest names are read. */
export class PackFolder {
  readonly dir: string

  constructor(dir: string) {
    this.dir = dir
  }

  /** @throws TubeletError `pack-invalid` if the file is missing, changed, or outside the folder. */
  async read({ file, sha256 }: FileRef): Promise<Buffer> {
    const bytes = await this.bytes(file)
    if (hash('sha256', bytes) !== sha256) this.#damaged(file)
    return bytes
  }

  /** Check a file of any size without reading all of it into memory. @returns Its path. */
  async check({ file, sha256 }: FileRef): Promise<string> {
    const inside = await this.#inside(file)
    const digest = createHash('sha256')
    await pipeline(createReadStream(inside, { highWaterMark: 1 << 20 }), digest).catch((error: unknown) =>
      this.invalid(`${file} cannot be read.`, error),
    )
    if (digest.digest('hex') !== sha256) this.#damaged(file)
    return inside
  }

  async bytes(file: string): Promise<Buffer> {
    const inside = await this.#inside(file)
    return readFile(inside).catch((error: unknown) => this.invalid(`${file} cannot be read.`, error))
  }

  /** The JSON in a file of the pack. @throws TubeletError `pack-invalid` */
  parse<S extends z.ZodType>(schema: S, bytes: Buffer, file: string): z.infer<S> {
    if (bytes.length > MOST_JSON) this.invalid(`${file} is larger than any of its kind.`)
    let json: unknown
    try {
      json = JSON.parse(bytes.toString('utf8'))
    } catch (error) {
      this.invalid(`${file} is not JSON.`, error)
    }
    const checked = schema.safeParse(json)
    if (!checked.success) this.invalid(`${file} is not as it should be: ${z.prettifyError(checked.error)}`)
    return checked.data
  }

  /** A gzipped file of the pack that holds exactly `length` bytes. */
  async unzip(ref: FileRef, length: number): Promise<Uint8Array> {
    const bytes = await this.read(ref)
    try {
      const content = gunzipSync(bytes, { maxOutputLength: length })
      if (content.length === length) return content
    } catch (error) {
      this.invalid(`${ref.file} cannot be unpacked.`, error)
    }
    return this.invalid(`${ref.file} is not of the pack's input size.`)
  }

  /** Refuse a folder with files that were not checked: a graph that is loaded by its path could read any file beside it. */
  async refuseOthers(known: readonly FileRef[]): Promise<void> {
    const names = new Set(['pack.json', 'LICENSE', 'NOTICE', ...known.map(({ file }) => file)])
    const other = (await readdir(this.dir)).find((file) => !names.has(file))
    if (other !== undefined) this.invalid(`${other} is not named in pack.json.`)
  }

  async #inside(file: string): Promise<string> {
    const full = await realpath(path.join(this.dir, file)).catch((error: unknown) => this.invalid(`${file} is missing.`, error))
    // A link inside the folder may lead out of it.
    if (path.dirname(full) !== this.dir) this.invalid(`${file} lies outside the pack folder.`)
    return full
  }

  #damaged(file: string): never {
    return this.invalid(`${file} is damaged or was changed: its checksum differs from the one in pack.json.`)
  }

  invalid(details: string, cause?: unknown): never {
    throw new TubeletError(
      {
        code: 'pack-invalid',
        message: 'The model pack in “{{folder}}” is not complete and unchanged, so it was not loaded.',
        values: { folder: path.basename(this.dir) },
        file: this.dir,
        stillWorks: 'Your library, its annotations and exports work without a model.',
        next: 'Install the pack again, or choose another one.',
        details: cause instanceof Error ? `${details} (${cause.message})` : details,
      },
      { cause },
    )
  }
}

export interface OpenedFolder {
  folder: PackFolder
  manifest: PackManifest
  /** As `digestsOf` gives it. */
  digest: string
}

/** @throws TubeletError `pack-invalid` when there is no manifest, or it is malformed. */
export async function openFolder(dir: string): Promise<OpenedFolder> {
  const folder = new PackFolder(
    await realpath(dir).catch((error: unknown) => new PackFolder(dir).invalid('The folder cannot be read.', error)),
  )
  const bytes = await folder.bytes('pack.json')
  return { folder, manifest: folder.parse(PackManifest, bytes, 'pack.json'), digest: digestsOf(bytes).digest }
}
