/**
 * Questions about clips. What a question that facts answered asks for counts in the clip as if a label asked for it (app/facts/asked.ts), as long as
 * somebody asks it: while its column stands, or where a person asked it about the clip itself.
 */
import type { DatabaseSync } from 'node:sqlite'
import { topicOf } from '../../app/table/question.ts'

/** SQL: whether the annotation `a` is an answer from facts to a question that still stands. */
export const STANDING_ANSWER = `a.kind = 'answer' AND a.provenance ->> '$.packId' = 'facts' AND (EXISTS (SELECT 1 FROM columns k WHERE k.topic = 'question ' || a.topic)
  OR EXISTS (SELECT 1 FROM asked q WHERE q.topic = a.topic AND q.clip_id = a.clip_id))`

/** Those about one clip. */
export function questionsOf(db: DatabaseSync, clipId: number): string[] {
  return db
    .prepare(`SELECT json_extract(a.machine, '$.question') AS question FROM annotations a WHERE a.clip_id = ? AND ${STANDING_ANSWER}`)
    .all(clipId)
    .map(({ question }) => String(question))
}

/** Each question of the library once, with its topic. */
export function questionsAsked(db: DatabaseSync): { topic: string; question: string }[] {
  return db
    .prepare(
      `SELECT a.topic, json_extract(a.machine, '$.question') AS question FROM annotations a WHERE ${STANDING_ANSWER} GROUP BY a.topic`,
    )
    .all()
    .map(({ topic, question }) => ({ topic: String(topic), question: String(question) }))
}

/** Store that a person asks a question about a clip itself, not by a column. */
export function askHere(db: DatabaseSync, clipId: number, question: string): void {
  db.prepare('INSERT OR REPLACE INTO asked (topic, clip_id, question) VALUES (?, ?, ?)').run(topicOf(question), clipId, question.trim())
}

/** Whether a question stands in a clip, by its topic. */
export function stands(db: DatabaseSync, clipId: number, topic: string): boolean {
  const row = db.prepare(
    `SELECT 1 FROM columns WHERE topic = 'question ' || ?1 UNION ALL SELECT 1 FROM asked WHERE topic = ?1 AND clip_id = ?2 LIMIT 1`,
  )
  return row.get(topic, clipId) !== undefined
}

/** The questions that stand in a clip and that nothing could answer. */
export function openQuestions(db: DatabaseSync, clipId: number): string[] {
  return db
    .prepare(
      `SELECT coalesce(q.question, k.text) AS question FROM unanswered u LEFT JOIN asked q ON q.topic = u.topic AND q.clip_id = u.clip_id
         LEFT JOIN columns k ON k.topic = 'question ' || u.topic WHERE u.clip_id = ? AND coalesce(q.question, k.text) IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = u.clip_id AND a.kind = 'answer' AND a.topic = u.topic)`,
    )
    .all(clipId)
    .map(({ question }) => String(question))
}

/** Clips whose facts may say something else when the column of a question is added or removed: those that answer it, or cannot. */
export function clipsAsked(db: DatabaseSync, question: string): number[] {
  return db
    .prepare(
      `SELECT clip_id AS id FROM annotations WHERE kind = 'answer' AND topic = ?1 AND provenance ->> '$.packId' = 'facts' UNION SELECT clip_id FROM unanswered WHERE topic = ?1 ORDER BY id`,
    )
    .all(topicOf(question))
    .map(({ id }) => Number(id))
}
