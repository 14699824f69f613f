/**
 * Decides which job runs when. Jobs wait in order in the library's job table, so that they survive the process; the scheduler starts them as far as
 * there is room, pauses, cancels and ends them. What a job does, and what its end means for the library, is given to it: see Duties.
 */
import { availableParallelism } from 'node:os'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { JOB_KINDS, type JobKind, kindsThat } from '../../app/job-kinds.ts'
import type { JobPlan, JobTable } from '../library/job-table.ts'
import type { StoredJob } from '../library/rows.ts'
import type { LibraryDisk } from './disk.ts'
import type { Progress, Report } from './pipeline.ts'

/** The progress of a running job; its rate is measured from `began` (`performance.now()`), without pauses. */
export type Standing = Progress & { began: number }

/** A job that was lent to another machine comes back undone: it waits again. */
export class CameBack extends Error {}

/** A queue, as callers see it: jobs run in this process, or are lent to other machines and run there as far as callers can see. */
export interface JobQueue {
  /** Resume the jobs that an earlier process left. */
  start(): void
  /** @param begin `soon`: for several jobs that are added one after the other; which one runs first is chosen once all are added. */
  add(plan: JobPlan, begin?: 'now' | 'soon'): StoredJob
  /** Queue a job that ended again, at the place of a new one. */
  again(jobId: number): void
  /** Move a waiting job before another waiting one, or to the end. @throws TubeletError `not-found`; `conflict` if it is not waiting. */
  move(jobId: number, before: number | null): void
  /** Resolves when it has ended. @throws TubeletError `not-found` */
  cancel(jobId: number): Promise<void>
  cancelAll(): void
  /** Start no jobs; running ones wait after their current step. */
  pause(): void
  resume(): void
  readonly paused: boolean
  /** Run no job while `work` runs. Running jobs stop after their current step and continue afterwards. */
  pausedFor<T>(work: () => Promise<T>): Promise<T>
  /** Jobs that were cut off wait again, before the others. */
  takeUp(): void
  /** Start the jobs for which there is room, even if the first is still being chosen. */
  begin(): void
  /** A job that was held may start now. */
  freed(): void
  /**
   * Start the next analysis, or the given waiting job, on another machine: `perform` resolves when its result is stored, and rejects with `CameBack` where
   * it should wait for another one. @returns Null if nothing may start now.
   */
  lend(claim: string, perform: Duties['perform'], jobId?: number): StoredJob | null
  /** How many could be lent now. */
  lendable(): number
  /** The running jobs. */
  running(): StoredJob[]
  counts(): { waiting: number; running: number; finished: number; failed: number }
  /** The progress of a job; null if it is not running or has not reported yet. */
  standing(jobId: number): Standing | null
  /** Resolves when nothing runs. */
  idle(): Promise<void>
  /** Stop after the current step; the jobs continue at the next start. */
  close(): Promise<void>
}

/** What a queue needs from its owner. */
export interface Duties {
  /** Performs a job. Resolves with what is wrong with the result, or null; rejects if there is no result, or once `signal` aborts. */
  perform: (job: StoredJob, report: Report, signal: AbortSignal) => Promise<Problem | null>
  /** Stores what a job's end means, before the table has it: if cut off in between, the job runs again. @returns False if it was removed with its video. */
  settle: (job: StoredJob, state: Ended, problem: Problem | null) => boolean
  /** The job was done in so many seconds, without pauses; time shared with other jobs counts in part. */
  took: (job: StoredJob, seconds: number) => void
  /** The job's end is in the table. */
  ended: (job: StoredJob) => void
  /** The job has stopped running, and nobody stopped it. */
  left: (job: StoredJob) => void
  /** Nothing is running any more, except jobs that run aside. */
  drained: () => void
  /** Sources whose analysis waits for something else. */
  held: () => readonly number[]
  /** The state of some job has changed. */
  changed: () => void
  /** An error that belongs to no job. */
  fault: (error: unknown) => void
}
export type Ended = 'done' | 'failed' | 'cancelled'

interface Running {
  job: StoredJob
  /** On another machine: it takes no room here. */
  lent: boolean
  /** While it runs, no other job is started. */
  alone: boolean
  stop: AbortController
  ended: Promise<void>
}

/** The first file to be analysed is the smallest of those added without a pause of this length, so that there is a first result soon. */
const CHOICE_MS = 100
/** Longest wait for that choice. */
const LONGEST_CHOICE_MS = 500
/** A video during which the whole process was killed so often, each time without one more clip, is set aside: it may be what kills it. */
const MOST_KILLS = 3
const KILLED: Problem = {
  code: 'tool-killed',
  message: 'Tubelet was ended {{times}} times while it worked on this file and got no further, so the file is set aside.',
  values: { times: MOST_KILLS },
  stillWorks: 'All other files go on.',
  next: 'Try it again if somebody ended Tubelet or the computer was switched off. Otherwise leave this file out.',
}
const ASIDE = kindsThat(({ aside }) => aside)

