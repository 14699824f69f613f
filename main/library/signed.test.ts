/** Names on decisions: kept with each edit, through undo and the bin, and none where no name was given. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Library } from './library.ts'
import { PERSON } from './signed.ts'

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-signed-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function aClip(): number {
  const { source } = library.addSource({ path: '/v/a.mp4', name: 'a.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'a' })
  return library.saveClip(source.id, { index: 0, kind: 'shot', start: 0, end: 2, startFrame: 0, endFrame: 50, frames: [] })
}

test('each decision says who made it and when, and undo gives the one before it back', async () => {
  const clipId = aClip()
  const one = library.addAnnotation(clipId, { kind: 'caption', text: 'a dog' })
  expect(one.by).toBeUndefined()
  library.setSetting(PERSON, 'Anna')
  const hers = library.review(one.id, 'edit', { kind: 'caption', text: 'a brown dog' })
  expect(hers).toMatchObject({ by: 'Anna', state: 'edited' })
  expect(Date.parse(hers.decidedAt ?? '')).toBeGreaterThan(Date.now() - 60_000)
  library.setSetting(PERSON, 'Ben')
  expect(library.review(one.id, 'reject')).toMatchObject({ by: 'Ben', state: 'rejected' })
  await library.history.undo()
  expect(library.annotation(one.id)).toMatchObject({ by: 'Anna', decidedAt: hers.decidedAt })
  await library.history.undo()
  expect(library.annotation(one.id).by).toBeUndefined()
  await library.history.redo()
  expect(library.annotation(one.id)).toMatchObject({ by: 'Anna', decidedAt: hers.decidedAt })
  expect(library.clipHistory(clipId).map(({ action, by }) => [action, by])).toEqual([
    ['reject', 'Ben'],
    ['edit', 'Anna'],
    ['add', null],
  ])
})

test('names come back from the bin with their video', () => {
  const clipId = aClip()
  library.setSetting(PERSON, 'Anna')
  const { id } = library.addAnnotation(clipId, { kind: 'note', text: 'blurred' })
  const { sourceId } = library.clip(clipId)
  library.removeSource(sourceId)
  library.restoreSource(sourceId)
  expect(library.annotation(id)).toMatchObject({ by: 'Anna' })
})
