/**
 * The bytes of a WebAssembly kernel from its source, for tests that compare them with those that run: one module with one imported memory and one
 * exported function, one instruction a line.
 */

/** Binary codes of the instructions that the kernels here use (webassembly.github.io/spec/core/appendix/index-instructions.html). */
const OPCODES: Readonly<Record<string, readonly number[]>> = {
  loop: [0x03, 0x40],
  end: [0x0b],
  br_if: [0x0d],
  'local.get': [0x20],
  'local.set': [0x21],
  'local.tee': [0x22],
  'i32.store': [0x36],
  'f32.store': [0x38],
  'i32.const': [0x41],
  'i32.lt_u': [0x49],
  'i32.popcnt': [0x69],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'f32.add': [0x92],
  'v128.load': [0xfd, 0x00],
  'v128.load8x8_s': [0xfd, 0x01],
  'v128.const': [0xfd, 0x0c],
  'i8x16.shuffle': [0xfd, 0x0d],
  'v128.load64_lane': [0xfd, 0x57],
  'v128.load64_zero': [0xfd, 0x5d],
  'i32x4.extract_lane': [0xfd, 0x1b],
  'i16x8.add': [0xfd, 0x8e, 0x01],
  'v128.store': [0xfd, 0x0b],
  'i8x16.splat': [0xfd, 0x0f],
  'i8x16.ge_u': [0xfd, 0x2c],
  'v128.and': [0xfd, 0x4e],
  'v128.or': [0xfd, 0x50],
  'i8x16.bitmask': [0xfd, 0x64],
  'i8x16.sub': [0xfd, 0x71],
  'i8x16.sub_sat_u': [0xfd, 0x73],
  'i8x16.min_u': [0xfd, 0x77],
  'i8x16.max_u': [0xfd, 0x79],
  'i16x8.extadd_pairwise_i8x16_u': [0xfd, 0x7d],
  'i32x4.extadd_pairwise_i16x8_u': [0xfd, 0x7f],
  'i16x8.extmul_low_i8x16_u': [0xfd, 0x9e, 0x01],
  'i16x8.extmul_high_i8x16_u': [0xfd, 0x9f, 0x01],
  'i32x4.add': [0xfd, 0xae, 0x01],
  'i32x4.dot_i16x8_s': [0xfd, 0xba, 0x01],
  'f32x4.extract_lane': [0xfd, 0x1f],
  'f32x4.add': [0xfd, 0xe4, 0x01],
  'f32x4.mul': [0xfd, 0xe6, 0x01],
}
const TYPES: Readonly<Record<string, number>> = { i32: 0x7f, v128: 0x7b }

/** Numbers in the binary format (LEB128): seven bits per byte, the lowest first. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)])
const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content]
const text = (name: string) => [...leb(name.length), ...new TextEncoder().encode(name)]

/** Assembles a module with one imported memory and one exported function, with one instruction per line. */
export function assembled(source: string): number[] {
  const code = source.replaceAll(/;;.*/g, '')
  const [, from = '', memory = '', least = '', most = ''] = /\(import "(.*?)" "(.*?)" \(memory (\d+) (\d+)\)\)/.exec(code) ?? []
  const [, name = ''] = /\(func \(export "(.*?)"\)/.exec(code) ?? []
  const declared = (kind: string) =>
    [...code.matchAll(new RegExp(`\\(${kind} (\\$\\w+) (\\w+)\\)`, 'g'))].map(([, local = '', type = '']) => ({
      local,
      type: TYPES[type] ?? NaN,
    }))
  const [parameters, locals] = [declared('param'), declared('local')]
  const names = [...parameters, ...locals].map(({ local }) => local)
  const types = [...new Set(locals.map(({ type }) => type))]
  const labels: string[] = []
  const instructions = (
    code
      .slice(code.lastIndexOf('(local'))
      .split('\n')
      .slice(1)
      .join('\n')
      .match(/^ *[a-z].*$/gm) ?? []
  ).flatMap((line) => {
    const [op = '', ...rest] = line.trim().split(/\s+/)
    const opcode = OPCODES[op]
    if (opcode === undefined) throw new Error(`no such instruction here: ${op}`)
    if (op === 'loop') labels.unshift(String(rest[0]))
    if (op === 'end') labels.shift()
    if (op === 'br_if') return [...opcode, labels.indexOf(String(rest[0]))]
    if (op === 'v128.const')
      return [...opcode, ...rest.slice(1).flatMap((half) => [...new Uint8Array(BigInt64Array.of(BigInt(half)).buffer)])]
    const value = (key: string) => Number(rest.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1))
    if (rest.some((part) => part.startsWith('align=')))
      return [...opcode, Math.log2(value('align')), value('offset'), ...rest.filter((part) => !part.includes('=')).map(Number)]
    return [
      ...opcode,
      ...(op === 'loop' ? [] : rest.map((operand) => (operand.startsWith('$') ? names.indexOf(operand) : Number(operand)))),
    ]
  })
  const groups = types.flatMap((type) => [locals.filter((local) => local.type === type).length, type])
  const body = [types.length, ...groups, ...instructions, 0x0b]
  return [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters.map(({ type }) => type), 0]),
    ...section(2, [1, ...text(from), ...text(memory), 2, 1, ...leb(Number(least)), ...leb(Number(most))]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text(name), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]
}
