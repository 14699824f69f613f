/**
 * Undo: every change by a person is stored with the state before and after it, so that undo works after a restart. Changes that were
 * made at once are one step; a large step is undone and redone in parts.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { AnnotationBody, Lineage, Origin, ReviewState } from '../../app/annotation.ts'
import type { BackendEvent } from '../../app/contract.ts'
import type { History, Step } from '../../app/contract/state.ts'
import { type Action, DEEDS } from '../../app/deeds.ts'
import { TubeletError } from '../../app/errors.ts'
import { english, phrase, type Phrase, said } from '../../app/phrase.ts'
import type { Vocabulary } from '../../app/vocabulary.ts'
import { isOpen, windowOf } from '../made-in.ts'
import type { KeptJob } from './job-table.ts'
import type { KeptColumn } from './rows.ts'
import { readSetting, writeSetting } from './settings.ts'

/** What a person decided about one annotation. */
export interface HumanLayer {
  kind: AnnotationBody['kind']
  topic: string
  state: ReviewState
  human: AnnotationBody | null
  /** The file that it was imported from. */
  origin?: Origin
  /** Who decided it, and when. */
  by?: string
  at?: string
  lineage?: Lineage
  /** Where an edit put it into another clip: the clip that it lies in on this side of the edit. */
  clipId?: number
}

/** A change by a person: the state before and after it. */
export type Change =
  /** `before`, `after`: null without a decision. */
  | { kind: 'annotation'; action: Action; id: number; clipId: number; before: HumanLayer | null; after: HumanLayer | null }
  | { kind: 'vocabulary'; before: Vocabulary; after: Vocabulary }
  /** `there`: whether it is in the library after the change; before it was the other way round. */
  | { kind: 'clip'; clipId: number; there: boolean }
  | { kind: 'source'; sourceId: number; there: boolean }
  /** With its whole row. */
  | { kind: 'job'; job: KeptJob; there: boolean }
  /** Its answers belong to the clips and stay. */
  | { kind: 'column'; column: KeptColumn; there: boolean }
  /** A whole annotation of another library, with what a machine said. `row`: as it is stored, without its id and clip. */
  | { kind: 'brought'; id: number; clipId: number; row: Record<string, SQLOutputValue>; there: boolean }
  | { kind: 'view'; view: KeptView; there: boolean }
/** A saved view of the table: its name, and the rest as JSON. */
export interface KeptView {
  name: string
  spec: string
}
type AnnotationChange = Extract<Change, { kind: 'annotation' }>

/** How each kind of change is made in the library. */
export type Makers = { readonly [K in Change['kind']]: (change: Extract<Change, { kind: K }>) => void }

type Direction = 'undo' | 'redo'
/** `own`: steps of this window, or of none that is open. `all`: steps of other open windows too. */
type Whose = 'own' | 'all'
type Row = Record<string, SQLOutputValue>

/** Work on many edits is done in parts of so many milliseconds, so that others need not wait longer. */
const TURN_MS = 25
/** Edits that are read at a time while a step is undone. */
const READ = 200
/** Clips whose facts are updated in one turn. */
const TOLD_TOGETHER = 20
/** The setting with the step that is being made whole or not at all; 0 where none is. */
const UNFINISHED = 'unfinished-step'
/** What the table stores for something that is in the library. */
const THERE = JSON.stringify('there')

