import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import { BUNDLED, copyPack } from './pack.testing.ts'
import { RunningPack } from './running.ts'
import { PackStore } from './store.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-store-'))
process.env['XDG_CACHE_HOME'] = path.join(root, 'cache')
afterAll(() => rmSync(root, { recursive: true, force: true }))
const ready = existsSync(path.join(BUNDLED, 'pack.json'))
if (!ready) console.warn(`SKIPPED: the pack store, because ${BUNDLED} does not exist.`)

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

describe.skipIf(!ready)('the pack store', () => {
  test('lists the pack that ships and those that were adopted, each with its digest and size', () => {
    const store = new PackStore(BUNDLED, path.join(folder, 'none yet'))
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

  test('the same pack is not taken twice, and another one of the same name is told apart', () => {
    const store = new PackStore(BUNDLED, folder)
    store.adopt(copyPack(store.unfinished(), 'large'))
    expect(codeOf(() => store.adopt(copyPack(store.unfinished(), 'large')))).toBe('conflict')
    const newer = store.adopt(copyPack(store.unfinished(), 'large', { version: '9' }))
    expect(newer.id).toMatch(/^large-[0-9a-f]{8}$/)
    expect(store.find('large').manifest.version).not.toBe('9')
  })

  test('what ships cannot be deleted, what was imported can, and so can a folder that is no pack', () => {
    const store = new PackStore(BUNDLED, folder)
    store.adopt(copyPack(store.unfinished(), 'large'))
    mkdirSync(path.join(folder, 'broken'))
    writeFileSync(path.join(folder, 'broken', 'pack.json'), '{"format": 1')
    expect(store.list().map((pack) => ('problem' in pack ? `${pack.id} ${pack.problem.code}` : pack.id))).toEqual(['tubelet-mini', 'broken pack-invalid', 'large'])
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
    const mine = new PackStore(BUNDLED, folder).unfinished()
    const names = readdirSync(new PackStore(BUNDLED, folder).folder)
    expect(names).toEqual([path.basename(mine)])
  })
})

describe.skipIf(!ready)('the pack that runs', () => {
  test('is replaced by another one, and is back with the reason where that one is not right', async () => {
    const good = copyPack(folder, 'good')
    const bad = copyPack(folder, 'bad')
    rmSync(path.join(bad, 'vision.onnx'))
    const seen: (number | undefined)[] = []
    const running = new RunningPack(BUNDLED, undefined, () => seen.push(running.value?.pid))
    try {
      const first = await running.get()
      expect(first.info.manifest.id).toBe('tubelet-mini')
      const waiting = running.switchTo(good).then(() => running.get())
      expect((await running.get()).info.manifest.id).toBe('good')
      expect((await waiting).pid).not.toBe(first.pid)
      expect(seen).toContain(undefined)

      const why = await running.switchTo(bad).then(() => null, problemOf)
      expect(why).toMatchObject({ code: 'pack-invalid', file: bad })
      expect((await running.get()).info.manifest.id).toBe('good')
      expect(running.problem).toBeNull()
    } finally {
      await running.close()
    }
  })
})
