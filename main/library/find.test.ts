import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AnnotationBody, Evidence } from '../../app/annotation.ts'
import type { Filters } from '../../app/contract/find.ts'
import { killNewestThreadWhenAsked } from '../threads.testing.ts'
import { Library } from './library.ts'
import { DIGEST, mammut, provenance } from './shower.testing.ts'
import type { Sought } from './search-worker.ts'
import { best, outstanding, SAME_PICTURE, Vectors } from './vectors.ts'

const said = (body: AnnotationBody, evidence: Evidence | null = null) => ({ body, evidence, provenance })

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-find-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values)
  return Float32Array.from(values, (value) => value / length)
}
const scattered = (seed: number) => unit(Array.from({ length: 8 }, (_, at) => (Math.sin(seed * 12.9898 + at * 78.233) * 43758.5453) % 1))
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

function addClip(
  file: string,
  index: number,
  embedding: Float32Array | null,
  { text = 'a dog', unsure = false, labels = [] as string[], seconds = 8, digest = DIGEST } = {},
): number {
  const { source } = library.addSource({ path: `/v/${file}`, name: file, bytes: 1, mtimeMs: Date.UTC(2020, 0, 1), fingerprint: file })
  const start = index * 10
  const clipId = library.saveClip(source.id, {
    index,
    kind: 'window',
    start,
    end: start + seconds,
    startFrame: index * 250,
    endFrame: index * 250 + 200,
    frames: [],
  })
  if (embedding) {
    library.saveClipResult(clipId, mammut(digest), { embedding, memory: new Uint16Array([1]), tokens: new Uint16Array([1]) }, [], {
      caption: said({ kind: 'caption', text }, { confidence: 0.5, unsure, agreement: 0, frames: [] }),
      seen: null,
    })
    library.saveMachine(
      clipId,
      'track',
      labels.map((label) => said({ kind: 'track', label, boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 1, y2: 1 }, score: 1 }] })),
    )
  }
  return clipId
}
const rank = (
  sought: Sought | null,
  { filters = {}, limit = 50, digest = DIGEST }: { filters?: Filters; limit?: number; digest?: string } = {},
) => library.find.ask('rank', { filters, sought, limit }, digest)
const towards = (vector: Float32Array, line = -1): Sought => ({ by: 'text', vector, scale: 1, against: 0, line, familiar: 'unsaid' })
const idsOf = async (filters: Filters) => (await rank(null, { filters })).ranked.map(({ clipId }) => clipId)

test('search is exact, sees what is new, and forgets what is removed', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => addClip(`${index}.mp4`, 0, scattered(index)))
  const query = scattered(1000)
  const expected = () =>
    ids
      .map((clipId, seed) => ({ clipId, seed }))
      .sort((a, b) => cosine(scattered(b.seed), query) - cosine(scattered(a.seed), query))
      .map(({ clipId }) => clipId)
  const first = await rank(towards(query), { limit: 5 })
  expect(first).toMatchObject({ searched: 40, total: 40, matches: 40 })
  expect(first.ranked.map(({ clipId }) => clipId)).toEqual(expected().slice(0, 5))
  ids.push(addClip('40.mp4', 0, scattered(40)))
  addClip('41.mp4', 0, null)
  const second = await rank(towards(query), { limit: 100 })
  expect(second.ranked.map(({ clipId }) => clipId)).toEqual(expected())
  expect(second).toMatchObject({ searched: 41, total: 42 })
  library.removeSource(library.clip(ids[0] ?? 0).sourceId)
  const third = await rank(towards(query), { limit: 100 })
  expect(third.searched).toBe(40)
  expect(third.ranked.map(({ clipId }) => clipId)).not.toContain(ids[0])
})

test('encodings of different packs never meet', async () => {
  addClip('a.mp4', 0, scattered(1))
  const other = addClip('b.mp4', 0, unit([1, 2, 3]), { digest: 'e'.repeat(64) })
  expect((await rank(towards(scattered(1)))).searched).toBe(1)
  const found = await rank(towards(unit([1, 2, 3])), { digest: 'e'.repeat(64) })
  expect(found.ranked.map(({ clipId }) => clipId)).toEqual([other])
  expect((await rank(towards(scattered(1)))).searched).toBe(1)
})

