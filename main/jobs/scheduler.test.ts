import { mkdtempSync, rmSync } from 'node:fs'
import os, { availableParallelism } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { said } from '../../app/phrase.ts'
import type { JobPlan } from '../library/job-table.ts'
import { Library } from '../library/library.ts'
import type { StoredJob } from '../library/rows.ts'
import { LibraryDisk } from './disk.ts'
import type { Report } from './pipeline.ts'
import { Scheduler } from './scheduler.ts'

/** Two files side by side need two cores. */
const SIDE_BY_SIDE = Math.min(2, availableParallelism())

/** A job under way, whose course a test decides. */
interface Work {
  report: Report
  signal: AbortSignal
  done: (problem: Problem | null) => void
  fail: (error: unknown) => void
}

let folder: string
let library: Library
/** What was told, in order. */
let heard: string[]
let faults: unknown[]
let under: Map<string, Work>
let held: number[]
let gone: Set<string>
let scheduler: Scheduler

/** A scheduler over the library's table, as a process has one. Work that is stopped ends. */
function started(): Scheduler {
  under = new Map()
  const disk = new LibraryDisk(folder, { changed: () => undefined, goOn: () => made.takeUp(), fault: (error) => faults.push(error) })
  const made = new Scheduler(library.jobs, disk, {
    perform: ({ title }, report, signal) =>
      new Promise((done, fail) => {
        heard.push(`begin ${title}`)
        under.set(title, { report, signal, done, fail })
        signal.addEventListener('abort', () => fail(signal.reason))
      }),
    settle: ({ title }, state) => (heard.push(`settle ${title} ${state}`), !gone.has(title)),
    took: () => undefined,
    ended: ({ title, state }) => heard.push(`end ${title} ${state}`),
    left: ({ title }) => heard.push(`left ${title}`),
    drained: () => heard.push('drained'),
    held: () => held,
    changed: () => undefined,
    fault: (error) => faults.push(error),
  })
  made.start()
  return made
}

function source(bytes: number): number {
  const name = `${bytes}.mp4`
  return library.addSource({ path: `/v/${name}`, name, bytes, mtimeMs: 0, fingerprint: name }).source.id
}
const file = (title: string, bytes: number): JobPlan => ({ kind: 'analyse', title, sourceId: source(bytes) })
const copy = (title: string, bytes: number): JobPlan => ({ kind: 'preview', title, sourceId: source(bytes) })
const ask = (title: string): JobPlan => ({ kind: 'ask', title, columnId: 1 })
const work = (title: string): Work => under.get(title) ?? expect.unreachable(`${title} does not run`)
const running = () => scheduler.running().map(({ title }) => title)
const stateOf = ({ id }: StoredJob) => library.jobs.get(id).state
const step = (clips = 1) => ({ stage: said('Reading frames'), progress: 0.5, clips })
/** Until what was decided has had its consequences. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The process is killed while a job runs: it says nothing in the table. Another process starts. */
async function kill(job: StoredJob): Promise<void> {
  await scheduler.close()
  library.jobs.begin(job.id)
  scheduler = started()
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-scheduler-'))
  library = Library.open(folder)
  heard = []
  faults = []
  held = []
  gone = new Set()
  scheduler = started()
})
afterEach(async () => {
  await scheduler.close()
  await library.close()
  rmSync(folder, { recursive: true })
  expect(faults).toEqual([])
})

test('a job is done once, and its end is told after it was kept', async () => {
  const job = scheduler.add(file('a', 1))
  expect(stateOf(job)).toBe('running')
  scheduler.begin()
  scheduler.takeUp()
  expect(running()).toEqual(['a'])
  work('a').done(null)
  await scheduler.idle()
  expect(stateOf(job)).toBe('done')
  expect(heard).toEqual(['begin a', 'settle a done', 'end a done', 'left a', 'drained'])
})

test('a file that is tried again stands in the queue once', async () => {
  for (let i = 0; i < 2; i += 1) {
    scheduler.add(file('a', 1))
    work('a').fail(new TubeletError({ code: 'empty-file', message: 'This file is empty.' }))
    await scheduler.idle()
  }
  expect(library.jobs.counts().failed).toBe(1)
})

test('a lease is kept over a crash: the next process does what was under way before what waits', async () => {
  const cut = scheduler.add(file('cut off', 1))
  scheduler.add(file('waits', 1_000))
  scheduler.add(ask('who?'))
  await kill(cut)
  expect(running()).toEqual(['cut off'])
  work('cut off').done(null)
  await settled()
  expect(heard[0]).toBe('begin cut off')
  expect(running()[0]).toBe('who?')
})

