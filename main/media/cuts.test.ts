import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyCut, encodeCut, encodeReel, reelSize } from './cuts.ts'
import { filmed, HEIGHT, numberOn, painted, uneven, WIDTH, x264 } from './painted.testing.ts'
import type { FilmedVideo } from './stills.ts'
import { findMediaTools, keepFrames } from './tools.ts'

const tools = await findMediaTools()
let directory = ''
let even: FilmedVideo
let odd: FilmedVideo
const inFolder = (name: string) => path.join(directory, name)
beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-cuts-'))
  const sound = ['-f', 'lavfi', '-i', 'sine=d=8', '-map', '0:v', '-map', '1:a', '-c:a', 'pcm_s16le']
  even = await filmed(tools, painted(tools, inFolder('even.mov'), 200, ...sound, ...x264))
  odd = await filmed(tools, painted(tools, inFolder('odd.mkv'), 260, ...uneven, ...x264))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The numbers on all frames of a file, and their times in seconds. */
function numbersIn(file: string, width = WIDTH, height = HEIGHT): number[] {
  const args = ['-v', 'error', '-i', file, '-map', '0:v:0', ...keepFrames(tools), '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']
  const raw = execFileSync(tools.ffmpeg, args)
  const bytes = width * height * 3
  return Array.from({ length: raw.length / bytes }, (_, i) => numberOn({ width, height, data: raw.subarray(i * bytes, (i + 1) * bytes) }))
}

function shown(file: string, ...entries: string[]): string {
  return execFileSync(tools.ffprobe ?? 'ffprobe', ['-v', 'error', '-of', 'default=nw=1', ...entries, file]).toString()
}

/** The ordinals of its key frames, as ffprobe tells them. */
function keysOf({ file }: FilmedVideo): number[] {
  const frames = shown(file, '-select_streams', 'v', '-show_entries', 'frame=key_frame').match(/key_frame=\d/g) ?? []
  return frames.flatMap((frame, ordinal) => (frame.endsWith('1') ? [ordinal] : []))
}

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('a cut without loss begins at the key frame before, ends where it says, and keeps the sound', async () => {
  for (const [video, stem, span] of [
    [even, 'copied', { startFrame: 75, endFrame: 100 }],
    [odd, 'odd copied', { startFrame: 130, endFrame: 190 }],
    [odd, 'odd from its beginning', { startFrame: 0, endFrame: 20 }],
  ] as const) {
    const { file, real, missing, without } = await copyCut(tools, video, span, inFolder(stem))
    expect(real.startFrame).toBe(keysOf(video).findLast((key) => key <= span.startFrame))
    expect(real.endFrame).toBeGreaterThanOrEqual(span.endFrame)
    expect(real.endFrame).toBeLessThan(span.endFrame + 6)
    const numbers = numbersIn(file)
    // The last few may lack one that comes later in the file than others that are shown after it.
    expect(numbers).toEqual(upTo(real.startFrame, real.endFrame).filter((one) => !missing.includes(one)))
    expect(numbers.slice(0, span.endFrame - real.startFrame)).toEqual(upTo(real.startFrame, span.endFrame))
    expect(without).toEqual([])
    expect(shown(file, '-show_entries', 'stream=codec_type')).toBe(
      video === even ? 'codec_type=video\ncodec_type=audio\n' : 'codec_type=video\n',
    )
  }
})

test('a copy that ends among frames that are shown in another order than they lie in the file says which it has', async () => {
  const reordered = [...x264, '-x264-params', 'b-adapt=0:scenecut=0']
  const video = await filmed(tools, painted(tools, inFolder('reordered.mp4'), 60, ...reordered))
  const told = await Promise.all(
    upTo(37, 41).map(async (endFrame) => {
      const { file, real, missing } = await copyCut(tools, video, { startFrame: 30, endFrame }, inFolder(`ends ${endFrame}`))
      expect(numbersIn(file)).toEqual(upTo(real.startFrame, real.endFrame).filter((one) => !missing.includes(one)))
      return missing.length
    }),
  )
  expect(Math.max(...told), 'no copy of these lacks a frame, so nothing is shown').toBeGreaterThan(0)
})

