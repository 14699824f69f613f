import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TrackBody } from '../../app/annotation.ts'
import { newLabel, renamed, withNames } from '../../app/vocabulary.ts'
import { keyOf, lookedFor } from './detections.ts'
import { Library } from './library.ts'
import { detector, DIGEST, mammut, provenance } from './shower.testing.ts'

const PACK = mammut(DIGEST)
const body = (label: string, x: number, score: number): TrackBody => ({
  kind: 'track',
  label,
  boxes: [{ ordinal: 0, pts: 0, box: { x1: x, y1: 0, x2: x + 20, y2: 20 }, score }],
})

let folder: string
let library: Library
let clipId: number
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-detections-'))
  library = Library.open(folder)
  clipId = addClip(0)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function addClip(index: number): number {
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  const id = library.saveClip(source.id, {
    index,
    kind: 'window',
    start: index,
    end: index + 1,
    startFrame: index * 30,
    endFrame: index * 30 + 30,
    frames: [],
  })
  library.saveClipResult(id, PACK, { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null }, [], {
    caption: { body: { kind: 'caption', text: 'a car' }, evidence: null, provenance },
    seen: null,
  })
  return id
}
const vocabulary = (threshold: number, ...names: string[]) => withNames([], names).map((label) => ({ ...label, threshold }))
const see = (id: number, ...tracks: TrackBody[]) =>
  library.saveSeen(id, PACK, {
    lookedFor: lookedFor(library.detections.vocabulary()),
    fresh: new Map(),
    candidates: tracks.map((track) => ({ body: track, score: track.boxes[0]?.score ?? 0, provenance })),
  })
const tracks = (id = clipId) =>
  library
    .annotations(id)
    .flatMap(({ id: annotation, body: track, state }) =>
      track.kind === 'track' ? [{ id: annotation, at: `${state} ${track.label} ${track.boxes[0]?.box.x1 ?? ''}` }] : [],
    )
const shown = (id = clipId) =>
  tracks(id)
    .map(({ at }) => at)
    .sort()

test('a threshold shows and hides tracks of every clip, and those that stay keep their id', () => {
  library.changeVocabulary(vocabulary(0.5, 'car', 'dog'), [])
  const second = addClip(1)
  see(clipId, body('car', 0, 0.9), body('car', 100, 0.3), body('dog', 200, 0.6))
  see(second, body('car', 0, 0.4))
  expect(shown()).toEqual(['machine car 0', 'machine dog 200'])
  const before = tracks()
  library.changeVocabulary(vocabulary(0.3, 'car', 'dog'), [])
  expect(library.detections.apply(PACK).sort()).toEqual([clipId, second])
  expect(shown()).toEqual(['machine car 0', 'machine car 100', 'machine dog 200'])
  expect(shown(second)).toEqual(['machine car 0'])
  expect(tracks().filter(({ id }) => before.some((one) => one.id === id))).toEqual(before)
  expect(library.clip(second).labels).toEqual(['car'])
  library.changeVocabulary([{ ...newLabel('car', []), threshold: 0.95 }], [])
  library.showVocabulary(PACK)
  expect([shown(), shown(second)]).toEqual([[], []])
})

test('what a person decided stays whatever the threshold, and no candidate comes back over it', () => {
  library.changeVocabulary(vocabulary(0.5, 'car'), [])
  see(clipId, body('car', 0, 0.9), body('car', 100, 0.8), body('car', 200, 0.3))
  const [first, second] = tracks()
  library.review(first?.id ?? 0, 'accept')
  library.review(second?.id ?? 0, 'edit', body('lorry', 102, 1))
  library.addAnnotation(clipId, body('car', 201, 1))
  library.changeVocabulary(vocabulary(0.99, 'car'), [])
  library.showVocabulary(PACK)
  const mine = ['accepted car 0', 'edited car 201', 'edited lorry 102']
  expect(shown()).toEqual(mine)
  library.changeVocabulary(vocabulary(0.1, 'car'), [])
  library.showVocabulary(PACK)
  expect(shown()).toEqual(mine)
  // Another run finds the same things again, as new candidates.
  see(clipId, body('car', 0, 0.9), body('car', 100, 0.8), body('car', 200, 0.3), body('car', 300, 0.7))
  expect(shown()).toEqual([...mine, 'machine car 300'].sort())
})

