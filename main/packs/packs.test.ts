/** The service behind the Packs page and `tubelet packs`: real packs, real engine, real checkpoints, and what a machine does to them meanwhile. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PackWork } from '../../app/contract/packs.ts'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { openTubelet, type Tubelet } from '../open.ts'
import { tinyMammut, writeSafetensors } from './checkpoint.testing.ts'
import { copyPack } from './pack.testing.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-service-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
const cli = path.resolve(import.meta.dirname, '..', 'cli.ts')
const checkpoint = path.join(root, 'tiny.safetensors')
const packsDir = path.join(root, 'packs')
const ID = 'openmammut-vit-64-14-fp32'
const SHIPPED = ['objects-80', 'screen-text', 'tubelet-mini']
let tubelet: Tubelet
beforeAll(() => {
  writeSafetensors(checkpoint, tinyMammut())
  tubelet = openTubelet({ projectDir: path.join(root, 'project'), packsDir, host: 'web' })
})
afterAll(async () => {
  await tubelet.close()
  rmSync(root, { recursive: true, force: true })
})

const ids = async () => (await tubelet.packs.overview()).packs.map(({ id }) => id)
/** The pack of each task in the library. */
const tasks = async () => Object.fromEntries((await tubelet.packs.overview()).tasks.map(({ task, packId }) => [task, packId]))
const FIRST = { caption: 'tubelet-mini', answer: 'tubelet-mini', search: 'tubelet-mini', boxes: 'objects-80', text: 'screen-text' }
const lying = (folder = packsDir) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'settings.json' && name !== '.downloads') : []
const why = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => inEnglish(problemOf(error)).message,
  )
/** Resolves when the work has reached a stage. */
const reached = async (work: PackWork, stage: PackWork['stage']) => {
  while (work.stage !== stage && work.state === 'running') await new Promise(setImmediate)
  expect(work.stage).toBe(stage)
}
const sending = (file: string, upTo = Infinity) => Readable.toWeb(createReadStream(file, { end: upTo })) as ReadableStream<Uint8Array>
const brought = { name: 'tiny.safetensors', bytes: 0, beside: [] }

test('a checkpoint is imported, used, left again and deleted; only what is not in use can be', async () => {
  const { packs } = tubelet
  await packs.finished(await packs.import(checkpoint))
  expect(await ids()).toEqual([...SHIPPED, ID])
  const made = (await packs.overview()).packs.at(-1)
  expect(made).toMatchObject({ does: [], problem: null, memory: { measured: true }, encoded: { clips: 0 } })
  expect(packs.plan(ID)).toMatchObject({ ready: 0, tasks: ['caption', 'search'] })

  await packs.finished(packs.use(ID))
  // It answers no questions, so the other pack keeps that task.
  expect(await tasks()).toEqual({ ...FIRST, caption: ID, search: ID })
  expect((await packs.overview()).packs.map(({ id, does }) => `${id}: ${does.join(' ')}`)).toEqual([
    'objects-80: boxes',
    'screen-text: text',
    'tubelet-mini: answer',
    `${ID}: caption search`,
  ])
  expect(() => packs.delete(ID)).toThrow(/is in use/)
  await packs.finished(packs.use('tubelet-mini', ['caption']))
  expect(() => packs.delete(ID)).toThrow(/is in use/)
  await packs.finished(packs.use('tubelet-mini'))
  expect(await tasks()).toEqual(FIRST)
  packs.delete(ID)
  expect(await ids()).toEqual(SHIPPED)
  expect(() => packs.delete('tubelet-mini')).toThrow(/is in use/)
  expect(() => packs.delete('objects-80')).toThrow(/is in use/)
  expect(lying()).toEqual([])
})

test('a pack that fails its self-test is not taken into use: the one from before goes on', async () => {
  const { packs } = tubelet
  const dir = copyPack(packsDir, 'broken')
  rmSync(path.join(dir, 'decoder.onnx'))
  expect(await why(packs.finished(packs.use('broken')))).toContain('broken')
  expect(await tasks()).toEqual(FIRST)
  expect(await tubelet.engines.words('caption')).toMatchObject({ state: 'ready', info: { manifest: { id: 'tubelet-mini' } } })
  packs.delete('broken')
})

