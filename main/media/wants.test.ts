/** Several packs in one decode pass: each gets its own frames, at its own size, rate and fit, with the times of the file. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import type { PictureInput } from '../../app/pack/base.ts'
import { clipPath, decodedPts, freely } from './clips.testing.ts'
import { probe } from './probe.ts'
import type { Want } from './decode-plan.ts'
import { sample, type SampledClip, type SampleEvent } from './sample.ts'
import { findMediaTools, keepFrames } from './tools.ts'

const tools = await findMediaTools()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-wants-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A video that ffmpeg makes from a lavfi source, losslessly coded. */
function made(name: string, source: string): string {
  const file = path.join(folder, name)
  execFileSync(tools.ffmpeg, [
    '-v',
    'error',
    '-nostdin',
    '-y',
    '-f',
    'lavfi',
    '-i',
    `${source},format=yuv420p`,
    '-c:v',
    'libx264',
    '-qp',
    '1',
    file,
  ])
  return file
}

/** An encoder whose tubes are whole frames. */
function encoder(
  key: string,
  {
    frames,
    width,
    height,
    fit,
    maxClipSeconds = 8,
  }: { frames: number; width: number; height: number; fit: 'stretch' | 'crop'; maxClipSeconds?: number },
): Want {
  return {
    key,
    kind: 'tubes',
    input: {
      frames,
      width,
      height,
      fit,
      maxClipSeconds,
      tubes: [{ name: 'frame', kernel: [1, height, width], stride: [1, height, width], offset: [0, 0, 0], depth: [1, 1, 1] }],
    },
  }
}
function looker(key: string, rate: number, input: Partial<PictureInput> = {}): Want {
  return { key, kind: 'pictures', input: { width: 64, height: 64, fit: 'letterbox', ...input }, rate }
}

type Shown = Extract<SampleEvent, { type: 'picture' }>

/** Samples a file and collects the events in order. */
async function sampleAll(file: string, wants: readonly Want[]) {
  const found = await probe(tools, file)
  const order: (Shown | { type: 'clip'; clip: SampledClip })[] = []
  let pts: number[] | null = null
  for await (const event of sample(tools, file, found, wants)) {
    if (event.type === 'clip' || event.type === 'picture') order.push(event)
    if (event.type === 'done') pts = [...event.pts]
  }
  if (pts === null) throw new Error('sampling ended without its last event')
  const clips = order.flatMap((event) => (event.type === 'clip' ? [event.clip] : []))
  const shown = (key: string) => order.flatMap((event) => (event.type === 'picture' && event.key === key ? [event] : []))
  return { probe: found, order, clips, shown, pts }
}

it('gives off what has come of a long first clip before that is whole, once for each while', async () => {
  const file = made('long.mp4', 'testsrc2=s=320x180:r=10:d=20')
  const [beginnings, shown, clips]: [SampledClip[], number[], SampledClip[]] = [[], [], []]
  for await (const event of sample(tools, file, await probe(tools, file), [
    looker('slow', 0.5),
    looker('fast', 4),
    encoder('words', { frames: 8, width: 32, height: 32, fit: 'stretch' }),
  ])) {
    if (event.type === 'picture' && event.key === 'fast' && clips.length === 0) shown.push(event.frame.ordinal)
    if (event.type === 'clip') clips.push(event.clip)
    if (event.type !== 'beginning') continue
    expect(clips).toEqual([])
    beginnings.push(event.clip)
    // Its pictures have come, though those of the slow one have not.
    expect(Math.max(...shown)).toBeGreaterThan(event.clip.endFrame - 5)
  }
  const ends = beginnings.map(({ endFrame }) => endFrame)
  expect(ends.length).toBeGreaterThan(0)
  expect(ends.every((end) => [10, 20, 40, 80].includes(end))).toBe(true)
  expect(ends).toEqual([...new Set(ends)].sort((a, b) => a - b))
  for (const { startFrame, startPts, kind, index, inputs, thumbnail } of beginnings)
    expect({ startFrame, startPts, kind, index, inputs, jpeg: thumbnail[0] }).toEqual({
      startFrame: 0,
      startPts: clips[0]?.startPts,
      kind: 'beginning',
      index: 0,
      inputs: [],
      jpeg: 0xff,
    })
  // The emitted beginning has not taken the picture away from the clip.
  expect(clips.map(({ index, startFrame, thumbnail }) => [index, startFrame, thumbnail[0]])[0]).toEqual([0, 0, 0xff])
})

