/** The table of clips or videos: columns that people added and saved views, kept here; rows, arranged in a worker beside this thread. */
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { ReviewState } from '../../app/annotation.ts'
import type { BackendEvent } from '../../app/contract.ts'
import type { Column, ColumnKind, Picked, TableSpec, View } from '../../app/contract/table.ts'
import { TubeletError } from '../../app/errors.ts'
import { topicOf } from '../../app/table/question.ts'
import type { TableReply, TableTasks } from './table-worker.ts'

/** A column as it is kept: how far it is filled is counted when asked for. */
export type KeptColumn = Pick<Column, 'id' | 'kind' | 'text' | 'automatic'>

/** Picks that are kept though no view names them: one may still be on a screen. */
const PICKS = 10

interface Rows {
  worker: Worker
  waiting: Map<number, { resolve: (result: never) => void; reject: (error: unknown) => void }>
  next: number
}

export class Table {
  readonly #projectDir: string
  readonly #db: DatabaseSync
  readonly #emit: (event: BackendEvent) => void
  /** Clips that changed since the worker was last asked; null for all. */
  #changed: Set<number> | null = new Set()
  #rows: Rows | null = null

  constructor(projectDir: string, db: DatabaseSync, emit: (event: BackendEvent) => void) {
    this.#projectDir = projectDir
    this.#db = db
    this.#emit = emit
  }

  // ── columns

  columns(): KeptColumn[] {
    return this.#db
      .prepare('SELECT * FROM columns ORDER BY id')
      .all()
      .map((row) => ({
        id: Number(row['id']),
        kind: row['kind'] as ColumnKind,
        text: String(row['text']),
        automatic: row['automatic'] === 1,
      }))
  }

  /** @throws TubeletError `not-found` */
  column(id: number): KeptColumn {
    const column = this.columns().find((candidate) => candidate.id === id)
    if (column === undefined)
      throw new TubeletError({
        code: 'not-found',
        message: 'That column was taken away.',
        next: 'Add it again: its answers are still there.',
      })
    return column
  }

  /** One question is one column, however it is typed; asked for again, it takes the newest kind. */
  addColumn(kind: ColumnKind, text: string, automatic: boolean): KeptColumn {
    const topic = `${kind === 'count' ? 'count' : 'question'} ${topicOf(text)}`
    const row = this.#db
      .prepare(
        `INSERT INTO columns (kind, text, topic, automatic) VALUES (?, ?, ?, ?)
         ON CONFLICT (topic) DO UPDATE SET kind = excluded.kind, automatic = max(automatic, excluded.automatic) RETURNING id`,
      )
      .get(kind, text.trim(), topic, Number(automatic))
    this.#emit({ type: 'table' })
    return this.column(Number(row?.['id']))
  }

  setAutomatic(id: number, automatic: boolean): void {
    if (
      this.#db.prepare('UPDATE columns SET automatic = ? WHERE id = ? AND automatic <> ?').run(Number(automatic), id, Number(automatic))
        .changes > 0
    )
      this.#emit({ type: 'table' })
  }

  removeColumn(id: number): void {
    this.column(id)
    this.#db.prepare('DELETE FROM columns WHERE id = ?').run(id)
    this.#emit({ type: 'table' })
  }

  /** Encoded clips after `after` that nobody answered the question for, at most `limit`, by id. */
  unanswered(question: string, digest: string, after: number, limit: number): number[] {
    return this.#db
      .prepare(
        `SELECT e.clip_id AS id FROM encodings e WHERE e.pack_digest = ? AND e.clip_id > ?
           AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = e.clip_id AND a.kind = 'answer' AND a.topic = ?) ORDER BY e.clip_id LIMIT ?`,
      )
      .all(digest, after, topicOf(question), limit)
      .map((row) => Number(row['id']))
  }

  /** Annotations that are the cells of a column in these clips, by clip. `question` is null for captions and notes. What a person made and deleted is no cell. */
  annotationsIn(
    clipIds: readonly number[],
    kind: 'caption' | 'answer' | 'note',
    question: string | null,
  ): Map<number, { id: number; state: ReviewState; text: string; machine: boolean }> {
    const rows = this.#db
      .prepare(
        `SELECT id, clip_id, state, machine IS NOT NULL AS machine, shown AS text FROM annotations
         WHERE clip_id IN (SELECT value FROM json_each(?)) AND kind = ? AND topic = ? AND (kind <> 'note' OR state <> 'rejected') ORDER BY id DESC`,
      )
      .all(JSON.stringify(clipIds), kind, question === null ? '' : topicOf(question))
    return new Map(
      rows.map((row) => [
        Number(row['clip_id']),
        { id: Number(row['id']), state: row['state'] as ReviewState, text: String(row['text']), machine: row['machine'] === 1 },
      ]),
    )
  }

