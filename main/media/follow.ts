/** A box that a person drew, followed forward through the frames of a source: decoded, looked at and compared in a thread of its own. */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Box, KeyBox, TrackBody } from '../../app/annotation.ts'
import type { FollowedBox } from '../../app/contract/review.ts'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { keyBoxesOf } from '../../app/follow.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { problemOfAccess } from './access.ts'
import type { MediaTools } from './tools.ts'

/** Between key boxes that are kept, interpolation overlaps what was followed by this much. */
const KEPT_OVERLAP = 0.9

/** Seconds of video that are looked at in one go: a person sees what came of it before it goes on. */
const FOLLOW_SECONDS = 20

/** What is followed, from where. */
export interface FollowStart {
  file: string
  probe: Probe
  /** By ordinal, of the whole source. */
  pts: Float64Array
  /** The frame that the box was drawn on. */
  from: number
  box: Box
  /** Tracks of a detector that may be the same object. */
  help: readonly TrackBody[]
}

/** What the thread needs. `until`: the frame after the last one that is looked at. */
export interface FollowTask extends FollowStart {
  tools: MediaTools
  until: number
}

/** What came of it: the box on every frame, the first being the one that was drawn. */
export interface FollowResult {
  path: KeyBox[]
  end: 'lost' | 'cut' | 'done'
}

export type FromFollowWorker = { type: 'result'; result: FollowResult } | { type: 'failed'; problem: Problem }

/**
 * @throws TubeletError `no-frames` when the file does not have the first frame (it was changed), `file-missing`, `file-unreadable`,
 *   `ffmpeg-missing`; the signal's reason when aborted.
 */
export async function followBox(tools: MediaTools, start: FollowStart, signal: AbortSignal): Promise<FollowedBox> {
  const { file, probe, pts, from } = start
  await access(file).catch((error: unknown) => {
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  })
  signal.throwIfAborted()
  const limit = secondsOf(pts[from] ?? 0, probe) + FOLLOW_SECONDS
  const beyond = pts.findIndex((time, ordinal) => ordinal > from && secondsOf(time, probe) > limit)
  const until = beyond < 0 ? pts.length : beyond
  const task: FollowTask = { ...start, tools, until }
  const worker = new Worker(new URL(`./follow-worker${path.extname(import.meta.url)}`, import.meta.url), { workerData: task })
  try {
    const { path: followed, end } = await new Promise<FollowResult>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      worker.on('error', (error) => reject(new TubeletError(problemOf(error), { cause: error })))
      worker.on('exit', () => reject(new TubeletError(problemOf(new Error('the following thread ended early')))))
      worker.on('message', (message: FromFollowWorker) => {
        if (message.type === 'failed') reject(new TubeletError(message.problem))
        else resolve(message.result)
      })
    })
    const lost = end === 'lost' ? (followed.at(-1)?.ordinal ?? from) + 1 : null
    return {
      boxes: keyBoxesOf(followed, KEPT_OVERLAP),
      lost: lost === null ? null : { ordinal: lost, pts: pts[lost] ?? 0 },
      end: end !== 'done' ? end : until < pts.length ? 'limit' : 'end',
    }
  } finally {
    // Its decoder writes to a pipe, and ends with it.
    await worker.terminate()
  }
}
