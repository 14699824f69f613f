/** Watched folders: real files that come, grow, go and are edited, with the real analysis. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import { findMediaTools } from '../media/tools.ts'
import { openTubelet, type Tubelet } from '../open.ts'
import { SIDECARS } from './watching.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-watching-'))
const folder = path.join(root, 'camera')
const project = path.join(folder, 'library')
mkdirSync(path.join(folder, 'day 1'), { recursive: true })
const open = () => openTubelet({ projectDir: project, packsDir: path.join(root, 'packs'), host: 'web' })
let tubelet: Tubelet = open()
afterAll(async () => {
  await tubelet.close()
  rmSync(root, { recursive: true, force: true })
})
const LONG = { timeout: 60_000, interval: 100 }
const names = () => tubelet.jobs.sources().map(({ name }) => name)
const states = () => Object.fromEntries(tubelet.jobs.sources().map(({ name, state }) => [name, state]))
const whyNot = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => problemOf(error),
  )
/** A video of half a second; each colour is another content. */
async function film(file: string, colour: string): Promise<string> {
  const { ffmpeg } = await findMediaTools()
  const made = path.join(root, `${colour}.mp4`)
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', `color=${colour}:s=64x48:r=10:d=0.5`, '-y', made])
  // Written long ago, as far as anybody can see.
  utimesSync(made, new Date('2026-01-01'), new Date('2026-01-01'))
  execFileSync('cp', ['-p', made, file])
  return file
}
const sidecar = (video: string, file = 'captions.vtt') => path.join(folder, SIDECARS, path.parse(video).name, file)

test('what lies in a watched folder is added, then what comes; neither hidden files, other files, nor files of the library', async () => {
  await film(path.join(folder, 'day 1', 'red.mp4'), 'red')
  await film(path.join(folder, '.hidden.mp4'), 'black')
  mkdirSync(path.join(project, 'cache', 'copies'), { recursive: true })
  await film(path.join(project, 'cache', 'copies', 'copy.mp4'), 'white')
  writeFileSync(path.join(folder, 'list.txt'), 'no video')
  await tubelet.watching.add({ folder, formats: ['vtt'] }, true)
  await vi.waitFor(() => expect(states()).toEqual({ 'red.mp4': 'done' }), LONG)
  await film(path.join(folder, 'blue.mp4'), 'blue')
  await vi.waitFor(() => expect(states()).toEqual({ 'red.mp4': 'done', 'blue.mp4': 'done' }), LONG)
  expect(tubelet.watching.list()).toEqual([{ folder, formats: ['vtt'], problem: null }])
})

test('annotation files are there, and follow what people change', async () => {
  await vi.waitFor(() => expect(['red.mp4', 'blue.mp4'].filter((name) => existsSync(sidecar(name)))).toHaveLength(2), LONG)
  const blue = tubelet.jobs.sources().find(({ name }) => name === 'blue.mp4')
  const [clip] = tubelet.library.clips({ sourceId: blue?.id ?? 0, limit: 1, offset: 0 }).clips
  tubelet.library.addAnnotation(clip?.id ?? 0, { kind: 'caption', text: 'A sea without ships' })
  await vi.waitFor(() => expect(readFileSync(sidecar('blue.mp4'), 'utf8')).toContain('A sea without ships'), LONG)
  expect(readFileSync(sidecar('red.mp4'), 'utf8')).not.toContain('A sea without ships')
})

test('a file that grows is added when it is whole', async () => {
  const whole = readFileSync(await film(path.join(root, 'whole.mp4'), 'green'))
  const file = path.join(folder, 'green.mp4')
  writeFileSync(file, whole.subarray(0, 300))
  // Every second a little, for longer than two looks are apart.
  for (let part = 1; part <= 5; part += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(names()).not.toContain('green.mp4')
    appendFileSync(file, whole.subarray(part * 300, part === 5 ? undefined : (part + 1) * 300))
  }
  await vi.waitFor(() => expect(states()['green.mp4']).toBe('done'), LONG)
})

test('a video that a person removed stays removed, also after a restart; what changed meanwhile is written then', async () => {
  const red = tubelet.jobs.sources().find(({ name }) => name === 'red.mp4')
  await tubelet.jobs.removeSource(red?.id ?? 0)
  await film(path.join(folder, 'pink.mp4'), 'pink')
  await vi.waitFor(() => expect(states()['pink.mp4']).toBe('done'), LONG)
  expect(names()).not.toContain('red.mp4')
  tubelet.library.bin.empty()
  await tubelet.close()
  rmSync(sidecar('pink.mp4'), { force: true })
  await film(path.join(folder, 'gray.mp4'), 'gray')
  tubelet = open()
  await vi.waitFor(() => expect(states()['gray.mp4']).toBe('done'), LONG)
  expect(names()).not.toContain('red.mp4')
  await vi.waitFor(
    () => expect([existsSync(sidecar('gray.mp4')), tubelet.watching.list()]).toMatchObject([true, [{ problem: null }]]),
    LONG,
  )
})

