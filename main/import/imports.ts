/**
 * Takes annotation files in: reads them in a worker thread, tells which videos they are about and why, shows how they would lie, and stores what
 * was chosen. What was read waits in a file of the cache until it is taken or put away.
 */
import { randomUUID } from 'node:crypto'
import { createWriteStream, rmSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline as piped } from 'node:stream/promises'
import type { Source } from '../../app/contract.ts'
import type { Import, Imported, ImportLook, ImportPart } from '../../app/contract/imports.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { type ImportFormat, READERS } from '../../app/formats/detect.ts'
import { doubtsOf, type LibraryVideo, matched } from '../../app/import/matching.ts'
import type { Counting } from '../../app/import/placing.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { LabelName, labelNamed, type Label, MOST, newLabel } from '../../app/vocabulary.ts'
import { Channel, thread } from '../channel.ts'
import { exportedOf } from '../export/names.ts'
import { makeFolderSync } from '../folders.ts'
import type { ToImport } from '../library/imports.ts'
import type { Library } from '../library/library.ts'
import { problemOfAccess } from '../media/access.ts'
import type { Fault, ImportService, Placing, Reading } from './import-worker.ts'
import type { StagedVideo } from './staged.ts'
import { isZip, unzipped } from './zipped.ts'

/** A part of an import, and the video that it is to be taken onto. */
export type Chosen = Counting & { part: number; sourceId: number }

interface Open {
  worker: Channel<ImportService>
  folder: string
  /** The files that are read, and what each is called: one in a zip by the zip, too. */
  paths: string[]
  names: string[]
  /** Where each lies for a person: in which zip. */
  places: string[]
  reading: Reading
  stop: AbortController
}

/** A file, what it is called, and its place for a person: of one in a zip with that. */
interface ToRead {
  file: string
  name: string
  place: string
}

