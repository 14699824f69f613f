/**
 * A worker: draws tickets, asks the host for a video with each, analyses it with the same code as the app into a library of its own, and sends what is in
 * that. It keeps nothing but the packs that it fetched.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Worker as Drawer } from 'bullmq'
import type { Work } from '../../app/contract/workers.ts'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { LIBRARY_FILE } from '../../app/handover.ts'
import { type Task, TASKS } from '../../app/pack/base.ts'
import { said } from '../../app/phrase.ts'
import { analyseSource, type Progress } from '../jobs/pipeline.ts'
import { Library } from '../library/library.ts'
import { findMediaTools, type MediaTools } from '../media/tools.ts'
import { RunningPacks } from '../packs/running.ts'
import type { PackStore } from '../packs/store.ts'
import { packageVersion } from '../version.ts'
import { Host } from './host.ts'
import { videoOf } from './media.ts'
import { packParcel } from './parcel.ts'
import { connectionTo, LOCKS, mustKeepKeys } from './tickets.ts'

/** How often the host is told how far the work is. */
const TELL_MS = 2_000

export interface WorkerOptions {
  /** The store of tickets: redis://… */
  queue: string
  /** The address of the library's host. */
  host: string
  token: string
  /** Folders in which the host's videos lie here. */
  media: readonly string[]
  name: string
  /** Videos at a time. */
  atATime: number
  packs: PackStore
  tell: (event: WorkerEvent) => void
}

/** What happens in a worker, for whoever started it. */
export type WorkerEvent =
  | { event: 'working'; worker: string; host: string }
  | { event: 'queue-unreachable' }
  | { event: 'pack'; name: string; digest: string }
  /** `seconds`: from the ticket until its results were stored. */
  | { event: 'done'; video: string; seconds: number }
  /** The host no longer wants it, or the worker ends. */
  | { event: 'stopped' | 'given-back'; video: string }
  /** Its results were refused, or it cannot be analysed. */
  | { event: 'not-taken' | 'failed'; video: string; problem: Problem }

