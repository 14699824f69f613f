/** What is said of a typed place before anything is added. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { lookBelow as looked, wholePath } from './look.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-look-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (...names: string[]) => path.join(folder, ...names)
const put = (into: string, ...names: (string | Buffer)[]) => {
  mkdirSync(at(into), { recursive: true })
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${at(into)}/`), Buffer.from(name)]), '\0')
  return at(into)
}

const lookBelow = (typed: string) => looked(typed, () => undefined)

test('a place with nothing, a path that is not whole and a name that is not UTF-8 are each told in a sentence with a next step', async () => {
  for (const [typed, message] of [
    ['/nope/x', 'There is nothing at this place.'],
    ['videos/x', '“{{path}}” is no whole path.'],
    ['~someone/x', '“{{path}}” is no whole path.'],
    [at('caf\ufffd'), 'Its name is no UTF-8 text (read as Latin-1 it is “{{name}}”), so no program here can be given it.'],
  ] as const) {
    const below = await lookBelow(typed)
    expect(below).toMatchObject({ videos: 0, numbered: 0, packs: 0, more: false, trouble: { message } })
    expect(below.trouble?.next).toBeTruthy()
  }
})

test('~ is the home folder', async () => {
  const home = process.env['HOME']
  process.env['HOME'] = put('home/films', 'a.mp4').replace(/\/films$/, '')
  try {
    expect(wholePath('~')).toBe(at('home'))
    expect(await lookBelow('~/films')).toMatchObject({ path: at('home', 'films'), videos: 1, trouble: null })
  } finally {
    process.env['HOME'] = home
  }
})

test('names that are not UTF-8, and folders without rights, are counted beside what can be taken', async () => {
  const mixed = put('mixed', 'a.mp4', Buffer.from('caf\xe9.mp4', 'latin1'), Buffer.from('na\xefve.mp4', 'latin1'))
  expect(await lookBelow(mixed)).toMatchObject({ videos: 1, unreadable: 2, trouble: { values: { name: 'café.mp4' } } })
  // Who may read everything has no folder without rights.
  if (process.getuid?.() === 0) return
  const closed = put('closed', 'a.mp4')
  chmodSync(closed, 0)
  expect(await lookBelow(closed)).toMatchObject({ videos: 0, trouble: { message: 'You do not have permission to read this.' } })
  chmodSync(closed, 0o755)
})

test('numbered pictures tell their gaps, a pack and a single file what they are', async () => {
  const run = put('run', ...[1, 2, 3, 4, 8, 9, 12].map((n) => `img_${String(n).padStart(3, '0')}.png`))
  expect(await lookBelow(run)).toMatchObject({
    videos: 0,
    numbered: 1,
    trouble: null,
    gaps: [
      [5, 7],
      [10, 11],
    ],
  })
  expect(await lookBelow(at('mixed', 'a.mp4'))).toMatchObject({ isFile: true, videos: 1 })
  put('notes', 'a.srt')
  expect(await lookBelow(at('notes', 'a.srt'))).toMatchObject({ isFile: true, videos: 0, trouble: null })
})

test('where nobody may look around it is told only that there is nothing', async () => {
  const mayNot = () => {
    throw new Error('may not')
  }
  await expect(looked(put('mine', 'a.mp4'), mayNot)).rejects.toThrow('may not')
  await expect(looked(at('mine', '%d.png'), mayNot)).rejects.toThrow('may not')
  expect(await looked(at('mine', 'other'), mayNot)).toMatchObject({ trouble: { code: 'file-missing' } })
})
