/** Pipes where a file is expected: each is refused at once. Opened without care, they would wait for ever. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { PackStore } from './packs/store.ts'
import { readSafetensors } from './packs/safetensors.ts'
import { readConfig } from './packs/openmammut.ts'
import { openPlain, readPlainSync } from './plain-file.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-plain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => path.join(folder, ...parts)

describe.skipIf(process.platform === 'win32')('a pipe', { meta: { needs: 'a Unix system' } }, () => {
  const told = { problem: { code: 'file-unreadable', message: 'This is not a file but a pipe or a device.' } }

  test('given as a checkpoint, or beside one as its config', async () => {
    execFileSync('mkfifo', [at('model.safetensors'), at('open_clip_config.json')])
    await expect(readSafetensors(at('model.safetensors'))).rejects.toMatchObject(told)
    await expect(readConfig(at('model.safetensors'))).rejects.toMatchObject(told)
  })

  test('in the place of a pack’s pack.json makes that pack unusable, and no other', () => {
    mkdirSync(at('packs', 'piped'), { recursive: true })
    execFileSync('mkfifo', [at('packs', 'piped', 'pack.json'), at('packs', 'loose')])
    expect(new PackStore([], at('packs')).list()).toMatchObject([
      { id: 'loose', problem: { code: 'pack-invalid' } },
      { id: 'piped', problem: { code: 'pack-invalid', details: 'This is not a file but a pipe or a device.' } },
    ])
  })

  test('is no file, a device is none, a file is one', async () => {
    await expect(openPlain('/dev/zero')).rejects.toMatchObject(told)
    expect(() => readPlainSync('/dev/zero', 1e6)).toThrow('pipe or a device')
    writeFileSync(at('plain'), 'text')
    expect(readPlainSync(at('plain'), 4).toString()).toBe('text')
    expect(() => readPlainSync(at('plain'), 3)).toThrow('larger than any')
  })
})
