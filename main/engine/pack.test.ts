import { hash } from 'node:crypto'
import { cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PackManifest } from '../../app/pack.ts'
import { cutTubes } from '../../app/tubes.ts'
import { toHalf } from './float16.ts'
import { packDir, packMissing } from './pack-under-test.ts'
import { openPack } from './pack.ts'
import { placeModel } from './provider.ts'

describe.skipIf(packMissing)('a pack', () => {
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

  async function manifest(): Promise<PackManifest> {
    return JSON.parse(await readFile(path.join(dir, 'pack.json'), 'utf8')) as PackManifest
  }
  const save = (json: PackManifest) => writeFile(path.join(dir, 'pack.json'), JSON.stringify(json))
  const refusal = (details: RegExp) => ({ problem: { code: 'pack-invalid', file: dir, details: expect.stringMatching(details) as string } })

  it('opens as it was exported', async () => {
    const pack = await openPack(dir)
    expect(pack.digest).toBe(hash('sha256', await readFile(path.join(dir, 'pack.json'))))
    expect(Object.keys(pack.graphs).sort()).toEqual(Object.keys(pack.manifest.graphs).sort())
  })

  it('is refused when one byte of a graph differs', async () => {
    const { file } = (await manifest()).graphs.decoder
    const bytes = await readFile(path.join(dir, file))
    const middle = bytes.length >> 1
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
    await writeFile(path.join(dir, file), bytes)
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/checksum/))
  })

  it.each(['../pack.json', '/etc/passwd', 'sub/vision.onnx', '..', 'a\\b'])('cannot name the file %j', async (file) => {
    const json = await manifest()
    json.graphs.vision.file = file
    await save(json)
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/plain file name/))
  })

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

  it('is never sure of a clip that is unlike those it learnt from', async () => {
    const json = await manifest()
    const answers = JSON.parse(await readFile(path.join(dir, json.selfTest.file), 'utf8')) as { embeddings: [number[], number[]] }
    const [first, second] = answers.embeddings
    const bank = Buffer.from(toHalf(Float32Array.from([...first, ...second, ...first])).buffer)
    const likeness = first.reduce((sum, x, i) => sum + x * (second[i] ?? 0), 0)
    await writeFile(path.join(dir, 'familiar.f16'), bank)
    // The first clip has two neighbours that are itself; the second has one, and then the first clip.
    const familiar = { file: 'familiar.f16', sha256: hash('sha256', bank), neighbours: 2, threshold: (1 + likeness) / 2, agreement: -1, certain: 2 }
    json.calibration.familiar = familiar
    json.calibration.caption.notSureBelow = 0
    await save(json)
    const pack = await openPack(dir)
    const { model } = await placeModel(pack)
    const told = []
    const agreements: number[] = []
    for (const clip of pack.knownAnswers.clips) {
      const { unsure, unfamiliar, agreement } = await model.caption(await model.encode(cutTubes(clip, json.input)))
      told.push({ unsure, unfamiliar })
      agreements.push(agreement)
    }
    expect(told).toEqual([{ unsure: false, unfamiliar: false }, { unsure: true, unfamiliar: true }])
    // Near, but what it says of the clip is not what it sees there: of that clip it answers no question for sure either.
    familiar.agreement = (agreements[0] ?? 0) + 0.01
    json.calibration.answer = { temperature: 1, notSureBelow: 0 }
    await save(json)
    const doubting = (await placeModel(await openPack(dir))).model
    const [clip] = pack.knownAnswers.clips
    const encoding = await doubting.encode(cutTubes(clip ?? new Uint8Array(), json.input))
    const { unfamiliar } = await doubting.caption(encoding)
    expect(unfamiliar).toBe(true)
    expect(await doubting.answer({ ...encoding, unfamiliar }, 'what moves?')).toMatchObject({ unsure: true, unfamiliar: true })
    expect(await doubting.answer({ ...encoding, unfamiliar: false }, 'what moves?')).toMatchObject({ unsure: false, unfamiliar: false })
    // So near that it needs no agreement: as a clip that its user taught.
    familiar.certain = 0.999
    await save(json)
    const taught = (await placeModel(await openPack(dir))).model
    expect(await taught.caption(encoding)).toMatchObject({ unfamiliar: false })
    json.words = ['what', 'moves']
    await save(json)
    const lettered = (await placeModel(await openPack(dir))).model
    expect(await lettered.answer({ ...encoding, unfamiliar: false }, 'What moves?')).toMatchObject({ unsure: false })
    expect(await lettered.answer({ ...encoding, unfamiliar: false }, 'What drives?')).toMatchObject({ unsure: true, unfamiliar: false })
    await writeFile(path.join(dir, 'familiar.f16'), bank.subarray(2))
    familiar.sha256 = hash('sha256', bank.subarray(2))
    await save(json)
    await expect(openPack(dir)).rejects.toMatchObject(refusal(/whole embeddings/))
  })

  it('is refused when its graphs do not give the known answers', async () => {
    const json = await manifest()
    const { file } = json.selfTest
    const answers = JSON.parse(await readFile(path.join(dir, file), 'utf8')) as { caption: string }
    const bytes = JSON.stringify({ ...answers, caption: `${answers.caption} not` })
    await writeFile(path.join(dir, file), bytes)
    json.selfTest.sha256 = hash('sha256', bytes)
    await save(json)
    await expect(placeModel(await openPack(dir))).rejects.toMatchObject({ problem: { code: 'pack-self-test-failed', details: expect.stringContaining('caption') as string } })
  })
})
