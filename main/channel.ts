/**
 * Calls between the host and its worker threads and child processes. The host makes a `Channel` and calls operations by
 * name; the other side answers them with `serve`. Both sides share one type, a service: a map from each operation to its input and output.
 */
import { fork } from 'node:child_process'
import { readSync } from 'node:fs'
import type { Writable } from 'node:stream'
import path from 'node:path'
import { parentPort, type ResourceLimits, type Transferable, Worker } from 'node:worker_threads'
import { diskProblem, type Problem, problemOf, TubeletError } from '../app/errors.ts'

/** `note`: what the other side reports while it works, such as progress. */
type Service<S> = { [K in keyof S]: { input: unknown; output: unknown; note?: unknown } }
type NoteOf<O> = O extends { note: infer N } ? N : never

/** The host's connection to the other side. Messages are copied by structured clone and must contain no functions. */
export interface Port {
  /** @param transfer Memory that is transferred instead of copied. A process copies it all the same. */
  post(message: unknown, transfer: readonly Transferable[]): void
  onMessage(listener: (message: unknown) => void): void
  /** Called once, after the last message, when the other side has ended for any reason. */
  onEnd(listener: (cause: Error) => void): void
  /** Whether a thread keeps this process alive. A process always does, until it is killed. */
  hold(alive: boolean): void
  /** End the other side at once, whatever it is doing. `onEnd` follows. */
  kill(): void
}

export interface CallOptions<O> {
  /** When it is aborted, the call rejects at once with its reason, and the other side is told to stop. */
  signal?: AbortSignal | undefined
  onNote?: ((note: NoteOf<O>) => void) | undefined
  /** Memory of the input that is transferred instead of copied. */
  transfer?: readonly Transferable[] | undefined
}

type ToService = { id: number; kind: string; input: unknown } | { id: number; cancel: true }
type FromService = { id: number; note: unknown } | { id: number; output: unknown } | { id: number; problem: Problem }

interface Pending {
  resolve: (output: unknown) => void
  reject: (error: unknown) => void
  note: ((note: unknown) => void) | undefined
}

interface Side {
  port: Port
  pending: Map<number, Pending>
  over: Promise<void>
}

/**
 * Starts the other side at the first call, and again at the next call after it died. While a call is under way a thread keeps this process
 * alive; idle, it does not.
 */
export class Channel<S extends Service<S>> {
  readonly #open: () => Port
  readonly #stopped: Problem
  #side: Side | null = null
  #nextId = 1
  #closed = false

  /**
   * @param open Starts the other side.
   * @param stopped The error of calls that the other side does not answer because it has ended. If a full or missing disk is why, that is the error.
   */
  constructor(open: () => Port, stopped: Problem) {
    this.#open = open
    this.#stopped = stopped
  }

