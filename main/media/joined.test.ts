/** Recordings whose pictures or clock change midway, or that begin in the middle: joined files, video calls, cut streams. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Probe, secondsOf } from '../../app/media.ts'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { decodedPts } from './clips.testing.ts'
import { makeProxy, playbackOf } from './playback.ts'
import { probe } from './probe.ts'
import { sample, type SampledClip, type SampleEvent } from './sample.ts'
import { sampleFrames } from './span.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-joined-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Each tube is a whole frame, so a clip's tubes are its frames. */
const input: MammutManifest['input'] = {
  frames: 4,
  width: 48,
  height: 32,
  fit: 'stretch',
  maxClipSeconds: 8,
  tubes: [{ name: 'frame', kernel: [1, 32, 48], stride: [1, 32, 48], offset: [0, 0, 0], depth: [1, 1, 1] }],
}

/** A file that ffmpeg makes. */
function made(name: string, ...args: string[]): string {
  const file = path.join(folder, name)
  execFileSync(tools.ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, file])
  return file
}

const picture = (source: string) => ['-f', 'lavfi', '-i', `${source},format=yuv420p`]

/** Files joined byte by byte, as recorders and `cat` join transport streams; of the last one from byte `skip` on. */
function joined(name: string, files: readonly string[], skip = 0): string {
  const file = path.join(folder, name)
  writeFileSync(file, Buffer.concat(files.map((one, at) => readFileSync(one).subarray(at === files.length - 1 ? skip : 0))))
  return file
}

