import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TableQuery } from '../../app/contract/table.ts'
import { english } from '../../app/phrase.ts'
import { fromTsv } from '../../app/table/tsv.ts'
import { newLabel } from '../../app/vocabulary.ts'
import { killNewestThreadWhenAsked } from '../threads.testing.ts'
import { keyOf, lookedFor } from './detections.ts'
import { Library } from './library.ts'
import { detector, DIGEST, mammut, provenance } from './shower.testing.ts'
import { editCells, editClips, noteClips } from './table-edits.ts'

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-table-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A video with as many clips of eight seconds as captions. */
function addVideo(name: string, captions: readonly string[]): number[] {
  const { source } = library.addSource({ path: `/v/${name}`, name, bytes: 1, mtimeMs: 0, fingerprint: name })
  library.setSourceState(source.id, 'done')
  return captions.map((text, index) => {
    const clipId = library.saveClip(source.id, {
      index,
      kind: 'window',
      start: index * 8,
      end: index * 8 + 8,
      startFrame: index * 200,
      endFrame: index * 200 + 200,
      frames: [],
    })
    const encoding = { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null }
    library.saveClipResult(clipId, mammut(DIGEST), encoding, [], {
      caption: { body: { kind: 'caption', text }, evidence: null, provenance },
      seen: null,
    })
    return clipId
  })
}
function answer(clipId: number, question: string, text: string, confidence: number, unsure = false): void {
  library.saveMachine(clipId, 'answer', [
    { body: { kind: 'answer', question, text }, evidence: { confidence, unsure, agreement: 0.25, frames: [] }, provenance },
  ])
}
const answerId = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'answer')?.id ?? 0

const query = (over: Partial<TableQuery> = {}): TableQuery => ({ rows: 'clips', sort: [], filters: [], group: null, ...over })
const open = (over?: Partial<TableQuery>) => library.table.ask('open', { query: query(over) })
async function texts(over: Partial<TableQuery>, key: string): Promise<string[]> {
  const { view, total } = await open(over)
  return (await library.table.ask('rows', { view, from: 0, to: total, columns: [key] })).map(({ cells }) => cells[key]?.text ?? '')
}

test('clips are rows in the order of their videos and times, with what is known of each', async () => {
  const [, second] = addVideo('b.mp4', ['a dog', 'a cat'])
  addVideo('a.mp4', ['a car'])
  const { view, total, of, groups } = await open()
  expect([total, of, groups]).toEqual([3, 3, null])
  const [, row] = await library.table.ask('rows', {
    view,
    from: 0,
    to: 3,
    columns: ['name', 'time', 'length', 'caption', 'review', 'note'],
  })
  expect(row).toMatchObject({
    clipId: second,
    encoded: true,
    cells: {
      name: { text: 'b.mp4' },
      time: { text: '0:08.0–0:16.0' },
      length: { text: '8.0' },
      caption: { text: 'a cat', state: 'sure' },
      review: { text: 'open' },
    },
  })
  expect(row?.cells['note']).toBeUndefined()
})

test('a yes-or-no column shows yes, no or unsure, what the model said beneath, and no confidence for words that are neither', async () => {
  const [a, b, c] = addVideo('v.mp4', ['one', 'two', 'three']) as [number, number, number]
  answer(a, 'Is there a dog?', 'Yes, a brown one', 0.9)
  answer(b, 'is there a dog', 'a red car', 0.8)
  answer(c, 'Is there a dog?', 'no', 0.4, true)
  const { id } = library.table.addColumn('yesno', 'Is there a dog?', true)
  const key = `q${id}`
  const { view } = await open()
  const rows = await library.table.ask('rows', { view, from: 0, to: 3, columns: [key] })
  expect(rows.map(({ cells }) => cells[key])).toMatchObject([
    { text: 'yes', state: 'sure', confidence: 0.9, agreement: 0.25, machine: 'Yes, a brown one' },
    { text: 'unsure', state: 'unsure', confidence: null, machine: 'a red car' },
    { text: 'no', state: 'unsure', confidence: 0.4, machine: null },
  ])
  expect(await texts({ sort: [{ key, by: 'value', down: false }] }, key)).toEqual(['yes', 'no', 'unsure'])
  expect((await open({ group: key })).groups?.map(({ text }) => text)).toEqual(['yes', 'no', 'unsure'])
})

test('one question typed in two ways is one column; its answers outlive it', async () => {
  const [clip] = addVideo('v.mp4', ['one']) as [number]
  const first = library.table.addColumn('question', 'What moves?', true)
  answer(clip, 'what moves', 'a ball', 0.7)
  expect(library.table.addColumn('yesno', '  what MOVES ', false)).toEqual({ ...first, kind: 'yesno' })
  library.table.removeColumn(first.id)
  expect(library.table.columns()).toEqual([])
  const again = library.table.addColumn('question', 'What moves?', true)
  expect(again.id).not.toBe(first.id)
  expect(await texts({}, `q${again.id}`)).toEqual(['a ball'])
  expect((await library.table.ask('filled', { digest: DIGEST })).get(again.id)).toEqual({ filled: 1, of: 1 })
})

test('a column comes and goes with undo, and comes back as it was', async () => {
  const column = library.table.addColumn('question', 'What moves?', true)
  expect(english((await library.history.undo()).redo ?? { text: '' })).toBe('Column added · What moves?')
  expect(library.table.columns()).toEqual([])
  await library.history.redo()
  expect(library.table.columns()).toEqual([column])
  library.table.removeColumn(column.id)
  await library.history.undo()
  expect(library.table.columns()).toEqual([column])
  // Added again, it is no further step.
  library.table.addColumn('question', 'what MOVES', false)
  expect(library.history.list(10).steps).toHaveLength(2)
})

test('only clips that nobody answered are asked, by the pack in use', () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three']) as [number, number, number]
  answer(clips[1], 'What moves?', 'a ball', 0.7)
  library.addAnnotation(clips[2], { kind: 'answer', question: 'what moves', text: 'nothing' })
  expect(library.table.unanswered('What moves?', DIGEST, 0, 10)).toEqual([clips[0]])
  expect(library.table.unanswered('What moves?', 'another pack', 0, 10)).toEqual([])
  expect(library.table.unanswered('What else?', DIGEST, 0, 2)).toEqual(clips.slice(0, 2))
  expect(library.table.unanswered('What else?', DIGEST, clips[1], 2)).toEqual([clips[2]])
})

