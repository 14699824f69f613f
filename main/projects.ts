/** The libraries of this person: one is open at a time, and the window can switch to another without a restart. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { BackendEvent } from '../app/contract.ts'
import type { Project } from '../app/contract/system.ts'
import { type Problem, problemOf, TubeletError } from '../app/errors.ts'
import type { Handle } from './backend.ts'
import { makeFolderSync } from './folders.ts'
import { mustBeThere, restoreBackup } from './library/backups.ts'
import { PERSON } from './library/signed.ts'
import { lockLibrary } from './lock.ts'
import { type OpenOptions, openTubelet, type Tubelet } from './open.ts'
import { openHandedOver, type OpenOptions as HandedOverOptions } from './sharing/handover.ts'

const Remembered = z.array(z.object({ path: z.string(), openedAt: z.string() }))
/** How many recent libraries are listed. */
const RECENT = 12
const LIBRARY = 'library.sqlite'

export class Projects {
  /** The open library. */
  current: Tubelet
  #dir: string
  readonly #options: Omit<OpenOptions, 'projectDir'>
  readonly #file: string
  readonly #listeners = new Set<(event: BackendEvent) => void>()
  #switching: Promise<void> = Promise.resolve()
  /** While the open library is being replaced by a backup, requests wait. */
  #restoring: Promise<void> | null = null

  /**
   * @param file The file with the list of recent libraries; it may be missing or unreadable.
   * @throws TubeletError `conflict` as openTubelet does.
   */
  constructor(first: string, options: Omit<OpenOptions, 'projectDir' | 'projects'>, file: string) {
    this.#options = { ...options, projects: this }
    this.#file = file
    this.#dir = first
    this.current = this.#take(first)
  }

