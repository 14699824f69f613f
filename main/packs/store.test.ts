import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import type { Task } from '../../app/pack/base.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { BUNDLED, copyPack, OBJECTS, SCREEN_TEXT } from './pack.testing.ts'
import { RunningPacks } from './running.ts'
import { PackStore } from './store.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-store-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(root, 'packs-'))
})
const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return problemOf(error).code
  }
  return 'nothing thrown'
}

describe('the pack store', () => {
  test('lists the pack that ships and those that were adopted, each with its digest and size', () => {
    const store = new PackStore([BUNDLED], path.join(folder, 'none yet'))
    expect(store.list().map(({ id }) => id)).toEqual(['tubelet-mini'])
    const dir = store.unfinished()
    expect(store.list()).toHaveLength(1)
    const adopted = store.adopt(copyPack(dir, 'inside'))
    expect(adopted).toMatchObject({ id: 'inside', bundled: false, dir: path.join(store.folder, 'inside') })
    const [mini, inside] = store.usable()
    expect(mini?.bundled).toBe(true)
    expect(inside?.digest).not.toBe(mini?.digest)
    expect(inside?.bytes).toBeGreaterThan(1e6)
  })

  test.skipIf(process.platform === 'win32')(
    'a link to what is not there is a pack that cannot be used, and can be deleted',
    { meta: { needs: 'a Unix system' } },
    () => {
      symlinkSync(path.join(root, 'unplugged'), path.join(folder, 'elsewhere'))
      symlinkSync(path.join(folder, 'round'), path.join(folder, 'round'))
      const store = new PackStore([BUNDLED], folder)
      store.adopt(copyPack(store.unfinished(), 'inside'))
      symlinkSync(path.join(root, 'unplugged'), path.join(folder, 'inside', 'scores.txt'))
      expect(store.usable().map(({ id }) => id)).toEqual(['tubelet-mini', 'inside'])
      expect(codeOf(() => store.find('elsewhere'))).toBe('pack-invalid')
      expect(codeOf(() => store.find('round'))).toBe('pack-invalid')
      store.delete('elsewhere')
      store.delete('round')
      expect(store.list().map(({ id }) => id)).toEqual(['tubelet-mini', 'inside'])
    },
  )

  test('300 packs, and one of huge files, are listed a second time without reading them, and a changed one is read again', async () => {
    const text = readFileSync(path.join(BUNDLED, 'pack.json'), 'utf8')
    for (let nth = 0; nth < 300; nth++) {
      mkdirSync(path.join(folder, `pack-${nth}`))
      writeFileSync(path.join(folder, `pack-${nth}`, 'pack.json'), text.replace('"tubelet-mini"', `"pack-${nth}"`))
    }
    // These take no room on the disk.
    for (const [name, huge] of [
      ['weights', 'weights.bin'],
      ['manifest', 'pack.json'],
    ] as const) {
      mkdirSync(path.join(folder, name))
      for (const file of new Set(['pack.json', huge])) writeFileSync(path.join(folder, name, file), text)
      truncateSync(path.join(folder, name, huge), 2 ** 36)
    }
    const store = new PackStore([BUNDLED], folder)
    // Others get their turn between two packs.
    let turns = 0
    const others = setInterval(() => (turns += 1))
    await store.refresh()
    clearInterval(others)
    expect(turns).toBeGreaterThan(10)
    const first = store.list()
    expect(first).toHaveLength(303)
    expect(first.find(({ id }) => id === 'weights')?.bytes).toBeGreaterThan(2 ** 36)
    expect(first.find(({ id }) => id === 'manifest')).toMatchObject({ problem: { code: 'pack-invalid' } })
    const again = store.list()
    expect(again.every((pack, nth) => pack === first[nth])).toBe(true)
    writeFileSync(path.join(folder, 'pack-7', 'pack.json'), text.replace('"tubelet-mini"', '"another-name"'))
    expect(
      store
        .list()
        .filter((pack) => !first.includes(pack))
        .map(({ id }) => id),
    ).toEqual(['pack-7'])
  })

  test('a pack that states more than any model has is not used', () => {
    const { classes, ...detector } = JSON.parse(readFileSync(path.join(OBJECTS, 'pack.json'), 'utf8')) as DetectorManifest
    const mini = JSON.parse(readFileSync(path.join(BUNDLED, 'pack.json'), 'utf8')) as MammutManifest
    const stated: Record<string, unknown> = {
      'a-long-name': { ...detector, classes, name: 'x'.repeat(1_000) },
      'a-long-class': { ...detector, classes: [...classes, 'x'.repeat(1_000)] },
      'many-classes': { ...detector, classes: Array.from({ length: 30_000 }, (_, nth) => `c${nth}`) },
      'many-words': { ...mini, words: Array.from({ length: 300_000 }, (_, nth) => `w${nth}`) },
      'long-words': { ...mini, words: ['x'.repeat(101)] },
      'a-huge-picture': { ...mini, input: { ...mini.input, width: 16_000, height: 16_000 } },
      'a-huge-tensor': { ...mini, dims: { ...mini.dims, tokens: 2 ** 20, memory: 2 ** 20 } },
      'a-negative-side': { ...mini, dims: { ...mini.dims, vocab: -1 } },
    }
    for (const [name, manifest] of Object.entries(stated)) {
      mkdirSync(path.join(folder, name))
      writeFileSync(path.join(folder, name, 'pack.json'), JSON.stringify(manifest))
    }
    const store = new PackStore([OBJECTS, SCREEN_TEXT, BUNDLED], folder)
    expect(store.usable().map(({ id }) => id)).toEqual(['objects-80', 'screen-text', 'tubelet-mini'])
    expect(store.list()).toHaveLength(3 + Object.keys(stated).length)
  })

  test('where no folder is, the packs that ship are there all the same', () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    expect(new PackStore([BUNDLED], file).list().map(({ id }) => id)).toEqual(['tubelet-mini'])
  })

  test('those that ship come first in their order, and none of them can be deleted', () => {
    const store = new PackStore([OBJECTS, SCREEN_TEXT, BUNDLED], folder)
    store.adopt(copyPack(store.unfinished(), 'a first one'.replaceAll(' ', '-')))
    store.adopt(copyPack(store.unfinished(), 'eyes', {}, OBJECTS))
    expect(store.list().map(({ id }) => id)).toEqual(['objects-80', 'screen-text', 'tubelet-mini', 'a-first-one', 'eyes'])
    expect(store.usable().map(({ bundled, manifest }) => [bundled, manifest.family])).toEqual([
      [true, 'detector'],
      [true, 'text'],
      [true, 'mammut'],
      [false, 'mammut'],
      [false, 'detector'],
    ])
    for (const id of ['objects-80', 'screen-text', 'tubelet-mini']) expect(codeOf(() => store.delete(id))).toBe('forbidden')
    expect(codeOf(() => store.adopt(copyPack(store.unfinished(), 'eyes', {}, OBJECTS)))).toBe('conflict')
  })

  test('the same pack is not taken twice, and another one of the same name is told apart', () => {
    const store = new PackStore([BUNDLED], folder)
    store.adopt(copyPack(store.unfinished(), 'large'))
    expect(codeOf(() => store.adopt(copyPack(store.unfinished(), 'large')))).toBe('conflict')
    const newer = store.adopt(copyPack(store.unfinished(), 'large', { version: '9' }))
    expect(newer.id).toMatch(/^large-[0-9a-f]{8}$/)
    expect(store.find('large').manifest.version).not.toBe('9')
  })

  test('what ships cannot be deleted, what was imported can, and so can a folder that is no pack', () => {
    const store = new PackStore([BUNDLED], folder)
    store.adopt(copyPack(store.unfinished(), 'large'))
    mkdirSync(path.join(folder, 'broken'))
    writeFileSync(path.join(folder, 'broken', 'pack.json'), '{"format": 1')
    expect(store.list().map((pack) => ('problem' in pack ? `${pack.id} ${pack.problem.code}` : pack.id))).toEqual([
      'tubelet-mini',
      'broken pack-invalid',
      'large',
    ])
    expect(codeOf(() => store.find('broken'))).toBe('pack-invalid')
    expect(codeOf(() => store.delete('tubelet-mini'))).toBe('forbidden')
    expect(codeOf(() => store.delete('nobody'))).toBe('not-found')
    store.delete('large')
    store.delete('broken')
    expect(store.list().map(({ id }) => id)).toEqual(['tubelet-mini'])
    expect(existsSync(path.join(BUNDLED, 'pack.json'))).toBe(true)
    expect(readdirSync(folder).filter((name) => !name.startsWith('.unfinished-'))).toEqual([])
  })

  test('what a killed import left is removed at the next start, what a running one builds is not', () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    mkdirSync(path.join(folder, `.unfinished-${pid}-abc`))
    const mine = new PackStore([BUNDLED], folder).unfinished()
    const names = readdirSync(new PackStore([BUNDLED], folder).folder)
    expect(names).toEqual([path.basename(mine)])
  })
})

