/** Checks of requests: every operation of the contract, with one field wrong at a time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { Scope } from '../app/contract/access.ts'
import { WINDOW } from '../app/contract/route.ts'
import { workRoutes } from '../app/contract/workers.ts'
import { contract } from '../app/contract.ts'
import { type Problem, spokenJson } from '../app/errors.ts'
import { english } from '../app/phrase.ts'
import { findMediaTools } from './media/tools.ts'
import { openTubelet } from './open.ts'
import { execFileSync } from 'node:child_process'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-backend-'))
const tubelet = openTubelet({ projectDir: path.join(folder, 'project'), packsDir: path.join(folder, 'packs'), host: 'cli' })
afterAll(async () => {
  await tubelet.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(method: string, url: string, body?: unknown): Promise<{ status: number; message: string }> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await tubelet.handle(new Request(`http://tubelet${url}`, { method: method.toUpperCase(), ...sent }))
  if (response.headers.get('content-type')?.startsWith('application/json') !== true) {
    await response.body?.cancel()
    return { status: response.status, message: '' }
  }
  const { problem } = (await response.json()) as { problem?: { message: string } }
  return { status: response.status, message: problem?.message ?? '' }
}

/** Typed as unknown, since vitest's matcher is any. */
const saying = (pattern: RegExp): unknown => expect.stringMatching(pattern)

interface Fields {
  shape: Readonly<Record<string, z.ZodType>>
}
interface Spec {
  method: string
  path: string
  params?: Fields
  query?: Fields
  body?: Fields
  accepts?: string
}
const operations = Object.entries(contract as Record<string, Spec>).filter(([, { accepts }]) => accepts === undefined)
/** A number, a text, and the names that workers use. */
const SAMPLES = ['1', 'caption', '6fa459ea-ee8a-4ca4-894e-db77e160355e', 'a'.repeat(64)]
const address = ({ path: place, params }: Spec, wrong?: string) =>
  place.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === wrong ? 'wrong' : (SAMPLES.find((one) => params?.shape[name]?.safeParse(one).success) ?? ''),
  )
const takesBody = ({ method }: Spec) => method !== 'get' && method !== 'delete'
/** A value that no field accepts: not a text, not a number, and an object without known fields. */
const WRONG = { wrong: [{}] }

test('a token that may read changes nothing, and none reaches beyond the library', async () => {
  const refused = async (scope: Scope) => {
    const names: string[] = []
    for (const [name, spec] of Object.entries(contract as Record<string, Spec>)) {
      // Refused before the request is looked at; what is allowed fails, since there is no video and no body.
      if (spec.path === '/api/events') continue
      const sent = takesBody(spec) ? { body: '{"no": 1}' } : {}
      const response = await tubelet.handle(
        new Request(`http://tubelet${address(spec)}?no=1`, { method: spec.method.toUpperCase(), ...sent }),
        scope,
      )
      const text = await response.text()
      if (/This token may read|No token may do this|Only the token of a worker|This token is for workers/.test(text)) names.push(name)
      else expect([name, text]).toEqual([name, expect.not.stringContaining('"sources":')])
    }
    return names
  }
  const all = Object.entries(contract).map(([name, { method }]) => ({ name, method }))
  const reading = await refused('read')
  // Whatever is not asked for by GET is refused, but for these.
  expect(
    all
      .filter(({ name, method }) => method !== 'get' && !reading.includes(name))
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['copyCells', 'curve', 'cutsAhead', 'exportCounts', 'openTable', 'search'].sort())
  const editing = await refused('edit')
  expect(reading).toEqual(expect.arrayContaining(editing))
  for (const name of [
    'browse',
    'projects',
    'openProject',
    'makeBackup',
    'restoreBackup',
    'emptyBin',
    'importPack',
    'setNetwork',
    'watchFolder',
  ])
    expect(editing).toContain(name)
  for (const name of ['addSources', 'askClip', 'edit', 'export', 'undo']) expect(editing).not.toContain(name)
  // The token of a worker opens what workers need, and nothing else does.
  const ofWorkers = Object.keys(workRoutes)
  expect(await refused('work')).toEqual(all.map(({ name }) => name).filter((name) => name !== 'events' && !ofWorkers.includes(name)))
  expect(editing).toEqual(expect.arrayContaining(ofWorkers))
})

