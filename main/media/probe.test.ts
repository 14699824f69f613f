import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { TubeletError } from '../../app/errors.ts'
import { clipNames, clipPath, freely } from './clips.testing.ts'
import { playbackOf } from './playback.ts'
import { probe } from './probe.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-probe-'))
afterAll(() => rm(folder, { recursive: true }))

async function verdictOf(file: string, by = tools): Promise<string> {
  try {
    await probe(by, file)
    return 'ok'
  } catch (error) {
    if (!(error instanceof TubeletError)) throw error
    expect(error.problem.file).toBe(file)
    expect(error.problem.message).not.toBe('')
    expect(error.problem.next).toBeTruthy()
    return error.problem.code
  }
}

/** By clips/SOURCES.md and by how the f* files were made. */
const facts: Record<string, object> = {
  d01: {
    codec: 'h264',
    width: 1280,
    height: 720,
    frameRate: { num: 30000, den: 1001 },
    variableFrameRate: false,
    frameCount: 287,
    hdr: false,
  },
  d05: { container: 'gif', width: 480, height: 270, frameRate: { num: 15, den: 1 }, variableFrameRate: false, frameCount: 101 },
  d06: { container: 'matroska,webm', startPts: 33, timeBase: { num: 1, den: 1000 }, variableFrameRate: false },
  d11: { rotation: 180, variableFrameRate: true, frameCount: 25 },
  d12: { width: 540, height: 960, rotation: 0 },
  d13: { codec: 'wmv2', container: 'asf' },
  d14: { codec: 'av1', bitDepth: 10, hdr: true, width: 720, height: 1280 },
  d15: { codec: 'vp9', bitDepth: 10, hdr: false, variableFrameRate: false, frameRate: { num: 24000, den: 1001 } },
  d16: { frameCount: 7200, duration: 300, frameRate: { num: 24, den: 1 } },
  d17: { codec: 'vp8', width: 1920, height: 1080, frameRate: { num: 60, den: 1 }, variableFrameRate: false },
  f01: { codec: 'mjpeg', container: 'avi' },
  f02: { codec: 'prores', bitDepth: 10 },
  f03: { codec: 'hevc', bitDepth: 10, hdr: false },
  f04: { codedWidth: 720, codedHeight: 480, width: 480, height: 720, frameCount: 234 },
  f05: { codec: 'h264', frameCount: 287 },
  f06: { width: 64, height: 48 },
}

/** As in the packaged app, which brings ffmpeg alone. */
const alone = { ...tools, ffprobe: null }

describe('probe on real files', () => {
  it.each(clipNames(/^[df]\d\d/))('%s with ffmpeg alone', async (name) => {
    const file = clipPath(name)
    const { duration, frameCount, streams, frameRate, ...exact } = await probe(tools, file)
    const found = await probe(alone, file)
    expect(found).toMatchObject(exact)
    expect(found.streams.map(({ type, codec }) => [type, codec])).toEqual(streams.map(({ type, codec }) => [type, codec]))
    // The container's, where sound may outlast the picture.
    expect(Math.abs(found.duration - duration)).toBeLessThan(0.2)
    expect(found.frameRate.num / found.frameRate.den).toBeCloseTo(frameRate.num / frameRate.den, 1)
    // ffmpeg alone only knows the packets that it read.
    if (found.frameCount !== null) expect(found.frameCount).toBe(frameCount)
  })

  it.each(clipNames(/^[df]\d\d/))('%s', async (name) => {
    const found = await probe(tools, clipPath(name))
    expect(found).toMatchObject(facts[name.slice(0, 3)] ?? {})
    expect(found.duration).toBeGreaterThan(0.9)
  })

  it('states the turn that ffmpeg makes to show the picture upright', async () => {
    const source = clipPath('f06_tiny_64x48.mp4')
    const firstFrame = async (...args: string[]) =>
      (await freely(tools.ffmpeg, ['-v', 'error', ...args, '-frames:v', '1', '-f', 'rawvideo', '-'])).stdout
    const rotations = new Set<number>()
    for (const tag of [90, 270]) {
      const turned = path.join(folder, `${tag}.mp4`)
      await freely(tools.ffmpeg, ['-v', 'error', '-i', source, '-c', 'copy', '-metadata:s:v:0', `rotate=${tag}`, turned])
      const found = await probe(tools, turned)
      expect(found).toMatchObject({ width: 48, height: 64 })
      expect(await probe(alone, turned)).toMatchObject({ width: 48, height: 64, rotation: found.rotation })
      const byHand = await firstFrame('-noautorotate', '-i', turned, '-vf', `transpose=${found.rotation === 90 ? 'clock' : 'cclock'}`)
      expect(byHand.equals(await firstFrame('-i', turned))).toBe(true)
      rotations.add(found.rotation)
    }
    expect(rotations).toEqual(new Set([90, 270]))
  })

  it('widens pixels that are not square', async () => {
    const wide = path.join(folder, 'anamorphic.mkv')
    await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=720x576:d=1,setsar=64/45', '-c:v', 'libx264', wide])
    for (const by of [tools, alone])
      expect(await probe(by, wide)).toMatchObject({ codedWidth: 720, width: 1024, height: 576, sampleAspectRatio: { num: 64, den: 45 } })
  })

  it('says what is wrong with a file that is no usable video', async () => {
    const verdicts = Object.fromEntries(
      await Promise.all(clipNames(/^b\d\d/).map(async (name) => [name.slice(0, 3), await verdictOf(clipPath(name))] as const)),
    )
    // b02, b04 and b06 are only found out by decoding.
    const found = {
      b01: 'empty-file',
      b02: 'ok',
      b03: 'not-a-video',
      b04: 'ok',
      b05: 'audio-only',
      b06: 'ok',
      b07: 'ok',
      b08: 'codec-unsupported',
      b09: 'no-index',
    }
    expect(verdicts).toEqual(found)
    for (const name of clipNames(/^b\d\d/))
      expect([name, await verdictOf(clipPath(name), alone)]).toEqual([name, found[name.slice(0, 3) as keyof typeof found]])
  })

  it('plays directly only what Chromium plays', async () => {
    const playback = async (name: string) => playbackOf(await probe(tools, clipPath(name)))
    expect(await playback('d03_bottles.mp4')).toBe('direct')
    expect(await playback('d07_flower_bloom_vp8.webm')).toBe('direct')
    expect(await playback('t03_belt.gif')).toBe('proxy')
    expect(await playback('d13_toy_robot_wmv2.wmv')).toBe('proxy')
    expect(await playback('f02_prores.mov')).toBe('proxy')
    expect(await playback('f03_hevc_10bit.mkv')).toBe('proxy')
  })
})

