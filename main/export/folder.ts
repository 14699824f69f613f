/** A folder of many files that an export writes and replaces as one: under a temporary name, with one digest of all that is in it. */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { hasCode } from '../../app/errors.ts'
import { makeFolderSync } from '../folders.ts'

export interface Written {
  bytes: number
  /** SHA-256. */
  digest: string
  /** The library that read it back, with its version; null where only our own reader did, or none. */
  reader: string | null
}

export class Folder {
  readonly #directory: string
  readonly #digests = new Map<string, string>()
  #bytes = 0

  /** @param directory Its temporary name; what a try before left there is removed. */
  constructor(directory: string) {
    this.#directory = directory
    rmSync(directory, { recursive: true, force: true })
    makeFolderSync(directory)
  }

  /** How many files it has. */
  get count(): number {
    return this.#digests.size
  }

  /** @param name Path in the folder with `/` between its parts; a name is used once. */
  write(name: string, data: Uint8Array | string): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
    const file = path.join(this.#directory, name)
    makeFolderSync(path.dirname(file))
    const descriptor = openSync(file, 'wx')
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
    } finally {
      closeSync(descriptor)
    }
    this.#add(name, createHash('sha256').update(bytes).digest('hex'), bytes.length)
  }

  /** A path for another program to write to; `took` must be called once it has. */
  place(name: string): string {
    const file = path.join(this.#directory, name)
    makeFolderSync(path.dirname(file))
    return file
  }

  took(name: string): void {
    const file = path.join(this.#directory, name)
    this.#add(name, hashOf(file), statSync(file).size)
  }

  end(): Written {
    syncFolder(this.#directory)
    return { bytes: this.#bytes, digest: digestOfAll(this.#digests), reader: null }
  }

  #add(name: string, digest: string, bytes: number): void {
    this.#digests.set(name, digest)
    this.#bytes += bytes
  }
}

/** The files in a folder by their paths in it, with `/`. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
}

/** The digest that `Folder.end` gave if nothing was changed since. */
export function digestOfFolder(directory: string): string {
  return digestOfAll(new Map(filesIn(directory).map((name) => [name, hashOf(path.join(directory, name))])))
}

/** SHA-256, a part of the file at a time: a clip may be larger than the memory. */
function hashOf(file: string): string {
  const hash = createHash('sha256')
  const descriptor = openSync(file, 'r')
  const buffer = Buffer.allocUnsafe(1 << 18)
  try {
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) hash.update(buffer.subarray(0, count))
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}

export function isFolder(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
}

function digestOfAll(digests: ReadonlyMap<string, string>): string {
  const lines = [...digests].map(([name, digest]) => `${name}\0${digest}\n`).sort()
  return createHash('sha256').update(lines.join('')).digest('hex')
}

function syncFolder(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error
  } finally {
    closeSync(descriptor)
  }
}
