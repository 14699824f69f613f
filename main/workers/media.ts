/** The video that a worker was given: a file under its own folders, known by its content, or else a copy fetched from the host. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Work } from '../../app/contract/workers.ts'
import { TubeletError } from '../../app/errors.ts'
import { fingerprint } from '../media/fingerprint.ts'
import type { Host } from './host.ts'

/**
 * @param roots Folders in which the host's videos lie here: each is tried with the last parts of the path that the video has on the host, longest first.
 * @param scratch A folder for the copy. @throws TubeletError `file-replaced` where what the host sends is another file.
 */
export async function videoOf(
  { claim, video }: Work,
  roots: readonly string[],
  { host, scratch, signal }: { host: Host; scratch: string; signal: AbortSignal },
): Promise<string> {
  for (const file of candidates(video.path, roots)) {
    const info = await stat(file).catch(() => null)
    if (info?.isFile() === true && info.size === video.bytes && (await fingerprint(file)) === video.fingerprint) return file
  }
  // The ending tells some readers how to read it.
  const copy = path.join(scratch, `video${path.extname(path.basename(video.path.replaceAll('\\', '/'))).slice(0, 20)}`)
  await host.fetch('workMedia', { claim }, video.bytes, copy, signal)
  if (video.bytes > 0 && (await fingerprint(copy)) !== video.fingerprint)
    throw new TubeletError({
      code: 'file-replaced',
      message: 'The file has changed since it was added.',
      file: video.path,
      stillWorks: 'The other files go on.',
      next: 'Add it again.',
    })
  return copy
}

function candidates(file: string, roots: readonly string[]): string[] {
  // The host may run another system.
  const parts = file.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..')
  return roots.flatMap((root) => parts.map((_, from) => path.join(root, ...parts.slice(from))))
}
