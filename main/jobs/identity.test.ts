/** Which video a file is, with real files: nothing but their content tells. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Probe } from '../../app/media.ts'
import { Library } from '../library/library.ts'
import { Identity } from './identity.ts'

let folder: string
let library: Library
let identity: Identity
let changed: number[]
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-identity-'))
  library = Library.open(path.join(folder, 'library'))
  changed = []
  identity = new Identity(library, (id) => changed.push(id))
})
afterEach(async () => {
  await library.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string) => path.join(folder, name)
const write = (name: string, content: string) => {
  mkdirSync(path.dirname(at(name)), { recursive: true })
  writeFileSync(at(name), content.padEnd(2_000, content))
}
/** A file that was analysed, and about which a person said something. */
async function decided(name: string): Promise<number> {
  const { sourceId } = await identity.recognise(at(name))
  library.setSourceState(sourceId, 'done')
  const clipId = library.saveClip(sourceId, { index: 0, kind: 'shot', start: 0, end: 1, startFrame: 0, endFrame: 25, frames: [] })
  library.addAnnotation(clipId, { kind: 'note', text: `about ${name}` })
  return sourceId
}
const where = () => library.sources().map(({ id, path: file, file: state }) => [id, path.relative(folder, file), state])

test('a rolled recording is followed, whichever file is looked at first', async () => {
  for (const order of [
    ['cam.1.mp4', 'cam.mp4'],
    ['cam.mp4', 'cam.1.mp4'],
  ]) {
    write('cam.mp4', `first ${String(order)}`)
    const id = await decided('cam.mp4')
    renameSync(at('cam.mp4'), at('cam.1.mp4'))
    write('cam.mp4', `second ${String(order)}`)
    for (const name of order) await identity.recognise(at(name))
    expect(library.source(id)).toMatchObject({ path: at('cam.1.mp4'), name: 'cam.1.mp4', file: 'there', problem: null })
    expect(library.sources().filter(({ path: file }) => file === at('cam.mp4'))).toMatchObject([{ file: 'there', clipCount: 0 }])
    for (const name of ['cam.1.mp4', 'cam.mp4']) rmSync(at(name))
  }
})

test('two files that swap names, of one size, are told apart when one of them is opened', async () => {
  write('a.mp4', 'one')
  write('b.mp4', 'two')
  const [a, b] = [await decided('a.mp4'), await decided('b.mp4')]
  renameSync(at('a.mp4'), at('c.mp4'))
  renameSync(at('b.mp4'), at('a.mp4'))
  renameSync(at('c.mp4'), at('b.mp4'))
  await expect(identity.there(a)).resolves.toMatchObject({ path: at('b.mp4') })
  await expect(identity.there(b)).resolves.toMatchObject({ path: at('a.mp4') })
})

test('three files that change places in a ring are followed', async () => {
  const names = ['1.mp4', '2.mp4', '3.mp4']
  for (const name of names) write(name, `of ${name}`)
  const ids = [await decided('1.mp4'), await decided('2.mp4'), await decided('3.mp4')]
  for (const name of names) renameSync(at(name), at(`${name}.x`))
  names.forEach((name, i) => renameSync(at(`${name}.x`), at(names[(i + 1) % 3] ?? '')))
  for (const name of names) await identity.recognise(at(name))
  expect(where()).toEqual(ids.map((id, i) => [id, names[(i + 1) % 3], 'there']))
})

test('what replaced a video is never taken for it: not of the same size, not with the old time set back', async () => {
  write('clip.mp4', 'one')
  const before = statSync(at('clip.mp4'))
  const id = await decided('clip.mp4')
  write('clip.mp4', 'two')
  utimesSync(at('clip.mp4'), before.atime, before.mtime)
  await expect(identity.there(id)).rejects.toMatchObject({ problem: { code: 'file-replaced', file: at('clip.mp4') } })
  expect(library.source(id).problem?.next).toContain('Add the new content')
  // The new content gets an entry of its own when it is added; then that is told.
  const { how, sourceId } = await identity.recognise(at('clip.mp4'))
  expect([how, sourceId === id]).toEqual(['new', false])
  expect(library.source(id).problem?.next).toContain('has an entry of its own')
  expect(changed).toEqual([])
  // And when the old file comes back from a copy, it is found by its content.
  write('backup/clip.mp4', 'one')
  expect(await identity.recognise(at('backup/clip.mp4'))).toMatchObject({ how: 'moved', sourceId: id, from: at('clip.mp4') })
  await expect(identity.there(id)).resolves.toMatchObject({ path: at('backup/clip.mp4'), problem: null })
})

