/** Plans the one file of weights that the graphs refer to, and writes it from a checkpoint's tensors in a thread. */
import type { Problem } from '../../app/errors.ts'
import { Channel, thread } from '../channel.ts'
import type { Place } from './onnx-writer.ts'
import type { Tensor } from './safetensors.ts'
import type { Graph, WeightRef } from './template.ts'

export interface PlannedWeight extends Place {
  tensor: Tensor
  transforms: WeightRef['transforms']
}
export interface WeightsTask {
  /** Written from its beginning; `plan` is in the order of its offsets. */
  out: string
  plan: readonly PlannedWeight[]
}
export interface WeightsService {
  /** @param output The file's SHA-256. @param note Bytes written so far. */
  write: { input: WeightsTask; output: string; note: number }
}

const STOPPED: Problem = {
  code: 'internal',
  message: 'Writing the weights stopped unexpectedly.',
  stillWorks: 'The packs that you have go on working.',
  next: 'Try again: it starts anew.',
}

const BYTES = { float32: 4, float16: 2, int8: 1, uint8: 1 } as const
/** Numbers of a row that share a scale in `block8`. */
export const BLOCK = 32
/** Large tensors begin at a page, so that they can be mapped into memory; the others are aligned so that any processor reads them fast. */
const PAGE = 4096
const PAGED_FROM = 65_536
const ALIGNED = 64

/** The place of each tensor that the graphs name. A tensor that several graphs name is stored once. */
export function planWeights(
  graphs: readonly Graph[],
  tensors: ReadonlyMap<string, Tensor>,
): { places: Map<string, PlannedWeight>; bytes: number } {
  const places = new Map<string, PlannedWeight>()
  let at = 0
  for (const [name, { key, transforms }] of graphs.flatMap(({ weights }) => [...weights])) {
    if (places.has(name)) continue
    const tensor = tensors.get(key)
    if (tensor === undefined) throw new Error(`the template names the tensor ${key}, which it does not list`)
    const { shape, type } = outcome(tensor, transforms)
    const length = shape.reduce((product, side) => product * side, BYTES[type])
    const alignment = length >= PAGED_FROM ? PAGE : ALIGNED
    const offset = Math.ceil(at / alignment) * alignment
    places.set(name, { offset, length, type, shape, tensor, transforms })
    at = offset + length
  }
  return { places, bytes: at }
}

function outcome({ shape: given }: Tensor, transforms: WeightRef['transforms']): Pick<Place, 'shape' | 'type'> {
  let shape = [...given]
  let type: Place['type'] = 'float32'
  for (const [step, ...numbers] of transforms) {
    const last = shape.at(-1) ?? 1
    if (step === 'rows') shape = [Math.floor((shape[0] ?? 0) / Number(numbers[1])), ...shape.slice(1)]
    else if (step === 'perm') {
      const order = numbers.map((axis) => shape[Number(axis)] ?? 0)
      shape = [order.slice(0, -1).reduce((product, side) => product * side, 1), order.at(-1) ?? 1]
    } else if (step === 'fp16') type = 'float16'
    else if (step === 'int8') type = 'int8'
    else if (step === 'scale') shape = [last]
    else if (step === 'block8') {
      type = 'uint8'
      shape = [...shape.slice(0, -1), last / BLOCK, BLOCK]
    } else if (step === 'blockscale') shape = [...shape.slice(0, -1), last / BLOCK]
    else throw new Error(`the template wants the unknown transform ${String(step)}`)
  }
  return { shape, type }
}

/**
 * Write the file of weights in a thread. Memory holds a part of one tensor at a time, whatever the checkpoint's size.
 * @param report Gets the bytes written so far.
 * @returns The file's SHA-256.
 * @throws TubeletError `disk-full`, `checkpoint-unusable`; the signal's reason when aborted. The file is then left as it is.
 */
export async function writeWeights(task: WeightsTask, report: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  await using worker = new Channel<WeightsService>(() => thread(import.meta.url, 'weights-worker'), STOPPED)
  return await worker.call('write', task, { signal, onNote: report })
}
