import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import { cutTubes } from '../../app/tubes.ts'
import { type EngineState, Engine, type Encoding, type ForkEngine, type MammutEngine, ofFamily } from './engine.ts'
import { openPack } from './mammut.testing.ts'
import { packDir } from './pack-under-test.ts'

const cache = mkdtempSync(path.join(tmpdir(), 'tubelet-engine-'))
process.env['XDG_CACHE_HOME'] = cache
afterAll(() => rmSync(cache, { recursive: true, force: true }))

describe('the engine', () => {
  let engine: MammutEngine
  let tubes: Uint8Array[]
  let encoding: Encoding

  beforeAll(async () => {
    const started = await Engine.start({ packDir })
    if (!ofFamily(started, 'mammut')) return expect.fail('the pack is no MaMMUT')
    engine = started
    const [clip] = (await openPack(packDir)).knownAnswers.clips
    tubes = cutTubes(clip ?? expect.fail(), engine.info.manifest.input)
    encoding = await engine.encode({ tubes })
  }, 180_000)
  afterAll(() => engine.close())

  it('is ready after its self-test, and says where it runs', () => {
    expect(engine.state).toBe('ready')
    expect(engine.info.sentence.text).toMatch(/^Ready on \S/)
    expect(engine.info.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('reports to nobody: the runtime keeps no telemetry, which it would also send', async () => {
    const home = path.join(cache, 'home')
    mkdirSync(home)
    // The runtime sends no telemetry if it sees one of these.
    for (const name of ['CI', 'TF_BUILD', 'GITHUB_ACTIONS', 'ORT_DISABLE_TELEMETRY']) vi.stubEnv(name, undefined)
    vi.stubEnv('HOME', home)
    vi.stubEnv('USERPROFILE', home)
    const other = await Engine.start({ packDir })
    await other.close()
    vi.unstubAllEnvs()
    expect(readdirSync(cache, { recursive: true }).filter((file) => /microsoft|telemetry|\.db/i.test(String(file)))).toEqual([])
  })

  it("leaves an encoding of the pack's shape", () => {
    const { dims } = engine.info.manifest
    expect(encoding.embedding).toHaveLength(dims.embedding)
    expect(encoding.memory).toHaveLength(dims.tokens * dims.memory)
    expect(encoding.tokens).toHaveLength(dims.tokens * dims.token)
  })

  it('answers a second question without touching the video or the memory again', async () => {
    await engine.answer(encoding, 'what is moving ?')
    const before = await engine.counts()
    await engine.answer(encoding, 'what colour is it ?')
    const after = await engine.counts()
    expect(after['vision']).toBe(before['vision'])
    expect(after['cross']).toBe(before['cross'])
    expect(after['decoder']).toBeGreaterThan(before['decoder'] ?? NaN)
  })

  it('streams an answer in pieces that make up its text', async () => {
    const pieces: string[] = []
    const { text, prompt } = await engine.answer(encoding, 'What is moving?', { onToken: (piece) => pieces.push(piece) })
    expect(pieces.join('')).toBe(text)
    expect(pieces).not.toContain('')
    expect(prompt).toContain('what is moving')
  })

  it('keeps concurrent calls apart', async () => {
    const questions = ['what is moving ?', 'how many are there ?', 'what colour is it ?']
    const alone: string[] = []
    for (const question of questions) alone.push((await engine.answer(encoding, question)).text)
    const [together, again] = await Promise.all([
      Promise.all(questions.map((question) => engine.answer(encoding, question))),
      engine.encode({ tubes }),
    ])
    expect(together.map(({ text }) => text)).toEqual(alone)
    expect(again).toEqual(encoding)
  })

  it('detects whatever labels it is given, each on its own', async () => {
    expect(await engine.detect(encoding, [])).toEqual([])
    const { input, dims } = engine.info.manifest
    for (const labels of [[['ball'], ['car']], [['🦊'], ['']], [['x'.repeat(4000)]], [['ball', 'car']]]) {
      const found = await engine.detect(encoding, labels)
      expect(found).toHaveLength(labels.length)
      for (const { frame, query, cx, cy, w, h, score } of found.flat()) {
        expect(frame).toBeLessThan(input.frames)
        expect(query).toBeLessThan(dims.queries)
        for (const share of [cx, cy, w, h, score]) expect(share >= 0 && share <= 1).toBe(true)
      }
    }
    const [ball = [], car = []] = await engine.detect(encoding, [['ball'], ['car']])
    const [either = []] = await engine.detect(encoding, [['ball', 'car']])
    expect(await engine.detect(encoding, [['car']])).toEqual([car])
    const best = new Map<number, number>()
    for (const { query, score } of [...ball, ...car]) best.set(query, Math.max(score, best.get(query) ?? 0))
    expect(new Map(either.map(({ query, score }) => [query, score]))).toEqual(new Map([...best].sort(([a], [b]) => a - b)))
    expect(await engine.detect({ tokens: null }, [['ball']])).toEqual([[]])
  })

  it('follows a text word by word, and looks where it looked when it wrote it', async () => {
    const { input, dims } = engine.info.manifest
    const said = await engine.answer(encoding, 'what is moving ?')
    const before = await engine.counts()
    const followed = await engine.follow(encoding, said.text, 'what is moving ?')
    expect((await engine.counts())['vision']).toBe(before['vision'])
    expect(followed.words.map(({ text }) => text).join(' ')).toBe(said.text)
    const cells = followed.rows * followed.columns
    for (const { heat, probability } of [...followed.words, { heat: followed.heat, probability: 1 }]) {
      expect(heat).toHaveLength(input.frames * cells)
      expect(heat.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 3)
      expect(probability > 0 && probability <= 1).toBe(true)
    }
    said.frameWeights.forEach((weight, frame) =>
      expect(followed.heat.subarray(frame * cells, (frame + 1) * cells).reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(weight, 3),
    )
    const corrected = await engine.follow(encoding, 'a person wrote this instead', null)
    expect(corrected.words).toHaveLength(5)
    expect((await engine.follow(encoding, 'word '.repeat(dims.context * 2), null)).words.length).toBeLessThan(dims.context)
    expect((await engine.follow(encoding, '', null)).words).toEqual([])
  })

  it('tells what lies in a clip by regions that differ', async () => {
    const { dims, input } = engine.info.manifest
    const all = await engine.regions(encoding, null)
    expect(all?.vectors).toHaveLength(dims.queries * dims.embedding)
    const some = (await engine.regions(encoding, 5)) ?? expect.fail()
    expect(some.frames.length).toBeGreaterThan(0)
    expect(some.frames.length).toBeLessThanOrEqual(5)
    expect(some.frames.every((frame) => frame < input.frames)).toBe(true)
    const vector = (at: number) => some.vectors.subarray(at * dims.embedding, (at + 1) * dims.embedding)
    for (let a = 0; a < some.frames.length; a++) {
      for (let b = 0; b < a; b++) expect(vector(a).reduce((sum, value, i) => sum + value * (vector(b)[i] ?? 0), 0)).toBeLessThan(0.85)
    }
    expect(await engine.regions({ tokens: null }, 5)).toBeNull()
  })

  it('embeds each text once', async () => {
    const [first] = await engine.embedText(['a thing never asked for'], 'search')
    const before = await engine.counts()
    const [again, twice] = await engine.embedText(['a thing never asked for', 'a thing never asked for'], 'search')
    expect(await engine.counts()).toEqual(before)
    expect(again).toEqual(first)
    expect(twice).toEqual(first)
  })

  it('knows of which clips it was taught nothing, and says nothing of other families', async () => {
    const { familiar } = engine.info.manifest.calibration
    expect(await engine.unfamiliar(encoding)).toBe(familiar !== undefined)
    expect((await engine.caption(encoding)).unfamiliar).toBe(familiar !== undefined)
    await expect(engine.see([{ rgb: new Uint8Array(3), width: 1, height: 1 }], 0)).rejects.toMatchObject({
      problem: { code: 'pack-cannot' },
    })
    await expect(engine.read([{ rgb: new Uint8Array(3), width: 1, height: 1 }], 1)).rejects.toMatchObject({
      problem: { code: 'pack-cannot' },
    })
  })

  it('stops decoding when it is cancelled', async () => {
    const abort = new AbortController()
    const said = engine.answer(encoding, 'what is moving ?', { onToken: () => abort.abort(), signal: abort.signal })
    await expect(said).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    await expect(engine.encode({ tubes }, AbortSignal.abort())).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    expect(engine.state).toBe('ready')
  })

  it('rejects what was under way when its process is killed, restarts, and goes on', async () => {
    const states: EngineState[] = []
    const stop = engine.onState((state) => states.push(state))
    const { pid } = engine
    const lost = [engine.encode({ tubes }), engine.caption(encoding)]
    const outcome = Promise.allSettled(lost)
    await engine.counts()
    process.kill(pid ?? expect.fail(), 'SIGKILL')
    const ended = await outcome
    expect(ended.flatMap((one) => (one.status === 'rejected' ? [problemOf(one.reason).code] : []))).toContain('engine-unavailable')
    expect(await engine.encode({ tubes })).toEqual(encoding)
    expect(engine.pid).not.toBe(pid)
    expect(states).toEqual(['restarting', 'ready'])
    stop()
  })
})

it('refuses a folder that is no pack', async () => {
  await expect(Engine.start({ packDir: cache })).rejects.toMatchObject({ problem: { code: 'pack-invalid', file: cache } })
})

it('gives up on a process that keeps dying', async () => {
  let starts = 0
  const dying: ForkEngine = () => {
    starts += 1
    const child = spawn(process.execPath, ['-e', 'process.exit(3)'], { stdio: 'ignore' })
    return {
      pid: child.pid,
      post: () => undefined,
      onMessage: () => undefined,
      onEnd: (listener) => child.once('exit', (code) => listener(new Error(`exit code ${code}`))),
      hold: () => undefined,
      kill: () => child.kill(),
    }
  }
  await expect(Engine.start({ packDir, fork: dying })).rejects.toMatchObject({
    problem: { code: 'engine-unavailable', details: 'exit code 3' },
  })
  expect(starts).toBe(5)
})

it('ends when its host goes away', async () => {
  const child = fork(fileURLToPath(new URL('process.ts', import.meta.url)), [packDir], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  // As main/channel.ts sends it: nothing follows on the pipe for large bytes.
  child.send({ light: { id: 1, kind: 'open', input: null }, large: [] })
  await once(child, 'message')
  child.disconnect()
  const [code] = (await once(child, 'exit')) as [number | null]
  expect(code).toBe(0)
})
