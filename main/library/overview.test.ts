import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClipMap } from '../../app/contract/overview.ts'
import { killNextThread } from '../threads.testing.ts'
import { Library } from './library.ts'
import { DIGEST, mammut, provenance } from './shower.testing.ts'

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-overview-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Clips of two kinds, as far apart as embeddings can be. */
function addClips(from: number, to: number): void {
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  for (let index = from; index < to; index += 1) {
    const id = library.saveClip(source.id, {
      index,
      kind: 'window',
      start: index,
      end: index + 1,
      startFrame: index * 30,
      endFrame: index * 30 + 30,
      frames: [],
    })
    const raw = Float32Array.from({ length: 8 }, (_, at) => (index % 2 === at % 2 ? 1 : 0) + 0.2 * Math.sin(index * 7.1 + at * 3.3))
    const length = Math.hypot(...raw)
    library.saveClipResult(
      id,
      mammut(DIGEST),
      { embedding: raw.map((value) => value / length), memory: new Uint16Array([1]), tokens: null },
      [],
      { caption: { body: { kind: 'caption', text: 'a dog' }, evidence: null, provenance }, seen: null },
    )
  }
}
async function drawn(): Promise<ClipMap> {
  for (;;) {
    const map = library.overview.map(DIGEST)
    if (map.building === null) return map
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('clips that are alike lie together, and the same clips give the same map', async () => {
  addClips(0, 40)
  const map = await drawn()
  expect(map.clipIds).toHaveLength(40)
  const place = (at: number) => [map.x[at] ?? NaN, map.y[at] ?? NaN] as const
  const distance = (a: number, b: number) => Math.hypot(place(a)[0] - place(b)[0], place(a)[1] - place(b)[1])
  const mean = (pairs: readonly (readonly [number, number])[]) => pairs.reduce((sum, [a, b]) => sum + distance(a, b), 0) / pairs.length
  const pairs = Array.from({ length: 38 }, (_, at) => at)
  expect(mean(pairs.map((at) => [at, at + 2])) * 2).toBeLessThan(mean(pairs.map((at) => [at, at + 1])))
  rmSync(path.join(folder, 'cache'), { recursive: true })
  await library.close()
  library = Library.open(folder)
  expect(await drawn()).toEqual(map)
})

test('few new clips join the map without moving the others; a kept map needs no drawing', async () => {
  addClips(0, 40)
  const before = await drawn()
  await library.close()
  library = Library.open(folder)
  addClips(40, 42)
  const after = await drawn()
  expect(after.clipIds).toHaveLength(42)
  expect([after.x.slice(0, 40), after.y.slice(0, 40)]).toEqual([before.x, before.y])
})

test('one clip, two and three have a place', async () => {
  for (const count of [1, 2, 3]) {
    addClips(count - 1, count)
    const { clipIds, x, y } = await drawn()
    expect(clipIds).toHaveLength(count)
    for (const value of [...x, ...y]) expect(value >= 0 && value <= 1).toBe(true)
  }
})

test('facts count what holds', () => {
  addClips(0, 2)
  const [first] = library.clips({ limit: 1, offset: 0 }).clips
  const id = first?.id ?? 0
  library.addAnnotation(id, {
    kind: 'track',
    label: 'dog',
    boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 5, y2: 5 }, score: null }],
  })
  const rejected = library.addAnnotation(id, {
    kind: 'track',
    label: 'cat',
    boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 5, y2: 5 }, score: null }],
  })
  library.review(rejected.id, 'reject')
  const { clips } = library.overview.facts()
  expect(clips).toMatchObject([
    { id, labels: { dog: 1 }, review: 'open', caption: 'a dog', state: 'machine' },
    { labels: {}, review: 'open' },
  ])
})

test('a map whose worker dies is not there; when a clip comes another one is drawn', async () => {
  addClips(0, 8)
  killNextThread()
  expect(library.overview.map(DIGEST).building).toBe(0)
  expect((await drawn()).clipIds).toEqual([])
  addClips(8, 9)
  library.overview.map(DIGEST)
  expect((await drawn()).clipIds).toHaveLength(9)
})

test('how sure the machine was is told of what it says, not of what a person wrote or refused', () => {
  addClips(0, 3)
  const evidence = { confidence: 0.9, unsure: false, agreement: 0, frames: [] }
  const ids = library.overview.facts().clips.map(({ id }) => id)
  for (const id of ids) library.saveMachine(id, 'caption', [{ body: { kind: 'caption', text: 'a dog' }, evidence, provenance }])
  const captionOf = (at: number) => library.annotations(ids[at] ?? 0).find(({ body }) => body.kind === 'caption')?.id ?? 0
  library.review(captionOf(1), 'edit', { kind: 'caption', text: 'a cat' })
  library.review(captionOf(2), 'reject')
  expect(library.overview.facts().clips.map(({ confidence }) => confidence)).toEqual([0.9, null, null])
})

test('a box over the border of two clips is in both, for the charts, the labels and the table alike', async () => {
  addClips(0, 3)
  const [first] = library.clips({ limit: 1, offset: 0 }).clips
  const box = { x1: 0, y1: 0, x2: 9, y2: 9 }
  const boxes = [20, 45].map((ordinal) => ({ ordinal, pts: ordinal, box, score: null }))
  library.addAnnotation(first?.id ?? 0, { kind: 'track', label: 'gadget', boxes })
  expect(library.overview.facts().clips.map(({ labels }) => labels['gadget'] ?? 0)).toEqual([1, 1, 0])
  expect(library.overview.trackLabels()).toEqual([{ word: 'gadget', clips: 2, unsure: false }])
  const { view, total } = await library.table.ask('open', { query: { rows: 'clips', sort: [], filters: [], group: null } })
  const rows = await library.table.ask('rows', { view, from: 0, to: total, columns: ['labels'] })
  expect(rows.map(({ cells }) => cells.labels?.text ?? '')).toEqual(['gadget', 'gadget', ''])
})
