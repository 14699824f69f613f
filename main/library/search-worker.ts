/**
 * Exact search in a worker thread. It reads the library through its own connection and keeps the embeddings of one pack as one
 * matrix, adding only what is new since the last query. Encodings of different packs are never compared.
 */
import path from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import type { RelativeBox } from '../../app/boxes.ts'
import type { Filters } from '../../app/contract/find.ts'
import { frameMeans, type TubeInput } from '../../app/tubes.ts'
import { dot } from '../../app/vector.ts'
import { serve } from '../channel.ts'
import { conditionOf } from './filters.ts'
import { TRACKS_IN_CLIPS } from './reach.ts'
import { UNSURE_NAME } from './rows.ts'
import { WordSearch } from './search-words.ts'
import { best, type Doubt, outstanding, SAME_PICTURE, Vectors } from './vectors.ts'

/**
 * A text, scored by its log-odds, scale * cosine + bias; or, against rivals, with the log of the sum of exp(scale * cosine) over the rivals instead of -bias.
 * `familiar`: whether only clips familiar to the pack count, or any, unfamiliar ones as guesses; `unsaid` for a pack that cannot tell.
 */
export interface SoughtText {
  by: 'text'
  vector: Float32Array
  scale: number
  against: number | Float32Array[]
  line: number
  familiar: 'unsaid' | 'only' | 'any'
}
/** What to compare clips with. */
export type Sought =
  | SoughtText
  | { by: 'clip'; clipId: number }
  /** Compare the regions of clips with one region of `clipId`. */
  | { by: 'region'; vector: Float32Array; clipId: number }

/** Words, and what a pack compares with pictures for them, if it does. `classes`: names that boxes may have, besides existing labels. */
export interface SoughtWords {
  words: string
  guesses: boolean
  classes: readonly string[]
  picture: SoughtText | null
}

export interface Calls {
  words: { input: { filters: Filters; sought: SoughtWords; limit: number }; output: WordRanking }
  /** All clips that `words` counts as matches. */
  saying: { input: { filters: Filters; sought: SoughtWords }; output: number[] }
  /** Labels of tracks, those in most clips first. */
  labels: { input: null; output: string[] }
  /** Whether some or all of the clips that the pack encoded are familiar to it. */
  familiar: { input: null; output: { some: boolean; all: boolean } }
  rank: { input: { filters: Filters; sought: Sought | null; limit: number }; output: Ranking }
  /** All clips that `rank` counts as matches; all that pass the filters if nothing is sought. */
  matching: { input: { filters: Filters; sought: Sought | null }; output: number[] }
  curve: { input: { sourceId: number; sought: Sought; input: TubeInput; dims: { tokens: number; memory: number } }; output: RawCurve }
  facets: {
    input: null
    output: { labels: { label: string; clips: number; unsure: boolean }[]; questions: { question: string; clips: number }[] }
  }
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
export interface WordRanking {
  /**
   * `score`: the log-odds of the picture, null if it does not count. `guess`: the clip is not familiar to the pack. `ids`: the annotations for which it
   * is found, best first. `told`: the words of facts.
   */
  ranked: { clipId: number; score: number | null; guess: boolean; ids: number[]; told: string[]; named: boolean; alike: number[] }[]
  /** If nothing matches, the clips that come closest. */
  nearest: WordRanking['ranked']
  matches: number
  searched: number
  total: number
  unknown: string[]
}
export interface RawCurve {
  line: number
  clips: { clipId: number; score: number | null }[]
  moments: { clipId: number; frame: number; score: number }[]
}

/** Which index a call needs: the encodings of one pack at one generation of the library. */
interface Over {
  digest: string
  generation: number
}
export type SearchService = { [N in keyof Calls]: { input: Over & { input: Calls[N]['input'] }; output: Calls[N]['output'] } }

const db = new DatabaseSync(path.join(workerData as string, 'library.sqlite'), { readOnly: true, timeout: 5_000 })
// By id, so that a query reads new encodings only; another query plan would scan all encodings of the pack.
const newerClips = db.prepare(
  `SELECT e.id, e.clip_id, c.source_id, e.embedding, json_extract(e.caption, '$.evidence.unfamiliar') AS unfamiliar FROM encodings e CROSS JOIN clips c ON c.id = e.clip_id WHERE +e.pack_digest = ? AND e.id > ? ORDER BY e.id`,
)
const newerRegions = db.prepare(
  `SELECT r.encoding_id, e.clip_id, r.vectors FROM regions r CROSS JOIN encodings e ON e.id = r.encoding_id WHERE +e.pack_digest = ? AND r.encoding_id > ? ORDER BY r.encoding_id`,
)
const regionWidth = db.prepare('SELECT length(vectors) / 4 / json_array_length(places) AS width FROM regions WHERE encoding_id = ?')
const placesOf = db.prepare(
  `SELECT r.places FROM regions r JOIN encodings e ON e.id = r.encoding_id WHERE e.clip_id = ? AND e.pack_digest = ?`,
)

/** Least cosine between the mean of a clip's tokens and its embedding at which tokens can be compared with queries. Below it they are in another space. */
const COMPARABLE = 0.95
/** So many times as many candidates as are shown, so that enough are left after copies are collapsed. */
const SPARE = 3

/** The embeddings and regions of one pack at one generation of the library. */
class Index {
  readonly digest: string
  readonly generation: number
  clips = new Vectors(0)
  /** Clip id by row of `clips`. */
  readonly clipIds: number[] = []
  readonly sourceIds: number[] = []
  /** By row: 1 if the clip is familiar to the pack. */
  readonly familiar: number[] = []
  readonly rowOf = new Map<number, number>()
  regions = new Vectors(0)
  /** For each clip with regions: its row of `clips`, and the row of its first region. They end where the next clip's begin. */
  readonly described: { row: number; from: number }[] = []
  #lastClip = 0
  #lastRegions = 0