it('takes neither text nor pictures nor missing files for video', async () => {
  const text = path.join(folder, 'notes.nfo')
  await writeFile(text, 'no video\n'.repeat(50))
  const picture = path.join(folder, 'one.png')
  await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1', picture])
  for (const by of [tools, alone]) {
    expect([await verdictOf(text, by), await verdictOf(picture, by), await verdictOf(path.join(folder, 'gone.mp4'), by)]).toEqual([
      'not-a-video',
      'not-a-video',
      'file-missing',
    ])
  }
})

it('opens no list of other files, whatever its name', async () => {
  const beside = path.join(folder, 'beside.ts')
  await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=1', '-c:v', 'mpeg2video', beside])
  const lists: Record<string, string> = {
    'concat.mp4': `ffconcat version 1.0\nfile beside.ts\n`,
    'absolute.mkv': `ffconcat version 1.0\nfile '${beside}'\n`,
    'hls.ts': '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nbeside.ts\n#EXT-X-ENDLIST\n',
    'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile:${beside}\n#EXT-X-ENDLIST\n`,
    'session.webm': 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="video/mp2t"><Representation id="1" bandwidth="1"><BaseURL>beside.ts</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  }
  expect(await verdictOf(beside)).toBe('ok')
  for (const [name, text] of Object.entries(lists)) {
    const file = path.join(folder, name)
    await writeFile(file, text)
    for (const by of [tools, alone]) expect([name, await verdictOf(file, by)]).toEqual([name, 'not-a-video'])
  }
})

it('knows where a file begins whose packets have no times, by ffmpeg alone too', async () => {
  const moving = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=1', '-bf', '2']
  const [avi, raw] = [path.join(folder, 'b-frames.avi'), path.join(folder, 'raw.h264')]
  await freely(tools.ffmpeg, [...moving, '-c:v', 'mpeg4', avi])
  await freely(tools.ffmpeg, [...moving, '-c:v', 'libx264', raw])
  for (const by of [tools, alone]) {
    expect(Math.abs((await probe(by, avi)).startPts)).toBeLessThan(3)
    expect(await probe(by, raw)).toMatchObject({ startPts: 0, duration: 0, frameCount: null })
  }
})

it('sees a picture that begins long after the sound', async () => {
  const late = path.join(folder, 'late.ts')
  const sound = ['-f', 'lavfi', '-i', 'sine=d=13']
  await freely(tools.ffmpeg, [
    '-v',
    'error',
    ...sound,
    '-itsoffset',
    '12',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=64x48:r=25:d=1',
    '-map',
    '1',
    '-map',
    '0',
    '-fps_mode',
    'passthrough',
    '-c:v',
    'mpeg2video',
    '-c:a',
    'mp2',
    late,
  ])
  for (const by of [tools, alone]) expect(await probe(by, late)).toMatchObject({ codec: 'mpeg2video', width: 64, height: 48 })
})

it('reads pictures one after the other as Motion JPEG where the name says so', async () => {
  const raw = path.join(folder, 'raw.MJPG')
  await freely(tools.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=1', '-c:v', 'mjpeg', '-f', 'mjpeg', raw])
  for (const by of [tools, alone]) expect(await probe(by, raw)).toMatchObject({ container: 'mjpeg', codec: 'mjpeg', width: 64, height: 48 })
})
