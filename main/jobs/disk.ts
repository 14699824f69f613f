/**
 * The library's disk may be full, disconnected or read-only for a while. That says nothing about any video: until it works again no job starts,
 * interrupted jobs wait and show the disk's problem, and everything resumes by itself afterwards.
 */
import { diskProblem, type Problem, problemOf, TubeletError } from '../../app/errors.ts'

/** Delay until the disk is tried again; it doubles while every try fails. */
const FIRST_TRY_MS = 1_000
const LAST_TRY_MS = 60_000

/** Work to do when the disk works again. */
interface Owed {
  /** Null for work that belongs to no job. */
  jobId: number | null
  settle: () => void
}

interface Heard {
  /** Called when the disk starts to refuse, and when it works again. */
  changed: () => void
  /** Resumes an interrupted job; may throw if the disk still refuses. */
  goOn: () => void
  /** Called with an error of background work that is not the disk's. */
  fault: (error: unknown) => void
}

export class LibraryDisk {
  /** The current problem; null while the disk works. */
  problem: Problem | null = null
  readonly #projectDir: string
  readonly #heard: Heard
  #owed: Owed[] = []
  /** Interrupted jobs with their problem: a disk that accepts a small write may still refuse the next large one. */
  readonly #cutOff = new Map<number, Problem>()
  #again: NodeJS.Timeout | undefined
  #tryMs = FIRST_TRY_MS
  #closed = false

  constructor(projectDir: string, heard: Heard) {
    this.#projectDir = projectDir
    this.#heard = heard
  }

  /** Whether refused work is still to be done. */
  get isDoubted(): boolean {
    return this.#cutOff.size > 0
  }

  /** Whether the job waits for the disk. */
  holdsUp(jobId: number): boolean {
    return this.#owed.some((one) => one.jobId === jobId)
  }

  /** The problem of an interrupted job, also while it is retried: only when it has ended is it known that there is room. */
  refusedOf(jobId: number): Problem | null {
    return this.#cutOff.get(jobId) ?? null
  }

  /** The job has ended: forget what was owed to it. */
  forget(jobId: number): void {
    this.#cutOff.delete(jobId)
    this.#owed = this.#owed.filter((one) => one.jobId !== jobId)
  }

  /** A write succeeded: reset the delay. */
  worked(): void {
    this.#tryMs = FIRST_TRY_MS
  }

  /** Run something that reads or writes the library; if the disk refuses, run `later` when it works again. @throws Errors that are not the disk's. */
  attempt<T>(jobId: number | null, work: () => T, later: () => void = () => void work()): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!this.refused(jobId, error, later)) throw error
      return undefined
    }
  }

  /** Run something in the background, and again if the disk refuses. */
  eventually(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.refused(null, error, () => this.eventually(work))) this.#heard.fault(error)
    })
  }

  /** @returns Whether the error is the disk's; if so, `later` runs when the disk works again. */
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

  /** Try the disk now: somebody says that it works. */
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

  /** Work still owed was never reported as done: the next start does it. */
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
