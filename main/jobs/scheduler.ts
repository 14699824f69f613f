/**
 * Which job runs when. They wait in the library's job table, in order, so that they survive the process; here they are begun as far as there
 * is room, hear of pauses and cancellations, and are ended. What a job does, and what its end means for the library, it is told: see Duties.
 */
import { availableParallelism } from 'node:os'
import { type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import { JOB_KINDS, type JobKind, kindsThat } from '../../app/job-kinds.ts'
import type { JobPlan, JobTable } from '../library/job-table.ts'
import type { StoredJob } from '../library/rows.ts'
import type { LibraryDisk } from './disk.ts'
import type { Progress, Report } from './pipeline.ts'

/** How a running job stands. It is measured since `began` (`performance.now()`), without pauses. */
export type Standing = Progress & { began: number }

/**
 * A queue, as what asks for jobs knows it. The Scheduler runs them in this process; another one may give them to other machines, and keeps
 * the library's job table as it does: that is where jobs are listed from.
 */
export interface JobQueue {
  /** Take up what an earlier process left. */
  start(): void
  /** @param begin `soon`: the first of several that are found one after the other is chosen when they were found. */
  add(plan: JobPlan, begin?: 'now' | 'soon'): StoredJob
  /** Let one that ended wait again, where a new one would. */
  again(jobId: number): void
  /** Do a waiting job just before another waiting one, or last. @throws TubeletError `not-found`; `conflict` when it does not wait. */
  move(jobId: number, before: number | null): void
  /** Resolves when it has ended. @throws TubeletError `not-found` */
  cancel(jobId: number): Promise<void>
  cancelAll(): void
  /** Nothing is begun, and what runs waits after its step. */
  pause(): void
  resume(): void
  readonly paused: boolean
  /** Run nothing while `work` runs. What was under way stops after its step, waits, and goes on from there. */
  pausedFor<T>(work: () => Promise<T>): Promise<T>
  /** What was cut off waits again, before the others. @param but Those that do run. */
  takeUp(): void
  /** Begin what there is room for, also where the first is still being chosen. */
  begin(): void
  /** Something that was held may begin. */
  freed(): void
  /** Jobs that run. */
  running(): StoredJob[]
  counts(): { waiting: number; running: number; finished: number; failed: number }
  /** Null where it does not run, or did not tell yet. */
  standing(jobId: number): Standing | null
  /** Resolves when nothing runs. */
  idle(): Promise<void>
  /** Stop after the step under way; the jobs go on at the next start. */
  close(): Promise<void>
}

/** What a queue asks of whoever it works for. */
export interface Duties {
  /** Do it. Resolves with what is wrong with the result; rejects where there is none, or once `signal` aborts. */
  perform: (job: StoredJob, report: Report, signal: AbortSignal) => Promise<Problem | null>
  /** Keep what the end of a job means, before the table has it: cut off in between, the job is done again. @returns False where it went with its video. */
  settle: (job: StoredJob, state: Ended, problem: Problem | null) => boolean
  /** It was done, and took so many seconds of its own: those of a pause are not counted, those that it shared, in part. */
  took: (job: StoredJob, seconds: number) => void
  /** The table has its end. */
  ended: (job: StoredJob) => void
  /** It does not run any more, and nobody stopped it. */
  left: (job: StoredJob) => void
  /** Nothing runs any more, but for what is aside. */
  drained: () => void
  /** Sources whose analysis waits for something else. */
  held: () => readonly number[]
  /** Something is otherwise than it was told. */
  changed: () => void
  /** An error that is no job's own. */
  fault: (error: unknown) => void
}
export type Ended = 'done' | 'failed' | 'cancelled'

interface Running {
  job: StoredJob
  /** Nothing is begun beside it now. */
  alone: boolean
  stop: AbortController
  ended: Promise<void>
}

/** The first file to be analysed is the smallest of those found without a pause of this length, so that a first result is soon there. */
const CHOICE_MS = 100
/** Nobody waits longer than this for the choice. */
const LONGEST_CHOICE_MS = 500
const ASIDE = kindsThat(({ aside }) => aside)

export class Scheduler implements JobQueue {
  readonly #table: JobTable
  readonly #disk: LibraryDisk
  readonly #duties: Duties
  readonly #running = new Map<number, Running>()
  /** Not kept on disk, where every step would cost a write. */
  readonly #standing = new Map<number, Standing>()
  /** Resolves when a paused queue goes on; null while it runs. */
  #pause: PromiseWithResolvers<undefined> | null = null
  #closed = false
  /** How many want nothing to run just now. */
  #holds = 0
  #choice: NodeJS.Timeout | undefined
  #chooseBy: number | undefined

  constructor(table: JobTable, disk: LibraryDisk, duties: Duties) {
    this.#table = table
    this.#disk = disk
    this.#duties = duties
  }

  start(): void {
    this.#disk.attempt(null, () => this.#table.recover())
    this.begin()
  }

  add(plan: JobPlan, begin: 'now' | 'soon' = 'now'): StoredJob {
    const job = this.#table.create(plan)
    this.#duties.changed()
    if (begin === 'now') this.begin()
    else {
      clearTimeout(this.#choice)
      this.#chooseBy ??= performance.now() + LONGEST_CHOICE_MS
      this.#choice = setTimeout(() => this.#beginUnasked(), Math.min(CHOICE_MS, this.#chooseBy - performance.now()))
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
        message: 'This job does not wait any more.',
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
    // Where the first file is still being chosen, that begins what there is.
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
  }

  begin(): void {
    clearTimeout(this.#choice)
    this.#choice = this.#chooseBy = undefined
    while (!this.#closed && this.#holds === 0 && this.#pause === null && this.#disk.problem === null) {
      const job = this.#attempt(null, () => this.#next())
      if (job === null) break
      const { alone } = JOB_KINDS[job.kind]
      const running: Running = {
        job,
        alone: alone !== 'never' && this.#others().length === 0,
        stop: new AbortController(),
        ended: Promise.resolve(),
      }
      this.#running.set(job.id, running)
      running.ended = this.#run(running).catch(this.#duties.fault)
      this.#duties.changed()
    }
  }

  async #stopRunning(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { stop } of running) stop.abort()
    await Promise.all(running.map(({ ended }) => ended))
  }

  /** Where nobody is there to whom an error could be thrown. */
  #beginUnasked(): void {
    try {
      this.begin()
    } catch (error) {
      this.#duties.fault(error)
    }
  }

  /** The next job for which there is room, begun in the table. */
  #next(): StoredJob | null {
    const others = this.#others()
    const copies = this.#running.size - others.length
    const job = this.#table.next({
      quick: others.length === 0,
      without: ASIDE.filter((kind) => copies >= slotsOf(kind)),
      held: this.#duties.held(),
    })
    if (job === null || !this.#hasRoom(job.kind)) return null
    // Where the disk refuses, it goes on waiting.
    return this.#attempt(job.id, () => (this.#table.begin(job.id), job))
  }

  /** What the disk refuses is not begun. */
  #attempt(jobId: number | null, begin: () => StoredJob | null): StoredJob | null {
    return this.#disk.attempt(jobId, begin, () => undefined) ?? null
  }

  /** What runs, but for what is aside. */
  #others(): Running[] {
    return [...this.#running.values()].filter(({ job }) => !JOB_KINDS[job.kind].aside)
  }

  #hasRoom(kind: JobKind): boolean {
    const { alone, aside } = JOB_KINDS[kind]
    const running = this.#others()
    const same = running.filter(({ job }) => job.kind === kind).length
    return aside || running.length === 0 || (alone !== 'always' && running.every((other) => !other.alone) && same < slotsOf(kind))
  }

  async #run(running: Running): Promise<void> {
    const { job, stop } = running
    try {
      const problem = await this.#perform(running)
      this.#end(job, 'done', problem)
    } catch (error) {
      // Neither closing nor a pause is a cancellation: the job stays 'running' in the table and is taken up again.
      if (this.#closed || this.#holds > 0) return
      if (stop.signal.aborted) this.#end(job, 'cancelled', null)
      else if (!this.#disk.refused(job.id, error)) this.#end(job, 'failed', problemOf(error))
    } finally {
      this.#running.delete(job.id)
      this.#standing.delete(job.id)
      if (!this.#closed && !stop.signal.aborted) this.#duties.left(job)
      this.#beginUnasked()
      if (this.#others().length === 0 && this.#holds === 0 && !this.#closed) this.#duties.drained()
    }
  }

  async #perform(running: Running): Promise<Problem | null> {
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
    const problem = await this.#duties.perform(job, report, stop.signal)
    this.#duties.took(job, (performance.now() - began - paused) / 1000 / this.#running.size)
    return problem
  }

  /** Like #finish; where the disk does not take that, it is written when it does. */
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
