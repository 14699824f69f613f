import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Library } from './library.ts'
import { MIGRATIONS } from './schema.ts'

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

/** As an analysis with that pack stores a clip of eight seconds. */
function analyse(pack: typeof MINI, index: number, text: string, ordinals: readonly number[]): number {
  const { source } = library.addSource({ path: '/v/v.mp4', name: 'v.mp4', bytes: 1, mtimeMs: 0, fingerprint: 'f' })
  library.setSourceState(source.id, 'done')
  const clipId = library.saveClip(source.id, { index, kind: 'window', start: index * 8, end: index * 8 + 8, startFrame: index * 200, endFrame: index * 200 + 200, frames: ordinals.map((ordinal) => ({ ordinal, pts: ordinal })) })
  const provenance = { packId: pack.id, packVersion: '1', packDigest: pack.digest, provider: 'CPU', prompt: 'caption:', appVersion: '0', at: '2026-01-01T00:00:00.000Z' }
  const encoding = { embedding: new Float32Array([1, 0]), memory: new Uint16Array([1, 2, 3]), tokens: null }
  library.saveClipResult(clipId, pack.digest, encoding, { caption: { body: { kind: 'caption', text }, evidence: null, provenance }, seen: null })
  return clipId
}
const captionOf = (clipId: number) => library.annotations(clipId).find(({ body }) => body.kind === 'caption')

test('another pack has everything to encode; going back, everything of the first one is there at once', () => {
  library.packs.use(MINI)
  const first = analyse(MINI, 0, 'a blue thing', [10, 20])
  const second = analyse(MINI, 1, 'a red thing', [210, 220])
  expect(library.packs.missing(LARGE.digest)).toEqual({ sourceIds: [1], clips: 2, seconds: 16 })
  expect(library.source(1)).toMatchObject({ clipCount: 2, encodedCount: 2 })

  library.packs.use(LARGE)
  expect(library.source(1)).toMatchObject({ clipCount: 2, encodedCount: 0 })
  expect(library.clip(first).encoded).toBe(false)
  analyse(LARGE, 0, 'a dog runs on grass', [0, 40, 80, 120])
  expect(library.packs.missing(LARGE.digest)).toMatchObject({ clips: 1, seconds: 8 })
  expect(library.clip(first)).toMatchObject({ encoded: true, caption: 'a dog runs on grass' })
  expect(library.clipFrames(first).map(({ ordinal }) => ordinal)).toEqual([0, 40, 80, 120])

  const heard: number[] = []
  library.onChange((event) => {
    if (event.type === 'clips') heard.push(...event.clipIds)
  })
  library.packs.use(MINI)
  expect(heard).toEqual([first])
  expect(library.packs.missing(MINI.digest).clips).toBe(0)
  expect(library.clip(first)).toMatchObject({ encoded: true, caption: 'a blue thing' })
  expect(captionOf(first)?.provenance?.packId).toBe('mini')
  expect(library.clip(second).caption).toBe('a red thing')
  expect(library.clipFrames(first).map(({ ordinal }) => ordinal)).toEqual([10, 20])
})

test('a person\'s caption stays on top whichever pack is in use', () => {
  library.packs.use(MINI)
  const clipId = analyse(MINI, 0, 'a blue thing', [0])
  library.review(captionOf(clipId)?.id ?? 0, 'edit', { kind: 'caption', text: 'my dog Rex' })
  library.packs.use(LARGE)
  analyse(LARGE, 0, 'a dog', [0])
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'my dog Rex' }, machine: { text: 'a dog' }, state: 'edited' })
  library.packs.use(MINI)
  expect(captionOf(clipId)).toMatchObject({ body: { text: 'my dog Rex' }, machine: { text: 'a blue thing' }, state: 'edited' })
})

test('search finds in the encodings of the asked pack only, and none of a pack that was forgotten', async () => {
  library.packs.use(MINI)
  analyse(MINI, 0, 'a blue thing', [0])
  analyse(MINI, 1, 'a red thing', [200])
  library.packs.use(LARGE)
  const both = analyse(LARGE, 1, 'a car', [200])
  const query = new Float32Array([1, 0])
  const search = (digest: string) => library.find.ask('rank', { filters: {}, sought: { by: 'text', vector: query, scale: 1, against: 0, line: 0, familiar: 'unsaid' }, limit: 10 }, digest)
  expect((await search(LARGE.digest)).ranked.map(({ clipId }) => clipId)).toEqual([both])
  expect((await search(MINI.digest)).searched).toBe(2)
  expect(library.packs.usage().get(MINI.digest)).toEqual({ clips: 2, bytes: 28 })
  library.packs.forget(MINI.digest)
  expect(library.packs.usage().has(MINI.digest)).toBe(false)
  expect((await search(MINI.digest)).searched).toBe(0)
  expect(library.clip(both)).toMatchObject({ encoded: true, caption: 'a car' })
})

test('a source that cannot be read is no work for another pack', () => {
  analyse(MINI, 0, 'a blue thing', [0])
  library.setSourceState(1, 'failed')
  expect(library.packs.missing(LARGE.digest)).toEqual({ sourceIds: [], clips: 0, seconds: 0 })
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
  library.packs.use(LARGE)
  analyse(LARGE, 0, 'a dog', [1, 2])
  library.packs.use(MINI)
  expect(library.clip(1).caption).toBe('a blue thing')
  expect(library.clipFrames(1)).toEqual([{ ordinal: 7, pts: 7 }])
  expect(library.steps.history().undo).toEqual({ text: 'accept caption of clip 1 in v.mp4' })
  expect(library.jobs.open()).toMatchObject([{ kind: 'detect', state: 'queued' }])
})
