/** Recordings whose pictures or clock change midway, or that begin in the middle: joined files, video calls, cut streams. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type Probe, secondsOf } from '../../app/media.ts'
import type { PackManifest } from '../../app/pack.ts'
import { decodedPts } from './clips.testing.ts'
import { makeProxy } from './playback.ts'
import { probe } from './probe.ts'
import { sample, type SampledClip, type SampleEvent } from './sample.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-joined-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Its one kind of tube is a whole frame, so a clip's tubes are its frames. */
const input: PackManifest['input'] = {
  frames: 4, width: 48, height: 32, fit: 'stretch', maxClipSeconds: 8,
  tubes: [{ name: 'frame', kernel: [1, 32, 48], stride: [1, 32, 48], offset: [0, 0, 0], depth: [1, 1, 1] }],
}

/** A file that ffmpeg makes. */
function made(name: string, ...args: string[]): string {
  const file = path.join(folder, name)
  execFileSync(tools.ffmpeg, ['-v', 'error', '-nostdin', '-y', ...args, file])
  return file
}

const picture = (source: string) => ['-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', '-threads', '1']

/** One file after the other in one WebM, as a video call is recorded whose picture grows with the bandwidth. */
function videoCall(): string {
  const [small, big] = [made('small.webm', ...picture('testsrc=s=64x48:r=10:d=1'), '-c:v', 'libvpx'), made('big.webm', ...picture('testsrc2=s=128x96:r=10:d=1'), '-c:v', 'libvpx')]
  const list = path.join(folder, 'call.txt')
  writeFileSync(list, [small, big, small].map((file) => `file '${file}'\n`).join(''))
  return made('call.webm', '-f', 'concat', '-safe', '0', '-i', list, '-c', 'copy')
}

async function sampleAll(file: string) {
  const found = await probe(tools, file)
  const clips: SampledClip[] = []
  let done: Extract<SampleEvent, { type: 'done' }> | null = null
  for await (const event of sample(tools, file, found, input)) {
    if (event.type === 'clip') clips.push(event.clip)
    if (event.type === 'done') done = event
  }
  if (done === null) throw new Error('sampling ended without its last event')
  return { probe: found, clips, pts: [...done.pts], damaged: done.damaged }
}

/** When each frame of the preview copy is shown, in seconds. */
async function copyTimes(file: string, source: Probe): Promise<number[]> {
  const out = `${file}.copy.mp4`
  await makeProxy(tools, file, source, out)
  const copy = await probe(tools, out)
  return (await decodedPts(tools, out)).map((pts) => secondsOf(pts, copy))
}

it('reads on, and copies on, where the size of the picture changes', async () => {
  const file = videoCall()
  const { probe: found, clips, pts, damaged } = await sampleAll(file)
  expect(pts).toEqual(await decodedPts(tools, file))
  expect(pts).toHaveLength(30)
  expect(damaged).toBeNull()
  expect(clips.at(-1)?.endFrame).toBe(30)
  expect(clips.map(({ start }) => start)).toEqual([0, 1, 2])
  const times = await copyTimes(file, found)
  expect(times).toHaveLength(30)
  for (const [ordinal, time] of times.entries()) expect(time).toBeCloseTo(secondsOf(pts[ordinal] ?? NaN, found), 2)
})
