/** Copies a library file in a thread of its own: reading it takes seconds where it is large. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { TubeletError } from '../../app/errors.ts'
import { serve } from '../channel.ts'
import { faultsOf } from './check.ts'

export interface BackupService {
  /** `from` may be in use and written to; `to` appears when the copy is complete and sound. */
  copy: { input: { from: string; to: string }; output: null }
}

serve<BackupService>({
  copy: async ({ from, to }) => {
    const making = `${to}.making`
    const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
    try {
      // All pages in one step: between steps a write of the host would make it begin again.
      await backup(db, making, { rate: 2 ** 30 })
      db.close()
      settle(making)
      const faults = faultsOf(making, 'quick')
      if (faults.length > 0)
        throw new TubeletError({
          code: 'file-unreadable',
          message: 'The library file is damaged, so no backup is made of it.',
          file: from,
          stillWorks: 'The backups of before are kept.',
          next: 'Restore the newest backup, in the settings or with: tubelet library restore newest.',
          details: faults.join('\n'),
        })
      renameSync(making, to)
      return null
    } finally {
      if (db.isOpen) db.close()
      for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${making}${end}`, { force: true })
    }
  },
})

/** Make it one file without a log, on the disk. */
function settle(file: string): void {
  const copy = new DatabaseSync(file)
  copy.exec('PRAGMA journal_mode = DELETE')
  copy.close()
  const handle = openSync(file, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
