/**
 * The worker thread of decode passes: starts ffmpeg, reads its pipes, finds cuts and cuts tubes, so that no pixel is touched on the
 * host's thread. It serves all passes, side by side: starting a thread, in which all code is compiled anew, costs as much as decoding some seconds of video.
 */
import type { ChildProcess } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { getDefaultHighWaterMark, type Readable, setDefaultHighWaterMark } from 'node:stream'
import { serve } from '../channel.ts'
import { DecodePass } from './decode-pass.ts'
import { readPipe } from './pipes.ts'
import { isHeavy, type PassEvent, type PassTask, type SampleService } from './sample.ts'
import { ended, startTool } from './tools.ts'

/** At so many clips and pictures that the host has not taken yet, ffmpeg's pipes are no longer read, so that it waits. */
const MAX_WAITING = 8
/**
 * Milliseconds between two reads of ffmpeg's messages: it writes them in pieces of some 30 bytes, several a frame, and a read of each would cost more
 * than all other pipes together.
 */
const MESSAGES_EVERY = 5

/** The memory of an event, which is transferred to the host. */
function memoryOf(event: PassEvent): ArrayBuffer[] {
  switch (event.type) {
    case 'clip':
    case 'beginning':
      return [...event.clip.inputs.flatMap(({ tubes }) => tubes.map((tube) => tube.buffer)), event.clip.thumbnail.buffer]
    case 'thumbnail':
      return [event.jpeg.buffer]
    case 'picture':
      return event.picture === null ? [] : [event.picture.rgb.buffer]
    case 'done':
      return [event.pts.buffer, ...event.filmstrip.map(({ picture }) => picture.buffer)]
    case 'progress':
      return []
  }
}

/** One pass. The host calls `taken` and `stop` while it runs. */
class Run {
  readonly #stop = new AbortController()
  readonly #stall = new AbortController()
  readonly #pass: DecodePass
  readonly #pipes: Pick<Readable, 'pause' | 'resume' | 'destroy'>[] = []
  readonly #closed: Promise<undefined>[] = []
  #waiting = 0
  #lastBytes = Date.now()

  readonly #note: (event: PassEvent, transfer: ArrayBuffer[]) => void
  #failure: { error: unknown } | null = null

  constructor(task: PassTask, note: (event: PassEvent, transfer: ArrayBuffer[]) => void) {
    this.#pass = new DecodePass(task)
    this.#note = note
  }

  /** Resolves when ffmpeg has ended and every event has been sent. @throws What was wrong with the file, as `sample` says. */
  async start(task: PassTask): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#stall.signal])
    const usual = getDefaultHighWaterMark(false)
    // Otherwise a paused pipe is read on until it has gathered 64 kB.
    setDefaultHighWaterMark(false, 1)
    const child = startTool(
      task.ffmpeg,
      task.args,
      ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...task.wants.map(() => 'pipe' as const)],
      signal,
    )
    setDefaultHighWaterMark(false, usual)
    yieldToPeople(child)
    const pass = this.#pass
    // In the plan's order. Node's types say that pipes past the third may be written to as well.
    const [, tiny, messages, small, preview, strip, ...wanted] = child.stdio as (Readable | null)[]
    this.#read(tiny, (chunk) => pass.tiny(chunk))
    this.#read(messages, (chunk) => pass.messages(chunk), MESSAGES_EVERY)
    this.#read(small, (chunk) => pass.grey(chunk))
    this.#read(preview, (chunk) => pass.preview(chunk))
    this.#read(strip, (chunk) => pass.strip(chunk))
    task.wants.forEach(({ key }, i) => this.#read(wanted[i], (chunk) => pass.wanted(key, chunk)))
    const watch = setInterval(() => {
      if (this.#waiting < MAX_WAITING && Date.now() - this.#lastBytes > task.stallMs) this.#stall.abort()
    }, 1000)
    try {
      const code = await ended(child)
      await Promise.all(this.#closed)
      if (this.#failure !== null) throw this.#failure.error
      if (!this.#stop.signal.aborted) for (const event of this.#pass.finish(code, this.#stall.signal.aborted)) this.#send(event)
    } finally {
      clearInterval(watch)
    }
  }

  /** The host has taken a clip or a picture. */
  taken(): void {
    this.#waiting -= 1
    if (this.#waiting >= MAX_WAITING) return
    this.#lastBytes = Date.now()
    for (const pipe of this.#pipes) pipe.resume()
  }

  reuse(key: string, memory: ArrayBuffer): void {
    this.#pass.reuse(key, memory)
  }

  /** Kills ffmpeg and destroys its pipes: a paused pipe never ends, and the child would never count as closed. */
  stop(): void {
    this.#stop.abort()
    for (const pipe of this.#pipes) pipe.destroy()
  }

  #send(event: PassEvent): void {
    this.#note(event, memoryOf(event))
  }

  /** @param every Milliseconds between two reads; 0: as soon as there is something. */
  #read(pipe: Readable | null | undefined, take: (chunk: Uint8Array) => Iterable<PassEvent>, every = 0): void {
    if (pipe === null || pipe === undefined) return
    const { reading, closed } = readPipe(pipe, (chunk) => {
      this.#lastBytes = Date.now()
      try {
        for (const event of take(chunk)) {
          if (isHeavy(event)) this.#waiting += 1
          this.#send(event)
        }
      } catch (error) {
        this.#failure ??= { error }
        this.stop()
      }
      if (this.#waiting >= MAX_WAITING) for (const one of this.#pipes) one.pause()
      else if (every > 0) {
        reading.pause()
        setTimeout(() => this.#waiting < MAX_WAITING && reading.resume(), every)
      }
    })
    this.#pipes.push(reading)
    this.#closed.push(closed)
  }
}

/** Lowers ffmpeg's priority: the window, and a question asked meanwhile, come first. */
function yieldToPeople({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

const runs = new Map<number, Run>()

serve<SampleService>({
  pass: async (task, { note }) => {
    const run = new Run(task, note)
    runs.set(task.seal, run)
    try {
      await run.start(task)
      return null
    } finally {
      runs.delete(task.seal)
    }
  },
  // A slow consumer may still take events when the pass is over.
  taken: ({ seal }) => {
    runs.get(seal)?.taken()
    return null
  },
  reuse: ({ seal, key, memory }) => {
    runs.get(seal)?.reuse(key, memory)
    return null
  },
  stop: ({ seal }) => {
    runs.get(seal)?.stop()
    return null
  },
})