test('a MaMMUT takes boxes from no detector unless it is told to, and nobody what it cannot do', async () => {
  const { packs } = tubelet
  copyPack(packsDir, 'second')
  await packs.finished(packs.use('second'))
  expect(await tasks()).toEqual({ caption: 'second', answer: 'second', search: 'second', boxes: 'objects-80', text: 'screen-text' })
  expect(packs.plan('second', 'boxes')).toMatchObject({ tasks: ['boxes'] })
  await packs.finished(packs.use('second', ['boxes']))
  expect(await tasks()).toMatchObject({ boxes: 'second' })
  expect((await tubelet.engines.all()).map(({ info }) => info.manifest.id).sort()).toEqual(['screen-text', 'second'])
  expect(() => packs.use('objects-80', ['caption'])).toThrow(/cannot do that/)
  expect(() => packs.plan('screen-text', 'boxes')).toThrow(/cannot do that/)
  await packs.finished(packs.use('objects-80'))
  await packs.finished(packs.use('tubelet-mini'))
  expect(await tasks()).toEqual(FIRST)
  packs.delete('second')
})

test('all packs in use together have a cost, which a plan says beside what it would be', async () => {
  const { packs } = tubelet
  copyPack(packsDir, 'second')
  const { cost, tasks: rows } = await packs.overview()
  expect(rows.find(({ task }) => task === 'caption')?.able.sort()).toEqual(['second', 'tubelet-mini'])
  expect(rows.find(({ task }) => task === 'text')?.able).toEqual(['screen-text'])
  // If it takes one task, its process runs beside the first; if it takes all, it runs instead.
  const [one, all] = [packs.plan('second', 'search'), packs.plan('second')]
  expect(one.cost.now).toEqual(cost)
  expect(one.cost.then.memory).toBeGreaterThan(cost.memory)
  expect(all.cost.then.memory / cost.memory).toBeCloseTo(1, 3)
  packs.delete('second')
})

test('boxes and text can be left to nobody; what the library is kept by cannot', async () => {
  const { packs } = tubelet
  const reader = await tubelet.engines.text()
  await packs.leave('text')
  expect(await tasks()).toEqual({ ...FIRST, text: null })
  expect(await tubelet.engines.text()).toBeNull()
  await expect(reader?.counts()).rejects.toMatchObject({ problem: { code: 'engine-unavailable' } })
  expect((await packs.overview()).packs.find(({ id }) => id === 'screen-text')?.does).toEqual([])
  expect(await why(packs.leave('search'))).toBe('Captions, answers and search need a pack.')
  await packs.finished(packs.use('screen-text'))
  expect(await tasks()).toEqual(FIRST)
})

test('a library opens with the packs that it was left with; a task of nobody stays so, and one whose pack is gone is done by what ships', async () => {
  const place = { projectDir: path.join(root, 'project 4'), packsDir, host: 'web' as const }
  copyPack(packsDir, 'second')
  let other = openTubelet(place)
  const chosen = () => Object.fromEntries(Object.entries(other.library.packs.current()).map(([task, pack]) => [task, pack?.id ?? null]))
  expect(chosen()).toEqual(FIRST)
  await other.packs.finished(other.packs.use('second', ['search']))
  await other.packs.leave('text')
  await other.close()
  other = openTubelet(place)
  expect(chosen()).toEqual({ ...FIRST, search: 'second', text: null })
  expect((await other.engines.words('search')).info.manifest.id).toBe('second')
  expect(await other.engines.text()).toBeNull()
  expect((await other.packs.overview()).lost).toBeNull()
  await other.close()
  tubelet.packs.delete('second')
  other = openTubelet(place)
  expect(chosen()).toEqual({ ...FIRST, text: null })
  expect((await other.packs.overview()).lost).toBe('second')
  await other.close()
})

