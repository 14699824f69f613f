/**
 * Dot products of one vector with the rows of a matrix, 4 floats an instruction: WebAssembly SIMD, which every Node and Electron that runs Tubelet
 * has. JavaScript takes five times as long, and search over many regions of many clips is nothing but this.
 */

/** Rows are padded to a multiple of so many floats. */
export const LANES = 8

const [GET, SET, TEE, CONST, ADD, SUB, LESS, LOOP, END, AGAIN_IF] = [0x20, 0x21, 0x22, 0x41, 0x6a, 0x6b, 0x49, 0x03, 0x0b, 0x0d]
const [NOTHING, I32, V128] = [0x40, 0x7f, 0x7b]
const [F32_ADD, F32_STORE, SIMD] = [0x92, 0x38, 0xfd]
const [AT, ROWS, STRIDE, QUERY, OUT, COLUMN, ROW_END, EVEN, ODD] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const
const load = (pointer: number, offset: number) => [GET, pointer, SIMD, 0x00, 2, offset]
const [MULTIPLY, SUM] = [
  [SIMD, 0xe6, 0x01],
  [SIMD, 0xe4, 0x01],
] as const
const lane = (number: number) => [GET, EVEN, SIMD, 0x1f, number]
const advance = (pointer: number, bytes: number) => [GET, pointer, CONST, bytes, ADD, SET, pointer]
/** sum += row[offset..offset + 16) * query[offset..offset + 16) */
const accumulate = (sum: number, offset: number) => [GET, sum, ...load(AT, offset), ...load(COLUMN, offset), ...MULTIPLY, ...SUM, SET, sum]

const body = [
  2,
  2,
  I32,
  2,
  V128, // locals: COLUMN, ROW_END; EVEN, ODD
  LOOP,
  NOTHING,
  GET,
  AT,
  GET,
  STRIDE,
  ADD,
  SET,
  ROW_END,
  GET,
  QUERY,
  SET,
  COLUMN,
  SIMD,
  0x0c,
  ...Array<number>(16).fill(0),
  TEE,
  EVEN,
  SET,
  ODD,
  LOOP,
  NOTHING,
  ...accumulate(EVEN, 0),
  ...accumulate(ODD, 16),
  ...advance(COLUMN, 4 * LANES),
  ...advance(AT, 4 * LANES),
  GET,
  AT,
  GET,
  ROW_END,
  LESS,
  AGAIN_IF,
  0,
  END,
  GET,
  EVEN,
  GET,
  ODD,
  ...SUM,
  SET,
  EVEN,
  GET,
  OUT,
  ...lane(0),
  ...lane(1),
  F32_ADD,
  ...lane(2),
  F32_ADD,
  ...lane(3),
  F32_ADD,
  F32_STORE,
  2,
  0,
  ...advance(OUT, 4),
  GET,
  ROWS,
  CONST,
  1,
  SUB,
  TEE,
  ROWS,
  AGAIN_IF,
  0,
  END,
  END,
]
/** Numbers of WebAssembly's file format: seven bits a byte, the lowest first. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)])
const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content]
/** The most that WebAssembly can address, 4 GiB, in pages of `PAGE` bytes. */
export const PAGES = 65_536
export const PAGE = 65_536
const kernel = new WebAssembly.Module(
  Uint8Array.from([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 5, I32, I32, I32, I32, I32, 0]),
    ...section(2, [1, 0, 1, 0x6d, 2, 1, 1, ...leb(PAGES)]), // memory "m" of module ""
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x64, 0, 0]), // function 0 is "d"
    ...section(10, [1, ...leb(body.length), ...body]),
  ]),
)

/** All in bytes from the beginning of the memory: `rows` rows of `stride` each from `at` on, multiplied with what lies at `query`; floats go to `out` on. */
type Dots = (at: number, rows: number, stride: number, query: number, out: number) => void

export function dotsIn(memory: WebAssembly.Memory): Dots {
  return new WebAssembly.Instance(kernel, { '': { m: memory } }).exports['d'] as Dots
}
