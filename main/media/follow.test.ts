import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { iou } from '../../app/boxes.ts'
import { interpolate } from '../../app/tracks.ts'
import { killNextThread } from '../threads.testing.ts'
import { decodedPts, freely } from './clips.testing.ts'
import { followBox, type FollowStart } from './follow.ts'
import { probe } from './probe.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = await mkdtemp(path.join(os.tmpdir(), 'tubelet-follow-'))
afterAll(() => rm(folder, { recursive: true }))
const { signal } = new AbortController()

const RATE = 25
const SIDE = 64
/** Six seconds of a part of a fractal that swings to the right over a test picture. In the first file it leaves, in the second another shot follows. */
const left = (frame: number) => 10 + 2 * frame
const top = (frame: number) => 80 + 30 * Math.sin(frame / 12)
const truth = (frame: number) => ({ x1: left(frame), y1: top(frame), x2: left(frame) + SIDE, y2: top(frame) + SIDE })

async function made(name: string, after: string): Promise<Omit<FollowStart, 'from' | 'box' | 'help'>> {
  const file = path.join(folder, name)
  const graph = [
    `testsrc=size=320x240:rate=${RATE}:duration=6[ground]`,
    // One frame of the fractal all the time, so that its appearance does not change.
    `mandelbrot=size=${SIDE}x${SIDE}:rate=${RATE}:start_scale=0.3,trim=end_frame=1,loop=loop=149:size=1,setpts=N/${RATE}/TB[thing]`,
    `[ground][thing]overlay=x=10+2*n:y=80+30*sin(n/12):shortest=1${after}[out]`,
  ]
  await freely(tools.ffmpeg, [
    '-v',
    'error',
    '-filter_complex',
    graph.join(';'),
    '-map',
    '[out]',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '50',
    '-pix_fmt',
    'yuv420p',
    '-y',
    file,
  ])
  return { file, probe: await probe(tools, file), pts: Float64Array.from(await decodedPts(tools, file)) }
}

let leaving: Awaited<ReturnType<typeof made>>
let cutting: Awaited<ReturnType<typeof made>>
beforeAll(async () => {
  leaving = await made('leaving.mp4', '')
  cutting = await made(
    'cutting.mp4',
    `,trim=end_frame=90[first];smptebars=size=320x240:rate=${RATE}:duration=2[second];[first][second]concat`,
  )
})

it('follows from a frame in the middle, on every frame, until the object leaves, and says where', async () => {
  for (const from of [0, 88]) {
    const { boxes, lost, end } = await followBox(tools, { ...leaving, from, box: truth(from), help: [] }, signal)
    expect(boxes[0]).toEqual({ ordinal: from, pts: leaving.pts[from], box: truth(from), score: null })
    // From frame 123 on it is cut off, half of it at 139.
    for (let frame = from; frame < 120; frame++)
      expect(iou(interpolate({ boxes }, leaving.pts[frame] ?? 0) ?? truth(0), truth(frame)), `frame ${frame}`).toBeGreaterThan(0.6)
    expect(boxes.every(({ ordinal, pts }) => leaving.pts[ordinal] === pts)).toBe(true)
    expect(boxes.length).toBeLessThan((lost?.ordinal ?? 0) - from)
    expect(end).toBe('lost')
    expect(lost?.ordinal).toBeGreaterThan(125)
    expect(lost).toEqual({ ordinal: lost?.ordinal, pts: leaving.pts[lost?.ordinal ?? 0] })
  }
})

it('ends where a new shot begins', async () => {
  const { boxes, lost, end } = await followBox(tools, { ...cutting, from: 60, box: truth(60), help: [] }, signal)
  expect({ end, lost, last: boxes.at(-1)?.ordinal }).toEqual({ end: 'cut', lost: null, last: 89 })
})

it('says so when its thread dies, and follows again', async () => {
  const start = { ...cutting, from: 80, box: truth(80), help: [] }
  killNextThread()
  await expect(followBox(tools, start, signal)).rejects.toMatchObject({ problem: { message: 'Following the box stopped unexpectedly.' } })
  expect(await followBox(tools, start, signal)).toMatchObject({ end: 'cut' })
})

it('stops when nobody waits for it any more, and says what is wrong with a file', async () => {
  const gone = new AbortController()
  const following = followBox(tools, { ...leaving, from: 0, box: truth(0), help: [] }, gone.signal)
  gone.abort(new Error('gone'))
  await expect(following).rejects.toThrow('gone')
  await expect(
    followBox(tools, { ...leaving, file: path.join(folder, 'none.mp4'), from: 0, box: truth(0), help: [] }, signal),
  ).rejects.toMatchObject({ problem: { code: 'file-missing' } })
  await expect(
    followBox(tools, { ...leaving, pts: leaving.pts.map((time) => time + 7), from: 3, box: truth(3), help: [] }, signal),
  ).rejects.toMatchObject({ problem: { code: 'no-frames' } })
})
