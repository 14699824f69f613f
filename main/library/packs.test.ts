import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withNames } from '../../app/vocabulary.ts'
import { keyOf } from './detections.ts'
import { Library } from './library.ts'
import { MIGRATIONS, openDatabase } from './schema.ts'
import { detector, mammut } from './shower.testing.ts'

const MINI = { id: 'mini', digest: 'a'.repeat(64) }
const LARGE = { id: 'large', digest: 'b'.repeat(64) }

let folder: string
let library: Library
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-packs-'))
  library = Library.open(folder)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Stores a clip of eight seconds as an analysis with that pack does. */
function analyse(pack: typeof MINI, index: number, text: string, ordinals: readonly number[]): number {
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  library.setSourceState(source.id, 'done')
  const frames = ordinals.map((ordinal) => ({ ordinal, pts: ordinal }))
  const clipId = library.saveClip(source.id, {
    index,
    kind: 'window',
    start: index * 8,
    end: index * 8 + 8,
    startFrame: index * 200,
    endFrame: index * 200 + 200,
    frames: [],
  })
  const provenance = {
    packId: pack.id,
    packVersion: '1',
    packDigest: pack.digest,
    provider: 'CPU',
    prompt: 'caption:',
    appVersion: '0',
    at: '2026-01-01T00:00:00.000Z',
  }
  const encoding = { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1, 2, 3]), tokens: null }
  library.saveClipResult(clipId, mammut(pack.digest), encoding, frames, {
    caption: { body: { kind: 'caption', text }, evidence: null, provenance },
    seen: null,
  })
  return clipId
}
const captionOf = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')

test('another pack has everything to encode; going back, everything of the first one is there at once', () => {
  library.packs.use('caption', MINI)
  const first = analyse(MINI, 0, 'a blue thing', [10, 20])
  const second = analyse(MINI, 1, 'a red thing', [210, 220])
  expect(library.packs.missing([LARGE.digest])).toEqual({ sourceIds: [1], clips: 2, seconds: 16 })
  expect(library.source(1)).toMatchObject({ clipCount: 2, encodedCount: 2 })

  library.packs.use('caption', LARGE)
  expect(library.source(1)).toMatchObject({ clipCount: 2, encodedCount: 0 })
  expect(library.clip(first).encoded).toBe(false)
  analyse(LARGE, 0, 'a dog runs on grass', [0, 40, 80, 120])
  expect(library.packs.missing([LARGE.digest])).toMatchObject({ clips: 1, seconds: 8 })
  expect(library.clip(first)).toMatchObject({ encoded: true, caption: 'a dog runs on grass' })
  expect(library.clipFrames(first).map(({ ordinal }) => ordinal)).toEqual([0, 40, 80, 120])

  const heard: number[] = []
  library.onChange((event) => {
    if (event.type === 'clips') heard.push(...event.clipIds)
  })
  library.packs.use('caption', MINI)
  expect(heard).toEqual([first])
  expect(library.packs.missing([MINI.digest]).clips).toBe(0)
  expect(library.clip(first)).toMatchObject({ encoded: true, caption: 'a blue thing' })
  expect(captionOf(first)?.provenance?.packId).toBe('mini')
  expect(library.clip(second).caption).toBe('a red thing')
  expect(library.clipFrames(first).map(({ ordinal }) => ordinal)).toEqual([10, 20])
})

test("a person's caption stays on top whichever pack is in use", () => {
  library.packs.use('caption', MINI)
  const clipId = analyse(MINI, 0, 'a blue thing', [0])
  library.review(captionOf(clipId)?.id ?? 0, 'edit', { kind: 'caption', text: 'my dog Rex' })
  library.packs.use('caption', LARGE)
  analyse(LARGE, 0, 'a dog', [0])
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'my dog Rex' }, machine: { text: 'a dog' }, state: 'edited' })
  library.packs.use('caption', MINI)
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'my dog Rex' }, machine: { text: 'a blue thing' }, state: 'edited' })
})

