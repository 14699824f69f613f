/** Stores what annotation files say: all of an import or nothing of it, as one step of undo, beside what people did here. */
import type { DatabaseSync } from 'node:sqlite'
import { type Annotation, type AnnotationBody, asAdded, type Box, type KeyBox, type Span, type TrackBody } from '../../app/annotation.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import type { Phrase } from '../../app/phrase.ts'
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
    const known = new Map<number, There>()
    const thereIn = (sourceId: number) => {
      const there = known.get(sourceId) ?? this.#thereIn(sourceId)
      known.set(sourceId, there)
      return there
    }
    const make = (one: ToImport | { labels: readonly Label[] }): number | null => {
      if ('labels' in one) {
        const before = this.#detections.vocabulary()
        this.#detections.setVocabulary([...before, ...one.labels])
        this.#history.record({ kind: 'vocabulary', before, after: this.#detections.vocabulary() }, description)
        return null
      }
      const became = this.#bring(one, thereIn(one.sourceId), description)
      outcome(one, became.what)
      return became.clipId
    }
    const all = async function* (): AsyncGenerator<readonly (ToImport | { labels: readonly Label[] })[]> {
      yield* batches
      const made = labels()
      if (made.length > 0) yield [{ labels: made }]
    }
    return this.#history.whole(all(), description, make)
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
    if (there.has(body)) return { what: 'there', clipId: null }
    try {
      const what = this.#annotations.bring(clipId, { ...one, body }, place, description)
      if (what !== 'there') there.add(body)
      return { what, clipId: what === 'there' ? null : clipId }
    } catch (error) {
      if (!(error instanceof TubeletError)) throw error
      return { what: error.problem, clipId: null }
    }
  }

  #thereIn(sourceId: number): There {
    const there = new There()
    const clips = this.#db.prepare('SELECT id FROM clips WHERE source_id = ?').all(sourceId)
    for (const row of clips) for (const one of this.#annotations.ofClip(Number(row['id']))) there.addAnnotation(one)
    return there
  }
}

/** A note about a whole clip has no span. */
function settled(body: AnnotationBody, isWhole: boolean): AnnotationBody {
  return body.kind === 'note' && isWhole ? { kind: 'note', text: body.text } : body
}

/** Boxes that differ less, in pixels, are the same: files hold thousandths. */
const SAME_PLACE = 0.02

/** What is said of a video, to tell whether a file says the same. Captions and answers are compared where they are stored. */
class There {
  readonly #tracks = new Map<string, TrackBody[]>()
  readonly #texts = new Set<string>()

  addAnnotation({ body, machine }: Annotation): void {
    this.add(body)
    if (machine !== null) this.add(machine)
  }

  add(body: AnnotationBody): void {
    if (body.kind === 'track') {
      const key = keyOfTrack(body)
      this.#tracks.set(key, [...(this.#tracks.get(key) ?? []), body])
    } else if (body.kind !== 'caption' && body.kind !== 'answer') this.#texts.add(keyOfText(body))
  }

  has(body: AnnotationBody): boolean {
    if (body.kind === 'track') return (this.#tracks.get(keyOfTrack(body)) ?? []).some((other) => isSame(body, other))
    return body.kind !== 'caption' && body.kind !== 'answer' && this.#texts.has(keyOfText(body))
  }
}

function keyOfTrack({ label, boxes }: TrackBody): string {
  const seen = boxes.filter(({ outside }) => outside !== true)
  return `${label.trim().toLowerCase()} ${seen[0]?.ordinal ?? 0}`
}

function keyOfText(body: Extract<AnnotationBody, { text: string }>): string {
  const { startFrame = 0, endFrame = 0 } = 'span' in body ? (body.span ?? {}) : {}
  return `${body.kind} ${startFrame} ${endFrame} ${body.text.trim()}`
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