  /**
   * Calls run side by side and are answered in any order.
   * @throws TubeletError the problem that the other side threw; `stopped` when it ended first, with what ended it as `cause`; `internal` when the
   *   input cannot be cloned; `cancelled` after `close`. The signal's reason when that is aborted.
   */
  async call<K extends keyof S & string>(kind: K, input: S[K]['input'], options: CallOptions<S[K]> = {}): Promise<S[K]['output']> {
    const { signal, onNote, transfer = [] } = options
    signal?.throwIfAborted()
    if (this.#closed) throw closed()
    const side = (this.#side ??= this.#start())
    const { port, pending } = side
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const cancel = () => {
      reject(signal?.reason)
      if (this.#side === side) port.post({ id, cancel: true } satisfies ToService, [])
    }
    if (pending.size === 0) port.hold(true)
    pending.set(id, { resolve, reject, note: onNote as Pending['note'] })
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      port.post({ id, kind, input } satisfies ToService, transfer)
      return await promise
    } catch (error) {
      throw error === signal?.reason || error instanceof TubeletError ? error : new TubeletError(problemOf(error), { cause: error })
    } finally {
      signal?.removeEventListener('abort', cancel)
      pending.delete(id)
      if (pending.size === 0) port.hold(false)
    }
  }

  /** Ends the other side, whatever it does. Calls under way reject with `why`, later ones with `cancelled`. */
  async close(why = closed()): Promise<void> {
    this.#closed = true
    const side = this.#side
    if (side === null) return
    for (const { reject } of side.pending.values()) reject(why)
    side.port.hold(true)
    side.port.kill()
    await side.over
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #start(): Side {
    const port = this.#open()
    const pending: Side['pending'] = new Map()
    port.onMessage((message) => receive(pending, message as FromService))
    const over = new Promise<void>((resolve) => {
      port.onEnd((cause) => {
        this.#side = null
        const details = cause.stack ?? cause.message
        const error = new TubeletError(diskProblem(cause) ?? { ...this.#stopped, details }, { cause })
        for (const { reject } of pending.values()) reject(error)
        resolve()
      })
    })
    return { port, pending, over }
  }
}

function receive(pending: ReadonlyMap<number, Pending>, message: FromService): void {
  // Nobody waits for the answer to a cancelled call.
  const asked = pending.get(message.id)
  if ('note' in message) asked?.note?.(message.note)
  else if ('problem' in message) asked?.reject(new TubeletError(message.problem))
  else asked?.resolve(message.output)
}

function closed(): TubeletError {
  return new TubeletError({ code: 'cancelled', message: 'Tubelet was closed.' })
}

// ── the host's ports

/**
 * A worker thread.
 * @param near `import.meta.url` of the caller.
 * @param entry Its file beside the caller, without the ending: `.ts` from the sources, `.js` when built.
 * @param data Its `workerData`.
 */
export function thread(near: string, entry: string, data?: unknown, resourceLimits: ResourceLimits = {}): Port {
  const worker = new Worker(new URL(`./${entry}${path.extname(near)}`, near), { workerData: data, resourceLimits })
  let cause: Error | null = null
  worker.on('error', (error) => (cause = error instanceof Error ? error : new Error(String(error))))
  // It is not known which call this would answer, so all are given up.
  worker.on('messageerror', (error) => {
    cause = error
    void worker.terminate()
  })
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (listener) => worker.on('message', listener),
    onEnd: (listener) => worker.once('exit', (code) => listener(cause ?? ended(`the thread ended with exit code ${code}`))),
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
    kill: () => void worker.terminate(),
  }
}

/** @param pid Undefined where it could not be started. */
export type ProcessPort = Port & { readonly pid: number | undefined }

/**
 * Starts a Node process, which ends by itself when this one does. Large bytes of a message are written from where they lie: until the call is answered
 * their memory must stay as it is.
 * @param entry The path of its file. @param args Its arguments.
 */
export function childProcess(entry: string, args: readonly string[]): ProcessPort {
  const child = fork(entry, args, {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', HAS_PIPE ? 'pipe' : 'ignore'],
  })
  const pipe = child.stdio[PIPE] as Writable | null | undefined
  // Its exit reports that the child is gone.
  pipe?.on('error', () => undefined)
  const { promise: end, resolve } = Promise.withResolvers<Error>()
  child.once('exit', (code, signal) => resolve(ended(`the process ended with ${signal ?? `exit code ${code}`}`)))
  // If it could not be started at all, there is no exit event.
  child.once('error', resolve)
  return {
    pid: child.pid,
    // If sending fails, the child is gone, which its exit reports.
    post: (message) => {
      const large: Large[] = []
      const light = pipe ? without(message, large) : message
      child.send({ light, large: large.map(({ at, bytes }) => ({ at, length: bytes.length })) } satisfies Letter, () => undefined)
      for (const { bytes } of large) pipe?.write(bytes)
    },
    onMessage: (listener) => child.on('message', listener),
    onEnd: (listener) => void end.then(listener),
    hold: () => undefined,
    kill: () => void child.kill('SIGKILL'),
  }
}

// ── large bytes on their way to a process

/** In a message, bytes are copied several times on either side, and each copy is memory to be freed; from so many on, a pipe of their own costs less. */
const LARGE = 2 ** 15
/** The pipe's place among the child's streams, behind that of the messages. A child cannot read it as a file on Windows. */
const PIPE = 4
const HAS_PIPE = process.platform !== 'win32'
/** So deep in a message large bytes are looked for. */
const DEEPEST = 5
/** The memory of so many is kept for later ones. */
const MOST_KEPT = 4

interface Large {
  /** Keys and indexes from the message to the bytes. */
  at: (string | number)[]
  bytes: Uint8Array
}

/** A message to a process, and what follows on the pipe, in that order. */
interface Letter {
  light: unknown
  large: (Pick<Large, 'at'> & { length: number })[]
}

/** A copy of a message without its large bytes, which are added to `large`. */
function without(value: unknown, large: Large[], at: Large['at'] = []): unknown {
  if (value instanceof Uint8Array && value.length >= LARGE) {
    large.push({ at, bytes: value })
    return null
  }
  if (at.length >= DEEPEST || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one: unknown, i) => without(one, large, [...at, i]))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, without(one, large, [...at, key])]))
}