test('a token brings videos, and no pack', async () => {
  const pack = path.join(import.meta.dirname, '..', 'models', 'packs', 'tubelet-mini')
  const sent = new Request('http://tubelet/api/sources', { method: 'POST', body: JSON.stringify({ paths: [pack] }) })
  const { packs } = (await (await tubelet.handle(sent, 'edit')).json()) as { packs: { work: unknown; problem: Problem | null }[] }
  expect(packs.map(({ work, problem }) => [work, problem?.code])).toEqual([[null, 'forbidden']])
})

test('the page for programs names every operation, and runs nothing', async () => {
  const response = await tubelet.handle(new Request('http://tubelet/api/docs'))
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const page = await response.text()
  for (const { path: place, summary } of Object.values(contract))
    expect(page.includes(place) && page.includes(summary.slice(0, 10)), place).toBe(true)
})

describe('every operation', () => {
  test.each(operations)('%s refuses fields that it does not know, by name', async (_, spec) => {
    for (const known of ['', ...Object.keys(spec.query?.shape ?? {})]) {
      const [name, value] = [`${known}Xx`, '1']
      const { status, message } = await ask(spec.method, `${address(spec)}?${name}=${value}`)
      expect([status, message]).toEqual([400, expect.stringMatching(new RegExp(`^query\\.${name}: is no field here; .*${known}`))])
    }
    if (!takesBody(spec)) return
    for (const known of ['', ...Object.keys(spec.body?.shape ?? {})]) {
      const name = `${known}Xx`
      const { status, message } = await ask(spec.method, address(spec), { [name]: 1 })
      expect([status, message]).toEqual([400, expect.stringMatching(new RegExp(`^body\\.${name}: is no field here; .*${known}`))])
    }
  })

  test.each(operations)('%s names the field that is wrong', async (_, spec) => {
    for (const name of Object.keys(spec.params?.shape ?? {})) {
      if (spec.params?.shape[name]?.safeParse('wrong').success) continue
      const { status, message } = await ask(spec.method, address(spec, name))
      expect([status, message]).toEqual([400, expect.stringMatching(new RegExp(`^path\\.${name}: .{8}`))])
    }
    for (const [name, field] of Object.entries(spec.query?.shape ?? {})) {
      if (field.safeParse('\0').success) continue
      const { status, message } = await ask(spec.method, `${address(spec)}?${name}=%00`)
      expect([status, message]).toEqual([400, expect.stringMatching(/^query\.\w+: .{8}/)])
    }
    if (!takesBody(spec) || spec.body === undefined) return
    expect(await ask(spec.method, address(spec), '{"half":')).toEqual({ status: 400, message: saying(/^body: is not JSON/) })
    for (const [name] of Object.entries(spec.body.shape)) {
      const { status, message } = await ask(spec.method, address(spec), { [name]: WRONG })
      // Another required field may be reported first; then that one is named.
      expect([status, message]).toEqual([400, expect.stringMatching(/^body\.[\w.]+: .{8}/)])
    }
  })
})

test('a field that is misspelt deep inside is told with the nearest one; a value that is given twice too', async () => {
  const said = async (...args: Parameters<typeof ask>) => (await ask(...args)).message
  expect(await said('post', '/api/search', { query: null, filters: { lables: ['car'] } })).toBe(
    'body.filters.lables: is no field here; the nearest is “labels”.',
  )
  expect(await said('post', '/api/search', { query: { by: 'words', words: 'car', guess: true } })).toBe(
    'body.query.guess: is no field here; the nearest is “guesses”.',
  )
  expect(await said('post', '/api/export', { formats: ['coco'], source_ids: [1] })).toBe(
    'body.source_ids: is no field here; the nearest is “sourceIds”.',
  )
  expect(await said('post', '/api/edits', { edits: [{ action: 'accept', annotationId: 1, body: {} }] })).toBe(
    'body.edits.0.body: is no field here; there are action, annotationId, basedOn.',
  )
  expect(await said('get', '/api/clips?limit=5&limit=6')).toBe('query.limit: is given 2 times.')
  expect(await said('post', '/api/sources', { paths: ['/a'], picture: 'both' })).toMatch(/^body\.picture: .*number.*; or: .*"all"/)
})