test('search finds in the encodings of the asked pack only, and none of a pack that was forgotten', async () => {
  library.packs.use('caption', MINI)
  analyse(MINI, 0, 'a blue thing', [0])
  analyse(MINI, 1, 'a red thing', [200])
  library.packs.use('caption', LARGE)
  const both = analyse(LARGE, 1, 'a car', [200])
  const query = new Float32Array([1, 0])
  const search = (digest: string) =>
    library.find.ask(
      'rank',
      { filters: {}, sought: { by: 'text', vector: query, scale: 1, against: 0, line: 0, familiar: 'unsaid' }, limit: 10 },
      digest,
    )
  expect((await search(LARGE.digest)).ranked.map(({ clipId }) => clipId)).toEqual([both])
  expect((await search(MINI.digest)).searched).toBe(2)
  expect(library.packs.usage().get(MINI.digest)).toEqual({ clips: 2, bytes: 28 })
  library.packs.forget(MINI.digest)
  expect(library.packs.usage().has(MINI.digest)).toBe(false)
  expect((await search(MINI.digest)).searched).toBe(0)
  expect(library.clip(both)).toMatchObject({ encoded: true, caption: 'a car' })
})

test('every task has its pack, one that was never given has none, and what one leaves the others keep', async () => {
  const EYES = { id: 'eyes', digest: 'e'.repeat(64) }
  expect(library.packs.current()).toEqual({})
  for (const task of ['caption', 'answer', 'search'] as const) library.packs.use(task, MINI)
  library.packs.use('search', LARGE)
  library.packs.use('boxes', { ...EYES, names: ['car'] })
  library.packs.use('text', { ...EYES, digest: 'f'.repeat(64) })
  library.packs.use('text', null)
  await library.close()
  library = Library.open(folder)
  expect(library.packs.current()).toEqual({ caption: MINI, answer: MINI, search: LARGE, boxes: { ...EYES, names: ['car'] }, text: null })
  expect(library.packs.inUse().sort()).toEqual([MINI.digest, LARGE.digest, EYES.digest].sort())
})

test('a clip is missing while any of the packs has left nothing of it, and once however many they are', () => {
  const EYES = 'e'.repeat(64)
  const first = analyse(MINI, 0, 'a blue thing', [0])
  const second = analyse(MINI, 1, 'a red thing', [200])
  expect(library.packs.missing([])).toEqual({ sourceIds: [], clips: 0, seconds: 0 })
  expect(library.packs.missing([MINI.digest, LARGE.digest, EYES])).toEqual({ sourceIds: [1], clips: 2, seconds: 16 })
  // A detector stores no encoding. If it found nothing in a clip, it has still seen it.
  library.seen.saveFrames(first, EYES, [])
  expect(library.packs.missing([MINI.digest, EYES])).toEqual({ sourceIds: [1], clips: 1, seconds: 8 })
  library.seen.saveFrames(second, EYES, [])
  expect(library.packs.missing([MINI.digest, EYES]).clips).toBe(0)
  expect(library.packs.usage().get(EYES)?.clips).toBe(2)
  // Measurements belong to no pack.
  const measured = { cut: true, camera: { steps: [], stays: [] }, light: [] }
  library.seen.saveMeasured(first, measured)
  expect([...library.packs.usage().keys()].sort()).toEqual([MINI.digest, EYES].sort())
  library.packs.forget(EYES)
  expect(library.packs.missing([EYES]).clips).toBe(2)
  expect(library.seen.measured(first)).toEqual(measured)
})

test('another pack for boxes or search changes no caption; one that says nothing of a clip takes no caption away', () => {
  library.packs.use('caption', MINI)
  const clipId = analyse(MINI, 0, 'a blue thing', [0])
  library.saveClipResult(
    clipId,
    mammut(LARGE.digest),
    { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1]), tokens: null },
    [],
    { caption: null, seen: null },
  )
  for (const task of ['answer', 'search', 'boxes'] as const) library.packs.use(task, LARGE)
  expect(library.clip(clipId)).toMatchObject({ encoded: true, caption: 'a blue thing' })
  library.packs.use('caption', LARGE)
  expect(captionOf(clipId)?.provenance?.packId).toBe('mini')
  library.packs.use('caption', null)
  expect(library.clip(clipId).caption).toBe('a blue thing')
})

