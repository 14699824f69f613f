/** Undo: every change by a person is a step, kept in the database, taken back and made again in parts where it is large. */
import { setImmediate } from 'node:timers/promises'
import type { BackendEvent } from '../../app/contract.ts'
import type { History, Step } from '../../app/contract/state.ts'
import type { Phrase } from '../../app/phrase.ts'
import type { Annotations, Deed } from './annotations.ts'

export class Steps {
  readonly #annotations: Annotations
  readonly #emit: (event: BackendEvent) => void
  #turn: Promise<unknown> = Promise.resolve()
  /** Whether how far it is was told of what is under way. */
  #told = false
  #closing = false

  constructor(annotations: Annotations, emit: (event: BackendEvent) => void) {
    this.#annotations = annotations
    this.#emit = emit
  }

  /** What is under way stops after its part; the next undo takes back what there is of it. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#turn
  }

  /** Thousands of edits as one step called `description`, in parts: others have their turn in between, and hear how far it is. */
  editMany(deeds: readonly Deed[], description: Phrase): Promise<void> {
    return this.#inTurn(async () => {
      let at = { next: 0, step: 0 }
      while (at.next < deeds.length && !this.#closing) {
        const part = this.#annotations.part(deeds, at.next, description, at.step)
        at = part
        this.#emit({ type: 'annotations', clipIds: part.clipIds })
        await this.#progress('edit', part.next, deeds.length)
      }
      this.#emit({ type: 'history' })
    })
  }

  /** Undo the newest step, in parts where it is large; `own`: not of other windows that are open. What the parts of one that was cut off have not undone is undone by the next. */
  undo(whose: 'own' | 'all' = 'own'): Promise<History> {
    return this.#inTurn(() => this.#step('undo', whose))
  }

  redo(): Promise<History> {
    return this.#inTurn(() => this.#step('redo', 'own'))
  }

  /**
   * Undo or redo until `step` is the newest that holds; 0 is before all of them.
   * @throws TubeletError `not-found`
   */
  jump(step: number): Promise<History> {
    return this.#inTurn(async () => {
      this.#annotations.checkStep(step)
      const newest = () => this.#annotations.next('undo', 'all')?.step ?? 0
      for (let at = newest(); at !== step && !this.#closing; at = newest()) await this.#step(at > step ? 'undo' : 'redo', 'all')
      return this.history()
    })
  }

  history(): History {
    return this.#annotations.history()
  }

  /** Newest first. @param before Older than this step. */
  list(limit: number, before?: number): { steps: Step[]; total: number } {
    return this.#annotations.steps(limit, before)
  }

  async #step(direction: 'undo' | 'redo', whose: 'own' | 'all'): Promise<History> {
    const next = this.#annotations.next(direction, whose)
    if (next === null) return this.history()
    if (direction === 'undo') this.#annotations.mustBeFree(next.step)
    const newest = this.#annotations.newestEdit()
    for (let done = 0; !this.#closing; ) {
      const { clipIds, edits } = this.#annotations.stepPart(direction, next.step)
      if (edits === 0) break
      done += edits
      if (clipIds.length > 0) this.#emit({ type: 'annotations', clipIds })
      await this.#progress(direction, done, next.edits)
    }
    if (direction === 'undo') this.#annotations.settle(newest)
    this.#emit({ type: 'history' })
    return this.history()
  }

  /** Others have their turn; what was done at once is not told. */
  async #progress(what: 'edit' | 'undo' | 'redo', done: number, of: number): Promise<void> {
    if (done < of) this.#told = true
    if (this.#told) this.#emit({ type: 'progress', what, share: done / of })
    if (done >= of) this.#told = false
    await setImmediate()
  }

  /** One after the other, what takes its time: an undo that is asked for while a step is being made takes back all of it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}
