/** A library on a full disk, on a read-only disk, and in a folder without a library: the error is reported and nothing is lost. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Problem, problemOf } from '../app/errors.ts'
import { openTubelet } from './open.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-disk-'))
const disk = path.join(folder, 'disk')
mkdirSync(disk)
const mount = (...args: string[]) => execFileSync('mount', [...args, disk], { stdio: 'ignore' })
const hasDisk = (() => {
  try {
    mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs')
    return true
  } catch {
    return false
  }
})()
afterAll(() => {
  if (hasDisk) execFileSync('umount', ['-l', disk])
  rmSync(folder, { recursive: true, force: true })
})

const open = (projectDir: string) => openTubelet({ projectDir, packsDir: path.join(folder, 'packs'), host: 'web' })
function refusal(projectDir: string): Problem {
  try {
    void open(projectDir).close()
  } catch (error) {
    return problemOf(error)
  }
  return expect.fail('it opened')
}
function video(name: string, hue: number): string {
  const file = path.join(folder, `${name}.mp4`)
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=160x120:r=10:d=2',
    '-vf',
    `hue=h=${hue}`,
    '-pix_fmt',
    'yuv420p',
    file,
  ])
  return file
}
/** Fill the disk. */
function fill(): void {
  try {
    for (;;) writeFileSync(path.join(disk, 'filler'), Buffer.alloc(4096), { flag: 'a' })
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  }
}
const makeRoom = () => rmSync(path.join(disk, 'filler'))

test.skipIf(!hasDisk)(
  'a full disk holds the work up, says so, and lets it go on',
  { timeout: 180_000, meta: { needs: 'root, to mount a small disk' } },
  async () => {
    const projectDir = path.join(disk, 'library')
    const [one, another] = [video('one', 0), video('another', 90)]
    const tubelet = open(projectDir)
    try {
      const { jobs, library } = tubelet
      const { added } = await tubelet.intake.bring({ paths: [one] })
      fill()
      const told = { code: 'disk-full', message: 'The disk is full.', next: expect.stringContaining('Free some space') as string }
      await expect
        .poll(() => jobs.queue(), { timeout: 60_000 })
        .toMatchObject({ waiting: 1, running: 0, failed: 0, jobs: [{ state: 'queued', problem: told }] })
      const [source] = added
      expect(jobs.sources()).toMatchObject([{ id: source?.id, state: 'queued', problem: told }])
      expect((await tubelet.intake.bring({ paths: [another] })).rejected).toMatchObject([{ problem: told }])
      const answer = await tubelet.handle(new Request('http://tubelet/api/queue/pause', { method: 'POST' }))
      expect(answer.status).toBe(507)
      makeRoom()
      jobs.resume()
      await expect.poll(() => jobs.sources(), { timeout: 60_000 }).toMatchObject([{ state: 'done', problem: null }])
      expect(library.clips({ limit: 9, offset: 0 }).total).toBeGreaterThan(0)
      expect(jobs.queue()).toMatchObject({ waiting: 0, running: 0, failed: 0, finished: 1 })
    } finally {
      await tubelet.close()
    }
  },
)

test.skipIf(!hasDisk)(
  'a library on a full disk, or on one that may not be written to, is opened when it may',
  { meta: { needs: 'root, to mount a small disk' } },
  async () => {
    const projectDir = path.join(disk, 'second')
    await open(projectDir).close()
    fill()
    expect(refusal(projectDir)).toMatchObject({
      code: 'disk-full',
      file: projectDir,
      next: 'Free some space on it, then open the library again.',
    })
    makeRoom()
    mount('-o', 'remount,ro')
    expect(refusal(projectDir)).toMatchObject({ code: 'forbidden' })
    mount('-o', 'remount,rw')
    await open(projectDir).close()
  },
)

test('what is no library is told apart and stays as it is', () => {
  const file = path.join(folder, 'notes.txt')
  writeFileSync(file, 'mine')
  expect(refusal(file)).toMatchObject({ code: 'conflict', next: 'Choose another folder.' })
  expect(refusal(path.join(file, 'below'))).toMatchObject({ code: 'conflict' })
  const damaged = path.join(folder, 'damaged')
  mkdirSync(damaged)
  writeFileSync(path.join(damaged, 'library.sqlite'), 'no database, but somebody’s own text, and long enough to be read as a header')
  expect(refusal(damaged)).toMatchObject({ code: 'file-unreadable', message: 'The library file is damaged, or is no library.' })
  expect(readFileSync(path.join(damaged, 'library.sqlite'), 'utf8')).toMatch(/^no database/)
  expect(refusal(process.platform === 'linux' ? '/proc/tubelet/library' : path.join(file, 'x'))).toMatchObject({
    next: 'Choose another folder.',
  })
})
