/** A library with the default packs: boxes by a detector, text by a reader, and a model of words to which no clip is familiar. Real clips, packs and ffmpeg. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
const objectOf = ({ body }: Annotation) => (body.kind === 'track' ? (body.object ?? 0) : 0)

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Annotation } from '../app/annotation.ts'
import type { RouteOutput } from '../app/contract.ts'
import type { Problem } from '../app/errors.ts'
import { english } from '../app/phrase.ts'
import { clipPath } from './media/clips.testing.ts'
import { findMediaTools } from './media/tools.ts'
import { openTubelet, type Tubelet } from './open.ts'
import { copyPack, OBJECTS } from './packs/pack.testing.ts'

describe('a library as it is installed', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-tasks-'))
  const log = path.join(folder, 'ffmpeg.log')
  const packsDir = path.join(folder, 'packs')
  let tubelet: Tubelet
  const call = async <T>(method: string, url: string, body?: unknown): Promise<T> => {
    const response = await tubelet.handle(
      new Request(`http://tubelet${url}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
    )
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  /** How often ffmpeg was started, and each graph that sees a picture was run. */
  const work = async () => {
    const counts = await Promise.all((await tubelet.engines.all()).map((engine) => engine.counts()))
    const runs = (graph: string) => counts.reduce((sum, all) => sum + (all[graph] ?? 0), 0)
    return { ffmpeg: existsSync(log) ? readFileSync(log, 'utf8').length : 0, vision: runs('vision'), finder: runs('finder') }
  }
  const clips = () => tubelet.library.clips({ limit: 100, offset: 0 }).clips
  const tracks = () =>
    clips()
      .flatMap(({ id }) => tubelet.library.annotations(id))
      .filter(({ body }) => body.kind === 'track')
      .sort((a, b) => objectOf(a) - objectOf(b))
  const lines = (clipId: number) =>
    tubelet.library
      .annotations(clipId)
      .flatMap(({ body }) => (body.kind === 'text' ? [body.text] : []))
      .sort()
  const add = async (file: string) => {
    const { added } = await call<RouteOutput<'addSources'>>('POST', '/api/sources', { paths: [file] })
    await tubelet.jobs.idle()
    expect(tubelet.library.source(added[0]?.id ?? 0).state).toBe('done')
    return added[0]?.id ?? 0
  }

  beforeAll(async () => {
    const { ffmpeg } = await findMediaTools()
    writeFileSync(
      path.join(folder, 'ffmpeg'),
      `#!/bin/sh\ncase "$*" in *filter_complex*) printf x >> '${log}';; esac\nexec '${ffmpeg}' "$@"\n`,
    )
    chmodSync(path.join(folder, 'ffmpeg'), 0o755)
    process.env['FFMPEG_PATH'] = path.join(folder, 'ffmpeg')
    tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir, host: 'web' })
    await add(clipPath('d09_dashcam_short.mp4'))
  }, 180_000)
  afterAll(async () => {
    await tubelet.close()
    delete process.env['FFMPEG_PATH']
    rmSync(folder, { recursive: true, force: true })
  })

  test('finds things by the detector in one decode pass, and stores no words of a model that was taught nothing like it', async () => {
    expect((await work()).ffmpeg).toBe(1)
    expect(tracks().length).toBeGreaterThan(0)
    expect(new Set(tracks().map(({ provenance }) => provenance?.packId))).toEqual(new Set(['objects-80']))
    expect(tracks().map(({ body }) => body.kind === 'track' && body.label)).toContain('car')
    for (const clip of clips()) {
      expect(clip).toMatchObject({ encoded: true })
      expect(tubelet.library.annotations(clip.id).filter(({ provenance }) => provenance?.packId === 'tubelet-mini')).toEqual([])
      expect(tubelet.library.seen.measured(clip.id)).not.toBeNull()
    }
    expect(tubelet.library.packs.missing(tubelet.library.packs.inUse()).clips).toBe(0)
  })

  test('a question that nobody can answer says so and is stored nowhere; a guess is told as one, and is stored nowhere either', async () => {
    const [clip] = clips()
    const before = tubelet.library.annotations(clip?.id ?? 0)
    const question = 'why did the inspector leave early?'
    const response = await tubelet.handle(
      new Request(`http://tubelet/api/clips/${clip?.id ?? 0}/ask`, { method: 'POST', body: JSON.stringify({ question }) }),
    )
    const text = await response.text()
    const problem = response.ok
      ? text
          .split('\n\n')
          .filter((block) => block.startsWith('data:'))
          .map((block) => JSON.parse(block.slice(5)) as { problem?: Problem })
          .at(-1)?.problem
      : (JSON.parse(text) as { problem: Problem }).problem
    expect(problem).toMatchObject({ code: 'not-answerable' })
    const guessed = await call<RouteOutput<'guessClip'>>('POST', `/api/clips/${clip?.id ?? 0}/guess`, { question })
    expect(guessed.text.length).toBeGreaterThan(0)
    expect(guessed.pack).toBe((await tubelet.engines.words('answer')).info.manifest.name)
    expect(
      (await call<RouteOutput<'guessClip'>>('POST', `/api/clips/${clip?.id ?? 0}/guess`, { question: null })).text.length,
    ).toBeGreaterThan(0)
    expect(tubelet.library.annotations(clip?.id ?? 0)).toEqual(before)
  })

  test('a column of such a question says in its cells and its file that nothing answers it, and the window is told', async () => {
    const heard: string[] = []
    const deafen = tubelet.onEvent((event) => {
      if (event.type === 'told') heard.push(english(event.phrase))
    })
    const column = await call<RouteOutput<'addColumn'>>('POST', '/api/table/columns', { kind: 'yesno', text: 'Is there a helmet?' })
    await tubelet.jobs.idle()
    const all = clips().length
    expect(heard).toEqual([`“Is there a helmet?” cannot be answered in ${all} of ${all} clips. Their cells say why.`])
    // Asked again, as after each change of the labels, it is no news.
    tubelet.jobs.fillColumn(tubelet.library.table.columns().find(({ id }) => id === column.id) ?? column)
    await tubelet.jobs.idle()
    deafen()
    expect(heard.length).toBe(1)
    const key = `q${column.id}`
    const { view } = await call<RouteOutput<'openTable'>>('POST', '/api/table/open', { rows: 'clips', sort: [], filters: [], group: null })
    const { rows } = await call<RouteOutput<'tableRows'>>('GET', `/api/table/rows?view=${view}&from=0&to=1&columns=${key}`)
    expect(rows[0]?.cells[key]).toMatchObject({
      text: '',
      state: 'unanswerable',
      why: { code: 'not-answerable', message: 'This pack cannot see “helmet”; nearest that it can: person.' },
    })
    const csv = await (await tubelet.handle(new Request(`http://tubelet/api/table/csv?view=${view}&columns=name,${key}`))).text()
    expect(csv).toContain('d09_dashcam_short.mp4,,,cannot answer')
    await call('DELETE', `/api/table/columns/${column.id}`)
  })

  test('a label that means a thing of the list takes its tracks, at once and without a look', async () => {
    const before = await work()
    const cars = tracks().filter(({ body }) => body.kind === 'track' && body.label === 'car').length
    await call('PUT', '/api/labels', { labels: [{ name: 'Auto', synonyms: [], colour: '#69c1fc', threshold: 0.8 }] })
    await tubelet.jobs.idle()
    expect(tracks().filter(({ body }) => body.kind === 'track' && body.label === 'Auto')).toHaveLength(cars)
    const scores = await call<RouteOutput<'labelScores'>>('GET', '/api/labels/scores?name=Auto')
    expect(scores.tracks.slice(800).reduce((sum, count) => sum + count, 0)).toBe(cars)
    const column = await call<RouteOutput<'addColumn'>>('POST', '/api/table/columns', { kind: 'count', text: 'Auto' })
    await tubelet.jobs.idle()
    const { columns } = await call<RouteOutput<'table'>>('GET', '/api/table')
    expect(columns.find(({ id }) => id === column.id)).toMatchObject({ filled: clips().length, of: clips().length })
    await call('PUT', '/api/labels', { labels: [] })
    await tubelet.jobs.idle()
    // Counting by another word for a thing does not rename its boxes.
    await call('POST', '/api/table/columns', { kind: 'count', text: 'cars' })
    await tubelet.jobs.idle()
    expect(tubelet.library.detections.vocabulary().map(({ name }) => name)).toEqual(['car'])
    expect(tracks().filter(({ body }) => body.kind === 'track' && body.label === 'car').length).toBeGreaterThanOrEqual(cars)
    // The column and its label are one step.
    await call('POST', '/api/history/undo', {})
    await tubelet.jobs.idle()
    expect(tubelet.library.detections.vocabulary()).toEqual([])
    expect(tubelet.library.table.columns().map(({ text }) => text)).not.toContain('cars')
    expect(english(tubelet.library.history.next().redo ?? { text: '' })).toBe('Column added · cars')
    await tubelet.jobs.idle()
    expect(await work()).toEqual(before)
  })

  test('boxes by another pack are looked for once; back and forth, nothing is done again and nothing is lost', async () => {
    const shown = () =>
      tracks()
        .map(({ body, provenance }) => `${provenance?.packId ?? ''} ${JSON.stringify(body)}`)
        .sort()
    const first = shown()
    copyPack(packsDir, 'eyes', {}, OBJECTS)
    const mark = tubelet.library.markClip(1, { index: 0, kind: 'marked', start: 0, end: 1, startFrame: 3, endFrame: 20, frames: [] })
    tubelet.jobs.encodeMarked(1)
    await tubelet.jobs.idle()
    const before = await work()
    await tubelet.packs.finished(tubelet.packs.use('eyes'))
    await tubelet.jobs.idle()
    const once = await work()
    // One pass for the new pack; the others, which have seen all of it, do nothing.
    expect(once).toMatchObject({ ffmpeg: before.ffmpeg + 1, vision: before.vision, finder: before.finder })
    expect(new Set(tracks().map(({ provenance }) => provenance?.packId))).toEqual(new Set(['eyes']))
    expect(shown().map((one) => one.replace('eyes', 'objects-80'))).toEqual(first)
    expect(tubelet.library.packs.missing(tubelet.library.packs.inUse()).clips).toBe(0)
    await tubelet.packs.finished(tubelet.packs.use('objects-80'))
    await tubelet.jobs.idle()
    expect(shown()).toEqual(first)
    expect((await work()).ffmpeg).toBe(once.ffmpeg)
    tubelet.packs.delete('eyes')
    tubelet.library.removeClip(mark.id)
  })

  test('text stands in every clip of a picture that stands still', async () => {
    const [frame, still] = [path.join(folder, 'frame.png'), path.join(folder, 'still.mp4')]
    const { ffmpeg } = await findMediaTools()
    execFileSync(ffmpeg, ['-v', 'error', '-ss', '0.8', '-i', clipPath('d15_roadtrip_vp9_10bit.webm'), '-frames:v', '1', frame])
    execFileSync(ffmpeg, [
      '-v',
      'error',
      '-loop',
      '1',
      '-i',
      frame,
      '-t',
      '20',
      '-r',
      '5',
      '-vf',
      'scale=640:-2,format=yuv420p',
      '-c:v',
      'libx264',
      still,
    ])
    const before = await work()
    const source = await add(still)
    const some = clips().filter(({ sourceId }) => sourceId === source)
    expect(some.length).toBeGreaterThan(1)
    const [first = [], ...others] = some.map(({ id }) => lines(id))
    expect(first.length).toBeGreaterThan(0)
    for (const other of others) expect(other).toEqual(first)
    // The reader looked at it once.
    expect((await work()).finder - before.finder).toBe(1)
    const text = tubelet.library.annotations(some[0]?.id ?? 0).filter(({ body }) => body.kind === 'text')
    expect(new Set(text.map(({ provenance }) => provenance?.packId))).toEqual(new Set(['screen-text']))
  })

  test('an analysis that is done again shows the packs nothing that they have seen', async () => {
    const before = await work()
    const shown = tracks().map(({ body }) => body)
    await call('POST', '/api/sources/1/retry')
    await tubelet.jobs.idle()
    expect(await work()).toEqual({ ...before, ffmpeg: before.ffmpeg + 1 })
    expect(tracks().map(({ body }) => body)).toEqual(shown)
  })

  test('says what the first second shows before the first clip is whole, and the clip is the same one then', async () => {
    const [whole] = clips()
    const early: { id: number; end: number; kind: string; facts: number; encoded: boolean; captions: number }[] = []
    const stop = tubelet.onEvent((event) => {
      if (event.type !== 'clips') return
      for (const id of event.clipIds) {
        const { sourceId, end, kind, encoded } = tubelet.library.clip(id)
        const captions = tubelet.library.annotations(id).filter(({ body }) => body.kind === 'caption').length
        if (sourceId !== whole?.sourceId) early.push({ id, end, kind, encoded, facts: tubelet.library.facts.of(id).length, captions })
      }
    })
    const long = path.join(folder, 'long.mp4')
    const looped = ['-stream_loop', '19', '-i', clipPath('d09_dashcam_short.mp4'), '-t', '18', '-vf', 'scale=640:-2', '-r', '10', '-an']
    execFileSync('ffmpeg', ['-v', 'error', ...looped, '-c:v', 'libx264', '-preset', 'ultrafast', long])
    utimesSync(long, 1e9, 1e9)
    const sourceId = await add(long)
    stop()
    const own = clips().filter((clip) => clip.sourceId === sourceId)
    expect(early[0]).toMatchObject({ id: own[0]?.id, kind: 'beginning', encoded: false, captions: 1 })
    expect(early[0]?.facts).toBeGreaterThan(0)
    expect(early[0]?.end).toBeLessThan(own[0]?.end ?? 0)
    expect(own.every(({ kind, encoded }) => kind !== 'beginning' && encoded)).toBe(true)
    expect(own.reduce((end, clip) => (clip.start === end ? clip.end : Number.NaN), 0)).toBeGreaterThan(17)
    await call('DELETE', `/api/sources/${sourceId}`)
  })
})