export class EditHistory {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction, or in the one already open. */
  readonly #atomic: <T>(work: () => T) => T
  readonly #emit: (event: BackendEvent) => void
  readonly #makers: Makers
  readonly #listeners = new Set<(kinds: ReadonlySet<Change['kind']>) => void>()
  readonly #statements = new Map<string, StatementSync>()
  /** The step that edits now belong to; its id is 0 until the first of them. */
  #step: { id: number; description: Phrase | undefined } | null = null
  #turn: Promise<unknown> = Promise.resolve()
  /** Whether progress of the step under way has been reported. */
  #told = false
  #closing = false

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, emit: (event: BackendEvent) => void, makers: Makers) {
    this.#db = db
    this.#atomic = atomic
    this.#emit = emit
    this.#makers = makers
  }

  /** Stops the step under way after its current part; the next undo takes back what was done of it. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#turn
  }

  // ── changes

  /** Record a person's change: as a step called `description`, or as a part of the step under way. */
  record(change: Change, description: Phrase): void {
    this.#atomic(() => {
      // After a new edit nothing can be redone.
      this.#endRedo()
      const { action, annotationId, clipId, before, after } = stored(change)
      const edit = this.#prepared(
        'INSERT INTO edits (step, action, description, annotation_id, clip_id, before, after, at, made_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ).run(
        this.#step?.id ?? 0,
        action,
        JSON.stringify(this.#step?.description ?? description),
        annotationId,
        clipId,
        before,
        after,
        new Date().toISOString(),
        windowOf(),
      ).lastInsertRowid
      // A step has the id of its first edit, which may be its only one.
      if ((this.#step?.id ?? 0) !== 0) return
      this.#prepared('UPDATE edits SET step = id WHERE id = ?').run(edit)
      if (this.#step !== null) this.#step.id = Number(edit)
    })
  }

  /**
   * Make all changes of `work` one step, called `description` or by what they have in common; when it throws, none is made. Within a step
   * they are a part of that one.
   * @param step An earlier step to add to, when long work is done in parts. @returns Its result and the step, 0 when nothing was changed.
   */
  asOneStep<T>(work: () => T, description?: Phrase, step = 0): { result: T; step: number } {
    return this.#atomic(() => {
      if (this.#step !== null) return { result: work(), step: this.#step.id }
      this.#step = { id: step, description }
      try {
        const result = work()
        const { id } = this.#step
        if (id !== 0 && description === undefined) this.#describe(id)
        return { result, step: id }
      } finally {
        this.#step = null
      }
    })
  }

  /** Make thousands of changes one step, in parts: others have their turn in between, and progress is reported. @param make Makes one; returns its clip. */
  inParts<T>(all: readonly T[], description: Phrase, make: (one: T) => number): Promise<void> {
    return this.#inTurn(async () => {
      let at = 0
      let step = 0
      while (at < all.length && !this.#closing) {
        const part = this.asOneStep(
          () => {
            const clips = new Set<number>()
            const until = performance.now() + TURN_MS
            do {
              const one = all[at]
              if (one === undefined) break
              at += 1
              clips.add(make(one))
            } while (performance.now() < until)
            return clips
          },
          description,
          step,
        )
        step = part.step
        this.#emit({ type: 'annotations', clipIds: [...part.result] })
        await this.#progress('edit', at, all.length)
      }
      this.#emit({ type: 'history' })
    })
  }

  /**
   * Make everything that `batches` gives one step, in parts: all of it or nothing. Where a batch or a change fails, and after a crash at the next
   * start, what was made before is taken back.
   * @param make Makes one change; returns its clip, or null where nothing was to be changed.
   * @returns The step, 0 where nothing was changed.
   */
  whole<T>(batches: AsyncIterable<readonly T[]>, description: Phrase, make: (one: T) => number | null): Promise<number> {
    return this.#inTurn(async () => {
      const clips = new Set<number>()
      let step = 0
      try {
        for await (const batch of batches)
          for (let at = 0; at < batch.length; ) {
            this.#mustGoOn()
            const until = performance.now() + TURN_MS
            const part = this.#atomic(() => {
              const made = this.asOneStep(
                () => {
                  do {
                    const one = batch[at]
                    at += 1
                    const clip = one === undefined ? null : make(one)
                    if (clip !== null) clips.add(clip)
                  } while (at < batch.length && performance.now() < until)
                },
                description,
                step,
              )
              if (made.step !== step) writeSetting(this.#db, UNFINISHED, made.step)
              return made
            })
            step = part.step
            await setImmediate()
          }
        this.#mustGoOn()
      } catch (error) {
        for (const _part of this.#takingBack(step)) await setImmediate()
        throw error
      }
      writeSetting(this.#db, UNFINISHED, 0)
      // Each telling updates the facts of its clips.
      for (const some of together([...clips], TOLD_TOGETHER)) {
        this.#emit({ type: 'annotations', clipIds: some })
        await setImmediate()
      }
      this.#emit({ type: 'history' })
      return step
    })
  }

  /** Takes back what a crash left of a step that is made whole or not at all. */
  takeBackUnfinished(): void {
    for (const _part of this.#takingBack(readSetting<number>(this.#db, UNFINISHED, 0))) continue
  }

  /** Takes back what was made of a step, in parts: one each time it is asked. */
  *#takingBack(step: number): Generator<undefined> {
    if (step !== 0) {
      // A video that the step brought would stay in the bin.
      const brought = this.#db
        .prepare(`SELECT annotation_id AS id FROM edits WHERE step = ? AND action = 'source' AND after = ?`)
        .all(step, THERE)
      while (this.#takePart('undo', step, new Set()).changes > 0) yield
      const some = this.#prepared(`DELETE FROM edits WHERE id IN (SELECT id FROM edits WHERE undone = 1 AND step = ? LIMIT ${READ})`)
      while (Number(some.run(step).changes) > 0) yield
      for (const { id = null } of brought) this.#db.prepare('DELETE FROM bin WHERE source_id = ?').run(id)
    }
    writeSetting(this.#db, UNFINISHED, 0)
  }

  /** @throws TubeletError `cancelled` when the library is being closed. */
  #mustGoOn(): void {
    if (this.#closing) throw new TubeletError({ code: 'cancelled', message: 'Tubelet was closed.' })
  }

  /** A video was restored from the bin: its removal can no longer be undone. */
  sourceRestored(sourceId: number): void {
    this.#db.prepare(`DELETE FROM edits WHERE action = 'source' AND annotation_id = ?`).run(sourceId)
  }

  // ── undo and redo

  /** Call `listener` after each undo or redo with the kinds of its changes. */
  onStepped(listener: (kinds: ReadonlySet<Change['kind']>) => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Undo the newest step, in parts if it is large. If it is cut off, the next undo goes on with the rest.
   * @throws TubeletError `conflict` if another window has changed the same since.
   */
  undo(whose: Whose = 'own'): Promise<History> {
    return this.#stepping((kinds) => this.#take('undo', whose, kinds))
  }

  redo(): Promise<History> {
    return this.#stepping((kinds) => this.#take('redo', 'own', kinds))
  }

  /**
   * Undo or redo until `step` is the newest that is not undone; 0 undoes all.
   * @throws TubeletError `not-found`
   */
  jump(step: number): Promise<History> {
    return this.#stepping(async (kinds) => {
      const known = step === 0 || this.#db.prepare('SELECT 1 FROM edits WHERE step = ?').get(step) !== undefined
      if (!known)
        throw new TubeletError({ code: 'not-found', message: 'There is no such step in the history.', next: 'Choose another step.' })
      const newest = () => Number(this.#following('undo', 'all')?.['step'] ?? 0)
      for (let at = newest(); at !== step && !this.#closing; at = newest()) await this.#take(at > step ? 'undo' : 'redo', 'all', kinds)
    })
  }

  async #stepping(work: (kinds: Set<Change['kind']>) => Promise<void>): Promise<History> {
    return this.#inTurn(async () => {
      const kinds = new Set<Change['kind']>()
      await work(kinds)
      for (const listener of this.#listeners) listener(kinds)
      return this.next()
    })
  }

  /** Undo or redo one step. @param kinds Collects the kinds of its changes. */
  async #take(direction: Direction, whose: Whose, kinds: Set<Change['kind']>): Promise<void> {
    const step = this.#following(direction, whose)?.['step']
    if (step === undefined) return
    const id = Number(step)
    if (direction === 'undo') this.#mustBeFree(id)
    const ahead = this.#db.prepare('SELECT count(*) AS n FROM edits WHERE step = ? AND undone = ?').get(id, direction === 'undo' ? 0 : 1)
    const newest = this.#db.prepare('SELECT coalesce(max(id), 0) AS id FROM edits').get()
    for (let done = 0; !this.#closing; ) {
      const { clipIds, changes } = this.#takePart(direction, id, kinds)
      if (changes === 0) break
      done += changes
      if (clipIds.length > 0) this.#emit({ type: 'annotations', clipIds })
      await this.#progress(direction, done, Number(ahead?.['n']))
    }
    // After edits made while the step was being undone nothing can be redone, as after edits made later.
    if (
      direction === 'undo' &&
      this.#db.prepare('SELECT 1 FROM edits WHERE undone = 0 AND id > ? LIMIT 1').get(newest?.['id'] ?? 0) !== undefined
    )
      this.#endRedo()
    this.#emit({ type: 'history' })
  }

  /** Undo or redo as much of a step as fits into one turn. Each change stores whether it is undone, so a later call goes on. `changes` is 0 at the end. */
  #takePart(direction: Direction, step: number, kinds: Set<Change['kind']>): { clipIds: number[]; changes: number } {
    const [undone, order] = direction === 'undo' ? [0, 'DESC'] : [1, 'ASC']
    return this.#atomic(() => {
      const clips = new Set<number>()
      const until = performance.now() + TURN_MS
      let changes = 0
      do {
        const rows = this.#prepared(`SELECT * FROM edits WHERE step = ? AND undone = ? ORDER BY id ${order} LIMIT ${READ}`).all(
          step,
          undone,
        )
        if (rows.length === 0) break
        for (const row of rows) {
          const change = changeOf(row)
          this.#make(direction === 'undo' ? inverse(change) : change)
          kinds.add(change.kind)
          if ('clipId' in change) clips.add(change.clipId)
          if (change.kind === 'annotation' && change.before?.clipId !== undefined) clips.add(change.before.clipId)
          this.#prepared('UPDATE edits SET undone = ? WHERE id = ?').run(1 - undone, row['id'] ?? 0)
          changes += 1
          // Tracks may be large; those that are left are read again.
          if (performance.now() >= until) break
        }
      } while (performance.now() < until)
      return { clipIds: [...clips], changes }
    })
  }

  #make(change: Change): void {
    switch (change.kind) {
      case 'annotation': {
        this.#makers.annotation(change)
        return
      }
      case 'vocabulary': {
        this.#makers.vocabulary(change)
        return
      }
      case 'clip': {
        this.#makers.clip(change)
        return
      }
      case 'source': {
        this.#makers.source(change)
        return
      }
      case 'job': {
        this.#makers.job(change)
        return
      }
      case 'column': {
        this.#makers.column(change)
        return
      }
      case 'brought': {
        this.#makers.brought(change)
        return
      }
      case 'view': {
        this.#makers.view(change)
        return
      }
    }
  }

  /** @throws TubeletError `conflict` if a later step that is not undone changed the same: undoing this one would undo that one too. */
  #mustBeFree(step: number): void {
    const later = this.#db
      .prepare(
        `SELECT l.description FROM edits e JOIN edits l ON l.step > e.step AND l.undone = 0 AND l.clip_id IS e.clip_id AND (e.clip_id IS NOT NULL OR l.action = e.action) AND (l.annotation_id = e.annotation_id OR l.action = 'clip')
         WHERE e.step = ? AND e.undone = 0 LIMIT 1`,
      )
      .get(step)
    if (later === undefined) return
    throw new TubeletError({
      code: 'conflict',
      message: 'What was done here last was changed in another window since: {{what}}',
      values: { what: english(parsed(later['description']) as Phrase) },
      stillWorks: 'Nothing was changed.',
      next: 'Take that back first, in that window or by the history of all edits.',
    })
  }

  /** Delete what could be redone, and removed clips that only a redo could bring back. */
  #endRedo(): void {
    this.#prepared(`DELETE FROM removed WHERE clip_id IN (SELECT clip_id FROM edits WHERE undone = 1 AND action = 'clip')`).run()
    this.#prepared('DELETE FROM edits WHERE undone = 1').run()
  }

  // ── reading

  /** The steps that undo and redo would take. */
  next(): History {
    const describe = (direction: Direction, whose: Whose = 'own') =>
      parsed(this.#following(direction, whose)?.['description']) as Phrase | null
    const undo = describe('undo')
    return { undo, redo: describe('redo'), elsewhere: undo === null ? describe('undo', 'all') : null }
  }

  /** Steps older than `before`, newest first, at most `limit`. */
  list(limit: number, before = Number.MAX_SAFE_INTEGER): { steps: Step[]; total: number } {
    const rows = this.#db
      .prepare(
        `SELECT e.step, e.description, e.undone, e.at, e.clip_id, c.source_id, g.n
         FROM (SELECT step, min(id) AS id, count(*) AS n FROM edits WHERE step < ? GROUP BY step ORDER BY step DESC LIMIT ?) g
         JOIN edits e ON e.id = g.id LEFT JOIN clips c ON c.id = e.clip_id ORDER BY e.step DESC`,
      )
      .all(before, limit)
    const steps = rows.map(
      (row): Step => ({
        id: Number(row['step']),
        description: parsed(row['description']) as Phrase,
        edits: Number(row['n']),
        clipId: row['clip_id'] === null ? null : Number(row['clip_id']),
        sourceId: row['source_id'] === null ? null : Number(row['source_id']),
        undone: row['undone'] === 1,
        at: String(row['at']),
      }),
    )
    return { steps, total: Number(this.#db.prepare('SELECT count(DISTINCT step) AS n FROM edits').get()?.['n']) }
  }

  /** Edits of a clip's annotations by people. */
  ofClip(clipId: number): { at: string; undone: boolean; change: AnnotationChange }[] {
    return this.#db
      .prepare('SELECT * FROM edits WHERE clip_id = ?')
      .all(clipId)
      .flatMap((row) => {
        const change = changeOf(row)
        return change.kind === 'annotation' ? [{ at: String(row['at']), undone: row['undone'] === 1, change }] : []
      })
  }

  /** The step that undo or redo would take next. */
  #following(direction: Direction, whose: Whose): Row | undefined {
    const which = direction === 'undo' ? 'undone = 0 ORDER BY step DESC' : 'undone = 1 ORDER BY step'
    const any = this.#db.prepare(`SELECT step, description, made_in FROM edits WHERE ${which} LIMIT 1`).get()
    const window = windowOf()
    if (any === undefined || whose === 'all' || window === null) return any
    // A window without steps of its own may undo those of programs and of closed windows.
    const own = this.#db.prepare(`SELECT step, description FROM edits WHERE made_in = ? AND ${which} LIMIT 1`).get(window)
    return own ?? (isOpen(any['made_in']) ? undefined : any)
  }

  /** Name a step: a single change keeps its name; many changes of the same kind are named by what they do. */
  #describe(step: number): void {
    const edits = this.#db
      .prepare(
        `SELECT action, json_extract(coalesce(after, before), '$.kind') AS kind, count(*) AS n FROM edits WHERE step = ? GROUP BY 1, 2`,
      )
      .all(step)
    const count = edits.reduce((sum, { n }) => sum + Number(n), 0)
    if (count === 1) return
    // A column brings its label along.
    const ofColumn = this.#db.prepare(`SELECT description FROM edits WHERE step = ? AND action = 'column' LIMIT 1`).get(step)?.[
      'description'
    ]
    const [only, other] = edits
    const deed =
      only && !other && !(String(only['action']) in OF_OTHERS)
        ? DEEDS[only['kind'] as AnnotationBody['kind']][only['action'] as Action]
        : phrase('Changed')
    this.#db
      .prepare('UPDATE edits SET description = ? WHERE step = ?')
      .run(ofColumn ?? JSON.stringify(said('{{deed}} × {{times}}', { deed: said(deed), times: count })), step)
  }

  /** Let others have their turn, and report progress, unless all was done in one part. */
  async #progress(what: 'edit' | Direction, done: number, of: number): Promise<void> {
    if (done < of) this.#told = true
    if (this.#told) this.#emit({ type: 'progress', what, share: done / of })
    if (done >= of) this.#told = false
    await setImmediate()
  }

  /** Run long work one after the other: an undo that is asked for while a step is being made undoes all of it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Statements that run once for each of many edits are compiled once. */
  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, known)
    return known
  }
}

