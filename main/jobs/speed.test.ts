import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Speed } from './speed.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-speed-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const small = { codec: 'h264', side: 480 }
const large = { codec: 'hevc', side: 2160 }

test('nothing is promised before three files of a model were timed; then each kind of video has its own speed', () => {
  const file = path.join(folder, 'cache', 'speed.json')
  const speed = new Speed(file)
  const ahead = (kind: typeof small) => [{ ...kind, seconds: 100, files: 1 }]
  for (const video of [10, 10]) speed.learn('a', small, video, 1)
  expect(speed.estimate('a', ahead(small))).toBeNull()
  speed.learn('a', small, 10, 1)
  expect(speed.estimate('a', ahead(small))).toBeCloseTo(10)
  expect(speed.estimate('b', ahead(small))).toBeNull()
  // A kind that was seen too seldom is taken as the average of all.
  speed.learn('a', large, 10, 10)
  expect(speed.estimate('a', ahead(large))).toBeCloseTo((100 * 13) / 40)
  for (const video of [10, 10]) speed.learn('a', large, video, 10)
  expect(speed.estimate('a', ahead(large))).toBeCloseTo(100)
  expect(speed.estimate('a', ahead(small))).toBeCloseTo(10)
  // A file that was not read yet is an average one: 10 s of video here, at 33 s for 60.
  expect(speed.estimate('a', [{ codec: null, side: 0, seconds: 0, files: 2 }])).toBeCloseTo(11)
  // It survives the process.
  expect(new Speed(file).estimate('a', ahead(large))).toBeCloseTo(100)
})

test('what cannot be read or written only costs learning again', () => {
  const file = path.join(folder, 'speed.json')
  writeFileSync(file, '{"a": 1')
  expect(new Speed(file).estimate('a', [])).toBeNull()
  expect(() => new Speed(path.join(file, 'below', 'a-file')).learn('a', small, 1, 1)).not.toThrow()
})
