/**
 * What detectors found in clips, down to the pack's floor, and the vocabulary that makes tracks of it.
 *
 * Three layers: `detections` holds the possible boxes for each clip, pack and set of phrases, so that the detector never looks twice for
 * the same label; `candidates` holds the tracks that all labels of the vocabulary together give, with their scores; the machine's
 * tracks among the annotations are those candidates that reach their label's threshold. Moving a threshold therefore needs no detector.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { TrackBody } from '../../app/annotation.ts'
import type { LookedBy } from '../../app/contract/labels.ts'
import type { Detection } from '../../app/detections.ts'
import { namesAsked } from '../../app/facts/asked.ts'
import { type Candidate, DEFAULT_THRESHOLD } from '../../app/tracks.ts'
import { type ShownAs, shownAs } from '../../app/naming.ts'
import { type Label, phrasesOf, tidy, type Vocabulary } from '../../app/vocabulary.ts'
import type { EngineInfo } from '../engine/engine.ts'
import { type Annotations, type MachineResult } from './annotations.ts'
import { questionsAsked, questionsOf, STANDING_ANSWER } from './asked.ts'
import { writeSetting } from './settings.ts'
import { respell, storedVocabulary } from './spelling.ts'

/** All stored detections of a clip in a library's file, by the keys of their labels. */
export function detectionsIn(db: DatabaseSync, clipId: number, digest: string): Map<string, Detection[]> {
  const rows = db.prepare('SELECT phrases, found FROM detections WHERE clip_id = ? AND pack_digest = ?').all(clipId, digest)
  return new Map(rows.flatMap(({ phrases, found }) => (found instanceof Uint8Array ? [[String(phrases), unpacked(found)] as const] : [])))
}

/** What a detector found in one clip. */
export interface Seen {
  /** The vocabulary's phrases at that time, as `lookedFor` gives them. */
  lookedFor: string
  /** New detections by the key of their label. */
  fresh: ReadonlyMap<string, readonly Detection[]>
  candidates: readonly (Candidate & Pick<MachineResult, 'provenance'>)[]
}

/** The pack that found candidates. */
export type Shower = Pick<EngineInfo, 'digest' | 'manifest'>

/** Histogram of the scores of one label's tracks in the library: entry n counts scores in [n/1000, (n+1)/1000). */
export interface ScoreCounts {
  tracks: number[]
  boxes: number[]
  /** The same for clips, by the score of their best track. */
  clips: number[]
}

/** SQL for candidate `c`: whether a question about its clip asks for its name. */
const ASKED = `EXISTS (SELECT 1 FROM json_each(:questions) w CROSS JOIN annotations a WHERE w.value ->> '$.name' = c.label
  AND a.topic = w.value ->> '$.topic' AND a.clip_id = c.clip_id AND ${STANDING_ANSWER})`
/** SQL for candidate `c`, shown as `t`: whether it counts. */
const COUNTS = `(c.score >= t.value ->> '$.threshold' OR (NOT t.value ->> '$.asked' AND c.score >= :asked AND ${ASKED}))`

const FIELDS = 7
const BINS = 1000

