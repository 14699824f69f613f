/**
 * Makes a folder and all missing folders above it. Node's own `recursive` never returns in a folder in which making another one fails
 * with ENOENT, as below /proc.
 */
import { mkdirSync, statSync } from 'node:fs'
import { mkdir, rmdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { hasCode } from '../app/errors.ts'

/** @throws What mkdir throws: `ENOENT` if no folder can be made there, `EEXIST` or `ENOTDIR` if a file is in the way. */
export async function makeFolder(folder: string): Promise<void> {
  const isThere = (dir: string) =>
    stat(dir).then(
      (found) => found.isDirectory(),
      () => false,
    )
  try {
    await mkdir(folder)
  } catch (error) {
    if (await isThere(folder)) return
    const above = path.dirname(folder)
    if (!hasCode(error, 'ENOENT') || above === folder) throw error
    if (!(await isThere(above))) await makeFolder(above)
    // Another process may have made either folder meanwhile.
    await mkdir(folder).catch(async (again: unknown) => {
      if (!(await isThere(folder))) throw again
    })
  }
}

/** The same, blocking, for Tubelet's own folders. */
export function makeFolderSync(folder: string): void {
  const isThere = (dir: string) => statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false
  try {
    mkdirSync(folder)
  } catch (error) {
    if (isThere(folder)) return
    const above = path.dirname(folder)
    if (!hasCode(error, 'ENOENT') || above === folder || isThere(above)) throw error
    makeFolderSync(above)
    makeFolderSync(folder)
  }
}

/** Those of these folders, and of the folders that they lie in, that are not there; the deepest first. */
export async function missingFolders(folders: Iterable<string>): Promise<string[]> {
  const missing = new Set<string>()
  for (const folder of folders)
    for (let at = folder; !missing.has(at) && (await stat(at).catch(() => null)) === null; at = path.dirname(at)) {
      missing.add(at)
      if (path.dirname(at) === at) break
    }
  return [...missing].sort((a, b) => b.length - a.length)
}

/** Remove those of these folders that are empty, in this order. */
export async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(() => undefined)
}