test('against rivals a clip that anything matches is no match', async () => {
  const [plain = 0, telling = 0] = [unit([1, 0, 1, 0, 0, 0, 0, 0]), unit([1, 0, 0, 0, 0, 0, 0, 1])].map((embedding, at) =>
    addClip(`${at}.mp4`, 0, embedding),
  )
  const [query, rival] = [unit([1, 0, 0, 0, 0, 0, 0, 0]), unit([0, 0, 1, 0, 0, 0, 0, 0])]
  const { ranked, matches } = await rank({ by: 'text', vector: query, scale: 10, against: [rival, rival], line: 0, familiar: 'unsaid' })
  expect(ranked.map(({ clipId }) => clipId)).toEqual([telling, plain])
  // Both have a cosine of 0.7 with the query; the first has the same with each of the two rivals, the other is orthogonal to them.
  expect(ranked[0]?.score).toBeCloseTo(10 * Math.SQRT1_2 - Math.log(2), 4)
  expect(ranked[1]?.score).toBeCloseTo(-Math.log(2), 4)
  expect(matches).toBe(1)
})

test('copies in other files go beneath the best of them; windows of one file stay apart', async () => {
  const picture = unit([1, 0, 0, 0, 0, 0, 0, 0])
  const nearly = (by: number) => unit([1, by, 0, 0, 0, 0, 0, 0])
  const original = addClip('a.mp4', 0, nearly(0.01))
  const copy = addClip('copy.mp4', 0, nearly(0.05))
  const sibling = addClip('a.mp4', 1, nearly(0.02))
  const other = addClip('c.mp4', 0, nearly(0.5))
  expect(cosine(nearly(0.01), nearly(0.05))).toBeGreaterThan(SAME_PICTURE)
  const { ranked, matches } = await rank(towards(picture, 0.5))
  expect(ranked.map(({ clipId, alike }) => ({ clipId, alike }))).toEqual([
    { clipId: original, alike: [] },
    { clipId: sibling, alike: [copy] },
    { clipId: other, alike: [] },
  ])
  expect(matches).toBe(4)
})

test('a copy of a clip is more like it than anything else, and stands out', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => addClip(`${index}.mp4`, 0, scattered(index)))
  const copy = addClip(
    'copy.mp4',
    0,
    scattered(3).map((value, at) => value + (at === 0 ? 0.001 : 0)),
  )
  const found = await rank({ by: 'clip', clipId: ids[3] ?? 0 })
  expect(found.ranked[0]?.clipId).toBe(copy)
  expect(found.ranked.map(({ clipId }) => clipId)).not.toContain(ids[3])
  expect(found).toMatchObject({ searched: 30, total: 30 })
  expect(found.line ?? 2).toBeLessThanOrEqual(SAME_PICTURE)
  expect(found.matches).toBeLessThan(8)
})

test('a region is sought among the regions of other clips', async () => {
  const [mine = 0, near = 0, far = 0] = [1, 2, 3].map((seed) => addClip(`${seed}.mp4`, 0, scattered(seed)))
  const box = (cx: number) => ({ cx, cy: 0.5, w: 0.2, h: 0.2 })
  expect(library.find.undescribed(DIGEST, 10)).toEqual([mine, near, far])
  const save = (clipId: number, vectors: Float32Array[]) =>
    library.find.saveRegions(clipId, DIGEST, {
      frames: vectors.map((_, at) => at),
      boxes: vectors.map((_, at) => box(at / 10)),
      vectors: Float32Array.from(vectors.flatMap((vector) => [...vector])),
    })
  save(mine, [unit([1, 0, 0])])
  save(near, [unit([0, 1, 0]), unit([1, 0.1, 0])])
  expect(await rank({ by: 'region', clipId: mine, vector: unit([1, 0, 0]) })).toMatchObject({ searched: 1, total: 2 })
  save(far, [unit([0, 0, 1])])
  const { ranked } = await rank({ by: 'region', clipId: mine, vector: unit([1, 0, 0]) })
  expect(ranked.map(({ clipId, place }) => ({ clipId, place }))).toEqual([
    { clipId: near, place: { frame: 1, box: box(0.1) } },
    { clipId: far, place: { frame: 0, box: box(0) } },
  ])
  expect(library.find.undescribed(DIGEST, 10)).toEqual([])
})

