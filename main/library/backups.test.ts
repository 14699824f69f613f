/** Backups: made beside the library and bounded, never of a damaged library, restored without losing what was there. */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { problemOf } from '../../app/errors.ts'
import { lockLibrary } from '../lock.ts'
import { openTubelet } from '../open.ts'
import { Backups, backupsOf, isDue, restoreBackup, thinOut } from './backups.ts'
import { faultsOf } from './check.ts'
import { Library } from './library.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-backups-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const file = () => path.join(folder, 'library.sqlite')
const copyNamed = (name: string) => path.join(folder, 'backups', name)

/** Adds videos with a note each. */
function fill(library: Library, from: number, to: number): void {
  for (let n = from; n < to; n += 1) {
    const { source } = library.addSource({ path: `/v/${n}.mp4`, name: `${n}.mp4`, bytes: 1, mtimeMs: 0, fingerprint: `f${n}` })
    const clipId = library.saveClip(source.id, { index: 0, kind: 'window', start: 0, end: 8, startFrame: 0, endFrame: 200, frames: [] })
    library.addAnnotation(clipId, { kind: 'note', text: `seen by a person ${n} ${'x'.repeat(6000)}` })
  }
}
const notes = (library: Library) =>
  library.clips({ limit: 9999, offset: 0 }).clips.flatMap(({ id }) => library.annotations(id).filter(({ body }) => body.kind === 'note'))
    .length

async function backUp(): Promise<string> {
  const backups = new Backups(folder, () => false)
  try {
    await backups.make()
  } finally {
    await backups.close()
  }
  return backupsOf(folder)[0]?.name ?? ''
}

/** Overwrites pages in the middle of the library, as a bad disk does. */
function spoil(): void {
  const handle = openSync(file(), 'r+')
  const { size } = statSync(file())
  for (let at = 4096 * 4; at < size; at += 4096 * 3) writeSync(handle, Buffer.alloc(2048, 0xa5), 0, 2048, at)
  closeSync(handle)
}

test('a copy is whole while the library is open and written to, and is put back with everything', async () => {
  const library = Library.open(folder)
  fill(library, 0, 30)
  const making = backUp()
  fill(library, 30, 40)
  const name = await making
  expect(faultsOf(copyNamed(name), 'thorough')).toEqual([])
  await library.close()
  const aside = restoreBackup(folder, name)
  const restored = Library.open(folder)
  // What was written while the copy was made may be in it or not.
  expect(notes(restored)).toBeGreaterThanOrEqual(30)
  expect(notes(restored)).toBeLessThanOrEqual(40)
  fill(restored, 100, 103)
  await restored.close()
  // The one that was set aside is restored in the same way.
  restoreBackup(folder, aside ?? '')
  const again = Library.open(folder)
  expect(notes(again)).toBe(40)
  await again.close()
})

