/** Writes annotation files: all of an export or nothing, and every file is read back and compared first. */
import { constants } from 'node:fs'
import { copyFile, link, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ResourceLimits } from 'node:worker_threads'
import { analysedToItsEnd } from '../../app/analysed.ts'
import type { Source } from '../../app/contract.ts'
import type { ExportFormat, FrameChoice, LeftOut } from '../../app/contract/export.ts'
import { hasCode, type Problem, TubeletError } from '../../app/errors.ts'
import type { Category } from '../../app/formats/document.ts'
import { type Counts, staysBehind } from '../../app/formats/holds.ts'
import type { Scope } from '../../app/formats/scope.ts'
import { pictureNumber } from '../../app/media.ts'
import { titlesOf } from '../../app/formats/titles.ts'
import { type Phrase, phrase, said } from '../../app/phrase.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { Channel, thread } from '../channel.ts'
import type { Language } from '../../app/words.ts'
import { mediaFile } from '../jobs/pipeline.ts'
import type { Library } from '../library/library.ts'
import type { MediaTools } from '../media/tools.ts'
import { makeFolder, missingFolders, removeEmpty } from '../folders.ts'
import { partOf, removeOldParts } from '../part.ts'
import { packageVersion } from '../version.ts'
import type { Chosen } from './counts.ts'
import type { ExportService, ExportTask } from './export-worker.ts'
import { fileError } from './files.ts'
import { isFolder } from './folder.ts'
import type { MadeFile, Making } from './made.ts'
import { COCO_FOLDER, type ExportRecord, readRecord, writeRecord } from './names.ts'
import { isOfProject, plan, type Planned, readsVideos, videoNames } from './plan.ts'

/** What an export needs of the library besides the database file. */
export type ExportableLibrary = Pick<Library, 'projectDir' | 'sources' | 'cachePath'> & {
  exports: Pick<Library['exports'], 'categories' | 'sourcesOf' | 'underWay'>
  bin: Pick<Library['bin'], 'contents'>
}

export interface ExportOptions {
  formats: readonly ExportFormat[]
  /** Created if it does not exist. */
  directory: string
  /** Default: every analysed video. */
  sourceIds?: readonly number[] | undefined
  /** Only these clips, and their videos. */
  clipIds?: readonly number[] | undefined
  scope?: Scope | undefined
  /** One COCO file per video, in its folder, instead of one for all. */
  perVideo?: boolean | undefined
  /** Labels that were looked for everywhere. Default: those that the detector looked for in every clip. */
  lookedFor?: readonly string[] | undefined
  /** Which frames have pictures. Default: annotated. */
  frames?: FrameChoice | undefined
  /** How clips are cut. Default: copy. */
  cut?: 'copy' | 'exact' | undefined
  /** Of a report and a contact sheet. Default: en. */
  language?: Language | undefined
  /** What was searched for, or the name of the view, which a report tells. */
  subject?: string | undefined
  /** Needed for formats that read the videos again. */
  media?: (() => Promise<MediaTools>) | undefined
  /** Gives a video whose content lies at its path, and throws why it does not (`Identity.there`); without it, paths are taken as they are known. */
  there?: ((sourceId: number) => Promise<Source>) | undefined
  /** When aborted, nothing of the export remains. */
  signal?: AbortSignal | undefined
  onProgress?: ((share: number) => void) | undefined
}

export interface Exported {
  directory: string
  /**
   * `reader`: the library that read it back, beside our own reader; null where there is none. `count`: how many files are in a folder, which is
   * named as one.
   */
  files: { format: string; path: string; bytes: number; reader: string | null; count?: number }[]
  /** Chosen videos that are not in the files. */
  leftOut: LeftOut[]
  /** Remarks about the files, for the user. */
  notes: Phrase[]
}

/** How long a folder may take to answer: longer than a disk needs to spin up. */
const ANSWER_MS = 15_000

/**
 * Write annotation files: a folder for each source with a frames.csv in it, and one COCO file beside the folders. Videos whose analysis did
 * not end are left out.
 *
 * A worker thread writes every file under a temporary name and reads it back from disk; they are renamed only when all are right. A file is
 * replaced only by one with the same part of the same videos, or of more of them.
 * @throws TubeletError `bad-request` when there is nothing to export, `conflict` when a file is in the way that Tubelet did not write,
 *   that was changed since or that is of another project, `disk-full`, `forbidden` when the folder may not be written, `cancelled`, `internal`
 *   when a file reads back differently; `file-missing`, `file-replaced` and the like when nothing of what was asked could be made of the videos.
 */
