/**
 * Finds what is at the paths that a person names: videos, numbered pictures, packs and checkpoints, and files beside videos. Each folder is read
 * once, to any depth; of a file only enough is read to tell a text from a video.
 */
import { isUtf8 } from 'node:buffer'
import type { Dirent } from 'node:fs'
import { lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { isCheckpoint } from '../../app/catalogue.ts'
import type { Problem } from '../../app/errors.ts'
import { VIDEO_EXTENSIONS } from '../../app/media.ts'
import { isPicture, type Numbered, numberedAmong, patternOf, picturesOf } from '../../app/numbered.ts'
import { notUtf8, problemOfAccess, problemOfLink } from '../media/access.ts'
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
 * entries are skipped, and the order is natural: files first, then folders. What cannot be read, as a link that leads nowhere, gives a `trouble`, and the scan goes on. Links
 * are followed, each real folder once, so that loops end; what they lead to comes after everything that has its own place, so that a video is known
 * by its real file and a link to it is the copy.
 *
 * @throws the signal's reason when aborted.
 */
export async function* scan(paths: readonly string[], signal?: AbortSignal): AsyncGenerator<Found> {
  const told = new Set<string>()
  const links: Found[] = []
  const isNew = ({ path: file }: Found) => !told.has(file) && told.add(file).size > 0
  for await (const found of new Scan(signal).all(paths)) {
    if (!isNew(found)) continue
    if (found.kind === 'video' && (await isLink(found.path))) links.push(found)
    else yield found
  }
  yield* links
}

/** How much of what Tubelet takes is in a folder, and how many other files. */
interface Counts {
  taken: number
  files: number
}
/** A folder that a person named, with what was found in it. */
interface Named extends Counts {
  folder: string
}

class Scan {
  readonly #signal: AbortSignal | undefined
  /** By the real place of a folder: what lies in it, without folders in it. */
  readonly #visited = new Map<string, Counts>()
  /** Links to folders, which are followed last. */
  readonly #links: { folder: string; of: Named; isNamed: boolean }[] = []

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  async *all(paths: readonly string[]): AsyncGenerator<Found> {
    const pictures: string[] = []
    const named: Named[] = []
    for (const given of paths) {
      this.#signal?.throwIfAborted()
      const absolute = path.resolve(given)
      try {
        const info = await stat(absolute)
        if (info.isDirectory()) {
          const one = { folder: absolute, taken: 0, files: 0 }
          named.push(one)
          if (await isLink(absolute)) this.#links.push({ folder: absolute, of: one, isNamed: true })
          else yield* this.#in(absolute, one, true)
        } else if (!info.isFile()) yield { kind: 'trouble', path: absolute, problem: noFile(absolute) }
        else if (isPicture(absolute)) pictures.push(absolute)
        else yield await fileNamed(absolute)
      } catch (error) {
        this.#signal?.throwIfAborted()
        const numbered = patternOf(absolute) && (await numberedAt(absolute))
        if (numbered) yield { kind: 'numbered', path: absolute, numbered }
        else yield { kind: 'trouble', path: absolute, problem: (await problemOfLink(absolute)) ?? problemOfAccess(absolute, error) }
      }
    }
    // Those that are found meanwhile are followed too.
    for (const { folder, of, isNamed } of this.#links) yield* this.#in(folder, of, isNamed)
    for (const { folder, taken, files } of named) if (taken === 0) yield { kind: 'nothing', path: folder, files }
    yield* together(pictures)
  }

  /** What is in a folder, counted for the one that a person named. @param isNamed Whether it is that one: of a pack or checkpoint, or of videos. */
  async *#in(folder: string, named: Named, isNamed: boolean): AsyncGenerator<Found> {
    for await (const found of this.#folder(folder, named, isNamed)) {
      count(named, found)
      if (found !== 'other') yield found
    }
  }

  async *#folder(folder: string, named: Named, isNamed = false): AsyncGenerator<Found | 'other'> {
    this.#signal?.throwIfAborted()
    const here = { taken: 0, files: 0 }
    const entries: Dirent[] = []
    const unreadable: string[] = []
    try {
      const real = await realpath(folder)
      if (this.#visited.has(real)) {
        // It lies in another folder that was named, or a link led there.
        if (isNamed)
          for (const [place, counts] of this.#visited)
            if (place === real || place.startsWith(path.join(real, path.sep))) {
              named.taken += counts.taken
              named.files += counts.files
            }
        return
      }
      this.#visited.set(real, here)
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
      // The entry of a link does not give its target's type.
      const target = entry.isSymbolicLink() ? await stat(full).catch(() => null) : entry
      if (target?.isDirectory() === true && entry.isSymbolicLink()) this.#links.push({ folder: full, of: named, isNamed: false })
      else if (target?.isDirectory() === true) folders.push(full)
      else if (target?.isFile() === true) files.push(full)
      else if (mayBeVideo(full)) {
        const problem = target === null ? await problemOfLink(full) : noFile(full)
        if (problem !== null) yield { kind: 'trouble', path: full, problem }
      }
    }
    for await (const found of sorted(folder, files, isPack ? 'pack' : isNamed ? 'named' : 'inner')) {
      count(here, found)
      yield found
    }
    for (const inner of folders) yield* this.#folder(inner, named)
  }
}

function count(counts: Counts, found: Found | 'other'): void {
  if (found === 'other' || found.kind === 'sidecar' || found.kind === 'text') counts.files += 1
  else counts.taken += 1
}

async function isLink(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => null))?.isSymbolicLink() === true
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

/** By its name: a video, or a folder, which has no ending. */
function mayBeVideo(file: string): boolean {
  const ending = endingOf(file)
  return ending === '' || VIDEO_EXTENSIONS.has(ending)
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
// oxlint-disable-next-line no-control-regex
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
