/** Packs made from checkpoints, in the engine: against values of the public reference code (see models/openmammut/reference.py). */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { cutTubes } from '../../app/tubes.ts'
import { beamSearch } from './beam.ts'
import { decode, type CrossAttention } from './decode.ts'
import { toHalf } from './float16.ts'
import { floatTensor, Graphs, tensorOf } from './graphs.ts'
import { Model, type Vision } from './model.ts'
import { openPack, type Pack } from './pack.ts'
import { placeModel } from './provider.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const python = path.join(repository, '.venv', 'bin', 'python')
const missing = !existsSync(python)
if (missing) console.warn(`SKIPPED: there is no Python at ${python}, which makes the packs of this test. Run npm test, or make it as models/README.md says.`)

/** Odd in every way that the published sizes are. */
const NAMES = ['tiny', 'tiny-no-mlp', 'tiny-upstream']

const Golden = z.object({
  sentences: z.array(z.string()),
  configs: z.record(
    z.string(),
    z.object({
      embedding: z.array(z.number()),
      textEmbeddings: z.array(z.array(z.number())),
      captions: z.array(z.object({ beams: z.number(), lengthPenalty: z.number(), longest: z.number(), ids: z.array(z.number()) })),
    }),
  ),
})
const { sentences, configs } = Golden.parse(JSON.parse(readFileSync(path.join(repository, 'models/openmammut/golden/values.json'), 'utf8')))

/** Relative to the largest value. */
function difference(got: Float32Array | undefined, expected: readonly number[] | undefined): number {
  if (got?.length !== expected?.length) return Infinity
  return Math.max(...(expected ?? []).map((value, i) => Math.abs(value - (got?.[i] ?? NaN)))) / Math.max(...(expected ?? []).map(Math.abs))
}

describe.skipIf(missing)('a pack from a checkpoint', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tubelet-openmammut-'))
  const packOf = (name: string) => path.join(root, name, 'pack')

  beforeAll(() => {
    vi.stubEnv('XDG_CACHE_HOME', root)
    const program = `
import sys
from pathlib import Path
from models.openmammut.pack import write_pack
from models.openmammut.seeded import CONFIGS
for name in sys.argv[2:]:
    write_pack(CONFIGS[name].checkpoint(), Path(sys.argv[1]) / name / "pack", file="seeded")
`
    execFileSync(python, ['-c', program, root, ...NAMES], { cwd: repository, stdio: 'pipe' })
  }, 180_000)
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
      pack = await openPack(packOf(name))
      model = new Model(pack, new Graphs(pack, { provider: 'cpu', threads: 1 }))
      // The first known answer is of the video that the reference saw.
      seen = await model.see(cutTubes(pack.knownAnswers.clips[0] ?? expect.fail(), pack.manifest.input))
    })

    it('embeds clips and texts as the reference does', async () => {
      expect(difference(seen.embedding, golden.embedding)).toBeLessThan(1e-4)
      const texts = await model.embed(sentences)
      for (const [i, text] of texts.entries()) expect(difference(text, golden.textEmbeddings[i])).toBeLessThan(1e-4)
    })

    it('finds the captions that a search without a cache finds in the logits of the reference', async () => {
      const { dims, tokenizer } = pack.manifest
      const projected = await model.graphs.run('cross', { memory: floatTensor(seen.memory, [1, dims.tokens, dims.memory]) })
      const cross: CrossAttention = { cross_k: tensorOf(projected, 'cross_k'), cross_v: tensorOf(projected, 'cross_v') }
      for (const { ids, ...decoding } of golden.captions) {
        const found = await beamSearch(model.graphs, pack.manifest, decoding, cross, [tokenizer.start])
        expect(found.ids).toEqual(ids)
        expect(found.attention.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 3)
      }
      // A beam of one is greedy decoding.
      const greedy = await decode(model.graphs, pack.manifest, cross, [tokenizer.start])
      const one = await beamSearch(model.graphs, pack.manifest, { beams: 1, lengthPenalty: 1, longest: dims.context }, cross, [tokenizer.start])
      expect(one.ids).toEqual(greedy.ids)
      expect(one.confidence).toBeCloseTo(greedy.confidence, 2)
    })

    it('passes its self-test, captions from a stored encoding, and says plainly what it cannot do', async () => {
      const placed = await placeModel(pack)
      const stored = { embedding: seen.embedding, memory: toHalf(seen.memory) }
      const said = await placed.model.caption(stored)
      expect(said).toMatchObject({ unsure: true, prompt: '' })
      expect(said.text).toBe(pack.knownAnswers.caption)
      expect(said.frameWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 3)
      await expect(placed.model.answer(stored, 'what is it?')).rejects.toMatchObject({ problem: { code: 'pack-cannot' } })
      await expect(placed.model.detect(new Uint16Array(), [['dog']])).rejects.toMatchObject({ problem: { code: 'pack-cannot' } })
    })
  })

  it('is refused when its weights differ by a byte, or when a file lies beside them that it does not name', async () => {
    const dir = packOf('tiny-no-mlp')
    const refused = (details: RegExp) => expect(openPack(dir)).rejects.toMatchObject({ problem: { code: 'pack-invalid', details: expect.stringMatching(details) as string } })
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
})