export async function exportProject(library: ExportableLibrary, options: ExportOptions): Promise<Exported> {
  const { scope = {}, clipIds, signal, onProgress } = options
  const directory = path.resolve(options.directory)
  const absent = await absentOf(chosenSources(library, options).chosen, options.there)
  // A file that was found elsewhere has another path now; one that grew is being analysed.
  const { chosen, leftOut } = chosenSources(library, options)
  const categories = library.exports.categories(scope.states?.includes('rejected') ?? false)
  checkLabels(scope.labels ?? [], categories)
  const planned: Planned[] = []
  const temporaries = new Map<string, string>()
  const temporary = ({ name }: Pick<Planned, 'name'>) => temporaries.get(name) ?? ''
  const made: string[] = []
  try {
    const record = await answering(directory, signal, async () => {
      made.push(...(await missingFolders([directory])))
      await makeFolder(directory)
      return readRecord(directory)
    })
    const binned = library.bin.contents()
    planned.push(...plan(library.sources(), chosen, record, { ...options, directory, binned }))
    for (const { name } of planned) temporaries.set(name, partOf(path.join(directory, name)))
    const folders = new Set(planned.map(({ name }) => path.join(directory, path.dirname(name))))
    made.unshift(...(await missingFolders(folders)))
    for (const folder of folders) await removeOldParts(folder)
    const titles = titlesOf(library.sources().map((source) => ({ ...source, name: pictureName(source) })))
    const ours = (name: string) => ({ target: path.join(directory, name), ours: record.files[name] ?? [] })
    const task: ExportTask = {
      projectDir: library.projectDir,
      directory,
      options: {
        scope,
        clipIds: clipIds ? new Set(clipIds) : null,
        categories,
        lookedFor: options.lookedFor ?? null,
        appVersion: packageVersion,
      },
      chosen: chosenOf(chosen, options),
      mustBeOurs: planned.flatMap(({ name, also }) => [name, ...also].map(ours)),
      making: await makingOf(library, chosen, absent, leftOut, record, options),
      files: planned.map((file) => ({
        content: file.content,
        temporary: temporary(file),
        films: file.sources.map(({ id }) => ({ sourceId: id, title: titles.get(id) ?? String(id) })),
      })),
    }
    const { written, counts } = await inWorker(task, signal, onProgress)
    if (signal?.aborted) throw cancelled()
    const staged = planned.map(
      (file, at): Staged => ({ ...file, temporary: temporary(file), ...(written[at] ?? { bytes: 0, digest: '', reader: null }) }),
    )
    const whole = staged.filter(({ failed }) => !failed)
    for (const { failed } of staged) if (failed && whole.length === 0) throw nothingCame(failed, chosen)
    for (const { failed, temporary: part } of staged) if (failed) await rm(part, { recursive: true, force: true })
    await publish(directory, whole, record)
    const files = whole.flatMap(({ format, name, also, bytes, reader, count }) =>
      [name, ...also].map((one) => ({ format, path: path.join(directory, one), bytes, reader, ...(count === undefined ? {} : { count }) })),
    )
    // Several formats may find the same wrong with a video.
    const told = [...new Map(written.flatMap(({ notes = [] }) => notes).map((note) => [JSON.stringify(note), note])).values()]
    return {
      directory,
      files,
      leftOut,
      notes: [...notesOf(library, chosen), ...keptOf(whole, record, binned), ...told, ...staysBehind(options.formats, counts)],
    }
  } catch (error) {
    await Promise.all(planned.map((file) => rm(temporary(file), { recursive: true, force: true }).catch(() => undefined)))
    await removeEmpty(made)
    throw signal?.aborted ? cancelled() : fileError(error, directory)
  }
}

