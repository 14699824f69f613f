/** Control characters in names reach a terminal as numbers. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { clip } from '../test/clips.ts'
import { inert } from '../app/inert.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'tubelet-terminal-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// oxlint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

test('each control character is shown as its number, and all else as it is', () => {
  expect(inert('Ärger\u001b[2Jü\u009b31m\r\n日本\u202efdp.mp4')).toBe('Ärger\\u001b[2Jü\\u009b31m\\u000d\\u000a日本\\u202efdp.mp4')
})

describe.skipIf(process.platform === 'win32')('a name of a file', { meta: { needs: 'a Unix system' } }, () => {
  test('adds no line and no control character to what the command line prints', () => {
    const names = ['a\u001b]0;title\u0007\u001b[2J.mp4', 'b\nfailed: c.mp4', 'd\u009b31m\u202e.txt']
    for (const name of names.slice(0, 2)) copyFileSync(clip('f06_tiny_64x48.mp4'), path.join(folder, name.replaceAll('/', '')))
    const run = (...more: string[]) => {
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [
          path.join(import.meta.dirname, 'cli.ts'),
          'analyze',
          ...names.map((name) => path.join(folder, name)),
          ...['--project', path.join(folder, 'library'), '--packs', path.join(folder, 'packs'), ...more],
        ],
        { encoding: 'utf8', timeout: 120_000 },
      )
      return stdout + stderr
    }
    const said = run()
    expect(said).toContain('a\\u001b]0;title\\u0007\\u001b[2J.mp4')
    expect(said).not.toMatch(HARMFUL)
    expect(said.split('\n').filter((line) => line.startsWith('failed: '))).toEqual([])
    const json = run('--json')
    expect(json).not.toMatch(HARMFUL)
    const { files } = JSON.parse(json.slice(json.indexOf('{'), json.lastIndexOf('}') + 1)) as { files: { path: string }[] }
    expect(files.map((file) => path.basename(file.path))).toContain(names[0])
  }, 300_000)
})
