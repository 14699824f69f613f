/** What a window, and whoever has its key, can read and write of this machine. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTubelet, type Tubelet } from './open.ts'
import { Places } from './places.ts'

const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'tubelet-places-')))
const at = (...names: string[]) => path.join(folder, ...names)
/** A home with something hidden and a link that leads out of it, and folders beside it that are nobody's here. */
const [home, outside, drive] = [at('home'), at('outside'), at('drive')]
const secret = 'the secret of somebody'
let tubelet: Tubelet
let places: Places

beforeAll(() => {
  for (const made of ['home/films', 'home/.ssh', 'outside/deep', 'drive', 'videos']) mkdirSync(at(made), { recursive: true })
  writeFileSync(at('home', '.ssh', 'id_test'), secret)
  writeFileSync(at('outside', 'page.html'), `<script>document.title = "${secret}"</script>`)
  symlinkSync(outside, at('home', 'way-out'))
  const made = (size: string) => ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=s=${size}:r=10:d=1`, '-pix_fmt', 'yuv420p', '-f', 'mp4']
  execFileSync('ffmpeg', [...made('64x48'), at('videos', 'film.mp4')])
  execFileSync('ffmpeg', [...made('80x48'), at('videos', 'film.html')])
  places = new Places([], [home])
  tubelet = openTubelet({ projectDir: at('library'), packsDir: at('packs'), host: 'web', places })
})
afterAll(async () => {
  await tubelet.close()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (route: string, method = 'GET', body?: unknown) =>
  tubelet.handle(new Request(`http://x${route}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
const status = async (...args: Parameters<typeof ask>) => (await ask(...args)).status
const looked = (place: string) => status(`/api/browse?path=${encodeURIComponent(place)}`)

test('a place is open by where it really is, and nothing hidden is', () => {
  const places = new Places([drive], [home])
  const open = ['home', 'home/films', 'home/films/new/one', 'drive/x', 'home/..films'].map((one) => places.isOpen(at(one)))
  expect(open).toEqual([true, true, true, true, false])
  for (const one of [
    'home/.ssh',
    'home/.ssh/id_test',
    'home/films/.cache/x',
    'outside',
    'home/way-out',
    'home/way-out/new',
    'home/../outside',
    'homework',
    '',
  ])
    expect([one, places.isOpen(at(one))]).toEqual([one, false])
  places.grant(outside)
  expect(places.isOpen(at('outside', 'deep'))).toBe(true)
  expect(places.isOpen('/')).toBe(false)
})

test('the folders of this machine are listed only where they are the person’s own', async () => {
  expect(await looked(home)).toBe(200)
  expect(await looked(at('home', 'films'))).toBe(200)
  for (const place of ['/', '/etc', outside, at('home', '.ssh'), at('home', 'way-out'), at('home', '..', 'outside')])
    expect([place, await looked(place)]).toEqual([place, 403])
  expect(await status(`/api/browse/videos?path=${encodeURIComponent('/etc')}`)).toBe(403)
  const listed = (await (await ask(`/api/browse?path=${encodeURIComponent(home)}`)).json()) as { parent: null; starts: string[] }
  expect([listed.parent, listed.starts]).toEqual([null, [home]])
})

test('any path can be added, but only what was read as a video is given out, and never as a page', async () => {
  const given = [
    at('home', '.ssh', 'id_test'),
    at('outside', 'page.html'),
    '/etc/passwd',
    at('videos', 'film.mp4'),
    at('videos', 'film.html'),
  ]
  expect(await status('/api/sources', 'POST', { paths: given })).toBe(200)
  await tubelet.jobs.idle()
  const { sources } = (await (await ask('/api/sources')).json()) as { sources: { id: number; path: string }[] }
  expect(sources.map((source) => source.path).toSorted()).toEqual(given.toSorted())
  for (const { id, path: file } of sources) {
    const media = await ask(`/api/sources/${id}/media`)
    const text = Buffer.from(await media.arrayBuffer()).toString('latin1')
    const type = media.headers.get('content-type') ?? ''
    if (!file.startsWith(at('videos')))
      expect([file, media.status, text.includes(secret), /root:/.test(text)]).toEqual([file, 404, false, false])
    else {
      expect([file, media.status]).toEqual([file, 200])
      expect(type).toMatch(file.endsWith('.mp4') ? /^video\/mp4$/ : /^application\/octet-stream$/)
      expect(media.headers.get('x-content-type-options')).toBe('nosniff')
      expect(media.headers.get('content-security-policy')).toContain('sandbox')
    }
  }
  // A folder with a video of the library may be listed, as others beside it may not.
  expect([await looked(at('videos')), await looked(outside)]).toEqual([200, 403])
})

test('an export goes to open places, and to those of the videos', async () => {
  const exported = (directory: string) => status('/api/export', 'POST', { formats: ['csv'], directory })
  for (const place of ['/etc/tubelet', at('outside', 'new'), at('home', '.config', 'autostart'), at('home', 'way-out', 'new')])
    expect([place, await exported(place)]).toEqual([place, 403])
  expect(await exported(at('home', 'new'))).toBe(200)
  expect(await exported(at('videos', 'annotations'))).toBe(200)
  expect(await exported(at('library', 'exports', 'mine'))).toBe(200)
})

test('annotation files and models are imported from open places, from folders of the videos, and where a person named one', async () => {
  const annotations = JSON.stringify({ images: [], annotations: [], categories: [], secret })
  for (const place of ['home/notes.json', 'outside/notes.json', 'home/.ssh/notes.json', 'videos/notes.json'])
    writeFileSync(at(place), annotations)
  const imported = (...paths: string[]) => ask('/api/imports', 'POST', { paths: paths.map((one) => at(one)) })
  for (const [one, refused] of [
    [['outside/notes.json'], 0],
    [['home/.ssh/notes.json'], 0],
    [['home/way-out/notes.json'], 0],
    [['home/notes.json', 'home/../outside/notes.json'], 1],
    [['../../etc/passwd'], 0],
  ] as const) {
    const answer = await imported(...one)
    const { problem } = (await answer.json()) as { problem: { code: string; field: string } }
    expect([one, answer.status, problem.code, problem.field]).toEqual([one, 403, 'forbidden', `body.paths.${refused}`])
  }
  for (const one of ['home/notes.json', 'videos/notes.json']) expect([one, (await imported(one)).status]).toEqual([one, 200])
  expect(await status('/api/packs/import', 'POST', { path: at('outside') })).toBe(403)
  expect(await status('/api/packs/import', 'POST', { path: at('home') })).not.toBe(403)
  // Dropped on the window of the desktop, or chosen in a dialog: that file, and none beside it.
  writeFileSync(at('outside', 'beside.json'), annotations)
  places.grant(at('outside', 'notes.json'))
  expect([(await imported('outside/notes.json')).status, (await imported('outside/beside.json')).status]).toEqual([200, 403])
})

test('a library is begun in no other place', async () => {
  const opened = (place: string) => ask('/api/projects/open', 'POST', { path: place })
  expect((await opened(at('outside', 'new'))).status).toBe(403)
  // Here the host has one library only; the place is not what it refuses.
  expect(((await (await opened(at('home', 'new'))).json()) as { problem: { code: string } }).problem.code).toBe('bad-request')
})
