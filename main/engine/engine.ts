/** The host's side of the engine process: starts it, calls it, and restarts it when it dies. */
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RelativeBox } from '../../app/boxes.ts'
import type { Spot } from '../../app/cells.ts'
import type { Status } from '../../app/contract.ts'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import type { Detection } from '../../app/detections.ts'
import type { PackManifest } from '../../app/pack/pack.ts'
import type { Line } from '../../app/text-lines.ts'
import { type CallOptions, Channel, childProcess, type ProcessPort } from '../channel.ts'
import type {
  Asked,
  Calls,
  CallName,
  Encoding,
  EngineInfo,
  EngineService,
  Followed,
  Generated,
  KnownAnswers,
  KnownLook,
  Picture,
  Regions,
  Spotted,
  TextUse,
} from './protocol.ts'
import { Turns, unlessAborted } from './turns.ts'

export type { Asked, Encoding, EngineInfo, Followed, Generated, Picture, Regions, Spotted, TextUse } from './protocol.ts'
export type EngineState = Status['engine']['state']

/** Starts `entry`, a path, as a child process. */
export type ForkEngine = (entry: string, args: readonly string[]) => ProcessPort

export interface AskOptions {
  /** Gets pieces of text as they are decoded; joined, they are the answer. */
  onToken?: (text: string) => void
  signal?: AbortSignal
}

const ENTRY = fileURLToPath(new URL(`./process${path.extname(import.meta.url)}`, import.meta.url))
const CRASHES_ALLOWED = 5
/** A step under which the process dies so often, the last times without any other, is what kills it. */
const DEATHS_OF_A_STEP = 3
/** When so many steps in a row were found to kill it, it is the engine that is broken. */
const BLAMED_IN_A_ROW = 5
const CRASH_WINDOW_MS = 60_000
const FIRST_DELAY_MS = 100
/**
 * A process that gives no sign of life for so long never will: two minutes and a second for each MB of the pack, at most ten minutes. Measured on two
 * cores with ten times as much work (docs/trust.md): 0.8 s with the bundled packs of 4 to 11 MB, 7 s while they start; 74 s with OWLv2, of 622 MB.
 */
const PATIENCE_MS = { least: 120_000, ofMB: 1_000, most: 600_000 }
/** So many signs of life are awaited in that time. They are counted, because a sleeping machine stops the engine but not the clock. */
const BEATS = 60

/**
 * Every call waits until the engine is ready. It rejects with TubeletError `engine-unavailable` when the process dies under it (the
 * process is restarted by itself; ask again, as `step` does) or will not start any more, and `cancelled` when its signal is aborted.
 */
export class Engine<M extends PackManifest = PackManifest> {
  readonly #channel: Channel<EngineService>
  readonly #listeners = new Set<(state: EngineState) => void>()
  #port: ProcessPort | null = null
  #ready = readiness()
  #info: EngineInfo<M> | null = null
  #state: EngineState = 'starting'
  #problem: Problem | null = null
  #crashes: number[] = []
  readonly #turns = new Turns()
  /** Steps that were found to kill the process since one was done. */
  #blamed = 0
  /** Of jobs that such a step has ended: others of their steps may still wait. */
  readonly #setAside = new WeakMap<AbortSignal, TubeletError>()
  #restart: NodeJS.Timeout | undefined
  #closed = false
  #closing: Promise<void> | null = null
  readonly #name: string
  readonly #stuckAfterMs: number
  /** Calls under way, and signs of life that the process owes. */
  #asked = 0
  #owed = 0
  #watch: NodeJS.Timeout | undefined

  private constructor(args: readonly string[], forkEngine: ForkEngine, stuckAfterMs: number) {
    this.#name = path.basename(args[0] ?? '')
    this.#stuckAfterMs = stuckAfterMs
    this.#channel = new Channel(() => {
      const port = forkEngine(ENTRY, args)
      port.onEnd((cause) => this.#lost(cause))
      return (this.#port = port)
    }, unavailable('The engine stopped unexpectedly.').problem)
  }