test('an arrangement stands still under its name while cells change; opened again, it follows', async () => {
  const clips = addVideo('v.mp4', ['b', 'a', 'c']) as [number, number, number]
  const { id } = library.table.addColumn('question', 'What?', true)
  const key = `q${id}`
  clips.forEach((clip, at) => answer(clip, 'What?', ['beta', 'alpha', 'gamma'][at] ?? '', 0.5))
  const sorted: Partial<TableQuery> = { sort: [{ key, by: 'value', down: false }], filters: [{ key, op: 'contains', text: 'a' }] }
  const before = await open(sorted)
  library.review(answerId(clips[1]), 'edit', { kind: 'answer', question: 'What?', text: 'zeta' })
  const rows = await library.table.ask('rows', { view: before.view, from: 0, to: 3, columns: [key] })
  expect(rows.map(({ clipId, cells }) => [clipId, cells[key]?.text, cells[key]?.state])).toEqual([
    [clips[1], 'zeta', 'edited'],
    [clips[0], 'beta', 'sure'],
    [clips[2], 'gamma', 'sure'],
  ])
  // The machine's confidence is in its own text, not in a person's.
  expect(rows.map(({ cells }) => cells[key]?.confidence)).toEqual([null, 0.5, 0.5])
  expect(await texts(sorted, key)).toEqual(['beta', 'gamma', 'zeta'])
  expect(await texts({ filters: [{ key, op: 'state', states: ['edited'] }] }, key)).toEqual(['zeta'])
  library.review(answerId(clips[1]), 'reject')
  expect(await texts({ filters: [{ key, op: 'empty' }] }, key)).toEqual(['zeta'])
})

test('clips that come and go are rows that come and go; opening the same again keeps its name while nothing did', async () => {
  const [first] = addVideo('a.mp4', ['one', 'two'])
  const before = await open()
  expect((await open()).view).toBe(before.view)
  addVideo('b.mp4', ['three'])
  expect(await texts({}, 'caption')).toEqual(['one', 'two', 'three'])
  expect((await open()).view).not.toBe(before.view)
  library.removeSource(library.clip(first ?? 0).sourceId)
  expect(await texts({ sort: [{ key: 'caption', by: 'value', down: false }] }, 'caption')).toEqual(['three'])
  await expect(library.table.ask('rows', { view: 'no such', from: 0, to: 1, columns: ['name'] })).rejects.toMatchObject({
    problem: { code: 'not-found' },
  })
})

test('a video that comes after the last one went has rows and cells of its own', async () => {
  addVideo('a.mp4', ['one'])
  const [last] = addVideo('b.mp4', ['two'])
  expect(await texts({}, 'name')).toEqual(['a.mp4', 'b.mp4'])
  library.removeSource(library.clip(last ?? 0).sourceId)
  addVideo('c.mp4', ['three'])
  expect(await texts({}, 'name')).toEqual(['a.mp4', 'c.mp4'])
  expect(await texts({}, 'caption')).toEqual(['one', 'three'])
  expect(await texts({ rows: 'videos' }, 'name')).toEqual(['a.mp4', 'c.mp4'])
})

test('a clip that goes while another one comes back changes the rows, though not how many they are', async () => {
  addVideo('a.mp4', ['one'])
  const mark = (at: number) =>
    library.markClip(1, { index: 1, kind: 'marked', start: at, end: at + 1, startFrame: at * 25, endFrame: at * 25 + 25, frames: [] }).id
  const [first, second] = [mark(1), mark(2)]
  mark(3)
  library.removeClip(first)
  expect(await texts({}, 'time')).toEqual(['0:00.0–0:08.0', '0:02.0–0:03.0', '0:03.0–0:04.0'])
  await library.history.undo()
  library.removeClip(second)
  expect(await texts({}, 'time')).toEqual(['0:00.0–0:08.0', '0:01.0–0:02.0', '0:03.0–0:04.0'])
})

test('labels are counted without those that were rejected; nothing found is 0, nothing looked for is empty', async () => {
  const clips = addVideo('v.mp4', ['one', 'two'])
  const key = `q${library.table.addColumn('count', 'Car', true).id}`
  expect(await texts({}, key)).toEqual(['', ''])
  const vocabulary = [newLabel('car', []), newLabel('dog', [])]
  library.changeVocabulary(vocabulary, [])
  const track = (label: string, x: number, score = 0.9) => ({
    score,
    provenance,
    body: { kind: 'track' as const, label, boxes: [{ ordinal: 0, pts: 0, box: { x1: x, y1: 0, x2: x + 5, y2: 5 }, score }] },
  })
  const fresh = new Map(vocabulary.map((label) => [keyOf(label), []]))
  for (const [at, candidates] of [[track('car', 0), track('car', 50), track('car', 70, 0.01), track('dog', 90)], []].entries())
    library.saveSeen(clips[at] ?? 0, mammut(DIGEST), { lookedFor: lookedFor(vocabulary), fresh, candidates })
  expect(await texts({}, key)).toEqual(['2', '0'])
  const [reject] = library.annotations(clips[0] ?? 0).filter(({ body }) => body.kind === 'track')
  library.review(reject?.id ?? 0, 'reject')
  expect(await texts({ filters: [{ key, op: 'atLeast', value: 1 }] }, key)).toEqual(['1'])
  expect(await texts({}, 'labels')).toEqual(['car, dog', ''])
  // A track that a person drew from the first clip into the second counts in both; it is not there at the same time as the other one.
  const keys = [190, 230].map((ordinal) => ({ ordinal, pts: ordinal, box: { x1: 0, y1: 50, x2: 5, y2: 55 }, score: null }))
  library.addAnnotation(clips[0] ?? 0, { kind: 'track', label: 'car', boxes: keys })
  expect(await texts({}, key)).toEqual(['1', '1'])
  expect(await texts({}, 'labels')).toEqual(['car, dog', 'car'])
})

