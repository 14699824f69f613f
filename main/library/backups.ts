/**
 * Copies of the library file: made by themselves beside it, bounded in number and age, and put back in its place when a person asks. A copy is checked
 * before it is kept, so that a damaged library never takes the place of a sound copy.
 */
import { copyFileSync, existsSync, linkSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { Channel, thread } from '../channel.ts'
import { makeFolderSync } from '../folders.ts'
import type { BackupService } from './backup-worker.ts'
import { faultsOf } from './check.ts'

const LIBRARY = 'library.sqlite'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Least age of the newest copy before another one is made; while videos are analysed it may become a day old. */
const EVERY_MS = HOUR_MS
const LATEST_MS = DAY_MS
/** Besides the newest copy, the oldest one of each of these ranges of age is kept. */
const KEPT_MS: readonly (readonly [over: number, upTo: number])[] = [
  [0, DAY_MS],
  [DAY_MS, 7 * DAY_MS],
  [7 * DAY_MS, 30 * DAY_MS],
]
/** How often it is looked whether a copy is due. */
const LOOK_MS = 10 * 60_000
/** Space that a copy leaves free on the disk. */
const SPARE_BYTES = 256 * 2 ** 20

export interface Backup {
  /** Its file name in the folder of backups. */
  name: string
  /** ISO 8601, UTC. */
  madeAt: string
  bytes: number
  /** `automatic`: a copy. `set-aside`: a library that a restored copy took the place of; never deleted by Tubelet. */
  kind: 'automatic' | 'set-aside'
}

const NAME = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)(\.\d{3})Z( set aside)?\.sqlite$/

const folderOf = (projectDir: string) => path.join(projectDir, 'backups')
const nameAt = (at: Date, kind: Backup['kind']) =>
  `${at.toISOString().replaceAll(':', '-')}${kind === 'automatic' ? '' : ' set aside'}.sqlite`

/** The copies of a library, newest first. */
export function backupsOf(projectDir: string): Backup[] {
  const folder = folderOf(projectDir)
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names
    .flatMap((name): Backup[] => {
      const [, day, hours, minutes, seconds, rest, aside] = NAME.exec(name) ?? []
      const bytes = statSync(path.join(folder, name), { throwIfNoEntry: false })?.size
      if (day === undefined || bytes === undefined) return []
      return [{ name, madeAt: `${day}T${hours}:${minutes}:${seconds}${rest}Z`, bytes, kind: aside ? 'set-aside' : 'automatic' }]
    })
    .sort((a, b) => (a.madeAt < b.madeAt ? 1 : -1))
}

/** Delete copies that are not to be kept. */
export function thinOut(projectDir: string, now = Date.now()): void {
  const copies = backupsOf(projectDir).filter(({ kind }) => kind === 'automatic')
  const age = ({ madeAt }: Backup) => now - Date.parse(madeAt)
  // One that grew too old is kept until there is a successor.
  const kept = new Set([
    copies[0],
    ...KEPT_MS.map(
      ([over, upTo]) => copies.findLast((copy) => age(copy) > over && age(copy) <= upTo) ?? copies.find((copy) => age(copy) > upTo),
    ),
  ])
  for (const copy of copies) if (!kept.has(copy)) rmSync(path.join(folderOf(projectDir), copy.name), { force: true })
}

