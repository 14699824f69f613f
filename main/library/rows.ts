/** Rows of the library as the contract's sources, clips and jobs. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { ReviewState } from '../../app/annotation.ts'
import type { Clip, Job, Source, SourceState } from '../../app/contract.ts'
import type { Column } from '../../app/contract/table.ts'
import type { Problem } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import type { NumberedVideo } from '../../app/numbered.ts'
import { standingOf } from '../../app/review.ts'
import { playbackOf } from '../media/playback.ts'
import { ELSEWHERE, TRACKS_INTO } from './reach.ts'

type Row = Record<string, SQLOutputValue>

/** A column of the table as it is stored; how far it is filled is counted on request. */
export type KeptColumn = Pick<Column, 'id' | 'kind' | 'text' | 'automatic'>

/** SQL: whether all of a group of tracks `annotations t` are unsure, by the rule of `standingOf`. */
export const UNSURE_NAME = `min(t.state = 'machine' AND coalesce(t.unsure, 0))`

/** SQL: the encodings of the pack that writes captions; of any pack if none was ever set. */
const IN_USE = `e.pack_digest = coalesce((SELECT value ->> '$.caption.digest' FROM settings WHERE key = 'packs'), e.pack_digest)`

/**
 * SQL: the `annotations a` that count for a clip's review: its caption, and what the analysis found in it. Answers are reviewed column by column, and
 * boxes, notes and captions of parts by a person need no review.
 */
export const REVIEWED = `(a.kind = 'caption' OR (a.kind IN ('track', 'text') AND (a.state = 'machine' OR a.machine IS NOT NULL)))`
/** SQL: whether clip `c` was analysed. */
export const ANALYSED = 'EXISTS (SELECT 1 FROM encodings n WHERE n.clip_id = c.id)'
/** SQL for clip `c`, by the rule of `reviewOf`: whether a person decided anything, whether everything, and whether there is nothing to decide. */
export const BEGUN = `EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND ${REVIEWED} AND a.state <> 'machine')`
export const DONE = `(${BEGUN} AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND ${REVIEWED} AND a.state = 'machine'))`
export const NOTHING = `(${ANALYSED} AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND ${REVIEWED}))`

// Counts come from subqueries on indexes: with joins and GROUP BY, reading one source would scan every encoding.
export const SOURCE_VIEW = `
  SELECT s.*, title_of(s.id) AS title, EXISTS (SELECT 1 FROM sources o WHERE o.path = s.path AND o.id <> s.id AND o.file IN ('there', 'growing')) AS taken, (SELECT count(*) FROM clips c WHERE c.source_id = s.id) AS clip_count,
    (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND EXISTS (SELECT 1 FROM encodings e WHERE e.clip_id = c.id AND ${IN_USE})) AS encoded_count,
    (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND ${DONE}) AS reviewed_count,
    (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND NOT ${NOTHING}) AS reviewable_count,
    (SELECT count(*) FROM clips c WHERE c.source_id = s.id AND EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state <> 'machine')) AS touched_count
  FROM sources s`
/** SQL: the frames that a pack saw (without a digest: the one that writes captions); until it has, those that another pack saw. */
export const CLIP_FRAMES = `SELECT coalesce((SELECT e.frames FROM encodings e WHERE e.clip_id = c.id AND (e.pack_digest = :digest OR (:digest IS NULL AND ${IN_USE}))), c.frames) AS frames FROM clips c WHERE c.id = :id`
export const CLIP_VIEW = `
  SELECT c.*, title_of(s.id) AS source_name, EXISTS (SELECT 1 FROM encodings e WHERE e.clip_id = c.id AND ${IN_USE}) AS encoded,
    a.state AS caption_state, a.evidence AS caption_evidence, a.shown AS caption,
    (SELECT json_group_array(json_array(label, unsure)) FROM (SELECT t.label, ${UNSURE_NAME} AS unsure FROM annotations t
      WHERE t.clip_id = c.id AND t.kind = 'track' AND t.topic = '' AND t.state <> 'rejected' GROUP BY t.label)) AS labels
  FROM clips c JOIN sources s ON s.id = c.source_id LEFT JOIN annotations a ON a.clip_id = c.id AND a.kind = 'caption'`

/** JSON that this library wrote itself, or null. */
function parsed(value: SQLOutputValue | undefined): unknown {
  return typeof value === 'string' ? JSON.parse(value) : null
}

export function sourceOf(row: Row): Source {
  const probe = parsed(row['probe']) as Probe | null
  return {
    id: Number(row['id']),
    path: String(row['path']),
    name: String(row['name']),
    title: String(row['title']),
    bytes: Number(row['bytes']),
    fingerprint: String(row['fingerprint']),
    addedAt: String(row['added_at']),
    state: row['state'] as SourceState,
    problem: problemOfFile(row) ?? (parsed(row['problem']) as Problem | null),
    file: row['file'] as Source['file'],
    picture: row['picture'] === null ? null : Number(row['picture']),
    numbered: parsed(row['numbered']) as NumberedVideo | null,
    probe,
    clipCount: Number(row['clip_count']),
    encodedCount: Number(row['encoded_count']),
    reviewedCount: Number(row['reviewed_count']),
    reviewableCount: Number(row['reviewable_count']),
    touchedCount: Number(row['touched_count']),
    hasThumbnail: row['has_thumbnail'] === 1,
    filmstripCells: Number(row['filmstrip_cells']),
    playback: probe === null ? 'none' : playbackOf(probe),
  }
}

