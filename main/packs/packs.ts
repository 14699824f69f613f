/** What the user does with packs: list, import, download, estimate the cost of a switch, switch, delete. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readdir, rm, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { BESIDE, CATALOGUE, engineMemory } from '../../app/catalogue.ts'
import type { InstalledPack, PackOverview, PackWork, Precision, SwitchPlan } from '../../app/contract/packs.ts'
import { problemOf, TubeletError } from '../../app/errors.ts'
import { encodingTime } from '../../app/estimate.ts'
import { type Task, TASKS } from '../../app/pack/base.ts'
import { does } from '../../app/pack/pack.ts'
import type { ForkEngine } from '../engine/engine.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Library } from '../library/library.ts'
import type { ChosenPack } from '../library/packs.ts'
import { type Brought, receive } from './brought.ts'
import { checkedAddress, download, forgetDownload, isDenied, partOf } from './download.ts'
import { prepareImport, type Imported, type ImportOptions } from './import.ts'
import type { RunningPacks } from './running.ts'
import { isIndex, readIndex } from './safetensors.ts'
import { PackSettings } from './settings.ts'
import type { PackStore, StoredPack } from './store.ts'

interface Parts {
  library: Library
  jobs: Jobs
  store: PackStore
  running: RunningPacks
  fork: ForkEngine | undefined
  /** models/packs, or its place in the packaged app. */
  templates: string
  /** The id of the pack that the library used, if it is no longer on this machine. */
  lost: string | null
}

interface Work {
  shown: PackWork
  stop: AbortController
  ended: Promise<void>
}

/** Least time between two progress events, milliseconds. */
const ANNOUNCE_MS = 250

