/**
 * The disk that a library lies on may be full, gone or not to be written to for a while. That is no verdict about any video: while it lasts
 * nothing is begun, what was cut off waits with the disk's problem on it, and all of it goes on by itself when the disk takes it again.
 */
import { diskProblem, type Problem, problemOf, TubeletError } from '../../app/errors.ts'

/** After which a disk is tried again; twice that the next time, as long as nothing was done in between. */
const FIRST_TRY_MS = 1_000
const LAST_TRY_MS = 60_000

/** What is to be done when the disk takes it. */
interface Owed {
  /** Null for what is no job's. */
  jobId: number | null
  settle: () => void
}

interface Heard {
  /** It refuses, or works again. */
  changed: () => void
  /** Takes up what was cut off; it may throw when the disk still refuses. */
  goOn: () => void
  /** An error that is not the disk's, of work that nobody waits for. */
  fault: (error: unknown) => void
}

export class LibraryDisk {
  /** What it refused; null while it works. */
  problem: Problem | null = null
  readonly #projectDir: string
  readonly #heard: Heard
  #owed: Owed[] = []
  /** Jobs that were cut off, with what was refused: a disk that takes a small piece again may still refuse the next large one. */
  readonly #cutOff = new Map<number, Problem>()
  #again: NodeJS.Timeout | undefined
  #tryMs = FIRST_TRY_MS
  #closed = false

  constructor(projectDir: string, heard: Heard) {
    this.#projectDir = projectDir
    this.#heard = heard
  }

  /** Whether anything was refused that has not been done since. */
  get isDoubted(): boolean {
    return this.#cutOff.size > 0
  }

  /** Whether a job waits for it. */
  holdsUp(jobId: number): boolean {
    return this.#owed.some((one) => one.jobId === jobId)
  }

  /** What it refused of a job that has not ended since, also while that is tried again: until it is done nobody knows that there is room. */
  refusedOf(jobId: number): Problem | null {
    return this.#cutOff.get(jobId) ?? null
  }

  /** Nothing is owed to this job any more: it has ended. */
  forget(jobId: number): void {
    this.#cutOff.delete(jobId)
    this.#owed = this.#owed.filter((one) => one.jobId !== jobId)
  }

  /** Something was done: the next time that it refuses is the first. */
  worked(): void {
    this.#tryMs = FIRST_TRY_MS
  }

  /** Do what reads or writes the library; where the disk refuses, `later` when it works again. @throws What is not the disk's. */
  attempt<T>(jobId: number | null, work: () => T, later: () => void = () => void work()): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!this.refused(jobId, error, later)) throw error
      return undefined
    }
  }

  /** Do in the background what nobody waits for, and again where the disk refuses. */
  eventually(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.refused(null, error, () => this.eventually(work))) this.#heard.fault(error)
    })
  }

  /** @returns Whether an error is the disk's and no job's own; `later` is then done when it works again. */
  refused(jobId: number | null, error: unknown, later: () => void = () => undefined): boolean {
    if (!this.#isOurs(error)) return false
    if (this.#closed) return true
    this.#again ??= setTimeout(() => this.#tryAgain(), this.#tryMs)
    if (this.problem === null) this.#tryMs = Math.min(LAST_TRY_MS, 2 * this.#tryMs)
    this.problem = problemOf(error)
    if (jobId !== null) {
      this.forget(jobId)
      this.#cutOff.set(jobId, this.problem)
    }
    this.#owed.push({ jobId, settle: later })
    this.#heard.changed()
    return true
  }

  /** Try it now, since somebody says that it works. */
  retry(): void {
    this.#cutOff.clear()
    this.#tryAgain()
  }

  #tryAgain(): void {
    if (this.problem === null || this.#closed) return
    clearTimeout(this.#again)
    this.#again = undefined
    this.problem = null
    for (const { jobId, settle } of this.#owed.splice(0)) this.attempt(jobId, settle)
    if (this.#owed.length === 0) this.attempt(null, this.#heard.goOn)
    this.#heard.changed()
  }

  /** What is owed by now was never said to be done: the next start does it. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#again)
  }

  #isOurs(error: unknown): boolean {
    if (error instanceof TubeletError) return error.problem.code === 'disk-full'
    const refused = diskProblem(error)
    return refused !== null && (refused.file?.startsWith(this.#projectDir) ?? true)
  }
}
