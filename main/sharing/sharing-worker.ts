/** Packs a library into a .tubelet file, and takes it out of one, in a thread of its own: both read and write as much as there is. */
import { rmSync, statfsSync, statSync } from 'node:fs'
import { open, readdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { diskProblem, TubeletError } from '../../app/errors.ts'
import { FORMAT_VERSION, Handover, LIBRARY_FILE, MANIFEST, PICTURE, PICTURES, VIDEOS } from '../../app/handover.ts'
import { namesOf, patternOf, picturesOf } from '../../app/numbered.ts'
import { contentOf, entriesOf, type Entry, type NewEntry, writeArchive, notOurs } from '../archive.ts'
import { serve } from '../channel.ts'
import { makeFolderSync } from '../folders.ts'
import { contentOf as contentIn } from '../library/known-files.ts'
import { fingerprint } from '../media/fingerprint.ts'
import { partOf } from '../part.ts'
import { type Opened, openParcel } from '../workers/parcel.ts'
import { admit, tooNew } from './foreign.ts'

export interface PackTask {
  /** The library, which may be in use and written to. */
  projectDir: string
  /** A new file. */
  to: string
  /** A folder for copies of the library on the way, which is there. */
  scratch: string
  manifest: Handover
  /** Videos that go along: files and their names in the archive. */
  videos: { file: string; name: string }[]
}
export interface UnpackTask {
  file: string
  /** A new or empty folder: the library lies in it then. What is in it when it fails is for the caller to delete. */
  into: string
  /** Take out the small pictures only, or videos too. */
  files: 'pictures' | 'all'
}
type Video = Handover['videos'][number]
export interface SharingService {
  /** `note`: 0..1. */
  pack: { input: PackTask; output: { bytes: number }; note: number }
  unpack: { input: UnpackTask; output: Handover; note: number }
  /** Take some of the videos that came along out into a folder. What is in it when it fails is for the caller to delete. */
  videos: { input: { file: string; into: string; videos: Video[] }; output: null; note: number }
  /** Take the results of another machine out of what it sent, and check them as `admit` does. What is in the folder when it fails is for the caller to delete. */
  parcel: { input: { file: string; into: string }; output: Opened }
  /** Answers when nothing is being written any more. */
  rest: { input: null; output: null }
}

const PROGRESS_MS = 100
/** Space that is left free on a disk. */
const SPARE_BYTES = 128 * 2 ** 20
const LARGEST_MANIFEST = 64 * 2 ** 20

const underWay = new Set<Promise<unknown>>()
const tracked = <T>(work: Promise<T>): Promise<T> => {
  const over = work.catch(() => undefined).finally(() => underWay.delete(over))
  underWay.add(over)
  return work
}

serve<SharingService>({
  pack: (task, { note, signal }) => tracked(roomIn(path.dirname(task.to), pack(task, note, signal))),
  unpack: (task, { note, signal }) => tracked(roomIn(path.dirname(task.into), unpack(task, note, signal))),
  videos: ({ file, into, videos }, { note, signal }) => tracked(roomIn(path.dirname(into), takeOut(file, into, videos, note, signal))),
  parcel: ({ file, into }) => tracked(openParcel(file, into)),
  rest: async () => {
    await Promise.all(underWay)
    return null
  },
})

/** @returns A function that is told of bytes as they are done, and reports the share of all. */
function progress(total: number, note: (share: number) => void): (bytes: number) => void {
  let [done, told] = [0, performance.now()]
  return (bytes) => {
    done += bytes
    if (performance.now() - told < PROGRESS_MS) return
    told = performance.now()
    note(Math.min(1, done / Math.max(1, total)))
  }
}

async function pack(
  { projectDir, to, scratch, manifest, videos }: PackTask,
  note: (share: number) => void,
  signal: AbortSignal,
): Promise<{ bytes: number }> {
  const library = path.join(projectDir, LIBRARY_FILE)
  const [copy, small, part] = [path.join(scratch, 'copy.sqlite'), path.join(scratch, LIBRARY_FILE), partOf(to)]
  const size = statSync(library).size
  const pictures = await smallPicturesOf(path.join(projectDir, 'cache', 'sources'), manifest)
  const ofFiles = [...videos, ...pictures].reduce((sum, { file }) => sum + statSync(file).size, 0)
  mustHaveRoom(path.dirname(to), size + ofFiles)
  mustHaveRoom(scratch, 2 * size)
  const done = progress(3 * size + ofFiles, note)
  try {
    const db = new DatabaseSync(library, { readOnly: true, timeout: 5_000 })
    try {
      await backup(db, copy, { rate: 2 ** 30 })
    } finally {
      db.close()
    }
    signal.throwIfAborted()
    done(size)
    reduce(copy, small)
    signal.throwIfAborted()
    done(size)
    const told = { ...manifest, videos: asStored(manifest.videos, small) }
    const known = new Map(told.videos.map((one) => [one.file, one.bytes]))
    const entries: NewEntry[] = [
      { name: MANIFEST, from: Buffer.from(JSON.stringify(told, null, 1)), deflate: true },
      { name: LIBRARY_FILE, from: small, deflate: true },
      ...pictures.map(({ file, name }) => ({ name, from: file, deflate: false })),
      ...videos.map(({ file, name }) => ({ name, from: file, upTo: known.get(name), deflate: false })),
    ]
    await writeArchive(part, entries, done, { signal, kept: true })
    signal.throwIfAborted()
    await rename(part, to)
    return { bytes: statSync(to).size }
  } finally {
    for (const file of [copy, small, part]) for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true })
  }
}

