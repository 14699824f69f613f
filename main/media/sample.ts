/** One decode pass over a file: everything that Tubelet ever needs from its pixels, clip by clip as the decoder reaches them. */
import { access } from 'node:fs/promises'
import type { RelativeBox } from '../../app/boxes.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import type { FrameRef, Probe } from '../../app/media.ts'
import { Channel, thread } from '../channel.ts'
import type { SampledClip } from './clips.ts'
import { damageOf, type Heard } from './damage.ts'
import { decodePlan, type Want } from './decode-plan.ts'
import { newSeal } from './decode-streams.ts'
import { problemOfAccess } from './access.ts'
import type { MediaTools } from './tools.ts'

export type { SampledClip } from './clips.ts'

/** RGB24. */
interface SampledPicture {
  rgb: Uint8Array<ArrayBuffer>
  width: number
  height: number
}

/** A picture in memory of the decoder's, for which it has a use afterwards: decoders make many, and memory that is thrown away costs more than they do. */
interface LentPicture extends SampledPicture {
  /** Nobody reads the picture any more. It need not be called. */
  giveBack: () => void
}

export type SampleEvent =
  /** A picture for the source; a later one replaces it. */
  | { type: 'thumbnail'; jpeg: Uint8Array<ArrayBuffer> }
  | { type: 'clip'; clip: SampledClip }
  /** What has come of the first clip, which is not whole yet; nothing of it is for encoders. The clip itself comes later. */
  | { type: 'beginning'; clip: SampledClip }
  /**
   * A frame for a pack that wants pictures; null where it looks as the last one that the pack got. `changed`: where it looks otherwise than that
   * one; null of the first one. Comes before the clip that it lies in.
   */
  | { type: 'picture'; key: string; frame: FrameRef; picture: LentPicture | null; changed: RelativeBox[] | null }
  /** How far decoding is, in seconds from the first frame. */
  | { type: 'progress'; seconds: number }
  /** The last event. `probe`: put right by what decoding showed. `pts`: of every decoded frame, by ordinal. `filmstrip`: up to 60 JPEGs, spread evenly over the source. */
  | { type: 'done'; probe: Probe; pts: Float64Array<ArrayBuffer>; filmstrip: Uint8Array<ArrayBuffer>[]; damaged: Problem | null }

/** What a pass gives: of damage, what was heard of it. */
export type PassEvent =
  | Exclude<SampleEvent, { type: 'done' | 'picture' }>
  | (Omit<Extract<SampleEvent, { type: 'picture' }>, 'picture'> & { picture: SampledPicture | null })
  | (Omit<Extract<SampleEvent, { type: 'done' }>, 'damaged'> & { heard: Heard })

/** What a worker thread needs for a pass. */
export interface PassTask {
  ffmpeg: string
  args: string[]
  /** What the messages of this pass are known by. */
  seal: number
  file: string
  probe: Probe
  wants: readonly Want[]
}
export interface SampleService {
  /** Answered when the pass is over: ffmpeg has ended, and the worker is ready for another one. */
  pass: { input: PassTask; output: null; note: PassEvent }
  /** The consumer has asked for what follows a clip or a picture. */
  taken: { input: null; output: null }
  /** The memory of a picture that it is done with. */
  reuse: { input: { key: string; memory: ArrayBuffer }; output: null }
  /** Kill ffmpeg and end the pass. */
  stop: { input: null; output: null }
}

const STOPPED: Problem = {
  code: 'internal',
  message: 'Reading the video stopped unexpectedly.',
  stillWorks: 'Your library and everything already shown as done are safe.',
  next: 'Try again: it starts anew.',
}

/** Threads between two passes. */
const idle: Channel<SampleService>[] = []

function newWorker(): Channel<SampleService> {
  return new Channel(() => thread(import.meta.url, 'sample-worker'), STOPPED)
}

/** Start a thread ahead of the first pass, which then need not wait for it. */
export function warmUp(): void {
  if (idle.length > 0) return
  const worker = newWorker()
  idle.push(worker)
  // There is no pass to stop; a thread that does not start is told by the first pass.
  worker.call('stop', null).catch(() => undefined)
}

/**
 * Decode a source once. Clips tile the source without gaps and come in order. A consumer that is slow makes ffmpeg wait, so memory does
 * not grow; leaving the loop, or aborting, kills ffmpeg before this returns.
 *
 * @throws TubeletError `no-frames`, `codec-unsupported`, `decode-timeout`, `file-missing`, `file-unreadable`, `ffmpeg-missing`,
 *   `tool-killed` (what was given before holds, and is given again by the next try); the
 *   signal's reason when aborted. A file of which a part can be read is no error: its `done` event says what is missing.
 */
export async function* sample(
  tools: MediaTools,
  file: string,
  probe: Probe,
  wants: readonly Want[],
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<SampleEvent> {
  const { signal } = options
  signal?.throwIfAborted()
  await access(file).catch((error: unknown) => {
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  })
  const seal = newSeal()
  const task: PassTask = { ffmpeg: tools.ffmpeg, args: decodePlan(tools, file, probe, wants, seal), seal, file, probe, wants }
  const worker = idle.pop() ?? newWorker()
  // A slow consumer is still at its clips when the pass is over: by then the thread may be at another file, which must not hear of it.
  let ours = true
  const tell = <K extends 'taken' | 'reuse' | 'stop'>(kind: K, input: SampleService[K]['input'], transfer: ArrayBuffer[] = []) => {
    // A thread that died is told by the pass.
    if (ours) worker.call(kind, input, { transfer }).catch(() => undefined)
  }
  const giveBack = (key: string, { rgb: { buffer: memory } }: SampledPicture) => tell('reuse', { key, memory }, [memory])
  const inbox = new Inbox()
  const abort = () => inbox.fail(signal?.reason)
  const over = worker
    .call('pass', task, { onNote: (event) => inbox.put(event) })
    .catch((error: unknown) => inbox.put({ type: 'failed', error }))
    .then(() => {
      ours = false
      idle.push(worker)
    })
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    for (;;) {
      const message = await inbox.next()
      if (message.type === 'failed') throw message.error
      if (message.type === 'done') {
        const { heard, ...done } = message
        const { problem, unread } = damageOf(file, probe, done, heard)
        yield { ...done, probe: unread.length === 0 ? done.probe : { ...done.probe, unread }, damaged: problem }
        return
      }
      if (message.type === 'picture') {
        const { key, picture } = message
        yield { ...message, picture: picture && { ...picture, giveBack: () => giveBack(key, picture) } }
      } else yield message
      if (isHeavy(message)) tell('taken', null)
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    tell('stop', null)
    await over
  }
}

/** What the worker waits to be taken: so much of it may lie about and no more. */
export function isHeavy(event: { type: string; picture?: unknown }): boolean {
  return event.type === 'clip' || (event.type === 'picture' && event.picture !== null)
}

type PassMessage = PassEvent | { type: 'failed'; error: unknown }

/** Messages that have come and are not yet asked for, in order; that it was aborted is told before them. */
class Inbox {
  #waiting: PassMessage[] = []
  #failure: { error: unknown } | null = null
  #wake: () => void = () => undefined

  put(message: PassMessage): void {
    this.#waiting.push(message)
    this.#wake()
  }

  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async next(): Promise<PassMessage> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure.error
      const message = this.#waiting.shift()
      if (message !== undefined) return message
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
