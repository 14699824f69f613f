/**
 * TypeScript against PyTorch: the same tubes bit for bit and the same greedy captions on fifty composed clips, with the weights of the bundled
 * pack. Python composes the clips, cuts them into tubes, and decodes with PyTorch without a cache; here the app's code does it on ONNX Runtime.
 */
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { temperatureOf } from '../../app/pack/mammut.ts'
import { cutTubes } from '../../app/tubes.ts'
import { overCross } from './continuing.ts'
import { decode } from './decode.ts'
import { floatTensor, Graphs, tensorOf } from './graphs.ts'
import { Model } from './model.ts'
import { packDir } from './pack-under-test.ts'
import type { Pack } from './mammut.ts'
import { openPack } from './mammut.testing.ts'
import { Text } from './tokenizer.ts'

const CLIPS = 50
/**
 * The exporter allows a logit to differ from PyTorch's by 1e-4, so two logits closer than twice that may swap. Only then, and
 * only with PyTorch's second choice, is another caption right.
 */
const NEAR_TIE = 2e-4

const Reference = z.object({
  clips: z
    .array(
      z.object({
        tubes: z.array(z.string()),
        caption: z.string(),
        confidence: z.number(),
        /** For each chosen id, [EOT] included: the second choice, and by how much its logit was smaller. */
        steps: z.array(z.object({ id: z.number(), second: z.number(), margin: z.number() })),
      }),
    )
    .length(CLIPS),
})

const repository = path.join(import.meta.dirname, '..', '..')
const python = path.join(repository, '.venv', 'bin', 'python')

describe.skipIf(!existsSync(python))(
  'TypeScript against PyTorch',
  { meta: { needs: 'the Python of models/requirements.txt in .venv' } },
  () => {
    let directory = ''
    let pack: Pack
    let expected: z.infer<typeof Reference>['clips']
    let clips: Uint8Array[]

    beforeAll(async () => {
      pack = await openPack(packDir)
      directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-reference-'))
      execFileSync(python, ['-m', 'models.reference', '--pack', packDir, '--clips', String(CLIPS), '--out', directory], {
        cwd: repository,
        stdio: 'pipe',
      })
      expected = Reference.parse(JSON.parse(readFileSync(path.join(directory, 'reference.json'), 'utf8'))).clips
      const all = readFileSync(path.join(directory, 'clips.u8'))
      const size = all.length / CLIPS
      clips = expected.map((_, i) => all.subarray(i * size, (i + 1) * size))
    }, 300_000)
    afterAll(() => rmSync(directory, { recursive: true, force: true }))

    it('cuts the same tubes bit for bit', () => {
      const cut = clips.map((clip) => cutTubes(clip, pack.manifest.input).map((part) => hash('sha256', part)))
      expect(cut).toEqual(expected.map(({ tubes }) => tubes))
      expect(new Set(cut.flat()).size).toBeGreaterThan(CLIPS)
    })

    it('says the same greedy captions, and is as sure of them', async () => {
      const model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
      const text = new Text(pack)
      const { dims, prompts, tokenizer } = pack.manifest
      const ties: string[] = []
      for (const [i, { caption, confidence, steps }] of expected.entries()) {
        const { memory } = await model.see(cutTubes(clips[i] ?? expect.fail(), pack.manifest.input))
        const said = await model.describe(memory)
        const projected = await model.graphs.run('cross', { memory: floatTensor(memory, [1, dims.tokens, dims.memory]) })
        const cross = { cross_k: tensorOf(projected, 'cross_k'), cross_v: tensorOf(projected, 'cross_v') }
        const prompt = text.prompt(prompts.caption)
        const until = { end: tokenizer.end, most: dims.context - prompt.length, temperature: temperatureOf(pack.manifest) }
        const { ids, confidence: sure } = await decode(overCross(model.graphs, pack.manifest, cross), prompt, until)
        if (said === caption) {
          expect(Math.abs(sure - confidence), `clip ${i}: sure to ${sure}, not ${confidence}`).toBeLessThan(1e-3)
          continue
        }
        const at = steps.findIndex(({ id }, step) => (ids[step] ?? tokenizer.end) !== id)
        expect(steps[at], `clip ${i}: "${said}", but PyTorch says "${caption}"`).toMatchObject({ second: ids[at] ?? tokenizer.end })
        expect(steps[at]?.margin, `clip ${i}: "${said}", but PyTorch says "${caption}"`).toBeLessThan(NEAR_TIE)
        ties.push(caption)
      }
      if (ties.length > 0) console.warn(`near ties that fell the other way: ${ties.join('; ')}`)
      // The captions must vary: a model that always gives the same one would pass.
      expect(new Set(expected.map(({ caption }) => caption)).size).toBeGreaterThan(CLIPS / 2)
      expect(ties.length).toBeLessThan(CLIPS / 10)
    }, 300_000)
  },
)
