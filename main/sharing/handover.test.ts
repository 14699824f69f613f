/** A library goes from one person to another in one file: what goes along, what stays, how it opens elsewhere, and which files are refused. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Handover, LIBRARY_FILE, LONGEST_NAME, MANIFEST } from '../../app/handover.ts'
import { newLabel } from '../../app/vocabulary.ts'
import { contentOf, entriesOf, type Entry, type NewEntry, writeArchive } from '../archive.ts'
import { Identity } from '../jobs/identity.ts'
import { Library } from '../library/library.ts'
import { PERSON } from '../library/signed.ts'
import { handOver, openHandedOver } from './handover.ts'
import { Merges } from './merges.ts'

let folder: string
let library: Library
let video: string
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-handover-'))
  mkdirSync(path.join(folder, 'secret place'))
  video = path.join(folder, 'secret place', 'day 1.mp4')
  writeFileSync(video, Buffer.alloc(300_000, 7))
  library = Library.open(path.join(folder, 'anna'))
  await new Identity(library, null).recognise(video)
  library.setSetting(PERSON, 'Anna')
  library.setSetting('searches', ['what nobody should know'])
  library.changeVocabulary([newLabel('dog', [])])
  const id = clip(library)
  library.addAnnotation(id, { kind: 'caption', text: 'a dog' })
  library.saveClipThumbnail(id, Buffer.from('small picture'))
  library.addSource({ path: '/secret place/gone.mp4', name: 'gone.mp4', bytes: 5, mtimeMs: 0, fingerprint: 'gone' })
  const binned = library.addSource({ path: '/v/binned secret.mp4', name: 'binned secret.mp4', bytes: 5, mtimeMs: 0, fingerprint: 'b' })
  library.removeSource(binned.source.id)
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

function clip(of: Library): number {
  return of.saveClip(1, { index: 0, kind: 'shot', start: 0, end: 2, startFrame: 0, endFrame: 50, frames: [] })
}

const at = (name: string) => path.join(folder, name)
const give = (name: string, withVideos = false) => {
  const identity = new Identity(library, null)
  return handOver(library, { file: at(name), withVideos, there: (id) => identity.there(id) })
}

test('one file has what was said and decided, and nothing of the person’s machine, bin or habits', async () => {
  const { path: file } = await give('anna.tubelet')
  expect((await entriesOf(file)).map(({ name }) => name)).toEqual([
    MANIFEST,
    LIBRARY_FILE,
    expect.stringMatching(/^pictures\/1\/clip-1.jpg$/),
  ])
  // A reader that nobody here wrote.
  execFileSync('python3', [
    '-c',
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])',
    file,
    at('out'),
  ])
  expect(JSON.parse(readFileSync(at(`out/${MANIFEST}`), 'utf8'))).toMatchObject({
    by: 'Anna',
    videos: [{ name: 'day 1.mp4', file: null }, { name: 'gone.mp4' }],
  })
  const bytes = readFileSync(at(`out/${LIBRARY_FILE}`)).toString('latin1')
  expect(bytes).toContain('a dog')
  for (const secret of ['secret', 'nobody should know', os.tmpdir()]) expect(bytes).not.toContain(secret)
  await expect(give('anna.tubelet')).rejects.toMatchObject({ problem: { code: 'conflict' } })
})

test('with its videos it opens elsewhere and has them; without, they are found beside the file by their content, or are away', async () => {
  const { path: whole, left } = await give('whole', true)
  expect([whole, left]).toEqual([at('whole.tubelet'), ['gone.mp4']])
  const bare = (await give('bare')).path
  rmSync(video)
  const first = await openHandedOver({ file: whole, into: at('ben/one') })
  expect(first.away).toEqual(['gone.mp4'])
  mkdirSync(at('post/films'), { recursive: true })
  copyFileSync(at('ben/one/videos/day 1.mp4'), at('post/films/renamed.mp4'))
  renameSync(bare, at('post/bare.tubelet'))
  await openHandedOver({ file: at('post/bare.tubelet'), into: at('ben/two') })
  for (const [dir, place] of [
    ['one', at('ben/one/videos/day 1.mp4')],
    ['two', at('post/films/renamed.mp4')],
  ] as const) {
    const opened = Library.open(at(`ben/${dir}`))
    try {
      expect(opened.sources().map(({ path: file, file: state }) => [file, state])).toMatchObject([
        [place, 'there'],
        [expect.stringContaining('gone.mp4'), 'missing'],
      ])
      expect((await new Identity(opened, null).there(1)).path).toBe(place)
      expect(opened.annotations(1)).toMatchObject([{ body: { text: 'a dog' }, by: 'Anna' }])
      expect(opened.setting(PERSON, '')).toBe('')
      expect(existsSync(opened.cachePath('sources', 1, 'clip-1.jpg'))).toBe(true)
    } finally {
      await opened.close()
    }
  }
})

test('a hand-over that is cancelled or fails leaves nothing', async () => {
  const stop = new AbortController()
  const identity = new Identity(library, null)
  const cancelled = handOver(library, {
    file: at('none/anna.tubelet'),
    withVideos: true,
    there: (id) => identity.there(id),
    signal: stop.signal,
    onProgress: () => undefined,
  })
  setTimeout(() => stop.abort(new Error('enough')), 1)
  await expect(cancelled).rejects.toThrow('enough')
  expect(readdirSync(at('none'))).toEqual([])
  expect(readdirSync(library.cachePath('sharing'))).toEqual([])
})

test('a hand-over during which the disk becomes full says so, and leaves nothing of it and the library whole', async () => {
  const disk = at('disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=150m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    console.warn('SKIPPED: a full disk, because only root can mount a small one')
    return
  }
  try {
    // A video of which more comes than there was when the room was measured.
    const endless = at('endless.mp4')
    execFileSync('mkfifo', [endless])
    const source = library.source(1)
    const db = new DatabaseSync(path.join(library.projectDir, LIBRARY_FILE))
    db.prepare('UPDATE sources SET bytes = ? WHERE id = 1').run(200_000_000)
    db.close()
    const fed = spawn('sh', ['-c', 'head -c 200000000 /dev/zero > "$1"', 'sh', endless], { stdio: 'ignore' })
    const handed = handOver(library, {
      file: path.join(disk, 'anna.tubelet'),
      withVideos: true,
      there: () => Promise.resolve({ ...source, path: endless, bytes: 200_000_000 }),
      onProgress: () => undefined,
    })
    await expect(handed).rejects.toMatchObject({
      problem: { code: 'disk-full', stillWorks: 'Nothing was written.', next: 'Free some space there, or choose another disk.' },
    })
    fed.kill()
    expect(readdirSync(disk)).toEqual([])
    expect(readdirSync(library.cachePath('sharing'))).toEqual([])
    expect(library.annotations(clip(library)).map(({ body }) => body)).toMatchObject([{ text: 'a dog' }])
    expect((await give('whole.tubelet')).bytes).toBeGreaterThan(0)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

/** The same file with some entries made otherwise. */
async function altered(file: string, name: string, alter: (entries: NewEntry[]) => NewEntry[] | Promise<NewEntry[]>): Promise<string> {
  const entries: NewEntry[] = []
  for (const entry of await entriesOf(file)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of contentOf(file, entry)) chunks.push(chunk)
    entries.push({ name: entry.name, from: Buffer.concat(chunks), deflate: true })
  }
  await writeArchive(at(name), await alter(entries), () => undefined, { kept: false })
  return at(name)
}

