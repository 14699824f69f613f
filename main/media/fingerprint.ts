/** What tells two files apart: their bytes, not their names, so that a moved or renamed file keeps its results. */
import { open, type FileHandle } from 'node:fs/promises'
import xxhash from 'xxhash-wasm'
import { TubeletError } from '../../app/errors.ts'
import { problemOfAccess } from './scan.ts'

const BLOCK = 2 ** 20
const WHOLE_UP_TO = 64 * 2 ** 20
const SPREAD_BLOCKS = 64

const hasher = xxhash()

/**
 * XXH64 of a file's size and content, as 16 hex digits.
 *
 * Files up to 64 MiB are read whole. Of bigger ones 64 blocks of 1 MiB are read, the first and the last among them, evenly spread:
 * reading a day of camera files whole would take longer than looking at them, and two real recordings of the same length differ
 * everywhere. Blocks are read one at a time, so memory is bounded and the event loop stays free.
 *
 * Empty files have no content to be told apart by, so each counts as its own by its path.
 *
 * @throws TubeletError `file-missing` or `file-unreadable`.
 */
export async function fingerprint(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      return await hashOf(file, path)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new TubeletError(problemOfAccess(path, error), { cause: error })
  }
}

async function hashOf(file: FileHandle, path: string): Promise<string> {
  const { size } = await file.stat()
  const hash = (await hasher).create64()
  hash.update(size === 0 ? `empty:${path}` : `${size}:`)
  const buffer = Buffer.allocUnsafe(BLOCK)
  for (const position of blockPositions(size)) {
    const { bytesRead } = await file.read(buffer, 0, BLOCK, position)
    hash.update(buffer.subarray(0, bytesRead))
  }
  return hash.digest().toString(16).padStart(16, '0')
}

function* blockPositions(size: number): Generator<number> {
  if (size <= WHOLE_UP_TO) {
    for (let at = 0; at < size; at += BLOCK) yield at
    return
  }
  for (let i = 0; i < SPREAD_BLOCKS; i++) yield Math.round((i * (size - BLOCK)) / (SPREAD_BLOCKS - 1))
}
