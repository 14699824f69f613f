/// <reference lib="esnext.float16" />
/** The thread that writes a file of weights: each tensor is read in parts, transposed, converted to its precision, hashed and written. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { hasCode, TubeletError } from '../../app/errors.ts'
import { serve } from '../channel.ts'
import { CHOOSE_OTHER, refusal } from './safetensors.ts'
import { BLOCK, type PlannedWeight, type WeightsService, type WeightsTask } from './weights.ts'

/** Elements in memory at once, a multiple of `BLOCK`. Only the convolution of the patches has more than two axes; it is transposed as a whole if its size is sensible. */
const CHUNK = 1 << 20
const LARGEST_CONVOLUTION = 1 << 24
const REPORT_MS = 100
const HALF_MAX = 65_504

/** The files of the checkpoint that are open for reading. */
class Files implements Disposable {
  readonly #handles = new Map<string, number>()

  of(file: string): number {
    let handle = this.#handles.get(file)
    if (handle === undefined) this.#handles.set(file, (handle = openSync(file, 'r')))
    return handle
  }

  [Symbol.dispose](): void {
    for (const handle of this.#handles.values()) closeSync(handle)
  }
}

/** Elements [from, from + count) of a tensor, as fp32. */
function read(files: Files, { file, dtype, begin }: PlannedWeight['tensor'], from: number, count: number): Float32Array {
  const handle = files.of(file)
  const width = dtype === 'F32' ? 4 : 2
  const bytes = new Uint8Array(count * width)
  let got = 0
  while (got < bytes.length) {
    const more = readSync(handle, bytes, got, bytes.length - got, begin + from * width + got)
    if (more === 0)
      throw refusal({
        code: 'checkpoint-unusable',
        message: 'The checkpoint became shorter while it was read.',
        file,
        next: 'Wait until its download is finished, then import it again.',
      })
    got += more
  }
  if (dtype === 'F32') return new Float32Array(bytes.buffer)
  if (dtype === 'F16') return new Float32Array(new Float16Array(bytes.buffer))
  // A bfloat16 is the upper half of an fp32.
  return new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16).buffer)
}

const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1)

/** The tensor in the order in which it is stored, in parts. */
function* parts(files: Files, { tensor, transforms }: PlannedWeight): Generator<Float32Array> {
  let shape = [...tensor.shape]
  let from = 0
  let order: number[] | null = null
  for (const [step, ...numbers] of transforms) {
    if (step === 'rows') {
      shape = [Math.floor((shape[0] ?? 0) / Number(numbers[1])), ...shape.slice(1)]
      from += Number(numbers[0]) * product(shape)
    } else if (step === 'perm') order = numbers.map(Number)
  }
  const count = product(shape)
  if (order === null) {
    for (let at = 0; at < count; at += CHUNK) yield read(files, tensor, from + at, Math.min(CHUNK, count - at))
  } else if (count <= CHUNK || (shape.length > 2 && count <= LARGEST_CONVOLUTION))
    yield turned(read(files, tensor, from, count), shape, order)
  else if (shape.length === 2) {
    // Transposed in bands of columns, which become rows.
    const [rows = 0, columns = 0] = shape
    const width = Math.max(1, Math.floor(CHUNK / rows))
    for (let left = 0; left < columns; left += width) {
      const band = Math.min(width, columns - left)
      const data = new Float32Array(rows * band)
      for (let row = 0; row < rows; row += 1) data.set(read(files, tensor, from + row * columns + left, band), row * band)
      yield turned(data, [rows, band], order)
    }
  } else
    throw refusal({
      code: 'checkpoint-unusable',
      message: 'A tensor of this checkpoint is far larger than those of any published model.',
      file: tensor.file,
      next: CHOOSE_OTHER,
    })
}