test('the counts at each score are what a threshold leaves', () => {
  library.changeVocabulary(vocabulary(0.5, 'car'), [])
  const second = addClip(1)
  see(clipId, body('car', 0, 0.9), body('car', 100, 0.31), body('car', 200, 0.6))
  see(second, body('car', 0, 0.4))
  const counts = library.detections.scores(DIGEST, ['car'])
  const from = (bins: readonly number[], threshold: number) =>
    bins.slice(Math.round(threshold * 1000)).reduce((sum, count) => sum + count, 0)
  for (const [threshold, kept, clips] of [
    [0, 4, 2],
    [0.31, 4, 2],
    [0.311, 3, 2],
    [0.32, 3, 2],
    [0.4, 3, 2],
    [0.41, 2, 1],
    [0.6, 2, 1],
    [0.61, 1, 1],
    [0.9, 1, 1],
    [0.91, 0, 0],
  ] as const) {
    expect([from(counts.tracks, threshold), from(counts.boxes, threshold), from(counts.clips, threshold)], String(threshold)).toEqual([
      kept,
      kept,
      clips,
    ])
    library.changeVocabulary(vocabulary(threshold, 'car'), [])
    library.showVocabulary(PACK)
    expect(shown().length + shown(second).length).toBe(kept)
  }
})

test('only words that are new are looked for, and what was looked for once is kept', () => {
  library.changeVocabulary(vocabulary(0.5, 'car'), [])
  expect(library.detections.stale(DIGEST)).toEqual([clipId])
  const [car] = library.detections.vocabulary()
  const seen = [{ query: 3, frame: 1, cx: 0.5, cy: 0.5, w: 0.25, h: 0.125, score: 0.75 }]
  library.saveSeen(clipId, PACK, {
    lookedFor: lookedFor(library.detections.vocabulary()),
    fresh: new Map([[car ? keyOf(car) : '', seen]]),
    candidates: [],
  })
  expect(library.detections.stale(DIGEST)).toEqual([])
  library.changeVocabulary([...library.detections.vocabulary(), newLabel('dog', [])], [])
  expect(library.detections.stale(DIGEST)).toEqual([clipId])
  expect([...library.detections.stored(clipId, DIGEST, library.detections.vocabulary()).values()]).toEqual([seen])
  library.changeVocabulary(vocabulary(0.7, 'car'), [])
  expect(library.detections.stale(DIGEST)).toEqual([])
})

test('a label that is renamed takes the boxes that people decided about along', () => {
  library.changeVocabulary(vocabulary(0.5, 'car', 'vehicle'), [])
  see(clipId, body('car', 0, 0.9))
  library.review(tracks()[0]?.id ?? 0, 'accept')
  const edits = library.detections
    .decided('car')
    .map((annotationId) => ({ action: 'edit' as const, annotationId, body: body('vehicle', 0, 0.9) }))
  library.changeVocabulary(renamed(library.detections.vocabulary(), 'car', 'vehicle'), edits)
  expect(shown()).toEqual(['edited vehicle 0'])
  expect(library.detections.vocabulary()).toMatchObject([{ name: 'vehicle', synonyms: ['car'] }])
})

