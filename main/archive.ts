/**
 * Zip archives of any size, written and read with a constant amount of memory (ZIP application note 6.3.10, with ZIP64). Entries are stored as they are
 * or deflated; nothing is encrypted or split over disks.
 *
 * What is read may be hostile: an entry is never larger than the archive says, its checksum is compared, and where it goes is for the caller, who gets
 * names that lie in no other folder.
 */
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { crc32, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { TubeletError } from '../app/errors.ts'

const CHUNK = 1 << 18
const [LOCAL, CENTRAL, END, END64, LOCATOR64] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50]
const [STORED, DEFLATED] = [0, 8]
/** Names are UTF-8. */
const UTF8 = 0x800
const ENCRYPTED = 0x1
/** From here on a size or place needs 64 bits. */
const LARGE = 0xffffffff
const MANY = 0xffff
/** Largest list of entries that is read, bytes. */
const LARGEST_LIST = 256 * 2 ** 20
/** The end of an archive, with the longest comment. */
const TAIL = 22 + 0xffff
/** How much smaller deflate makes a library at most, and by far; nothing but zeros it makes a thousand times smaller. */
const MOST_DENSE = 300
/** Less than this, bytes, may be as dense as it likes. */
const LITTLE = 2 ** 26

export interface NewEntry {
  name: string
  /** A file, or the bytes themselves. */
  from: string | Uint8Array
  /** Of a file, only so many bytes: it may have grown since. */
  upTo?: number | undefined
  deflate: boolean
}

export interface Entry {
  name: string
  /** As it is when it is taken out. */
  bytes: number
  crc: number
  method: number
  /** In the archive. */
  packed: number
  at: number
}

/**
 * Write an archive into a new file. @param onBytes Told how many bytes of the entries were read since the last call.
 * @param kept Whether it is to be on the disk even after a power cut.
 * @throws What the file system throws; the signal's reason. The file is then to be deleted.
 */
export async function writeArchive(
  file: string,
  entries: Iterable<NewEntry>,
  onBytes: (count: number) => void,
  { signal, kept }: { signal?: AbortSignal; kept: boolean },
): Promise<void> {
  const out = await open(file, 'wx')
  try {
    let at = 0
    const list: Entry[] = []
    const put = async (bytes: Uint8Array) => {
      await out.write(bytes, 0, bytes.length, at)
      at += bytes.length
    }
    for (const { name, from, upTo, deflate } of entries) {
      const start = at
      const entry: Entry = { name, bytes: 0, crc: 0, method: deflate ? DEFLATED : STORED, packed: 0, at: start }
      // Sizes and checksum are known at the end; the place for them is kept.
      await put(localHeader(entry))
      const first = at
      for await (const chunk of packedOf(deflate, read(from, upTo, entry, onBytes, signal))) await put(chunk)
      entry.packed = at - first
      const header = localHeader(entry)
      await out.write(header, 0, header.length, start)
      list.push(entry)
    }
    const listAt = at
    for (const entry of list) await put(centralHeader(entry))
    await put(endOf(list.length, at - listAt, listAt))
    if (kept) await out.sync()
  } finally {
    await out.close()
  }
}

