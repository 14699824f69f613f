/**
 * Exact search beside the host's thread. It reads the library through a connection of its own and keeps the embeddings of one pack as one
 * matrix, adding only what is new since the last query: encodings of different packs never meet.
 */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { RelativeBox } from '../../app/boxes.ts'
import type { Filters } from '../../app/contract/find.ts'
import { frameMeans, type TubeInput } from '../../app/tubes.ts'
import { conditionOf } from './filters.ts'
import { best, outstanding, picked, SAME_PICTURE, Vectors } from './vectors.ts'

/** What to compare clips with. */
export type Sought =
  /** Texts: scored by their log-odds, scale * cosine + bias; or against rivals, with the log of the sum of exp(scale * cosine) over those in the place of -bias. */
  | { by: 'text'; vector: Float32Array; scale: number; against: number | Float32Array[]; line: number }
  | { by: 'clip'; clipId: number }
  /** The regions of clips with one of `clipId`. */
  | { by: 'region'; vector: Float32Array; clipId: number }

export interface Calls {
  rank: { input: { filters: Filters; sought: Sought | null; limit: number }; output: Ranking }
  curve: { input: { sourceId: number; sought: Sought; input: TubeInput; dims: { tokens: number; memory: number } }; output: RawCurve }
  facets: { input: null; output: { labels: { label: string; clips: number }[]; questions: { question: string; clips: number }[] } }
  /** Captions that use some of the words, most of them first. */
  phrases: { input: { words: string[]; most: number }; output: string[] }
}
export interface Ranking {
  /** `score`: log-odds for a text, else a cosine. */
  ranked: { clipId: number; score: number | null; place: { frame: number; box: RelativeBox } | null; alike: number[] }[]
  line: number | null
  matches: number
  searched: number
  total: number
}
export interface RawCurve {
  line: number
  clips: { clipId: number; score: number | null }[]
  moments: { clipId: number; frame: number; score: number }[]
}

export type Task = { [N in keyof Calls]: { id: number; name: N; input: Calls[N]['input']; digest: string; generation: number } }[keyof Calls]
export type Reply = { id: number; output: Calls[keyof Calls]['output'] } | { id: number; error: string }

