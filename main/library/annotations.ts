/**
 * What is said about clips. Machine results and human decisions are two layers of one row: a re-run writes `machine`, only a person
 * writes `human` and `state`. Each human edit is kept with the layer before and after it, so that undo survives a restart.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { Annotation, AnnotationBody, type Evidence, type Provenance, type ReviewState, type Span, type TrackBody } from '../../app/annotation.ts'
import { iou } from '../../app/boxes.ts'
import type { ClipEvent, History, Step } from '../../app/contract/state.ts'
import { type Action, DEEDS } from '../../app/deeds.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { topicOf as questionTopic } from '../../app/table/question.ts'
import { phrase, type Phrase, said } from '../../app/phrase.ts'
import { interpolate } from '../../app/tracks.ts'
import type { Vocabulary } from '../../app/vocabulary.ts'
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

/** Where an annotation is, as checks and descriptions need it. */
export interface Place {
  clip: number
  source: string
  /** Frames of the clip. */
  span: Span
  /** How many frames the analysed part of the video has. */
  frames: () => number
  /** Null before the file was read. */
  frame: Probe | null
}
type Row = Record<string, SQLOutputValue>
/** What an edit leaves: of a step about a clip itself, whether that is there. */
type Layer = HumanLayer | Vocabulary | typeof THERE

const THERE = 'there'
/** A new machine track is dropped where a person already decided about one that it covers by more than this. */
const SAME_OBJECT_IOU = 0.5

export class Annotations {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction, or in the one already open. */
  readonly #atomic: <T>(work: () => T) => T
  /** The step that edits are being made in; 0 until its first. */
  #step: { id: number; description: Phrase | undefined } | null = null

  readonly #setVocabulary: (vocabulary: Vocabulary) => void

  readonly #removed: RemovedClips