test('sent bytes become a pack; what is cut off, too long or something else leaves nothing', async () => {
  const { packs } = tubelet
  const bytes = statSync(checkpoint).size
  expect(await why(packs.bring({ ...brought, bytes }, sending(checkpoint, 20_000_000)))).toBe('The file did not come whole.')
  expect(await why(packs.bring({ ...brought, bytes: bytes - 5 }, sending(checkpoint)))).toMatch(/cut off|did not come whole/)
  expect(await why(packs.bring({ ...brought, bytes: statSync(cli).size }, sending(cli)))).toContain('not a .safetensors checkpoint')
  expect(await why(packs.bring({ ...brought, bytes: 0 }, new Blob([]).stream()))).toBe('This file is empty (0 bytes).')
  // Of a wrong file of gigabytes only the beginning is read.
  let given = 0
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      controller.enqueue(new Uint8Array(65536).fill(60))
      given += 65536
    },
  })
  expect(await why(packs.bring({ ...brought, bytes: 2e9 }, endless))).toContain('not a .safetensors')
  expect(given).toBeLessThan(2e6)
  expect(lying()).toEqual([])
  const names = ['../../escape.safetensors', '.hidden.safetensors', 'open_clip_config.json']
  for (const name of names) {
    const config = new Blob(['{}'])
    const body = new Blob([config, readFileSync(checkpoint)]).stream()
    await packs.finished(await packs.bring({ name, bytes, beside: [{ name: 'open_clip_config.json', bytes: config.size }] }, body))
    expect(lying()).toEqual([ID])
    packs.delete(ID)
  }
  expect(readdirSync(root).sort()).toEqual(['cache', 'full', 'packs', 'project', 'project 4', 'tiny.safetensors'])
})

test('a downloaded model says where it came from; without the config that it may need just now it is not begun', async () => {
  const { packs } = tubelet
  let config = 503
  const asked: (string | undefined)[] = []
  const server = createServer(({ url }, response) => {
    asked.push(url)
    if (url === '/tiny.safetensors')
      createReadStream(checkpoint).pipe(response.writeHead(200, { 'content-length': statSync(checkpoint).size, etag: '"tiny"' }))
    else response.writeHead(config).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    packs.setNetwork(true)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.safetensors`
    expect(await why(packs.finished(packs.download(url, {})))).toContain('503')
    expect(asked).toEqual(['/open_clip_config.json'])
    config = 404
    expect(await why(packs.finished(packs.download(url, { sha256: '0'.repeat(64) })))).toContain('checksum differs')
    await packs.finished(packs.download(url, {}))
    const made = (await packs.overview()).packs.find(({ id }) => id === ID)
    expect(made?.manifest).toMatchObject({
      source: { file: 'tiny.safetensors', url, sha256: createHash('sha256').update(readFileSync(checkpoint)).digest('hex') },
    })
    expect(await why(packs.finished(await packs.import(checkpoint)))).toBe('This pack is on this computer already.')
    packs.delete(ID)
    expect(lying()).toEqual([])
    expect(readdirSync(path.join(packsDir, '.downloads'))).toEqual([])
  } finally {
    packs.setNetwork(false)
    server.close()
    server.closeAllConnections()
  }
})

test('a download of several files goes on where it stopped, and becomes one pack', async () => {
  const { packs } = tubelet
  const folder = path.join(root, 'shards')
  mkdirSync(folder)
  const tensors = Object.entries(tinyMammut())
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
  const of = (key: string) => shards[Number(key === 'text.token_embedding.weight')] ?? ''
  for (const shard of shards) writeSafetensors(path.join(folder, shard), Object.fromEntries(tensors.filter(([key]) => of(key) === shard)))
  const bytes = tensors.reduce((sum, [, { data }]) => sum + data.length, 0)
  const weight_map = Object.fromEntries(tensors.map(([key]) => [key, of(key)]))
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: bytes }, weight_map }))
  const asked: string[] = []
  let stop = (): void => undefined
  const server = createServer(({ url = '', headers: { range } }, response) => {
    asked.push(`${url} ${range ?? ''}`)
    const file = path.join(folder, url)
    if (!existsSync(file)) return response.writeHead(404).end()
    const all = readFileSync(file)
    const from = Number(/\d+/.exec(range ?? '0')?.[0])
    const head = {
      etag: '"same"',
      'content-length': all.length - from,
      ...(range ? { 'content-range': `bytes ${from}-${all.length - 1}/${all.length}` } : {}),
    }
    response.writeHead(range ? 206 : 200, head)
    if (!url.includes(shards[1] ?? '') || range !== undefined) return response.end(all.subarray(from))
    return response.write(all.subarray(0, 1e6), () => stop())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    packs.setNetwork(true)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors.index.json`
    const work = packs.download(url, {})
    await new Promise<void>((resolve) => (stop = resolve))
    while ((work.bytes ?? 0) < statSync(path.join(folder, shards[0] ?? '')).size + 1e6) await new Promise(setImmediate)
    expect(work.totalBytes).toBe(bytes)
    await packs.cancel(work.id)
    const { stopped } = await packs.overview()
    expect(stopped).toEqual([
      { url, name: 'model.safetensors.index.json', bytes: statSync(path.join(folder, shards[0] ?? '')).size + 1e6, totalBytes: bytes },
    ])
    asked.length = 0
    await packs.finished(packs.download(url, {}))
    expect(asked.filter((line) => line.includes('model'))).toEqual([`/${shards[1] ?? ''} bytes=1000000-`])
    const made = (await packs.overview()).packs.find(({ id }) => id === ID)
    expect(made?.manifest).toMatchObject({ source: { url } })
    packs.delete(ID)
    expect(readdirSync(path.join(packsDir, '.downloads'))).toEqual([])
  } finally {
    packs.setNetwork(false)
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  }
})

test('a stopped import leaves nothing, whether it copies, converts or is being tested', async () => {
  const { packs } = tubelet
  for (const stage of ['copying', 'converting', 'testing'] as const) {
    const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>()
    const half = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(readFileSync(checkpoint).subarray(0, 1e6)),
      pull: async (controller) => {
        await held
        controller.error(new Error('gone'))
      },
    })
    const bringing = stage === 'copying' ? packs.bring({ ...brought, bytes: statSync(checkpoint).size }, half).catch(() => null) : null
    const work = bringing === null ? await packs.import(checkpoint) : (await packs.overview()).works.at(-1)
    if (work === undefined) return expect.fail('no work')
    await reached(work, stage)
    await packs.cancel(work.id)
    letGo(undefined)
    await bringing
    expect((await packs.overview()).works.map(({ id }) => id)).not.toContain(work.id)
    expect(lying()).toEqual([])
    expect(await ids()).toEqual(SHIPPED)
  }
})

