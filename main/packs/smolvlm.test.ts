/** SmolVLM2: packs that the app makes of a checkpoint, its prompts and its tokens, against values of the public reference code (models/smolvlm/reference.py). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Precision } from '../../app/contract/packs.ts'
import { inEnglish, problemOf } from '../../app/errors.ts'
import type { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import { does } from '../../app/pack/pack.ts'
import { beamSearch } from '../engine/beam.ts'
import type { Continuing } from '../engine/continuing.ts'
import { Engine } from '../engine/engine.ts'
import { fromHalf, toHalf } from '../engine/float16.ts'
import { byteTensor, floatsOf, Graphs } from '../engine/graphs.ts'
import { openFolder } from '../engine/pack.ts'
import { openSmolVlm, type SmolVlmPack, SmolVlmTokenizer } from '../engine/smolvlm-pack.ts'
import { SmolVlmText, videoPrompt } from '../engine/smolvlm-text.ts'
import { inOnePass } from '../engine/smolvlm.testing.ts'
import { SmolVlm } from '../engine/smolvlm.ts'
import { f32, type MadeTensor, SMOLVLM_GOLDEN, TEMPLATES, TINY_SMOLVLM, tinySmolVlm, writeSmolVlm } from './checkpoint.testing.ts'
import { prepareImport } from './import.ts'
import { onnxFile } from './onnx-writer.ts'
import { testClips } from './openmammut.ts'
import { BUNDLED } from './pack.testing.ts'
import { readCheckpoint } from './safetensors.ts'
import { smolVlm } from './smolvlm.ts'
import { PackStore } from './store.ts'
import { expandTemplate } from './template.ts'
import { planWeights, writeWeights } from './weights.ts'

const Asked = z.object({ question: z.string(), times: z.array(z.number()), seconds: z.number() })
const Golden = z.object({
  prompts: z.array(Asked.extend({ text: z.string(), ids: z.array(z.number()) })),
  configs: z.object({
    tiny: Asked.extend({ frames: z.number(), features: z.array(z.number()), logits: z.array(z.number()), tokens: z.array(z.number()) }),
  }),
})
const {
  prompts,
  configs: { tiny: golden },
} = Golden.parse(JSON.parse(readFileSync(path.join(SMOLVLM_GOLDEN, 'values.json'), 'utf8')))
const text = new SmolVlmText(SmolVlmTokenizer.parse(JSON.parse(readFileSync(path.join(SMOLVLM_GOLDEN, 'tokenizer.json'), 'utf8'))))
const times = { frames: golden.times, seconds: golden.seconds }

const root = mkdtempSync(path.join(tmpdir(), 'tubelet-smolvlm-'))
beforeAll(() => void vi.stubEnv('XDG_CACHE_HOME', path.join(root, 'cache')))
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

/** The largest difference, relative to the largest value. */
function difference(got: Float32Array, expected: readonly number[]): number {
  if (got.length !== expected.length) return Infinity
  return Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? NaN)))) / Math.max(...expected.map(Math.abs))
}

async function imported(checkpoint: string, precision: Precision = 'fp32'): Promise<string> {
  const store = new PackStore([BUNDLED], mkdtempSync(path.join(root, 'packs-')))
  const { run } = await prepareImport(checkpoint, precision, TEMPLATES, store)
  const { pack, measured } = await run({ store, fork: undefined, report: () => undefined, signal: new AbortController().signal })
  expect(measured?.secondsPerClip).toBeGreaterThan(0)
  expect([does(pack.manifest, 'caption'), does(pack.manifest, 'answer'), does(pack.manifest, 'search')]).toEqual([true, true, false])
  return pack.dir
}

async function opened(dir: string): Promise<{ pack: SmolVlmPack; model: SmolVlm }> {
  const { folder, manifest } = await openFolder(dir)
  if (manifest.family !== 'smolvlm') return expect.fail('it is no SmolVLM2')
  const pack = await openSmolVlm(folder, manifest, false)
  return { pack, model: new SmolVlm(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 })) }
}

type Opened = Awaited<ReturnType<typeof opened>>
const wholly = ({ pack, model }: Opened, prompt: readonly number[], features: Float32Array) =>
  inOnePass(model.graphs, pack.manifest, prompt, features)

