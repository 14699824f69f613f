/** The project on disk: one SQLite file and a cache folder that can be deleted at any time. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { Annotation, AnnotationBody } from '../../app/annotation.ts'
import type { BackendEvent, Clip, Source, SourceState } from '../../app/contract.ts'
import type { ClipEvent, Edit } from '../../app/contract/state.ts'
import { overturns } from '../../app/deeds.ts'
import { inField, type Problem, TubeletError } from '../../app/errors.ts'
import type { FrameRef, Probe } from '../../app/media.ts'
import type { NumberedVideo } from '../../app/numbered.ts'
import { phrase, type Phrase, said } from '../../app/phrase.ts'
import type { Encoding } from '../engine/engine.ts'
import { changeOf, type Label, tidy } from '../../app/vocabulary.ts'
import type { Language } from '../../app/words.ts'
import { Bin, KEPT_DAYS } from './bin.ts'
import type { Place } from './annotation-checks.ts'
import { askHere } from './asked.ts'
import { Annotations, type Deed, deedOn, type MachineResult, type ReviewAction } from './annotations.ts'
import { DamagedRows } from './damaged-rows.ts'
import { Detections, type Seen as Look, type Shower } from './detections.ts'
import { LibraryExports } from './exports.ts'
import { FACTS, LibraryFacts } from './facts.ts'
import { LibraryFind } from './find.ts'
import { LibraryImports } from './imports.ts'
import { JobTable } from './job-table.ts'
import { KnownFiles } from './known-files.ts'
import { LibraryMerge } from './merge.ts'
import { Overview } from './overview.ts'
import { LibraryPacks } from './packs.ts'
import { CLIP_WITH } from './reach.ts'
import { RemovedClips } from './removed.ts'
import { Restating } from './restating.ts'
import { Seen } from './seen.ts'
import { bytesOf, CLIP_FRAMES, CLIP_VIEW, clipsOf, freeId, SOURCE_VIEW, sourceOf, type StoredJob } from './rows.ts'
import { openDatabase } from './schema.ts'
import { readSetting, writeSetting } from './settings.ts'
import { makeFolderSync } from '../folders.ts'
import { packageVersion } from '../version.ts'
import { frameTimes, packedTimes } from './frame-times.ts'
import { settleOldClips } from './grown.ts'
import { EditHistory } from './history.ts'
import { Table } from './table.ts'
import { Titles } from './titles.ts'

/** A clip as the sampler plans it. Spans are half-open: seconds from the first frame, and ordinals. */
export interface ClipPlan {
  index: number
  kind: Clip['kind']
  start: number
  end: number
  startFrame: number
  endFrame: number
  frames: FrameRef[]
}

export class Library {
  readonly projectDir: string
  /** Search over the library. */
  readonly find: LibraryFind
  /** Which packs are in use here, and what each has encoded. */
  readonly packs: LibraryPacks
  /** The vocabulary, and what was found for it. */
  readonly detections: Detections
  /** What detectors and readers found in clips. */
  readonly seen: Seen
  /** Facts about clips. */
  readonly facts: LibraryFacts
  readonly table: Table
  readonly exports: LibraryExports
  readonly overview: Overview
  /** What comes from annotation files. */
  readonly imports: LibraryImports
  /** Work of other people that is taken in. */
  readonly merge: LibraryMerge
  /** Undo. */
  readonly history: EditHistory
  /** Which file each video is. */
  readonly files: KnownFiles
  readonly titles: Titles
  /** Videos that were removed. */
  readonly bin: Bin
  /** What becomes of rows that cannot be read. */
  readonly damage: DamagedRows
  readonly #db: DatabaseSync
  /** The frame times that were read last, kept for the next edit. */
  #framesRead: { id: number; pts: Float64Array } | null = null
  readonly #annotations: Annotations
  readonly #removed: RemovedClips
  /** The queue. */
  readonly jobs: JobTable
  readonly #listeners = new Set<(event: BackendEvent) => void>()
  #depth = 0
  readonly #restating: Restating
  /** Events to emit when the open transaction is committed. */
  #afterwards: BackendEvent[] = []

