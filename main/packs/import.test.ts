import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Precision } from '../../app/contract/packs.ts'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { killNextThread } from '../threads.testing.ts'
import { Engine, ofFamily } from '../engine/engine.ts'
import { f32, type MadeTensor, mammutTemplate, TEMPLATES, tinyMammut, writeSafetensors } from './checkpoint.testing.ts'
import { type ImportOptions, prepareImport } from './import.ts'
import { onnxFile } from './onnx-writer.ts'
import { readConfig, recogniseOpenMammut } from './openmammut.ts'
import { BUNDLED, copyPack, OBJECTS, SCREEN_TEXT } from './pack.testing.ts'
import { INDEX, readSafetensors } from './safetensors.ts'
import { PackStore } from './store.ts'
import { expandTemplate } from './template.ts'
import { planWeights, writeWeights } from './weights.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-import-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
afterAll(() => rmSync(root, { recursive: true, force: true }))
const checkpoint = path.join(root, 'tiny.safetensors')
const tiny = tinyMammut()
const never = new AbortController().signal
beforeAll(() => writeSafetensors(checkpoint, tiny))

let store: PackStore
beforeEach(() => {
  store = new PackStore([BUNDLED], mkdtempSync(path.join(root, 'packs-')))
})
const options = (changes: Partial<ImportOptions> = {}): ImportOptions => ({
  store,
  fork: undefined,
  report: () => undefined,
  signal: never,
  ...changes,
})
const importing = (file: string, precision: Precision = 'fp32') => prepareImport(file, precision, TEMPLATES, store)
/** The problem as a person reads it. */
const why = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => {
      const problem = problemOf(error)
      return { ...problem, ...inEnglish(problem) }
    },
  )
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a checkpoint becomes a pack', () => {
  /** SHA-256 of weights.bin as NumPy and PyTorch made it of the same tensors. */
  const EXPECTED: Record<Precision, string> = {
    fp32: '5f86170eb1e23e3a7321be42a519b0220de9e0a9f1e4c63dba0e8e807631bcbf',
    fp16: 'd47a927917de939ed2e3c70fe060a0f91030be92f493981a48d4edf6e16fc741',
    int8: '03ca12e71c3be544945ba60894753d068a7193fc5904c0d6d6a6e4ee3b341253',
  }
  test.each(['fp32', 'fp16', 'int8'] as const)(
    'the weights in %s are, byte for byte, what NumPy and PyTorch make of them',
    async (precision) => {
      const template = mammutTemplate()
      const model = recogniseOpenMammut(await readSafetensors(checkpoint), template, await readConfig(checkpoint))
      const graphs = expandTemplate(template, model.env, precision)
      const { places, bytes } = planWeights(graphs, model.tensors)
      const out = path.join(root, precision)
      expect(await writeWeights({ out, plan: [...places.values()] }, () => undefined, never)).toBe(EXPECTED[precision])
      expect(readFileSync(out)).toHaveLength(bytes)
      expect(sha(readFileSync(out))).toBe(EXPECTED[precision])
      for (const graph of graphs) expect(onnxFile(graph, places, { ...template, location: 'weights.bin' }).length).toBeLessThan(40_000)
    },
  )

  test('that has passed its own test, says what it can do, and claims no scores', async () => {
    const stages: string[] = []
    const prepared = await importing(checkpoint)
    const { pack, measured } = await prepared.run(options({ report: ({ stage }) => stages.push(stage) }))
    expect([...new Set(stages)]).toEqual(['converting', 'testing'])
    expect(store.usable().map(({ id }) => id)).toEqual(['tubelet-mini', pack.id])
    expect(pack.manifest).toMatchObject({
      tasks: ['caption', 'search'],
      scores: [],
      calibration: { measured: false },
      source: { file: 'tiny.safetensors', layout: 'fork', precision: 'fp32' },
    })
    expect(measured?.secondsPerClip).toBeGreaterThan(0)
    expect(measured?.memoryBytes).toBeGreaterThan(3e7)
    const engine = await Engine.start({ packDir: pack.dir })
    try {
      if (!ofFamily(engine, 'mammut')) return expect.fail('it is no MaMMUT')
      const [dog, street] = await engine.embedText(['a dog', 'a street'], 'search')
      expect(dog?.length).toBe(64)
      expect(dog).not.toEqual(street)
    } finally {
      await engine.close()
    }
    expect(readdirSync(store.folder)).toEqual([pack.id])
  })

  test('in several files it becomes the same pack, through their index', async () => {
    const folder = mkdtempSync(path.join(root, 'shards-'))
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const
    const keys = Object.keys(tiny)
    const of = Object.fromEntries(keys.map((key, i) => [key, shards[i % 2] ?? shards[0]]))
    for (const shard of shards)
      writeSafetensors(path.join(folder, shard), Object.fromEntries(Object.entries(tiny).filter(([key]) => of[key] === shard)))
    const index = (weight_map: object) => writeFileSync(path.join(folder, INDEX), JSON.stringify({ weight_map }))
    index(of)
    const { pack } = await (await importing(folder)).run(options())
    expect(pack.manifest).toMatchObject({ source: { file: INDEX }, weights: [{ sha256: EXPECTED.fp32 }] })
    expect((await why(importing(path.join(folder, shards[1])))).next).toContain(INDEX)
    const [key = ''] = keys
    index({ ...of, [key]: shards[1] })
    expect((await why(importing(folder))).details).toContain(`"${key}" lies in ${shards[0]}, not in ${shards[1]}`)
    index({ ...of, more: shards[1] })
    expect((await why(importing(folder))).details).toContain('"more" is not in')
    index({ ...of, [key]: '../elsewhere.safetensors' })
    expect((await why(importing(folder))).message).toContain('index')
    index(of)
    rmSync(path.join(folder, shards[1]))
    expect(await why(importing(folder))).toMatchObject({ code: 'file-missing', file: path.join(folder, shards[1]) })
  })

  test('a pack folder from elsewhere is copied and tested', async () => {
    const prepared = await importing(copyPack(root, 'brought'))
    const { pack } = await prepared.run(options())
    expect(pack).toMatchObject({ id: 'brought', dir: path.join(store.folder, 'brought') })
    const broken = copyPack(root, 'broken')
    writeFileSync(path.join(broken, 'decoder.onnx'), 'something else')
    const problem = await why((await importing(broken)).run(options()))
    expect(problem).toMatchObject({ code: 'pack-invalid', details: expect.stringContaining('decoder.onnx') as string })
    expect(readdirSync(store.folder)).toEqual(['brought'])
  })

  test.each([
    ['eyes', OBJECTS, 'detector'],
    ['letters', SCREEN_TEXT, 'text'],
  ] as const)('a pack of another family is copied and tested as well: %s', async (id, from, family) => {
    const { pack } = await (await importing(copyPack(mkdtempSync(path.join(root, 'from-')), id, {}, from))).run(options())
    expect(pack).toMatchObject({ id, dir: path.join(store.folder, id), manifest: { family } })
    const broken = copyPack(mkdtempSync(path.join(root, 'from-')), `${id}-broken`, {}, from)
    const graph = readdirSync(broken).find((name) => name.endsWith('.onnx')) ?? expect.fail('no graph')
    writeFileSync(path.join(broken, graph), 'something else')
    expect(await why((await importing(broken)).run(options()))).toMatchObject({
      code: 'pack-invalid',
      details: expect.stringContaining(graph) as string,
    })
    expect(readdirSync(store.folder)).toEqual([id])
  })

  test('stopped half way, it leaves nothing', async () => {
    for (const stage of ['converting', 'testing']) {
      const stop = new AbortController()
      const prepared = await importing(checkpoint)
      const report: ImportOptions['report'] = (progress) =>
        progress.stage === stage && (progress.bytes ?? 1) > 0 && stop.abort(new Error('stopped'))
      await expect(prepared.run(options({ report, signal: stop.signal }))).rejects.toThrow('stopped')
      expect(existsSync(store.folder) ? readdirSync(store.folder) : []).toEqual([])
    }
  })

  test('a matrix too large to be held is turned in bands', async () => {
    const [rows, columns] = [1500, 1000]
    const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i))
    const file = path.join(root, 'matrix.safetensors')
    writeSafetensors(file, { m: f32([rows, columns], values) })
    const { tensors } = await readSafetensors(file)
    const { places } = planWeights(
      [
        {
          name: 'text',
          inputs: [],
          outputs: [],
          nodes: [],
          constants: new Map(),
          weights: new Map([
            [
              'm',
              {
                key: 'm',
                transforms: [
                  ['rows', '1', '2'],
                  ['perm', '1', '0'],
                ],
              },
            ],
          ]),
        },
      ],
      tensors,
    )
    await writeWeights({ out: path.join(root, 'turned'), plan: [...places.values()] }, () => undefined, never)
    const written = new Float32Array(new Uint8Array(readFileSync(path.join(root, 'turned'))).buffer)
    const expected = Float32Array.from(
      { length: (rows / 2) * columns },
      (_, i) => values[(rows / 2 + (i % (rows / 2))) * columns + Math.floor(i / (rows / 2))] ?? NaN,
    )
    expect(sha(new Uint8Array(written.buffer))).toBe(sha(new Uint8Array(expected.buffer)))
  })
})