/** So many imports may be open; the oldest is put away for another one. */
const MOST_OPEN = 4
/** So many files are read in one import. */
const MOST_BROUGHT = 1_000
/** Bytes of a file that comes through a browser. */
const LARGEST_SENT = 8 * 2 ** 30
/** Of one that belongs to it. */
const LARGEST_BESIDE = 2 ** 20
/** Faults that are told one by one. */
const TOLD = 500
/** What is read are short-lived objects, which V8 would let fill far more memory than needed; one track may be large. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1024 }

const STOPPED: Problem = {
  code: 'internal',
  message: 'Reading the files stopped unexpectedly.',
  stillWorks: 'Nothing was imported.',
  next: 'Try again: it starts anew.',
}

export class Imports {
  readonly #library: Library
  readonly #folder: string
  readonly #open = new Map<string, Open>()
  /** Files that a browser sent, to be read with one that is still to come. */
  readonly #brought = new Map<string, string[]>()

  constructor(library: Library) {
    this.#library = library
    this.#folder = library.cachePath('imports')
    // What an earlier run left.
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.leave(id)))
  }

  /** @throws TubeletError `file-missing`, `bad-request` for a folder; the signal's reason. */
  async read(
    paths: readonly string[],
    signal?: AbortSignal,
    importId: string = randomUUID(),
    folder = this.#newFolder(importId),
  ): Promise<Import> {
    if (this.#open.has(importId)) throw isOpen()
    const stop = new AbortController()
    const given = await Promise.all(paths.map((file) => readable(path.resolve(file))))
    const found = await outOfZips(given, folder, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal)
    const files = found.map(({ file }) => file)
    const worker = new Channel<ImportService>(
      () => thread(import.meta.url, 'import-worker', { database: path.join(folder, 'staged.sqlite') }, LIMITS),
      STOPPED,
    )
    const names = found.map(({ name }) => name)
    const open: Open = {
      worker,
      folder,
      paths: files,
      names,
      places: found.map(({ place }) => place),
      reading: { files: [], videos: [], faults: { list: [], total: 0 } },
      stop,
    }
    this.#open.set(importId, open)
    try {
      const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
      open.reading = await worker.call(
        'read',
        { paths: files },
        { signal: ended, onNote: (share) => this.#library.emit({ type: 'import', importId, share }) },
      )
      await tellOwn(open.reading.videos, files)
      // What it has in memory is of no use to anybody.
      if (open.reading.videos.length === 0) await worker.close()
    } catch (error) {
      await this.leave(importId)
      throw error
    }
    const [oldest] = this.#open.keys()
    if (this.#open.size > MOST_OPEN && oldest !== undefined) await this.leave(oldest)
    return this.#toldOf(importId, open)
  }

  /** Read a file that a browser sends. @param importId Under which others, and what belongs to it, were sent before. */
  async bring(name: string, body: ReadableStream<Uint8Array>, signal?: AbortSignal, importId: string = randomUUID()): Promise<Import> {
    if (this.#open.has(importId)) throw isOpen()
    const folder = this.#newFolder(importId)
    try {
      const file = await sent(this.#roomIn(folder, importId, name), name, body, LARGEST_SENT, signal)
      return await this.read([...(this.#brought.get(importId) ?? []), file], signal, importId, folder)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    } finally {
      this.#brought.delete(importId)
    }
  }

  /** Keep a file that is read together with the one that a browser sends last under this name. */
  async bringAlso(importId: string, name: string, body: ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<void> {
    if (this.#open.has(importId)) throw isOpen()
    const before = this.#brought.get(importId) ?? []
    if (before.length >= MOST_BROUGHT) throw tooMany()
    const file = await sent(this.#roomIn(this.#newFolder(importId), importId, name), name, body, LARGEST_SENT, signal)
    this.#brought.set(importId, [...before, file])
  }

  /** The folder of an import, or one in it where a file of this name lies there: two folders may each have an annotations.xml. */
  #roomIn(folder: string, importId: string, name: string): string {
    const before = this.#brought.get(importId) ?? []
    if (before.every((file) => path.basename(file).toLowerCase() !== sentName(name).toLowerCase())) return folder
    const own = path.join(folder, String(before.length))
    makeFolderSync(own)
    return own
  }

  /** Keep a small file beside the one that a browser sends next under this name. */
  async bringBeside(importId: string, name: string, body: ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<void> {
    if (this.#open.has(importId)) throw isOpen()
    await sent(this.#newFolder(importId), name, body, LARGEST_BESIDE, signal)
  }

  async look(importId: string, chosen: Chosen): Promise<ImportLook> {
    const open = this.#opened(importId)
    const video = videoOf(open, chosen.part)
    const look = await open.worker.call('look', this.#placing(video, chosen))
    return { ...look, doubts: doubtsOf(video.found, this.#video(this.#library.source(chosen.sourceId))) }
  }

  /**
   * @param chosen Default: the parts whose video is sure.
   * @param unreviewed Also what a machine made and nobody looked at. Default: only where nothing else is there.
   * @throws TubeletError `bad-request` where nothing is chosen and nothing is sure, `cancelled`.
   */
  async take(importId: string, chosen?: readonly Chosen[], unreviewed?: boolean): Promise<Imported> {
    const open = this.#opened(importId)
    const parts = chosen ?? this.#sureOf(importId, open)
    if (parts.length === 0) throw nothingSure(open)
    const placings = parts.map((part) => ({ part, placing: this.#placing(videoOf(open, part.part), part) }))
    const videos = placings.map(({ placing }) => placing.video)
    const all = unreviewed ?? videos.every((video) => video.unreviewed >= video.tracks + video.texts)
    const faults: Fault[] = []
    let total = 0
    const leaveOut = (fault: Fault) => {
      total += 1
      if (faults.length < TOLD) faults.push(fault)
    }
    const lines = new WeakMap<object, Pick<Fault, 'file' | 'line'>>()
    const at = new Date().toISOString()
    const batches = async function* (): AsyncGenerator<ToImport[]> {
      for (const { part, placing } of placings) {
        const { file } = placing.video
        const origin = { file: open.names[file] ?? '', format: formatName(open, file), at }
        await open.worker.call('begin', { ...placing, unreviewed: all }, { signal: open.stop.signal })
        for (;;) {
          const next = await open.worker.call('next', null, { signal: open.stop.signal })
          total += next.faults.total
          faults.push(...next.faults.list.slice(0, Math.max(0, TOLD - faults.length)))
          if (next.items.length === 0) break
          yield next.items.map(({ body, span, state, file: from, line }) => {
            const one: ToImport = { sourceId: part.sourceId, body, span, state, origin }
            lines.set(one, { file: from, line })
            return one
          })
        }
      }
    }
    const counts = { tracks: 0, texts: 0, there: 0, beside: 0 }
    // A label is looked for in every video, so only boxes that are taken bring theirs.
    const used = new Set<string>()
    let labels: Label[] = []
    const name = open.names[videos[0]?.file ?? 0] ?? ''
    const files = new Set(videos.map(({ file }) => file)).size
    const step = await this.#library.imports.add(
      batches(),
      () => (labels = this.#newLabels([...used])),
      files === 1
        ? said('Imported: {{file}}', { file: name })
        : said('Imported: {{file}} and {{more}} more', { file: name, more: files - 1 }),
      (one, became) => {
        if (typeof became === 'object') leaveOut({ file: 0, line: null, ...lines.get(one), what: asPhrase(became) })
        else if (became === 'there') counts.there += 1
        else {
          counts[one.body.kind === 'track' ? 'tracks' : 'texts'] += 1
          if (one.body.kind === 'track') used.add(one.body.label)
          if (became === 'beside') counts.beside += 1
        }
      },
    )
    await this.leave(importId)
    return { step, ...counts, labels: labels.map((label) => label.name), faults: { list: faults, total } }
  }

  /** @throws TubeletError `not-found` */
  async leave(importId: string): Promise<void> {
    const open = this.#opened(importId)
    this.#open.delete(importId)
    open.stop.abort(new TubeletError({ code: 'cancelled', message: 'The import was cancelled.', stillWorks: 'Nothing was imported.' }))
    await open.worker.close()
    // To give back a large file takes the file system a while.
    await rm(open.folder, { recursive: true, force: true })
  }

  #newFolder(importId: string): string {
    const folder = path.join(this.#folder, importId)
    makeFolderSync(folder)
    return folder
  }

  #opened(importId: string): Open {
    const open = this.#open.get(importId)
    if (open) return open
    throw new TubeletError({ code: 'not-found', message: 'This import is not open any more.', next: 'Choose the files again.' })
  }

  #toldOf(importId: string, open: Open): Import {
    const { reading, paths, names, places } = open
    const videos = this.#library.sources().map((source) => this.#video(source))
    return {
      importId,
      files: paths.map((file, at) => {
        const { format = null, problem = null } = reading.files[at] ?? {}
        return {
          path: places[at] ?? file,
          name: names[at] ?? '',
          format: format === null ? null : READERS[format].name,
          counts: format === null ? 'lines' : READERS[format].counts,
          problem: problem?.file === file ? { ...problem, file: places[at] ?? file } : problem,
        }
      }),
      parts: reading.videos.map((video) => partOf(video, paths[video.file] ?? '', reading.files[video.file]?.format ?? null, videos)),
      faults: reading.faults,
    }
  }

  #sureOf(importId: string, open: Open): Chosen[] {
    return this.#toldOf(importId, open).parts.flatMap(({ id, sourceId, sure, counting }) =>
      sourceId !== null && sure ? [{ part: id, sourceId, ...counting }] : [],
    )
  }

  #video({ id, name, path: file, fingerprint, probe }: Source): LibraryVideo {
    return { id, name, path: file, fingerprint, probe, frames: this.#library.frames(id).length }
  }

  /** @throws TubeletError `bad-request` where the video was not read yet. */
  #placing(video: StagedVideo, { sourceId, firstFrame, firstPixel }: Chosen): Placing {
    const { probe, name } = this.#library.source(sourceId)
    const pts = this.#library.frames(sourceId)
    if (probe === null || pts.length === 0)
      throw new TubeletError({
        code: 'bad-request',
        message: '{{name}} was not read yet, so its frames are not known.',
        values: { name },
        field: 'body.sourceId',
        stillWorks: 'Nothing was imported.',
        next: 'Wait until it was analysed, then import again.',
      })
    return { video, probe, pts, firstFrame, firstPixel }
  }

  /** Labels of boxes that the vocabulary lacks, as far as it has room for them. */
  #newLabels(names: readonly string[]): Label[] {
    const vocabulary = this.#library.detections.vocabulary()
    const made: Label[] = []
    for (const name of names) {
      const all = [...vocabulary, ...made]
      const isKnown = labelNamed(all, name) ?? all.find(({ synonyms }) => synonyms.some((one) => one.toLowerCase() === name.toLowerCase()))
      if (!isKnown && LabelName.safeParse(name).success && all.length < MOST.labels) made.push(newLabel(name, all))
    }
    return made
  }
}

/** The files themselves, and in the place of each zip those in it; a zip in which there are none stays, so that it is told. */
async function outOfZips(files: readonly string[], folder: string, signal: AbortSignal): Promise<ToRead[]> {
  const all: ToRead[] = []
  for (const [nth, file] of files.entries()) {
    const within = (await isZip(file)) ? await unzipped(file, path.join(folder, 'zips', String(nth)), signal) : []
    const zip = path.basename(file)
    // What a browser sent lies in the cache, which tells nobody anything.
    const place = file.startsWith(folder + path.sep) ? zip : file
    if (within.length === 0) all.push({ file, name: zip, place })
    else all.push(...within.map((one) => ({ file: one.file, name: `${zip}/${one.name}`, place: path.join(place, one.name) })))
  }
  return all
}

/** Files of one video that Tubelet exported say by the record of that export which content they are about. */
async function tellOwn(videos: readonly StagedVideo[], files: readonly string[]): Promise<void> {
  const perFile = Map.groupBy(videos, ({ file }) => file)
  for (const [file, [video, ...more]] of perFile) {
    if (!video || more.length > 0 || video.found.fingerprint !== undefined) continue
    const fingerprint = await exportedOf(files[file] ?? '')
    if (fingerprint !== null) video.found.fingerprint = fingerprint
  }
}

async function readable(file: string): Promise<string> {
  const info = await stat(file).catch((error: unknown) => {
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  })
  if (info.isFile()) return file
  throw new TubeletError({
    code: 'bad-request',
    message: 'This is a folder, not an annotation file.',
    file,
    stillWorks: 'Nothing was imported.',
    next: 'Name the files in it.',
  })
}

function videoOf({ reading }: Open, part: number): StagedVideo {
  const video = reading.videos.find(({ id }) => id === part)
  if (video) return video
  throw new TubeletError({
    code: 'bad-request',
    message: 'There is no part {{part}} in this import.',
    values: { part },
    field: 'body.parts',
    next: 'Choose among the parts that were told.',
  })
}

function formatName({ reading }: Open, file: number): string {
  const format = reading.files[file]?.format
  return format == null ? '' : READERS[format].name
}

function partOf(video: StagedVideo, file: string, format: ImportFormat | null, videos: readonly LibraryVideo[]): ImportPart {
  const { id, found, boxes, tracks, texts, unreviewed, unknown, rejected, labels, frames } = video
  const match = matched(found, file, videos)
  const own = videos.find((one) => one.id === match.sourceId)
  const guess = firstFrameOf(frames, own?.frames ?? 0)
  // MOT Challenge counts from 1, but trackers write its rows from 0 too: then there is a frame 0.
  const firstFrame = format === 'mot' && frames?.least === 0 ? 0 : found.firstFrame
  const asks = {
    firstFrame: firstFrame === undefined && frames !== null && !guess.sure,
    firstPixel: format === 'mot' && found.firstPixel === undefined,
  }
  return {
    id,
    file: video.file,
    named: found.name || found.path || null,
    boxes,
    tracks,
    texts,
    unreviewed,
    // Their regions are people's where they are no predictions.
    unknown: format === 'label-studio' ? 0 : unknown,
    rejected,
    labels,
    sourceId: match.sourceId,
    why: match.why,
    fits: match.sure,
    sure: match.sure && !asks.firstFrame && !asks.firstPixel,
    counting: { firstFrame: firstFrame ?? guess.firstFrame, firstPixel: found.firstPixel ?? 0 },
    asks,
  }
}

/** Which number the first frame has, by the numbers in the file: a frame 0 or a frame as high as their number tells, all else is a guess. */
function firstFrameOf(frames: StagedVideo['frames'], count: number): { firstFrame: 0 | 1; sure: boolean } {
  if (frames === null || frames.least === 0) return { firstFrame: 0, sure: true }
  return { firstFrame: frames.least === 1 || frames.most === count ? 1 : 0, sure: count > 0 && frames.most === count }
}

function nothingSure({ reading }: Open): TubeletError {
  const problem = reading.files.find((file) => file.problem !== null)?.problem
  if (reading.videos.length === 0 && problem) return new TubeletError(problem)
  return new TubeletError({
    code: 'bad-request',
    message:
      reading.videos.length === 0
        ? 'The files say nothing that can be imported.'
        : 'It is not sure which videos of the library the files are about.',
    field: 'body.parts',
    stillWorks: 'Nothing was imported.',
    next: reading.videos.length === 0 ? 'Choose other files.' : 'Choose the video of each part.',
  })
}

function asPhrase({ message, values }: Problem): Phrase {
  return said(message, values)
}

function tooMany(): TubeletError {
  return new TubeletError({
    code: 'bad-request',
    message: 'At most {{most}} files can be imported at once.',
    values: { most: MOST_BROUGHT },
    stillWorks: 'Nothing was imported.',
    next: 'Choose fewer.',
  })
}

function isOpen(): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message: 'An import of this name is open.',
    stillWorks: 'It stays open.',
    next: 'Give another name.',
  })
}

/** What a file is called here that a browser calls so. */
function sentName(name: string): string {
  return path.basename(name.replaceAll(/[\\/:\0]/g, '_')).replace(/^\.+/, '_')
}

/** Write what a browser sends. @param most Bytes. @returns Its place. */
async function sent(folder: string, name: string, body: ReadableStream<Uint8Array>, most: number, signal?: AbortSignal): Promise<string> {
  const file = path.join(folder, sentName(name))
  let bytes = 0
  const limit = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length
      done(bytes > most ? tooLarge(most) : null, chunk)
    },
  })
  await piped(Readable.from(body), limit, createWriteStream(file), signal ? { signal } : {})
  return file
}

function tooLarge(most: number): TubeletError {
  return new TubeletError({
    code: 'bad-request',
    message:
      most === LARGEST_SENT
        ? 'A file that is sent by a browser may have {{limit}} GB at most.'
        : 'A file that belongs to another may have {{limit}} MB at most.',
    values: { limit: most === LARGEST_SENT ? most / 2 ** 30 : most / 2 ** 20 },
    stillWorks: 'Nothing was imported.',
    next: 'Import it with “tubelet import”, which reads it where it lies.',
  })
}