test('what only the library can refuse names its field too', async () => {
  const file = path.join(folder, 'film.mp4')
  execFileSync((await findMediaTools()).ffmpeg, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=64x48:r=10:d=1',
    '-pix_fmt',
    'yuv420p',
    file,
  ])
  await tubelet.intake.bring({ paths: [file] })
  await tubelet.jobs.idle()
  const say = (body: unknown) => ask('post', '/api/clips/1/annotations', { body })
  const box = { x1: 1, y1: 1, x2: 9, y2: 9 }
  const key = { ordinal: 0, pts: 0, box, score: null }
  for (const [body, field] of [
    [{ kind: 'caption', text: ' ' }, 'body.body.text'],
    [{ kind: 'answer', question: '', text: 'yes' }, 'body.body.question'],
    [{ kind: 'note', text: 'here', span: { startFrame: 0, endFrame: 99 } }, 'body.body.span'],
    [{ kind: 'caption', text: 'here', span: { startFrame: 0, endFrame: 99 } }, 'body.body.span'],
    [{ kind: 'track', label: '', boxes: [key] }, 'body.body.label'],
    [{ kind: 'track', label: 'car', boxes: [{ ...key, pts: 1 }] }, 'body.body.boxes.0.pts'],
    [{ kind: 'track', label: 'car', boxes: [key, key] }, 'body.body.boxes.1.ordinal'],
    [{ kind: 'track', label: 'car', boxes: [{ ...key, ordinal: 99 }] }, 'body.body.boxes.0.ordinal'],
    [{ kind: 'track', label: 'car', boxes: [{ ...key, box: { ...box, x2: 99 } }] }, 'body.body.boxes.0.box'],
  ] as const)
    expect(await say(body)).toEqual({
      status: 400,
      message: saying(new RegExp(`^${field.replaceAll('.', '\\.')}: [A-Z0-9]`)),
    })
  const many = {
    edits: [
      { action: 'add', clipId: 1, body: { kind: 'note', text: 'a' } },
      { action: 'add', clipId: 1, body: { kind: 'note', text: '' } },
    ],
  }
  for (const [method, url, body, field] of [
    ['post', '/api/edits', many, 'body.edits.1.body.text'],
    ['post', '/api/sources/1/picture', { stream: 7 }, 'body.stream'],
    ['post', '/api/sources/1/clips', { span: { startFrame: 0, endFrame: 99 } }, 'body.span'],
    ['post', '/api/clips/1/follow', { box, ordinal: 99 }, 'body.ordinal'],
    ['post', '/api/export', { formats: ['csv'], directory: 'here' }, 'body.directory'],
    ['post', '/api/export', { formats: ['csv'], sourceIds: [9] }, 'body.sourceIds'],
    ['post', '/api/export', { formats: ['csv'], labels: ['unicorn'] }, 'body.labels'],
    ['post', '/api/export', { formats: ['csv'], search: { query: null, filters: { says: 'nothing of the kind' } } }, 'body.search'],
    ['post', '/api/search/pick', {}, 'body.clipIds'],
    ['post', '/api/projects/open', { path: 'here' }, 'body.path'],
    ['post', '/api/sources', { paths: ['/a/whole.mp4', 'here.mp4'] }, 'body.paths.1'],
    ['post', '/api/imports', { paths: ['here.vtt'] }, 'body.paths.0'],
    ['post', '/api/packs/import', { path: 'here' }, 'body.path'],
    ['put', '/api/watched', { folder: 'here', formats: [] }, 'body.folder'],
  ] as const)
    expect(await ask(method, url, body)).toEqual({
      status: 400,
      message: saying(new RegExp(`^${field.replaceAll('.', '\\.')}: [A-Z0-9“]`)),
    })
})