/** Greedily, each token computed from the beginning. */
async function greedily(one: Opened, prompt: readonly number[], features: Float32Array, count: number): Promise<number[]> {
  const said: number[] = []
  while (said.length < count) {
    const logits = await wholly(one, [...prompt, ...said], features)
    said.push(logits.indexOf(Math.max(...logits)))
  }
  return said
}

const [video = new Uint8Array()] = testClips(golden.frames, 64)
const ids = [...text.video(times, 4), ...text.question(golden.question)]
const checkpoint = path.join(root, 'tiny', 'model.safetensors')
beforeAll(() => void writeSmolVlm(path.dirname(checkpoint)))

describe('a pack from a checkpoint', () => {
  let one: Awaited<ReturnType<typeof opened>>
  let seen: Float32Array

  beforeAll(async () => {
    one = await opened(await imported(checkpoint))
    seen = await one.model.see(video)
  }, 60_000)

  it('sees what the reference sees, and says what it says', async () => {
    expect(difference(seen, golden.features)).toBeLessThan(1e-5)
    expect(difference(await wholly(one, ids, seen), golden.logits)).toBeLessThan(1e-5)
    expect(await greedily(one, ids, seen, golden.tokens.length)).toEqual(golden.tokens)
  })

  it('answers over the kept frames as over the whole prompt, question after question, and tells when and where it looked', async () => {
    const pack = { ...one.pack, manifest: { ...one.pack.manifest, decoding: { ...one.pack.manifest.decoding, answer: { longest: 24 } } } }
    const model = new SmolVlm(pack, one.model.graphs)
    const memory = toHalf(seen)
    const asked = { embedding: new Float32Array(), memory, times }
    for (const question of [golden.question, 'Is it red?', golden.question]) {
      const pieces: string[] = []
      const answer = await model.answer(asked, question, { onToken: (piece) => pieces.push(piece) })
      const prompt = [...text.video(times, 4), ...text.question(question)]
      const whole = await greedily(one, prompt, fromHalf(memory), pack.manifest.decoding.answer.longest)
      const end = whole.indexOf(pack.manifest.tokenizer.end)
      expect(answer.text).toBe(text.read(end < 0 ? whole : whole.slice(0, end)))
      expect(pieces.join('').trim()).toBe(answer.text)
      expect(answer).toMatchObject({ unsure: true, unfamiliar: false, agreement: null, prompt: question })
      expect(answer.confidence).toBeGreaterThan(0)
      expect(answer.confidence).toBeLessThan(1)
      expect(answer.frameWeights).toHaveLength(golden.frames)
      expect(answer.frameWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5)
    }
    const followed = await model.follow(asked, 'A red car.', null)
    expect(followed).toMatchObject({ frames: golden.frames, rows: 2, columns: 2 })
    expect(followed.words.map((word) => word.text)).toEqual(['A', 'red', 'car.'])
    expect(followed.heat.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 5)
  }, 60_000)

  it('reads the frames of a clip once for all its questions, and keeps those of the clips asked last in bounded memory', async () => {
    const { graphs } = one.model
    const { manifest } = one.pack
    // An answer of no words takes one run for its question.
    const brief = { ...one.pack, manifest: { ...manifest, decoding: { ...manifest.decoding, answer: { longest: 0 } } } }
    const clips = [1, 2].map((seconds) => ({ embedding: new Float32Array(), memory: toHalf(seen), times: { ...times, seconds } }))
    const runs = async (model: SmolVlm, order: readonly number[]) => {
      const before = graphs.counts()['decoder'] ?? 0
      for (const clip of order) await model.answer(clips[clip] ?? expect.fail(), 'Is it red?')
      return (graphs.counts()['decoder'] ?? 0) - before - order.length
    }
    expect(await runs(new SmolVlm(brief, graphs), [0, 0, 1, 0, 1])).toBe(2)
    expect(await runs(new SmolVlm(brief, graphs, 1), [0, 0, 1, 0, 1])).toBe(4)
  })

  it('writes the caption that a search without anything kept finds', async () => {
    const { model, pack } = one
    const memory = toHalf(seen)
    const { prompts: told, decoding, tokenizer } = pack.manifest
    const prompt = [...text.video(times, 4), ...text.question(told.caption)]
    const anew: Continuing = { next: () => expect.fail() }
    let rows: (readonly number[])[] = []
    anew.next = async (more, parents) => {
      rows = more.map((row, at) => [...(parents === undefined ? [] : (rows[parents[at] ?? 0] ?? [])), ...row])
      const logits = []
      for (const row of rows) logits.push(...(await wholly(one, row, fromHalf(memory))))
      return { logits: Float32Array.from(logits), attention: new Float32Array(rows.length) }
    }
    const { longest, ...beams } = decoding.caption
    const found = await beamSearch(anew, prompt, { ...beams, end: tokenizer.end, most: longest })
    const caption = await model.caption({ embedding: new Float32Array(), memory, times })
    expect(caption.text).toBe(text.read(found.ids))
    expect(caption.confidence).toBeCloseTo(found.confidence, 4)
  }, 60_000)

  it('is smaller in half precision and in 8 bits, at a known cost, and keeps its frames as exactly', async () => {
    for (const [precision, least, most] of [
      ['fp16', 1e-5, 5e-3],
      ['int8', 1e-3, 0.1],
    ] as const) {
      const smaller = await opened(await imported(checkpoint, precision))
      const { model } = smaller
      const features = await model.see(video)
      expect(difference(features, golden.features)).toBeLessThan(precision === 'fp16' ? 5e-3 : 0.03)
      const cost = difference(await wholly(smaller, ids, seen), golden.logits)
      expect(cost).toBeGreaterThan(least)
      expect(cost).toBeLessThan(most)
      const memory = toHalf(features)
      const { text: answer } = await model.answer({ embedding: new Float32Array(), memory, times }, golden.question)
      expect(answer.startsWith(text.read(await greedily(smaller, ids, fromHalf(memory), 12)).trim())).toBe(true)
    }
  }, 60_000)

  it('is tried as any pack, and refuses what is not its own', async () => {
    const engine = await Engine.start({ packDir: one.pack.dir })
    try {
      expect(await engine.selfTest()).toBeNull()
      const [frame = new Uint8Array()] = one.pack.knownAnswers.clips
      const encoding = await engine.encode({ tubes: [frame] })
      expect(encoding).toMatchObject({ tokens: null, memory: { length: 4 * 96 } })
      await expect(engine.answer({ ...encoding, times }, 'what?')).rejects.toMatchObject({ problem: { code: 'clip-not-encoded' } })
      await expect(engine.encode({ tubes: [frame.subarray(1)] })).rejects.toMatchObject({ problem: { code: 'clip-not-encoded' } })
      await expect(engine.embedText(['a dog'], 'search')).rejects.toMatchObject({ problem: { code: 'pack-cannot' } })
    } finally {
      await engine.close()
    }
  }, 60_000)
})

