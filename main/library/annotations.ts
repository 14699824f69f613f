/**
 * What is said about clips. Machine results and human decisions are two layers of one row: a re-run writes `machine`, only a person
 * writes `human` and `state`. Each human edit is kept with the layer before and after it, so that undo survives a restart.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import {
  Annotation,
  AnnotationBody,
  type Evidence,
  isOnlyOne,
  type Provenance,
  type ReviewState,
  spanWithin,
  type TextBody,
  type TrackBody,
} from '../../app/annotation.ts'
import type { Clip } from '../../app/contract/clip.ts'
import type { ClipEvent, History, Step } from '../../app/contract/state.ts'
import { type Action, DEEDS } from '../../app/deeds.ts'
import { TubeletError } from '../../app/errors.ts'
import { topicOf as questionTopic } from '../../app/table/question.ts'
import { iou } from '../../app/boxes.ts'
import { english, phrase, type Phrase, said } from '../../app/phrase.ts'
import { sameObject } from '../../app/tracks.ts'
import type { Vocabulary } from '../../app/vocabulary.ts'
import { isOpen, windowOf } from '../made-in.ts'
import { badRequest, check, type Place, takenError } from './annotation-checks.ts'
import type { Bin } from './bin.ts'
import type { RemovedClips } from './removed.ts'

/** A machine result to store. */
export interface MachineResult {
  body: AnnotationBody
  evidence: Evidence | null
  provenance: Provenance
  /** Of a track: which candidate it is. */
  candidate?: number
}

/** What a person decided about one annotation; null where it does not exist. */
type HumanLayer = { kind: AnnotationBody['kind']; topic: string; state: ReviewState; human: AnnotationBody | null } | null

export type ReviewAction = Exclude<Action, 'add'>

/** What a person does to captions, answers and notes by the thousand: nothing of it needs the picture. */
export type Deed =
  | { action: 'accept' | 'reject' | 'reset'; annotationId: number }
  | { action: 'edit'; annotationId: number; text: string }
  | { action: 'add'; clipId: number; body: Exclude<AnnotationBody, TrackBody> }

/** How long work on many edits keeps everybody else waiting: it is done in parts of so many milliseconds. */
const TURN_MS = 25
/** Edits that are read at a time while a step is undone. */
const READ = 200

type Row = Record<string, SQLOutputValue>
/** What an edit leaves: of a step about a clip itself, whether that is there. */
type Layer = HumanLayer | Vocabulary | typeof THERE

const THERE = 'there'

export class Annotations {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction, or in the one already open. */
  readonly #atomic: <T>(work: () => T) => T
  /** The step that edits are being made in; 0 until its first. */
  #step: { id: number; description: Phrase | undefined } | null = null

  readonly #setVocabulary: (vocabulary: Vocabulary) => void
  readonly #statements = new Map<string, StatementSync>()

  readonly #removed: { clips: RemovedClips; sources: Pick<Bin, 'remove' | 'restore'> }

  /** @param setVocabulary What undo and redo of a change of the vocabulary do. */
  constructor(
    db: DatabaseSync,
    atomic: <T>(work: () => T) => T,
    removed: { clips: RemovedClips; sources: Pick<Bin, 'remove' | 'restore'> },
    setVocabulary: (vocabulary: Vocabulary) => void,
  ) {
    this.#db = db
    this.#atomic = atomic
    this.#removed = removed
    this.#setVocabulary = setVocabulary
  }