test('a pack that is forgotten takes its tracks to come along, those of others stay', () => {
  const [eyes, other] = [detector('e'.repeat(64), ['car']), detector('f'.repeat(64), ['car'])]
  const clipId = analyse(MINI, 0, 'a blue thing', [0])
  const provenance = {
    packId: 'eyes',
    packVersion: '1',
    packDigest: eyes.digest,
    provider: 'CPU',
    prompt: '',
    appVersion: '0',
    at: '2026-01-01T00:00:00.000Z',
  }
  for (const info of [eyes, other])
    library.detections.saveTracks(clipId, info, [
      {
        score: 0.9,
        provenance,
        body: { kind: 'track', label: 'car', boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: 0.9 }] },
      },
    ])
  library.packs.forget(eyes.digest)
  expect([eyes, other].map(({ digest }) => library.detections.candidates(clipId, digest).length)).toEqual([0, 1])
})

test('a pack that is known by another name now keeps what it left, and its tasks; what it did since then holds', () => {
  const [EYES, cars] = ['e'.repeat(64), withNames([], ['car'])]
  library.packs.use('caption', MINI)
  library.packs.use('boxes', { id: 'eyes', digest: EYES, names: ['car'] })
  const [first, second] = [analyse(MINI, 0, 'a blue thing', [10]), analyse(MINI, 1, 'a red thing', [210])]
  for (const clipId of [first, second]) library.seen.saveFrames(clipId, EYES, [{ ordinal: 0, pts: 0, seen: [] }])
  library.saveSeen(first, mammut(MINI.digest), { lookedFor: '', fresh: new Map(cars.map((label) => [keyOf(label), []])), candidates: [] })
  // Under its new digest it has already encoded the second clip again.
  const [mini, eyes] = ['c'.repeat(64), 'd'.repeat(64)]
  analyse({ ...MINI, digest: mini }, 1, 'a green thing', [220])

  library.packs.rename([MINI.digest, 'never seen'], mini)
  library.packs.rename([EYES], eyes)
  expect([...library.packs.usage()].map(([digest, { clips }]) => [digest, clips]).sort()).toEqual([
    [mini, 2],
    [eyes, 2],
  ])
  expect(library.packs.missing([mini, eyes]).clips).toBe(0)
  expect(library.packs.current()).toEqual({
    caption: { ...MINI, digest: mini },
    boxes: { id: 'eyes', digest: eyes, names: ['car'] },
  })
  expect(library.detections.stored(first, mini, cars).size).toBe(1)
  expect(library.seen.spotted(first, eyes)).toHaveLength(1)
  expect([first, second].map((id) => captionOf(id)?.provenance?.packDigest)).toEqual([mini, mini])
  expect(library.clip(second)).toMatchObject({ encoded: true, caption: 'a green thing' })
  // After a switch away and back its captions are the same.
  library.packs.use('caption', LARGE)
  library.packs.use('caption', { ...MINI, digest: mini })
  expect(library.clip(first)).toMatchObject({ encoded: true, caption: 'a blue thing' })
})

test('a source that cannot be read is no work for another pack', () => {
  analyse(MINI, 0, 'a blue thing', [0])
  library.setSourceState(1, 'failed')
  expect(library.packs.missing([LARGE.digest])).toEqual({ sourceIds: [], clips: 0, seconds: 0 })
})

test('a library of the version before keeps its captions and frames with their encodings', async () => {
  await library.close()
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec(MIGRATIONS[0] ?? '')
  db.exec(`PRAGMA user_version = 1;
    INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (1, '/v/v.mp4', 'v.mp4', 1, 0, 'f', '2026-01-01', 'done');
    INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (1, 1, 0, 'window', 0, 8, 0, 200, '[{"ordinal":7,"pts":7}]');
    INSERT INTO encodings (clip_id, pack_digest, embedding, memory) VALUES (1, '${MINI.digest}', x'0000803f00000000', x'0100');
    INSERT INTO annotations (clip_id, kind, topic, machine, provenance, state, updated_at)
      VALUES (1, 'caption', '', '{"kind":"caption","text":"a blue thing"}', '{"packDigest":"${MINI.digest}"}', 'machine', '2026-01-01');
    INSERT INTO jobs (kind, title, payload, state, stage, progress) VALUES ('detect', '', '{}', 'queued', '', 0);
    INSERT INTO edits (description, annotation_id, clip_id, at) VALUES ('accept caption of clip 1 in v.mp4', 1, 1, '2026-01-01T00:00:00.000Z')`)
  db.close()
  library = Library.open(folder)
  library.packs.use('caption', LARGE)
  analyse(LARGE, 0, 'a dog', [1, 2])
  library.packs.use('caption', MINI)
  expect(library.clip(1).caption).toBe('a blue thing')
  expect(library.clipFrames(1)).toEqual([{ ordinal: 7, pts: 7 }])
  expect(library.history.next().undo).toEqual({ text: 'accept caption of clip 1 in v.mp4' })
  expect(library.jobs.open()).toMatchObject([{ kind: 'detect', state: 'queued' }])
})

