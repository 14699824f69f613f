/** Numbered pictures with gaps: reported, taken as one video, and taken as several. Real pictures, made here. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { english } from '../../app/phrase.ts'
import { findMediaTools } from '../media/tools.ts'
import { openTubelet } from '../open.ts'
import { becameOf, linesOf } from './told.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-intake-'))
const tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir: path.join(folder, 'packs'), host: 'cli' })
afterAll(async () => {
  await tubelet.close()
  rmSync(folder, { recursive: true, force: true })
})

test('pictures with gaps are told by number, before and in the entry, and become one video or one of each part', async () => {
  const { ffmpeg } = await findMediaTools()
  const run = path.join(folder, 'run')
  mkdirSync(run)
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x48:r=10:d=2', path.join(run, 'p_%03d.png')])
  for (const number of ['004', '011', '012']) rmSync(path.join(run, `p_${number}.png`))
  const bring = (more: Partial<Parameters<typeof tubelet.intake.bring>[0]>) => tubelet.intake.bring({ paths: [run], ...more })
  const told = (brought: Awaited<ReturnType<typeof bring>>) =>
    linesOf(brought, (id) => tubelet.library.source(id).path).map(({ text }) => text)
  const gaps = [
    [4, 4],
    [11, 12],
  ]

  const offered = await bring({})
  expect(offered.numbered).toMatchObject([{ count: 17, missing: 3, gaps }])
  expect(told(offered)).toEqual([expect.stringMatching(/3 missing: 4, 11–12\).*--fps 25; .*--gaps split/)])

  const joined = await bring({ frameRate: 10 })
  expect(joined.added.map(({ name, numbered }) => [name, numbered?.runs.length])).toEqual([['p_###.png', 3]])
  expect(told(joined)).toEqual([expect.stringMatching(/one video over gaps, for these numbers are missing: 4, 11–12\. .*--gaps split/)])
  expect(becameOf(joined, String)).toMatchObject([{ became: 'added', gaps }])

  const parts = await bring({ frameRate: 10, gaps: 'split' })
  expect(parts.added.map(({ name }) => name)).toEqual(['p_###.png [1-3]', 'p_###.png [5-10]', 'p_###.png [13-20]'])
  expect(told(parts)).toEqual([])
  await tubelet.jobs.idle()
  expect(tubelet.jobs.sources().map(({ name, state, probe }) => [name, state, probe?.frameCount])).toEqual([
    ['p_###.png', 'done', 17],
    ['p_###.png [1-3]', 'done', 3],
    ['p_###.png [5-10]', 'done', 6],
    ['p_###.png [13-20]', 'done', 8],
  ])
  // Once they are videos, the frame rate need not be given again.
  expect(await bring({ gaps: 'split' })).toMatchObject({ added: [], numbered: [], duplicates: [{}, {}, {}] })
})

test('failed entries that leave the queue are a step of undo, with the videos that go to the bin', async () => {
  const { jobs, library } = tubelet
  const broken = ['one.mp4', 'two.mp4'].map((name) => path.join(folder, name))
  for (const file of broken) writeFileSync(file, `no video, ${file}\0`.repeat(40))
  await tubelet.intake.bring({ paths: broken })
  await jobs.idle()
  const failed = () => jobs.queue().jobs.flatMap(({ state, title, problem }) => (state === 'failed' ? [[title, problem?.code]] : []))
  const there = () => library.sources().flatMap(({ name, state }) => (state === 'failed' ? [name] : []))
  const [before, names] = [failed(), there()]
  expect([before.length, names]).toEqual([2, ['one.mp4', 'two.mp4']])

  expect(jobs.removeFailed()).toBe(2)
  expect([failed(), there(), library.bin.list().length]).toEqual([[], [], 2])
  expect(english(library.history.list(1).steps[0]?.description ?? { text: '' })).toBe('Removed from the queue × 2')
  await library.history.undo()
  expect([failed(), there(), library.bin.list().length]).toEqual([before, names, 0])
  await library.history.redo()
  expect([failed(), there(), library.bin.list().length]).toEqual([[], [], 2])
  await library.history.undo()

  // Only one of them.
  const [one] = jobs.queue().jobs.filter(({ title }) => title === 'one.mp4')
  jobs.removeFailed(one?.id ?? 0)
  expect(there()).toEqual(['two.mp4'])
  await library.history.undo()
  expect([failed(), there()]).toEqual([before, names])
})

test('names that are exchanged are one sentence, and no file is a duplicate of itself', async () => {
  const { ffmpeg } = await findMediaTools()
  const camera = path.join(folder, 'camera')
  mkdirSync(camera)
  const at = (name: string) => path.join(camera, name)
  // Files of the same size: only their content differs.
  for (const [name, colour] of [
    ['a.avi', 'red'],
    ['b.avi', 'blue'],
    ['c.avi', 'green'],
  ] as const)
    execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', `color=${colour}:s=32x32:r=5:d=1`, '-c:v', 'rawvideo', at(name)])
  const bring = () => tubelet.intake.bring({ paths: [camera] })
  const told = (brought: Awaited<ReturnType<typeof bring>>) =>
    linesOf(brought, (id) => tubelet.library.source(id).path).map(({ text }) => text)
  await bring()
  await tubelet.jobs.idle()
  expect(becameOf(await bring(), (id) => tubelet.library.source(id).path).map(({ became, of }) => [became, of])).toEqual(
    Array(3).fill(['known', undefined]),
  )
  const where = () =>
    tubelet.library.sources().flatMap(({ id, path: file }) => (file.startsWith(camera) ? [[id, path.basename(file)]] : []))
  const [[a], [b], [c]] = where() as [[number], [number], [number]]
  const rename = (...names: [from: string, to: string][]) => {
    for (const [from] of names) renameSync(at(from), at(`${from}.x`))
    for (const [from, to] of names) renameSync(at(`${from}.x`), at(to))
  }

  rename(['a.avi', 'b.avi'], ['b.avi', 'a.avi'])
  const swapped = await bring()
  expect(told(swapped)).toEqual([
    `known: ${at('c.avi')}`,
    'a.avi and b.avi have swapped their names. Each video is known by its content and keeps what was said of it.',
  ])
  expect(swapped).toMatchObject({ added: [], duplicates: [{ sourceId: c }] })
  expect(where()).toEqual([
    [a, 'b.avi'],
    [b, 'a.avi'],
    [c, 'c.avi'],
  ])

  rename(['a.avi', 'b.avi'], ['b.avi', 'c.avi'], ['c.avi', 'a.avi'])
  expect(told(await bring())).toEqual([
    expect.stringMatching(/^Files have changed their names: b\.avi → c\.avi, a\.avi → b\.avi, c\.avi → a\.avi\. /),
  ])

  // Nothing is brought: opening one of them gives the same report, once.
  const heard: string[] = []
  const stop = tubelet.onEvent((event) => {
    if (event.type === 'told') heard.push(english(event.phrase))
  })
  rename(['a.avi', 'b.avi'], ['b.avi', 'a.avi'])
  // All at the same time, as a window asks that shows all of them.
  await Promise.all([a, b, c].map((id) => tubelet.jobs.identity.check(id)))
  stop()
  expect(heard).toEqual([expect.stringMatching(/^(a|b)\.avi and (a|b)\.avi have swapped their names\. /)])
  expect(where()).toEqual([
    [a, 'c.avi'],
    [b, 'a.avi'],
    [c, 'b.avi'],
  ])
})

test('videos of one name are told apart by their folders, wherever they are named', async () => {
  const { ffmpeg } = await findMediaTools()
  for (const [place, colour] of [
    ['north', 'red'],
    ['south', 'blue'],
  ] as const) {
    mkdirSync(path.join(folder, place))
    execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', `color=${colour}:s=32x32:r=5:d=1`, path.join(folder, place, 'same.mp4')])
  }
  const ended: string[] = []
  const stop = tubelet.jobs.onEnd(({ title }) => ended.push(title))
  const { library, jobs } = tubelet
  const { added } = await tubelet.intake.bring({ paths: [path.join(folder, 'north'), path.join(folder, 'south')] })
  await jobs.idle()
  stop()
  const both = ['north/same.mp4', 'south/same.mp4']
  const ids = added.map(({ id }) => id)
  expect(ended.toSorted()).toEqual(both)
  expect(ids.map((id) => library.source(id).title)).toEqual(both)
  expect(ids.map((sourceId) => library.clips({ sourceId, limit: 1, offset: 0 }).clips[0]?.sourceName)).toEqual(both)
  expect(
    jobs
      .queue()
      .jobs.flatMap(({ title, sourceId }) => (ids.includes(sourceId ?? 0) ? [title] : []))
      .toSorted(),
  ).toEqual(both)
  // Alone it needs no folder.
  await jobs.removeSource(ids[1] ?? 0)
  expect(library.source(ids[0] ?? 0).title).toBe('same.mp4')
})
