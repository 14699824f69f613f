/** Reads the files of one import, and gives what they say of a video of the library as the annotations that it becomes. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { dirname, join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { AsyncBuffer, Compressors } from 'hyparquet/src/index.js'
import type { AnnotationBody, Box, Span, TrackBody } from '../../app/annotation.ts'
import { problemOf, type Problem } from '../../app/errors.ts'
import { companionOf, formatOf, type ImportFormat, PARQUET, READERS } from '../../app/formats/detect.ts'
import type { FaultFound, Found, TextFound } from '../../app/formats/found.ts'
import { boxPlacer, type Counting, framesOfTimes, keysOf, type Numbering, numberingOf, type PlacedBox } from '../../app/import/placing.ts'
import type { Probe } from '../../app/media.ts'
import { phrase, type Phrase, said } from '../../app/phrase.ts'
import { serve } from '../channel.ts'
import { Staged, type StagedBox, type StagedVideo } from './staged.ts'

/** What cannot be read or placed. `video`: of which staged video, where it is known. */
export interface Fault {
  file: number
  line: number | null
  what: Phrase
}
export interface Faults {
  /** The first of them. */
  list: Fault[]
  total: number
}
export interface FileRead {
  format: ImportFormat | null
  problem: Problem | null
}
export interface Reading {
  files: FileRead[]
  videos: StagedVideo[]
  faults: Faults
}

/** A staged video and the video of the library that it is. */
export interface Placing extends Counting {
  video: StagedVideo
  probe: Probe
  pts: Float64Array
}
export interface Item {
  body: AnnotationBody
  span: Span
  state: 'accepted' | 'edited' | null
  file: number
  line: number | null
}
export interface Look {
  /** The first frame that something is said about; null where there is none in the video. */
  ordinal: number | null
  boxes: { box: Box; label: string }[]
  texts: { text: string; span: Span }[]
  /** Boxes on frames that the video does not have. */
  beyond: number
}

export interface ImportService {
  read: { input: { paths: string[] }; output: Reading; note: number }
  look: { input: Placing; output: Look }
  /** Begin to give the annotations of a video. */
  begin: { input: Placing & { unreviewed: boolean }; output: null }
  /** The next of them; none at the end. */
  next: { input: null; output: { items: Item[]; faults: Faults } }
}

/** Bytes read at once. */
const CHUNK = 1 << 18
/** Bytes by which the kind of a file is told. */
const HEAD = 1 << 16
const PROGRESS_MS = 100
/** Faults that are told one by one. */
const TOLD = 500
/** Boxes and texts in one batch. */
const BATCH = 2_000
/** Texts shown of a video before it is imported. */
const SHOWN = 5

const staged = new Staged((workerData as { database: string }).database)
let giving: { items: Iterator<Item>; faults: Collected } | null = null

class Collected {
  #list: Fault[] = []
  #total = 0

