/**
 * `npm run bench -- --vectors`: comparing one embedding with a million and ten million others, as search does it, beside usearch's exact search. What is
 * found is compared with plain sums over all floats.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { random } from '../app/random.ts'
import { dot } from '../app/vector.ts'
import { best, Vectors } from '../main/library/vectors.ts'
import { openTubelet } from '../main/open.ts'

const USEARCH = '2.26.2'
const REPEATS = 9
const SHOWN = 60
/** As many as search asks for, so that enough are left when copies are collapsed. */
const SOUGHT = 3 * SHOWN
const TOGETHER = 10_000
/** Vectors of noise. */
const NOISES = 4_096
/** Length of the noise that is added to a real embedding: from the same picture encoded again to other pictures of the same kind. */
const NOISE = [0.02, 0.1, 0.3, 0.6, 1] as const

type Row = (what: string, measured: string, goal: string) => void
interface Usearch {
  MetricKind: { IP: unknown }
  exactSearch: (
    rows: Float32Array | Int8Array,
    query: Float32Array | Int8Array,
    width: number,
    most: number,
    metric: unknown,
    threads: number,
  ) => { keys: BigUint64Array }
}

/** @param videos Whose embeddings all others are made of. */
export async function benchVectors(row: Row, videos: readonly string[]): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-vectors-'))
  try {
    const real = await embeddingsOf(videos, folder)
    const usearch = installed(folder)
    if (usearch === null) row(`usearch ${USEARCH}`, 'not measured: it could not be installed', '')
    for (const [count, goal] of [
      [1_000_000, '150 ms'],
      [10_000_000, '300 ms'],
    ] as const)
      compared(row, real, count, goal, usearch)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compared(row: Row, real: readonly Float32Array[], count: number, goal: string, usearch: Usearch | null): void {
  const width = real[0]?.length ?? 0
  const name = count.toLocaleString('en')
  const needed = count * width * (4 + (usearch === null ? 2 : 1 + 4))
  if (os.freemem() < 1.2 * needed) {
    row(`${name} × ${width}`, `not measured: ${(needed / 1e9).toFixed(1)} GB are not free`, goal)
    return
  }
  const noise = noises(width)
  const next = random(1)
  const vectors = new Vectors(width)
  const floats = usearch === null ? null : new Float32Array(count * width)
  const bytes = usearch === null ? null : new Int8Array(count * width)
  const queries = Array.from({ length: REPEATS }, () => made(new Float32Array(width), real, noise, next))
  const exact = queries.map(() => new Exact(SHOWN))
  const some = new Float32Array(TOGETHER * width)
  for (let done = 0; done < count; done += TOGETHER) {
    for (let at = 0; at < TOGETHER; at += 1) {
      const vector = made(some.subarray(at * width, (at + 1) * width), real, noise, next)
      for (const [nth, query] of queries.entries()) exact[nth]?.offer(done + at, dot(query, vector))
    }
    vectors.set(new Uint8Array(some.buffer))
    floats?.set(some, done * width)
    if (bytes !== null) for (let at = 0; at < some.length; at += 1) bytes[done * width + at] = inByte(some[at] ?? 0)
  }
  const passes = new Uint8Array(count).fill(1)
  const told = (how: string, find: (query: Float32Array) => readonly number[], wanted: string) => {
    const runs = queries.map((query, nth) => {
      const [began, spent] = [performance.now(), process.cpuUsage()]
      const rows = find(query)
      const { user, system } = process.cpuUsage(spent)
      const there = new Set(rows.slice(0, SHOWN))
      return {
        ms: performance.now() - began,
        cpu: (user + system) / 1000,
        recall: (exact[nth]?.rows() ?? []).filter((one) => there.has(one)).length / SHOWN,
      }
    })
    const median = (of: 'ms' | 'cpu') => {
      const sorted = runs.map((run) => run[of]).sort((a, b) => a - b)
      return sorted[REPEATS >> 1]?.toFixed(0) ?? '?'
    }
    const fastest = Math.min(...runs.map(({ ms }) => ms)).toFixed(0)
    const recall = runs.reduce((sum, run) => sum + run.recall, 0) / REPEATS
    row(
      `${name} embeddings of ${width} numbers, ${how}`,
      `${median('ms')} ms, ${median('cpu')} ms of processor time (medians of ${REPEATS}; fastest ${fastest} ms); recall ${recall.toFixed(4)}`,
      wanted,
    )
  }
  let settled = 0
  told(
    'as search compares them',
    (query) => {
      const { cosines, within } = vectors.cosines(query)
      const settle = (at: number) => {
        settled += 1
        return vectors.cosine(query, at)
      }
      return best(cosines, passes, SOUGHT, 0.5, { within, settled: settle }).rows
    },
    `${goal}, recall 0.98`,
  )
  if (settled > 0) {
    row('  of which so many rows were looked at with 16 bits a number', `${(settled / REPEATS).toFixed(0)} a query`, '')
    told('  by the first 8 bits alone', (query) => best(vectors.cosines(query).cosines, passes, SOUGHT, 0.5).rows, '')
  }
  if (usearch === null || floats === null || bytes === null) return
  const by = (rows: Float32Array | Int8Array, query: Float32Array | Int8Array) =>
    [...usearch.exactSearch(rows, query, width, SHOWN, usearch.MetricKind.IP, 1).keys].map(Number)
  told(`  usearch ${USEARCH}, exact, floats, one thread`, (query) => by(floats, query), '')
  told(`  usearch ${USEARCH}, exact, 8 bits, one thread`, (query) => by(bytes, Int8Array.from(query, inByte)), '')
}

/** One scale for all, by which the largest numbers of real embeddings fit. */
const inByte = (value: number) => Math.max(-127, Math.min(127, Math.round(value * 250)))

/** The embeddings of the clips of these videos, by the shipped pack. */
async function embeddingsOf(videos: readonly string[], folder: string): Promise<Float32Array[]> {
  const projectDir = path.join(folder, 'library')
  mkdirSync(projectDir)
  const tubelet = openTubelet({ projectDir, packsDir: path.join(folder, 'packs'), host: 'cli' })
  for (const task of ['boxes', 'text'] as const) tubelet.library.packs.use(task, null)
  await tubelet.intake.bring({ paths: [...videos] })
  await tubelet.jobs.idle()
  await tubelet.close()
  const db = new DatabaseSync(path.join(projectDir, 'library.sqlite'), { readOnly: true })
  const rows = db.prepare('SELECT embedding FROM encodings ORDER BY id').all()
  db.close()
  return rows.map(({ embedding }) => new Float32Array(new Uint8Array(embedding as Uint8Array).buffer))
}

/** Into `into`: a real embedding with noise of one of the lengths, of length 1. */
function made(into: Float32Array, real: readonly Float32Array[], noise: readonly Float32Array[], next: () => number): Float32Array {
  const any = <T>(some: readonly T[]) => some[Math.trunc(some.length * next())]
  const [from, one, other, length = 0] = [any(real), any(noise), any(noise), any(NOISE)]
  let square = 0
  for (let at = 0; at < into.length; at += 1) {
    const value = (from?.[at] ?? 0) + length * Math.SQRT1_2 * ((one?.[at] ?? 0) + (other?.[at] ?? 0))
    into[at] = value
    square += value * value
  }
  const scale = 1 / Math.sqrt(square)
  for (let at = 0; at < into.length; at += 1) into[at] = (into[at] ?? 0) * scale
  return into
}

/** Directions in which noise goes, of length 1. */
function noises(width: number): Float32Array[] {
  const next = random(2)
  return Array.from({ length: NOISES }, () => {
    // Sums of uniform numbers: nearly normal, so that no direction is preferred.
    const values = Float32Array.from({ length: width }, () => next() + next() + next() + next() - 2)
    const length = Math.hypot(...values)
    return values.map((value) => value / length)
  })
}

/** The rows of the highest sums, by sorting all that may be among them. */
class Exact {
  readonly #most: number
  #kept: { row: number; sum: number }[] = []
  #least = -Infinity

  constructor(most: number) {
    this.#most = most
  }

  offer(row: number, sum: number): void {
    if (sum <= this.#least) return
    this.#kept.push({ row, sum })
    if (this.#kept.length >= 4 * this.#most) this.rows()
  }

  rows(): number[] {
    this.#kept = this.#kept.sort((a, b) => b.sum - a.sum || a.row - b.row).slice(0, this.#most)
    if (this.#kept.length === this.#most) this.#least = this.#kept.at(-1)?.sum ?? -Infinity
    return this.#kept.map(({ row }) => row)
  }
}

/** usearch, in `folder` alone: the app does not need it. */
function installed(folder: string): Usearch | null {
  const to = path.join(folder, 'usearch')
  mkdirSync(to)
  const { status } = spawnSync('npm', ['install', '--prefix', to, '--ignore-scripts', '--no-audit', '--no-fund', `usearch@${USEARCH}`], {
    stdio: 'ignore',
    timeout: 120_000,
  })
  try {
    return status === 0 ? (createRequire(path.join(to, 'here.js'))('usearch') as Usearch) : null
  } catch {
    return null
  }
}
