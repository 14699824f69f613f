/** What clips can be filtered by, as SQL over the library. */
import type { SQLInputValue } from 'node:sqlite'
import type { Filters } from '../../app/contract/find.ts'
import { ELSEWHERE } from './reach.ts'
import { BEGUN, DONE, NOTHING } from './rows.ts'
import { topicOf } from '../../app/table/question.ts'

/** Clips with an annotation that meets a condition, found by one look-up in an index instead of clip by clip. */
const among = (condition: string) => `c.id IN (SELECT a.clip_id FROM annotations a INDEXED BY annotations_of_topic WHERE ${condition})`
const STATED = `a.state <> 'rejected'`
/** The time of recording: as the camera wrote it into the file, else the file's own date. */
const RECORDED = `coalesce(json_extract(s.probe, '$.recordedAt'), strftime('%Y-%m-%dT%H:%M:%fZ', s.mtime_ms / 1000, 'unixepoch'))`

const STATE = {
  open: `NOT ${BEGUN} AND NOT ${NOTHING}`,
  partly: `${BEGUN} AND NOT ${DONE}`,
  unsure: among(`a.kind IN ('caption', 'answer') AND a.state = 'machine' AND a.unsure`),
  accepted: `EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state = 'accepted')`,
  edited: `EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state = 'edited')`,
  rejected: `EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = c.id AND a.state = 'rejected')`,
}

/** A condition over `clips c` joined with `sources s`; null if everything passes. */
export function conditionOf(filters: Filters): { where: string; values: SQLInputValue[] } | null {
  const terms: { sql: string; values: SQLInputValue[] }[] = []
  const add = (sql: string, ...values: SQLInputValue[]) => terms.push({ sql, values })
  for (const label of filters.labels ?? [])
    add(
      `(${among(`a.kind = 'track' AND ${STATED} AND lower(a.label) = lower(?)`)} OR c.id IN (SELECT r.id FROM ${ELSEWHERE} WHERE lower(a.label) = lower(?)))`,
      label,
      label,
    )
  if (filters.says !== undefined) add(among(`a.kind <> 'track' AND ${STATED} AND instr(lower(a.shown), lower(?)) > 0`), filters.says)
  if (filters.answer !== undefined) {
    const { question, text = '' } = filters.answer
    add(among(`a.kind = 'answer' AND a.topic = ? AND ${STATED} AND instr(lower(a.shown), lower(?)) > 0`), topicOf(question), text)
  }
  if (filters.state !== undefined) add(STATE[filters.state])
  if (filters.sourceIds !== undefined) add(`c.source_id IN (SELECT value FROM json_each(?))`, JSON.stringify(filters.sourceIds))
  // Times are ISO 8601 in UTC, some with fractions of a second: julianday compares them as times, not as text.
  if (filters.addedFrom !== undefined) add(`julianday(s.added_at) >= julianday(?)`, filters.addedFrom)
  if (filters.addedBefore !== undefined) add(`julianday(s.added_at) < julianday(?)`, filters.addedBefore)
  if (filters.recordedFrom !== undefined) add(`julianday(${RECORDED}) >= julianday(?)`, filters.recordedFrom)
  if (filters.recordedBefore !== undefined) add(`julianday(${RECORDED}) < julianday(?)`, filters.recordedBefore)
  if (filters.minSeconds !== undefined) add(`c."end" - c.start >= ?`, filters.minSeconds)
  if (filters.maxSeconds !== undefined) add(`c."end" - c.start < ?`, filters.maxSeconds)
  return terms.length === 0 ? null : { where: terms.map(({ sql }) => sql).join(' AND '), values: terms.flatMap(({ values }) => values) }
}
