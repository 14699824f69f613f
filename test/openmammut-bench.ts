/**
 * `node test/openmammut-bench.ts PACK…`: size, speed, memory of packs made from one checkpoint at different precisions, and what each costs
 * against the first. Each runs in a process of its own, all graphs open, as in the engine. On random weights captions mean nothing, so
 * the logits are compared instead. Figures, never a pass or fail.
 *
 *     .venv/bin/python -m models.openmammut random L-14 /tmp/l14/open_clip_model.safetensors
 *     npx tubelet packs import /tmp/l14/open_clip_model.safetensors       # and --precision fp16, int8; `packs list` says where they lie
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { cutTubes } from '../app/tubes.ts'
import { floatsOf, floatTensor, Graphs, idTensor, tensorOf } from '../main/engine/graphs.ts'
import { Model } from '../main/engine/model.ts'
import { openPack } from '../main/engine/mammut.testing.ts'
import { Text } from '../main/engine/tokenizer.ts'

interface Measured {
  name: string
  bytes: number
  /** Seconds. */
  open: number
  load: number
  clip: number
  caption: number
  steps: number
  text: number
  frames: number
  /** Bytes. */
  memory: number
  embedding: number[]
  textEmbedding: number[]
  logits: number[]
}

const SENTENCE = 'two people walk a dog along the beach at sunset'
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

async function measure(dir: string, threads: number): Promise<Measured> {
  let began = performance.now()
  const pack = await openPack(dir)
  const open = (performance.now() - began) / 1000
  const { manifest } = pack
  const load = await seconds(async () => {
    for (const [name, file] of Object.entries(pack.graphs)) {
      const alone = new Graphs({ [name]: file }, { provider: 'cpu', threads })
      await alone.open()
      await alone.release()
    }
  })
  const model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads }))
  const tubes = pack.knownAnswers.clips.map((clip) => cutTubes(clip, manifest.input))
  const [first = [], second = []] = tubes
  const seen = await model.see(first)
  const clip = await seconds(() => model.see(second))
  await model.embed(['warm'])
  const text = await seconds(() => model.embed([SENTENCE]))
  const [textEmbedding = new Float32Array()] = await model.embed([SENTENCE])
  const { dims } = manifest
  const projected = await model.graphs.run('cross', { memory: floatTensor(seen.memory, [1, dims.tokens, dims.memory]) })
  const cross = { cross_k: tensorOf(projected, 'cross_k'), cross_v: tensorOf(projected, 'cross_v') }
  const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
  const ids = new Text(pack).sentence(SENTENCE).slice(0, -1)
  const logits = floatsOf(await model.graphs.run('decoder', { ids: idTensor([ids]), ...cross, past_k: none, past_v: none }), 'logits')
  const before = model.graphs.counts()['decoder'] ?? 0
  began = performance.now()
  await model.describe(seen.memory)
  const caption = (performance.now() - began) / 1000
  return {
    name: manifest.name,
    bytes: readdirSync(dir).reduce((sum, file) => sum + statSync(path.join(dir, file)).size, 0),
    open,
    load,
    clip,
    caption,
    steps: (model.graphs.counts()['decoder'] ?? 0) - before,
    text,
    frames: manifest.input.frames,
    memory: process.resourceUsage().maxRSS * 1024,
    embedding: [...seen.embedding],
    textEmbedding: [...textEmbedding],
    logits: [...logits.slice(-dims.vocab)],
  }
}

/** Largest difference, relative to the largest value. */
function error(got: readonly number[], expected: readonly number[]): string {
  const most = (values: readonly number[]) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return (most(got.map((value, i) => value - (expected[i] ?? NaN))) / most(expected)).toExponential(1)
}

const [mode, ...rest] = process.argv.slice(2)
if (mode === '--one') {
  const [dir = '', threads = '1'] = rest
  process.stdout.write(JSON.stringify(await measure(dir, Number(threads))))
} else {
  const packs = process.argv.slice(2)
  const rows = [
    '| Pack, threads | On disk | Files checked | Graphs loaded | Frames a second | Caption | A step of it | Query | Memory | Embedding | Text | Logits |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
  ]
  let reference: Measured | undefined
  for (const dir of packs) {
    for (const threads of [1, 2]) {
      const one = JSON.parse(
        execFileSync(process.execPath, [import.meta.filename, '--one', dir, String(threads)], {
          encoding: 'utf8',
          maxBuffer: 1 << 28,
          stdio: ['ignore', 'pipe', 'inherit'],
        }),
      ) as Measured
      reference ??= one
      const cells = [
        `${one.name}, ${threads}`,
        `${(one.bytes / 1e9).toFixed(2)} GB`,
        `${one.open.toFixed(1)} s`,
        `${one.load.toFixed(1)} s`,
        (one.frames / one.clip).toFixed(2),
        `${one.caption.toFixed(1)} s`,
        `${((one.caption / one.steps) * 1000).toFixed(0)} ms`,
        `${(one.text * 1000).toFixed(0)} ms`,
        `${(one.memory / 1e9).toFixed(2)} GB`,
        error(one.embedding, reference.embedding),
        error(one.textEmbedding, reference.textEmbedding),
        error(one.logits, reference.logits),
      ]
      rows.push(`| ${cells.join(' | ')} |`)
      console.log(rows.at(-1))
    }
  }
  const [cpu] = os.cpus()
  console.log(
    `\n${os.cpus().length} × ${cpu?.model ?? '?'}, load ${os
      .loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}\n\n${rows.join('\n')}`,
  )
}
