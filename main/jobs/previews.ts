/** Preview copies of videos that a browser cannot play: their state, and the job that makes one. They are cached by content. */
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Job, Source } from '../../app/contract.ts'
import type { Preview } from '../../app/contract/review.ts'
import { TubeletError } from '../../app/errors.ts'
import { said } from '../../app/phrase.ts'
import { makeFolder } from '../folders.ts'
import type { Library } from '../library/library.ts'
import { makeProxy } from '../media/playback.ts'
import { mediaFile, type Pipeline, type Report } from './pipeline.ts'

export function previewFile(library: Library, { fingerprint, numbered }: Pick<Source, 'fingerprint' | 'numbered'>): string {
  const rate = numbered === null ? '' : `@${numbered.frameRate.num}-${numbered.frameRate.den}`
  return library.cachePath('previews', `${fingerprint}${rate}.mp4`)
}

/** The preview's state by that of its job. `done` without a file means that the cache was emptied. */
const STATE_OF = { queued: 'waiting', running: 'making', done: 'none', failed: 'failed', cancelled: 'cancelled' } as const

/** @param job The job of the copy, read before this call: the copy exists before its job is done. */
export async function previewOf(library: Library, source: Source, job: Job | null): Promise<Preview> {
  if (await isThere(previewFile(library, source))) return { state: 'ready', progress: 1, problem: null }
  return job === null
    ? { state: 'none', progress: 0, problem: null }
    : { state: STATE_OF[job.state], progress: job.progress, problem: job.problem }
}

/** The file appears when it is complete. @throws TubeletError `not-found` if the video was not probed yet. */
export async function makePreview({ library, media }: Pipeline, source: Source, report: Report, signal: AbortSignal): Promise<void> {
  const { probe } = source
  if (probe === null) throw new TubeletError({ code: 'not-found', message: 'This video was not read yet.' })
  const file = previewFile(library, source)
  if (await isThere(file)) return
  const folder = path.dirname(file)
  await makeFolder(folder)
  // Remains of a crash.
  for (const name of await readdir(folder)) if (name.startsWith(path.basename(file))) await rm(path.join(folder, name), { force: true })
  const stage = said('A copy that every browser plays')
  await report({ stage, progress: 0, clips: 0 })
  await makeProxy(await media(), await mediaFile(library, source), probe, file, {
    signal,
    onProgress: (seconds) => report({ stage, progress: probe.duration > 0 ? Math.min(1, seconds / probe.duration) : 0, clips: 0 }),
  })
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
