/**
 * Sparse video tubes (TubeViT, arXiv 2212.03229): which voxels each tube reads, and where it sits. models/tubes computes the same
 * numbers for training; app/tubes.golden.json holds both to the same bytes.
 *
 * Everything is in voxels of the model's input, axes in the order (t, y, x).
 */
import type { PackManifest, TubeKind } from './pack.ts'

export type TubeInput = Pick<PackManifest['input'], 'frames' | 'width' | 'height' | 'tubes'>

const CHANNELS = 3

interface Axis {
  kernel: number
  stride: number
  offset: number
  /** How many kernels a tube joins, and from one to the next. */
  parts: number
  step: number
  /** From the first voxel of a tube to behind its last one. */
  extent: number
  /** How many tubes fit, as a VALID convolution. */
  count: number
}

function axisOf(size: number, kind: TubeKind, axis: 0 | 1 | 2): Axis {
  const [kernel, stride, offset, parts] = [kind.kernel[axis], kind.stride[axis], kind.offset[axis], kind.depth[axis]]
  const step = stride / parts
  const extent = kernel + (parts - 1) * step
  return { kernel, stride, offset, parts, step, extent, count: Math.max(0, Math.floor((size - offset - extent) / stride) + 1) }
}

function axesOf(input: TubeInput, kind: TubeKind): { t: Axis; y: Axis; x: Axis } {
  return { t: axisOf(input.frames, kind, 0), y: axisOf(input.height, kind, 1), x: axisOf(input.width, kind, 2) }
}

/** Length of one tube's vector: kt * kh * kw * 3, times the kernels that it joins. */
export function tubeVoxels({ kernel, depth }: TubeKind): number {
  return [...kernel, ...depth].reduce((product, n) => product * n, CHANNELS)
}

/** How many tubes of each kind a clip has: floor((size - offset - extent) / stride) + 1 per axis, 0 where none fits. */
export function tubeCounts(input: TubeInput): number[] {
  return input.tubes.map((kind) => {
    const { t, y, x } = axesOf(input, kind)
    return t.count * y.count * x.count
  })
}

/** The centre (t, y, x) of every tube, kind by kind, in the order of the tokens: index * stride + offset + extent / 2. */
export function tubeCentres(input: TubeInput): [t: number, y: number, x: number][] {
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

/**
 * Where the model looked in time: the weight of each token, shared evenly among the input frames that its tube spans.
 *
 * @param weights One for each token, in the order of `tubeCentres`.
 * @returns One for each input frame; the sum is that of `weights`.
 */
export function frameWeights(weights: ArrayLike<number>, input: TubeInput): number[] {
  const frames = new Array<number>(input.frames).fill(0)
  let token = 0
  for (const kind of input.tubes) {
    const { t, y, x } = axesOf(input, kind)
    for (let i = 0; i < t.count; i++) {
      let mass = 0
      for (const end = token + y.count * x.count; token < end; token++) mass += weights[token] ?? 0
      const first = i * t.stride + t.offset
      for (let f = first; f < first + t.extent; f++) frames[f] = (frames[f] ?? 0) + mass / t.extent
    }
  }
  return frames
}

/**
 * Cut a clip into tubes.
 *
 * @param video RGB bytes [frames, height, width, 3].
 * @returns For each kind its tubes one after the other: tubes in the order t, y, x; in a tube the kernels that it joins, in the same order;
 *   in a kernel voxels t, y, x, channel.
 * @throws RangeError when the video is not of the input's size.
 */
export function cutTubes(video: Uint8Array, input: TubeInput): Uint8Array[] {
  const row = input.width * CHANNELS
  const frame = input.height * row
  if (video.length !== input.frames * frame) {
    throw new RangeError(`a clip of ${input.frames} x ${input.height} x ${input.width} has ${input.frames * frame} bytes, not ${video.length}`)
  }
  return input.tubes.map((kind) => {
    const { t, y, x } = axesOf(input, kind)
    const run = x.kernel * CHANNELS // voxels of one tube that lie together in the video: its row
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

/** Where each kernel of each tube begins, as a byte of the video. */
function* corners(t: Axis, y: Axis, x: Axis, { frame, row }: { frame: number; row: number }): Generator<number> {
  const steps = ({ stride, offset, step }: Axis, index: number, part: number, bytes: number) => (index * stride + part * step + offset) * bytes
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
