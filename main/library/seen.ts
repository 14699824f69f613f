/** What detectors and readers found in clips, and what was measured of their frames: stored so that new labels and facts need no second analysis. */
import type { DatabaseSync } from 'node:sqlite'
import { deflateSync, inflateSync } from 'node:zlib'
import type { EdgeSample } from '../../app/facts/input.ts'
import type { FrameRef } from '../../app/media.ts'
import type { Line } from '../../app/text-lines.ts'
import type { Spotted } from '../engine/engine.ts'
import type { Measured } from '../media/measure.ts'

/** One frame that a pack was shown; `seen` is null if it looked like the one before and was skipped. */
export type SeenFrame<T> = FrameRef & { seen: T[] | null }
export type MeasuredClip = Measured & {
  /** Whether a shot begins with this clip. */
  cut: boolean
  edges?: EdgeSample[]
}

/** The digest, of no pack, under which measurements are stored. */
const MEASURED = ''

export class Seen {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  saveFrames<T extends Spotted | Line>(clipId: number, digest: string, frames: readonly SeenFrame<T>[]): void {
    this.#save(clipId, digest, frames)
  }

  /** What a detector of any words found for the labels that were looked for then. */
  saveSpotted(clipId: number, digest: string, frames: readonly SeenFrame<Spotted>[], lookedFor: string): void {
    this.#save(clipId, digest, frames)
    this.#db.prepare('UPDATE seen SET looked_for = ? WHERE clip_id = ? AND by = ?').run(lookedFor, clipId, digest)
  }

