import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { f32, writeSafetensors } from './checkpoint.testing.ts'
import { readSafetensors } from './safetensors.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-safetensors-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const good = {
  a: f32([2, 3], [1, 2, 3, 4, 5, 6]),
  b: { dtype: 'BF16', shape: [2], data: new Uint8Array([0, 1, 2, 3]) },
  scalar: f32([], [7]),
  none: f32([0, 4], []),
}
let count = 0
const fresh = () => path.join(folder, `${(count += 1)}.safetensors`)
const made = (edit?: (header: Record<string, never>) => unknown) => {
  const file = fresh()
  writeSafetensors(file, good, edit as (header: Record<string, unknown>) => unknown)
  return file
}
const holding = (content: string | Uint8Array) => {
  const file = fresh()
  writeFileSync(file, content)
  return file
}
/** The problem as a person reads it. */
const why = (file: string) =>
  readSafetensors(file).then(
    () => expect.fail(`${file} was accepted`),
    (error: unknown) => {
      const problem = problemOf(error)
      return { ...problem, ...inEnglish(problem) }
    },
  )

test('a good file is read: types, shapes, and where each tensor lies', async () => {
  const file = made()
  const { tensors, bytes } = await readSafetensors(file)
  const all = readFileSync(file)
  expect(bytes).toBe(all.length)
  expect([...tensors.keys()]).toEqual(['a', 'b', 'scalar', 'none'])
  const a = tensors.get('a')
  expect(a).toMatchObject({ dtype: 'F32', shape: [2, 3], bytes: 24 })
  expect(all.readFloatLE((a?.begin ?? 0) + 20)).toBe(6)
  expect(all.readFloatLE(tensors.get('scalar')?.begin ?? 0)).toBe(7)
})

test('what is no checkpoint is called what it is, with a way on', async () => {
  expect(await why(holding('PK\x03\x04 archive/data.pkl and so on'))).toMatchObject({
    code: 'checkpoint-unusable',
    message: expect.stringContaining('PyTorch') as string,
    next: expect.stringContaining('python -m models.openmammut convert') as string,
  })
  expect((await why(holding(new Uint8Array([0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0, 0, 0])))).message).toContain('PyTorch')
  expect((await why(holding('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2033179652\n'))).message).toContain('pointer')
  expect((await why(holding('<!DOCTYPE html><title>Sign in</title>'))).message).toContain('web page')
  expect((await why(holding('GGUF\x03\0\0\0\0\0\0\0'))).message).toContain('GGUF')
  expect((await why(holding(''))).message).toContain('empty')
  expect((await why(holding('short'))).message).toContain('not a .safetensors')
  expect((await why(holding('A text file that somebody renamed.'))).message).toContain('not a .safetensors')
  expect((await why(folder)).message).toContain('folder')
  expect((await why(path.join(folder, 'nowhere'))).code).toBe('file-missing')
})

test('a file that ends early says how much of it is there', async () => {
  const file = made()
  truncateSync(file, readFileSync(file).length - 5)
  expect((await why(file)).message).toMatch(/cut off: \d+ of \d+ bytes/)
  truncateSync(file, 30)
  expect((await why(file)).message).toMatch(/cut off: 30 of/)
})

test('no number in the header is trusted', async () => {
  const at = (name: string, change: object) => made((header) => ({ ...header, [name]: Object.assign({}, header[name], change) }))
  const wrong: Record<string, string> = {
    'an overlap': at('b', { data_offsets: [20, 24] }),
    'a hole': at('b', { data_offsets: [26, 30] }),
    'a shape that needs more bytes': at('a', { shape: [3, 3] }),
    'a shape whose product overflows': at('a', { shape: [2 ** 31, 2 ** 31, 2 ** 31] }),
    'a negative side': at('a', { shape: [-2, -3] }),
    'half an element': at('a', { shape: [2.5, 2.4] }),
    'an end before its begin': at('a', { data_offsets: [24, 0] }),
    'an offset past all files': at('b', { data_offsets: [2 ** 60, 2 ** 60 + 4] }),
    'a type that is not known': at('a', { dtype: 'F4' }),
    'an entry that is no tensor': made((header) => ({ ...header, a: 7 })),
    'a tensor left out': made((header) => ({ __metadata__: {}, a: header['a'] })),
  }
  for (const [what, file] of Object.entries(wrong)) expect((await why(file)).code, what).toBe('checkpoint-unusable')
  expect((await why(made(() => []))).message).toContain('not a .safetensors')
  const huge = Buffer.alloc(64)
  huge.writeBigUInt64LE(2n ** 63n)
  huge.write('{', 8)
  expect((await why(holding(huge))).message).toContain('not a .safetensors')
  huge.writeBigUInt64LE(90_000_000n)
  expect((await why(holding(huge))).message).toContain('cut off')
  // All of it is there, but for the disk, and a million tensors would fit.
  const long = holding(huge)
  truncateSync(long, 95_000_000)
  expect((await why(long)).message).toContain('longer than that of any model')
})
