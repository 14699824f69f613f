/**
 * What becomes of clips that a new analysis of their video did not find again, and about which a person decided something: a recording that was longer
 * the next time, pictures that were added. Clips of an analysis tile their video, so none of them may stay beside those that take its place.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { AnnotationBody, Evidence, Provenance } from '../../app/annotation.ts'
import type { Annotations } from './annotations.ts'
import type { Seen } from './seen.ts'

/** Grey levels by which the same picture may differ in two passes over a file. */
const SAME_LIGHT = 2
/** Seconds between two samples of the same frame. */
const SAME_TIME = 0.02

interface Parts {
  db: DatabaseSync
  annotations: Annotations
  seen: Seen
}

/**
 * Old clips about which nobody decided anything are deleted. The clip that begins where an old one does, begins alike and is longer takes over what people decided; any other old clip becomes one that a person marked.
 * @param kept The clips of the new analysis. @returns The clips that changed; null where there were no old ones.
 */
export function settleOldClips(parts: Parts, sourceId: number, kept: readonly number[]): number[] | null {
  const { db } = parts
  const list = JSON.stringify(kept)
  const removed = db
    .prepare(
      `DELETE FROM clips WHERE source_id = ? AND kind <> 'marked' AND id NOT IN (SELECT value FROM json_each(?))
         AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = clips.id AND a.state <> 'machine')`,
    )
    .run(sourceId, list)
  const old = db
    .prepare(
      `SELECT c.id, h.id AS heir FROM clips c LEFT JOIN clips h ON h.source_id = c.source_id AND h.start_frame = c.start_frame AND h.end_frame > c.end_frame
         AND h.kind <> 'marked' AND h.id IN (SELECT value FROM json_each(?2))
       WHERE c.source_id = ?1 AND c.kind <> 'marked' AND c.id NOT IN (SELECT value FROM json_each(?2))`,
    )
    .all(sourceId, list)
  const changed = old.map(({ id, heir }) => {
    if (heir !== null && beginsAlike(parts, Number(id), Number(heir)) && !bothDecided(db, Number(id), Number(heir))) {
      takeOver(parts, Number(id), Number(heir))
      return Number(heir)
    }
    db.prepare(`UPDATE clips SET kind = 'marked' WHERE id = ?`).run(id ?? null)
    return Number(id)
  })
  return Number(removed.changes) + changed.length === 0 ? null : changed
}

/** Whether the pictures of a clip are those with which a longer one begins. The last may have been cut off. */
function beginsAlike({ seen }: Parts, old: number, heir: number): boolean {
  const [before, after] = [seen.measured(old)?.light.slice(0, -1) ?? [], seen.measured(heir)?.light ?? []]
  const pairs = before.flatMap((sample) => {
    const same = after.find(({ time }) => Math.abs(time - sample.time) < SAME_TIME)
    return same ? [[sample, same] as const] : []
  })
  return pairs.length > 0 && pairs.every(([a, b]) => Math.abs(a.mean - b.mean) <= SAME_LIGHT && Math.abs(a.spread - b.spread) <= SAME_LIGHT)
}

/** Whether people gave both clips a caption, or an answer to the same question. */
function bothDecided(db: DatabaseSync, old: number, heir: number): boolean {
  const both = db.prepare(
    `SELECT 1 FROM annotations a JOIN annotations b ON b.kind = a.kind AND b.topic = a.topic
     WHERE a.clip_id = ? AND b.clip_id = ? AND a.kind IN ('caption', 'answer') AND a.state <> 'machine' AND b.state <> 'machine' LIMIT 1`,
  )
  return both.get(old, heir) !== undefined
}

function takeOver({ db, annotations }: Parts, old: number, heir: number): void {
  // Beneath a decision lies what the machine says of the whole clip.
  const said = db
    .prepare(`SELECT id, kind, topic, machine, evidence, provenance FROM annotations WHERE clip_id = ? AND kind IN ('caption', 'answer')`)
    .all(heir)
  for (const { id, kind, topic } of db
    .prepare(`SELECT id, kind, topic FROM annotations WHERE clip_id = ? AND state <> 'machine' ORDER BY id`)
    .all(old)) {
    const now = said.find((one) => one['kind'] === kind && one['topic'] === topic)
    if (now) {
      db.prepare('DELETE FROM annotations WHERE id = ?').run(now['id'] ?? null)
      db.prepare('UPDATE annotations SET machine = ?, evidence = ?, provenance = ? WHERE id = ?').run(
        now['machine'] ?? null,
        now['evidence'] ?? null,
        now['provenance'] ?? null,
        id ?? null,
      )
    }
    db.prepare('UPDATE annotations SET clip_id = ?, candidate = NULL WHERE id = ?').run(heir, id ?? null)
  }
  db.prepare(
    `UPDATE edits SET clip_id = ?1, before = iif(before ->> '$.clipId' = ?2, json_set(before, '$.clipId', ?1), before),
       after = iif(after ->> '$.clipId' = ?2, json_set(after, '$.clipId', ?1), after) WHERE clip_id = ?2`,
  ).run(heir, old)
  for (const table of ['replaced', 'asked']) db.prepare(`UPDATE OR IGNORE ${table} SET clip_id = ? WHERE clip_id = ?`).run(heir, old)
  db.prepare('DELETE FROM clips WHERE id = ?').run(old)
  // What people decided about is not found a second time.
  for (const kind of ['track', 'text'] as const) annotations.saveMachine(heir, kind, machineResults(db, heir, kind))
}

function machineResults(db: DatabaseSync, clipId: number, kind: AnnotationBody['kind']) {
  return db
    .prepare(
      `SELECT machine, evidence, provenance, candidate FROM annotations WHERE clip_id = ? AND kind = ? AND state = 'machine' ORDER BY id`,
    )
    .all(clipId, kind)
    .map(({ machine, evidence, provenance, candidate }) => ({
      body: JSON.parse(String(machine)) as AnnotationBody,
      evidence: typeof evidence === 'string' ? (JSON.parse(evidence) as Evidence) : null,
      provenance: JSON.parse(String(provenance)) as Provenance,
      ...(candidate === null ? {} : { candidate: Number(candidate) }),
    }))
}