function together<T>(all: readonly T[], count: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / count) }, (_, i) => all.slice(i * count, (i + 1) * count))
}

/** The change that undoes `change`. */
function inverse(change: Change): Change {
  switch (change.kind) {
    case 'annotation':
      return { ...change, before: change.after, after: change.before }
    case 'vocabulary':
      return { ...change, before: change.after, after: change.before }
    case 'clip':
      return { ...change, there: !change.there }
    case 'source':
    case 'job':
    case 'column':
    case 'brought':
    case 'view':
      return { ...change, there: !change.there }
  }
}

interface Stored {
  action: Action | keyof typeof OF_OTHERS
  /** For a video, a job or a column, its id. */
  annotationId: number
  clipId: number | null
  before: string | null
  after: string | null
}
/** Values of the table's `action` column for changes of anything but annotations; for those it is the edit. */
const OF_OTHERS = { vocabulary: true, clip: true, source: true, job: true, column: true, brought: true, view: true } as const

/** The row of a change; `changeOf` is the inverse. */
function stored(change: Change): Stored {
  switch (change.kind) {
    case 'annotation':
      return {
        action: change.action,
        annotationId: change.id,
        clipId: change.clipId,
        before: change.before && JSON.stringify(change.before),
        after: JSON.stringify(change.after),
      }
    case 'vocabulary':
      return {
        action: 'vocabulary',
        annotationId: 0,
        clipId: null,
        before: JSON.stringify(change.before),
        after: JSON.stringify(change.after),
      }
    case 'clip':
      return { action: 'clip', annotationId: 0, clipId: change.clipId, ...sides(change.there) }
    case 'source':
      return { action: 'source', annotationId: change.sourceId, clipId: null, ...sides(change.there) }
    case 'job':
      return { action: 'job', annotationId: change.job.id, clipId: null, ...sides(change.there, JSON.stringify(change.job)) }
    case 'column':
      return { action: 'column', annotationId: change.column.id, clipId: null, ...sides(change.there, JSON.stringify(change.column)) }
    case 'brought':
      return { action: 'brought', annotationId: change.id, clipId: change.clipId, ...sides(change.there, JSON.stringify(change.row)) }
    case 'view':
      return { action: 'view', annotationId: 0, clipId: null, ...sides(change.there, JSON.stringify(change.view)) }
  }
}

