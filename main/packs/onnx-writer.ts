/**
 * Writes ONNX files: only what the expanded template needs of onnx.proto (github.com/onnx/onnx), by hand because a protobuf library would be
 * larger than this. They contain no weights; each tensor names its place in an external file.
 */
import type { Graph, GraphValue, Node } from './template.ts'

type StoredType = 'float32' | 'float16' | 'int8' | 'uint8'
/** The place of a tensor in the file of weights, in bytes. */
export interface Place {
  offset: number
  length: number
  type: StoredType
  shape: readonly number[]
}

/** TensorProto.DataType */
const TYPE = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const
/** AttributeProto.AttributeType */
const ATTRIBUTE = { float: 1, int: 2, text: 3, ints: 7 } as const
const EXTERNAL = 1
/** Operators of ONNX Runtime's own, beside those of ONNX. */
const CONTRIBUTED = { domain: 'com.microsoft', version: 1, operators: new Set(['MatMulNBits']) }

/** @param places The place of every weight of the graph. */
export function onnxFile(
  graph: Graph,
  places: ReadonlyMap<string, Place>,
  { opset, ir, location }: { opset: number; ir: number; location: string },
): Uint8Array {
  const weights = [...graph.weights.keys()].map((name) => {
    const place = places.get(name)
    if (place === undefined) throw new Error(`the weight "${name}" was not placed`)
    return externalTensor(name, place, location)
  })
  const constants = [...graph.constants].map(([name, { type, value }]) => constantTensor(name, type, value))
  return message(
    number(1, ir),
    text(2, 'tubelet'),
    bytes(
      7,
      message(
        ...graph.nodes.map((node) => bytes(1, nodeProto(node))),
        text(2, graph.name),
        ...[...weights, ...constants].map((tensor) => bytes(5, tensor)),
        ...graph.inputs.map((value) => bytes(11, valueInfo(value))),
        ...graph.outputs.map((value) => bytes(12, valueInfo(value))),
      ),
    ),
    bytes(8, message(text(1, ''), number(2, opset))),
    ...(graph.nodes.some(({ op }) => CONTRIBUTED.operators.has(op))
      ? [bytes(8, message(text(1, CONTRIBUTED.domain), number(2, CONTRIBUTED.version)))]
      : []),
  )
}

function nodeProto({ op, inputs, outputs, attributes }: Node): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, outputs[0] ?? ''),
    text(4, op),
    ...attributes.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => bytes(5, attribute(name, value))),
    ...(CONTRIBUTED.operators.has(op) ? [text(7, CONTRIBUTED.domain)] : []),
  )
}

function attribute(name: string, value: string): Uint8Array {
  if (value.startsWith('['))
    return message(text(1, name), ...(JSON.parse(value) as number[]).map((item) => number(8, item)), number(20, ATTRIBUTE.ints))
  if (/^[a-z]/i.test(value)) return message(text(1, name), text(4, value), number(20, ATTRIBUTE.text))
  if (/[.e]/i.test(value)) return message(text(1, name), fixed32(2, Number(value)), number(20, ATTRIBUTE.float))
  return message(text(1, name), number(3, Number(value)), number(20, ATTRIBUTE.int))
}

function externalTensor(name: string, { offset, length, type, shape }: Place, location: string): Uint8Array {
  const entries = Object.entries({ location, offset: String(offset), length: String(length) })
  return message(
    ...shape.map((side) => number(1, side)),
    number(2, TYPE[type]),
    text(8, name),
    ...entries.map(([key, value]) => bytes(13, message(text(1, key), text(2, value)))),
    number(14, EXTERNAL),
  )
}

function constantTensor(name: string, type: 'int64' | 'float32', value: number | readonly number[]): Uint8Array {
  const values = typeof value === 'number' ? [value] : value
  const raw = type === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values)
  const dims = typeof value === 'number' ? [] : [number(1, values.length)]
  return message(...dims, number(2, TYPE[type]), text(8, name), bytes(9, new Uint8Array(raw.buffer)))
}

function valueInfo({ name, type, shape }: GraphValue): Uint8Array {
  const dims = shape.map((dim) => bytes(1, typeof dim === 'number' ? number(1, dim) : text(2, dim)))
  return message(text(1, name), bytes(2, message(bytes(1, message(number(1, TYPE[type]), bytes(2, message(...dims)))))))
}

// ── protobuf's wire format (protobuf.dev/programming-guides/encoding): a tag, then a varint, four bytes, or a length and that many bytes

const VARINT = 0
const LENGTH = 2
const FIXED32 = 5

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields)
}

function varint(value: bigint): number[] {
  const out: number[] = []
  // Negative numbers are written as 64-bit two's complement.
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80)
  return [...out, Number(rest)]
}

const tag = (field: number, wire: number) => varint(BigInt((field << 3) | wire))
const number = (field: number, value: number) => Uint8Array.from([...tag(field, VARINT), ...varint(BigInt(value))])
const bytes = (field: number, value: Uint8Array) =>
  message(Uint8Array.from([...tag(field, LENGTH), ...varint(BigInt(value.length))]), value)
const text = (field: number, value: string) => bytes(field, Buffer.from(value, 'utf8'))
const fixed32 = (field: number, value: number) =>
  message(Uint8Array.from(tag(field, FIXED32)), new Uint8Array(Float32Array.of(value).buffer))