test('weights whose thread dies are told, and are written at the next try', async () => {
  const folder = mkdtempSync(path.join(root, 'dies-'))
  const file = path.join(folder, 'one.safetensors')
  writeSafetensors(file, { m: f32([2, 2], [1, 2, 3, 4]) })
  const { tensors } = await readSafetensors(file)
  const weights = new Map([['m', { key: 'm', transforms: [] }]])
  const graph = { name: 'text' as const, inputs: [], outputs: [], nodes: [], constants: new Map(), weights }
  const { places } = planWeights([graph], tensors)
  const task = { out: path.join(folder, 'weights.bin'), plan: [...places.values()] }
  killNextThread()
  await expect(writeWeights(task, () => undefined, never)).rejects.toMatchObject({
    problem: { message: 'Writing the weights stopped unexpectedly.' },
  })
  expect(await writeWeights(task, () => undefined, never)).toBe(sha(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)))
})

test('what a SigLIP model has besides is left out', async () => {
  const file = path.join(mkdtempSync(path.join(root, 'siglip-')), 'model.safetensors')
  writeSafetensors(file, { ...tiny, logit_bias: f32([], [-10]) })
  await expect(importing(file)).resolves.toHaveProperty('run')
})

describe('a checkpoint of something else is refused at once, with what it is', () => {
  let count = 0
  const refusedWith = async (change: (tensors: Record<string, MadeTensor>) => Record<string, MadeTensor>, config?: object) => {
    const folder = path.join(root, `other-${(count += 1)}`)
    const file = path.join(mkdtempSync(folder), 'model.safetensors')
    writeSafetensors(file, change({ ...tiny }))
    if (config) writeFileSync(path.join(path.dirname(file), 'open_clip_config.json'), JSON.stringify(config))
    const problem = await why(importing(file))
    expect(problem.code).toBe('checkpoint-unusable')
    expect(problem.next).toBeTruthy()
    expect(problem.stillWorks).toBeTruthy()
    return `${problem.message} ${problem.details ?? ''}`
  }
  const without = (pattern: RegExp) => (tensors: Record<string, MadeTensor>) =>
    Object.fromEntries(Object.entries(tensors).filter(([key]) => !pattern.test(key)))

  test('by its tensors', async () => {
    expect(await refusedWith(without(/map_viz2txt_kv|^text\.cross/))).toContain('plain CLIP')
    expect(await refusedWith((all) => ({ ...all, 'text_decoder.ln_final.weight': f32([1], [1]) }))).toContain('CoCa')
    expect(await refusedWith(() => ({ 'model.embed_tokens.weight': f32([1], [1]) }))).toContain('no model of a kind')
    expect(await refusedWith(without(/text\.positional_embedding/))).toContain('modern kind')
    expect(await refusedWith((all) => ({ ...all, 'visual.trunk.patch.weight': f32([1], [1]) }))).toContain('timm')
    expect(await refusedWith((all) => ({ ...all, 'visual.attn_pool.query': f32([1, 64], new Float32Array(64)) }))).toContain(
      'pools with attention',
    )
    expect(await refusedWith((all) => ({ ...all, 'visual.positional_embedding': f32([12, 64], new Float32Array(12 * 64)) }))).toContain(
      'not square',
    )
    expect(await refusedWith(without(/resblocks\.1\.ln_2\.bias/))).toContain('missing')
    expect(await refusedWith((all) => ({ ...all, 'text.resblocks.0.gate': f32([1], [1]) }))).toContain('text.resblocks.0.gate')
    const endless = Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`text.resblocks.${n}.ln_1.weight`, f32([0], [])]))
    expect(await refusedWith((all) => ({ ...all, ...endless }))).toContain('It has 1100 layers.')
    expect(await refusedWith((all) => ({ ...all, 'visual.ln_post.bias': f32([2], [1, 2]) }))).toContain(
      'visual.ln_post.bias is [2], not [64]',
    )
    expect(
      await refusedWith((all) => ({ ...all, 'visual.ln_post.bias': { dtype: 'I32', shape: [64], data: new Uint8Array(256) } })),
    ).toContain('I32')
    expect(await refusedWith((all) => ({ ...all, 'text.token_embedding.weight': f32([100, 64], new Float32Array(6400)) }))).toContain(
      'vocabulary has 100',
    )
  })

  test('by the config beside it', async () => {
    const vision = (vision_cfg: object) => ({ model_cfg: { embed_dim: 64, vision_cfg } })
    expect(await refusedWith((all) => all, vision({ width: 1024 }))).toContain('another model')
    expect(await refusedWith((all) => all, vision({ final_ln_after_pool: true }))).toContain('pools in a way')
    const published = { pool_type: 'avg_all', final_ln_after_pool: true }
    expect(await refusedWith((all) => all, vision({ pool_type: 'avg_all' }))).toContain('normalises in another order')
    expect(await refusedWith((all) => all, vision({ ...published, norm_kwargs: { eps: 1e-6 } }))).toContain('eps')
    expect(await refusedWith((all) => all, { model_cfg: { text_cfg: { heads: 1, cross_attn_ratio: 4 } } })).toContain(
      '2 cross-attention layers do not fit 4 text layers, one after every 4',
    )
    expect(await refusedWith((all) => all, { model_cfg: { text_cfg: { tokenizer_kwargs: { clean: 'canonicalize' } } } })).toContain(
      'another tokenizer (clean)',
    )
    expect(await refusedWith((all) => all, { model_cfg: { embed_dim: 64, multimodal_cfg: { text_arch: 'modern' } } })).toContain(
      'modern kind',
    )
    expect(await refusedWith((all) => all, vision({ ...published, image_size: 224 }))).toContain(
      'Pictures of 224 do not have 4 × 4 patches',
    )
    expect(await refusedWith((all) => all, { model_cfg: {}, preprocess_cfg: { resize_mode: 'longest' } })).toContain('longest')
    const newer = ({ 'text.text_projection': head, ...all }: Record<string, MadeTensor>) => ({
      ...all,
      ...(head && { 'text.lm_head': head }),
    })
    expect(await refusedWith(newer)).toContain('no open_clip_config.json beside it')
    expect(await refusedWith((all) => all, { model_cfg: { multimodal_cfg: { hf_tokenizer_name: 'someone/bert' } } })).toContain(
      'someone/bert',
    )
    expect(await refusedWith((all) => all, { model_cfg: { embed_dim: 'wide' } })).toContain('cannot be read')
  })

  test('what is neither checkpoint nor pack is told so', async () => {
    expect((await why(importing(root))).message).toContain('folder')
    expect((await why(importing(path.join(root, 'nowhere')))).code).toBe('file-missing')
  })
})
