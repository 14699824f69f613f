/** Opens files that people name or that lie in folders of theirs. Opening a pipe would wait for ever, and not even a polite kill would end that. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { TubeletError } from '../app/errors.ts'

/** A pipe is opened at once with it; it changes nothing for files. Windows has no such flag, and no pipes among its files. */
const READ = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0)

/** A file, or a folder, for reading. @throws TubeletError `file-unreadable` for a pipe or a device; what `open` throws. */
export async function openPlain(file: string): Promise<FileHandle> {
  const handle = await open(file, READ)
  try {
    mustBePlain(file, await handle.stat())
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The content of a file. @param most Bytes above which it is refused. @throws as `openPlain`; `file-unreadable` for a file that is too large. */
export function readPlainSync(file: string, most: number): Buffer {
  const handle = openSync(file, READ)
  try {
    const info = fstatSync(handle)
    mustBePlain(file, info)
    if (info.size > most)
      throw new TubeletError({
        code: 'file-unreadable',
        message: 'This file is larger than any of its kind.',
        file,
        next: 'Get it again from where it came from.',
      })
    return readFileSync(handle)
  } finally {
    closeSync(handle)
  }
}

function mustBePlain(file: string, info: Stats): void {
  if (info.isFile() || info.isDirectory()) return
  throw new TubeletError({
    code: 'file-unreadable',
    message: 'This is not a file but a pipe or a device.',
    file,
    next: 'Write it to a file and add that.',
  })
}