/** Puts the bytes that follow on the pipe into their places. @returns The message, and the bytes' memory. */
function opened({ light, large }: Letter): { message: unknown; memory: Uint8Array[] } {
  const memory = large.map(({ length }) => received(length))
  const root: { message: unknown } = { message: light }
  large.forEach(({ at }, i) => {
    const keys = ['message', ...at]
    const last = keys.pop() ?? ''
    const holder = keys.reduce<unknown>((one, key) => (one as Record<string | number, unknown>)[key], root)
    Object.assign(holder as object, { [last]: memory[i] })
  })
  return { message: root.message, memory }
}

/** Memory of bytes that no call uses any more. */
const spare: Uint8Array[] = []

function received(length: number): Uint8Array {
  const at = spare.findIndex((one) => one.length === length)
  const bytes = (at < 0 ? undefined : spare.splice(at, 1)[0]) ?? new Uint8Array(length)
  for (let filled = 0; filled < length; ) {
    const read = readSync(PIPE, bytes, filled, length - filled, null)
    // The host is gone.
    if (read === 0) process.exit()
    filled += read
  }
  return bytes
}

/** An error without a stack: where the end was noticed does not matter. */
export function ended(message: string): Error {
  return Object.assign(new Error(message), { stack: message })
}

// ── the other side

/** What a handler gets besides the input. */
export interface Call<O> {
  /** Aborted when the host no longer wants the answer. */
  signal: AbortSignal
  /** Report something while the call runs. @param transfer Memory of the note that is transferred instead of copied. */
  note: (note: NoteOf<O>, transfer?: readonly Transferable[]) => void
}
/**
 * What an operation throws reaches the caller as a TubeletError: its own, or `internal` with the stack in the details. In a process, bytes of the input
 * hold until the operation is done; their memory then belongs to a later call.
 */
export type Handlers<S extends Service<S>> = {
  [K in keyof S]: (input: S[K]['input'], call: Call<S[K]>) => S[K]['output'] | Promise<S[K]['output']>
}

interface Host {
  post(message: FromService, transfer?: readonly Transferable[]): void
  /** @param done To be called when nothing of the message is needed any more. */
  onMessage(listener: (message: ToService, done: () => void) => void): void
}

/** Answer the host's calls in this thread or process from now on. A process ends when its host does. */
export function serve<S extends Service<S>>(handlers: Handlers<S>): void {
  const host = hostOf()
  const running = new Map<number, AbortController>()
  const run = async <K extends keyof S>(id: number, kind: K, input: S[K]['input']): Promise<void> => {
    const abort = new AbortController()
    running.set(id, abort)
    try {
      const output = await handlers[kind](input, {
        signal: abort.signal,
        note: (note, transfer) => host.post({ id, note }, transfer),
      })
      host.post({ id, output })
    } catch (error) {
      host.post({ id, problem: problemOf(error) })
    } finally {
      running.delete(id)
    }
  }
  host.onMessage((message, done) => {
    if ('cancel' in message) running.get(message.id)?.abort()
    else void run(message.id, message.kind as keyof S, message.input).finally(done)
  })
}

function nothing(): void {
  // A message that came whole leaves nothing to be given back.
}

/** An Electron utility process has `process.parentPort`, a forked Node process `process.send`. */
interface UtilityPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
}

function hostOf(): Host {
  const port = parentPort
  if (port !== null) {
    // A call that cannot be read cannot be answered: the thread ends, and the host learns that by its exit.
    port.on('messageerror', (error) => {
      throw error
    })
    return {
      post: (message, transfer = []) => port.postMessage(message, transfer),
      onMessage: (listener) => port.on('message', (message: ToService) => listener(message, nothing)),
    }
  }
  const utility = (process as { parentPort?: UtilityPort }).parentPort
  if (utility !== undefined)
    return {
      post: (message) => utility.postMessage(message),
      onMessage: (listener) => utility.on('message', ({ data }) => listener(data as ToService, nothing)),
    }
  process.on('disconnect', () => process.exit())
  return {
    // The host may be gone already; "disconnect" then ends this process.
    post: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
    },
    onMessage: (listener) =>
      process.on('message', (letter) => {
        const { message, memory } = opened(letter as Letter)
        listener(message as ToService, () => {
          spare.push(...memory)
          spare.splice(0, spare.length - MOST_KEPT)
        })
      }),
  }
}