describe('filters', () => {
  test('by label, words, answer, state, video, length and date, together and with a query', async () => {
    const car = addClip('a.mp4', 0, scattered(1), { text: 'a red car', labels: ['Car', 'person'], unsure: true })
    const dog = addClip('a.mp4', 1, scattered(2), { text: 'a dog', labels: ['dog'], seconds: 3 })
    const none = addClip('b.mp4', 0, scattered(3), { text: 'nothing' })
    library.saveMachine(dog, 'answer', [said({ kind: 'answer', question: 'What colour is it?', text: 'Brown' })])
    library.saveMachine(none, 'answer', [said({ kind: 'answer', question: 'what colour is it', text: 'red' })])
    expect(await idsOf({})).toEqual([car, dog, none])
    expect(await idsOf({ labels: ['car'] })).toEqual([car])
    expect(await idsOf({ labels: ['car', 'PERSON'] })).toEqual([car])
    expect(await idsOf({ labels: ['car', 'dog'] })).toEqual([])
    expect(await idsOf({ says: 'RED' })).toEqual([car, none])
    expect(await idsOf({ answer: { question: 'What colour is it' } })).toEqual([dog, none])
    expect(await idsOf({ answer: { question: 'what colour is it?', text: 'brow' } })).toEqual([dog])
    expect(await idsOf({ state: 'unsure' })).toEqual([car])
    expect(await idsOf({ sourceIds: [library.clip(none).sourceId] })).toEqual([none])
    expect(await idsOf({ minSeconds: 3, maxSeconds: 8 })).toEqual([dog])
    expect(await idsOf({ recordedFrom: '2020-01-01T00:00:00Z', recordedBefore: '2020-01-01T00:00:01Z' })).toHaveLength(3)
    expect(await idsOf({ recordedBefore: '2020-01-01T01:00:00+02:00' })).toEqual([])
    expect(await idsOf({ addedFrom: '2020-01-02T00:00:00Z' })).toHaveLength(3)
    const [track] = library.annotations(car).filter(({ body }) => body.kind === 'track')
    library.review(track?.id ?? 0, 'reject')
    expect(await idsOf({ labels: ['car'] })).toEqual([])
    expect(await idsOf({ state: 'rejected' })).toEqual([car])
    expect(await idsOf({ state: 'open' })).toEqual([dog, none])
    const found = await rank(towards(scattered(3)), { filters: { says: 'red' } })
    expect(found.ranked.map(({ clipId }) => clipId)).toEqual([none, car])
    expect(found).toMatchObject({ searched: 2, total: 2 })
    const { labels, questions } = await library.find.ask('facets', null)
    expect(labels).toEqual([
      { label: 'dog', clips: 1, unsure: false },
      { label: 'person', clips: 1, unsure: false },
    ])
    expect(questions.map(({ clips }) => clips)).toEqual([2])
  })

  test('hostile values are only values', async () => {
    const id = addClip('a.mp4', 0, scattered(1), { text: `it's 100% "quoted"; -- \\ _` })
    expect(await idsOf({ says: `it's 100% "quoted"; -- \\ _` })).toEqual([id])
    expect(await idsOf({ says: `' OR 1=1 --` })).toEqual([])
    expect(await idsOf({ labels: [`') OR 1=1 --`] })).toEqual([])
  })
})

test('captions that use the words are suggested, most words first', async () => {
  addClip('a.mp4', 0, scattered(1), { text: 'a red car drives left' })
  addClip('b.mp4', 0, scattered(2), { text: 'a car stands' })
  addClip('c.mp4', 0, scattered(3), { text: 'a carpet' })
  expect(await library.find.ask('phrases', { words: ['red', 'car'], most: 3 })).toEqual(['a red car drives left', 'a car stands'])
  expect(await library.find.ask('phrases', { words: [], most: 3 })).toEqual([])
})

