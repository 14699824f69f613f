/** Migrations: a library with data in it, written by each earlier version of the schema, is opened with everything that people made. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backupsOf } from './backups.ts'
import { faultsOf } from './check.ts'
import { IMPORTED_OF_CLIP } from './imports.ts'
import { Library } from './library.ts'
import { ELSEWHERE } from './reach.ts'
import { SOURCE_VIEW } from './rows.ts'
import { MIGRATIONS, openDatabase } from './schema.ts'
import { DIGEST, provenance } from './shower.testing.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-schema-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const json = (value: unknown) => JSON.stringify(value)
const box = { ordinal: 0, pts: 0, box: { x1: 0, y1: 0, x2: 20, y2: 20 }, score: 0.9 }
const probe = {
  timeBase: { num: 1, den: 25 },
  startPts: 0,
  frameRate: { num: 25, den: 1 },
  width: 64,
  height: 48,
  container: 'matroska,webm',
  codec: 'h264',
  duration: 16,
  streams: [],
  pixelFormat: 'yuv420p',
  bitDepth: 8,
  hdr: false,
  codedWidth: 64,
  codedHeight: 48,
  rotation: 0,
  sampleAspectRatio: { num: 1, den: 1 },
  variableFrameRate: false,
  frameCount: 400,
  videoStream: 0,
}

/** What the first version of Tubelet stored: two videos, three clips, decisions, an undone edit, a waiting job. */
function firstData(db: DatabaseSync): void {
  const run = (sql: string, ...values: (string | number | null | Uint8Array)[]) => db.prepare(sql).run(...values)
  for (const id of [1, 2])
    run(
      `INSERT INTO sources (id, path, name, bytes, mtime_ms, fingerprint, added_at, state, probe) VALUES (?, ?, ?, 10, 0, ?, '2026-01-01', 'done', ?)`,
      id,
      `/v/${id}.mkv`,
      `${id}.mkv`,
      `f${id}`,
      json(probe),
    )
  for (const [id, source, from] of [
    [1, 1, 0],
    [2, 1, 200],
    [3, 2, 0],
  ] as const) {
    run(
      `INSERT INTO clips (id, source_id, idx, kind, start, "end", start_frame, end_frame, frames) VALUES (?, ?, ?, 'window', ?, ?, ?, ?, ?)`,
      id,
      source,
      from / 200,
      from / 25,
      from / 25 + 8,
      from,
      from + 200,
      json([{ ordinal: from, pts: from }]),
    )
    run(
      'INSERT INTO encodings (clip_id, pack_digest, embedding, memory, tokens) VALUES (?, ?, ?, ?, NULL)',
      id,
      DIGEST,
      new Uint8Array(new Float32Array([1, 0]).buffer),
      new Uint8Array(4),
    )
    run(
      `INSERT INTO annotations (clip_id, kind, topic, machine, human, state, evidence, provenance, updated_at) VALUES (?, 'caption', '', ?, ?, ?, ?, ?, '2026-01-01')`,
      id,
      json({ kind: 'caption', text: `machine ${id}` }),
      id === 2 ? json({ kind: 'caption', text: 'a heron by the lake' }) : null,
      id === 2 ? 'edited' : 'machine',
      json({ confidence: 0.5, unsure: false, agreement: 1, frames: [{ ordinal: from, pts: from, weight: 1 }] }),
      json(provenance),
    )
  }
  const other = (clip: number, kind: string, topic: string, state: string, body: unknown, human: boolean) =>
    run(
      `INSERT INTO annotations (clip_id, kind, topic, machine, human, state, provenance, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, '2026-01-01')`,
      clip,
      kind,
      topic,
      human ? null : json(body),
      human ? json(body) : null,
      state,
      human ? null : json(provenance),
    )
  other(1, 'answer', 'is there a boat?', 'accepted', { kind: 'answer', question: 'is there a boat?', text: 'yes' }, false)
  other(1, 'note', '', 'edited', { kind: 'note', text: 'ask Jana about this' }, true)
  other(3, 'track', '', 'edited', { kind: 'track', label: 'dog', boxes: [box] }, true)
  const before = json({ kind: 'caption', topic: '', state: 'machine', human: null })
  const after = json({ kind: 'caption', topic: '', state: 'edited', human: { kind: 'caption', text: 'a heron by the lake' } })
  run(
    `INSERT INTO edits (description, annotation_id, clip_id, before, after, undone, at) VALUES ('edit caption of clip 2 of 1.mkv', 2, 2, ?, ?, 0, '2026-01-01')`,
    before,
    after,
  )
  db.exec(
    `INSERT INTO jobs (kind, title, source_id, payload, state, stage, progress) VALUES ('analyse', '2.mkv', 2, '{}', 'queued', '', 0)`,
  )
  run(`INSERT INTO settings (key, value) VALUES ('pack', ?)`, json({ digest: DIGEST, id: 'p', version: '1' }))
}

