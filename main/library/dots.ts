/**
 * Dot products of one vector with the rows of a matrix, in WebAssembly SIMD, which every Node and Electron that runs Tubelet has. JavaScript takes four
 * times as long, and search over many regions of many clips is nothing but this. The sources are dots.wat and bytes.wat.
 */

/** Rows are padded to a multiple of so many numbers. */
export const LANES = 8
export const BYTE_LANES = 16
/** Rows of bytes are multiplied so many at a time. */
export const BYTE_ROWS = 4
/** The most that WebAssembly can address, 4 GiB, in pages of `PAGE` bytes. */
export const PAGES = 65_536
export const PAGE = 65_536

/** dots.wat and bytes.wat in WebAssembly's binary format; dots.test.ts says when they are not. */
export const KERNELS = {
  dots: Buffer.from(
    'AGFzbQEAAAABCQFgBX9/f39/AAIKAQABbQIBAYCABAMCAQAHBQEBZAAACqYBAaMBAgJ/AnsDQCAAIAJqIQYgAyEF/QwAAAAAAAAAAAAAAAAAAA' +
      'AAIgchCANAIAcgAP0AAgAgBf0AAgD95gH95AEhByAIIAD9AAIQIAX9AAIQ/eYB/eQBIQggBUEgaiEFIABBIGohACAAIAZJDQALIAcgCP3kASEH' +
      'IAQgB/0fACAH/R8BkiAH/R8CkiAH/R8DkjgCACAEQQRqIQQgAUEBayIBDQALCw==',
    'base64',
  ),
  bytes: Buffer.from(
    'AGFzbQEAAAABCQFgBX9/f39/AAIKAQABbQIBAYCABAMCAQAHBQEBZAAACrMDAbADAgV/BXsDQCAAIAJqIgYiByACaiIIIAJqIQkgAyEF/QwAAAAAAAAAAA' +
      'AAAAAAAAAAIgsiDCINIQ4DQCAF/QACACEKIAsgAP0BAAAgCv26Af2uASELIAwgB/0BAAAgCv26Af2uASEMIA0gCP0BAAAgCv26Af2uASENIA4gCf0BAAAg' +
      'Cv26Af2uASEOIAX9AAIQIQogCyAA/QEACCAK/boB/a4BIQsgDCAH/QEACCAK/boB/a4BIQwgDSAI/QEACCAK/boB/a4BIQ0gDiAJ/QEACCAK/boB/a4BIQ' +
      '4gBUEgaiEFIAdBEGohByAIQRBqIQggCUEQaiEJIABBEGoiACAGSQ0ACyALIAz9DQABAgMQERITBAUGBxQVFhcgCyAM/Q0ICQoLGBkaGwwNDg8cHR4f/a4B' +
      'IQsgDSAO/Q0AAQIDEBESEwQFBgcUFRYXIA0gDv0NCAkKCxgZGhsMDQ4PHB0eH/2uASENIAQgCyAN/Q0AAQIDBAUGBxAREhMUFRYXIAsgDf0NCAkKCwwNDg' +
      '8YGRobHB0eH/2uAf0LAgAgBEEQaiEEIAkhACABQQRrIgENAAsL',
    'base64',
  ),
} as const
const [dots, bytes] = [new WebAssembly.Module(KERNELS.dots), new WebAssembly.Module(KERNELS.bytes)]

/** Multiplies `rows` rows of `stride` bytes from `at` on with the vector at `query`; writes one number of four bytes per row from `out` on. Addresses in bytes. */
type Dots = (at: number, rows: number, stride: number, query: number, out: number) => void

/** Rows and vector are floats, and so are the products. */
export function dotsIn(memory: WebAssembly.Memory): Dots {
  return new WebAssembly.Instance(dots, { '': { m: memory } }).exports['d'] as Dots
}

/** Rows are signed bytes, a multiple of BYTE_ROWS of them; the vector is 16-bit integers, and the products are 32-bit ones, which they must fit into. */
export function byteDotsIn(memory: WebAssembly.Memory): Dots {
  return new WebAssembly.Instance(bytes, { '': { m: memory } }).exports['d'] as Dots
}