test('a person may say that the new content is the same video', async () => {
  write('clip.mp4', 'one')
  write('other.mp4', 'other')
  const [id] = [await decided('clip.mp4'), await decided('other.mp4')]
  write('clip.mp4', 'made anew')
  await identity.check(id)
  await identity.accept(id)
  await expect(identity.there(id)).resolves.toMatchObject({ problem: null, touchedCount: 1 })
  copyFileSync(at('other.mp4'), at('clip.mp4'))
  await identity.check(id)
  await expect(identity.accept(id)).rejects.toMatchObject({ problem: { code: 'conflict' } })
})

test('a copy over a video makes it no copy of the other: its decisions stay with its own pictures', async () => {
  write('a.mp4', 'one')
  write('b.mp4', 'two')
  const [a, b] = [await decided('a.mp4'), await decided('b.mp4')]
  copyFileSync(at('a.mp4'), at('b.mp4'))
  expect(await identity.recognise(at('b.mp4'))).toEqual({ how: 'known', sourceId: a })
  expect(where()).toEqual([
    [a, 'a.mp4', 'there'],
    [b, 'b.mp4', 'replaced'],
  ])
})

test('a file that was added to is the same video, longer; one that was cut short is not', async () => {
  write('rec.ts', 'x')
  const id = await decided('rec.ts')
  appendFileSync(at('rec.ts'), 'and more')
  expect(await identity.recognise(at('rec.ts'))).toEqual({ how: 'changed', sourceId: id })
  expect(changed).toEqual([id])
  const bytes = readFileSync(at('rec.ts'))
  writeFileSync(at('rec.ts'), bytes.subarray(0, 500))
  await identity.check(id)
  expect(library.source(id).file).toBe('replaced')
})

test('a file that could not be read is healed by a whole copy at its place', async () => {
  write('clip.mp4', 'half of it')
  const { sourceId } = await identity.recognise(at('clip.mp4'))
  library.setSourceState(sourceId, 'failed', { code: 'no-index', message: 'x' })
  write('clip.mp4', 'all of it')
  expect(await identity.recognise(at('clip.mp4'))).toEqual({ how: 'changed', sourceId })
  expect(changed).toEqual([sourceId])
})

test('of a folder that was renamed, with a copy of the video in it, the file with the video’s own name is the video', async () => {
  write('r/morning.mp4', 'one')
  const id = await decided('r/morning.mp4')
  copyFileSync(at('r/morning.mp4'), at('r/a copy.mp4'))
  renameSync(at('r'), at('r2'))
  for (const name of ['r2/a copy.mp4', 'r2/morning.mp4']) expect(await identity.recognise(at(name))).toEqual({ how: 'known', sourceId: id })
  expect(library.source(id)).toMatchObject({ path: at('r2/morning.mp4'), name: 'morning.mp4', file: 'there' })
  // Where the file of that name is another video, the copy is what is left of it.
  write('r2/morning.mp4', 'two')
  renameSync(at('r2'), at('r3'))
  expect(await identity.recognise(at('r3/a copy.mp4'))).toMatchObject({ how: 'moved', sourceId: id })
})

test('a missing file says so until it is back, and a video in the bin comes back when its file is added', async () => {
  write('drive/clip.mp4', 'one')
  const id = await decided('drive/clip.mp4')
  renameSync(at('drive'), at('away'))
  await expect(identity.there(id)).rejects.toMatchObject({ problem: { code: 'file-missing', file: at('drive/clip.mp4') } })
  renameSync(at('away'), at('drive'))
  await expect(identity.there(id)).resolves.toMatchObject({ file: 'there', problem: null })
  library.removeSource(id)
  expect(library.sources()).toEqual([])
  copyFileSync(at('drive/clip.mp4'), at('copy.mp4'))
  expect(await identity.recognise(at('copy.mp4'))).toEqual({ how: 'restored', sourceId: id })
  expect(library.source(id)).toMatchObject({ path: at('copy.mp4'), touchedCount: 1 })
})

