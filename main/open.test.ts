/** The services together, without a window: real clips, real pack, real ffmpeg behind a counter. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contract, type RouteOutput, type Source } from '../app/contract.ts'
import { inEnglish, type Problem } from '../app/errors.ts'
import { clipPath } from './media/clips.testing.ts'
import { findMediaTools } from './media/tools.ts'
import { type Label, withNames } from '../app/vocabulary.ts'
import { openTubelet, type Tubelet } from './open.ts'
import { copyTalkative } from './packs/pack.testing.ts'

describe('one Tubelet', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-open-'))
  const log = path.join(folder, 'ffmpeg.log')
  let tubelet: Tubelet
  const ffmpegStarts = () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0)
  const call = async <T>(method: string, url: string, body?: unknown): Promise<T> => {
    const response = await tubelet.handle(
      new Request(`http://tubelet${url}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    )
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  beforeAll(async () => {
    const { ffmpeg, ffprobe } = await findMediaTools()
    for (const [name, tool] of Object.entries({ ffmpeg, ffprobe })) {
      if (tool === null) throw new Error('the tests need ffprobe')
      writeFileSync(path.join(folder, name), `#!/bin/sh\nprintf x >> '${log}'\nexec '${tool}' "$@"\n`)
      chmodSync(path.join(folder, name), 0o755)
      process.env[`${name.toUpperCase()}_PATH`] = path.join(folder, name)
    }
    const packsDir = path.join(folder, 'packs')
    copyTalkative(packsDir, 'talkative')
    tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir, host: 'web' })
    await tubelet.packs.finished(tubelet.packs.use('talkative', ['caption', 'answer', 'search', 'boxes']))
  }, 60_000)
  afterAll(async () => {
    await tubelet.close()
    delete process.env['FFMPEG_PATH']
    delete process.env['FFPROBE_PATH']
    rmSync(folder, { recursive: true, force: true })
  })

  test('a library that is open in one Tubelet is refused to another', () => {
    expect(() => openTubelet({ projectDir: path.join(folder, 'project'), host: 'cli' })).toThrow('open in another Tubelet')
  })

  test('closed before its engine has started, it leaves no child behind', async () => {
    const children = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length
    await tubelet.engines.all()
    // ffmpeg is asked for its version by children of its own.
    await expect.poll(async () => (await call<{ ffmpeg: unknown }>('GET', '/api/status')).ffmpeg).not.toBeNull()
    const before = children()
    const brief = openTubelet({ projectDir: path.join(folder, 'brief'), host: 'cli' })
    expect(children()).toBeGreaterThan(before)
    await brief.close()
    await new Promise((resolve) => setTimeout(resolve, 50)) // Node frees a handle after the exit event
    expect(children()).toBe(before)
  })

  test('what decoding shows of a video’s time is what the library has', async () => {
    const raw = path.join(folder, 'raw.h264')
    execFileSync((await findMediaTools()).ffmpeg, [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=64x48:r=25:d=2,format=yuv420p',
      '-c:v',
      'libx264',
      raw,
    ])
    const one = openTubelet({ projectDir: path.join(folder, 'raw'), host: 'cli' })
    await one.intake.bring({ paths: [raw] })
    await one.jobs.idle()
    const [source] = one.library.sources()
    expect(source?.probe?.duration).toBe(2)
    expect(source?.probe?.startPts).toBe(one.library.frames(source?.id ?? 0)[0])
    await one.close()
  })

  test('the first of many files has a picture at once, the smallest of them is captioned first, and two are under way from then on', async () => {
    const many = openTubelet({ projectDir: path.join(folder, 'many'), host: 'cli' })
    await many.engines.all()
    await many.jobs.setVocabulary(withNames([], ['person']))
    expect(many.jobs.queue().jobs).toEqual([])
    const seen: { pictures: string[]; clips: number; running: number }[] = []
    let first: string | undefined
    many.onEvent(() => {
      const sources = many.library.sources()
      const sum = (value: (source: Source) => number) => sources.reduce((total, source) => total + value(source), 0)
      first ??= sources.find(({ encodedCount }) => encodedCount > 0)?.name
      seen.push({
        pictures: sources.filter(({ hasThumbnail }) => hasThumbnail).map(({ name }) => name),
        clips: sum(({ encodedCount }) => encodedCount),
        running: many.jobs.queue().running,
      })
    })
    // Held, so that all are found before one is chosen: a busy machine takes longer from one to the next than the choice waits.
    many.jobs.pause()
    await many.intake.bring({ paths: ['d13_toy_robot_wmv2.wmv', 'f01_mjpeg.avi', 'd06_sign_book.mkv'].map((name) => clipPath(name)) })
    many.jobs.resume()
    await many.jobs.idle()
    await many.close()
    expect(seen.some(({ pictures, clips }) => pictures.includes('d13_toy_robot_wmv2.wmv') && clips === 0)).toBe(true)
    expect(first).toBe('d06_sign_book.mkv')
    expect(Math.max(...seen.filter(({ clips }) => clips === 0).map(({ running }) => running))).toBe(1)
    expect(Math.max(...seen.map(({ running }) => running))).toBe(2)
  })

  test('a second question, new labels and a search touch neither ffmpeg nor the vision graph', async () => {
    const { added, rejected } = await call<RouteOutput<'addSources'>>('POST', '/api/sources', {
      paths: [clipPath('d06_sign_book.mkv'), clipPath('nothing.mp4')],
    })
    expect(added).toHaveLength(1)
    expect(rejected.map(({ problem }) => problem.code)).toEqual(['file-missing'])
    await tubelet.jobs.idle()
    const { sources } = await call<{ sources: Source[] }>('GET', '/api/sources')
    expect(sources[0]).toMatchObject({ state: 'done', encodedCount: sources[0]?.clipCount })
    const [clip] = tubelet.library.clips({ limit: 1, offset: 0 }).clips
    if (!clip) throw new Error('no clip')

    const before = { ffmpeg: ffmpegStarts(), vision: await visionRuns(tubelet) }
    expect(before.ffmpeg).toBeGreaterThan(0)
    expect(before.vision).toBeGreaterThan(0)
    for (const question of ['what moves?', 'is there a person?']) {
      const response = await tubelet.handle(
        new Request(`http://tubelet/api/clips/${clip.id}/ask`, { method: 'POST', body: JSON.stringify({ question }) }),
      )
      const events = (await response.text())
        .split('\n\n')
        .filter((block) => block.startsWith('data:'))
        .map((block) => JSON.parse(block.slice(5)) as { type: string; text?: string; annotation?: { body: { text: string } } })
      const last = events.at(-1)
      expect(last?.type).toBe('done')
      expect(
        events
          .slice(0, -1)
          .map(({ text }) => text)
          .join(''),
      ).toBe(last?.annotation?.body.text)
    }
    const detected = async (labels: Label[]) => {
      const { detector = 0 } = (await (await tubelet.engines.boxes())?.counts()) ?? {}
      await call('PUT', '/api/labels', { labels })
      await tubelet.jobs.idle()
      return ((await (await tubelet.engines.boxes())?.counts())?.['detector'] ?? 0) - detector
    }
    const [person, hand] = withNames([], ['person', 'hand'])
    if (!person || !hand) throw new Error('no labels')
    const { total } = tubelet.library.clips({ limit: 1, offset: 0 })
    expect(await detected([person, hand])).toBe(total)
    // A new threshold or colour, a removed label and a former label need no detection. A new label needs one for each clip.
    expect(await detected([{ ...person, threshold: 0.1, colour: '#ffffff' }])).toBe(0)
    expect(await detected([hand, person])).toBe(0)
    expect(await detected([hand, { ...person, synonyms: ['woman'] }])).toBe(total)
    const found = await call<RouteOutput<'search'>>('POST', '/api/search', { query: { by: 'words', words: 'a woman' } })
    expect(found.searched).toBe(found.total)
    expect(found.hits.length + found.nearest.length).toBeGreaterThan(0)
    expect({ ffmpeg: ffmpegStarts(), vision: await visionRuns(tubelet) }).toEqual(before)
  })

  test('a cancelled file keeps what was done, and a retry finishes it', async () => {
    const { added } = await call<RouteOutput<'addSources'>>('POST', '/api/sources', { paths: [clipPath('d03_bottles.mp4')] })
    const id = added[0]?.id ?? 0
    await new Promise<void>((resolve) => {
      const stop = tubelet.onEvent((event) => {
        // Of the beginning, which is reported first, only what was seen is stored.
        if (event.type !== 'clips' || event.sourceId !== id || tubelet.library.source(id).encodedCount === 0) return
        stop()
        resolve()
      })
    })
    await call('POST', '/api/queue/cancel')
    await tubelet.jobs.idle()
    const cancelled = tubelet.library.source(id)
    expect(cancelled.state).toBe('cancelled')
    expect(cancelled.encodedCount).toBeGreaterThan(0)
    const vision = await visionRuns(tubelet)
    await call('POST', `/api/sources/${id}/retry`)
    await tubelet.jobs.idle()
    const done = tubelet.library.source(id)
    expect(done).toMatchObject({ state: 'done', encodedCount: done.clipCount })
    expect(await visionRuns(tubelet)).toBe(vision + done.clipCount - cancelled.encodedCount)
  })

  test('a column asks every clip without touching a video, stops where it is told to, goes on, and is filled by clips that come later', async () => {
    const clips = tubelet.library.clips({ limit: 1000, offset: 0 }).clips.filter(({ encoded }) => encoded)
    expect(clips.length).toBeGreaterThan(3)
    const before = { ffmpeg: ffmpegStarts(), vision: await visionRuns(tubelet) }
    const answered = () =>
      clips.filter(({ id }) => tubelet.library.table.annotationsIn([id], 'answer', 'Is there a bottle?').size > 0).length
    // Cancelled at its first answer, as soon as that is stored.
    const stop = tubelet.onEvent((event) => {
      if (event.type !== 'annotations') return
      stop()
      tubelet.jobs.stopColumn(tubelet.jobs.queue().jobs.find(({ state }) => state === 'running')?.columnId ?? 0)
    })
    const column = await call<RouteOutput<'addColumn'>>('POST', '/api/table/columns', { kind: 'yesno', text: 'Is there a bottle?' })
    await tubelet.jobs.idle()
    expect(tubelet.jobs.queue().jobs.find(({ columnId }) => columnId === column.id)?.state).toBe('cancelled')
    const kept = answered()
    expect(kept).toBe(1)
    const stopped = (await call<RouteOutput<'table'>>('GET', '/api/table')).columns.find(({ id }) => id === column.id)
    expect(stopped).toMatchObject({ automatic: false, filled: kept })

    await call('POST', `/api/table/columns/${column.id}/fill`, {})
    await tubelet.jobs.idle()
    expect(answered()).toBe(clips.length)
    expect({ ffmpeg: ffmpegStarts(), vision: await visionRuns(tubelet) }).toEqual(before)

    // A question that no pack can answer leaves its cells empty and does not stop later videos.
    const hopeless = await call<RouteOutput<'addColumn'>>('POST', '/api/table/columns', { kind: 'question', text: 'who is he?' })
    await tubelet.jobs.idle()
    const { added } = await call<RouteOutput<'addSources'>>('POST', '/api/sources', { paths: [clipPath('f06_tiny_64x48.mp4')] })
    await tubelet.jobs.idle()
    expect(tubelet.library.source(added[0]?.id ?? 0)).toMatchObject({ state: 'done', problem: null })
    await call('DELETE', `/api/table/columns/${hopeless.id}`)
    const later = (await call<RouteOutput<'table'>>('GET', '/api/table')).columns.find(({ id }) => id === column.id)
    expect(later?.filled).toBe(later?.of)
    expect(later?.of).toBeGreaterThan(clips.length)

    const { view } = await call<RouteOutput<'openTable'>>('POST', '/api/table/open', { rows: 'clips', sort: [], filters: [], group: null })
    const csv = await (await tubelet.handle(new Request(`http://tubelet/api/table/csv?view=${view}&columns=name,q${column.id}`))).text()
    expect(csv.split('\r\n')[0]).toBe('Video,Is there a bottle?,Is there a bottle? (confidence),Is there a bottle? (review)')
    expect(csv.trim().split('\r\n')).toHaveLength(1 + (later?.of ?? 0))
    expect(csv).toMatch(/d03_bottles\.mp4,(yes|no|unsure),(0\.\d+)?,(not sure|not reviewed)/)
  })

  test('bad requests say which field is wrong; unknown things are 404', async () => {
    const status = async (method: string, url: string, body?: unknown) => {
      const response = await tubelet.handle(
        new Request(`http://tubelet${url}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
      )
      return `${response.status} ${inEnglish(((await response.json()) as { problem: Problem }).problem).message}`
    }
    expect(await status('POST', '/api/sources', { paths: [] })).toMatch(/^400 body\.paths/)
    expect(await status('POST', '/api/search', { query: { by: 'words', words: ' ' } })).toMatch(/^400 body\.query\.words/)
    expect(await status('GET', '/api/clips/zero')).toMatch(/^400 path\.clipId/)
    expect(await status('GET', '/api/clips/424242')).toMatch(/^404/)
    expect(await status('GET', '/api/nothing')).toMatch(/^404/)
    expect(await status('POST', '/api/export', { formats: ['coco'], directory: 'relative' })).toMatch(/^400/)
  })

  test('the OpenAPI document has every route', async () => {
    const document = await call<{ paths: Record<string, Record<string, unknown>> }>('GET', '/api/openapi.json')
    for (const { method, path: route } of Object.values(contract)) expect(document.paths[route]?.[method]).toBeDefined()
  })
})

async function visionRuns({ engines }: Tubelet): Promise<number> {
  return (await (await engines.words('caption')).counts())['vision'] ?? 0
}
