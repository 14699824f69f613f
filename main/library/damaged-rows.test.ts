/** A value of each table that is damaged on the disk: everything else can be read, nothing is overwritten, and what was damaged is kept beside. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contract, type RouteName } from '../../app/contract.ts'
import type { Problem } from '../../app/errors.ts'
import { openTubelet, type Tubelet } from '../open.ts'
import { faultsOf } from './check.ts'
import { Library } from './library.ts'
import { mammut } from './shower.testing.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-damaged-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const file = () => path.join(folder, 'library.sqlite')

/** Where values lie, and a value that Tubelet could have written there. Bytes are damaged in their first ones. */
const VALUES: readonly (readonly [table: string, column: string, where: string, value: string | Uint8Array])[] = [
  ['sources', 'problem', 'id = 1', '{"mark":1}'],
  ['sources', 'probe', 'id = 2', '{"mark":2}'],
  ['sources', 'numbered', 'id = 3', '{"mark":3}'],
  ['clips', 'frames', 'id = 1', '{"mark":4}'],
  ['encodings', 'frames', 'clip_id = 1', '{"mark":5}'],
  ['encodings', 'caption', 'clip_id = 2', '{"mark":6}'],
  ['annotations', 'human', `human LIKE '%"note of 1"%'`, '{"mark":7,"kind":"note","text":"lost"}'],
  ['annotations', 'machine', `kind = 'caption' AND clip_id = 2`, '{"mark":8,"kind":"caption","text":"lost"}'],
  ['annotations', 'evidence', `human LIKE '%"note of 3"%'`, '{"mark":9}'],
  ['annotations', 'provenance', `human LIKE '%"note of 4"%'`, '{"mark":10}'],
  ['annotations', 'origin', `human LIKE '%"note of 5"%'`, '{"mark":11}'],
  ['edits', 'description', 'id = 1', '{"mark":12}'],
  ['edits', 'after', 'id = 2', '{"mark":13}'],
  ['jobs', 'problem', 'source_id = 4', '{"mark":14}'],
  ['jobs', 'payload', 'source_id = 5', '{"mark":15}'],
  ['settings', 'value', `key = 'vocabulary'`, '[{"mark":16}]'],
  ['settings', 'value', `key = 'packs'`, '{"mark":17}'],
  ['views', 'spec', `name = 'mine'`, '{"mark":18}'],
  ['picks', 'clip_ids', 'id = 1', '["mark",19]'],
  ['candidates', 'body', 'id = 1', '{"mark":20}'],
  ['seen', 'body', `by = 'somebody'`, new Uint8Array([0x78, 0x9c, 0xfe, 0xfd, 0xfc, 0xfb, 1, 2, 3, 4])],
]

async function fill(): Promise<void> {
  const library = Library.open(folder)
  for (let n = 1; n <= 6; n += 1) {
    const { source } = library.addSource({ path: `/v/${n}.mp4`, name: `${n}.mp4`, bytes: 1, mtimeMs: 0, fingerprint: `f${n}` })
    const clipId = library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
    const caption = {
      body: { kind: 'caption' as const, text: `caption of ${n}` },
      evidence: null,
      provenance: { packId: 'p', packVersion: '1', packDigest: 'p', provider: 'cpu', prompt: '', appVersion: '1', at: '2026-01-01' },
    }
    const encoding = { embedding: new Float32Array(8).fill(n), memory: new Uint16Array(4), tokens: null }
    library.saveClipResult(clipId, mammut('p'), encoding, [], { caption, seen: null })
    library.addAnnotation(clipId, { kind: 'note', text: `note of ${n}` })
    library.setSourceState(source.id, 'failed', { code: 'no-frames', message: 'x' })
    const job = library.jobs.create({ kind: 'analyse', title: `${n}.mp4`, sourceId: source.id })
    library.jobs.end(job.id, 'done', null)
  }
  library.setSetting('vocabulary', [])
  library.setSetting('packs', {})
  library.table.saveView('mine', { rows: 'clips', sort: [], filters: [], group: null, columns: [] } as never)
  await library.close()
}

/** Valid JSON of a wrong shape in every row of a column, and bytes that are cut short. */
function misshape(table: string, column: string): void {
  const db = new DatabaseSync(file())
  const rows = db.prepare(`SELECT rowid AS id, "${column}" AS value FROM ${table} WHERE "${column}" IS NOT NULL ORDER BY rowid`).all()
  expect(rows.length).toBeGreaterThan(0)
  for (const [nth, { id = null, value }] of rows.entries()) {
    const wrong = ['{"mark":1}', '7', '[3]', '"x"', 'null'][nth % 5] ?? ''
    // One of each stays: damage is rarely everywhere.
    if (nth === rows.length - 1) continue
    db.prepare(`UPDATE ${table} SET "${column}" = ? WHERE rowid = ?`).run(value instanceof Uint8Array ? value.subarray(1 + nth) : wrong, id)
  }
  db.close()
}

/** Writes the values as a library would, then damages their bytes in the file as a bad disk does. */
function damage(values: typeof VALUES): void {
  const db = new DatabaseSync(file())
  db.exec(`INSERT OR IGNORE INTO picks (id, clip_ids) VALUES (1, '[1]')`)
  db.exec(
    `INSERT OR IGNORE INTO candidates (id, clip_id, pack_digest, label, score, boxes, body, provenance) VALUES (1, 1, 'p', 'cat', 0.5, 1, '{}', '{}')`,
  )
  db.exec(`INSERT OR IGNORE INTO seen (clip_id, by, body) VALUES (1, 'somebody', x'00')`)
  for (const [table, column, where, value] of values)
    expect(db.prepare(`UPDATE ${table} SET "${column}" = ? WHERE ${where}`).run(value).changes).toBe(1)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
  db.close()
  const bytes = readFileSync(file())
  for (const [, , , value] of values) {
    const at = bytes.indexOf(value)
    expect(at).toBeGreaterThan(0)
    if (typeof value === 'string') bytes[at] = 0x58
  }
  writeFileSync(file(), bytes)
}

