/** Writes the files of an export piece by piece, and reads them back piece by piece to compare. */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import type { AsyncBuffer } from 'hyparquet/src/index.js'
import { ByteWriter } from 'hyparquet-writer/src/index.js'
import { diskProblem, hasCode, TubeletError } from '../../app/errors.ts'
import { activitynet } from '../../app/formats/activitynet.ts'
import { coco } from '../../app/formats/coco.ts'
import { boxes, type Columns, spans } from '../../app/formats/csv.ts'
import { cvat, cvatLabels } from '../../app/formats/cvat.ts'
import type { Film, Format } from '../../app/formats/document.ts'
import { datumaro } from '../../app/formats/datumaro.ts'
import { eaf } from '../../app/formats/eaf.ts'
import { fiftyone, fiftyoneManifest } from '../../app/formats/fiftyone.ts'
import { digestOfFolder, isFolder, type Written } from './folder.ts'
import { frames } from '../../app/formats/frames.ts'
import { jsonl } from '../../app/formats/jsonl.ts'
import { labelstudio, labelstudioConfig } from '../../app/formats/labelstudio.ts'
import { motDetections, motLabels, motSequence, motTruth } from '../../app/formats/mot.ts'
import { parquetBoxes, parquetSpans, type ParquetTable } from '../../app/formats/parquet.ts'
import { srt } from '../../app/formats/srt.ts'
import { viame } from '../../app/formats/viame.ts'
import { vtt } from '../../app/formats/vtt.ts'
import { webAnnotation } from '../../app/formats/web-annotation.ts'
import { youtubeVis } from '../../app/formats/youtube-vis.ts'
import { fastXmlParser, readAlsoBy, saxReader, webvttParser } from './readers.ts'

/** Bytes written or read at once. */
const CHUNK = 1 << 18

type Writer = (films: readonly Film[], file: string, onShare: (share: number) => void) => Written | Promise<Written>

/** For each file: how films are written to it, read back and compared. */
export const CONTENTS = {
  'cvat.xml': ofOne('CVAT', cvat, saxReader('task', 'track', 'box')),
  'captions.vtt': ofOne('WebVTT', vtt, webvttParser),
  'captions.srt': ofOne('SRT', srt),
  'boxes.csv': ofOne('boxes.csv', boxes),
  'spans.csv': ofOne('spans.csv', spans),
  'annotations.jsonl': ofOne('JSON Lines', jsonl),
  'frames.csv': ofOne('frames.csv', frames),
  'annotations.eaf': ofOne('ELAN', eaf, fastXmlParser('MEDIA_DESCRIPTOR', 'ALIGNABLE_ANNOTATION')),
  'instances.json': ofAll('COCO', coco),
  'label-studio.json': ofAll('Label Studio', labelstudio),
  'label-studio-config.xml': small(({ categories }) => labelstudioConfig(categories)),
  'activitynet-captions.json': ofAll('ActivityNet', activitynet),
  'cvat-labels.json': small(({ categories }) => cvatLabels(categories)),
  'mot/*/gt/gt.txt': ofOne('MOT Challenge', motTruth),
  'mot/*/gt/labels.txt': small(({ categories }) => motLabels(categories)),
  'mot/*/det/det.txt': ofOne('MOT Challenge', motDetections),
  'mot/*/seqinfo.ini': small(motSequence),
  'viame.csv': ofOne('VIAME CSV', viame),
  'youtube-vis.json': ofAll('YouTube-VIS', youtubeVis),
  'datumaro/annotations/default.json': ofAll('Datumaro', datumaro),
  'fiftyone/*/labels.json': ofOne('FiftyOne', fiftyone),
  'fiftyone/*/manifest.json': small(fiftyoneManifest),
  'annotations.jsonld': ofOne('Web Annotation', webAnnotation),
  'boxes.parquet': parquetFile(parquetBoxes),
  'spans.parquet': parquetFile(parquetSpans),
} satisfies Record<string, Writer>
export type TextContent = keyof typeof CONTENTS

/** @param also Counts the pieces of the file with a library. */
function ofOne<Piece>(name: string, format: Format<Film, Piece>, also?: Parameters<typeof readAlsoBy>[0]): Writer {
  return ([film], file, onShare) => {
    if (film === undefined) throw new RangeError('a file of no film')
    return checked(name, format, film, file, onShare, also)
  }
}

function ofAll<Piece>(name: string, format: Format<readonly Film[], Piece>): Writer {
  return (films, file, onShare) => checked(name, format, films, file, onShare)
}

