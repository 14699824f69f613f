/** A checkpoint that comes as bytes, from where nobody knows its path: a browser does not tell where a dropped file lies. */
import { open, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { hasCode, TubeletError } from '../../app/errors.ts'
import { needRoom } from './download.ts'
import type { ImportOptions, Prepared } from './import.ts'
import { CONFIG } from './openmammut.ts'
import { MAX_HEADER, refusal } from './safetensors.ts'

export interface Brought {
  /** Of the file, as the person knows it. */
  name: string
  bytes: number
  /** How many bytes of the model's config come first; 0 where none was brought. */
  config: number
}

/** What a file says of itself lies in its first bytes: 8 with a length, and so many after them. */
const LENGTH = 8

/**
 * Write what comes into `dir`, and look at it as soon as its list of contents is here, so that a wrong file of gigabytes is refused at once.
 * @param check Refuses a file, of which only the beginning may be there yet.
 * @throws TubeletError what `check` throws, with the name that the person knows; `checkpoint-unusable` where the rest never comes, `disk-full`.
 */
export async function receive(
  { name, bytes, config }: Brought,
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
    let settings = Buffer.alloc(0)
    report({ stage: 'copying', bytes: 0, totalBytes: bytes })
    for await (const piece of body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal })) {
      let chunk = piece
      if (settings.length < config) {
        const missing = config - settings.length
        settings = Buffer.concat([settings, chunk.subarray(0, missing)])
        chunk = chunk.subarray(missing)
        if (settings.length === config) await writeFile(path.join(dir, CONFIG), settings)
      }
      if (at + chunk.length > bytes) throw cutOff(name, 'more bytes came than were announced')
      await target.write(chunk, 0, chunk.length, at)
      at += chunk.length
      if (prepared === undefined && at >= needed) {
        const length = Number((await target.read(Buffer.alloc(LENGTH), 0, LENGTH, 0)).buffer.readBigUInt64LE())
        // A length that no list of contents has is that of another kind of file, which its first bytes tell.
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

/** A file's own name, kept because the pack tells what it was made of; never one that means something here. */
function safeName(name: string): string {
  const plain = path
    .basename(name)
    .replaceAll(/[\\/:\0]/g, '_')
    .replace(/^\.+/, '')
  return plain === '' || plain === CONFIG ? 'checkpoint' : plain
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
