/** One decode pass over a file: everything that its analysis needs from the pixels, clip by clip as the decoder reaches them. */
import { access } from 'node:fs/promises'
import type { RelativeBox } from '../../app/boxes.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { stripOf } from '../../app/filmstrip.ts'
import type { FrameRef, Probe } from '../../app/media.ts'
import { Channel, thread } from '../channel.ts'
import type { SampledClip } from './clips.ts'
import { lostInAvi } from './avi-index.ts'
import { damageOf, type Heard, noteLost } from './damage.ts'
import { decodePlan, standingTimes, type Want } from './decode-plan.ts'
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

/** A picture in memory that the decoder can reuse: there are many, and allocating memory for each costs more than decoding it. */
interface LentPicture extends SampledPicture {
  /** Returns the memory once nobody reads the picture any more. Calling it is optional. */
  giveBack: () => void
}

export type SampleEvent =
  /** A thumbnail of the source; a later one replaces it. */
  | { type: 'thumbnail'; jpeg: Uint8Array<ArrayBuffer> }
  | { type: 'clip'; clip: SampledClip }
  /** The unfinished first clip as far as it has come, without input for encoders. The complete clip comes later. */
  | { type: 'beginning'; clip: SampledClip }
  /**
   * A frame for a pack that wants pictures; `picture` is null if it looks like the last one that the pack got. `changed`: where it differs from
   * that one; null for the first. Comes before the clip that it lies in.
   */
  | { type: 'picture'; key: string; frame: FrameRef; picture: LentPicture | null; changed: RelativeBox[] | null }
  /** How far decoding is, in seconds from the first frame. */
  | { type: 'progress'; seconds: number }
  /** The last event. `probe`: as corrected by decoding. `pts`: of every decoded frame, by ordinal. `filmstrip`: JPEGs, see `stripOf`. */
  | { type: 'done'; probe: Probe; pts: Float64Array<ArrayBuffer>; filmstrip: (Uint8Array<ArrayBuffer> | null)[]; damaged: Problem | null }

/** What the worker sends: instead of damage, the signs of it (`Heard`), and where the last frame `ends`; for the filmstrip, pictures and when each began (seconds). */
export type PassEvent =
  | Exclude<SampleEvent, { type: 'done' | 'picture' }>
  | (Omit<Extract<SampleEvent, { type: 'picture' }>, 'picture'> & { picture: SampledPicture | null })
  | (Omit<Extract<SampleEvent, { type: 'done' }>, 'damaged' | 'filmstrip'> & {
      heard: Heard
      ends: number
      filmstrip: { time: number; picture: Uint8Array<ArrayBuffer> }[]
    })

/** What a worker thread needs for a pass. */
export interface PassTask {
  ffmpeg: string
  args: string[]
  /** The number that marks the messages of this pass, and tells it from others. */
  seal: number
  file: string
  probe: Probe
  wants: readonly Want[]
  /** A decoder that gives no byte for so many milliseconds, though its pipes are being read, is stuck. */
  stallMs: number
}
/** Which pass is meant; one that is over is none. */
type Of = Pick<PassTask, 'seal'>
export interface SampleService {
  /** Returns when the pass is over: ffmpeg has ended. */
  pass: { input: PassTask; output: null; note: PassEvent }
  /** The consumer has asked for what follows a clip or a picture. */
  taken: { input: Of; output: null }
  /** Returns the memory of a picture that the consumer is done with. */
  reuse: { input: Of & { key: string; memory: ArrayBuffer }; output: null }
  /** Kill ffmpeg and end the pass. */
  stop: { input: Of; output: null }
}

const STALL_MS = 60_000

/** The thread ended: like a killed tool it says nothing about the file, and the pass is tried again (`untilNotKilled`). */
const STOPPED: Problem = {
  code: 'tool-killed',
  message: 'Reading the video stopped unexpectedly, more than once. That says nothing about the file.',
  stillWorks: 'All other files go on.',
  next: 'Close programs that need much memory, then try this file again.',
}

