/// <reference lib="esnext.float16" />
/** Packs that the app makes of OWL checkpoints, against values of the public reference code (see models/owl/reference.py). */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { highestScore, logitsOf, queryOf } from '../../app/cells.ts'
import { inEnglish, problemOf } from '../../app/errors.ts'
import type { OwlManifest } from '../../app/pack/owl.ts'
import { resample } from '../../app/resample.ts'
import { openPlaceable } from '../engine/families.ts'
import { Graphs } from '../engine/graphs.ts'
import { openOwl, Owl, squareOf } from '../engine/owl.ts'
import { openFolder } from '../engine/pack.ts'
import { placePack } from '../engine/provider.ts'
import { noise } from '../../app/noise.testing.ts'
import { f32, type MadeTensor, OWLS, TEMPLATES, tinyOwl, writeSafetensors } from './checkpoint.testing.ts'
import { prepareImport } from './import.ts'
import { onnxFile } from './onnx-writer.ts'
import { OwlTemplate, recogniseOwl } from './owl.ts'
import { BUNDLED } from './pack.testing.ts'
import { readCheckpoint } from './safetensors.ts'
import { PackStore, type StoredPack } from './store.ts'
import { expandTemplate } from './template.ts'
import { planWeights } from './weights.ts'

const Numbers = z.array(z.number())
const { texts, configs } = z
  .object({
    texts: z.array(z.string()),
    configs: z.record(
      z.string(),
      z.object({
        queries: Numbers,
        pixelStep: z.number(),
        pictures: z.array(
          z.object({
            size: z.tuple([z.number(), z.number()]),
            pixels: Numbers,
            logits: Numbers,
            boxes: Numbers,
            objectness: Numbers.optional(),
            guided: Numbers.optional(),
          }),
        ),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../models/owl/golden/values.json', import.meta.url), 'utf8')))

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-owl-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
afterAll(() => rmSync(root, { recursive: true, force: true }))

let count = 0
function written(tensors: Record<string, MadeTensor>, config: object | null, preprocessor?: object): string {
  const folder = path.join(root, `checkpoint-${(count += 1)}`)
  const file = path.join(mkdtempSync(folder), 'model.safetensors')
  writeSafetensors(file, tensors)
  if (config) writeFileSync(path.join(path.dirname(file), 'config.json'), JSON.stringify(config))
  if (preprocessor) writeFileSync(path.join(path.dirname(file), 'preprocessor_config.json'), JSON.stringify(preprocessor))
  return file
}

async function imported(file: string, precision: 'fp32' | 'fp16' | 'int8' = 'fp32'): Promise<StoredPack> {
  const store = new PackStore([BUNDLED], mkdtempSync(path.join(root, 'packs-')))
  const { run } = await prepareImport(file, precision, TEMPLATES, store)
  return (await run({ store, fork: undefined, report: () => undefined, signal: new AbortController().signal })).pack
}

async function opened({ dir, manifest }: StoredPack): Promise<Owl> {
  const { folder } = await openFolder(dir)
  if (manifest.family !== 'owl') return expect.fail('it is no OWL')
  const pack = await openOwl(folder, manifest, false)
  return new Owl(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
}

/** The largest difference, relative to the largest value. */
function difference(got: ArrayLike<number>, expected: readonly number[]): number {
  if (got.length !== expected.length) return Infinity
  return Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? NaN)))) / Math.max(...expected.map(Math.abs))
}

/** A step of the reference, as the template writes it, and a wrong one. */
const WRONG: readonly [what: string, right: string, wrong: string][] = [
  ['a norm’s epsilon of 1e-6', 'epsilon=1e-5', 'epsilon=1e-6'],
  ['the norm before the layers left out', 'x = norm(x, vision_model.pre_layernorm)', 'x = Identity(x)'],
  ['the last norm left out', 'f = norm(f, layer_norm)', 'f = Identity(f)'],
  ['no class token in the features', 'f = Mul(x, cls)', 'f = Identity(x)'],
  ['no positions of cells', 'x = Add(x, @vision_model.embeddings.position_embedding.weight)', 'x = Identity(x)'],
  ['no positions of words', 'x = Add(x, p)', 'x = Identity(x)'],
  ['later words seen', 'GreaterOrEqual(at, from)', 'GreaterOrEqual(from, from)'],
  ['another GELU', 's = Mul(h, ~1.702)', 's = Mul(h, ~1.6)'],
  ['quick GELU instead of the exact one in the heads', '"h = Gelu(h)"', '"s = Mul(h, ~1.702)", "s = Sigmoid(s)", "h = Mul(h, s)"'],
  ['heads not scaled', 'q = Mul(q, ~$scale)', 'q = Identity(q)'],
  [
    'the end mark’s state replaced by the first word’s',
    'end = ReduceMax(input_ids, [1]) keepdims=1',
    'end = Slice(input_ids, [0], [1], [1])',
  ],
  ['the scale without 1', 'e = Add(e, ~1)', 'e = Identity(e)'],
  ['boxes without their places', 'b = Add(b, bias)', 'b = Identity(b)'],
]

describe.each(OWLS)('%s', (kind) => {
  const golden = configs[`tiny-${kind}`] ?? expect.fail()
  const { tensors, config } = tinyOwl(kind)
  let pack: StoredPack
  let owl: Owl
  let square: OwlManifest['square']
  beforeAll(async () => {
    pack = await imported(written(tensors, config))
    owl = await opened(pack)
    if (pack.manifest.family === 'owl') square = pack.manifest.square
  })

  /** How far a model is from the reference: greatest difference of each kind. */
  async function furthest(
    model: Owl,
    pictures = golden.pictures,
  ): Promise<{ queries: number; logits: number; boxes: number; worth: number; guided: number }> {
    const queries = await model.embed(texts)
    const far = {
      queries: difference(
        queries.flatMap((query) => [...query]),
        golden.queries,
      ),
      logits: 0,
      boxes: 0,
      worth: 0,
      guided: 0,
    }
    for (const [seed, { size, ...expected }] of pictures.entries()) {
      const cells = await model.seeSquare(noise(...size, seed))
      const rows = queries.map((query) => logitsOf(cells, query))
      const logits = Array.from(cells.shift, (_, cell) => rows.map((row) => row[cell] ?? NaN)).flat()
      far.logits = Math.max(far.logits, difference(logits, expected.logits))
      far.boxes = Math.max(far.boxes, ...expected.boxes.map((value, i) => Math.abs(value - (cells.boxes[i] ?? NaN))))
      if (expected.guided) {
        const query = queryOf(cells, { cx: 0.5, cy: 0.5, w: 1, h: 1 }) ?? expect.fail()
        far.guided = Math.max(far.guided, difference(logitsOf(cells, query), expected.guided))
      }
      if (expected.objectness) far.worth = Math.max(far.worth, difference(cells.worth, expected.objectness))
    }
    return far
  }

  test('finds and scores boxes as the reference does, through split graphs', async () => {
    const { queries, logits, boxes, worth, guided } = await furthest(owl)
    expect(Math.max(queries, logits, worth, guided)).toBeLessThan(1e-5)
    expect(boxes).toBeLessThan(1e-6)
    if (kind === 'owlv2') return
    // Without an objectness it is the highest score that any text could get: no query reaches it.
    const cells = await owl.seeSquare(noise(90, 50, 0))
    for (let cell = 0; cell < cells.count; cell += 1) expect(cells.worth[cell]).toBeCloseTo(highestScore(cells, cell), 5)
  })

  test('prepares pictures as the reference does; stretched, padded or resampled otherwise they differ', () => {
    for (const [seed, { size, pixels }] of golden.pictures.entries()) {
      const off = (fit: OwlManifest['square']['fit']) =>
        difference(
          squareOf(noise(...size, seed), { ...square, fit }).filter((_, i) => i % golden.pixelStep === 0),
          pixels,
        )
      expect(off(square.fit)).toBeLessThan(1e-6)
      expect(off(square.fit === 'pad' ? 'stretch' : 'pad')).toBeGreaterThan(0.01)
    }
    if (kind === 'owlv2') return
    const [{ size, pixels } = expect.fail()] = golden.pictures
    const bilinear = resample(noise(...size, 0), square.side, square.side, 'bilinear')
    const wrong = squareOf(bilinear, square).filter((_, i) => i % golden.pixelStep === 0)
    expect(difference(wrong, pixels)).toBeGreaterThan(0.01)
  })

  test('the comparison notices a wrong norm, position, mask, activation and scale', async () => {
    const dir = path.join(TEMPLATES, 'owl')
    const text = readFileSync(path.join(dir, 'template.json'), 'utf8')
    const checkpoint = await readCheckpoint(written(tensors, config))
    const { env, tensors: named } = await recogniseOwl(checkpoint, OwlTemplate.parse(JSON.parse(text)))
    const graphsOf = (template: string) => expandTemplate(OwlTemplate.parse(JSON.parse(template)), env, 'fp32')
    const { places } = planWeights(graphsOf(text), named)
    const folder = mkdtempSync(path.join(root, 'wrong-'))
    copyFileSync(path.join(pack.dir, 'weights.bin'), path.join(folder, 'weights.bin'))
    const { folder: from } = await openFolder(pack.dir)
    if (pack.manifest.family !== 'owl') return expect.fail()
    const right = await openOwl(from, pack.manifest, false)
    const unnoticed: string[] = []
    for (const [i, [what, before, after]] of WRONG.entries()) {
      expect(text, what).toContain(before)
      const files = Object.fromEntries(
        graphsOf(text.replaceAll(before, after)).map((graph) => {
          const file = path.join(folder, `${graph.name}-${i}.onnx`)
          writeFileSync(file, onnxFile(graph, places, { opset: 20, ir: 10, location: 'weights.bin' }))
          return [graph.name, file]
        }),
      )
      const graphs = new Graphs(files, { provider: 'cpu', threads: 1 })
      const { queries, logits, boxes } = await furthest(new Owl(right, graphs), golden.pictures.slice(0, 1))
      if (Math.max(queries, logits) < 1e-5 && boxes < 1e-6) unnoticed.push(what)
      await graphs.release()
    }
    expect(unnoticed).toEqual([])
  })

  test('passes its self-test, says that nothing was measured, and takes less room in half precision and in 8 bits', async () => {
    await expect(placePack(await openPlaceable(pack.dir, false))).resolves.toMatchObject({ info: { provider: 'CPU' } })
    expect(pack.manifest).toMatchObject({ tasks: ['boxes'], scores: [], calibration: { measured: false }, source: { precision: 'fp32' } })
    const [half, bytes] = [await imported(written(tensors, config), 'fp16'), await imported(written(tensors, config), 'int8')]
    expect(half.bytes).toBeLessThan(pack.bytes * 0.8)
    for (const [smaller, most] of [
      [half, 5e-3],
      [bytes, 0.2],
    ] as const) {
      const far = await furthest(await opened(smaller))
      expect(far.logits).toBeGreaterThan(1e-5)
      expect(far.logits).toBeLessThan(most)
    }
  })
})

test('half-precision weights are read, and what is no such model, or computes otherwise, is refused with its reason', async () => {
  const { tensors, config } = tinyOwl('owlvit')
  const why = (change: object, preprocessor?: object, made = tensors) =>
    prepareImport(
      written(made, { ...config, ...change }, preprocessor),
      'fp32',
      TEMPLATES,
      new PackStore([], path.join(root, 'none')),
    ).then(
      () => expect.fail('it was accepted'),
      (error: unknown) => {
        const { message, details = '', code } = problemOf(error)
        expect(code).toBe('checkpoint-unusable')
        return `${inEnglish(problemOf(error)).message} ${message} ${details}`
      },
    )
  expect(await why({ model_type: 'owlv2' })).toContain('It says model_type owlv2, the tensors say owlvit.')
  expect(await why({ vision_config: { image_size: 96 } })).toContain('image_size 96')
  expect(await why({ text_config: { hidden_act: 'gelu' } })).toContain('hidden_act gelu')
  expect(await why({ vision_config: { num_attention_heads: 3 } })).toContain('does not divide')
  expect(await why({}, { size: { height: 96, width: 64 } })).toContain('Pictures of 96 × 64')
  expect(await why({}, { resample: 2 })).toContain('resample 2')
  expect(await why({}, { do_rescale: false })).toContain('do_rescale')
  const without = (key: string) => Object.fromEntries(Object.entries(tensors).filter(([name]) => name !== key))
  expect(await why({}, undefined, without('layer_norm.bias'))).toContain('missing: layer_norm.bias')
  expect(await why({}, undefined, { ...tensors, 'mask_head.weight': f32([1], [1]) })).toContain('mask_head.weight')
  // The spelling of older versions, a buffer that they stored, sizes as they wrote them, and other types of numbers.
  const older = Object.fromEntries(
    Object.entries(tensors).map(([key, { shape, data }]) => {
      const floats = new Float32Array(data.slice().buffer)
      const half = { dtype: 'F16', shape, data: new Uint8Array(new Float16Array(floats).buffer) }
      return [key.replace('pre_layernorm', 'pre_layrnorm'), half]
    }),
  )
  const ids = { dtype: 'I64', shape: [1, 16], data: new Uint8Array(128) }
  const file = written({ ...older, 'owlvit.text_model.embeddings.position_ids': ids }, config, { size: [64, 64], do_center_crop: true })
  await expect(prepareImport(file, 'fp32', TEMPLATES, new PackStore([], path.join(root, 'none')))).resolves.toHaveProperty('run')
})
