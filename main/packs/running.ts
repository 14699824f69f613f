/**
 * The running packs: one engine process for each, however many tasks it has, so that a pack that is switched or crashes does not affect the
 * others. The engine of a pack without a task is stopped.
 */
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { type Task, TASKS } from '../../app/pack/base.ts'
import {
  type DetectorEngine,
  Engine,
  type ForkEngine,
  type MammutEngine,
  ofFamily,
  type OwlEngine,
  type TextEngine,
  type WordsEngine,
} from '../engine/engine.ts'

/** Writing words, and comparing them with clips. */
export type WordTask = Exclude<Task, 'boxes' | 'text'>

export class RunningPacks {
  readonly #dirs = new Map<Task, string>()
  readonly #packs = new Map<string, RunningPack>()
  readonly #fork: { fork?: ForkEngine }
  readonly #changed: () => void

  /** @param dirs The pack folder for each task; a task without one is not done. @param changed Called when an engine, its state or its problem changes. */
  constructor(dirs: ReadonlyMap<Task, string>, fork: ForkEngine | undefined, changed: () => void) {
    this.#fork = fork ? { fork } : {}
    this.#changed = changed
    for (const [task, dir] of dirs) this.#dirs.set(task, dir)
  }

  /** The packs in use, in the order of their first task, with their tasks. */
  list(): { tasks: Task[]; engine: Engine | null; problem: Problem | null }[] {
    const dirs = [...new Set(TASKS.flatMap((task) => this.#dirs.get(task) ?? []))]
    return dirs.map((dir) => {
      const { value, problem } = this.#of(dir)
      return { tasks: TASKS.filter((task) => this.#dirs.get(task) === dir), engine: value, problem }
    })
  }

  /** The engine for a task, started at the first request, and at the next one if that failed; null if no pack does the task. */
  async get(task: Task): Promise<Engine | null> {
    const dir = this.#dirs.get(task)
    return dir === undefined ? null : this.#of(dir).get()
  }

  /** All engines in use that start. `list` has the problems of the others. */
  async all(): Promise<Engine[]> {
    const started = await Promise.allSettled([...new Set(this.#dirs.values())].map((dir) => this.#of(dir).get()))
    return started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }

  /** @throws TubeletError `pack-cannot` if no pack does the task. */
  async words(task: 'search'): Promise<MammutEngine>
  async words(task: WordTask): Promise<WordsEngine>
  async words(task: WordTask): Promise<WordsEngine> {
    const engine = await this.get(task)
    if (engine !== null && (ofFamily(engine, 'mammut') || (task !== 'search' && ofFamily(engine, 'smolvlm')))) return engine
    throw new TubeletError({
      code: 'pack-cannot',
      message: 'No pack does that in this library.',
      stillWorks: 'Everything else.',
      next: 'Give the task to a pack on the Packs page.',
    })
  }

  async boxes(): Promise<MammutEngine | DetectorEngine | OwlEngine | null> {
    const engine = await this.get('boxes')
    return engine !== null && (ofFamily(engine, 'mammut') || ofFamily(engine, 'detector') || ofFamily(engine, 'owl')) ? engine : null
  }

  async text(): Promise<TextEngine | null> {
    const engine = await this.get('text')
    return engine !== null && ofFamily(engine, 'text') ? engine : null
  }

  /**
   * Give a task to a pack, or to none. When this resolves, the pack has passed its self-test; if it fails, the earlier pack keeps
   * the task and this rejects with the reason.
   */
  async assign(task: Task, dir: string | null): Promise<void> {
    if (dir !== null)
      await this.#of(dir)
        .get()
        .catch(async (error: unknown) => {
          await this.#endUnused()
          throw error
        })
    if (dir === null) this.#dirs.delete(task)
    else this.#dirs.set(task, dir)
    await this.#endUnused()
    this.#changed()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#packs.values()].map((pack) => pack.close()))
  }

  #of(dir: string): RunningPack {
    let pack = this.#packs.get(dir)
    if (pack === undefined) {
      pack = new RunningPack(dir, this.#fork, this.#changed)
      this.#packs.set(dir, pack)
    }
    return pack
  }

  async #endUnused(): Promise<void> {
    const used = new Set(this.#dirs.values())
    for (const [dir, pack] of this.#packs) {
      if (used.has(dir)) continue
      this.#packs.delete(dir)
      await pack.close()
    }
  }
}

class RunningPack {
  value: Engine | null = null
  /** Why there is no engine. */
  problem: Problem | null = null
  readonly #dir: string
  #promise: Promise<Engine> | null = null
  readonly #leaving = new AbortController()
  readonly #fork: { fork?: ForkEngine }
  readonly #changed: () => void

  constructor(dir: string, fork: { fork?: ForkEngine }, changed: () => void) {
    this.#dir = dir
    this.#fork = fork
    this.#changed = changed
  }

  get(): Promise<Engine> {
    return (this.#promise ??= this.#launch().catch((error: unknown) => {
      this.problem = problemOf(error)
      this.#promise = null
      this.#changed()
      throw error
    }))
  }

  async close(): Promise<void> {
    // An engine that is still starting already has a child process.
    this.#leaving.abort()
    await this.#promise?.catch(() => undefined)
    await this.value?.close()
  }

  async #launch(): Promise<Engine> {
    const engine = await Engine.start({ packDir: this.#dir, signal: this.#leaving.signal, ...this.#fork })
    this.value = engine
    this.problem = null
    engine.onState(this.#changed)
    this.#changed()
    return engine
  }
}