test('a change of the vocabulary is one step of undo, with the boxes that went along', async () => {
  library.changeVocabulary(vocabulary(0.5, 'car', 'vehicle'))
  see(clipId, body('car', 0, 0.9))
  library.review(tracks()[0]?.id ?? 0, 'accept')
  const [accepted] = library.detections.decided('car')
  library.changeVocabulary(renamed(library.detections.vocabulary(), 'car', 'vehicle'), [
    { action: 'edit', annotationId: accepted ?? 0, body: body('vehicle', 0, 0.9) },
  ])
  expect(library.history.next().undo?.text).toBe('{{from}} merged into {{to}}')
  await library.close()
  library = Library.open(folder)
  const kinds: string[][] = []
  library.history.onStepped((of) => kinds.push([...of].toSorted()))
  await library.history.undo()
  expect(kinds).toEqual([['annotation', 'vocabulary']])
  expect(shown()).toEqual(['accepted car 0'])
  expect(library.detections.vocabulary().map(({ name }) => name)).toEqual(['car', 'vehicle'])
  await library.history.redo()
  expect(shown()).toEqual(['edited vehicle 0'])
  expect(library.detections.vocabulary()).toMatchObject([{ name: 'vehicle', synonyms: ['car'] }])
  library.changeVocabulary(library.detections.vocabulary().map((label) => ({ ...label, threshold: 0.2 })))
  expect(library.history.next()).toEqual({
    undo: { text: 'Thresholds of {{labels}}', values: { labels: 'vehicle' } },
    redo: null,
    elsewhere: null,
  })
  expect(library.history.list(10).steps.map(({ clipId: on }) => on)).toEqual([null, null, clipId, null])
  await library.history.undo()
  expect(library.detections.vocabulary()[0]?.threshold).toBe(0.5)
  library.changeVocabulary(library.detections.vocabulary())
  expect(library.history.next().redo).not.toBeNull()
})

test('what each pack said of a clip stands beside what the others said', () => {
  const evidence = { confidence: 0.4, unsure: true, agreement: 0.1, frames: [] }
  const other = { ...provenance, packId: 'q', packVersion: '2', packDigest: 'e'.repeat(64) }
  library.saveClipResult(
    clipId,
    mammut(other.packDigest),
    { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null },
    [],
    { caption: { body: { kind: 'caption', text: 'a bus' }, evidence, provenance: other }, seen: null },
  )
  expect(library.detections.packs(clipId)).toEqual([
    { digest: DIGEST, name: 'p 1', current: false, caption: { text: 'a car', confidence: null, unsure: false } },
    { digest: other.packDigest, name: 'q 2', current: false, caption: { text: 'a bus', confidence: 0.4, unsure: true } },
  ])
})

/** As `see`, for a detector with a closed list, which needs no encoding. */
const EYES = detector('e'.repeat(64), ['person', 'car', 'dog'])
function spot(id: number, ...tracks: TrackBody[]): void {
  library.seen.saveFrames(id, EYES.digest, [])
  library.detections.saveTracks(
    id,
    EYES,
    tracks.map((track) => ({ body: track, score: track.boxes[0]?.score ?? 0, provenance: { ...provenance, packDigest: EYES.digest } })),
  )
}

test('what a detector spots counts under its own name from a high score, and under the label that means it from that label’s', () => {
  const { source } = library.addSource({ path: '/v/w.mp4', name: 'w.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'w' })
  const bare = library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 1, startFrame: 0, endFrame: 30, frames: [] })
  spot(bare, body('car', 0, 0.9), body('car', 100, 0.6), body('dog', 200, 0.6), body('person', 300, 0.3))
  expect(shown(bare)).toEqual(['machine car 0'])
  const [first] = tracks(bare)
  library.changeVocabulary(vocabulary(0.5, 'Auto', 'dog'), [])
  expect(library.detections.apply(EYES)).toEqual([bare])
  expect(shown(bare)).toEqual(['machine Auto 0', 'machine Auto 100', 'machine dog 200'])
  expect(library.clip(bare).labels.sort()).toEqual(['Auto', 'dog'])
  expect(first).toBeDefined()
  expect(library.detections.apply(EYES)).toEqual([])
  const kept = tracks(bare)
  library.changeVocabulary(vocabulary(0.7, 'Auto', 'dog'), [])
  library.showVocabulary(EYES)
  expect(tracks(bare)).toEqual(kept.filter(({ at }) => at === 'machine Auto 0'))
  // Without the label the detector's own names are shown again.
  library.changeVocabulary([], [])
  library.showVocabulary(EYES)
  expect(shown(bare)).toEqual(['machine car 0'])
  // A label that means no name on the list finds nothing.
  library.changeVocabulary(vocabulary(0, 'crane'), [])
  library.showVocabulary(EYES)
  expect(shown(bare)).toEqual(['machine car 0'])
})

