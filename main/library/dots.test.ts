/** The kernel matches its source: dots.wat is assembled here, instruction by instruction, and compared with the bytes that run. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { dotsIn, KERNEL, LANES } from './dots.ts'

/** Binary codes of the instructions that dots.wat uses (webassembly.github.io/spec/core/appendix/index-instructions.html). */
const OPCODES: Readonly<Record<string, readonly number[]>> = {
  loop: [0x03, 0x40],
  end: [0x0b],
  br_if: [0x0d],
  'local.get': [0x20],
  'local.set': [0x21],
  'local.tee': [0x22],
  'f32.store': [0x38],
  'i32.const': [0x41],
  'i32.lt_u': [0x49],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'f32.add': [0x92],
  'v128.load': [0xfd, 0x00],
  'v128.const': [0xfd, 0x0c],
  'f32x4.extract_lane': [0xfd, 0x1f],
  'f32x4.add': [0xfd, 0xe4, 0x01],
  'f32x4.mul': [0xfd, 0xe6, 0x01],
}
const TYPES: Readonly<Record<string, number>> = { i32: 0x7f, v128: 0x7b }

/** Numbers in the binary format (LEB128): seven bits per byte, the lowest first. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)])
const section = (id: number, content: readonly number[]) => [id, ...leb(content.length), ...content]
const text = (name: string) => [...leb(name.length), ...Buffer.from(name)]

/** Assembles a module with one imported memory and one exported function, with one instruction per line. */
function assembled(source: string): Buffer {
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
    const opcode = OPCODES[op] ?? expect.fail(`no such instruction here: ${op}`)
    if (op === 'loop') labels.unshift(String(rest[0]))
    if (op === 'end') labels.shift()
    if (op === 'br_if') return [...opcode, labels.indexOf(String(rest[0]))]
    if (op === 'v128.const')
      return [...opcode, ...rest.slice(1).flatMap((half) => [...new Uint8Array(BigInt64Array.of(BigInt(half)).buffer)])]
    const value = (key: string) => Number(rest.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1))
    if (op.endsWith('.load') || op.endsWith('.store')) return [...opcode, Math.log2(value('align')), value('offset')]
    return [
      ...opcode,
      ...(op === 'loop' ? [] : rest.map((operand) => (operand.startsWith('$') ? names.indexOf(operand) : Number(operand)))),
    ]
  })
  const groups = types.flatMap((type) => [locals.filter((local) => local.type === type).length, type])
  const body = [types.length, ...groups, ...instructions, 0x0b]
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters.map(({ type }) => type), 0]),
    ...section(2, [1, ...text(from), ...text(memory), 2, 1, ...leb(Number(least)), ...leb(Number(most))]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text(name), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ])
}

test('the bytes are those of dots.wat', () => {
  const source = readFileSync(path.join(import.meta.dirname, 'dots.wat'), 'utf8')
  expect(assembled(source).toString('base64')).toBe(KERNEL.toString('base64'))
  expect(assembled(source.replace('i32.lt_u', 'i32.sub')).equals(KERNEL)).toBe(false)
})

test.each([
  [1, LANES],
  [3, LANES * 5],
  [100, LANES * 96],
])('%i rows of %i floats give the sums of their products', (rows, width) => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536 })
  const floats = new Float32Array(memory.buffer)
  const values = (count: number, seed: number) => Array.from({ length: count }, (_, i) => Math.fround(Math.sin(seed + i * 1.7)))
  const [query, matrix] = [values(width, 1), values(rows * width, 2)]
  floats.set(query, 0)
  floats.set(matrix, width)
  const out = width + rows * width
  dotsIn(memory)(width * 4, rows, width * 4, 0, out * 4)
  for (let row = 0; row < rows; row += 1) {
    const expected = query.reduce((sum, value, i) => sum + value * (matrix[row * width + i] ?? NaN), 0)
    expect(floats[out + row]).toBeCloseTo(expected, 3)
  }
})
