/** Assembles a Tubelet: library, engines, queue and handler over one project folder. The three hosts differ only in the options that they pass. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import envPaths from 'env-paths'
import type { BackendEvent, Status } from '../app/contract.ts'
import { diskProblem, type Problem, problemOf, TubeletError } from '../app/errors.ts'
import { type Task, TASKS } from '../app/pack/base.ts'
import { said } from '../app/phrase.ts'
import type { ProjectSwitch } from './api/handler.ts'
import { createBackend, type Handle } from './backend.ts'
import type { ForkEngine } from './engine/engine.ts'
import { makeFolderSync } from './folders.ts'
import { Imports } from './import/imports.ts'
import { Intake } from './intake/intake.ts'
import { Watching } from './intake/watching.ts'
import { Jobs } from './jobs/jobs.ts'
import { Speed } from './jobs/speed.ts'
import type { Pipeline } from './jobs/pipeline.ts'
import { Backups, takeBackRestore } from './library/backups.ts'
import { Library } from './library/library.ts'
import { lockLibrary } from './lock.ts'
import { warmUp } from './media/sample.ts'
import { findMediaTools, type MediaTools } from './media/tools.ts'
import { chosenOf, Packs } from './packs/packs.ts'
import { RunningPacks } from './packs/running.ts'
import { Places } from './places.ts'
import { Merges } from './sharing/merges.ts'
import { PackStore } from './packs/store.ts'
import { packageVersion, root } from './version.ts'
import { Crew } from './workers/crew.ts'

const folders = envPaths('tubelet', { suffix: '' })
/** The folder of this person's libraries and packs. */
export const dataFolder = folders.data

export interface OpenOptions {
  projectDir: string
  host: Status['host']
  /** The folder of imported packs, which all libraries of this person share. */
  packsDir?: string
  /** How to start the engine process; a forked Node unless the desktop passes its own. */
  fork?: ForkEngine
  /** Where a window may look and write; a person's own folders and drives unless the host allows more. */
  places?: Places
  /** Opens other libraries, if the host can. */
  projects?: ProjectSwitch
  /** The store (`redis://…`) over which videos are handed to workers on other machines; without it they are analysed here. */
  queue?: string | undefined
  /** Seconds of silence after which a worker is lost. */
  mostSilent?: number | undefined
}

export interface Tubelet {
  library: Library
  jobs: Jobs
  packs: Packs
  /** Takes in what a person brings: videos, pictures, packs. */
  intake: Intake
  watching: Watching
  /** The engines in use. */
  engines: RunningPacks
  /** The workers on other machines, if the library has any. */
  crew: Crew | null
  handle: Handle
  /** Call `listener` for every change, as the window is told. Returns a function that stops it. */
  onEvent: (listener: (event: BackendEvent) => void) => () => void
  /** Ends child processes and closes the database; unfinished work continues at the next start. */
  close: () => Promise<void>
}

/**
 * @throws TubeletError `conflict` when another Tubelet has the folder open, a newer one wrote it, or a file is in its place; `disk-full`, `forbidden`,
 *   `file-unreadable`.
 */
export function openTubelet(options: OpenOptions): Tubelet {
  const { projectDir } = options
  let unlock: (() => void) | undefined
  let library: Library | undefined
  try {
    makeFolderSync(projectDir)
    unlock = lockLibrary(projectDir)
    takeBackRestore(projectDir)
    library = Library.open(projectDir)
    return assembled(library, unlock, options)
  } catch (error) {
    void library?.close()
    unlock?.()
    const problem = problemOf(error)
    if (problem.code === 'disk-full')
      throw new TubeletError(
        {
          ...problem,
          code: 'disk-full',
          message: 'The disk is full.',
          file: projectDir,
          next: 'Free some space on it, then open the library again.',
        },
        { cause: error },
      )
    if (diskProblem(error) === null) throw error
    throw new TubeletError({ file: projectDir, ...problem }, { cause: error })
  }
}

function assembled(
  library: Library,
  unlock: () => void,
  {
    projectDir,
    host,
    fork,
    projects = ONE_PROJECT,
    packsDir = path.join(dataFolder, 'packs'),
    places = new Places(),
    queue,
    mostSilent,
  }: OpenOptions,
): Tubelet {
  const changed = () => library.emit({ type: 'status' })
  const store = packsIn(packsDir)
  const chosen = choosePacks(library, store)
  const engines = new RunningPacks(chosen.dirs, fork, changed)
  const media = new Starting(findMediaTools, () => {
    warmUp()
    changed()
  })
  const pipeline: Pipeline = { library, packs: engines, media: () => media.get(), appVersion: packageVersion }
  const jobs = new Jobs(pipeline, new Speed(path.join(folders.cache, 'speed.json')), queue !== undefined)
  const crew = queue === undefined ? null : new Crew({ library, jobs, store, url: queue, mostSilent })
  const packs = new Packs({ library, jobs, store, running: engines, fork, templates: resource('packs'), lost: chosen.lost })
  const intake = new Intake(jobs, packs, pipeline.media)
  const watching = new Watching(library, intake)
  const status = (): Promise<Status> =>
    Promise.resolve({
      version: packageVersion,
      host,
      projectPath: projectDir,
      network: packs.settings.network,
      engine: engineStatus(engines),
      packs: packsOf(engines),
      ...mediaStatus(media),
      sample: sampleClip(),
    })
  const backups = new Backups(projectDir, () => jobs.queue().running > 0)
  const imports = new Imports(library)
  const merges = new Merges(library)
  const handle = createBackend(
    { pipeline, jobs, packs, intake, watching, imports, merges, backups, status, projects, places, crew },
    path.join(root, 'dist', 'renderer'),
  )
  // Started ahead of the first file. The status, and each job that needs them, report a failure.
  void engines.all().then(changed)
  void media.get().catch(changed)
  // Before the queue starts: the copy then has what was stored when the library was last closed.
  backups.start()
  jobs.start()
  // A command does one thing and ends; `tubelet watch` adds its own folders.
  if (host !== 'cli') watching.start()

  let closing: Promise<void> | null = null
  const close = async () => {
    await watching.close()
    await crew?.close()
    await jobs.close()
    merges.close()
    await Promise.all([packs.close(), engines.close(), imports.close(), media.settled(), backups.close()])
    await library.close()
    unlock()
  }
  return {
    library,
    jobs,
    packs,
    intake,
    watching,
    engines,
    crew,
    handle,
    onEvent: (listener) => library.onChange(listener),
    close: () => (closing ??= close()),
  }
}

