/** Labels that differ only in case are one, wherever they come from. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TrackBody } from '../../app/annotation.ts'
import { newLabel, tidy, withNames } from '../../app/vocabulary.ts'
import { Library } from './library.ts'
import { MIGRATIONS, openDatabase } from './schema.ts'

let folder: string
let library: Library
let clipId: number
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-spelling-'))
  library = Library.open(folder)
  clipId = addClip()
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function addClip(): number {
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  return library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 4, startFrame: 0, endFrame: 100, frames: [] })
}
const track = (label: string, x: number): TrackBody => ({
  kind: 'track',
  label,
  boxes: [{ ordinal: 0, pts: 0, box: { x1: x, y1: 0, x2: x + 20, y2: 20 }, score: null }],
})
const labels = () => library.annotations(clipId).flatMap(({ body }) => (body.kind === 'track' ? [body.label] : []))

test('a box is called as the vocabulary writes the name, else as the library wrote it first, on one line', async () => {
  library.changeVocabulary(withNames([], ['Bottle']))
  for (const label of ['bottle', 'BOTTLE', 'rote\nTür', 'ROTE  TÜR', ' cup'])
    library.addAnnotation(clipId, track(label, 50 * labels().length))
  expect(labels()).toEqual(['Bottle', 'Bottle', 'rote Tür', 'rote Tür', 'cup'])
  const [first] = library.annotations(clipId)
  library.review(first?.id ?? 0, 'edit', track('CUP', 0))
  expect(labels()[0]).toBe('cup')
  expect(library.overview.trackLabels().map(({ word }) => word)).toEqual(['Bottle', 'cup', 'rote Tür'])
  await library.history.undo()
  expect(labels()[0]).toBe('Bottle')
})

test('boxes follow the vocabulary when it begins to write their label in another way, and back', async () => {
  const { id } = library.addAnnotation(clipId, track('cup', 0))
  // What a person drew stays the person's own when it is accepted, and when its label is written otherwise.
  library.review(id, 'accept')
  library.changeVocabulary(withNames([], ['CUP']))
  expect(labels()).toEqual(['CUP'])
  expect(library.annotation(id).state).toBe('edited')
  library.changeVocabulary([newLabel('Cup', [])])
  expect(labels()).toEqual(['Cup'])
  await library.history.undo()
  expect(labels()).toEqual(['CUP'])
  expect(library.detections.decided('cup')).toEqual([id])
})

test('of names in a list that differ only in case the first is the label, with the synonyms of all', () => {
  const list = [
    { ...newLabel('a', []), synonyms: ['b'] },
    { ...newLabel('A', []), synonyms: ['B', 'c', 'a'] },
    { ...newLabel('rote\n Tür', []), synonyms: [] },
  ]
  expect(tidy(list).map(({ name, synonyms }) => [name, synonyms])).toEqual([
    ['a', ['b', 'c']],
    ['rote Tür', []],
  ])
})

test('labels of a library of before that differ only in case become one', async () => {
  await library.close()
  rmSync(folder, { recursive: true })
  library = Library.open(folder)
  await library.close()
  rmSync(path.join(folder, 'library.sqlite'))
  // The library as it was just before, whatever came later.
  const before = MIGRATIONS.findIndex((migration) => migration.includes(') spelt WHERE'))
  openDatabase(folder, before).close()
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec(`INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (1, '/v/v.mp4', 'v.mp4', 1, 0, 'f', '2026-01-01', 'done');
    INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (1, 1, 0, 'window', 0, 4, 0, 100, '[]');
    INSERT INTO settings (key, value) VALUES ('vocabulary', '${JSON.stringify([newLabel('Bottle', [])])}')`)
  const put = db.prepare(
    `INSERT INTO annotations (clip_id, kind, topic, machine, human, state, updated_at) VALUES (1, 'track', '', ?, ?, ?, '2026-01-01')`,
  )
  const body = (label: string) => JSON.stringify(track(label, 0))
  for (const label of ['BOTTLE', 'CUP', 'cup', 'Dog']) put.run(null, body(label), 'edited')
  put.run(body('dog'), null, 'machine')
  db.close()
  library = Library.open(folder)
  clipId = 1
  expect(labels()).toEqual(['Bottle', 'CUP', 'CUP', 'dog', 'dog'])
})
