/** File-system errors in words for people. */
import { open, readlink, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Problem, TubeletError } from '../../app/errors.ts'

/** The replacement character, in names that were not UTF-8. */
const LOST = /\ufffd/

/** The problem of a name that is not UTF-8, which neither ffmpeg nor the library can handle. */
export function notUtf8(file: string, name: string): Problem {
  return {
    code: 'file-unreadable',
    message: 'Its name is no UTF-8 text (read as Latin-1 it is “{{name}}”), so no program here can be given it.',
    values: { name },
    file,
    stillWorks: 'All other files go on.',
    next: 'Rename it, for example with “convmv -f latin1 -t utf8 --notest”, then add its folder again.',
  }
}

/** A file-system error as the problem that a person sees. It is not said whether anything was there before: nobody knows. */
export function problemOfAccess(file: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const details = error instanceof Error ? error.message : String(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    if (LOST.test(file)) return { ...notUtf8(file, file), details }
    return {
      code: 'file-missing',
      message: 'There is nothing at this place.',
      file,
      stillWorks: 'Results that were stored before stay in your library.',
      next: 'Check the path and that its drive is connected. A file that was moved is known again when it is added from its new place.',
      details,
    }
  }
  return {
    code: 'file-unreadable',
    message:
      code === 'EACCES' || code === 'EPERM' ? 'You do not have permission to read this.' : 'The operating system could not read this.',
    file,
    stillWorks: 'All other files go on.',
    next: 'Check the permissions and the drive, then add it again.',
    details,
  }
}

/** The problem of a link whose target is not there, or that leads to itself; null for anything else. */
export async function problemOfLink(file: string): Promise<Problem | null> {
  const target = await readlink(file).catch(() => null)
  if (target === null || (await stat(file).catch(() => null)) !== null) return null
  return {
    code: 'file-missing',
    message: 'This link leads to “{{target}}”, and nothing is there.',
    values: { target: path.resolve(path.dirname(file), target) },
    file,
    stillWorks: 'All other files go on.',
    next: 'Connect the drive that it leads to, or make the link anew, then add it again.',
  }
}

/**
 * Work that reads a file, and resolves with what is wrong with its contents, if anything. A drive or a folder may go away meanwhile, and what a decoder then
 * says of the file is no verdict about it.
 *
 * @throws TubeletError `file-missing` or `file-unreadable` where that happened; else what `work` throws.
 */
export async function readingFile(file: string, work: () => Promise<Problem | null>): Promise<Problem | null> {
  try {
    const damage = await work()
    if (damage !== null) await firstByte(file)
    return damage
  } catch (error) {
    if (error instanceof TubeletError && 'file' in error.problem) await firstByte(file)
    throw error
  }
}

async function firstByte(file: string): Promise<void> {
  try {
    await using handle = await open(file)
    await handle.read(Buffer.alloc(1), 0, 1, 0)
  } catch (error) {
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  }
}
