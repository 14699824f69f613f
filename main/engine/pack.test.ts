import { hash } from 'node:crypto'
import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { cutTubes } from '../../app/tubes.ts'
import { toHalf } from './float16.ts'
import { openPlaceable } from './families.ts'
import { Graphs } from './graphs.ts'
import { digestsOf } from '../pack-digest.ts'
import { openPack } from './mammut.testing.ts'
import { Model } from './model.ts'
import { packDir } from './pack-under-test.ts'
import { placePack } from './provider.ts'

describe('a pack', () => {
  let root: string
  let dir: string
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tubelet-pack-'))
    dir = path.join(root, 'pack')
    await cp(packDir, dir, { recursive: true })
    vi.stubEnv('XDG_CACHE_HOME', root)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(root, { recursive: true })
  })

  async function manifest(): Promise<MammutManifest> {
    return JSON.parse(await readFile(path.join(dir, 'pack.json'), 'utf8')) as MammutManifest
  }
  const save = (json: MammutManifest) => writeFile(path.join(dir, 'pack.json'), JSON.stringify(json))
  const refusal = (details: RegExp) => ({ problem: { code: 'pack-invalid', file: dir, details: expect.stringMatching(details) as string } })

  it('opens as it was exported', async () => {
    const pack = await openPack(dir)
    expect(pack.digest).toBe(digestsOf(await readFile(path.join(dir, 'pack.json'))).digest)
    expect(Object.keys(pack.graphs).sort()).toEqual(Object.keys(pack.manifest.graphs).sort())
  })

  it('is the same one where only what is said of it differs, and another one where its answers may', async () => {
    const { digest } = await openPack(dir)
    const json = await manifest()
    await save({ ...json, description: 'Other words.', scores: [] })
    expect((await openPack(dir)).digest).toBe(digest)
    await save({ ...json, calibration: { ...json.calibration, answer: { temperature: 1, notSureBelow: 0 } } })
    expect((await openPack(dir)).digest).not.toBe(digest)
  })

  it('is refused when one byte of a graph differs', async () => {
    const { file } = (await manifest()).graphs.decoder
    const bytes = await readFile(path.join(dir, file))
    const middle = bytes.length >> 1
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
    await writeFile(path.join(dir, file), bytes)
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/checksum/))
  })

  it('of before families is a MaMMUT, what it called detect being boxes; one of a family that nobody knows is refused', async () => {
    const json = await manifest()
    const before: Record<string, unknown> = { ...json, tasks: json.tasks.map((task) => (task === 'boxes' ? 'detect' : task)) }
    delete before['family']
    await writeFile(path.join(dir, 'pack.json'), JSON.stringify(before))
    expect((await openPack(dir)).manifest).toMatchObject({ family: 'mammut', tasks: ['caption', 'answer', 'search', 'boxes'] })
    await writeFile(path.join(dir, 'pack.json'), JSON.stringify({ ...before, family: 'oracle' }))
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/family/))
  })

  it.each(['../pack.json', '/etc/passwd', 'sub/vision.onnx', '..', 'a\\b'])('cannot name the file %j', async (file) => {
    const json = await manifest()
    json.graphs.vision.file = file
    await save(json)
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/plain file name/))
  })

  it.each(['embedding', 'tokens', 'memory', 'token', 'queries'] as const)(
    'whose graphs give another %s than it states is refused where that output is first read',
    async (name) => {
      const json = await manifest()
      const clip = (await openPack(dir)).knownAnswers.clips[0] ?? new Uint8Array()
      const use = async () => {
        const pack = await openPack(dir)
        const model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
        const encoding = await model.encode(cutTubes(clip, json.input))
        await model.embedText(['what moves?'], 'search')
        const { tokens } = encoding
        return model.regions(tokens instanceof Float32Array ? toHalf(tokens) : (tokens ?? new Uint16Array()), null)
      }
      expect((await use()).vectors.length).toBeGreaterThan(0)
      for (const by of [-1, 1]) {
        await save({ ...json, dims: { ...json.dims, [name]: json.dims[name] + by } })
        await expect(use()).rejects.toThrow(/gave|pack/)
      }
    },
  )

  it('cannot link out of its folder', async () => {
    const { file } = (await manifest()).graphs.text
    await rename(path.join(dir, file), path.join(root, 'outside.onnx'))
    await symlink(path.join(root, 'outside.onnx'), path.join(dir, file))
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/outside/))
  })

  it('is refused when a file is missing, the manifest is not JSON, or there is no folder', async () => {
    await rm(path.join(dir, (await manifest()).tokenizer.file))
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/missing/))
    await writeFile(path.join(dir, 'pack.json'), '{')
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/not JSON/))
    await expect(openPack(path.join(root, 'nowhere'))).rejects.toMatchObject({ problem: { code: 'pack-invalid' } })
  })

  it('is sure only of what is like the clips that its user taught it, and of no question with a word that it never learnt', async () => {
    const json = await manifest()
    const answers = JSON.parse(await readFile(path.join(dir, json.selfTest.file), 'utf8')) as { embeddings: [number[], number[]] }
    const [first, second] = answers.embeddings
    const likeness = first.reduce((sum, x, i) => sum + x * (second[i] ?? 0), 0)
    delete json.words
    delete json.calibration.familiar
    json.calibration.caption.notSureBelow = 0
    json.calibration.answer = { temperature: 1, notSureBelow: 0 }
    /** For both clips of the self-test: [unsure, unfamiliar] of the caption and of the answer to a question. */
    const doubts = async (question: string) => {
      await save(json)
      const pack = await openPack(dir)
      const model = new Model(pack, new Graphs(pack.graphs, { provider: 'cpu', threads: 1 }))
      const out = []
      for (const clip of pack.knownAnswers.clips) {
        const encoding = await model.encode(cutTubes(clip, json.input))
        out.push(
          [await model.caption(encoding), await model.answer(encoding, question)].map(({ unsure, unfamiliar }) => [unsure, unfamiliar]),
        )
      }
      return out
    }
    const [sure, guess] = [
      [false, false],
      [true, true],
    ]
    expect(await doubts('what moves?')).toEqual([
      [sure, sure],
      [sure, sure],
    ])
    json.calibration.familiar = { threshold: (1 + likeness) / 2, taught: null }
    expect(await doubts('what moves?')).toEqual([
      [guess, guess],
      [guess, guess],
    ])
    const teach = async (bank: Buffer) => {
      await writeFile(path.join(dir, 'taught.f16'), bank)
      json.calibration.familiar = { threshold: (1 + likeness) / 2, taught: { file: 'taught.f16', sha256: hash('sha256', bank) } }
    }
    const away = first.map((x) => -x)
    const bank = Buffer.from(toHalf(Float32Array.from([...away, ...first])).buffer)
    await teach(bank)
    expect(await doubts('what moves?')).toEqual([
      [sure, sure],
      [guess, guess],
    ])
    json.words = ['what', 'moves']
    expect(await doubts('What moves?')).toEqual([
      [sure, sure],
      [guess, guess],
    ])
    expect(await doubts('What drives?')).toEqual([
      [sure, [true, false]],
      [guess, guess],
    ])
    await teach(bank.subarray(2))
    await expect(doubts('what moves?')).rejects.toMatchObject(refusal(/whole embeddings/))
  })

  it('is refused when its graphs do not give the known answers', async () => {
    const json = await manifest()
    const { file } = json.selfTest
    const answers = JSON.parse(await readFile(path.join(dir, file), 'utf8')) as { caption: string }
    const bytes = JSON.stringify({ ...answers, caption: `${answers.caption} not` })
    await writeFile(path.join(dir, file), bytes)
    json.selfTest.sha256 = hash('sha256', bytes)
    await save(json)
    await expect(placePack(await openPlaceable(dir, false))).rejects.toMatchObject({
      problem: { code: 'pack-self-test-failed', details: expect.stringContaining('caption') as string },
    })
  })
})