/** Which files stay as they are because they have videos that were removed since. */
function keptOf(planned: readonly Planned[], { videos }: ExportRecord, binned: ReadonlySet<string>): Phrase[] {
  return planned.flatMap(({ name, content, part, sources }) => {
    const before = isOfProject(content) && name !== content && part === '' ? (videos[content] ?? []) : []
    const removed = before.filter((fingerprint) => binned.has(fingerprint) && !sources.some((source) => source.fingerprint === fingerprint))
    const others = before.filter((fingerprint) => !sources.some((source) => source.fingerprint === fingerprint))
    return removed.length > 0 && others.length === removed.length
      ? [
          said('{{old}} stays as it is: it has videos that were removed from the library since. What is there now is in {{new}}.', {
            old: content,
            new: name,
          }),
        ]
      : []
  })
}

/** Why the content of some videos is not at their paths, by id. */
async function absentOf(sources: readonly Source[], there: ExportOptions['there']): Promise<Map<number, Problem>> {
  const absent = new Map<number, Problem>()
  if (there !== undefined)
    for (const { id } of sources)
      await there(id).catch((error: unknown) => {
        if (!(error instanceof TubeletError)) throw error
        absent.set(id, error.problem)
      })
  return absent
}

/** @param problem What was wrong with the first of the videos. */
function nothingCame({ message, values, ...problem }: Problem, chosen: readonly Source[]): TubeletError {
  const names = chosen.map(({ title }) => title).slice(0, NAMED)
  return new TubeletError({
    ...problem,
    message: phrase('Nothing of what was asked could be made of {{names}}. {{why}}'),
    values: { ...values, names: [...names, ...(chosen.length > NAMED ? ['…'] : [])].join(', '), why: { text: message } },
    stillWorks: 'Your library and earlier exports are unchanged.',
  })
}

/** So many videos are named in a sentence. */
const NAMED = 12

/** How many annotations of each kind an export of these would write. @throws TubeletError as an export. */
export async function countsOfExport(
  library: ExportableLibrary,
  options: Pick<ExportOptions, 'sourceIds' | 'clipIds' | 'scope'>,
): Promise<Counts> {
  const { chosen } = chosenSources(library, options)
  await using worker = new Channel<ExportService>(() => thread(import.meta.url, 'export-worker', undefined, TIDY), STOPPED)
  return await worker.call('count', { projectDir: library.projectDir, chosen: chosenOf(chosen, options) })
}

function chosenOf(sources: readonly Source[], { clipIds, scope = {} }: Pick<ExportOptions, 'clipIds' | 'scope'>): Chosen {
  return { sourceIds: sources.map(({ id }) => id), clipIds: clipIds ?? null, scope }
}

/** Refuse unknown labels: the files would have no boxes, as if the label had been looked for and not found. */
function checkLabels(labels: readonly string[], categories: readonly Category[]): void {
  const names = categories.map(({ name }) => name)
  const unknown = labels.find((label) => !categories.some(({ name }) => name.toLowerCase() === label.trim().toLowerCase()))
  if (unknown === undefined) return
  throw new TubeletError({
    code: 'bad-request',
    message: 'There is no label “{{label}}” in this library.',
    field: 'body.labels',
    values: { label: unknown, labels: names.join(', ') },
    next: names.length > 0 ? 'There are: {{labels}}.' : 'There is none yet: add it on the Labels page.',
  })
}

function chosenSources(
  library: ExportableLibrary,
  { sourceIds, clipIds }: Pick<ExportOptions, 'sourceIds' | 'clipIds'>,
): { chosen: Source[]; leftOut: LeftOut[] } {
  const sources = library.sources()
  const missing = sourceIds?.find((id) => !sources.some((source) => source.id === id))
  if (missing !== undefined)
    throw new TubeletError({
      code: 'bad-request',
      message: 'There is no source {{source}} in this library.',
      field: 'body.sourceIds',
      values: { source: missing },
      next: 'Choose sources from the list.',
    })
  const withClips = clipIds && library.exports.sourcesOf(clipIds)
  const wanted = sources.filter(({ id }) => (sourceIds?.includes(id) ?? true) && (withClips?.has(id) ?? true)).sort((a, b) => a.id - b.id)
  const chosen = wanted.filter(isFinished)
  const leftOut = wanted
    .filter((source) => !isFinished(source))
    .map(({ id, title, state }): LeftOut => ({ sourceId: id, name: title, state }))
  if (chosen.length > 0) return { chosen, leftOut }
  const field = sourceIds ? 'body.sourceIds' : clipIds ? 'body.clipIds' : 'body'
  const [first] = leftOut
  if (first === undefined)
    throw new TubeletError({
      code: 'bad-request',
      message: 'There is nothing to export yet.',
      field,
      next: 'Wait until a video was analysed, then export again.',
    })
  throw new TubeletError({
    code: 'bad-request',
    field,
    message:
      leftOut.length === 1
        ? 'The analysis of {{name}} is unfinished: its files would be incomplete, so none were written.'
        : 'The analysis of all {{videos}} chosen videos is unfinished: their files would be incomplete, so none were written.',
    values: { name: first.name, videos: leftOut.length },
    stillWorks: 'What was found so far, and all that you said, is kept.',
    next: 'Wait until the queue is done with them, or resume or retry them on the Queue page, then export again.',
  })
}

