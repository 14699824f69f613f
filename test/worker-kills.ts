/**
 * While three workers analyse a batch, one of them, the store of tickets or the host is killed at random moments. Afterwards the library must hold
 * what the app finds by itself: nothing lost, nothing double. `npm run kills:workers [-- TIMES [SEED]]`.
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

interface Trial {
  seed: number
  /** Kills. */
  times: number
  videos: number
  /** Longest wait before a kill, in seconds. */
  longest: number
  onKill?: (nth: number, victim: string, left: number) => void
}
export interface WorkerKills {
  /** By worker, and `store` and `host`. */
  killed: Record<string, number>
  /** Kills that came while videos were waiting or in work. */
  duringWork: number
  /** What the library holds of each video by its name, and what it holds when the app analyses it alone (`contentOf`). */
  found: Record<string, unknown>
  alone: Record<string, unknown>
}

const VICTIMS = ['a', 'b', 'c', 'a', 'b', 'c', 'store', 'host']

/** @throws Error when not all videos are done in the end. */
export async function workerKills({ seed, times, videos, longest, onKill }: Trial): Promise<WorkerKills> {
  const next = random(seed)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-worker-kills-'))
  const store = new Store(await freePort())
  const workers = new Map<string, WorkerProcess>()
  let host: Host | null = null
  try {
    await store.start()
    const { ffmpeg } = await findMediaTools()
    const shown = ['t01_timer.mp4', 't02_rotated.mp4', 'd06_sign_book.mkv']
    const files = Array.from({ length: videos }, (_, nth) => `video-${nth}`).flatMap((name, nth) =>
      copies(ffmpeg, clip(shown[nth % shown.length] ?? ''), path.join(folder, 'media'), [name]),
    )
    const [projectDir, packsDir] = [path.join(folder, 'alone'), path.join(folder, 'packs-alone')]
    useOnePack(projectDir, packsDir)
    const tubelet = openTubelet({ projectDir, packsDir, host: 'cli' })
    await tubelet.intake.bring({ paths: files })
    await tubelet.jobs.idle()
    await tubelet.close()

    const there = new Host(folder, await freePort(), store.url, 'one')
    host = there
    await there.listen()
    const begin = (name: string) => workers.set(name, new WorkerProcess(name, { host: there, queue: store.url, folder }))
    for (const name of ['a', 'b', 'c']) begin(name)
    const left = () => there.tubelet.jobs.queue().waiting + there.tubelet.jobs.queue().running
    let brought = 0
    const bring = async (count: number) => {
      if (brought < files.length) await there.tubelet.intake.bring({ paths: files.slice(brought, (brought += count)) })
    }
    await bring(6)
    await until('work has begun', () => there.tubelet.jobs.queue().running > 0)
    const killed: Record<string, number> = {}
    let duringWork = 0
    for (let nth = 1; nth <= times; nth += 1) {
      // Videos come bit by bit, so that a fast machine has work at the last kill too.
      if (left() < 4) await bring(4)
      await sleep(200 + 1_000 * longest * next())
      const victim = VICTIMS[Math.trunc(VICTIMS.length * next())] ?? 'a'
      onKill?.(nth, victim, left())
      killed[victim] = (killed[victim] ?? 0) + 1
      if (left() > 0) duringWork += 1
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
    await bring(files.length)
    const isDone = () => {
      // What kills cut off three times is told, and done again as a person does.
      there.tubelet.jobs.retryFailed()
      return left() === 0
    }
    await until('all is done', isDone, () => JSON.stringify(there.tubelet.crew?.list()), 600)
    return { killed, duringWork, found: contentOf(there.projectDir), alone: contentOf(projectDir) }
  } finally {
    for (const worker of workers.values()) await worker.kill()
    await host?.close()
    await store.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  const [times = 20, seed = Math.trunc(Date.now() / 1000)] = process.argv.slice(2).map(Number)
  const videos = 12 + 3 * times
  console.log(`${times} kills, seed ${seed}`)
  const { found, alone, duringWork } = await workerKills({
    seed,
    times,
    videos,
    longest: 2.5,
    onKill: (nth, victim, left) => console.log(`${nth}: ${victim} (${left} left)`),
  })
  const same = isDeepStrictEqual(found, alone)
  console.log(
    `${duringWork} kills during work; ${same ? `${videos} videos: nothing lost, nothing double` : 'the library differs from what the app finds'}`,
  )
  process.exitCode = same ? 0 : 1
}