/** One frame as ffmpeg gives it when it is found by counting, and scaled in one step. */
async function frameOf(file: string, { videoStream }: Probe, { ordinal }: FrameRef, filters: string): Promise<Buffer> {
  const args = [
    '-v',
    'error',
    '-i',
    file,
    '-map',
    `0:${videoStream}`,
    '-vf',
    `select=eq(n\\,${ordinal}),${filters},format=rgb24`,
    ...keepFrames(tools),
    '-frames:v',
    '1',
    '-f',
    'rawvideo',
    '-',
  ]
  return (await freely(tools.ffmpeg, args)).stdout
}

/** Mean absolute difference, 0..255. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length : Infinity
}

/** Pictures ascend, none comes after the clip that it lies in, and no two are nearer than the rate allows. */
function expectInOrder({ order, probe: found, pts }: Awaited<ReturnType<typeof sampleAll>>, key: string, rate: number): void {
  let [last, told] = [-1, 0]
  const cells = new Set<number>()
  for (const event of order) {
    if (event.type === 'clip') {
      told = event.clip.endFrame
      continue
    }
    if (event.key !== key) continue
    const { ordinal, pts: ticks } = event.frame
    expect(ordinal).toBeGreaterThan(last)
    expect(ordinal).toBeGreaterThanOrEqual(told)
    expect(ticks).toBe(pts[ordinal])
    const cell = Math.floor((secondsOf(ticks, found) - secondsOf(pts[0] ?? 0, found)) * rate + 0.001)
    expect(cells.has(cell)).toBe(false)
    cells.add(cell)
    last = ordinal
  }
}

it('gives the picture that stands after quick ones, which a grid would pass over', async () => {
  const file = path.join(folder, 'slides.mkv')
  // Every three seconds three pictures, 40 ms apart: the third stands, but for the last.
  const source = `testsrc2=s=160x90:r=10:d=1.2,settb=1/1000,setpts='(floor(N/3)*3+mod(N,3)*0.04)/TB',format=yuv420p`
  execFileSync(tools.ffmpeg, [
    '-v',
    'error',
    '-nostdin',
    '-f',
    'lavfi',
    '-i',
    source,
    ...keepFrames(tools),
    '-c:v',
    'libx264',
    '-bf',
    '2',
    file,
  ])
  const sampled = await sampleAll(file, [looker('looks', 4)])
  expect(sampled.pts).toHaveLength(12)
  const shown = sampled.shown('looks').map(({ frame }) => frame.ordinal)
  expect(shown).toEqual([0, 2, 3, 5, 6, 8, 9])
  const [, third] = sampled.shown('looks')
  const rgb = third?.picture?.rgb ?? new Uint8Array()
  expect(difference(rgb, await frameOf(file, sampled.probe, third?.frame ?? expect.fail(), 'scale=64:36:flags=area'))).toBeLessThan(1)
})

it('gives the first frame of every cell of a rate, scaled to fit, and of clips none without its pictures', async () => {
  const file = made('moving.mp4', 'testsrc2=s=320x180:r=10:d=20')
  const sampled = await sampleAll(file, [looker('slow', 1), looker('fast', 4, { width: 100, height: 30 })])
  expect(sampled.shown('slow').map(({ frame }) => frame.ordinal)).toEqual(Array.from({ length: 20 }, (_, second) => second * 10))
  expect(
    sampled
      .shown('fast')
      .map(({ frame }) => frame.ordinal)
      .slice(0, 5),
  ).toEqual([0, 3, 5, 8, 10])
  expect(sampled.shown('fast')).toHaveLength(80)
  for (const [key, rate, width, height] of [
    ['slow', 1, 64, 36],
    ['fast', 4, 53, 30],
  ] as const) {
    expectInOrder(sampled, key, rate)
    for (const { picture } of sampled.shown(key)) {
      expect(picture).toMatchObject({ width, height })
      expect(picture?.rgb).toHaveLength(width * height * 3)
    }
  }
  const [at] = sampled.shown('slow').slice(7)
  expect(
    difference(
      at?.picture?.rgb ?? new Uint8Array(),
      await frameOf(file, sampled.probe, at?.frame ?? expect.fail(), 'scale=64:36:flags=area'),
    ),
  ).toBeLessThan(1)
  // Without an encoder clips still tile the file.
  expect(sampled.clips.map(({ inputs }) => inputs.length)).toEqual(sampled.clips.map(() => 0))
  expect(sampled.clips.at(-1)?.endFrame).toBe(200)
  expect(
    sampled.clips.every(
      ({ frames, startFrame, endFrame }) => frames.length > 0 && frames.every(({ ordinal }) => ordinal >= startFrame && ordinal < endFrame),
    ),
  ).toBe(true)
})

