/**
 * Dot products of one vector with the rows of a matrix, 4 floats an instruction: WebAssembly SIMD, which every Node and Electron that runs Tubelet
 * has. JavaScript takes four times as long, and search over many regions of many clips is nothing but this. The source is dots.wat.
 */

/** Rows are padded to a multiple of this many floats. */
export const LANES = 8
/** The most that WebAssembly can address, 4 GiB, in pages of `PAGE` bytes. */
export const PAGES = 65_536
export const PAGE = 65_536

/** dots.wat in WebAssembly's binary format; dots.test.ts says when it is not. */
export const KERNEL = Buffer.from(
  'AGFzbQEAAAABCQFgBX9/f39/AAIKAQABbQIBAYCABAMCAQAHBQEBZAAACqYBAaMBAgJ/AnsDQCAAIAJqIQYgAyEF/QwAAAAAAAAAAAAAAAAAAA' +
    'AAIgchCANAIAcgAP0AAgAgBf0AAgD95gH95AEhByAIIAD9AAIQIAX9AAIQ/eYB/eQBIQggBUEgaiEFIABBIGohACAAIAZJDQALIAcgCP3kASEH' +
    'IAQgB/0fACAH/R8BkiAH/R8CkiAH/R8DkjgCACAEQQRqIQQgAUEBayIBDQALCw==',
  'base64',
)
const kernel = new WebAssembly.Module(KERNEL)

/** Multiplies `rows` rows of `stride` bytes from `at` on with the vector at `query`; writes one float per row from `out` on. Addresses in bytes. */
type Dots = (at: number, rows: number, stride: number, query: number, out: number) => void

export function dotsIn(memory: WebAssembly.Memory): Dots {
  return new WebAssembly.Instance(kernel, { '': { m: memory } }).exports['d'] as Dots
}
