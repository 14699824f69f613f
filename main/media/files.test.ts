import { copyFile, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { findMediaTools, keepFrames, runTool, versionIn } from './tools.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-files-'))
afterAll(() => rm(folder, { recursive: true }))

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
    for (const [position, length] of [
      [0, size],
      [size - 1, size],
      [0, size + 1],
    ] as const) {
      const file = await open(big, 'w')
      await file.truncate(length)
      await file.write(Buffer.from([1]), 0, 1, position)
      await file.close()
      prints.add(await fingerprint(big))
    }
    expect(prints.size).toBe(3)
  })
})

describe('fingerprint of formats', () => {
  const half = 2 ** 29 + 2 ** 20 + 7
  /** A file of more than 512 MiB, most of it a hole, with bytes at some places. */
  const big = async (name: string, size: number, ...bytes: [at: number, what: Uint8Array][]) => {
    const file = await open(path.join(folder, name), 'w')
    await file.truncate(size)
    for (const [at, what] of bytes) await file.write(what, 0, what.length, at)
    await file.close()
    return fingerprint(path.join(folder, name))
  }
  const box = (name: string, content: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(content.length + 8)
    head.write(name, 4, 'latin1')
    return Buffer.concat([head, content])
  }
  /** An MP4 whose index gives those sizes. */
  const mp4 = (sizes: readonly number[]) => {
    const table = Buffer.alloc(12 + 4 * sizes.length)
    table.writeUInt32BE(sizes.length, 8)
    sizes.forEach((size, i) => table.writeUInt32BE(size, 12 + 4 * i))
    const moov = box('moov', box('stsz', table))
    const mdat = Buffer.alloc(16)
    mdat.writeUInt32BE(1)
    mdat.write('mdat', 4, 'latin1')
    mdat.writeBigUInt64BE(BigInt(half - moov.length - 24), 8)
    return [
      [0, box('ftyp', Buffer.alloc(0))],
      [8, mdat],
      [half - moov.length - 8, moov],
    ] as [number, Uint8Array][]
  }

  it('counts a changed byte anywhere in a DV tape, and in a MOV of frames of one size', { timeout: 60_000 }, async () => {
    const other = [(half / 2) | 0, Buffer.from('frame')] as [number, Uint8Array]
    const dv = [0, Buffer.from([0x1f, 7, 0, 0xbf])] as [number, Uint8Array]
    expect(await big('a.dv', half, dv, other)).not.toBe(await big('a.dv', half, dv))
    const same = mp4([144_000, 144_000, 144_000])
    expect(await big('a.mov', half, ...same, other)).not.toBe(await big('a.mov', half, ...same))
  })

  it('reads the index of an MP4 whose frames vary in size, and a part of the rest', { timeout: 60_000 }, async () => {
    const first = await big('a.mp4', half, ...mp4([2_000, 3_000, 4_000]))
    expect(await big('a.mp4', half, ...mp4([2_000, 3_001, 3_999]))).not.toBe(first)
    const began = process.cpuUsage()
    await fingerprint(path.join(folder, 'a.mp4'))
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(1)
  })

  it('is that of the beginning of a file that grew', async () => {
    const file = path.join(folder, 'grown.ts')
    await writeFile(file, 'some bytes')
    const before = await fingerprint(file)
    await writeFile(file, 'some bytes and more')
    expect(await fingerprint(file, 10)).toBe(before)
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

it('the version of ffmpeg is read whoever built it, and with it how frames are kept', async () => {
  const tools = await findMediaTools()
  for (const [banner, version, option] of [
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers', '5.1.9', '-fps_mode'],
    ['ffmpeg version 7.0.2-static https://johnvansickle.com/ffmpeg/  Copyright (c) 2000-2024', '7.0.2', '-fps_mode'],
    ['ffmpeg version 4.2.2-static https://johnvansickle.com/ffmpeg/  Copyright (c) 2000-2019', '4.2.2', '-vsync'],
    ['ffmpeg version 5.0 Copyright (c) 2000-2022 the FFmpeg developers', '5.0', '-vsync'],
    ['ffmpeg version n9.0.2-17-g2a571b6068-20260930 Copyright (c) 2000-2026', '9.0.2', '-fps_mode'],
    ['ffmpeg version N-66595-gc2b38619c0-static https://johnvansickle.com/ffmpeg/  Copyright', 'N-66595-gc2b38619c0-static', '-fps_mode'],
  ] as const) {
    expect(versionIn(banner)).toBe(version)
    expect(keepFrames({ ...tools, version: versionIn(banner) })[0]).toBe(option)
  }
})
