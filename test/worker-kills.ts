/**
 * `npm run kills:workers [-- TIMES [SEED]]`: while three workers analyse a batch, one of them, the store of tickets or the host is killed at random moments.
 * Afterwards the library must hold what the app finds by itself: nothing lost, nothing double.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { random } from '../app/random.ts'
import { findMediaTools } from '../main/media/tools.ts'
import { openTubelet } from '../main/open.ts'
import { clip } from './clips.ts'
import { contentOf, copies, freePort, Host, Store, until, useOnePack, WorkerProcess } from './workers.ts'

const [times = 20, seed = Math.trunc(Date.now() / 1000)] = process.argv.slice(2).map(Number)
const next = random(seed)
const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-worker-kills-'))
const store = new Store(await freePort())
const workers = new Map<string, WorkerProcess>()
let host: Host | null = null
console.log(`${times} kills, seed ${seed}`)
try {
  await store.start()
  const { ffmpeg } = await findMediaTools()
  const names = Array.from({ length: 12 + 3 * times }, (_, nth) => `video-${nth}`)
  const files = names.flatMap((name, nth) =>
    copies(ffmpeg, clip(['t01_timer.mp4', 't02_rotated.mp4', 'd06_sign_book.mkv'][nth % 3] ?? ''), path.join(folder, 'media'), [name]),
  )
  const [projectDir, packsDir] = [path.join(folder, 'alone'), path.join(folder, 'packs-alone')]
  useOnePack(projectDir, packsDir)
  const tubelet = openTubelet({ projectDir, packsDir, host: 'cli' })
  await tubelet.intake.bring({ paths: files })
  await tubelet.jobs.idle()
  await tubelet.close()

  host = new Host(folder, await freePort(), store.url, 'one')
  await host.listen()
  const there = host
  const begin = (name: string) => workers.set(name, new WorkerProcess(name, { host: there, queue: store.url, folder }))
  for (const name of ['a', 'b', 'c']) begin(name)
  await host.tubelet.intake.bring({ paths: files })
  await until('work has begun', () => there.tubelet.jobs.queue().running > 0)
  for (let nth = 1; nth <= times; nth += 1) {
    await sleep(200 + 2_500 * next())
    const victim = ['a', 'b', 'c', 'a', 'b', 'c', 'store', 'host'][Math.trunc(8 * next())] ?? 'a'
    const left = there.tubelet.jobs.queue().waiting + there.tubelet.jobs.queue().running
    console.log(`${nth}: ${victim} (${left} left)`)
    if (victim === 'store') {
      await store.kill()
      await sleep(1_000 * next())
      await store.start()
    } else if (victim === 'host') await there.restart()
    else {
      await workers.get(victim)?.kill()
      begin(victim)
    }
  }
  const isDone = () => {
    const { jobs } = there.tubelet
    // What kills cut off three times is told, and done again as a person does.
    jobs.retryFailed()
    const { waiting, running } = jobs.queue()
    return waiting + running === 0
  }
  await until('all is done', isDone, () => JSON.stringify(there.tubelet.crew?.list()), 600)
  const same = isDeepStrictEqual(contentOf(there.projectDir), contentOf(projectDir))
  console.log(same ? `${names.length} videos: nothing lost, nothing double` : 'the library differs from what the app finds')
  process.exitCode = same ? 0 : 1
} finally {
  for (const worker of workers.values()) await worker.kill()
  await host?.close()
  await store.kill()
  rmSync(folder, { recursive: true, force: true })
}