/**
 * What the pipes deliver lives for a moment, outside the heap: small collections free it soon. With few and large ones so much gathers that the whole
 * heap is searched again and again.
 */
const SOON = { maxYoungGenerationSizeMb: 4 }

/** The thread of all passes. */
const worker = new Channel<SampleService>(() => thread(import.meta.url, 'sample-worker', undefined, SOON), STOPPED)

/** Start the thread ahead of the first pass, which then need not wait for it. */
export function warmUp(): void {
  // There is no pass to stop. If the thread does not start, the first pass reports it.
  worker.call('stop', { seal: 0 }).catch(() => undefined)
}

/**
 * Decode a source once. Clips tile the source without gaps and come in order. A consumer that is slow makes ffmpeg wait, so memory does
 * not grow; leaving the loop, or aborting, kills ffmpeg before this returns.
 *
 * @param options.stallMs See PassTask.
 * @throws TubeletError `no-frames`, `codec-unsupported`, `decode-timeout`, `file-missing`, `file-unreadable`, `ffmpeg-missing`,
 *   `tool-killed` (events before it hold, and come again in the next try); the
 *   signal's reason when aborted. A partly readable file is no error: its `done` event says what is missing.
 */
export async function* sample(
  tools: MediaTools,
  file: string,
  probe: Probe,
  wants: readonly Want[],
  options: { signal?: AbortSignal; stallMs?: number } = {},
): AsyncGenerator<SampleEvent> {
  const { signal, stallMs = STALL_MS } = options
  signal?.throwIfAborted()
  await access(file).catch((error: unknown) => {
    throw new TubeletError(problemOfAccess(file, error), { cause: error })
  })
  const seal = newSeal()
  const args = decodePlan(tools, file, probe, wants, seal, await standingTimes(tools, file, probe, signal))
  const task: PassTask = { ffmpeg: tools.ffmpeg, args, seal, file, probe, wants, stallMs }
  const tell = <K extends 'taken' | 'reuse' | 'stop'>(kind: K, input: SampleService[K]['input'], transfer: ArrayBuffer[] = []) => {
    // If the thread died, the pass reports it.
    worker.call(kind, input, { transfer }).catch(() => undefined)
  }
  const giveBack = (key: string, { rgb: { buffer: memory } }: SampledPicture) => tell('reuse', { seal, key, memory }, [memory])
  const inbox = new Inbox()
  const abort = () => inbox.fail(signal?.reason)
  const over = worker
    .call('pass', task, { onNote: (event) => inbox.put(event) })
    .catch((error: unknown) => inbox.put({ type: 'failed', error }))
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    for (;;) {
      const message = await inbox.next()
      if (message.type === 'failed') throw message.error
      if (message.type === 'done') {
        const { heard, ends, filmstrip, ...done } = message
        if (/\bavi\b/.test(probe.container)) noteLost(heard, await lostInAvi(file, probe.videoStream, done.pts.length))
        const { problem, unread } = damageOf(file, probe, { ...done, ends }, heard)
        yield {
          ...done,
          probe: unread.length === 0 ? done.probe : { ...done.probe, unread },
          filmstrip: stripOf(filmstrip, { duration: done.probe.duration, unread }),
          damaged: problem,
        }
        return
      }
      if (message.type === 'picture') {
        const { key, picture } = message
        yield { ...message, picture: picture && { ...picture, giveBack: () => giveBack(key, picture) } }
      } else yield message
      if (isHeavy(message)) tell('taken', { seal })
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    tell('stop', { seal })
    await over
  }
}

/** Whether an event counts towards the limit of those that the host has not taken. */
export function isHeavy(event: { type: string; picture?: unknown }): boolean {
  return event.type === 'clip' || (event.type === 'picture' && event.picture !== null)
}

type PassMessage = PassEvent | { type: 'failed'; error: unknown }

/** Messages not yet asked for, in order; an abort is reported before them. */
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