test('a copy is refused for the true reason', async () => {
  const edited = inFolder('edited.mp4')
  // From between two key frames: an edit list hides what is before.
  execFileSync(tools.ffmpeg, ['-v', 'error', '-ss', '1', '-i', even.file, '-map', '0:v', '-c', 'copy', edited])
  await expect(copyCut(tools, await filmed(tools, edited), { startFrame: 0, endFrame: 10 }, inFolder('edited cut'))).rejects.toThrow(
    'the key frame before it is none of the frames that the file shows',
  )
})

test('a part that cannot be written leaves no file', async () => {
  const gone = { ...even, file: inFolder('gone.mov') }
  const before = readdirSync(directory)
  await expect(encodeCut(tools, gone, { startFrame: 0, endFrame: 10 }, inFolder('never.mp4'))).rejects.toThrow()
  await expect(copyCut(tools, gone, { startFrame: 0, endFrame: 10 }, inFolder('never'))).rejects.toThrow()
  expect(readdirSync(directory)).toEqual(before)
})

test('an exact cut has these frames and no others, at their own times', async () => {
  for (const [video, name, startFrame, endFrame] of [
    [even, 'exact.mp4', 75, 100],
    [odd, 'odd exact.mp4', 190, 210],
  ] as const) {
    const out = inFolder(name)
    expect(await encodeCut(tools, video, { startFrame, endFrame }, out)).toBe(endFrame - startFrame)
    expect(numbersIn(out)).toEqual(upTo(startFrame, endFrame))
    const times = [...shown(out, '-select_streams', 'v', '-show_entries', 'frame=pts_time').matchAll(/pts_time=(.+)/g)].map(([, time]) =>
      Number(time),
    )
    const { pts, probe } = video
    const seconds = (ordinal: number) => (((pts[ordinal] ?? 0) - (pts[startFrame] ?? 0)) * probe.timeBase.num) / probe.timeBase.den
    times.forEach((time, i) => expect(time).toBeCloseTo(seconds(startFrame + i), 3))
  }
})

test('a reel has its parts in order, in one size, with sound and a chapter for each; what cannot be read is left out', async () => {
  const missing = { ...even, file: inFolder('gone.mov') }
  const replaced = { code: 'file-replaced', message: 'Another video lies there.' } as const
  const parts = [
    { video: odd, absent: null, span: { startFrame: 61, endFrame: 80 }, title: 'a=b;#[CHAPTER]\n"x"' },
    { video: missing, absent: null, span: { startFrame: 0, endFrame: 10 }, title: 'gone' },
    { video: even, absent: null, span: { startFrame: 10, endFrame: 30 }, title: 'even' },
    { video: even, absent: replaced, span: { startFrame: 0, endFrame: 10 }, title: 'another video lies there' },
  ]
  const problems: (string | null)[] = []
  const out = inFolder('reel.mp4')
  await encodeReel(tools, parts, directory, out, (_, problem) => problems.push(problem?.problem.code ?? null))
  expect(problems).toEqual([null, 'ffmpeg-failed', null, 'file-replaced'])
  expect(numbersIn(out)).toEqual([...upTo(61, 80), ...upTo(10, 30)])
  expect(shown(out, '-show_entries', 'stream=codec_type')).toContain('audio')
  const chapters = shown(out, '-show_chapters', '-show_entries', 'chapter=start_time:chapter_tags=title')
  expect([...chapters.matchAll(/title=(.*)/g)].map(([, title]) => title)).toEqual(['a=b;#[CHAPTER] "x"', 'even'])
})

test('a reel takes the size that all have, else one that suits them', () => {
  const wide = { width: 1920, height: 1080 }
  expect(reelSize([wide, wide])).toEqual(wide)
  expect(reelSize([{ width: 3840, height: 2160 }])).toEqual(wide)
  expect(reelSize([wide, { width: 720, height: 1280 }])).toEqual({ width: 1280, height: 720 })
  expect(
    reelSize([
      { width: 400, height: 1280 },
      { width: 720, height: 1280 },
    ]),
  ).toEqual({ width: 720, height: 1280 })
})
