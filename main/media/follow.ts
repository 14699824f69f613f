/** Follows a box that a person drew forward through the frames of a source, in a thread of its own. */
import { access } from 'node:fs/promises'
import type { Box, KeyBox, TrackBody } from '../../app/annotation.ts'
import type { FollowedBox } from '../../app/contract/review.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { keyBoxesOf } from '../../app/follow.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { Channel, thread } from '../channel.ts'
import { problemOfAccess } from './access.ts'
import type { MediaTools } from './tools.ts'

/** Key boxes are dropped as long as interpolation between the rest overlaps the followed boxes by this much (IoU). */
const KEPT_OVERLAP = 0.9

/** Seconds of video that one run follows: a person sees the result before it goes on. */
const FOLLOW_SECONDS = 20

/** What to follow, and from where. */
export interface FollowStart {
  file: string
  probe: Probe
  /** PTS of every frame of the source, by ordinal. */
  pts: Float64Array
  /** The frame that the box was drawn on. */
  from: number
  box: Box
  /** Tracks of a detector that may be the same object. */
  help: readonly TrackBody[]
}

/** What the thread needs. `until`: the ordinal after the last frame to follow. */
export interface FollowTask extends FollowStart {
  tools: MediaTools
  until: number
}

/** The result: the box on every frame, beginning with the drawn one. */
export interface FollowResult {
  path: KeyBox[]
  end: 'lost' | 'cut' | 'done'
}

export interface FollowService {
  follow: { input: FollowTask; output: FollowResult }
}

const STOPPED: Problem = {
  code: 'internal',
  message: 'Following the box stopped unexpectedly.',
  stillWorks: 'Your library and everything already shown as done are safe.',
  next: 'Try again: it starts anew.',
}

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
  // Ending the thread ends its decoder too, whose output pipe breaks.
  await using worker = new Channel<FollowService>(() => thread(import.meta.url, 'follow-worker'), STOPPED)
  const { path: followed, end } = await worker.call('follow', task, { signal })
  const lost = end === 'lost' ? (followed.at(-1)?.ordinal ?? from) + 1 : null
  return {
    boxes: keyBoxesOf(followed, KEPT_OVERLAP),
    lost: lost === null ? null : { ordinal: lost, pts: pts[lost] ?? 0 },
    end: end !== 'done' ? end : until < pts.length ? 'limit' : 'end',
  }
}
