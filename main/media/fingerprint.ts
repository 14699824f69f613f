/** Identifies files by their bytes, not their names, so that a moved or renamed file keeps its results. */
import type { Stats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import xxhash from 'xxhash-wasm'
import { TubeletError } from '../../app/errors.ts'
import { patternOf } from '../../app/numbered.ts'
import { problemOfAccess } from './access.ts'
import { filesOf } from './numbered.ts'

const BLOCK = 2 ** 20
/** Files up to this size are read whole, whatever they are. */
const WHOLE_UP_TO = 512 * 2 ** 20
/** Bytes read at either end of each of many numbered pictures. */
const EDGE = 2 ** 15
/** Blocks read of a bigger file, where a part is enough. */
const SPREAD_BLOCKS = 256
/** Largest index that is read, bytes; a larger one would be of many days of video. */
const LARGEST_INDEX = 256 * 2 ** 20
/** Bytes at the beginning of a Matroska file in which its codec is named. */
const HEAD = 2 ** 16
/** Samples of fewer bytes are taken for sound. */
const SMALLEST_PICTURE = 1024
/** Earlier versions read files up to `whole` bytes completely, and so many blocks of bigger ones. */
const BEFORE = { whole: 64 * 2 ** 20, blocks: 64 }

const hasher = xxhash()

/**
 * XXH64 of a file's size and content, as 16 hex digits.
 *
 * Every byte counts in files up to 512 MiB. It does in larger files too, except in formats where a changed picture is known to change the sizes of
 * frames: MP4 and MOV whose index gives each frame its own size, and Matroska and WebM with VARYING_IN_MATROSKA codecs. Of
 * those, 256 evenly spread blocks of 1 MiB count, the first and the last among them, and of MP4 and MOV the whole index, which holds the size
 * of every frame. So a changed frame is noticed in DV, uncompressed, MXF, AVI and transport stream files of any length, at the price of reading
 * them once, as their analysis does too. Blocks are read one at a time, so memory is bounded and the event loop stays free.
 *
 * Empty files have no content to tell them apart, so their path is hashed instead.
 *
 * Numbered pictures, given by their pattern, count as one file: all their bytes one after the other, with the size of each; above
 * 512 MiB in all, only the first and the last 32 KiB of each are read.
 *
 * @param length Read the file as if it ended after so many bytes: the fingerprint of a growing file as it was before.
 * @throws TubeletError `file-missing` or `file-unreadable`.
 */
export function fingerprint(path: string, length?: number): Promise<string> {
  if (patternOf(path) !== null) return fingerprintOfNumbered(path, length)
  return opened(path, async (file) => {
    const size = length ?? (await file.stat()).size
    const index = size > WHOLE_UP_TO ? await indexOfVaryingFrames(file, size) : null
    return hashOf(
      file,
      path,
      size,
      index === null
        ? whole(size)
        : (function* () {
            yield* index
            yield* spread(size, SPREAD_BLOCKS)
          })(),
    )
  })
}

/** The fingerprint that an earlier version gave the file; null if it is the same. @throws as `fingerprint` */
export function fingerprintOfBefore(path: string): Promise<string | null> {
  if (patternOf(path) !== null) return Promise.resolve(null)
  return opened(path, async (file) => {
    const { size } = await file.stat()
    return size <= BEFORE.whole ? null : hashOf(file, path, size, spread(size, BEFORE.blocks))
  })
}

/**
 * A file's size and times, known without reading it: while they stay the same, so does the content. The ctime is among them because,
 * unlike the mtime, no program sets it back.
 */
export function stampOf({ size, mtimeMs, ctimeMs }: Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs'>): string {
  return `${size}:${mtimeMs}:${ctimeMs}`
}

async function opened<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const file = await open(path)
    try {
      return await read(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new TubeletError(problemOfAccess(path, error), { cause: error })
  }
}

async function fingerprintOfNumbered(pattern: string, length = Infinity): Promise<string> {
  const { files } = await filesOf(pattern)
  const hash = (await hasher).create64()
  const buffer = Buffer.allocUnsafe(BLOCK)
  const total = Math.min(
    length,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  let before = 0
  for (const { file, bytes } of files) {
    if (before >= length) break
    before += bytes
    hash.update(`${bytes}:`)
    await opened(file, async (picture) => {
      const parts =
        total <= WHOLE_UP_TO || bytes <= 2 * EDGE
          ? whole(bytes)
          : [
              { at: 0, length: EDGE },
              { at: bytes - EDGE, length: EDGE },
            ]
      for (const part of parts) {
        const { bytesRead } = await picture.read(buffer, 0, part.length, part.at)
        hash.update(buffer.subarray(0, bytesRead))
      }
    })
  }
  return hash.digest().toString(16).padStart(16, '0')
}

/** A part of a file, in bytes. */
interface Part {
  at: number
  length: number
}

async function hashOf(file: FileHandle, path: string, size: number, parts: Iterable<Part>): Promise<string> {
  const hash = (await hasher).create64()
  hash.update(size === 0 ? `empty:${path}` : `${size}:`)
  const buffer = Buffer.allocUnsafe(BLOCK)
  for (const { at, length } of parts) {
    const { bytesRead } = await file.read(buffer, 0, length, at)
    hash.update(buffer.subarray(0, bytesRead))
  }
  return hash.digest().toString(16).padStart(16, '0')
}

function* whole(size: number, from = 0): Generator<Part> {
  for (let at = from; at < from + size; at += BLOCK) yield { at, length: Math.min(BLOCK, from + size - at) }
}

function* spread(size: number, blocks: number): Generator<Part> {
  for (let i = 0; i < blocks; i++) yield { at: Math.round((i * (size - BLOCK)) / (blocks - 1)), length: BLOCK }
}

/** The parts of a file that list the sizes of its frames, if those are sure to vary; null if all frames may have one size. */
async function indexOfVaryingFrames(file: FileHandle, size: number): Promise<Part[] | null> {
  const head = await bytesOf(file, { at: 0, length: HEAD })
  if (head.readUInt32BE(0) === 0x1a45dfa3) return VARYING_IN_MATROSKA.test(head.toString('latin1')) ? [] : null
  // ISO base media file format (ISO/IEC 14496-12): consecutive boxes, each with a length and a name.
  for (let at = 0, boxes = 0; at + 16 <= size && boxes < 10_000; boxes += 1) {
    const box = await bytesOf(file, { at, length: 16 })
    const name = box.toString('latin1', 4, 8)
    const [short, long] = [box.readUInt32BE(0), Number(box.readBigUInt64BE(8))]
    const length = short === 1 ? long : short === 0 ? size - at : short
    if (length < 8 || !/^[\w ]{4}$/.test(name)) return null
    if (name === 'moov') {
      if (length > LARGEST_INDEX) return null
      const moov = await bytesOf(file, { at, length })
      return sizesVary(moov) ? [...whole(length, at)] : null
    }
    at += length
  }
  return null
}

/** CodecIDs of the Matroska specification whose frames vary in size. */
const VARYING_IN_MATROSKA = /V_(?:MPEG4\/ISO\/(?:AVC|SP|ASP)|MPEGH\/ISO\/HEVC|MPEG[12]|VP8|VP9|AV1|THEORA)/

/** Whether sizes vary in every table (`stsz`: version and flags, one size for all, count, sizes) with samples as large as pictures. */
function sizesVary(moov: Buffer): boolean {
  let varying = false
  for (let at = moov.indexOf('stsz'); at >= 0; at = moov.indexOf('stsz', at + 4)) {
    if (at + 16 > moov.length) return false
    const [all, count] = [moov.readUInt32BE(at + 8), moov.readUInt32BE(at + 12)]
    if (all >= SMALLEST_PICTURE) return false
    const sizes =
      all === 0
        ? Array.from({ length: Math.min(count, 10_000, Math.floor((moov.length - at - 16) / 4)) }, (_, i) =>
            moov.readUInt32BE(at + 16 + 4 * i),
          )
        : []
    if (sizes.length > 1 && sizes.every((one) => one === sizes[0] && one >= SMALLEST_PICTURE)) return false
    if (new Set(sizes).size > 1) varying = true
  }
  return varying
}

async function bytesOf(file: FileHandle, { at, length }: Part): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await file.read(buffer, 0, length, at)
  return buffer
}
