/**
 * `npm run bench -- --search`: how long an exact search takes over libraries of 1,000, 10,000 and 100,000 clips, through the library and
 * its worker as the app does it. Figures, never a pass or fail.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Library } from '../main/library/library.ts'
import type { Sought, SoughtText } from '../main/library/search-worker.ts'

const DIGEST = 'd'.repeat(64)
/** The sizes of tubelet-mini. */
const WIDTH = 96
const REGIONS = 8
const REPEATS = 9

export async function benchSearch(row: (what: string, measured: string, goal: string) => void): Promise<void> {
  // An idle search index does not keep the process alive.
  const awake = setInterval(() => undefined, 1000)
  for (const clips of [1_000, 10_000, 100_000]) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-search-'))
    await Library.open(folder).close()
    fill(folder, clips)
    const library = Library.open(folder)
    const rank = (sought: Sought | null, filters = {}) => library.find.ask('rank', { filters, sought, limit: 60 }, DIGEST)
    const words: SoughtText = { by: 'text', vector: direction(7), scale: 12, against: -5, line: 0, familiar: 'unsaid' }
    const began = performance.now()
    await rank(words)
    row(`First search over ${clips.toLocaleString('en')} clips, the embeddings read`, `${(performance.now() - began).toFixed(0)} ms`, '')
    row(`A further one, median of ${REPEATS}`, `${(await median(() => rank(words))).toFixed(0)} ms`, clips === 100_000 ? '100 ms' : '')
    const say = (text: string, picture: SoughtText | null = null) =>
      library.find.ask('words', { filters: {}, sought: { words: text, guesses: false, classes: [], picture }, limit: 60 }, DIGEST)
    row('By words that a few hundred captions have', `${(await median(() => say('harbour lighthouse'))).toFixed(0)} ms`, '')
    row(
      'By words that a third of them have, and boxes',
      `${(await median(() => say('red car'))).toFixed(0)} ms`,
      clips === 100_000 ? '50 ms' : '',
    )
    row('By such words and by pictures', `${(await median(() => say('red car', words))).toFixed(0)} ms`, clips === 100_000 ? '50 ms' : '')
    row('By words that nothing has', `${(await median(() => say('zxqv blorp'))).toFixed(0)} ms`, '')
    row('Similar to a clip', `${(await median(() => rank({ by: 'clip', clipId: 1 }))).toFixed(0)} ms`, '')
    row(
      'With a label and a review state as filters',
      `${(await median(() => rank(words, { labels: ['car'], state: 'open' }))).toFixed(0)} ms`,
      '',
    )
    await rank({ by: 'region', clipId: 1, vector: direction(9) })
    row(
      `Similar to a box, ${REGIONS} regions a clip`,
      `${(await median(() => rank({ by: 'region', clipId: 1, vector: direction(9) }))).toFixed(0)} ms`,
      '',
    )
    await library.close()
    rmSync(folder, { recursive: true, force: true })
  }
  clearInterval(awake)
}

/** A unit vector, different for each seed. */
function direction(seed: number): Float32Array {
  let state = seed * 2_654_435_761
  const values = Float32Array.from({ length: WIDTH }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0
    return state / 2 ** 31 - 1
  })
  const length = Math.hypot(...values)
  return values.map((value) => value / length)
}

function fill(folder: string, clips: number): void {
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec('PRAGMA synchronous = OFF; BEGIN')
  const source = db.prepare(
    `INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (?, ?, ?, 1, 0, ?, '2026-01-01T00:00:00Z', 'done')`,
  )
  const clip = db.prepare(
    `INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (?, ?, ?, 'window', ?, ?, ?, ?, '[]')`,
  )
  const encoding = db.prepare('INSERT INTO encodings (id, clip_id, pack_digest, embedding, memory) VALUES (?, ?, ?, ?, ?)')
  const regions = db.prepare('INSERT INTO regions (encoding_id, places, vectors) VALUES (?, ?, ?)')
  const track = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, state, updated_at) VALUES (?, 'track', '', ?, 'machine', '2026-01-01')`,
  )
  const said = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, state, updated_at) VALUES (?, 'caption', '', ?, 'machine', '2026-01-01')`,
  )
  const bytes = (vector: Float32Array) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
  const places = JSON.stringify(Array.from({ length: REGIONS }, (_, frame) => ({ frame, box: { cx: 0.5, cy: 0.5, w: 0.2, h: 0.2 } })))
  for (let id = 1; id <= clips; id += 1) {
    const [video, index] = [Math.ceil(id / 100), (id - 1) % 100]
    if (index === 0) source.run(video, `/v/${video}.mp4`, `${video}.mp4`, String(video))
    clip.run(id, video, index, index * 8, index * 8 + 8, index * 200, index * 200 + 200)
    encoding.run(id, id, DIGEST, bytes(direction(id)), new Uint8Array(2))
    regions.run(id, places, bytes(Float32Array.from(Array.from({ length: REGIONS }, (_, at) => [...direction(id * 31 + at)]).flat())))
    said.run(id, JSON.stringify({ kind: 'caption', text: sentence(id) }))
    track.run(id, JSON.stringify({ kind: 'track', label: id % 3 === 0 ? 'car' : 'person', boxes: [] }))
  }
  db.exec('COMMIT')
  db.close()
}

const WORDS =
  'red blue green white black brown car person dog road street house tree water sky table stands drives walks turns waits behind before beside'.split(
    ' ',
  )

/** Twelve words, a few of them common; some captions have a rare one. */
function sentence(id: number): string {
  const words = Array.from(
    { length: 11 },
    (_, at) => WORDS[Math.imul(id * 31 + at * 17 + 7, 2_654_435_761) >>> 27] ?? `word${(id * at) % 5_000}`,
  )
  return [...words, id % 300 === 0 ? 'harbour lighthouse' : `name${id % 20_000}`].join(' ')
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const began = performance.now()
    await run()
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1] ?? NaN
}
