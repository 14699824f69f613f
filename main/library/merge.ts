/**
 * Takes the work of another library into this one: what only they did is added, what both did alike stays, and what both did differently is decided by
 * a person. All of it or nothing, as one step of undo.
 *
 * The other library is a checked copy of the same schema (main/sharing/foreign.ts), read through a connection of its own. Videos are the same by
 * their content, clips by their frames; app/joining says which statements are about the same thing.
 */
import { type DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { AnnotationBody, ReviewState } from '../../app/annotation.ts'
import type { BackendEvent } from '../../app/contract.ts'
import { TubeletError } from '../../app/errors.ts'
import { bothCanStand, joined, lineageAfter, matching, type Statement } from '../../app/joining.ts'
import type { Phrase } from '../../app/phrase.ts'
import { type Label, MOST } from '../../app/vocabulary.ts'
import { type Annotations, layerOf } from './annotations.ts'
import type { Detections } from './detections.ts'
import type { EditHistory, HumanLayer } from './history.ts'
import { freeId, type KeptColumn } from './rows.ts'
import { lineageOf, newVersion, shareNow } from './signed.ts'
import { storedVocabulary } from './spelling.ts'
import type { Table } from './table.ts'

type Row = Record<string, SQLOutputValue>

/** What becomes of a conflict. both: theirs is kept beside ours. */
export type Verdict = 'mine' | 'theirs' | 'both'

/** One side of a conflict: what was decided; `body` is null where it was set back to what the machine says. */
interface Side {
  state: ReviewState
  body: AnnotationBody | null
  by: string | null
  at: string | null
}

export interface Conflict {
  /** Of their annotation: names the conflict. */
  id: number
  /** Ours. */
  clipId: number
  kind: AnnotationBody['kind']
  mine: Side
  theirs: Side
  canBoth: boolean
}

/** What a merge would bring. */
export interface MergePlan {
  /** Their videos that are new here, by their id there. */
  videos: { id: number; name: string }[]
  /** Their videos that lie in the bin here: nothing of them is taken. */
  binned: string[]
  /** Clips that only they have, in videos of both. */
  clips: number
  /** Annotations that are added, or whose newer decision is taken. */
  taken: Record<AnnotationBody['kind'], number>
  /** Things that both decided alike. */
  alike: number
  labels: string[]
  columns: string[]
  views: string[]
  /** The first of them, and how many there are. */
  conflicts: Conflict[]
  differing: number
}

/** Where the file of a video is that only they have. */
export interface Whereabouts {
  path: string
  /** Null where it is not there. */
  stamp: string | null
}

/** One thing to do; ids of new videos and clips are known only when it is done. */
type Deed =
  /** `bin`: what only an undone merge left in the bin, and comes again from the file. */
  | { what: 'source'; theirs: number; bin: number | null }
  | { what: 'clip'; theirs: number; of: number; isNew: boolean }
  | { what: 'layer'; id: number; clipId: number; before: HumanLayer | null; after: HumanLayer; counts: boolean }
  | { what: 'lineage'; id: number; lineage: HumanLayer['lineage'] }
  | { what: 'add'; theirs: Row; clipId: number }
  | { what: 'labels'; labels: readonly Label[] }
  | { what: 'column'; column: Omit<KeptColumn, 'id'> }
  | { what: 'view'; name: string; spec: string }

interface Deciding {
  onConflict: (one: Conflict) => void
  verdictOf: (id: number) => Verdict | undefined
  onAlike: () => void
}

/** Deeds that are prepared at once, and milliseconds after which others have their turn. */
const TOGETHER = 200
const TURN_MS = 25

/** What it needs of the library. */
interface Needs {
  history: EditHistory
  detections: Detections
  table: Table
  emit: (event: BackendEvent) => void
}

export class LibraryMerge {
  readonly #db: DatabaseSync
  readonly #annotations: Annotations
  readonly #of: Needs

  constructor(db: DatabaseSync, annotations: Annotations, of: Needs) {
    this.#db = db
    this.#annotations = annotations
    this.#of = of
  }

  /** What a merge would bring; changes nothing. Others have their turn in between. @param most Conflicts that are told one by one. */
  async plan(theirs: DatabaseSync, most = Infinity): Promise<MergePlan> {
    const taken = { caption: 0, answer: 0, track: 0, note: 0, segment: 0, text: 0 }
    const plan: MergePlan = {
      videos: [],
      binned: this.#binned(theirs),
      clips: 0,
      taken,
      alike: 0,
      labels: [],
      columns: [],
      views: [],
      conflicts: [],
      differing: 0,
    }
    const each = {
      onConflict: (one: Conflict) => {
        plan.differing += 1
        if (plan.conflicts.length < most) plan.conflicts.push(one)
      },
      verdictOf: () => undefined,
      onAlike: () => void (plan.alike += 1),
    }
    for await (const batch of this.#deeds(theirs, each))
      for (const deed of batch) {
        if (deed.what === 'source') plan.videos.push({ id: deed.theirs, name: nameOf(theirs, deed.theirs) })
        else if (deed.what === 'clip' && !deed.isNew) plan.clips += 1
        else if (deed.what === 'add') taken[deed.theirs['kind'] as AnnotationBody['kind']] += 1
        else if (deed.what === 'layer' && deed.counts) taken[deed.after.kind] += 1
        else if (deed.what === 'labels') plan.labels = deed.labels.map(({ name }) => name)
        else if (deed.what === 'column') plan.columns.push(deed.column.text)
        else if (deed.what === 'view') plan.views.push(deed.name)
      }
    return plan
  }

  /**
   * @param verdictOf What becomes of a conflict, by its id; undefined where nobody decided it.
   * @param whereIs Where the file of one of their videos is, by its id there.
   * @returns The step, 0 where there was nothing to take; and which of theirs the new videos and clips are, by their id there.
   * @throws TubeletError `conflict` where something differs that was not decided.
   */
  async take(
    theirs: DatabaseSync,
    description: Phrase,
    verdictOf: (id: number) => Verdict | undefined,
    whereIs: (sourceId: number) => Whereabouts,
  ): Promise<{ step: number; sources: ReadonlyMap<number, number>; clips: ReadonlyMap<number, number> }> {
    const { history } = this.#of
    const ids = { sources: new Map<number, number>(), clips: new Map<number, number>() }
    const onConflict = () => {
      throw new TubeletError({
        code: 'conflict',
        message: 'There is something that both decided differently, and nobody has said what becomes of it.',
        stillWorks: 'Nothing was changed.',
        next: 'Look at the differences again, and decide each.',
      })
    }
    const deeds = this.#deeds(theirs, { onConflict, verdictOf, onAlike: () => undefined })
    const step = await history.whole(deeds, description, (deed) => this.#do(deed, theirs, ids, whereIs, description))
    // What is here now is known to whoever takes it from here, as what was taken is to whoever gave it.
    shareNow(this.#db)
    if (step === 0) return { step, ...ids }
    this.#of.emit({ type: 'sources', ids: [...ids.sources.values()] })
    for (const id of ids.sources.values()) this.#of.emit({ type: 'clips', sourceId: id, clipIds: [] })
    for (const type of ['labels', 'table', 'search', 'bin'] as const) this.#of.emit({ type })
    return { step, ...ids }
  }

  /** Names of their videos that a person removed here. A video that only an undone merge removed is not among them. */
  #binned(theirs: DatabaseSync): string[] {
    return this.#binnedSources(theirs).flatMap(({ name, undone }) => (undone ? [] : [name]))
  }

  #binnedSources(theirs: DatabaseSync): { theirs: number; ours: number; name: string; undone: boolean }[] {
    const select = this.#db.prepare(
      `SELECT b.source_id, EXISTS (SELECT 1 FROM edits e WHERE e.action = 'source' AND e.annotation_id = b.source_id AND e.undone = 1) AS undone
       FROM bin b WHERE b.fingerprint = ? AND NOT EXISTS (SELECT 1 FROM sources s WHERE s.fingerprint = b.fingerprint)`,
    )
    return sourcesOf(theirs).flatMap(({ id, name, fingerprint }) => {
      const row = select.get(fingerprint)
      return row === undefined ? [] : [{ theirs: id, ours: Number(row['source_id']), name, undone: row['undone'] === 1 }]
    })
  }

  /** All that is to be done, some at a time. */
  async *#deeds(theirs: DatabaseSync, deciding: Deciding): AsyncGenerator<Deed[]> {
    let batch: Deed[] = []
    let until = performance.now() + TURN_MS
    for (const deed of this.#all(theirs, deciding)) {
      if (deed !== null) batch.push(deed)
      if (batch.length >= TOGETHER) {
        yield batch
        batch = []
      } else if (performance.now() < until) continue
      await setImmediate()
      until = performance.now() + TURN_MS
    }
    yield batch
  }

  /** All deeds, and null after each small part of work that gives none. */
  *#all(theirs: DatabaseSync, deciding: Deciding): Generator<Deed | null> {
    const vocabulary = storedVocabulary(this.#db)
    const has = new Set(vocabulary.flatMap(({ name, synonyms }) => [name, ...synonyms]).map((name) => name.toLowerCase()))
    const labels = storedVocabulary(theirs)
      .filter(({ name }) => !has.has(name.toLowerCase()))
      .slice(0, MOST.labels - vocabulary.length)
    if (labels.length > 0) yield { what: 'labels', labels }
    const columns = new Set(
      this.#db
        .prepare('SELECT topic FROM columns')
        .all()
        .map(({ topic }) => String(topic)),
    )
    for (const { kind, text, topic, automatic } of theirs.prepare('SELECT * FROM columns ORDER BY id').all())
      if (!columns.has(String(topic)))
        yield { what: 'column', column: { kind: kind as KeptColumn['kind'], text: String(text), automatic: automatic === 1 } }
    const views = new Set(this.#of.table.views().map(({ name }) => name))
    // Clips that were picked by hand have other numbers here.
    for (const { name, spec } of theirs
      .prepare(`SELECT name, spec FROM views WHERE name <> '' AND spec ->> '$.picked' IS NULL ORDER BY id`)
      .all())
      if (!views.has(String(name))) yield { what: 'view', name: String(name), spec: String(spec) }

    const binned = new Map(this.#binnedSources(theirs).map((one) => [one.theirs, one]))
    for (const { id, fingerprint } of sourcesOf(theirs)) {
      const own = this.#db.prepare('SELECT id FROM sources WHERE fingerprint = ?').get(fingerprint)?.['id']
      const bin = binned.get(id)
      if (own !== undefined) yield* this.#ofBoth(theirs, id, Number(own), deciding)
      else if (bin?.undone !== false) {
        yield { what: 'source', theirs: id, bin: bin?.ours ?? null }
        for (const clip of clipsOf(theirs, id)) yield { what: 'clip', theirs: clip.id, of: id, isNew: true }
      }
    }
  }

  /** What is to be done of a video that both have. */
  *#ofBoth(theirs: DatabaseSync, theirId: number, ownId: number, { onConflict, verdictOf, onAlike }: Deciding): Generator<Deed | null> {
    const spanOf = ({ startFrame, endFrame }: { startFrame: number; endFrame: number }) => `${startFrame} ${endFrame}`
    const own = new Map(clipsOf(this.#db, ownId).map((clip) => [spanOf(clip), clip.id]))
    // Which clip is here for each of theirs.
    const clips = new Map<number, number>()
    const decided = new Set(
      theirs
        .prepare(
          `SELECT DISTINCT a.clip_id FROM annotations a JOIN clips c ON c.id = a.clip_id WHERE c.source_id = ? AND a.human IS NOT NULL`,
        )
        .all(theirId)
        .map((row) => Number(row['clip_id'])),
    )
    const fresh = new Set<number>()
    for (const clip of clipsOf(theirs, theirId)) {
      const id = own.get(spanOf(clip))
      if (id !== undefined) clips.set(clip.id, id)
      else if (clip.kind === 'marked' || decided.has(clip.id)) {
        fresh.add(clip.id)
        yield { what: 'clip', theirs: clip.id, of: theirId, isNew: false }
      }
    }
    const said = yield* statementsOf(theirs, theirId, `a.human IS NOT NULL OR a.lineage IS NOT NULL OR a.kind = 'answer'`)
    const given = said.filter(({ row }) => !fresh.has(Number(row['clip_id'])))
    if (given.length === 0) return
    const ours = yield* statementsOf(this.#db, ownId, 'true')
    const byStatement = new Map([...given, ...ours].map((one) => [one.statement, one.row]))
    const rowOf = (one: Statement) => byStatement.get(one) ?? {}
    const pairs = yield* matching(
      ours.map(({ statement }) => statement),
      given.map(({ statement }) => statement),
    )
    const objects = objectsOf(
      pairs,
      ours.map(({ statement }) => statement),
    )
    for (const [their, mine] of pairs) {
      yield null
      const row = rowOf(their)
      const clipId = clips.get(Number(row['clip_id']))
      if (mine === null) {
        // What was set back to a machine's that is not here is nothing.
        if (clipId !== undefined && (their.human !== null || their.kind === 'answer'))
          yield { what: 'add', theirs: withObject(row, objects), clipId }
        continue
      }
      const ownRow = rowOf(mine)
      const [before, after] = [layerOf(ownRow), layerOf(row)]
      const at = { id: mine.id, clipId: Number(ownRow['clip_id']) }
      const become = joined(mine, their)
      if (become === 'take') {
        const lineage = lineageAfter(their.lineage?.now ?? [], mine.lineage, their.lineage)
        const [from, to] = sidesOf(before, { ...after, lineage }, at.clipId, clipId)
        yield { what: 'layer', ...at, clipId: clipId ?? at.clipId, before: from, after: to, counts: true }
      } else if (become === 'alike') {
        if (mine.human !== null) onAlike()
        yield { what: 'lineage', id: mine.id, lineage: unionOf(mine, their) }
      } else if (become === 'conflict') {
        const canBoth = bothCanStand(mine, their)
        const verdict = verdictOf(their.id)
        if (verdict === undefined) {
          onConflict({ id: their.id, clipId: at.clipId, kind: their.kind, mine: sideOf(before), theirs: sideOf(after), canBoth })
          continue
        }
        // Neither side has seen this decision.
        const all = lineageAfter([newVersion()], mine.lineage, their.lineage)
        if (verdict === 'both' && canBoth) {
          const kept = lineageAfter(mine.lineage?.now ?? [], mine.lineage, their.lineage)
          yield { what: 'layer', ...at, before, after: { ...before, lineage: kept }, counts: false }
          yield { what: 'add', theirs: row, clipId: clipId ?? at.clipId }
        } else if (verdict === 'theirs') {
          const [from, to] = sidesOf(before, { ...after, lineage: all }, at.clipId, clipId)
          yield { what: 'layer', ...at, clipId: clipId ?? at.clipId, before: from, after: to, counts: true }
        } else yield { what: 'layer', ...at, before, after: { ...before, lineage: all }, counts: false }
      }
    }
  }

  /** @returns The clip that was changed. */
  #do(
    deed: Deed,
    theirs: DatabaseSync,
    ids: { sources: Map<number, number>; clips: Map<number, number> },
    whereIs: (sourceId: number) => Whereabouts,
    description: Phrase,
  ): number | null {
    const { history, detections, table } = this.#of
    const annotations = this.#annotations
    switch (deed.what) {
      case 'source': {
        if (deed.bin !== null) this.#db.prepare('DELETE FROM bin WHERE source_id = ?').run(deed.bin)
        const sourceId = this.#addSource(theirs, deed.theirs, whereIs(deed.theirs))
        ids.sources.set(deed.theirs, sourceId)
        history.record({ kind: 'source', sourceId, there: true }, description)
        return null
      }
      case 'clip': {
        const sourceId = ids.sources.get(deed.of) ?? this.#ownSource(theirs, deed.of)
        const clipId = copyClip(theirs, this.#db, deed.theirs, sourceId)
        ids.clips.set(deed.theirs, clipId)
        if (!deed.isNew) history.record({ kind: 'clip', clipId, there: true }, description)
        return clipId
      }
      case 'layer': {
        const { id, clipId, before, after } = deed
        const now = this.#db.prepare('SELECT * FROM annotations WHERE id = ?').get(id)
        if (now === undefined || !isDeepStrictEqual(lineageOf(layerOf(now)), before === null ? null : lineageOf(before)))
          throw changedMeanwhile()
        annotations.apply(id, clipId, after)
        history.record({ kind: 'annotation', action: actionOf(after.state), id, clipId, before, after }, description)
        return clipId
      }
      case 'lineage': {
        this.#db.prepare('UPDATE annotations SET lineage = ? WHERE id = ?').run(JSON.stringify(deed.lineage), deed.id)
        return null
      }
      case 'add': {
        const { clipId } = deed
        const row = Object.fromEntries(columnsOf(this.#db, 'annotations').map((name) => [name, deed.theirs[name] ?? null]))
        const id = annotations.bringRow(null, clipId, row)
        history.record({ kind: 'brought', id, clipId, row, there: true }, description)
        return clipId
      }
      case 'labels': {
        const before = detections.vocabulary()
        detections.setVocabulary([...before, ...deed.labels])
        history.record({ kind: 'vocabulary', before, after: detections.vocabulary() }, description)
        return null
      }
      case 'column': {
        const id = Number(
          this.#db
            .prepare(
              `SELECT max(coalesce((SELECT max(id) FROM columns), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'columns'), 0)) + 1 AS id`,
            )
            .get()?.['id'],
        )
        const column = { ...deed.column, id }
        table.placeColumn(column, true)
        history.record({ kind: 'column', column, there: true }, description)
        return null
      }
      case 'view': {
        const view = { name: deed.name, spec: this.#ownSpec(theirs, deed.spec) }
        table.placeView(view, true)
        history.record({ kind: 'view', view, there: true }, description)
        return null
      }
    }
  }

  #ownSource(theirs: DatabaseSync, id: number): number {
    const { fingerprint } = sourcesOf(theirs).find((one) => one.id === id) ?? {}
    return Number(this.#db.prepare('SELECT id FROM sources WHERE fingerprint = ?').get(fingerprint ?? null)?.['id'])
  }

  #addSource(theirs: DatabaseSync, id: number, { path, stamp }: Whereabouts): number {
    const row = theirs.prepare('SELECT * FROM sources WHERE id = ?').get(id) ?? {}
    const own = {
      ...row,
      path,
      stamp,
      file: stamp === null ? 'missing' : 'there',
      seen: null,
      seen_at: null,
      added_at: new Date().toISOString(),
    }
    return insertRow(this.#db, 'sources', { ...own, id: freeIdOf(this.#db, 'sources') })
  }

  /** A view with the columns as they are numbered here. */
  #ownSpec(theirs: DatabaseSync, spec: string): string {
    const topics = new Map(
      theirs
        .prepare('SELECT id, topic FROM columns')
        .all()
        .map(({ id, topic }) => [`q${String(id)}`, String(topic)]),
    )
    const own = new Map(
      this.#db
        .prepare('SELECT id, topic FROM columns')
        .all()
        .map(({ id, topic }) => [String(topic), `q${String(id)}`]),
    )
    return JSON.stringify(JSON.parse(spec), (name, value: unknown) => {
      if ((name !== 'key' && name !== 'group') || typeof value !== 'string') return value
      return own.get(topics.get(value) ?? '') ?? value
    })
  }
}

function changedMeanwhile(): TubeletError {
  return new TubeletError({
    code: 'conflict',
    message: 'Something was changed here while the work was being taken in.',
    stillWorks: 'Nothing was taken.',
    next: 'Look at the differences again.',
  })
}

interface ClipRow {
  id: number
  kind: string
  startFrame: number
  endFrame: number
}

function clipsOf(db: DatabaseSync, sourceId: number): ClipRow[] {
  return db
    .prepare(`SELECT id, kind, start_frame, end_frame FROM clips WHERE source_id = ? AND kind <> 'beginning' ORDER BY start_frame, id`)
    .all(sourceId)
    .map((row) => ({
      id: Number(row['id']),
      kind: String(row['kind']),
      startFrame: Number(row['start_frame']),
      endFrame: Number(row['end_frame']),
    }))
}

function sourcesOf(db: DatabaseSync): { id: number; name: string; fingerprint: string }[] {
  return db
    .prepare('SELECT id, name, fingerprint FROM sources ORDER BY id')
    .all()
    .map((row) => ({ id: Number(row['id']), name: String(row['name']), fingerprint: String(row['fingerprint']) }))
}

function nameOf(db: DatabaseSync, sourceId: number): string {
  return String(db.prepare('SELECT name FROM sources WHERE id = ?').get(sourceId)?.['name'])
}

/** In parts: it gives null after each. */
function* statementsOf(db: DatabaseSync, sourceId: number, which: string): Generator<null, { statement: Statement; row: Row }[]> {
  const ids = db.prepare(
    `SELECT a.id FROM annotations a JOIN clips c ON c.id = a.clip_id WHERE c.source_id = ? AND (${which}) ORDER BY a.id`,
  )
  const rowOf = db.prepare(
    'SELECT a.*, c.start_frame AS first_of_clip, c.end_frame AS end_of_clip FROM annotations a JOIN clips c ON c.id = a.clip_id WHERE a.id = ?',
  )
  const all: { statement: Statement; row: Row }[] = []
  for (const { id = null } of ids.all(sourceId)) {
    yield null
    const found = rowOf.get(id)
    // It may have been taken away meanwhile.
    if (found === undefined) continue
    const { first_of_clip, end_of_clip, ...row } = found
    const layer = layerOf(row)
    const machine = row['machine']
    all.push({
      row,
      statement: {
        id: Number(row['id']),
        kind: layer.kind,
        topic: layer.topic,
        startFrame: Number(first_of_clip),
        endFrame: Number(end_of_clip),
        machine: typeof machine === 'string' ? (JSON.parse(machine) as AnnotationBody) : null,
        human: layer.human,
        state: layer.state,
        lineage: lineageOf(layer),
      },
    })
  }
  return all
}

function objectOf({ human }: Statement): number | undefined {
  return human?.kind === 'track' ? human.object : undefined
}

/** Which number an object of theirs has here: that of ours that it is, else its own if nothing here has that, else a new one. */
function objectsOf(pairs: ReadonlyMap<Statement, Statement | null>, ours: readonly Statement[]): Map<number, number> {
  const found = new Map<number, number>()
  for (const [their, mine] of pairs) {
    const [number, own] = [objectOf(their), mine === null ? undefined : objectOf(mine)]
    if (number !== undefined && own !== undefined) found.set(number, own)
  }
  const used = new Set([...ours.flatMap((one) => objectOf(one) ?? []), ...found.values()])
  let highest = [...used].reduce((most, one) => Math.max(most, one), 0)
  for (const their of pairs.keys()) {
    const number = objectOf(their)
    if (number === undefined || found.has(number)) continue
    const own = used.has(number) ? highest + 1 : number
    highest = Math.max(highest, own)
    found.set(number, own)
    used.add(own)
  }
  return found
}

/** The row of a track with the number that its object has here. */
function withObject(row: Row, objects: ReadonlyMap<number, number>): Row {
  const human = typeof row['human'] === 'string' ? (JSON.parse(row['human']) as AnnotationBody) : null
  if (human?.kind !== 'track' || human.object === undefined) return row
  return { ...row, human: JSON.stringify({ ...human, object: objects.get(human.object) ?? human.object }) }
}

/** The versions of two that say the same are all its own. */
function unionOf(mine: Statement, their: Statement): HumanLayer['lineage'] {
  return lineageAfter([...(mine.lineage?.now ?? []), ...(their.lineage?.now ?? [])], mine.lineage, their.lineage)
}

/** Where it lies in another clip there, it is moved. */
function sidesOf(before: HumanLayer, after: HumanLayer, from: number, to: number | undefined): [HumanLayer, HumanLayer] {
  return to === undefined || to === from
    ? [before, after]
    : [
        { ...before, clipId: from },
        { ...after, clipId: to },
      ]
}

function sideOf({ state, human, by, at }: HumanLayer): Side {
  return { state, body: human, by: by ?? null, at: at ?? null }
}

function actionOf(state: ReviewState): 'accept' | 'reject' | 'edit' | 'reset' {
  return ({ accepted: 'accept', rejected: 'reject', edited: 'edit', machine: 'reset' } as const)[state]
}

// ── rows

function columnsOf(db: DatabaseSync, table: string): string[] {
  return db
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
}

function freeIdOf(db: DatabaseSync, table: 'sources' | 'clips'): number {
  return Number(db.prepare(`SELECT ${freeId(table)} AS id`).get()?.['id'])
}

/** @returns Its rowid. */
function insertRow(db: DatabaseSync, table: string, row: Row): number {
  const names = columnsOf(db, table).filter((name) => name in row)
  const insert = db.prepare(
    `INSERT INTO ${table} (${names.map((name) => `"${name}"`).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  )
  return Number(insert.run(...names.map((name) => row[name] ?? null)).lastInsertRowid)
}

/** Copy a clip with everything that belongs to it. Regions and facts are computed again when needed. @returns Its id here. */
function copyClip(from: DatabaseSync, to: DatabaseSync, theirs: number, sourceId: number): number {
  const rowsOf = (table: string, column = 'clip_id') => from.prepare(`SELECT * FROM ${table} WHERE ${column} = ?`).all(theirs)
  const [clip = {}] = rowsOf('clips', 'id')
  const clipId = insertRow(to, 'clips', { ...clip, id: freeIdOf(to, 'clips'), source_id: sourceId })
  const without = ({ id: _, ...row }: Row): Row => {
    void _
    return { ...row, clip_id: clipId }
  }
  for (const row of rowsOf('encodings')) insertRow(to, 'encodings', without(row))
  for (const table of ['detections', 'seen', 'cells', 'unanswered', 'asked'])
    for (const row of rowsOf(table)) insertRow(to, table, { ...row, clip_id: clipId })
  const candidates = new Map(rowsOf('candidates').map((row) => [Number(row['id']), insertRow(to, 'candidates', without(row))]))
  const annotations = new Map(
    rowsOf('annotations').map((row) => {
      const candidate = row['candidate'] === null ? null : (candidates.get(Number(row['candidate'])) ?? null)
      return [Number(row['id']), insertRow(to, 'annotations', { ...without(row), candidate })]
    }),
  )
  for (const row of rowsOf('replaced'))
    insertRow(to, 'replaced', { ...without(row), annotation_id: annotations.get(Number(row['annotation_id'])) ?? 0 })
  return clipId
}
