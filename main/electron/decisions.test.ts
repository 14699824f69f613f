import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TubeletError } from '../../app/errors.ts'
import { type Instead, lastProject, openLast } from '../projects.ts'
import { Crashes, isOurs, mayGo, mayShow } from './decisions.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-shell-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a window goes to its own pages only, and nothing within it goes anywhere', () => {
  for (const url of ['tubelet://app', 'tubelet://app/', 'tubelet://app/?x']) expect([url, isOurs(url)]).toEqual([url, true])
  const strange = [
    'tubelet://app.evil/',
    'tubelet://application',
    'tubelet:app/',
    'TUBELET://other/',
    'file:///etc/passwd',
    'data:text/html,x',
    'javascript:1',
    '',
  ]
  for (const url of [...strange, 'https://tubelet://app/', 'http://127.0.0.1/']) {
    expect([url, isOurs(url)]).toEqual([url, false])
    expect(mayGo({ url, isMainFrame: true })).toBe(false)
  }
  expect(mayGo({ url: 'tubelet://app/', isMainFrame: true })).toBe(true)
  expect(mayGo({ url: 'tubelet://app/', isMainFrame: false })).toBe(false)
})

test('a window that ended is loaded again, and one that ends again and again asks', () => {
  const crashes = new Crashes()
  expect([0, 10_000, 20_000, 30_000].map((now) => crashes.after('crashed', now))).toEqual(['reload', 'reload', 'ask', 'ask'])
  expect(crashes.after('oom', 200_000)).toBe('reload')
  expect(crashes.after('clean-exit', 200_001)).toBe('nothing')
})

test('only files that belong to the library or its exports are shown in their folder', () => {
  const known = { projectDir: '/lib', videos: () => ['/films/a.mp4'], hasWritten: (file: string) => file === '/out/a.csv' }
  for (const file of ['/films/a.mp4', '/out/a.csv', '/lib/exports/x/a.csv']) expect([file, mayShow(file, known)]).toEqual([file, true])
  for (const file of [
    '/films/b.mp4',
    '/films',
    '/etc/passwd',
    '/lib/../etc/passwd',
    '/library/x',
    'a.mp4',
    '//server/share/a.mp4',
    '\\\\server\\a',
  ])
    expect([file, mayShow(file, known)]).toEqual([file, false])
})

test('a last library that cannot be opened is told, and replaced only by what a person chooses', async () => {
  const [standard, last, other] = ['standard', 'last', 'other'].map((name) => path.join(folder, name)) as [string, string, string]
  const opened: string[] = []
  const refuse = new Set([last])
  const open = (dir: string) => {
    if (refuse.has(dir)) throw new TubeletError({ code: 'conflict', message: 'This library is open in another Tubelet.' })
    opened.push(dir)
    return dir
  }
  const asked: string[] = []
  const asking =
    (...answers: Instead[]) =>
    (dir: string, { code }: { code: string }) => {
      asked.push(`${path.basename(dir)} ${code}`)
      return Promise.resolve(answers.shift() ?? { open: 'none' as const })
    }
  // It lay on a disk that is not connected: nothing is begun in its place.
  expect(await openLast(last, standard, open, asking({ open: 'none' }))).toBeNull()
  expect([asked, opened]).toEqual([['last file-missing'], []])
  mkdirSync(last)
  writeFileSync(path.join(last, 'library.sqlite'), '')
  expect(await openLast(last, standard, open, asking({ open: 'again' }, { open: 'other', folder: other }))).toBe(other)
  expect(asked.slice(1)).toEqual(['last conflict', 'last conflict'])
  expect(await openLast(last, standard, open, asking({ open: 'default' }))).toBe(standard)
  refuse.clear()
  expect(await openLast(last, standard, open, asking())).toBe(last)
  // The first start has none.
  expect(await openLast(null, standard, open, asking())).toBe(standard)
  expect(asked).toHaveLength(4)
})

test('the last library is remembered though its folder is gone', () => {
  const file = path.join(folder, 'projects.json')
  writeFileSync(file, JSON.stringify([{ path: '/gone', openedAt: '2026-01-01' }]))
  expect(lastProject(file)).toBe('/gone')
  expect(lastProject(path.join(folder, 'none.json'))).toBeNull()
})
