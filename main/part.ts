/** Files that are being written, under a name that nobody can know before: whoever may write in the folder could else put a link in its place. */
import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

const PART = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tubelet-part$/
/** Milliseconds after which a part is what a process left that was killed. */
const LEFT_MS = 24 * 3_600_000

/** A name beside `file`, new at every call. Open it with the flag `wx`, which follows no link. */
export function partOf(file: string): string {
  return `${file}.${randomUUID()}.tubelet-part`
}

/** Write a file whole or not at all. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const part = partOf(file)
  try {
    await writeFile(part, content, { flag: 'wx', flush: true })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined)
    throw error
  }
}

/** Remove what killed processes left in a folder long ago. */
export async function removeOldParts(folder: string, now = Date.now()): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((one) => PART.test(one))) {
    const file = path.join(folder, name)
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: now }))
    if (now - mtimeMs > LEFT_MS) await rm(file, { recursive: true, force: true }).catch(() => undefined)
  }
}