describe('a check against the reference fails', () => {
  /** The furthest that a changed template is from the reference: features, or the logits for the reference's features. */
  async function furthest(edit: (template: string) => string): Promise<number> {
    const [folder, out] = [mkdtempSync(path.join(root, 'changed-')), mkdtempSync(path.join(root, 'graphs-'))]
    const template = readFileSync(path.join(TEMPLATES, 'smolvlm', 'template.json'), 'utf8')
    writeFileSync(path.join(folder, 'template.json'), edit(template))
    const model = await smolVlm.read(await readCheckpoint(checkpoint), 'fp32', folder)
    const graphs = expandTemplate(model.template, model.env, 'fp32')
    const { places } = planWeights(graphs, model.tensors)
    const location = 'weights.bin'
    await writeWeights({ out: path.join(out, location), plan: [...places.values()] }, () => undefined, new AbortController().signal)
    const files = Object.fromEntries(graphs.map(({ name }) => [name, path.join(out, `${name}.onnx`)]))
    for (const graph of graphs) writeFileSync(files[graph.name] ?? '', onnxFile(graph, places, { ...model.template, location }))
    const ran = new Graphs(files, { provider: 'cpu', threads: 1 })
    const features = []
    for (let frame = 0; frame < golden.frames; frame += 1) {
      const pixels = byteTensor(video.subarray(frame * 64 * 64 * 3, (frame + 1) * 64 * 64 * 3), [1, 64, 64, 3])
      features.push(...floatsOf(await ran.run('vision', { pixels }), 'image_features'))
    }
    const { width, layers, kvHeads, headDim, imageTokens, vocab, context } = model.env as Record<string, number>
    const dims = { width, layers, kvHeads, headDim, imageTokens, vocab, context } as SmolVlmManifest['dims']
    const image = TINY_SMOLVLM.image_token_id
    const tokenizer = { image, end: 1003, file: '', sha256: '' }
    const logits = await inOnePass(ran, { dims, tokenizer }, ids, Float32Array.from(golden.features))
    return Math.max(difference(Float32Array.from(features), golden.features), difference(logits, golden.logits))
  }

  it.each<[string, (template: string) => string]>([
    ['nothing', (template) => template],
    ['the epsilon of a norm', (template) => template.replace('{visionEpsilon}', '1e-5')],
    ['a norm without its root', (template) => template.replace('"m = Sqrt(m)", ', '')],
    [
      'tokens at other places',
      (template) => template.replace('angle = Mul(place, ~frequencies)', 'place = Sqrt(place)", "angle = Mul(place, ~frequencies)'),
    ],
    ['what stands after a token not hidden', (template) => template.replace('Where(past, ~0, ~-1e9)', 'Where(past, ~0, ~0)')],
    [
      'heads that share other keys',
      (template) => template.replace('kvHeads, shares, headDim])', 'shares, kvHeads, headDim])').replace('[0,2,3,1,4]', '[0,3,2,1,4]'),
    ],
    [
      'cells of an image joined in another order',
      (template) => template.replace('cells, joins, cells, joins', 'cells, joins, joins, cells'),
    ],
    ['another activation', (template) => template.replace('Gelu(h) approximate=tanh', 'Gelu(h)')],
  ])('for %s', async (what, edit) => {
    const template = readFileSync(path.join(TEMPLATES, 'smolvlm', 'template.json'), 'utf8')
    expect(edit(template) === template).toBe(what === 'nothing')
    const far = await furthest(edit)
    if (what === 'nothing') expect(far).toBeLessThan(1e-5)
    else expect(far).toBeGreaterThan(1e-5)
  })
})

