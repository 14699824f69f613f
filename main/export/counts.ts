/** How many annotations of each kind an export would write, so that a person knows before it what a format leaves out. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { AnnotationBody, Provenance, ReviewState } from '../../app/annotation.ts'
import { type Counts, KINDS } from '../../app/formats/holds.ts'
import { inScope, type Scope } from '../../app/formats/scope.ts'
import { REACHING } from './films.ts'

export interface Chosen {
  sourceIds: readonly number[]
  /** Only these clips; null for all. */
  clipIds: readonly number[] | null
  scope: Scope
}

const PARTS = `kind, label, state, provenance IS NULL AS unmade, json_extract(provenance, '$.people') AS people`

/** Without those that people rejected, unless the scope names states. */
export function countsOf(db: DatabaseSync, { sourceIds, clipIds, scope }: Chosen): Counts {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Counts
  const count = (row: Record<string, SQLOutputValue>) => {
    const kind = String(row['kind']) as AnnotationBody['kind']
    // What decides, of one of them: all of a group have it.
    const one = {
      body: { kind, label: String(row['label']) } as AnnotationBody,
      state: String(row['state']) as ReviewState,
      provenance: row['unmade'] === 1 ? null : ({ ...(row['people'] === 1 && { people: true }) } as Provenance),
    }
    if (inScope(scope, one, false)) counts[kind] += Number(row['n'] ?? 1)
  }
  const clips = clipIds === null ? null : JSON.stringify(clipIds)
  const groups = db.prepare(
    `SELECT ${PARTS}, count(*) AS n FROM annotations WHERE clip_id IN
       (SELECT id FROM clips WHERE source_id IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2))))
     GROUP BY kind, label, state, unmade, people`,
  )
  for (const row of groups.iterate(JSON.stringify(sourceIds), clips)) count(row)
  if (clips === null) return counts
  // What people said over the end of a clip that is not chosen is written with the one that it reaches into.
  const spans = db.prepare(
    'SELECT start_frame, end_frame FROM clips WHERE source_id = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY start_frame',
  )
  const reaching = db.prepare(`SELECT ${PARTS}, "from", "to" FROM annotations JOIN (SELECT id, "from", "to" FROM (${REACHING})) USING (id)`)
  const [kinds, everything] = [JSON.stringify(KINDS), Number.MAX_SAFE_INTEGER]
  for (const source of sourceIds) {
    const chosen = spans.all(source, clips).map((row) => ({ from: Number(row['start_frame']), to: Number(row['end_frame']) }))
    for (const row of reaching.iterate(source, clips, kinds, everything, -1))
      if (chosen.some(({ from, to }) => from < Number(row['to']) && Number(row['from']) < to)) count(row)
  }
  return counts
}
