/** The table of clips or videos: added columns and saved views are stored here, rows are arranged in a worker thread. */
import type { DatabaseSync } from 'node:sqlite'
import type { ReviewState } from '../../app/annotation.ts'
import type { BackendEvent } from '../../app/contract.ts'
import type { ColumnKind, Picked, TableSpec, View } from '../../app/contract/table.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { type Phrase, said } from '../../app/phrase.ts'
import { topicOf } from '../../app/table/question.ts'
import { Channel, thread } from '../channel.ts'
import type { EditHistory, KeptView } from './history.ts'
import type { KeptColumn } from './rows.ts'
import type { TableService, TableTasks } from './table-worker.ts'

/** So many picks that no view names are kept, since one may still be on a screen. */
const PICKS = 10

/** When the worker dies, all arrangements are gone; the window makes its own again. */
const STOPPED: Problem = { code: 'not-found', message: 'This arrangement of the table was forgotten.', next: 'Open it again.' }

/** Columns of one topic are one column. */
const topicOfColumn = (kind: ColumnKind, text: string) => `${kind === 'count' ? 'count' : 'question'} ${topicOf(text)}`

const describedAs = (deed: Phrase, { text }: KeptColumn) => said('{{deed}} · {{source}}', { deed, source: text })

export class Table {
  readonly #db: DatabaseSync
  readonly #history: EditHistory
  readonly #emit: (event: BackendEvent) => void
  readonly #asked: (question: string) => void
  /** Clips that changed since the worker was last asked; null for all. */
  #changed: Set<number> | null = new Set()
  /** Whether the worker was started: before that, changes need not be collected. */
  #reading = false
  readonly #worker: Channel<TableService>