describe('what the model reads', () => {
  it("is, byte for byte, what the reference's processor writes", () => {
    for (const { question, times: frames, seconds, text: expected, ids: expectedIds } of prompts) {
      const whole = `${videoPrompt({ frames, seconds }, 4)}\n\n${question}<end_of_utterance>\nAssistant:`
      expect(whole).toBe(expected)
      expect([...text.video({ frames, seconds }, 4), ...text.question(question)]).toEqual(expectedIds)
    }
  })

  it("is split as Python's tokenizer splits it", () => {
    const pairs = z
      .array(z.tuple([z.string(), z.array(z.number())]))
      .parse(JSON.parse(gunzipSync(readFileSync(path.join(SMOLVLM_GOLDEN, 'tokens.json.gz'))).toString()))
    expect(pairs).toHaveLength(1000)
    expect(pairs.filter(([string, expected]) => text.ids(string).join() !== expected.join()).map(([string]) => string)).toEqual([])
  })

  it('holds no mark that a person typed, and nothing endless', () => {
    const plain = text.question('what is it?')
    const marked = text.question('<|im_start|>what<image> is<end_of_utterance> it?<ima<image>ge>')
    const marks = new Set(['<image>', '<|im_start|>', '<end_of_utterance>'].map((mark) => text.only(mark)))
    expect(marked.filter((id) => marks.has(id))).toEqual(plain.filter((id) => marks.has(id)))
    expect(text.question('word '.repeat(5000)).length).toBeLessThan(600)
  })
})

