/** Puts one Tubelet together: library, engine, queue and handler over one project folder. The three hosts differ only in what they pass. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import envPaths from 'env-paths'
import type { BackendEvent, Status } from '../app/contract.ts'
import { type Problem, problemOf, TubeletError } from '../app/errors.ts'
import { type Phrase, said } from '../app/phrase.ts'
import { isAlive } from './alive.ts'
import type { ProjectSwitch } from './api/handler.ts'
import { createBackend } from './backend.ts'
import type { Engine, ForkEngine } from './engine/engine.ts'
import { Jobs } from './jobs/queue.ts'
import { Speed } from './jobs/speed.ts'
import type { Pipeline } from './jobs/pipeline.ts'
import { Library } from './library/library.ts'
import { warmUp } from './media/sample.ts'
import { findMediaTools, type MediaTools } from './media/tools.ts'
import { Packs } from './packs/packs.ts'
import { RunningPack } from './packs/running.ts'
import { PackStore } from './packs/store.ts'
import { packageVersion } from './version.ts'

// From source this file lies in main/, compiled in dist/main/.
const root = path.resolve(import.meta.dirname, existsSync(path.join(import.meta.dirname, '..', 'package.json')) ? '..' : '../..')
const folders = envPaths('tubelet', { suffix: '' })
/** Where this person's libraries and packs lie. */
export const dataFolder = folders.data

export interface OpenOptions {
  projectDir: string
  host: Status['host']
  /** Where imported packs lie; every library of this person uses the same ones. */
  packsDir?: string
  /** How to start the engine process; a forked Node unless the desktop passes its own. */
  fork?: ForkEngine
  /** The way to other libraries, where the host has one. */
  projects?: ProjectSwitch
}

export interface Tubelet {
  library: Library
  jobs: Jobs
  packs: Packs
  /** Resolves when the engine is ready. */
  engine: () => Promise<Engine>
  handle: (request: Request) => Promise<Response>
  /** Hear of everything that changes, as the window does. Returns what stops listening. */
  onEvent: (listener: (event: BackendEvent) => void) => () => void
  /** Ends children in order and closes the database; what was under way goes on at the next start. */
  close: () => Promise<void>
}

/** Throws a TubeletError `conflict` when another Tubelet has the folder open or a newer one wrote it. */
export function openTubelet({ projectDir, host, fork, projects = ONE_PROJECT, packsDir = path.join(dataFolder, 'packs') }: OpenOptions): Tubelet {
  mkdirSync(projectDir, { recursive: true })
  const unlock = lock(projectDir)
  const library = Library.open(projectDir)

  const changed = () => library.emit({ type: 'status' })
  const store = new PackStore(resource('packs', 'tubelet-mini'), packsDir)
  const chosen = chosenPack(library, store)
  const engine = new RunningPack(chosen.dir, fork, changed)
  const media = new Starting(findMediaTools, () => {
    warmUp()
    changed()
  })
  const pipeline: Pipeline = { library, engine: () => engine.get(), media: () => media.get(), appVersion: packageVersion }
  const jobs = new Jobs(pipeline, new Speed(path.join(folders.cache, 'speed.json')))
  const packs = new Packs({ library, jobs, store, running: engine, fork, templateDir: resource('packs', 'openmammut'), lost: chosen.lost })
  const status = (): Promise<Status> => Promise.resolve({ version: packageVersion, host, projectPath: projectDir, network: packs.settings.network, engine: engineStatus(engine), ...packOf(engine.value), ...mediaStatus(media), sample: sampleClip() })
  const handle = createBackend({ pipeline, jobs, packs, status, projects }, path.join(root, 'dist', 'renderer'))
  // Both are warm before the first file is dropped; their failures are shown by the status and by each job that needs them.
  void engine.get().catch(changed)
  void media.get().catch(changed)
  jobs.start()

  let closing: Promise<void> | null = null
  const close = async () => {
    await jobs.close()
    await Promise.all([packs.close(), engine.close(), media.settled()])
    await library.close()
    unlock()
  }
  return { library, jobs, packs, engine: pipeline.engine, handle, onEvent: (listener) => library.onChange(listener), close: () => (closing ??= close()) }
}

