/** Writing annotation files: all of an export or none of it, each file read back before it counts. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Annotation } from '../app/annotation.ts'
import type { Clip, ExportFormat, Source } from '../app/contract.ts'
import { TubeletError } from '../app/errors.ts'
import { coco } from '../app/formats/coco.ts'
import { boxes, spans } from '../app/formats/csv.ts'
import { cvat } from '../app/formats/cvat.ts'
import type { AnnotationDocument, Format } from '../app/formats/document.ts'
import { frames } from '../app/formats/frames.ts'
import { jsonl } from '../app/formats/jsonl.ts'
import { srt } from '../app/formats/srt.ts'
import { vtt } from '../app/formats/vtt.ts'
import type { Probe } from '../app/media.ts'
import type { Label } from '../app/vocabulary.ts'
import { packageVersion } from './version.ts'

/** What an export reads of the library. */
export interface ExportableLibrary {
  sources(): Source[]
  detections: { vocabulary(): Label[] }
  clips(query: { sourceId?: number; limit: number; offset: number }): { clips: Clip[]; total: number }
  annotations(clipId: number): Annotation[]
  /** PTS by ordinal. */
  frames(sourceId: number): Float64Array
}

export interface ExportOptions {
  formats: readonly ExportFormat[]
  /** Made where it does not exist. */
  directory: string
  /** All that were probed when left out. */
  sourceIds?: readonly number[] | undefined
}

interface ExportedFile {
  format: string
  path: string
  bytes: number
}

const perSource: readonly { format: Exclude<ExportFormat, 'coco'> | 'frames'; file: string; render: (document: AnnotationDocument) => string }[] = [
  { format: 'cvat', file: 'cvat.xml', render: checked('CVAT', cvat) },
  { format: 'vtt', file: 'captions.vtt', render: checked('WebVTT', vtt) },
  { format: 'srt', file: 'captions.srt', render: checked('SRT', srt) },
  { format: 'csv', file: 'boxes.csv', render: checked('boxes.csv', boxes) },
  { format: 'csv', file: 'spans.csv', render: checked('spans.csv', spans) },
  { format: 'jsonl', file: 'reviewed.jsonl', render: checked('JSON Lines', jsonl) },
  { format: 'frames', file: 'frames.csv', render: checked('frames.csv', frames) },
]
const renderCoco = checked('COCO', coco)
/** COCO is one file for the whole project: that is what training and evaluation tools open. */
const COCO_FILE = 'instances.json'

/** Lists the files that exports wrote into a directory, with the SHA-256 of what was written: nothing else is ever overwritten. */
const RECORD = 'tubelet-export.json'
const ExportRecord = z.object({
  files: z.record(z.string(), z.array(z.string())),
  /** Fingerprints of the videos that a folder, or a file beside the folders, is about. Records of before say nothing of it. */
  videos: z.record(z.string(), z.array(z.string())).default({}),
})
type ExportRecord = z.infer<typeof ExportRecord>

const PAGE = 5000

/**
 * Write annotation files: a folder for each source with a frames.csv in it, and one COCO file beside the folders.
 *
 * Every file is first written under a temporary name and read back from disk; only when all are right do they take their places.
 * @throws TubeletError `bad-request` when there is nothing to export, `conflict` when a file is in the way that Tubelet did not write,
 *   that was changed since or that is of another project, `disk-full`, `forbidden` when the folder may not be written, `internal` when a
 *   file reads back differently.
 */
export async function exportProject(library: ExportableLibrary, options: ExportOptions): Promise<{ directory: string; files: ExportedFile[] }> {
  const directory = path.resolve(options.directory)
  const chosen = chosenSources(library, options.sourceIds)
  const wanted = new Set<string>([...options.formats, 'frames'])
  const staged: Staged[] = []
  try {
    await mkdir(directory, { recursive: true })
    const record = await readRecord(directory)
    if (wanted.has('coco')) mustBeOfThisProject(path.join(directory, COCO_FILE), record, library.sources())
    const folders = folderNames(library.sources(), record)
    const videos: ExportRecord['videos'] = {}
    const documents: AnnotationDocument[] = []
    for (const { source, probe } of chosen) {
      const document = documentOf(library, source, probe)
      const folder = folders.get(source.id) ?? String(source.id)
      videos[folder] = [source.fingerprint]
      for (const { format, file, render } of perSource) if (wanted.has(format)) await stageFile(staged, { directory, format, name: `${folder}/${file}` }, render(document))
      if (wanted.has('coco')) documents.push(document)
    }
    if (wanted.has('coco')) {
      await stageFile(staged, { directory, format: 'coco', name: COCO_FILE }, renderCoco(documents))
      videos[COCO_FILE] = documents.map(({ source }) => source.fingerprint)
    }
    for (const file of staged) await mustBeOurs(file, record.files)
    await publish(directory, staged, { ...record, videos: { ...record.videos, ...videos } })
  } catch (error) {
    await Promise.all(staged.map(({ temporary }) => rm(temporary, { force: true })))
    throw fileError(error, directory)
  }
  return { directory, files: staged.map(({ format, target, bytes }) => ({ format, path: target, bytes })) }
}