test('a count is the most at once, as in the facts, not the number of tracks; those that may be wrong make it unsure only where it needs them', async () => {
  const [clip] = addVideo('v.mp4', ['one']) as [number]
  const key = `q${library.table.addColumn('count', 'cup', true).id}`
  const [eyes, frames] = [detector('e'.repeat(64), ['cup']), Array.from({ length: 21 }, (_, i) => i * 10)]
  library.packs.use('boxes', { id: 'eyes', digest: eyes.digest, names: ['cup'] })
  const looked = frames.map((ordinal) => ({ ordinal, pts: ordinal, seen: [] }))
  library.seen.saveFrames(clip, eyes.digest, looked)
  const cup = (from: number, to: number, x: number, unsure = false, countable?: false) => ({
    provenance,
    evidence: { confidence: unsure ? 0.5 : 0.9, unsure, agreement: null, frames: [], ...(countable === undefined ? {} : { countable }) },
    body: {
      kind: 'track' as const,
      label: 'cup',
      boxes: looked.flatMap(({ ordinal, pts }) =>
        ordinal < from || ordinal > to ? [] : [{ ordinal, pts, box: { x1: x, y1: 0, x2: x + 5, y2: 5 }, score: 0.9 }],
      ),
    },
  })
  const shown = async () => {
    const { view } = await open()
    const [row] = await library.table.ask('rows', { view, from: 0, to: 1, columns: [key] })
    return [row?.cells[key]?.text, row?.cells[key]?.state, ...(await texts({ rows: 'videos' }, key))]
  }
  // The third and the fourth are one cup that was lost for a moment.
  for (const unsure of [0, 1, 2]) {
    library.saveMachine(clip, 'track', [cup(0, 200, 0), cup(0, 200, 20), cup(0, 90, 40, unsure > 1), cup(120, 200, 40, unsure > 0)])
    expect(await shown()).toEqual(['3', unsure > 1 ? 'unsure' : 'sure', '3'])
  }
  // One that is surely there, but not surely one more; alone it is one.
  const doubtful = cup(0, 200, 20, false, false)
  library.saveMachine(clip, 'track', [cup(0, 200, 0), doubtful])
  expect(await shown()).toEqual(['2', 'unsure', '2'])
  library.saveMachine(clip, 'track', [doubtful])
  expect(await shown()).toEqual(['1', 'sure', '1'])
})

test('a detector has looked for everything on its list: nothing found is 0, and of a word that is not on it nothing is known', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three'])
  const keys = ['Auto', 'crane'].map((text) => `q${library.table.addColumn('count', text, true).id}`)
  library.changeVocabulary([newLabel('Auto', []), newLabel('crane', [])], [])
  const eyes = detector('e'.repeat(64), ['person', 'car'])
  library.packs.use('boxes', { id: 'eyes', digest: eyes.digest, names: ['person', 'car'] })
  const car = {
    score: 0.9,
    provenance,
    body: { kind: 'track' as const, label: 'car', boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 5, y2: 5 }, score: 0.9 }] },
  }
  for (const [at, candidates] of [[car], []].entries()) {
    library.seen.saveFrames(clips[at] ?? 0, eyes.digest, [])
    library.detections.saveTracks(clips[at] ?? 0, eyes, candidates)
  }
  expect(await texts({}, keys[0] ?? '')).toEqual(['1', '0', ''])
  expect(await texts({}, keys[1] ?? '')).toEqual(['', '', ''])
  // Nor if another pack once looked for it: without a pack that can find it, no view shows a 0.
  const crane = newLabel('crane', [])
  library.saveSeen(clips[0] ?? 0, mammut(DIGEST), { lookedFor: lookedFor([crane]), fresh: new Map([[keyOf(crane), []]]), candidates: [] })
  for (const [rows, states] of [
    ['clips', ['blind', 'blind', undefined]],
    ['videos', ['blind']],
  ] as const) {
    const { view, total } = await open({ rows })
    expect(
      (await library.table.ask('rows', { view, from: 0, to: total, columns: keys })).map(({ cells }) => cells[keys[1] ?? '']?.state),
    ).toEqual(states)
    expect(await library.table.ask('tsv', { view, from: 0, to: 1, columns: [keys[1] ?? ''] })).toBe('')
    expect((await open({ rows, filters: [{ key: keys[1] ?? '', op: 'atMost', value: 0 }] })).total).toBe(0)
  }
})

test('a word is counted by what it means: its heading stays as typed, boxes of any name for it count', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three'])
  const keys = ['cars', 'Fahrzeuge', 'taxis', 'dogs'].map((text) => `q${library.table.addColumn('count', text, true).id}`)
  library.changeVocabulary([newLabel('car', []), newLabel('bus', [])], [])
  const eyes = detector('e'.repeat(64), ['person', 'car', 'bus', 'dog'])
  library.packs.use('boxes', { id: 'eyes', digest: eyes.digest, names: ['person', 'car', 'bus', 'dog'] })
  const box = { ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 5, y2: 5 } }
  const track = (label: string) => ({
    score: 0.9,
    provenance,
    body: { kind: 'track' as const, label, boxes: [{ ...box, score: 0.9 }] },
  })
  for (const [at, candidates] of [[track('car'), track('bus'), track('person')], []].entries()) {
    library.seen.saveFrames(clips[at] ?? 0, eyes.digest, [])
    library.detections.saveTracks(clips[at] ?? 0, eyes, candidates)
  }
  library.addAnnotation(clips[0] ?? 0, { kind: 'track', label: 'Autos', boxes: [{ ...box, score: null }] })
  expect(await texts({}, keys[0] ?? '')).toEqual(['2', '0', ''])
  expect(await texts({}, keys[1] ?? '')).toEqual(['3', '0', ''])
  // Any car may be a taxi.
  expect(await texts({}, keys[2] ?? '')).toEqual(['2', '0', ''])
  const { view } = await open()
  const [row] = await library.table.ask('rows', { view, from: 0, to: 1, columns: keys })
  expect(keys.map((key) => row?.cells[key]?.state)).toEqual(['sure', 'sure', 'unsure', undefined])
})

