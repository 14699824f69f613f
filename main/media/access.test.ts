/** What is said of a file that goes away while it is read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { readingFile } from './access.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-access-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const DAMAGED: Problem = { code: 'damaged', message: 'Parts of this file cannot be read.' }

test('a file that goes away while it is read is told as that, and never as no video or as damaged', async () => {
  const file = path.join(folder, 'clip.mp4')
  const here = () => writeFileSync(file, 'x')
  const goes = () => rmSync(file)
  const notVideo = new TubeletError({ code: 'not-a-video', message: 'clip.mp4 is not a video, whatever its name says.', file })
  const outcome = (work: () => Promise<Problem | null>) =>
    readingFile(file, work).then(
      (problem) => problem?.code ?? null,
      (error: unknown) => (error instanceof TubeletError ? error.problem.code : String(error)),
    )
  here()
  expect(await outcome(() => Promise.resolve(null))).toBe(null)
  expect(await outcome(() => Promise.resolve(DAMAGED))).toBe('damaged')
  expect(await outcome(() => Promise.reject(notVideo))).toBe('not-a-video')
  goes()
  expect(await outcome(() => Promise.reject(notVideo))).toBe('file-missing')
  expect(await outcome(() => Promise.resolve(DAMAGED))).toBe('file-missing')
  // What was read to its end was read; and what is no fault of a file stays what it is.
  expect(await outcome(() => Promise.resolve(null))).toBe(null)
  expect(await outcome(() => Promise.reject(new Error('closed')))).toBe('Error: closed')
})