/** A table whose file is no text. */
function parquetFile<C extends Columns>({ pieces, write, read }: ParquetTable<C>): Writer {
  return async ([film], file, onShare) => {
    if (film === undefined) throw new RangeError('a file of no film')
    const [meant, found] = [new Digest(), new Digest()]
    rmSync(file, { force: true })
    const to = new FileWriter(openSync(file, 'wx'))
    try {
      write(passing(pieces(film), meant), to)
    } finally {
      to.close()
    }
    const from = openSync(file, 'r')
    try {
      for await (const row of read(partsOf(from, onShare))) found.add(row)
    } catch (error) {
      throw unlike('Parquet', file, error)
    } finally {
      closeSync(from)
    }
    const digest = digestOf(file)
    if (found.end() !== meant.end() || digest === null) throw unlike('Parquet', file)
    return { bytes: to.offset, digest, reader: null }
  }
}

/** Puts what it was given into a file whenever a group of rows is complete. */
class FileWriter extends ByteWriter {
  readonly #descriptor: number

  constructor(descriptor: number) {
    super(CHUNK)
    this.#descriptor = descriptor
  }

  flush(): void {
    const data = this.getBytes()
    for (let at = 0; at < data.length; ) at += writeSync(this.#descriptor, data, at)
    this.index = 0
  }

  override finish(): void {
    this.flush()
    synced(this.#descriptor)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** A file as hyparquet reads it. @param onShare Told how much of it was read. */
function partsOf(descriptor: number, onShare: (share: number) => void): AsyncBuffer {
  const { size } = fstatSync(descriptor)
  let total = 0
  return {
    byteLength: size,
    slice: (start, end = size) => {
      const part = new Uint8Array(end - start)
      readSync(descriptor, part, 0, part.length, start)
      onShare(Math.min(1, (total += part.length) / Math.max(1, size)))
      return part.buffer
    },
  }
}

/** A file of a few facts, which no reader of ours reads alone. */
function small(textOf: (film: Film) => string): Writer {
  return ([film], file) => {
    if (film === undefined) throw new RangeError('a file of no film')
    return writeTo(file, [textOf(film)]).written
  }
}

/** Write a file, read it from disk with our own reader, and compare all pieces. @throws TubeletError `internal` if they differ. */
function checked<Input, Piece>(
  name: string,
  format: Format<Input, Piece>,
  input: Input,
  file: string,
  onShare: (share: number) => void,
  also?: Parameters<typeof readAlsoBy>[0],
): Written {
  const meant = new Digest()
  const { written } = writeTo(file, format.write(passing(format.pieces(input), meant)))
  const found = new Digest()
  const disk = createHash('sha256')
  let reader: string | null = null
  try {
    for (const piece of format.read(textOf(file, disk, (bytes) => onShare(bytes / Math.max(1, written.bytes))))) found.add(piece)
    if (also) reader = readAlsoBy(also, file, found.count)
  } catch (error) {
    throw unlike(name, file, error)
  }
  if (found.end() !== meant.end() || disk.digest('hex') !== written.digest) throw unlike(name, file)
  return { ...written, reader }
}

function* passing<Piece>(pieces: Iterable<Piece>, digest: Digest): Generator<Piece> {
  for (const piece of pieces) {
    digest.add(piece)
    yield piece
  }
}

/** So many numbers are hashed at once. */
const NUMBERS = 1 << 15
/** What stands among the numbers for a piece or a value that is in the text, for nothing, and for the end of a piece. */
const [WHOLE, WORD, NONE, END] = [-1, -2, -3, -4] as const

/**
 * A hash of pieces in order. Of a piece with the same names as the one before only what differs is hashed, as rows of a table repeat most of their
 * cells; numbers are hashed as they are, as to print them costs more than all else.
 */
class Digest {
  readonly #hash = createHash('sha1')
  #text = ''
  #numbers = new Float64Array(NUMBERS)
  #filled = 0
  #names: readonly string[] = []
  #before: Readonly<Record<string, unknown>> = {}
  count = 0

  add(piece: unknown): void {
    this.count += 1
    if (isRecord(piece)) this.#record(piece)
    else this.#say(WHOLE, piece)
    if (this.#text.length > CHUNK || this.#filled > NUMBERS / 2) this.#flush()
  }

  #record(piece: Readonly<Record<string, unknown>>): void {
    const all = Object.keys(piece)
    const names = all.some((name) => piece[name] === undefined) ? all.filter((name) => piece[name] !== undefined) : all
    const [before, isLike] = [this.#before, names.length === this.#names.length && names.every((name, at) => name === this.#names[at])]
    this.#names = names
    this.#before = piece
    if (!isLike) {
      this.#say(WHOLE, piece)
      return
    }
    for (let at = 0; at < names.length; at++) {
      const name = names[at] ?? ''
      const value = piece[name]
      // Objects may be the same one with other contents.
      if (value === before[name] && typeof value !== 'object') continue
      if (typeof value === 'number') {
        this.#number(at)
        this.#number(value)
      } else if (value === null) {
        this.#number(NONE)
        this.#number(at)
      } else {
        this.#say(WORD, value)
        this.#number(at)
      }
    }
    this.#number(END)
  }

  #say(what: number, value: unknown): void {
    this.#number(what)
    // Text that UTF-8 cannot hold (half a surrogate pair) must differ from what is read back.
    this.#text += `${JSON.stringify(value)}\n`
  }

  #number(value: number): void {
    if (this.#filled === this.#numbers.length) {
      const more = new Float64Array(2 * this.#filled)
      more.set(this.#numbers)
      this.#numbers = more
    }
    // Adding zero turns -0, which no text has, into 0.
    this.#numbers[this.#filled++] = value + 0
  }

  #flush(): void {
    this.#hash.update(this.#text)
    this.#hash.update(this.#numbers.subarray(0, this.#filled))
    this.#text = ''
    this.#filled = 0
  }

  end(): string {
    this.#flush()
    return this.#hash.digest('hex')
  }
}

function isRecord(piece: unknown): piece is Readonly<Record<string, unknown>> {
  return typeof piece === 'object' && piece !== null && !Array.isArray(piece)
}

export function unlike(format: string, file: string, cause?: unknown): TubeletError {
  return new TubeletError(
    {
      code: 'internal',
      message: 'The {{format}} export did not read back as it was written, so it was not kept.',
      values: { format },
      file,
      stillWorks: 'Your library and earlier exports are unchanged.',
      next: 'Export the other formats, and report this.',
      ...(cause instanceof Error ? { details: cause.stack ?? cause.message } : {}),
    },
    { cause },
  )
}

/** A text that no reader of ours reads. */
export function writeText(file: string, text: string): Written {
  return writeTo(file, [text]).written
}

function writeTo(file: string, texts: Iterable<string>): { written: Written } {
  const hash = createHash('sha256')
  // A try that was given up may have left it.
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'wx')
  let bytes = 0
  let text = ''
  const flush = () => {
    const data = Buffer.from(text, 'utf8')
    hash.update(data)
    for (let at = 0; at < data.length; ) at += writeSync(descriptor, data, at)
    bytes += data.length
    text = ''
  }
  try {
    for (const part of texts) {
      text += part
      if (text.length > CHUNK) flush()
    }
    flush()
    synced(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return { written: { bytes, digest: hash.digest('hex'), reader: null } }
}

function synced(descriptor: number): void {
  // A device that cannot be synced keeps no files.
  try {
    fsyncSync(descriptor)
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error
  }
}

function* textOf(file: string, hash: Hash, onBytes: (bytes: number) => void): Generator<string, undefined> {
  const descriptor = openSync(file, 'r')
  const decoder = new StringDecoder('utf8')
  const buffer = Buffer.allocUnsafe(CHUNK)
  try {
    let total = 0
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) {
      const data = buffer.subarray(0, count)
      hash.update(data)
      yield decoder.write(data)
      total += count
      onBytes(total)
    }
    yield decoder.end()
    return undefined
  } finally {
    closeSync(descriptor)
  }
}

/** SHA-256 of a file, or of all that is in a folder; null if it does not exist. */
export function digestOf(file: string): string | null {
  if (isFolder(file)) return digestOfFolder(file)
  const hash = createHash('sha256')
  try {
    const parts = textOf(file, hash, () => undefined)
    // Only reading through the text matters, not the text.
    while (parts.next().done !== true) continue
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  return hash.digest('hex')
}

/** An error of the file system as a problem about the export's folder. */
export function fileError(error: unknown, directory: string): unknown {
  const refused = diskProblem(error)
  if (refused === null) return error
  const problem = { ...refused, file: directory, stillWorks: 'Your library and earlier exports are unchanged.' }
  if (refused.code === 'disk-full')
    return new TubeletError(
      { ...problem, code: 'disk-full', message: 'The disk is full.', next: 'Free some space, or export to another disk.' },
      { cause: error },
    )
  return new TubeletError(problem, { cause: error })
}
