/**
 * Watched folders: new videos in them are added by themselves once nobody writes to them any more, and annotation files of them are kept up to date
 * if that is wanted. Folders are looked through again and again, because network drives tell of no changes.
 */
import type { Dirent } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { BackendEvent, Source } from '../../app/contract.ts'
import type { WatchedFolder, WatchFolder } from '../../app/contract/watched.ts'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { VIDEO_EXTENSIONS } from '../../app/media.ts'
import { said } from '../../app/phrase.ts'
import { exportProject } from '../export/export.ts'
import { removeFormer } from '../export/names.ts'
import type { Library } from '../library/library.ts'
import { problemOfAccess } from '../media/access.ts'
import { stampOf } from '../media/fingerprint.ts'
import type { Intake } from './intake.ts'

/** Between two looks, at least; and so many times as long as reading the folders took, so that a large or slow one is not read all the time. */
const LOOK_MS = 3_000
const REST_PER_READ = 20
/** A file that was last written to so long ago is complete; a younger one must be the same at two looks. */
const OLD_MS = 60_000
/** The folder in a watched folder for the annotation files. */
export const SIDECARS = 'tubelet-sidecars'
/** Videos whose files are written together. */
const BATCH = 20
/** A file that could not be written is tried again after so long. */
const RETRY_MS = 60_000

interface Kept extends WatchFolder {
  /** Videos that a person removed from the library. They are not added again. */
  left: string[]
}

