import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TubeKind } from './pack/mammut.ts'
import { type Axis, axesOf, cutTubes, frameMeans, frameWeights, heatOf, type TubeInput, tubeCounts, tubeVoxels } from './tubes.ts'

/** The centre (t, y, x) of every tube, kind by kind, in the order of the tokens: index * stride + offset + extent / 2. */
function tubeCentres(input: TubeInput): [t: number, y: number, x: number][] {
  const centre = (axis: Axis, index: number) => index * axis.stride + axis.offset + axis.extent / 2
  const centres: [number, number, number][] = []
  for (const kind of input.tubes) {
    const { t, y, x } = axesOf(input, kind)
    for (let i = 0; i < t.count; i++) {
      for (let j = 0; j < y.count; j++) {
        for (let k = 0; k < x.count; k++) centres.push([centre(t, i), centre(y, j), centre(x, k)])
      }
    }
  }
  return centres
}

const Golden = z.object({
  cases: z.array(
    z.object({
      name: z.string(),
      video: z.tuple([z.number(), z.number(), z.number()]),
      tubes: z.array(
        TubeKind.and(
          z.object({
            shape: z.tuple([z.number(), z.number()]),
            sha256: z.string(),
            first: z.array(z.number()),
            centres: z.array(z.tuple([z.number(), z.number(), z.number()])),
          }),
        ),
      ),
    }),
  ),
})
const golden = Golden.parse(JSON.parse(readFileSync(new URL('tubes.golden.json', import.meta.url), 'utf8')))

function formulaVideo(frames: number, height: number, width: number): Uint8Array {
  const video = new Uint8Array(frames * height * width * 3)
  let at = 0
  for (let t = 0; t < frames; t++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++) video[at++] = (t * 7 + y * 13 + x * 29 + c * 53 + ((t * y * x) % 17)) % 256
      }
    }
  }
  return video
}

describe.each(golden.cases)('tubes of $name', ({ video: [frames, height, width], tubes }) => {
  const input = { frames, height, width, tubes }

  it('reads the bytes that models/tubes reads', () => {
    const parts = cutTubes(formulaVideo(frames, height, width), input)
    parts.forEach((part, i) => {
      const expected = tubes[i]
      expect([...part.subarray(0, 8)]).toEqual(expected?.first)
      expect(createHash('sha256').update(part).digest('hex')).toBe(expected?.sha256)
    })
  })

  it('has as many tubes, each as long', () => {
    expect(tubeCounts(input).map((count, i) => [count, tubeVoxels(input.tubes[i] ?? expect.fail())])).toEqual(tubes.map((t) => t.shape))
  })

  it('puts them where models/tubes puts them', () => {
    const centres = tubeCentres(input)
    let at = 0
    tubeCounts(input).forEach((count, i) => {
      const ends = count > 0 ? [centres[at], centres[at + count - 1]] : []
      expect(ends).toEqual(tubes[i]?.centres)
      at += count
    })
    expect(centres).toHaveLength(at)
  })
})

it('gives the weight of a tube to the frames that it spans', () => {
  const tubes: TubeKind[] = [
    { name: 'patch', kernel: [1, 2, 2], stride: [2, 2, 2], offset: [0, 0, 0], depth: [1, 1, 1] },
    { name: 'long', kernel: [2, 4, 4], stride: [4, 4, 4], offset: [0, 0, 0], depth: [2, 1, 1] },
  ]
  const input = { frames: 4, height: 4, width: 4, tubes }
  expect(tubeCounts(input)).toEqual([8, 1])
  expect(frameWeights([0.1, 0, 0, 0, 0, 0.2, 0.3, 0, 0.4], input).map((w) => +w.toFixed(6))).toEqual([0.2, 0.1, 0.6, 0.1])
})