/** @param what What is stored of something that is in the library. */
function sides(there: boolean, what = THERE): Pick<Stored, 'before' | 'after'> {
  const none = JSON.stringify(null)
  return there ? { before: none, after: what } : { before: what, after: none }
}

function changeOf({ action, annotation_id, clip_id, before, after }: Row): Change {
  switch (action) {
    case 'vocabulary':
      return { kind: 'vocabulary', before: parsed(before) as Vocabulary, after: parsed(after) as Vocabulary }
    case 'clip':
      return { kind: 'clip', clipId: Number(clip_id), there: after === THERE }
    case 'source':
      return { kind: 'source', sourceId: Number(annotation_id), there: after === THERE }
    case 'job':
      return { kind: 'job', job: eitherOf(before, after) as KeptJob, there: parsed(after) !== null }
    case 'column':
      return { kind: 'column', column: eitherOf(before, after) as KeptColumn, there: parsed(after) !== null }
    case 'brought':
      return {
        kind: 'brought',
        id: Number(annotation_id),
        clipId: Number(clip_id),
        row: eitherOf(before, after) as Record<string, SQLOutputValue>,
        there: parsed(after) !== null,
      }
    case 'view':
      return { kind: 'view', view: eitherOf(before, after) as KeptView, there: parsed(after) !== null }
    default:
      return {
        kind: 'annotation',
        action: action as Action,
        id: Number(annotation_id),
        clipId: Number(clip_id),
        before: parsed(before) as HumanLayer | null,
        after: parsed(after) as HumanLayer | null,
      }
  }
}

/** What a change added or removed. */
function eitherOf(before: SQLOutputValue | undefined, after: SQLOutputValue | undefined): unknown {
  const what = parsed(after) ?? parsed(before)
  if (what === null) throw new RangeError('a change of nothing')
  return what
}

function parsed(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null
}