export class Watching {
  readonly #library: Library
  readonly #intake: Intake
  /** Folders that are watched for as long as this process runs. */
  readonly #own: Kept[] = []
  readonly #problems = new Map<string, Problem>()
  /** Files that are no videos of the library: their stamp at the last look, and whether they were brought. */
  readonly #looked = new Map<string, { stamp: string; brought: boolean }>()
  /** Videos whose annotation files may be out of date, as long as any are wanted. */
  readonly #changed = new Set<number>()
  #wanted = false
  /** By folder: when writing, which failed, is tried again. */
  readonly #waits = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #forget: () => void
  /** What reading the folders took at the last look. */
  #readMs = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(library: Library, intake: Intake) {
    this.#library = library
    this.#intake = intake
    this.#forget = library.onChange((event) => this.#note(event))
  }

  /** Begin to look. */
  start(): void {
    this.#settle()
    if (this.#wanted)
      for (const id of this.#library.exports.changedSince(this.#library.setting('watched-written', ''))) this.#changed.add(id)
    this.#again(0)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#forget()
    this.#stop.abort()
    await this.#looking
  }

  list(): WatchedFolder[] {
    return this.#folders().map(({ folder, formats }) => ({ folder, formats, problem: this.#problems.get(folder) ?? null }))
  }

  /**
   * Watch a folder, or change which annotation files are kept of one that is watched.
   * @param kept Whether the library goes on watching it when it is opened again.
   * @throws TubeletError `file-missing`, `file-unreadable` if it is no folder that can be read, `conflict` if it lies in a watched one or holds one.
   */
  async add({ folder, formats }: WatchFolder, kept: boolean): Promise<void> {
    await readdir(folder).catch((error: unknown) => {
      throw new TubeletError(problemOfAccess(folder, error), { cause: error })
    })
    const all = this.#folders()
    const other = all.find((one) => one.folder !== folder && (isIn(folder, one.folder) || isIn(one.folder, folder)))
    if (other)
      throw new TubeletError({
        code: 'conflict',
        message: 'A folder in it, or one that it lies in, is watched already: {{folder}}',
        values: { folder: other.folder },
        file: folder,
        next: 'Stop watching that one first.',
      })
    const { left } = all.find((one) => one.folder === folder) ?? { left: [] }
    if (kept) this.#keep([...this.#kept().filter((one) => one.folder !== folder), { folder, formats, left }])
    else this.#own.push({ folder, formats, left })
    this.#settle(folder)
    for (const { id } of videosIn(folder, this.#library.sources())) this.#changed.add(id)
    this.#again(0)
  }

  /** Stop watching a folder. @throws TubeletError `not-found` */
  remove(folder: string): void {
    const kept = this.#kept()
    if (!kept.some((one) => one.folder === folder))
      throw new TubeletError({ code: 'not-found', message: 'This folder is not watched.', file: folder })
    this.#keep(kept.filter((one) => one.folder !== folder))
    this.#settle(folder)
  }

  /** After folders came, changed or went; what is known of `folder` is out of date. */
  #settle(folder = ''): void {
    this.#problems.delete(folder)
    this.#waits.delete(folder)
    this.#wanted = this.#folders().some(({ formats }) => formats.length > 0)
    if (!this.#wanted) this.#changed.clear()
  }

  #kept(): Kept[] {
    return this.#library.setting<Kept[]>('watched', [])
  }

  #keep(kept: readonly Kept[]): void {
    this.#library.setSetting('watched', kept)
    this.#library.emit({ type: 'watched' })
  }

  #folders(): Kept[] {
    return [...this.#kept(), ...this.#own]
  }

  #note(event: BackendEvent): void {
    if (!this.#wanted) return
    if (event.type === 'clips') this.#changed.add(event.sourceId)
    else if (event.type === 'sources') for (const id of event.ids) this.#changed.add(id)
    else if (event.type === 'annotations') for (const id of this.#library.exports.sourcesOf(event.clipIds)) this.#changed.add(id)
    // Labels and thresholds decide which boxes are in the files.
    else if (event.type === 'labels') for (const { id } of this.#library.sources()) this.#changed.add(id)
  }

  #again(wait: number): void {
    clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#readMs = 0
      this.#looking = this.#looking
        .then(() => this.#look())
        // The library could not be read or written, as when its disk is full, which it tells by itself: the next look may.
        .catch(() => undefined)
        .finally(() => this.#again(Math.max(LOOK_MS, REST_PER_READ * this.#readMs)))
    }, wait).unref()
  }

  async #look(): Promise<void> {
    const began = new Date().toISOString()
    // What changes from here on, also while files are written, is for the next look.
    const changed = new Set(this.#changed)
    this.#changed.clear()
    const sources = changed.size === 0 ? [] : this.#library.sources().filter(({ id }) => changed.has(id))
    let wrote = false
    for (const watched of this.#folders()) {
      const mine = watched.formats.length === 0 ? [] : videosIn(watched.folder, sources)
      const waits = Date.now() < (this.#waits.get(watched.folder) ?? 0)
      const due = waits ? [] : mine.filter(({ state }) => analysedToItsEnd(state))
      for (const source of mine) if (waits || isUnderWay(source)) this.#changed.add(source.id)
      let problem = waits ? (this.#problems.get(watched.folder) ?? null) : null
      try {
        await this.#bringNew(watched)
        if (due.length > 0) problem = await this.#write(watched, due)
        wrote ||= due.length > 0
      } catch (error) {
        problem = problemOf(error)
        for (const { id } of due) this.#changed.add(id)
      }
      if (this.#stop.signal.aborted) return
      const before = this.#problems.get(watched.folder) ?? null
      if (problem === null) this.#problems.delete(watched.folder)
      else this.#problems.set(watched.folder, problem)
      if (JSON.stringify(before) !== JSON.stringify(problem)) this.#library.emit({ type: 'watched' })
    }
    if (wrote && this.#changed.size === 0) this.#library.setSetting('watched-written', began)
  }

  async #bringNew(watched: Kept): Promise<void> {
    const { folder } = watched
    const known = new Set(this.#library.files.paths().values())
    const removed = this.#library.bin.list().flatMap(({ path: file }) => (isIn(file, folder) && !watched.left.includes(file) ? [file] : []))
    if (removed.length > 0) {
      watched.left.push(...removed)
      if (!this.#own.includes(watched)) this.#keep(this.#kept().map((one) => (one.folder === folder ? watched : one)))
    }
    const left = new Set(watched.left)
    const paths: string[] = []
    const began = performance.now()
    for await (const file of videosBelow(folder, this.#library.projectDir)) {
      if (this.#stop.signal.aborted) return
      if (known.has(file) || left.has(file)) continue
      const now = await stat(file).catch(() => null)
      if (now === null || !now.isFile()) continue
      const stamp = stampOf(now)
      const before = this.#looked.get(file)
      if (before?.stamp === stamp && before.brought) continue
      const complete = before?.stamp === stamp || Date.now() - now.mtimeMs > OLD_MS
      this.#looked.set(file, { stamp, brought: complete })
      if (complete) paths.push(file)
    }
    this.#readMs += performance.now() - began
    if (paths.length === 0) return
    const { added } = await this.#intake.bring({ paths }, this.#stop.signal)
    const name = path.basename(folder)
    if (added.length > 0)
      this.#library.emit({
        type: 'told',
        phrase: said('New videos in the watched folder “{{name}}”: {{videos}}', { videos: added.length, name }),
      })
  }

  /** Write the annotation files of videos of a folder. Resolves to why one could not be written. */
  async #write({ folder, formats }: Kept, due: readonly Source[]): Promise<Problem | null> {
    const directory = path.join(folder, SIDECARS)
    // Not with its parents: a drive that has just gone away would come back as an empty folder.
    await mkdir(directory).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
        throw new TubeletError(problemOfAccess(folder, error), { cause: error })
    })
    const write = async (some: readonly Source[], only = formats) => {
      const { files } = await exportProject(this.#library, {
        formats: only,
        directory,
        sourceIds: some.map(({ id }) => id),
        perVideo: true,
        signal: this.#stop.signal,
      })
      return files.map((file) => file.path)
    }
    // A video that was renamed has them once: those of its former name go when all are there.
    const writeAll = async (some: readonly Source[]) => removeFormer(directory, await write(some))
    let problem: Problem | null = null
    this.#waits.delete(folder)
    for (let at = 0; at < due.length; at += BATCH) {
      const some = due.slice(at, at + BATCH)
      // One file that cannot be written keeps no other from being written.
      await writeAll(some).catch(async () => {
        for (const one of some) {
          if (this.#stop.signal.aborted) return
          await writeAll([one]).catch(async (error: unknown) => {
            problem ??= problemOf(error)
            this.#changed.add(one.id)
            this.#waits.set(folder, Date.now() + RETRY_MS)
            if (formats.length > 1) for (const format of formats) await write([one], [format]).catch(() => undefined)
          })
        }
      })
      if (this.#stop.signal.aborted) return null
    }
    return problem
  }
}

function isUnderWay({ state }: Source): boolean {
  return state === 'queued' || state === 'probing' || state === 'analysing'
}

function isIn(place: string, folder: string): boolean {
  const below = path.relative(folder, place)
  return below !== '' && below.split(path.sep)[0] !== '..' && !path.isAbsolute(below)
}

function videosIn(folder: string, sources: readonly Source[]): Source[] {
  return sources.filter(({ path: file }) => isIn(file, folder))
}

/**
 * The files below a folder that have the ending of a video. Hidden entries, Tubelet's own folders and links are passed over, and folders that cannot
 * be read as well; only the folder itself must be readable.
 */
async function* videosBelow(folder: string, library: string, inner = false): AsyncGenerator<string> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (inner) return []
    throw new TubeletError(problemOfAccess(folder, error), { cause: error })
  })
  for (const entry of entries) {
    const whole = path.join(folder, entry.name)
    if (entry.name.startsWith('.') || entry.name === SIDECARS || whole === library) continue
    if (entry.isDirectory()) yield* videosBelow(whole, library, true)
    else if (entry.isFile() && VIDEO_EXTENSIONS.has(path.extname(entry.name).slice(1).toLowerCase())) yield whole
  }
}
