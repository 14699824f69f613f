/**
 * Lets one process at a time work on a library. The lock is the operating system's own, held through SQLite on a file beside the library: it ends
 * with its process, however that ended. A process number in a file would not: after a restart of the machine another program may have that number.
 */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diskProblem, TubeletError } from '../app/errors.ts'

/** SQLite's result code for a lock that another connection holds. */
const BUSY = 5

/**
 * @returns Releases the lock.
 * @throws TubeletError `conflict` if the library is open in a Tubelet, `disk-full`, `forbidden`.
 */
export function lockLibrary(projectDir: string): () => void {
  const db = open(projectDir)
  try {
    // Nothing is ever written, so the journal needs no file.
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY)
      throw new TubeletError({
        code: 'conflict',
        message: 'This library is open in another Tubelet.',
        file: projectDir,
        stillWorks: 'The other window goes on working.',
        next: 'Close it first, or give another folder with --project.',
      })
    throw refused(projectDir, error)
  }
  return () => {
    if (db.isOpen) db.close()
  }
}

function open(projectDir: string): DatabaseSync {
  try {
    // SQLite would open the file for reading alone, and lock nothing.
    accessSync(projectDir, constants.W_OK)
    return new DatabaseSync(path.join(projectDir, 'lock.sqlite'), { timeout: 0 })
  } catch (error) {
    throw refused(projectDir, error)
  }
}

function refused(projectDir: string, error: unknown): unknown {
  const problem = diskProblem(error)
  return problem === null ? error : new TubeletError({ ...problem, file: projectDir }, { cause: error })
}
