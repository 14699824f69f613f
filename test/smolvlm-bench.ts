/**
 * `npm run bench:smolvlm -- [--seeded] PACK…`: what a clip of eight frames costs with packs made from one SmolVLM2 checkpoint at different precisions:
 * seeing it, the first question, a further one, a word, memory. Each runs in a process of its own, all graphs open, as in the engine. `--seeded`: the
 * weights are those of models/smolvlm/seeded, so what the packs see and say is held to the values of the public reference code. Random weights say
 * nothing of answers.
 *
 *     .venv/bin/python -m models.smolvlm 256M /tmp/256M
 *     npx tubelet packs import /tmp/256M                                   # and --precision fp16, int8; `packs list` says where they lie
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { decode } from '../main/engine/decode.ts'
import { toHalf } from '../main/engine/float16.ts'
import { Graphs } from '../main/engine/graphs.ts'
import { openFolder } from '../main/engine/pack.ts'
import { openSmolVlm } from '../main/engine/smolvlm-pack.ts'
import { inOnePass } from '../main/engine/smolvlm.testing.ts'
import { SmolVlm } from '../main/engine/smolvlm.ts'
import { testClips } from '../main/packs/openmammut.ts'

const THREADS = 2
const FRAMES = 8
const QUESTIONS = ['What is on the table?', 'How many people are there?', 'Which colour is the car?']
const Golden = z.object({
  configs: z.object({
    '256M': z.object({
      question: z.string(),
      times: z.array(z.number()),
      seconds: z.number(),
      frames: z.number(),
      every: z.object({ features: z.number(), logits: z.number() }),
      features: z.array(z.number()),
      logits: z.array(z.number()),
      tokens: z.array(z.number()),
    }),
  }),
})

interface Measured {
  name: string
  bytes: number
  /** Seconds. */
  see: number
  first: number
  further: number
  token: number
  caption: number
  /** Bytes: the engine's peak, and what its weights have in memory. */
  memory: number
  parity: { features: number; logits: number; tokens: number; kept: number } | null
}

async function measure(dir: string, seeded: boolean): Promise<Measured> {
  const { folder, manifest } = await openFolder(dir)
  if (manifest.family !== 'smolvlm') throw new Error(`${dir} holds no SmolVLM2`)
  const pack = await openSmolVlm(folder, manifest, false)
  const model = new SmolVlm(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: THREADS }, { varied: true }))
  const side = manifest.input.width
  const [clip = new Uint8Array()] = testClips(FRAMES, side)
  const parity = seeded ? await compared(model, pack) : null
  await model.see(clip.subarray(0, side * side * 3))
  const [features, see] = await timed(() => model.see(clip))
  const asked = {
    embedding: new Float32Array(),
    memory: toHalf(features),
    times: { frames: Array.from({ length: FRAMES }, (_, frame) => frame + 0.5), seconds: FRAMES },
  }
  // The decoder is loaded, and its first run is past.
  const warm = await model.behind(features.subarray(0, features.length / FRAMES), { frames: [0], seconds: 1 })
  await warm.next([pack.text.question('x')])
  // An answer of no words ends with its first token.
  manifest.decoding.answer.longest = 0
  const firsts: number[] = []
  for (const question of QUESTIONS) firsts.push((await timed(() => model.answer(asked, question)))[1])
  const text = await model.behind(features, asked.times)
  await text.next([pack.text.question(QUESTIONS[0] ?? '')])
  const [, words] = await timed(async () => {
    for (let word = 0; word < 20; word += 1) await text.next([[100]])
  })
  const [, caption] = await timed(() => model.caption(asked))
  const [first = 0, ...further] = firsts
  return {
    name: manifest.name,
    bytes: readdirSync(dir).reduce((sum, file) => sum + statSync(path.join(dir, file)).size, 0),
    see,
    first,
    further: Math.max(...further),
    token: words / 20,
    caption,
    memory: process.resourceUsage().maxRSS * 1024,
    parity,
  }
}