it('never gives more frames than the file has, nor makes a small picture twice', async () => {
  const sampled = await sampleAll(made('slides.mp4', 'testsrc2=s=320x180:r=1/2:d=12'), [looker('eyes', 4)])
  expect(sampled.shown('eyes').map(({ frame }) => frame.ordinal)).toEqual([0, 1, 2, 3, 4, 5])
})

it('tells of a frame that looks as the one that was given last, and gives no picture of it', async () => {
  const still = await sampleAll(made('still.mp4', 'smptebars=s=320x180:r=10:d=20'), [looker('eyes', 2)])
  expect(still.shown('eyes').map(({ picture }) => picture !== null)).toEqual(Array.from({ length: 40 }, (_, at) => at === 0))
  expectInOrder(still, 'eyes', 2)
  // Something small comes and goes.
  const box = "color=gray:s=320x180:r=10:d=9,drawbox=x=100:y=60:w=40:h=40:color=red:t=fill:enable='between(t,2.95,5.95)'"
  const changing = await sampleAll(made('box.mp4', box), [
    looker('eyes', 2, { width: 160, height: 160 }),
    looker('reader', 1, { width: 320, height: 320 }),
  ])
  const given = (key: string) => changing.shown(key).flatMap(({ frame, picture }) => (picture === null ? [] : [frame.ordinal]))
  expect([given('eyes'), given('reader')]).toEqual([
    [0, 30, 60],
    [0, 30, 60],
  ])
  // A slow fade, invisible between neighbours, is noticed because each frame is compared with the last given picture.
  const fade = await sampleAll(
    made('fade.mp4', "testsrc=s=320x180:r=10:d=10,select='eq(n,0)',loop=loop=99:size=1,setpts=N/10/TB,fade=t=out:st=1:d=8"),
    [looker('eyes', 4)],
  )
  expect(fade.shown('eyes').filter(({ picture }) => picture !== null).length).toBeGreaterThan(3)
})

it('gives each encoder its own frames, beside those who look at pictures, in whatever order they are wanted', async () => {
  const file = made('two.mp4', 'testsrc2=s=320x180:r=10:d=6')
  const [wide, square] = [
    { frames: 16, width: 48, height: 32, fit: 'stretch' as const },
    { frames: 5, width: 40, height: 40, fit: 'crop' as const },
  ]
  const {
    clips,
    shown,
    probe: found,
  } = await sampleAll(file, [
    looker('eyes', 2),
    encoder('wide', wide),
    looker('reader', 1, { width: 128, height: 128 }),
    encoder('square', square),
  ])
  expect(clips).toHaveLength(1)
  expect(clips[0]?.inputs.map(({ key }) => key)).toEqual(['wide', 'square'])
  for (const [key, { frames: count, width, height }, filters] of [
    ['wide', wide, 'scale=48:32:flags=area'],
    ['square', square, 'scale=40:40:force_original_aspect_ratio=increase:flags=area,crop=40:40'],
  ] as const) {
    const seen = clips[0]?.inputs.find((one) => one.key === key) ?? expect.fail()
    expect(seen.frames).toHaveLength(count)
    expect(seen.tubes.map(({ length }) => length)).toEqual([count * width * height * 3])
    for (const at of [0, count - 1]) {
      const picture = seen.tubes[0]?.subarray(at * width * height * 3, (at + 1) * width * height * 3) ?? new Uint8Array()
      const frame = seen.frames[at] ?? expect.fail()
      const own = difference(picture, await frameOf(file, found, frame, filters))
      expect(own).toBeLessThan(6)
      expect(own).toBeLessThan(
        difference(
          picture,
          await frameOf(file, found, { ...frame, ordinal: frame.ordinal + 8 > 59 ? frame.ordinal - 8 : frame.ordinal + 8 }, filters),
        ) / 2,
      )
    }
  }
  expect([shown('eyes').length, shown('reader').length]).toEqual([12, 6])
  expect(shown('reader')[2]?.picture).toMatchObject({ width: 128, height: 72 })
  expect(shown('reader')[2]?.frame.ordinal).toBe(20)
})

