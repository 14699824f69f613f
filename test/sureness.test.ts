/**
 * An uncertain name that no label asks for is marked in the same way everywhere: in lists, table, overview, search, facts, the
 * REST API and every file. sureness.spec.ts checks the places in the window.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Provenance, TrackBody } from '../app/annotation.ts'
import { toldFacts } from '../app/facts/told.ts'
import { reasonParts } from '../app/find.ts'
import { tracksOf } from '../app/overview.ts'
import { english } from '../app/phrase.ts'
import { labelTexts, standingOfAnnotation, undoubted } from '../app/review.ts'
import { withNames } from '../app/vocabulary.ts'
import { exportProject } from '../main/export/export.ts'
import { Library } from '../main/library/library.ts'
import { detector } from '../main/library/shower.testing.ts'
import { Search } from '../main/search/search.ts'

const DIGEST = 'e'.repeat(64)
const NAMES = ['car', 'donut', 'person']
const EYES = detector(DIGEST, NAMES)
const provenance: Provenance = {
  packId: 'eyes',
  packVersion: '1',
  packDigest: DIGEST,
  provider: 'cpu',
  prompt: '',
  appVersion: '0',
  at: '2026-01-01T00:00:00.000Z',
}
const FRAMES = Array.from({ length: 33 }, (_, i) => i * 6)
const track = (label: string, x: number): TrackBody => ({
  kind: 'track',
  label,
  boxes: FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, box: { x1: x, y1: 20, x2: x + 80, y2: 340 }, score: 0.9 })),
})

let folder: string
let library: Library
let clipId: number
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-sure-'))
  library = Library.open(path.join(folder, 'project'))
  library.packs.use('boxes', { id: 'eyes', digest: DIGEST, names: NAMES })
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  library.setProbe(source.id, {
    container: 'mp4',
    codec: 'h264',
    pixelFormat: 'yuv420p',
    bitDepth: 8,
    hdr: false,
    width: 640,
    height: 360,
    codedWidth: 640,
    codedHeight: 360,
    rotation: 0,
    sampleAspectRatio: { num: 1, den: 1 },
    duration: 8,
    frameRate: { num: 25, den: 1 },
    variableFrameRate: false,
    timeBase: { num: 1, den: 25 },
    startPts: 0,
    frameCount: 200,
    videoStream: 0,
    streams: [],
  })
  library.setFrames(
    source.id,
    Float64Array.from({ length: 200 }, (_, i) => i),
  )
  library.setSourceState(source.id, 'done')
  clipId = library.saveClip(source.id, { index: 0, kind: 'shot', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
  library.seen.saveMeasured(clipId, { cut: true, camera: { steps: [], stays: [] }, light: [] })
  library.seen.saveFrames(
    clipId,
    DIGEST,
    FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, seen: [] })),
  )
  // A person is right nearly always at this score, a donut every other time: both are shown.
  library.detections.saveTracks(
    clipId,
    EYES,
    [track('person', 300), track('donut', 20)].map((body) => ({ score: 0.9, provenance, body })),
  )
  library.facts.refresh([clipId])
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

async function cell(key: string, rows: 'clips' | 'videos'): Promise<string> {
  const { view } = await library.table.ask('open', { query: { rows, sort: [], filters: [], group: null } })
  const [row] = await library.table.ask('rows', { view, from: 0, to: 1, columns: [key] })
  const { text, state } = row?.cells[key] ?? { text: '', state: '' }
  return `${text} ${state}`
}

/** Of which videos and frames the files of boxes say that nothing of a label is there. */
async function absences(label: string): Promise<{ video: boolean; frames: number[] }> {
  const directory = mkdtempSync(path.join(folder, 'coco-'))
  await exportProject(library, { formats: ['coco'], directory })
  const { categories, videos, images } = JSON.parse(readFileSync(path.join(directory, 'instances.json'), 'utf8')) as {
    categories: { id: number; name: string }[]
    videos: { neg_category_ids: number[] }[]
    images: { frame_index: number; neg_category_ids: number[] }[]
  }
  const id = categories.find(({ name }) => name === label)?.id ?? 0
  return {
    video: videos.some(({ neg_category_ids }) => neg_category_ids.includes(id)),
    frames: images.filter(({ neg_category_ids }) => neg_category_ids.includes(id)).map(({ frame_index }) => frame_index),
  }
}

async function search(words: string): Promise<string[]> {
  const none = () => Promise.resolve(null)
  const packs = { all: () => Promise.resolve([]), words: () => Promise.reject(new Error('no engine runs')), boxes: none, text: none }
  const { hits } = await new Search({ library, packs }).find({ by: 'words', words }, {}, 20)
  return hits.flatMap(({ why }) =>
    why.map((one) =>
      reasonParts(one, true, (value) => value.toFixed(1))
        .map(english)
        .join(', '),
    ),
  )
}

