import { execFileSync, spawnSync } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { leadOf } from '../../app/media.ts'
import { clipPath, decodedPts, withCleanAperture } from './clips.testing.ts'
import { firstPicture, makeProxy } from './playback.ts'
import { probe } from './probe.ts'
import { sample } from './sample.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-proxy-'))
afterAll(() => rm(folder, { recursive: true }))

describe('makeProxy on real files', () => {
  it.each([
    't03_belt.gif',
    'd11_room_dog_rot180_vfr.mp4',
    'd13_toy_robot_wmv2.wmv',
    'f01_mjpeg.avi',
    'f02_prores.mov',
    'f03_hevc_10bit.mkv',
  ])('keeps every frame of %s at its time', async (name) => {
    const file = clipPath(name)
    const source = await probe(tools, file)
    const out = path.join(folder, `${name}.mp4`)
    await makeProxy(tools, file, source, out)
    const copy = await probe(tools, out)
    expect(copy).toMatchObject({ codec: 'h264', pixelFormat: 'yuv420p', rotation: 0, startPts: 0 })
    const seconds = async (of: typeof source, from: string) => {
      return (await decodedPts(tools, from)).map((pts) => (((pts - of.startPts) * of.timeBase.num) / of.timeBase.den).toFixed(3))
    }
    expect(await seconds(copy, out)).toEqual(await seconds(source, file))
  })

  it('keeps sound and picture together where the sound begins first', async () => {
    const [file, out] = [path.join(folder, 'sound first.mkv'), path.join(folder, 'sound first.mp4')]
    // Silence but for a beep at 1.5 s, where the picture begins.
    const sound = ['-f', 'lavfi', '-i', "aevalsrc='if(between(t,1.5,1.6),sin(2000*t),0)':d=3"]
    execFileSync(tools.ffmpeg, [
      '-v',
      'error',
      '-itsoffset',
      '1.5',
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=64x64:r=10:d=1.5',
      ...sound,
      '-c:v',
      'mpeg4',
      '-c:a',
      'flac',
      '-y',
      file,
    ])
    const source = await probe(tools, file)
    expect(leadOf(source)).toBeCloseTo(1.5, 1)
    await makeProxy(tools, file, source, out)
    const { stderr } = spawnSync(
      tools.ffmpeg,
      ['-hide_banner', '-i', out, '-af', 'silencedetect=n=-30dB:d=0.05', '-vn', '-f', 'null', '-'],
      { encoding: 'utf8' },
    )
    const [beepEnds] = [...stderr.matchAll(/silence_start: ([\d.-]+)/g)].map(([, at]) => Number(at))
    expect(beepEnds).toBeGreaterThan(0.02)
    expect(beepEnds).toBeLessThan(0.25)
  })

  it('has a first picture of a file, or none where there is none', async () => {
    const { signal } = new AbortController()
    const jpeg = await firstPicture(tools, clipPath('d11_room_dog_rot180_vfr.mp4'), null, signal)
    expect([...(jpeg ?? []).slice(0, 2)]).toEqual([0xff, 0xd8])
    expect(await firstPicture(tools, clipPath('b05_audio_only_15s.mp4'), null, signal)).toBeNull()
  })

  it('leaves nothing behind when aborted', async () => {
    const file = clipPath('t04_long.mp4')
    const out = path.join(folder, 'aborted', 'x.mp4')
    await mkdir(path.dirname(out))
    const abort = new AbortController()
    const run = makeProxy(tools, file, await probe(tools, file), out, {
      signal: abort.signal,
      onProgress: () => {
        abort.abort()
        return Promise.resolve()
      },
    })
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
    expect(await readdir(path.dirname(out))).toEqual([])
    await expect(access(out)).rejects.toThrow()
  })
})

describe('a clean aperture', () => {
  it('cuts nothing off, as in browsers, whichever ffmpeg reads the file', async () => {
    const [whole, clean, copy] = ['whole.mp4', 'clean.mp4', 'clean copy.mp4'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ]
    execFileSync(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=160x120:r=10:d=2', '-pix_fmt', 'yuv420p', '-y', whole])
    await writeFile(clean, withCleanAperture(await readFile(whole), 120, 80))
    const { signal } = new AbortController()
    const source = await probe(tools, clean)
    expect(source).toMatchObject({ width: 160, height: 120 })
    expect(await firstPicture(tools, clean, null, signal)).toEqual(await firstPicture(tools, whole, null, signal))
    const seen = async (file: string) => {
      const pictures: Buffer[] = []
      for await (const event of sample(tools, file, await probe(tools, file), []))
        if (event.type === 'clip') pictures.push(Buffer.from(event.clip.thumbnail))
      return pictures
    }
    const pictures = await seen(whole)
    expect(pictures.length).toBeGreaterThan(0)
    expect(await seen(clean)).toEqual(pictures)
    await makeProxy(tools, clean, source, copy)
    expect(await probe(tools, copy)).toMatchObject({ width: 160, height: 120 })
  })
})
