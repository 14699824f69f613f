/** The questions that facts answered: what they ask for counts in the clip as if a label asked for it (app/facts/asked.ts). */
import type { DatabaseSync } from 'node:sqlite'

const ANSWERED = `kind = 'answer' AND provenance ->> '$.packId' = 'facts'`

/** Those about one clip. */
export function questionsOf(db: DatabaseSync, clipId: number): string[] {
  return db
    .prepare(`SELECT json_extract(machine, '$.question') AS question FROM annotations WHERE clip_id = ? AND ${ANSWERED}`)
    .all(clipId)
    .map(({ question }) => String(question))
}

/** Each question of the library once, with its topic. */
export function questionsAsked(db: DatabaseSync): { topic: string; question: string }[] {
  return db
    .prepare(`SELECT topic, json_extract(machine, '$.question') AS question FROM annotations WHERE ${ANSWERED} GROUP BY topic`)
    .all()
    .map(({ topic, question }) => ({ topic: String(topic), question: String(question) }))
}
