/** The queue on disk: waiting jobs in the order in which they will run, running jobs, and how the rest ended. */
import type { DatabaseSync } from 'node:sqlite'
import type { Job } from '../../app/contract.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { JOB_KINDS, type JobKind, kindsThat } from '../../app/job-kinds.ts'
import { jobOf, type StoredJob } from './rows.ts'

/** A job to queue; its title is the file, the question or the labels. */
export type JobPlan = { title: string } & (
  | { kind: 'analyse' | 'mark' | 'preview'; sourceId: number }
  /** The column to fill, and the clips if not all. */
  | { kind: 'ask'; columnId: number; clipIds?: readonly number[] | undefined }
  | { kind: 'detect' }
)

/** Seconds of video of one kind that wait, or that one running job works on. `codec` is null if the file was not probed yet. */
export interface VideoAhead {
  kind: JobKind
  /** Null for the sum of all waiting jobs. */
  jobId: number | null
  codec: string | null
  /** Smaller side of the picture, pixels. */
  side: number
  /** Of files that were probed. */
  seconds: number
  files: number
}

/** The row of a job that was taken off the list, kept to put it back. */
export interface KeptJob {
  id: number
  sourceId: number | null
  row: Record<string, string | number | null>
}

/** SQL for job `j` of source `s`: whether another machine could do it. Numbered pictures are too many files to send. */
const LENDABLE = `j.kind = 'analyse' AND s.numbered IS NULL`

/** About as many files as a window shows of the list. */
const TOP_OF_LIST = 10

