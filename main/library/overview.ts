/** The library as a whole: facts for charts, and the map of its clips. */
import type { DatabaseSync } from 'node:sqlite'
import type { ClipMap } from '../../app/contract/overview.ts'
import type { ReviewState } from '../../app/annotation.ts'
import type { Problem } from '../../app/errors.ts'
import type { ClipFact, Facts } from '../../app/overview.ts'
import { reviewOf, standingOf } from '../../app/review.ts'
import { Channel, thread } from '../channel.ts'
import { TRACKS_IN_CLIPS } from './reach.ts'
import { ANALYSED, REVIEWED, UNSURE_NAME } from './rows.ts'
import type { MapService } from './map-worker.ts'

interface Drawn {
  digest: string
  clipIds: number[]
  x: number[]
  y: number[]
}

/** Nobody sees this: a map that fails is just not shown. */
const STOPPED: Problem = { code: 'internal', message: 'The map stopped unexpectedly.' }

export class Overview {
  readonly #projectDir: string
  readonly #db: DatabaseSync
  #drawn: Drawn | null = null
  #drawing: { worker: Channel<MapService>; progress: number } | null = null
  /** The set of encodings for which making a map failed; it is not tried again until the set changes. */
  #failed = ''

  constructor(projectDir: string, db: DatabaseSync) {
    this.#projectDir = projectDir
    this.#db = db
  }

  async close(): Promise<void> {
    await this.#drawing?.worker.close()
  }

  facts(): Facts {
    const tracksBy = { sure: new Map<number, Record<string, number>>(), unsure: new Map<number, Record<string, number>>() }
    for (const row of this.#db
      .prepare(`SELECT clip_id, label, state, unsure, count(*) AS n FROM (${TRACKS_IN_CLIPS}) GROUP BY 1, 2, 3, 4`)
      .all()) {
      const clipId = Number(row['clip_id'])
      const by = tracksBy[standingOf(row['state'] as ReviewState, row['unsure'] === 1) === 'unsure' ? 'unsure' : 'sure']
      const [label, before] = [String(row['label']), by.get(clipId)]
      by.set(clipId, { ...before, [label]: (before?.[label] ?? 0) + Number(row['n']) })
    }
    const reviews = new Map(
      this.#db
        .prepare(
          `SELECT a.clip_id, total(a.state <> 'machine') AS decided, count(*) AS n FROM annotations a WHERE ${REVIEWED} GROUP BY a.clip_id`,
        )
        .all()
        .map((row) => [Number(row['clip_id']), [Number(row['decided']), Number(row['n'])] as const]),
    )
    const reviewAt = (clipId: number, analysed: boolean) => reviewOf(...(reviews.get(clipId) ?? ([0, 0] as const)), analysed)
    const clips = this.#db
      .prepare(
        `SELECT c.id, c.source_id, c.start, c."end", a.shown AS caption, a.state, a.confidence, a.unsure, ${ANALYSED} AS analysed
         FROM clips c LEFT JOIN annotations a ON a.clip_id = c.id AND a.kind = 'caption' AND a.topic = '' ORDER BY c.source_id, c.start_frame`,
      )
      .all()
      .map(
        (row): ClipFact => ({
          id: Number(row['id']),
          sourceId: Number(row['source_id']),
          start: Number(row['start']),
          end: Number(row['end']),
          caption: row['caption'] === null ? null : String(row['caption']),
          state: row['state'] as ClipFact['state'],
          // How sure the machine was says nothing of what a person wrote, or of what is wrong.
          confidence:
            row['confidence'] === null || row['state'] === 'edited' || row['state'] === 'rejected' ? null : Number(row['confidence']),
          labels: tracksBy.sure.get(Number(row['id'])) ?? {},
          perhaps: tracksBy.unsure.get(Number(row['id'])) ?? {},
          unsure: row['state'] !== null && standingOf(row['state'] as ReviewState, row['unsure'] === 1) === 'unsure',
          review: reviewAt(Number(row['id']), row['analysed'] === 1),
        }),
      )
    const answers = this.#db
      .prepare(
        `SELECT clip_id, json_extract(coalesce(human, machine), '$.question') AS question, shown AS text, confidence, state, unsure
         FROM annotations WHERE kind = 'answer' AND state <> 'rejected' ORDER BY id`,
      )
      .all()
      .map((row) => ({
        clipId: Number(row['clip_id']),
        question: String(row['question']),
        text: String(row['text']),
        confidence: row['confidence'] === null || row['state'] === 'edited' ? null : Number(row['confidence']),
        unsure: standingOf(row['state'] as ReviewState, row['unsure'] === 1) === 'unsure',
      }))
    const tracks = this.#db
      .prepare(
        `SELECT a.clip_id, coalesce(a.confidence, c.score) AS confidence FROM annotations a JOIN candidates c ON c.id = a.candidate WHERE a.kind = 'track' AND a.state <> 'rejected'`,
      )
      .all()
      .map((row) => ({ clipId: Number(row['clip_id']), confidence: Number(row['confidence']) }))
    return { clips, answers, tracks }
  }

  /** Labels of tracks that were not rejected, by number of clips; first those with at least one sure track. */
  trackLabels(): { word: string; clips: number; unsure: boolean }[] {
    return this.#db
      .prepare(
        `SELECT t.label, count(DISTINCT t.clip_id) AS clips, ${UNSURE_NAME} AS unsure FROM (${TRACKS_IN_CLIPS}) t GROUP BY t.label ORDER BY unsure, clips DESC, t.label`,
      )
      .all()
      .map((row) => ({ word: String(row['label']), clips: Number(row['clips']), unsure: row['unsure'] === 1 }))
  }

  /** The newest map; if clips were added or removed since, a worker is making another one. */
  map(digest: string): ClipMap {
    const ids = this.#db
      .prepare('SELECT clip_id FROM encodings WHERE pack_digest = ? ORDER BY clip_id')
      .all(digest)
      .map((row) => Number(row['clip_id']))
    const drawn = this.#drawn?.digest === digest ? this.#drawn : null
    const wanted = `${digest} ${ids.join()}`
    const current = drawn !== null && drawn.clipIds.length === ids.length && drawn.clipIds.every((id, at) => id === ids[at])
    if (!current && this.#drawing === null && this.#failed !== wanted && ids.length > 0) void this.#draw(digest, wanted)
    const there = new Set(ids)
    const kept = (drawn?.clipIds ?? []).flatMap((id, at) => (there.has(id) ? [at] : []))
    return {
      clipIds: kept.map((at) => drawn?.clipIds[at] ?? 0),
      x: kept.map((at) => drawn?.x[at] ?? 0),
      y: kept.map((at) => drawn?.y[at] ?? 0),
      building: this.#drawing?.progress ?? null,
    }
  }

  async #draw(digest: string, wanted: string): Promise<void> {
    await using worker = new Channel<MapService>(() => thread(import.meta.url, 'map-worker'), STOPPED)
    const drawing = { worker, progress: 0 }
    this.#drawing = drawing
    try {
      const map = await worker.call(
        'draw',
        { projectDir: this.#projectDir, digest },
        { onNote: (progress) => (drawing.progress = progress) },
      )
      this.#drawn = { digest, ...map }
    } catch {
      this.#failed = wanted
    } finally {
      this.#drawing = null
    }
  }
}