interface Staged {
  format: string
  /** Relative to the directory, `/` between its parts: its key in the record. */
  name: string
  target: string
  temporary: string
  bytes: number
  digest: string
}

/** The source's text in a format, after our own reader has found in it all that the format is to carry. */
function checked<Input, Carried>(name: string, format: Format<Input, Carried>): (input: Input) => string {
  return (input) => {
    const carried = format.project(input)
    const text = format.write(carried)
    // The bytes on disk are UTF-8: what that cannot hold must show here.
    if (!isDeepStrictEqual(format.read(Buffer.from(text, 'utf8').toString('utf8')), carried)) {
      throw new TubeletError({
        code: 'internal',
        message: 'The {{format}} export did not read back as it was written, so it was not kept.',
        values: { format: name },
        stillWorks: 'Your library and earlier exports are unchanged.',
        next: 'Export the other formats, and report this.',
      })
    }
    return text
  }
}

function chosenSources(library: ExportableLibrary, ids: readonly number[] | undefined): { source: Source; probe: Probe }[] {
  const sources = library.sources()
  const missing = ids?.find((id) => !sources.some((source) => source.id === id))
  if (missing !== undefined) throw new TubeletError({ code: 'bad-request', message: 'There is no source {{source}} in this library.', values: { source: missing }, next: 'Choose sources from the list.' })
  const chosen = sources
    .filter(({ id }) => ids?.includes(id) ?? true)
    .sort((a, b) => a.id - b.id)
    .flatMap((source) => (source.probe ? [{ source, probe: source.probe }] : []))
  if (chosen.length === 0) throw new TubeletError({ code: 'bad-request', message: 'There is nothing to export yet.', next: 'Wait until a video was analysed, then export again.' })
  return chosen
}

function documentOf(library: ExportableLibrary, { id, path: file, name, fingerprint }: Source, probe: Probe): AnnotationDocument {
  const clips: Clip[] = []
  for (let page = library.clips({ sourceId: id, limit: PAGE, offset: 0 }); page.clips.length > 0; page = library.clips({ sourceId: id, limit: PAGE, offset: clips.length })) {
    clips.push(...page.clips)
  }
  return {
    source: { id, path: file, name, fingerprint, probe },
    pts: Array.from(library.frames(id)),
    clips: clips.map(({ id: clipId, index, kind, start, end, startFrame, endFrame }) => ({
      id: clipId, index, kind, start, end, startFrame, endFrame, annotations: library.annotations(clipId),
    })),
    labels: library.detections.vocabulary().map(({ name, colour }) => ({ name, colour })),
    appVersion: packageVersion,
  }
}

/** Names that Windows keeps for devices, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i
/** File systems take 255 bytes; a number for a name taken twice must fit too. */
const NAME_BYTES = 200

/** A folder name for each source of the library, the same whichever of them are exported. A folder that was of another video stays that one's. */
function folderNames(sources: readonly Source[], { videos }: ExportRecord): Map<number, string> {
  const taken = new Set([COCO_FILE, RECORD])
  const owners = new Map(Object.entries(videos).map(([folder, [owner]]) => [folder.toLowerCase(), owner]))
  const names = new Map<number, string>()
  for (const { id, name, fingerprint } of sources.toSorted((a, b) => a.id - b.id)) {
    const stem = safeName(path.parse(name).name)
    const isFree = (folder: string) => !taken.has(folder.toLowerCase()) && (owners.get(folder.toLowerCase()) ?? fingerprint) === fingerprint
    let folder = stem
    for (let copy = 2; !isFree(folder); copy++) folder = `${stem} (${copy})`
    taken.add(folder.toLowerCase())
    names.set(id, folder)
  }
  return names
}

