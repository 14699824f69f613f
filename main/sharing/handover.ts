/** Hands a library over as one file, and opens such a file as a library of its own. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { readdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Source } from '../../app/contract.ts'
import { problemOf, TubeletError } from '../../app/errors.ts'
import { FORMAT_VERSION, type Handover, LIBRARY_FILE, VIDEOS } from '../../app/handover.ts'
import { fileNameFor } from '../archive.ts'
import { Channel, thread } from '../channel.ts'
import { makeFolderSync } from '../folders.ts'
import type { Library } from '../library/library.ts'
import { PERSON, SHARED } from '../library/signed.ts'
import { fingerprint, stampOf } from '../media/fingerprint.ts'
import { filesOf } from '../media/numbered.ts'
import { partOf } from '../part.ts'
import { packageVersion } from '../version.ts'
import type { SharingService } from './sharing-worker.ts'

/** The ending of a handed-over library. */
const ENDING = '.tubelet'
/** Folders below a place in which videos are looked for, and files that are looked at. */
const DEPTH = 4
const MOST_FILES = 50_000

export interface HandedOver {
  path: string
  bytes: number
  videos: number
  /** Names of videos that were wanted and are not there. */
  left: string[]
}

export interface HandOverOptions {
  /** The new file; its ending is added. */
  file: string
  withVideos: boolean
  /** The video, after checking that its content lies at its path. */
  there: (sourceId: number) => Promise<Source>
  signal?: AbortSignal | undefined
  onProgress?: ((share: number) => void) | undefined
}

/** One thread for all of this process: idle, it does not keep the process alive. */
export const worker = new Channel<SharingService>(() => thread(import.meta.url, 'sharing-worker'), {
  code: 'internal',
  message: 'Handing over or taking in stopped unexpectedly.',
  stillWorks: 'The library is unharmed.',
  next: 'Try again: it starts anew.',
})

/**
 * Write a library, with its videos if wanted, into one new file.
 * @throws TubeletError `conflict` where a file of the name is there, `disk-full`, `forbidden`; the signal's reason. Nothing is left then.
 */