const db = new DatabaseSync(path.join(workerData as string, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
const newerClips = db.prepare(`SELECT e.id, e.clip_id, c.source_id, e.embedding FROM encodings e JOIN clips c ON c.id = e.clip_id WHERE e.pack_digest = ? AND e.id > ? ORDER BY e.id`)
const newerRegions = db.prepare(`SELECT r.encoding_id, e.clip_id, r.places, r.vectors FROM regions r JOIN encodings e ON e.id = r.encoding_id WHERE e.pack_digest = ? AND r.encoding_id > ? ORDER BY r.encoding_id`)

/** An unlikely match of frame-wise means with the clip's own embedding: the tokens of such a pack live in a space of their own. */
const COMPARABLE = 0.95
/** Candidates beyond what is shown, so that enough are left when copies have collapsed. */
const SPARE = 3

/** Everything of one pack, as of one generation of the library. */
class Index {
  readonly digest: string
  readonly generation: number
  clips = new Vectors(0)
  /** By row of `clips`. */
  readonly clipIds: number[] = []
  readonly sourceIds: number[] = []
  readonly rowOf = new Map<number, number>()
  regions = new Vectors(0)
  /** By row of `regions`. */
  readonly places: { frame: number; box: RelativeBox }[] = []
  /** The row of its clip in `clips`. */
  readonly regionRows: number[] = []
  /** By row of `clips`: whether it has regions. */
  readonly described = new Set<number>()
  #lastClip = 0
  #lastRegions = 0

  constructor(digest: string, generation: number) {
    this.digest = digest
    this.generation = generation
  }

  refreshClips(): void {
    for (const row of newerClips.iterate(this.digest, this.#lastClip)) {
      const bytes = row['embedding'] as Uint8Array
      const clipId = Number(row['clip_id'])
      if (this.clips.width === 0) this.clips = new Vectors(bytes.byteLength / 4)
      // A clip that was encoded anew has its old row.
      const at = this.rowOf.get(clipId) ?? this.clips.rows
      this.clips.set(bytes, at)
      this.rowOf.set(clipId, at)
      this.clipIds[at] = clipId
      this.sourceIds[at] = Number(row['source_id'])
      this.#lastClip = Number(row['id'])
    }
  }

  refreshRegions(): void {
    for (const row of newerRegions.iterate(this.digest, this.#lastRegions)) {
      const at = this.rowOf.get(Number(row['clip_id'])) ?? 0
      const places = JSON.parse(String(row['places'])) as { frame: number; box: RelativeBox }[]
      const bytes = row['vectors'] as Uint8Array
      if (this.regions.width === 0) this.regions = new Vectors(bytes.byteLength / 4 / places.length)
      this.regions.set(bytes)
      this.places.push(...places)
      for (let place = 0; place < places.length; place += 1) this.regionRows.push(at)
      this.described.add(at)
      this.#lastRegions = Number(row['encoding_id'])
    }
  }
}

let index = new Index('', -1)

function indexFor({ digest, generation }: Pick<Task, 'digest' | 'generation'>): Index {
  if (index.digest !== digest || index.generation !== generation) index = new Index(digest, generation)
  index.refreshClips()
  return index
}

/** Ids of the clips that pass, in source and time order; null for all of them. */
function passing(filters: Filters): number[] | null {
  const condition = conditionOf(filters)
  if (condition === null) return null
  const { where, values } = condition
  return db.prepare(`SELECT c.id FROM clips c JOIN sources s ON s.id = c.source_id WHERE ${where} ORDER BY c.source_id, c.start_frame`).all(...values).map((row) => Number(row['id']))
}

function clipCount(): number {
  return Number(db.prepare('SELECT count(*) AS n FROM clips').get()?.['n'])
}

function rank(index: Index, { filters, sought, limit }: Calls['rank']['input']): Ranking {
  const allowed = passing(filters)
  if (sought === null) {
    const ids = allowed ?? db.prepare('SELECT id FROM clips ORDER BY source_id, start_frame').all().map((row) => Number(row['id']))
    return { ranked: ids.slice(0, limit).map((clipId) => ({ clipId, score: null, place: null, alike: [] })), line: null, matches: ids.length, searched: ids.length, total: ids.length }
  }
  const { scores, line, places } = compare(index, sought)
  const among = allowed && new Set(allowed)
  const self = sought.by === 'text' ? null : sought.clipId
  const passes = rowsThat(index, (row) => {
    const clipId = index.clipIds[row] ?? 0
    return clipId !== self && (among === null || among.has(clipId)) && (sought.by !== 'region' || index.described.has(row))
  })
  const top = best(scores, passes, limit * SPARE, line)
  const total = (allowed?.length ?? clipCount()) - (self !== null && (among === null || among.has(self)) ? 1 : 0)
  const ranked = collapse(index, top.rows).slice(0, limit).map(({ row, alike }) => {
    const place = places?.[row]
    return { clipId: index.clipIds[row] ?? 0, score: scores[row] ?? 0, place: place ? { frame: place.frame, box: place.box } : null, alike: alike.map((copy) => index.clipIds[copy] ?? 0) }
  })
  return { ranked, line, matches: top.matches, searched: top.compared, total }
}

/** 1 for each row that passes. */
function rowsThat({ clips }: Index, pass: (row: number) => boolean): Uint8Array {
  const rows = new Uint8Array(clips.rows)
  for (let row = 0; row < rows.length; row += 1) rows[row] = Number(pass(row))
  return rows
}

/** A score for each row of the index; and for regions, which one of the clip's it is. */
function compare(index: Index, sought: Sought): { scores: Float32Array; line: number; places: (Index['places'][number] | undefined)[] | null } {
  if (sought.by === 'text') {
    const { against, scale, line } = sought
    const rivals = typeof against === 'number' ? null : rivalsOf(index, against, scale)
    const bias = typeof against === 'number' ? against : 0
    return { scores: index.clips.cosines(sought.vector).map((cosine, row) => scale * cosine + (rivals ? -(rivals[row] ?? 0) : bias)), line, places: null }
  }
  const own = index.rowOf.get(sought.clipId)
  if (own === undefined) throw new Error('the clip is not encoded')
  // The rest of a video is like its clips: what stands out is told by the other videos.
  const line = (scores: Float32Array) => {
    const others = rowsThat(index, (row) => index.sourceIds[row] !== index.sourceIds[own] && (sought.by === 'clip' || index.described.has(row)))
    return outstanding(picked(scores, others))
  }
  if (sought.by === 'clip') {
    const scores = index.clips.cosines(index.clips.row(own))
    return { scores, line: line(scores), places: null }
  }
  index.refreshRegions()
  const scores = new Float32Array(index.clips.rows).fill(-1)
  const likest = new Int32Array(index.clips.rows).fill(-1)
  const cosines = index.regions.cosines(sought.vector)
  for (let at = 0; at < cosines.length; at += 1) {
    const row = index.regionRows[at] ?? 0
    const cosine = cosines[at] ?? 0
    if (cosine <= (scores[row] ?? 0)) continue
    scores[row] = cosine
    likest[row] = at
  }
  const places = Array.from(likest, (at) => index.places[at])
  return { scores, line: line(scores), places }
}

/** Copies of a clip in other files go beneath the best of them. */
function collapse(index: Index, rows: readonly number[]): { row: number; alike: number[] }[] {
  const kept: { row: number; alike: number[] }[] = []
  for (const row of rows) {
    let likest: { cosine: number; alike: number[] } | null = null
    for (const other of kept) {
      if (index.sourceIds[other.row] === index.sourceIds[row]) continue
      const cosine = index.clips.cosine(other.row, row)
      if (cosine >= SAME_PICTURE && cosine > (likest?.cosine ?? 0)) likest = { cosine, alike: other.alike }
    }
    if (likest) likest.alike.push(row)
    else kept.push({ row, alike: [] })
  }
  return kept
}

function curve(index: Index, { sourceId, sought, ...pack }: Calls['curve']['input']): RawCurve {
  const { scores, line } = compare(index, sought)
  const ids = db.prepare('SELECT id FROM clips WHERE source_id = ? ORDER BY start_frame').all(sourceId).map((row) => Number(row['id']))
  const clips = ids.map((clipId) => {
    const row = index.rowOf.get(clipId)
    return { clipId, score: row === undefined ? null : (scores[row] ?? null) }
  })
  const vector = sought.by === 'text' ? sought.vector : sought.by === 'clip' ? index.clips.row(index.rowOf.get(sought.clipId) ?? 0) : null
  const moments = vector === null ? [] : clips.flatMap(({ clipId, score }) => {
    const row = index.rowOf.get(clipId)
    if (score === null || row === undefined) return []
    // Of a text the odds of a moment differ from those of its clip by the cosine alone.
    const whole = dot(vector, index.clips.row(row))
    return momentsOf(index, clipId, row, vector, pack).map(({ frame, cosine }) => ({ clipId, frame, score: sought.by === 'text' ? score + sought.scale * (cosine - whole) : cosine }))
  })
  return { line, clips, moments }
}

/** The same comparison with the tokens that read single frames, for packs whose tokens lie in the space of their embeddings. */
function momentsOf(index: Index, clipId: number, row: number, vector: Float32Array, { input, dims }: Pick<Calls['curve']['input'], 'input' | 'dims'>): { frame: number; cosine: number }[] {
  if (dims.memory !== vector.length) return []
  const memory = db.prepare('SELECT memory FROM encodings WHERE clip_id = ? AND pack_digest = ?').get(clipId, index.digest)?.['memory']
  if (!(memory instanceof Uint8Array) || memory.byteLength !== dims.tokens * dims.memory * 2) return []
  const means = frameMeans(new Float16Array(new Uint8Array(memory).buffer), input)
  const whole = unit(means.reduce((sum, { mean }) => sum.map((value, i) => value + (mean[i] ?? 0)), new Float32Array(dims.memory)))
  if (dot(whole, index.clips.row(row)) < COMPARABLE) return []
  return means.map(({ frame, mean }) => ({ frame, cosine: dot(unit(mean), vector) }))
}

/** For each clip the log of the sum of exp(scale * cosine) over the rivals. */
function rivalsOf({ clips }: Index, texts: readonly Float32Array[], scale: number): Float32Array {
  const cosines = texts.map((text) => clips.cosines(text))
  return Float32Array.from({ length: clips.rows }, (_, row) => {
    const scaled = cosines.map((one) => scale * (one[row] ?? 0))
    const largest = Math.max(...scaled)
    return largest + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - largest), 0))
  })
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / (length || 1))
}