test('a question that nothing can answer says so in its cells, and why, until there is an answer', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three']) as [number, number, number]
  const key = `q${library.table.addColumn('yesno', 'Is there a helmet?', true).id}`
  expect(await texts({}, key)).toEqual(['', '', ''])
  const why = { code: 'not-answerable', message: 'This pack cannot see “helmet”; nearest that it can: person.', next: 'Look.' } as const
  for (const clip of clips.slice(0, 2)) library.table.setUnanswered(clip, 'is there a helmet', why)
  const cells = async (rows: 'clips' | 'videos' = 'clips') => {
    const { view, total } = await open({ rows })
    return (await library.table.ask('rows', { view, from: 0, to: total, columns: [key] })).map((row) => row.cells[key])
  }
  expect(await cells()).toMatchObject([{ text: '', state: 'unanswerable', why }, { why }, undefined])
  expect(await cells('videos')).toMatchObject([{ text: '', state: 'unanswerable' }])
  expect((await open({ filters: [{ key, op: 'empty' }] })).total).toBe(3)
  // It may be answered later: they are asked again.
  expect(library.table.unanswered('Is there a helmet?', DIGEST, 0, 10)).toEqual(clips)
  answer(clips[0], 'Is there a helmet?', 'no', 0.9)
  library.addAnnotation(clips[1], { kind: 'answer', question: 'Is there a helmet?', text: 'yes' })
  expect((await cells()).map((cell) => [cell?.state, cell?.why])).toEqual([
    ['sure', undefined],
    ['edited', undefined],
    [undefined, undefined],
  ])
})

test('clips that were picked elsewhere are the only rows, of videos those that have one; picks that no view names are forgotten in the end', async () => {
  const [, second] = addVideo('a.mp4', ['one', 'two']) as [number, number]
  const [third] = addVideo('b.mp4', ['three']) as [number]
  addVideo('c.mp4', ['four'])
  const picked = library.table.pick([third, second])
  expect(picked.count).toBe(2)
  expect(await texts({ picked }, 'caption')).toEqual(['two', 'three'])
  expect(await texts({ picked, sort: [{ key: 'caption', by: 'value', down: false }] }, 'caption')).toEqual(['three', 'two'])
  expect(await texts({ picked, rows: 'videos' }, 'name')).toEqual(['a.mp4', 'b.mp4'])
  expect(await open({ picked })).toMatchObject({ total: 2, of: 4 })
  library.table.saveView('mine', { ...query({ picked }), columns: [] })
  const other = library.table.pick([third])
  for (let times = 0; times < 12; times += 1) library.table.pick([second])
  expect(await texts({ picked }, 'caption')).toEqual(['two', 'three'])
  expect(await texts({ picked: other }, 'caption')).toEqual([])
})

test('captions of picked clips are decided about in one step, notes are put beside those that are there', async () => {
  const clips = addVideo('a.mp4', ['one', 'two', 'three'])
  library.addAnnotation(clips[0] ?? 0, { kind: 'note', text: 'before' })
  const rejected = (cells: number) => ({ text: 'Rejected {{cells}}', values: { cells } })
  expect(await editClips(library, clips.slice(0, 2), ['caption'], { action: 'reject' }, rejected)).toEqual({
    changed: 2,
    unchanged: 0,
    kept: 0,
    refused: [],
  })
  expect(clips.map((clip) => library.clip(clip).captionState)).toEqual(['rejected', 'rejected', 'machine'])
  expect(library.history.next().undo).toEqual(rejected(2))
  // Cells that were already rejected are not counted.
  expect(await editClips(library, clips, ['caption'], { action: 'reject' }, rejected)).toEqual({
    changed: 1,
    unchanged: 2,
    kept: 0,
    refused: [],
  })
  expect(library.history.next().undo).toEqual(rejected(1))
  await library.history.undo()
  expect(await noteClips(library, clips, 'again')).toMatchObject({ changed: 3 })
  const notes = () => clips.map((clip) => library.annotations(clip).flatMap(({ body }) => (body.kind === 'note' ? body.text : [])))
  expect(notes()).toEqual([['before', 'again'], ['again'], ['again']])
  await library.history.undo()
  expect(notes()).toEqual([['before'], [], []])
  await library.history.undo()
  expect(clips.map((clip) => library.clip(clip).captionState)).toEqual(['machine', 'machine', 'machine'])
})

test('a row for a video sums up its clips', async () => {
  const a = addVideo('a.mp4', ['one', 'two', 'three'])
  addVideo('b.mp4', [])
  const key = `q${library.table.addColumn('yesno', 'Is it red?', true).id}`
  for (const [at, clip] of a.entries()) answer(clip, 'Is it red?', at === 1 ? 'no' : 'yes', 0.6)
  const { view, total } = await open({ rows: 'videos', sort: [{ key: 'time', by: 'value', down: true }] })
  const rows = await library.table.ask('rows', { view, from: 0, to: total, columns: ['name', 'time', key] })
  expect(rows.map(({ cells }) => [cells['name']?.text, cells['time']?.text, cells[key]?.text, cells[key]?.share])).toEqual([
    ['a.mp4', '3', 'yes', [2, 3]],
    ['b.mp4', '0', undefined, undefined],
  ])
  expect((await library.table.ask('clips', { view, from: 0, to: 2 })).clipIds).toEqual([a, []])
})

test('cells are copied as text for a spreadsheet, those that were rejected empty; values are counted', async () => {
  const clips = addVideo('v.mp4', ['one', 'two\tlines', 'one']) as [number, number, number]
  const { view } = await open()
  expect(await library.table.ask('tsv', { view, from: 0, to: 3, columns: ['caption', 'length'] })).toBe(
    'one\t8.0\r\n"two\tlines"\t8.0\r\none\t8.0',
  )
  const [caption] = library.annotations(clips[0])
  library.review(caption?.id ?? 0, 'reject')
  expect(await library.table.ask('tsv', { view, from: 0, to: 1, columns: ['caption'] })).toBe('')
  expect(await library.table.ask('values', { key: 'caption', rows: 'clips' })).toEqual({
    values: [
      { text: 'one', count: 1 },
      { text: 'two\tlines', count: 1 },
    ],
    distinct: 2,
  })
})

