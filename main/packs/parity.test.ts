/** Packs that the app makes of checkpoints, against values of the public reference code (see models/openmammut/reference.py). */
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { cutTubes } from '../../app/tubes.ts'
import { beamSearch } from '../engine/beam.ts'
import { type CrossAttention, overCross } from '../engine/continuing.ts'
import { decode } from '../engine/decode.ts'
import { toHalf } from '../engine/float16.ts'
import { openPlaceable } from '../engine/families.ts'
import { floatTensor, Graphs, tensorOf } from '../engine/graphs.ts'
import type { Pack } from '../engine/mammut.ts'
import { openPack } from '../engine/mammut.testing.ts'
import { Model, type Vision } from '../engine/model.ts'
import { placePack } from '../engine/provider.ts'
import { mammutTemplate, TEMPLATES } from './checkpoint.testing.ts'
import { prepareImport } from './import.ts'
import { readConfig, recogniseOpenMammut } from './openmammut.ts'
import { BUNDLED } from './pack.testing.ts'
import { PackStore } from './store.ts'
import { expandTemplate, type Graph } from './template.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const python = path.join(repository, '.venv', 'bin', 'python')

/** Together they have every peculiarity of the published sizes. */
const NAMES = ['tiny', 'tiny-no-mlp', 'tiny-upstream', 'tiny-resaved']

const Golden = z.object({
  sentences: z.array(z.string()),
  /** By config and precision: the digest of each graph. */
  graphs: z.record(z.string(), z.record(z.enum(['fp32', 'fp16', 'int8']), z.array(z.string()))),
  configs: z.record(
    z.string(),
    z.object({
      embedding: z.array(z.number()),
      textEmbeddings: z.array(z.array(z.number())),
      captions: z.array(z.object({ beams: z.number(), lengthPenalty: z.number(), longest: z.number(), ids: z.array(z.number()) })),
    }),
  ),
})
const { sentences, graphs, configs } = Golden.parse(
  JSON.parse(readFileSync(path.join(repository, 'models/openmammut/golden/values.json'), 'utf8')),
)

/** The largest difference, relative to the largest value. */
function difference(got: Float32Array | undefined, expected: readonly number[] | undefined): number {
  if (got?.length !== expected?.length) return Infinity
  return Math.max(...(expected ?? []).map((value, i) => Math.abs(value - (got?.[i] ?? NaN)))) / Math.max(...(expected ?? []).map(Math.abs))
}