/** What later versions could store beside it, each from the version on that had the table. */
const LATER: readonly (readonly [since: number, sql: string])[] = [
  [4, `INSERT INTO columns (kind, text, topic, automatic) VALUES ('yesno', 'Is there a boat?', 'is there a boat?', 1)`],
  [4, `INSERT INTO views (name, spec) VALUES ('', '{"rows":"clips","sort":[],"filters":[],"group":null}')`],
  [10, `INSERT INTO picks (clip_ids) VALUES ('[1, 3]')`],
  [
    13,
    `INSERT INTO candidates (clip_id, pack_digest, label, score, boxes, body, provenance) VALUES (1, '${DIGEST}', 'cat', 0.4, 1, '{"kind":"track","label":"cat","boxes":[]}', '${json(provenance)}')`,
  ],
  [15, `INSERT INTO categories (key, name) VALUES ('dog', 'dog')`],
]

test.each(MIGRATIONS.slice(1).map((_, at) => at + 1))('a library of version %i keeps everything', async (version) => {
  const first = openDatabase(folder, 1)
  firstData(first)
  first.close()
  for (const name of backupsOf(folder)) expect(name).toBeUndefined()
  const old = openDatabase(folder, version)
  for (const [since, sql] of LATER) if (since <= version) old.exec(sql)
  old.close()
  const library = Library.open(folder)
  try {
    expect(library.sources().map(({ name, clipCount, file }) => [name, clipCount, file])).toEqual([
      ['1.mkv', 2, 'there'],
      ['2.mkv', 1, 'there'],
    ])
    const { clips } = library.clips({ limit: 9, offset: 0 })
    expect(clips.map(({ caption, captionState }) => [caption, captionState])).toEqual([
      ['machine 1', 'machine'],
      ['a heron by the lake', 'edited'],
      ['machine 3', 'machine'],
    ])
    expect(library.annotations(1).map(({ body, state }) => [body.kind, state])).toEqual(
      expect.arrayContaining([
        ['answer', 'accepted'],
        ['note', 'edited'],
      ]),
    )
    expect(library.annotations(3).some(({ body }) => body.kind === 'track' && body.label === 'dog')).toBe(true)
    expect(library.encoding(2, DIGEST)?.embedding).toEqual(new Float32Array([1, 0]))
    expect(library.jobs.list(9).map(({ title, state }) => [title, state])).toEqual([['2.mkv', 'queued']])
    if (version >= 4) expect(library.table.columns().map(({ text }) => text)).toEqual(['Is there a boat?'])
    // The edit that was made then is undone now.
    expect(library.history.list(9).total).toBe(1)
    await library.history.undo()
    expect(library.annotations(2).find(({ body }) => body.kind === 'caption')?.body).toEqual({ kind: 'caption', text: 'machine 2' })
    await library.history.redo()
  } finally {
    await library.close()
  }
  expect(faultsOf(path.join(folder, 'library.sqlite'), 'thorough')).toEqual([])
  // And what it was before is kept as a backup, of its own version.
  const [newest] = backupsOf(folder)
  expect(faultsOf(path.join(folder, 'backups', newest?.name ?? ''), 'thorough')).toEqual([])
})

/** A library may have gigabytes of tracks: what is asked often, or for each clip, must not read them. */
test('videos are counted, imported texts known again, and tracks found that leave their clip, by indexes alone', () => {
  const db = openDatabase(folder)
  db.function('title_of', () => '')
  const plan = (sql: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
  const [ofSources, ofTexts] = [plan(SOURCE_VIEW.replace('title_of(s.id)', 'title_of()')), plan(IMPORTED_OF_CLIP.replace('?', '1'))]
  // An expression that an index holds is not computed: the program of the query then has no function in it but what the plan does not show.
  const computed = db
    .prepare(`EXPLAIN SELECT a.clip_id, r.id FROM ${ELSEWHERE}`)
    .all()
    .filter(({ opcode, p4 }) => String(opcode).includes('Func') && String(p4).startsWith('json'))
  db.close()
  expect(computed).toEqual([])
  const annotations = ofSources.filter((step) => step.startsWith('SEARCH a '))
  expect(annotations.length).toBeGreaterThan(2)
  expect(annotations.filter((step) => !/reviewed_of_clip|COVERING INDEX/.test(step))).toEqual([])
  expect(ofTexts).toEqual([
    expect.stringMatching(/^SEARCH a USING INDEX .*\(clip_id=\?/) as string,
    expect.stringMatching(/^SEARCH e USING INDEX edits_of_annotation \(annotation_id=\?/) as string,
  ])
})