function facets(): Calls['facets']['output'] {
  const labels = db.prepare(
    `SELECT json_extract(coalesce(human, machine), '$.label') AS label, count(DISTINCT clip_id) AS clips FROM annotations WHERE kind = 'track' AND state <> 'rejected' GROUP BY lower(label) ORDER BY clips DESC, label`,
  )
  const questions = db.prepare(
    `SELECT json_extract(coalesce(human, machine), '$.question') AS question, count(*) AS clips FROM annotations WHERE kind = 'answer' AND state <> 'rejected' GROUP BY topic ORDER BY clips DESC, question`,
  )
  return {
    labels: labels.all().map((row) => ({ label: String(row['label']), clips: Number(row['clips']) })),
    questions: questions.all().map((row) => ({ question: String(row['question']), clips: Number(row['clips']) })),
  }
}

function phrases({ words, most }: Calls['phrases']['input']): string[] {
  const captions = db.prepare(
    `SELECT text, sum((SELECT count(*) FROM json_each(?) w WHERE instr(' ' || lower(text) || ' ', ' ' || w.value || ' ') > 0)) / count(*) AS used, count(*) AS n
     FROM (SELECT json_extract(coalesce(human, machine), '$.text') AS text FROM annotations WHERE kind = 'caption' AND state <> 'rejected')
     GROUP BY text HAVING used > 0 ORDER BY used DESC, n DESC, text LIMIT ?`,
  )
  return captions.all(JSON.stringify(words), most).map((row) => String(row['text']))
}

function perform(task: Task): Calls[keyof Calls]['output'] {
  switch (task.name) {
    case 'rank':
      return rank(indexFor(task), task.input)
    case 'curve':
      return curve(indexFor(task), task.input)
    case 'facets':
      return facets()
    case 'phrases':
      return phrases(task.input)
  }
}

parentPort?.on('message', (task: Task) => {
  try {
    parentPort?.postMessage({ id: task.id, output: perform(task) } satisfies Reply)
  } catch (error) {
    parentPort?.postMessage({ id: task.id, error: String(error) } satisfies Reply)
  }
})