test('with a drive all videos on it go and come back, whichever is looked at, and no others', async () => {
  for (const name of ['drive/a.mp4', 'drive/inner/b.mp4', 'drive two/c.mp4']) write(name, name)
  const [a, b, c] = [await decided('drive/a.mp4'), await decided('drive/inner/b.mp4'), await decided('drive two/c.mp4')]
  const files = () => [a, b, c].map((id) => library.source(id).file)
  renameSync(at('drive'), at('away'))
  await identity.check(b)
  expect(files()).toEqual(['missing', 'missing', 'there'])
  renameSync(at('away'), at('drive'))
  await identity.check(a)
  await expect.poll(files).toEqual(['there', 'there', 'there'])
})

test('a video of a library of before is known by its fingerprint of before', async () => {
  writeFileSync(at('big.mkv'), Buffer.alloc(70 * 2 ** 20, 'x'))
  const { fingerprintOfBefore } = await import('../media/fingerprint.ts')
  const { size, mtimeMs } = statSync(at('big.mkv'))
  const { source } = library.addSource({
    path: at('big.mkv'),
    name: 'big.mkv',
    bytes: size,
    mtimeMs,
    fingerprint: (await fingerprintOfBefore(at('big.mkv'))) ?? '',
  })
  renameSync(at('big.mkv'), at('moved.mkv'))
  expect(await identity.recognise(at('moved.mkv'))).toMatchObject({ how: 'moved', sourceId: source.id })
})

test('another picture of a file is a video of its own, which goes where the file goes and comes back from the bin', async () => {
  write('two.mp4', 'front and rear')
  const front = await decided('two.mp4')
  const stream = (index: number, width: number) => ({ index, type: 'video', codec: 'h264', isDefault: true, width, height: 48 })
  const streams = [stream(0, 64), { index: 1, type: 'audio', codec: 'aac', isDefault: true }, stream(2, 128)]
  const probeOf = (videoStream: number) => ({ videoStream, streams }) as unknown as Probe
  library.setProbe(front, probeOf(0))
  await expect(identity.picture(front, 1)).rejects.toMatchObject({ problem: { code: 'bad-request' } })
  expect(await identity.picture(front, 0)).toEqual({ how: 'known', sourceId: front })
  const { how, sourceId: rear } = await identity.picture(front, 2)
  expect(how).toBe('new')
  expect(library.source(rear)).toMatchObject({ name: 'two.mp4 #2', picture: 2, clipCount: 0, path: at('two.mp4') })
  library.setProbe(rear, probeOf(2))
  expect(await identity.picture(rear, 0)).toEqual({ how: 'known', sourceId: front })
  expect(await identity.picture(front, 2)).toEqual({ how: 'known', sourceId: rear })

  renameSync(at('two.mp4'), at('moved.mp4'))
  await Promise.all([identity.check(front), identity.check(rear)])
  expect(library.sources().map(({ name, file }) => [name, file])).toEqual([
    ['moved.mp4', 'there'],
    ['moved.mp4 #2', 'there'],
  ])
  library.removeSource(rear)
  expect(await identity.picture(front, 2)).toEqual({ how: 'restored', sourceId: rear })
  // Where the usual picture went, it is the file without a number again.
  library.removeSource(front)
  library.bin.empty()
  const { sourceId: again } = await identity.picture(rear, 0)
  expect(library.source(again)).toMatchObject({ name: 'moved.mp4', picture: null })
})

test('where nothing is analysed a file that grew stays as it is known, and another one is told as ever', async () => {
  write('cam.mp4', 'recorded')
  write('other.mp4', 'another')
  const [grown, replaced] = [await decided('cam.mp4'), await decided('other.mp4')]
  const known = library.source(grown)
  appendFileSync(at('cam.mp4'), 'more')
  write('other.mp4', 'a third')
  renameSync(at('other.mp4'), at('tmp'))
  copyFileSync(at('tmp'), at('other.mp4'))
  const reader = new Identity(library, null)
  expect(await reader.there(grown)).toEqual(known)
  await expect(reader.there(replaced)).rejects.toMatchObject({ problem: { code: 'file-replaced' } })
  // Whoever analyses finds it out later.
  await identity.check(grown)
  expect(changed).toEqual([grown])
})