export class Scheduler implements JobQueue {
  readonly #table: JobTable
  readonly #disk: LibraryDisk
  readonly #duties: Duties
  /** Whether analyses are lent to other machines. */
  readonly #lends: boolean
  readonly #running = new Map<number, Running>()
  /** Not kept on disk, where every step would cost a write. */
  readonly #standing = new Map<number, Standing>()
  /** Resolves when a paused queue continues; null while it is not paused. */
  #pause: PromiseWithResolvers<undefined> | null = null
  #closed = false
  /** How many callers of `pausedFor` are under way. */
  #holds = 0
  #choice: NodeJS.Timeout | undefined
  #chooseBy: number | undefined

  constructor(table: JobTable, disk: LibraryDisk, duties: Duties, lends = false) {
    this.#lends = lends
    this.#table = table
    this.#disk = disk
    this.#duties = duties
  }

  start(): void {
    this.#disk.attempt(null, () => {
      for (const job of this.#table.recoverKilled(MOST_KILLS)) this.#finish(job, 'failed', KILLED)
    })
    this.begin()
  }

  add(plan: JobPlan, begin: 'now' | 'soon' = 'now'): StoredJob {
    const job = this.#table.create(plan)
    this.#duties.changed()
    if (begin === 'now') this.begin()
    else {
      clearTimeout(this.#choice)
      this.#chooseBy ??= performance.now() + LONGEST_CHOICE_MS
      this.#choice = setTimeout(() => this.#beginUnasked(), Math.max(0, Math.min(CHOICE_MS, this.#chooseBy - performance.now())))
    }
    return job
  }

  again(jobId: number): void {
    this.#table.again(jobId)
    this.#duties.changed()
    this.begin()
  }

  move(jobId: number, before: number | null): void {
    if (this.#table.get(jobId).state !== 'queued')
      throw new TubeletError({
        code: 'conflict',
        message: 'This job does not wait.',
        stillWorks: 'The order of the others is as it was.',
      })
    this.#table.move(jobId, before)
    this.#duties.changed()
  }

  async cancel(jobId: number): Promise<void> {
    const running = this.#running.get(jobId)
    if (running) {
      running.stop.abort()
      await running.ended
      return
    }
    const job = this.#table.get(jobId)
    if (job.state === 'queued' || this.#disk.holdsUp(jobId)) this.#finish(job, 'cancelled', null)
  }

  cancelAll(): void {
    for (const job of this.#table.open()) if (job.state === 'queued' || this.#disk.holdsUp(job.id)) this.#finish(job, 'cancelled', null)
    for (const { stop } of this.#running.values()) stop.abort()
  }

  get paused(): boolean {
    return this.#pause !== null
  }

  pause(): void {
    this.#pause ??= Promise.withResolvers()
    this.#duties.changed()
  }

  resume(): void {
    this.#pause?.resolve(undefined)
    this.#pause = null
    this.begin()
    this.#duties.changed()
  }

  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#holds += 1
    try {
      await this.#stopRunning()
      this.#table.recover()
      this.#duties.changed()
      return await work()
    } finally {
      this.#holds -= 1
      this.begin()
    }
  }

  takeUp(): void {
    this.#table.recover([...this.#running.keys()])
    this.begin()
  }

  freed(): void {
    // If the first file is still being chosen, that choice will start the jobs.
    if (this.#choice === undefined) this.#beginUnasked()
  }

  running(): StoredJob[] {
    return [...this.#running.values()].map(({ job }) => job)
  }

  counts(): ReturnType<JobQueue['counts']> {
    const { waiting, running, ...ended } = this.#table.counts()
    const cutOff = this.#disk.problem === null ? 0 : running - this.#running.size
    return { waiting: waiting + cutOff, running: running - cutOff, ...ended }
  }

  standing(jobId: number): Standing | null {
    return this.#standing.get(jobId) ?? null
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#choice)
    await this.#stopRunning()
    // Whatever is still marked as running when a process starts was killed.
    this.#disk.attempt(
      null,
      () => this.#table.recover(),
      () => undefined,
    )
  }

  begin(): void {
    clearTimeout(this.#choice)
    this.#choice = this.#chooseBy = undefined
    while (this.#mayStart()) {
      const job = this.#attempt(null, () => this.#next())
      if (job === null) break
      const { alone } = JOB_KINDS[job.kind]
      this.#start(job, alone !== 'never' && this.#others().length === 0, this.#duties.perform, false)
    }
  }

  lend(claim: string, perform: Duties['perform'], jobId?: number): StoredJob | null {
    if (!this.#mayStart()) return null
    const job = this.#attempt(null, () =>
      jobId === undefined ? this.#table.next({ quick: false, without: [], held: this.#duties.held(), lent: true }) : this.#table.get(jobId),
    )
    if (job?.state !== 'queued' || this.#attempt(job.id, () => (this.#table.beginLent(job.id, claim), job)) === null) return null
    this.#start(job, false, perform, true)
    return job
  }

  lendable(): number {
    return this.#mayStart() ? this.#table.lendable(this.#duties.held()) : 0
  }

  #mayStart(): boolean {
    return !this.#closed && this.#holds === 0 && this.#pause === null && this.#disk.problem === null
  }

  #start(job: StoredJob, alone: boolean, perform: Duties['perform'], lent: boolean): void {
    const running: Running = { job, lent, alone, stop: new AbortController(), ended: Promise.resolve() }
    this.#running.set(job.id, running)
    running.ended = this.#run(running, perform).catch(this.#duties.fault)
    this.#duties.changed()
  }

  async #stopRunning(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { stop } of running) stop.abort()
    await Promise.all(running.map(({ ended }) => ended))
  }

  /** Starts jobs where there is no caller to throw an error to. */
  #beginUnasked(): void {
    try {
      this.begin()
    } catch (error) {
      this.#duties.fault(error)
    }
  }

  /** The next job for which there is room, marked as running in the table. */
  #next(): StoredJob | null {
    const others = this.#others()
    const copies = [...this.#running.values()].filter(({ job }) => JOB_KINDS[job.kind].aside).length
    const job = this.#table.next({
      quick: others.length === 0,
      without: ASIDE.filter((kind) => copies >= slotsOf(kind)),
      held: this.#duties.held(),
      ...(this.#lends ? { lent: false } : {}),
    })
    if (job === null || !this.#hasRoom(job.kind)) return null
    // If the disk refuses, the job keeps waiting.
    return this.#attempt(job.id, () => (this.#table.begin(job.id), job))
  }

  /** Marks a job as running; null if the disk refuses. */
  #attempt(jobId: number | null, begin: () => StoredJob | null): StoredJob | null {
    return this.#disk.attempt(jobId, begin, () => undefined) ?? null
  }

  /** Running jobs, except those that run aside or elsewhere. */
  #others(): Running[] {
    return [...this.#running.values()].filter(({ job, lent }) => !lent && !JOB_KINDS[job.kind].aside)
  }

  #hasRoom(kind: JobKind): boolean {
    const { alone, aside } = JOB_KINDS[kind]
    const running = this.#others()
    const same = running.filter(({ job }) => job.kind === kind).length
    return aside || running.length === 0 || (alone !== 'always' && running.every((other) => !other.alone) && same < slotsOf(kind))
  }

  async #run(running: Running, perform: Duties['perform']): Promise<void> {
    const { job, stop } = running
    try {
      const problem = await this.#perform(running, perform)
      this.#end(job, 'done', problem)
    } catch (error) {
      // Neither closing nor a pause is a cancellation: the job stays 'running' in the table and is taken up again.
      if (this.#closed || this.#holds > 0) return
      if (stop.signal.aborted) this.#end(job, 'cancelled', null)
      else if (error instanceof CameBack) this.#disk.attempt(job.id, () => this.#table.giveBack(job.id))
      else if (!this.#disk.refused(job.id, error)) this.#end(job, 'failed', problemOf(error))
    } finally {
      this.#running.delete(job.id)
      this.#standing.delete(job.id)
      if (!this.#closed && !stop.signal.aborted) this.#duties.left(job)
      this.#beginUnasked()
      const none = [...this.#running.values()].every((one) => JOB_KINDS[one.job.kind].aside)
      if (none && this.#holds === 0 && !this.#closed) this.#duties.drained()
    }
  }

  async #perform(running: Running, perform: Duties['perform']): Promise<Problem | null> {
    const { job, stop } = running
    const began = performance.now()
    let paused = 0
    const report: Report = async (progress) => {
      this.#standing.set(job.id, { ...progress, began: began + paused })
      this.#duties.changed()
      if (running.alone && progress.clips > 0 && JOB_KINDS[job.kind].alone === 'until-first-clip') {
        running.alone = false
        this.begin()
      }
      if (this.#pause === null) return
      const since = performance.now()
      await Promise.race([this.#pause.promise, aborted(stop.signal)])
      paused += performance.now() - since
    }
    const problem = await perform(job, report, stop.signal)
    this.#duties.took(job, (performance.now() - began - paused) / 1000 / this.#running.size)
    return problem
  }

  /** Like #finish; if the disk refuses, it is written when the disk works again. */
  #end(job: StoredJob, state: Ended, problem: Problem | null): void {
    if (state === 'done') this.#disk.worked()
    this.#disk.attempt(job.id, () => this.#finish(job, state, problem))
  }

  #finish(job: StoredJob, state: Ended, problem: Problem | null): void {
    this.#disk.forget(job.id)
    if (!this.#duties.settle(job, state, problem)) return
    this.#table.end(job.id, state, problem)
    this.#duties.ended({ ...job, state, problem })
    this.#duties.changed()
  }
}

function slotsOf(kind: JobKind): number {
  return Math.min(JOB_KINDS[kind].slots, availableParallelism())
}

/** Rejects when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