function withLibrary(change: (db: DatabaseSync) => void): (entries: NewEntry[]) => NewEntry[] {
  return (entries) =>
    entries.map((entry) => {
      if (entry.name !== LIBRARY_FILE) return entry
      const file = at(`changed ${createHash('md5').update(String(Math.random())).digest('hex')}.sqlite`)
      writeFileSync(file, entry.from)
      const db = new DatabaseSync(file)
      change(db)
      db.close()
      return { ...entry, from: readFileSync(file) }
    })
}

function manifested(change: (told: Handover) => Handover): (entries: NewEntry[]) => NewEntry[] {
  return (entries) =>
    entries.map((one) =>
      one.name === MANIFEST
        ? { ...one, from: Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(one.from).toString()) as Handover))) }
        : one,
    )
}

const added = (name: string) => (entries: NewEntry[]) => [...entries, { name, from: Buffer.from('x'), deflate: false }]
const HOSTILE: readonly [string, (entries: NewEntry[]) => NewEntry[]][] = [
  ['a way out of the folder', added('videos/../../out.txt')],
  ['a full path', added('/tmp/out.txt')],
  ['a path of Windows', added('videos\\..\\out.txt')],
  ['what is not announced', added('library.sqlite-wal')],
  ['no library', (entries) => entries.filter(({ name }) => name !== LIBRARY_FILE)],
  ['a bomb', (entries) => entries.map((one) => (one.name === LIBRARY_FILE ? { ...one, from: Buffer.alloc(100 * 2 ** 20) } : one))],
  [
    'another database',
    (entries) => entries.map((one) => (one.name === LIBRARY_FILE ? { ...one, from: Buffer.from('not a database at all') } : one)),
  ],
  ['a trigger of its own', withLibrary((db) => db.exec(`CREATE TRIGGER more AFTER INSERT ON clips BEGIN DELETE FROM annotations; END`))],
  ['a view in the place of a table', withLibrary((db) => db.exec('DROP TABLE picks; CREATE VIEW picks AS SELECT 1 AS id, 2 AS clip_ids'))],
  ['words that are no annotation', withLibrary((db) => db.exec(`UPDATE annotations SET human = '{"kind":"caption"}'`))],
  ['a name longer than any', manifested((told) => ({ ...told, by: 'A'.repeat(LONGEST_NAME + 1) }))],
  ['a longer name beside a decision', withLibrary((db) => db.exec(`UPDATE annotations SET by = printf('%.*c', ${LONGEST_NAME + 1}, 'A')`))],
  ['a longer name in the history', withLibrary((db) => db.exec(`UPDATE edits SET after = json_object('by', printf('%.*c', 101, 'A'))`))],
  ['another video than in the library', manifested((told) => ({ ...told, videos: told.videos.map((one) => ({ ...one, bytes: 1 })) }))],
  ['a newer schema', withLibrary((db) => db.exec('PRAGMA user_version = 999'))],
  [
    'a newer format',
    (entries) =>
      entries.map((one) => (one.name === MANIFEST ? { ...one, from: Buffer.from('{"format":"tubelet-handover","version":2}') } : one)),
  ],
]

