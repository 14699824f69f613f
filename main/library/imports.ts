/** Stores what annotation files say: all of an import or nothing of it, as one step of undo, beside what people did here. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { type AnnotationBody, asAdded, type Box, type KeyBox, type Span, type TrackBody } from '../../app/annotation.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import type { Phrase } from '../../app/phrase.ts'
import { topicOf } from '../../app/table/question.ts'
import { interpolate } from '../../app/tracks.ts'
import type { Label } from '../../app/vocabulary.ts'
import type { Place } from './annotation-checks.ts'
import type { Annotations, Imported } from './annotations.ts'
import type { Detections } from './detections.ts'
import type { EditHistory } from './history.ts'
import { CLIP_WITH } from './reach.ts'

/** Something that an imported file says of a part of a video. */
export type ToImport = Imported & { sourceId: number; span: Span }
/** `there`: the same was here already. `beside`: a person here said something else, and both are kept. */
export type Became = 'added' | 'there' | 'beside' | Problem

export class LibraryImports {
  readonly #db: DatabaseSync
  readonly #annotations: Annotations
  readonly #history: EditHistory
  readonly #detections: Detections
  readonly #place: (clipId: number) => Place

  constructor(db: DatabaseSync, annotations: Annotations, history: EditHistory, detections: Detections, place: (clipId: number) => Place) {
    this.#db = db
    this.#annotations = annotations
    this.#history = history
    this.#detections = detections
    this.#place = place
  }

  /**
   * Add everything, or nothing where a batch fails; others have their turn in between.
   * @param labels New labels of the vocabulary, asked for when all is taken. @param outcome Told what became of each thing.
   * @returns The step, 0 where nothing was added. @throws what `batches` throws.
   */
  async add(
    batches: AsyncIterable<readonly ToImport[]>,
    labels: () => readonly Label[],
    description: Phrase,
    outcome: (one: ToImport, became: Became) => void,
  ): Promise<number> {
    const there = new There(this.#db)
    const make = (one: ToImport | { labels: readonly Label[] }): number | null => {
      if ('labels' in one) {
        const before = this.#detections.vocabulary()
        this.#detections.setVocabulary([...before, ...one.labels])
        this.#history.record({ kind: 'vocabulary', before, after: this.#detections.vocabulary() }, description)
        return null
      }
      const became = this.#bring(one, there, description)
      outcome(one, became.what)
      return became.clipId
    }
    const all = async function* (): AsyncGenerator<readonly (ToImport | { labels: readonly Label[] })[]> {
      for await (const batch of batches) {
        for (const sourceId of new Set(batch.map((one) => one.sourceId))) await there.learn(sourceId)
        yield batch
      }
      const made = labels()
      if (made.length > 0) yield [{ labels: made }]
    }
    try {
      return await this.#history.whole(all(), description, make)
    } finally {
      there.forget()
    }
  }

  #bring(one: ToImport, there: There, description: Phrase): { what: Became; clipId: number | null } {
    const { sourceId, span } = one
    const exact = this.#db
      .prepare(`SELECT id FROM clips WHERE source_id = ? AND start_frame = ? AND end_frame = ? AND kind <> 'beginning'`)
      .get(sourceId, span.startFrame, span.endFrame)
    const row = exact ?? this.#db.prepare(CLIP_WITH).get(sourceId, span.startFrame)
    if (row === undefined || (exact === undefined && one.body.kind === 'answer')) return { what: noClip(one), clipId: null }
    const clipId = Number(row['id'])
    const place = this.#place(clipId)
    const body = asAdded(settled(one.body, exact !== undefined), place.span)
    if (there.has(sourceId, body) || there.hasImported(sourceId, clipId, body)) return { what: 'there', clipId: null }
    try {
      const { what, id } = this.#annotations.bring(clipId, { ...one, body }, place, description)
      if (what !== 'there') there.add(sourceId, id, body)
      return { what, clipId: what === 'there' ? null : clipId }
    } catch (error) {
      if (!(error instanceof TubeletError)) throw error
      return { what: error.problem, clipId: null }
    }
  }
}

/** A note about a whole clip has no span. */
function settled(body: AnnotationBody, isWhole: boolean): AnnotationBody {
  return body.kind === 'note' && isWhole ? { kind: 'note', text: body.text } : body
}

/** Boxes that differ less, in pixels, are the same: files hold thousandths. */
const SAME_PLACE = 0.02

/** Milliseconds after which others have their turn while a video's annotations are read. */
const TURN_MS = 25

/** What texts of a clip said when they were imported. In this order: a library has many edits, with large tracks in them, and few imported texts. */
export const IMPORTED_OF_CLIP = `SELECT a.id, e.after ->> '$.human' AS body FROM annotations a CROSS JOIN edits e ON e.annotation_id = a.id AND e.undone = 0
  WHERE a.clip_id = ? AND a.kind <> 'track' AND a.origin IS NOT NULL AND a.human IS NOT NULL
    AND e.action IN ('add', 'edit') AND e.after ->> '$.origin' IS NOT NULL`

/**
 * What is said of videos, to tell whether a file says the same; captions and answers are compared where they are stored. Kept in a temporary table, as
 * there may be millions of tracks: by what must be the same, which is where a track begins, and all of a text.
 */