test('columns, spans, ids and numbers that are none are refused', async () => {
  const query = { rows: 'clips', sort: [], filters: [], group: null }
  const opened = await tubelet.handle(new Request('http://tubelet/api/table/open', { method: 'POST', body: JSON.stringify(query) }))
  const { view } = (await opened.json()) as { view: string }
  const span = { view, from: 0, to: 1, columns: ['caption'] }
  const unknown = /: There is no column “q99”/
  for (const [method, url, body, message] of [
    [
      'get',
      `/api/table/rows?view=${view}&from=0&to=1&columns=captoin`,
      undefined,
      /^query\.columns\.0: is no column .*; the nearest is “caption”\.$/,
    ],
    [
      'get',
      `/api/table/rows?view=${view}&from=0&to=1&columns=caption,q99`,
      undefined,
      /^query\.columns\.1: There is no column “q99”; there are name, time, /,
    ],
    ['get', '/api/table/values?key=q99&rows=clips', undefined, unknown],
    ['get', `/api/table/csv?view=${view}&columns=q99`, undefined, unknown],
    ['post', '/api/table/open', { ...query, group: 'q99' }, /^body\.group: There/],
    ['post', '/api/table/open', { ...query, sort: [{ key: 'q99', by: 'value', down: false }] }, /^body\.sort\.0\.key: There/],
    ['post', '/api/table/open', { ...query, filters: [{ key: 'q99', op: 'empty' }] }, /^body\.filters\.0\.key: There/],
    ['post', '/api/table/edit', { ...span, columns: ['q99'], action: 'accept' }, unknown],
    ['post', '/api/table/paste', { ...span, columns: ['q99'], cells: [['a']] }, unknown],
    ['post', '/api/table/copy', { ...span, columns: ['q99'] }, unknown],
    // Spans the wrong way round.
    ['get', `/api/table/rows?view=${view}&from=5&to=1&columns=caption`, undefined, /^query\.to: must not be less than “from”\.$/],
    ['post', '/api/table/edit', { ...span, from: 5, action: 'accept' }, /^body\.to: must not/],
    ['post', '/api/table/paste', { ...span, from: 5, cells: [['a']] }, /^body\.to: must not/],
    ['post', '/api/table/copy', { ...span, from: 5 }, /^body\.to: must not/],
    ['post', '/api/table/columns', { kind: 'yesno', text: 'Is it dark?', rows: { view, from: 5, to: 1 } }, /^body\.rows\.to: must not/],
    ['post', '/api/export', { formats: ['csv'], rows: { view, from: 5, to: 1 } }, /^body\.rows\.to: must not/],
    ['post', '/api/search', { query: null, filters: { minSeconds: 9, maxSeconds: 3 } }, /^body\.filters\.maxSeconds: must not/],
    [
      'post',
      '/api/search',
      { query: null, filters: { addedFrom: '2026-02-01T00:00:00Z', addedBefore: '2026-01-01T00:00:00+02:00' } },
      /^body\.filters\.addedBefore: must not/,
    ],
    // Only digits are a number.
    ['post', '/api/edits', { edits: [{ action: 'reject', annotationId: true }] }, /^body\.edits\.0\.annotationId: /],
    ['post', '/api/edits', { edits: [{ action: 'reject', annotationId: [1] }] }, /^body\.edits\.0\.annotationId: /],
    ['get', '/api/clips?offset=', undefined, /^query\.offset: /],
    ['get', '/api/clips?limit=0x10', undefined, /^query\.limit: /],
    ['get', '/api/clips?limit=-1', undefined, /^query\.limit: /],
    ['get', '/api/clips?limit=NaN', undefined, /^query\.limit: /],
  ] as const)
    expect([url, await ask(method, url, body)]).toEqual([url, { status: 400, message: saying(message) }])
  expect(await ask('post', '/api/table/open', { ...query, picked: { id: 999, count: 3 } })).toEqual({
    status: 404,
    message: saying(/^body\.picked: The clips that were chosen are not kept/),
  })
  for (const url of ['/api/clips?limit=1&offset=0', '/api/clips/1', `/api/table/rows?view=${view}&from=0&to=0&columns=caption`])
    expect([url, (await ask('get', url)).status]).toEqual([url, 200])
})