export class JobTable {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  create(plan: JobPlan): StoredJob {
    const rank = this.#place(plan.kind)
    const insert = this.#db.prepare(
      `INSERT INTO jobs (kind, title, source_id, payload, state, progress, rank) VALUES (?, ?, ?, ?, 'queued', 0, ?)`,
    )
    const payload = plan.kind === 'ask' ? { columnId: plan.columnId, clipIds: plan.clipIds } : {}
    const sourceId = 'sourceId' in plan ? plan.sourceId : null
    // What failed before is tried again: it does not stand in the queue twice.
    this.#db.prepare(`DELETE FROM jobs WHERE kind = ? AND source_id = ? AND state IN ('failed', 'cancelled')`).run(plan.kind, sourceId)
    return this.get(Number(insert.run(plan.kind, plan.title, sourceId, JSON.stringify(payload), rank).lastInsertRowid))
  }

  #place(kind: JobKind): number {
    const { place } = JOB_KINDS[kind]
    const rank = place === 'last' ? 'coalesce(max(rank), 0) + 1' : 'coalesce(min(rank), 1) - 1'
    const among = place === 'before-files' ? `AND kind = 'analyse'` : ''
    return Number(this.#db.prepare(`SELECT ${rank} AS rank FROM jobs WHERE state = 'queued' ${among}`).get()?.['rank'])
  }

  /** The newest job that makes the preview copy of a source. */
  previewOf(sourceId: number): StoredJob | null {
    const row = this.#db.prepare(`SELECT * FROM jobs WHERE source_id = ? AND kind = 'preview' ORDER BY id DESC LIMIT 1`).get(sourceId)
    return row === undefined ? null : jobOf(row)
  }

  /** @throws TubeletError `not-found` */
  get(id: number): StoredJob {
    const row = this.#db.prepare('SELECT * FROM jobs WHERE id = ?').get(id)
    if (row === undefined) throw this.#gone()
    return jobOf(row)
  }

  /** The clips that an `ask` is about; null for all. */
  clipsOf(id: number): readonly number[] | null {
    const payload = this.#db.prepare('SELECT payload FROM jobs WHERE id = ?').get(id)?.['payload']
    return typeof payload === 'string' ? ((JSON.parse(payload) as { clipIds?: readonly number[] }).clipIds ?? null) : null
  }

  /**
   * The job to run next; null if there is none. @param quick Take the smallest of the files at the top of the list, for a first result soon,
   * unless a person chose the order.
   * @param without Kinds that there is no room for. @param held Sources whose analysis waits for something else.
   * @param lent Only the analyses that other machines do, or only the other jobs; all if it is not given.
   */
  next({
    quick,
    without,
    held,
    lent,
  }: {
    quick: boolean
    without: readonly JobKind[]
    held: readonly number[]
    lent?: boolean | undefined
  }): StoredJob | null {
    const top = this.#db
      .prepare(
        `SELECT j.*, s.bytes FROM jobs j LEFT JOIN sources s ON s.id = j.source_id
          WHERE j.state = 'queued' AND j.kind NOT IN (SELECT value FROM json_each(?1))
            AND NOT (j.kind = 'analyse' AND j.source_id IN (SELECT value FROM json_each(?2)))
            AND (?4 IS NULL OR ?4 = (${LENDABLE}))
          ORDER BY j.rank, j.id LIMIT ?3`,
      )
      .all(JSON.stringify(without), JSON.stringify(held), quick ? TOP_OF_LIST : 1, lent === undefined ? null : Number(lent))
    const [first] = top
    if (first === undefined) return null
    const size = (row: (typeof top)[number]) => (row['kind'] === 'analyse' && row['placed'] === 0 ? Number(row['bytes']) : Infinity)
    const free = first['kind'] === 'analyse' && first['placed'] === 0
    return jobOf(free ? top.reduce((smallest, row) => (size(row) < size(smallest) ? row : smallest)) : first)
  }

  begin(id: number): void {
    this.#db
      .prepare(
        `UPDATE jobs SET state = 'running', progress = 0, started_at = ?, ended_at = NULL, problem = NULL, payload = json_remove(payload, '$.claim') WHERE id = ?`,
      )
      .run(new Date().toISOString(), id)
  }

  /** The same, and keep under which name another machine works on it. */
  beginLent(id: number, claim: string): void {
    this.begin(id)
    this.#db.prepare(`UPDATE jobs SET payload = json_set(payload, '$.claim', ?) WHERE id = ?`).run(claim, id)
  }

  /** The waiting job that another machine works on under this name: this process was started anew meanwhile. Null if there is none. */
  claimed(claim: string): StoredJob | null {
    const row = this.#db.prepare(`SELECT * FROM jobs WHERE state = 'queued' AND payload ->> '$.claim' = ?`).get(claim)
    return row === undefined ? null : jobOf(row)
  }

  /** A lent job waits again, before the others. */
  giveBack(id: number): void {
    this.#db
      .prepare(
        `UPDATE jobs SET state = 'queued', rank = (SELECT coalesce(min(rank), 1) - 1 FROM jobs WHERE state = 'queued'), payload = json_remove(payload, '$.claim') WHERE id = ? AND state = 'running'`,
      )
      .run(id)
  }

  /**
   * A lent job was lost with who worked on it. @param clips How many were done. @returns How often that has happened without one more clip.
   */
  lost(id: number, clips: number): number {
    const row = this.#db
      .prepare(
        `UPDATE jobs SET payload = json_set(payload, '$.reached', max(coalesce(payload ->> '$.reached', 0), ?1), '$.losses',
           iif(coalesce(payload ->> '$.reached', 0) < ?1, 1, coalesce(payload ->> '$.losses', 0) + 1)) WHERE id = ?2 RETURNING payload ->> '$.losses' AS losses`,
      )
      .get(clips, id)
    return Number(row?.['losses'] ?? 0)
  }

  /** How many analyses wait that another machine could do now. */
  lendable(held: readonly number[]): number {
    return Number(
      this.#db
        .prepare(
          `SELECT count(*) AS n FROM jobs j JOIN sources s ON s.id = j.source_id WHERE j.state = 'queued' AND ${LENDABLE} AND s.id NOT IN (SELECT value FROM json_each(?))`,
        )
        .get(JSON.stringify(held))?.['n'],
    )
  }

  end(id: number, state: 'done' | 'failed' | 'cancelled', problem: Problem | null): void {
    this.#db
      .prepare(
        "UPDATE jobs SET state = ?1, progress = CASE ?1 WHEN 'done' THEN 1 ELSE progress END, ended_at = ?2, problem = ?3 WHERE id = ?4",
      )
      .run(state, new Date().toISOString(), problem && JSON.stringify(problem), id)
  }

  /** Queue a job that ended again, at the place of a new one. */
  again(id: number): void {
    this.#db
      .prepare(`UPDATE jobs SET state = 'queued', progress = 0, problem = NULL, started_at = NULL, ended_at = NULL, rank = ?,
          payload = json_remove(payload, '$.kills', '$.clips', '$.claim', '$.reached', '$.losses') WHERE id = ?`)
      .run(this.#place(this.get(id).kind), id)
  }

  /** Move a waiting job to just before another one, or to the end if `before` is null. */
  move(id: number, before: number | null): void {
    const others = this.#db
      .prepare(`SELECT id, rank FROM jobs WHERE state = 'queued' AND id <> ? ORDER BY rank, id`)
      .all(id)
      .map((row) => ({ id: Number(row['id']), rank: Number(row['rank']) }))
    const found = before === null ? others.length : others.findIndex((other) => other.id === before)
    const at = found === -1 ? others.length : found
    const [above, below] = [others[at - 1]?.rank, others[at]?.rank]
    const rank = above === undefined ? (below ?? 1) - 1 : below === undefined ? above + 1 : (above + below) / 2
    this.#db.prepare('UPDATE jobs SET placed = 1 WHERE id = ?').run(id)
    const set = this.#db.prepare('UPDATE jobs SET rank = ? WHERE id = ?')
    if (rank !== above && rank !== below) {
      set.run(rank, id)
      return
    }
    // No rank is left between the two: number all of them anew.
    for (const [index, other] of others.toSpliced(at, 0, { id, rank }).entries()) set.run(index + 1, other.id)
  }

  /** Running and waiting jobs in order, then failed ones, which need attention, then the others; the ended ones newest first. */
  list(limit: number): StoredJob[] {
    const open = this.#db
      .prepare(`SELECT * FROM jobs WHERE state IN ('running', 'queued') ORDER BY state = 'queued', rank, id LIMIT ?`)
      .all(limit)
    const ended = this.#db
      .prepare(
        `SELECT * FROM jobs WHERE state NOT IN ('running', 'queued') ORDER BY state = 'failed' DESC, coalesce(ended_at, '') DESC, id DESC LIMIT ?`,
      )
      .all(limit - open.length)
    return [...open, ...ended].map(jobOf)
  }

  /** Waiting and running jobs. */
  open(): StoredJob[] {
    return this.#db.prepare(`SELECT * FROM jobs WHERE state IN ('running', 'queued') ORDER BY rank, id`).all().map(jobOf)
  }

  /** Forget a job that ended. */
  remove(id: number): void {
    this.#db.prepare(`DELETE FROM jobs WHERE id = ? AND state IN ('done', 'failed', 'cancelled')`).run(id)
  }

  /** The whole row of a job. @throws TubeletError `not-found` */
  kept(id: number): KeptJob {
    const row = this.#db.prepare('SELECT * FROM jobs WHERE id = ?').get(id) as KeptJob['row'] | undefined
    if (row === undefined) throw this.#gone()
    return { id, sourceId: row['source_id'] === null ? null : Number(row['source_id']), row }
  }

  /** Put a job back on the list, unless its video was deleted for good. */
  putBack({ sourceId, row }: KeptJob): void {
    if (sourceId !== null && !this.#db.prepare('SELECT 1 FROM sources WHERE id = ?').get(sourceId)) return
    const columns = Object.keys(row)
    this.#db
      .prepare(
        `INSERT OR IGNORE INTO jobs (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      )
      .run(...Object.values(row))
  }

  #gone(): TubeletError {
    return new TubeletError({ code: 'not-found', message: 'There is no such job in the queue.', next: 'Reload the list.' })
  }

  failed(): StoredJob[] {
    return this.#db.prepare(`SELECT * FROM jobs WHERE state = 'failed' ORDER BY id`).all().map(jobOf)
  }

  /** How much video waiting and running jobs still have to read, of those that read files from end to end. */
  videoAhead(): VideoAhead[] {
    const whole = JSON.stringify(kindsThat((traits) => traits.whole))
    const ahead = `j.kind, json_extract(s.probe, '$.codec') AS codec, coalesce(min(json_extract(s.probe, '$.width'), json_extract(s.probe, '$.height')), 0) AS side,
      total(json_extract(s.probe, '$.duration')) AS seconds, count(*) AS files FROM jobs j JOIN sources s ON s.id = j.source_id WHERE j.kind IN (SELECT value FROM json_each(?1))`
    const groups = this.#db
      .prepare(
        `SELECT NULL AS job, ${ahead} AND j.state = 'queued' GROUP BY j.kind, codec, side UNION ALL SELECT j.id AS job, ${ahead} AND j.state = 'running' GROUP BY j.id`,
      )
      .all(whole)
    return groups.map((row) => ({
      kind: row['kind'] as JobKind,
      jobId: row['job'] === null ? null : Number(row['job']),
      codec: row['codec'] === null ? null : String(row['codec']),
      side: Number(row['side']),
      seconds: Number(row['seconds']),
      files: Number(row['files']),
    }))
  }

  counts(): { waiting: number; running: number; finished: number; failed: number } {
    const counts = new Map(
      this.#db
        .prepare('SELECT state, count(*) AS n FROM jobs GROUP BY state')
        .all()
        .map((row) => [row['state'], Number(row['n'])]),
    )
    const of = (state: Job['state']) => counts.get(state) ?? 0
    return { waiting: of('queued'), running: of('running'), finished: of('done') + of('failed') + of('cancelled'), failed: of('failed') }
  }

  /** Jobs that a crash, a quit or a full disk cut off wait again, before the others. @param running Ids of those that really run. */
  /**
   * At the start of a process: jobs that were running when the last one was killed wait again. Kills of one job are counted as long as its video gets no
   * further. @returns The jobs of videos that were cut off so for the `most`th time.
   */
  recoverKilled(most: number): StoredJob[] {
    const clips = '(SELECT count(*) FROM clips WHERE clips.source_id = jobs.source_id)'
    this.#db
      .prepare(
        `UPDATE jobs SET payload = json_set(payload, '$.clips', ${clips}, '$.kills', CASE WHEN payload ->> '$.clips' IS ${clips} THEN (payload ->> '$.kills') + 1 ELSE 1 END)
          WHERE state = 'running' AND source_id IS NOT NULL AND payload ->> '$.claim' IS NULL`,
      )
      .run()
    const often = this.#db.prepare(`SELECT * FROM jobs WHERE state = 'running' AND payload ->> '$.kills' >= ? ORDER BY id`).all(most)
    this.recover()
    return often.map((row) => jobOf(row))
  }

  recover(running: readonly number[] = []): void {
    this.#db
      .prepare(
        `UPDATE jobs SET rank = (SELECT coalesce(min(rank), 1) - 1 FROM jobs WHERE state = 'queued'), state = 'queued' WHERE state = 'running' AND id NOT IN (SELECT value FROM json_each(?))`,
      )
      .run(JSON.stringify(running))
  }
}