test('a library of one pack for everything keeps it for captions, answers and search, and its tracks with new ids for new ones', async () => {
  await library.close()
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  const old = openDatabase(folder, 12)
  const said = JSON.stringify({
    packId: 'mini',
    packVersion: '1',
    packDigest: MINI.digest,
    provider: 'CPU',
    prompt: 'car',
    appVersion: '0',
    at: '2026-01-01T00:00:00.000Z',
  })
  const track = JSON.stringify({
    kind: 'track',
    label: 'car',
    boxes: [{ ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 9, y2: 9 }, score: 0.9 }],
  })
  old.exec(`INSERT INTO settings (key, value) VALUES ('pack', '${JSON.stringify(MINI)}'), ('vocabulary', '[{"name":"car","synonyms":[],"colour":"#ffffff","threshold":0.5}]');
    INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state) VALUES (1, '/v/v.mp4', 'v.mp4', 1, 0, 'f', '2026-01-01', 'done');
    INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (1, 1, 0, 'window', 0, 8, 0, 200, '[]');
    INSERT INTO encodings (clip_id, pack_digest, embedding, memory, frames, looked_for) VALUES (1, '${MINI.digest}', x'0000803f00000000', x'0100', '[{"ordinal":7,"pts":7}]', '[["car"]]');
    INSERT INTO candidates (id, clip_id, pack_digest, label, score, boxes, body, provenance) VALUES (5, 1, '${MINI.digest}', 'car', 0.9, 1, '${track}', '${said}'), (9, 1, '${MINI.digest}', 'car', 0.9, 1, '${track}', '${said}');
    INSERT INTO annotations (clip_id, kind, topic, machine, provenance, state, updated_at, candidate) VALUES (1, 'track', '', '${track}', '${said}', 'machine', '2026-01-01', 5), (1, 'track', '', '${track}', '${said}', 'accepted', '2026-01-01', 9);
    DELETE FROM candidates WHERE id = 9`)
  old.close()
  library = Library.open(folder)
  expect(library.packs.current()).toEqual({ caption: MINI, answer: MINI, search: MINI })
  expect(library.clip(1)).toMatchObject({ encoded: true, labels: ['car'] })
  expect(library.clipFrames(1)).toEqual([{ ordinal: 7, pts: 7 }])
  expect(library.detections.candidates(1, MINI.digest)).toMatchObject([{ score: 0.9, body: { label: 'car' } }])
  expect(library.packs.missing([MINI.digest]).clips).toBe(0)
  // The accepted track's candidate no longer exists: a new one must not be taken for it.
  const provenance = {
    packId: 'eyes',
    packVersion: '1',
    packDigest: 'e'.repeat(64),
    provider: 'CPU',
    prompt: '',
    appVersion: '0',
    at: '2026-01-01T00:00:00.000Z',
  }
  const eyes = detector(provenance.packDigest, ['car'])
  const far = (x: number) => ({
    score: 0.9,
    provenance,
    body: {
      kind: 'track' as const,
      label: 'car',
      boxes: [{ ordinal: 100, pts: 100, box: { x1: x, y1: 50, x2: x + 9, y2: 59 }, score: 0.9 }],
    },
  })
  library.detections.saveTracks(1, eyes, [0, 20, 40, 60, 80].map(far))
  library.seen.saveFrames(1, eyes.digest, [])
  library.detections.apply(eyes)
  const tracks = library.annotations(1).filter(({ body }) => body.kind === 'track')
  expect(tracks.map(({ state }) => state).sort()).toEqual(['accepted', 'machine', 'machine', 'machine', 'machine', 'machine'])
})

test('a library that never chose a pack has none chosen for it by the move to tasks', async () => {
  await library.close()
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  openDatabase(folder, 12).close()
  library = Library.open(folder)
  expect(library.packs.current()).toEqual({})
})