test('views are kept by name, and how the table was left without one', async () => {
  const spec = { ...query(), columns: [{ key: 'name', width: 200, hidden: false, pinned: true }] }
  library.table.saveView(null, spec)
  library.table.saveView('Unsure first', { ...spec, group: 'review' })
  library.table.saveView('Unsure first', spec)
  await library.close()
  library = Library.open(folder)
  expect(library.table.current()).toEqual(spec)
  expect(library.table.views()).toMatchObject([{ name: 'Unsure first', spec }])
  library.table.removeView(library.table.views()[0]?.id ?? 0)
  expect(library.table.views()).toEqual([])
})

test('cells that are accepted, rejected and reset at once are one step of undo, which survives a restart', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three']) as [number, number, number]
  for (const clip of clips.slice(0, 2)) answer(clip, 'What?', 'a ball', 0.5)
  const key = `q${library.table.addColumn('question', 'What?', true).id}`
  const states = async () => {
    const { view } = await open()
    return (await library.table.ask('rows', { view, from: 0, to: 3, columns: [key, 'caption'] })).map(({ cells }) => [
      cells[key]?.state,
      cells['caption']?.state,
    ])
  }
  const all = { view: (await open()).view, from: 0, to: 3, columns: ['name', 'caption', key] }
  expect(await editCells(library, all, { action: 'accept' })).toEqual({
    changed: 5,
    unchanged: 0,
    kept: 0,
    refused: [{ reason: 'nothing-there', cells: 1, example: '' }],
  })
  expect(await states()).toEqual([
    ['accepted', 'accepted'],
    ['accepted', 'accepted'],
    [undefined, 'accepted'],
  ])
  expect(await editCells(library, { ...all, to: 1 }, { action: 'accept' })).toMatchObject({ changed: 0, unchanged: 2 })
  await library.close()
  library = Library.open(folder)
  await library.history.undo()
  expect(await states()).toEqual([
    ['sure', 'sure'],
    ['sure', 'sure'],
    [undefined, 'sure'],
  ])
  await library.history.redo()
  expect(await states()).toEqual([
    ['accepted', 'accepted'],
    ['accepted', 'accepted'],
    [undefined, 'accepted'],
  ])
  expect(library.history.next().redo).toBeNull()
})

test('what is pasted lands in its cells, empty takes away, and each refusal has its reason', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three']) as [number, number, number]
  answer(clips[0], 'Is it?', 'no, never', 0.5)
  const key = `q${library.table.addColumn('yesno', 'Is it?', true).id}`
  const { view } = await open()
  const report = await editCells(
    library,
    { view, from: 0, to: 4, columns: ['name', 'note', key] },
    {
      cells: [
        ['x', 'first', 'No'],
        ['x', '', 'TRUE'],
        ['x', 'third', 'maybe so'],
        ['x', 'fourth', 'yes'],
      ],
    },
  )
  expect(report).toEqual({
    changed: 3,
    unchanged: 2,
    kept: 0,
    refused: [
      { reason: 'fixed', cells: 3, example: '' },
      { reason: 'not-yes-or-no', cells: 1, example: 'maybe so' },
      { reason: 'beyond', cells: 3, example: 'x' },
    ],
  })
  const rows = await library.table.ask('rows', { view, from: 0, to: 3, columns: ['note', key] })
  expect(rows.map(({ cells }) => [cells['note']?.text, cells[key]?.text, cells[key]?.state])).toEqual([
    ['first', 'no', 'sure'],
    [undefined, 'yes', 'edited'],
    ['third', undefined, undefined],
  ])
  expect(await editCells(library, { view, from: 0, to: 1, columns: ['note'] }, { value: '' })).toMatchObject({ changed: 1 })
  expect((await library.table.ask('rows', { view, from: 0, to: 1, columns: ['note'] }))[0]?.cells['note']).toBeUndefined()
  expect(await editCells(library, { view, from: 0, to: 1, columns: ['note'] }, { value: 'again' })).toMatchObject({ changed: 1 })
})

test('a guess that is copied and pasted decides nothing, on its own cell or another', async () => {
  const clips = addVideo('v.mp4', ['one', 'two']) as [number, number]
  answer(clips[0], 'Is it?', 'no, never', 0.5, true)
  const key = `q${library.table.addColumn('yesno', 'Is it?', true).id}`
  const { view } = await open()
  const range = { view, from: 0, to: 2, columns: [key as `q${number}`] }
  const copied = await library.table.ask('tsv', range)
  expect(copied.split('\r\n')[0]).toBe('(?) no')
  expect(await editCells(library, range, { cells: fromTsv(copied) })).toMatchObject({ changed: 0, refused: [] })
  const below = { ...range, from: 1 }
  expect(await editCells(library, below, { cells: [['(?) no']] })).toMatchObject({ changed: 0, refused: [{ reason: 'guess', cells: 1 }] })
})

test('a cell in which a person has written something else meanwhile is left alone', async () => {
  addVideo('v.mp4', ['one'])
  const { view } = await open({})
  const cell = { view, from: 0, to: 1, columns: ['caption' as const] }
  const said = async () => (await library.table.ask('rows', cell))[0]?.cells['caption']?.text
  await editCells(library, cell, { value: 'mine', basedOn: [['one']] })
  await expect(editCells(library, cell, { value: 'theirs', basedOn: [['one']] })).rejects.toThrow(/changed in another place/)
  await expect(editCells(library, cell, { action: 'reject', basedOn: [['one']] })).rejects.toThrow(/changed in another place/)
  expect(await said()).toBe('mine')
  await editCells(library, cell, { value: 'theirs', basedOn: [['mine']] })
  expect(await said()).toBe('theirs')
})