export class Detections {
  readonly #db: DatabaseSync
  readonly #atomic: <T>(work: () => T) => T
  readonly #annotations: Annotations

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T, annotations: Annotations) {
    this.#db = db
    this.#atomic = atomic
    this.#annotations = annotations
  }

  vocabulary(): Vocabulary {
    return storedVocabulary(this.#db)
  }

  /**
   * Only stores the vocabulary. `apply`, and running the detector again on `stale` clips, turn it into tracks.
   * @returns Clips with tracks of people that are written as it writes them from now on.
   */
  setVocabulary(vocabulary: readonly Label[]): number[] {
    const kept = tidy(vocabulary)
    writeSetting(this.#db, 'vocabulary', kept)
    return respell(this.#db, kept)
  }

  /** Clips whose candidates were made with another vocabulary. */
  stale(digest: string): number[] {
    return this.#db
      .prepare(
        `SELECT clip_id FROM encodings WHERE pack_digest = ?1 AND looked_for IS NOT ?2
         UNION SELECT clip_id FROM seen WHERE by = ?1 AND looked_for <> ?2 ORDER BY clip_id`,
      )
      .all(digest, lookedFor(this.vocabulary()))
      .map((row) => Number(row['clip_id']))
  }

  /** Stored detections of a clip for those of `labels` that were looked for before, by the labels' keys. */
  stored(clipId: number, digest: string, labels: readonly Label[]): Map<string, Detection[]> {
    const select = this.#db.prepare('SELECT found FROM detections WHERE clip_id = ? AND pack_digest = ? AND phrases = ?')
    return new Map(
      labels.flatMap((label) => {
        const found = select.get(clipId, digest, keyOf(label))?.['found']
        return found instanceof Uint8Array ? [[keyOf(label), unpacked(found)] as const] : []
      }),
    )
  }

  /** Store what was detected in an encoded clip, and show the tracks that reach their threshold. */
  save(clipId: number, info: Shower, { lookedFor: what, fresh, candidates }: Seen): void {
    const { digest } = info
    this.#atomic(() => {
      const insert = this.#db.prepare('INSERT OR REPLACE INTO detections (clip_id, pack_digest, phrases, found) VALUES (?, ?, ?, ?)')
      for (const [key, detections] of fresh) insert.run(clipId, digest, key, packed(detections))
      this.#replace(clipId, digest, candidates)
      this.#db.prepare('UPDATE encodings SET looked_for = ? WHERE clip_id = ? AND pack_digest = ?').run(what, clipId, digest)
      this.#show(clipId, digest, this.#shown(info, clipId))
    })
  }

  /**
   * Store the tracks of a clip from a detector with a closed list, and show those that reach their threshold.
   * @returns False if they are the same as before.
   */
  saveTracks(clipId: number, info: Shower, candidates: Seen['candidates']): boolean {
    return this.#atomic(() => {
      if (!this.#replace(clipId, info.digest, candidates)) return false
      this.#show(clipId, info.digest, this.#shown(info, clipId))
      return true
    })
  }

  /** @returns False if they are the same as before. */
  #replace(clipId: number, digest: string, candidates: Seen['candidates']): boolean {
    const before = this.#db
      .prepare('SELECT score, body FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
      .all(clipId, digest)
    const same =
      before.length === candidates.length &&
      candidates.every(({ score, body }, i) => before[i]?.['score'] === score && before[i]['body'] === JSON.stringify(body))
    if (same && candidates.length > 0) return false
    this.#db.prepare('DELETE FROM candidates WHERE clip_id = ? AND pack_digest = ?').run(clipId, digest)
    const add = this.#db.prepare(
      'INSERT INTO candidates (clip_id, pack_digest, label, score, boxes, body, provenance) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    for (const { body, score, provenance } of candidates)
      add.run(clipId, digest, body.label, score, body.boxes.length, JSON.stringify(body), JSON.stringify(provenance))
    return true
  }

  /** For each name that a pack gives tracks: the label it is shown as, and the score from which it counts. @param clipId With what was asked about it. */
  #shown({ manifest }: Shower, clipId?: number): Map<string, ShownAs> {
    const vocabulary = this.vocabulary()
    if (manifest.family !== 'detector')
      return new Map(vocabulary.map(({ name, threshold }) => [name, { label: name, threshold, asked: true }]))
    return clipId === undefined ? shownAs(manifest, vocabulary) : this.#shownIn(clipId, manifest.classes)
  }

  /** @param classes Of a detector with a closed list. */
  #shownIn(clipId: number, classes: readonly string[]): Map<string, ShownAs> {
    const names = questionsOf(this.#db, clipId).flatMap((question) => namesAsked(question, classes))
    return shownAs({ classes: [...classes] }, this.vocabulary(), names)
  }

  /**
   * Show in a clip what a question about it has just asked for, as the answer counts it.
   * @param boxes The detector in use. @returns Whether anything may be stated otherwise now.
   */
  showAsked(clipId: number, { digest, names }: { digest: string; names: readonly string[] }): boolean {
    const asked = questionsOf(this.#db, clipId).flatMap((question) => namesAsked(question, names))
    const other = this.#db.prepare(
      `SELECT 1 FROM candidates c LEFT JOIN annotations a ON a.candidate = c.id WHERE c.clip_id = ? AND c.pack_digest = ? AND c.score >= ?
         AND c.label IN (SELECT value FROM json_each(?)) AND (a.id IS NULL OR (a.state = 'machine' AND NOT coalesce(a.evidence ->> '$.asked', 0))) LIMIT 1`,
    )
    if (other.get(clipId, digest, DEFAULT_THRESHOLD, JSON.stringify(asked)) === undefined) return false
    this.#atomic(() => this.#show(clipId, digest, this.#shownIn(clipId, names)))
    return true
  }

  /** Show in a clip what its questions ask for now, after one was taken back or came back. @param boxes The detector in use. */
  showAgain(clipId: number, { digest, names }: { digest: string; names: readonly string[] }): void {
    // Tracks of another detector stay until this one has looked.
    if (this.#db.prepare('SELECT 1 FROM seen WHERE clip_id = ? AND by = ? LIMIT 1').get(clipId, digest) === undefined) return
    this.#atomic(() => this.#show(clipId, digest, this.#shownIn(clipId, names)))
  }

  /** Every candidate of a clip, including those below their label's threshold. */
  candidates(clipId: number, digest: string): Candidate[] {
    return this.#db
      .prepare('SELECT score, body FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
      .all(clipId, digest)
      .map((row) => ({ score: Number(row['score']), body: JSON.parse(String(row['body'])) as TrackBody }))
  }

  /**
   * Set the machine's tracks of all clips to those candidates that now reach their label's threshold. Tracks that stay keep their id.
   * @returns The clips that changed, and those with tracks whose name was added to or removed from the vocabulary, which changes how sure they are.
   */
  apply(info: Shower): number[] {
    const { digest } = info
    return this.#atomic(() => {
      const shown = JSON.stringify(Object.fromEntries(this.#shown(info)))
      const { manifest } = info
      const questions = JSON.stringify(
        manifest.family === 'detector'
          ? questionsAsked(this.#db).flatMap(({ topic, question }) =>
              namesAsked(question, manifest.classes).map((name) => ({ topic, name })),
            )
          : [],
      )
      const only = { digest, shown, questions, asked: DEFAULT_THRESHOLD }
      const gone = this.#db
        .prepare(
          `DELETE FROM annotations WHERE kind = 'track' AND state = 'machine'
             AND (EXISTS (SELECT 1 FROM encodings e WHERE e.clip_id = annotations.clip_id AND e.pack_digest = :digest AND e.looked_for IS NOT NULL)
               OR EXISTS (SELECT 1 FROM seen s WHERE s.clip_id = annotations.clip_id AND s.by = :digest))
             AND NOT EXISTS (SELECT 1 FROM candidates c JOIN json_each(:shown) t ON t.key = c.label WHERE c.id = annotations.candidate AND c.pack_digest = :digest
               AND ${COUNTS} AND annotations.label = t.value ->> '$.label')
           RETURNING clip_id`,
        )
        .all(only)
      const come = this.#db
        .prepare(
          `INSERT INTO annotations (clip_id, kind, topic, machine, provenance, state, updated_at, candidate)
           SELECT c.clip_id, 'track', '', json_set(c.body, '$.label', t.value ->> '$.label'), c.provenance, 'machine', :now, c.id FROM candidates c JOIN json_each(:shown) t ON t.key = c.label
           WHERE c.pack_digest = :digest AND ${COUNTS} AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.candidate = c.id)
           RETURNING clip_id`,
        )
        .all({ ...only, now: new Date().toISOString() })
      const asked = this.#db
        .prepare(
          `SELECT DISTINCT a.clip_id FROM annotations a JOIN candidates c ON c.id = a.candidate JOIN json_each(:shown) t ON t.key = c.label
           WHERE a.kind = 'track' AND a.state = 'machine' AND c.pack_digest = :digest AND a.evidence ->> '$.asked' <> (t.value ->> '$.asked' OR ${ASKED})`,
        )
        .all({ digest, shown, questions })
      const changed = new Set([...gone, ...come, ...asked].map((row) => Number(row['clip_id'])))
      // In clips where a person decided something, each track is compared with that.
      const decided = this.#db
        .prepare(`SELECT DISTINCT clip_id FROM annotations WHERE kind = 'track' AND state <> 'machine'`)
        .all()
        .map((row) => Number(row['clip_id']))
      for (const clipId of decided) if (changed.has(clipId)) this.#show(clipId, digest, this.#shown(info, clipId))
      return [...changed]
    })
  }

  #show(clipId: number, digest: string, shown: ReadonlyMap<string, ShownAs>): void {
    const rows = this.#db
      .prepare('SELECT id, label, score, body, provenance FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
      .all(clipId, digest)
    const counting = rows.flatMap((row) => {
      const as = shown.get(String(row['label']))
      return as && Number(row['score']) >= as.threshold ? [{ row, label: as.label }] : []
    })
    this.#annotations.saveMachine(
      clipId,
      'track',
      counting.map(({ row, label }) => ({
        body: { ...(JSON.parse(String(row['body'])) as TrackBody), label },
        evidence: null,
        provenance: JSON.parse(String(row['provenance'])) as MachineResult['provenance'],
        candidate: Number(row['id']),
      })),
    )
  }

  /** @param names The names that the pack gives to what the label means. */
  scores(digest: string, names: readonly string[]): ScoreCounts {
    const bins = (rows: { [key: string]: unknown }[], of: string) => {
      const counts = new Array<number>(BINS).fill(0)
      for (const row of rows) counts[Math.min(BINS - 1, Number(row['bin']))] = Number(row[of])
      return counts
    }
    // The last bin also holds 1.0, the highest score.
    const bin = `min(${BINS - 1}, CAST(score * ${BINS} + 1e-9 AS INTEGER))`
    const tracks = this.#db
      .prepare(
        `SELECT ${bin} AS bin, count(*) AS tracks, total(boxes) AS boxes FROM candidates WHERE pack_digest = ? AND label IN (SELECT value FROM json_each(?)) GROUP BY 1`,
      )
      .all(digest, JSON.stringify(names))
    const clips = this.#db
      .prepare(
        `SELECT bin, count(*) AS clips FROM (SELECT max(${bin}) AS bin FROM candidates WHERE pack_digest = ? AND label IN (SELECT value FROM json_each(?)) GROUP BY clip_id) GROUP BY bin`,
      )
      .all(digest, JSON.stringify(names))
    return { tracks: bins(tracks, 'tracks'), boxes: bins(tracks, 'boxes'), clips: bins(clips, 'clips') }
  }

  /** Clips with tracks of a label, with the score of their best track, surest first. */
  clips(digest: string, names: readonly string[], limit: number): { clipId: number; score: number }[] {
    return this.#db
      .prepare(
        'SELECT clip_id, max(score) AS score FROM candidates WHERE pack_digest = ? AND label IN (SELECT value FROM json_each(?)) GROUP BY clip_id ORDER BY score DESC, clip_id LIMIT ?',
      )
      .all(digest, JSON.stringify(names), limit)
      .map((row) => ({ clipId: Number(row['clip_id']), score: Number(row['score']) }))
  }

  /** The packs that have looked at a clip: those that encoded it, with whether they looked for the current vocabulary, and detectors that found something. */
  packs(clipId: number): LookedBy[] {
    const now = lookedFor(this.vocabulary())
    return this.#db
      .prepare(`
        SELECT of.digest, e.id, e.looked_for, e.caption,
          coalesce(e.caption ->> '$.provenance.packId' || ' ' || (e.caption ->> '$.provenance.packVersion'), (SELECT provenance ->> '$.packId' || ' ' || (provenance ->> '$.packVersion') FROM candidates WHERE pack_digest = of.digest LIMIT 1), substr(of.digest, 1, 8)) AS name
        FROM (SELECT pack_digest AS digest FROM encodings WHERE clip_id = ?1 UNION SELECT pack_digest FROM candidates WHERE clip_id = ?1) of
        LEFT JOIN encodings e ON e.clip_id = ?1 AND e.pack_digest = of.digest ORDER BY e.id IS NULL, e.id
      `)
      .all(clipId)
      .map((row) => ({
        digest: String(row['digest']),
        name: String(row['name']),
        current: row['id'] === null || row['looked_for'] === now,
        caption: captionIn(row['caption']),
      }))
  }

  /** The ids of a label's tracks that a person accepted, drew or changed: no threshold and no new analysis removes them. */
  decided(label: string): number[] {
    return this.#db
      .prepare(
        `SELECT id FROM annotations WHERE kind = 'track' AND topic = '' AND state IN ('accepted', 'edited') AND lower(label) = lower(?) ORDER BY id`,
      )
      .all(label)
      .map(({ id }) => Number(id))
  }
}

