/** Films as the formats take them, read from the library one annotation at a time while they are written. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { inflateSync } from 'node:zlib'
import { Annotation } from '../../app/annotation.ts'
import { type Category, DocumentClip, DocumentSource, type Film } from '../../app/formats/document.ts'
import { SURE } from '../../app/facts/reliability.ts'
import { absence } from '../../app/facts/scene.ts'
import { inScope, type Scope } from '../../app/formats/scope.ts'
import { namesOf } from '../../app/naming.ts'
import { labelNamed, phrasesOf } from '../../app/vocabulary.ts'
import { classesOf } from '../../app/words.ts'
import { lookedFor } from '../library/detections.ts'
import { storedVocabulary } from '../library/spelling.ts'
import { currentPacks } from '../library/packs.ts'
import { Seen } from '../library/seen.ts'

export interface FilmPlan {
  sourceId: number
  title: string
}

/** Options that all films of one export share. */
export interface FilmOptions {
  scope: Scope
  /** Only these clips; null for all. */
  clipIds: ReadonlySet<number> | null
  categories: readonly Category[]
  /** Labels that a person says were looked for everywhere; null for those that the detector looked for. */
  lookedFor: readonly string[] | null
  appVersion: string
}

/** Frame times of one source at a time: an export may hold thousands of sources. */
export type Times = (sourceId: number) => Float64Array

export function timesOf(db: DatabaseSync): Times {
  let held: { sourceId: number; pts: Float64Array } | null = null
  return (sourceId) => {
    if (held?.sourceId !== sourceId)
      held = { sourceId, pts: ptsOf(db.prepare('SELECT pts FROM sources WHERE id = ?').get(sourceId)?.['pts']) }
    return held.pts
  }
}

/**
 * People's tracks, notes and captions of parts belong to the video: one that reaches into a chosen clip is written whole, and only once, with the first
 * such clip.
 *
 * @param onAnnotation Called for each annotation that is read, whether it is written or not.
 */
export function filmOf(
  db: DatabaseSync,
  times: Times,
  { sourceId, title }: FilmPlan,
  options: FilmOptions,
  onAnnotation: () => void,
): Film {
  const row = db.prepare('SELECT id, path, name, fingerprint, numbered, probe, state FROM sources WHERE id = ?').get(sourceId)
  if (row === undefined) throw new RangeError(`source ${sourceId} is gone`)
  const all = clipsOf(db, sourceId)
  const clips = all.filter(({ id }) => options.clipIds?.has(id) ?? true)
  const chosen = JSON.stringify(clips.map(({ id }) => id))
  return {
    source: DocumentSource.parse({
      id: row['id'],
      path: row['path'],
      name: row['name'],
      fingerprint: row['fingerprint'],
      probe: parsed(row['probe']),
      numbered: parsed(row['numbered']),
    }),
    title,
    get pts() {
      return times(sourceId)
    },
    clips,
    *of(clip, kinds, withRejected = false) {
      // Prepared each time: one statement can be read by one reader at a time.
      const own = db.prepare(
        `SELECT ${COLUMNS} FROM annotations WHERE clip_id = ? AND kind IN (SELECT value FROM json_each(?)) ORDER BY id`,
      )
      for (const one of own.iterate(clip.id, JSON.stringify(kinds))) {
        onAnnotation()
        const annotation = annotationOf(one)
        if (inScope(options.scope, annotation, withRejected)) yield annotation
      }
      if (clips.length === all.length) return
      const reaching = db.prepare(REACHING)
      for (const { from, to, ...one } of reaching.iterate(sourceId, chosen, JSON.stringify(kinds), clip.endFrame, clip.startFrame)) {
        const first = clips.find(({ startFrame, endFrame }) => startFrame < Number(to) && Number(from) < endFrame)
        if (first?.id !== clip.id) continue
        onAnnotation()
        const annotation = annotationOf(one)
        if (inScope(options.scope, annotation, withRejected)) yield annotation
      }
    },
    categories: options.categories,
    lookedFor: options.lookedFor ?? looked(db, sourceId, clips, options),
    // What a person says was looked for everywhere has a box wherever it is.
    isAbsent: options.lookedFor === null ? absentIn(db, sourceId) : () => true,
    partial: row['state'] === 'partial',
    appVersion: options.appVersion,
  }
}

const COLUMNS = 'id, clip_id, human, machine, state, evidence, provenance, origin, by, decided_at, updated_at'
/** Human annotations in clips that are not chosen, of the kinds that may cross clip borders, with their frames. */
export const REACHING = `
  SELECT * FROM (
    SELECT ${COLUMNS},
      iif(kind = 'track', json_extract(human, '$.boxes[0].ordinal'), json_extract(human, '$.span.startFrame')) AS "from",
      iif(kind = 'track', json_extract(human, '$.boxes[#-1].ordinal') + 1, json_extract(human, '$.span.endFrame')) AS "to"
    FROM annotations
    WHERE clip_id IN (SELECT id FROM clips WHERE source_id = ? AND id NOT IN (SELECT value FROM json_each(?)))
      AND kind IN (SELECT value FROM json_each(?)) AND kind IN ('track', 'note', 'segment') AND human IS NOT NULL
  ) WHERE "from" < ? AND "to" > ? ORDER BY id`