const WORDS = ['caption', 'answer', 'search'] as const
const isAlive = (pid: number | undefined) => {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('the packs that run', () => {
  let running: RunningPacks
  let changes: number
  const start = (dirs: Partial<Record<Task, string>>) => {
    changes = 0
    running = new RunningPacks(new Map(Object.entries(dirs) as [Task, string][]), undefined, () => (changes += 1))
    return running
  }
  afterEach(() => running.close())
  const idsOf = () => running.list().map(({ tasks, engine }) => `${tasks.join(' ')}: ${engine?.info.manifest.id ?? 'none'}`)

  test('are one process a pack, whatever number of tasks it has, and answer for their families', async () => {
    start({ caption: BUNDLED, answer: BUNDLED, search: BUNDLED, boxes: OBJECTS, text: SCREEN_TEXT })
    expect(idsOf()).toEqual(['caption answer search: none', 'boxes: none', 'text: none'])
    const [caption, answer, search] = await Promise.all(WORDS.map((task) => running.words(task)))
    expect(new Set([caption, answer, search]).size).toBe(1)
    const [boxes, text] = [await running.boxes(), await running.text()]
    expect([boxes?.info.manifest.family, text?.info.manifest.family]).toEqual(['detector', 'text'])
    expect(new Set((await running.all()).map(({ pid }) => pid)).size).toBe(3)
    expect(idsOf()).toEqual(['caption answer search: tubelet-mini', 'boxes: objects-80', 'text: screen-text'])
    expect(changes).toBeGreaterThanOrEqual(3)
    // When one engine dies, the others go on.
    process.kill(caption?.pid ?? 0, 'SIGKILL')
    await expect.poll(() => caption?.state).toBe('restarting')
    expect([boxes?.state, text?.state]).toEqual(['ready', 'ready'])
  }, 60_000)

  test('one task is given to another pack while the others go on; a pack that has no task any more is ended', async () => {
    start({ caption: BUNDLED, answer: BUNDLED, search: BUNDLED })
    const other = copyPack(folder, 'other')
    const first = await running.words('caption')
    await running.assign('search', other)
    expect(idsOf()).toEqual(['caption answer: tubelet-mini', 'search: other'])
    expect(await running.words('answer')).toBe(first)
    const second = await running.words('search')
    expect(second.pid).not.toBe(first.pid)
    await running.assign('caption', other)
    expect(isAlive(first.pid)).toBe(true)
    await running.assign('answer', other)
    expect(idsOf()).toEqual(['caption answer search: other'])
    expect(await running.words('caption')).toBe(second)
    expect(isAlive(first.pid)).toBe(false)
  }, 60_000)

  test('a pack that is not right gets no task: the one from before keeps it, in the same process', async () => {
    start({ caption: BUNDLED, boxes: BUNDLED })
    const bad = copyPack(folder, 'bad')
    rmSync(path.join(bad, 'vision.onnx'))
    const first = await running.words('caption')
    expect(await running.assign('caption', bad).then(() => null, problemOf)).toMatchObject({ code: 'pack-invalid', file: bad })
    expect(await running.words('caption')).toBe(first)
    expect(running.list()).toMatchObject([{ tasks: ['caption', 'boxes'], problem: null }])
    expect(running.list()).toHaveLength(1)
  }, 60_000)

  test('a task that is given to nobody is not done, and is done again when it is given back', async () => {
    start({ caption: BUNDLED, text: SCREEN_TEXT })
    const reader = await running.text()
    expect(await running.boxes()).toBeNull()
    expect(await running.words('search').then(() => null, problemOf)).toMatchObject({ code: 'pack-cannot' })
    await running.assign('text', null)
    expect(await running.text()).toBeNull()
    expect(isAlive(reader?.pid)).toBe(false)
    await running.assign('text', SCREEN_TEXT)
    expect((await running.text())?.info.manifest.id).toBe('screen-text')
  }, 60_000)

  test('one that does not start is told with its reason; the others start all the same, and it is tried again', async () => {
    const bad = copyPack(folder, 'bad', {}, SCREEN_TEXT)
    rmSync(path.join(bad, 'reader.onnx'))
    start({ caption: BUNDLED, text: bad })
    expect((await running.all()).map(({ info }) => info.manifest.id)).toEqual(['tubelet-mini'])
    expect(running.list()).toMatchObject([
      { problem: null },
      { tasks: ['text'], engine: null, problem: { code: 'pack-invalid', file: bad } },
    ])
    writeFileSync(path.join(bad, 'reader.onnx'), readFileSync(path.join(SCREEN_TEXT, 'reader.onnx')))
    expect((await running.text())?.state).toBe('ready')
    expect(running.list()).toMatchObject([{ problem: null }, { problem: null }])
  }, 60_000)
})