  constructor(digest: string, generation: number) {
    this.digest = digest
    this.generation = generation
  }

  /** @throws RangeError at an embedding of another length or without a direction: the library then sets it aside (damaged-rows.ts). */
  refreshClips(): void {
    for (const row of newerClips.iterate(this.digest, this.#lastClip)) {
      const bytes = row['embedding'] as Uint8Array
      const clipId = Number(row['clip_id'])
      if (this.clips.width === 0) this.clips = new Vectors(bytes.byteLength / 4)
      // A clip that was encoded again keeps its row.
      const at = this.rowOf.get(clipId) ?? this.clips.rows
      this.clips.set(bytes, at)
      this.rowOf.set(clipId, at)
      this.clipIds[at] = clipId
      this.sourceIds[at] = Number(row['source_id'])
      this.familiar[at] = Number(row['unfamiliar'] === 0)
      this.#lastClip = Number(row['id'])
    }
  }

  refreshRegions(): void {
    for (const row of newerRegions.iterate(this.digest, this.#lastRegions)) {
      const bytes = row['vectors'] as Uint8Array
      this.#lastRegions = Number(row['encoding_id'])
      if (bytes.byteLength === 0) continue
      if (this.regions.width === 0) this.regions = new Vectors(Number(regionWidth.get(row['encoding_id'] ?? 0)?.['width']))
      this.described.push({ row: this.rowOf.get(Number(row['clip_id'])) ?? 0, from: this.regions.rows })
      this.regions.set(bytes)
    }
  }
}

let index = new Index('', -1)

function indexFor({ digest, generation }: Over): Index {
  if (index.digest !== digest || index.generation !== generation) index = new Index(digest, generation)
  index.refreshClips()
  return index
}

/** Ids of the clips that pass; null for all of them. */
function passing(filters: Filters, order = ''): number[] | null {
  const condition = conditionOf(filters)
  if (condition === null) return null
  const { where, values } = condition
  return ids(`SELECT c.id FROM clips c JOIN sources s ON s.id = c.source_id WHERE ${where} ${order}`, ...values)
}

function ids(sql: string, ...values: SQLInputValue[]): number[] {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return (statement.all(...values) as unknown as [number][]).map(([id]) => id)
}

function clipCount(): number {
  return Number(db.prepare('SELECT count(*) AS n FROM clips').get()?.['n'])
}

const IN_ORDER = 'ORDER BY c.source_id, c.start_frame'

function rank(index: Index, { filters, sought, limit }: Calls['rank']['input']): Ranking {
  if (sought === null) {
    const found = passing(filters, IN_ORDER) ?? ids(`SELECT c.id FROM clips c ${IN_ORDER}`)
    return {
      ranked: found.slice(0, limit).map((clipId) => ({ clipId, score: null, place: null, alike: [] })),
      line: null,
      matches: found.length,
      searched: found.length,
      total: found.length,
    }
  }
  const allowed = passing(filters)
  const { scores, line, doubt, likest, passes } = comparedAmong(index, allowed, sought)
  const self = sought.by === 'text' ? null : sought.clipId
  const top = best(scores, passes, limit * SPARE, line, doubt)
  const total = (allowed?.length ?? clipCount()) - (self !== null && (allowed === null || allowed.includes(self)) ? 1 : 0)
  const ranked = collapse(index, top.rows)
    .slice(0, limit)
    .map(({ row, alike }) => {
      const clipId = index.clipIds[row] ?? 0
      return {
        clipId,
        score: scores[row] ?? 0,
        place: likest && placeIn(index, clipId, likest[row] ?? 0),
        alike: alike.map((copy) => index.clipIds[copy] ?? 0),
      }
    })
  return { ranked, line, matches: top.matches, searched: top.compared, total }
}

/** As `compare`. `passes` is 1 for each row that could be compared, is allowed, and is not the sought clip itself. */
function comparedAmong(
  index: Index,
  allowed: readonly number[] | null,
  sought: Sought,
): Omit<Compared, 'compared'> & { passes: Uint8Array } {
  const { compared, ...found } = compare(index, sought)
  const passes = allowed === null ? compared : new Uint8Array(compared.length)
  for (const clipId of allowed ?? []) {
    const row = index.rowOf.get(clipId)
    if (row !== undefined) passes[row] = compared[row] ?? 0
  }
  const self = sought.by === 'text' ? undefined : index.rowOf.get(sought.clipId)
  if (self !== undefined) passes[self] = 0
  return { ...found, passes }
}

function matching(index: Index, { filters, sought }: Calls['matching']['input']): number[] {
  if (sought === null) return passing(filters, IN_ORDER) ?? ids(`SELECT c.id FROM clips c ${IN_ORDER}`)
  const { scores, line, passes } = comparedAmong(index, passing(filters), sought)
  return index.clipIds.filter((_, row) => passes[row] === 1 && (scores[row] ?? 0) >= line)
}

/** Frame and box of the `at`th region of a clip. */
function placeIn({ digest }: Index, clipId: number, at: number): Ranking['ranked'][number]['place'] {
  return (JSON.parse(String(placesOf.get(clipId, digest)?.['places'] ?? '[]')) as { frame: number; box: RelativeBox }[])[at] ?? null
}

interface Compared {
  /** By row of the index; `doubt` says how far they may be off. */
  scores: Float32Array
  doubt: Doubt
  line: number
  /** 1 for each row that could be compared. */
  compared: Uint8Array
  /** By row: which of the clip's regions is most alike. */
  likest: Int32Array | null
}

function compare(index: Index, sought: Sought): Compared {
  const { clips } = index
  const everything = new Uint8Array(clips.rows).fill(1)
  if (sought.by === 'text') {
    const compared = sought.familiar === 'only' ? new Uint8Array(index.familiar) : everything
    return { ...logOdds(clips, sought), line: sought.line, compared, likest: null }
  }
  const own = index.rowOf.get(sought.clipId)
  if (own === undefined) throw new Error('the clip is not encoded')
  // Clips of the same video are alike, so the line is drawn by the scores of other videos.
  const line = (scores: Float32Array, compared: Uint8Array) => {
    const unrelated = compared.slice()
    for (let row = 0; row < unrelated.length; row += 1) if (index.sourceIds[row] === index.sourceIds[own]) unrelated[row] = 0
    return outstanding(scores, unrelated)
  }
  if (sought.by === 'clip') {
    const query = clips.row(own).slice()
    const { cosines: scores, within } = clips.cosines(query)
    const doubt = { within, settled: (row: number) => clips.cosine(query, row) }
    return { scores, doubt, line: line(scores, everything), compared: everything, likest: null }
  }
  index.refreshRegions()
  const scores = new Float32Array(clips.rows).fill(-1)
  const likest = new Int32Array(clips.rows)
  const compared = new Uint8Array(clips.rows)
  const { regions } = index
  const { cosines, within } = regions.cosines(sought.vector)
  /** By row: which of the clips with regions it is. */
  const places = new Int32Array(clips.rows)
  const likestOf = (place: number, cosineOf: (region: number) => number) => {
    const { row, from } = index.described[place] ?? { row: 0, from: 0 }
    const to = index.described[place + 1]?.from ?? regions.rows
    let most = -1
    for (let at = from; at < to; at += 1) {
      const cosine = cosineOf(at)
      if (cosine <= most) continue
      most = cosine
      likest[row] = at - from
    }
    return most
  }
  for (const [place, { row }] of index.described.entries()) {
    compared[row] = 1
    // A clip whose regions were computed again occurs again later, and the later ones count.
    places[row] = place
    scores[row] = likestOf(place, (region) => cosines[region] ?? 0)
  }
  const settled = (row: number) => likestOf(places[row] ?? 0, (region) => regions.cosine(sought.vector, region))
  return { scores, doubt: { within, settled }, line: line(scores, compared), compared, likest }
}

/** Log-odds of a text for each clip. */
function logOdds(clips: Vectors, { vector, scale, against }: SoughtText): Pick<Compared, 'scores' | 'doubt'> {
  const rivals = typeof against === 'number' ? null : against
  const bias = typeof against === 'number' ? against : 0
  const { cosines: scores, within } = clips.cosines(vector)
  const others = (rivals ?? []).map((rival) => clips.cosines(rival))
  const odds = (cosine: number, other: (rival: number) => number) =>
    scale * cosine + (rivals === null ? bias : -logSumExp(rivals.length, (rival) => scale * other(rival)))
  if (rivals === null) for (let row = 0; row < scores.length; row += 1) scores[row] = scale * (scores[row] ?? 0) + bias
  else for (let row = 0; row < scores.length; row += 1) scores[row] = odds(scores[row] ?? 0, (rival) => others[rival]?.cosines[row] ?? 0)
  return {
    scores,
    doubt: {
      // The log of a sum of exponentials is off by no more than the one that is off most.
      within: scale * (within + Math.max(0, ...others.map((other) => other.within))),
      settled: (row) => odds(clips.cosine(vector, row), (rival) => clips.cosine(rivals?.[rival] ?? vector, row)),
    },
  }
}

/** Of `count` numbers; the largest is taken out first, so that the exponentials do not overflow. */
function logSumExp(count: number, value: (nth: number) => number): number {
  let largest = -Infinity
  for (let nth = 0; nth < count; nth += 1) largest = Math.max(largest, value(nth))
  let sum = 0
  for (let nth = 0; nth < count; nth += 1) sum += Math.exp(value(nth) - largest)
  return largest + Math.log(sum)
}

const inWords = new WordSearch(db)
/** Clips found by pictures alone rank below those found by words: scores from PICTURES up to PICTURES + 1. */
const PICTURES = -2
/** From this score on, the match is a person's own or accepted by one: it is never collapsed into a copy. */
const PERSON = 3
/** How many of the closest clips are given if nothing matches. */
const NEAREST = 3

/** Scores by clip of words and pictures on one scale; and the log-odds of the pictures that count. */
function foundBy(index: Index, { filters, sought }: Calls['saying']['input']) {
  const passed = passing(filters)
  const allowed = passed && new Set(passed)
  const said = inWords.find(sought.words, { allowed, classes: sought.classes, guesses: sought.guesses })
  const scores = new Map(said.scores)
  const odds = new Map<number, number>()
  let below: { clipId: number; score: number }[] = []
  let searched: number | null = null
  if (sought.picture !== null) {
    const { picture } = sought
    const { scores: compared, passes, line, doubt } = comparedAmong(index, passed, picture)
    const closest = best(compared, passes, NEAREST, line, doubt)
    searched = closest.compared
    for (let row = 0; row < passes.length; row += 1) {
      const [clipId, score] = [index.clipIds[row] ?? 0, compared[row] ?? 0]
      if (passes[row] !== 1 || score < line || said.excluded(clipId)) continue
      odds.set(clipId, score)
      if (!scores.has(clipId)) scores.set(clipId, PICTURES + 1 / (1 + Math.exp(-score)))
    }
    if (scores.size === 0) {
      const near = closest.rows.map((row) => ({ clipId: index.clipIds[row] ?? 0, score: compared[row] ?? 0 }))
      below = near.filter(({ clipId }) => !said.excluded(clipId))
    }
  }
  return { said, scores, odds, below, total: passed?.length ?? clipCount(), searched }
}

function words(index: Index, { filters, sought, limit }: Calls['words']['input']): WordRanking {
  const { said, scores, odds, below, total, searched } = foundBy(index, { filters, sought })
  const [ids, values] = [[...scores.keys()], Float32Array.from(scores.values())]
  const top = best(values, new Uint8Array(values.length).fill(1), limit * SPARE, -Infinity).rows
  // Copies are collapsed into the best of them, except clips found by a person's own words.
  const own = top
    .filter((row) => (values[row] ?? 0) >= PERSON)
    .map((row): { clipId: number; alike: number[] } => ({ clipId: ids[row] ?? 0, alike: [] }))
  const others = collapseClips(
    index,
    top.slice(own.length).map((row) => ids[row] ?? 0),
  )
  const near = scores.size > 0 ? [] : said.some.length > 0 ? said.some.slice(0, NEAREST).map((clipId) => ({ clipId, score: null })) : below
  const listed = [...own, ...others].slice(0, limit)
  const reasons = said.reasons([...listed, ...near].map(({ clipId }) => clipId))
  const hit = (clipId: number, score: number | null, alike: number[]) => {
    const guess = score !== null && sought.picture?.familiar === 'any' && index.familiar[index.rowOf.get(clipId) ?? -1] !== 1
    return {
      clipId,
      score,
      guess,
      ids: reasons.get(clipId) ?? [],
      told: said.told(clipId).map(wordsOfFact),
      named: said.named(clipId, sourceOf(clipId)),
      alike,
    }
  }
  return {
    ranked: listed.map(({ clipId, alike }) => hit(clipId, odds.get(clipId) ?? null, alike)),
    nearest: near.map(({ clipId, score }) => hit(clipId, score, [])),
    matches: scores.size,
    searched: searched ?? total,
    total,
    unknown: said.unknown,
  }
}

function saying(index: Index, input: Calls['saying']['input']): number[] {
  const { scores } = foundBy(index, input)
  return [...scores].sort(([, a], [, b]) => b - a).map(([clipId]) => clipId)
}

function wordsOfFact(id: number): string {
  return String(db.prepare('SELECT words FROM told WHERE id = ?').get(id)?.['words'])
}

function sourceOf(clipId: number): number {
  return Number(db.prepare('SELECT source_id FROM clips WHERE id = ?').get(clipId)?.['source_id'])
}

/** Collapses copies of a clip in other files into the best of them; clips that are not encoded stay single. */
function collapseClips(index: Index, clipIds: readonly number[]): { clipId: number; alike: number[] }[] {
  const beneath = new Map(
    collapse(
      index,
      clipIds.flatMap((clipId) => index.rowOf.get(clipId) ?? []),
    ).map(({ row, alike }) => [index.clipIds[row] ?? 0, alike.map((copy) => index.clipIds[copy] ?? 0)]),
  )
  return clipIds.flatMap((clipId) =>
    beneath.has(clipId) || !index.rowOf.has(clipId) ? [{ clipId, alike: beneath.get(clipId) ?? [] }] : [],
  )
}

/** The same for rows of the index. */
function collapse(index: Index, rows: readonly number[]): { row: number; alike: number[] }[] {
  const kept: { row: number; alike: number[] }[] = []
  for (const row of rows) {
    let likest: { cosine: number; alike: number[] } | null = null
    for (const other of kept) {
      if (index.sourceIds[other.row] === index.sourceIds[row]) continue
      const cosine = index.clips.cosine(index.clips.row(other.row), row)
      if (cosine >= SAME_PICTURE && cosine > (likest?.cosine ?? 0)) likest = { cosine, alike: other.alike }
    }
    if (likest) likest.alike.push(row)
    else kept.push({ row, alike: [] })
  }
  return kept
}

function curve(index: Index, { sourceId, sought, ...pack }: Calls['curve']['input']): RawCurve {
  const { scores, line, doubt, compared } = compare(index, sought)
  const ids = db
    .prepare('SELECT id FROM clips WHERE source_id = ? ORDER BY start_frame')
    .all(sourceId)
    .map((row) => Number(row['id']))
  const clips = ids.map((clipId) => {
    const row = index.rowOf.get(clipId)
    if (row === undefined || (sought.by === 'text' && compared[row] !== 1)) return { clipId, score: null }
    return { clipId, score: doubt.within > 0 && compared[row] === 1 ? doubt.settled(row) : (scores[row] ?? null) }
  })
  const vector = sought.by === 'text' ? sought.vector : sought.by === 'clip' ? index.clips.row(index.rowOf.get(sought.clipId) ?? 0) : null
  const moments =
    vector === null
      ? []
      : clips.flatMap(({ clipId, score }) => {
          const row = index.rowOf.get(clipId)
          if (score === null || row === undefined) return []
          // For a text, the log-odds of a moment differ from those of its clip only by the cosine.
          const whole = dot(vector, index.clips.row(row))
          return momentsOf(index, clipId, row, vector, pack).map(({ frame, cosine }) => ({
            clipId,
            frame,
            score: sought.by === 'text' ? score + sought.scale * (cosine - whole) : cosine,
          }))
        })
  return { line, clips, moments }
}

/** The same comparison with the tokens of single frames, for packs whose tokens lie in the space of their embeddings. */
function momentsOf(
  index: Index,
  clipId: number,
  row: number,
  vector: Float32Array,
  { input, dims }: Pick<Calls['curve']['input'], 'input' | 'dims'>,
): { frame: number; cosine: number }[] {
  if (dims.memory !== vector.length) return []
  const memory = db.prepare('SELECT memory FROM encodings WHERE clip_id = ? AND pack_digest = ?').get(clipId, index.digest)?.['memory']
  if (!(memory instanceof Uint8Array) || memory.byteLength !== dims.tokens * dims.memory * 2) return []
  const means = frameMeans(new Float16Array(new Uint8Array(memory).buffer), input)
  const whole = unit(means.reduce((sum, { mean }) => sum.map((value, i) => value + (mean[i] ?? 0)), new Float32Array(dims.memory)))
  if (dot(whole, index.clips.row(row)) < COMPARABLE) return []
  return means.map(({ frame, mean }) => ({ frame, cosine: dot(unit(mean), vector) }))
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / (length || 1))
}

function facets(): Calls['facets']['output'] {
  const labels = db.prepare(
    `SELECT t.label, count(DISTINCT t.clip_id) AS clips, ${UNSURE_NAME} AS unsure FROM (${TRACKS_IN_CLIPS}) t
     GROUP BY lower(t.label) ORDER BY unsure, clips DESC, t.label`,
  )
  const questions = db.prepare(
    `SELECT (SELECT json_extract(coalesce(b.human, b.machine), '$.question') FROM annotations b WHERE b.kind = 'answer' AND b.topic = a.topic AND b.state <> 'rejected' LIMIT 1) AS question, count(*) AS clips
     FROM annotations a WHERE a.kind = 'answer' AND a.state <> 'rejected' GROUP BY a.topic ORDER BY clips DESC, question`,
  )
  return {
    labels: labels.all().map((row) => ({ label: String(row['label']), clips: Number(row['clips']), unsure: row['unsure'] === 1 })),
    questions: questions.all().map((row) => ({ question: String(row['question']), clips: Number(row['clips']) })),
  }
}

function phrases({ words, most }: Calls['phrases']['input']): string[] {
  const captions = db.prepare(
    `SELECT text, sum((SELECT count(*) FROM json_each(?) w WHERE instr(' ' || lower(text) || ' ', ' ' || w.value || ' ') > 0)) / count(*) AS used, count(*) AS n
     FROM (SELECT a.shown AS text FROM annotations a JOIN findable f ON f.id = a.id WHERE a.kind = 'caption' AND f.standing > 0)
     GROUP BY text HAVING used > 0 ORDER BY used DESC, n DESC, text LIMIT ?`,
  )
  return captions.all(JSON.stringify(words), most).map((row) => String(row['text']))
}

serve<SearchService>({
  words: ({ input, ...over }) => words(indexFor(over), input),
  saying: ({ input, ...over }) => saying(indexFor(over), input),
  labels: () => facets().labels.map(({ label }) => label),
  familiar: (over) => {
    const { familiar } = indexFor(over)
    return { some: familiar.some(Boolean), all: familiar.every(Boolean) }
  },
  rank: ({ input, ...over }) => rank(indexFor(over), input),
  matching: ({ input, ...over }) => matching(indexFor(over), input),
  curve: ({ input, ...over }) => curve(indexFor(over), input),
  facets,
  phrases: ({ input }) => phrases(input),
})