test('a video during which the process is killed again and again is set aside, and another one comes', async () => {
  const job = scheduler.add(file('kills', 1))
  scheduler.add(file('waits', 1_000))
  await kill(job)
  // A close is no kill.
  await scheduler.close()
  expect(stateOf(job)).toBe('queued')
  scheduler = started()
  await kill(job)
  // It got further: what is counted begins again.
  library.saveClip(job.sourceId ?? 0, { index: 0, kind: 'window', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
  for (let times = 0; times < 2; times += 1) {
    await kill(job)
    expect(running()).toEqual(['kills'])
  }
  await kill(job)
  expect(library.jobs.get(job.id)).toMatchObject({ state: 'failed', problem: { code: 'tool-killed', values: { times: 3 } } })
  expect(heard).toContain('settle kills failed')
  expect(running()).toEqual(['waits'])
  // It stays so until a person tries it again.
  await scheduler.close()
  scheduler = started()
  expect(running()).toEqual(['waits'])
  work('waits').done(null)
  await scheduler.idle()
  scheduler.again(job.id)
  await kill(job)
  expect(running()).toEqual(['kills'])
})

test('the first file has the machine to itself until its first clip, then two are done side by side', async () => {
  for (const [at, title] of ['a', 'b', 'c'].entries()) scheduler.add(file(title, at + 1))
  expect(running()).toEqual(['a'])
  await work('a').report(step(0))
  expect(running()).toEqual(['a'])
  await work('a').report(step())
  expect(running()).toEqual(['a', 'b'].slice(0, SIDE_BY_SIDE))
  work('a').done(null)
  await settled()
  expect(running()).toHaveLength(SIDE_BY_SIDE)
})

test('a question runs beside the files, one at a time; labels run alone, before files and after what runs', async () => {
  scheduler.add(file('a', 1))
  await work('a').report(step())
  scheduler.add(ask('who?'))
  scheduler.add(ask('where?'))
  expect(running()).toEqual(['a', 'who?'])
  scheduler.add({ kind: 'detect', title: 'dog' })
  scheduler.add(file('b', 2))
  work('who?').done(null)
  await settled()
  work('where?').done(null)
  await settled()
  expect(running()).toEqual(['a'])
  work('a').done(null)
  await settled()
  expect(running()).toEqual(['dog'])
  scheduler.add(ask('when?'))
  expect(running()).toEqual(['dog'])
  work('dog').done(null)
  await settled()
  expect(running()[0]).toBe('when?')
})

test('preview copies run beside whatever runs, and nothing waits for them', async () => {
  scheduler.add({ kind: 'detect', title: 'dog' })
  for (const [at, title] of ['one', 'two', 'three'].entries()) scheduler.add(copy(title, at + 1))
  expect(running()).toEqual(['dog', 'one', 'two'].slice(0, 1 + SIDE_BY_SIDE))
  scheduler.add(file('a', 9))
  work('dog').done(null)
  await settled()
  expect(running()).toContain('a')
  expect(heard).not.toContain('drained')
})

test('the smallest of the files that are found one after the other is the first, unless a person chose another', async () => {
  scheduler.pause()
  scheduler.add(file('large', 3))
  scheduler.add(file('small', 1))
  const chosen = scheduler.add(file('middle', 2))
  const [large] = library.jobs.open()
  scheduler.move(chosen.id, large?.id ?? null)
  scheduler.resume()
  expect(running()).toEqual(['middle'])
  work('middle').done(null)
  await settled()
  expect(running()[0]).toBe('small')
})

test('what comes soon is chosen from when all of it was found', async () => {
  scheduler.add(file('large', 2), 'soon')
  scheduler.add(file('small', 1), 'soon')
  // What else becomes free does not cut the choice off.
  scheduler.freed()
  expect(running()).toEqual([])
  await expect.poll(running).toEqual(['small'])
})

test('an analysis that is held lets the others by, and begins when it is freed', () => {
  const plan = file('written to', 1)
  held = 'sourceId' in plan ? [plan.sourceId] : []
  scheduler.add(plan)
  expect(running()).toEqual([])
  scheduler.add(ask('who?'))
  expect(running()).toEqual(['who?'])
  held = []
  scheduler.freed()
  expect(running()).toEqual(['who?', 'written to'])
})

test('a paused queue begins nothing, and what runs waits after its step; a cancelled one does not wait', async () => {
  const job = scheduler.add(file('a', 1))
  await work('a').report(step())
  scheduler.pause()
  scheduler.add(file('b', 2))
  let goesOn = false
  const reported = work('a')
    .report(step(2))
    .then(() => (goesOn = true))
  await settled()
  expect([goesOn, running()]).toEqual([false, ['a']])
  scheduler.resume()
  await reported
  expect(running()).toEqual(['a', 'b'].slice(0, SIDE_BY_SIDE))
  scheduler.pause()
  const stopped = expect(work('a').report(step(3))).rejects.toThrow()
  await scheduler.cancel(job.id)
  await stopped
  expect(stateOf(job)).toBe('cancelled')
})

test('for the time of some work nothing runs; what was under way is cut off, not cancelled, and goes on first', async () => {
  const job = scheduler.add(file('a', 1))
  scheduler.add(file('b', 2))
  await scheduler.pausedFor(() => {
    expect([running(), stateOf(job)]).toEqual([[], 'queued'])
    scheduler.add(ask('who?'))
    expect(running()).toEqual([])
    return Promise.resolve()
  })
  expect(running()).toContain('a')
  expect(heard).not.toContain('end a cancelled')
})

test('a cancelled job ends as such, whether it ran or waited; all of them at once too', async () => {
  const [a, b, c] = [scheduler.add(file('a', 1)), scheduler.add(file('b', 2)), scheduler.add(file('c', 3))]
  await scheduler.cancel(b.id)
  expect(stateOf(b)).toBe('cancelled')
  await scheduler.cancel(a.id)
  expect(stateOf(a)).toBe('cancelled')
  expect(heard).not.toContain('left a')
  scheduler.cancelAll()
  await scheduler.idle()
  expect([a, b, c].map(stateOf)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  await expect(scheduler.cancel(4711)).rejects.toMatchObject({ problem: { code: 'not-found' } })
})

test('a job that fails stops no other, and can be done again', async () => {
  const job = scheduler.add(file('a', 1))
  scheduler.add(file('b', 2))
  work('a').fail(new TubeletError({ code: 'not-a-video', message: 'This is no video.' }))
  await settled()
  expect(library.jobs.get(job.id)).toMatchObject({ state: 'failed', problem: { code: 'not-a-video' } })
  expect(running()).toEqual(['b'])
  scheduler.again(job.id)
  await work('b').report(step())
  work('b').done(null)
  await settled()
  expect(running()).toEqual(['a'])
  // What nobody expected is a failure of the job as well.
  work('a').fail(new TypeError('x is undefined'))
  await scheduler.idle()
  expect(library.jobs.get(job.id)).toMatchObject({ state: 'failed', problem: { code: 'internal' } })
  expect(scheduler.counts()).toEqual({ waiting: 0, running: 0, finished: 2, failed: 1 })
})

test('only what waits can be moved', () => {
  const job = scheduler.add(file('a', 1))
  expect(() => scheduler.move(job.id, null)).toThrow('This job does not wait.')
})

test('of a job whose video went nothing is kept', async () => {
  const job = scheduler.add(file('a', 1))
  gone.add('a')
  work('a').done(null)
  await scheduler.idle()
  expect(heard).not.toContain('end a done')
  expect(stateOf(job)).toBe('running')
})

test('a full disk is no verdict about a video: its job waits, and goes on when the disk takes it', async () => {
  const job = scheduler.add(file('a', 1))
  work('a').fail(Object.assign(new Error('no space left'), { code: 'ENOSPC', path: path.join(folder, 'library.sqlite') }))
  await scheduler.idle()
  expect(heard).not.toContain('end a failed')
  expect(scheduler.counts()).toMatchObject({ waiting: 1, running: 0, failed: 0 })
  scheduler.add(ask('who?'))
  expect(running()).toEqual([])
  await expect.poll(running, { timeout: 10_000 }).toEqual(['a'])
  expect(stateOf(job)).toBe('running')
})

test('an error while an end is kept is told, and the queue goes on', async () => {
  scheduler.add(file('a', 1))
  scheduler.add(file('b', 2))
  vi.spyOn(library.jobs, 'end').mockImplementation(() => {
    throw new TypeError('x is undefined')
  })
  work('a').done(null)
  await settled()
  vi.restoreAllMocks()
  expect(faults).toEqual([new TypeError('x is undefined')])
  faults = []
  expect(running()).toEqual(['b'])
})