  private constructor(projectDir: string, scratch: boolean) {
    this.projectDir = projectDir
    makeFolderSync(projectDir)
    this.#db = openDatabase(projectDir)
    if (scratch) this.#db.exec('PRAGMA synchronous = OFF')
    this.jobs = new JobTable(this.#db)
    this.#removed = new RemovedClips(this.#db, (sourceId, clipIds) => {
      this.find.forget()
      this.#afterwards.push({ type: 'clips', sourceId, clipIds })
    })
    this.titles = new Titles(this.#db)
    this.#db.function('title_of', (id) => this.titles.of(Number(id)))
    this.files = new KnownFiles(this.#db, (event) => this.emit(event))
    this.bin = new Bin(
      this.#db,
      (work) => this.#atomic(work),
      (id) => {
        this.find.forget()
        this.#afterwards.push({ type: 'sources', ids: [id] }, { type: 'clips', sourceId: id, clipIds: [] }, { type: 'bin' })
      },
      (id) => {
        rmSync(this.cachePath('sources', id), { recursive: true, force: true })
        this.emit({ type: 'bin' })
      },
    )
    this.history = new EditHistory(
      this.#db,
      (work) => this.#atomic(work),
      (event) => this.emit(event.type === 'annotations' ? { ...event, clipIds: this.#restating.edited(event.clipIds) } : event),
      {
        annotation: ({ id, clipId, after }) => this.#annotations.apply(id, clipId, after),
        vocabulary: ({ after }) => void this.detections.setVocabulary(after),
        clip: ({ clipId, there }) => (there ? this.#removed.restore(clipId) : this.#removed.remove(clipId)),
        source: ({ sourceId, there }) => (there ? this.bin.restore(sourceId) : this.bin.remove(sourceId)),
        job: ({ job, there }) => (there ? this.jobs.putBack(job) : this.jobs.remove(job.id)),
        column: ({ column, there }) => this.table.placeColumn(column, there),
        brought: (change) => this.#annotations.placeRow(change),
        view: ({ view, there }) => this.table.placeView(view, there),
      },
    )
    this.#annotations = new Annotations(this.#db, (work) => this.#atomic(work), this.history)
    this.find = new LibraryFind(projectDir, this.#db)
    this.seen = new Seen(this.#db)
    this.packs = new LibraryPacks(
      this.#db,
      (work) => this.#atomic(work),
      (event) => this.emit(event),
      () => this.find.forget(),
    )
    this.facts = new LibraryFacts({
      db: this.#db,
      annotations: this.#annotations,
      show: (clipId) => this.#restating.show(clipId),
      seen: this.seen,
      packs: this.packs,
      atomic: (work) => this.#atomic(work),
      appVersion: packageVersion,
      scratch,
    })
    this.detections = new Detections(this.#db, (work) => this.#atomic(work), this.#annotations)
    this.#restating = new Restating({
      db: this.#db,
      facts: this.facts,
      detections: this.detections,
      packs: this.packs,
      atomic: (work) => this.#atomic(work),
      afterwards: (event) => this.#afterwards.push(event),
    })
    this.exports = new LibraryExports(this.#db, (work) => this.#atomic(work))
    this.table = new Table(
      projectDir,
      this.#db,
      this.history,
      (event) => this.emit(event),
      (question) => this.#restating.asked(question),
    )
    this.overview = new Overview(projectDir, this.#db)
    this.imports = new LibraryImports(this.#db, this.#annotations, this.history, this.detections, (clipId) => this.#place(clipId))
    this.merge = new LibraryMerge(this.#db, this.#annotations, this)
    this.damage = new DamagedRows(this.#db, projectDir, this)
    this.onChange((event) => this.table.hear(event))
  }

  /**
   * @param scratch Whether it only collects what packs find in a video, to be taken into another library, which makes facts of it (results.ts): none are
   *   kept here, and a power cut may take all of it.
   * @throws TubeletError `conflict` when a newer Tubelet wrote it.
   */
  static open(projectDir: string, { scratch = false }: { scratch?: boolean } = {}): Library {
    const library = new Library(projectDir, scratch)
    library.damage.lookAtStart()
    library.history.takeBackUnfinished()
    library.bin.empty(new Date(Date.now() - KEPT_DAYS * 86_400_000).toISOString())
    if (library.facts.unjudged()) void library.restateAll()
    return library
  }

  async close(): Promise<void> {
    this.#restating.close()
    await this.history.close()
    await this.find.close()
    await this.overview.close()
    await this.table.close()
    this.#db.close()
  }

  /** Call `listener` for every committed change. @returns A function that stops it. */
  onChange(listener: (event: BackendEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(event: BackendEvent): void {
    if (event.type === 'sources') this.titles.forget(event.ids)
    for (const listener of this.#listeners) listener(event)
  }

  /** Store all that `work` stores, or nothing; in one transaction, which costs less than many. */
  together<T>(work: () => T): T {
    return this.#atomic(work)
  }

  #atomic<T>(work: () => T): T {
    if (this.#depth > 0) return work()
    this.#db.exec('BEGIN IMMEDIATE')
    this.#depth += 1
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // On a full disk SQLite has already rolled back.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#afterwards = []
      throw error
    } finally {
      this.#depth -= 1
      for (const event of this.#afterwards.splice(0)) this.emit(event)
    }
  }

  // ── sources

  /** Register a file. The same content under another name is the same source; if its old path is gone, the new one is taken. */
  addSource({
    path: file,
    name,
    bytes,
    mtimeMs,
    fingerprint,
    stamp = null,
    picture = null,
    numbered = null,
  }: {
    path: string
    name: string
    bytes: number
    mtimeMs: number
    fingerprint: string
    stamp?: string | null
    picture?: number | null
    numbered?: NumberedVideo | null
  }): { source: Source; isNew: boolean } {
    const known = this.#db.prepare('SELECT id, path FROM sources WHERE fingerprint = ?').get(fingerprint)
    if (known === undefined) {
      const insert = this.#db.prepare(
        `INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, stamp, picture, numbered, state) VALUES (${freeId('sources')}, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')`,
      )
      const added = new Date().toISOString()
      const kept = numbered && JSON.stringify(numbered)
      const id = Number(insert.run(file, name, bytes, mtimeMs, fingerprint, added, stamp, picture, kept).lastInsertRowid)
      this.emit({ type: 'sources', ids: [id] })
      return { source: this.source(id), isNew: true }
    }
    const id = Number(known['id'])
    if (!existsSync(String(known['path']))) {
      this.#db.prepare('UPDATE sources SET path = ?, name = ? WHERE id = ?').run(file, name, id)
      this.emit({ type: 'sources', ids: [id] })
    }
    return { source: this.source(id), isNew: false }
  }

  sources(): Source[] {
    return this.#db.prepare(`${SOURCE_VIEW} ORDER BY s.id`).all().map(sourceOf)
  }

  /** @throws TubeletError `not-found` */
  source(id: number): Source {
    const row = this.#db.prepare(`${SOURCE_VIEW} WHERE s.id = ?`).get(id)
    if (row === undefined)
      throw new TubeletError({ code: 'not-found', message: 'There is no such video in the library.', next: 'Reload the list.' })
    return sourceOf(row)
  }

  setSourceState(id: number, state: SourceState, problem: Problem | null = null): void {
    this.#updateSource(id, { state, problem: problem && JSON.stringify(problem) })
  }

  setProbe(id: number, probe: Probe): void {
    this.#updateSource(id, { probe: JSON.stringify(probe) })
  }

  setNumbered(id: number, numbered: NumberedVideo): void {
    this.#updateSource(id, { numbered: JSON.stringify(numbered) })
  }

  /** @param pts Of every decoded frame, by ordinal, in time base ticks. */
  setFrames(id: number, pts: Float64Array): void {
    this.#framesRead = null
    this.#updateSource(id, { pts: packedTimes(pts) })
  }

  frames(id: number): Float64Array {
    // Every edit of a track needs the frame times of its video.
    if (this.#framesRead?.id !== id) this.#framesRead = { id, pts: frameTimes(this.#db, id) }
    return this.#framesRead.pts
  }

  sourceExists(id: number): boolean {
    return this.#db.prepare('SELECT 1 FROM sources WHERE id = ?').get(id) !== undefined
  }

  /** Move a source with everything said about it to the bin: a step of undo. The file itself is untouched. */
  removeSource(id: number): void {
    const { name } = this.source(id)
    this.#atomic(() => {
      const description = said('{{deed}} · {{source}}', { deed: said('Video removed'), source: name })
      this.history.record({ kind: 'source', sourceId: id, there: false }, description)
      this.bin.remove(id)
    })
    this.emit({ type: 'history' })
  }

  /** Take jobs that ended off the list, and move videos to the bin: one step of undo. */
  removeJobs(jobs: readonly StoredJob[], sourceIds: readonly number[]): void {
    const [first] = jobs
    if (first === undefined) return
    const description =
      jobs.length === 1
        ? said('{{deed}} · {{source}}', { deed: said('Removed from the queue'), source: first.title })
        : said('{{deed}} × {{times}}', { deed: said('Removed from the queue'), times: jobs.length })
    this.history.asOneStep(() => {
      // Videos last, so that undo brings them back first, before their jobs.
      for (const { id } of jobs) this.history.record({ kind: 'job', job: this.jobs.kept(id), there: false }, description)
      for (const { id } of jobs) this.jobs.remove(id)
      for (const sourceId of sourceIds) {
        this.history.record({ kind: 'source', sourceId, there: false }, description)
        this.bin.remove(sourceId)
      }
    }, description)
    this.emit({ type: 'history' })
  }

  /** Take a source out of the bin. @throws TubeletError `not-found`, `conflict` */
  restoreSource(id: number): void {
    this.#atomic(() => {
      this.bin.restore(id)
      this.history.sourceRestored(id)
    })
    this.emit({ type: 'history' })
  }

  #updateSource(id: number, values: Record<string, SQLInputValue>): void {
    const names = Object.keys(values)
    this.#db.prepare(`UPDATE sources SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`).run(...Object.values(values), id)
    this.emit({ type: 'sources', ids: [id] })
  }

  // ── pictures: the next analysis rebuilds them if the cache was deleted

  cachePath(...parts: readonly (string | number)[]): string {
    return path.join(this.projectDir, 'cache', ...parts.map(String))
  }

  saveThumbnail(sourceId: number, jpeg: Uint8Array): void {
    this.#savePicture(['sources', sourceId, 'thumbnail.jpg'], jpeg)
    this.#updateSource(sourceId, { has_thumbnail: 1 })
  }

  /** @param cells null where nothing could be read. */
  saveFilmstrip(sourceId: number, cells: readonly (Uint8Array | null)[]): void {
    for (const [cell, jpeg] of cells.entries()) {
      const place = ['sources', sourceId, `strip-${cell}.jpg`]
      if (jpeg === null) rmSync(this.cachePath(...place), { force: true })
      else this.#savePicture(place, jpeg)
    }
    this.#updateSource(sourceId, { filmstrip_cells: cells.length })
  }

  saveClipThumbnail(clipId: number, jpeg: Uint8Array): void {
    this.#savePicture(['sources', this.clip(clipId).sourceId, `clip-${clipId}.jpg`], jpeg)
  }

  #savePicture(parts: readonly (string | number)[], jpeg: Uint8Array): void {
    const file = this.cachePath(...parts)
    makeFolderSync(path.dirname(file))
    writeFileSync(file, jpeg)
  }

  // ── clips and encodings

  /** Store a clip. One with the same span keeps its id and everything said about it. */
  saveClip(sourceId: number, plan: ClipPlan): number {
    // A clip of which only the beginning was stored is the same clip, now complete.
    const grown = plan.kind === 'marked' ? null : this.#grow(sourceId, plan)
    if (grown !== null) return grown
    const row = this.#db
      .prepare(
        `INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (${freeId('clips')}, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (source_id, start_frame, end_frame) DO UPDATE SET idx = excluded.idx, kind = iif(clips.kind = 'marked', clips.kind, excluded.kind), start = excluded.start, "end" = excluded."end", frames = excluded.frames
         RETURNING id`,
      )
      .get(sourceId, plan.index, plan.kind, plan.start, plan.end, plan.startFrame, plan.endFrame, JSON.stringify(plan.frames))
    return Number(row?.['id'])
  }

  /** Store the beginning of a source's first clip; `saveClip` sets its end later. Null if the source already has other clips. */
  saveBeginning(sourceId: number, plan: ClipPlan): number | null {
    const others = this.#db.prepare(`SELECT 1 FROM clips WHERE source_id = ? AND kind <> 'beginning' LIMIT 1`).get(sourceId)
    return others === undefined ? this.saveClip(sourceId, plan) : null
  }

  #grow(sourceId: number, { index, kind, start, end, startFrame, endFrame, frames }: ClipPlan): number | null {
    const row = this.#db
      .prepare(
        `UPDATE OR IGNORE clips SET idx = ?, kind = ?, start = ?, "end" = ?, end_frame = ?, frames = ? WHERE source_id = ? AND kind = 'beginning' AND start_frame = ? RETURNING id`,
      )
      .get(index, kind, start, end, endFrame, JSON.stringify(frames), sourceId, startFrame)
    return row === undefined ? null : Number(row['id'])
  }

  /** Spans that a person marked, of one source. */
  markedClips(sourceId: number): Clip[] {
    const rows = this.#db.prepare(`${CLIP_VIEW} WHERE c.source_id = ? AND c.kind = 'marked' ORDER BY c.start_frame`).all(sourceId)
    return clipsOf(this.#db, rows)
  }

  /** Sources with a marked clip that a pack in use has not encoded. */
  unencodedMarks(): number[] {
    const { caption, answer, search } = this.packs.current()
    const digests = [caption, answer, search].flatMap((pack) => pack?.digest ?? [])
    return idsOf(
      this.#db
        .prepare(
          `SELECT DISTINCT source_id AS id FROM clips c WHERE kind = 'marked' AND EXISTS (SELECT 1 FROM json_each(?) d WHERE NOT EXISTS (SELECT 1 FROM encodings e WHERE e.clip_id = c.id AND e.pack_digest = d.value))`,
        )
        .all(JSON.stringify(digests)),
    )
  }

  /** Make a clip of a span that a person marked: a step of undo. */
  markClip(sourceId: number, plan: ClipPlan): Clip {
    const id = this.#atomic(() => {
      const marked = this.saveClip(sourceId, plan)
      this.history.record({ kind: 'clip', clipId: marked, there: true }, deedOn(this.#place(marked), phrase('Clip marked')))
      return marked
    })
    this.emit({ type: 'clips', sourceId, clipIds: [id] })
    this.emit({ type: 'history' })
    return this.clip(id)
  }

  /** Take a marked clip away with all that was said about it: a step of undo. */
  removeClip(id: number): void {
    this.#atomic(() => {
      this.history.record({ kind: 'clip', clipId: id, there: false }, deedOn(this.#place(id), phrase('Clip removed')))
      this.#removed.remove(id)
    })
    this.emit({ type: 'history' })
  }

  /** After a complete analysis: what becomes of clips that it no longer found (grown.ts). */
  pruneClips(sourceId: number, kept: readonly number[]): void {
    this.#atomic(() => {
      const clipIds = settleOldClips({ db: this.#db, annotations: this.#annotations, seen: this.seen }, sourceId, kept)
      if (clipIds === null) return
      this.facts.refresh(clipIds)
      this.find.forget()
      this.#afterwards.push({ type: 'clips', sourceId, clipIds })
    })
  }

  /** @throws TubeletError `not-found` that names the first of these clips that is not in the library. */
  checkClips(ids: readonly number[]): void {
    const [missing] = this.#missing('clips', ids)
    if (missing !== undefined)
      throw new TubeletError({
        code: 'not-found',
        message: 'There is no clip {{clip}} in this library.',
        values: { clip: missing },
        next: 'Choose clips from the list.',
      })
  }

  /** @throws TubeletError `not-found` that names the first of these sources that is not in the library. */
  checkSources(ids: readonly number[]): void {
    const [missing] = this.#missing('sources', ids)
    if (missing !== undefined)
      throw new TubeletError({
        code: 'not-found',
        message: 'There is no source {{source}} in this library.',
        values: { source: missing },
        next: 'Choose sources from the list.',
      })
  }

  #missing(table: 'clips' | 'sources', ids: readonly number[]): number[] {
    if (ids.length === 0) return []
    const sql = `SELECT value AS id FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.id = value) LIMIT 1`
    return idsOf(this.#db.prepare(sql).all(JSON.stringify(ids)))
  }

  /** Clips by source, then by time. */
  clips({ sourceId, limit, offset }: { sourceId?: number; limit: number; offset: number }): { clips: Clip[]; total: number } {
    const where = sourceId === undefined ? '' : 'WHERE c.source_id = ?'
    const only = sourceId === undefined ? [] : [sourceId]
    const rows = this.#db.prepare(`${CLIP_VIEW} ${where} ORDER BY c.source_id, c.start_frame LIMIT ? OFFSET ?`).all(...only, limit, offset)
    return {
      clips: clipsOf(this.#db, rows),
      total: Number(this.#db.prepare(`SELECT count(*) AS n FROM clips c ${where}`).get(...only)?.['n']),
    }
  }

  /** Whether a clip exists: a person may remove it while it is worked on. */
  clipExists(id: number): boolean {
    return this.#db.prepare('SELECT 1 FROM clips WHERE id = ?').get(id) !== undefined
  }

  /** @throws TubeletError `not-found` */
  clip(id: number): Clip {
    const row = this.#db.prepare(`${CLIP_VIEW} WHERE c.id = ?`).get(id)
    const [clip] = clipsOf(this.#db, row === undefined ? [] : [row])
    if (clip === undefined) throw noClip()
    return clip
  }

  /** The frames that a pack's encoder saw, one per input frame. @param digest Null for the pack that writes captions. */
  clipFrames(id: number, digest: string | null = null): FrameRef[] {
    const frames = this.#db.prepare(CLIP_FRAMES).get({ id, digest })?.['frames']
    return typeof frames === 'string' ? (JSON.parse(frames) as FrameRef[]) : []
  }

  /**
   * Store what one pack's encoder gave for a clip, with its caption and its boxes, in one transaction.
   * @returns False if the clip was removed meanwhile. @throws RangeError for an embedding with which search could compare nothing.
   */
  saveClipResult(
    clipId: number,
    info: Shower,
    encoding: Encoding,
    frames: readonly FrameRef[],
    results: { caption: MachineResult | null; seen: Look | null },
  ): boolean {
    const saved = this.#atomic(() => {
      const { embedding } = encoding
      this.find.mustCompare(embedding, info.digest)
      const { changes } = this.#db
        .prepare(
          `INSERT OR REPLACE INTO encodings (clip_id, pack_digest, embedding, memory, tokens, caption, frames)
           SELECT id, ?, ?, ?, ?, ?, ? FROM clips WHERE id = ?`,
        )
        .run(
          info.digest,
          bytesOf(embedding),
          bytesOf(encoding.memory),
          encoding.tokens && bytesOf(encoding.tokens),
          results.caption && JSON.stringify(results.caption),
          JSON.stringify(frames),
          clipId,
        )
      if (changes === 0) return false
      if (results.caption) this.#annotations.saveMachine(clipId, 'caption', [results.caption])
      if (results.seen) this.detections.save(clipId, info, results.seen)
      return true
    })
    if (saved) this.emit({ type: 'clips', sourceId: this.clip(clipId).sourceId, clipIds: [clipId] })
    return saved
  }

  hasEncoding(clipId: number, digest: string): boolean {
    return this.#db.prepare('SELECT 1 FROM encodings WHERE clip_id = ? AND pack_digest = ?').get(clipId, digest) !== undefined
  }

  encoding(clipId: number, digest: string): Encoding | null {
    const row = this.#db
      .prepare('SELECT embedding, memory, tokens FROM encodings WHERE clip_id = ? AND pack_digest = ?')
      .get(clipId, digest)
    if (row === undefined) return null
    const [embedding, memory, tokens] = [row['embedding'], row['memory'], row['tokens']].map((blob) =>
      blob instanceof Uint8Array ? new Uint8Array(blob).buffer : null,
    )
    if (!embedding || !memory) return null
    return { embedding: new Float32Array(embedding), memory: new Uint16Array(memory), tokens: tokens ? new Uint16Array(tokens) : null }
  }

  encodedClipIds(digest: string): number[] {
    return idsOf(this.#db.prepare('SELECT clip_id AS id FROM encodings WHERE pack_digest = ? ORDER BY clip_id').all(digest))
  }

  // ── annotations

  annotations(clipId: number): Annotation[] {
    return this.#annotations.ofClip(clipId)
  }

  /** The clip's annotations, and those that reach into it from other clips of its video. */
  annotationsSeenWith(clipId: number): Annotation[] {
    return this.#annotations.seenWith(this.clip(clipId))
  }

  annotation(id: number): Annotation {
    return this.#annotations.get(id)
  }

  /** The annotations in the order of `ids`; those that no longer exist are left out. */
  annotationsById(ids: readonly number[]): Annotation[] {
    return this.#annotations.byId(ids)
  }

  saveMachine(clipId: number, kind: AnnotationBody['kind'], results: readonly MachineResult[]): Annotation[] {
    const saved = this.#annotations.saveMachine(clipId, kind, results)
    this.emit({ type: 'annotations', clipIds: [clipId] })
    return saved
  }

  /** Set the vocabulary and edit tracks with it, all or nothing, as one step of undo. */
  changeVocabulary(vocabulary: readonly Label[], edits: readonly Exclude<Edit, { action: 'add' }>[] = []): void {
    const before = this.detections.vocabulary()
    const description = changeOf(before, tidy(vocabulary))
    if (description === null && edits.length === 0) return
    const { result } = this.history.asOneStep(() => {
      const respelt = this.detections.setVocabulary(vocabulary)
      const after = this.detections.vocabulary()
      if (description) this.history.record({ kind: 'vocabulary', before, after }, description)
      return [...respelt, ...edits.map((edit) => this.#decided(edit).annotation.clipId)]
    }, description ?? undefined)
    this.#changed([...new Set(result)])
    this.emit({ type: 'labels' })
  }

  /** Rebuild the machine's tracks from a pack's candidates and the vocabulary. */
  showVocabulary(info: Shower): void {
    const changed = this.detections.apply(info)
    this.facts.refresh(changed)
    if (changed.length > 0) this.emit({ type: 'annotations', clipIds: changed })
    this.emit({ type: 'labels' })
  }

  /** The captions of all clips as people see them, except those made from facts: what these name are tracks. */
  captions(): string[] {
    return this.#db
      .prepare(
        `SELECT shown AS text FROM annotations WHERE kind = 'caption' AND state <> 'rejected' AND (human IS NOT NULL OR provenance ->> '$.packId' IS NOT ?)`,
      )
      .all(FACTS)
      .map((row) => String(row['text']))
  }

  /** Store what was detected in an encoded clip, and update the machine's tracks. */
  saveSeen(clipId: number, info: Shower, seen: Look): void {
    this.detections.save(clipId, info, seen)
    this.emit({ type: 'annotations', clipIds: [clipId] })
  }

  addAnnotation(clipId: number, body: AnnotationBody): Annotation {
    return this.#edited(this.#annotations.add(clipId, body, this.#place(clipId)))
  }

  /** @param basedOn What it said when the edit was begun. @throws TubeletError `conflict` where a person has changed it since. */
  review(id: number, action: ReviewAction, body?: AnnotationBody, basedOn?: AnnotationBody): Annotation {
    const { annotation, from } = this.#decided({ annotationId: id, action, body, basedOn })
    this.#changed([...new Set([from, annotation.clipId])])
    return annotation
  }

  /** @returns Also the clip that it lay in before. */
  #decided(edit: { annotationId: number; action: ReviewAction; body?: AnnotationBody | undefined; basedOn?: AnnotationBody | undefined }): {
    annotation: Annotation
    from: number
  } {
    const { annotationId, action, body, basedOn } = edit
    const { clipId: from } = this.annotation(annotationId)
    return { annotation: this.#annotations.review(annotationId, action, body, this.#place(from), basedOn), from }
  }

  /**
   * Make many edits as one step of undo, or add them to the step `after`: all or none. Returns the annotation of each, in order, and the step.
   * @throws TubeletError `not-found`, `bad-request`; `conflict` if a person has changed since what an edit is based on.
   */
  edit(edits: readonly Edit[], description?: Phrase, after?: number): { annotationIds: number[]; step: number } {
    // An edit may put something into another clip.
    const before = new Set<number>()
    const { result, step } = this.history.asOneStep(
      () =>
        edits.map((edit, at) =>
          inField(`${at}`, () => {
            if (edit.action === 'add') return inField('body', () => this.#annotations.add(edit.clipId, edit.body, this.#place(edit.clipId)))
            const { annotation, from } = this.#decided(edit)
            before.add(from)
            return annotation
          }),
        ),
      description,
      after,
    )
    this.#changed([...new Set([...before, ...result.map(({ clipId }) => clipId)])])
    return { annotationIds: result.map(({ id }) => id), step }
  }

  /** Make thousands of edits as one step of undo called `description`, in parts: others have their turn in between, and progress is reported. */
  editMany(deeds: readonly Deed[], description: Phrase): Promise<void> {
    return this.history.inParts(deeds, description, (deed) => this.#annotations.do(deed, description))
  }

  /**
   * A decision about many annotations at once must not reverse what a person decided.
   * @throws TubeletError `conflict` with the number that would be reversed
   */
  checkDecisions(edits: readonly Edit[]): void {
    const decisions = edits.flatMap((edit) => (edit.action === 'add' || edit.action === 'edit' ? [] : [edit]))
    if (decisions.length < 2) return
    const states = new Map(this.annotationsById(decisions.map(({ annotationId }) => annotationId)).map(({ id, state }) => [id, state]))
    const against = decisions.filter(({ action, annotationId }) => overturns(action, states.get(annotationId) ?? 'machine')).length
    if (against === 0) return
    throw new TubeletError({
      code: 'conflict',
      message: '{{against}} of these {{of}} decisions are the opposite of what a person decided.',
      values: { against, of: decisions.length },
      stillWorks: 'Nothing was changed.',
      next: 'Leave these out, or say that they are meant too (overturn).',
    })
  }

  clipHistory(clipId: number): ClipEvent[] {
    return this.#annotations.ofClipOverTime(this.clip(clipId).id)
  }

  #changed(clipIds: number[]): void {
    if (clipIds.length === 0) return
    this.emit({ type: 'annotations', clipIds: this.#restating.edited(clipIds) })
    this.emit({ type: 'history' })
  }

  #edited(annotation: Annotation): Annotation {
    this.#changed([annotation.clipId])
    return annotation
  }

  /** @throws TubeletError `not-found` */
  #place(clipId: number): Place {
    const row = this.#db
      .prepare(
        'SELECT c.idx, c.source_id, c.start_frame, c.end_frame, s.name, s.probe FROM clips c JOIN sources s ON s.id = c.source_id WHERE c.id = ?',
      )
      .get(clipId)
    if (row === undefined) throw noClip()
    const { idx, name, probe } = row
    return {
      clip: Number(idx) + 1,
      source: String(name),
      clipWith: (ordinal) => (this.#db.prepare(CLIP_WITH).get(row['source_id'] ?? null, ordinal)?.['id'] as number | undefined) ?? null,
      span: { startFrame: Number(row['start_frame']), endFrame: Number(row['end_frame']) },
      frames: () =>
        Math.max(
          this.frames(Number(row['source_id'])).length,
          Number(this.#db.prepare('SELECT max(end_frame) AS n FROM clips WHERE source_id = ?').get(row['source_id'] ?? null)?.['n']),
        ),
      pts: () => this.frames(Number(row['source_id'])),
      frame: typeof probe === 'string' ? (JSON.parse(probe) as Probe) : null,
    }
  }

  /** Set the language; resolves when every caption made from facts is in it. */
  async setLanguage(language: Language): Promise<void> {
    if (this.facts.language === language) return
    this.setSetting('language', language)
    await this.restateAll()
  }

  /** Update what is made from facts in all clips. */
  restateAll(): Promise<void> {
    return this.#restating.all()
  }

  /** A person asks a question about a clip itself: it stands there whatever becomes of its column. */
  askHere(clipId: number, question: string): void {
    askHere(this.#db, clipId, question)
  }

  // ── settings

  setting<T>(key: string, fallback: T): T {
    return readSetting(this.#db, key, fallback)
  }

  setSetting(key: string, value: unknown): void {
    writeSetting(this.#db, key, value)
  }
}

function idsOf(rows: readonly Record<string, SQLOutputValue>[]): number[] {
  return rows.map(({ id }) => Number(id))
}

function noClip(): TubeletError {
  return new TubeletError({ code: 'not-found', message: 'There is no such clip in the library.', next: 'Reload the list.' })
}