test('a damaged library is told, is not copied over sound copies, and is restored', async () => {
  const library = Library.open(folder)
  fill(library, 0, 40)
  await library.close()
  const sound = await backUp()
  spoil()
  expect(faultsOf(file(), 'thorough').length).toBeGreaterThan(0)
  const refused = await backUp().then(() => null, problemOf)
  expect(refused).toMatchObject({ code: 'file-unreadable' })
  expect(refused?.next).toContain('estore')
  expect(backupsOf(folder).map(({ name }) => name)).toEqual([sound])
  expect(readdirSync(path.join(folder, 'backups'))).toEqual([sound])
  restoreBackup(folder, sound)
  const restored = Library.open(folder)
  expect(notes(restored)).toBe(40)
  await restored.close()
  expect(
    backupsOf(folder)
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(['automatic', 'set-aside'])
})

test('the log of a library that cannot be opened goes aside with it and is not applied to the restored one', async () => {
  const library = Library.open(folder)
  fill(library, 0, 5)
  await library.close()
  const name = await backUp()
  // SQLite deletes the log of a file that it takes for an empty one.
  writeFileSync(file(), '')
  const log = Buffer.alloc(5000, 'log')
  for (const end of ['-wal', '-journal']) writeFileSync(`${file()}${end}`, log)
  const aside = restoreBackup(folder, name)
  for (const end of ['-wal', '-journal']) {
    expect(readFileSync(`${copyNamed(aside ?? '')}${end}`).equals(log)).toBe(true)
    expect(existsSync(`${file()}${end}`)).toBe(false)
  }
  const restored = Library.open(folder)
  expect(notes(restored)).toBe(5)
  await restored.close()
})

test('pictures of videos that the restored library does not know are forgotten: their numbers may be given again', async () => {
  const library = Library.open(folder)
  fill(library, 0, 2)
  await library.close()
  const name = await backUp()
  for (const id of ['1', '2', '7']) mkdirSync(path.join(folder, 'cache', 'sources', id), { recursive: true })
  restoreBackup(folder, name)
  expect(readdirSync(path.join(folder, 'cache', 'sources')).sort()).toEqual(['1', '2'])
})

test('a damaged copy, a name that is none and a library in use are refused, and nothing is changed', async () => {
  const library = Library.open(folder)
  fill(library, 0, 10)
  const name = await backUp()
  const refusal = (which: string) => {
    try {
      restoreBackup(folder, which)
      return null
    } catch (error) {
      return problemOf(error).code
    }
  }
  expect(refusal(name)).toBe('conflict')
  expect(refusal('../library.sqlite')).toBe('not-found')
  const bytes = readFileSync(copyNamed(name))
  writeFileSync(copyNamed(name), bytes.fill(0xa5, 8192, 16_384))
  await library.close()
  expect(refusal(name)).toBe('file-unreadable')
  const same = Library.open(folder)
  expect(notes(same)).toBe(10)
  await same.close()
})

describe('how many there are', () => {
  const HOUR = 3_600_000
  test('at most four are kept, of the last day, of the last week and of before', () => {
    mkdirSync(path.join(folder, 'backups'))
    const begin = Date.UTC(2026, 0, 1)
    let oldest = 0
    for (let hour = 0; hour < 24 * 70; hour += 1) {
      const now = begin + hour * HOUR
      writeFileSync(copyNamed(`${new Date(now).toISOString().replaceAll(':', '-')}.sqlite`), '')
      thinOut(folder, now)
      const ages = backupsOf(folder).map(({ madeAt }) => (now - Date.parse(madeAt)) / HOUR)
      expect(ages.length).toBeLessThanOrEqual(4)
      expect(ages[0]).toBe(0)
      // One of the last day besides the newest, one that is older, one of before the last week.
      if (hour > 24 * 9)
        expect([ages.some((age) => age > 0 && age <= 24), ages.some((age) => age > 24), ages.some((age) => age > 24 * 7)]).toEqual([
          true,
          true,
          true,
        ])
      oldest = Math.max(oldest, ...ages)
    }
    expect(oldest).toBeLessThanOrEqual(24 * 37)
  })

  test('one is due an hour after the last if something was changed, in the middle of an analysis after a day', async () => {
    const library = Library.open(folder)
    fill(library, 0, 1)
    const now = Date.now()
    expect([isDue(folder, false, now), isDue(folder, false, now + 2 * HOUR), isDue(folder, true, now + 2 * HOUR)]).toEqual([
      false,
      true,
      false,
    ])
    await backUp()
    // Nothing was changed since.
    for (const name of readdirSync(folder))
      if (name.startsWith('library')) utimesSync(path.join(folder, name), new Date(now - HOUR), new Date(now - HOUR))
    expect(isDue(folder, false, now + 48 * HOUR)).toBe(false)
    await sleep(5)
    fill(library, 1, 2)
    expect([isDue(folder, false, now), isDue(folder, false, now + 2 * HOUR)]).toEqual([false, true])
    expect([isDue(folder, true, now + 2 * HOUR), isDue(folder, true, now + 25 * HOUR)]).toEqual([false, true])
    await library.close()
  })
})

test('a kill at any moment of a restore leaves the library of before or the restored one, and no third', { timeout: 120_000 }, async () => {
  const library = Library.open(folder)
  fill(library, 0, 40)
  await library.close()
  const name = await backUp()
  const more = Library.open(folder)
  fill(more, 40, 50)
  await more.close()
  const script = path.join(folder, 'restore.mjs')
  writeFileSync(
    script,
    `import { restoreBackup } from ${JSON.stringify(path.join(import.meta.dirname, 'backups.ts'))}
    process.send('ready')
    process.once('message', () => restoreBackup(${JSON.stringify(folder)}, ${JSON.stringify(name)}))`,
  )
  const seen = new Set<number>()
  for (let at = 0; at < 12; at += 1) {
    const child = fork(script, { execArgv: [] })
    // Listened for from the beginning: a fast machine ends the restore before it is killed.
    const exit = once(child, 'exit')
    await once(child, 'message')
    child.send('go')
    await sleep(at * 3)
    child.kill('SIGKILL')
    await exit
    expect(faultsOf(file(), 'thorough')).toEqual([])
    const now = Library.open(folder)
    seen.add(notes(now))
    await now.close()
  }
  expect([...seen].filter((count) => count !== 40 && count !== 50)).toEqual([])
})

test('a restore that was killed before its copy took the place leaves no second name of the library, and nothing else is deleted', async () => {
  const library = Library.open(folder)
  fill(library, 0, 3)
  await library.close()
  const copy = await backUp()
  // What is there between the two calls: the library under both names, and a log that could not be taken in.
  const names = ['2026-01-02T03-04-05.006Z set aside.sqlite', '2026-01-01T00-00-00.000Z set aside.sqlite']
  const [twice, before] = [copyNamed(names[0] ?? ''), copyNamed(names[1] ?? '')]
  linkSync(file(), twice)
  writeFileSync(before, 'set aside earlier')
  writeFileSync(`${twice}-journal`, '')
  const tubelet = openTubelet({ projectDir: folder, packsDir: path.join(folder, 'packs'), host: 'web' })
  expect(notes(tubelet.library)).toBe(3)
  await tubelet.close()
  expect(statSync(file()).nlink).toBe(1)
  expect([twice, `${twice}-journal`, before, copyNamed(copy)].map((one) => existsSync(one))).toEqual([false, false, true, true])
})

test('a library whose process was killed while it wrote is checked, not called unreadable', async () => {
  const library = Library.open(folder)
  fill(library, 0, 5)
  await library.close()
  const script = path.join(folder, 'write.mjs')
  writeFileSync(
    script,
    `import { DatabaseSync } from 'node:sqlite'
    const db = new DatabaseSync(${JSON.stringify(file())})
    // With so little memory, pages are written before the transaction has ended.
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; CREATE TABLE half (a)')
    for (let at = 0; at < 500; at += 1) db.prepare('INSERT INTO half VALUES (?)').run('x'.repeat(5000))
    process.send('written'); setInterval(() => undefined, 1000)`,
  )
  const child = fork(script, { execArgv: [] })
  const exit = once(child, 'exit')
  await once(child, 'message')
  child.kill('SIGKILL')
  await exit
  expect(existsSync(`${file()}-journal`)).toBe(true)
  expect(faultsOf(file(), 'thorough')).toEqual([])
  const same = Library.open(folder)
  expect(notes(same)).toBe(5)
  await same.close()
})

test('the lock of a library ends with its process, and the number of another process in a file means nothing', async () => {
  const script = path.join(folder, 'hold.mjs')
  writeFileSync(
    script,
    `import { lockLibrary } from ${JSON.stringify(path.join(import.meta.dirname, '..', 'lock.ts'))}
    globalThis.unlock = lockLibrary(${JSON.stringify(folder)}); process.send('held'); setInterval(() => undefined, 1000)`,
  )
  // The lock file of earlier versions, with the number of a process that runs.
  writeFileSync(path.join(folder, 'lock'), String(process.ppid))
  const child = fork(script, { execArgv: [] })
  await once(child, 'message')
  expect(() => lockLibrary(folder)).toThrow('open in another Tubelet')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const unlock = lockLibrary(folder)
  expect(() => lockLibrary(folder)).toThrow('open in another Tubelet')
  unlock()
  lockLibrary(folder)()
})

test('every column that holds JSON is read by the check', async () => {
  const library = Library.open(folder)
  fill(library, 0, 2)
  library.setSourceState(1, 'failed', { code: 'damaged', message: 'x' })
  await library.close()
  const db = new DatabaseSync(file())
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'`)
    .all()
    .map(({ name }) => String(name))
  for (const table of tables) {
    for (const { name } of db.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE type = 'TEXT'`).all()) {
      const { n } =
        db.prepare(`SELECT count(*) AS n FROM "${table}" WHERE "${String(name)}" GLOB '[[{]*' AND json_valid("${String(name)}")`).get() ??
        {}
      if (Number(n) === 0) continue
      db.exec('SAVEPOINT spoilt')
      // Generated columns of annotations cannot be computed from it; the check needs none of them.
      db.exec(`PRAGMA ignore_check_constraints = ON`)
      let spoilt = true
      try {
        db.exec(`UPDATE "${table}" SET "${String(name)}" = '{"half'`)
      } catch {
        spoilt = false
      }
      if (spoilt) {
        db.exec('RELEASE spoilt')
        expect([table, name, faultsOf(file(), 'thorough').length > 0]).toEqual([table, name, true])
        break
      }
      db.exec('ROLLBACK TO spoilt; RELEASE spoilt')
    }
  }
  db.close()
})

test('the command line checks a library and its copies, and restores the newest', async () => {
  const library = Library.open(folder)
  fill(library, 0, 40)
  await library.close()
  const cli = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(import.meta.dirname, '..', 'cli.ts'), 'library', ...args, '--project', folder],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    )
    return { code: status, text: stdout + stderr }
  }
  expect(cli('backup')).toMatchObject({ code: 0, text: expect.stringContaining('wrote ') as string })
  expect(cli('verify').code).toBe(0)
  spoil()
  const verified = cli('verify')
  expect(verified.code).toBe(1)
  expect(verified.text).toMatch(/library\.sqlite: damaged\.\n[^]*backups\/\S+: nothing is wrong\.[^]*tubelet library restore "/)
  expect(cli('restore')).toMatchObject({ code: 0, text: expect.stringContaining('is kept as') as string })
  expect(cli('verify').text).toContain('library.sqlite: nothing is wrong.')
  expect(cli('backups').text.trim().split('\n')).toHaveLength(2)
  expect(cli('restore', 'nonsense')).toMatchObject({ code: 1 })
  // What only a newer version knows is not called sound here, nor is something older put in its place.
  const db = new DatabaseSync(path.join(folder, 'library.sqlite'))
  db.exec('PRAGMA user_version = 99')
  db.close()
  const newer = cli('verify')
  expect(newer.code).toBe(1)
  expect(newer.text).toContain('library.sqlite: This library was written by a newer version of Tubelet.')
  expect(newer.text).not.toContain('library restore')
})
