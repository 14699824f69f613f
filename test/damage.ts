/**
 * `npm run damage [-- FILES [SEED]]`: small videos of many containers and codecs are made, damaged as a bad disk or an interrupted copy does (a block in
 * the middle is zeroed, overwritten or cut out), and read. Printed is what was lost without a word, how much of what was told is true, and which of
 * the healthy files are called damaged. The truth is what ffmpeg itself decodes of each file before and after.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { probe } from '../main/media/probe.ts'
import { sample } from '../main/media/sample.ts'
import { findMediaTools, type MediaTools } from '../main/media/tools.ts'
import { TubeletError } from '../app/errors.ts'
import { random } from '../app/random.ts'

/** How a video is made: its name, container, and ffmpeg's options of its pictures. */
type Recipe = readonly [name: string, container: string, ...coding: string[]]
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '45', '-b:v', '300k']
const vpx = (codec: string) => ['-c:v', codec, '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '300k']
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=60', '-b:v', '300k']

/** The two families that are told apart in docs/trust.md: streams of blocks, and files with an index or packets of one size. */
export const RECIPES: Readonly<Record<'streams' | 'indexed', readonly Recipe[]>> = {
  streams: [
    ['H.264', 'mkv', ...x264],
    ['H.264 of long groups', 'mkv', ...x264, '-g', '1000'],
    ['HEVC', 'mkv', ...x265],
    ['MPEG-4', 'mkv', '-c:v', 'mpeg4', '-b:v', '400k', '-g', '50'],
    ['MJPEG', 'mkv', '-c:v', 'mjpeg', '-q:v', '12', '-pix_fmt', 'yuvj420p'],
    ['FFV1', 'mkv', '-c:v', 'ffv1', '-level', '3', '-slicecrc', '1', '-g', '1'],
    ['VP8', 'webm', ...vpx('libvpx'), '-g', '60'],
    ['VP9', 'webm', ...vpx('libvpx-vp9'), '-g', '60'],
    ['H.264', 'flv', ...x264],
    ['Sorenson', 'flv', '-c:v', 'flv1', '-b:v', '400k', '-g', '50'],
  ],
  indexed: [
    ['H.264', 'mp4', ...x264],
    ['H.264 of long groups', 'mp4', ...x264, '-g', '1000', '-movflags', '+faststart'],
    ['HEVC', 'mp4', ...x265],
    ['MPEG-4', 'mp4', '-c:v', 'mpeg4', '-b:v', '400k', '-g', '50'],
    ['MJPEG', 'mov', '-c:v', 'mjpeg', '-q:v', '12', '-pix_fmt', 'yuvj420p'],
    ['H.264', 'ts', ...x264],
    ['MPEG-2', 'ts', '-c:v', 'mpeg2video', '-b:v', '600k', '-g', '25'],
    ['MPEG-4', 'avi', '-c:v', 'mpeg4', '-b:v', '400k', '-g', '50'],
    ['MJPEG', 'avi', '-c:v', 'mjpeg', '-q:v', '12', '-pix_fmt', 'yuvj420p'],
    ['Huffyuv', 'avi', '-c:v', 'huffyuv', '-pix_fmt', 'yuv422p'],
  ],
}

interface Study {
  /** Damaged files of each family. */
  files: number
  seed: number
  recipes?: typeof RECIPES
  onFile?: (line: string) => void
}
interface Damaged {
  family: string
  name: string
  how: string
  /** Share of the pictures that are gone or not the true ones, 0..1. */
  lost: number
  told: boolean
  /** Share of those pictures that the spans of the report hold, 0..1; 1 where none is lost. */
  named: number
  /** Seconds that the report names and in which every picture is the true one. */
  tooMuch: number
}
export interface Outcome {
  damaged: Damaged[]
  /** Healthy files, and those of them that are called damaged. */
  healthy: number
  accused: string[]
}

const SECONDS = 8
const RATE = 15

export async function damageStudy({ files, seed, recipes = RECIPES, onFile }: Study): Promise<Outcome> {
  const tools = await findMediaTools()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-damage-study-'))
  const outcome: Outcome = { damaged: [], healthy: 0, accused: [] }
  const next = random(seed)
  try {
    for (const [family, some] of Object.entries(recipes)) {
      const made = some.map((recipe, n) => {
        const { file, cut } = make(tools, folder, `${family}-${n}`, recipe)
        return { recipe, file, cut, pictures: shown(tools, file) }
      })
      for (const { recipe, file, cut } of made)
        for (const healthy of [file, cut]) {
          outcome.healthy += 1
          const { problem } = await read(tools, healthy)
          if (problem !== null) outcome.accused.push(`${recipe[0]} in ${recipe[1]}: ${problem}`)
        }
      for (let n = 0; n < files; n += 1) {
        const one = made[n % made.length]
        if (one === undefined) continue
        const { bytes, how } = damage(readFileSync(one.file), next)
        const broken = path.join(folder, `broken.${one.recipe[1]}`)
        writeFileSync(broken, bytes)
        const found = await compare(tools, one.pictures, broken)
        const damaged = { family, name: `${one.recipe[0]} in ${one.recipe[1]}`, how, ...found }
        outcome.damaged.push(damaged)
        onFile?.(lineOf(damaged))
      }
    }
    return outcome
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A video with sound, and its second part, copied without encoding it again. */
function make({ ffmpeg }: MediaTools, folder: string, name: string, [, container, ...coding]: Recipe): { file: string; cut: string } {
  const [file, cut] = [path.join(folder, `${name}.${container}`), path.join(folder, `${name} cut.${container}`)]
  // Noise spreads the bytes evenly over the seconds, and makes each picture another one.
  const picture = `testsrc2=s=128x96:r=${RATE}:d=${SECONDS},noise=alls=16:allf=t,format=yuv420p`
  const sound = container === 'webm' ? ['-c:a', 'libopus'] : container === 'flv' ? ['-c:a', 'aac', '-ar', '44100'] : ['-c:a', 'aac']
  const quiet = ['-v', 'error', '-nostdin', '-y']
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', `sine=d=${SECONDS}:r=44100`]
  execFileSync(ffmpeg, [...quiet, ...inputs, ...coding, ...sound, '-b:a', '24k', '-strict', '-2', file])
  spawnSync(ffmpeg, [...quiet, '-ss', String(SECONDS * 0.37), '-i', file, '-c', 'copy', cut])
  return { file, cut }
}

/** One to three blocks between a tenth and nineteen twentieths of the file, of 0.3 to 15 % of it each. */
function damage(bytes: Buffer, next: () => number): { bytes: Buffer; how: string } {
  const way = (['zeros', 'noise', 'gone'] as const)[Math.floor(next() * 3)] ?? 'zeros'
  const blocks = Array.from({ length: 1 + Math.floor(next() * 3) }, () => {
    const size = Math.round(bytes.length * 0.003 * 50 ** next())
    const from = Math.round(bytes.length * (0.1 + 0.85 * next()))
    return { from, to: Math.min(from + size, Math.round(bytes.length * 0.95)) }
  }).sort((a, b) => b.from - a.from)
  let out: Buffer = Buffer.from(bytes)
  for (const { from, to } of blocks) {
    if (way === 'gone') out = Buffer.concat([out.subarray(0, from), out.subarray(Math.max(from, to))])
    else for (let at = from; at < to; at += 1) out[at] = way === 'zeros' ? 0 : Math.floor(next() * 256)
  }
  const at = blocks.map(
    ({ from, to }) => `${((from / bytes.length) * 100).toFixed(0)}+${(((to - from) / bytes.length) * 100).toFixed(1)} %`,
  )
  return { bytes: out, how: `${way} at ${at.reverse().join(', ')}` }
}

/** What Tubelet says of a file, and the seconds that it names, from the first picture. */
async function read(tools: MediaTools, file: string): Promise<{ problem: string | null; unread: readonly { from: number; to: number }[] }> {
  try {
    for await (const event of sample(tools, file, await probe(tools, file), []))
      if (event.type === 'done') return { problem: event.damaged === null ? null : 'damaged', unread: event.probe.unread ?? [] }
  } catch (error) {
    if (!(error instanceof TubeletError)) throw error
    return { problem: error.problem.code, unread: [{ from: 0, to: Infinity }] }
  }
  throw new Error('reading ended without its last event')
}

/** The picture that is shown at each time, in units of one picture from the first one. */
function shown({ ffmpeg }: MediaTools, file: string): Map<number, string> {
  const args = ['-v', 'quiet', '-nostdin', '-threads', '1', '-copyts', '-i', file, '-map', '0:v', '-fps_mode', 'passthrough']
  const { stdout } = spawnSync(ffmpeg, [...args, '-enc_time_base', '1:1000', '-f', 'framemd5', '-'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return new Map(
    stdout.split('\n').flatMap((line) => {
      const [, , pts, , , hash] = line.startsWith('#') ? [] : line.split(',').map((part) => part.trim())
      return hash === undefined ? [] : [[Math.round((Number(pts) / 1000) * RATE), hash]]
    }),
  )
}

async function compare(
  tools: MediaTools,
  before: ReadonlyMap<number, string>,
  broken: string,
): Promise<Pick<Damaged, 'lost' | 'told' | 'named' | 'tooMuch'>> {
  const [after, { problem, unread }] = [shown(tools, broken), await read(tools, broken)]
  const first = Math.min(...before.keys())
  // In a file without times of its own, later pictures move up where some are missing: they are there, and true.
  const there = new Set(after.values())
  const gone = [...before].flatMap(([at, hash]) => (there.has(hash) ? [] : [at - first]))
  const untimed = broken.endsWith('.avi')
  const whole = new Set(before.values())
  const untrue = untimed ? [...after].flatMap(([at, hash]) => (whole.has(hash) ? [] : [at - first])) : gone
  const isNamed = (at: number) => unread.some(({ from, to }) => at / RATE >= from - 0.5 / RATE && at / RATE < to + 0.5 / RATE)
  const right = [...after].filter(([, hash]) => whole.has(hash)).map(([at]) => at - first)
  return {
    lost: gone.length / before.size,
    told: problem !== null,
    named: untrue.length === 0 ? 1 : untrue.filter(isNamed).length / untrue.length,
    tooMuch:
      right.filter((at) => unread.some(({ from, to }) => at / RATE >= from + 0.5 / RATE && at / RATE < to - 0.5 / RATE)).length / RATE,
  }
}

function lineOf({ name, how, lost, told, named, tooMuch }: Damaged): string {
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`
  return `${name}, ${how}: ${percent(lost)} lost, ${told ? `told, ${percent(named)} named, ${tooMuch.toFixed(1)} s too much` : lost > 0 ? 'SILENT' : 'silent'}`
}

/** The counts of docs/trust.md. */
export function countsOf({ damaged, healthy, accused }: Outcome, family?: string): Record<string, number> {
  const some = damaged.filter((one) => family === undefined || one.family === family)
  const losing = some.filter(({ lost }) => lost > 0)
  return {
    files: some.length,
    'lost pictures': losing.length,
    'of these silent': losing.filter(({ told }) => !told).length,
    'lost a fifth or more': losing.filter(({ lost }) => lost >= 0.2).length,
    'of these silent too': losing.filter(({ lost, told }) => lost >= 0.2 && !told).length,
    'told though nothing is lost': some.filter(({ lost, told }) => lost === 0 && told).length,
    healthy,
    'healthy called damaged': accused.length,
  }
}

if (process.argv[1] === import.meta.filename) {
  const [files = 30, seed = 17] = process.argv.slice(2).map(Number)
  const outcome = await damageStudy({ files, seed, onFile: (line) => console.log(line) })
  for (const family of Object.keys(RECIPES)) console.log(family, JSON.stringify(countsOf(outcome, family), null, 2))
  console.log(outcome.accused.join('\n'))
}