test('the best of many scores are the best, equals in order, and the line is where asked', () => {
  const scores = Float32Array.from({ length: 500 }, (_, row) => Math.round(Math.sin(row * 7.1) * 20) / 20)
  const passes = Uint8Array.from({ length: 500 }, (_, row) => Number(row % 3 !== 0))
  const expected = [...scores.keys()].filter((row) => row % 3 !== 0).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
  const found = best(scores, passes, 37, 0.5)
  expect(found.rows).toEqual(expected.slice(0, 37))
  expect(found.matches).toBe(expected.filter((row) => (scores[row] ?? 0) >= 0.5).length)
  expect(found.compared).toBe(expected.length)
  expect(best(new Float32Array(0), new Uint8Array(0), 5, 0)).toMatchObject({ rows: [], matches: 0 })
})

test('likeness stands out from a library two deviations over its median', () => {
  const of = (...scores: number[]) => outstanding(Float32Array.from(scores), new Uint8Array(scores.length).fill(1))
  // Median 0.3; the distances from it have the median 0.1.
  expect(of(0.5, 0.2, 0.3, 0.1, 0.4)).toBeCloseTo(0.3 + 2 * 1.4826 * 0.1, 5)
  expect(of()).toBe(SAME_PICTURE)
  expect(of(0.9, 0.95, 0.99)).toBeLessThanOrEqual(SAME_PICTURE)
  expect(outstanding(Float32Array.of(0.5, 0.2, 1, 0.3, 0.1, 0.4, 1), Uint8Array.of(1, 1, 0, 1, 1, 1, 0))).toBe(of(0.5, 0.2, 0.3, 0.1, 0.4))
})

test('a matrix grows and replaces rows, and takes no vector of another length or without a direction', () => {
  const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
  const vectors = new Vectors(2)
  for (let row = 0; row < 9; row++) vectors.set(bytes(row, 1))
  vectors.set(bytes(5, 5), 2)
  expect(vectors.rows).toBe(9)
  const { cosines, within } = vectors.cosines(Float32Array.of(1, 0))
  expect([...cosines]).toEqual([0, 1, 5, 3, 4, 5, 6, 7, 8])
  expect(within).toBe(0)
  expect(vectors.cosine(Float32Array.of(0, 1), 1)).toBe(1)
  for (const wrong of [bytes(1), bytes(1, 2, 3), bytes(0, 0), bytes(1, NaN), bytes(Infinity, 1), bytes(1, 2, 0, 0), new Uint8Array(0)])
    expect(() => vectors.set(wrong)).toThrow(RangeError)
  expect(vectors.rows).toBe(9)
})

/** Numbers from -1 to 1, the same in every run. */
function numbers(): () => number {
  let state = 1
  return () => (state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0) / 2 ** 31 - 1
}

test('a matrix of any width and size is compared as the sums say, and the best of it are those that sorting gives', () => {
  const random = numbers()
  for (const [width, rows, floats] of [
    [3, 20_000, 20_000],
    [96, 9_000, 9_000],
    [90, 100, 100],
    // As above a million: rows become two bytes a number when one more comes.
    [3, 20_000, 10_000],
    [96, 9_000, 100],
    [90, 101, 100],
  ] as const) {
    const vectors = new Vectors(width, floats)
    // As in a library: videos, whose clips are alike. One video is still.
    const all: Float32Array[] = []
    for (let row = 0; row < rows; row += 1) {
      const spread = row < 1_000 ? 0.0005 : 0.5
      const other = row % 10 === 0 || row === 0 ? null : all[row - 1]
      all.push(
        unit(Array.from({ length: width }, (_, at) => (other ? (other[at] ?? 0) + (spread * random()) / Math.sqrt(width) : random()))),
      )
    }
    for (const row of all) vectors.set(new Uint8Array(row.buffer))
    vectors.set(new Uint8Array((all[7] ?? expect.fail()).buffer), 8)
    all[8] = all[7] ?? expect.fail()
    for (const query of [unit(Array.from({ length: width }, random)), all[50] ?? expect.fail(), all.at(-1) ?? expect.fail()]) {
      const { cosines, within } = vectors.cosines(query)
      const exact = Float32Array.from(all, (_, row) => vectors.cosine(query, row))
      const sums = all.map((row) => row.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0))
      const farthest = (some: Float32Array, others: ArrayLike<number>) =>
        some.reduce((most, value, row) => Math.max(most, Math.abs(value - (others[row] ?? NaN))), 0)
      expect(farthest(exact, sums)).toBeLessThan(rows > floats ? 3e-5 : 1e-6)
      expect(farthest(cosines, exact)).toBeLessThan(Math.max(within, 1e-6))
      expect(within).toBeLessThan(0.02)
      expect(vectors.row(rows - 1).every((value, at) => Math.abs(value - (all.at(-1)?.[at] ?? NaN)) < (rows > floats ? 3e-5 : 1e-9))).toBe(
        true,
      )

      const passes = Uint8Array.from(all, (_, row) => Number(row % 3 !== 0))
      const truth = within === 0 ? cosines.slice() : exact
      const order = [...truth.keys()].filter((row) => passes[row] === 1).sort((a, b) => (truth[b] ?? 0) - (truth[a] ?? 0) || a - b)
      const median = truth.toSorted()[rows >> 1] ?? 0
      const everything = new Uint8Array(rows).fill(1)
      const spread = truth.map((value) => Math.abs(value - median)).sort()[rows >> 1] ?? 0
      expect(Math.abs(outstanding(cosines, everything) - Math.min(SAME_PICTURE, median + 2 * 1.4826 * spread))).toBeLessThanOrEqual(
        4 * within + 1e-6,
      )
      for (const line of [0.1, median, truth[order[40] ?? 0] ?? 0]) {
        const found = best(cosines.slice(), passes, 25, line, { within, settled: (row) => vectors.cosine(query, row) })
        expect([found.rows, found.compared]).toEqual([order.slice(0, 25), order.length])
        const reach = (least: number) => order.filter((row) => (truth[row] ?? 0) >= least).length
        expect(found.matches).toBeGreaterThanOrEqual(reach(line + within))
        expect(found.matches).toBeLessThanOrEqual(reach(line - within))
      }
    }
  }
})