class There {
  readonly #db: DatabaseSync
  readonly #learnt = new Set<number>()
  readonly #keep: StatementSync
  readonly #alike: StatementSync
  readonly #bodies: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    db.exec(`CREATE TEMP TABLE IF NOT EXISTS said_there (source INTEGER NOT NULL, key TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (source, key, id)) WITHOUT ROWID, STRICT;
      DELETE FROM said_there`)
    this.#keep = db.prepare('INSERT OR IGNORE INTO said_there VALUES (?, ?, ?)')
    this.#alike = db.prepare('SELECT id FROM said_there WHERE source = ? AND key = ?')
    this.#bodies = db.prepare('SELECT human, machine FROM annotations WHERE id = ?')
  }

  forget(): void {
    this.#db.exec('DELETE FROM said_there')
  }

  /** Read what the library says of a video; others have their turn in between. */
  async learn(sourceId: number): Promise<void> {
    if (this.#learnt.has(sourceId)) return
    this.#learnt.add(sourceId)
    let until = performance.now() + TURN_MS
    for (const clip of this.#db.prepare('SELECT id FROM clips WHERE source_id = ?').all(sourceId)) {
      this.#learnImported(sourceId, Number(clip['id']))
      const ids = this.#db.prepare(`SELECT id FROM annotations WHERE clip_id = ? AND kind NOT IN ('caption', 'answer')`)
      for (const { id } of ids.all(clip['id'] ?? 0)) {
        for (const body of this.#bodiesOf(Number(id))) this.add(sourceId, Number(id), body)
        if (performance.now() < until) continue
        await setImmediate()
        until = performance.now() + TURN_MS
      }
    }
  }

  /** What was imported before and corrected since is known by what it said then. */
  #learnImported(sourceId: number, clipId: number): void {
    for (const { id, body: said } of this.#db.prepare(IMPORTED_OF_CLIP).iterate(clipId)) {
      const body = JSON.parse(String(said)) as AnnotationBody
      this.add(sourceId, Number(id), body)
      if (body.kind === 'caption' || body.kind === 'answer') this.#keep.run(sourceId, keyOfClips(clipId, body), Number(id))
    }
  }

  /** Whether a caption or an answer was imported for a clip before. */
  hasImported(sourceId: number, clipId: number, body: AnnotationBody): boolean {
    return (body.kind === 'caption' || body.kind === 'answer') && this.#alike.all(sourceId, keyOfClips(clipId, body)).length > 0
  }

  add(sourceId: number, id: number, body: AnnotationBody): void {
    const key = keyOf(body)
    if (key !== null) this.#keep.run(sourceId, key, id)
  }

  has(sourceId: number, body: AnnotationBody): boolean {
    const key = keyOf(body)
    if (key === null) return false
    const alike = this.#alike.all(sourceId, key)
    if (body.kind !== 'track') return alike.length > 0
    return alike.some(({ id }) => this.#bodiesOf(Number(id)).some((other) => other.kind === 'track' && isSame(body, other)))
  }

  /** What people and the machine say in an annotation. */
  #bodiesOf(id: number): AnnotationBody[] {
    const row = this.#bodies.get(id)
    return [row?.['human'], row?.['machine']].flatMap((said) => (typeof said === 'string' ? [JSON.parse(said) as AnnotationBody] : []))
  }
}

/** What is the same in all that says the same; null for what is compared where it is stored. */
function keyOf(body: AnnotationBody): string | null {
  if (body.kind === 'track') return keyOfTrack(body)
  return body.kind === 'caption' || body.kind === 'answer' ? null : keyOfText(body)
}

function keyOfTrack({ label, boxes }: TrackBody): string {
  const seen = boxes.filter(({ outside }) => outside !== true)
  return `track ${label.trim().toLowerCase()} ${seen[0]?.ordinal ?? 0}`
}

function keyOfText(body: Extract<AnnotationBody, { text: string }>): string {
  const { startFrame = 0, endFrame = 0 } = 'span' in body ? (body.span ?? {}) : {}
  return `${body.kind} ${startFrame} ${endFrame} ${body.text.trim()}`
}

function keyOfClips(clipId: number, body: Extract<AnnotationBody, { kind: 'caption' | 'answer' }>): string {
  return `${clipId} ${body.kind === 'answer' ? topicOf(body.question) : ''}\n${body.text.trim()}`
}

/** Whether two tracks have the same box wherever one of them has a key. */
function isSame(a: TrackBody, b: TrackBody): boolean {
  const lasts = [a, b].map(({ boxes }) => boxes.findLast(({ outside }) => outside !== true)?.ordinal)
  if (lasts[0] !== lasts[1]) return false
  // Where they have the same keys, no line between them needs to be looked at.
  const keys = a.boxes.map((key, at) => [key, b.boxes[at]] as const)
  if (a.boxes.length === b.boxes.length && keys.every(([one, other]) => one.ordinal === other?.ordinal))
    return keys.every(
      ([one, other]) => other !== undefined && (one.outside ?? false) === (other.outside ?? false) && near(one.box, other.box),
    )
  return agrees(a.boxes, b) && agrees(b.boxes, a)
}

function agrees(keys: readonly KeyBox[], other: TrackBody): boolean {
  return keys.every(({ pts, box, outside }) => {
    const there = interpolate(other, pts)
    return outside === true ? there === null : there !== null && near(box, there)
  })
}

function near(a: Box, b: Box): boolean {
  return (['x1', 'y1', 'x2', 'y2'] as const).every((side) => Math.abs(a[side] - b[side]) <= SAME_PLACE)
}

function noClip({ body, span }: ToImport): Problem {
  return body.kind === 'answer'
    ? {
        code: 'not-found',
        message: 'No clip here has the frames {{from}} to {{to}} alone, so the answer has no place.',
        values: { from: span.startFrame, to: span.endFrame - 1 },
        next: 'Mark a clip of these frames, then import again.',
      }
    : {
        code: 'not-found',
        message: 'No clip here shows frame {{frame}}.',
        values: { frame: span.startFrame },
        next: 'Wait until the video was analysed to its end, then import again.',
      }
}