async function files(): Promise<{ csv: string[]; coco: unknown; cvat: string[]; jsonl: string[] }> {
  const directory = mkdtempSync(path.join(folder, 'out-'))
  await exportProject(library, { formats: ['coco', 'cvat', 'csv', 'jsonl'], directory })
  const read = (name: string) =>
    readFileSync(
      path.join(directory, readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((file) => file.endsWith(name)) ?? ''),
      'utf8',
    )
  const [head = '', ...rows] = read('boxes.csv').split('\r\n')
  const columns = ['label', 'review'].map((name) => head.split(',').indexOf(name))
  const coco = JSON.parse(read('instances.json')) as {
    categories: { id: number; name: string }[]
    tracks: { category_id: number; review: string }[]
    annotations: { category_id: number; attributes: { review: string } }[]
  }
  const nameOf = (id: number) => coco.categories.find((one) => one.id === id)?.name ?? ''
  return {
    csv: [...new Set(rows.filter(Boolean).map((row) => columns.map((at) => row.split(',')[at]).join(' ')))].sort(),
    coco: {
      tracks: coco.tracks.map(({ category_id, review }) => `${nameOf(category_id)} ${review}`).sort(),
      boxes: [...new Set(coco.annotations.map(({ category_id, attributes }) => `${nameOf(category_id)} ${attributes.review}`))].sort(),
    },
    cvat: [
      ...read('cvat.xml').matchAll(
        /<track [^>]*label="(\w+)"[^>]*>\s*<box [^>]*>\s*<attribute name="state">\w+<\/attribute>\s*<attribute name="review">(\w+)</g,
      ),
    ]
      .map(([, label, review]) => `${label ?? ''} ${review ?? ''}`)
      .sort(),
    jsonl: read('annotations.jsonl')
      .split('\n')
      .flatMap((line) => {
        const one =
          line === '' ? null : (JSON.parse(line) as { type: string; review: string; annotation: { body: { kind: string; label: string } } })
        return one?.type === 'annotation' && one.annotation.body.kind === 'track' ? [`${one.annotation.body.label} ${one.review}`] : []
      })
      .sort(),
  }
}

/** What every place shows for the two things. */
async function everywhere() {
  const clip = library.clip(clipId)
  const overview = library.overview.facts()
  const [fact] = overview.clips
  return {
    standing: library
      .annotations(clipId)
      .flatMap((one) => (one.body.kind === 'track' ? [`${one.body.label} ${standingOfAnnotation(one)}`] : []))
      .sort(),
    list: labelTexts(clip),
    listed: library.clips({ limit: 9, offset: 0 }).clips.map(labelTexts),
    overview: fact && tracksOf(fact),
    suggestions: library.overview.trackLabels(),
    facets: (await library.find.ask('facets', null)).labels,
    labels: [await cell('labels', 'clips'), await cell('labels', 'videos')],
    search: await search('donut'),
    caption: library.annotations(clipId).flatMap(({ body }) => (body.kind === 'caption' ? [body.text] : [])),
    facts: toldFacts(library.facts.of(clipId)).flatMap(({ kind, text }) => (kind === 'name' ? [text.en, text.de] : [])),
    files: await files(),
  }
}

test('what nobody asked for and is not sure looks so everywhere', async () => {
  const reviews = ['donut unsure', 'person sure']
  expect(await everywhere()).toEqual({
    standing: reviews,
    list: ['person', 'donut?'],
    listed: [['person', 'donut?']],
    overview: [
      ['person', 1],
      ['donut?', 1],
    ],
    suggestions: [
      { word: 'person', clips: 1, unsure: false },
      { word: 'donut', clips: 1, unsure: true },
    ],
    facets: [
      { label: 'person', clips: 1, unsure: false },
      { label: 'donut', clips: 1, unsure: true },
    ],
    labels: ['person, donut? sure', 'person, donut? sure'],
    search: [expect.stringMatching(/^box: donut\?, 0\.1, seen .* s, not sure$/)],
    caption: ['A person'],
    facts: [
      'A person: 0:00.0–0:07.7',
      'Eine Person: 0:00.0–0:07.7',
      'Perhaps a donut: 0:00.0–0:07.7',
      'Vielleicht ein Donut: 0:00.0–0:07.7',
    ],
    files: { csv: reviews, coco: { tracks: reviews, boxes: reviews }, cvat: reviews, jsonl: reviews },
  })
})