/** The videos as the copy of the library in `file` knows them: somebody may work in the library while it is handed over. */
function asStored(videos: readonly Video[], file: string): Video[] {
  const stored = videosIn(file)
  return videos.map((one) => ({ ...one, ...stored.get(one.id) }))
}

function videosIn(file: string): Map<number, Pick<Video, 'bytes' | 'fingerprint'>> {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const rows = db.prepare('SELECT id, bytes, fingerprint FROM sources').all()
    return new Map(rows.map((row) => [Number(row['id']), { bytes: Number(row['bytes']), fingerprint: String(row['fingerprint']) }]))
  } finally {
    db.close()
  }
}

/** Settings that go along; others are of this machine, or of the person. */
const SETTINGS = ['vocabulary', 'labels', 'packs', 'language', 'shared', 'unfinished-step']

/** Take out of a copy what is nobody else's business, and write it anew, so that nothing of that is left between its rows. */
function reduce(copy: string, to: string): void {
  const db = new DatabaseSync(copy)
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = ON; BEGIN')
    db.exec('DELETE FROM bin; DELETE FROM removed; DELETE FROM jobs; DELETE FROM regions')
    db.exec(`DELETE FROM edits WHERE action IN ('source', 'job')`)
    db.exec('UPDATE edits SET made_in = NULL')
    db.prepare('DELETE FROM settings WHERE key NOT IN (SELECT value FROM json_each(?))').run(JSON.stringify(SETTINGS))
    // Where its files lay is told nobody.
    const place = db.prepare('UPDATE sources SET path = ? WHERE id = ?')
    for (const row of db.prepare('SELECT id, path FROM sources').all())
      place.run(path.basename(String(row['path']).replaceAll('\\', '/')), row['id'] ?? null)
    db.exec(
      `UPDATE sources SET stamp = '', mtime_ms = 0, seen = NULL, seen_at = NULL, file = 'missing', problem = json_remove(problem, '$.file', '$.details'),
         state = iif(state IN ('queued', 'probing', 'analysing'), 'cancelled', state)`,
    )
    for (const index of ['said', 'stems', 'named', 'told_words']) db.exec(`INSERT INTO ${index} (${index}) VALUES ('optimize')`)
    db.exec('COMMIT')
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
}

async function smallPicturesOf(folder: string, { videos }: Handover): Promise<{ file: string; name: string }[]> {
  const found = await Promise.all(
    videos.map(async ({ id }) =>
      (await readdir(path.join(folder, String(id))).catch(() => []))
        .map((name) => ({ file: path.join(folder, String(id), name), name: `${PICTURES}/${id}/${name}` }))
        .filter(({ name }) => PICTURE.test(name)),
    ),
  )
  return found.flat()
}

async function unpack({ file, into, files }: UnpackTask, note: (share: number) => void, signal: AbortSignal): Promise<Handover> {
  const entries = await entriesOf(file)
  const of = (name: string) => entries.find((entry) => entry.name === name)
  const [told, library] = [of(MANIFEST), of(LIBRARY_FILE)]
  if (told === undefined || library === undefined || told.bytes > LARGEST_MANIFEST) throw notOurs(file)
  const manifest = manifestOf(await textOf(file, told), file)
  // Only what is announced, and nothing beside it.
  const isKnown = (name: string) =>
    name === MANIFEST || name === LIBRARY_FILE || PICTURE.test(name) || new RegExp(`^${VIDEOS}/[^/]+(?:/[^/]+)?$`).test(name)
  if (!entries.every(({ name }) => isKnown(name))) throw notOurs(file)
  const came = cameAlong(manifest.videos, entries, file)
  const ofVideos = new Set([...came.values()].flat())
  if (entries.some((entry) => entry.name.startsWith(`${VIDEOS}/`) && !ofVideos.has(entry))) throw notOurs(file)
  const wanted = [library, ...entries.filter(({ name }) => PICTURE.test(name)), ...(files === 'all' ? ofVideos : [])]
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
  makeFolderSync(into)
  // A second copy is written where the library is of an earlier version.
  mustHaveRoom(into, total + library.bytes)
  const done = progress(total, note)
  await put(file, library, path.join(into, LIBRARY_FILE), done, signal)
  admit(into, file)
  const stored = videosIn(path.join(into, LIBRARY_FILE))
  for (const { id, bytes, fingerprint: print } of manifest.videos) {
    const own = stored.get(id)
    if (own !== undefined && (own.bytes !== bytes || own.fingerprint !== print)) throw notOurs(file)
  }
  for (const entry of wanted.slice(1)) {
    const place = entry.name.startsWith(`${PICTURES}/`) ? ['cache', 'sources', ...entry.name.split('/').slice(1)] : entry.name.split('/')
    await put(file, entry, path.join(into, ...place), done, signal)
  }
  if (files === 'all') await mustBeThose(manifest.videos, { came, into, file, signal })
  return manifest
}

