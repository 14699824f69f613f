/**
 * Chooses the names of exported files so that no earlier file is lost: a file is replaced only by one with the same part of at least the same
 * videos. Everything else gets a new name.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import type { Source } from '../../app/contract.ts'
import { hasCode, TubeletError } from '../../app/errors.ts'
import { removeEmpty } from '../folders.ts'
import { writeWhole } from '../part.ts'

/** The record of exported files with their SHA-256: nothing else is ever overwritten. */
const RECORD = 'tubelet-export.json'
/** COCO is one file for the whole project, as training and evaluation tools expect. */
export const COCO_FILE = 'instances.json'
/** Where Datumaro looks for COCO files, with the images beside them. */
export const COCO_FOLDER = { annotations: 'annotations', images: 'images' } as const

const ExportRecord = z.object({
  files: z.record(z.string(), z.array(z.string())),
  /** Fingerprints of the videos that a folder, or a file beside the folders, is about. Older records do not have it. */
  videos: z.record(z.string(), z.array(z.string())).default({}),
  /** Which part of the annotations a file holds; files with all of them are not listed. */
  parts: z.record(z.string(), z.string()).default({}),
})
export type ExportRecord = z.infer<typeof ExportRecord>

const NOTHING: ExportRecord = { files: {}, videos: {}, parts: {} }

export async function readRecord(directory: string): Promise<ExportRecord> {
  const text = await readFile(path.join(directory, RECORD), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  })
  if (text === null) return NOTHING
  try {
    return ExportRecord.parse(JSON.parse(text))
  } catch {
    // Without a record every existing file counts as somebody else's, which is safe.
    return NOTHING
  }
}

/** Bytes of a record that is read to find a video. */
const LARGEST = 1 << 26
/** Folders between the record and the deepest file of an export. */
const DEEPEST = 4

/** The fingerprint of the one video that an exported file is about, by the record beside it or in a folder above; null where none tells. */
export async function exportedOf(file: string): Promise<string | null> {
  let directory = path.dirname(file)
  for (let level = 0; level < DEEPEST; level++) {
    const name = path.relative(directory, file).split(path.sep).join('/')
    // A folder that may not be read tells nothing, nor does what is no record.
    const info = await stat(path.join(directory, RECORD)).catch(() => null)
    const isRecord = info?.isFile() === true && info.size <= LARGEST
    const { videos } = isRecord ? await readRecord(directory).catch(() => NOTHING) : NOTHING
    const [one, ...more] = videos[name] ?? videos[path.posix.dirname(name)] ?? []
    if (one !== undefined) return more.length === 0 ? one : null
    directory = path.dirname(directory)
  }
  return null
}

/**
 * Remove what earlier exports wrote for videos that were called otherwise then, where this export has the same under their present names. What somebody
 * changed since stays.
 * @param written Paths of the files that an export has just written into the folder.
 */
export async function removeFormer(directory: string, written: readonly string[]): Promise<void> {
  const record = await readRecord(directory)
  const names = written.map((file) => path.relative(directory, file).split(path.sep).join('/'))
  // The record names the video of a folder, or of a file that can be about several.
  const present = [...new Set([...names, ...names.map((name) => path.posix.dirname(name))])]
  const isFormer = (place: string, owners: readonly string[]) =>
    owners.length === 1 &&
    !present.includes(place) &&
    present.some((now) => record.videos[now]?.join() === owners[0] && isOneNameApart(place, now))
  const former = Object.entries(record.videos).flatMap(([place, owners]) => (isFormer(place, owners) ? [place] : []))
  if (former.length === 0) return
  const gone = new Set<string>()
  const filesOf = (place: string) =>
    Object.keys(record.files).filter((one) => (one === place || path.posix.dirname(one) === place) && !gone.has(one))
  for (const name of new Set(former.flatMap(filesOf))) {
    const file = path.join(directory, name)
    const digest = await sha256Of(file)
    if (digest !== null && record.files[name]?.includes(digest) !== true) continue
    await rm(file, { force: true })
    gone.add(name)
  }
  for (const name of gone) {
    const folders = path.posix.dirname(name).split('/')
    const chain = folders.map((_, at) => path.join(directory, ...folders.slice(0, folders.length - at)))
    await removeEmpty([...chain.map((folder) => path.join(folder, COCO_FOLDER.images)), ...chain])
  }
  const empty = new Set(former.filter((place) => filesOf(place).length === 0))
  const without = <T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !names.has(name)))
  await writeRecord(directory, {
    files: without(record.files, gone),
    videos: without(record.videos, empty),
    parts: without(record.parts, gone),
  })
}

