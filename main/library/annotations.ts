/**
 * Annotations of clips. Machine results and human decisions are two layers of one row: an analysis writes `machine`, only a person
 * writes `human` and `state`. Each human edit goes into the history, with the layer before and after it.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import {
  Annotation,
  AnnotationBody,
  asAdded,
  type Evidence,
  isOnlyOne,
  type Origin,
  type Provenance,
  type ReviewState,
  spanWithin,
  type TextBody,
  type TrackBody,
} from '../../app/annotation.ts'
import type { Clip } from '../../app/contract/clip.ts'
import type { ClipEvent } from '../../app/contract/state.ts'
import { type Action, DEEDS } from '../../app/deeds.ts'
import { inField, TubeletError } from '../../app/errors.ts'
import { topicOf as questionTopic } from '../../app/table/question.ts'
import { iou } from '../../app/boxes.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { agreedState } from '../../app/review.ts'
import { mayBeOne } from '../../app/naming.ts'
import { sameObject } from '../../app/tracks.ts'
import { changedError, check, checkName, checkReach, movedTo, type Place, takenError } from './annotation-checks.ts'
import type { Change, EditHistory, HumanLayer } from './history.ts'
import { REACHING } from './reach.ts'
import { nextOf, signed } from './signed.ts'
import { spelling, storedVocabulary } from './spelling.ts'

/** A machine result to store. */
export interface MachineResult {
  body: AnnotationBody
  evidence: Evidence | null
  provenance: Provenance
  /** For a track: the id of its candidate. */
  candidate?: number
}

export type ReviewAction = Exclude<Action, 'add'>

/** An edit of a caption, answer or note, which a person may make by the thousand: none of them needs the picture. */
export type Deed =
  | { action: 'accept' | 'reject' | 'reset'; annotationId: number }
  | { action: 'edit'; annotationId: number; text: string }
  | { action: 'add'; clipId: number; body: Exclude<AnnotationBody, TrackBody> }

/** What a file that is imported says of a clip. */
export interface Imported {
  body: AnnotationBody
  /** Whether a person looked at it where the file was made. */
  state: 'accepted' | 'edited' | null
  origin: Origin
}

/** What became of something that was imported, and the annotation that says it now. */
interface Brought {
  what: 'added' | 'there' | 'beside'
  id: number
}

