/** `npm run bench -- --workers`: two workers beside the queue of the app itself, what handing out costs, and how soon 10,000 videos can be drawn. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { Queue } from 'bullmq'
import { Library } from '../main/library/library.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { openTubelet, type Tubelet } from '../main/open.ts'
import { clip } from './clips.ts'
import { contentOf, copies, freePort, Host, Store, until, WorkerProcess } from './workers.ts'

const JOBS = 10_000
/** Tickets: more than any number of workers draws until the next ones are made. */
const ENOUGH = 1_000
const ROUNDS = 2
/** Of those in the project; three copies of each. */
const VIDEOS = ['t01_timer.mp4', 't02_rotated.mp4', 'd06_sign_book.mkv', 'd07_flower_bloom_vp8.webm', 'd15_roadtrip_vp9_10bit.webm']

export async function benchWorkers(row: (what: string, measured: string, goal: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-workers-bench-'))
  const store = new Store(await freePort())
  await store.start()
  try {
    const { ffmpeg } = await findMediaTools()
    const files = VIDEOS.flatMap((name) =>
      copies(
        ffmpeg,
        clip(name),
        path.join(folder, 'media'),
        [1, 2, 3].map((nth) => `${nth}-${path.parse(name).name}`),
      ),
    )
    const own: number[] = []
    const shared: number[] = []
    // In turns: a shared machine is faster at one time than at another.
    for (let round = 0; round < ROUNDS; round += 1) {
      own.push((await alone(path.join(folder, `alone-${round}`), files)).seconds)
      const two = await withWorkers(path.join(folder, `two-${round}`), store, 2, files)
      shared.push(two.seconds)
      const [ofApp, ofWorkers] = [`alone-${round}`, `two-${round}`].map((name) =>
        JSON.stringify(contentOf(path.join(folder, name, 'library'))),
      )
      if (ofApp !== ofWorkers) throw new Error('the workers found something else than the app')
    }
    const times = (all: readonly number[]) => all.map((one) => one.toFixed(1)).join(' and ')
    const best = Math.min(...own) / Math.min(...shared)
    row(
      `${files.length} videos by the queue of the app (two at a time): ${times(own)} s; by two workers (one at a time each): ${times(shared)} s`,
      `${best.toFixed(2)} × the throughput, from the better time of each; the same rows in both libraries`,
      '0.9 ×',
    )
    const small = copies(
      ffmpeg,
      clip('t01_timer.mp4'),
      path.join(folder, 'small'),
      Array.from({ length: 12 }, (_, nth) => `small-${nth}`),
    )
    for (const [name, some] of [
      ['videos of one clip', small],
      ['of one video', [clip('d03_bottles.mp4')]],
    ] as const) {
      const app = await alone(path.join(folder, `app ${name}`), some)
      const one = await withWorkers(path.join(folder, `one ${name}`), store, 1, some)
      const beside = (1000 * (one.cpu - app.cpu)) / one.clips
      row(
        `${one.clips} clips ${name}: processor time of all processes by the queue of the app ${app.cpu.toFixed(1)} s, by one worker, host and store ${one.cpu.toFixed(1)} s`,
        `${beside.toFixed(0)} ms a clip more`,
        '5 ms a clip',
      )
      row(
        'Of a worker’s time on the clock, per clip: beside its analysis; the host’s one thread is busy; commands of Redis, and its time; the library grows by',
        `${((1000 * (one.seconds - one.busy)) / one.clips).toFixed(0)} ms; ${(one.loop / one.clips).toFixed(0)} ms; ${(one.commands / one.clips).toFixed(0)}, ${(one.redis / one.clips).toFixed(2)} ms; ${(one.bytes / one.clips / 1000).toFixed(0)} kB`,
        '',
      )
    }
    const queued = await queueing(path.join(folder, 'queued'), store)
    row(
      `${JOBS} videos are queued: until all wait in the library and ${ENOUGH} of them can be drawn (more tickets are made while those are)`,
      `${queued.seconds.toFixed(2)} s, ${queued.cpu.toFixed(2)} s of processor time of all processes`,
      '2 s',
    )
  } finally {
    await store.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Engines are warm, as they are after the first video of a batch. @returns Seconds on the clock, and of processors. */
async function alone(folder: string, files: readonly string[]): Promise<{ seconds: number; cpu: number }> {
  const tubelet = openTubelet({ projectDir: path.join(folder, 'library'), packsDir: path.join(folder, 'packs'), host: 'cli' })
  try {
    await tubelet.intake.bring({ paths: [clip('f06_tiny_64x48.mp4')] })
    await tubelet.jobs.idle()
    const [began, spent] = [performance.now(), cpuSeconds()]
    await tubelet.intake.bring({ paths: [...files] })
    await tubelet.jobs.idle()
    return { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds() - spent }
  } finally {
    await tubelet.close()
  }
}

async function withWorkers(folder: string, store: Store, count: number, files: readonly string[]): Promise<Run> {
  const host = new Host(folder, await freePort(), store.url, 'all')
  await host.listen()
  const names = Array.from({ length: count }, (_, nth) => `worker-${nth}`)
  const workers = names.map((name) => new WorkerProcess(name, { host, queue: store.url, folder, media: ['/'] }))
  const { jobs, library } = host.tubelet
  try {
    // One video each, until every worker has had one.
    const { ffmpeg } = await findMediaTools()
    for (let nth = 0; nth < 50 && names.some((name) => (host.worker(name)?.videos ?? 0) === 0); nth += 1) {
      const warm =
        nth === 0 ? [clip('f06_tiny_64x48.mp4')] : copies(ffmpeg, clip('f06_tiny_64x48.mp4'), path.join(folder, 'warm'), [`warm-${nth}`])
      await host.tubelet.intake.bring({ paths: warm })
      await until(
        'warm',
        () => isIdle(host.tubelet) || nth < count - 1,
        () => workers.map(({ output }) => output).join('\n'),
        120,
      )
    }
    await until(
      'warm',
      () => isIdle(host.tubelet),
      () => '',
      120,
    )
    for (const { id, name } of library.sources()) if (name.startsWith('warm-')) await jobs.removeSource(id)
    const before = names.map((name) => host.worker(name)?.busy ?? 0)
    const clips = library.clips({ limit: 1, offset: 0 }).total
    const [loop, redis, size] = [performance.eventLoopUtilization(), await redisOf(store), sizeOf(host.projectDir)]
    const [began, spent] = [performance.now(), cpuSeconds()]
    await host.tubelet.intake.bring({ paths: [...files] })
    await until(
      'all is analysed',
      () => isIdle(host.tubelet),
      () => workers.map(({ output }) => output).join('\n'),
      1_200,
    )
    const [seconds, cpu] = [(performance.now() - began) / 1000, cpuSeconds() - spent]
    const busy = names.reduce((sum, name, at) => sum + (host.worker(name)?.busy ?? 0) - (before[at] ?? 0), 0)
    const since = await redisOf(store)
    return {
      seconds,
      cpu,
      clips: library.clips({ limit: 1, offset: 0 }).total - clips,
      busy,
      loop: performance.eventLoopUtilization(loop).active,
      commands: since.calls - redis.calls,
      redis: since.ms - redis.ms,
      bytes: sizeOf(host.projectDir) - size,
    }
  } finally {
    for (const worker of workers) await worker.kill()
    await host.close()
  }
}

interface Run {
  /** From the first file to the last result. */
  seconds: number
  /** Seconds of processors, in all processes. */
  cpu: number
  clips: number
  /** Seconds that the workers analysed. */
  busy: number
  /** Milliseconds that the host's thread was busy. */
  loop: number
  /** Commands that the store did, and milliseconds that they took. */
  commands: number
  redis: number
  /** By which the library's file grew. */
  bytes: number
}

/** Processor time of this process and of all that it started, those that have ended too: from Linux, NaN elsewhere. */
function cpuSeconds(): number {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const stats = ids.flatMap((id) => {
    try {
      // After the name, which may hold anything: state, parent, …; in ticks of 10 ms: user, system, and those of ended children.
      const fields = readFileSync(`/proc/${id}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number)
      return [{ id: Number(id), parent: fields[1] ?? 0, ticks: fields.slice(11, 15).reduce((sum, one) => sum + one, 0) }]
    } catch {
      return []
    }
  })
  const under = (id: number): number =>
    stats.reduce((sum, one) => sum + (one.id === id ? one.ticks : one.parent === id ? under(one.id) : 0), 0)
  return under(process.pid) / 100
}

async function redisOf(store: Store): Promise<{ calls: number; ms: number }> {
  const told = await store.ask((redis) => redis.info('commandstats'))
  // What a script does counts with the script.
  const all = [...told.matchAll(/^cmdstat_([\w|]+):calls=(\d+),usec=(\d+)/gm)]
  const outer = all.filter(([, name = '']) => /^(eval|b?z|client|info|ping|multi|exec)/.test(name))
  return {
    calls: all.reduce((sum, [, , calls]) => sum + Number(calls), 0),
    ms: outer.reduce((sum, [, , , usec]) => sum + Number(usec), 0) / 1000,
  }
}

function sizeOf(projectDir: string): number {
  return ['library.sqlite', 'library.sqlite-wal'].reduce(
    (sum, name) => sum + (statSync(path.join(projectDir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

function isIdle({ library }: Tubelet): boolean {
  const { waiting, running } = library.jobs.counts()
  return waiting + running === 0
}

/** @returns From the first of so many jobs in the library to enough tickets in the store. */
async function queueing(folder: string, store: Store): Promise<{ seconds: number; cpu: number }> {
  const projectDir = path.join(folder, 'library')
  mkdirSync(projectDir, { recursive: true })
  const library = Library.open(projectDir)
  library.together(() => {
    for (let nth = 0; nth < JOBS; nth += 1)
      library.addSource({ path: `/none/${nth}.mp4`, name: `${nth}.mp4`, bytes: 1, mtimeMs: 0, fingerprint: String(nth) })
  })
  const ids = library.sources().map(({ id }) => id)
  await library.close()
  const host = new Host(folder, await freePort(), store.url, 'all')
  try {
    const { crew } = host.tubelet
    await crew?.ready()
    const queue = new Queue(crew?.place().queue ?? '', { connection: { url: store.url } })
    const [began, spent] = [performance.now(), cpuSeconds()]
    host.tubelet.library.together(() => {
      for (const sourceId of ids) host.tubelet.library.jobs.create({ kind: 'analyse', title: '', sourceId })
    })
    // As every change of the queue does.
    host.tubelet.library.emit({ type: 'queue', queue: host.tubelet.jobs.queue() })
    await until('they can be drawn', async () => (await queue.getWaitingCount()) >= ENOUGH)
    const found = { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds() - spent }
    await queue.close()
    return found
  } finally {
    await host.close()
  }
}