/** Whether two folders lie alike but for one name. */
function isOneNameApart(a: string, b: string): boolean {
  const [one, other] = [a.split('/'), b.split('/')]
  return one.length === other.length && one.filter((name, at) => name !== other[at]).length === 1
}

/** Null for what is no file. */
async function sha256Of(file: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
  } catch {
    return null
  }
  return hash.digest('hex')
}

export async function writeRecord(directory: string, record: ExportRecord): Promise<void> {
  await writeWhole(path.join(directory, RECORD), `${JSON.stringify(record, null, 2)}\n`)
}

/** Device names reserved by Windows, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i
/** File systems take 255 bytes; a number for a name taken twice must fit too. */
const NAME_BYTES = 200

/**
 * A folder name for each source of the library, the same whichever of them are exported: its name without the ending, with as much of its folder, and its
 * ending, as tells it from others. A folder that was of another video stays that one's, and that of a video stays its own while its file is called so.
 * @param reserved What formats call their own files and folders beside those of the videos.
 */
export function folderNames(sources: readonly Source[], { videos }: ExportRecord, reserved: readonly string[]): Map<number, string> {
  const taken = new Set<string>([RECORD, ...Object.values(COCO_FOLDER), ...reserved].map((name) => name.toLowerCase()))
  const owners = new Map(Object.entries(videos).map(([folder, [owner]]) => [folder.toLowerCase(), owner]))
  const names = new Map<number, string>()
  const take = (id: number, folder: string) => {
    taken.add(folder.toLowerCase())
    names.set(id, folder)
  }
  const all = sources.toSorted((a, b) => a.id - b.id)
  const before = Map.groupBy(
    Object.entries(videos).filter(([folder, { length }]) => length === 1 && !folder.includes('/')),
    ([, [owner]]) => owner,
  )
  for (const source of all) {
    const was = before.get(source.fingerprint)?.find(([folder]) => !taken.has(folder.toLowerCase()) && isCalled(folder, source))
    if (was) take(source.id, was[0])
  }
  let open = all.filter(({ id }) => !names.has(id))
  const isFree = (folder: string, { fingerprint }: Source) =>
    !taken.has(folder.toLowerCase()) && (owners.get(folder.toLowerCase()) ?? fingerprint) === fingerprint
  for (const nameOf of WAYS) {
    const those = Map.groupBy(open, (source) => nameOf(source).toLowerCase())
    for (const [source, ...more] of those.values())
      if (source && more.length === 0 && isFree(nameOf(source), source)) take(source.id, nameOf(source))
    open = open.filter(({ id }) => !names.has(id))
  }
  for (const source of open) {
    const title = titled(source)
    let folder = title
    for (let copy = 2; !isFree(folder, source); copy++) folder = `${title} (${copy})`
    take(source.id, folder)
  }
  return names
}

const titled = ({ title }: Pick<Source, 'title'>) => safeName(stemOf(title))
/** The shortest first. */
const WAYS: readonly ((source: Source) => string)[] = [({ name }) => safeName(stemOf(name)), titled, ({ title }) => safeName(title)]

/** Whether a folder may have got its name from this video, whatever others were in the library then. */
function isCalled(folder: string, { name, path: file }: Source): boolean {
  const plain = folder.replace(/ \(\d+\)$/, '')
  const above = file.split(/[\\/]/).slice(0, -1)
  return above.some((_, at) => {
    const place = above.slice(at).join('/')
    return [stemOf(name), name, `${place}/${stemOf(name)}`, `${place}/${name}`].some((one) => [folder, plain].includes(safeName(one)))
  })
}