interface Doing {
  progress: Progress
  /** Aborted when the host no longer wants it, and when the worker ends. */
  stop: AbortController
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #host: Host
  readonly #scratch = mkdtempSync(path.join(os.tmpdir(), 'tubelet-worker-'))
  readonly #doing = new Map<string, Doing>()
  readonly #ending = new AbortController()
  /** Resolves when the host lets the work go on; null while it does. */
  #pause: PromiseWithResolvers<undefined> | null = null
  #engines: { key: string; dirs: ReadonlyMap<Task, string>; running: RunningPacks; users: number }[] = []
  #media: Promise<MediaTools> | null = null
  #empty = false
  /** The queue of the library that the host has open. */
  #queue = ''
  #drained = false
  /** Why it ended by itself. */
  #fault: TubeletError | null = null

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#host = new Host(options.host, options.token)
  }

  /**
   * Works until `end` is called, the host drains it, or something is wrong with it.
   * @throws TubeletError `forbidden` where the token is not good or the host has banned it, `conflict` for another version, `bad-request`, `disk-full`,
   *   `pack-invalid`, `engine-unavailable`.
   */
  async run(): Promise<void> {
    const { queue, name, atATime, tell } = this.#options
    const connection = connectionTo(queue, 'at-once')
    let wasThere = true
    connection.on('error', () => {
      if (wasThere) tell({ event: 'queue-unreachable' })
      wasThere = false
    })
    connection.on('ready', () => (wasThere = true))
    try {
      const place = await this.#host.call('workPlace', {}, this.#ending.signal)
      // What is wrong with this machine is told before any work is taken.
      await this.#tell()
      await this.#tools()
      await Promise.race([mustKeepKeys(connection), aborted(this.#ending.signal)])
      const drawing = (from: string) => {
        const begun = new Drawer(from, ({ id }) => this.#draw(id ?? ''), { connection, concurrency: atATime, ...LOCKS })
        // Lost locks, and a store that was emptied: the host decides what still counts.
        return begun.on('error', () => undefined)
      }
      this.#queue = place.queue
      let drawer = drawing(this.#queue)
      tell({ event: 'working', worker: name, host: this.#host.url })
      await this.#tellOn(() => {
        if (this.#queue === drawer.name) return
        void drawer.close().catch(() => undefined)
        drawer = drawing(this.#queue)
      })
      // Used tickets are put away, if the store is there.
      await Promise.race([drawer.close().catch(() => undefined), setTimeout(TELL_MS, undefined, { ref: false })])
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error
    } finally {
      connection.disconnect()
      await Promise.all(this.#engines.map(({ running }) => running.close()))
      rmSync(this.#scratch, { recursive: true, force: true })
    }
    if (this.#fault !== null) throw this.#fault
  }

  /** What it does is given back; `run` resolves soon. */
  end(): void {
    this.#ending.abort(new TubeletError({ code: 'cancelled', message: 'The worker ends.' }))
  }

  /** Resolves when the worker is to end and does nothing any more. @param told Called whenever the host has answered. */
  async #tellOn(told: () => void): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted && !(this.#drained && this.#doing.size === 0)) {
      await setTimeout(TELL_MS, undefined, { signal }).catch(() => undefined)
      await this.#tell().catch((error: unknown) => this.#fail(error))
      told()
    }
    for (const { stop } of this.#doing.values()) stop.abort(signal.reason)
    while (this.#doing.size > 0) await setTimeout(20)
  }

  async #tell(): Promise<void> {
    const { name } = this.#options
    const doing = [...this.#doing].map(([claim, { progress }]) => ({ claim, ...progress }))
    const { state, queue, paused, stop } = await this.#host.call(
      'tellWork',
      { body: { worker: name, version: packageVersion, doing } },
      this.#ending.signal,
    )
    this.#queue = queue
    this.#drained ||= state === 'draining'
    for (const claim of stop)
      this.#doing.get(claim)?.stop.abort(new TubeletError({ code: 'cancelled', message: 'This is no longer wanted.' }))
    if (paused) this.#pause ??= Promise.withResolvers()
    else {
      this.#pause?.resolve(undefined)
      this.#pause = null
    }
  }

  /** It cannot go on. */
  #fail(error: unknown): void {
    if (this.#ending.signal.aborted) return
    this.#fault ??= error instanceof TubeletError ? error : new TubeletError(problemOf(error), { cause: error })
    this.end()
  }

  /** A ticket was drawn: resolves when what the host gave for it is delivered or given back. */
  async #draw(ticket: string): Promise<void> {
    const { name } = this.#options
    const { signal } = this.#ending
    if (signal.aborted || this.#drained) return
    try {
      const { work } = await this.#host.call('takeWork', { body: { worker: name, version: packageVersion, ticket } }, signal)
      if (work !== null) await this.#do(work)
    } catch (error) {
      // The ticket is used up in any case: the host makes others.
      this.#fail(error)
    }
  }

  async #do(work: Work): Promise<void> {
    const { claim, video } = work
    const { tell } = this.#options
    const doing: Doing = { progress: { stage: said('Starting'), progress: 0, clips: 0 }, stop: new AbortController() }
    this.#doing.set(claim, doing)
    const folder = mkdtempSync(path.join(this.#scratch, 'work-'))
    const began = performance.now()
    try {
      const { signal } = doing.stop
      const parcel = path.join(folder, 'parcel.zip')
      await this.#analyse(work, folder, parcel, doing)
      await this.#deliver(claim, parcel, signal)
      tell({ event: 'done', video: video.name, seconds: (performance.now() - began) / 1000 })
    } catch (error) {
      await this.#giveBack(claim, video.name, doing, error)
    } finally {
      this.#doing.delete(claim)
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** A host that was started anew knows of this work once it was told of it. */
  async #deliver(claim: string, parcel: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#host.send('deliverWork', { claim }, parcel, signal)
    } catch (error) {
      if (problemOf(error).code !== 'conflict') throw error
      await this.#tell()
      if (signal.aborted) throw error
      await this.#host.send('deliverWork', { claim }, parcel, signal)
    }
  }

  async #giveBack(claim: string, title: string, { stop }: Doing, error: unknown): Promise<void> {
    const { tell } = this.#options
    const ends = this.#ending.signal.aborted
    if (stop.signal.aborted && !ends) {
      tell({ event: 'stopped', video: title })
      return
    }
    const problem = problemOf(error)
    // What is refused when it is delivered is no fault of the video; the host has already decided.
    if (problem.code === 'conflict') {
      tell({ event: 'not-taken', video: title, problem })
      return
    }
    // What is wrong with this machine says nothing about the video.
    const unfit = error instanceof Unfit || problem.code === 'disk-full'
    const fault: Problem | null = ends || unfit ? null : problem
    tell(fault === null ? { event: 'given-back', video: title } : { event: 'failed', video: title, problem })
    await this.#host
      .call('returnWork', { params: { claim }, body: { problem: fault } }, AbortSignal.timeout(TELL_MS))
      .catch(() => undefined)
    if (unfit) this.#fail(error)
  }

  /** Analyse the video into a new library, and pack that. */
  async #analyse(work: Work, folder: string, parcel: string, doing: Doing): Promise<void> {
    const { signal } = doing.stop
    const { video, packs, vocabulary, language, columns } = work
    const file = await videoOf(work, this.#options.media, { host: this.#host, scratch: folder, signal })
    const engines = await this.#enginesFor(packs, signal)
    const project = path.join(folder, 'library')
    const library = this.#newLibrary(project)
    try {
      for (const task of TASKS) {
        const pack = packs[task]
        if (pack !== undefined) library.packs.use(task, pack)
      }
      library.detections.setVocabulary(vocabulary)
      library.setSetting('language', language)
      for (const { kind, text } of columns) library.table.addColumn(kind, text, true)
      const { name, bytes, fingerprint, picture } = video
      const { source } = library.addSource({ path: file, name, bytes, mtimeMs: 0, fingerprint, picture })
      const pipeline = { library, packs: engines.running, media: () => this.#tools(), appVersion: packageVersion }
      const began = performance.now()
      const problem = await analyseSource(
        pipeline,
        source,
        async (progress) => {
          doing.progress = progress
          if (this.#pause !== null) await Promise.race([this.#pause.promise, aborted(signal)])
          signal.throwIfAborted()
        },
        signal,
      )
      const busy = (performance.now() - began) / 1000
      await library.close()
      const used = [...new Set(Object.values(packs).flatMap((pack) => pack?.digest ?? []))]
      await packParcel(project, source.id, { version: packageVersion, packs: used, problem, busy }, parcel)
    } finally {
      engines.users -= 1
      await library.close().catch(() => undefined)
    }
  }

  /** Empty, as a copy of the first one: making the tables takes longer than copying them. */
  #newLibrary(folder: string): Library {
    const empty = path.join(this.#scratch, 'empty')
    if (!this.#empty) {
      void Library.open(empty).close()
      this.#empty = true
    }
    mkdirSync(folder)
    copyFileSync(path.join(empty, LIBRARY_FILE), path.join(folder, LIBRARY_FILE))
    return Library.open(folder, { scratch: true })
  }

  #tools(): Promise<MediaTools> {
    return (this.#media ??= findMediaTools())
  }

  /** The packs, running; those that are no longer used are ended. @throws Unfit where one cannot be fetched or does not start. */
  async #enginesFor(packs: Work['packs'], signal: AbortSignal): Promise<{ running: RunningPacks; users: number }> {
    // Packs are looked for, and read, only when others are used than before.
    const key = JSON.stringify(TASKS.map((task) => packs[task]?.digest))
    let engines = this.#engines.find((one) => one.key === key)
    const dirs = engines?.dirs ?? (await this.#dirsOf(packs, signal))
    // Another video may have begun with the same ones meanwhile.
    engines ??= this.#engines.find((one) => one.key === key)
    if (engines === undefined) {
      engines = { key, dirs, running: new RunningPacks(dirs, undefined, () => undefined), users: 0 }
      this.#engines.push(engines)
    }
    engines.users += 1
    const idle = this.#engines.filter((one) => one !== engines && one.users === 0)
    this.#engines = this.#engines.filter((one) => !idle.includes(one))
    await Promise.all(idle.map(({ running }) => running.close()))
    try {
      // An analysis goes on without boxes or text if their pack does not start. Here, another worker may do better.
      for (const task of dirs.keys()) await engines.running.get(task)
    } catch (error) {
      engines.users -= 1
      this.#engines = this.#engines.filter((one) => one !== engines)
      if (engines.users === 0) await engines.running.close()
      // A copy that was changed since it was fetched is fetched anew the next time.
      if (problemOf(error).code === 'pack-invalid') this.#forget([...dirs.values()])
      throw new Unfit(error)
    }
    return engines
  }

  /** @throws Unfit where a pack cannot be fetched. */
  async #dirsOf(packs: Work['packs'], signal: AbortSignal): Promise<Map<Task, string>> {
    const dirs = new Map<Task, string>()
    for (const task of TASKS) {
      const digest = packs[task]?.digest
      if (digest !== undefined)
        dirs.set(
          task,
          await this.#pack(digest, signal).catch((error: unknown) => {
            throw signal.aborted ? error : new Unfit(error)
          }),
        )
    }
    return dirs
  }

  #forget(dirs: readonly string[]): void {
    const { packs } = this.#options
    for (const { id, dir, bundled } of packs.usable()) if (!bundled && dirs.includes(dir)) packs.delete(id)
  }

  /** Fetches of packs, so that two videos share one. */
  readonly #fetching = new Map<string, Promise<string>>()

  #pack(digest: string, signal: AbortSignal): Promise<string> {
    const { packs } = this.#options
    const here = packs.usable().find((pack) => pack.digest === digest)
    if (here !== undefined) return Promise.resolve(here.dir)
    let fetching = this.#fetching.get(digest)
    if (fetching === undefined) {
      fetching = this.#fetchPack(digest, signal).finally(() => this.#fetching.delete(digest))
      this.#fetching.set(digest, fetching)
    }
    return fetching
  }

  /** The engine compares each file with the checksum in pack.json; the digest covers those. */
  async #fetchPack(digest: string, signal: AbortSignal): Promise<string> {
    const { packs, tell } = this.#options
    const { files } = await this.#host.call('workPack', { params: { digest } }, signal)
    const folder = packs.unfinished()
    try {
      for (const { name, bytes } of files) {
        if (name !== path.basename(name) || name.startsWith('.')) throw strangePack(digest)
        await this.#host.fetch('workPackFile', { digest, file: name }, bytes, path.join(folder, name), signal)
      }
      const pack = packs.adopt(folder)
      if (pack.digest !== digest) {
        packs.delete(pack.id)
        throw strangePack(digest)
      }
      tell({ event: 'pack', name: pack.manifest.name, digest })
      return pack.dir
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** This machine cannot do the work, whatever the video. */
class Unfit extends TubeletError {
  constructor(cause: unknown) {
    super(problemOf(cause), { cause })
  }
}

function strangePack(digest: string): TubeletError {
  return new TubeletError({
    code: 'pack-invalid',
    message: 'The host sends another pack than the library uses ({{digest}}), so this worker does nothing for it.',
    values: { digest: digest.slice(0, 12) },
    next: 'Check the packs of the host with “tubelet packs list”.',
  })
}

/** Rejects when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