  /** @param setVocabulary What undo and redo of a change of the vocabulary do. */
  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, removed: RemovedClips, setVocabulary: (vocabulary: Vocabulary) => void) {
    this.#db = db
    this.#atomic = atomic
    this.#removed = removed
    this.#setVocabulary = setVocabulary
  }

  ofClip(clipId: number): Annotation[] {
    return this.#db.prepare('SELECT * FROM annotations WHERE clip_id = ? ORDER BY kind, id').all(clipId).map(annotation)
  }

  /** @throws TubeletError `not-found` */
  get(id: number): Annotation {
    const row = this.#db.prepare('SELECT * FROM annotations WHERE id = ?').get(id)
    if (row === undefined) throw new TubeletError({ code: 'not-found', message: 'That annotation is gone.', next: 'Reload the clip.' })
    return annotation(row)
  }

  /**
   * Store what a run said about a clip. A caption or an answer goes beneath a person's decision; tracks replace those that nobody
   * looked at, but not what a person decided, nor over it. A track that is the same candidate as before stays as it is.
   */
  saveMachine(clipId: number, kind: AnnotationBody['kind'], results: readonly MachineResult[]): Annotation[] {
    return this.#atomic(() => {
      const decided: TrackBody[] = []
      const there = new Set<number>()
      if (kind === 'track') {
        const same = JSON.stringify(results.flatMap(({ candidate }) => candidate ?? []))
        this.#db.prepare(`DELETE FROM annotations WHERE clip_id = ? AND kind = 'track' AND state = 'machine' AND (candidate IS NULL OR candidate NOT IN (SELECT value FROM json_each(?)))`).run(clipId, same)
        for (const row of this.#db.prepare(`SELECT * FROM annotations WHERE clip_id = ? AND kind = 'track'`).all(clipId)) {
          const { body, machine, state } = annotation(row)
          if (row['candidate'] !== null) there.add(Number(row['candidate']))
          // What the machine said first counts too: a box that was moved or relabelled must not come back beside itself.
          if (state !== 'machine') for (const layer of [body, machine]) if (layer?.kind === 'track') decided.push(layer)
        }
      }
      const covered = (body: AnnotationBody) => body.kind === 'track' && decided.some((track) => sameObject(track, body))
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
    const existing = body.kind === 'track' ? undefined : this.#db.prepare('SELECT id FROM annotations WHERE clip_id = ? AND kind = ? AND topic = ?').get(clipId, body.kind, topic)
    if (existing !== undefined) {
      const id = Number(existing['id'])
      this.#db
        .prepare('INSERT INTO replaced (annotation_id, clip_id, machine, evidence, provenance) SELECT id, clip_id, machine, evidence, provenance FROM annotations WHERE id = ? AND machine <> ?')
        .run(id, stored[0] ?? null)
      this.#db.prepare('UPDATE annotations SET machine = ?, evidence = ?, provenance = ?, updated_at = ? WHERE id = ?').run(...stored, id)
      return id
    }
    const insert = this.#db.prepare(
      `INSERT INTO annotations (machine, evidence, provenance, updated_at, clip_id, kind, topic, candidate, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'machine')`,
    )
    return Number(insert.run(...stored, clipId, body.kind, topic, candidate ?? null).lastInsertRowid)
  }

  /** A person adds something. A caption or answer that is there already is edited instead. */
  add(clipId: number, body: AnnotationBody, place: Place): Annotation {
    check(body, place)
    const existing = body.kind === 'track' || body.kind === 'note' ? undefined : this.#db.prepare('SELECT id FROM annotations WHERE clip_id = ? AND kind = ? AND topic = ?').get(clipId, body.kind, topicOf(body))
    if (existing) return this.review(Number(existing['id']), 'edit', body, place)
    return this.#atomic(() => {
      const id = Number(this.#db.prepare(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'annotations'), 0) + 1 AS id`).get()?.['id'])
      this.#apply(id, clipId, { kind: body.kind, topic: topicOf(body), state: 'edited', human: body })
      this.#record('add', body.kind, place, id, clipId, null)
      return this.get(id)
    })
  }

  /** @throws TubeletError `not-found`, or `bad-request` where the edit makes no sense. */
  review(id: number, action: ReviewAction, body: AnnotationBody | undefined, place: Place): Annotation {
    const before = this.get(id)
    if (action === 'edit') {
      if (body === undefined || body.kind !== before.body.kind) throw badRequest('An edit must say what the annotation becomes, of the same kind.')
      if (topicOf(body) !== topicOf(before.body)) throw badRequest('An answer keeps its question. Ask the other question instead.')
      check(body, place)
    }
    if (action === 'reset' && before.machine === null) throw badRequest('A person made this; there is no model result to go back to. Reject it instead.')
    return this.#atomic(() => {
      const layer = this.#layer(id)
      if (layer === null) throw badRequest('That annotation is gone.')
      const after = {
        accept: () => ({ ...layer, state: 'accepted' as const, human: layer.human ?? before.body }),
        reject: () => ({ ...layer, state: 'rejected' as const, human: layer.human ?? before.body }),
        edit: () => ({ ...layer, state: 'edited' as const, human: body ?? null }),
        reset: () => ({ ...layer, state: 'machine' as const, human: null }),
      }[action]()
      this.#apply(id, before.clipId, after)
      this.#record(action, before.body.kind, place, id, before.clipId, layer)
      return this.get(id)
    })
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
    const edits = this.#db.prepare(`SELECT action, json_extract(coalesce(after, before), '$.kind') AS kind, count(*) AS n FROM edits WHERE step = ? GROUP BY 1, 2`).all(step)
    const count = edits.reduce((sum, { n }) => sum + Number(n), 0)
    if (count === 1) return
    const [only, other] = edits
    const deed = only && !other && only['action'] !== 'vocabulary' && only['action'] !== 'clip' ? DEEDS[only['kind'] as AnnotationBody['kind']][only['action'] as Action] : phrase('Changed')
    this.#db.prepare('UPDATE edits SET description = ? WHERE step = ?').run(JSON.stringify(said('{{deed}} × {{times}}', { deed: said(deed), times: count })), step)
  }

  /** Undo or redo the next step. Returns the clips that it was on; none when there is nothing left. */
  step(direction: 'undo' | 'redo'): number[] {
    return this.#atomic(() => {
      const step = this.#next(direction)?.['step']
      if (step === undefined) return []
      const undoing = direction === 'undo'
      const edits = this.#db.prepare(`SELECT * FROM edits WHERE step = ? ORDER BY id ${undoing ? 'DESC' : ''}`).all(step)
      for (const edit of edits) {
        const layer = edit[undoing ? 'before' : 'after']
        if (edit['action'] === 'vocabulary') this.#setVocabulary(parsed(layer) as Vocabulary)
        else if (edit['action'] === 'clip') this.#removed[parsed(layer) === THERE ? 'restore' : 'remove'](Number(edit['clip_id']))
        else this.#apply(Number(edit['annotation_id']), Number(edit['clip_id']), typeof layer === 'string' ? (JSON.parse(layer) as HumanLayer) : null)
      }
      this.#db.prepare('UPDATE edits SET undone = ? WHERE step = ?').run(undoing ? 1 : 0, step)
      return [...new Set(edits.flatMap((edit) => (edit['clip_id'] === null ? [] : Number(edit['clip_id']))))]
    })
  }

  /**
   * Undo or redo until `step` is the newest that holds; 0 is before all of them. Returns the clips that changed.
   * @throws TubeletError `not-found`
   */
  jump(step: number): number[] {
    const known = step === 0 || this.#db.prepare('SELECT 1 FROM edits WHERE step = ?').get(step) !== undefined
    if (!known) throw new TubeletError({ code: 'not-found', message: 'That step is not in the history any more.', next: 'Choose another step.' })
    return this.#atomic(() => {
      const clips = new Set<number>()
      const newest = () => Number(this.#next('undo')?.['step'] ?? 0)
      for (let at = newest(); at !== step; at = newest()) for (const clip of this.step(at > step ? 'undo' : 'redo')) clips.add(clip)
      return [...clips]
    })
  }

  history(): History {
    const describe = (direction: 'undo' | 'redo') => parsed(this.#next(direction)?.['description']) as Phrase | null
    return { undo: describe('undo'), redo: describe('redo') }
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
    const steps = rows.map((row): Step => ({
      id: Number(row['step']),
      description: parsed(row['description']) as Phrase,
      edits: Number(row['n']),
      clipId: row['clip_id'] === null ? null : Number(row['clip_id']),
      sourceId: row['source_id'] === null ? null : Number(row['source_id']),
      undone: row['undone'] === 1,
      at: String(row['at']),
    }))
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
        return { at: provenance?.at ?? '', annotationId: Number(row['annotation_id']), action: 'said', kind: body.kind, body, provenance, confidence: (parsed(row['evidence']) as Evidence | null)?.confidence ?? null, undone: false }
      })
    const human = this.#db
      .prepare(`SELECT * FROM edits WHERE clip_id = ? AND action <> 'clip'`)
      .all(clipId)
      .map((row): ClipEvent => {
        const [before, after] = [row['before'], row['after']].map((layer) => parsed(layer) as HumanLayer)
        const kind = after?.kind ?? before?.kind ?? 'note'
        return { at: String(row['at']), annotationId: Number(row['annotation_id']), action: row['action'] as Action, kind, body: after?.human ?? null, provenance: null, confidence: null, undone: row['undone'] === 1 }
      })
    return [...machine, ...human].sort((a, b) => b.at.localeCompare(a.at))
  }

  #next(direction: 'undo' | 'redo'): Row | undefined {
    const which = direction === 'undo' ? 'undone = 0 ORDER BY step DESC' : 'undone = 1 ORDER BY step'
    return this.#db.prepare(`SELECT step, description FROM edits WHERE ${which} LIMIT 1`).get()
  }

  #layer(id: number): HumanLayer {
    const row = this.#db.prepare('SELECT kind, topic, state, human FROM annotations WHERE id = ?').get(id)
    if (row === undefined) return null
    return { kind: row['kind'] as AnnotationBody['kind'], topic: String(row['topic']), state: row['state'] as ReviewState, human: parsed(row['human']) as AnnotationBody | null }
  }

  /**
   * Make the human layer of an annotation `layer`; the machine layer stays whatever the newest run said. A row without either layer
   * says nothing and goes.
   */
  #apply(id: number, clipId: number, layer: HumanLayer): void {
    if (layer === null || layer.human === null) {
      this.#db.prepare('DELETE FROM annotations WHERE id = ? AND machine IS NULL').run(id)
      this.#db.prepare(`UPDATE annotations SET state = 'machine', human = NULL, updated_at = ? WHERE id = ?`).run(now(), id)
      return
    }
    const { kind, topic, state, human } = layer
    // A run may have said this since the person's own was undone: it becomes the layer beneath.
    this.#db.prepare(`UPDATE annotations SET id = ? WHERE clip_id = ? AND kind = ? AND topic = ? AND kind IN ('caption', 'answer')`).run(id, clipId, kind, topic)
    this.#db
      .prepare(
        `INSERT INTO annotations (id, clip_id, kind, topic, state, human, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, human = excluded.human, updated_at = excluded.updated_at`,
      )
      .run(id, clipId, kind, topic, state, JSON.stringify(human), now())
  }

  /** A change of the vocabulary is a step, or a part of the one under way. */
  vocabularyChanged(before: Vocabulary, after: Vocabulary, description: Phrase): void {
    this.#atomic(() => this.#append({ action: 'vocabulary', description, id: 0, clipId: null, before, after }))
  }

  /** A person marked a clip: that it is there is a step. */
  clipMarked(clipId: number, place: Place): void {
    this.#atomic(() => this.#append({ action: 'clip', description: deedOn(place, phrase('Clip marked')), id: 0, clipId, before: null, after: THERE }))
  }

  /** A person takes a clip away, as a step. */
  removeClip(clipId: number, place: Place): void {
    this.#atomic(() => {
      this.#append({ action: 'clip', description: deedOn(place, phrase('Clip removed')), id: 0, clipId, before: THERE, after: null })
      this.#removed.remove(clipId)
    })
  }

  #record(action: Action, kind: AnnotationBody['kind'], place: Place, id: number, clipId: number, before: HumanLayer): void {
    this.#append({ action, description: deedOn(place, DEEDS[kind][action]), id, clipId, before, after: this.#layer(id) })
  }

  #append({ action, description, id, clipId, before, after }: { action: Action | 'vocabulary' | 'clip'; description: Phrase; id: number; clipId: number | null; before: Layer; after: Layer }): void {
    // A new edit ends the line of what could be redone, and with it clips that only a redo would bring back.
    this.#db.exec(`DELETE FROM removed WHERE clip_id IN (SELECT clip_id FROM edits WHERE undone = 1 AND action = 'clip'); DELETE FROM edits WHERE undone = 1`)
    const edit = this.#db
      .prepare('INSERT INTO edits (step, action, description, annotation_id, clip_id, before, after, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(this.#step?.id ?? 0, action, JSON.stringify(this.#step?.description ?? description), id, clipId, before && JSON.stringify(before), JSON.stringify(after), now()).lastInsertRowid
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

/** What makes two answers the same cell: the question, however it was typed. */
function topicOf(body: AnnotationBody): string {
  return body.kind === 'answer' ? questionTopic(body.question) : ''
}

function deedOn({ clip, source }: Place, deed: string): Phrase {
  return said('{{deed}} · clip {{clip}} in {{source}}', { deed: said(deed), clip, source })
}

function badRequest(message: string): TubeletError {
  return new TubeletError({ code: 'bad-request', message })
}

/** @throws TubeletError `bad-request` unless a span lies inside the clip, and boxes on the picture, on frames of the video, ascending. */
function check(body: AnnotationBody, { frame, span: whole, frames }: Place): void {
  if (body.kind === 'answer') return
  if (body.kind !== 'track') {
    const { span } = body
    if (span === undefined || (span.startFrame >= whole.startFrame && span.endFrame <= whole.endFrame)) return
    throw new TubeletError({
      code: 'bad-request',
      message: 'The frames {{from}} to {{to}} are not all in this clip, which has the frames {{first}} to {{last}}.',
      values: { from: span.startFrame, to: span.endFrame - 1, first: whole.startFrame, last: whole.endFrame - 1 },
      stillWorks: 'Nothing was changed.',
      next: 'Mark a span inside the clip, or choose the clip that it lies in.',
    })
  }
  const end = body.boxes.at(-1)?.ordinal ?? 0
  if (end >= whole.endFrame && end >= frames()) throw badRequest('A track must end with the video.')
  let last = -1
  for (const { ordinal, box } of body.boxes) {
    if (ordinal <= last) throw badRequest('The boxes of a track must ascend, one a frame.')
    last = ordinal
    const inside = box.x1 >= 0 && box.y1 >= 0 && (frame === null || (box.x2 <= frame.width && box.y2 <= frame.height))
    if (!inside || box.x2 <= box.x1 || box.y2 <= box.y1) throw badRequest('A box must have a size and lie inside the picture.')
  }
}

/** Whether two tracks of one label cover each other where both exist. */
function sameObject(a: TrackBody, b: TrackBody): boolean {
  if (a.label !== b.label) return false
  const overlaps = [...a.boxes, ...b.boxes].flatMap(({ pts }) => {
    const [first, second] = [interpolate(a, pts), interpolate(b, pts)]
    return first && second ? [iou(first, second)] : []
  })
  return overlaps.length > 0 && overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length > SAME_OBJECT_IOU
}
