/**
 * `node test/spotted.ts OUT.json [PACK]`: what a detector sees on the frames of the real clips that have boxes, four a second as the app samples
 * them and those whose boxes are known. The score_boxes.py beside the clips says how good it is; test/scores.ts says how good the whole app is.
 * Prints the time that a frame takes of one core.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Detector } from '../main/engine/detector.ts'
import { openDetector } from '../main/engine/detector-pack.ts'
import { Graphs } from '../main/engine/graphs.ts'
import { openFolder } from '../main/engine/pack.ts'
import { clipsFolder } from './clips.ts'

type Truth = Record<string, { size: [number, number]; frames: { frame: number }[] }>
type Tracks = Record<string, { tracks: { keys: { frame: number }[] }[] }>

const OBJECTS80 = path.resolve(import.meta.dirname, '..', 'models', 'packs', 'objects-80')
/** Every frame of a video, RGB. */
async function* framesOf(file: string, width: number, height: number): AsyncGenerator<Uint8Array> {
  const child = spawn('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough', '-vf', `scale=${width}:${height}:flags=area`, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let frame = new Uint8Array(width * height * 3)
  let filled = 0
  for await (let chunk of child.stdout as AsyncIterable<Uint8Array>) {
    while (chunk.length > 0) {
      const part = chunk.subarray(0, frame.length - filled)
      frame.set(part, filled)
      filled += part.length
      chunk = chunk.subarray(part.length)
      if (filled < frame.length) continue
      yield frame
      frame = new Uint8Array(frame.length)
      filled = 0
    }
  }
}

const [out, packDir = OBJECTS80] = process.argv.slice(2)
const folder = clipsFolder()
if (out === undefined || folder === null) throw new Error('Say where to write what is seen.')
const { folder: pack, manifest } = await openFolder(packDir)
if (manifest.family !== 'detector') throw new Error(`${manifest.name} is no detector.`)
const { graphs } = await openDetector(pack, manifest)
const detector = new Detector(manifest, new Graphs(graphs, { provider: 'cpu', threads: 1 }))
const { input } = manifest

const json = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
const tracks = json('tracks.json') as Tracks
const seen: Record<string, unknown> = {}
let [count, used] = [0, 0]
for (const [clip, { size, frames: truth }] of Object.entries(json('boxes.json') as Truth)) {
  const file = path.join(folder, clip)
  const probed = execFileSync('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=best_effort_timestamp_time', '-of', 'json', file], { maxBuffer: 1 << 28 })
  const times = (JSON.parse(probed.toString()) as { frames: { best_effort_timestamp_time: string }[] }).frames.map((frame) => Number(frame.best_effort_timestamp_time))
  const cellOf = (ordinal: number) => Math.floor(((times[ordinal] ?? NaN) - (times[0] ?? NaN)) * input.rate + 0.001)
  const known = new Set([...truth.map(({ frame }) => frame), ...(tracks[clip]?.tracks ?? []).flatMap(({ keys }) => keys.map(({ frame }) => frame))])
  const wanted = new Map<number, { grid: boolean; extra: boolean }>()
  for (const ordinal of times.keys()) {
    const grid = ordinal === 0 || cellOf(ordinal) > cellOf(ordinal - 1)
    if (grid || known.has(ordinal)) wanted.set(ordinal, { grid, extra: known.has(ordinal) })
  }
  const scale = Math.min(input.width / size[0], input.height / size[1])
  const [width, height] = [Math.round(size[0] * scale), Math.round(size[1] * scale)]
  const frames: unknown[] = []
  let ordinal = -1
  for await (const rgb of framesOf(file, width, height)) {
    const one = wanted.get(++ordinal)
    if (one === undefined) continue
    const before = process.cpuUsage().user
    const [spotted = []] = await detector.see([{ rgb, width, height }], cellOf(ordinal))
    used += process.cpuUsage().user - before
    count += 1
    frames.push({ ordinal, pts_time: times[ordinal], ...one, spotted })
  }
  seen[clip] = { size, fps: input.rate, frames }
}
writeFileSync(out, JSON.stringify(seen))
console.log(`${count} frames, ${(used / count / 1000).toFixed(1)} ms of one core each`)