test('once somebody asks for it, or decides about it, no place doubts it any more', async () => {
  library.changeVocabulary(withNames([], ['donut']))
  library.showVocabulary(EYES)
  const asked = await everywhere()
  expect(asked).toMatchObject({
    standing: ['donut sure', 'person sure'],
    list: ['donut', 'person'],
    labels: ['donut, person sure', 'donut, person sure'],
    search: [expect.stringMatching(/^box: donut, 0\.\d, seen [^?]* s$/), expect.stringMatching(/^caption/)],
    files: { csv: ['donut sure', 'person sure'], jsonl: ['donut sure', 'person sure'] },
  })
  expect(JSON.stringify(asked)).not.toContain('donut?')
  expect(asked.caption).toEqual([expect.stringContaining('donut')])

  // And back: without the label the name is uncertain again.
  library.changeVocabulary([])
  library.showVocabulary(EYES)
  expect(labelTexts(library.clip(clipId))).toEqual(['person', 'donut?'])

  const donut = library.annotations(clipId).find(({ body }) => body.kind === 'track' && body.label === 'donut')
  library.review(donut?.id ?? 0, 'accept')
  const decided = await everywhere()
  expect(decided).toMatchObject({
    standing: ['donut accepted', 'person sure'],
    list: ['donut', 'person'],
    files: { csv: ['donut accepted', 'person sure'] },
  })
  expect(JSON.stringify(decided)).not.toContain('donut?')
})

test('an answer that is not sure looks so in the table, on the clipboard and in the overview, and goes back as no decision', async () => {
  const question = 'Is there a car?'
  const { id } = library.table.addColumn('yesno', question, false)
  library.saveMachine(clipId, 'answer', [
    {
      body: { kind: 'answer', question, text: 'No cars were seen.' },
      evidence: { confidence: 0.45, unsure: true, agreement: null, frames: [] },
      provenance,
    },
  ])
  const key = `c${id}`
  expect([await cell(key, 'clips'), await cell(key, 'videos')]).toEqual(['no unsure', 'no unsure'])
  const { view } = await library.table.ask('open', { query: { rows: 'clips', sort: [], filters: [], group: null } })
  const copied = await library.table.ask('tsv', { view, from: 0, to: 1, columns: [key] })
  expect(copied).toBe('(?) no')
  expect(undoubted(copied)).toEqual({ text: 'no', unsure: true })
  expect(library.overview.facts().answers).toMatchObject([{ text: 'No cars were seen.', unsure: true }])
  const groups = (await library.table.ask('open', { query: { rows: 'clips', sort: [], filters: [], group: key } })).groups
  expect(groups).toMatchObject([{ text: 'no', unsure: 1 }])
})

test('that there is none is as sure in cells and files as in the answer to the question', async () => {
  library.changeVocabulary(withNames([], ['car']))
  library.showVocabulary(EYES)
  const { id } = library.table.addColumn('count', 'car', true)
  const evidence = (question: string) => {
    const answer = library.facts.answer(clipId, question)
    return answer !== null && 'body' in answer ? `${answer.body.text} ${answer.evidence?.unsure ? 'unsure' : 'sure'}` : answer
  }
  expect(evidence('How many cars?')).toBe('No cars were counted. unsure')
  for (const rows of ['clips', 'videos'] as const) expect(await cell(`q${id}`, rows)).toBe('0 unsure')
  const query = { rows: 'clips' as const, sort: [], filters: [], group: `q${id}` }
  expect((await library.table.ask('open', { query })).groups).toMatchObject([{ text: '0', unsure: 1 }])

  expect(evidence('Is there a car?')).toBe('No cars were seen. sure')
  expect((await absences('car')).frames).toHaveLength(200)
  // A box that may be one, on a single frame.
  const car = { name: 'car', box: { cx: 0.1, cy: 0.1, w: 0.1, h: 0.1 }, score: 0.5, colours: [] }
  library.seen.saveFrames(
    clipId,
    DIGEST,
    FRAMES.map((ordinal) => ({ ordinal, pts: ordinal, seen: ordinal === 60 ? [car] : [] })),
  )
  expect(evidence('Is there a car?')).toBe('No cars were seen. unsure')
  expect(await absences('car')).toEqual({ video: false, frames: [] })
})

test('where seconds could not be read, no count is sure, and no file says that nothing was there', async () => {
  library.changeVocabulary(withNames([], ['car']))
  library.showVocabulary(EYES)
  const { id } = library.table.addColumn('count', 'person', true)
  expect(await cell(`c${id}`, 'clips')).toBe('1 sure')
  expect((await absences('car')).frames).toHaveLength(200)
  const { sourceId } = library.clip(clipId)
  const { probe } = library.source(sourceId)
  if (probe === null) throw new Error('the test needs a probe')
  library.setProbe(sourceId, { ...probe, unread: [{ from: 2, to: 8 }] })
  library.emit({ type: 'annotations', clipIds: [clipId] })
  expect(await cell(`c${id}`, 'clips')).toBe('1 unsure')
  const { video, frames } = await absences('car')
  expect([video, Math.max(...frames)]).toEqual([false, 49])
})

test('a library of an earlier version, which does not say how sure its tracks are, says so once it is open', async () => {
  await library.close()
  const db = new DatabaseSync(path.join(folder, 'project', 'library.sqlite'))
  db.exec(`UPDATE annotations SET evidence = NULL WHERE kind = 'track'`)
  db.close()
  library = Library.open(path.join(folder, 'project'))
  await expect.poll(() => labelTexts(library.clip(clipId))).toEqual(['person', 'donut?'])
})
