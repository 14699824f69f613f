/**
 * The commands that make jobs: analyse videos, look for labels, fill columns, encode marked clips, make preview copies. Which job runs when is
 * decided in scheduler.ts.
 */
import { rmSync } from 'node:fs'
import type { Job, Queue, Source } from '../../app/contract.ts'
import { wantsWords } from '../../app/table/question.ts'
import { diskProblem, type Problem, problemOf, TubeletError } from '../../app/errors.ts'
import type { ColumnKind } from '../../app/contract/table.ts'
import { JOB_KINDS, type JobKind } from '../../app/job-kinds.ts'
import type { Probe } from '../../app/media.ts'
import type { NumberedVideo } from '../../app/numbered.ts'
import { said } from '../../app/phrase.ts'
import { namesToCount } from '../../app/naming.ts'
import { type Label, withNames } from '../../app/vocabulary.ts'
import type { JobPlan, JobTable } from '../library/job-table.ts'
import type { Library } from '../library/library.ts'
import type { KeptColumn, StoredJob } from '../library/rows.ts'
import { LibraryDisk } from './disk.ts'
import { renamedSince, type ChosenPicture, Identity } from './identity.ts'
import { printErrorLines } from '../terminal.ts'
import { perform } from './perform.ts'
import { type Pipeline, showFirst } from './pipeline.ts'
import { previewFile } from './previews.ts'
import { Resting } from './resting.ts'
import { type Duties, type Ended, type JobQueue, Scheduler } from './scheduler.ts'
import type { Speed, Sums, VideoKind } from './speed.ts'

/** A file to add, or numbered pictures by their pattern; or why it cannot be added. */
export type VideoFile = { path: string; numbered?: NumberedVideo; picture?: ChosenPicture } | { path: string; problem: Problem }

export interface AddedFiles {
  added: Source[]
  duplicates: { path: string; sourceId: number }[]
  /** Known videos that were found under a new path. */
  moved: { path: string; sourceId: number; from: string }[]
  /** Known videos in whose places others were found. */
  replaced: { path: string; sourceId: number }[]
  /** Videos taken out of the bin. */
  restored: { path: string; sourceId: number }[]
  rejected: { path: string; problem: Problem }[]
}

/** Key under which the speed of making preview copies is learnt, beside that of each pack. */
const COPYING = 'preview'
/** How many jobs the queue lists. */
const LISTED = 500
/** Seconds of work after which a rate is meaningful. */
const RATE_AFTER = 1
/** Listeners hear of the queue at most this often: a batch makes many small steps. */
const ANNOUNCE_MS = 250

export class Jobs {
  readonly #pipeline: Pipeline
  readonly #library: Library
  readonly #table: JobTable
  readonly #queue: JobQueue
  readonly #speed: Speed
  readonly #lends: boolean
  /** Recognises the video of a file. */
  readonly identity: Identity
  readonly #resting: Resting
  readonly #enders = new Set<(job: StoredJob) => void>()
  readonly #disk: LibraryDisk
  #closed = false
  #announcement: NodeJS.Timeout | undefined
  #revision = 0
  readonly #closing = new AbortController()
  /** The first picture of a video dropped on an idle queue, while it is being made. */
  #firstPicture: Promise<void> = Promise.resolve()
  /** Outcome of the batch under way, for the notification when the queue drains. */
  #batch = { done: 0, failed: 0 }