const ONE_PROJECT: ProjectSwitch = {
  recent: () => [],
  open: () => Promise.reject(new TubeletError({ code: 'bad-request', message: 'This Tubelet works on one library.', next: 'Start another one with --project.' })),
}

/** The folder of the pack that this library uses; of the one that ships, where that is gone, which is then told, or none was chosen. */
function chosenPack({ packs }: Library, store: PackStore): { dir: string; lost: string | null } {
  const usable = store.usable()
  const chosen = packs.current()
  const bundled = usable.find((one) => one.bundled)
  const pack = usable.find((one) => one.digest === chosen?.digest) ?? bundled
  if (pack && pack.digest !== chosen?.digest) packs.use(pack)
  // The one that ships is another one after an update, and has the same name.
  return { dir: pack?.dir ?? store.bundledDir, lost: chosen && pack?.digest !== chosen.digest && pack?.id !== chosen.id ? chosen.id : null }
}

/** Something that takes a while to start: started once, and again at the next request when it failed. */
class Starting<T> {
  value: T | null = null
  problem: Problem | null = null
  #promise: Promise<T> | null = null
  readonly #start: () => Promise<T>
  readonly #started: (value: T) => void

  constructor(start: () => Promise<T>, started: (value: T) => void) {
    this.#start = start
    this.#started = started
  }

  /** Resolves when no start is under way. */
  async settled(): Promise<void> {
    await this.#promise?.catch(() => undefined)
  }

  get(): Promise<T> {
    return (this.#promise ??= this.#start().then(
      (value) => {
        this.value = value
        this.problem = null
        this.#started(value)
        return value
      },
      (error: unknown) => {
        this.problem = problemOf(error)
        this.#promise = null
        throw error
      },
    ))
  }
}

/** A folder that ships with the app: models/ in the project, resources/ once packaged. */
function resource(...parts: readonly string[]): string {
  const packaged = 'resourcesPath' in process && typeof process.resourcesPath === 'string' ? path.join(process.resourcesPath, ...parts) : null
  return packaged !== null && existsSync(packaged) ? packaged : path.join(root, 'models', ...parts)
}

function sampleClip(): string | null {
  const file = resource('packs', 'sample.mp4')
  return existsSync(file) ? file : null
}

function engineStatus({ value, problem }: RunningPack): Status['engine'] {
  if (value === null) {
    const failed = problem !== null
    return { state: failed ? 'failed' : 'starting', sentence: problem ? asPhrase(problem) : said('The engine is starting…'), provider: null, fallback: failed, problem }
  }
  const { info, state } = value
  const sentence = state === 'restarting' ? said('The engine stopped and is being restarted; nothing is lost.') : state === 'failed' ? (value.problem ? asPhrase(value.problem) : said('The engine does not start.')) : info.sentence
  return { state, sentence, provider: info.provider, fallback: info.fallback || state !== 'ready', problem: value.problem }
}

function asPhrase({ message, values }: Problem): Phrase {
  return said(message, values)
}

function packOf(engine: Engine | null): Pick<Status, 'pack' | 'packDigest'> {
  return { pack: engine?.info.manifest ?? null, packDigest: engine?.info.digest ?? null }
}

function mediaStatus({ value, problem }: Starting<MediaTools>): Pick<Status, 'ffmpeg' | 'ffmpegProblem'> {
  return { ffmpeg: value && { path: value.ffmpeg, version: value.version }, ffmpegProblem: problem }
}

/** One process a project: two queues over one job table would do every job twice. The lock of a process that is gone is taken over. */
function lock(projectDir: string): () => void {
  const file = path.join(projectDir, 'lock')
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
      const owner = Number(readFileSync(file, 'utf8'))
      if (owner !== process.pid && isAlive(owner)) {
        throw new TubeletError({
          code: 'conflict',
          message: 'This library is open in another Tubelet.',
          file: projectDir,
          stillWorks: 'The other window goes on working.',
          next: 'Close it first, or give another folder with --project.',
        })
      }
      rmSync(file, { force: true })
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