  /**
   * `signal` gives up a start that takes too long. `untested`: for a pack that is being made, which has no known answers yet. `stuckAfterMs`: how long
   * the process may give no sign of life, as it gives none while a graph runs.
   * @throws TubeletError `pack-invalid`, `pack-self-test-failed` or `engine-unavailable`.
   */
  static async start({
    packDir,
    fork = childProcess,
    signal,
    untested = false,
    stuckAfterMs = patienceWith(packDir),
  }: {
    packDir: string
    fork?: ForkEngine
    signal?: AbortSignal
    untested?: boolean
    stuckAfterMs?: number
  }): Promise<Engine> {
    signal?.throwIfAborted()
    const engine = new Engine(untested ? [packDir, 'untested'] : [packDir], fork, stuckAfterMs)
    const stop = () => void engine.close()
    signal?.addEventListener('abort', stop, { once: true })
    engine.#launch()
    try {
      await engine.#ready.promise
      return engine
    } catch (error) {
      await engine.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** What is loaded and where it runs; after a restart, as the newest process reported it. */
  get info(): EngineInfo<M> {
    if (!this.#info) throw new Error('the engine has not started')
    return this.#info
  }

  get state(): EngineState {
    return this.#state
  }

  /** Why the state is `failed`, else null. */
  get problem(): Problem | null {
    return this.#problem
  }

  get pid(): number | undefined {
    return this.#port?.pid
  }

  /** @returns A function that stops listening. */
  onState(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One encoder pass. @param clip.tubes As `cutTubes` gives them for the pack's input. */
  encode({ tubes }: { tubes: Uint8Array[] }, signal?: AbortSignal): Promise<Encoding> {
    return this.#call('encode', { tubes }, { signal })
  }

  /** Whether the clip is unlike all footage that the pack was taught, so that its words about it are guesses. */
  unfamiliar({ embedding }: Pick<Encoding, 'embedding'>, signal?: AbortSignal): Promise<boolean> {
    return this.#call('unfamiliar', { embedding }, { signal })
  }

  caption({ embedding, memory, times }: Asked, signal?: AbortSignal): Promise<Generated> {
    return this.#call('caption', { embedding, memory, times }, { signal })
  }

  answer({ embedding, memory, times }: Asked, question: string, { onToken, signal }: AskOptions = {}): Promise<Generated> {
    return this.#call('answer', { embedding, memory, times, question }, { onNote: onToken, signal })
  }

  /** Where the decoder looks for each word of a caption (or an answer, given its question), whether the model or a person wrote it. */
  follow({ memory, times }: Asked, text: string, question: string | null, signal?: AbortSignal): Promise<Followed> {
    return this.#call('follow', { memory, times, text, question }, { signal })
  }

  /** The regions of a clip, comparable with those of other clips by dot product; null from a pack that does not detect. */
  async regions({ tokens }: Pick<Encoding, 'tokens'>, most: number | null, signal?: AbortSignal): Promise<Regions | null> {
    return tokens === null ? null : this.#call('regions', { tokens, most }, { signal })
  }

  /** One L2-normalised embedding for each text, comparable with `Encoding.embedding` by dot product. */
  embedText(texts: string[], as: TextUse): Promise<Float32Array[]> {
    return this.#call('embedText', { texts, as })
  }

  /**
   * For each label, the boxes on the clip's input frames that could be it, with scores; a box may be found for several labels. `labels` holds
   * the phrases that name each label. No boxes from a pack that does not detect.
   */
  async detect({ tokens }: Pick<Encoding, 'tokens'>, labels: readonly (readonly string[])[], signal?: AbortSignal): Promise<Detection[][]> {
    if (tokens === null || labels.length === 0) return labels.map(() => [])
    return this.#call('detect', { tokens, labels: labels.map((phrases) => [...phrases]) }, { signal })
  }

  /** The pack's outputs for these clips, RGB [frames, height, width, 3] of its input size, and texts; and their cost on this machine. */
  knownAnswers(clips: Uint8Array[], texts: string[], signal?: AbortSignal): Promise<KnownAnswers> {
    return this.#call('knownAnswers', { clips, texts }, { signal })
  }

  /** The boxes that a detector finds on each picture. @param turn How many pictures of the video were sampled before the first. */
  see(pictures: Picture[], turn: number, signal?: AbortSignal): Promise<Spotted[][]> {
    return this.#call('see', { pictures, turn }, { signal })
  }

  /** The lines that a text pack reads on each picture. @param video Tells the video from others that are read at the same time. */
  read(pictures: Picture[], video: number, signal?: AbortSignal): Promise<Line[][]> {
    return this.#call('read', { pictures, video }, { signal })
  }

  /** The image pass of an OWL over each picture. @returns What it keeps of their cells, see app/cells. */
  look(pictures: Picture[], signal?: AbortSignal): Promise<Uint16Array[]> {
    return this.#call('look', { pictures }, { signal })
  }

  /** The boxes of labels, each given by the phrases that name it, among the cells that an OWL kept, picture by picture. */
  async spot(cells: Uint16Array[], labels: readonly (readonly string[])[], signal?: AbortSignal): Promise<Spot[][]> {
    if (cells.length === 0 || labels.length === 0) return cells.map(() => [])
    return this.#call('spot', { cells, labels: labels.map((phrases) => [...phrases]) }, { signal })
  }

  /** Boxes among the cells of pictures that look like a box of the picture with the cells `from`, picture by picture. */
  liken(from: Uint16Array, box: RelativeBox, cells: Uint16Array[], signal?: AbortSignal): Promise<Spot[][]> {
    return this.#call('liken', { from, box, cells }, { signal })
  }

  /** What an OWL's graphs say of a picture and of texts, and what that costs. @param every Of so many cells one is given. */
  knownLook(picture: Picture, texts: string[], every: number, signal?: AbortSignal): Promise<KnownLook> {
    return this.#call('knownLook', { picture, texts, every }, { signal })
  }

  /**
   * One step of a job: calls that are made again if the process dies under them. Which of the steps that were under way killed it is not known, so each
   * is then made while no other step runs. One that kills it even so ends its job, and no other.
   *
   * @param work No step within a step. @param signal The job's.
   * @throws What `work` throws; TubeletError `engine-unavailable` if this step, or an earlier one of the job, kills the process.
   */
  async step<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let deaths = 0; ; ) {
      try {
        const run = () => {
          const aside = this.#setAside.get(signal)
          return aside === undefined ? work() : Promise.reject(aside)
        }
        const done = await (deaths === 0 ? this.#turns.beside(run, signal) : this.#turns.alone(run, signal))
        this.#blamed = 0
        return done
      } catch (error) {
        signal.throwIfAborted()
        const aside = this.#setAside.get(signal)
        if (aside !== undefined) throw aside
        const died = error instanceof TubeletError && error.problem.code === 'engine-unavailable' && this.#problem === null
        if (!died) throw error
        deaths += 1
        if (deaths === DEATHS_OF_A_STEP) throw this.#blame(error, signal)
      }
    }
  }

  /** The step that just failed kills the process: that says nothing about the engine, until hardly anything else is heard of it. */
  #blame(cause: TubeletError, signal: AbortSignal): TubeletError {
    const { details } = cause.problem
    this.#blamed += 1
    if (this.#blamed < BLAMED_IN_A_ROW) this.#crashes = []
    else void this.#fail(unavailable('The engine stopped unexpectedly.', details))
    const error = new TubeletError({
      code: 'engine-unavailable',
      message: 'The model “{{pack}}” ended each time that it was given a part of this file, so the file is set aside.',
      values: { pack: this.info.manifest.name },
      stillWorks: 'All other files go on.',
      next: 'Give its task to another pack on the Packs page and try the file again, or leave the file out.',
      ...(details === undefined ? {} : { details }),
    })
    this.#setAside.set(signal, error)
    return error
  }

  /** Compare the outputs with the pack's known answers. Returns what is wrong, or null. */
  selfTest(): Promise<string | null> {
    return this.#call('selfTest', null)
  }

  /** How often each graph ran since the process started, its self-test included. */
  counts(): Promise<Record<string, number>> {
    return this.#call('counts', null)
  }

  /** Ends the process. Calls under way and later ones reject. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end())
  }

  async #end(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restart)
    await this.#fail(unavailable('The engine was closed.'))
  }

  async #call<N extends CallName>(name: N, input: Calls[N]['input'], options: CallOptions<Calls[N]> = {}): Promise<Calls[N]['output']> {
    const { signal } = options
    try {
      signal?.throwIfAborted()
      await unlessAborted(this.#ready.promise, signal)
      return await this.#watched(this.#channel.call(name, input, options))
    } catch (error) {
      throw signal?.aborted ? cancelled() : error
    }
  }

  /** While a call is under way, the process must show that its graphs come to an end. */
  async #watched<T>(call: Promise<T>): Promise<T> {
    this.#asked += 1
    this.#watch ??= setInterval(() => this.#beat(), this.#stuckAfterMs / BEATS).unref()
    try {
      return await call
    } finally {
      this.#asked -= 1
      if (this.#asked === 0) {
        clearInterval(this.#watch)
        this.#watch = undefined
        this.#owed = 0
      }
    }
  }

  #beat(): void {
    if (this.#port === null) this.#owed = 0
    else if (this.#owed === 0) {
      const paid = () => (this.#owed = 0)
      this.#channel.call('beat', null).then(paid, paid)
      this.#owed = 1
    } else if (++this.#owed > BEATS) void this.#fail(this.#stuck())
  }

  #stuck(): TubeletError {
    return new TubeletError({
      code: 'engine-unavailable',
      message: 'The model “{{pack}}” computed for {{minutes}} minutes without coming to an end, so it was ended and is not used.',
      values: { pack: this.#info?.manifest.name ?? this.#name, minutes: Math.round(this.#stuckAfterMs / 60_000) },
      stillWorks: 'Your library, playback, review and export.',
      next: 'Give its tasks to another pack on the Packs page. It is tried again when Tubelet is started again.',
    })
  }

  #launch(): void {
    this.#watched(this.#channel.call('open', null)).then(
      (info) => {
        // The cast is safe: callers narrow an engine to M by `ofFamily`, which checks the manifest.
        this.#info = info as EngineInfo<M>
        this.#enter('ready')
        this.#ready.resolve(undefined)
      },
      // If the process has ended, `#lost` deals with it.
      (error: unknown) => this.#port !== null && void this.#fail(new TubeletError(problemOf(error))),
    )
  }

  /** The process ended. */
  #lost(cause: Error): void {
    this.#port = null
    if (this.#problem !== null) return
    const now = Date.now()
    this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now]
    if (this.#crashes.length >= CRASHES_ALLOWED) {
      void this.#fail(unavailable('The engine stopped unexpectedly.', cause.message))
      return
    }
    if (this.#state === 'ready') this.#ready = readiness()
    this.#enter(this.#info ? 'restarting' : 'starting')
    this.#restart = setTimeout(() => this.#launch(), FIRST_DELAY_MS * 2 ** (this.#crashes.length - 1))
  }

  /** Give up for good: the process is ended, and waiting and later calls reject with `error`. */
  async #fail(error: TubeletError): Promise<void> {
    this.#problem = error.problem
    this.#ready.reject(error)
    this.#ready = readiness()
    this.#ready.reject(error)
    if (!this.#closed) this.#enter('failed')
    await this.#channel.close(error)
  }

  #enter(state: EngineState): void {
    if (state === this.#state) return
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}

type OfFamily<F extends PackManifest['family']> = Extract<PackManifest, { family: F }>
export type MammutEngine = Engine<OfFamily<'mammut'>>
export type DetectorEngine = Engine<OfFamily<'detector'>>
export type OwlEngine = Engine<OfFamily<'owl'>>
export type TextEngine = Engine<OfFamily<'text'>>
/** Engines that write captions or answers from an encoding. */
export type WordsEngine = Engine<OfFamily<'mammut' | 'smolvlm'>>

export function ofFamily<F extends PackManifest['family']>(engine: Engine, family: F): engine is Engine<OfFamily<F>> {
  return engine.info.manifest.family === family
}

function readiness(): PromiseWithResolvers<undefined> {
  const ready = Promise.withResolvers<undefined>()
  // Avoids an unhandled rejection if nobody is waiting.
  ready.promise.catch(() => undefined)
  return ready
}

export function patienceWith(packDir: string): number {
  let bytes = 0
  try {
    for (const name of readdirSync(packDir)) bytes += statSync(path.join(packDir, name)).size
  } catch {
    // The process will say what is wrong with the folder.
  }
  return Math.min(PATIENCE_MS.most, PATIENCE_MS.least + (bytes / 1e6) * PATIENCE_MS.ofMB)
}

function unavailable(message: string, details?: string): TubeletError {
  return new TubeletError({
    code: 'engine-unavailable',
    message,
    stillWorks: 'Your library, playback, review and export.',
    next: 'It starts again by itself. If it keeps stopping, restart Tubelet.',
    ...(details === undefined ? {} : { details }),
  })
}

function cancelled(): TubeletError {
  return new TubeletError({ code: 'cancelled', message: 'Cancelled.' })
}