async function* read(
  from: string | Uint8Array,
  upTo = Infinity,
  entry: Entry,
  onBytes: (count: number) => void,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const tell = (chunk: Uint8Array) => {
    entry.crc = crc32(chunk, entry.crc)
    entry.bytes += chunk.length
    onBytes(chunk.length)
    return chunk
  }
  if (typeof from !== 'string') {
    yield tell(from)
    return
  }
  const handle = await open(from)
  try {
    for (;;) {
      signal?.throwIfAborted()
      // A new buffer each time: the compressor may still refer to earlier ones.
      const { bytesRead, buffer } = await handle.read(new Uint8Array(CHUNK), 0, Math.min(CHUNK, upTo - entry.bytes))
      if (bytesRead === 0) return
      yield tell(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

function packedOf(deflate: boolean, chunks: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  if (!deflate) return chunks
  const packer = createDeflateRaw({ level: 3 })
  void (async () => {
    try {
      for await (const chunk of chunks) if (!packer.write(chunk)) await new Promise((resolve) => packer.once('drain', resolve))
      packer.end()
    } catch (error) {
      packer.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })()
  return packer as AsyncIterable<Uint8Array>
}

/** Always with 64-bit sizes, as they are not known when it is first written. */
function localHeader({ name, bytes, crc, method, packed }: Entry): Uint8Array {
  const text = Buffer.from(name)
  const header = Buffer.alloc(30 + text.length + 20)
  header.writeUInt32LE(LOCAL, 0)
  header.writeUInt16LE(45, 4)
  header.writeUInt16LE(UTF8, 6)
  header.writeUInt16LE(method, 8)
  header.writeUInt16LE(FIRST_DAY, 12)
  header.writeUInt32LE(crc, 14)
  header.writeUInt32LE(LARGE, 18)
  header.writeUInt32LE(LARGE, 22)
  header.writeUInt16LE(text.length, 26)
  header.writeUInt16LE(20, 28)
  text.copy(header, 30)
  const extra = 30 + text.length
  header.writeUInt16LE(1, extra)
  header.writeUInt16LE(16, extra + 2)
  header.writeBigUInt64LE(BigInt(bytes), extra + 4)
  header.writeBigUInt64LE(BigInt(packed), extra + 12)
  return header
}

/** 1 January 1980: when an entry was changed is told nobody. */
const FIRST_DAY = 0x21

function centralHeader({ name, bytes, crc, method, packed, at }: Entry): Uint8Array {
  const text = Buffer.from(name)
  const header = Buffer.alloc(46 + text.length + 28)
  header.writeUInt32LE(CENTRAL, 0)
  header.writeUInt16LE(45, 4)
  header.writeUInt16LE(45, 6)
  header.writeUInt16LE(UTF8, 8)
  header.writeUInt16LE(method, 10)
  header.writeUInt16LE(FIRST_DAY, 14)
  header.writeUInt32LE(crc, 16)
  header.writeUInt32LE(LARGE, 20)
  header.writeUInt32LE(LARGE, 24)
  header.writeUInt16LE(text.length, 28)
  header.writeUInt16LE(28, 30)
  header.writeUInt32LE(LARGE, 42)
  text.copy(header, 46)
  const extra = 46 + text.length
  header.writeUInt16LE(1, extra)
  header.writeUInt16LE(24, extra + 2)
  header.writeBigUInt64LE(BigInt(bytes), extra + 4)
  header.writeBigUInt64LE(BigInt(packed), extra + 12)
  header.writeBigUInt64LE(BigInt(at), extra + 20)
  return header
}

function endOf(count: number, listBytes: number, listAt: number): Uint8Array {
  const end = Buffer.alloc(56 + 20 + 22)
  end.writeUInt32LE(END64, 0)
  end.writeBigUInt64LE(44n, 4)
  end.writeUInt16LE(45, 12)
  end.writeUInt16LE(45, 14)
  end.writeBigUInt64LE(BigInt(count), 24)
  end.writeBigUInt64LE(BigInt(count), 32)
  end.writeBigUInt64LE(BigInt(listBytes), 40)
  end.writeBigUInt64LE(BigInt(listAt), 48)
  end.writeUInt32LE(LOCATOR64, 56)
  end.writeBigUInt64LE(BigInt(listAt + listBytes), 64)
  end.writeUInt32LE(1, 72)
  end.writeUInt32LE(END, 76)
  end.writeUInt16LE(Math.min(count, MANY), 84)
  end.writeUInt16LE(Math.min(count, MANY), 86)
  end.writeUInt32LE(Math.min(listBytes, LARGE), 88)
  end.writeUInt32LE(Math.min(listAt, LARGE), 92)
  return end
}

/**
 * The files in an archive; folders, which other tools list too, are none.
 * @throws TubeletError `file-unreadable` where it is damaged, cut off or no archive.
 */
export async function entriesOf(file: string): Promise<Entry[]> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const tail = await bytesAt(handle, Math.max(0, size - TAIL), Math.min(size, TAIL))
    const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
    if (end < 0 || end + 22 > tail.length) throw notOurs(file)
    let [count, listBytes, listAt] = [tail.readUInt16LE(end + 10), tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)]
    if (end >= 20 && tail.readUInt32LE(end - 20) === LOCATOR64) {
      const large = await bytesAt(handle, placeOf(tail, end - 12), 56)
      if (large.length < 56 || large.readUInt32LE(0) !== END64) throw notOurs(file)
      ;[count, listBytes, listAt] = [placeOf(large, 32), placeOf(large, 40), placeOf(large, 48)]
    }
    if (listBytes > LARGEST_LIST || listAt + listBytes > size) throw notOurs(file)
    const list = await bytesAt(handle, listAt, listBytes)
    const entries: Entry[] = []
    const names = new Set<string>()
    for (let at = 0, nth = 0; nth < count; nth += 1) {
      const [entry, next] = entryAt(list, at, file)
      at = next
      if (entry === null) continue
      // Some file systems tell no cases, and none should have one file over another.
      const key = entry.name.normalize('NFC').toLowerCase()
      if (names.has(key) || entry.at + entry.packed > size) throw notOurs(file)
      if (entry.bytes > LITTLE && entry.bytes / Math.max(1, entry.packed) > MOST_DENSE) throw notOurs(file)
      names.add(key)
      entries.push(entry)
    }
    mustBeApart(entries, size, file)
    return entries
  } catch (error) {
    if (error instanceof RangeError) throw notOurs(file)
    throw error
  } finally {
    await handle.close()
  }
}

/** Entries that share bytes of the archive, and many small dense ones, make far more of it than it holds. */
function mustBeApart(entries: readonly Entry[], size: number, file: string): void {
  let from = 0
  for (const { at, packed } of entries.toSorted((a, b) => a.at - b.at || a.packed - b.packed)) {
    if (at < from) throw notOurs(file)
    // Its header, without its name.
    from = at + 30 + packed
  }
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > LITTLE && bytes / size > MOST_DENSE) throw notOurs(file)
}

/** The entry at a place of the list, null for a folder, and where the next one is. */
function entryAt(list: Buffer, at: number, file: string): [Entry | null, number] {
  if (list.readUInt32LE(at) !== CENTRAL) throw notOurs(file)
  const [flags, method, crc] = [list.readUInt16LE(at + 8), list.readUInt16LE(at + 10), list.readUInt32LE(at + 16)]
  let [packed, bytes, place] = [list.readUInt32LE(at + 20), list.readUInt32LE(at + 24), list.readUInt32LE(at + 42)]
  const [named, more, comment] = [list.readUInt16LE(at + 28), list.readUInt16LE(at + 30), list.readUInt16LE(at + 32)]
  const name = list.toString('utf8', at + 46, at + 46 + named)
  const end = at + 46 + named + more
  for (let extra = at + 46 + named; extra + 4 <= end; extra += 4 + list.readUInt16LE(extra + 2)) {
    if (list.readUInt16LE(extra) !== 1) continue
    let from = extra + 4
    const large = () => placeOf(list, (from += 8) - 8)
    if (bytes === LARGE) bytes = large()
    if (packed === LARGE) packed = large()
    if (place === LARGE) place = large()
  }
  if (bytes === 0 && name.endsWith('/')) return [null, end + comment]
  if ((flags & ENCRYPTED) !== 0 || (method !== STORED && method !== DEFLATED) || (method === STORED && packed !== bytes) || !isPlain(name))
    throw notOurs(file)
  return [{ name, bytes, crc, method, packed, at: place }, end + comment]
}

/** Whether a name lies in no other folder than the one that it is taken out into, on every system. */
function isPlain(name: string): boolean {
  return name !== '' && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && isFileName(part))
}

