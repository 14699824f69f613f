/**
 * `npm run scores:boxes [-- --write]`: how good the boxes of objects-80 are on single frames of the real clips, before anything is followed, each
 * frame as it is and in a mirror. `--write` puts the scores into its pack.json. Needs the clips and ffmpeg.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pixelBox } from '../app/boxes.ts'
import { Detector } from '../main/engine/detector.ts'
import { openDetector } from '../main/engine/detector-pack.ts'
import { Graphs } from '../main/engine/graphs.ts'
import { openFolder } from '../main/engine/pack.ts'
import { clipsFolder } from './clips.ts'
import { isName, judgeBoxes, readTruth, type SaidBox, type TrueBox } from './truth.ts'

const PACK = path.resolve(import.meta.dirname, '..', 'models', 'packs', 'objects-80')
const THRESHOLDS = [0.3, 0.35, 0.4, 0.45, 0.5]
/** The threshold whose scores are kept, as the mean of both looks. */
const KEPT = 0.4

const clips = clipsFolder()
if (clips === null) process.exit(1)
const { folder, manifest } = await openFolder(PACK)
if (manifest.family !== 'detector') throw new Error(`${manifest.name} is no detector.`)
const detector = new Detector(manifest, new Graphs((await openDetector(folder, manifest)).graphs, { provider: 'cpu', threads: 1 }))
const sizes = JSON.parse(readFileSync(path.join(clips, 'boxes.json'), 'utf8')) as Record<string, { size: [number, number] }>

const looks: { truth: TrueBox[]; said: SaidBox[] }[] = []
const times: number[] = []
for (const { name, frames } of readTruth(clips)) {
  const [width, height] = sizes[name]?.size ?? [0, 0]
  if (frames.length === 0) continue
  const scale = Math.min(manifest.input.width / width, manifest.input.height / height)
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
  const filter = `select='${frames.map(({ frame }) => `eq(n,${frame})`).join('+')}',scale=${wide}:${high}:flags=area`
  const bytes = execFileSync(
    'ffmpeg',
    [
      '-v',
      'error',
      '-i',
      path.join(clips, name),
      '-map',
      '0:v:0',
      '-fps_mode',
      'passthrough',
      '-vf',
      filter,
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-',
    ],
    { maxBuffer: 1 << 30 },
  )
  for (const [i, { boxes: truth }] of frames.toSorted((a, b) => a.frame - b.frame).entries()) {
    const rgb = new Uint8Array(bytes.subarray(i * wide * high * 3, (i + 1) * wide * high * 3))
    for (const turn of [0, 1]) {
      const before = process.cpuUsage()
      const [seen = []] = await detector.see([{ rgb, width: wide, height: high }], turn)
      times.push(process.cpuUsage(before).user / 1000)
      looks.push({ truth, said: seen.map((one) => ({ label: one.name, score: one.score, box: pixelBox(one.box, { width, height }) })) })
    }
  }
}

/** Names in the ground truth, scored or ignored: those that somebody would ask for. */
const asked = new Set(looks.flatMap(({ truth }) => truth.map(({ label }) => label).filter(isName)))
function scored(least: number, only: ReadonlySet<string> | null): { recall: number; precision: number; n: number } {
  const verdicts = looks.map(({ truth, said }) =>
    judgeBoxes(
      truth,
      said.filter(({ label, score }) => score >= least && (only?.has(label) ?? true)),
    ),
  )
  const [right, missed, wrong] = (['right', 'missed', 'wrong'] as const).map((which) =>
    verdicts.reduce((sum, verdict) => sum + verdict[which].length, 0),
  )
  return {
    recall: (right ?? 0) / ((right ?? 0) + (missed ?? 0)),
    precision: (right ?? 0) / ((right ?? 0) + (wrong ?? 0)),
    n: (right ?? 0) + (missed ?? 0),
  }
}
console.log(`${looks.length} looks, ${(times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN).toFixed(1)} ms of one core each (median)`)
for (const least of THRESHOLDS) {
  const [names, all] = [scored(least, asked), scored(least, null)]
  console.log(
    `from ${least.toFixed(2)}: recall ${names.recall.toFixed(2)}, precision ${names.precision.toFixed(2)} of the ${asked.size} names of the truth, ${all.precision.toFixed(2)} of all names`,
  )
}
if (process.argv.includes('--write')) {
  const { recall, precision, n } = scored(KEPT, asked)
  const kept = (metric: string, value: number) => ({
    task: 'boxes',
    metric: `${metric} on single frames, from ${KEPT}`,
    value: Math.round(value * 1000) / 1000,
    n: n / 2,
    on: `${looks.length / 2} frames of real clips, as they are and in a mirror`,
    date: new Date().toISOString().slice(0, 10),
  })
  const scores = [
    kept('recall', recall),
    kept('precision of names that are asked for', precision),
    kept('precision of all names', scored(KEPT, null).precision),
  ]
  const file = path.join(PACK, 'pack.json')
  writeFileSync(file, `${JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), scores }, null, 2)}\n`)
}