test('a detector’s tracks that are the same in another run keep their id, and what a person decided stays on top', () => {
  const found = [body('car', 0, 0.9), body('dog', 200, 0.85)]
  spot(clipId, ...found)
  const before = tracks()
  expect(before).toHaveLength(2)
  spot(clipId, ...found)
  expect(tracks()).toEqual(before)
  library.review(before[0]?.id ?? 0, 'reject')
  spot(clipId, body('car', 1, 0.95), body('dog', 300, 0.85))
  expect(shown()).toEqual(['machine dog 300', 'rejected car 0'])
  // When it no longer sees anything in a clip, no machine track is left.
  spot(clipId)
  expect(shown()).toEqual(['rejected car 0'])
  expect(library.detections.candidates(clipId, EYES.digest)).toEqual([])
})

test('a label counts and lists what the list has under any name that it means', () => {
  const second = addClip(1)
  spot(clipId, body('car', 0, 0.9), body('dog', 200, 0.6))
  spot(second, body('dog', 0, 0.95))
  const clips = (...names: string[]) => library.detections.clips(EYES.digest, names, 10)
  expect(clips('car')).toEqual([{ clipId, score: 0.9 }])
  expect(clips('car', 'dog')).toEqual([
    { clipId: second, score: 0.95 },
    { clipId, score: 0.9 },
  ])
  expect(clips()).toEqual([])
  const counts = library.detections.scores(EYES.digest, ['car', 'dog'])
  const sum = (bins: readonly number[]) => bins.reduce((total, count) => total + count, 0)
  expect([sum(counts.tracks), sum(counts.boxes), sum(counts.clips)]).toEqual([3, 3, 2])
  expect([counts.clips[950], counts.clips[900], counts.clips[600]]).toEqual([1, 1, 0])
})

test('two packs that have boxes of one clip: the tracks are those of the one that is shown', () => {
  library.changeVocabulary(vocabulary(0.5, 'car'), [])
  see(clipId, body('car', 0, 0.9))
  spot(clipId, body('car', 500, 0.9), body('dog', 600, 0.9))
  expect(shown()).toEqual(['machine car 500', 'machine dog 600'])
  library.showVocabulary(PACK)
  expect(shown()).toEqual(['machine car 0'])
  library.showVocabulary(EYES)
  expect(shown()).toEqual(['machine car 500', 'machine dog 600'])
})

test.each(['Car', 'Auto', 'vehicle'])(
  'what a person moved, rejected or called otherwise does not come back under the label “%s”',
  async (name) => {
    const cars = (shift: number) => [0, 100, 200].map((x) => body('car', x + shift, 0.9))
    spot(clipId, ...cars(0))
    const [moved, rejected, renamedOne] = tracks()
    library.review(moved?.id ?? 0, 'edit', body('car', 40, 0.9))
    library.review(rejected?.id ?? 0, 'reject')
    library.review(renamedOne?.id ?? 0, 'edit', body('van', 200, 0.9))
    const decided = shown()
    library.changeVocabulary(vocabulary(0.5, name))
    library.detections.apply(EYES)
    // Looked at again for the label, the same things have other candidates.
    spot(clipId, ...cars(1))
    const own = name === 'Car' ? decided.map((one) => one.replace(' car ', ' Car ')) : decided
    expect(shown().filter((one) => !one.startsWith('rejected'))).toEqual(own.filter((one) => !one.startsWith('rejected')))
    // Without the label people's boxes have the name again that the machine's have.
    await library.history.undo()
    library.detections.apply(EYES)
    expect(shown()).toEqual(decided)
  },
)
