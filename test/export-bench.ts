/**
 * `npm run bench -- --export [BOXES… FORMATS…]`: the cost of annotation files of one hour of video, for each format: memory of the whole process above
 * idle, processor time, and the longest time for which the host's thread was blocked. Half of the tracks last ten
 * seconds, as the machine finds them, half the whole hour, as people draw them; all from a seed.
 *
 * `npm run bench -- --import [MEGABYTES…]`: the same for importing a COCO file as a labelling tool writes it, a box on every frame of each track, with a
 * polygon; and how long it takes until a cancelled import has left nothing.
 *
 * Each runs in a process of its own. Figures, never a pass or fail.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { KeyBox } from '../app/annotation.ts'
import { AnnotationFormat } from '../app/contract/export.ts'
import { exportProject } from '../main/export/export.ts'
import { zipOf } from '../main/export/zip.ts'
import { Imports } from '../main/import/imports.ts'
import { Library } from '../main/library/library.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { libraryOf, tricky } from './documents.ts'

export type Row = (what: string, measured: string, goal: string) => void

const FPS = 25
const FRAMES = 3600 * FPS
/** Frames of a clip. */
const CLIP = 10 * FPS
/** The detector looks about four times a second. */
const STEP = 6
const TICKS = 3600
const LABELS = ['person', 'car', 'dog', 'bicycle', 'traffic light']

export interface Measured {
  bytes: number
  /** Bytes above idle. */
  memory: number
  /** Seconds. */
  cpu: number
  wall: number
  /** Milliseconds. */
  stretch: number
}

export function benchExport(row: Row, asked: readonly string[]): void {
  const sizes = asked.map(Number).filter((size) => size > 0)
  const formats = asked.filter((one) => !(Number(one) > 0))
  for (const boxes of sizes.length > 0 ? sizes : [500_000, 5_000_000])
    inFolder((folder) => {
      const made = alone('make', folder, String(Math.round(boxes / FRAMES))) as { boxes: number }
      for (const format of formats.length > 0 ? formats : [...AnnotationFormat.options, 'zip']) {
        const measured = alone('measure', folder, format) as Measured
        const what = format === 'zip' ? 'the files of the others as a zip' : format
        row(`${made.boxes.toLocaleString('en')} boxes, ${what}, ${(measured.bytes / 1e6).toFixed(0)} MB`, told(measured), '200 MB, 50 ms')
      }
    })
}

export function benchImport(row: Row, asked: readonly string[]): void {
  const sizes = asked.map(Number).filter((size) => size > 0)
  for (const megabytes of sizes.length > 0 ? sizes : [100, 1000])
    inFolder((folder) => {
      alone('make', folder, '0')
      const made = alone('coco', folder, String(megabytes)) as { boxes: number }
      for (const what of ['read', 'cancel', 'take', 'again', 'lists']) {
        const measured = alone('import', folder, what) as Measured
        row(`COCO of ${megabytes} MB, ${made.boxes.toLocaleString('en')} boxes: ${PARTS[what] ?? what}`, told(measured), '200 MB, 50 ms')
      }
    })
}
const PARTS: Readonly<Record<string, string>> = {
  read: 'read, and put away',
  take: 'imported',
  again: 'imported once more, which brings nothing',
  cancel: 'cancelled in the middle of taking, until nothing of it is left',
  lists: 'then the videos, a page of clips, labels seen, counts of a label, and the overview are asked for',
}

export function told({ memory, cpu, wall, stretch }: Measured): string {
  return `${(memory / 1e6).toFixed(0)} MB above idle, ${cpu.toFixed(1)} s of CPU, ${wall.toFixed(1)} s, no answer for at most ${stretch.toFixed(0)} ms`
}

