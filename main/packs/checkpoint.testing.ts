/** Writes `.safetensors` files for tests. */
import { writeFileSync } from 'node:fs'

export interface MadeTensor {
  dtype: string
  shape: readonly number[]
  data: Uint8Array
}

export function f32(shape: readonly number[], values: ArrayLike<number>): MadeTensor {
  return { dtype: 'F32', shape, data: new Uint8Array(Float32Array.from(values).buffer) }
}

/** @param edit Changes the header, to make a file wrong. */
export function writeSafetensors(file: string, tensors: Readonly<Record<string, MadeTensor>>, edit: (header: Record<string, unknown>) => unknown = (header) => header): void {
  let at = 0
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] }
    at += data.length
  }
  const json = Buffer.from(JSON.stringify(edit(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  writeFileSync(file, Buffer.concat([length, json, ...Object.values(tensors).map(({ data }) => data)]))
}
