/** The pack that runs: one engine, which can be replaced by another pack's while the app goes on. */
import { type Problem, problemOf } from '../../app/errors.ts'
import { Engine, type ForkEngine } from '../engine/engine.ts'

export class RunningPack {
  value: Engine | null = null
  /** Why there is no engine. */
  problem: Problem | null = null
  #dir: string
  #promise: Promise<Engine> | null = null
  readonly #leaving = new AbortController()
  readonly #fork: { fork?: ForkEngine }
  readonly #changed: () => void

  /** @param changed Called whenever `value`, its state, or `problem` is another one. */
  constructor(dir: string, fork: ForkEngine | undefined, changed: () => void) {
    this.#dir = dir
    this.#fork = fork ? { fork } : {}
    this.#changed = changed
  }

  /** Started at the first request, and again at the next one when it failed. Waits for a switch that is under way. */
  get(): Promise<Engine> {
    return (this.#promise ??= this.#remembered(this.#launch(this.#dir)))
  }

  /**
   * Run another pack instead. It has passed its self-test when this resolves; where it does not, the pack from before runs again and
   * this rejects with the reason. Only one of the two is in memory at a time.
   */
  async switchTo(dir: string): Promise<void> {
    const before = this.#promise?.catch(() => null)
    const outcome: { refused?: Error } = {}
    this.#promise = this.#remembered(
      (async () => {
        const old = await before
        this.value = null
        this.#changed()
        await old?.close()
        const fallBack = this.#dir
        this.#dir = dir
        return this.#launch(dir).catch((error: unknown) => {
          outcome.refused = error instanceof Error ? error : new Error(String(error))
          this.#dir = fallBack
          return this.#launch(fallBack)
        })
      })(),
    )
    await this.#promise
    if (outcome.refused) throw outcome.refused
  }

  async close(): Promise<void> {
    // What has not finished starting holds a child process all the same.
    this.#leaving.abort()
    await this.#promise?.catch(() => undefined)
    await this.value?.close()
  }

  #remembered(starting: Promise<Engine>): Promise<Engine> {
    return starting.catch((error: unknown) => {
      this.problem = problemOf(error)
      this.#promise = null
      this.#changed()
      throw error
    })
  }

  async #launch(packDir: string): Promise<Engine> {
    const engine = await Engine.start({ packDir, signal: this.#leaving.signal, ...this.#fork })
    this.value = engine
    this.problem = null
    engine.onState(this.#changed)
    this.#changed()
    return engine
  }
}
