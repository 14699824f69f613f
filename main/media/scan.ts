/** From what a person dropped to the video files in it. */
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Problem } from '../../app/errors.ts'
import { VIDEO_EXTENSIONS } from '../../app/media.ts'

export type Scanned = { path: string } | { path: string; problem: Problem }

/** clip2 before clip10, as people number their files. */
const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/**
 * The files among `paths`, folders searched to any depth. A file is given whatever its name (it gets its own verdict later); in a folder
 * only video file names count, hidden entries are passed over, and the order is natural: files first, then folders. What cannot be read
 * is a problem in the stream, and the scan goes on. Links are followed, each real folder once, so that loops end.
 *
 * @throws the signal's reason when aborted.
 */
export async function* scanPaths(paths: readonly string[], signal?: AbortSignal): AsyncGenerator<Scanned> {
  const visited = new Set<string>()
  for (const given of paths) {
    signal?.throwIfAborted()
    const absolute = path.resolve(given)
    try {
      const found = await stat(absolute)
      if (found.isDirectory()) yield* scanFolder(absolute, visited, signal)
      else yield { path: absolute, ...(found.isFile() ? {} : { problem: noFile(absolute) }) }
    } catch (error) {
      signal?.throwIfAborted()
      yield { path: absolute, problem: problemOfAccess(absolute, error) }
    }
  }
}

async function* scanFolder(folder: string, visited: Set<string>, signal: AbortSignal | undefined): AsyncGenerator<Scanned> {
  signal?.throwIfAborted()
  const entries: Dirent[] = []
  try {
    const real = await realpath(folder)
    if (visited.has(real)) return
    visited.add(real)
    entries.push(...(await readdir(folder, { withFileTypes: true })))
  } catch (error) {
    yield { path: folder, problem: problemOfAccess(folder, error) }
    return
  }
  entries.sort((a, b) => natural.compare(a.name, b.name))
  const folders: string[] = []
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const full = path.join(folder, entry.name)
    // A link says nothing of its target; one that leads nowhere is passed over like any other file that is no video.
    const target = entry.isSymbolicLink() ? await stat(full).catch(() => null) : entry
    if (target?.isDirectory() === true) folders.push(full)
    else if (target?.isFile() === true && VIDEO_EXTENSIONS.has(path.extname(entry.name).slice(1).toLowerCase())) yield { path: full }
  }
  for (const inner of folders) yield* scanFolder(inner, visited, signal)
}

/** A pipe, a socket or a device: to open one may wait for ever. */
function noFile(file: string): Problem {
  return {
    code: 'file-unreadable',
    message: 'This is not a file but a pipe or a device.',
    file,
    stillWorks: 'All other files go on.',
    next: 'Write it to a file and add that.',
  }
}

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
