/** File-system errors in words for people. */
import type { Problem } from '../../app/errors.ts'

/** A file-system error as the problem that a person sees. */
export function problemOfAccess(file: string, error: unknown): Problem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const details = error instanceof Error ? error.message : String(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return {
      code: 'file-missing',
      message: 'There is nothing at this place any more.',
      file,
      stillWorks: 'Results that were stored before stay in your library.',
      next: 'Connect the drive again or add the file from its new place.',
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