  /** @param lends Whether other machines analyse the videos of this library. */
  constructor(pipeline: Pipeline, speed: Speed, lends = false) {
    this.#lends = lends
    const { library } = pipeline
    this.#pipeline = pipeline
    this.#library = library
    this.#table = library.jobs
    this.#speed = speed
    this.identity = new Identity(library, (id) => this.retry(id))
    this.#disk = new LibraryDisk(library.projectDir, {
      changed: () => {
        this.#announce()
        library.emit({ type: 'sources', ids: [] })
      },
      goOn: () => this.#queue.takeUp(),
      fault: (error) => this.#tell(error),
    })
    this.#resting = new Resting(library, {
      rested: () => this.#queue.freed(),
      changed: (id) => this.#look(id),
      eventually: (work) => this.#disk.eventually(work),
    })
    const duties: Duties = {
      perform: async (job, report, signal) => {
        if (job.sourceId !== null) await this.identity.there(job.sourceId)
        return library.damage.despite(() => perform(pipeline, job.kind, job, report, signal))
      },
      settle: (job, state, problem) => this.#keepEnd(job, state, problem),
      took: (job, seconds) => this.#learn(job, seconds),
      ended: (job) => {
        for (const listener of this.#enders) listener(this.#titled(job))
        if (job.kind !== 'analyse') return
        if (job.state === 'failed') this.#batch.failed += 1
        else if (job.state === 'done') this.#batch.done += 1
      },
      // The file grew while it was read: the rest is not analysed yet.
      left: ({ kind, sourceId }) => {
        if (kind === 'analyse') this.#look(sourceId)
      },
      drained: () => {
        if (this.#batch.done + this.#batch.failed > 0) library.emit({ type: 'batch-done', ...this.#batch })
        this.#batch = { done: 0, failed: 0 }
      },
      held: () => this.#resting.waiting,
      changed: () => this.#announce(),
      fault: (error) => this.#tell(error),
    }
    this.#queue = new Scheduler(this.#table, this.#disk, duties, lends)
    // Clips that undo brings back may have to be encoded, or searched for labels.
    library.history.onStepped((kinds) => {
      this.eventually(() => this.encodeMarks())
      if (kinds.has('job')) this.#announce()
      if (kinds.has('source')) this.#goOnWithRestored()
      if (kinds.has('column')) this.eventually(() => this.#matchColumns())
      if (!kinds.has('vocabulary')) return
      library.emit({ type: 'labels' })
      this.eventually(() => this.detectLabels())
    })
    // A redo may remove a video that is being analysed.
    library.onChange((event) => {
      if (event.type !== 'sources') return
      for (const { id, sourceId } of this.#queue.running())
        if (sourceId !== null && event.ids.includes(sourceId) && !library.sourceExists(sourceId)) this.eventually(() => this.cancel(id))
    })
  }

  start(): void {
    if (this.#library.setting<boolean>('paused', false)) this.#queue.pause()
    for (const job of this.#table.open()) if (job.kind === 'analyse') this.#untilAtRest(this.#library.source(job.sourceId))
    this.#queue.start()
    this.#disk.eventually(() => this.detectLabels())
  }

  pause(): void {
    this.#queue.pause()
    this.#library.setSetting('paused', true)
  }

  resume(): void {
    this.#library.setSetting('paused', false)
    this.#disk.retry()
    this.#queue.resume()
  }

  /** Stop after the current step; the jobs continue at the next start. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#announcement)
    this.#disk.close()
    this.#closing.abort()
    this.#resting.close()
    await Promise.all([this.#queue.close(), this.#firstPicture])
  }

  /** Run no job while `work` runs. Running jobs stop after their current step and continue afterwards. */
  pausedFor<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.pausedFor(work)
  }

  /** Resolves when nothing is waiting or running. */
  async idle(): Promise<void> {
    for (;;) {
      await this.#queue.idle()
      if (this.#resting.waiting.length === 0 || this.#closed) return
      await new Promise((resolve) => setTimeout(resolve, ANNOUNCE_MS))
    }
  }

  /** Register files. Each is queued as it comes; resolves when the last one was. */
  async addFiles(files: AsyncIterable<VideoFile>): Promise<AddedFiles> {
    const result: AddedFiles = { added: [], duplicates: [], moved: [], replaced: [], restored: [], rejected: [] }
    const before = this.#library.files.paths()
    const seen = new Set<number>()
    const places = new Set<string>()
    for await (const found of files) {
      places.add(found.path)
      if ('problem' in found) {
        result.rejected.push(found)
        continue
      }
      try {
        const { how, sourceId } = await this.identity.recognise(found.path, found)
        const source = this.#library.source(sourceId)
        const named = { path: found.path, sourceId }
        if (how === 'new') {
          // Somebody has just dropped this and looks at the top of the list.
          if (result.added.length === 0 && this.#queue.running().length === 0)
            this.#firstPicture = showFirst(this.#pipeline, source, this.#closing.signal)
          result.added.push(source)
          await this.#resting.watch(source.id, source.path)
          this.#queue.add(analysisOf(source), 'soon')
        } else {
          if (how === 'restored') result.restored.push(named)
          else if (how !== 'moved') result.duplicates.push(named)
          // Dropping a file again is how people retry one that failed or was cancelled; once, however often it was dropped.
          if (!seen.has(sourceId) && (source.state === 'failed' || source.state === 'cancelled')) this.retry(sourceId)
          this.#goOnWithRestored()
        }
        seen.add(sourceId)
      } catch (error) {
        result.rejected.push({ path: found.path, problem: unreadable(found.path, error) })
      }
    }
    // Looked for all of them together: a file that took another's name moves that one too.
    const moved = renamedSince(before, this.#library.files.paths())
    result.moved.push(...moved)
    result.duplicates = result.duplicates.filter(
      ({ sourceId, path }) => !moved.some((one) => one.sourceId === sourceId && one.path === path),
    )
    result.replaced.push(...this.#library.files.replaced().filter(({ path }) => places.has(path)))
    this.#queue.begin()
    return result
  }

  retry(sourceId: number): Source {
    const source = this.#library.source(sourceId)
    if (!this.#analysisWaits(sourceId)) {
      this.#library.setSourceState(source.id, 'queued')
      this.#untilAtRest(source)
      this.#queue.add(analysisOf(source))
    }
    this.#disk.retry()
    return this.source(sourceId)
  }

  /** The sources of the library; those whose analysis waits for the disk carry the disk's problem. */
  sources(): Source[] {
    return this.#withDisk(this.#library.sources())
  }

  /** @throws TubeletError `not-found` */
  source(id: number): Source {
    const [source] = this.#withDisk([this.#library.source(id)])
    return source ?? this.#library.source(id)
  }

  /** Check whether a file is unchanged. */
  #look(sourceId: number): void {
    this.#disk.eventually(() => this.identity.check(sourceId))
  }

  #withDisk(sources: Source[]): Source[] {
    if (!this.#disk.isDoubted) return sources
    const cutOff = new Map(
      this.#table.open().flatMap(({ id, kind, sourceId }) => {
        const problem = this.#disk.refusedOf(id)
        return kind === 'analyse' && problem !== null
          ? [[sourceId, { problem, ...(this.#disk.holdsUp(id) ? { state: 'queued' as const } : {}) }] as const]
          : []
      }),
    )
    return sources.map((source) => ({ ...source, ...cutOff.get(source.id) }))
  }

  /** Run something in the background, also if the disk is full now. */
  eventually(work: () => Promise<void>): void {
    this.#disk.eventually(work)
  }

  /**
   * Analyse every source (or the given ones) with clips that one of these packs has not processed; finished clips are not processed again.
   * @returns How many were queued.
   */
  encodeMissing(digests: readonly string[], only?: readonly number[]): number {
    const waiting = new Set(this.#table.open().flatMap(({ kind, sourceId }) => (kind === 'analyse' ? [sourceId] : [])))
    const ids = this.#library.packs.missing(digests).sourceIds.filter((id) => !waiting.has(id) && (only === undefined || only.includes(id)))
    for (const id of ids) this.retry(id)
    return ids.length
  }

  /** Move a waiting job before another waiting one, or to the end. @throws TubeletError `not-found`; `conflict` if it is not waiting. */
  move(jobId: number, before: number | null): Queue {
    this.#queue.move(jobId, before)
    return this.queue()
  }

  /** @throws TubeletError `not-found` */
  retryJob(jobId: number): void {
    const job = this.#table.get(jobId)
    if (job.state !== 'failed' && job.state !== 'cancelled') return
    if (job.kind === 'analyse') {
      if (this.#analysisWaits(job.sourceId)) return
      this.#library.setSourceState(job.sourceId, 'queued')
    }
    if (job.kind === 'ask' && this.#table.clipsOf(jobId) === null) this.#library.table.setAutomatic(job.columnId, true)
    this.#queue.again(jobId)
  }

  /** An analysis waits until its file stops growing. */
  #untilAtRest({ id, path }: Source): void {
    this.eventually(() => this.#resting.watch(id, path))
  }

  retryFailed(): void {
    for (const { id } of this.#table.failed()) this.retryJob(id)
  }

  /**
   * Remove one failed or cancelled job from the list, or all failed ones. A video of which nothing could be read goes to the bin with it: it has no
   * annotations.
   *
   * @returns How many went to the bin. @throws TubeletError `not-found`, `conflict` where it has not ended
   */
  removeFailed(only?: number): number {
    const jobs = only === undefined ? this.#table.failed() : [this.#table.get(only)]
    const binned = new Set<number>()
    for (const job of jobs) {
      if (job.state === 'queued' || job.state === 'running')
        throw new TubeletError({
          code: 'conflict',
          message: 'This job has not ended.',
          stillWorks: 'It stays in the queue.',
          next: 'Cancel it first.',
        })
      // One file may have failed twice.
      const source = job.kind === 'analyse' && this.#library.sourceExists(job.sourceId) ? this.#library.source(job.sourceId) : null
      if (source?.state === 'failed' && source.clipCount === 0) binned.add(source.id)
    }
    this.#library.removeJobs(jobs, [...binned])
    this.#announce()
    return binned.size
  }

  #analysisWaits(source: number): boolean {
    return this.#table.open().some(({ kind, sourceId }) => kind === 'analyse' && sourceId === source)
  }

  /** Listen for jobs that end. @returns A function that stops listening. */
  onEnd(listener: (job: StoredJob) => void): () => void {
    this.#enders.add(listener)
    return () => void this.#enders.delete(listener)
  }

  /** Move a source to the bin: its jobs end first. What was not done by then is done when it is restored. */
  async removeSource(sourceId: number): Promise<void> {
    const waits = this.#analysisWaits(sourceId)
    for (const job of this.#table.open()) {
      if (job.sourceId !== sourceId) continue
      await this.cancel(job.id)
    }
    rmSync(previewFile(this.#library, this.#library.source(sourceId)), { force: true })
    if (waits) this.#library.setSourceState(sourceId, 'queued')
    this.#library.removeSource(sourceId)
  }

  /** @throws TubeletError `not-found`, `conflict` */
  async restoreSource(sourceId: number): Promise<void> {
    this.#library.restoreSource(sourceId)
    this.#goOnWithRestored()
    await this.identity.check(sourceId)
  }

  /** Queue again what was not done when it went to the bin. */
  #goOnWithRestored(): void {
    for (const id of this.#library.bin.takeRestored())
      if (this.#library.sourceExists(id) && this.#library.source(id).state === 'queued') this.retry(id)
  }

  /**
   * Add a column and fill it, for all clips or some. What is counted and not in the vocabulary yet is added to it, in the same step of undo.
   * @throws TubeletError `bad-request` for a question that neither yes nor no answers, as a yes-or-no column.
   */
  async addColumn(kind: ColumnKind, text: string, clipIds?: readonly number[]): Promise<KeptColumn> {
    if (kind === 'yesno' && wantsWords(text))
      throw new TubeletError({
        code: 'bad-request',
        message: 'Neither yes nor no answers “{{question}}”.',
        values: { question: text.trim() },
        field: 'body.kind',
        next: 'Add it as a question whose answers are words.',
      })
    const library = this.#library
    const { result: column } = library.history.asOneStep(() => {
      const added = library.table.addColumn(kind, text, kind !== 'count' && clipIds === undefined)
      if (kind === 'count') {
        const vocabulary = library.detections.vocabulary()
        const missing = namesToCount(text, vocabulary, library.packs.current().boxes?.names ?? null)
        if (missing.length > 0) library.changeVocabulary(withNames(vocabulary, missing))
      }
      return added
    })
    if (kind === 'count') await this.detectLabels()
    else this.fillColumn(column, clipIds)
    return column
  }

  /** Fill the empty cells of a column, for all clips or some. Counts are always full. */
  fillColumn({ id, kind, text }: KeptColumn, clipIds?: readonly number[]): void {
    if (kind === 'count') return
    if (clipIds === undefined) this.#library.table.setAutomatic(id, true)
    const waits = this.#table.open().some((job) => job.columnId === id && this.#table.clipsOf(job.id) === null)
    if (!waits) this.#queue.add({ kind: 'ask', title: text, columnId: id, clipIds })
  }

  /** Stop filling: filled cells stay, and later clips are not filled until it is asked for again. */
  stopColumn(columnId: number): void {
    this.#library.table.setAutomatic(columnId, false)
    this.eventually(() => this.#endFilling((id) => id === columnId))
  }

  /** Undoable, with its filling: brought back, it is filled on. */
  removeColumn(columnId: number): void {
    this.#library.table.removeColumn(columnId)
    this.eventually(() => this.#matchColumns())
  }

  /** End the filling of columns that are gone, and go on with that of columns that are back. */
  async #matchColumns(): Promise<void> {
    const { table, packs } = this.#library
    const columns = table.columns()
    await this.#endFilling((id) => !columns.some((column) => column.id === id))
    const answers = packs.current().answer?.digest
    if (answers === undefined) return
    for (const column of columns) if (column.automatic && table.unanswered(column.text, answers, 0, 1).length > 0) this.fillColumn(column)
  }

  async #endFilling(is: (columnId: number) => boolean): Promise<void> {
    for (const { id, columnId } of this.#table.open()) if (columnId !== null && is(columnId)) await this.cancel(id)
  }

  /**
   * Store the vocabulary, apply its edits, and update the machine's tracks. Thresholds apply at once; new words run over the stored encodings and
   * replace an older detection that still waits or runs.
   */
  async setVocabulary(vocabulary: readonly Label[], edits: Parameters<Library['changeVocabulary']>[1] = []): Promise<void> {
    this.#library.changeVocabulary(vocabulary, edits)
    await this.detectLabels()
  }

  /** Make tracks from what the current pack saw, and look for new words. */
  async detectLabels(): Promise<void> {
    // Clips to come are given the labels by their analysis; one under way has its clip's row already.
    if (this.#library.clips({ limit: 1, offset: 0 }).total === 0) return
    // If the engine does not start, the status says so; its next start calls this again.
    const engine = await this.#pipeline.packs.boxes().catch(() => null)
    if (engine === null || this.#closed) return
    this.#library.showVocabulary(engine.info)
    this.#detectStale(engine.info.digest)
  }

  #detectStale(digest: string): void {
    const { detections } = this.#library
    const stale = detections.stale(digest).length
    const open = this.#table.open()
    // A running one uses the old words; a waiting one will use the new ones.
    for (const job of open) if (job.kind === 'detect' && job.state === 'running') this.#disk.eventually(() => this.cancel(job.id))
    if (
      open.some(({ kind, state }) => kind === 'detect' && state === 'queued') ||
      (stale === 0 && !open.some(({ kind }) => kind === 'analyse'))
    )
      return
    const names = detections.vocabulary().map(({ name }) => name)
    this.#queue.add({ kind: 'detect', title: names.join(', ') })
  }

  /** Encode the clips that a person marked in a source. */
  encodeMarked(sourceId: number): void {
    const waits = this.#table.open().some((job) => job.kind === 'mark' && job.sourceId === sourceId && job.state === 'queued')
    if (!waits) this.#queue.add({ kind: 'mark', title: this.#library.source(sourceId).name, sourceId })
  }

  /** Encode marked clips that the current pack has not encoded: undo may have brought them back. */
  async encodeMarks(): Promise<void> {
    // Without an engine the next analysis of the file does it.
    if ((await this.#pipeline.packs.all()).length === 0 || this.#closed) return
    for (const id of this.#library.unencodedMarks()) this.encodeMarked(id)
  }

  /** The preview job of a source, in whatever state: there is at most one. */
  previewJob(sourceId: number): Job | null {
    const job = this.#table.previewOf(sourceId)
    return job && this.#listed(job)
  }

  /** Make the preview copy of a source, again if it failed, was cancelled or was deleted. @throws TubeletError `not-found` */
  makePreview(sourceId: number): void {
    const job = this.#table.previewOf(sourceId)
    if (job === null) this.#queue.add({ kind: 'preview', title: this.#library.source(sourceId).name, sourceId })
    else if (job.state !== 'queued' && job.state !== 'running') this.#queue.again(job.id)
  }

  queue(): Queue {
    this.#revision = Math.max(this.#revision + 1, Date.now())
    return {
      revision: this.#revision,
      jobs: this.#table.list(LISTED).map((job) => this.#listed(this.#titled(job))),
      ...this.#queue.counts(),
      paused: this.#queue.paused,
      etaSeconds: this.#eta(),
    }
  }

  /** A job of a video is called as that is by now. */
  #titled<J extends StoredJob>(job: J): J {
    return job.sourceId === null ? job : { ...job, title: this.#library.titles.of(job.sourceId) || job.title }
  }

  /** A job with its current state. */
  #listed(job: StoredJob): Job {
    if (this.#disk.holdsUp(job.id)) return { ...job, state: 'queued', stage: null, rate: null, problem: this.#disk.problem }
    return { ...this.#standingOf(job), problem: this.#disk.refusedOf(job.id) ?? job.problem }
  }

  #standingOf(job: StoredJob): Job {
    const standing = this.#queue.standing(job.id)
    const waits = job.kind === 'analyse' && job.state === 'queued' && this.#resting.waiting.includes(job.sourceId)
    if (standing === null)
      return {
        ...job,
        stage: waits ? said('Waits until the file rests: it may still be written') : job.state === 'running' ? said('Starting') : null,
        rate: null,
      }
    const { stage, progress, clips, began } = standing
    const elapsed = (performance.now() - began) / 1000
    const amount =
      job.sourceId !== null && JOB_KINDS[job.kind].whole ? progress * (this.#library.source(job.sourceId).probe?.duration ?? 0) : clips
    return { ...job, stage, progress, rate: elapsed < RATE_AFTER || amount === 0 ? null : amount / elapsed }
  }

  /** See `JobQueue.lend`. */
  lend(...given: Parameters<JobQueue['lend']>): StoredJob | null {
    return this.#queue.lend(...given)
  }

  /** How many analyses could be lent to other machines now. */
  lendable(): number {
    return this.#queue.lendable()
  }

  get paused(): boolean {
    return this.#queue.paused
  }

  /** Resolves when it has ended. @throws TubeletError `not-found` */
  cancel(jobId: number): Promise<void> {
    return this.#queue.cancel(jobId)
  }

  cancelAll(): void {
    this.#queue.cancelAll()
  }

  /** Update the column or source of an ended job. @returns False if the source was removed in the meantime, and its jobs with it. */
  #keepEnd({ kind, sourceId, columnId }: StoredJob, state: Ended, problem: Problem | null): boolean {
    if (state === 'cancelled' && kind === 'ask') this.#library.table.setAutomatic(columnId, false)
    if (sourceId !== null && !this.#library.sourceExists(sourceId)) return false
    if (kind === 'analyse') {
      const { name: file, encodedCount } = this.#library.source(sourceId)
      // Clips analysed before the file disappeared stay; the source says that the file is missing.
      const lost = problem !== null && (problem.code === 'file-missing' || problem.code === 'file-replaced') && encodedCount > 0
      this.#library.setSourceState(
        sourceId,
        lost || (state === 'done' && !problem) ? 'done' : state === 'done' ? 'partial' : state,
        lost ? null : problem && { file, ...problem },
      )
    }
    return true
  }

  #learn({ kind, sourceId }: StoredJob, seconds: number): void {
    const probe = sourceId === null ? null : this.#library.source(sourceId).probe
    if (probe && JOB_KINDS[kind].whole) this.#speed.learn(this.#speedOf(kind), kindOf(probe), probe.duration, seconds)
  }

  /** The time that analysing with exactly these packs took on this machine; null until enough files were timed. `video` and `wall` are sums in seconds. */
  speed(digests: readonly string[]): Sums | null {
    return this.#speed.of(together(digests))
  }

  /** Remaining time of the analyses, of the copies, or of both, where their speed is known. */
  #eta(): number | null {
    const ahead = this.#table.videoAhead().map(({ jobId, seconds, ...of }) => ({
      ...of,
      seconds: seconds * (1 - (jobId === null ? 0 : (this.#queue.standing(jobId)?.progress ?? 0))),
    }))
    const known = [...Map.groupBy(ahead, ({ kind }) => kind)].flatMap(
      ([kind, some]) => this.#speed.estimate(this.#speedOf(kind), some) ?? [],
    )
    return known.length === 0 ? null : known.reduce((sum, seconds) => sum + seconds)
  }

  #speedOf(kind: JobKind): string {
    // What several machines do together says nothing about this one.
    return kind === 'preview' ? COPYING : `${this.#lends ? 'workers ' : ''}${together(this.#library.packs.inUse())}`
  }

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

  /** Report an error of background work. */
  #tell(error: unknown): void {
    const { message, values, details } = problemOf(error)
    printErrorLines(details ?? message)
    if (!this.#closed) this.#library.emit({ type: 'told', phrase: said(message, values) })
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
  return { kind: 'analyse', title: name, sourceId: id }
}

/** The key of a set of packs. */
function together(digests: readonly string[]): string {
  return digests
    .toSorted()
    .map((digest) => digest.slice(0, 12))
    .join('+')
}

function kindOf({ codec, width, height }: Probe): VideoKind {
  return { codec, side: Math.min(width, height) }
}