const mount = path.join(root, 'full')
mkdirSync(mount)
const small = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', mount]).status === 0
test.skipIf(!small)(
  'a disk that fills up in the middle is told, and nothing half is kept',
  { meta: { needs: 'root, to mount a small disk' } },
  async () => {
    const other = openTubelet({ projectDir: path.join(root, 'project 2'), packsDir: path.join(mount, 'packs'), host: 'web' })
    try {
      const filler = path.join(mount, 'filler')
      const fill = () => spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'])
      const bytes = statSync(checkpoint).size
      const whole = readFileSync(checkpoint)
      const filling = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(whole.subarray(0, 1e6)),
        pull: (controller) => {
          fill()
          controller.enqueue(whole.subarray(1e6))
          controller.close()
        },
      })
      const problem = await other.packs.bring({ ...brought, bytes }, filling).then(() => null, problemOf)
      expect(problem).toMatchObject({ code: 'disk-full', next: 'Make room, then try again.' })
      expect(lying(path.join(mount, 'packs'))).toEqual([])

      rmSync(filler)
      const work = await other.packs.import(checkpoint)
      await reached(work, 'converting')
      fill()
      await expect(other.packs.finished(work)).rejects.toMatchObject({ problem: { code: 'disk-full' } })
      expect(lying(path.join(mount, 'packs'))).toEqual([])
      // Refused before any work, by the room that is free now.
      expect(await why(other.packs.import(checkpoint))).toContain('There is not enough room on the disk')
    } finally {
      await other.close()
      execFileSync('umount', [mount])
    }
  },
)

test('killed in the middle of an import, it is as if it had never begun', async () => {
  const folder = path.join(root, 'killed')
  const args = [cli, 'packs', 'import', checkpoint, '--packs', folder, '--project', path.join(root, 'project 3')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  for await (const text of child.stderr.setEncoding('utf8') as AsyncIterable<string>) if (text.includes('Testing')) child.kill('SIGKILL')
  await exited
  expect(lying(folder)).toHaveLength(1)
  const listed = execFileSync(process.execPath, [cli, 'packs', 'list', '--packs', folder, '--project', path.join(root, 'project 3')], {
    encoding: 'utf8',
  })
  expect(listed).not.toContain('openmammut')
  expect(lying(folder)).toEqual([])
})