  add(file: number, { line, what }: Pick<FaultFound, 'line' | 'what'>): void {
    this.#total += 1
    if (this.#list.length < TOLD) this.#list.push({ file, line, what })
  }

  join({ list, total }: Faults): void {
    this.#total += total
    this.#list.push(...list.slice(0, Math.max(0, TOLD - this.#list.length)))
  }

  /** Those since the last call. */
  take(): Faults {
    const taken = { list: this.#list, total: this.#total }
    this.#list = []
    this.#total = 0
    return taken
  }
}

serve<ImportService>({
  read: async ({ paths }, { note }) => {
    const faults = new Collected()
    let told = 0
    const sizes = paths.map((path) => sizeOf(path))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    let done = 0
    const files: FileRead[] = []
    for (const [file, path] of paths.entries()) {
      let read = 0
      const result = await readOne(path, file, faults, (bytes) => {
        read += bytes
        const now = performance.now()
        if (now - told < PROGRESS_MS) return
        told = now
        // COCO is read twice.
        note(Math.min(1, (done + Math.min(read / 2, sizes[file] ?? 0)) / Math.max(1, total)))
      })
      done += sizes[file] ?? 0
      files.push(result)
    }
    return { files, videos: staged.videos(), faults: faults.take() }
  },
  look: (placing) => lookAt(placing),
  begin: (placing) => {
    const faults = new Collected()
    giving = { items: itemsOf(placing, placing.unreviewed, faults), faults }
    return null
  },
  next: () => {
    const items: Item[] = []
    let size = 0
    for (let next = giving?.items.next(); next?.done === false; next = giving?.items.next()) {
      items.push(next.value)
      size += next.value.body.kind === 'track' ? next.value.body.boxes.length : 1
      if (size >= BATCH) break
    }
    return { items, faults: giving?.faults.take() ?? { list: [], total: 0 } }
  },
})

// ── reading

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

async function readOne(path: string, file: number, faults: Collected, onBytes: (bytes: number) => void): Promise<FileRead> {
  let format: ImportFormat | null = null
  const mine = new Collected()
  try {
    const { text, encoding } = headOf(path)
    format = formatOf(path, text)
    if (format === null) return { format, problem: strange(path, text) }
    const reader = READERS[format]
    staged.begin()
    if ('readGroups' in reader) {
      for await (const group of groupsIn(path, reader.readGroups, onBytes)) for (const one of staged.add(file, group)) mine.add(file, one)
    } else {
      const found = reader.read(
        () => textOf(path, encoding, onBytes),
        (name) => besideOf(path, name),
        (name) => folderBeside(path, name),
      )
      for (const one of staged.add(file, found)) mine.add(file, one)
    }
    const told = mine.take()
    faults.join(told)
    return { format, problem: told.total > 0 || staged.holds(file) ? null : empty(path, format) }
  } catch (error) {
    staged.forget(file)
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) return { format, problem: { file: path, ...problemOf(error) } }
    return { format, problem: unreadable(path, format, error) }
  }
}

function strange(file: string, head: string): Problem {
  const companion = companionOf(head)
  return {
    code: 'bad-request',
    message: companion?.what ?? 'This is no annotation file that Tubelet reads.',
    file,
    stillWorks: 'Nothing of it was imported.',
    next:
      companion?.next ??
      'There are COCO, YouTube-VIS, CVAT for video, MOT Challenge, YOLO (its data.yaml), VIAME CSV, Label Studio, WebVTT, SRT, ELAN, ActivityNet Captions, and Tubelet’s own CSV, Parquet and JSON Lines.',
  }
}

/** A sound file of which nothing is kept is told too: else it would go without a word. */
function empty(file: string, format: ImportFormat): Problem {
  return {
    code: 'bad-request',
    message: 'There is nothing in this {{format}} file that can be imported: no boxes and no texts.',
    values: { format: READERS[format].name },
    file,
    stillWorks: 'Nothing of it was imported.',
    next: 'Choose other files.',
  }
}

function unreadable(file: string, format: ImportFormat | null, error: Error): Problem {
  return {
    code: 'bad-request',
    message: format === null ? 'This file cannot be read: {{why}}' : 'This {{format}} file cannot be read: {{why}}',
    values: { ...(format !== null && { format: READERS[format].name }), why: { text: error.message } },
    file,
    stillWorks: 'Nothing of it was imported.',
    next: 'Write it anew with the tool that it comes from, then import it again.',
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** @throws SyntaxError for a file that is empty or no text. */
function headOf(path: string): { text: string; encoding: Encoding } {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(HEAD)
    const head = buffer.subarray(0, readSync(descriptor, buffer))
    if (head.length === 0) throw new SyntaxError(phrase('The file is empty.'))
    const encoding: Encoding =
      head[0] === 0xff && head[1] === 0xfe
        ? 'utf-16le'
        : head[0] === 0xfe && head[1] === 0xff
          ? 'utf-16be'
          : isText(head)
            ? 'utf-8'
            : 'windows-1252'
    if (head.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004')))
      throw new SyntaxError(phrase('It is a zip that is damaged, or that has no annotation files in it.'))
    if (!encoding.startsWith('utf-16') && !head.subarray(0, PARQUET.length).equals(Buffer.from(PARQUET)) && head.includes(0))
      throw new SyntaxError(phrase('It is no text.'))
    return { text: new TextDecoder(encoding).decode(head), encoding }
  } finally {
    closeSync(descriptor)
  }
}

/** Whether a beginning is UTF-8; its last character may be cut off. */
function isText(head: Buffer): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)))
}