  /** What is done for each of many edits is compiled once. */
  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, known)
    return known
  }

  ofClip(clipId: number): Annotation[] {
    return this.#db.prepare('SELECT * FROM annotations WHERE clip_id = ? ORDER BY kind, id').all(clipId).map(annotation)
  }

  /**
   * What is seen with a clip: what was said about it, and what people made or decided in other clips of its video that reaches into it.
   * Tracks, notes and captions of parts belong to the video; the clip that they lie with is where they were begun.
   */
  seenWith({ id, sourceId, startFrame, endFrame }: Pick<Clip, 'id' | 'sourceId' | 'startFrame' | 'endFrame'>): Annotation[] {
    const reaching = this.#prepared(
      `SELECT a.* FROM clips c JOIN annotations a ON a.clip_id = c.id WHERE c.source_id = ? AND c.id <> ? AND a.kind IN ('track', 'note', 'segment') AND a.state <> 'machine'
       AND CASE a.kind WHEN 'track' THEN json_extract(a.human, '$.boxes[0].ordinal') ELSE json_extract(a.human, '$.span.startFrame') END < ?
       AND CASE a.kind WHEN 'track' THEN json_extract(a.human, '$.boxes[#-1].ordinal') + 1 ELSE json_extract(a.human, '$.span.endFrame') END > ? ORDER BY a.kind, a.id`,
    )
    return [...this.ofClip(id), ...reaching.all(sourceId, id, endFrame, startFrame).map(annotation)]
  }

  /** In the order of `ids`; those that are gone are left out. */
  byId(ids: readonly number[]): Annotation[] {
    return ids.flatMap((id) => this.#prepared('SELECT * FROM annotations WHERE id = ?').all(id).map(annotation))
  }

  /** @throws TubeletError `not-found` */
  get(id: number): Annotation {
    const row = this.#db.prepare('SELECT * FROM annotations WHERE id = ?').get(id)
    if (row === undefined) throw new TubeletError({ code: 'not-found', message: 'That annotation is gone.', next: 'Reload the clip.' })
    return annotation(row)
  }

  /**
   * Store what a run said about a clip. A caption or an answer goes beneath a person's decision; tracks replace those that nobody
   * looked at, but not what a person decided, nor over it; so do lines of text. A track that is the same candidate as before stays as it is.
   */
  saveMachine(clipId: number, kind: AnnotationBody['kind'], results: readonly MachineResult[]): Annotation[] {
    return this.#atomic(() => {
      const decided: TrackBody[] = []
      const decidedText: TextBody[] = []
      const there = new Set<number>()
      if (kind === 'text') {
        this.#db.prepare(`DELETE FROM annotations WHERE clip_id = ? AND kind = 'text' AND state = 'machine'`).run(clipId)
        for (const row of this.#db.prepare(`SELECT * FROM annotations WHERE clip_id = ? AND kind = 'text'`).all(clipId)) {
          const { body, machine } = annotation(row)
          for (const layer of [body, machine]) if (layer?.kind === 'text') decidedText.push(layer)
        }
      }
      if (kind === 'track') {
        const same = JSON.stringify(results.flatMap(({ candidate }) => candidate ?? []))
        this.#db
          .prepare(
            `DELETE FROM annotations WHERE clip_id = ? AND kind = 'track' AND state = 'machine' AND (candidate IS NULL OR candidate NOT IN (SELECT value FROM json_each(?)))`,
          )
          .run(clipId, same)
        for (const row of this.#db.prepare(`SELECT * FROM annotations WHERE clip_id = ? AND kind = 'track'`).all(clipId)) {
          const { body, machine, state } = annotation(row)
          if (row['candidate'] !== null) there.add(Number(row['candidate']))
          // What the machine said first counts too: a box that was moved or relabelled must not come back beside itself.
          if (state !== 'machine') for (const layer of [body, machine]) if (layer?.kind === 'track') decided.push(layer)
        }
      }
      const covered = (body: AnnotationBody) =>
        (body.kind === 'track' && decided.some((track) => sameObject(track, body))) ||
        (body.kind === 'text' && decidedText.some((text) => sameLine(text, body)))
      const gone = this.#db.prepare(`DELETE FROM annotations WHERE candidate = ? AND state = 'machine'`)
      const ids = results.flatMap(({ body, evidence, provenance, candidate }) => {
        if (candidate !== undefined && there.has(candidate)) {
          if (covered(body)) gone.run(candidate)
          return []
        }
        if (covered(body)) return []
        return [this.#upsertMachine(clipId, body, evidence, provenance, candidate)]
      })
      return ids.map((id) => this.get(id))
    })
  }

  #upsertMachine(clipId: number, body: AnnotationBody, evidence: Evidence | null, provenance: Provenance, candidate?: number): number {
    const stored = [JSON.stringify(body), evidence && JSON.stringify(evidence), JSON.stringify(provenance), now()]
    const topic = topicOf(body)
    const existing = isOnlyOne(body.kind)
      ? this.#db.prepare('SELECT id FROM annotations WHERE clip_id = ? AND kind = ? AND topic = ?').get(clipId, body.kind, topic)
      : undefined
    if (existing !== undefined) {
      const id = Number(existing['id'])
      this.#db
        .prepare(
          'INSERT INTO replaced (annotation_id, clip_id, machine, evidence, provenance) SELECT id, clip_id, machine, evidence, provenance FROM annotations WHERE id = ? AND machine <> ?',
        )
        .run(id, stored[0] ?? null)
      this.#db.prepare('UPDATE annotations SET machine = ?, evidence = ?, provenance = ?, updated_at = ? WHERE id = ?').run(...stored, id)
      return id
    }
    const insert = this.#db.prepare(
      `INSERT INTO annotations (machine, evidence, provenance, updated_at, clip_id, kind, topic, candidate, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'machine')`,
    )
    return Number(insert.run(...stored, clipId, body.kind, topic, candidate ?? null).lastInsertRowid)
  }

  /**
   * A person adds something. Said of what a clip has one of, it goes over what the machine said, or over what was rejected; never over what
   * a person said before.
   * @throws TubeletError `conflict` where a person's caption or answer is there.
   */
  add(clipId: number, body: AnnotationBody, place: Place): Annotation {
    check(body, place)
    const existing = isOnlyOne(body.kind)
      ? this.#db
          .prepare('SELECT id, state, shown FROM annotations WHERE clip_id = ? AND kind = ? AND topic = ?')
          .get(clipId, body.kind, topicOf(body))
      : undefined
    if (existing) {
      if (existing['state'] === 'accepted' || existing['state'] === 'edited')
        throw takenError(body, Number(existing['id']), String(existing['shown']))
      return this.review(Number(existing['id']), 'edit', body, place)
    }
    return this.#atomic(() => this.get(this.#create(clipId, body, deedOn(place, DEEDS[body.kind].add))))
  }

  /** @throws TubeletError `not-found`, or `bad-request` where the edit makes no sense. */
  review(id: number, action: ReviewAction, body: AnnotationBody | undefined, place: Place): Annotation {
    const before = this.get(id)
    if (action === 'edit') {
      if (body === undefined || body.kind !== before.body.kind)
        throw badRequest('An edit must say what the annotation becomes, of the same kind.')
      if (topicOf(body) !== topicOf(before.body)) throw badRequest('An answer keeps its question. Ask the other question instead.')
      check(body, place, before.body)
    }
    if (action === 'reset' && before.machine === null)
      throw badRequest('A person made this; there is no model result to go back to. Reject it instead.')
    return this.#atomic(() => {
      this.#decide(id, action, body, ({ kind }) => deedOn(place, DEEDS[kind][action]))
      return this.get(id)
    })
  }

  /** @param body What it becomes by an edit. */
  #decide(
    id: number,
    action: ReviewAction,
    body: AnnotationBody | ((now: AnnotationBody) => AnnotationBody) | undefined,
    description: (layer: NonNullable<HumanLayer>) => Phrase,
  ): number {
    const row = this.#prepared('SELECT clip_id, kind, topic, state, human, machine FROM annotations WHERE id = ?').get(id)
    if (row === undefined) throw badRequest('That annotation is gone.')
    const before = {
      kind: row['kind'] as AnnotationBody['kind'],
      topic: String(row['topic']),
      state: row['state'] as ReviewState,
      human: parsed(row['human']) as AnnotationBody | null,
    }
    const said = before.human ?? (parsed(row['machine']) as AnnotationBody)
    const after = {
      accept: () => ({ ...before, state: 'accepted' as const, human: said }),
      reject: () => ({ ...before, state: 'rejected' as const, human: said }),
      edit: () => ({ ...before, state: 'edited' as const, human: (typeof body === 'function' ? body(said) : body) ?? null }),
      reset: () => ({ ...before, state: 'machine' as const, human: null }),
    }[action]()
    const clipId = Number(row['clip_id'])
    this.#apply(id, clipId, after)
    this.#append({ action, description: description(before), id, clipId, before, after })
    return clipId
  }

  #create(clipId: number, body: AnnotationBody, description: Phrase): number {
    const id = Number(
      this.#prepared(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'annotations'), 0) + 1 AS id`).get()?.['id'],
    )
    const after = { kind: body.kind, topic: topicOf(body), state: 'edited' as const, human: body }
    this.#apply(id, clipId, after)
    this.#append({ action: 'add', description, id, clipId, before: null, after })
    return id
  }

  /**
   * As many of `deeds`, from `from` on, as one turn has time for; they are a step of undo called `description`, or more of `step` where that is not 0.
   * What is answered before must be a caption, answer or note; nothing that is added may be there. Returns where to go on, the step, and the clips.
   */
  part(deeds: readonly Deed[], from: number, description: Phrase, step: number): { next: number; step: number; clipIds: number[] } {
    const { result, step: made } = this.together(
      () => {
        const clips = new Set<number>()
        const until = performance.now() + TURN_MS
        let next = from
        do {
          const deed = deeds[next]
          if (deed === undefined) break
          next += 1
          if (deed.action === 'add') {
            this.#create(deed.clipId, deed.body, description)
            clips.add(deed.clipId)
          } else
            clips.add(
              this.#decide(
                deed.annotationId,
                deed.action,
                deed.action === 'edit' ? (said) => ({ ...said, text: deed.text }) as AnnotationBody : undefined,
                () => description,
              ),
            )
        } while (performance.now() < until)
        return { next, clipIds: [...clips] }
      },
      description,
      step,
    )
    return { ...result, step: made }
  }

  /**
   * All edits that `work` makes are one step of undo, called `description` or by what they have in common; when it throws, none is made.
   * Returns its result and the step, 0 when nothing was edited. Given the step of before, it goes on: what takes long is done in parts.
   */
  together<T>(work: () => T, description?: Phrase, step = 0): { result: T; step: number } {
    return this.#atomic(() => {
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

  /** One edit keeps what it is called; many are called by their deed where all are the same. */
  #describe(step: number): void {
    const edits = this.#db
      .prepare(
        `SELECT action, json_extract(coalesce(after, before), '$.kind') AS kind, count(*) AS n FROM edits WHERE step = ? GROUP BY 1, 2`,
      )
      .all(step)
    const count = edits.reduce((sum, { n }) => sum + Number(n), 0)
    if (count === 1) return
    const [only, other] = edits
    const deed =
      only && !other && only['action'] !== 'vocabulary' && only['action'] !== 'clip' && only['action'] !== 'source'
        ? DEEDS[only['kind'] as AnnotationBody['kind']][only['action'] as Action]
        : phrase('Changed')
    this.#db
      .prepare('UPDATE edits SET description = ? WHERE step = ?')
      .run(JSON.stringify(said('{{deed}} × {{times}}', { deed: said(deed), times: count })), step)
  }

  /** The step that undo or redo is about next, and how many edits of it there are; null when there is none. `own`: of the window that asks. */
  next(direction: 'undo' | 'redo', whose: 'own' | 'all'): { step: number; edits: number } | null {
    const step = this.#next(direction, whose)?.['step']
    if (step === undefined) return null
    return {
      step: Number(step),
      edits: Number(
        this.#db.prepare('SELECT count(*) AS n FROM edits WHERE step = ? AND undone = ?').get(step, direction === 'undo' ? 0 : 1)?.['n'],
      ),
    }
  }

  /** Undo or redo as much of a step as one turn has time for. Each edit knows whether it is undone, so that what is cut off goes on. Returns the clips, and how many edits were stepped over: none when all are. */
  stepPart(direction: 'undo' | 'redo', step: number): { clipIds: number[]; edits: number } {
    const [undone, order, layerOf] = direction === 'undo' ? [0, 'DESC', 'before'] : [1, 'ASC', 'after']
    return this.#atomic(() => {
      const clips = new Set<number>()
      const until = performance.now() + TURN_MS
      let count = 0
      do {
        const edits = this.#prepared(
          `SELECT id, annotation_id, clip_id, action, ${layerOf} AS layer FROM edits WHERE step = ? AND undone = ? ORDER BY id ${order} LIMIT ${READ}`,
        ).all(step, undone)
        if (edits.length === 0) break
        for (const { id, annotation_id, clip_id, action, layer } of edits) {
          if (action === 'vocabulary') this.#setVocabulary(parsed(layer) as Vocabulary)
          else if (action === 'clip') this.#removed.clips[parsed(layer) === THERE ? 'restore' : 'remove'](Number(clip_id))
          else if (action === 'source') this.#removed.sources[parsed(layer) === null ? 'remove' : 'restore'](Number(annotation_id))
          else this.#apply(Number(annotation_id), Number(clip_id), parsed(layer) as HumanLayer)
          if (clip_id !== null) clips.add(Number(clip_id))
          this.#prepared('UPDATE edits SET undone = ? WHERE id = ?').run(1 - undone, id ?? 0)
          count += 1
        }
      } while (performance.now() < until)
      return { clipIds: [...clips], edits: count }
    })
  }

  newestEdit(): number {
    return Number(this.#db.prepare('SELECT coalesce(max(id), 0) AS id FROM edits').get()?.['id'])
  }

  /** Edits that came while a step was being undone, after `edit`, end the line of what could be redone, as they would have after it. */
  settle(edit: number): void {
    const over = this.#db.prepare('SELECT 1 FROM edits WHERE undone = 0 AND id > ? LIMIT 1').get(edit) !== undefined
    if (over) this.#endRedo()
  }

  /** @throws TubeletError `conflict` where a later step that stays is about the same: taking this one back would take that one back too. */
  mustBeFree(step: number): void {
    const later = this.#db
      .prepare(
        `SELECT l.description FROM edits e JOIN edits l ON l.step > e.step AND l.undone = 0 AND (l.action = 'vocabulary') = (e.action = 'vocabulary') AND l.clip_id IS e.clip_id AND (l.annotation_id = e.annotation_id OR l.action = 'clip')
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

  /** @throws TubeletError `not-found` */
  checkStep(step: number): void {
    const known = step === 0 || this.#db.prepare('SELECT 1 FROM edits WHERE step = ?').get(step) !== undefined
    if (!known)
      throw new TubeletError({ code: 'not-found', message: 'That step is not in the history any more.', next: 'Choose another step.' })
  }

  history(): History {
    const describe = (direction: 'undo' | 'redo', whose: 'own' | 'all' = 'own') =>
      parsed(this.#next(direction, whose)?.['description']) as Phrase | null
    const undo = describe('undo')
    return { undo, redo: describe('redo'), elsewhere: undo === null ? describe('undo', 'all') : null }
  }

  /** Newest first; those before the step `before`, at most `limit`. */
  steps(limit: number, before = Number.MAX_SAFE_INTEGER): { steps: Step[]; total: number } {
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

  /** Who said what about a clip and when, newest first: the model now and in earlier runs, and every edit of a person. */
  ofClipOverTime(clipId: number): ClipEvent[] {
    const machine = this.#db
      .prepare(
        `SELECT annotation_id, machine, evidence, provenance FROM replaced WHERE clip_id = ?1
         UNION ALL SELECT id, machine, evidence, provenance FROM annotations WHERE clip_id = ?1 AND machine IS NOT NULL`,
      )
      .all(clipId)
      .map((row): ClipEvent => {
        const provenance = parsed(row['provenance']) as Provenance | null
        const body = parsed(row['machine']) as AnnotationBody
        return {
          at: provenance?.at ?? '',
          annotationId: Number(row['annotation_id']),
          action: 'said',
          kind: body.kind,
          body,
          provenance,
          confidence: (parsed(row['evidence']) as Evidence | null)?.confidence ?? null,
          undone: false,
        }
      })
    const human = this.#db
      .prepare(`SELECT * FROM edits WHERE clip_id = ? AND action <> 'clip'`)
      .all(clipId)
      .map((row): ClipEvent => {
        const [before, after] = [row['before'], row['after']].map((layer) => parsed(layer) as HumanLayer)
        const kind = after?.kind ?? before?.kind ?? 'note'
        return {
          at: String(row['at']),
          annotationId: Number(row['annotation_id']),
          action: row['action'] as Action,
          kind,
          body: after?.human ?? null,
          provenance: null,
          confidence: null,
          undone: row['undone'] === 1,
        }
      })
    return [...machine, ...human].sort((a, b) => b.at.localeCompare(a.at))
  }

  #next(direction: 'undo' | 'redo', whose: 'own' | 'all'): Row | undefined {
    const which = direction === 'undo' ? 'undone = 0 ORDER BY step DESC' : 'undone = 1 ORDER BY step'
    const any = this.#db.prepare(`SELECT step, description, made_in FROM edits WHERE ${which} LIMIT 1`).get()
    const window = windowOf()
    if (any === undefined || whose === 'all' || window === null) return any
    // What a program did, or a window that was closed, is taken back by who has done nothing himself.
    const own = this.#db.prepare(`SELECT step, description FROM edits WHERE made_in = ? AND ${which} LIMIT 1`).get(window)
    return own ?? (isOpen(any['made_in']) ? undefined : any)
  }

  /**
   * Make the human layer of an annotation `layer`; the machine layer stays whatever the newest run said. A row without either layer
   * says nothing and goes.
   */
  #apply(id: number, clipId: number, layer: HumanLayer): void {
    if (layer === null || layer.human === null) {
      this.#prepared('DELETE FROM annotations WHERE id = ? AND machine IS NULL').run(id)
      this.#prepared(`UPDATE annotations SET state = 'machine', human = NULL, updated_at = ? WHERE id = ?`).run(now(), id)
      return
    }
    const { kind, topic, state, human } = layer
    // A run may have said this since the person's own was undone: it becomes the layer beneath.
    if (isOnlyOne(kind))
      this.#prepared('UPDATE annotations SET id = ?1 WHERE clip_id = ? AND kind = ? AND topic = ? AND id <> ?1').run(
        id,
        clipId,
        kind,
        topic,
      )
    this.#prepared(
      `INSERT INTO annotations (id, clip_id, kind, topic, state, human, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, human = excluded.human, updated_at = excluded.updated_at`,
    ).run(id, clipId, kind, topic, state, JSON.stringify(human), now())
  }

  /** A change of the vocabulary is a step, or a part of the one under way. */
  vocabularyChanged(before: Vocabulary, after: Vocabulary, description: Phrase): void {
    this.#atomic(() => this.#append({ action: 'vocabulary', description, id: 0, clipId: null, before, after }))
  }

  /** A person marked a clip: that it is there is a step. */
  clipMarked(clipId: number, place: Place): void {
    this.#atomic(() =>
      this.#append({ action: 'clip', description: deedOn(place, phrase('Clip marked')), id: 0, clipId, before: null, after: THERE }),
    )
  }

  /** A person takes a clip away, as a step. */
  removeClip(clipId: number, place: Place): void {
    this.#atomic(() => {
      this.#append({ action: 'clip', description: deedOn(place, phrase('Clip removed')), id: 0, clipId, before: THERE, after: null })
      this.#removed.clips.remove(clipId)
    })
  }

  /** A person takes a video away, as a step; its own steps go with it, and come back with it. */
  removeSource(sourceId: number, name: string): void {
    this.#atomic(() => {
      this.#append({
        action: 'source',
        description: said('{{deed}} · {{source}}', { deed: said('Video removed'), source: name }),
        id: sourceId,
        clipId: null,
        before: THERE,
        after: null,
      })
      this.#removed.sources.remove(sourceId)
    })
  }

  /** It came back in another way than by undo: there is nothing to take back any more. */
  sourceRestored(sourceId: number): void {
    this.#db.prepare(`DELETE FROM edits WHERE action = 'source' AND annotation_id = ?`).run(sourceId)
  }

  #endRedo(): void {
    this.#prepared(`DELETE FROM removed WHERE clip_id IN (SELECT clip_id FROM edits WHERE undone = 1 AND action = 'clip')`).run()
    this.#prepared('DELETE FROM edits WHERE undone = 1').run()
  }

  #append({
    action,
    description,
    id,
    clipId,
    before,
    after,
  }: {
    action: Action | 'vocabulary' | 'clip' | 'source'
    description: Phrase
    id: number
    clipId: number | null
    before: Layer
    after: Layer
  }): void {
    // A new edit ends the line of what could be redone, and with it clips that only a redo would bring back.
    this.#endRedo()
    const edit = this.#prepared(
      'INSERT INTO edits (step, action, description, annotation_id, clip_id, before, after, at, made_in) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(
      this.#step?.id ?? 0,
      action,
      JSON.stringify(this.#step?.description ?? description),
      id,
      clipId,
      before && JSON.stringify(before),
      JSON.stringify(after),
      now(),
      windowOf(),
    ).lastInsertRowid
    // The first edit of a step, which may be all of it, gives the step its number.
    if ((this.#step?.id ?? 0) !== 0) return
    this.#db.prepare('UPDATE edits SET step = id WHERE id = ?').run(edit)
    if (this.#step !== null) this.#step.id = Number(edit)
  }
}

function annotation(row: Row): Annotation {
  return Annotation.parse({
    id: row['id'],
    clipId: row['clip_id'],
    body: parsed(row['human']) ?? parsed(row['machine']),
    machine: parsed(row['machine']),
    state: row['state'],
    evidence: parsed(row['evidence']),
    provenance: parsed(row['provenance']),
    updatedAt: row['updated_at'],
  })
}

function parsed(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null
}

function now(): string {
  return new Date().toISOString()
}

/** Whether two lines stand at one place at one time. */
function sameLine(a: TextBody, b: TextBody): boolean {
  return spanWithin(a.span, b.span) !== null && iou(a.box, b.box) > 0.5
}

/** What makes two answers the same cell: the question, however it was typed. */
function topicOf(body: AnnotationBody): string {
  return body.kind === 'answer' ? questionTopic(body.question) : ''
}

function deedOn({ clip, source }: Place, deed: string): Phrase {
  return said('{{deed}} · clip {{clip}} in {{source}}', { deed: said(deed), clip, source })
}
