/**
 * Sparse video tubes (TubeViT, arXiv 2212.03229): which voxels each tube reads, and where it sits. models/tubes computes the same
 * numbers for training; app/tubes.golden.json holds both to the same bytes.
 *
 * Everything is in voxels of the model's input, axes in the order (t, y, x).
 */
import type { MammutManifest, TubeKind } from './pack/mammut.ts'

export type TubeInput = Pick<MammutManifest['input'], 'frames' | 'width' | 'height' | 'tubes'>

const CHANNELS = 3

export interface Axis {
  kernel: number
  stride: number
  offset: number
  /** The number of kernels that a tube joins, and the distance from one to the next. */
  parts: number
  step: number
  /** From the first voxel of a tube to just past its last one. */
  extent: number
  /** How many tubes fit, as in a VALID convolution. */
  count: number
}

function axisOf(size: number, kind: TubeKind, axis: 0 | 1 | 2): Axis {
  const [kernel, stride, offset, parts] = [kind.kernel[axis], kind.stride[axis], kind.offset[axis], kind.depth[axis]]
  const step = stride / parts
  const extent = kernel + (parts - 1) * step
  return { kernel, stride, offset, parts, step, extent, count: Math.max(0, Math.floor((size - offset - extent) / stride) + 1) }
}

export function axesOf(input: TubeInput, kind: TubeKind): { t: Axis; y: Axis; x: Axis } {
  return { t: axisOf(input.frames, kind, 0), y: axisOf(input.height, kind, 1), x: axisOf(input.width, kind, 2) }
}

/** Length of one tube's vector: kt * kh * kw * 3, times the kernels that it joins. */
export function tubeVoxels({ kernel, depth }: TubeKind): number {
  return [...kernel, ...depth].reduce((product, n) => product * n, CHANNELS)
}

/** The number of tubes of each kind in a clip: floor((size - offset - extent) / stride) + 1 per axis, 0 where none fits. */
export function tubeCounts(input: TubeInput): number[] {
  return input.tubes.map((kind) => {
    const { t, y, x } = axesOf(input, kind)
    return t.count * y.count * x.count
  })
}

/** How one tube's mass is spread along an axis: shares of whole units (frames, rows or columns of a grid), summing to 1. */
type Shares = readonly { at: number; share: number }[]

/**
 * What each tube of an axis covers, on a grid of `cells` equal parts of the whole axis. Its mass is spread evenly over the kernels that it
 * joins, so voxels between kernels that do not touch (space-to-depth at a coarse stride) get none.
 */
function coverage({ stride, offset, kernel, step, parts, count }: Axis, size: number, cells: number): Shares[] {
  const cell = size / cells
  return Array.from({ length: count }, (_, index) => {
    const shares = new Map<number, number>()
    for (let part = 0; part < parts; part++) {
      const begin = index * stride + offset + part * step
      const end = begin + kernel
      for (let at = Math.floor(begin / cell); at < cells && at * cell < end; at++) {
        const overlap = Math.min(end, (at + 1) * cell) - Math.max(begin, at * cell)
        if (overlap > 0) shares.set(at, (shares.get(at) ?? 0) + overlap / (kernel * parts))
      }
    }
    return [...shares].map(([at, share]) => ({ at, share }))
  })
}

/**
 * Where the model looked, in time and in the picture: the weight of each token, spread evenly over the voxels that its tube reads.
 *
 * An encoder of single pictures leaves more tokens than patches: those that stand for a whole picture, ahead of its patches (a CLS token).
 * Their weight is spread over that picture.
 *
 * @param weights One for each token of the memory, kind by kind, within a kind by (t, y, x).
 * @param grid Rows and columns to divide each input frame into.
 * @returns [frames, rows, columns], row-major; the sum is that of `weights`.
 * @throws RangeError when there are not as many weights as the geometry has tokens.
 */
export function heatOf(weights: ArrayLike<number>, input: TubeInput, { rows, columns }: { rows: number; columns: number }): Float64Array {
  const heat = new Float64Array(input.frames * rows * columns)
  const tubes = tubeCounts(input).reduce((sum, count) => sum + count, 0)
  const whole = (weights.length - tubes) / input.frames
  const pictures = input.tubes.length === 1 && input.tubes[0]?.kernel[0] === 1 && axesOf(input, input.tubes[0]).t.count === input.frames
  if (!Number.isInteger(whole) || whole < 0 || (whole > 0 && !pictures))
    throw new RangeError(`a clip of this geometry has ${tubes} tokens, not ${weights.length}`)
  let token = 0
  for (const kind of input.tubes) {
    const { t, y, x } = axesOf(input, kind)
    const [times, heights, widths] = [
      coverage(t, input.frames, input.frames),
      coverage(y, input.height, rows),
      coverage(x, input.width, columns),
    ]
    times.forEach((time, frame) => {
      for (const end = token + whole; token < end; token++) {
        const even = (weights[token] ?? 0) / (rows * columns)
        for (let cell = frame * rows * columns; cell < (frame + 1) * rows * columns; cell++) heat[cell] = (heat[cell] ?? 0) + even
      }
      for (const height of heights) {
        for (const width of widths) {
          const weight = weights[token++] ?? 0
          for (const f of time) {
            for (const row of height) {
              for (const column of width) {
                const cell = (f.at * rows + row.at) * columns + column.at
                heat[cell] = (heat[cell] ?? 0) + weight * f.share * row.share * column.share
              }
            }
          }
        }
      }
    })
  }
  return heat
}