/** A name or title without its extension, which stands before the number of the video, of its stream, or the range of numbered pictures, if there is one. */
function stemOf(name: string): string {
  const [, file = name, number = ''] = /^(.*?)((?: #\d+| \[\d+-\d+\]| \(\d+\))+)$/.exec(name) ?? []
  const { dir, name: stem } = path.posix.parse(file)
  return (dir === '' ? stem : `${dir}/${stem}`) + number
}

/** A text as a name of a file or folder, on every system. */
export function safeName(stem: string): string {
  let name = ''
  for (const character of stem
    .toWellFormed()
    .normalize('NFC')
    .replace(/[<>:"/\\|?*\p{Cc}]/gu, '_')) {
    if (Buffer.byteLength(name + character) > NAME_BYTES) break
    name += character
  }
  // Windows drops trailing dots and spaces, so two names could become one.
  const trimmed = name.trim().replace(/[. ]+$/, '')
  if (trimmed === '') return 'video'
  return RESERVED.test(trimmed) ? `_${trimmed}` : trimmed
}

/** Names with `/` between their parts, as in the record. */
export class FileNames {
  readonly #directory: string
  readonly #record: ExportRecord
  readonly #part: string
  readonly #trees = new Map<string, string>()

  /** @param part Identifies the part of the annotations that is exported; empty for all. */
  constructor(directory: string, record: ExportRecord, part: string) {
    this.#directory = directory
    this.#record = record
    this.#part = part
  }

  /** In the folder of one video. */
  inFolder(folder: string, file: string): string {
    return this.#first(`${folder}/${file}`, this.#part === '' ? null : 'part', (name) => this.#isSamePart(name))
  }

  /**
   * Of a file in a folder that a format has for all videos; all files there are of the same part.
   * @param tree Its name. @param file The path of the file in it.
   */
  inTree(tree: string, file: string): string {
    let chosen = this.#trees.get(tree)
    if (chosen === undefined) this.#trees.set(tree, (chosen = this.#tree(tree)))
    return `${chosen}/${file}`
  }

  #tree(tree: string): string {
    const isFree = (name: string) => {
      const files = Object.keys(this.#record.files).filter((file) => file.startsWith(`${name}/`))
      return files.length > 0 ? files.every((file) => this.#isSamePart(file)) : !existsSync(path.join(this.#directory, name))
    }
    // What somebody else has in the plain folder stays: only a file that is in the way is reported.
    if (this.#part === '' && Object.keys(this.#record.files).every((file) => !file.startsWith(`${tree}/`) || this.#isSamePart(file)))
      return tree
    return this.#numbered(`${tree}_${this.#part === '' ? 'all' : 'part'}`, isFree)
  }

  #numbered(name: string, isFree: (name: string) => boolean): string {
    let copy = 2
    if (isFree(name)) return name
    while (!isFree(`${name} (${copy})`)) copy += 1
    return `${name} (${copy})`
  }

  /**
   * Of a file about several videos, or of one beside their folders.
   * @param file What it is called where it holds everything. @param shown Their fingerprints. @param all Those of all videos in the library. @param alone The folder's name where it is one video.
   * @throws TubeletError `conflict` Where the file is of a project that has none of these videos.
   */
  ofProject(file: string, shown: readonly string[], all: ReadonlySet<string>, alone: string | null): string {
    const holdsAll = (name: string) =>
      (this.#record.videos[name] ?? []).every((fingerprint) => shown.includes(fingerprint) || !all.has(fingerprint))
    const before = this.#record.videos[file]
    if (before && !before.some((fingerprint) => all.has(fingerprint)) && existsSync(path.join(this.#directory, file)))
      throw otherProject(path.join(this.#directory, file))
    return this.#first(file, alone ?? 'part', (name) => this.#isSamePart(name) && holdsAll(name))
  }

  #isSamePart(name: string): boolean {
    return (this.#record.parts[name] ?? '') === this.#part
  }

  /** The plain name if the file holds everything and may be written; else a name with a suffix for the part, and a number if that name is taken. */
  #first(name: string, suffix: string | null, mayReplace: (name: string) => boolean): string {
    const { dir, name: stem, ext } = path.posix.parse(name)
    const named = (end: string) => path.posix.join(dir, `${stem}_${end}${ext}`)
    const isFree = (candidate: string) =>
      this.#record.files[candidate] === undefined ? !existsSync(path.join(this.#directory, candidate)) : mayReplace(candidate)
    // An unrecorded file in the way of the plain name is reported.
    const isPlain =
      this.#part === '' && (this.#record.files[name] === undefined || mayReplace(name) || !existsSync(path.join(this.#directory, name)))
    if (isPlain) return name
    return named(this.#numbered(suffix ?? 'all', (end) => isFree(named(end))))
  }
}

function otherProject(file: string): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message: '{{name}} is already there, from a project with other videos.',
    values: { name: path.basename(file) },
    file,
    stillWorks: 'Nothing was overwritten.',
    next: 'Move that file away, or export to another folder.',
  })
}