async function timed<T>(work: () => Promise<T>): Promise<[T, seconds: number]> {
  const began = performance.now()
  return [await work(), (performance.now() - began) / 1000]
}

/** How far features and logits are from the reference's, how many of its greedy tokens are said, and how far logits over kept frames are from those of one pass. */
async function compared(model: SmolVlm, { text, manifest: { dims, tokenizer, input } }: Awaited<ReturnType<typeof openSmolVlm>>) {
  const { configs } = Golden.parse(JSON.parse(readFileSync(path.join(import.meta.dirname, '../models/smolvlm/golden/values.json'), 'utf8')))
  const golden = configs['256M']
  const [video = new Uint8Array()] = testClips(golden.frames, input.width)
  const features = await model.see(video)
  const times = { frames: golden.times, seconds: golden.seconds }
  const question = text.question(golden.question)
  const { logits } = await (await model.behind(features, times)).next([question])
  const { ids } = await decode(await model.behind(features, times), question, { end: tokenizer.end, most: golden.tokens.length })
  const prompt = [...text.video(times, dims.imageTokens), ...question]
  return {
    features: difference(every(features, golden.every.features), golden.features),
    logits: difference(every(logits, golden.every.logits), golden.logits),
    tokens: ids.filter((id, at) => id === golden.tokens[at]).length,
    kept: difference([...logits], [...(await inOnePass(model.graphs, { dims, tokenizer }, prompt, features))]),
  }
}

const every = (values: Float32Array, step: number) => Array.from(values).filter((_, at) => at % step === 0)

/** Largest difference, relative to the largest value. */
function difference(got: readonly number[], expected: readonly number[]): number {
  const most = (values: readonly number[]) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return most(expected.map((value, i) => value - (got[i] ?? NaN))) / most(expected)
}

const args = process.argv.slice(2)
const seeded = args.includes('--seeded')
const [mode, ...rest] = args.filter((arg) => arg !== '--seeded')
if (mode === '--one') process.stdout.write(JSON.stringify(await measure(rest[0] ?? '', seeded)))
else {
  const rows: string[] = []
  for (const dir of [mode, ...rest].filter((one) => one !== undefined)) {
    const run = ['--one', dir, ...(seeded ? ['--seeded'] : [])]
    const output = execFileSync(process.execPath, [import.meta.filename, ...run], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const one = JSON.parse(output) as Measured
    const cells = [
      one.name,
      `${(one.bytes / 1e6).toFixed(0)} MB`,
      `${one.see.toFixed(1)} s`,
      `${one.first.toFixed(2)} s`,
      `${(one.further * 1000).toFixed(0)} ms`,
      `1/${((one.see + one.first) / one.further).toFixed(0)}, 1/${(one.first / one.further).toFixed(0)}`,
      `${(one.token * 1000).toFixed(0)} ms`,
      `${one.caption.toFixed(1)} s`,
      `${(one.memory / 1e6).toFixed(0)} MB`,
      one.parity === null
        ? '-'
        : `${one.parity.features.toExponential(1)}, ${one.parity.logits.toExponential(1)}, ${one.parity.tokens} of 24, ${one.parity.kept.toExponential(1)}`,
    ]
    rows.push(`| ${cells.join(' | ')} |`)
  }
  const [cpu] = os.cpus()
  const load = os.loadavg().map((one) => one.toFixed(1))
  console.log(`${THREADS} threads, ${FRAMES} frames, ${os.cpus().length} × ${cpu?.model ?? '?'}, load ${load.join(' ')}\n`)
  console.log(
    '| Pack | On disk | Seeing | First token, from what was seen | Of a further question | Its share of the first, with and without seeing | A token | Caption | Peak memory | Features, logits, tokens of the reference, kept frames |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  for (const row of rows) console.log(row)
}