type Row = Record<string, SQLOutputValue>
export class Annotations {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction, or in the one already open. */
  readonly #atomic: <T>(work: () => T) => T
  readonly #history: Pick<EditHistory, 'record' | 'ofClip'>
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, history: Pick<EditHistory, 'record' | 'ofClip'>) {
    this.#db = db
    this.#atomic = atomic
    this.#history = history
  }

  /** Statements that run once for each of many edits are compiled once. */
  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, known)
    return known
  }

  ofClip(clipId: number): Annotation[] {
    return this.#db.prepare('SELECT * FROM annotations WHERE clip_id = ? ORDER BY kind, id').all(clipId).map(annotation)
  }

  /**
   * What is shown with a clip: its own annotations, and those that people made or decided in other clips of its video and that reach into it.
   */
  seenWith({ id }: Pick<Clip, 'id'>): Annotation[] {
    const reaching = this.#prepared(`SELECT a.* FROM ${REACHING} WHERE r.id = ? ORDER BY a.kind, a.id`)
    return [...this.ofClip(id), ...reaching.all(id).map(annotation)]
  }

  /** The annotations in the order of `ids`; those that no longer exist are left out. */
  byId(ids: readonly number[]): Annotation[] {
    return ids.flatMap((id) => this.#prepared('SELECT * FROM annotations WHERE id = ?').all(id).map(annotation))
  }

  /** @throws TubeletError `not-found` */
  get(id: number): Annotation {
    const row = this.#db.prepare('SELECT * FROM annotations WHERE id = ?').get(id)
    if (row === undefined) throw goneError()
    return annotation(row)
  }

  /**
   * Store an analysis' results for a clip. A caption or an answer goes beneath a person's decision. Tracks and lines of text replace those
   * that nobody reviewed; what a person decided stays, and nothing is added at its place. A track of the same candidate as before stays as it is.
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
          // The machine layer counts too: a box that a person moved or relabelled must not come back beside the edited one.
          if (state !== 'machine') for (const layer of [body, machine]) if (layer?.kind === 'track') decided.push(layer)
        }
      }
      // Under another label it is still what a person decided about.
      const vocabulary = storedVocabulary(this.#db)
      const covered = (body: AnnotationBody) =>
        (body.kind === 'track' &&
          decided.some((track) => mayBeOne(track.label, body.label, vocabulary) && sameObject({ ...track, label: body.label }, body))) ||
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
   * A person adds an annotation. A caption, or an answer to the same question, takes the place of the machine's or of a rejected one, but never
   * of another by a person. A caption of a part is added beside the clip's own.
   * @throws TubeletError `conflict` if a person has already given the caption or the answer.
   */
  add(clipId: number, given: AnnotationBody, place: Place): Annotation {
    const body = this.#spelled(asAdded(given, place.span))
    checkName(body)
    check(body, place)
    checkReach(body, place)
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

  /**
   * @param basedOn What the annotation said when the edit was begun.
   * @throws TubeletError `not-found`; `bad-request` if the edit makes no sense; `conflict` if a person has changed the annotation since `basedOn`.
   *   A newer machine result is no conflict: it stays in its own layer.
   */
  review(id: number, action: ReviewAction, given: AnnotationBody | undefined, place: Place, basedOn?: AnnotationBody): Annotation {
    const before = this.get(id)
    const body = given && this.#spelled(given)
    if (basedOn !== undefined && before.state !== 'machine' && ![basedOn, body].some((one) => isDeepStrictEqual(one, before.body)))
      throw changedError(before)
    if (action === 'edit') {
      if (body === undefined || body.kind !== before.body.kind)
        throw badRequest(body === undefined ? 'body' : 'body.kind', 'An edit must say what the annotation becomes, of the same kind.')
      if (topicOf(body) !== topicOf(before.body))
        throw badRequest('body.question', 'An answer keeps its question. Ask the other question instead.')
      if (body.kind === 'caption' && before.body.kind === 'caption' && body.span && !before.body.span) throw ofPartError()
    }
    const to =
      action === 'edit' && body !== undefined
        ? inField('body', () => {
            checkName(body, before.body)
            check(body, place, before.body)
            return movedTo(body, place, before.machine === null)
          })
        : null
    if (action === 'reset' && before.machine === null)
      throw badRequest('action', 'A person made this; there is no model result to go back to. Reject it instead.')
    return this.#atomic(() => {
      this.#decide(id, action, body, ({ kind }) => deedOn(place, DEEDS[kind][action]), to)
      return this.get(id)
    })
  }

  /** A body with its label as the library writes it. */
  #spelled(body: AnnotationBody): AnnotationBody {
    return body.kind === 'track' ? { ...body, label: spelling(this.#db, storedVocabulary(this.#db), body.label) } : body
  }

  /** @param body The new content, for an edit. @param to The clip that it is in from then on; null where it stays. */
  #decide(
    id: number,
    action: ReviewAction,
    body: AnnotationBody | ((now: AnnotationBody) => AnnotationBody) | undefined,
    description: (layer: HumanLayer) => Phrase,
    to: number | null = null,
  ): number {
    const row = this.#prepared(
      'SELECT clip_id, kind, topic, state, human, machine, origin, by, decided_at, lineage FROM annotations WHERE id = ?',
    ).get(id)
    if (row === undefined) throw goneError()
    const before = layerOf(row)
    const machine = parsed(row['machine']) as AnnotationBody | null
    const said = before.human ?? (parsed(row['machine']) as AnnotationBody)
    const begun = { ...before, ...nextOf(this.#db, before) }
    const after = {
      accept: () => ({ ...begun, state: agreedState({ state: before.state, body: said, machine }), human: said }),
      reject: () => ({ ...begun, state: 'rejected' as const, human: said }),
      edit: () => ({ ...begun, state: 'edited' as const, human: (typeof body === 'function' ? body(said) : body) ?? null }),
      reset: () => ({ ...begun, state: 'machine' as const, human: null }),
    }[action]()
    const from = Number(row['clip_id'])
    const clipId = to ?? from
    const sides = to === null ? { before, after } : { before: { ...before, clipId: from }, after: { ...after, clipId } }
    this.apply(id, clipId, sides.after)
    this.#history.record({ kind: 'annotation', action, id, clipId, ...sides }, description(before))
    return clipId
  }

  /**
   * Add what an imported file says. What a person did here stays: a caption or an answer that differs from a person's own is kept beside it, as a
   * caption of the part that is the whole clip, or as a note.
   * @returns Whether something was added, the same was there, or it was kept beside what a person said; and which annotation says it.
   * @throws TubeletError `bad-request` where it is not inside the clip and its video.
   */
  bring(clipId: number, { body: given, state, origin }: Imported, place: Place, description: Phrase): Brought {
    const body = asAdded(given, place.span)
    check(body, place)
    checkReach(body, place)
    const layer = { state: state ?? ('edited' as const), origin }
    const existing = isOnlyOne(body.kind)
      ? this.#prepared('SELECT id, state, human, machine, shown, topic FROM annotations WHERE clip_id = ? AND kind = ? AND topic = ?').get(
          clipId,
          body.kind,
          topicOf(body),
        )
      : undefined
    if (existing === undefined || body.kind === 'track') {
      return { what: 'added', id: this.#create(clipId, body, description, layer) }
    }
    const id = Number(existing['id'])
    const same = String(existing['shown']).trim() === body.text.trim()
    if (same && (existing['state'] !== 'machine' || state === null)) return { what: 'there', id }
    // A file that does not tell who made it, and says what is here or what the machine here says, adds nothing of a person.
    const machine = parsed(existing['machine']) as { text: string } | null
    if (state === null && [String(existing['shown']), machine?.text ?? ''].some((text) => oneLine(text) === oneLine(body.text)))
      return { what: 'there', id }
    if (existing['state'] === 'machine') {
      const before: HumanLayer = { kind: body.kind, topic: String(existing['topic']), state: 'machine', human: null }
      const { lineage, at } = nextOf(this.#db, null)
      const after: HumanLayer = { ...before, ...layer, lineage, at, state: same ? 'accepted' : layer.state, human: body }
      this.apply(id, clipId, after)
      this.#history.record({ kind: 'annotation', action: 'edit', id, clipId, before, after }, description)
      return { what: 'added', id }
    }
    const beside: AnnotationBody =
      body.kind === 'answer'
        ? { kind: 'note', text: `${body.question} ${body.text}`, span: place.span }
        : { kind: 'segment', text: body.text, span: place.span }
    const there = this.#prepared(
      `SELECT id FROM annotations WHERE clip_id = ? AND kind = ? AND shown = ? AND json_extract(human, '$.span.startFrame') = ? AND json_extract(human, '$.span.endFrame') = ?`,
    ).get(clipId, beside.kind, beside.text, place.span.startFrame, place.span.endFrame)
    if (there !== undefined) return { what: 'there', id: Number(there['id']) }
    return { what: 'beside', id: this.#create(clipId, beside, description, layer) }
  }

  #create(
    clipId: number,
    body: AnnotationBody,
    description: Phrase,
    layer: Pick<HumanLayer, 'state' | 'origin'> = { state: 'edited' },
  ): number {
    const id = Number(
      this.#prepared(`SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'annotations'), 0) + 1 AS id`).get()?.['id'],
    )
    const { by, ...next } = nextOf(this.#db, null)
    // What is imported is somebody else's work.
    const after = {
      kind: body.kind,
      topic: topicOf(body),
      ...layer,
      ...next,
      ...(by !== undefined && !layer.origin && { by }),
      human: body,
    }
    this.apply(id, clipId, after)
    this.#history.record({ kind: 'annotation', action: 'add', id, clipId, before: null, after }, description)
    return id
  }

  /**
   * One of many edits in a step called `description`. Only captions, answers and notes may be edited; what is added must not exist
   * yet. @returns The clip's id.
   */
  do(deed: Deed, description: Phrase): number {
    if (deed.action === 'add') {
      this.#create(deed.clipId, deed.body, description)
      return deed.clipId
    }
    const body = deed.action === 'edit' ? (said: AnnotationBody) => ({ ...said, text: deed.text }) as AnnotationBody : undefined
    return this.#decide(deed.annotationId, deed.action, body, () => description)
  }

  /** The history of a clip, newest first: results of the model now and in earlier runs, and every edit by a person. */
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
          by: null,
          undone: false,
        }
      })
    const human = this.#history.ofClip(clipId).map(
      ({ at, undone, change: { id, action, before, after } }): ClipEvent => ({
        at,
        annotationId: id,
        action,
        kind: after?.kind ?? before?.kind ?? 'note',
        body: after?.human ?? null,
        provenance: null,
        confidence: null,
        by: after?.by ?? null,
        undone,
      }),
    )
    return [...machine, ...human].sort((a, b) => b.at.localeCompare(a.at))
  }

  /**
   * Add a whole annotation of another library, with what a machine said.
   * @param id Null for a new one. @param row As it is stored; its id and clip there do not count. @returns Its id here.
   */
  bringRow(id: number | null, clipId: number, row: Row): number {
    const names = this.#prepared(`SELECT name FROM pragma_table_info('annotations') WHERE name NOT IN ('id', 'clip_id', 'candidate')`)
      .all()
      .map(({ name }) => String(name))
    const { lastInsertRowid } = this.#prepared(
      `INSERT INTO annotations (id, clip_id, ${names.join(', ')}) VALUES (?, ?, ${names.map(() => '?').join(', ')})`,
    ).run(id, clipId, ...names.map((name) => row[name] ?? null))
    return Number(lastInsertRowid)
  }

  placeRow({ id, clipId, row, there }: Extract<Change, { kind: 'brought' }>): void {
    if (there) this.bringRow(id, clipId, row)
    else this.#prepared('DELETE FROM annotations WHERE id = ?').run(id)
  }

  /**
   * Set the human layer of an annotation to `layer`; the machine layer keeps the newest run's result. A row with neither layer
   * is deleted.
   */
  apply(id: number, clipId: number, layer: HumanLayer | null): void {
    if (layer === null || layer.human === null) {
      this.#prepared('DELETE FROM annotations WHERE id = ? AND machine IS NULL').run(id)
      this.#prepared(
        `UPDATE annotations SET state = 'machine', human = NULL, origin = NULL, by = NULL, decided_at = NULL, lineage = ?, updated_at = ? WHERE id = ?`,
      ).run(stored(layer?.lineage), now(), id)
      return
    }
    const { kind, topic, state, human, origin, by, at, lineage } = layer
    // A run may have added the same caption or answer since: it becomes the machine layer of this row.
    if (isOnlyOne(kind))
      this.#prepared('UPDATE annotations SET id = ?1 WHERE clip_id = ? AND kind = ? AND topic = ? AND id <> ?1').run(
        id,
        clipId,
        kind,
        topic,
      )
    this.#prepared(
      `INSERT INTO annotations (id, clip_id, kind, topic, state, human, origin, by, decided_at, lineage, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET clip_id = excluded.clip_id, state = excluded.state, human = excluded.human, origin = excluded.origin, by = excluded.by,
         decided_at = excluded.decided_at, lineage = excluded.lineage, updated_at = excluded.updated_at`,
    ).run(
      id,
      layer.clipId ?? clipId,
      kind,
      topic,
      state,
      JSON.stringify(this.#spelled(human)),
      stored(origin),
      by ?? null,
      at ?? null,
      stored(lineage),
      now(),
    )
  }
}

