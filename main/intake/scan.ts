/**
 * Finds what is at the paths that a person names: videos, numbered pictures, packs and checkpoints, and files beside videos. Each folder is read
 * once, to any depth; of a file only enough is read to tell a text from a video.
 */
import { isUtf8 } from 'node:buffer'
import type { Dirent } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { isCheckpoint } from '../../app/catalogue.ts'
import type { Problem } from '../../app/errors.ts'
import { VIDEO_EXTENSIONS } from '../../app/media.ts'
import { isPicture, type Numbered, numberedAmong, patternOf, picturesOf } from '../../app/numbered.ts'
import { notUtf8, problemOfAccess } from '../media/access.ts'
import { isPackFolder } from '../packs/import.ts'

export type Found =
  | { kind: 'video'; path: string }
  /** `path`: the folder and the pattern of the pictures' names. */
  | { kind: 'numbered'; path: string; numbered: Numbered }
  /** A pack's folder or pack.json, a checkpoint, or a folder with one. */
  | { kind: 'pack'; path: string }
  /** Subtitles, notes and lists beside videos; and texts with the ending of a video. */
  | { kind: 'sidecar' | 'text'; path: string }
  /** A named folder without anything that Tubelet takes. `files`: how many other files it has. */
  | { kind: 'nothing'; path: string; files: number }
  | { kind: 'trouble'; path: string; problem: Problem }

/** Endings of files that people, cameras and other tools put beside videos. */
const SIDECARS = new Set(
  'ass csv edl eaf fcpxml gpx idx itt json jsonl kml log lrc md nfo otio rttm sbv scc srt ssa stl sub textgrid thm tsv ttml txt vtt xml xmp yaml yml'.split(
    ' ',
  ),
)
/** Endings of videos that are also those of texts, namely of TypeScript. */
const ALSO_TEXT = new Set(['ts', 'mts'])
/** Bytes that are read to tell a text from a video. */
const HEAD = 4096

/** Sorts clip2 before clip10. */
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/**
 * What is found at `paths`, each thing once, however often it is named. A file that is named by itself is taken for a video
 * whatever its name (its analysis reports if it is none), except texts and sidecars; in folders, names and the beginnings of files decide. Hidden
 * entries are skipped, and the order is natural: files first, then folders. What cannot be read gives a `trouble`, and the scan goes on. Links
 * are followed, each real folder once, so that loops end.
 *
 * @throws the signal's reason when aborted.
 */
export async function* scan(paths: readonly string[], signal?: AbortSignal): AsyncGenerator<Found> {
  const told = new Set<string>()
  for await (const found of new Scan(signal).all(paths)) {
    if (told.has(found.path)) continue
    told.add(found.path)
    yield found
  }
}

class Scan {
  readonly #signal: AbortSignal | undefined
  readonly #visited = new Set<string>()

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  async *all(paths: readonly string[]): AsyncGenerator<Found> {
    const pictures: string[] = []
    for (const given of paths) {
      this.#signal?.throwIfAborted()
      const absolute = path.resolve(given)
      try {
        const info = await stat(absolute)
        if (info.isDirectory()) yield* this.#named(absolute)
        else if (!info.isFile()) yield { kind: 'trouble', path: absolute, problem: noFile(absolute) }
        else if (isPicture(absolute)) pictures.push(absolute)
        else yield await fileNamed(absolute)
      } catch (error) {
        this.#signal?.throwIfAborted()
        const numbered = patternOf(absolute) && (await numberedAt(absolute))
        if (numbered) yield { kind: 'numbered', path: absolute, numbered }
        else yield { kind: 'trouble', path: absolute, problem: problemOfAccess(absolute, error) }
      }
    }
    yield* together(pictures)
  }

