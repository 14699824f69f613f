/** What becomes of clips that a new analysis did not find again. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AnnotationBody } from '../../app/annotation.ts'
import type { MachineResult } from './annotations.ts'
import { Library } from './library.ts'
import { provenance } from './shower.testing.ts'

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-grown-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

const said = (body: AnnotationBody): MachineResult => ({ body, evidence: null, provenance })
const caption = (text: string) => said({ kind: 'caption', text })
const track = (label: string, x: number): AnnotationBody => ({
  kind: 'track',
  label,
  boxes: [10, 60].map((ordinal) => ({ ordinal, pts: ordinal, box: { x1: x, y1: 0, x2: x + 20, y2: 20 }, score: 0.9 })),
})
const captionOf = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')

test('a clip that only grew has what people decided about its beginning; another one in its place leaves that as a marked clip', async () => {
  const clip = (kind: 'shot', startFrame: number, endFrame: number, text: string, mean: number) => {
    const id = library.saveClip(1, { index: 0, kind, start: startFrame / 25, end: endFrame / 25, startFrame, endFrame, frames: [] })
    const light = Array.from({ length: endFrame / 25 }, (_, time) => ({ time, mean: mean + time, spread: 2, change: null }))
    library.seen.saveMeasured(id, { cut: true, camera: { steps: [], stays: [] }, light })
    library.saveMachine(id, 'caption', [caption(text)])
    library.saveMachine(id, 'track', [said(track('dog', 10)), said(track('car', 200))])
    return id
  }
  library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  const half = clip('shot', 0, 100, 'a half', 50)
  library.review(captionOf(half)?.id ?? 0, 'edit', { kind: 'caption', text: 'mine' })
  const dog = library.annotations(half).find(({ body }) => body.kind === 'track' && body.label === 'dog')
  library.review(dog?.id ?? 0, 'reject')
  const whole = clip('shot', 0, 200, 'the whole', 50)
  library.pruneClips(1, [whole])
  const clips = () =>
    library.clips({ limit: 10, offset: 0 }).clips.map(({ id, kind, endFrame, caption: text }) => [id, kind, endFrame, text])
  const tracks = () =>
    library
      .annotations(whole)
      .flatMap(({ body, state }) => (body.kind === 'track' ? [`${body.label} ${state}`] : []))
      .sort()
  expect(clips()).toEqual([[whole, 'shot', 200, 'mine']])
  expect(tracks()).toEqual(['car machine', 'dog rejected'])
  for (let step = 0; step < 2; step += 1) await library.history.undo()
  expect([clips(), tracks()]).toEqual([[[whole, 'shot', 200, 'the whole']], ['car machine', 'dog machine']])
  // Other pictures now.
  library.addAnnotation(whole, { kind: 'note', text: 'here' })
  const other = clip('shot', 0, 300, 'other', 150)
  library.pruneClips(1, [other])
  expect(clips()).toEqual([
    [whole, 'marked', 200, 'the whole'],
    [other, 'shot', 300, 'other'],
  ])
})
