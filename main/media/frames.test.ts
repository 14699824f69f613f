/** The frames that SmolVLM2 sees: as pictures, to the bit, and which of a clip, from a decode pass and from a marked span alike. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type Probe, secondsOf } from '../../app/media.ts'
import { resample } from '../../app/resample.ts'
import { testClips } from '../packs/openmammut.ts'
import { clipPath } from './clips.testing.ts'
import type { EncoderWant } from './decode-plan.ts'
import { frameCount, squared } from './frames.ts'
import { probe } from './probe.ts'
import { sample } from './sample.ts'
import { framesOf, framesWanted, sampleFrames } from './span.ts'
import { findMediaTools } from './tools.ts'

const { pictures } = z
  .looseObject({ pictures: z.array(z.object({ width: z.number(), height: z.number(), sha256: z.string() })) })
  .parse(JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../models/smolvlm/golden/values.json'), 'utf8')))

it("makes pictures as the reference's processor does, to the bit, which no other resampling does", () => {
  const sha = (bytes: Uint8Array) => hash('sha256', bytes)
  const made = pictures.map(({ width, height }) => ({ rgb: testClips(1, width, height)[0] ?? new Uint8Array(), width, height }))
  expect(made.map((picture) => sha(squared(picture, 64)))).toEqual(pictures.map(({ sha256 }) => sha256))
  const once = made.map((picture) => sha(resample(picture, 64, 64, 'lanczos').rgb))
  const cubic = made.map((picture) => sha(resample(picture, 64, 64, 'bicubic').rgb))
  // Of a square both steps are one.
  for (const other of [once, cubic]) expect(other.filter((one, i) => one === pictures[i]?.sha256).length).toBeLessThan(4)
})

it('takes a frame a second, at least one, and no more than the pack reads', () => {
  const input = { rate: 1, frames: 32 }
  expect([0.1, 1.4, 7.6, 8, 600].map((seconds) => frameCount(input, seconds))).toEqual([1, 1, 8, 8, 32])
})

it('gives a pack the frames of each clip, and of a marked span the same pictures', async () => {
  const tools = await findMediaTools()
  const file = clipPath('d03_bottles.mp4')
  const facts: Probe = await probe(tools, file)
  const want: EncoderWant = {
    key: 'smol',
    kind: 'frames',
    input: { width: 64, height: 64, fit: 'stretch', frames: 32, rate: 1, maxClipSeconds: 8 },
  }
  const bytes = 64 * 64 * 3
  let clips = 0
  let pts = new Float64Array()
  const seen = []
  for await (const event of sample(tools, file, facts, [want])) {
    if (event.type === 'done') pts = event.pts
    if (event.type !== 'clip') continue
    clips += 1
    const { clip } = event
    const [input] = clip.inputs
    const [video] = input?.tubes ?? []
    expect(input?.key).toBe('smol')
    expect(input?.frames).toHaveLength(frameCount(want.input, clip.end - clip.start))
    expect(video).toHaveLength(bytes * (input?.frames.length ?? 0))
    for (const { pts: at } of input?.frames ?? []) {
      expect(secondsOf(at, facts)).toBeGreaterThanOrEqual(clip.start)
      expect(secondsOf(at, facts)).toBeLessThan(clip.end)
    }
    seen.push({ clip, frames: input?.frames ?? [], video: video ?? new Uint8Array() })
  }
  expect(clips).toBeGreaterThan(0)
  const [first] = seen
  if (first === undefined) return expect.fail()
  const again = await sampleFrames(tools, file, facts, want, first.frames, new AbortController().signal)
  expect(Buffer.compare(again.tubes[0] ?? new Uint8Array(), first.video)).toBe(0)
  const count = framesWanted(want, first.clip, first.clip.end - first.clip.start)
  expect(framesOf(pts, first.clip, count)).toHaveLength(count)
}, 60_000)