test('a note’s cell tells how many there are and which part of the video each is about; a label is on one line', async () => {
  const [one = 0, two = 0] = addVideo('v.mp4', ['one', 'two'])
  const { startFrame, endFrame, start, end } = library.clip(one)
  library.addAnnotation(one, { kind: 'note', text: 'whole' })
  library.addAnnotation(one, { kind: 'note', text: 'part', span: { startFrame, endFrame } })
  library.addAnnotation(two, { kind: 'note', text: 'alone' })
  const { view } = await open({})
  const range = { view, from: 0, to: 2, columns: ['note' as const] }
  const cells = (await library.table.ask('rows', range)).map(({ cells: of }) => of['note'])
  const time = expect.stringMatching(/^\d+:\d\d\.\d–\d+:\d\d\.\d$/) as unknown
  expect(end).toBeGreaterThan(start)
  expect(cells.map((cell) => [cell?.text, cell?.notes])).toEqual([
    [
      'whole',
      [
        { text: 'whole', time: null },
        { text: 'part', time },
      ],
    ],
    ['alone', [{ text: 'alone', time: null }]],
  ])
  expect(await library.table.ask('tsv', range)).toMatch(/^"whole\n\d.* part"\r\nalone/)
  // Every note is found.
  expect(await open({ filters: [{ key: 'note', op: 'contains', text: 'PART' }] })).toMatchObject({ total: 1 })
  await editCells(library, { ...range, to: 1 }, { value: 'changed', basedOn: [['whole']] })
  expect((await library.table.ask('rows', range))[0]?.cells['note']?.notes?.map(({ text }) => text)).toEqual(['changed', 'part'])
})

test('of many cells none is written over while somebody wrote something else into one of them', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three'])
  const { view } = await open({})
  const range = { view, from: 0, to: 3, columns: ['caption' as const] }
  const seen = [['one'], ['two'], ['three']]
  await editCells(library, { ...range, from: 1, to: 2 }, { value: 'somebody', basedOn: [['two']] })
  const captions = () => clips.map((clip) => library.clip(clip).caption)
  for (const wish of [{ cells: [['a'], ['b'], ['c']] }, { action: 'reject' as const }, { value: 'x' }])
    await expect(editCells(library, range, { ...wish, overturn: true, basedOn: seen })).rejects.toThrow(/It says now: “somebody”/)
  await expect(editClips(library, clips, ['caption'], { action: 'reject', basedOn: seen }, () => ({ text: 'x' }))).rejects.toThrow(
    /somebody/,
  )
  expect(captions()).toEqual(['one', 'somebody', 'three'])
  expect(decided(clips)).toEqual(['machine', 'edited', 'machine'])
  // Who saw it, did not look, or wants the same meets no conflict.
  await editCells(library, range, { cells: [['a'], ['somebody'], ['c']], basedOn: seen })
  await editCells(library, range, { cells: [['a'], ['b'], ['c']], overturn: true, basedOn: [[null], ['somebody'], [null]] })
  expect(captions()).toEqual(['a', 'b', 'c'])
  await expect(editCells(library, range, { value: 'x', basedOn: seen })).rejects.toThrow(/^3 of these were changed/)
})

test('a row that sums up many clips is decided about as a whole, and not written over', async () => {
  const clips = addVideo('v.mp4', ['one', 'two'])
  const { view } = await open({ rows: 'videos' })
  expect(await editCells(library, { view, from: 0, to: 1, columns: ['caption'] }, { value: 'new' })).toEqual({
    changed: 0,
    unchanged: 0,
    kept: 0,
    refused: [{ reason: 'summary', cells: 1, example: 'new' }],
  })
  expect(await editCells(library, { view, from: 0, to: 1, columns: ['caption'] }, { action: 'reject' })).toMatchObject({ changed: 2 })
  expect(clips.map((clip) => library.clip(clip).captionState)).toEqual(['rejected', 'rejected'])
})

const decided = (clips: readonly number[]) => clips.map((clip) => library.clip(clip).captionState)
const captionId = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')?.id ?? 0

test('what is done to many cells leaves those alone that a person decided otherwise, says how many, and does it when they are meant', async () => {
  const clips = addVideo('v.mp4', ['one', 'two', 'three', 'four']) as [number, number, number, number]
  const before = () => {
    for (const clip of clips) if (library.clip(clip).captionState !== 'machine') library.review(captionId(clip), 'reset')
    library.review(captionId(clips[0]), 'reject')
    library.review(captionId(clips[1]), 'accept')
    library.review(captionId(clips[2]), 'edit', { kind: 'caption', text: 'mine' })
  }
  const { view, total } = await open({ group: 'name' })
  const all = { view, from: 0, to: total, columns: ['name', 'caption', 'note'] }
  const was = ['rejected', 'accepted', 'edited', 'machine']
  before()
  expect(decided(clips)).toEqual(was)
  expect(await editCells(library, all, { action: 'accept' })).toMatchObject({ changed: 1, unchanged: 2, kept: 1 })
  expect(decided(clips)).toEqual(['rejected', 'accepted', 'edited', 'accepted'])
  expect(await editCells(library, all, { action: 'accept', overturn: true })).toMatchObject({ changed: 1, kept: 0 })
  expect(decided(clips)).toEqual(['accepted', 'accepted', 'edited', 'accepted'])
  before()
  expect(await editCells(library, all, { action: 'reject' })).toMatchObject({ changed: 1, unchanged: 1, kept: 2 })
  expect(decided(clips)).toEqual(['rejected', 'accepted', 'edited', 'rejected'])
  before()
  expect(await editCells(library, all, { action: 'reset' })).toMatchObject({ changed: 0, kept: 3 })
  expect(decided(clips)).toEqual(was)
  expect(await editCells(library, { ...all, columns: ['caption'] }, { value: 'all the same' })).toMatchObject({ changed: 2, kept: 2 })
  expect(clips.map((clip) => library.clip(clip).caption)).toEqual(['all the same', 'two', 'mine', 'all the same'])
  expect(await editCells(library, { ...all, columns: ['caption'] }, { cells: [['a'], [''], ['c'], ['d']] })).toMatchObject({
    changed: 0,
    kept: 4,
  })
  // A single cell may be decided otherwise: the person sees what is in it.
  expect(await editCells(library, { ...all, to: 1, columns: ['caption'] }, { action: 'reject' })).toMatchObject({ changed: 1, kept: 0 })
})

test('a row of a video and picked clips are many', async () => {
  const clips = addVideo('v.mp4', ['one', 'two']) as [number, number]
  library.review(captionId(clips[0]), 'reject')
  const { view } = await open({ rows: 'videos' })
  expect(await editCells(library, { view, from: 0, to: 1, columns: ['caption'] }, { action: 'accept' })).toMatchObject({
    changed: 1,
    kept: 1,
  })
  expect(await editClips(library, clips, ['caption'], { action: 'reject' }, () => ({ text: 'x' }))).toMatchObject({
    changed: 0,
    unchanged: 1,
    kept: 1,
  })
  expect(decided(clips)).toEqual(['rejected', 'accepted'])
})