test('a folder that is gone is told and taken up again; a file of somebody else in the way of one is kept, and the others are written', async () => {
  const drive = path.join(root, 'drive')
  const away = `${drive} away`
  mkdirSync(drive)
  await tubelet.watching.add({ folder: drive, formats: ['vtt'] }, true)
  const problem = (of: string) => tubelet.watching.list().find((one) => one.folder === of)?.problem
  renameSync(drive, away)
  await vi.waitFor(() => expect(problem(drive)?.message).toBe('There is nothing at this place.'), LONG)
  await film(path.join(away, 'tan.mp4'), 'tan')
  renameSync(away, drive)
  await vi.waitFor(() => expect(states()['tan.mp4']).toBe('done'), LONG)
  await vi.waitFor(() => expect(problem(drive)).toBeNull(), LONG)
  const written = path.join(drive, SIDECARS, 'tan', 'captions.vtt')
  await vi.waitFor(() => expect(existsSync(written)).toBe(true), LONG)
  // What is changed while the folder is away is written when it is back.
  renameSync(drive, away)
  const tan = tubelet.jobs.sources().find(({ name }) => name === 'tan.mp4')
  const [clip] = tubelet.library.clips({ sourceId: tan?.id ?? 0, limit: 1, offset: 0 }).clips
  tubelet.library.addAnnotation(clip?.id ?? 0, { kind: 'segment', text: 'Meanwhile', span: { startFrame: 0, endFrame: 3 } })
  await vi.waitFor(() => expect(problem(drive)?.message).toBe('There is nothing at this place.'), LONG)
  renameSync(away, drive)
  await vi.waitFor(() => expect(readFileSync(written, 'utf8')).toContain('Meanwhile'), LONG)
  writeFileSync(sidecar('blue.mp4'), 'mine')
  for (const { id, name } of tubelet.jobs.sources()) {
    const [clip] = tubelet.library.clips({ sourceId: id, limit: 1, offset: 0 }).clips
    if (clip !== undefined && (name === 'blue.mp4' || name === 'gray.mp4'))
      tubelet.library.addAnnotation(clip.id, { kind: 'segment', text: 'Another', span: { startFrame: 0, endFrame: 3 } })
  }
  await vi.waitFor(() => expect(readFileSync(sidecar('gray.mp4'), 'utf8')).toContain('Another'), LONG)
  await vi.waitFor(() => expect(problem(folder)).toMatchObject({ code: 'conflict' }), LONG)
  expect(readFileSync(sidecar('blue.mp4'), 'utf8')).toBe('mine')
  // Nor does it keep the other files of its video from being written.
  await tubelet.watching.add({ folder: drive, formats: ['vtt', 'srt'] }, true)
  const beside = path.join(drive, SIDECARS, 'tan', 'captions.srt')
  await vi.waitFor(() => expect(existsSync(beside)).toBe(true), LONG)
  writeFileSync(written, 'mine')
  tubelet.library.addAnnotation(clip?.id ?? 0, { kind: 'segment', text: 'Besides', span: { startFrame: 0, endFrame: 3 } })
  await vi.waitFor(() => expect(readFileSync(beside, 'utf8')).toContain('Besides'), LONG)
  expect(readFileSync(written, 'utf8')).toBe('mine')
})

test('folders in watched folders, files and missing places are refused; after the end nothing is added', async () => {
  const { watching } = tubelet
  expect(await whyNot(watching.add({ folder: path.join(folder, 'day 1'), formats: [] }, true))).toMatchObject({ code: 'conflict' })
  expect(await whyNot(watching.add({ folder: root, formats: [] }, true))).toMatchObject({ code: 'conflict' })
  expect(await whyNot(watching.add({ folder: path.join(folder, 'list.txt'), formats: [] }, true))).toMatchObject({ code: 'file-missing' })
  expect(await whyNot(watching.add({ folder: path.join(root, 'nowhere'), formats: [] }, true))).toMatchObject({ code: 'file-missing' })
  watching.remove(folder)
  expect(() => watching.remove(folder)).toThrow('This folder is not watched.')
  expect(watching.list().map((one) => one.folder)).toEqual([path.join(root, 'drive')])
  await film(path.join(folder, 'cyan.mp4'), 'cyan')
  const other = path.join(root, 'other')
  mkdirSync(other)
  await film(path.join(other, 'lime.mp4'), 'lime')
  await watching.add({ folder: other, formats: [] }, true)
  await vi.waitFor(() => expect(states()['lime.mp4']).toBe('done'), LONG)
  expect(names()).not.toContain('cyan.mp4')
  expect(existsSync(path.join(other, SIDECARS))).toBe(false)
})
