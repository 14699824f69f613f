import { beforeAll, describe, expect, it } from 'vitest'
import { cutTubes } from '../../app/tubes.ts'
import { type CrossAttention, overCross } from './continuing.ts'
import { decode, mostLikely } from './decode.ts'
import { fromHalf, toHalf } from './float16.ts'
import { floatsOf, floatTensor, Graphs, idTensor, tensorOf } from './graphs.ts'
import { Model, type Vision } from './model.ts'
import { packDir } from './pack-under-test.ts'
import type { Pack } from './mammut.ts'
import { openPack } from './mammut.testing.ts'
import { Text, TextStream } from './tokenizer.ts'

describe('half precision', () => {
  it('keeps what fits and rounds the rest to eleven bits', () => {
    const exact = Float32Array.of(0, -0, 1, -2.5, 65504, 2 ** -24, Infinity, -Infinity, NaN)
    expect(fromHalf(toHalf(exact))).toEqual(exact)
    for (let i = 0; i < 1000; i++) {
      const value = Math.sin(i * 12.9898) * 10 ** ((i % 7) - 3)
      const [back = NaN] = fromHalf(toHalf(Float32Array.of(value)))
      expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11 + 2 ** -25)
    }
  })
  it('reads a part of a larger buffer', () => {
    const bits = toHalf(Float32Array.of(1, 2, 3, 4))
    expect([...fromHalf(bits.subarray(1, 3))]).toEqual([2, 3])
  })
})

it('gives the log-probability of the largest logit at a temperature', () => {
  for (const temperature of [1, 2]) {
    const { id, logProb } = mostLikely(Float32Array.of(1, 3, 3, -2), temperature)
    const all = [1, 3, 3, -2].reduce((sum, logit) => sum + Math.exp(logit / temperature), 0)
    expect(id).toBe(1)
    expect(logProb).toBeCloseTo(3 / temperature - Math.log(all), 5)
  }
})

describe('a model', () => {
  let pack: Pack
  let model: Model
  let text: Text
  let seen: Vision

  beforeAll(async () => {
    pack = await openPack(packDir)
    model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
    text = new Text(pack)
    const [clip] = pack.knownAnswers.clips
    seen = await model.see(cutTubes(clip ?? expect.fail(), pack.manifest.input))
  }, 180_000)

  it.each([0, NaN])('refuses an encoding all of whose numbers are %d, which no search could compare', async (value) => {
    class Broken extends Graphs {
      override async run(...asked: Parameters<Graphs['run']>): ReturnType<Graphs['run']> {
        const outputs = await super.run(...asked)
        floatsOf(outputs, 'embedding').fill(value)
        return outputs
      }
    }
    const broken = new Model(pack, new Broken(pack.graphs, { provider: 'cpu', threads: 1 }))
    const [clip] = pack.knownAnswers.clips
    await expect(broken.encode(cutTubes(clip ?? expect.fail(), pack.manifest.input))).rejects.toMatchObject({
      problem: { code: 'pack-cannot', message: expect.stringContaining('zeros') as string },
    })
  })

  it('decodes with a cache what it decodes without', async () => {
    const { graphs } = model
    const { dims, prompts, tokenizer } = pack.manifest
    const projected = await graphs.run('cross', { memory: floatTensor(seen.memory, [1, dims.tokens, dims.memory]) })
    const cross: CrossAttention = { cross_k: tensorOf(projected, 'cross_k'), cross_v: tensorOf(projected, 'cross_v') }
    const prompt = text.prompt(prompts.caption)
    const cached = await decode(overCross(graphs, pack.manifest, cross), prompt, { end: tokenizer.end, most: dims.context - prompt.length })

    const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
    const ids: number[] = []
    while (prompt.length + ids.length < dims.context) {
      const outputs = await graphs.run('decoder', { ids: idTensor([[...prompt, ...ids]]), ...cross, past_k: none, past_v: none })
      const { id } = mostLikely(floatsOf(outputs, 'logits').slice(-dims.vocab), 1)
      if (id === tokenizer.end) break
      ids.push(id)
    }
    expect(cached.ids).toEqual(ids)
    expect(cached.attention.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 3)
  })

  it('embeds a text alike, alone and padded beside a longer one', async () => {
    const fresh = new Model(pack, model.graphs)
    const [alone] = await fresh.embedText(['ball'], 'label')
    const other = new Model(pack, model.graphs)
    const [, beside] = await other.embedText(['a very long label that needs a lot more tokens than the other', 'ball'], 'label')
    alone?.forEach((value, i) => expect(beside?.[i]).toBeCloseTo(value, 4))
    expect(Math.hypot(...(alone ?? []))).toBeCloseTo(1, 4)
  })

  it('says of a clip the same from its stored half-precision encoding', async () => {
    const stored = { embedding: seen.embedding, memory: toHalf(seen.memory) }
    const said = await model.caption(stored)
    expect(said.text).toBe(pack.knownAnswers.caption)
    expect(said.frameWeights).toHaveLength(pack.manifest.input.frames)
    expect(said.frameWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 3)
    expect(said.confidence).toBeGreaterThan(0)
    expect(said.confidence).toBeLessThanOrEqual(1)
    expect(Math.abs(said.agreement ?? NaN)).toBeLessThanOrEqual(1.001)
  })

  it('refuses a clip and an encoding of another geometry', async () => {
    await expect(model.encode([new Uint8Array(3)])).rejects.toMatchObject({ problem: { code: 'clip-not-encoded' } })
    await expect(model.caption({ embedding: seen.embedding, memory: new Uint16Array(7) })).rejects.toMatchObject({
      problem: { code: 'clip-not-encoded' },
    })
  })

  describe('its text', () => {
    it('keeps room for the answer, and the words of the prompt after a question of any length', () => {
      const {
        prompts: { question: asked = '' },
        dims,
      } = pack.manifest
      const tail = text.prompt(asked.split('{question}')[1]?.trim() ?? '').slice(1)
      for (const question of ['what ?', 'why '.repeat(500), '🦊'.repeat(300), 'x'.repeat(3000), '', '[EOT] $& [PAD]']) {
        const ids = text.prompt(asked, question)
        expect(ids.length).toBeLessThanOrEqual((dims.context * 2) / 3)
        expect(ids.slice(-tail.length)).toEqual(tail)
        expect(ids[0]).toBe(pack.manifest.tokenizer.start)
        expect(ids.slice(1)).not.toContain(pack.manifest.tokenizer.end)
      }
    })

    it('streams only whole characters, and all of them', () => {
      for (const said of ['a red ball', '🦊🦊 日本語 é', 'tail \uFFFD', '']) {
        const ids = text.sentence(said).slice(1, -1)
        const stream = new TextStream(text)
        const pieces = [...ids.map((id) => stream.push(id)), stream.finish()]
        expect(pieces.join('')).toBe(text.read(ids))
        if (!said.includes('\uFFFD')) expect(pieces.join('|')).not.toContain('\uFFFD')
      }
    })
  })
})