export class Packs {
  readonly settings: PackSettings
  readonly #parts: Parts
  readonly #works = new Map<number, Work>()
  readonly #downloads: string
  #lastWork = 0
  #announcement: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.settings = new PackSettings(parts.store.folder)
    this.#downloads = path.join(parts.store.folder, '.downloads')
  }

  async overview(): Promise<PackOverview> {
    const { library, store, lost } = this.#parts
    const { bavail, bsize } = await statfs(nearest(store.folder))
    const usage = library.packs.usage()
    await store.refresh()
    const stored = store.list()
    const usable = stored.filter((pack) => 'digest' in pack)
    const inUse = this.#inUse(usable)
    const packs = stored.map((pack) => this.#installed(pack, usage, usable))
    const here = new Set(packs.map(({ digest }) => digest))
    const orphans = [...usage].filter(([digest]) => !here.has(digest)).map(([, use]) => use)
    return {
      packs,
      catalogue: [...CATALOGUE],
      works: [...this.#works.values()].map(({ shown }) => shown),
      stopped: await this.#stopped(),
      machine: { memoryTotal: os.totalmem(), memoryFree: os.freemem(), diskFree: bavail * bsize, folder: store.folder },
      networkAllowed: this.settings.network,
      tasks: TASKS.map((task) => ({
        task,
        packId: this.#of(task, usable)?.id ?? null,
        able: usable.filter(({ manifest }) => does(manifest, task)).map(({ id }) => id),
      })),
      cost: this.#cost(inUse),
      missing: this.#missing(inUse),
      orphans: { clips: orphans.reduce((sum, { clips }) => sum + clips, 0), bytes: orphans.reduce((sum, { bytes }) => sum + bytes, 0) },
      lost,
    }
  }

  /** What a switch to a pack would cost. @param task Null for all tasks that suit it. @throws TubeletError `not-found`, `pack-invalid`, `pack-cannot` */
  plan(id: string, task: Task | null = null): SwitchPlan {
    const { library, store } = this.#parts
    const pack = store.find(id)
    const tasks = this.#given(pack, task && [task])
    const kept = TASKS.filter((one) => !tasks.includes(one)).flatMap((one) => this.#of(one) ?? [])
    const then = [...new Map([...kept, pack].map((one) => [one.digest, one])).values()]
    return {
      packId: id,
      tasks,
      ready: library.packs.usage().get(pack.digest)?.clips ?? 0,
      missing: this.#missing([pack], then),
      cost: { now: this.#cost(this.#inUse()), then: this.#cost(then) },
    }
  }

  /**
   * Give tasks to a pack. When the work ends, the pack has passed its self-test, and clips that it has not seen are queued.
   * @param tasks Null for all that suit it. @param encode False: queue nothing.
   * @throws TubeletError `not-found`, `pack-invalid`; `pack-cannot` for a task that is not its own; `conflict` while another switch is under way.
   */
  use(id: string, tasks: readonly Task[] | null = null, encode = true): PackWork {
    const { library, jobs, store, running } = this.#parts
    const pack = store.find(id)
    const given = this.#given(pack, tasks)
    this.#refuseSecondSwitch()
    return this.#start({ kind: 'switch', title: pack.manifest.name, url: null }, 'switching', async () => {
      if (given.every((task) => this.#of(task)?.digest === pack.digest)) return
      await jobs.pausedFor(async () => {
        for (const task of given) {
          await running.assign(task, pack.dir)
          library.packs.use(task, chosenOf(pack))
        }
        this.#parts.lost = null
      })
      await jobs.detectLabels()
      if (given.includes('caption')) await library.restateAll()
      if (encode) jobs.encodeMissing([pack.digest])
    })
  }

  /** Let no pack do a task. @throws TubeletError `conflict` for a task that the library cannot do without, and while a switch is under way. */
  async leave(task: Task): Promise<void> {
    const { library, jobs, running } = this.#parts
    if (task !== 'boxes' && task !== 'text')
      throw new TubeletError({
        code: 'conflict',
        message: 'Captions, answers and search need a pack.',
        stillWorks: 'Everything.',
        next: 'Give the task to another pack instead.',
      })
    this.#refuseSecondSwitch()
    await jobs.pausedFor(async () => {
      await running.assign(task, null)
      library.packs.use(task, null)
    })
    this.#changed()
  }

  #refuseSecondSwitch(): void {
    if (![...this.#works.values()].some(({ shown }) => shown.kind === 'switch' && shown.state === 'running')) return
    throw new TubeletError({
      code: 'conflict',
      message: 'Another pack is being started just now.',
      stillWorks: 'It goes on.',
      next: 'Wait until it is ready, then choose again.',
    })
  }

  /** The tasks to give to a pack; if none are named, all that suit it. A MaMMUT does not take boxes from a detector, which finds far more. */
  #given({ manifest }: StoredPack, tasks: readonly Task[] | null): Task[] {
    const able = TASKS.filter((task) => does(manifest, task))
    const other = tasks?.find((task) => !able.includes(task))
    if (other !== undefined)
      throw new TubeletError({
        code: 'pack-cannot',
        message: '“{{pack}}” cannot do that.',
        values: { pack: manifest.name },
        stillWorks: 'What this model can do is written on the Packs page.',
        next: 'Give that task to a pack that can.',
      })
    return tasks
      ? [...tasks]
      : able.filter((task) => task !== 'boxes' || manifest.family !== 'mammut' || this.#of('boxes')?.manifest.family !== 'detector')
  }

  #of(task: Task, usable = this.#parts.store.usable()): StoredPack | null {
    const chosen = this.#parts.library.packs.current()[task]
    return usable.find(({ digest }) => digest === chosen?.digest) ?? null
  }

  #inUse(usable = this.#parts.store.usable()): StoredPack[] {
    const digests = this.#parts.library.packs.inUse()
    return usable.filter(({ digest }) => digests.includes(digest))
  }

  #cost(packs: readonly StoredPack[]): PackOverview['cost'] {
    const speed = this.#parts.jobs.speed(packs.map(({ digest }) => digest))
    return {
      memory: packs.reduce((sum, pack) => sum + this.#memory(pack).bytes, 0),
      secondsPerMinute: speed && (60 * speed.wall) / speed.video,
    }
  }

  #memory({ digest, bytes }: StoredPack): InstalledPack['memory'] {
    const measured = this.settings.measured(digest)
    return measured ? { bytes: measured.memoryBytes, measured: true } : { bytes: engineMemory(bytes), measured: false }
  }

  /** Queue the sources, of these or of all, with clips that the packs in use have not seen. @returns How many. */
  encodeMissing(only?: readonly number[]): number {
    const { library, jobs } = this.#parts
    return jobs.encodeMissing(library.packs.inUse(), only)
  }

  /** @throws TubeletError `not-found`; `forbidden` for the one that ships; `conflict` for the one in use. */
  delete(id: string): void {
    const { library, store } = this.#parts
    const pack = store.list().find((one) => one.id === id)
    if (pack && 'digest' in pack && library.packs.inUse().includes(pack.digest)) {
      throw new TubeletError({
        code: 'conflict',
        message: '“{{name}}” is in use.',
        values: { name: pack.manifest.name },
        stillWorks: 'It goes on.',
        next: 'Use another pack first, then delete this one.',
      })
    }
    store.delete(id)
    if (pack && 'digest' in pack) library.packs.forget(pack.digest)
    this.#changed()
  }

  forgetOrphans(): void {
    const { library, store } = this.#parts
    const here = new Set(store.usable().map(({ digest }) => digest))
    for (const digest of library.packs.usage().keys()) if (!here.has(digest)) library.packs.forget(digest)
    this.#changed()
  }

  /** @throws TubeletError as `prepareImport`, before the work begins. */
  async import(file: string, precision: Precision = 'fp32'): Promise<PackWork> {
    const { store, templates } = this.#parts
    const prepared = await prepareImport(file, precision, templates, store)
    return this.#start({ kind: 'import', title: path.basename(file), url: null }, 'checking', async (options) =>
      this.#imported(await prepared.run(options)),
    )
  }

  /** Import a file whose bytes are sent. Resolves when all of it is here. @throws what `receive` throws */
  async bring(file: Brought, body: ReadableStream<Uint8Array>, precision: Precision = 'fp32'): Promise<PackWork> {
    const { store, templates } = this.#parts
    const here = Promise.withResolvers<null>()
    const work = this.#start({ kind: 'import', title: file.name, url: null }, 'copying', async (options) => {
      const dir = store.unfinished()
      try {
        const prepared = await receive(file, body, dir, (given) => prepareImport(given, precision, templates, store, file.bytes), options)
        here.resolve(null)
        this.#imported(await prepared.run(options))
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    })
    await Promise.race([here.promise, this.finished(work)])
    return work
  }

  /** @throws TubeletError `network-off`, `bad-request`, `conflict` */
  download(url: string, { sha256, precision = 'fp32' }: { sha256?: string | undefined; precision?: Precision | undefined }): PackWork {
    const address = checkedAddress(url)
    if (!this.settings.network) {
      throw new TubeletError({
        code: 'network-off',
        message: 'Tubelet may not use the network.',
        stillWorks: 'A file that you bring yourself can be imported.',
        next: 'Allow downloads on the Packs page, then try again.',
      })
    }
    const file = this.#downloadFile(url)
    if (this.#fetching().has(url)) {
      throw new TubeletError({ code: 'conflict', message: 'This file is being fetched already.', next: 'Watch it on the Packs page.' })
    }
    const { store, templates } = this.#parts
    return this.#start({ kind: 'download', title: path.basename(file), url }, 'downloading', async (options) => {
      const found = await fetchCheckpoint({ address, file, sha256 }, options)
      options.report({ stage: 'checking', bytes: null, totalBytes: null })
      try {
        const prepared = await prepareImport(file, precision, templates, store)
        this.#imported(await prepared.run({ ...options, origin: { url, ...(found === null ? {} : { sha256: found }) } }))
      } catch (error) {
        // An unusable file is deleted; after a lack of disk space or an abort it is kept.
        if (!options.signal.aborted && error instanceof TubeletError && error.problem.code === 'checkpoint-unusable')
          await rm(path.dirname(file), { recursive: true, force: true })
        throw error
      }
      await rm(path.dirname(file), { recursive: true, force: true })
    })
  }

  async discardDownload(url: string): Promise<void> {
    const file = this.#downloadFile(url)
    await forgetDownload(file)
    await rm(path.dirname(file), { recursive: true, force: true })
    this.#changed()
  }

  /** Stop running work, or remove failed work from the list. @throws TubeletError `not-found`; `conflict` for a switch, which cannot be stopped half way. */
  async cancel(workId: number): Promise<void> {
    const work = this.#works.get(workId)
    if (work === undefined) throw new TubeletError({ code: 'not-found', message: 'That is over already.' })
    if (work.shown.kind === 'switch' && work.shown.state === 'running')
      throw new TubeletError({
        code: 'conflict',
        message: 'A pack that is being started cannot be stopped half way.',
        next: 'Wait until it is ready, then choose another one.',
      })
    work.stop.abort(new TubeletError({ code: 'cancelled', message: 'Stopped.' }))
    await work.ended
    this.#works.delete(workId)
    this.#changed()
  }

  setNetwork(allowed: boolean): void {
    this.settings.network = allowed
    // The window shows whether the network may be used.
    this.#parts.library.emit({ type: 'status' })
    if (!allowed)
      for (const { shown, stop } of this.#works.values())
        if (shown.stage === 'downloading')
          stop.abort(
            new TubeletError({
              code: 'network-off',
              message: 'Downloads were switched off.',
              stillWorks: 'What has come is kept.',
              next: 'Allow downloads to go on.',
            }),
          )
    this.#changed()
  }

  /** Resolves when the work is over. @throws what it failed with. */
  async finished({ id }: PackWork): Promise<void> {
    const work = this.#works.get(id)
    await work?.ended
    if (work?.shown.problem) throw new TubeletError(work.shown.problem)
  }

  /** Ends work that is under way; a download continues when it is asked for again. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#announcement)
    for (const { stop } of this.#works.values()) stop.abort(new TubeletError({ code: 'cancelled', message: 'Tubelet was closed.' }))
    await Promise.all([...this.#works.values()].map(({ ended }) => ended))
  }

  #start(
    what: Pick<PackWork, 'kind' | 'title' | 'url'>,
    stage: PackWork['stage'],
    run: (options: ImportOptions) => Promise<void>,
  ): PackWork {
    const { store, fork } = this.#parts
    const shown: PackWork = { ...what, id: (this.#lastWork += 1), state: 'running', stage, bytes: null, totalBytes: null, problem: null }
    const stop = new AbortController()
    const report: ImportOptions['report'] = (progress) => {
      Object.assign(shown, progress)
      this.#changed()
    }
    const ended = run({ store, fork, report, signal: stop.signal }).then(
      () => void this.#works.delete(shown.id),
      (error: unknown) => {
        const problem = problemOf(stop.signal.aborted ? stop.signal.reason : error)
        if (problem.code === 'cancelled') this.#works.delete(shown.id)
        Object.assign(shown, { state: 'failed', problem })
      },
    )
    this.#works.set(shown.id, { shown, stop, ended: ended.then(() => this.#changed()) })
    this.#changed()
    return shown
  }

  #imported({ pack, measured }: Imported): void {
    if (measured) this.settings.remember(pack.digest, measured)
  }

  #installed(
    pack: ReturnType<PackStore['list']>[number],
    usage: ReadonlyMap<string, { clips: number; bytes: number }>,
    usable: StoredPack[],
  ): InstalledPack {
    const { id, dir: folder, bytes } = pack
    if ('problem' in pack)
      return {
        id,
        folder,
        bytes,
        bundled: false,
        does: [],
        manifest: null,
        digest: null,
        problem: pack.problem,
        memory: { bytes: 0, measured: false },
        secondsPerClip: null,
        encoded: { clips: 0, bytes: 0 },
      }
    const measured = this.settings.measured(pack.digest)
    return {
      id,
      folder,
      bytes,
      bundled: pack.bundled,
      does: TASKS.filter((task) => this.#of(task, usable)?.digest === pack.digest),
      manifest: pack.manifest,
      digest: pack.digest,
      problem: null,
      memory: this.#memory(pack),
      secondsPerClip: measured?.secondsPerClip ?? null,
      encoded: usage.get(pack.digest) ?? { clips: 0, bytes: 0 },
    }
  }

  /** What these packs have not seen, and how long it takes them. @param then The packs that are in use then. */
  #missing(packs: readonly StoredPack[], then = packs): SwitchPlan['missing'] {
    const { library, jobs } = this.#parts
    const { clips, seconds: videoSeconds } = library.packs.missing(packs.map(({ digest }) => digest))
    const measured = packs.flatMap(({ digest }) => this.settings.measured(digest)?.secondsPerClip ?? [])[0] ?? null
    const now = this.#inUse()
    const other = {
      here: jobs.speed(now.map(({ digest }) => digest)),
      secondsPerClip: now.flatMap(({ digest }) => this.settings.measured(digest)?.secondsPerClip ?? [])[0] ?? null,
    }
    const estimate = encodingTime(
      { clips, videoSeconds },
      { here: jobs.speed(then.map(({ digest }) => digest)), secondsPerClip: measured, other },
    )
    return { clips, videoSeconds, estimate, bytes: clips * packs.reduce((sum, pack) => sum + storedPerClip(pack), 0) }
  }

  /** One folder for each address, so that files of the same name do not collide. */
  #downloadFile(url: string): string {
    const name = path.posix.basename(checkedAddress(url).pathname).replaceAll(/[^A-Za-z0-9._-]/g, '_')
    return path.join(
      this.#downloads,
      createHash('sha256').update(url).digest('hex').slice(0, 12),
      name === '' || name.startsWith('.') ? 'checkpoint' : name,
    )
  }

  async #stopped(): Promise<PackOverview['stopped']> {
    const fetching = this.#fetching()
    const folders = await readdir(this.#downloads).catch(() => [])
    const found = await Promise.all(
      folders.map(async (folder) => {
        const files = (await readdir(path.join(this.#downloads, folder)).catch(() => [])).filter((name) => name.endsWith('.json'))
        const parts = await Promise.all(files.map((json) => partOf(path.join(this.#downloads, folder, json.slice(0, -'.json'.length)))))
        const here = parts.filter((part) => part !== null)
        // The folder is named after the address that was asked for; what lies beside came with it.
        const asked = here.find(({ url }) => path.basename(path.dirname(this.#downloadFile(url))) === folder)
        if (asked === undefined) return null
        const name = path.basename(this.#downloadFile(asked.url))
        if (!isIndex(name)) return { url: asked.url, name, bytes: asked.bytes, totalBytes: asked.total }
        const shards = here.filter(({ url }) => url.endsWith('.safetensors'))
        const { bytes: totalBytes } = await readIndex(this.#downloadFile(asked.url)).catch(() => ({ bytes: null }))
        return { url: asked.url, name, bytes: shards.reduce((sum, { bytes }) => sum + bytes, 0), totalBytes }
      }),
    )
    return found.filter((one) => one !== null).filter(({ url }) => !fetching.has(url))
  }

  /** Addresses of downloads under way. */
  #fetching(): Set<string | null> {
    return new Set(
      [...this.#works.values()].filter(({ shown }) => shown.kind === 'download' && shown.state === 'running').map(({ shown }) => shown.url),
    )
  }

  #changed(): void {
    if (this.#closed) return
    this.#announcement ??= setTimeout(() => {
      this.#announcement = undefined
      this.#parts.library.emit({ type: 'packs' })
    }, ANNOUNCE_MS)
  }
}

/**
 * Fetches a checkpoint with what lies beside it, each where it is not here already: one file, or an index and the files that it names.
 * @param file Where it is to lie. @returns Its SHA-256; null where it is several files. @throws TubeletError as `download` and `readIndex`
 */
async function fetchCheckpoint(
  { address, file, sha256 }: { address: URL; file: string; sha256: string | undefined },
  { report, signal }: Pick<ImportOptions, 'report' | 'signal'>,
): Promise<string | null> {
  const told = (bytes: number, totalBytes: number | null) => report({ stage: 'downloading', bytes, totalBytes })
  const beside = (name: string) => ({ url: new URL(name, address).href, file: path.join(path.dirname(file), name) })
  // These have what shapes do not show. Not every model has each.
  for (const name of BESIDE)
    await download(beside(name), () => undefined, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      // If one exists but cannot be fetched now, stop: the model would be refused and deleted after its whole download.
      if (!isDenied(error)) throw error
    })
  if (!isIndex(file)) return download({ url: address.href, file, sha256 }, told, signal)
  await download({ url: address.href, file, sha256 }, () => undefined, signal)
  const { shards, bytes } = await readIndex(file)
  let before = 0
  for (const name of shards) {
    let here = 0
    await download(beside(name), (done) => told(before + (here = done), bytes), signal)
    before += here
  }
  return null
}

/** A pack as a library stores it. */
export function chosenOf({ id, digest, manifest }: StoredPack): ChosenPack {
  return { id, digest, ...(manifest.family === 'detector' ? { names: manifest.classes } : {}) }
}

/** The longest clip that is made without a person's help. */
const OWL_CLIP_SECONDS = 8

/** Bytes that a pack's results for one clip take in the library file; for boxes and lines, as measured on the development clips. */
function storedPerClip({ manifest }: StoredPack): number {
  if (manifest.family === 'owl') return OWL_CLIP_SECONDS * manifest.input.rate * manifest.kept * (7 + manifest.dims.region) * 2
  if (manifest.family === 'smolvlm')
    return 2 * Math.ceil(manifest.input.maxClipSeconds * manifest.input.rate) * manifest.dims.imageTokens * manifest.dims.width
  if (manifest.family !== 'mammut') return 20_000
  const { embedding, memory, tokens, token } = manifest.dims
  return 4 * embedding + 2 * tokens * (memory + token)
}

function nearest(folder: string): string {
  try {
    readdirSync(folder)
    return folder
  } catch {
    return nearest(path.dirname(folder))
  }
}