function oneLibrary(): Promise<never> {
  return Promise.reject(
    new TubeletError({
      code: 'bad-request',
      message: 'This Tubelet works on one library.',
      field: 'body.path',
      next: 'Start another one with --project.',
    }),
  )
}

const ONE_PROJECT: ProjectSwitch = { recent: () => [], open: oneLibrary, openFile: oneLibrary, restore: oneLibrary }

/** The bundled packs, and the tasks that each has by default. */
const SHIPPED = ['objects-80', 'screen-text', 'tubelet-mini'] as const
const FIRST_CHOICE: Record<Task, (typeof SHIPPED)[number]> = {
  caption: 'tubelet-mini',
  answer: 'tubelet-mini',
  search: 'tubelet-mini',
  boxes: 'objects-80',
  text: 'screen-text',
}

/** The packs of this machine. @param folder Where imported ones lie. */
export function packsIn(folder: string): PackStore {
  return new PackStore(
    SHIPPED.map((name) => resource('packs', name)),
    folder,
  )
}

/** The pack folder for each task: of the chosen pack, or of a bundled one if none was chosen or the chosen one is gone (`lost`). */
function choosePacks({ packs }: Library, store: PackStore): { dirs: Map<Task, string>; lost: string | null } {
  const usable = store.usable()
  for (const { digest, formerly } of usable) packs.rename(formerly, digest)
  const dirs = new Map<Task, string>()
  let lost: string | null = null
  for (const task of TASKS) {
    const chosen = packs.current()[task]
    // The user chose that no pack does this task.
    if (chosen === null) continue
    const shipped = usable.find((one) => one.bundled && one.id === FIRST_CHOICE[task])
    const pack = usable.find((one) => one.digest === chosen?.digest) ?? shipped
    if (pack && pack.digest !== chosen?.digest) packs.use(task, chosenOf(pack))
    // After an update a bundled pack has another digest but the same id.
    if (chosen && pack?.digest !== chosen.digest && pack?.id !== chosen.id) lost = chosen.id
    dirs.set(task, pack?.dir ?? resource('packs', FIRST_CHOICE[task]))
  }
  return { dirs, lost }
}

/** Something that takes a while to start: it is started once, and again at the next request if that failed. */
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
  const packaged =
    'resourcesPath' in process && typeof process.resourcesPath === 'string' ? path.join(process.resourcesPath, ...parts) : null
  return packaged !== null && existsSync(packaged) ? packaged : path.join(root, 'models', ...parts)
}

function sampleClip(): string | null {
  const file = resource('packs', 'sample.mp4')
  return existsSync(file) ? file : null
}

/** The status of all engines together: that of the one in the worst state. */
function engineStatus(engines: RunningPacks): Status['engine'] {
  const all = engines.list()
  const failed = all.find(({ engine, problem }) => problem !== null || engine?.state === 'failed')
  if (failed) {
    const problem = failed.problem ?? failed.engine?.problem ?? null
    return {
      state: 'failed',
      sentence: problem ? said(problem.message, problem.values) : said('The engine does not start.'),
      provider: null,
      fallback: true,
      problem,
    }
  }
  const [first] = all
  if (first?.engine === undefined || all.some(({ engine }) => engine === null))
    return { state: 'starting', sentence: said('The engine is starting…'), provider: null, fallback: false, problem: null }
  const restarting = all.find(({ engine }) => engine?.state !== 'ready')?.engine
  const { info } = restarting ?? first.engine ?? {}
  if (info === undefined)
    return { state: 'starting', sentence: said('The engine is starting…'), provider: null, fallback: false, problem: null }
  if (restarting)
    return {
      state: restarting.state,
      sentence: said('The engine stopped and is being restarted; nothing is lost.'),
      provider: info.provider,
      fallback: true,
      problem: restarting.problem,
    }
  return {
    state: 'ready',
    sentence: info.sentence,
    provider: info.provider,
    fallback: all.some(({ engine }) => engine?.info.fallback === true),
    problem: null,
  }
}

function packsOf(engines: RunningPacks): Status['packs'] {
  const none: Status['packs'] = { caption: null, answer: null, search: null, boxes: null, text: null }
  for (const { tasks, engine } of engines.list())
    for (const task of tasks) none[task] = engine && { digest: engine.info.digest, manifest: engine.info.manifest }
  return none
}

function mediaStatus({ value, problem }: Starting<MediaTools>): Pick<Status, 'ffmpeg' | 'ffmpegProblem'> {
  return { ffmpeg: value && { path: value.ffmpeg, version: value.version }, ffmpegProblem: problem }
}