function safeName(stem: string): string {
  let name = ''
  for (const character of stem.toWellFormed().normalize('NFC').replace(/[<>:"/\\|?*\p{Cc}]/gu, '_')) {
    if (Buffer.byteLength(name + character) > NAME_BYTES) break
    name += character
  }
  // Windows drops dots and spaces at the end, and two names would become one.
  const trimmed = name.trim().replace(/[. ]+$/, '')
  if (trimmed === '') return 'video'
  return RESERVED.test(trimmed) ? `_${trimmed}` : trimmed
}

async function stageFile(staged: Staged[], { directory, format, name }: { directory: string; format: string; name: string }, text: string): Promise<void> {
  const target = path.join(directory, name)
  const temporary = `${target}.tubelet-part`
  const bytes = Buffer.from(text, 'utf8')
  const file = { format, name, target, temporary, bytes: bytes.length, digest: digestOf(bytes) }
  staged.push(file)
  await mkdir(path.dirname(target), { recursive: true })
  await writeFile(temporary, bytes, { flush: true })
  if (digestOf(await readFile(temporary)) !== file.digest) {
    throw new TubeletError({ code: 'internal', message: 'A file did not read back as it was written.', file: target, next: 'Check the disk, or export to another one.' })
  }
}

async function readRecord(directory: string): Promise<ExportRecord> {
  const nothing = { files: {}, videos: {} }
  const bytes = await readIfThere(path.join(directory, RECORD))
  if (!bytes) return nothing
  try {
    return ExportRecord.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    // Without a record every file that is in the way counts as somebody else's, which is the safe side.
    return nothing
  }
}

/** One COCO file holds a project: it is another's when none of its videos is in this library, from which some may be gone meanwhile. */
function mustBeOfThisProject(file: string, { videos }: ExportRecord, sources: readonly Source[]): void {
  const shown = videos[COCO_FILE]
  if (!shown || sources.some(({ fingerprint }) => shown.includes(fingerprint)) || !existsSync(file)) return
  throw new TubeletError({
    code: 'conflict',
    message: '{{name}} is already there, from a project with other videos.',
    values: { name: COCO_FILE },
    file,
    stillWorks: 'Nothing was overwritten.',
    next: 'Move that file away, or export to another folder.',
  })
}

async function mustBeOurs({ name, target }: Staged, written: ExportRecord['files']): Promise<void> {
  const there = await readIfThere(target)
  if (!there || written[name]?.includes(digestOf(there))) return
  throw new TubeletError({
    code: 'conflict',
    message: '{{name}} is already there, and Tubelet did not write it or it was changed since.',
    values: { name: path.basename(target) },
    file: target,
    stillWorks: 'Nothing was overwritten.',
    next: 'Move that file away, or export to another folder.',
  })
}

/** The record names the new contents beside the old before any file takes its place, so that a crash in between leaves only known files. */
async function publish(directory: string, staged: readonly Staged[], { files, videos }: ExportRecord): Promise<void> {
  const fresh = Object.fromEntries(staged.map(({ name, digest }) => [name, [digest]]))
  const both = Object.fromEntries(staged.map(({ name, digest }) => [name, [...(files[name] ?? []), digest]]))
  await writeRecord(directory, { files: { ...files, ...both }, videos })
  for (const { temporary, target } of staged) await rename(temporary, target)
  await writeRecord(directory, { files: { ...files, ...fresh }, videos })
}

async function writeRecord(directory: string, record: ExportRecord): Promise<void> {
  const target = path.join(directory, RECORD)
  await writeFile(`${target}.tubelet-part`, `${JSON.stringify(record, null, 2)}\n`, { flush: true })
  await rename(`${target}.tubelet-part`, target)
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function fileError(error: unknown, directory: string): unknown {
  const code = codeOf(error)
  const stillWorks = 'Your library and earlier exports are unchanged.'
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TubeletError({ code: 'disk-full', message: 'The disk is full.', file: directory, stillWorks, next: 'Free some space, or export to another disk.' }, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new TubeletError({ code: 'forbidden', message: 'This folder may not be written to.', file: directory, stillWorks, next: 'Choose a folder of your own.' }, { cause: error })
  }
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') {
    return new TubeletError({ code: 'conflict', message: 'A file lies where a folder is needed, or the other way round.', file: directory, stillWorks, next: 'Choose another folder.' }, { cause: error })
  }
  return error
}
