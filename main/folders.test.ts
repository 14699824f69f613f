import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { makeFolder } from './folders.ts'

const root = await mkdtemp(path.join(os.tmpdir(), 'tubelet-folders-'))
afterAll(() => rm(root, { recursive: true }))

it('is there for all who make it at once', async () => {
  for (let run = 0; run < 20; run++) {
    const folder = path.join(root, String(run), 'b', 'c')
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(folder)))
    expect((await stat(folder)).isDirectory()).toBe(true)
  }
})

it('fails where a file is in the way', async () => {
  await writeFile(path.join(root, 'file'), '')
  await expect(makeFolder(path.join(root, 'file', 'b', 'c'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

it.skipIf(process.platform !== 'linux')('fails where none can be made', { meta: { needs: 'Linux' } }, async () => {
  await expect(makeFolder('/proc/a/b')).rejects.toMatchObject({ code: 'ENOENT' })
})
