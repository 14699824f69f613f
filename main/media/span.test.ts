import { describe, expect, it } from 'vitest'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { clipPath } from './clips.testing.ts'
import { probe } from './probe.ts'
import { sample, type SampledClip } from './sample.ts'
import { framesOf, sampleFrames } from './span.ts'
import { findMediaTools } from './tools.ts'

const tools = await findMediaTools()
/** Each tube is a whole frame, so a clip's tubes are its frames. */
const input: MammutManifest['input'] = {
  frames: 16,
  width: 48,
  height: 32,
  fit: 'crop',
  maxClipSeconds: 3,
  tubes: [{ name: 'frame', kernel: [1, 32, 48], stride: [1, 32, 48], offset: [0, 0, 0], depth: [1, 1, 1] }],
}

it('takes the frame on the screen in the middle of each equal part of a span, at variable rates too', () => {
  const pts = Float64Array.from([0, 10, 20, 30, 130, 140, 150, 160, 170])
  expect(framesOf(pts, { startFrame: 0, endFrame: 8 }, 4).map(({ ordinal }) => ordinal)).toEqual([2, 3, 3, 5])
  expect(framesOf(pts, { startFrame: 4, endFrame: 5 }, 3)).toEqual([
    { ordinal: 4, pts: 130 },
    { ordinal: 4, pts: 130 },
    { ordinal: 4, pts: 130 },
  ])
  expect(framesOf(pts, { startFrame: 7, endFrame: 9 }, 2).every(({ ordinal }) => ordinal >= 7)).toBe(true)
})

describe('a span sampled by itself', () => {
  it.each(['d03_bottles.mp4', 'd11_room_dog_rot180_vfr.mp4', 'd13_toy_robot_wmv2.wmv', 'f03_hevc_10bit.mkv', 't03_belt.gif'])(
    'has the pictures that the pass over all of %s gives',
    async (name) => {
      const { signal } = new AbortController()
      const file = clipPath(name)
      const facts = await probe(tools, file)
      const clips: SampledClip[] = []
      for await (const event of sample(tools, file, facts, [{ key: 'a', kind: 'tubes', input }]))
        if (event.type === 'clip') clips.push(event.clip)
      const last = clips.at(-1) ?? expect.fail('no clip')
      const [seen] = last.inputs
      if (seen === undefined) return expect.fail('no input')
      const { tubes, thumbnail } = await sampleFrames(tools, file, facts, { key: 'one', kind: 'tubes', input }, seen.frames, signal)
      expect(Buffer.concat(tubes).equals(Buffer.concat(seen.tubes))).toBe(true)
      expect([...thumbnail.slice(0, 2)]).toEqual([0xff, 0xd8])
    },
  )

  it('says so when the file does not have the frames any more', async () => {
    const file = clipPath('d03_bottles.mp4')
    const facts = await probe(tools, file)
    const { signal } = new AbortController()
    await expect(
      sampleFrames(tools, file, facts, { key: 'one', kind: 'tubes', input }, [{ ordinal: 9, pts: -77 }], signal),
    ).rejects.toMatchObject({
      problem: { code: 'no-frames' },
    })
  })
})