it('makes clips as long as the encoder that wants the shortest ones can take', async () => {
  const wants = [
    encoder('long', { frames: 8, width: 32, height: 32, fit: 'stretch' }),
    encoder('short', { frames: 8, width: 32, height: 32, fit: 'stretch', maxClipSeconds: 2 }),
  ]
  const { clips } = await sampleAll(made('long.mp4', 'testsrc2=s=64x48:r=10:d=9'), wants)
  expect(Math.max(...clips.map(({ start, end }) => end - start))).toBeLessThanOrEqual(2.1)
  for (const { inputs, startFrame, endFrame } of clips)
    for (const { frames } of inputs) expect(frames.every(({ ordinal }) => ordinal >= startFrame && ordinal < endFrame)).toBe(true)
})

it('says of each clip whether a shot begins with it', async () => {
  const parts = ['testsrc2=s=160x90:r=10:d=20', 'smptebars=s=160x90:r=10:d=5', 'testsrc=s=160x90:r=10:d=18'].map((source, i) =>
    made(`shot ${i}.mp4`, source),
  )
  const file = path.join(folder, 'shots.mp4')
  execFileSync(tools.ffmpeg, [
    '-v',
    'error',
    '-y',
    ...parts.flatMap((part) => ['-i', part]),
    '-filter_complex',
    `${parts.map((_, i) => `[${i}:v]`).join('')}concat=n=3[v]`,
    '-map',
    '[v]',
    '-c:v',
    'libx264',
    '-qp',
    '1',
    file,
  ])
  const { clips } = await sampleAll(file, [looker('eyes', 1)])
  expect(clips.length).toBeGreaterThan(5)
  expect(clips.filter(({ cut }) => cut).map(({ start }) => start)).toEqual([0, 20, 25])
})

it('waits for a consumer that is slow with its pictures', async () => {
  const file = made('noise.mp4', 'testsrc2=s=160x90:r=10:d=60')
  const found = await probe(tools, file)
  let [progress, pictures] = [0, 0]
  for await (const event of sample(tools, file, found, [looker('eyes', 4, { width: 640, height: 640 })])) {
    if (event.type === 'progress') progress = event.seconds
    if (event.type !== 'picture') continue
    pictures += 1
    if (pictures < 12) continue
    await new Promise((resolve) => setTimeout(resolve, 3000))
    if (pictures === 13) break
  }
  expect(progress).toBeLessThan(30)
})

describe('on real files', () => {
  it.each([
    ['d03_bottles.mp4', 4],
    ['d11_room_dog_rot180_vfr.mp4', 2],
    ['t05_portrait.mp4', 4],
    ['d13_toy_robot_wmv2.wmv', 1],
    ['t03_belt.gif', 4],
    ['t02_rotated.mp4', 4],
    ['f03_hevc_10bit.mkv', 2],
    ['f06_tiny_64x48.mp4', 4],
  ])('the pictures of %s are whole frames in their proportions, at the times that ffprobe says', async (name, rate) => {
    const file = clipPath(name)
    const sampled = await sampleAll(file, [looker('eyes', rate, { width: 320, height: 320 })])
    expect(sampled.pts).toEqual(await decodedPts(tools, file))
    expectInOrder(sampled, 'eyes', rate)
    const shown = sampled.shown('eyes')
    expect(shown[0]?.frame.ordinal).toBe(0)
    const { width, height } = sampled.probe
    const given = shown.filter(({ picture }) => picture !== null)
    for (const { picture } of given) {
      expect(Math.max(picture?.width ?? 0, picture?.height ?? 0)).toBe(320)
      expect(Math.abs((picture?.width ?? 0) / (picture?.height ?? 1) / (width / height) - 1)).toBeLessThan(0.02)
    }
    const last = given.at(-1) ?? expect.fail()
    const [w, h] = [last.picture?.width ?? 0, last.picture?.height ?? 0]
    expect(
      difference(
        last.picture?.rgb ?? new Uint8Array(),
        await frameOf(file, sampled.probe, last.frame, `scale=${w}:${h}:flags=${w < width ? 'area' : 'bilinear'}`),
      ),
    ).toBeLessThan(2)
  })

  it('the cuts of a real file begin clips, and the windows of one long shot do not', async () => {
    const { clips } = await sampleAll(clipPath('d15_roadtrip_vp9_10bit.webm'), [])
    expect(clips.filter(({ cut }) => cut)).toHaveLength(3)
    const { clips: windows } = await sampleAll(clipPath('d03_bottles.mp4'), [])
    expect(windows.length).toBeGreaterThan(1)
    expect(windows.map(({ cut }) => cut)).toEqual(windows.map((_, i) => i === 0))
  })
})