/** Those that hyparquet has not itself. None gives more than the page says, which is limited. */
const COMPRESSORS: Compressors = {
  GZIP: (input, length) => gunzipSync(input, upTo(length)),
  BROTLI: (input, length) => brotliDecompressSync(input, upTo(length)),
  ZSTD: (input, length) => zstdDecompressSync(input, upTo(length)),
}

/** Zlib takes no limit of nothing. */
function upTo(length: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, length) }
}

/** The groups of a file that is read here and there. @throws SyntaxError where it is damaged. */
async function* groupsIn(
  path: string,
  read: (file: AsyncBuffer, compressors: Compressors) => AsyncIterable<Iterable<Found>>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Iterable<Found>> {
  const descriptor = openSync(path, 'r')
  try {
    const { size } = fstatSync(descriptor)
    const slice = (start: number, end = size) => {
      const part = new Uint8Array(Math.max(0, Math.min(end, size) - start))
      onBytes(readSync(descriptor, part, 0, part.length, start))
      return part.buffer
    }
    yield* read({ byteLength: size, slice }, COMPRESSORS)
  } catch (error) {
    throw hasErrno(error) ? error : new SyntaxError(error instanceof Error ? error.message : String(error))
  } finally {
    closeSync(descriptor)
  }
}

/** A larger file is none of the small ones that formats have beside their rows. */
const LARGEST_BESIDE = 1 << 20

function besideOf(path: string, name: string): string | null {
  try {
    const file = join(dirname(path), name)
    const { size } = statSync(file)
    return size > LARGEST_BESIDE ? null : readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function hasErrno(error: unknown): boolean {
  return error instanceof Error && 'errno' in error
}

function folderBeside(path: string, name: string): string[] {
  try {
    return readdirSync(join(dirname(path), name)).sort()
  } catch {
    return []
  }
}

function* textOf(path: string, encoding: Encoding, onBytes: (bytes: number) => void): Generator<string> {
  const descriptor = openSync(path, 'r')
  const decoder = new TextDecoder(encoding)
  const buffer = Buffer.allocUnsafe(CHUNK)
  try {
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) {
      yield decoder.decode(buffer.subarray(0, count), { stream: true })
      onBytes(count)
    }
    yield decoder.decode()
  } finally {
    closeSync(descriptor)
  }
}

// ── placing

function lookAt(placing: Placing): Look {
  const { video, firstFrame, pts, probe } = placing
  const place = boxPlacer(video.found, placing, probe)
  const { ordinalOf, end } = numberingOf(video.found, placing, placing)
  const number = video.frames === null ? null : Math.max(firstFrame, video.frames.least)
  const first = number === null ? null : ordinalOf(number)
  const texts: Look['texts'] = []
  for (const found of staged.texts(video.id)) {
    if (texts.length >= SHOWN) break
    const span = spanOf(found, placing)
    if (span) texts.push({ text: found.text, span })
  }
  const isIn = first !== null && first < pts.length
  const boxes =
    number === null || !isIn
      ? []
      : staged.boxesOn(video.id, number).flatMap(({ box, label, outside, state }) => {
          const placed = outside || state === 'rejected' ? null : place(box)
          return placed ? [{ box: placed, label }] : []
        })
  const ordinal = isIn ? first : (texts[0]?.span.startFrame ?? null)
  return { ordinal, boxes, texts, beyond: staged.boxesFrom(video.id, end) }
}

function* itemsOf(placing: Placing, unreviewed: boolean, faults: Collected): Generator<Item> {
  const { video } = placing
  let track: StagedBox[] = []
  for (const box of staged.boxes(video.id)) {
    if (track[0] && track[0].track !== box.track) {
      yield* trackItem(track, placing, unreviewed, faults)
      track = []
    }
    track.push(box)
  }
  yield* trackItem(track, placing, unreviewed, faults)
  for (const found of staged.texts(video.id)) yield* textItem(found, placing, unreviewed, faults)
}

function stateOf(state: StagedBox['state']): Item['state'] {
  return state === 'accepted' || state === 'edited' ? state : null
}

function* trackItem(boxes: readonly StagedBox[], placing: Placing, unreviewed: boolean, faults: Collected): Generator<Item> {
  const [first] = boxes
  const { video, probe, pts } = placing
  if (!first || first.state === 'rejected' || (first.state === 'machine' && !unreviewed)) return
  const place = boxPlacer(video.found, placing, probe)
  const numbering = numberingOf(video.found, placing, placing)
  const placed: PlacedBox[] = []
  let label = first.label
  let beyond = 0
  for (const one of boxes) {
    const last = placed.at(-1)
    const meant = numbering.ordinalOf(one.frame)
    // Several numbers of a file that counts faster than the video are one frame: the first box counts, and the end of the object.
    const isAgain = last?.ordinal === meant
    const ordinal = isAgain && numbering.step !== null && one.outside ? meant + 1 : meant
    // DIVE names a track by its last box; elsewhere all boxes of a track have one label.
    label = one.label
    if (ordinal < 0 || ordinal >= pts.length) {
      if ((beyond += 1) === 1 && !one.outside)
        faults.add(video.file, {
          line: one.line,
          what: said('The video has no frame {{frame}}: the last is {{last}}.', { frame: one.frame, last: numbering.end - 1 }),
        })
      continue
    }
    if (last?.ordinal === ordinal) {
      if (numbering.step === null)
        faults.add(video.file, {
          line: one.line,
          what: said('“{{label}}” has two boxes on frame {{frame}}: the first counts.', { label, frame: one.frame }),
        })
      continue
    }
    const box = place(one.box)
    if (box === null && !one.outside && one.observed)
      faults.add(video.file, { line: one.line, what: said('The box of “{{label}}” has no area inside the picture.', { label }) })
    if (box === null && placed.length === 0) continue
    const { score, observed, occluded, outside } = one
    placed.push({ ordinal, box: box ?? last?.box ?? one.box, score, observed, occluded, outside: outside || box === null })
  }
  const keys = keysOf(placed, strideOf(video, numbering), { probe, pts })
  const [begin, end] = [keys[0], keys.at(-1)]
  if (!begin || !end) return
  const body: TrackBody = { kind: 'track', label, boxes: keys }
  yield {
    body,
    span: { startFrame: begin.ordinal, endFrame: end.ordinal + 1 },
    state: stateOf(first.state),
    file: video.file,
    line: first.line,
  }
}

const strides = new Map<number, number>()

/** After how many frames of the video without a box an object was gone. */
function strideOf({ id, found }: StagedVideo, { step }: Numbering): number {
  // Of an own rate the line between two boxes goes by time, as ours does.
  if (found.gaps === 'filled') return step === null ? Infinity : Number.MAX_SAFE_INTEGER
  const stride = found.gaps === 'empty' ? 1 : (strides.get(id) ?? staged.stride(id))
  if (found.gaps === undefined) strides.set(id, stride)
  return step === null ? stride : Math.ceil(stride * step + 0.5)
}

function* textItem(found: TextFound, placing: Placing, unreviewed: boolean, faults: Collected): Generator<Item> {
  const { video, probe, pts } = placing
  const { kind, text, question, box, state, line } = found
  if (state === 'rejected' || (state === 'machine' && !unreviewed)) return
  const span = spanOf(found, placing)
  if (span === null) {
    faults.add(video.file, { line, what: said('This lies outside the video, whose last frame is {{last}}.', { last: pts.length - 1 }) })
    return
  }
  const shared = { span, state: stateOf(state), file: video.file, line }
  if (kind === 'answer') yield { ...shared, body: { kind, question: question ?? '', text } }
  else if (kind === 'text') {
    const placed = box ? boxPlacer(video.found, placing, probe)(box) : null
    if (placed) yield { ...shared, body: { kind, text, span, box: placed } }
    else faults.add(video.file, { line, what: said('The line of text has no place on the picture.') })
  } else yield { ...shared, body: { kind, text, span } }
}

/** Where a text is in the video; null where it lies outside. */
function spanOf({ frames, ms }: Pick<TextFound, 'frames' | 'ms'>, placing: Placing): Span | null {
  const { pts, probe, video } = placing
  if (ms) return framesOfTimes(ms, { probe, pts })
  if (!frames) return pts.length > 0 ? { startFrame: 0, endFrame: pts.length } : null
  const { ordinalOf, step } = numberingOf(video.found, placing, placing)
  const startFrame = ordinalOf(frames.startFrame)
  const endFrame = Math.min(Math.max(ordinalOf(frames.endFrame), step === null ? 0 : startFrame + 1), pts.length)
  return startFrame >= 0 && startFrame < endFrame ? { startFrame, endFrame } : null
}