test('an embedding without a direction or of another length is not stored, and one that is there already is set aside and told', async () => {
  const clips = [1, 2, 3, 4].map((seed) => addClip(`${seed}.mp4`, 0, scattered(seed)))
  for (const wrong of [new Float32Array(8), scattered(5).fill(NaN, 3, 4), Float32Array.of(1, 0)])
    expect(() => addClip('5.mp4', 0, wrong)).toThrow(RangeError)
  expect((await rank(towards(scattered(1)))).searched).toBe(4)
  const other = new DatabaseSync(path.join(folder, 'library.sqlite'))
  for (const [clipId, wrong] of [
    [clips[1], new Float32Array(8)],
    [clips[2], Float32Array.of(1, 0)],
  ] as const)
    other.prepare('UPDATE encodings SET embedding = ? WHERE clip_id = ?').run(new Uint8Array(wrong.buffer), clipId ?? 0)
  other.close()
  library.find.forget()
  const told: unknown[] = []
  library.onChange((event) => event.type === 'told' && told.push(event.phrase))
  expect(await library.damage.despite(() => rank(towards(scattered(1))))).toMatchObject({ searched: 2, total: 5 })
  expect(told).toEqual([expect.objectContaining({ values: { count: 2, file: path.join(folder, 'damaged-rows.jsonl') } })])
  // The same of regions.
  const box = { cx: 0.5, cy: 0.5, w: 0.2, h: 0.2 }
  const vectors = Float32Array.of(0, 0, 0, 1, 0, 0)
  library.find.saveRegions(clips[0] ?? 0, DIGEST, { frames: [0, 1], boxes: [box, box], vectors })
  library.find.saveRegions(clips[3] ?? 0, DIGEST, { frames: [0, 1], boxes: [box, box], vectors })
  const { ranked } = await rank({ by: 'region', clipId: clips[0] ?? 0, vector: unit([1, 0, 0]) })
  expect(ranked.map(({ clipId, score, place }) => [clipId, score, place?.frame])).toEqual([[clips[3], 1, 1]])
})

test('a search whose worker dies is told, and the next one is answered by another', async () => {
  addClip('a.mp4', 0, unit([1, 0]), { labels: ['car'] })
  await library.find.ask('facets', null)
  killNewestThreadWhenAsked()
  await expect(library.find.ask('facets', null)).rejects.toMatchObject({
    problem: { code: 'internal', message: 'The search stopped unexpectedly.' },
  })
  expect((await library.find.ask('facets', null)).labels).toEqual([{ label: 'car', clips: 1, unsure: false }])
})
