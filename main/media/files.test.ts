import { execFileSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { scanPaths } from './scan.ts'
import { findMediaTools, runTool } from './tools.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-files-'))
afterAll(() => rm(folder, { recursive: true }))

async function scan(...paths: string[]) {
  const found: string[] = []
  for await (const one of scanPaths(paths)) found.push('problem' in one ? `${one.problem.code} ${path.relative(folder, one.path)}` : path.relative(folder, one.path))
  return found
}

describe('scanPaths', () => {
  it('finds videos in natural order, passes hidden entries over, and follows links once', async () => {
    const root = path.join(folder, 'tree')
    await mkdir(path.join(root, 'in ünï', '.hidden'), { recursive: true })
    for (const name of ['clip10.mp4', 'clip2.MP4', 'notes.txt', '.dot.mp4', 'in ünï/空白 & $(x).webm', 'in ünï/.hidden/x.mp4', '-y.gif']) {
      await writeFile(path.join(root, name), 'x')
    }
    await symlink(root, path.join(root, 'loop'))
    await symlink(path.join(root, 'nowhere'), path.join(root, 'broken.mp4'))
    expect(await scan(root)).toEqual(['tree/-y.gif', 'tree/clip2.MP4', 'tree/clip10.mp4', 'tree/in ünï/空白 & $(x).webm'])
    expect(await scan(path.join(root, 'notes.txt'), path.join(root, 'gone'), root)).toEqual([
      ...['tree/notes.txt', 'file-missing tree/gone'],
      ...['tree/-y.gif', 'tree/clip2.MP4', 'tree/clip10.mp4', 'tree/in ünï/空白 & $(x).webm'],
    ])
  })

  it.skipIf(process.platform === 'win32')('refuses a pipe, which may never say anything', async () => {
    const pipe = path.join(folder, 'pipe.mp4')
    execFileSync('mkfifo', [pipe])
    expect(await scan(pipe)).toEqual(['file-unreadable pipe.mp4'])
  })

  it.skipIf(process.getuid?.() === 0)('goes on after a folder that it may not read', async () => {
    const root = path.join(folder, 'locked')
    await mkdir(path.join(root, 'a'), { recursive: true })
    await writeFile(path.join(root, 'z.mp4'), 'x')
    await chmod(path.join(root, 'a'), 0)
    expect(await scan(root)).toEqual(['locked/z.mp4', 'file-unreadable locked/a'])
    await chmod(path.join(root, 'a'), 0o700)
  })
})

describe('fingerprint', () => {
  it('is that of the bytes, not of the name', async () => {
    const [a, b, c] = ['a.mp4', 'b.mp4', 'c.mp4'].map((name) => path.join(folder, name))
    if (a === undefined || b === undefined || c === undefined) throw new Error('three names')
    await writeFile(a, 'some bytes')
    await copyFile(a, b)
    const before = await fingerprint(a)
    expect(before).toMatch(/^[0-9a-f]{16}$/)
    expect(await fingerprint(b)).toBe(before)
    await rename(b, c)
    expect(await fingerprint(c)).toBe(before)
    await writeFile(c, 'some bytez')
    expect(await fingerprint(c)).not.toBe(before)
    const [empty, alsoEmpty] = [path.join(folder, 'e1'), path.join(folder, 'e2')]
    for (const file of [empty, alsoEmpty]) await writeFile(file, '')
    expect(await fingerprint(empty)).not.toBe(await fingerprint(alsoEmpty))
    await expect(fingerprint(b)).rejects.toMatchObject({ problem: { code: 'file-missing' } })
  })

  it('tells big files apart by their size, their first and their last byte', async () => {
    const big = path.join(folder, 'big.mkv')
    const size = 100 * 2 ** 20
    const prints = new Set<string>()
    for (const [position, length] of [[0, size], [size - 1, size], [0, size + 1]] as const) {
      const file = await open(big, 'w')
      await file.truncate(length)
      await file.write(Buffer.from([1]), 0, 1, position)
      await file.close()
      prints.add(await fingerprint(big))
    }
    expect(prints.size).toBe(3)
  })
})

describe('runTool', () => {
  it('ends a child that writes or lasts too long, or whose work is no longer wanted', async () => {
    const { ffmpeg } = await findMediaTools()
    const endless = ['-v', 'quiet', '-f', 'lavfi', '-i', 'testsrc', '-f', 'rawvideo', '-']
    await expect(runTool(ffmpeg, endless, { maxBytes: 2 ** 20 })).rejects.toMatchObject({ problem: { code: 'ffmpeg-failed' } })
    await expect(runTool(ffmpeg, ['-re', ...endless], { timeoutMs: 200 })).rejects.toMatchObject({ problem: { code: 'decode-timeout' } })
    await expect(runTool(ffmpeg, endless, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await expect(runTool(path.join(folder, 'no-tool'), [])).rejects.toMatchObject({ problem: { code: 'ffmpeg-missing' } })
  })
})