const picture = (n: number, from: Buffer): NewEntry => ({ name: `pictures/1/clip-${n}.jpg`, from, deflate: false })

/** Changes what the list of an archive says of an entry (ZIP application note, 4.3.12 and 4.5.3). */
function restated(file: string, entry: Entry | undefined, now: Partial<Pick<Entry, 'method' | 'bytes' | 'crc' | 'at'>>): void {
  const all = readFileSync(file)
  const name = all.lastIndexOf(entry?.name ?? expect.fail())
  const sizes = name + (entry?.name.length ?? 0) + 4
  if (now.method !== undefined) all.writeUInt16LE(now.method, name - 36)
  if (now.crc !== undefined) all.writeUInt32LE(now.crc, name - 30)
  if (now.bytes !== undefined) all.writeBigUInt64LE(BigInt(now.bytes), sizes)
  if (now.at !== undefined) all.writeBigUInt64LE(BigInt(now.at), sizes + 16)
  writeFileSync(file, all)
}

test('a damaged, foreign, too new or hostile file is refused with a sentence, and leaves nothing', async () => {
  const { path: file } = await give('anna.tubelet')
  const files = await Promise.all(HOSTILE.map(([, alter], nth) => altered(file, `hostile ${nth}.tubelet`, alter)))
  const sound = readFileSync(file)
  writeFileSync(at('cut.tubelet'), sound.subarray(0, sound.length - 500))
  const broken = Buffer.from(sound)
  broken.fill(0, 2_000, 2_100)
  writeFileSync(at('broken.tubelet'), broken)
  writeFileSync(at('text.tubelet'), 'hello')
  // Two names for the same bytes: as many of them make any amount of one.
  const twice = await altered(file, 'twice.tubelet', (entries) => [
    ...entries,
    picture(8, Buffer.alloc(999, 7)),
    picture(9, Buffer.alloc(999, 7)),
  ])
  const [first, second] = (await entriesOf(twice)).slice(-2)
  restated(twice, second, { at: first?.at ?? 0 })
  // As dense as deflate can be, which is more than Tubelet asks of it.
  const zeros = Buffer.alloc(30 * 2 ** 20)
  const dense = await altered(file, 'dense.tubelet', (entries) => [
    ...entries,
    ...[7, 8, 9].map((n) => picture(n, deflateRawSync(zeros, { level: 9 }))),
  ])
  for (const entry of (await entriesOf(dense)).slice(-3)) restated(dense, entry, { method: 8, bytes: zeros.length, crc: crc32(zeros) })
  const before = readdirSync(folder).sort()
  const merges = new Merges(library)
  for (const [nth, one] of [...files, at('cut.tubelet'), at('broken.tubelet'), at('text.tubelet'), twice, dense].entries()) {
    const what = HOSTILE[nth]?.[0] ?? one
    const code = what.startsWith('a newer') ? 'conflict' : 'file-unreadable'
    await expect(openHandedOver({ file: one, into: at('new') }), what).rejects.toMatchObject({ problem: { code, file: one } })
    if (nth % 5 === 0) await expect(merges.read(one), what).rejects.toMatchObject({ problem: { code } })
  }
  expect(readdirSync(folder).sort()).toEqual(before)
  expect(readdirSync(library.cachePath('merges'))).toEqual([])
  await expect(openHandedOver({ file: at('nothing.tubelet'), into: at('new') })).rejects.toMatchObject({
    problem: { code: 'file-missing' },
  })
})