  /** Put the open library on top of the recent ones: once a person can reach it, which a port that is taken prevents. */
  remember(): void {
    const dir = this.#dir
    const others = remembered(this.#file).filter((one) => one.path !== dir)
    try {
      makeFolderSync(path.dirname(this.#file))
      writeFileSync(this.#file, JSON.stringify([{ path: dir, openedAt: new Date().toISOString() }, ...others].slice(0, RECENT)))
    } catch {
      // Failing to store the list of recent libraries is no error.
    }
  }

  /** Handles a request with whichever library is open. */
  readonly handle: Handle = async (request, scope) => {
    await this.#restoring
    return this.current.handle(request, scope)
  }

  /** Call `listener` for changes in whichever library is open. */
  onEvent(listener: (event: BackendEvent) => void): void {
    this.#listeners.add(listener)
  }

  recent(): Project[] {
    return recentProjects(this.#file)
  }

  /**
   * Open the library of a folder, or make one in an empty or new folder. Only after that is the earlier library closed; its unfinished work
   * continues when it is opened again.
   *
   * @throws TubeletError `bad-request` if the folder has other files, `conflict` if the library is open elsewhere or newer.
   */
  async open(folder: string): Promise<void> {
    const dir = fullPath(folder)
    const turn = this.#switching.then(async () => {
      if (dir === this.#dir) return
      mustBeLibraryOrEmpty(dir)
      const before = this.current
      this.current = this.#take(dir)
      keepName(before, this.current)
      this.#dir = dir
      this.remember()
      await before.close()
    })
    this.#switching = turn.catch(() => undefined)
    await turn
  }

  /**
   * Make a library of a file that was handed over, and open that.
   *
   * @returns Names of videos that were not found. @throws as `openHandedOver` and `open` do; the open library is then open as before.
   */
  async openFile(options: HandedOverOptions): Promise<string[]> {
    const { away } = await openHandedOver(options)
    await this.open(options.into)
    return away
  }

  /**
   * Put a backup in the place of a library, and open that. What was in its place is set aside.
   *
   * @throws TubeletError as `restoreBackup` and `openTubelet` do; the open library is then open as before.
   */
  async restore(folder: string, backup: string): Promise<void> {
    const dir = fullPath(folder)
    mustBeThere(dir, backup)
    const turn = this.#switching.then(async () => {
      const before = this.current
      const isOpen = dir === this.#dir
      if (isOpen) await before.close()
      try {
        putBack(dir, backup)
      } catch (error) {
        if (isOpen) this.current = this.#take(dir)
        throw error
      }
      this.current = this.#take(dir)
      this.#dir = dir
      this.remember()
      if (!isOpen) await before.close()
    })
    this.#switching = turn.catch(() => undefined)
    this.#restoring = this.#switching.finally(() => (this.#restoring = null))
    await turn
  }

  async close(): Promise<void> {
    await this.#switching
    await this.current.close()
  }

  #take(dir: string): Tubelet {
    const opened = openTubelet({ ...this.#options, projectDir: dir })
    opened.onEvent((event) => {
      for (const listener of this.#listeners) listener(event)
    })
    return opened
  }
}

/** The same person goes on in a library that has no name yet. */
function keepName({ library: before }: Tubelet, { library: now }: Tubelet): void {
  const name = before.setting<string>(PERSON, '')
  if (name !== '' && now.setting<string | null>(PERSON, null) === null) now.setSetting(PERSON, name)
}

/**
 * The library that the window and the command line use where none is named: one for both, so that each finds what the other analysed.
 * Earlier versions gave the command line one of its own, which stays in use where it is the only one.
 * @param data The folder of this person's libraries.
 */
export function standardLibrary(data: string): string {
  const [both, before] = [path.join(data, 'library'), path.join(data, 'cli')]
  return !existsSync(path.join(both, LIBRARY)) && existsSync(path.join(before, LIBRARY)) ? before : both
}

/** The one that was open last, which may be gone. */
export function lastProject(file: string): string | null {
  return remembered(file)[0]?.path ?? null
}

/** What a person does about a library that cannot be opened. `restored`: open it after this backup has taken its place. */
export type Instead =
  | { open: 'again' | 'default' }
  | { open: 'restored'; backup: string }
  | { open: 'other'; folder: string }
  | { open: 'none' }

/**
 * Opens the library that was open last, or the default one where none was. Another one is opened only when a person says so: edits would else
 * go to a library that nobody meant.
 *
 * @param ask What to do about a library that cannot be opened, or about a backup of it that cannot be restored.
 * @returns null where the person wants none.
 */
export async function openLast<T>(
  last: string | null,
  standard: string,
  open: (folder: string) => T,
  ask: (folder: string, problem: Problem) => Promise<Instead>,
): Promise<T | null> {
  let backup: string | null = null
  for (let folder = last ?? standard; ; ) {
    try {
      if (backup !== null) putBack(folder, backup)
      backup = null
      // A new library would be begun in its place.
      if (folder === last && folder !== standard && !existsSync(path.join(folder, LIBRARY))) throw gone(folder)
      return open(folder)
    } catch (error) {
      const instead = await ask(folder, problemOf(error))
      backup = instead.open === 'restored' ? instead.backup : null
      if (instead.open === 'none') return null
      if (instead.open === 'default') folder = standard
      else if (instead.open === 'other') folder = instead.folder
    }
  }
}

/** Restores a backup of a library that is not open here. @throws TubeletError as `restoreBackup` and `lockLibrary` do. */
function putBack(dir: string, backup: string): void {
  const unlock = lockLibrary(dir)
  try {
    restoreBackup(dir, backup)
  } finally {
    unlock()
  }
}

/** The libraries that were open last, newest first. @param file As `Projects` takes it. */
export function recentProjects(file: string): Project[] {
  return remembered(file).map(({ path: dir, openedAt }) => ({
    path: dir,
    name: path.basename(dir),
    openedAt,
    there: existsSync(path.join(dir, LIBRARY)),
  }))
}

function gone(folder: string): TubeletError {
  return new TubeletError({
    code: 'file-missing',
    message: 'The library that was open last is not there.',
    file: folder,
    next: 'Connect the disk or the network that it lies on and try again, or open another library.',
  })
}

function remembered(file: string): z.infer<typeof Remembered> {
  try {
    return Remembered.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return []
  }
}

/** @throws TubeletError `bad-request` for a path that depends on where Tubelet was started. */
function fullPath(folder: string): string {
  if (path.isAbsolute(folder)) return path.resolve(folder)
  throw new TubeletError({
    code: 'bad-request',
    message: 'The folder must be a full path.',
    field: 'body.path',
    file: folder,
    next: 'Choose the folder again.',
  })
}

/** A library must not be mixed with other files. */
function mustBeLibraryOrEmpty(dir: string): void {
  if (existsSync(path.join(dir, LIBRARY)) || !existsSync(dir)) return
  let entries: string[]
  try {
    entries = readdirSync(dir)
  } catch (cause) {
    throw new TubeletError(
      {
        code: 'bad-request',
        message: 'This is not a folder that can be read.',
        field: 'body.path',
        file: dir,
        next: 'Choose another folder.',
      },
      { cause },
    )
  }
  if (entries.some((name) => !name.startsWith('.'))) {
    throw new TubeletError({
      code: 'bad-request',
      message: 'This folder holds other files and no Tubelet library.',
      field: 'body.path',
      file: dir,
      stillWorks: 'The open library stays open.',
      next: 'Choose a library, an empty folder, or add the name of a new folder to the path.',
    })
  }
}