/** The file of a video whose analysis is unfinished would hold a part and look complete. */
function isFinished({ state, probe }: Source): boolean {
  return probe !== null && analysedToItsEnd(state)
}

function notesOf(library: ExportableLibrary, chosen: readonly Source[]): Phrase[] {
  const underWay = library.exports.underWay()
  const namesOf = (is: (source: Source) => boolean) =>
    chosen
      .filter(is)
      .map(({ title }) => title)
      .join(', ')
  const partial = namesOf(({ state }) => state === 'partial')
  const replaced = namesOf(({ file }) => file === 'replaced')
  return [
    ...(replaced === ''
      ? []
      : [
          said(
            'What is written of these videos describes the earlier files: at their paths lie other videos now, which do not fit it: {{names}}.',
            { names: replaced },
          ),
        ]),
    ...(partial === ''
      ? []
      : [said('Only a part of these files could be read, and nothing is said of the rest: {{names}}.', { names: partial })]),
    ...(underWay > 0
      ? [said('Jobs that were still running or waiting: {{jobs}}. What they find is not in these files.', { jobs: underWay })]
      : []),
  ]
}

/** @throws TubeletError `file-unreadable` if the folder (a network or a disconnected disk) does not answer within ANSWER_MS; `cancelled`. */
async function answering<T>(directory: string, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  if (signal?.aborted) throw cancelled()
  const patience = AbortSignal.timeout(ANSWER_MS)
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(signal?.aborted ? cancelled() : silent(directory))
  for (const end of [patience, ...(signal ? [signal] : [])]) end.addEventListener('abort', give, { once: true })
  try {
    return await Promise.race([ask(), promise])
  } finally {
    signal?.removeEventListener('abort', give)
    patience.removeEventListener('abort', give)
  }
}

function silent(file: string): TubeletError {
  return new TubeletError({
    code: 'file-unreadable',
    message: 'The folder does not answer.',
    file,
    stillWorks: 'Your library and earlier exports are unchanged.',
    next: 'Check that its disk or network is connected, or choose another folder.',
  })
}

function cancelled(): TubeletError {
  return new TubeletError({
    code: 'cancelled',
    message: 'The export was cancelled.',
    stillWorks: 'Your library and earlier exports are unchanged.',
    next: 'Export again when you like.',
  })
}

/**
 * Annotations are short-lived objects, and without a limit V8 lets them fill far more memory than needed. If a single object (a track with a box on
 * every frame of a day) does not fit, the files are written again without the second limit.
 */
const TIDY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 }
const ROOMY = { maxYoungGenerationSizeMb: 8 }

/** Milliseconds that a cancelled export has to end its children. */
const REST_MS = 3_000

const STOPPED: Problem = {
  code: 'internal',
  message: 'The export stopped unexpectedly.',
  stillWorks: 'Your library and earlier exports are unchanged.',
  next: 'Try again: it starts anew.',
}