function stored(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

/** What a person decided about the annotation of a row. */
export function layerOf(row: Row): HumanLayer {
  const origin = parsed(row['origin']) as Origin | null
  return {
    kind: row['kind'] as AnnotationBody['kind'],
    topic: String(row['topic']),
    state: row['state'] as ReviewState,
    human: parsed(row['human']) as AnnotationBody | null,
    ...(origin && { origin }),
    ...signed(row),
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
    origin: parsed(row['origin']) ?? undefined,
    by: row['by'] ?? undefined,
    decidedAt: row['decided_at'] ?? undefined,
    updatedAt: row['updated_at'],
  })
}

function parsed(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null
}

function now(): string {
  return new Date().toISOString()
}

/** Whether two lines of text are at the same place at the same time. */
function sameLine(a: TextBody, b: TextBody): boolean {
  return spanWithin(a.span, b.span) !== null && iou(a.box, b.box) > 0.5
}

/** Some formats have no line breaks within a text. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The question without differences of typing: two answers with the same topic are the same cell. */
function topicOf(body: AnnotationBody): string {
  return body.kind === 'answer' ? questionTopic(body.question) : ''
}

/** The name of an edit of a clip, for the history. */
export function deedOn({ clip, source }: Place, deed: string): Phrase {
  return said('{{deed}} · clip {{clip}} in {{source}}', { deed: said(deed), clip, source })
}

function ofPartError(): TubeletError {
  return new TubeletError({
    code: 'bad-request',
    message: 'The caption of a clip is of the whole clip.',
    field: 'body.span',
    stillWorks: 'Nothing was changed.',
    next: 'Add a caption of a part (kind segment): a clip may have many beside its own.',
  })
}

function goneError(): TubeletError {
  return new TubeletError({ code: 'not-found', message: 'There is no such annotation.', next: 'Reload the clip.' })
}

function badRequest(field: string, message: string): TubeletError {
  return new TubeletError({ code: 'bad-request', message, field })
}
