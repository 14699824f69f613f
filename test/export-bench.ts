/**
 * `npm run bench -- --export [BOXES…]`: the cost of annotation files of one hour of video, for each format: memory of the whole process above idle,
 * processor time, and the longest time for which the host's thread was blocked. Half of the tracks last ten
 * seconds, as the machine finds them, half the whole hour, as people draw them; all from a seed. Each export runs in a process of its
 * own. Figures, never a pass or fail.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KeyBox } from '../app/annotation.ts'
import { ExportFormat } from '../app/contract/export.ts'
import { exportProject } from '../main/export/export.ts'
import { zipOf } from '../main/export/zip.ts'
import { Library } from '../main/library/library.ts'
import { libraryOf, tricky } from './documents.ts'

type Row = (what: string, measured: string, goal: string) => void

const FPS = 25
const FRAMES = 3600 * FPS
/** Frames of a clip. */
const CLIP = 10 * FPS
/** The detector looks about four times a second. */
const STEP = 6
const TICKS = 3600
const LABELS = ['person', 'car', 'dog', 'bicycle', 'traffic light']

interface Measured {
  bytes: number
  /** Bytes above idle. */
  memory: number
  /** Seconds. */
  cpu: number
  wall: number
  /** Milliseconds. */
  stretch: number
}

export function benchExport(row: Row, sizes: readonly number[]): void {
  for (const boxes of sizes.length > 0 ? sizes : [500_000, 5_000_000]) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-bench-'))
    try {
      const made = alone('make', folder, String(Math.round(boxes / FRAMES))) as { boxes: number }
      for (const format of [...ExportFormat.options, 'zip']) {
        const { bytes, memory, cpu, wall, stretch } = alone('measure', folder, format) as Measured
        row(
          `${made.boxes.toLocaleString('en')} boxes, ${format === 'zip' ? 'the files of the others as a zip' : format}, ${(bytes / 1e6).toFixed(0)} MB`,
          `${(memory / 1e6).toFixed(0)} MB above idle, ${cpu.toFixed(1)} s of CPU, ${wall.toFixed(1)} s, no answer for at most ${stretch.toFixed(0)} ms`,
          '200 MB',
        )
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Runs a part of this file in a process of its own. */
function alone(part: string, ...rest: string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [import.meta.filename, part, ...rest], { encoding: 'utf8' }))
}

/** A library of one hour in which `tracks` objects are on every frame. */
async function make(folder: string, tracks: number): Promise<{ boxes: number }> {
  const next = generator(1)
  const pts = Array.from({ length: FRAMES }, (_, frame) => frame * TICKS)
  const source = {
    ...tricky.source,
    name: 'hour.mp4',
    path: '/films/hour.mp4',
    probe: {
      ...tricky.source.probe,
      width: 1920,
      height: 1080,
      codedWidth: 1920,
      codedHeight: 1080,
      duration: 3600,
      frameCount: FRAMES,
      startPts: 0,
    },
  }
  const clips = Array.from({ length: FRAMES / CLIP }, (_, index) => ({
    id: index + 1,
    index,
    kind: 'window' as const,
    start: (index * CLIP) / FPS,
    end: ((index + 1) * CLIP) / FPS,
    startFrame: index * CLIP,
    endFrame: (index + 1) * CLIP,
    annotations: [],
  }))
  const library = libraryOf(folder, [{ source, pts, clips, labels: [{ name: 'person', colour: '#69c1fc' }] }])
  await library.close()
  const keys = (from: number, to: number, score: boolean): string => {
    const ordinals = [...Array.from({ length: Math.ceil((to - 1 - from) / STEP) }, (_, i) => from + i * STEP), to - 1]
    const boxes = ordinals.map((ordinal): KeyBox => {
      const [x1, y1] = [next() * 1500, next() * 800]
      return {
        ordinal,
        pts: ordinal * TICKS,
        box: { x1, y1, x2: x1 + 20 + next() * 300, y2: y1 + 20 + next() * 200 },
        score: score ? next() : null,
      }
    })
    return JSON.stringify({ kind: 'track', label: LABELS[Math.floor(next() * LABELS.length)], boxes })
  }
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec('BEGIN')
  const add = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, human, state, evidence, provenance, updated_at) VALUES (?, 'track', '', ?, ?, ?, NULL, ?, '2026-01-02T03:04:06Z')`,
  )
  const made = JSON.stringify({
    packId: 'objects-80',
    packVersion: '1.0.0',
    packDigest: 'sha256:00ff',
    provider: 'cpu',
    prompt: 'person, car',
    appVersion: '0.1.0',
    at: '2026-01-02T03:04:05Z',
  })
  const short = Math.ceil(tracks / 2)
  for (const { id, startFrame, endFrame } of clips)
    for (let track = 0; track < short; track += 1) add.run(id, keys(startFrame, endFrame, true), null, 'machine', made)
  for (let track = short; track < tracks; track += 1) add.run(1, null, keys(0, FRAMES, false), 'edited', null)
  const say = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, human, state, evidence, provenance, updated_at) VALUES (?, 'caption', ?, ?, NULL, 'machine', NULL, ?, '2026-01-02T03:04:06Z')`,
  )
  for (const { id } of clips)
    for (let said = 0; said < 10; said += 1)
      say.run(id, String(said), JSON.stringify({ kind: 'caption', text: `A person walks by, number ${said}.` }), made)
  db.exec('COMMIT')
  db.close()
  return { boxes: tracks * FRAMES }
}

async function measure(folder: string, what: string): Promise<Measured> {
  const library = Library.open(folder)
  const directory = path.join(folder, 'out')
  // Background work that starts by itself has begun.
  await sleep(500)
  const idle = process.memoryUsage().rss
  let most = idle
  // Processor time of this thread between two ticks, not wall time: other programs on the machine do not count.
  let stretch = 0
  let last = process.threadCpuUsage()
  const meter = setInterval(() => {
    const { user, system } = process.threadCpuUsage(last)
    last = process.threadCpuUsage()
    stretch = Math.max(stretch, user + system)
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  const before = process.cpuUsage()
  const began = performance.now()
  const bytes =
    what === 'zip'
      ? await drained(directory)
      : (await exportProject(library, { formats: [ExportFormat.parse(what)], directory })).files.reduce((sum, file) => sum + file.bytes, 0)
  const wall = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  clearInterval(meter)
  await library.close()
  // The kernel's own peak misses nothing between two samples, but also includes the start and the opening of the library.
  const peak = Math.max(most, process.resourceUsage().maxRSS * 1024)
  return { bytes, memory: peak - idle, cpu: (user + system) / 1e6, wall, stretch: stretch / 1e3 }
}

/** Reads everything that was written as one zip, to its end. */
async function drained(directory: string): Promise<number> {
  const names = Object.keys(
    (JSON.parse(readFileSync(path.join(directory, 'tubelet-export.json'), 'utf8')) as { files: Record<string, unknown> }).files,
  )
  let bytes = 0
  for await (const part of await zipOf(names.map((name) => ({ file: path.join(directory, name), name })))) bytes += part.length
  return bytes
}

/** A linear congruential generator: 0 ≤ next() < 1. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

if (process.argv[1] === import.meta.filename) {
  const [part, folder = '', what = ''] = process.argv.slice(2)
  console.log(JSON.stringify(part === 'make' ? await make(folder, Number(what)) : await measure(folder, what)))
}