test('what a person made and deleted is no cell: nothing brings it back, and a new note is another one', async () => {
  const [clip] = addVideo('v.mp4', ['one']) as [number]
  const note = library.addAnnotation(clip, { kind: 'note', text: 'wrong' })
  library.review(note.id, 'reject')
  const { view } = await open()
  const cell = { view, from: 0, to: 1, columns: ['note'] }
  expect(await editCells(library, cell, { action: 'accept' })).toMatchObject({ changed: 0, refused: [{ reason: 'nothing-there' }] })
  await editCells(library, cell, { value: 'right' })
  expect(
    library
      .annotations(clip)
      .filter(({ body }) => body.kind === 'note')
      .map(({ state, body }) => [state, 'text' in body && body.text]),
  ).toEqual([
    ['rejected', 'wrong'],
    ['edited', 'right'],
  ])
  expect(await texts({}, 'note')).toEqual(['right'])
})

/** A video of many clips, "clip 0" and so on, with rising confidence. */
async function addLongVideo(clips: number): Promise<void> {
  addVideo('v.mp4', ['clip 0'])
  await library.close()
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${clips - 1})
    INSERT INTO clips (source_id, idx, kind, start, "end", start_frame, end_frame, frames) SELECT 1, i, 'window', i * 8, i * 8 + 8, i * 200, i * 200 + 200, '[]' FROM n;
    INSERT INTO annotations (clip_id, kind, topic, machine, state, evidence, updated_at)
      SELECT id, 'caption', '', json_object('kind', 'caption', 'text', 'clip ' || idx), 'machine', json_object('confidence', idx / ${clips}.0, 'unsure', json('false'), 'agreement', 0.2, 'frames', json('[]')), '' FROM clips WHERE idx > 0`)
  db.close()
  library = Library.open(folder)
}

test('a column of twenty-five thousand clips is right when it was read ahead in parts, and after a part or all of it changed', async () => {
  await addLongVideo(25_000)
  const last = { sort: [{ key: 'caption' as const, by: 'value' as const, down: true }] }
  const first = async () => {
    const { view, total } = await open(last)
    return [
      total,
      ...(await library.table.ask('rows', { view, from: 0, to: 2, columns: ['caption'] })).map(({ cells }) => cells['caption']?.text),
    ]
  }
  // A request for rows starts reading ahead; a request during that gets a complete answer.
  await library.table.ask('rows', { view: (await open()).view, from: 0, to: 10, columns: ['name', 'caption'] })
  expect(await first()).toEqual([25_000, 'clip 24999', 'clip 24998'])
  const caption = library.annotations(7).find(({ body }) => body.kind === 'caption')?.id ?? 0
  library.review(caption, 'edit', { kind: 'caption', text: 'zebra' })
  expect(await first()).toEqual([25_000, 'zebra', 'clip 24999'])
  const { view } = await open(last)
  await editCells(library, { view, from: 0, to: 6_000, columns: ['caption'] }, { action: 'reject', overturn: true })
  expect(await first()).toEqual([25_000, 'clip 19000', 'clip 18999'])
  expect((await open({ filters: [{ key: 'caption', op: 'atLeast', value: 0 }] })).total).toBe(0)
  expect((await open({ filters: [{ key: 'caption', op: 'surerThan', value: 0.5 }] })).total).toBe(12_500)
})

test('thousands of cells are one step, made, undone and redone in parts that tell how far they are; what is cut off goes on', async () => {
  await addLongVideo(6_000)
  const { view } = await open()
  const shares: string[] = []
  library.onChange((event) => event.type === 'progress' && shares.push(`${event.what} ${event.share}`))
  const accepted = async () => (await open({ filters: [{ key: 'caption', op: 'state', states: ['accepted'] }] })).total
  await editCells(library, { view, from: 0, to: 6_000, columns: ['caption'] }, { action: 'accept' })
  expect([await accepted(), library.history.next().undo]).toEqual([
    6_000,
    { text: '{{deed}} × {{times}}', values: { deed: { text: 'Caption accepted' }, times: 6_000 } },
  ])
  expect(shares.at(0)).toMatch(/^edit 0\.\d+$/)
  expect(shares.at(-1)).toBe('edit 1')
  shares.length = 0

  // The library is closed during it, as when the app ends.
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const stop = library.onChange((event) => event.type === 'progress' && resolve(undefined))
  const undoing = library.history.undo()
  await promise
  stop()
  await library.close()
  await undoing.catch(() => undefined)
  library = Library.open(folder)
  const left = await accepted()
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThan(6_000)
  await library.history.undo()
  expect([await accepted(), library.history.next().undo]).toEqual([0, null])
  await library.history.redo()
  expect([await accepted(), library.history.next().redo]).toEqual([6_000, null])
})

test('what the model is not sure of looks so everywhere: clip, video, group, lists, filters and the overview', async () => {
  const { source } = library.addSource({ path: '/v/u.mp4', name: 'u.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'u' })
  const evidence = (unsure: boolean) => ({ confidence: 0.4, unsure, agreement: 0.2, frames: [] })
  const clips = [true, false].map((unsure, index) => {
    const clipId = library.saveClip(source.id, {
      index,
      kind: 'window',
      start: index * 8,
      end: index * 8 + 8,
      startFrame: index * 200,
      endFrame: index * 200 + 200,
      frames: [],
    })
    library.saveClipResult(
      clipId,
      mammut(DIGEST),
      { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null },
      [],
      { caption: { body: { kind: 'caption', text: 'a dog' }, evidence: evidence(unsure), provenance }, seen: null },
    )
    return clipId
  }) as [number, number]
  const states = async (over: Partial<TableQuery>) => {
    const { view, total } = await open(over)
    return (await library.table.ask('rows', { view, from: 0, to: total, columns: ['caption'] })).map(({ cells }) => cells['caption']?.state)
  }
  expect(await states({})).toEqual(['unsure', 'sure'])
  expect(await states({ rows: 'videos' })).toEqual(['unsure'])
  expect((await open({ group: 'caption' })).groups).toMatchObject([{ count: 2, unsure: 1 }])
  expect((await open({ rows: 'videos', group: 'caption' })).groups).toMatchObject([{ count: 1, unsure: 1 }])
  expect(clips.map((clip) => library.clip(clip).captionUnsure)).toEqual([true, false])
  expect(library.overview.facts().clips.map(({ unsure }) => unsure)).toEqual([true, false])
  // Once decided, it is no longer unsure anywhere.
  library.review(captionId(clips[0]), 'accept')
  expect(await states({})).toEqual(['accepted', 'sure'])
  expect(await states({ rows: 'videos' })).toEqual(['mixed'])
  expect((await open({ group: 'caption' })).groups).toMatchObject([{ count: 2, unsure: 0 }])
  expect(library.clip(clips[0]).captionUnsure).toBe(false)
  expect(library.overview.facts().clips.map(({ unsure }) => unsure)).toEqual([false, false])
})

test('a clip is reviewed when its caption and what was found in it are decided; columns, notes and a person’s own boxes change nothing', async () => {
  const [a, b] = addVideo('v.mp4', ['one', 'two']) as [number, number]
  const box = { ordinal: 5, pts: 5, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: null }
  library.saveMachine(a, 'track', [{ body: { kind: 'track', label: 'dog', boxes: [{ ...box, score: 0.9 }] }, evidence: null, provenance }])
  const everywhere = async () => {
    const facts = library.overview.facts().clips
    const [source] = library.sources()
    return [await texts({}, 'review'), await texts({ rows: 'videos' }, 'review'), facts.map(({ review }) => review), source?.reviewedCount]
  }
  const untouched = [['open', 'open'], ['open'], ['open', 'open'], 0]
  expect(await everywhere()).toEqual(untouched)
  library.addAnnotation(a, { kind: 'track', label: 'cat', boxes: [box] })
  library.addAnnotation(a, { kind: 'note', text: 'look' })
  library.addAnnotation(b, { kind: 'segment', text: 'it runs', span: { startFrame: 200, endFrame: 210 } })
  for (const clip of [a, b]) answer(clip, 'What?', 'a ball', 0.9)
  expect(await everywhere()).toEqual(untouched)
  expect(library.sources()[0]?.touchedCount).toBe(2)
  library.review(captionId(a), 'accept')
  expect(await everywhere()).toEqual([['partly', 'open'], ['partly'], ['partly', 'open'], 0])
  library.review(library.annotations(a).find(({ body, machine }) => body.kind === 'track' && machine !== null)?.id ?? 0, 'reject')
  expect(await everywhere()).toEqual([['done', 'open'], ['partly'], ['done', 'open'], 1])
  for (const clip of [a, b]) answer(clip, 'What else?', 'a cat', 0.9)
  library.review(captionId(b), 'edit', { kind: 'caption', text: 'mine' })
  expect(await everywhere()).toEqual([['done', 'done'], ['done'], ['done', 'done'], 2])
  // Of a video whose analysis was cancelled there are clips to come.
  for (const state of ['cancelled', 'analysing', 'failed'] as const) {
    library.setSourceState(library.sources()[0]?.id ?? 0, state)
    expect(await texts({ rows: 'videos' }, 'review')).toEqual(['partly'])
  }
})

test('a clip that was analysed and has nothing to decide is neither reviewed nor left to review, in every place', async () => {
  const { source } = library.addSource({ path: '/v/one.gif', name: 'one.gif', bytes: 1, mtimeMs: 0, fingerprint: 'one' })
  const clip = library.saveClip(source.id, { index: 0, kind: 'shot', start: 0, end: 0.04, startFrame: 0, endFrame: 1, frames: [] })
  const everywhere = async () => {
    const left = (state: 'open' | 'partly') => library.find.ask('matching', { filters: { state }, sought: null })
    return [
      await texts({}, 'review'),
      await texts({ rows: 'videos' }, 'review'),
      library.overview.facts().clips.map(({ review }) => review),
      [library.source(source.id).reviewedCount, library.source(source.id).reviewableCount],
      [...(await left('open')), ...(await left('partly'))],
    ]
  }
  // Before its analysis anything may still come.
  expect(await everywhere()).toEqual([['open'], ['open'], ['open'], [0, 1], [clip]])
  const encoding = { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null }
  library.saveClipResult(clip, mammut(DIGEST), encoding, [], { caption: null, seen: null })
  answer(clip, 'What?', 'a ball', 0.9)
  library.setSourceState(source.id, 'done')
  expect(await everywhere()).toEqual([['nothing'], ['nothing'], ['nothing'], [0, 0], []])
  // Beside another clip it changes nothing about how far their video is.
  const other = library.saveClip(source.id, { index: 1, kind: 'shot', start: 0.04, end: 1, startFrame: 1, endFrame: 25, frames: [] })
  library.saveClipResult(other, mammut(DIGEST), encoding, [], { caption: null, seen: null })
  library.saveMachine(other, 'caption', [{ body: { kind: 'caption', text: 'a dog' }, evidence: null, provenance }])
  expect(await everywhere()).toEqual([['nothing', 'open'], ['open'], ['nothing', 'open'], [0, 1], [other]])
  library.review(captionId(other), 'accept')
  expect(await everywhere()).toEqual([['nothing', 'done'], ['done'], ['nothing', 'done'], [1, 1], []])
})

test('a table whose worker dies says that its arrangement was forgotten; opened again it has the same rows', async () => {
  addVideo('a.mp4', ['a dog', 'a cat'])
  const query: TableQuery = { rows: 'clips', filters: [], sort: [], group: null }
  const { view } = await library.table.ask('open', { query })
  const rows = () => library.table.ask('rows', { view, from: 0, to: 2, columns: ['caption'] })
  killNewestThreadWhenAsked()
  for (const asked of [rows, rows])
    await expect(asked()).rejects.toMatchObject({ problem: { code: 'not-found', message: 'This arrangement of the table was forgotten.' } })
  expect(await library.table.ask('open', { query })).toMatchObject({ total: 2 })
})