test('what another did is read from the file and taken; its video comes along', async () => {
  const { path: file } = await give('anna.tubelet', true)
  const ben = Library.open(at('ben'))
  try {
    const merges = new Merges(ben)
    const read = await merges.read(file)
    expect(read).toMatchObject({ by: 'Anna', videos: ['day 1.mp4', 'gone.mp4'], labels: ['dog'], differing: 0 })
    const { step, away } = await merges.take(read.mergeId, [])
    expect(step).toBeGreaterThan(0)
    expect(away).toEqual(['gone.mp4'])
    const [source] = ben.sources()
    expect(readFileSync(source?.path ?? '')).toEqual(readFileSync(video))
    const [its] = ben.clips({ limit: 9, offset: 0 }).clips
    expect(readFileSync(ben.cachePath('sources', source?.id ?? 0, `clip-${its?.id ?? 0}.jpg`), 'utf8')).toBe('small picture')
    expect(ben.history.next().undo).toEqual({ text: 'Work of {{name}} taken in', values: { name: 'Anna' } })
    merges.close()
  } finally {
    await ben.close()
  }
})

const videoIs = (content: Buffer) => (entries: NewEntry[]) =>
  entries.map((one) => (one.name.startsWith('videos/') ? { ...one, from: content } : one))
const NOT_THE_VIDEO: readonly [string, (entries: NewEntry[]) => NewEntry[]][] = [
  ['a text in its place', videoIs(Buffer.from('I am no video'))],
  ['nothing but zeros', videoIs(Buffer.alloc(300_000))],
  ['more than it was', videoIs(Buffer.alloc(300_001, 7))],
  ['none of that name', (entries) => entries.filter(({ name }) => !name.startsWith('videos/'))],
  ['one that is not announced', added('videos/more.mp4')],
]

test('where a video that came along is not the one that was handed over, nothing is opened or taken', async () => {
  const { path: file } = await give('sound', true)
  const files: [string, string][] = []
  for (const [nth, [what, alter]] of NOT_THE_VIDEO.entries()) files.push([what, await altered(file, `other ${nth}.tubelet`, alter)])
  const ben = Library.open(at('ben'))
  const before = readdirSync(folder).sort()
  try {
    const merges = new Merges(ben)
    for (const [what, other] of files) {
      const refused = { problem: { code: 'file-unreadable', file: other } }
      await expect(openHandedOver({ file: other, into: at('new') }), what).rejects.toMatchObject(refused)
      await expect(
        merges.read(other).then(({ mergeId }) => merges.take(mergeId, [])),
        what,
      ).rejects.toMatchObject(refused)
    }
    merges.close()
    expect(readdirSync(folder).sort()).toEqual(before)
    expect(ben.sources()).toEqual([])
    expect(existsSync(at('ben/handed-over'))).toBe(false)
  } finally {
    await ben.close()
  }
})

test('numbered pictures come along, an empty file, and of one that has grown what was known of it', async () => {
  mkdirSync(at('pictures'))
  for (const nth of [1, 2, 3]) writeFileSync(at(`pictures/img_${nth}.jpg`), `picture ${nth}`)
  writeFileSync(at('empty.mp4'), '')
  const identity = new Identity(library, null)
  const numbered = { frameRate: { num: 10, den: 1 }, runs: [[1, 3, 1] as [number, number, number]] }
  await identity.recognise(at('pictures/img_%d.jpg'), { numbered })
  await identity.recognise(at('empty.mp4'))
  appendFileSync(video, 'more')
  writeFileSync(at('pictures/img_4.jpg'), 'picture 4')
  const { path: file, left } = await give('all', true)
  expect(left).toEqual(['gone.mp4'])
  const { away } = await openHandedOver({ file, into: at('opened') })
  expect(away).toEqual(['gone.mp4'])
  const opened = Library.open(at('opened'))
  const ben = Library.open(at('ben'))
  try {
    const merges = new Merges(ben)
    const { mergeId } = await merges.read(file)
    expect((await merges.take(mergeId, [])).away).toEqual(['gone.mp4'])
    for (const theirs of [opened, ben]) {
      const its = new Identity(theirs, null)
      const there = theirs.sources().filter(({ name }) => name !== 'gone.mp4')
      expect(there.map(({ name }) => name).sort()).toEqual(['day 1.mp4', 'empty.mp4', 'img_#.jpg'])
      for (const { id, name } of there) {
        const found = await its.there(id)
        expect([name, found.path.startsWith(theirs.projectDir)]).toEqual([name, true])
        if (name === 'day 1.mp4') expect(readFileSync(found.path)).toEqual(Buffer.alloc(300_000, 7))
        if (name === 'img_#.jpg') expect(readdirSync(path.dirname(found.path)).sort()).toEqual(['img_1.jpg', 'img_2.jpg', 'img_3.jpg'])
      }
    }
    merges.close()
  } finally {
    await Promise.all([opened.close(), ben.close()])
  }
})