test('other programs get sentences with their values, the window gets phrases', async () => {
  const cut = path.join(folder, 'cut.mp4')
  writeFileSync(cut, 'no video at all')
  await tubelet.intake.bring({ paths: [cut] })
  await tubelet.jobs.idle()
  const answer = async (headers: Record<string, string>) =>
    (await tubelet.handle(new Request('http://tubelet/api/queue', { headers }))).json() as Promise<{ jobs: { problem: Problem | null }[] }>
  const problems = async (headers: Record<string, string>) => (await answer(headers)).jobs.flatMap(({ problem }) => problem?.message ?? [])
  const [plain, phrases] = [await problems({}), await problems({ [WINDOW]: 'one' })]
  expect(phrases.length).toBeGreaterThan(0)
  const said = english({ text: '{{n}} “{{what}}”', values: { n: 3, what: { text: 'a' } } })
  expect(said).toBe('3 “a”')
  expect(plain.join()).not.toContain('{{')
  expect(
    JSON.parse(spokenJson({ deep: [{ text: '{{n}} “{{what}}”', values: { n: 3, what: { text: 'a' } } }], label: '{{n}}' })),
  ).toMatchObject({
    deep: [{ text: '3 “a”' }],
    label: '{{n}}',
  })
})

test('a vocabulary that somebody changed meanwhile is not replaced; names that differ only in case are one label', async () => {
  const label = (name: string) => ({ name, synonyms: [], colour: '#69c1fc', threshold: 0.5 })
  const put = (labels: object[], basedOn?: object[]) => ask('put', '/api/labels', { labels, ...(basedOn && { basedOn }) })
  const names = async () => {
    const answer = await tubelet.handle(new Request('http://tubelet/api/labels'))
    return ((await answer.json()) as { labels: { name: string }[] }).labels.map(({ name }) => name)
  }
  expect((await put([label('a'), label('A'), label('b')], [])).status).toBe(200)
  expect(await names()).toEqual(['a', 'b'])
  const mine = [label('a'), label('b'), label('mine')]
  expect(await put(mine, [label('a')])).toEqual({ status: 409, message: saying(/^body\.basedOn: The labels were changed/) })
  expect(await names()).toEqual(['a', 'b'])
  expect((await put(mine, [label('a'), label('b')])).status).toBe(200)
  // Sent twice, it is the same.
  expect((await put(mine, [label('a'), label('b')])).status).toBe(200)
  expect((await put([])).status).toBe(200)
})

test('a field with an endless name is told shortly, and a body that only asks may not be large', async () => {
  const { message } = await ask('POST', '/api/search', { ['x'.repeat(2_000_000)]: 1 })
  expect(message).toBe(`body.${'x'.repeat(100)}…: is no field here; there are query, filters, limit.`)
  const many = await ask('POST', '/api/search', { x: 'x'.repeat(5_000_000) })
  expect(many).toEqual({ status: 400, message: 'body: is larger than 4 MB, the most that is read here.' })
})

test('a body of 700 MB is refused before it is read, whether or not its length is said', async () => {
  const sent = { pieces: 0 }
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if ((sent.pieces += 1) > 700) controller.close()
        else controller.enqueue(new Uint8Array(2 ** 20).fill(0x20))
      },
    })
  for (const headers of [{}, { 'content-length': String(700 * 2 ** 20) }]) {
    sent.pieces = 0
    const response = await tubelet.handle(
      new Request('http://tubelet/api/labels', { method: 'PUT', headers, body: endless(), duplex: 'half' } as RequestInit),
    )
    expect([response.status, ((await response.json()) as { problem: { message: string } }).problem.message]).toEqual([
      400,
      'body: is larger than 64 MB, the most that is read here.',
    ])
    expect(sent.pieces).toBeLessThan(70)
  }
})

test('fifty clients at once are all answered', async () => {
  const places = ['/api/sources', '/api/clips', '/api/queue', '/api/table', '/api/labels', '/api/backups', '/api/status', '/api/history']
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, client) => {
      const all: number[] = []
      for (const place of [...places, ...places].slice(client % places.length)) all.push((await ask('get', place)).status)
      return all
    }),
  )
  expect(answers.flat().filter((status) => status >= 500)).toEqual([])
  expect(answers.flat().filter((status) => status === 200).length).toBeGreaterThan(400)
})