export function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-export-bench-'))
  try {
    work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
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
    path: filmed(folder),
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

/** A file of that hour, ten seconds again and again, which YOLO takes its pictures from. */
function filmed(folder: string): string {
  const [once, film] = [path.join(folder, 'once.mp4'), path.join(folder, 'hour.mp4')]
  const run = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', ...args])
  const encoded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-video_track_timescale', String(TICKS * FPS)]
  run('-f', 'lavfi', '-i', `color=c=gray:s=1920x1080:r=${FPS}:d=${CLIP / FPS}`, ...encoded, once)
  run('-stream_loop', String(FRAMES / CLIP - 1), '-i', once, '-c', 'copy', '-video_track_timescale', String(TICKS * FPS), film)
  return film
}

/** A COCO file of about so many megabytes as labelling tools write it. */
function coco(folder: string, megabytes: number): { boxes: number } {
  const next = generator(2)
  const file = openSync(path.join(folder, 'coco.json'), 'w')
  let [bytes, boxes, text] = [0, 0, '']
  const put = (part: string) => {
    text += part
    if (text.length > 1 << 20) flush()
  }
  const flush = () => {
    bytes += writeSync(file, text)
    text = ''
  }
  put(`{"info":{},"licenses":[],"categories":${JSON.stringify(LABELS.map((name, at) => ({ id: at + 1, name })))},"images":[`)
  for (let frame = 0; frame < FRAMES; frame += 1)
    put(
      `${frame > 0 ? ',' : ''}\n${JSON.stringify({ id: frame + 1, width: 1920, height: 1080, file_name: `hour/frame_${String(frame).padStart(6, '0')}.jpg`, license: 0, date_captured: 0 })}`,
    )
  put('],\n"annotations":[')
  for (let track = 1; bytes < megabytes * 1e6; track += 1) {
    const from = Math.floor(next() * (FRAMES - CLIP))
    const category_id = 1 + Math.floor(next() * LABELS.length)
    let [x, y] = [next() * 1500, next() * 800]
    for (let frame = from; frame < from + CLIP; frame += 1) {
      ;[x, y] = [Math.min(1600, Math.max(0, x + next() * 8 - 4)), Math.min(900, Math.max(0, y + next() * 8 - 4))]
      const [w, h] = [20 + next() * 300, 20 + next() * 160]
      const segmentation = [Array.from({ length: 24 }, (_, at) => Number((at % 2 === 0 ? x + next() * w : y + next() * h).toFixed(1)))]
      const bbox = [x, y, w, h].map((side) => Number(side.toFixed(2)))
      boxes += 1
      put(
        `${boxes > 1 ? ',' : ''}\n${JSON.stringify({ id: boxes, image_id: frame + 1, category_id, segmentation, area: w * h, bbox, iscrowd: 0, attributes: { track_id: track, occluded: false } })}`,
      )
    }
  }
  put(']}\n')
  flush()
  closeSync(file)
  return { boxes }
}

/** What a window asks for. */
const LISTS: readonly ((library: Library) => unknown)[] = [
  (library) => library.sources(),
  (library) => library.clips({ limit: 1000, offset: 0 }),
  (library) => library.overview.trackLabels(),
  (library) => library.detections.decided('person'),
  (library) => library.overview.facts(),
]

async function importing(folder: string, what: string): Promise<Measured> {
  const library = Library.open(folder)
  const file = path.join(folder, 'coco.json')
  try {
    return await metered(async () => {
      if (what === 'lists') {
        for (const list of LISTS) {
          list(library)
          await setImmediate()
        }
        return 0
      }
      const imports = new Imports(library)
      const { importId, parts } = await imports.read([file])
      const chosen = parts.map(({ id }) => ({ part: id, sourceId: tricky.source.id, firstFrame: 0 as const, firstPixel: 0 as const }))
      if (what === 'read') await imports.leave(importId)
      else if (what !== 'cancel') await imports.take(importId, chosen)
      else {
        const taken = imports.take(importId, chosen).catch(() => null)
        await sleep(5_000)
        await imports.leave(importId)
        await taken
      }
      await imports.close()
      return statSync(file).size
    })
  } finally {
    await library.close()
  }
}

async function measure(folder: string, what: string): Promise<Measured> {
  const library = Library.open(folder)
  const directory = path.join(folder, 'out')
  try {
    return await metered(async () => {
      if (what === 'zip') return drained(directory)
      const formats = [AnnotationFormat.parse(what)]
      const { files } = await exportProject(library, { formats, directory, frames: { every: CLIP }, media: findMediaTools })
      return files.reduce((sum, { bytes }) => sum + bytes, 0)
    })
  } finally {
    await library.close()
  }
}

/** @param work Returns the size of what it wrote or read. */
export async function metered(work: () => Promise<number>): Promise<Measured> {
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
  const bytes = await work()
  const wall = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  clearInterval(meter)
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
  const parts: Record<string, () => unknown> = {
    make: () => make(folder, Number(what)),
    measure: () => measure(folder, what),
    coco: () => coco(folder, Number(what)),
    import: () => importing(folder, what),
  }
  console.log(JSON.stringify(await parts[part ?? '']?.()))
}
