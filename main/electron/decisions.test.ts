import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { TubeletError } from '../../app/errors.ts'
import { Backups, backupsOf } from '../library/backups.ts'
import { Library } from '../library/library.ts'
import { type Instead, lastProject, openLast } from '../projects.ts'
import { askInstead, Crashes, type Dialogs, isOurs, mayGo, mayShow } from './decisions.ts'

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

test('a last library that is damaged, or gone from its folder, is opened by a backup that a person chooses at the start', async () => {
  const [dir, standard] = [path.join(folder, 'damaged'), path.join(folder, 'unused')]
  const file = path.join(dir, 'library.sqlite')
  const library = Library.open(dir)
  library.setSetting('kept', 'heron')
  const backups = new Backups(dir, () => false)
  await backups.make()
  await backups.close()
  library.setSetting('kept', 'stork')
  await library.close()
  const [sound] = backupsOf(dir)
  const older = path.join(dir, 'backups', '2020-01-02T03-04-05.678Z.sqlite')
  cpSync(path.join(dir, 'backups', sound?.name ?? ''), older)
  writeFileSync(older, readFileSync(older).fill(0xa5, 0, 60_000))
  const shown: { message: string; detail: string; buttons: readonly string[] }[] = []
  /** Presses the buttons whose labels begin so, then closes every dialog. */
  const pressing = (...labels: string[]): Dialogs => ({
    press: (message, detail, buttons) => {
      shown.push({ message, detail, buttons })
      const label = labels.shift()
      const at = buttons.findIndex((one) => label !== undefined && one.startsWith(label))
      return Promise.resolve(at === -1 ? buttons.length - 1 : at)
    },
    folder: () => Promise.resolve(null),
  })
  const start = (dialogs: Dialogs) =>
    openLast(
      dir,
      standard,
      (one) => Library.open(one),
      (one, problem) => askInstead(one, problem, dialogs),
    )
  const kept = async (opened: Library | null) => {
    const value = opened?.setting('kept', '')
    await opened?.close()
    return value
  }
  const damaged = readFileSync(file).fill(0xa5, 0, 60_000)
  writeFileSync(file, damaged)

  // Back, and no folder, lead to the question again; closing it changes nothing.
  expect(await start(pressing('Restore', 'Back', 'Choose another library'))).toBeNull()
  expect(shown.map(({ message }) => message)).toEqual([
    'Tubelet could not open its library.',
    'Which backup takes the place of the library?',
    'Tubelet could not open its library.',
    'Tubelet could not open its library.',
  ])
  expect(shown[0]?.detail).toMatch(/damaged\n\nThe library file is damaged, or is no library\. Restore one of its backups/)
  expect(readFileSync(file)).toEqual(damaged)

  // A backup that is damaged too is told, and another one chosen.
  shown.length = 0
  const label = new Date(sound?.madeAt ?? '').toLocaleString('en-GB', { dateStyle: 'long' })
  expect(await kept(await start(pressing('Restore', '2 January 2020', 'Restore', label)))).toBe('heron')
  expect(shown[2]?.detail).toContain('This backup is damaged.')
  const aside = backupsOf(dir).find(({ kind }) => kind === 'set-aside')
  expect(readFileSync(path.join(dir, 'backups', aside?.name ?? ''))).toEqual(damaged)

  // Deleted by accident, with its backups beside it.
  rmSync(file)
  expect(await kept(await start(pressing('Restore', label)))).toBe('heron')

  // Where no backup helps, or there is none, none is offered.
  for (const [where, code] of [
    [dir, 'conflict'],
    [dir, 'forbidden'],
    [standard, 'file-unreadable'],
  ] as const) {
    shown.length = 0
    expect(await askInstead(where, { code, message: 'x' }, pressing())).toEqual({ open: 'none' })
    expect(shown[0]?.buttons[0]).toBe('Try again')
  }
  expect(existsSync(standard)).toBe(false)
})