  /** A folder that a person named: of a pack or checkpoint, or of videos. */
  async *#named(folder: string): AsyncGenerator<Found> {
    let [taken, files] = [0, 0]
    for await (const found of this.#folder(folder, true)) {
      if (found === 'other') files += 1
      else {
        if (found.kind === 'sidecar' || found.kind === 'text') files += 1
        else taken += 1
        yield found
      }
    }
    if (taken === 0) yield { kind: 'nothing', path: folder, files }
  }

  async *#folder(folder: string, isNamed = false): AsyncGenerator<Found | 'other'> {
    this.#signal?.throwIfAborted()
    const entries: Dirent[] = []
    const unreadable: string[] = []
    try {
      const real = await realpath(folder)
      if (this.#visited.has(real)) return
      this.#visited.add(real)
      // As bytes: decoded, a name that is not UTF-8 would be one that does not exist.
      for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
        if (isUtf8(entry.name)) entries.push(Object.assign(entry, { name: entry.name.toString() }))
        else unreadable.push(new TextDecoder('windows-1252').decode(entry.name))
      }
    } catch (error) {
      yield { kind: 'trouble', path: folder, problem: problemOfAccess(folder, error) }
      return
    }
    for (const name of unreadable) yield { kind: 'trouble', path: path.join(folder, name), problem: notUtf8(path.join(folder, name), name) }
    const visible = entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => natural.compare(a.name, b.name))
    const isPack = isNamed && isPackFolder(visible.map(({ name }) => name))
    if (isPack) yield { kind: 'pack', path: folder }
    const folders: string[] = []
    const files: string[] = []
    for (const entry of visible) {
      const full = path.join(folder, entry.name)
      // The entry of a link does not give its target's type. A link that leads nowhere is skipped.
      const target = entry.isSymbolicLink() ? await stat(full).catch(() => null) : entry
      if (target?.isDirectory() === true) folders.push(full)
      else if (target?.isFile() === true) files.push(full)
    }
    yield* sorted(folder, files, isPack ? 'pack' : isNamed ? 'named' : 'inner')
    for (const inner of folders) yield* this.#folder(inner)
  }
}

/** The files of a folder, by what they are. */
async function* sorted(folder: string, files: readonly string[], what: 'pack' | 'named' | 'inner'): AsyncGenerator<Found | 'other'> {
  const pictures = numberedAmong(files.filter(isPicture).map((file) => path.basename(file)))
  const sidecars: string[] = []
  let videos = pictures.length
  for (const file of files) {
    const ending = endingOf(file)
    if (VIDEO_EXTENSIONS.has(ending)) {
      const text = await isText(file)
      if (!text) videos += 1
      yield { kind: text ? 'text' : 'video', path: file }
    } else if (SIDECARS.has(ending)) sidecars.push(file)
    else if (!isPicture(file)) yield 'other'
  }
  for (const numbered of pictures) yield { kind: 'numbered', path: path.join(folder, numbered.pattern), numbered }
  // Texts in inner folders without a video are not reported.
  for (const file of sidecars) {
    if (what === 'named' || (what === 'inner' && videos > 0)) yield { kind: 'sidecar', path: file }
    else yield 'other'
  }
  for (const file of files) if (isPicture(file)) yield 'other'
}

/** A file that a person named by itself. */
async function fileNamed(file: string): Promise<Found> {
  const ending = endingOf(file)
  if (isCheckpoint(file) || path.basename(file) === 'pack.json') return { kind: 'pack', path: file }
  if (SIDECARS.has(ending)) return { kind: 'sidecar', path: file }
  return { kind: ALSO_TEXT.has(ending) && (await isText(file)) ? 'text' : 'video', path: file }
}

/** Pictures that were named one by one: numbered ones become one video, with all pictures of that pattern in the folder. */
async function* together(pictures: readonly string[]): AsyncGenerator<Found> {
  for (const [folder, files] of Map.groupBy(pictures, (file) => path.dirname(file))) {
    const names = files.map((file) => path.basename(file))
    const numbered = numberedAmong(names)
    const taken = new Set(numbered.flatMap(({ pattern }) => names.filter((name) => picturesOf(pattern, [name]) !== null)))
    for (const { pattern } of numbered) {
      const all = await numberedAt(path.join(folder, pattern))
      if (all) yield { kind: 'numbered', path: path.join(folder, pattern), numbered: all }
    }
    for (const file of files) if (!taken.has(path.basename(file))) yield { kind: 'video', path: file }
  }
}

/** The pictures that match a pattern now; null if there are none. */
async function numberedAt(pattern: string): Promise<Numbered | null> {
  return picturesOf(pattern, await readdir(path.dirname(pattern)).catch(() => []))
}

function endingOf(file: string): string {
  return path.extname(file).slice(1).toLowerCase()
}

/** Whether the first bytes of a file are text only. Transport streams, which share an ending with TypeScript, have the byte 0x47 every 188 bytes. */
async function isText(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => null)
  if (handle === null) return false
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    // The last character may be incomplete.
    const head = buffer.subarray(0, bytesRead < HEAD ? bytesRead : Math.max(0, buffer.subarray(0, bytesRead).lastIndexOf(0x0a)))
    return head.length > 0 && isUtf8(head) && !CONTROL.test(head.toString())
  } catch {
    return false
  } finally {
    await handle.close()
  }
}

/** Control characters that do not occur in texts; form feed and escape do. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/

/** The problem of a pipe, a socket or a device, which is not opened, as that may wait for ever. */
function noFile(file: string): Problem {
  return {
    code: 'file-unreadable',
    message: 'This is not a file but a pipe or a device.',
    file,
    stillWorks: 'All other files go on.',
    next: 'Write it to a file and add that.',
  }
}
