/**
 * Folders, made with all that are missing above them. Node's own `recursive` never comes back where a folder takes no new one and says that it
 * is itself not there, as those below /proc do.
 */
import { mkdirSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { hasCode } from '../app/errors.ts'

/** @throws What mkdir throws: `ENOENT` where no folder can be made, `EEXIST` or `ENOTDIR` where a file is in the way. */
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
    // Somebody else may have made either meanwhile.
    await mkdir(folder).catch(async (again: unknown) => {
      if (!(await isThere(folder))) throw again
    })
  }
}

/** The same while everything else waits: for Tubelet's own folders. */
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
