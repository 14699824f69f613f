/** Every frame of a video belongs to exactly one clip, wherever the cuts are and whichever frames were sampled. */
import { expect, test } from 'vitest'
import type { Probe } from '../../app/media.ts'
import { tricky } from '../../test/documents.ts'
import { ClipCutter, type SampledClip } from './clips.ts'

const probe: Probe = {
  ...tricky.source.probe,
  ...{ width: 16, height: 16, codedWidth: 16, codedHeight: 16, startPts: 0 },
  ...{ timeBase: { num: 1, den: 1000 }, frameRate: { num: 25, den: 1 } },
}
const grey = new Uint8Array(160 * 160)

/** The clips of a video with frames at `pts`, cuts before the frames `cuts`, and sampled frames `picked`, fed as a pass feeds them. */
function clipsOf(pts: readonly number[], cuts: readonly number[], picked: readonly number[], stood = 0): SampledClip[] {
  const cutter = new ClipCutter(probe, [])
  const clips: SampledClip[] = []
  for (const [ordinal, at] of pts.entries()) {
    cutter.pts.push(at)
    if (cuts.includes(ordinal)) cutter.addCuts([ordinal])
    if (picked.includes(ordinal)) cutter.addPicked({ ordinal, pts: at, grey, rgb: [], jpeg: new Uint8Array() })
    // A beginning comes before its clip and has nothing that the clip does not have.
    clips.push(...[...cutter.complete(ordinal, { all: ordinal, some: ordinal })].filter(({ kind }) => kind !== 'beginning'))
  }
  clips.push(...cutter.finish((pts.at(-1) ?? 0) / 1000 + stood))
  return clips
}

function tiles(clips: readonly SampledClip[], frames: number): void {
  expect(clips.map(({ startFrame }) => startFrame)).toEqual([0, ...clips.slice(0, -1).map(({ endFrame }) => endFrame)])
  expect(clips.at(-1)?.endFrame).toBe(frames)
}

test('a last shot of which no frame was sampled belongs to the clip before it, with its end', () => {
  const pts = Array.from({ length: 52 }, (_, ordinal) => 40 * ordinal)
  const clips = clipsOf(pts, [25, 50], [0, 10, 20, 30, 40])
  expect(clips.map(({ startFrame, endFrame }) => [startFrame, endFrame])).toEqual([
    [0, 25],
    [25, 52],
  ])
})

test('a last picture that stands long, and a gap, are in a clip', () => {
  const pts = [...Array.from({ length: 50 }, (_, ordinal) => 40 * ordinal), 60_000, 60_040]
  tiles(clipsOf(pts, [], [0, 10, 20, 30, 40]), 52)
  tiles(clipsOf(pts, [50], [0, 10, 20, 30, 40], 20), 52)
})

test('what is measured of a clip is the same whether its beginnings were told or not, and whether they went on beyond it', () => {
  const pts = Array.from({ length: 250 }, (_, ordinal) => 40 * ordinal)
  const textured = (ordinal: number) => grey.map((_, i) => Math.imul(i + 7 * ordinal, 2_654_435_761) >>> 24)
  const measuredOf = (told: boolean) => {
    const cutter = new ClipCutter(probe, [])
    const clips: SampledClip[] = []
    for (const [ordinal, at] of pts.entries()) {
      cutter.pts.push(at)
      if (ordinal % 10 === 0) cutter.addPicked({ ordinal, pts: at, grey: textured(ordinal), rgb: [], jpeg: new Uint8Array() })
      clips.push(...cutter.complete(ordinal, { all: ordinal, some: told ? ordinal : 0 }))
    }
    clips.push(...cutter.finish(0))
    expect(clips.filter(({ kind }) => kind === 'beginning')).toHaveLength(told ? 4 : 0)
    return clips.filter(({ kind }) => kind !== 'beginning').map(({ measured }) => measured)
  }
  // Two clips of five seconds; the last beginning has eight.
  expect(measuredOf(true)).toHaveLength(2)
  expect(measuredOf(true)).toEqual(measuredOf(false))
})

test('clips tile the video whatever is cut and sampled', () => {
  let state = 1
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  for (let turn = 0; turn < 300; turn += 1) {
    const frames = 1 + below(400)
    let at = 0
    const step = 1 + below(400)
    const pts = Array.from({ length: frames }, () => (at += below(40) === 0 ? 1 + below(40_000) : 1 + below(step)) - 1)
    const cuts = pts.flatMap((_, ordinal) => (ordinal > 0 && below(30) === 0 ? [ordinal] : []))
    // The first frame is always sampled.
    const picked = pts.flatMap((_, ordinal) => (ordinal === 0 || below(9) === 0 ? [ordinal] : []))
    tiles(clipsOf(pts, cuts, picked), frames)
  }
})