describe('heat', () => {
  const rounded = (heat: Float64Array) => [...heat].map((mass) => +mass.toFixed(6))
  const kind = (
    kernel: TubeKind['kernel'],
    stride: TubeKind['stride'],
    offset: TubeKind['offset'] = [0, 0, 0],
    depth: TubeKind['depth'] = [1, 1, 1],
  ): TubeKind => ({ name: 'kind', kernel, stride, offset, depth })

  it('lies where a patch lies, and is shared by cells that it straddles', () => {
    const input = { frames: 2, height: 4, width: 4, tubes: [kind([1, 2, 2], [2, 2, 2])] }
    expect(tubeCounts(input)).toEqual([4])
    expect(rounded(heatOf([0.1, 0.2, 0.3, 0.4], input, { rows: 2, columns: 2 }))).toEqual([0.1, 0.2, 0.3, 0.4, 0, 0, 0, 0])
    // Three columns of 4/3 voxels: a patch of two voxels covers one of them wholly and half of the middle one.
    const third = rounded(heatOf([0.3, 0.6, 0, 0], input, { rows: 1, columns: 3 }))
    expect(third).toEqual([0.2, 0.3, 0.4, 0, 0, 0])
  })

  it('is spread over the frames of a tube, from its offset on', () => {
    // One tube of 2 x 2 x 2 voxels at frame 1, row 1, column 2.
    const input = { frames: 4, height: 4, width: 4, tubes: [kind([2, 2, 2], [4, 4, 4], [1, 1, 2])] }
    expect(tubeCounts(input)).toEqual([1])
    const heat = rounded(heatOf([0.8], input, { rows: 4, columns: 4 }))
    const frame = [0, 0, 0, 0, 0, 0, 0.1, 0.1, 0, 0, 0.1, 0.1, 0, 0, 0, 0]
    expect(heat).toEqual([...frame.map(() => 0), ...frame, ...frame, ...frame.map(() => 0)])
  })

  it('leaves out what lies between the kernels that a token joins', () => {
    // Space-to-depth: two kernels of one voxel, two apart, along x.
    const input = { frames: 1, height: 1, width: 4, tubes: [kind([1, 1, 1], [1, 1, 4], [0, 0, 0], [1, 1, 2])] }
    expect(tubeCounts(input)).toEqual([1])
    expect(rounded(heatOf([1], input, { rows: 1, columns: 4 }))).toEqual([0.5, 0, 0.5, 0])
  })

  it('spreads a token of a whole picture over that picture', () => {
    const input = { frames: 2, height: 2, width: 2, tubes: [kind([1, 1, 1], [1, 1, 1])] }
    expect(rounded(heatOf([0.4, 0, 0, 0, 0, 0, 0, 0.5, 0, 0.1], input, { rows: 2, columns: 2 }))).toEqual([
      0.1, 0.1, 0.1, 0.1, 0, 0.5, 0, 0.1,
    ])
    expect(frameWeights([0.4, 0, 0, 0, 0, 0, 0, 0.5, 0, 0.1], input).map((weight) => +weight.toFixed(6))).toEqual([0.4, 0.6])
    expect(() => heatOf([0.4, 0, 0, 0, 0, 0, 0, 0.5, 0], input, { rows: 2, columns: 2 })).toThrow(RangeError)
  })

  it.each(golden.cases)('loses no weight: $name', ({ video: [frames, height, width], tubes }) => {
    const input = { frames, height, width, tubes }
    const weights = tubeCentres(input).map((_, token) => (token % 7) + 1)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const grid of [
      { rows: 1, columns: 1 },
      { rows: 16, columns: 16 },
      { rows: 5, columns: 7 },
    ]) {
      const heat = heatOf(weights, input, grid)
      expect(heat).toHaveLength(frames * grid.rows * grid.columns)
      expect(heat.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(total, 6)
    }
  })
})

it('says what the tokens of a key frame say on average', () => {
  const tubes: TubeKind[] = [
    { name: 'patch', kernel: [1, 4, 2], stride: [2, 4, 2], offset: [0, 0, 0], depth: [1, 1, 1] },
    { name: 'long', kernel: [4, 4, 4], stride: [4, 4, 4], offset: [0, 0, 0], depth: [1, 1, 1] },
  ]
  const input = { frames: 4, height: 4, width: 4, tubes }
  expect(tubeCounts(input)).toEqual([4, 1])
  // Two numbers per token: patches of frame 0, patches of frame 2, one long tube that counts with a quarter for each frame.
  const means = frameMeans([1, 0, 3, 0, 5, 1, 7, 1, 9, 4], input)
  expect(means.map(({ frame }) => frame)).toEqual([0, 2])
  expect(means.map(({ mean }) => [...mean].map((value) => +value.toFixed(5)))).toEqual([
    [2.77778, 0.44444],
    [6.33333, 1.33333],
  ])
  expect(frameMeans([1, 2, 3], input)).toEqual([])
})

it('refuses a video of another size', () => {
  expect(() => cutTubes(new Uint8Array(10), { frames: 1, width: 2, height: 2, tubes: [] })).toThrow(RangeError)
})