describe('a checkpoint is refused with the reason', () => {
  async function why(change: {
    tensors?: (all: Record<string, MadeTensor>) => Record<string, MadeTensor>
    config?: object
    beside?: Record<string, string | null>
    precision?: Precision
  }) {
    const folder = mkdtempSync(path.join(root, 'refused-'))
    const file = writeSmolVlm(folder, change.tensors?.(tinySmolVlm()) ?? tinySmolVlm(), change.config ?? TINY_SMOLVLM)
    for (const [name, content] of Object.entries(change.beside ?? {}))
      if (content === null) rmSync(path.join(folder, name))
      else writeFileSync(path.join(folder, name), content)
    const store = new PackStore([BUNDLED], path.join(folder, 'packs'))
    return prepareImport(file, change.precision ?? 'fp32', TEMPLATES, store).then(
      () => 'accepted',
      (error: unknown) => {
        const problem = problemOf(error)
        const { message, next, stillWorks } = inEnglish(problem)
        expect([problem.code, Boolean(next), Boolean(stillWorks)]).toEqual(['checkpoint-unusable', true, true])
        return `${message} ${problem.details ?? ''} ${next}`
      },
    )
  }
  const { text_config: words, vision_config: vision } = TINY_SMOLVLM
  const without = (name: string) => (all: Record<string, MadeTensor>) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => key !== name))

  it('by its tensors', async () => {
    expect(await why({})).toBe('accepted')
    expect(await why({ tensors: without('model.text_model.norm.weight') })).toContain('model.text_model.norm.weight')
    expect(await why({ tensors: (all) => ({ ...all, 'model.text_model.layers.0.gate': f32([1], [1]) }) })).toContain('layers.0.gate')
    expect(await why({ tensors: (all) => ({ ...all, 'lm_head.weight': f32([2], [1, 2]) }) })).toContain('[1024, 96]')
    // A head that is the table of words is not stored twice.
    expect(await why({ tensors: without('lm_head.weight') })).toBe('accepted')
  })

  it('by its config', async () => {
    const config = (change: object) => ({ ...TINY_SMOLVLM, ...change })
    expect(await why({ beside: { 'config.json': null } })).toContain('There is no config.json')
    expect(await why({ config: config({ model_type: 'idefics3' }) })).toContain('idefics3')
    expect(await why({ config: config({ scale_factor: 2 }) })).toContain('scale_factor')
    expect(await why({ config: config({ text_config: { ...words, num_hidden_layers: 30 } }) })).toContain(
      'num_hidden_layers 30, the tensors say 3',
    )
    expect(await why({ config: config({ text_config: { ...words, rope_scaling: { factor: 2 } } }) })).toContain('rope_scaling')
    expect(await why({ config: config({ text_config: { ...words, attention_bias: true } }) })).toContain('biases')
    expect(await why({ config: config({ vision_config: { ...vision, hidden_act: 'relu' } }) })).toContain('relu')
    expect(await why({ config: config({ text_config: { ...words, num_attention_heads: 5, head_dim: undefined } }) })).toContain('heads')
    const { rope_theta, ...newer } = words
    expect(await why({ config: config({ text_config: { ...newer, rope_parameters: { rope_theta, rope_type: 'default' } } }) })).toBe(
      'accepted',
    )
    expect(await why({ config: config({ text_config: { ...newer, rope_parameters: { rope_theta, rope_type: 'yarn' } } }) })).toContain(
      'yarn',
    )
  })

  it('by its tokenizer and its processor', async () => {
    const file = readFileSync(path.join(SMOLVLM_GOLDEN, 'tokenizer.json'), 'utf8')
    expect(await why({ beside: { 'tokenizer.json': null } })).toContain('There is no tokenizer.json')
    expect(await why({ beside: { 'tokenizer.json': file.replaceAll('<image>', '<picture>') } })).toContain('<image> is not one token')
    expect(await why({ config: { ...TINY_SMOLVLM, image_token_id: 7 } })).toContain('config.json says 7')
    const processor = (settings: object) => ({ beside: { 'preprocessor_config.json': JSON.stringify(settings) } })
    const published = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], resample: 1, max_image_size: { longest_edge: 64 } }
    expect(await why(processor(published))).toBe('accepted')
    expect(await why(processor({ ...published, resample: 3 }))).toContain('resample 3')
    expect(await why(processor({ ...published, image_mean: [0.48, 0.45, 0.4] }))).toContain('image_mean')
    expect(await why(processor({ ...published, max_image_size: { longest_edge: 512 } }))).toContain('pictures of 512, not 64')
    expect(await why({ beside: { 'processor_config.json': '{"image_seq_len":64}' } })).toContain('image_seq_len 64')
  })
})
