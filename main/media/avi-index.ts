/**
 * The index at the end of an AVI, `idx1` of Microsoft's RIFF reference: 16 bytes for each chunk, its name, flags, place and length. An AVI has no times, and
 * some of its codecs have no checksums: where a chunk is lost, the pictures after it move up and no decoder says anything. Only the index shows it.
 */
import { type FileHandle, open } from 'node:fs/promises'

/** Bytes that are read of an index at most: four million chunks. */
const MOST = 2 ** 26
/** Where the file is shorter than its headers say, its index is searched in so many bytes at the end. */
const TAIL = 2 ** 22
/** A chunk of no more bytes stands for a picture that was left out: empty, or the mark of one that is the same as before. */
const LEFT_OUT = 16

/**
 * Where pictures are missing that the index has: for each place, how many pictures come before it. Empty if the index has no more than were decoded, or
 * if there is none.
 *
 * @param stream Number of the picture stream. @param decoded How many pictures a decoder gave.
 */
export async function lostInAvi(file: string, stream: number, decoded: number): Promise<number[]> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const read = readerOf(handle, size)
    const found = await readIndex(read, size)
    if (found === null) return []
    const name = String(stream).padStart(2, '0')
    const all = Array.from({ length: Math.floor(found.entries.length / 16) }, (_, n) => found.entries.subarray(16 * n, 16 * n + 16))
    const pictures = all.filter((entry) => entry.toString('latin1', 0, 2) === name && entry.readUInt32LE(12) > LEFT_OUT)
    if (pictures.length < decoded + 2) return []
    /** Whether a chunk is where its entry says. Places count from the list of chunks or from the beginning of the file. */
    const isThere = async (entry: Buffer, base: number) => {
      const head = await read(base + entry.readUInt32LE(8), 8)
      return head.length === 8 && head.subarray(0, 4).equals(entry.subarray(0, 4)) && head.readUInt32LE(4) === entry.readUInt32LE(12)
    }
    const [first] = all
    if (first === undefined) return []
    const base = (await isThere(first, found.movi)) ? found.movi : 0
    const places: number[] = []
    let [here, lost] = [await isThere(first, base), 0]
    // If the first is at neither place, nothing is known.
    if (!here) return []
    for (const [n, entry] of pictures.entries()) {
      const before = here
      here = await isThere(entry, base)
      if (before && !here) places.push(n - lost)
      if (!here) lost += 1
    }
    return places
  } finally {
    await handle.close()
  }
}

/** Up to `length` bytes from a place; fewer at the end of the file. */
type Read = (from: number, length: number) => Promise<Buffer>

function readerOf(handle: FileHandle, size: number): Read {
  return async (from, length) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, Math.min(length, size - from))), 0, undefined, from)
    return buffer.subarray(0, bytesRead)
  }
}

/** The entries of the index, and where the name of the list of chunks stands. */
async function readIndex(read: Read, size: number): Promise<{ entries: Buffer; movi: number } | null> {
  let movi = -1
  for (let at = 12; at + 12 <= size; ) {
    const head = await read(at, 12)
    const [name, length, kind] = [head.toString('latin1', 0, 4), head.readUInt32LE(4), head.toString('latin1', 8, 12)]
    if (name === 'idx1') return length > MOST || movi < 0 ? null : { entries: await read(at + 8, length), movi }
    if (name !== 'LIST' && name !== 'JUNK') break
    if (name === 'LIST' && kind === 'movi') movi = at + 8
    // Chunks begin at even places.
    at += 8 + length + (length % 2)
  }
  const tail = await read(Math.max(0, size - TAIL), TAIL)
  const found = tail.lastIndexOf('idx1')
  if (movi < 0 || found < 0 || found + 8 > tail.length) return null
  return { entries: tail.subarray(found + 8, found + 8 + tail.readUInt32LE(found + 4)), movi }
}