/** The problem shown for a video whose content is no longer at its path. */
function problemOfFile({ file, path, seen_at, taken }: Row): Problem | null {
  if (file !== 'missing' && file !== 'replaced') return null
  const where = String(path)
  if (file === 'missing')
    return {
      code: 'file-missing',
      message: 'The video is not where it was.',
      file: where,
      stillWorks: 'Captions, answers, search and labels work without it.',
      next: 'Connect its drive again, or add the video or its folder from the new place: it is recognised by its content, whatever its name.',
    }
  return {
    code: 'file-replaced',
    message: 'Another video lies in the place of this one since {{when}}.',
    values: { when: { at: String(seen_at) } },
    file: where,
    stillWorks: 'What was decided here stays with the pictures that it was decided about.',
    next:
      taken === 1
        ? 'That one has an entry of its own. Add the file of this one from its new place, if there is a copy of it.'
        : 'Add the new content as a video of its own, or say that it is the same video, made anew.',
  }
}

/** Clips from rows of CLIP_VIEW, with the names of what people drew in other clips of the video that reaches into them. */
export function clipsOf(db: DatabaseSync, rows: readonly Row[]): Clip[] {
  const [only, ...others] = rows.map((row) => Number(row['id']))
  if (only === undefined) return []
  const reaching =
    others.length === 0
      ? db.prepare(`SELECT r.id, a.label FROM ${TRACKS_INTO} WHERE r.id = ? AND a.state <> 'rejected'`).all(only)
      : db
          .prepare(`SELECT r.id, a.label FROM ${ELSEWHERE} WHERE r.id IN (SELECT value FROM json_each(?))`)
          .all(JSON.stringify([only, ...others]))
  const names = Map.groupBy(reaching, ({ id }) => Number(id))
  return rows.map((row) => {
    const clip = clipOf(row)
    const sure = [...new Set([...clip.labels, ...(names.get(clip.id) ?? []).map(({ label }) => String(label))])].sort()
    return { ...clip, labels: sure, perhaps: clip.perhaps.filter((name) => !sure.includes(name)) }
  })
}

function clipOf(row: Row): Clip {
  const names = (parsed(row['labels']) as [label: string, unsure: 0 | 1][] | null) ?? []
  const evidence = parsed(row['caption_evidence']) as { unsure: boolean; unfamiliar?: boolean } | null
  return {
    id: Number(row['id']),
    sourceId: Number(row['source_id']),
    sourceName: String(row['source_name']),
    index: Number(row['idx']),
    kind: row['kind'] as Clip['kind'],
    start: Number(row['start']),
    end: Number(row['end']),
    startFrame: Number(row['start_frame']),
    endFrame: Number(row['end_frame']),
    encoded: row['encoded'] === 1,
    caption: row['caption'] === null ? null : String(row['caption']),
    captionState: row['caption_state'] as Clip['captionState'],
    captionUnsure: row['caption_state'] !== null && standingOf(row['caption_state'] as ReviewState, evidence?.unsure ?? false) === 'unsure',
    unfamiliar: evidence?.unfamiliar ?? false,
    labels: names.flatMap(([label, unsure]) => (unsure === 1 ? [] : [label])),
    perhaps: names.flatMap(([label, unsure]) => (unsure === 1 ? [label] : [])),
  }
}

/** The stored part of a job; progress of a running one is kept in memory. */
export type StoredJob = Stored<Job>
type Stored<J> = J extends Job ? Omit<J, 'stage' | 'rate'> : never

export function jobOf(row: Row): StoredJob {
  const kept = {
    id: Number(row['id']),
    title: String(row['title']),
    state: row['state'] as Job['state'],
    progress: Number(row['progress']),
    problem: parsed(row['problem']) as Problem | null,
  }
  const kind = row['kind'] as Job['kind']
  switch (kind) {
    case 'analyse':
    case 'mark':
    case 'preview':
      return { ...kept, kind, sourceId: Number(row['source_id']), columnId: null }
    case 'ask':
      return { ...kept, kind, sourceId: null, columnId: (parsed(row['payload']) as { columnId: number }).columnId }
    case 'detect':
      return { ...kept, kind, sourceId: null, columnId: null }
  }
}

/** SQL for an id that no row has or had: a removed clip can come back under its own, and a stale id never hits another row. */
export function freeId(table: 'sources' | 'clips'): string {
  return `(SELECT max(coalesce((SELECT max(id) FROM ${table}), 0), last_id) + 1 FROM gone WHERE what = '${table}')`
}

/** Numbers as a blob. */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
