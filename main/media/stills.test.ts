import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clipPath } from './clips.testing.ts'
import { filmed, HEIGHT, numberOn, painted, twins, uneven, WIDTH, x264 } from './painted.testing.ts'
import { eachStill, type FilmedVideo, type Still } from './stills.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
let directory = ''
beforeAll(() => void (directory = mkdtempSync(path.join(os.tmpdir(), 'tubelet-stills-'))))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const film = (name: string, frames: number, ...args: string[]) => painted(tools, path.join(directory, name), frames, ...args)

async function stillsOf(video: FilmedVideo, ordinals: readonly number[]): Promise<{ stills: Still[]; missing: number[] }> {
  const stills: Still[] = []
  const missing = await eachStill(tools, video, ordinals, { as: 'rgb' }, (still) => void stills.push(still))
  return { stills, missing }
}

test.each([
  ['even.mp4', [...x264]],
  ['uneven.mkv', [...uneven, ...x264]],
  ['uneven.mp4', [...uneven, ...x264, '-video_track_timescale', '90000']],
  ['twins.mkv', [...twins, ...x264]],
  ['stream.ts', [...x264]],
  ['old.avi', ['-c:v', 'mpeg4', '-bf', '2', '-q:v', '3', '-pix_fmt', 'yuv420p']],
])('the picture of frame n of %s is frame n', async (name, args) => {
  const video = await filmed(tools, film(name, 320, ...args))
  expect(video.pts.length).toBe(320)
  const wanted = [319, 0, 1, 2, 61, 60, 59, 119, 150, 151, 199, 200, 201, 290]
  const { stills, missing } = await stillsOf(video, wanted)
  expect(missing).toEqual([])
  expect(stills.map(({ ordinal }) => ordinal)).toEqual(wanted.toSorted((a, b) => a - b))
  expect(stills.map(numberOn)).toEqual(wanted.toSorted((a, b) => a - b))
})

test('every n-th frame of a long video, in one go', async () => {
  const video = await filmed(tools, film('long.avi', 1000, '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'))
  const wanted = Array.from({ length: 500 }, (_, i) => 2 * i)
  const { stills } = await stillsOf(video, wanted)
  expect(stills.map(numberOn)).toEqual(wanted)
})

test('pictures are upright, and their pixels are square', async () => {
  const wide = await filmed(tools, film('wide.mp4', 30, '-vf', 'setsar=2', ...x264))
  const [still] = (await stillsOf(wide, [21])).stills
  expect(still).toMatchObject({ width: 2 * WIDTH, height: HEIGHT })
  expect(still && numberOn(still)).toBe(21)
  const turned = await filmed(tools, clipPath('t02_rotated.mp4'))
  const upright = await filmed(tools, clipPath('t05_portrait.mp4'))
  const [[a], [b]] = [(await stillsOf(turned, [40])).stills, (await stillsOf(upright, [40])).stills]
  expect([a?.width, a?.height]).toEqual([turned.probe.width, turned.probe.height])
  const difference = a && b ? a.data.reduce((sum, value, i) => sum + Math.abs(value - (b.data[i] ?? 0)), 0) / a.data.length : Infinity
  expect(difference).toBeLessThan(a && b && a.width === b.width ? 8 : Infinity)
})

test('frames that a damaged file does not give are named, and a table that does not fit gives no wrong picture', async () => {
  const video = await filmed(tools, clipPath('b02_truncated.mp4'))
  const all = Array.from({ length: 12 }, (_, i) => video.pts.length - 9 + i)
  const { stills, missing } = await stillsOf(video, all)
  expect([...stills.map(({ ordinal }) => ordinal), ...missing].sort((a, b) => a - b)).toEqual(all)
  expect(missing).toEqual(expect.arrayContaining(all.slice(-3)))
  const even = await filmed(tools, film('other.mp4', 300, ...x264))
  // As if a frame had been cut out since.
  const shifted = { ...even, pts: Array.from(even.pts).map((ticks) => ticks + 7) }
  expect(await stillsOf(shifted, [5, 280])).toEqual({ stills: [], missing: [5, 280] })
})