/** One file after the other in one WebM, as a video call is recorded whose picture grows with the bandwidth. */
function videoCall(): string {
  const [small, big] = [
    made('small.webm', ...picture('testsrc=s=64x48:r=10:d=1'), '-c:v', 'libvpx'),
    made('big.webm', ...picture('testsrc2=s=128x96:r=10:d=1'), '-c:v', 'libvpx'),
  ]
  const list = path.join(folder, 'call.txt')
  writeFileSync(list, [small, big, small].map((file) => `file '${file}'\n`).join(''))
  return made('call.webm', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy')
}

async function sampleAll(file: string) {
  const found = await probe(tools, file)
  const clips: SampledClip[] = []
  let done: Extract<SampleEvent, { type: 'done' }> | null = null
  for await (const event of sample(tools, file, found, [{ key: 'a', kind: 'tubes', input }])) {
    if (event.type === 'clip') clips.push(event.clip)
    if (event.type === 'done') done = event
  }
  if (done === null) throw new Error('sampling ended without its last event')
  return { probe: done.probe, clips, pts: [...done.pts], damaged: done.damaged }
}

/** When each frame of the preview copy is shown, in seconds. */
async function copyTimes(file: string, source: Probe): Promise<number[]> {
  const out = `${file}.copy.mp4`
  await makeProxy(tools, file, source, out)
  const copy = await probe(tools, out)
  return (await decodedPts(tools, out)).map((pts) => secondsOf(pts, copy))
}

function expectTiled({ probe: found, clips, pts }: Awaited<ReturnType<typeof sampleAll>>): void {
  expect(found.startPts).toBe(pts[0])
  expect(pts).toEqual(pts.toSorted((a, b) => a - b))
  let [ordinal, time] = [0, 0]
  for (const clip of clips) {
    expect(clip).toMatchObject({ startFrame: ordinal, start: time })
    ;[ordinal, time] = [clip.endFrame, clip.end]
  }
  expect(ordinal).toBe(pts.length)
  expect(time).toBeCloseTo(found.duration, 3)
}

async function expectSameTimes(file: string, { probe: found, pts }: Awaited<ReturnType<typeof sampleAll>>): Promise<void> {
  const times = await copyTimes(file, found)
  expect(times).toHaveLength(pts.length)
  for (const [ordinal, time] of times.entries()) expect(time).toBeCloseTo(secondsOf(pts[ordinal] ?? NaN, found), 2)
}

it('reads on, and copies on, where the size of the picture changes', async () => {
  const file = videoCall()
  const sampled = await sampleAll(file)
  expect(sampled.pts).toEqual(await decodedPts(tools, file))
  expect(sampled.pts).toHaveLength(30)
  expect(sampled.damaged).toBeNull()
  expect(sampled.clips.map(({ start }) => start)).toEqual([0, 1, 2])
  expectTiled(sampled)
  await expectSameTimes(file, sampled)
})

it('carries on from the recording before where the clock of a file starts again', async () => {
  const parts = [2, 6].map((seconds) => made(`${seconds}s.ts`, ...picture(`testsrc=s=64x48:r=25:d=${seconds}`), '-c:v', 'mpeg2video'))
  const file = joined('clock.ts', parts)
  const sampled = await sampleAll(file)
  expect(sampled.pts).toHaveLength(200)
  expect(sampled.probe).toMatchObject({ clockRestarts: true, duration: 8 })
  expectTiled(sampled)
  await expectSameTimes(file, sampled)
  // The later part has frames at the time of the file's own clock as well.
  const seen = sampled.clips.at(-1)?.inputs[0] ?? expect.fail('no clip')
  const { tubes } = await sampleFrames(
    tools,
    file,
    sampled.probe,
    { key: 'one', kind: 'tubes', input },
    seen.frames,
    new AbortController().signal,
  )
  expect(Buffer.concat(tubes).equals(Buffer.concat(seen.tubes))).toBe(true)
})

it('counts from the first frame, not from packets before it', async () => {
  const whole = made('whole.ts', ...picture('testsrc=s=64x48:r=25:d=2'), '-c:v', 'libx264', '-g', '25')
  const cut = await sampleAll(joined('cut.ts', [whole], 188 * 10))
  expect(cut.pts.length).toBeLessThan(50)
  expect(cut.probe.duration).toBeCloseTo(cut.pts.length / 25, 3)
  expectTiled(cut)
  // AVI has no times but the order of packets.
  const avi = made('b-frames.avi', ...picture('testsrc=s=64x48:r=25:d=2'), '-c:v', 'mpeg4', '-bf', '2')
  expectTiled(await sampleAll(avi))
  // The picture begins after more sound than the probe reads.
  const late = made(
    'late.webm',
    '-f',
    'lavfi',
    '-i',
    'sine=d=15',
    '-itsoffset',
    '13',
    ...picture('testsrc=s=64x48:r=10:d=2'),
    '-map',
    '1',
    '-map',
    '0',
    '-fps_mode',
    'passthrough',
    '-c:v',
    'libvpx',
    '-lag-in-frames',
    '0',
    '-c:a',
    'libopus',
  )
  const begun = await sampleAll(late)
  expect(begun.pts[0]).toBeGreaterThan(12_900)
  expectTiled(begun)
})

it('knows how long a stream is that does not say it', async () => {
  const raw = made('raw.h264', ...picture('testsrc=s=64x48:r=25:d=2'), '-c:v', 'libx264')
  const sampled = await sampleAll(raw)
  expect(sampled.probe.duration).toBeCloseTo(2, 3)
  expectTiled(sampled)
})

it('keeps a gap of a recording in its preview copy, for the sound too', async () => {
  const beep = ['-f', 'lavfi', '-i', "aevalsrc='if(lt(t,0.2),sin(2000*t),0)':d=1", '-c:v', 'mpeg2video', '-c:a', 'mp2']
  const parts = [0, 20].map((offset) =>
    made(`from ${offset}.ts`, ...picture('testsrc=s=64x48:r=25:d=1'), ...beep, '-output_ts_offset', String(offset)),
  )
  const file = joined('gap.ts', parts)
  const sampled = await sampleAll(file)
  expect(sampled.probe.duration).toBeCloseTo(21, 1)
  expectTiled(sampled)
  await expectSameTimes(file, sampled)
  const { stderr } = spawnSync(
    tools.ffmpeg,
    [
      '-hide_banner',
      '-copyts',
      '-i',
      `${file}.copy.mp4`,
      '-af',
      'astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.RMS_level',
      '-vn',
      '-f',
      'null',
      '-',
    ],
    { encoding: 'utf8' },
  )
  const loud = [...stderr.matchAll(/pts_time:([\d.]+)[^]*?RMS_level=(-?[\d.]+|-inf)/g)]
    .filter(([, , level]) => Number(level) > -30)
    .map(([, at]) => Number(at))
  expect(Math.abs((loud.find((at) => at > 0.5) ?? NaN) - 20)).toBeLessThan(0.15)
})

it('gives every frame its own time where the first ones of a cut have none', async () => {
  const whole = made('timed.mp4', ...picture('testsrc2=s=64x48:r=25:d=6'), '-c:v', 'libx264', '-preset', 'veryfast', '-g', '50', '-bf', '2')
  for (const [name, from] of [
    ['cut.mkv', 0.5],
    ['other cut.mkv', 1.3],
  ] as const) {
    const file = made(name, '-ss', String(from), '-i', whole, '-c', 'copy', '-avoid_negative_ts', 'disabled')
    const sampled = await sampleAll(file)
    const deltas = sampled.pts.slice(1).map((time, i) => time - (sampled.pts[i] ?? 0))
    expect(sampled.pts).toHaveLength(150)
    expect([Math.min(...deltas), Math.max(...deltas)]).toEqual([40, 40])
    expect(sampled.pts[0]).toBeLessThan(0)
    expect(sampled.probe.startPts).toBe(sampled.pts[0])
    // A browser cannot seek to times before 0.
    expect(playbackOf(sampled.probe)).toBe('proxy')
    expectTiled(sampled)
    await expectSameTimes(file, sampled)
  }
})

it.each(['mp4', 'mov', 'mkv'])('has a last clip as long as a last picture stands, in %s', async (container) => {
  const moved = made(
    `moved.${container}`,
    ...picture('testsrc2=s=64x48:r=10:d=2.2'),
    '-vf',
    "setpts='if(eq(N,21),220,N)'",
    '-fps_mode',
    'passthrough',
    '-c:v',
    'libx264',
    '-bf',
    '0',
  )
  const file = made(`still.${container}`, '-i', moved, '-c', 'copy', '-t', '21.9')
  const sampled = await sampleAll(file)
  expect(sampled.clips.at(-1)?.end).toBeCloseTo(sampled.probe.duration, 1)
  expect(sampled.clips.at(-1)?.endFrame).toBe(sampled.pts.length)
})

it('gives every picture of a slow GIF a clip to its end', async () => {
  const file = made('slow.gif', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=1/6:d=18', '-loop', '-1', '-final_delay', '1000')
  const sampled = await sampleAll(file)
  expect(sampled.clips.at(-1)?.end).toBeCloseTo(22, 0)
  expect(sampled.clips.at(-1)?.endFrame).toBe(3)
})

it('plays a copy of what a browser does not seek to the frame', async () => {
  const whole = made('b.mp4', ...picture('testsrc2=s=64x48:r=25:d=3'), '-c:v', 'libx264', '-bf', '2', '-g', '25')
  const bare = made('no edit list.mp4', '-i', whole, '-c', 'copy', '-use_editlist', '0', '-avoid_negative_ts', 'make_non_negative')
  const fragments = made(
    'fragments.mp4',
    '-i',
    whole,
    '-c',
    'copy',
    '-use_editlist',
    '0',
    '-movflags',
    'frag_keyframe+empty_moov+default_base_moof',
    '-avoid_negative_ts',
    'make_non_negative',
  )
  const alone = { ...tools, ffprobe: null }
  for (const by of [tools, alone]) {
    expect(playbackOf(await probe(by, whole))).toBe('direct')
    expect(playbackOf(await probe(by, bare))).toBe('proxy')
    expect(playbackOf(await probe(by, fragments))).toBe('proxy')
  }
})
