/** What can be known of the fence on macOS without one: its arguments, and the shell that looks whether the input can be opened. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { belted } from './seatbelt.ts'

const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'tubelet-seatbelt-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...names: string[]) => path.join(folder, ...names)
const SAID = 'the input is hidden'

/** The profile, what its parameters stand for, and what runs in it. */
function parts(args: string[]) {
  const [, profile = '', ...rest] = args
  const shell = rest.indexOf('/bin/sh')
  const given = rest.slice(0, shell).filter((one) => one !== '-D')
  return {
    profile,
    values: new Map(given.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)])),
    runs: rest.slice(shell),
  }
}
const belt = { tool: process.execPath, inputs: [] as string[], folders: [] as string[], output: undefined as string | undefined }

test('names are parameters by their true names, however they are written: none can open more', () => {
  const evil = at('a") (allow file-read-data (regex ".")) (b.mp4')
  writeFileSync(evil, 'x')
  symlinkSync(evil, at('link.mp4'))
  mkdirSync(at('shots'))
  symlinkSync(at('shots'), at('linked'))
  const { profile, values } = parts(
    belted({ ...belt, inputs: [at('link.mp4'), at('gone.mp4')], folders: [at('linked')], output: at('linked', 'out.mp4') }, SAID),
  )
  expect(profile).not.toContain('b.mp4')
  const named = [...profile.matchAll(/\((literal|subpath) \(param "(F\d+)"\)\)/g)].map(([, kind, name = '']) => [kind, values.get(name)])
  expect(named).toEqual([
    ['literal', realpathSync(process.execPath)],
    ['literal', evil],
    ['literal', at('gone.mp4')],
    ...(path.basename(path.dirname(realpathSync(process.execPath))) === 'bin'
      ? [['subpath', path.join(realpathSync(process.execPath), '..', '..', 'lib')]]
      : []),
    ['subpath', at('shots')],
    ['literal', at('shots', 'out.mp4')],
  ])
  // Each bracket has its other one, and users' files are denied before some are allowed.
  expect(profile.replaceAll(/[^()]/g, '').replaceAll('(', '').length * 2).toBe(profile.replaceAll(/[^()]/g, '').length)
  expect(profile.indexOf('(deny file-read-data')).toBeLessThan(profile.indexOf('(allow file-read-data'))
  expect(profile.indexOf('(deny file-write*')).toBeLessThan(profile.indexOf('(allow file-write*'))
})

test('the tool becomes the child itself with its arguments, a missing input is left for it to tell, a hidden one is told', () => {
  if (process.platform === 'win32') {
    console.warn('SKIPPED: the shell of the fence on macOS, because this system has none')
    return
  }
  writeFileSync(at('in -- 1.mp4'), 'x')
  const run = (inputs: string[], hide: boolean) => {
    const { runs } = parts(belted({ ...belt, inputs }, SAID))
    if (hide) rmSync(at('in -- 1.mp4'))
    const [shell = '', ...rest] = runs
    const { status, stdout, stderr, pid } = spawnSync(
      shell,
      [...rest, process.execPath, '-p', 'JSON.stringify([process.pid, ...process.argv.slice(1)])', 'a b', '--', '$x'],
      { encoding: 'utf8' },
    )
    return { status, said: stdout.trim(), pid, told: stderr.trim().split('\n').at(-1) }
  }
  const open = run([at('in -- 1.mp4'), at('gone.mp4')], false)
  expect([open.status, open.said]).toEqual([0, JSON.stringify([open.pid, 'a b', '--', '$x'])])
  expect(run([at('in -- 1.mp4')], true)).toMatchObject({ status: 77, said: '', told: SAID })
})