async function inWorker(
  task: ExportTask,
  signal: AbortSignal | undefined,
  onProgress: ((share: number) => void) | undefined,
): Promise<ExportService['write']['output']> {
  try {
    return await inWorkerOf(TIDY, task, signal, onProgress)
  } catch (error) {
    if (!isOutOfMemory(error)) throw error
    return await inWorkerOf(ROOMY, task, signal, onProgress)
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof TubeletError && hasCode(error.cause, 'ERR_WORKER_OUT_OF_MEMORY')
}

async function inWorkerOf(
  limits: ResourceLimits,
  task: ExportTask,
  signal: AbortSignal | undefined,
  onProgress: ((share: number) => void) | undefined,
): Promise<ExportService['write']['output']> {
  // The worker's files are closed before anybody removes them.
  await using worker = new Channel<ExportService>(() => thread(import.meta.url, 'export-worker', undefined, limits), STOPPED)
  try {
    return await worker.call('write', task, { signal, onNote: onProgress })
  } catch (error) {
    // ffmpeg is ended by the thread, which must live for it.
    if (signal?.aborted && task.making !== null) await Promise.race([worker.call('rest', null), sleep(REST_MS)]).catch(() => undefined)
    throw error
  }
}

interface Staged extends Planned, MadeFile {
  temporary: string
}

/** The record lists old and new contents before the first file is renamed, so that a crash in between leaves only known files. */
async function publish(directory: string, staged: readonly Staged[], record: ExportRecord): Promise<void> {
  const named = staged.flatMap((file) => [file.name, ...file.also].map((name) => ({ ...file, name })))
  const after = {
    videos: {
      ...record.videos,
      ...Object.fromEntries(
        named.map(({ name, content, sources }) => [
          isOfProject(content) ? name : path.posix.dirname(name),
          sources.map(({ fingerprint }) => fingerprint),
        ]),
      ),
    },
    parts: {
      ...Object.fromEntries(Object.entries(record.parts).filter(([name]) => !named.some((file) => file.name === name))),
      ...Object.fromEntries(named.filter(({ part }) => part !== '').map(({ name, part }) => [name, part])),
    },
  }
  const both = Object.fromEntries(named.map(({ name, digest }) => [name, [...(record.files[name] ?? []), digest]]))
  await writeRecord(directory, { files: { ...record.files, ...both }, ...after })
  for (const { temporary, name, also } of staged) {
    const target = path.join(directory, name)
    await replace(temporary, target)
    for (const other of also) await sameFile(target, path.join(directory, other))
  }
  const fresh = Object.fromEntries(named.map(({ name, digest }) => [name, [digest]]))
  await writeRecord(directory, { files: { ...record.files, ...fresh }, ...after })
}

/** Put a file or a folder in the place of an earlier one. */
async function replace(temporary: string, target: string): Promise<void> {
  if (!isFolder(target)) {
    await rename(temporary, target)
    return
  }
  const before = partOf(target)
  await rename(target, before)
  await rename(temporary, target)
  await rm(before, { recursive: true, force: true })
}

/** What formats need that read the videos again; null where none is wanted. */
async function makingOf(
  library: ExportableLibrary,
  chosen: readonly Source[],
  absent: ReadonlyMap<number, Problem>,
  leftOut: readonly LeftOut[],
  record: ExportRecord,
  { formats, frames, cut, language, subject, clipIds, media }: ExportOptions,
): Promise<Making | null> {
  if (!readsVideos(formats)) return null
  if (media === undefined) throw new RangeError('these formats need the tools that read videos')
  const stems = videoNames(library.sources(), record)
  const videos = await Promise.all(
    chosen.map(async (source) => {
      const { id } = source
      return [id, { file: await mediaFile(library, source), stem: stems.get(id) ?? String(id), absent: absent.get(id) ?? null }] as const
    }),
  )
  return {
    tools: await media(),
    videos: new Map(videos),
    frames: frames ?? 'annotated',
    cut: cut ?? 'copy',
    order: clipIds ?? null,
    about: {
      language: language ?? 'en',
      library: path.basename(library.projectDir),
      subject: subject ?? null,
      leftOut: leftOut.map(({ name }) => name),
      appVersion: packageVersion,
    },
  }
}

/** A hard link, as Datumaro needs it; a copy where the disk has no hard links. */
async function sameFile(file: string, other: string): Promise<void> {
  await makeFolder(path.dirname(other))
  await makeFolder(path.join(path.dirname(other), '..', COCO_FOLDER.images))
  const temporary = partOf(other)
  await link(file, temporary).catch(() => copyFile(file, temporary, constants.COPYFILE_EXCL))
  await rename(temporary, other)
}

/** The name of the file, with the number of the video stream if there are several. */
function pictureName({ name, picture, probe }: Source): string {
  const number = picture === null ? pictureNumber(probe) : null
  return number === null ? name : `${name} #${number}`
}