export function annotationsIn(db: DatabaseSync, sourceId: number): number {
  return Number(
    db.prepare('SELECT count(*) AS n FROM annotations WHERE clip_id IN (SELECT id FROM clips WHERE source_id = ?)').get(sourceId)?.['n'],
  )
}

function clipsOf(db: DatabaseSync, sourceId: number): DocumentClip[] {
  return db
    .prepare('SELECT * FROM clips WHERE source_id = ? ORDER BY start_frame, id')
    .all(sourceId)
    .map((row) =>
      DocumentClip.parse({
        id: row['id'],
        index: row['idx'],
        kind: row['kind'],
        start: row['start'],
        end: row['end'],
        startFrame: row['start_frame'],
        endFrame: row['end_frame'],
      }),
    )
}

/** Labels that the detector looked for in every clip; none if only a part of its detections is written. */
function looked(db: DatabaseSync, sourceId: number, clips: readonly DocumentClip[], { scope, categories }: FilmOptions): string[] {
  const { boxes } = currentPacks(db)
  if (!boxes || clips.length === 0 || scope.by !== undefined || scope.states !== undefined) return []
  const vocabulary = storedVocabulary(db)
  const wanted = categories.filter(({ name }) => scope.labels?.some((label) => label.toLowerCase() === name.toLowerCase()) ?? true)
  const ids = JSON.stringify(clips.map(({ id }) => id))
  const { names } = boxes
  if (names === undefined) {
    const seen = db
      .prepare(
        'SELECT count(*) AS n FROM encodings WHERE pack_digest = ? AND looked_for = ? AND clip_id IN (SELECT value FROM json_each(?))',
      )
      .get(boxes.digest, lookedFor(vocabulary), ids)
    return Number(seen?.['n']) === clips.length ? wanted.filter(({ name }) => labelNamed(vocabulary, name)).map(({ name }) => name) : []
  }
  const seen = db
    .prepare(
      'SELECT count(*) AS n FROM seen s JOIN clips c ON c.id = s.clip_id WHERE c.source_id = ? AND s.by = ? AND s.clip_id IN (SELECT value FROM json_each(?))',
    )
    .get(sourceId, boxes.digest, ids)
  if (Number(seen?.['n']) !== clips.length) return []
  return wanted.flatMap(({ name }) =>
    namesOf(phrasesOf(labelNamed(vocabulary, name) ?? { name, synonyms: [] }), names).length > 0 ? [name] : [],
  )
}

/** The frames of a clip on which the pack that finds boxes now has looked. */
export function framesLookedAt(db: DatabaseSync): (clip: DocumentClip) => readonly number[] {
  const { boxes } = currentPacks(db)
  const seen = new Seen(db)
  return ({ id }) => (!boxes ? [] : (seen.spotted(id, boxes.digest) ?? []).map(({ ordinal }) => ordinal))
}

/**
 * Whether it is sure that a label is nowhere in a clip: as sure as the answer "no" to whether there is one. Of a detector whose list is open
 * nothing weaker is kept than its tracks, and what it has none of is absent.
 */
function absentIn(db: DatabaseSync, sourceId: number): Film['isAbsent'] {
  const vocabulary = storedVocabulary(db)
  const { boxes } = currentPacks(db)
  const probe = DocumentSource.shape.probe.parse(parsed(db.prepare('SELECT probe FROM sources WHERE id = ?').get(sourceId)?.['probe']))
  const names = boxes?.names
  if (!boxes || names === undefined) return () => true
  const seen = new Seen(db)
  let last: { clip: number; looked: number; weak: Map<string, number> } | null = null
  const weakIn = (clip: number) => {
    if (last?.clip === clip) return last
    const frames = seen.spotted(clip, boxes.digest) ?? []
    const weak = new Map<string, number>()
    for (const frame of frames) for (const { name, score } of frame.seen ?? []) weak.set(name, Math.max(weak.get(name) ?? 0, score))
    return (last = { clip, looked: frames.length, weak })
  }
  return ({ id }, label) => {
    const phrases = phrasesOf(labelNamed(vocabulary, label) ?? { name: label, synonyms: [] })
    const { looked, weak } = weakIn(id)
    const doubt = Math.max(0, ...namesOf(phrases, names).map((name) => weak.get(name) ?? 0))
    const narrower = phrases.some((phrase) => classesOf(phrase, names)?.narrower === true)
    return absence({ looked, doubt, frame: probe, narrower }) >= SURE
  }
}

/** Decode the stored form: differences from frame to frame. */
function ptsOf(blob: SQLOutputValue | undefined): Float64Array {
  if (!(blob instanceof Uint8Array)) return new Float64Array(0)
  const pts = new Float64Array(new Uint8Array(inflateSync(blob)).buffer)
  for (let at = 1; at < pts.length; at += 1) pts[at] = (pts[at] ?? 0) + (pts[at - 1] ?? 0)
  return pts
}

function annotationOf(row: Record<string, SQLOutputValue>): Annotation {
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
