/** Workers on one machine: what they find is what the app finds, and nothing is lost or doubled, whoever is killed, stopped, or started anew. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteOutput } from '../app/contract.ts'
import type { Problem } from '../app/errors.ts'
import { Library } from '../main/library/library.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { openTubelet } from '../main/open.ts'
import { packageVersion } from '../main/version.ts'
import { packParcel } from '../main/workers/parcel.ts'
import { Tickets } from '../main/workers/tickets.ts'
import { clip } from './clips.ts'
import { cli, clockAhead, contentOf, copies, freePort, hasRedis, Host, Store, TOKEN, until, useOnePack, WorkerProcess } from './workers.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-workers-'))
const workers: WorkerProcess[] = []
let store: Store
let host: Host
/** What the app itself finds in the same videos. */
let alone: Record<string, unknown>

/** Videos of several kinds: text and boxes are looked for by no pack here, so that engines start soon. */
const VIDEOS = [
  't01_timer.mp4',
  't02_rotated.mp4',
  'd07_flower_bloom_vp8.webm',
  'f06_tiny_64x48.mp4',
  'd15_roadtrip_vp9_10bit.webm',
  'd06_sign_book.mkv',
]
const COPIES = ['one', 'two', 'three', 'four', 'five', 'six']

beforeAll(async () => {
  if (!hasRedis) return
  store = new Store(await freePort())
  await store.start()
  const { ffmpeg } = await findMediaTools()
  const media = path.join(folder, 'media')
  cpSync(clip('t02_rotated.mp4'), path.join(media, 'first', 't02_rotated.mp4'))
  for (const name of VIDEOS) cpSync(clip(name), path.join(media, name))
  copies(ffmpeg, clip('t01_timer.mp4'), path.join(media, 'copies'), COPIES)
  const [projectDir, packsDir] = [path.join(folder, 'alone'), path.join(folder, 'packs-alone')]
  useOnePack(projectDir, packsDir)
  const tubelet = openTubelet({ projectDir, packsDir, host: 'cli' })
  await tubelet.intake.bring({ paths: [media] })
  await tubelet.jobs.addColumn('yesno', 'Is there a person?')
  await tubelet.jobs.idle()
  await tubelet.close()
  alone = contentOf(projectDir)
  host = new Host(folder, await freePort(), store.url, 'one')
  await host.listen()
  await host.tubelet.jobs.addColumn('yesno', 'Is there a person?')
}, 240_000)
afterAll(async () => {
  for (const worker of workers) await worker.kill()
  if (hasRedis) {
    await host.close()
    await store.kill()
  }
  rmSync(folder, { recursive: true, force: true })
})

function begin(name: string, more: { media?: string[]; env?: NodeJS.ProcessEnv; more?: string[] } = {}): WorkerProcess {
  const worker = new WorkerProcess(name, { host, queue: store.url, folder, ...more })
  workers.push(worker)
  return worker
}

/** What the host sends to a worker that a test plays. */
async function ask(
  path_: string,
  method: string,
  body: object | Uint8Array<ArrayBuffer>,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await fetch(`${host.url}${path_}`, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': body instanceof Uint8Array ? 'application/octet-stream' : 'application/json',
    },
    body: body instanceof Uint8Array ? body : JSON.stringify(body),
  })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}
const messageOf = ({ json }: { json: Record<string, unknown> }) => (json['problem'] as Problem | undefined)?.message ?? ''
const told = () =>
  JSON.stringify(
    [host.tubelet.crew?.list(), host.tubelet.jobs.queue().jobs.map(({ title, state, problem }) => [title, state, problem?.message])],
    null,
    1,
  )
const everything = () => [...workers.map(({ name, output }) => `${name}: ${output}`), told()].join('\n')
const allDone = () => {
  const { waiting, running } = host.tubelet.jobs.queue()
  return waiting + running === 0
}