describe.skipIf(!existsSync(python))(
  'a pack from a checkpoint',
  { meta: { needs: 'the Python of models/requirements.txt in .venv' } },
  () => {
    const root = mkdtempSync(path.join(tmpdir(), 'tubelet-openmammut-'))
    const fileOf = (name: string) => path.join(root, name, 'open_clip_model.safetensors')
    const packs = new Map<string, string>()

    beforeAll(async () => {
      vi.stubEnv('XDG_CACHE_HOME', root)
      const program = `
import json, sys
from pathlib import Path
from models.openmammut.seeded import CONFIGS
root = Path(sys.argv[1])
for name in sys.argv[2:]:
    (root / name).mkdir()
    CONFIGS[name].write(root / name / "open_clip_model.safetensors")
for name, config in CONFIGS.items():
    (root / "shapes" / name).mkdir(parents=True)
    (root / "shapes" / name / "open_clip_config.json").write_text(json.dumps({"model_cfg": config.open_clip()}))
    (root / "shapes" / name / "shapes.json").write_text(json.dumps({key: shape for key, (_, shape) in config.tensors().items()}))
`
      execFileSync(python, ['-c', program, root, ...NAMES], { cwd: repository, stdio: 'pipe' })
      for (const name of NAMES) {
        const store = new PackStore([BUNDLED], path.join(root, name, 'packs'))
        const { run } = await prepareImport(fileOf(name), 'fp32', TEMPLATES, store)
        const { pack } = await run({ store, fork: undefined, report: () => undefined, signal: new AbortController().signal })
        packs.set(name, pack.dir)
      }
    }, 240_000)
    afterAll(() => {
      vi.unstubAllEnvs()
      rmSync(root, { recursive: true })
    })

    describe.each(NAMES)('%s', (name) => {
      const golden = configs[name] ?? expect.fail()
      let pack: Pack
      let model: Model
      let seen: Vision
      beforeAll(async () => {
        pack = await openPack(packs.get(name) ?? expect.fail())
        model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
        // The first known answer is for the video that the reference used.
        seen = await model.see(cutTubes(pack.knownAnswers.clips[0] ?? expect.fail(), pack.manifest.input))
      })

      it('embeds clips and texts as the reference does', async () => {
        expect(difference(seen.embedding, golden.embedding)).toBeLessThan(1e-5)
        const texts = await model.embed(sentences)
        for (const [i, text] of texts.entries()) expect(difference(text, golden.textEmbeddings[i])).toBeLessThan(1e-5)
      })

      it('finds the captions that a search without a cache finds in the logits of the reference', async () => {
        const { dims, tokenizer } = pack.manifest
        const projected = await model.graphs.run('cross', { memory: floatTensor(seen.memory, [1, dims.tokens, dims.memory]) })
        const cross: CrossAttention = { cross_k: tensorOf(projected, 'cross_k'), cross_v: tensorOf(projected, 'cross_v') }
        const over = () => overCross(model.graphs, pack.manifest, cross)
        const [end, prompt] = [tokenizer.end, [tokenizer.start]]
        for (const { ids, longest, ...beams } of golden.captions) {
          const found = await beamSearch(over(), prompt, { ...beams, end, most: longest })
          expect(found.ids).toEqual(ids)
          expect(found.attention.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 3)
        }
        // A beam of one is greedy decoding.
        const most = dims.context - prompt.length
        const greedy = await decode(over(), prompt, { end, most })
        const one = await beamSearch(over(), prompt, { beams: 1, lengthPenalty: 1, end, most })
        expect(one.ids).toEqual(greedy.ids)
        expect(one.confidence).toBeCloseTo(greedy.confidence, 2)
      })

      it('passes its self-test, captions from a stored encoding, and says plainly what it cannot do', async () => {
        await expect(placePack(await openPlaceable(pack.dir, false))).resolves.toMatchObject({ info: { provider: 'CPU' } })
        const stored = { embedding: seen.embedding, memory: toHalf(seen.memory) }
        const said = await model.caption(stored)
        expect(said).toMatchObject({ unsure: true, prompt: '' })
        expect(said.text).toBe(pack.knownAnswers.caption)
        expect(said.frameWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 3)
        await expect(model.answer(stored, 'what is it?')).rejects.toMatchObject({ problem: { code: 'pack-cannot' } })
        await expect(model.detect(new Uint16Array(), [['dog']])).rejects.toMatchObject({ problem: { code: 'pack-cannot' } })
      })
    })

    it('is refused when its weights differ by a byte, or when a file lies beside them that it does not name', async () => {
      const dir = packs.get('tiny-no-mlp') ?? expect.fail()
      const refused = (details: RegExp) =>
        expect(openPack(dir)).rejects.toMatchObject({
          problem: { code: 'pack-invalid', details: expect.stringMatching(details) as string },
        })
      writeFileSync(path.join(dir, 'more.bin'), 'weights of another model')
      await refused(/more\.bin is not named/)
      rmSync(path.join(dir, 'more.bin'))
      const weights = path.join(dir, 'weights.bin')
      const bytes = readFileSync(weights)
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
      writeFileSync(weights, bytes)
      await refused(/weights\.bin is damaged/)
      expect(readdirSync(dir)).toContain('pack.json')
    })

    // After an intended change of the template run models/openmammut/test_openmammut.py first, also with -m full_size, then put the new digests into values.json.
    it.each(Object.keys(graphs))('of %s has the graphs that it had when they were held to the reference', async (name) => {
      const folder = path.join(root, 'shapes', name)
      const template = mammutTemplate()
      const shapes = z.record(z.string(), z.array(z.number())).parse(JSON.parse(readFileSync(path.join(folder, 'shapes.json'), 'utf8')))
      const tensors = new Map(Object.entries(shapes).map(([key, shape]) => [key, { file: name, dtype: 'F32', shape, begin: 0, bytes: 0 }]))
      const { env } = recogniseOpenMammut(
        { file: name, bytes: 0, tensors },
        template,
        await readConfig(path.join(folder, 'model.safetensors')),
      )
      for (const precision of ['fp32', 'fp16', 'int8'] as const)
        expect(expandTemplate(template, env, precision).map(digestOf)).toEqual(graphs[name]?.[precision])
    })
  },
)

/** Every value, node and weight of a graph, in order. */
function digestOf({ name, inputs, outputs, nodes, weights }: Graph): string {
  const values = [...inputs, ...outputs].map((value) => [value.name, value.type, ...value.shape].join(' '))
  const lines = nodes.map((node) =>
    [...node.outputs, '=', node.op, ...node.inputs, ...node.attributes.map(([key, value]) => `${key}=${value}`)].join(' '),
  )
  return hash('sha256', [name, ...values, ...lines, ...weights.keys()].join('\n'))
}
