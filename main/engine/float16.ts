/// <reference lib="esnext.float16" />
/** Half-precision storage. Tensors of graphs are always fp32: the runtime cannot pass Float16Array on Node 24. */

/** Rounds to nearest even; returns the bits. */
export function toHalf(values: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(values).buffer)
}

export function fromHalf(bits: Uint16Array): Float32Array {
  return new Float32Array(new Float16Array(bits.buffer, bits.byteOffset, bits.length))
}
