/** Preview copies as jobs of the queue: real clips, real ffmpeg. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, copyFileSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RouteOutput, Source } from '../../app/contract.ts'
import { clipPath } from '../media/clips.testing.ts'
import { fingerprint } from '../media/fingerprint.ts'
import { probe } from '../media/probe.ts'
import { findMediaTools } from '../media/tools.ts'
import { openTubelet, type Tubelet } from '../open.ts'

describe('preview copies', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-previews-'))
  const copies = path.join(folder, 'project', 'cache', 'previews')
  let tubelet: Tubelet
  const open = () => {
    tubelet = openTubelet({ projectDir: path.join(folder, 'project'), host: 'cli', packsDir: path.join(folder, 'packs') })
  }
  const preview = async (method: 'GET' | 'POST' | 'DELETE', { id }: Source): Promise<RouteOutput<'preview'>> => {
    const response = await tubelet.handle(new Request(`http://tubelet/api/sources/${id}/preview`, { method }))
    return (await response.json()) as RouteOutput<'preview'>
  }
  const stateOf = async (source: Source) => (await preview('GET', source)).state
  const jobs = () => tubelet.jobs.queue().jobs.map(({ kind, title, state }) => `${kind} ${title} ${state}`)
  /** A video that was read and not analysed. */
  const source = async (name: string, file = clipPath(name)): Promise<Source> => {
    const { library } = tubelet
    const added = library.addSource({ path: file, name, bytes: statSync(file).size, mtimeMs: 0, fingerprint: await fingerprint(file) })
    library.setProbe(added.source.id, await probe(await findMediaTools(), file))
    return library.source(added.source.id)
  }
  const begun = (of: Source) => expect.poll(async () => (await preview('GET', of)).progress, { timeout: 60_000 }).toBeGreaterThan(0)

  beforeAll(open)
  afterAll(async () => {
    await tubelet.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is one job a video, before the files that wait; cancelled it is told so, and asked for again it is the same job', async () => {
    tubelet.jobs.pause()
    const [prores, hevc] = [await source('f02_prores.mov'), await source('f03_hevc_10bit.mkv')]
    expect(await stateOf(prores)).toBe('none')
    tubelet.jobs.retry(hevc.id)
    for (const one of [prores, prores, hevc]) expect((await preview('POST', one)).state).toBe('waiting')
    // Whoever asked last looks at it now.
    expect(jobs()).toEqual(['preview f03_hevc_10bit.mkv queued', 'preview f02_prores.mov queued', 'analyse f03_hevc_10bit.mkv queued'])
    expect((await preview('DELETE', hevc)).state).toBe('cancelled')
    expect((await preview('POST', hevc)).state).toBe('waiting')
    expect(jobs()).toHaveLength(3)
    // A copy that waits keeps nobody from analysing its video.
    tubelet.jobs.retry(prores.id)
    expect(jobs()).toHaveLength(4)
    for (const { id, kind } of tubelet.jobs.queue().jobs) if (kind === 'analyse') await tubelet.jobs.cancel(id)
    tubelet.jobs.resume()
    await tubelet.jobs.idle()
    for (const one of [prores, hevc]) expect(await preview('GET', one)).toEqual({ state: 'ready', progress: 1, problem: null })
    expect(readdirSync(copies).sort()).toEqual([prores, hevc].map((one) => `${one.fingerprint}.mp4`).sort())
    // Somebody empties the cache.
    rmSync(path.join(copies, `${prores.fingerprint}.mp4`))
    expect(await stateOf(prores)).toBe('none')
    await preview('POST', prores)
    await tubelet.jobs.idle()
    expect(await stateOf(prores)).toBe('ready')
    // What is forgotten leaves no copy.
    await tubelet.jobs.removeSource(prores.id)
    expect(readdirSync(copies)).toEqual([`${hevc.fingerprint}.mp4`])
  })

  it('says why it failed, and is made by trying all failed ones again', async () => {
    const file = path.join(folder, 'moving.avi')
    copyFileSync(clipPath('f01_mjpeg.avi'), file)
    const moved = await source('moving.avi', file)
    mkdirSync(path.join(folder, 'away'))
    renameSync(file, path.join(folder, 'away', 'moving.avi'))
    await preview('POST', moved)
    await tubelet.jobs.idle()
    expect(await preview('GET', moved)).toMatchObject({ state: 'failed', problem: { code: 'file-missing', file } })
    expect(tubelet.jobs.queue().failed).toBe(1)
    renameSync(path.join(folder, 'away', 'moving.avi'), file)
    tubelet.jobs.retryFailed()
    await tubelet.jobs.idle()
    expect(await stateOf(moved)).toBe('ready')
  })

  it('stands still while the queue is paused, goes on after a quit, and takes no part for a copy', async () => {
    // So long that it is not done before anybody has looked.
    const file = path.join(folder, 'hours.mp4')
    execFileSync((await findMediaTools()).ffmpeg, ['-v', 'error', '-stream_loop', '5', '-i', clipPath('t04_long.mp4'), '-c', 'copy', file])
    const long = await source('hours.mp4', file)
    await preview('POST', long)
    await begun(long)
    expect(await stateOf(long)).toBe('making')
    tubelet.jobs.pause()
    if (process.platform === 'linux') await expect.poll(() => ffmpegStates(`${long.fingerprint}.mp4`), { timeout: 20_000 }).toEqual(['T'])
    tubelet.jobs.resume()
    await tubelet.close()
    expect(readdirSync(copies).filter((name) => name.startsWith(long.fingerprint))).toEqual([])
    // What a crash leaves: a part, and the ffmpeg that may still write to it.
    mkdirSync(copies, { recursive: true })
    writeFileSync(path.join(copies, `${long.fingerprint}.mp4.1234.part`), 'no video')
    open()
    await begun(long)
    expect(await stateOf(long)).toBe('making')
    await expect.poll(() => stateOf(long), { timeout: 120_000 }).toBe('ready')
    expect(readdirSync(copies).filter((name) => name.startsWith(long.fingerprint))).toEqual([`${long.fingerprint}.mp4`])
    expect((await probe(await findMediaTools(), path.join(copies, `${long.fingerprint}.mp4`))).duration).toBeCloseTo(
      long.probe?.duration ?? 0,
      0,
    )
  }, 240_000)
})

/** How the system says that the programs stand which write to a file of this name: T is stopped. */
function ffmpegStates(name: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name)
        ? [readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '']
        : []
    } catch {
      return []
    }
  })
}
