/** Receives a checkpoint as bytes, since a browser does not give the path of a dropped file. */
import { open, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { BESIDE } from '../../app/catalogue.ts'
import { hasCode, TubeletError } from '../../app/errors.ts'
import { needRoom } from './download.ts'
import type { ImportOptions, Prepared } from './import.ts'
import { MAX_HEADER, refusal } from './safetensors.ts'

export interface Brought {
  /** The file's name, as the person knows it. */
  name: string
  bytes: number
  /** What lies beside it, which comes first: names of `BESIDE`, and how many bytes each has. */
  beside: readonly { name: string; bytes: number }[]
}

/** Bytes of the length that a checkpoint begins with; so many bytes of header follow. */
const LENGTH = 8

/**
 * Write the bytes into `dir`, and check them as soon as the header is here, so that a wrong file of gigabytes is refused at once.
 * @param check Throws for a file that cannot be used; only its beginning may be there yet.
 * @throws TubeletError what `check` throws, with the name that the person knows; `checkpoint-unusable` if the rest never comes; `disk-full`.
 */
export async function receive(
  { name, bytes, beside }: Brought,
  body: ReadableStream<Uint8Array>,
  dir: string,
  check: (file: string) => Promise<Prepared>,
  { report, signal }: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<Prepared> {
  const file = path.join(dir, safeName(name))
  let target: Awaited<ReturnType<typeof open>> | undefined
  try {
    await needRoom(dir, bytes, name)
    target = await open(file, 'w+')
    let prepared: Prepared | undefined
    let at = 0
    let needed = Math.min(bytes, LENGTH)
    const before = [...beside]
    let settings = Buffer.alloc(0)
    report({ stage: 'copying', bytes: 0, totalBytes: bytes })
    for await (const piece of body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal })) {
      let chunk = piece
      for (let [next] = before; next !== undefined; [next] = before) {
        const missing = next.bytes - settings.length
        settings = Buffer.concat([settings, chunk.subarray(0, missing)])
        chunk = chunk.subarray(missing)
        if (settings.length < next.bytes) break
        await writeFile(path.join(dir, next.name), settings)
        settings = Buffer.alloc(0)
        before.shift()
      }
      if (at + chunk.length > bytes) throw cutOff(name, 'more bytes came than were announced')
      await target.write(chunk, 0, chunk.length, at)
      at += chunk.length
      if (prepared === undefined && at >= needed) {
        const length = Number((await target.read(Buffer.alloc(LENGTH), 0, LENGTH, 0)).buffer.readBigUInt64LE())
        // With an impossible length it is another kind of file, which can be refused by its first bytes.
        if (needed === LENGTH && length <= MAX_HEADER) needed = Math.min(bytes, LENGTH + length)
        if (at >= needed) prepared = await check(file)
      }
      report({ stage: 'copying', bytes: at, totalBytes: bytes })
    }
    if (at < bytes) throw cutOff(name, `${at} of ${bytes} bytes came`)
    return prepared ?? (await check(file))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TubeletError)
      throw error.problem.file?.startsWith(dir) ? new TubeletError({ ...error.problem, file: name }, { cause: error }) : error
    if (hasCode(error, 'ENOSPC')) await needRoom(dir, bytes, name)
    throw cutOff(name, error instanceof Error ? error.message : String(error))
  } finally {
    await target?.close()
  }
}

/** The file's name made safe; it is kept because the pack names what it was made of. It is never that of a file beside it. */
function safeName(name: string): string {
  const plain = path
    .basename(name)
    .replaceAll(/[\\/:\0]/g, '_')
    .replace(/^\.+/, '')
  return plain === '' || BESIDE.includes(plain) ? 'checkpoint' : plain
}

function cutOff(file: string, details: string): TubeletError {
  return refusal({
    code: 'checkpoint-unusable',
    message: 'The file did not come whole.',
    file,
    next: 'Drop it again, and leave the window open until it is here.',
    details,
  })
}