/** Characters and names that some system does not take for those of a file. */
function isFileName(part: string): boolean {
  return !/[\\:*?"<>|\p{Cc}]|[. ]$/u.test(part) && !/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(part)
}

/** A name that every system takes, as near to the given one as can be. */
export function fileNameFor(name: string): string {
  const plain = path
    .basename(name)
    .replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, '_')
    .replace(/[. ]+$/, '_')
  return plain !== '' && isFileName(plain) ? plain : `_${plain}`
}

/** The content of an entry. @throws TubeletError `file-unreadable` where it is not what the archive says. */
export async function* contentOf(file: string, entry: Entry): AsyncGenerator<Uint8Array, undefined> {
  const handle = await open(file)
  try {
    const header = await bytesAt(handle, entry.at, 30)
    if (header.length < 30 || header.readUInt32LE(0) !== LOCAL) throw notOurs(file)
    const first = entry.at + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    let [crc, bytes] = [0, 0]
    for await (const chunk of unpackedOf(entry.method, handle, first, entry.packed)) {
      bytes += chunk.length
      if (bytes > entry.bytes) throw notOurs(file)
      crc = crc32(chunk, crc)
      yield chunk
    }
    if (bytes !== entry.bytes || crc !== entry.crc) throw notOurs(file)
  } catch (error) {
    // What zlib says of broken data.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) throw notOurs(file)
    throw error
  } finally {
    await handle.close()
  }
  return undefined
}

async function* chunksAt(handle: FileHandle, from: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < from + length; ) {
    const chunk = await bytesAt(handle, at, Math.min(CHUNK, from + length - at))
    if (chunk.length === 0) return
    at += chunk.length
    yield chunk
  }
}

function unpackedOf(method: number, handle: FileHandle, from: number, length: number): AsyncIterable<Uint8Array> {
  const chunks = chunksAt(handle, from, length)
  if (method === STORED) return chunks
  const unpacker = createInflateRaw()
  void (async () => {
    try {
      for await (const chunk of chunks) {
        if (unpacker.destroyed) return
        if (!unpacker.write(chunk))
          await new Promise<void>((resolve) => {
            const goOn = () => {
              unpacker.off('drain', goOn).off('close', goOn)
              resolve()
            }
            unpacker.on('drain', goOn).on('close', goOn)
          })
      }
      unpacker.end()
    } catch (error) {
      unpacker.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })()
  return unpacker as AsyncIterable<Uint8Array>
}

async function bytesAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await handle.read(buffer, 0, length, at)
  return buffer.subarray(0, bytesRead)
}

/** A number of 64 bits that JavaScript can count with. */
function placeOf(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at))
  if (!Number.isSafeInteger(value)) throw new RangeError('a place beyond all files')
  return value
}

/** The error for a file that is not as Tubelet writes them. */
export function notOurs(file: string): TubeletError {
  return new TubeletError({
    code: 'file-unreadable',
    message: 'This file is damaged, or is none that Tubelet wrote.',
    file,
    stillWorks: 'Nothing was changed.',
    next: 'Ask for the file again.',
  })
}
