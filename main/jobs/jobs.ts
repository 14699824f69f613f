/**
 * The queue: what is waiting to be done, in the library's job table, so that it survives the process. Two files are analysed at a time:
 * one alone leaves a core idle while ffmpeg starts, probes, and filters on one thread. Labels run alone, so that no clip is stored behind
 * their back with the labels of before; a column is filled beside the files, and their clips fill it too as they are stored. Preview copies
 * are ffmpeg's alone and somebody waits for them: they run beside whatever runs, and the others do not wait for them.
 */
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type Job, type Queue, readsWhole, type Source } from '../../app/contract.ts'
import { type Label, labelNamed, withNames } from '../../app/vocabulary.ts'
import { diskProblem, type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { said } from '../../app/phrase.ts'
import type { JobPlan, JobTable } from '../library/job-table.ts'
import type { Library } from '../library/library.ts'
import type { StoredJob } from '../library/rows.ts'
import type { KeptColumn } from '../library/table.ts'
import { scanPaths } from '../media/scan.ts'
import { LibraryDisk } from './disk.ts'
import { Identity } from './identity.ts'
import { perform } from './perform.ts'
import { type Pipeline, type Progress, type Report, showFirst } from './pipeline.ts'
import { previewFile } from './previews.ts'
import { Resting } from './resting.ts'
import type { Speed, Sums, VideoKind } from './speed.ts'

export interface AddedPaths {
  added: Source[]
  duplicates: { path: string; sourceId: number }[]
  /** Known videos that were found at another place than before. */
  moved: { path: string; sourceId: number; from: string }[]
  /** Videos that lay in the bin. */
  restored: { path: string; sourceId: number }[]
  rejected: { path: string; problem: Problem }[]
}

/** How a running job stands, and since when it is measured: a resumed one skips quickly what is stored. */
type Standing = Progress & { began: number }

interface Running {
  kind: Job['kind']
  sourceId: number | null
  /** Nothing is started beside it: it is a detection, or the first analysis, which has the machine to itself until its first caption. */
  alone: boolean
  stop: AbortController
  ended: Promise<void>
}

const SLOTS = Math.min(2, availableParallelism())
/** What it takes to make a preview copy is learnt beside what each pack takes. */
const COPYING = 'preview'
/** How many jobs the queue lists. */
const LISTED = 500
/** Seconds after which a rate says something. */
const RATE_AFTER = 1
/** The first file to be analysed is the smallest of those found without a pause of this length, so that a first result is soon there; */
const CHOICE_MS = 100
/** but nobody waits longer than this for the choice. */
const LONGEST_CHOICE_MS = 500
const ANNOUNCE_MS = 250

export class Jobs {
  readonly #pipeline: Pipeline
  readonly #library: Library
  readonly #table: JobTable
  readonly #speed: Speed
  /** Which video a file is. */
  readonly identity: Identity
  readonly #resting: Resting
  readonly #enders = new Set<(job: StoredJob) => void>()
  readonly #disk: LibraryDisk
  readonly #running = new Map<number, Running>()
  /** How far each running job is. Not kept on disk, where every step would cost a write. */
  readonly #progress = new Map<number, Standing>()
  /** Resolves when a paused queue goes on; null while it runs. */
  #pause: PromiseWithResolvers<undefined> | null = null
  #closed = false
  /** How many want nothing to run just now. */
  #holds = 0
  #announcement: NodeJS.Timeout | undefined
  #revision = 0
  #choice: NodeJS.Timeout | undefined
  #chooseBy: number | undefined
  /** The first picture of what was dropped on an idle queue, under way. */
  readonly #closing = new AbortController()
  #shown: Promise<void> = Promise.resolve()
  /** Outcome of the batch under way, for the notification when the queue drains. */
  #batch = { done: 0, failed: 0 }

  constructor(pipeline: Pipeline, speed: Speed) {
    this.#pipeline = pipeline
    this.#library = pipeline.library
    this.#table = pipeline.library.jobs
    this.#speed = speed
    this.identity = new Identity(pipeline.library, (id) => this.retry(id))
    const rested = () => {
      // Where the first file is still being chosen, that begins what there is.
      if (this.#choice === undefined) this.#wake()
    }
    this.#resting = new Resting(pipeline.library, { rested, changed: (id) => this.#look(id) })
    // A redo may take a video away that is being analysed.
    pipeline.library.onChange((event) => {
      if (event.type !== 'sources') return
      for (const { sourceId, stop } of this.#running.values())
        if (sourceId !== null && event.ids.includes(sourceId) && !this.#library.sourceExists(sourceId)) stop.abort()
    })
    this.#disk = new LibraryDisk(
      pipeline.library.projectDir,
      () => {
        this.#announce()
        this.#library.emit({ type: 'sources', ids: [] })
      },
      () => {
        this.#table.recover([...this.#running.keys()])
        this.#wake()
      },
    )
  }

  /** Take up what an earlier process left. */
  start(): void {
    if (this.#library.setting<boolean>('paused', false)) this.#pause = Promise.withResolvers()
    this.#disk.attempt(null, () => this.#table.recover())
    for (const { kind, sourceId } of this.#table.open())
      if (kind === 'analyse' && sourceId !== null) void this.#settle(this.#library.source(sourceId))
    this.#wake()
    this.#disk.eventually(() => this.detectLabels())
  }

  pause(): void {
    this.#pause ??= Promise.withResolvers()
    this.#library.setSetting('paused', true)
    this.#announce()
  }

  resume(): void {
    this.#library.setSetting('paused', false)
    this.#pause?.resolve(undefined)
    this.#pause = null
    this.#disk.retry()
    this.#wake()
    this.#announce()
  }

  /** Stop after the step under way; the job goes on at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#announcement)
    clearTimeout(this.#choice)
    this.#disk.close()
    this.#closing.abort()
    this.#resting.close()
    await Promise.all([this.#stopRunning(), this.#shown])
  }

  /** Run nothing while `work` runs. What was under way stops after its step, waits, and goes on from there. */
  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#holds += 1
    try {
      await this.#stopRunning()
      this.#table.recover()
      this.#announce()
      return await work()
    } finally {
      this.#holds -= 1
      this.#wake()
    }
  }

  async #stopRunning(): Promise<void> {
    const running = [...this.#running.values()]
    for (const { stop } of running) stop.abort()
    await Promise.all(running.map(({ ended }) => ended))
  }

  /** Resolves when nothing is waiting or running. */
  async idle(): Promise<void> {
    for (;;) {
      if (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ ended }) => ended))
      else if (this.#resting.waiting.length > 0 && !this.#closed) await new Promise((resolve) => setTimeout(resolve, ANNOUNCE_MS))
      else return
    }
  }

  /** Register files and folders. Each file is queued as it is found; resolves when the last one was. */
  async addPaths(paths: readonly string[], signal?: AbortSignal): Promise<AddedPaths> {
    const result: AddedPaths = { added: [], duplicates: [], moved: [], restored: [], rejected: [] }
    const seen = new Set<number>()
    for await (const found of scanPaths(paths, signal)) {
      if ('problem' in found) {
        result.rejected.push(found)
        continue
      }
      try {
        const { how, sourceId, from } = await this.identity.recognise(found.path)
        const source = this.#library.source(sourceId)
        const named = { path: found.path, sourceId }
        if (how === 'new') {
          // Somebody has just dropped this and looks at the top of the list.
          if (result.added.length === 0 && this.#running.size === 0) this.#shown = showFirst(this.#pipeline, source, this.#closing.signal)
          result.added.push(source)
          await this.#settle(source)
          this.#table.create(analysisOf(source))
          this.#announce()
          clearTimeout(this.#choice)
          this.#chooseBy ??= performance.now() + LONGEST_CHOICE_MS
          this.#choice = setTimeout(() => this.#wake(), Math.min(CHOICE_MS, this.#chooseBy - performance.now()))
        } else {
          if (how === 'moved') result.moved.push({ ...named, from: from ?? found.path })
          else if (how === 'restored') result.restored.push(named)
          else result.duplicates.push(named)
          // Dropping a file again is how people retry one that failed or was cancelled; once, however often it was dropped.
          if (!seen.has(sourceId) && (source.state === 'failed' || source.state === 'cancelled')) this.retry(sourceId)
        }
        seen.add(sourceId)
      } catch (error) {
        result.rejected.push({ path: found.path, problem: unreadable(found.path, error) })
      }
    }
    this.#wake()
    return result
  }

  retry(sourceId: number): Source {
    const source = this.#library.source(sourceId)
    if (!this.#analysisWaits(sourceId)) {
      this.#library.setSourceState(source.id, 'queued')
      void this.#settle(source)
      this.#queueJob(analysisOf(source))
    }
    this.#disk.retry()
    return this.source(sourceId)
  }

  /** As the library has them; those whose analysis the disk holds up, with why. */
  sources(): Source[] {
    return this.#withDisk(this.#library.sources())
  }

  /** @throws TubeletError `not-found` */
  source(id: number): Source {
    const [source] = this.#withDisk([this.#library.source(id)])
    return source ?? this.#library.source(id)
  }

  /** Whether a file is still the one that it was. */
  #look(sourceId: number): void {
    this.#disk.eventually(() => this.identity.check(sourceId))
  }

  #withDisk(sources: Source[]): Source[] {
    const { problem } = this.#disk
    if (problem === null) return sources
    const held = new Set(
      this.#table
        .open()
        .flatMap(({ id, kind, sourceId }) => (kind === 'analyse' && this.#disk.holdsUp(id) && sourceId !== null ? [sourceId] : [])),
    )
    return sources.map((source) => (held.has(source.id) ? { ...source, state: 'queued', problem } : source))
  }

  /** Do in the background what nobody waits for, also if the disk is full just now. */
  eventually(work: () => Promise<void>): void {
    this.#disk.eventually(work)
  }

  /**
   * Analyse every source with clips that one of these packs has not seen, or those of the given ones; what a pack has seen is not done again.
   * @returns How many were queued.
   */
  encodeMissing(digests: readonly string[], only?: readonly number[]): number {
    const waiting = new Set(
      this.#table
        .open()
        .filter(({ kind }) => kind === 'analyse')
        .map(({ sourceId }) => sourceId),
    )
    const ids = this.#library.packs.missing(digests).sourceIds.filter((id) => !waiting.has(id) && (only === undefined || only.includes(id)))
    for (const id of ids) this.retry(id)
    return ids.length
  }

  /** Do a waiting job just before another waiting one, or last. @throws TubeletError `not-found`; `conflict` when it does not wait. */
  move(jobId: number, before: number | null): Queue {
    if (this.#table.get(jobId).state !== 'queued')
      throw new TubeletError({
        code: 'conflict',
        message: 'This job does not wait any more.',
        stillWorks: 'The order of the others is as it was.',
      })
    this.#table.move(jobId, before)
    this.#announce()
    return this.queue()
  }

  /** @throws TubeletError `not-found` */
  retryJob(jobId: number): void {
    const { state, kind, sourceId, columnId } = this.#table.get(jobId)
    if (state !== 'failed' && state !== 'cancelled') return
    if (kind === 'analyse' && sourceId !== null) {
      if (this.#analysisWaits(sourceId)) return
      this.#library.setSourceState(sourceId, 'queued')
    }
    if (columnId !== null && this.#table.payload(jobId).clipIds === undefined) this.#library.table.setAutomatic(columnId, true)
    this.#again(jobId)
  }

  /** An analysis that is asked for waits until its file rests. */
  #settle({ id, path }: Source): Promise<void> {
    return this.#resting.watch(id, path)
  }

  retryFailed(): void {
    for (const { id } of this.#table.failed()) this.retryJob(id)
  }

  #analysisWaits(source: number): boolean {
    return this.#table.open().some(({ kind, sourceId }) => kind === 'analyse' && sourceId === source)
  }

  #again(jobId: number): void {
    this.#table.again(jobId)
    this.#announce()
    this.#wake()
  }

  /** Hear of every job that ends. @returns What stops listening. */
  onEnd(listener: (job: StoredJob) => void): () => void {
    this.#enders.add(listener)
    return () => void this.#enders.delete(listener)
  }

  /** Move a source to the bin: its jobs end first. */
  async removeSource(sourceId: number): Promise<void> {
    for (const job of this.#table.open()) {
      if (job.sourceId !== sourceId) continue
      await this.cancel(job.id)
    }
    rmSync(previewFile(this.#library, this.#library.source(sourceId)), { force: true })
    this.#library.removeSource(sourceId)
  }

  /** Fill what is empty of a column, in all clips or in some. A label that nobody looked for yet is looked for from now on. */
  async fillColumn({ id, kind, text }: KeptColumn, clipIds?: readonly number[]): Promise<void> {
    if (kind === 'count') {
      const vocabulary = this.#library.detections.vocabulary()
      if (!labelNamed(vocabulary, text)) await this.setVocabulary(withNames(vocabulary, [text]))
      return
    }
    if (clipIds === undefined) this.#library.table.setAutomatic(id, true)
    const waits = this.#table.open().some((job) => job.columnId === id && this.#table.payload(job.id).clipIds === undefined)
    if (!waits) this.#queueJob({ kind: 'ask', title: text, sourceId: null, payload: { columnId: id, ...(clipIds ? { clipIds } : {}) } })
  }

  /** What is filled stays; neither the rest nor clips to come are filled until it is asked for again. */
  stopColumn(columnId: number): void {
    this.#library.table.setAutomatic(columnId, false)
    for (const job of this.#table.open()) if (job.columnId === columnId) this.#disk.eventually(() => this.cancel(job.id))
  }

  /**
   * Keep the vocabulary, make the edits that go with it, and make the machine's tracks those that it gives. Moved thresholds show at
   * once; words that are new run over the stored encodings, an older detection that still waits or runs being replaced.
   */
  async setVocabulary(vocabulary: readonly Label[], edits: Parameters<Library['changeVocabulary']>[1] = []): Promise<void> {
    this.#library.changeVocabulary(vocabulary, edits)
    await this.detectLabels()
  }

  /** Make tracks of what the pack in use saw, and look for the words that it did not look for yet. */
  async detectLabels(): Promise<void> {
    // Clips to come are given the labels by their analysis; one under way has its clip's row already.
    if (this.#library.clips({ limit: 1, offset: 0 }).total === 0) return
    // An engine that does not start is told by the status, and its next start comes here.
    const engine = await this.#pipeline.packs.boxes().catch(() => null)
    if (engine === null || this.#closed) return
    this.#library.showVocabulary(engine.info)
    this.#detectStale(engine.info.digest)
  }

  #detectStale(digest: string): void {
    const { detections } = this.#library
    const stale = detections.stale(digest).length
    const open = this.#table.open()
    // One that runs began with the words of before; one that waits will see the newest.
    for (const job of open) if (job.kind === 'detect' && job.state === 'running') this.#disk.eventually(() => this.cancel(job.id))
    if (
      open.some(({ kind, state }) => kind === 'detect' && state === 'queued') ||
      (stale === 0 && !open.some(({ kind }) => kind === 'analyse'))
    )
      return
    const names = detections.vocabulary().map(({ name }) => name)
    this.#queueJob({ kind: 'detect', title: names.join(', '), sourceId: null, payload: {} })
  }

  /** Encode what a person marked in a source. */
  encodeMarked(sourceId: number): void {
    const waits = this.#table.open().some((job) => job.kind === 'mark' && job.sourceId === sourceId && job.state === 'queued')
    if (!waits) this.#queueJob({ kind: 'mark', title: this.#library.source(sourceId).name, sourceId, payload: {} })
  }

  /** Encode whatever a person marked that the pack in use has not: undo may have brought it back. */
  async encodeMarks(): Promise<void> {
    // Without an engine the next analysis of the file does it.
    if ((await this.#pipeline.packs.all()).length === 0 || this.#closed) return
    for (const id of this.#library.unencodedMarks()) this.encodeMarked(id)
  }

  /** What makes the preview copy of a source, or made it, or did not: there is one such job a source. */
  previewJob(sourceId: number): Job | null {
    const job = this.#table.previewOf(sourceId)
    return job && this.#listed(job)
  }

  /** Make the preview copy of a source, again where it failed, was cancelled or was deleted. @throws TubeletError `not-found` */
  makePreview(sourceId: number): void {
    const job = this.#table.previewOf(sourceId)
    if (job === null) this.#queueJob({ kind: 'preview', title: this.#library.source(sourceId).name, sourceId, payload: {} })
    else if (job.state !== 'queued' && job.state !== 'running') this.#again(job.id)
  }

  queue(): Queue {
    this.#revision = Math.max(this.#revision + 1, Date.now())
    const { waiting, running, ...counts } = this.#table.counts()
    const cutOff = this.#disk.problem === null ? 0 : running - this.#running.size
    return {
      revision: this.#revision,
      jobs: this.#table.list(LISTED).map((job) => this.#listed(job)),
      waiting: waiting + cutOff,
      running: running - cutOff,
      ...counts,
      paused: this.#pause !== null,
      etaSeconds: this.#eta(),
    }
  }

  /** A job with how it stands. */
  #listed(job: StoredJob): Job {
    if (this.#disk.holdsUp(job.id)) return { ...job, state: 'queued', stage: null, rate: null, problem: this.#disk.problem }
    const standing = this.#progress.get(job.id)
    const waits = job.kind === 'analyse' && job.state === 'queued' && job.sourceId !== null && this.#resting.waiting.includes(job.sourceId)
    if (standing === undefined)
      return {
        ...job,
        stage: waits ? said('Waits until the file rests: it may still be written') : job.state === 'running' ? said('Starting') : null,
        rate: null,
      }
    const { stage, progress, clips, began } = standing
    const elapsed = (performance.now() - began) / 1000
    const amount = job.sourceId !== null && readsWhole(job) ? progress * (this.#library.source(job.sourceId).probe?.duration ?? 0) : clips
    return { ...job, stage, progress, rate: elapsed < RATE_AFTER || amount === 0 ? null : amount / elapsed }
  }

  /** Resolves when it has ended. @throws TubeletError `not-found` */
  async cancel(jobId: number): Promise<void> {
    const job = this.#table.get(jobId)
    const running = this.#running.get(jobId)
    running?.stop.abort()
    if (running) await running.ended
    else if (job.state === 'queued' || this.#disk.holdsUp(jobId)) this.#finish(job, 'cancelled', null)
  }

  cancelAll(): void {
    for (const job of this.#table.open()) if (job.state === 'queued' || this.#disk.holdsUp(job.id)) this.#finish(job, 'cancelled', null)
    for (const { stop } of this.#running.values()) stop.abort()
  }

  #queueJob(job: JobPlan): StoredJob {
    const created = this.#table.create(job)
    this.#announce()
    this.#wake()
    return created
  }

  /** Start what there is room for. */
  #wake(): void {
    clearTimeout(this.#choice)
    this.#choice = this.#chooseBy = undefined
    while (!this.#closed && this.#holds === 0 && this.#pause === null && this.#disk.problem === null) {
      const job =
        this.#disk.attempt(
          null,
          () => this.#begin(),
          () => undefined,
        ) ?? null
      if (job === null) break
      const others = this.#others()
      const running: Running = {
        kind: job.kind,
        sourceId: job.sourceId,
        alone: job.kind !== 'ask' && job.kind !== 'preview' && others.length === 0,
        stop: new AbortController(),
        ended: Promise.resolve(),
      }
      this.#running.set(job.id, running)
      running.ended = this.#run(job, running)
      this.#announce()
    }
  }

  /** The next job for which there is room, begun in the table. */
  #begin(): StoredJob | null {
    const others = this.#others()
    const job = this.#table.next({
      quick: others.length === 0,
      copies: this.#running.size - others.length < SLOTS,
      except: this.#resting.waiting,
    })
    if (job === null || !this.#hasRoom(job.kind)) return null
    // Where the disk refuses, it goes on waiting.
    return (
      this.#disk.attempt(
        job.id,
        () => (this.#table.begin(job.id), job),
        () => undefined,
      ) ?? null
    )
  }

  /** What runs and is no preview copy. */
  #others(): Running[] {
    return [...this.#running.values()].filter(({ kind }) => kind !== 'preview')
  }

  #hasRoom(kind: Job['kind']): boolean {
    const running = this.#others()
    const same = running.filter((other) => other.kind === kind).length
    return (
      kind === 'preview' ||
      running.length === 0 ||
      (kind !== 'detect' && running.every(({ alone }) => !alone) && same < (kind === 'ask' ? 1 : SLOTS))
    )
  }

  async #run(job: StoredJob, running: Running): Promise<void> {
    const { signal } = running.stop
    try {
      const problem = await this.#perform(job, running)
      this.#end(job, 'done', problem)
    } catch (error) {
      // Neither closing nor a pause is a cancellation: the job stays 'running' in the table and is taken up again.
      if (this.#closed || this.#holds > 0) return
      if (signal.aborted) this.#end(job, 'cancelled', null)
      else if (!this.#disk.refused(job.id, error)) this.#end(job, 'failed', problemOf(error))
    } finally {
      this.#running.delete(job.id)
      this.#progress.delete(job.id)
      // What was written while it was read is not in it.
      if (job.kind === 'analyse' && job.sourceId !== null && !this.#closed && !signal.aborted) this.#look(job.sourceId)
      this.#wake()
      if (this.#others().length === 0 && this.#holds === 0) this.#endBatch()
    }
  }

  #endBatch(): void {
    if (!this.#closed && this.#batch.done + this.#batch.failed > 0) this.#library.emit({ type: 'batch-done', ...this.#batch })
    this.#batch = { done: 0, failed: 0 }
  }

  async #perform(job: StoredJob, running: Running): Promise<Problem | null> {
    const { signal } = running.stop
    const began = performance.now()
    let paused = 0
    const report: Report = async (progress) => {
      this.#progress.set(job.id, { ...progress, began: began + paused })
      this.#announce()
      if (job.kind === 'analyse' && running.alone && progress.clips > 0) {
        running.alone = false
        this.#wake()
      }
      if (this.#pause === null) return
      const since = performance.now()
      await Promise.race([this.#pause.promise, aborted(signal)])
      paused += performance.now() - since
    }
    if (job.sourceId !== null) await this.identity.there(job.sourceId)
    const problem = await perform(this.#pipeline, job, this.#table.payload(job.id), report, signal)
    const probe = job.sourceId === null ? null : this.#library.source(job.sourceId).probe
    // The time is shared with what else is under way.
    if (probe && readsWhole(job))
      this.#speed.learn(
        this.#speedOf(job.kind),
        kindOf(probe),
        probe.duration,
        (performance.now() - began - paused) / 1000 / this.#running.size,
      )
    return problem
  }

  /** Like #finish; where the disk does not take that, it is written when it does. */
  #end(job: StoredJob, state: 'done' | 'failed' | 'cancelled', problem: Problem | null): void {
    if (state === 'done') this.#disk.worked()
    this.#disk.attempt(job.id, () => this.#finish(job, state, problem))
  }

  /** The job's end and, for an analysis, the source's state with it. */
  #finish(job: StoredJob, state: 'done' | 'failed' | 'cancelled', problem: Problem | null): void {
    if (state === 'cancelled' && job.columnId !== null) this.#library.table.setAutomatic(job.columnId, false)
    this.#disk.forget(job.id)
    // It may have been removed meanwhile, and its jobs with it.
    if (job.sourceId !== null && !this.#library.sourceExists(job.sourceId)) return
    // The source first: cut off in between, the job is done again.
    if (job.kind === 'analyse' && job.sourceId !== null) {
      const file = this.#library.source(job.sourceId).name
      // What was analysed before its file went stays as it is; where the file is, the source tells.
      const lost =
        problem !== null &&
        (problem.code === 'file-missing' || problem.code === 'file-replaced') &&
        this.#library.source(job.sourceId).encodedCount > 0
      this.#library.setSourceState(
        job.sourceId,
        lost || (state === 'done' && !problem) ? 'done' : state === 'done' ? 'partial' : state,
        lost ? null : problem && { file, ...problem },
      )
    }
    this.#table.end(job.id, state, problem)
    for (const listener of this.#enders) listener({ ...job, state, problem })
    if (job.kind === 'analyse' && job.sourceId !== null) {
      if (state === 'failed') this.#batch.failed += 1
      else if (state === 'done') this.#batch.done += 1
    }
    this.#announce()
  }

  /** What analysing with just these packs took on this machine; null until enough files were timed. `video` and `wall` are sums in seconds. */
  speed(digests: readonly string[]): Sums | null {
    return this.#speed.of(together(digests))
  }

  /** Of what is known to take its time: that of the analyses, of the copies, or of both. */
  #eta(): number | null {
    const ahead = this.#table.videoAhead().map(({ jobId, seconds, ...of }) => ({
      ...of,
      seconds: seconds * (1 - (jobId === null ? 0 : (this.#progress.get(jobId)?.progress ?? 0))),
    }))
    const known = [...Map.groupBy(ahead, ({ kind }) => kind)].flatMap(
      ([kind, some]) => this.#speed.estimate(this.#speedOf(kind), some) ?? [],
    )
    return known.length === 0 ? null : known.reduce((sum, seconds) => sum + seconds)
  }

  #speedOf(kind: Job['kind']): string {
    return kind === 'preview' ? COPYING : together(this.#library.packs.inUse())
  }

  /** Tell listeners, at most four times a second: a batch makes many small steps. */
  #announce(): void {
    this.#announcement ??= setTimeout(() => {
      this.#announcement = undefined
      if (!this.#closed)
        this.#disk.attempt(
          null,
          () => this.#library.emit({ type: 'queue', queue: this.queue() }),
          () => undefined,
        )
    }, ANNOUNCE_MS)
  }
}

function unreadable(file: string, error: unknown): Problem {
  if (error instanceof TubeletError) return error.problem
  // What names no file was said by the library.
  const refused = diskProblem(error)
  if (refused !== null && refused.file === undefined) return { ...refused, file }
  return {
    code: 'file-unreadable',
    message: 'The file could not be opened.',
    file,
    stillWorks: 'The other files were added.',
    next: 'Check that the file is still there and that you may read it, then add it again.',
    details: error instanceof Error ? error.message : String(error),
  }
}

function analysisOf({ id, name }: Source): JobPlan {
  return { kind: 'analyse', title: name, sourceId: id, payload: {} }
}

/** How a set of packs is known. */
function together(digests: readonly string[]): string {
  return digests
    .toSorted()
    .map((digest) => digest.slice(0, 12))
    .join('+')
}

function kindOf({ codec, width, height }: Probe): VideoKind {
  return { codec, side: Math.min(width, height) }
}

/** Rejects when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