  /** @param asked Called in the transaction that adds or removes the column of a question. */
  constructor(
    projectDir: string,
    db: DatabaseSync,
    history: EditHistory,
    emit: (event: BackendEvent) => void,
    asked: (question: string) => void,
  ) {
    this.#asked = asked
    this.#db = db
    this.#history = history
    this.#emit = emit
    this.#worker = new Channel(() => {
      this.#reading = true
      return thread(import.meta.url, 'table-worker', projectDir)
    }, STOPPED)
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
        message: 'There is no such column.',
        next: 'Add it: the answers of a column that was removed are still there.',
      })
    return column
  }

  /** The same question is the same column, however it is typed; added again, it gets the new kind. A new one is a step of undo. */
  addColumn(kind: ColumnKind, text: string, automatic: boolean): KeptColumn {
    const topic = topicOfColumn(kind, text)
    const known = this.#db.prepare('SELECT id FROM columns WHERE topic = ?').get(topic)
    if (known !== undefined) {
      const id = Number(known['id'])
      this.#db.prepare('UPDATE columns SET kind = ?, automatic = max(automatic, ?) WHERE id = ?').run(kind, Number(automatic), id)
      this.#emit({ type: 'table' })
      return this.column(id)
    }
    const { result } = this.#history.asOneStep(() => {
      const { lastInsertRowid } = this.#db
        .prepare('INSERT INTO columns (kind, text, topic, automatic) VALUES (?, ?, ?, ?)')
        .run(kind, text.trim(), topic, Number(automatic))
      const column = this.column(Number(lastInsertRowid))
      this.#history.record({ kind: 'column', column, there: true }, describedAs(said('Column added'), column))
      if (kind !== 'count') this.#asked(text)
      return column
    })
    this.#emit({ type: 'table' })
    this.#emit({ type: 'history' })
    return result
  }

  setAutomatic(id: number, automatic: boolean): void {
    if (
      this.#db.prepare('UPDATE columns SET automatic = ? WHERE id = ? AND automatic <> ?').run(Number(automatic), id, Number(automatic))
        .changes > 0
    )
      this.#emit({ type: 'table' })
  }

  /** A step of undo. Its answers stay with the clips, but ask for nothing there any more. @throws TubeletError `not-found` */
  removeColumn(id: number): void {
    const column = this.column(id)
    this.#history.asOneStep(() => {
      this.#history.record({ kind: 'column', column, there: false }, describedAs(said('Column removed'), column))
      this.#db.prepare('DELETE FROM columns WHERE id = ?').run(id)
      if (column.kind !== 'count') this.#asked(column.text)
    })
    this.#emit({ type: 'table' })
    this.#emit({ type: 'history' })
  }

  /** Undo and redo of both. A column that was added again in the meantime stays as it is. */
  placeColumn({ id, kind, text, automatic }: KeptColumn, there: boolean): void {
    if (there)
      this.#db
        .prepare('INSERT OR IGNORE INTO columns (id, kind, text, topic, automatic) VALUES (?, ?, ?, ?, ?)')
        .run(id, kind, text, topicOfColumn(kind, text), Number(automatic))
    else this.#db.prepare('DELETE FROM columns WHERE id = ?').run(id)
    if (kind !== 'count') this.#asked(text)
    this.#emit({ type: 'table' })
  }

  /** Ids above `after` of encoded clips without an answer to the question, ascending, at most `limit`. */
  unanswered(question: string, digest: string, after: number, limit: number): number[] {
    return this.#db
      .prepare(
        `SELECT e.clip_id AS id FROM encodings e WHERE e.pack_digest = ? AND e.clip_id > ?
           AND NOT EXISTS (SELECT 1 FROM annotations a WHERE a.clip_id = e.clip_id AND a.kind = 'answer' AND a.topic = ?) ORDER BY e.clip_id LIMIT ?`,
      )
      .all(digest, after, topicOf(question), limit)
      .map((row) => Number(row['id']))
  }

  /** Store why nothing can answer a question about a clip; null where it was answered. */
  setUnanswered(clipId: number, question: string, why: Problem | null): void {
    const topic = topicOf(question)
    if (why === null) this.#db.prepare('DELETE FROM unanswered WHERE topic = ? AND clip_id = ?').run(topic, clipId)
    else {
      this.#db
        .prepare('INSERT INTO unanswered (topic, clip_id, why) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET why = excluded.why')
        .run(topic, clipId, JSON.stringify(why))
      this.#emit({ type: 'annotations', clipIds: [clipId] })
    }
  }

  /** Why nothing could answer a question about a clip; null where that is not stored: it was answered, or not asked. */
  whyUnanswered(clipId: number, question: string): Problem | null {
    const row = this.#db.prepare('SELECT why FROM unanswered WHERE clip_id = ? AND topic = ?').get(clipId, topicOf(question))
    return row === undefined ? null : (JSON.parse(String(row['why'])) as Problem)
  }

  /** In how many of the encoded clips nothing can answer a question. */
  refused(question: string, digest: string): { refused: number; asked: number } {
    const row = this.#db
      .prepare(
        'SELECT count(*) AS asked, count(u.clip_id) AS refused FROM encodings e LEFT JOIN unanswered u ON u.clip_id = e.clip_id AND u.topic = ? WHERE e.pack_digest = ?',
      )
      .get(topicOf(question), digest)
    return { refused: Number(row?.['refused']), asked: Number(row?.['asked']) }
  }

  /** By clip, the annotations that are the cells of a column. `question` is null for captions and notes. What a person made and then deleted is left out. */
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

  /** The table's state when it was last used. */
  current(): TableSpec | null {
    const spec = this.#db.prepare(`SELECT spec FROM views WHERE name = ''`).get()?.['spec']
    return typeof spec === 'string' ? (JSON.parse(spec) as TableSpec) : null
  }

  /** @param name Null stores the table's current state. */
  saveView(name: string | null, spec: TableSpec): void {
    this.#db
      .prepare('INSERT INTO views (name, spec) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET spec = excluded.spec')
      .run(name ?? '', JSON.stringify(spec))
    if (name !== null) this.#emit({ type: 'table' })
  }

  placeView({ name, spec }: KeptView, there: boolean): void {
    if (there) this.#db.prepare('INSERT OR IGNORE INTO views (name, spec) VALUES (?, ?)').run(name, spec)
    else this.#db.prepare('DELETE FROM views WHERE name = ?').run(name)
    this.#emit({ type: 'table' })
  }

  removeView(id: number): void {
    if (this.#db.prepare(`DELETE FROM views WHERE id = ? AND name <> ''`).run(id).changes === 0)
      throw new TubeletError({ code: 'not-found', message: 'There is no such view.', next: 'Reload the list.' })
    this.#emit({ type: 'table' })
  }

  // ── clips that were picked elsewhere

  /** @throws TubeletError `not-found` if these picked clips are not kept. */
  checkPick(id: number): void {
    if (this.#db.prepare('SELECT 1 FROM picks WHERE id = ?').get(id) === undefined)
      throw new TubeletError({
        code: 'not-found',
        message: 'The clips that were chosen are not kept.',
        field: 'body.picked',
        next: 'Choose them again.',
      })
  }

  /** Store picked clips. Picks that no view names are deleted, except the newest. */
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

  /** Note what changed, so that the worker reads it again. */
  hear(event: BackendEvent): void {
    if (this.#reading && (event.type === 'annotations' || event.type === 'clips')) for (const id of event.clipIds) this.#changed?.add(id)
    // A change of the vocabulary changes the counts of every clip.
    if (event.type === 'labels') this.#changed = null
  }

  /**
   * @throws TubeletError `not-found` when the arrangement was dropped or the worker died: make it again.
   */
  ask<O extends keyof TableTasks>(op: O, args: TableTasks[O]['args']): Promise<TableTasks[O]['result']> {
    const changed = this.#changed && [...this.#changed]
    this.#changed = new Set()
    return this.#worker.call(op, { args, changed })
  }

  close(): Promise<void> {
    return this.#worker.close()
  }
}