describe.skipIf(!hasRedis)('workers', { meta: { needs: 'redis-server' }, timeout: 300_000 }, () => {
  test('a store that may throw keys away is refused, and so are workers of another version and results of other packs', async () => {
    await store.ask((redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'))
    const tickets = new Tickets(
      store.url,
      'other',
      () => 1,
      () => undefined,
    )
    await expect(tickets.ready()).rejects.toThrow('may throw away what it keeps')
    await tickets.close()
    const serving = spawnSync(process.execPath, [cli, 'serve', '--project', path.join(folder, 'refused'), '--queue', store.url], {
      encoding: 'utf8',
    })
    expect([serving.status, serving.stderr]).toEqual([1, expect.stringContaining('may throw away what it keeps')])
    await store.ask((redis) => redis.config('SET', 'maxmemory-policy', 'noeviction'))

    await host.tubelet.intake.bring({ paths: [path.join(folder, 'media', 'first')] })
    const who = { worker: 'played', version: packageVersion }
    const other = await ask('/api/work', 'POST', { ...who, version: '0.0.1', ticket: 'a' })
    expect([other.status, messageOf(other)]).toEqual([409, expect.stringContaining('This worker is Tubelet 0.0.1')])
    const taken = await ask('/api/work', 'POST', { ...who, ticket: 'b' })
    const { work } = taken.json as RouteOutput<'takeWork'>
    if (work === null) expect.fail('nothing was handed out')
    expect(host.worker('played')?.doing).toHaveLength(1)
    const project = path.join(folder, 'wrong')
    void Library.open(project).close()
    const parcel = path.join(folder, 'wrong.zip')
    await packParcel(project, 1, { version: packageVersion, packs: ['0'.repeat(64)], problem: null, busy: 1 }, parcel)
    const refused = await ask(`/api/work/${work.claim}`, 'PUT', new Uint8Array(readFileSync(parcel)))
    expect([refused.status, messageOf(refused)]).toEqual([409, expect.stringContaining('000000000000')])
    // It waits for another worker, and the refused one holds nothing any more.
    expect(host.tubelet.library.sources().map(({ state }) => state)).toEqual(['queued'])
    const late = await ask(`/api/work/${work.claim}`, 'PUT', new Uint8Array(readFileSync(parcel)))
    expect([late.status, messageOf(late)]).toEqual([409, expect.stringContaining('no longer wanted')])
    // A token of a worker opens nothing else.
    expect((await fetch(`${host.url}/api/sources`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(403)
  })

  test('three workers find what the app finds; one is killed, one is stopped, one has another clock; store and host are started anew', async () => {
    const media = path.join(folder, 'media')
    // The clock of one runs two hours ahead; one finds the videos in a folder, the others fetch them.
    const [a, b] = [begin('a', { env: clockAhead(folder, 2) }), begin('b', { media: [media] })]
    begin('c')
    const before = Date.now()
    await host.tubelet.intake.bring({ paths: [media] })
    // A worker that is stopped stays where it is: with a video, it cannot deliver it.
    const hold = async (worker: WorkerProcess) => {
      for (;;) {
        await until(`${worker.name} has a video`, () => (host.worker(worker.name)?.doing.length ?? 0) > 0, everything)
        worker.signal('SIGSTOP')
        if ((host.worker(worker.name)?.doing.length ?? 0) > 0) return host.worker(worker.name)?.doing[0]?.title
        worker.signal('SIGCONT')
      }
    }
    expect(await hold(a)).toBeDefined()
    await a.kill()
    const slow = await hold(b)
    await store.kill()
    await store.start()
    await host.restart()
    // The stopped one comes back when its video was given to another.
    await until(
      'what b had is done by another',
      () => host.tubelet.library.sources().find(({ name }) => name === slow)?.state === 'done',
      everything,
    )
    b.signal('SIGCONT')
    begin('d', { env: clockAhead(folder, -2) })
    await until('all is done', allDone, everything)
    expect(host.tubelet.library.sources().map(({ name, state, problem }) => [name, state, problem])).toEqual(
      [...VIDEOS.filter((name) => name !== 't02_rotated.mp4'), 't02_rotated.mp4', ...COPIES.map((name) => `${name}.mp4`)]
        .map((name) => [name, 'done', null])
        .sort((one, other) => String(one[0]).localeCompare(String(other[0])))
        .toSorted(byTheLibrary),
    )
    expect(contentOf(host.projectDir)).toEqual(alone)
    // Whose clock was wrong does not matter.
    const times = host.tubelet.library
      .clips({ limit: 100, offset: 0 })
      .clips.flatMap(({ id }) =>
        host.tubelet.library.annotations(id).flatMap(({ provenance }) => (provenance ? [Date.parse(provenance.at)] : [])),
      )
    expect(Math.min(...times)).toBeGreaterThanOrEqual(before)
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now())
    // Analysed once more, all is as it was.
    for (const { id, name } of host.tubelet.library.sources()) if (name === 't01_timer.mp4') host.tubelet.jobs.retry(id)
    await until('t01 is done again', allDone, everything)
    expect(contentOf(host.projectDir)).toEqual(alone)
    expect(workers.filter(({ gone }) => gone)).toEqual([a])
  })

  test('workers go on with another library that the host opens, and with the first one when it is back', async () => {
    const first = host.projectDir
    const second = path.join(folder, 'second')
    useOnePack(second, host.packsDir)
    // The store is away while they hear of the other library's queue.
    await store.kill()
    await host.open(second)
    await host.tubelet.jobs.addColumn('yesno', 'Is there a person?')
    const there = workers.filter(({ gone }) => !gone)
    await until('all have heard', () => there.every(({ name }) => host.worker(name) !== undefined), everything)
    await sleep(500)
    await store.start()
    await host.tubelet.intake.bring({ paths: [path.join(folder, 'media', 'first')] })
    await until('the other library is analysed', () => allDone() && host.tubelet.library.sources()[0]?.state === 'done', everything)
    expect(contentOf(second)).toEqual({ 't02_rotated.mp4': alone['t02_rotated.mp4'] })
    await host.open(first)
    for (const { id, name } of host.tubelet.library.sources()) if (name === 't02_rotated.mp4') host.tubelet.jobs.retry(id)
    await until('t02 is done again', allDone, everything)
    expect(contentOf(first)).toEqual(alone)
    expect(workers.filter(({ gone }) => !gone)).toEqual(there)
  })

  test('a video that kills whoever takes it is set aside; a pack that was changed on a worker is fetched anew; workers are drained and banned', async () => {
    const { ffmpeg } = await findMediaTools()
    const media = path.join(folder, 'media')
    await host.tubelet.intake.bring({ paths: copies(ffmpeg, clip('t01_timer.mp4'), media, ['poison', 'good']) })
    for (let times = 0; times < 3; times += 1) {
      const has = ({ name }: WorkerProcess) => host.worker(name)?.doing.some(({ title }) => title.includes('poison')) === true
      await until('the video was taken', () => workers.some(has), everything)
      const victim = workers.find(has)
      await victim?.kill()
      await until('who had it is missed', () => victim !== undefined && !has(victim), everything)
    }
    await until('it is set aside', () => stateOf('poison.mp4') === 'failed', everything)
    const { problem } = host.tubelet.library.sources().find(({ name }) => name === 'poison.mp4') ?? {}
    expect(problem).toMatchObject({ code: 'tool-killed', values: { times: 3 } })
    // It can be run again, by one whose copy of the pack was changed since it was fetched: that one leaves, and fetches the pack anew when it is back.
    const packs = path.join(folder, 'packs-of-e')
    cpSync(path.join(folder, 'packs-of-b'), packs, { recursive: true })
    const changed = path.join(packs, 'talkative', 'vision.onnx')
    writeFileSync(changed, readFileSync(changed).fill(0, 1000, 1010))
    host.tubelet.jobs.retryFailed()
    const unfit = begin('e', { more: ['--jsonl'] })
    expect(await unfit.ended()).toBe(1)
    expect(unfit.output).toContain('not complete and unchanged')
    // Lines of JSON, and nothing else, say what happened; why it ended is said beside them.
    const lines = unfit.output.split('\n').filter((line) => line.startsWith('{'))
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toContain('working')
    const e = begin('e', { more: ['--json'] })
    await until('both are done', () => ['good.mp4', 'poison.mp4'].every((name) => stateOf(name) === 'done'), everything)
    expect(e.output).toContain('fetched the pack')
    host.tubelet.crew?.set('d', 'banned')
    const banned = await ask('/api/work/progress', 'POST', { worker: 'd', version: packageVersion, doing: [] })
    expect([banned.status, messageOf(banned)]).toEqual([403, 'The worker “d” is banned from this library.'])
    host.tubelet.crew?.set('e', 'draining')
    expect(await e.ended()).toBe(0)
    const ended = JSON.parse(e.output.slice(e.output.indexOf('{\n'))) as unknown
    expect(ended).toMatchObject({ worker: 'e', drained: true, videos: { failed: 0, 'not-taken': 0 } })
  })
})

const stateOf = (name: string) => host.tubelet.library.sources().find((one) => one.name === name)?.state

const byTheLibrary = (one: (string | null)[], other: (string | null)[]) => {
  const order = host.tubelet.library.sources().map(({ name }) => name)
  return order.indexOf(String(one[0])) - order.indexOf(String(other[0]))
}
