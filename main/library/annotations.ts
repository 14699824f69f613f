/**
 * What is said about clips. Machine results and human decisions are two layers of one row: a re-run writes `machine`, only a person
 * writes `human` and `state`. Each human edit is kept with the layer before and after it, so that undo survives a restart.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { Annotation, AnnotationBody, type Evidence, type Provenance, type ReviewState, type TrackBody } from '../../app/annotation.ts'
import { iou } from '../../app/boxes.ts'
import { TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { topicOf as questionTopic } from '../../app/table/question.ts'
import { interpolate } from '../../app/tracks.ts'

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

export type ReviewAction = 'accept' | 'reject' | 'edit' | 'reset'
type Row = Record<string, SQLOutputValue>

/** A new machine track is dropped where a person already decided about one that it covers by more than this. */
const SAME_OBJECT_IOU = 0.5

export class Annotations {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction, or in the one already open. */
  readonly #atomic: <T>(work: () => T) => T

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T) {
    this.#db = db
    this.#atomic = atomic
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
      this.#db.prepare('UPDATE annotations SET machine = ?, evidence = ?, provenance = ?, updated_at = ? WHERE id = ?').run(...stored, id)
      return id
    }
    const insert = this.#db.prepare(
      `INSERT INTO annotations (machine, evidence, provenance, updated_at, clip_id, kind, topic, candidate, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'machine')`,
    )
    return Number(insert.run(...stored, clipId, body.kind, topic, candidate ?? null).lastInsertRowid)
  }

  /** A person adds something. A caption or answer that is there already is edited instead. */
  add(clipId: number, body: AnnotationBody, frame: Probe | null, where: string): Annotation {
    check(body, frame)
    const existing = this.ofClip(clipId).find((other) => body.kind !== 'track' && body.kind !== 'note' && other.body.kind === body.kind && topicOf(other.body) === topicOf(body))
    if (existing) return this.review(existing.id, 'edit', body, frame, where)
    return this.#atomic(() => {
      const id = Number(this.#db.prepare(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'annotations'), 0) + 1 AS id`).get()?.['id'])
      this.#apply(id, clipId, { kind: body.kind, topic: topicOf(body), state: 'edited', human: body })
      this.#record(`add ${body.kind} to ${where}`, id, clipId, null)
      return this.get(id)
    })
  }

  /** @throws TubeletError `not-found`, or `bad-request` where the edit makes no sense. */
  review(id: number, action: ReviewAction, body: AnnotationBody | undefined, frame: Probe | null, where: string): Annotation {
    const before = this.get(id)
    if (action === 'edit') {
      if (body === undefined || body.kind !== before.body.kind) throw badRequest('An edit must say what the annotation becomes, of the same kind.')
      if (topicOf(body) !== topicOf(before.body)) throw badRequest('An answer keeps its question. Ask the other question instead.')
      check(body, frame)
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
      this.#record(`${action} ${before.body.kind} of ${where}`, id, before.clipId, layer)
      return this.get(id)
    })
  }

  /** Undo or redo the next edit. Returns the clip that it was on, null when there is nothing left. */
  step(direction: 'undo' | 'redo'): number | null {
    return this.#atomic(() => {
      const edit = this.#nextEdit(direction)
      if (edit === undefined) return null
      const clipId = Number(edit['clip_id'])
      const layer = edit[direction === 'undo' ? 'before' : 'after']
      this.#apply(Number(edit['annotation_id']), clipId, typeof layer === 'string' ? (JSON.parse(layer) as HumanLayer) : null)
      this.#db.prepare('UPDATE edits SET undone = ? WHERE id = ?').run(direction === 'undo' ? 1 : 0, Number(edit['id']))
      return clipId
    })
  }

  history(): { undo: string | null; redo: string | null } {
    const describe = (direction: 'undo' | 'redo') => {
      const description = this.#nextEdit(direction)?.['description']
      return typeof description === 'string' ? description : null
    }
    return { undo: describe('undo'), redo: describe('redo') }
  }

  #nextEdit(direction: 'undo' | 'redo'): Row | undefined {
    const which = direction === 'undo' ? 'undone = 0 ORDER BY id DESC' : 'undone = 1 ORDER BY id'
    return this.#db.prepare(`SELECT * FROM edits WHERE ${which} LIMIT 1`).get()
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

  #record(description: string, id: number, clipId: number, before: HumanLayer): void {
    // A new edit ends the line of what could be redone.
    this.#db.exec('DELETE FROM edits WHERE undone = 1')
    this.#db
      .prepare('INSERT INTO edits (description, annotation_id, clip_id, before, after, at) VALUES (?, ?, ?, ?, ?, ?)')
      .run(description, id, clipId, before && JSON.stringify(before), JSON.stringify(this.#layer(id)), now())
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

function badRequest(message: string): TubeletError {
  return new TubeletError({ code: 'bad-request', message })
}

/** @throws TubeletError `bad-request` unless the boxes lie on the frame and ascend. */
function check(body: AnnotationBody, frame: Probe | null): void {
  if (body.kind !== 'track') return
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