/** No engine is needed here, and none is started. */
function open(): Tubelet {
  const fork = () => {
    const ended = Promise.withResolvers<Error>()
    return {
      pid: undefined,
      post: () => undefined,
      onMessage: () => undefined,
      onEnd: (listener: (cause: Error) => void) => void ended.promise.then(listener),
      hold: () => undefined,
      kill: () => ended.resolve(new Error('ended')),
    }
  }
  return openTubelet({ projectDir: folder, packsDir: path.join(folder, 'packs'), host: 'cli', fork })
}

const LISTS: readonly RouteName[] = [
  'listSources',
  'listClips',
  'queue',
  'getLabels',
  'table',
  'history',
  'steps',
  'facets',
  'overview',
  'listBackups',
]

const of = (...tables: string[]) => VALUES.filter(([table]) => tables.includes(table))

test.each([
  ['each column that can be damaged', VALUES],
  ['annotations alone', of('annotations')],
  ['videos and clips alone', of('sources', 'clips', 'encodings', 'seen')],
  ['what is read at every start', of('settings', 'jobs')],
])(
  'with damage in %s, lists, clips and the table go on',
  async (_, values) => {
    await fill()
    damage(values)
    expect(faultsOf(file(), 'thorough').length).toBeGreaterThanOrEqual(values.length)
    const tubelet = open()
    try {
      const ask = async (method: string, url: string, body?: unknown): Promise<{ status: number; problem?: Problem }> => {
        const sent = body === undefined ? {} : { body: JSON.stringify(body) }
        const response = await tubelet.handle(new Request(`http://tubelet${url}`, { method, ...sent }))
        const { problem } = (await response.json()) as { problem?: Problem }
        return { status: response.status, ...(problem ? { problem } : {}) }
      }
      const urls = [
        ...LISTS.map((name) => contract[name].path),
        '/api/clips/1',
        '/api/clips/2',
        '/api/clips/3',
        '/api/clips/4',
        '/api/clips/5',
      ]
      for (const url of urls) expect([url, await ask('GET', url)]).toEqual([url, { status: 200 }])
      // What only reads, but is asked as a POST, says once what has happened.
      const asked = [
        ['/api/table/open', { rows: 'clips', sort: [], filters: [], group: null }],
        ['/api/search', { query: null, filters: { says: 'note' } }],
        ['/api/clips/6/annotations', { body: { kind: 'note', text: 'another note' } }],
      ] as const
      for (const [url, body] of asked) {
        const { status, problem } = await ask('POST', url, body)
        if (status !== 200) expect(problem).toMatchObject({ code: 'file-unreadable', next: expect.stringContaining('restore') as string })
        expect([url, await ask('POST', url, body)]).toEqual([url, { status: 200 }])
      }
      const { library } = tubelet
      const left = library.clips({ limit: 99, offset: 0 }).clips
      expect(left).toHaveLength(6)
      const notes = left.flatMap(({ id }) => library.annotations(id)).flatMap(({ body }) => (body.kind === 'note' ? [body.text] : []))
      const lost = values.some(([, column]) => column === 'human') ? ['note of 1'] : []
      for (let n = 1; n <= 6; n += 1) expect(notes.includes(`note of ${n}`)).toBe(!lost.includes(`note of ${n}`))
      expect(library.annotations(3).find(({ body }) => body.kind === 'caption')?.body).toMatchObject({ text: 'caption of 3' })
    } finally {
      await tubelet.close()
    }
    // What was damaged is kept as it was; the library is sound, or the value was never read.
    const faults = faultsOf(file(), 'thorough')
    const kept = faults.length < values.length ? readFileSync(path.join(folder, 'damaged-rows.jsonl'), 'utf8') : ''
    for (const [table, column] of values)
      if (!faults.some((fault) => fault.includes(`of ${table} `) && fault.includes(`“${column}”`)))
        expect(kept).toContain(`"table":"${table}","column":"${column}"`)
  },
  60_000,
)

test('with valid JSON of a wrong shape, or bytes of a wrong length, everything else goes on, and windows get nothing that they cannot show', async () => {
  for (const [table, column, listed] of [
    ['sources', 'problem', '/api/sources'],
    ['annotations', 'human', '/api/clips/1'],
    ['annotations', 'machine', '/api/clips/1'],
    ['annotations', 'provenance', '/api/clips/1'],
    ['clips', 'frames', '/api/clips/1'],
    ['encodings', 'embedding', '/api/clips/1'],
    ['encodings', 'memory', '/api/clips/1'],
    ['views', 'spec', '/api/table'],
  ] as const) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    await fill()
    misshape(table, column)
    if (table !== 'views') expect([column, faultsOf(file(), 'thorough').length > 0]).toEqual([column, true])
    const tubelet = open()
    try {
      for (const url of [listed, '/api/clips', '/api/history']) {
        const response = await tubelet.handle(new Request(`http://tubelet${url}`))
        expect([column, url, response.status]).toEqual([column, url, 200])
      }
      const response = await tubelet.handle(new Request('http://tubelet/api/sources'))
      expect([column, contract.listSources.output.safeParse(await response.json()).success]).toEqual([column, true])
      expect(tubelet.library.clips({ limit: 99, offset: 0 }).total).toBe(6)
    } finally {
      await tubelet.close()
    }
  }
}, 60_000)