/** Where the model looked in time: like `heatOf`, with one weight for each input frame. */
export function frameWeights(weights: ArrayLike<number>, input: TubeInput): number[] {
  return [...heatOf(weights, input, { rows: 1, columns: 1 })]
}

/**
 * The mean of the tokens that read a frame; a token whose tube reads more frames counts with this frame's share. If a kind of tube reads
 * single frames, only the frames that it reads have a mean: without it the mean would be of different tokens.
 *
 * @param values [N, D], one row for each tube.
 */
export function frameMeans(values: ArrayLike<number>, input: TubeInput): { frame: number; mean: Float32Array }[] {
  const width = values.length / tubeCounts(input).reduce((sum, count) => sum + count, 0)
  if (!Number.isInteger(width)) return []
  const single = input.tubes.some(({ kernel }) => kernel[0] === 1)
  const frames = Array.from({ length: input.frames }, () => ({ weight: 0, read: !single, sum: new Float32Array(width) }))
  let token = 0
  for (const kind of input.tubes) {
    const { t, y, x } = axesOf(input, kind)
    for (const times of coverage(t, input.frames, input.frames)) {
      const end = token + y.count * x.count
      for (const { at, share } of times) {
        const frame = frames[at]
        if (frame === undefined) continue
        frame.read ||= kind.kernel[0] === 1
        frame.weight += share * (end - token)
        for (let from = token * width; from < end * width; from += width) {
          for (let i = 0; i < width; i++) frame.sum[i] = (frame.sum[i] ?? 0) + share * (values[from + i] ?? 0)
        }
      }
      token = end
    }
  }
  return frames.flatMap(({ weight, read, sum }, frame) => (read && weight > 0 ? [{ frame, mean: sum.map((value) => value / weight) }] : []))
}

/**
 * Cut a clip into tubes.
 *
 * @param video RGB bytes [frames, height, width, 3].
 * @returns For each kind its tubes one after the other: tubes in the order t, y, x; in a tube the kernels that it joins, in the same order;
 * in a kernel voxels t, y, x, channel.
 * @throws RangeError when the video does not have the input's size.
 */
export function cutTubes(video: Uint8Array, input: TubeInput): Uint8Array[] {
  const row = input.width * CHANNELS
  const frame = input.height * row
  if (video.length !== input.frames * frame) {
    throw new RangeError(
      `a clip of ${input.frames} x ${input.height} x ${input.width} has ${input.frames * frame} bytes, not ${video.length}`,
    )
  }
  return input.tubes.map((kind) => {
    const { t, y, x } = axesOf(input, kind)
    const run = x.kernel * CHANNELS // voxels of one tube that are adjacent in the video: one row of it
    const out = new Uint8Array(t.count * y.count * x.count * tubeVoxels(kind))
    let to = 0
    for (const corner of corners(t, y, x, { frame, row })) {
      for (let dt = 0; dt < t.kernel; dt++) {
        for (let dy = 0; dy < y.kernel; dy++) {
          const from = corner + dt * frame + dy * row
          out.set(video.subarray(from, from + run), to)
          to += run
        }
      }
    }
    return out
  })
}

/** Where each kernel of each tube begins, as a byte offset in the video. */
function* corners(t: Axis, y: Axis, x: Axis, { frame, row }: { frame: number; row: number }): Generator<number> {
  const steps = ({ stride, offset, step }: Axis, index: number, part: number, bytes: number) =>
    (index * stride + part * step + offset) * bytes
  for (let i = 0; i < t.count; i++) {
    for (let j = 0; j < y.count; j++) {
      for (let k = 0; k < x.count; k++) {
        for (let a = 0; a < t.parts; a++) {
          for (let b = 0; b < y.parts; b++) {
            for (let c = 0; c < x.parts; c++) yield steps(t, i, a, frame) + steps(y, j, b, row) + steps(x, k, c, CHANNELS)
          }
        }
      }
    }
  }
}