async function takeOut(
  file: string,
  into: string,
  videos: readonly Video[],
  note: (share: number) => void,
  signal: AbortSignal,
): Promise<null> {
  const came = cameAlong(videos, await entriesOf(file), file)
  const entries = [...came.values()].flat()
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  makeFolderSync(into)
  mustHaveRoom(into, total)
  const done = progress(total, note)
  for (const entry of entries) await put(file, entry, path.join(into, ...entry.name.split('/')), done, signal)
  await mustBeThose(videos, { came, into, file, signal })
  return null
}

/** What of the archive is each video that came along, by its place: a file, or numbered pictures. @throws TubeletError `file-unreadable` where it is none. */
function cameAlong(videos: readonly Video[], entries: readonly Entry[], file: string): Map<string, Entry[]> {
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const byFolder = Map.groupBy(entries, ({ name }) => path.posix.dirname(name))
  const came = new Map<string, Entry[]>()
  for (const { file: place } of videos) {
    if (place === null || came.has(place)) continue
    const [folder, name] = [path.posix.dirname(place), path.posix.basename(place)]
    const inFolder = () => (byFolder.get(folder) ?? []).map((entry) => path.posix.basename(entry.name))
    const names = patternOf(name) === null ? [name] : namesOf(name, picturesOf(name, inFolder())?.runs ?? [])
    const own = names.flatMap((one) => byName.get(`${folder}/${one}`) ?? [])
    if (own.length === 0 || !place.startsWith(`${VIDEOS}/`)) throw notOurs(file)
    came.set(place, own)
  }
  return came
}

/** Compare videos that were put into place with what they were said to be. @throws TubeletError `file-unreadable` where one is another. */
async function mustBeThose(
  videos: readonly Video[],
  { came, into, file, signal }: { came: ReadonlyMap<string, readonly Entry[]>; into: string; file: string; signal: AbortSignal },
): Promise<void> {
  // Several pictures of one file are one file.
  const prints = new Map<string, string>()
  for (const { file: place, bytes, fingerprint: print } of videos) {
    if (place === null) continue
    signal.throwIfAborted()
    if ((came.get(place) ?? []).reduce((sum, entry) => sum + entry.bytes, 0) !== bytes) throw notOurs(file)
    // An empty file is known by where it lay.
    if (bytes === 0) continue
    const content = prints.get(place) ?? (await fingerprint(path.join(into, ...place.split('/'))))
    prints.set(place, content)
    if (content !== contentIn(print)) throw notOurs(file)
  }
}

function manifestOf(text: string, file: string): Handover {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw notOurs(file)
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? Number(value.version) : NaN
  if (version > FORMAT_VERSION) throw tooNew(file)
  const read = Handover.safeParse(value)
  if (!read.success) throw notOurs(file)
  return read.data
}

async function textOf(file: string, entry: Entry): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of contentOf(file, entry)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Write an entry to a new file. */
async function put(file: string, entry: Entry, to: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  makeFolderSync(path.dirname(to))
  const out = await open(to, 'wx')
  try {
    for await (const chunk of contentOf(file, entry)) {
      signal.throwIfAborted()
      await out.write(chunk)
      onBytes(chunk.length)
    }
    await out.sync()
  } finally {
    await out.close()
  }
}

/** Says where there is no room, and what to do, when a disk becomes full in the middle of `work`. */
async function roomIn<T>(folder: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const refused = diskProblem(error)
    if (refused?.code !== 'disk-full') throw error
    throw new TubeletError(
      {
        code: 'disk-full',
        message: 'The disk is full.',
        file: refused.file ?? folder,
        stillWorks: 'Nothing was written.',
        next: 'Free some space there, or choose another disk.',
      },
      { cause: error },
    )
  }
}

/** @throws TubeletError `disk-full` */
function mustHaveRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= bytes + SPARE_BYTES) return
  throw new TubeletError({
    code: 'disk-full',
    message: 'There is too little space: {{needed}} MB are needed.',
    values: { needed: Math.ceil((bytes + SPARE_BYTES) / 1e6) },
    file: folder,
    stillWorks: 'Nothing was written.',
    next: 'Free some space there, or choose another disk.',
  })
}