/** Whether the library was changed after its newest copy was made, and that is old enough. @param busy Whether videos are analysed. */
export function isDue(projectDir: string, busy: boolean, now = Date.now()): boolean {
  const newest = backupsOf(projectDir).find(({ kind }) => kind === 'automatic')
  // A library that was just begun has nothing to lose.
  if (newest === undefined) return !busy && now - statSync(path.join(projectDir, LIBRARY)).birthtimeMs >= EVERY_MS
  const made = Date.parse(newest.madeAt)
  const changed = [LIBRARY, `${LIBRARY}-wal`].some(
    (name) => (statSync(path.join(projectDir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > made,
  )
  return changed && now - made >= (busy ? LATEST_MS : EVERY_MS)
}

/** Makes copies of one open library in the background, in a thread of its own, and checks each. */
export class Backups {
  /** Why the last copy could not be made; null if it was. */
  problem: Problem | null = null
  readonly #projectDir: string
  readonly #busy: () => boolean
  readonly #worker: Channel<BackupService>
  #timer: NodeJS.Timeout | undefined
  #making: Promise<void> | null = null

  /** @param busy Whether videos are analysed at this moment. */
  constructor(projectDir: string, busy: () => boolean) {
    this.#projectDir = projectDir
    this.#busy = busy
    this.#worker = new Channel(() => thread(import.meta.url, 'backup-worker'), {
      code: 'internal',
      message: 'The backup stopped unexpectedly.',
      stillWorks: 'The library is unharmed.',
      next: 'It is tried again by itself.',
    })
  }

  /** Look now whether a copy is due, and from time to time. */
  start(): void {
    const look = () => {
      if (isDue(this.#projectDir, this.#busy())) void this.make().catch(() => undefined)
    }
    this.#timer = setInterval(look, LOOK_MS)
    this.#timer.unref()
    look()
  }

  /** Make a copy now. @throws TubeletError `disk-full`, `file-unreadable` if the library is damaged; also kept as `problem`. */
  make(): Promise<void> {
    return (this.#making ??= this.#make().finally(() => (this.#making = null)))
  }

  async #make(): Promise<void> {
    try {
      mustHaveRoom(this.#projectDir)
      const folder = folderOf(this.#projectDir)
      makeFolderSync(folder)
      clearUnfinished(folder)
      await this.#worker.call('copy', {
        from: path.join(this.#projectDir, LIBRARY),
        to: path.join(folder, nameAt(new Date(), 'automatic')),
      })
      thinOut(this.#projectDir)
      this.problem = null
    } catch (error) {
      this.problem = problemOf(error)
      throw error
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#worker.close()
  }
}

/** Delete what a copy left that was killed. */
function clearUnfinished(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.includes('.making'))) {
    const file = path.join(folder, name)
    if (Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > HOUR_MS) rmSync(file, { force: true })
  }
}

/** @throws TubeletError `disk-full` where a copy would leave hardly any space. */
function mustHaveRoom(projectDir: string): void {
  const { bavail, bsize } = statfsSync(projectDir)
  const needed = statSync(path.join(projectDir, LIBRARY)).size + SPARE_BYTES
  if (bavail * bsize >= needed) return
  throw new TubeletError({
    code: 'disk-full',
    message: 'There is too little space for a backup of the library.',
    file: projectDir,
    stillWorks: 'The library itself works.',
    next: 'Free some space on its disk; the next backup is then made by itself.',
  })
}

/**
 * A copy before something that changes every row, made at once: the library is small against what follows.
 * @param db The library's own connection, outside a transaction.
 */
export function backUpNow(db: DatabaseSync, projectDir: string): void {
  const folder = folderOf(projectDir)
  makeFolderSync(folder)
  const making = path.join(folder, 'before.making')
  rmSync(making, { force: true })
  db.prepare('VACUUM INTO ?').run(making)
  renameSync(making, path.join(folder, nameAt(new Date(), 'automatic')))
}

/** @throws TubeletError `not-found` if the library has no copy of this name. */
export function mustBeThere(projectDir: string, name: string): void {
  if (backupsOf(projectDir).some((one) => one.name === name)) return
  throw new TubeletError({
    code: 'not-found',
    message: 'There is no backup with this name.',
    file: path.join(folderOf(projectDir), name),
    next: 'See which there are: tubelet library backups.',
  })
}

/**
 * Put a copy in the place of the library. The library that was there is set aside beside the copies, whatever state it is in.
 *
 * The caller holds the lock of the folder, and no connection to the library is open.
 * @returns The name under which the library was set aside; null if there was none.
 * @throws TubeletError `not-found`; `file-unreadable` if the copy is damaged; `conflict` if another program has the library open; `disk-full`.
 */
export function restoreBackup(projectDir: string, name: string): string | null {
  mustBeThere(projectDir, name)
  const from = path.join(folderOf(projectDir), name)
  if (faultsOf(from, 'quick').length > 0)
    throw new TubeletError({
      code: 'file-unreadable',
      message: 'This backup is damaged.',
      file: from,
      stillWorks: 'The library was not changed.',
      next: 'Restore another one.',
    })
  const library = path.join(projectDir, LIBRARY)
  const fresh = `${library}.restored`
  try {
    copyFileSync(from, fresh)
    const aside = existsSync(library) ? setAside(projectDir) : null
    renameSync(fresh, library)
    forgetPictures(projectDir)
    return aside
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** Delete cached pictures of videos that the restored library does not know: it may give their numbers to others. */
function forgetPictures(projectDir: string): void {
  const cache = path.join(projectDir, 'cache')
  const db = new DatabaseSync(path.join(projectDir, LIBRARY), { readOnly: true })
  try {
    const known = new Set(
      db
        .prepare('SELECT id FROM sources')
        .all()
        .map((row) => String(row['id'])),
    )
    const sources = path.join(cache, 'sources')
    for (const id of existsSync(sources) ? readdirSync(sources) : [])
      if (!known.has(id)) rmSync(path.join(sources, id), { recursive: true, force: true })
    rmSync(path.join(cache, 'maps'), { recursive: true, force: true })
  } finally {
    db.close()
  }
}

/**
 * Take back a restore that was killed before its copy took the library's place: the library then has a second name, and what is set aside under that
 * would change with it. The caller holds the lock of the folder.
 */
export function takeBackRestore(projectDir: string): void {
  const library = path.join(projectDir, LIBRARY)
  const info = statSync(library, { bigint: true, throwIfNoEntry: false })
  if (info === undefined || info.nlink < 2n) return
  for (const { name, kind } of backupsOf(projectDir)) {
    const aside = path.join(folderOf(projectDir), name)
    const other = statSync(aside, { bigint: true, throwIfNoEntry: false })
    if (kind !== 'set-aside' || other?.ino !== info.ino || other.dev !== info.dev) continue
    for (const end of ['-wal', '-journal']) {
      if (!existsSync(`${aside}${end}`)) continue
      if (existsSync(`${library}${end}`)) rmSync(`${aside}${end}`)
      else renameSync(`${aside}${end}`, `${library}${end}`)
    }
    rmSync(aside)
  }
}

/** Keep the library under another name too; its log moves there, or SQLite would apply it to the file that takes its place. */
function setAside(projectDir: string): string {
  const library = path.join(projectDir, LIBRARY)
  const name = nameAt(new Date(), 'set-aside')
  const aside = path.join(folderOf(projectDir), name)
  // First, because SQLite deletes the log of a file that it takes for an empty one.
  const logs = ['-wal', '-journal'].filter((end) => existsSync(`${library}${end}`))
  for (const end of logs) copyFileSync(`${library}${end}`, `${aside}${end}`)
  if (takeInLog(library)) for (const end of logs) rmSync(`${aside}${end}`)
  try {
    linkSync(library, aside)
  } catch {
    // Some file systems have no links.
    copyFileSync(library, aside)
  }
  // Either log would be applied to the file that takes its place.
  for (const end of ['-wal', '-shm', '-journal']) rmSync(`${library}${end}`, { force: true })
  return name
}

/**
 * Bring what is in the log into the file.
 * @returns Whether that was done; a damaged file stays as it is.
 * @throws TubeletError `conflict` if another program has the file open.
 */
function takeInLog(library: string): boolean {
  let db: DatabaseSync
  try {
    db = new DatabaseSync(library, { timeout: 1_000 })
  } catch {
    return false
  }
  try {
    // A file that SQLite takes for an empty one has no tables.
    const { n } = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() ?? {}
    db.exec('PRAGMA journal_mode = DELETE')
    return Number(n) > 0
  } catch (error) {
    if (!(error instanceof Error && 'errcode' in error && error.errcode === 5)) return false
    throw new TubeletError(
      {
        code: 'conflict',
        message: 'Another program keeps the library to itself.',
        file: library,
        stillWorks: 'The library was not changed.',
        next: 'Close that program, then restore the backup again.',
      },
      { cause: error },
    )
  } finally {
    db.close()
  }
}