  // ── saved views

  views(): View[] {
    return this.#db
      .prepare(`SELECT * FROM views WHERE name <> '' ORDER BY name COLLATE NOCASE`)
      .all()
      .map((row) => ({ id: Number(row['id']), name: String(row['name']), spec: JSON.parse(String(row['spec'])) as TableSpec }))
  }

  /** How the table was left. */
  current(): TableSpec | null {
    const spec = this.#db.prepare(`SELECT spec FROM views WHERE name = ''`).get()?.['spec']
    return typeof spec === 'string' ? (JSON.parse(spec) as TableSpec) : null
  }

  /** @param name Null keeps how the table is left. */
  saveView(name: string | null, spec: TableSpec): void {
    this.#db
      .prepare('INSERT INTO views (name, spec) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec')
      .run(name ?? '', JSON.stringify(spec))
    if (name !== null) this.#emit({ type: 'table' })
  }

  removeView(id: number): void {
    if (this.#db.prepare(`DELETE FROM views WHERE id = ? AND name <> ''`).run(id).changes === 0)
      throw new TubeletError({ code: 'not-found', message: 'There is no such view any more.' })
    this.#emit({ type: 'table' })
  }

  // ── clips that were picked elsewhere

  /** Those that no view names any more are forgotten, except the newest. */
  pick(clipIds: readonly number[]): Picked {
    const id = Number(this.#db.prepare('INSERT INTO picks (clip_ids) VALUES (?)').run(JSON.stringify(clipIds)).lastInsertRowid)
    this.#db
      .prepare(
        `DELETE FROM picks WHERE id <= ? AND id NOT IN (SELECT spec ->> '$.picked.id' FROM views WHERE spec ->> '$.picked.id' IS NOT NULL)`,
      )
      .run(id - PICKS)
    return { id, count: clipIds.length }
  }

  // ── rows

  /** Hear what changed, so that the worker reads it again. */
  hear(event: BackendEvent): void {
    if (this.#rows !== null && (event.type === 'annotations' || event.type === 'clips'))
      for (const id of event.clipIds) this.#changed?.add(id)
    // What is looked for changes the counts of every clip.
    if (event.type === 'labels') this.#changed = null
  }

  /** @throws TubeletError `not-found` when the view that it names was forgotten: open it again. */
  async ask<O extends keyof TableTasks>(op: O, args: TableTasks[O]['args']): Promise<TableTasks[O]['result']> {
    const rows = (this.#rows ??= this.#start())
    const id = (rows.next += 1)
    const changed = this.#changed && [...this.#changed]
    this.#changed = new Set()
    return new Promise((resolve, reject) => {
      rows.waiting.set(id, { resolve, reject })
      rows.worker.postMessage({ id, op, args, changed })
    })
  }

  #start(): Rows {
    const worker = new Worker(new URL(`./table-worker${path.extname(import.meta.url)}`, import.meta.url), { workerData: this.#projectDir })
    const waiting: Rows['waiting'] = new Map()
    worker.on('message', (reply: TableReply) => {
      const asked = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('result' in reply) asked?.resolve(reply.result as never)
      else asked?.reject('gone' in reply ? forgotten() : new Error(`the table failed: ${reply.error}`))
    })
    worker.on('error', (error) => this.#end(waiting, error))
    worker.on('exit', () => this.#end(waiting, forgotten()))
    // Idle, it must not keep a finished command alive.
    worker.unref()
    return { worker, waiting, next: 0 }
  }

  #end(waiting: Rows['waiting'], error: unknown): void {
    if (this.#rows?.waiting === waiting) this.#rows = null
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  async close(): Promise<void> {
    const { worker } = this.#rows ?? {}
    this.#rows = null
    await worker?.terminate()
  }
}

function forgotten(): TubeletError {
  return new TubeletError({ code: 'not-found', message: 'This arrangement of the table was forgotten.', next: 'Open it again.' })
}