export async function handOver(library: Library, { file, withVideos, there, signal, onProgress }: HandOverOptions): Promise<HandedOver> {
  const to = file.toLowerCase().endsWith(ENDING) ? file : `${file}${ENDING}`
  if (existsSync(to))
    throw new TubeletError({
      code: 'conflict',
      message: 'A file of this name is there already.',
      file: to,
      stillWorks: 'It was not changed.',
      next: 'Choose another name.',
    })
  makeFolderSync(path.dirname(to))
  const { manifest, videos, left } = await announced(library, withVideos, there)
  const scratch = library.cachePath('sharing', randomUUID())
  makeFolderSync(scratch)
  // What is decided from now on is not in the file.
  library.setSetting(SHARED, new Date().toISOString())
  try {
    const task = { projectDir: library.projectDir, to, scratch, manifest, videos }
    const { bytes } = await worker.call('pack', task, { signal, onNote: onProgress })
    return { path: to, bytes, videos: manifest.videos.filter((one) => one.file !== null).length, left }
  } finally {
    await worker.call('rest', null).catch(() => undefined)
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function announced(
  library: Library,
  withVideos: boolean,
  there: HandOverOptions['there'],
): Promise<{ manifest: Handover; videos: { file: string; name: string }[]; left: string[] }> {
  const person = library.setting<string>(PERSON, '')
  const manifest: Handover = {
    format: 'tubelet-handover',
    version: FORMAT_VERSION,
    madeAt: new Date().toISOString(),
    appVersion: packageVersion,
    by: person === '' ? null : person,
    videos: [],
  }
  const [videos, left]: [{ file: string; name: string }[], string[]] = [[], []]
  const used = new Set<string>()
  // Several pictures of one file are one file.
  const placed = new Map<string, string>()
  for (const source of library.sources()) {
    let place: string | null = null
    const found = withVideos ? await there(source.id).catch(() => null) : null
    if (withVideos && found === null) left.push(source.title)
    if (found !== null) {
      place = placed.get(found.path) ?? null
      if (place === null) {
        const files = found.numbered === null ? [found.path] : await picturesUpTo(found.path, found.bytes)
        const top = `${VIDEOS}/${unique(fileNameFor(found.numbered === null ? path.basename(found.path) : source.name), used)}`
        place = found.numbered === null ? top : `${top}/${fileNameFor(path.basename(found.path))}`
        for (const one of files) videos.push({ file: one, name: found.numbered === null ? top : `${top}/${path.basename(one)}` })
        placed.set(found.path, place)
      }
    }
    // What was just looked at may have been renamed, or be known by more bytes than before.
    const { id, name, bytes, fingerprint: print } = found ?? source
    manifest.videos.push({ id, name, bytes, fingerprint: print, file: place })
  }
  return { manifest, videos, left }
}

/** The numbered pictures that were there when so many bytes were known of them. */
async function picturesUpTo(pattern: string, bytes: number): Promise<string[]> {
  let before = 0
  return (await filesOf(pattern)).files.flatMap((one) => {
    const known = before < bytes
    before += one.bytes
    return known ? [one.file] : []
  })
}

function unique(name: string, used: Set<string>): string {
  const { name: stem, ext } = path.parse(name)
  let own = name
  for (let nth = 2; used.has(own.normalize('NFC').toLowerCase()); nth++) own = `${stem} (${nth})${ext}`
  used.add(own.normalize('NFC').toLowerCase())
  return own
}

export interface OpenOptions {
  file: string
  /** The folder of the new library: new or empty. */
  into: string
  /** Another folder in which its videos may lie. */
  search?: string | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((share: number) => void) | undefined
}

/**
 * Make a library of its own of a handed-over file. Videos that did not come along are looked for by their content, beside the file and in another folder.
 * @returns Names of videos that were not found.
 * @throws TubeletError `file-missing`, `file-unreadable`, `conflict`, `bad-request` where the folder has other files, `disk-full`. Nothing is left then.
 */
export async function openHandedOver({
  file,
  into,
  search,
  signal,
  onProgress,
}: OpenOptions): Promise<{ away: string[]; manifest: Handover }> {
  mustBeAFile(file)
  mustBeFree(into)
  const making = partOf(into)
  try {
    mkdirSync(path.dirname(into), { recursive: true })
    const manifest = await worker.call('unpack', { file, into: making, files: 'all' }, { signal, onNote: onProgress })
    const away = await settle(manifest, { file, making, into, search, signal })
    if (existsSync(into)) rmdirSync(into)
    await rename(making, into)
    return { away, manifest }
  } finally {
    await worker.call('rest', null).catch(() => undefined)
    rmSync(making, { recursive: true, force: true })
  }
}

async function settle(manifest: Handover, { file, making, into, search, signal }: OpenOptions & { making: string }): Promise<string[]> {
  const beside = path.dirname(path.resolve(file))
  const came = new Map(manifest.videos.flatMap(({ id, file: place }) => (place === null ? [] : [[id, place] as const])))
  const db = new DatabaseSync(path.join(making, LIBRARY_FILE))
  try {
    const rows = db.prepare('SELECT id, name, path, bytes, fingerprint, numbered FROM sources').all()
    const wanted = rows.map((row) => ({ id: Number(row['id']), bytes: Number(row['bytes']), fingerprint: String(row['fingerprint']) }))
    const found = await videosIn(
      wanted.filter(({ id }) => !came.has(id)),
      search === undefined ? [beside] : [beside, search],
      signal,
    )
    const set = db.prepare('UPDATE sources SET path = ?, stamp = ?, file = ? WHERE id = ?')
    const away: string[] = []
    db.exec('BEGIN')
    for (const row of rows) {
      const id = Number(row['id'])
      const place = came.get(id)
      const own = place === undefined ? undefined : path.join(making, ...place.split('/'))
      // Numbered pictures are a pattern: they are looked at when the library is opened.
      const info = own === undefined || row['numbered'] !== null ? undefined : statSync(own, { throwIfNoEntry: false })
      const other = found.get(id)
      if (place !== undefined && own !== undefined && (info !== undefined || existsSync(path.dirname(own))))
        set.run(path.join(into, ...place.split('/')), info ? stampOf(info) : '', 'there', id)
      else if (other !== undefined) set.run(other.path, other.stamp, 'there', id)
      else {
        set.run(path.join(beside, path.basename(String(row['path']))), '', 'missing', id)
        away.push(String(row['name']))
      }
    }
    db.exec('COMMIT')
    return away
  } finally {
    db.close()
  }
}

/** Where videos lie in some folders and below, by their content. Links and hidden folders are left out. */
export async function videosIn(
  wanted: readonly { id: number; bytes: number; fingerprint: string }[],
  folders: readonly string[],
  signal?: AbortSignal,
): Promise<Map<number, { path: string; stamp: string }>> {
  const found = new Map<number, { path: string; stamp: string }>()
  const sizes = new Set(wanted.map(({ bytes }) => bytes))
  let left = MOST_FILES
  const look = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (found.size === wanted.length || (left -= 1) < 0) return
      signal?.throwIfAborted()
      const at = path.join(folder, entry.name)
      if (entry.isDirectory() && depth > 0 && !entry.name.startsWith('.')) await look(at, depth - 1)
      if (!entry.isFile()) continue
      const info = await stat(at).catch(() => null)
      if (info === null || !sizes.has(info.size)) continue
      const content = await fingerprint(at).catch(() => null)
      for (const { id, fingerprint: print } of wanted)
        if (content !== null && print.split('#')[0] === content) found.set(id, { path: at, stamp: stampOf(info) })
    }
  }
  for (const folder of wanted.length === 0 ? [] : folders) await look(folder, DEPTH)
  return found
}

/** @throws TubeletError `file-missing`, `bad-request` for a folder. */
export function mustBeAFile(file: string): void {
  let info
  try {
    info = statSync(file)
  } catch (cause) {
    throw new TubeletError(
      hasNoEntry(cause)
        ? { code: 'file-missing', message: 'There is no such file.', file, next: 'Choose the file again.' }
        : { ...problemOf(cause), file },
      { cause },
    )
  }
  if (!info.isFile())
    throw new TubeletError({
      code: 'bad-request',
      message: 'This is a folder, not a file that was handed over.',
      file,
      next: 'Choose a file that ends with .tubelet.',
    })
}

function hasNoEntry(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function mustBeFree(into: string): void {
  if (!existsSync(into) || (statSync(into).isDirectory() && readdirSync(into).length === 0)) return
  throw new TubeletError({
    code: 'conflict',
    message: 'There is something in this folder already.',
    file: into,
    stillWorks: 'It was not changed.',
    next: 'Choose a new folder for the library.',
  })
}