/** The tensor with its axes in another order. */
function turned(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)))
  const sides = order.map((axis) => shape[axis] ?? 1)
  const steps = order.map((axis) => strides[axis] ?? 0)
  const result = new Float32Array(data.length)
  const [inner = 1, step = 0] = [sides.at(-1), steps.at(-1)]
  const index = sides.slice(0, -1).map(() => 0)
  for (let at = 0, source = 0; at < data.length; ) {
    for (let i = 0; i < inner; i += 1) result[at++] = data[source + i * step] ?? 0
    for (let axis = index.length - 1; axis >= 0; axis -= 1) {
      const next = (index[axis] ?? 0) + 1
      source += steps[axis] ?? 0
      if (next < (sides[axis] ?? 1)) {
        index[axis] = next
        break
      }
      index[axis] = 0
      source -= (steps[axis] ?? 0) * next
    }
  }
  return result
}

/** The tensor's bytes as they are stored, in parts. */
function* stored(files: Files, weight: PlannedWeight): Generator<Uint8Array> {
  const asked = weight.transforms.map(([step]) => step)
  if (asked.includes('scale') || asked.includes('int8')) {
    // Symmetric quantisation per column: the largest magnitude becomes 127.
    const columns = asked.includes('scale') ? (weight.shape[0] ?? 0) : (weight.shape.at(-1) ?? 0)
    const scales = new Float32Array(columns)
    let at = 0
    for (const part of parts(files, weight))
      for (const value of part) scales[at % columns] = Math.max(scales[at++ % columns] ?? 0, Math.abs(value))
    scales.forEach((largest, column) => (scales[column] = largest === 0 ? 1 : largest / 127))
    if (asked.includes('scale')) yield new Uint8Array(scales.buffer)
    else {
      at = 0
      for (const part of parts(files, weight))
        yield new Uint8Array(Int8Array.from(part, (value) => roundHalfEven(Math.fround(value / (scales[at++ % columns] ?? 1)))).buffer)
    }
    return
  }
  for (const part of parts(files, weight)) {
    if (asked.includes('block8') || asked.includes('blockscale')) {
      const { bytes, scales } = blocks(part)
      yield asked.includes('block8') ? bytes : new Uint8Array(scales.buffer)
    } else if (weight.type === 'float16') {
      if (part.some((value) => Math.abs(value) > HALF_MAX))
        throw refusal({
          code: 'checkpoint-unusable',
          message: 'A weight of this checkpoint is too large for half precision.',
          file: weight.tensor.file,
          next: 'Import it in full precision.',
        })
      yield new Uint8Array(new Float16Array(part).buffer)
    } else yield new Uint8Array(part.buffer)
  }
}

/** Symmetric quantisation of each block of a row: the largest magnitude becomes 127, and 128 is added, which MatMulNBits takes for zero. */
function blocks(values: Float32Array): { bytes: Uint8Array; scales: Float32Array } {
  const bytes = new Uint8Array(values.length)
  const scales = new Float32Array(values.length / BLOCK)
  for (let block = 0; block < scales.length; block += 1) {
    const some = values.subarray(block * BLOCK, (block + 1) * BLOCK)
    const largest = some.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const scale = Math.fround(largest === 0 ? 1 : largest / 127)
    scales[block] = scale
    for (let i = 0; i < BLOCK; i += 1) bytes[block * BLOCK + i] = 128 + roundHalfEven((some[i] ?? 0) / scale)
  }
  return { bytes, scales }
}

function roundHalfEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

/** @returns The file's SHA-256. */
function write(files: Files, { out, plan }: WeightsTask, report: (bytes: number) => void): string {
  const file = openSync(out, 'w')
  try {
    const hash = createHash('sha256')
    let at = 0
    // The first bytes are reported at once, so that progress is seen even for a small file.
    let told = -Infinity
    const put = (bytes: Uint8Array) => {
      hash.update(bytes)
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      at += bytes.length
      if (at === 0 || performance.now() - told < REPORT_MS) return
      told = performance.now()
      report(at)
    }
    for (const weight of plan) {
      put(new Uint8Array(weight.offset - at))
      for (const bytes of stored(files, weight)) put(bytes)
    }
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}

serve<WeightsService>({
  write: (task, { note }) => {
    using files = new Files()
    try {
      return write(files, task, note)
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error
      throw new TubeletError({
        code: 'disk-full',
        message: 'The disk became full while the weights were written.',
        file: task.out,
        stillWorks: 'The packs that you have go on working.',
        next: 'Make room and import it again.',
      })
    }
  },
})