/** The caption in the result that is stored with an encoding. */
function captionIn(stored: unknown): LookedBy['caption'] {
  if (typeof stored !== 'string') return null
  const { body, evidence } = JSON.parse(stored) as MachineResult
  return body.kind === 'caption' ? { text: body.text, confidence: evidence?.confidence ?? null, unsure: evidence?.unsure ?? false } : null
}

/** The labels to look for as one text, without colours and thresholds; candidates made for a different text are stale. */
export function lookedFor(vocabulary: readonly Label[]): string {
  return JSON.stringify(vocabulary.map(phrasesOf))
}

/** The key of a label's detections: labels with the same phrases share them. */
export function keyOf(label: Label): string {
  return JSON.stringify(phrasesOf(label))
}

/** Detections as bytes, seven numbers each: query, frame, centre (x, y), size (w, h), score. */
function packed(detections: readonly Detection[]): Uint8Array {
  const numbers = new Float32Array(detections.flatMap(({ query, frame, cx, cy, w, h, score }) => [query, frame, cx, cy, w, h, score]))
  return new Uint8Array(numbers.buffer)
}

function unpacked(blob: Uint8Array): Detection[] {
  const numbers = new Float32Array(new Uint8Array(blob).buffer)
  return Array.from({ length: numbers.length / FIELDS }, (_, at) => {
    const [query = 0, frame = 0, cx = 0, cy = 0, w = 0, h = 0, score = 0] = numbers.subarray(at * FIELDS, (at + 1) * FIELDS)
    return { query, frame, cx, cy, w, h, score }
  })
}
