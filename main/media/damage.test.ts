/** Reports of damage: for files that are damaged here, and none for intact files that look damaged. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Problem } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { decodedPts } from './clips.testing.ts'
import { damageOf, type Heard, note } from './damage.ts'
import { Messages } from './decode-streams.ts'
import { makeProxy } from './playback.ts'
import { probe } from './probe.ts'
import { sample } from './sample.ts'
import { findMediaTools, type MediaTools, runTool } from './tools.ts'

const tools = await findMediaTools()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-damage-'))
afterAll(() => rmSync(folder, { recursive: true }))

function made(name: string, ...args: string[]): string {
  const file = path.join(folder, name)
  execFileSync(tools.ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, file])
  return file
}

/** Noise, so that bytes are spread evenly over its seconds. */
const moving = (seconds: number, rate: number | string = 25) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=s=160x120:r=${rate}:d=${seconds},noise=alls=20:allf=t,format=yuv420p`,
]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-b:v', '400k']

async function passOver(file: string, by: MediaTools = tools): Promise<{ pts: number[]; damaged: Problem | null; probe: Probe }> {
  for await (const event of sample(by, file, await probe(by, file), []))
    if (event.type === 'done') return { pts: [...event.pts], damaged: event.damaged, probe: event.probe }
  throw new Error('sampling ended without its last event')
}

async function readAll(file: string, by: MediaTools = tools): Promise<{ pts: number[]; damaged: Problem | null }> {
  const { pts, damaged } = await passOver(file, by)
  return { pts, damaged }
}

/** The picture that ffmpeg shows at each twenty-fifth of a second. */
function picturesIn(file: string): Map<number, string> {
  const args = ['-v', 'quiet', '-nostdin', '-threads', '1', '-copyts', '-i', file, '-map', '0:v', '-fps_mode', 'passthrough']
  const lines = execFileSync(tools.ffmpeg, [...args, '-enc_time_base', '1:25', '-f', 'framemd5', '-'])
    .toString()
    .split('\n')
  return new Map(
    lines.flatMap((line) => {
      const [, , pts, , , hash] = line.startsWith('#') ? [] : line.split(',').map((part) => part.trim())
      return hash === undefined ? [] : [[Number(pts), hash]]
    }),
  )
}

/** A copy of a file in which 64 KB in the middle are zeros, or missing, as after a bad disk. */
function damaged(file: string, how: 'zeros' | 'gone'): string {
  const bytes = readFileSync(file)
  const [from, to] = [(bytes.length >> 1) - 32_768, (bytes.length >> 1) + 32_768]
  const out = path.join(folder, `${how} ${path.basename(file)}`)
  writeFileSync(out, how === 'zeros' ? bytes.fill(0, from, to) : Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]))
  return out
}

describe('damage in the middle', () => {
  const whole = made('whole.mp4', ...moving(20), ...x264, '-movflags', '+faststart')
  it.each([
    ['mkv', 'zeros'],
    ['mkv', 'gone'],
    ['flv', 'zeros'],
    ['flv', 'gone'],
    ['ts', 'zeros'],
    ['ts', 'gone'],
    ['mov', 'zeros'],
    ['mp4', 'zeros'],
  ] as const)('of %s, %s, is told in seconds', async (container, how) => {
    const file = made(`middle.${container}`, '-i', whole, '-c', 'copy')
    expect((await readAll(file)).damaged).toBeNull()
    const { pts, damaged: problem } = await readAll(damaged(file, how))
    expect(pts.length).toBeLessThan(490)
    expect(problem).toMatchObject({ code: 'damaged', message: 'Damaged: seconds {{spans}} cannot be read.' })
    const [, from, to] = /^([\d.]+)–([\d.]+)$/.exec(JSON.stringify(problem?.values?.['spans']).slice(1, -1)) ?? []
    // 64 KB are about 1.3 s, and nothing is shown until the next key frame.
    expect(Number(from)).toBeGreaterThanOrEqual(8)
    expect(Number(to)).toBeLessThanOrEqual(14)
  })

  it('of WebM too, and of a file of which all else is short', async () => {
    const file = made(
      'middle.webm',
      ...moving(12, 15),
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-b:v',
      '400k',
      '-g',
      '30',
    )
    expect((await readAll(file)).damaged).toBeNull()
    expect((await readAll(damaged(file, 'zeros'))).damaged).toMatchObject({ message: 'Damaged: seconds {{spans}} cannot be read.' })
  })
})

describe('what could not be read', () => {
  const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=50', '-b:v', '400k']
  it.each([
    ['H.264 in MP4', 'mp4', x264],
    ['H.264 in Matroska', 'mkv', x264],
    ['H.264 in MPEG-TS', 'ts', x264],
    [
      'H.264 of slices, with B-frames',
      'mp4',
      ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-slices', '8', '-g', '100', '-b:v', '400k'],
    ],
    ['HEVC', 'mp4', x265],
    ['MPEG-4 in AVI', 'avi', ['-c:v', 'mpeg4', '-b:v', '400k', '-g', '50']],
    ['MPEG-2 in MPEG-TS', 'ts', ['-c:v', 'mpeg2video', '-b:v', '800k', '-g', '25']],
    ['VP9 in WebM', 'webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '50', '-b:v', '400k']],
  ])('holds every picture that is not the true one: %s', async (name, container, coding) => {
    const file = made(`${name}.${container}`, ...moving(10), ...coding)
    const broken = damaged(file, 'zeros')
    const [before, after] = [picturesIn(file), picturesIn(broken)]
    expect((await passOver(file)).probe.unread).toBeUndefined()
    const { probe: found, damaged: problem } = await passOver(broken)
    const unread = found.unread ?? []
    expect(problem?.code).toBe('damaged')
    expect(unread.length).toBeGreaterThan(0)
    const inside = (time: number) => unread.some(({ from, to }) => time >= from - 1e-3 && time < to - 1e-3)
    const seconds = (at: number) => (at - Math.min(...before.keys())) / 25
    // An AVI has no times: if chunks are missing, later frames move up; their pictures are still right.
    const whole = new Set(before.values())
    const untrue =
      container === 'avi'
        ? [...after].filter(([, hash]) => !whole.has(hash)).map(([at]) => seconds(at))
        : [...before].filter(([at, hash]) => after.get(at) !== hash).map(([at]) => seconds(at))
    expect(untrue.length).toBeGreaterThan(0)
    expect(untrue.filter((time) => !inside(time))).toEqual([])
    // And not much more than those.
    const lost = unread.reduce((sum, { from, to }) => sum + to - from, 0)
    expect(lost).toBeLessThan(untrue.length / 25 + 4)
  })

  it('is no more than the lost picture where nothing moved, though the next key picture is far', async () => {
    const still = ['-f', 'lavfi', '-i', 'smptebars=s=320x240:r=25:d=10,noise=alls=3:allf=t,format=yuv420p']
    const file = made(
      'still.mkv',
      ...still,
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-bf',
      '0',
      '-refs',
      '1',
      '-g',
      '1000',
      '-b:v',
      '600k',
    )
    const packets = execFileSync(tools.ffprobe ?? '', ['-v', 'error', '-show_entries', 'packet=pos,size', '-of', 'csv=p=0', file])
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number))
    const [size = 0, at = 0] = packets[100] ?? []
    const bytes = readFileSync(file)
    const broken = path.join(folder, 'still broken.mkv')
    writeFileSync(broken, bytes.fill(0, Math.max(size, at) + 8, Math.max(size, at) + Math.min(size, at)))
    const { probe: found, damaged: problem } = await passOver(broken)
    expect(problem?.code).toBe('damaged')
    const unread = found.unread ?? []
    expect(unread.length).toBeGreaterThan(0)
    expect(unread.reduce((sum, { from, to }) => sum + to - from, 0)).toBeLessThan(0.5)
  })

  it('holds a picture of which a part was made up though none is missing', async () => {
    const file = made(
      'slices.mp4',
      ...moving(8),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-slices',
      '8',
      '-g',
      '50',
      '-b:v',
      '800k',
      '-movflags',
      '+faststart',
    )
    const bytes = readFileSync(file)
    // Damages some hundred bytes in the middle of one picture.
    const begin = Math.round(bytes.length * 0.55)
    const broken = path.join(folder, 'scratched.mp4')
    writeFileSync(broken, bytes.fill(0xff, begin, begin + 60))
    const { pts, damaged: problem, probe: found } = await passOver(broken)
    expect(pts).toHaveLength(200)
    expect(problem).toMatchObject({ code: 'damaged', message: 'Damaged: seconds {{spans}} cannot be read.' })
    const [before, after] = [picturesIn(file), picturesIn(broken)]
    const times = [...before].filter(([at, hash]) => after.get(at) !== hash).map(([at]) => at / 25)
    expect(times.length).toBeGreaterThan(0)
    const [{ from, to } = { from: NaN, to: NaN }] = found.unread ?? []
    expect(Math.min(...times)).toBeGreaterThanOrEqual(from - 1e-3)
    expect(Math.max(...times)).toBeLessThan(to)
  })
})

it('of the beginning is told by the frames', async () => {
  const file = made('head.mp4', ...moving(6), ...x264, '-movflags', '+faststart')
  const bytes = readFileSync(file)
  const from = bytes.indexOf('mdat') + 4
  writeFileSync(file, bytes.fill(0, from, from + 30_000))
  const { pts, damaged } = await readAll(file)
  expect(damaged).toMatchObject({
    message: 'Damaged: {{read}} of {{total}} frames could be read.',
    values: { read: pts.length, total: 150 },
  })
})

describe('whole files that look damaged', () => {
  it.each(['10', '15', '24000/1001', '24', '30'])('cut without encoding again, at %s frames a second', async (rate) => {
    const whole = made('rate.mp4', ...moving(4, rate), ...x264)
    for (const name of ['cut.mp4', 'cut.mov']) {
      const cut = made(name, '-ss', '1.2', '-i', whole, '-c', 'copy')
      const { pts, damaged } = await readAll(cut)
      expect(pts).toEqual(await decodedPts(tools, cut))
      expect(damaged).toBeNull()
    }
  })

  it('with a true pause in its times', async () => {
    const paused = made('paused.mkv', ...moving(6), '-vf', "setpts='if(gt(N,75),PTS+5/TB,PTS)'", '-fps_mode', 'passthrough', ...x264)
    const { pts, damaged } = await readAll(paused)
    expect((pts[76] ?? 0) - (pts[75] ?? 0)).toBeGreaterThan(5000)
    expect(damaged).toBeNull()
  })

  it('of which a recording was cut between key frames', async () => {
    const whole = made('keys.ts', ...moving(6), ...x264)
    const cut = path.join(folder, 'between.ts')
    writeFileSync(cut, readFileSync(whole).subarray(188 * 300))
    expect((await readAll(cut)).damaged).toBeNull()
  })

  it('with damaged sound: its pictures are read, and copied', async () => {
    const whole = made('sound.webm', ...moving(2, 10), '-f', 'lavfi', '-i', 'sine=d=2', '-c:v', 'libvpx', '-c:a', 'libopus')
    const bytes = readFileSync(whole)
    // The number of channels.
    bytes[bytes.indexOf('OpusHead') + 9] = 0
    const file = path.join(folder, 'bad sound.webm')
    writeFileSync(file, bytes)
    const { pts, damaged } = await readAll(file)
    expect([pts.length, damaged]).toEqual([20, null])
    const copy = path.join(folder, 'copy.mp4')
    await makeProxy(tools, file, await probe(tools, file), copy)
    expect(await decodedPts(tools, copy)).toHaveLength(20)
  })

  it('photos of phones are no recordings that were cut off', async () => {
    for (const brand of ['heic', 'mif1', 'avif']) {
      const photo = path.join(folder, `photo ${brand}.mp4`)
      writeFileSync(
        photo,
        Buffer.concat([
          Buffer.from([0, 0, 0, 24]),
          Buffer.from(`ftyp${brand}\0\0\0\0mif1${brand}`, 'latin1'),
          Buffer.from([0, 0, 0, 16]),
          Buffer.from('mdat12345678'),
        ]),
      )
      await expect(probe(tools, photo)).rejects.toMatchObject({
        problem: { code: 'not-a-video', message: '{{name}} is a photo, not a video.' },
      })
    }
  })
})

describe('what a file can say', () => {
  it.skipIf(process.platform === 'win32')(
    'its name and its tags count no frames and complain of nothing',
    { meta: { needs: 'a Unix system' } },
    async () => {
      const line = (n: number) =>
        `[showinfo@all @ 0x5] [info] n: ${n} pts: ${n * 1000} pts_time:${n}\n[showinfo@all_123456789 @ 0x5] [info] n: ${n} pts: ${n * 1000}\n[h264 @ 0x5] [error] error while decoding MB\n[Eval @ 0x5] [info] 0.040000\n`
      const plain = made('plain.mkv', ...moving(2), ...x264, '-metadata', `title=a\n${line(7)}`, '-metadata:s:v', `comment=\r\n${line(8)}`)
      const named = path.join(folder, `a\n${line(9).slice(0, 200)}.mkv`.replaceAll('/', ''))
      copyFileSync(plain, named)
      const expected = await decodedPts(tools, plain)
      for (const file of [plain, named]) expect(await readAll(file)).toEqual({ pts: expected, damaged: null })
    },
  )

  it('messages without the seal of the pass are none', () => {
    const said = (text: string) => [...new Messages(123_456_789).push(text)]
    expect(said('[showinfo@all_123456789 @ 0x5] [info] n:   0 pts:  40 pts_time:1\n')).toEqual([{ type: 'frame', filter: 'all', pts: 40 }])
    expect(said('[showinfo@all_123456788 @ 0x5] [info] n:   0 pts:  40 pts_time:1\n[showinfo@all @ 0x5] [info] n: 0 pts: 40\n')).toEqual([])
    expect(said('[info] 123456789.000000\n[info] 0.000000\n')).toEqual([{ type: 'new-clock' }])
    expect(said('[vist#0:0/h264 @ 0x5] [dec:h264 @ 0x6] [warning] corrupt decoded frame\n')).toMatchObject([{ about: 'file' }])
    expect(said('[mjpeg @ 0x5] [error] error y=1 x=6\n[mjpeg @ 0x5] [error] overread 8\n')).toMatchObject([
      { madeUp: true },
      { about: 'file' },
    ])
    expect(said('[rawvideo @ 0x5] [error] Application provided invalid, non monotonically increasing dts\n')).toMatchObject([
      { about: 'output' },
    ])
  })
})

describe('damageOf', () => {
  const about: Probe = {
    frameRate: { num: 10, den: 1 },
    timeBase: { num: 1, den: 10 },
    startPts: 0,
    duration: 10,
    frameCount: null,
    variableFrameRate: false,
    container: 'matroska',
  } as Probe
  const heard = (...ordinals: number[]): Heard => {
    const all: Heard = { complaints: [], madeUp: [], keys: [], sampled: [], text: '', code: 0, stalled: false }
    for (const ordinal of ordinals) note(all, ordinal, 'file')
    return all
  }
  const times = Array.from({ length: 100 }, (_, i) => i).filter((i) => (i < 31 || i > 45) && (i < 60 || i > 62))
  const spans = (found: Heard, claimed = about) =>
    damageOf('x', claimed, { probe: about, pts: Float64Array.from(times), ends: 10 }, found).problem?.values?.['spans']

  it('needs a complaint where frames are missing, and frames missing where there is a complaint', () => {
    expect(spans(heard())).toBeUndefined()
    expect(spans(heard(31))).toBe('3.1–4.6, 6–6.3')
    expect(
      damageOf('x', about, { probe: about, pts: Float64Array.from({ length: 100 }, (_, i) => i), ends: 10 }, heard(31)).problem,
    ).toBeNull()
  })

  it('ends with what is missing where nothing moved around it, and else with the next picture that needs no other', () => {
    const pts = Float64Array.from({ length: 100 }, (_, i) => i).filter((i) => i !== 31)
    const unread = (still: boolean, madeUp: number[] = []) =>
      damageOf(
        'x',
        about,
        { probe: about, pts, ends: 10 },
        { ...heard(31), madeUp, keys: [0, 90], sampled: [28, 33, 36].map((ordinal) => ({ ordinal, still })) },
      ).unread
    expect(unread(false)).toEqual([{ from: 3.1, to: 9.1 }])
    expect(unread(true)).toEqual([{ from: 3.1, to: 3.2 }])
    // Frame 31 by ordinal is the one after the gap.
    expect(unread(true, [31])).toEqual([{ from: 3.1, to: 3.3 }])
  })

  it('tells a file that ends too early by its frames where they are counted', () => {
    const cut = { probe: about, pts: Float64Array.from({ length: 40 }, (_, i) => i), ends: 4 }
    expect(damageOf('x', { ...about, frameCount: 100 }, cut, heard(40)).problem?.values).toEqual({ read: 40, total: 100 })
    expect(damageOf('x', about, cut, heard(40)).problem?.values).toEqual({ read: 3.9, total: 10 })
    // What comes after its last picture is unread as a gap is.
    expect(damageOf('x', about, cut, heard(40)).unread).toEqual([{ from: 4, to: 10 }])
    // The container's count includes hidden pictures.
    expect(damageOf('x', { ...about, container: 'mov,mp4', frameCount: 100, duration: 4 }, cut, heard(0)).problem).toBeNull()
  })
})

describe.skipIf(process.platform === 'win32')('a tool that the system kills', { meta: { needs: 'a Unix system' } }, () => {
  const file = made('healthy.mp4', ...moving(3), ...x264)

  /** A wrapper of a tool that is killed the first `times` times that it gets the file. */
  function killed(tool: string, times: number, how = 'kill -9 $$'): string {
    const wrapper = path.join(folder, `${path.basename(tool)}-${times}-${statSync(folder).mtimeMs}`)
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase "$*" in *healthy.mp4*) n=$(cat "$0.n" 2>/dev/null || echo 0); if [ $n -lt ${times} ]; then echo $((n + 1)) > "$0.n"; ${how}; fi;; esac\nexec ${tool} "$@"\n`,
    )
    chmodSync(wrapper, 0o755)
    return wrapper
  }

  it('is tried again', async () => {
    const { ffprobe } = tools
    if (ffprobe === null) throw new Error('the tests need ffprobe')
    expect(await probe({ ...tools, ffprobe: killed(ffprobe, 1) }, file)).toMatchObject({ frameCount: 75 })
    expect((await runTool(killed(tools.ffmpeg, 2, 'exit 137'), ['-v', 'error', '-i', file, '-f', 'null', '-'])).code).toBe(0)
  })

  it('is told as such in the end, and never as a fault of the file', async () => {
    const { ffprobe } = tools
    if (ffprobe === null) throw new Error('the tests need ffprobe')
    await expect(probe({ ...tools, ffprobe: killed(ffprobe, 99) }, file)).rejects.toMatchObject({
      problem: { code: 'tool-killed', values: { signal: 'SIGKILL' } },
    })
    const found = await probe(tools, file)
    const pass = (async () => {
      for await (const event of sample({ ...tools, ffmpeg: killed(tools.ffmpeg, 99) }, file, found, []))
        if (event.type === 'done') return event.damaged
    })()
    await expect(pass).rejects.toMatchObject({ problem: { code: 'tool-killed' } })
  })
})