  /** What such a detector keeps of the pictures of a clip, by the frames' ordinals. */
  saveCells(clipId: number, digest: string, frames: readonly SeenFrame<Uint16Array>[]): void {
    this.#db.prepare('DELETE FROM cells WHERE clip_id = ? AND by = ?').run(clipId, digest)
    const add = this.#db.prepare('INSERT INTO cells (clip_id, by, ordinal, body) SELECT id, ?, ?, ? FROM clips WHERE id = ?')
    for (const { ordinal, seen } of frames)
      for (const bits of seen ?? []) add.run(digest, ordinal, new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength), clipId)
  }

  cells(clipId: number, digest: string): Map<number, Uint16Array> {
    const rows = this.#db.prepare('SELECT ordinal, body FROM cells WHERE clip_id = ? AND by = ?').all(clipId, digest)
    return new Map(rows.flatMap(({ ordinal, body }) => (body instanceof Uint8Array ? [[Number(ordinal), halves(body)] as const] : [])))
  }

  /** Those of a frame that was seen as a part of any clip; null if it was not. */
  cellsAt(sourceId: number, digest: string, ordinal: number): Uint16Array | null {
    const body = this.#db
      .prepare('SELECT k.body FROM cells k JOIN clips c ON c.id = k.clip_id WHERE c.source_id = ? AND k.by = ? AND k.ordinal = ?')
      .get(sourceId, digest, ordinal)?.['body']
    return body instanceof Uint8Array ? halves(body) : null
  }

  /** A row as it is stored in another library. */
  saveStored(clipId: number, by: string, body: Uint8Array, lookedFor: string | null): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO seen (clip_id, by, body, looked_for) SELECT id, ?, ?, ? FROM clips WHERE id = ?')
      .run(by, body, lookedFor, clipId)
  }

  saveMeasured(clipId: number, measured: MeasuredClip): void {
    this.#save(clipId, MEASURED, measured)
  }

  /** What a detector found; null if it has not seen the clip. */
  spotted(clipId: number, digest: string): SeenFrame<Spotted>[] | null {
    return this.#load(clipId, digest) as SeenFrame<Spotted>[] | null
  }

  /** What a reader read; null if it has not seen the clip. */
  lines(clipId: number, digest: string): SeenFrame<Line>[] | null {
    return this.#load(clipId, digest) as SeenFrame<Line>[] | null
  }

  measured(clipId: number): MeasuredClip | null {
    return this.#load(clipId, MEASURED) as MeasuredClip | null
  }

  /** The colours of a source's edge, as far as it was analysed. */
  edgesOf(sourceId: number): EdgeSample[] {
    return this.#db
      .prepare(
        `SELECT s.body FROM seen s JOIN clips c ON c.id = s.clip_id WHERE s.by = ? AND c.source_id = ? AND c.kind NOT IN ('marked', 'beginning') ORDER BY c.start`,
      )
      .all(MEASURED, sourceId)
      .flatMap(({ body }) => (unpacked(body) as MeasuredClip).edges ?? [])
  }

  /** Every frame of a source that a pack was shown, by ordinal: an analysis that continues does not show it those again. */
  ofSource(sourceId: number, digest: string): Map<number, (Spotted | Line)[] | null> {
    const rows = this.#db
      .prepare(`SELECT s.body FROM seen s JOIN clips c ON c.id = s.clip_id WHERE s.by = ? AND c.source_id = ? AND c.kind <> 'marked'`)
      .all(digest, sourceId)
    return new Map(
      rows.flatMap(({ body }) => (unpacked(body) as SeenFrame<Spotted | Line>[]).map(({ ordinal, seen }) => [ordinal, seen] as const)),
    )
  }

  /** Copy to a marked clip what was seen in the clips that it overlaps. */
  copyTo(clipId: number): void {
    const parts = this.#db
      .prepare(
        `SELECT s.by, s.body, m.start_frame, m.end_frame, m.start, m."end" FROM clips m JOIN clips c ON c.source_id = m.source_id AND c.kind <> 'marked' AND c.start_frame < m.end_frame AND c.end_frame > m.start_frame
         JOIN seen s ON s.clip_id = c.id WHERE m.id = ? ORDER BY c.start_frame`,
      )
      .all(clipId)
    for (const [by, some] of Map.groupBy(parts, (row) => String(row['by']))) {
      const inside = ({ ordinal }: FrameRef) =>
        some.some((row) => ordinal >= Number(row['start_frame']) && ordinal < Number(row['end_frame']))
      if (by === MEASURED) {
        const whole = some.map(({ body }) => unpacked(body) as MeasuredClip)
        const [start, end] = [Number(some[0]?.['start']), Number(some[0]?.['end'])]
        const within = ({ from, to }: { from: number; to: number }) => from >= start && to <= end
        this.saveMeasured(clipId, {
          cut: true,
          camera: {
            steps: whole.flatMap(({ camera }) => camera.steps.filter(within)),
            stays: whole.flatMap(({ camera }) => camera.stays.filter(within)),
          },
          light: whole.flatMap(({ light }) => light.filter(({ time }) => time >= start && time < end)),
          ...edgesWithin(
            whole.flatMap(({ edges = [] }) => edges),
            start,
            end,
          ),
        })
      } else {
        const all = some.flatMap(({ body }) => unpacked(body) as SeenFrame<Spotted | Line>[])
        const [first, ...rest] = all.filter(inside)
        // If the picture has not changed since before the marked span, the last result before it holds.
        const seen = first?.seen ?? all.findLast((frame) => first && frame.ordinal < first.ordinal && frame.seen !== null)?.seen ?? null
        this.#save(clipId, by, first ? [{ ...first, seen }, ...rest] : [])
      }
    }
  }

  #save(clipId: number, by: string, body: unknown): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO seen (clip_id, by, body) SELECT id, ?, ? FROM clips WHERE id = ?')
      .run(by, deflateSync(JSON.stringify(body)), clipId)
  }

  #load(clipId: number, by: string): unknown {
    const body = this.#db.prepare('SELECT body FROM seen WHERE clip_id = ? AND by = ?').get(clipId, by)?.['body']
    return body === undefined ? null : unpacked(body)
  }
}

/** A copy: a row's bytes may begin anywhere. */
function halves(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer)
}

function unpacked(body: unknown): unknown {
  return body instanceof Uint8Array ? JSON.parse(inflateSync(body).toString('utf8')) : null
}

/** The samples of a part of a video: the last one before it holds at its start. Nothing where there are none. */
export function edgesWithin(edges: readonly EdgeSample[], start: number, end: number): { edges?: EdgeSample[] } {
  const before = edges.findLast(({ time }) => time <= start)
  const own = [...(before ? [{ ...before, time: start }] : []), ...edges.filter(({ time }) => time > start && time < end)]
  return own.length > 0 ? { edges: own } : {}
}
