/** `tubelet packs` as a person types it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tinyMammut, writeSafetensors } from './checkpoint.testing.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'tubelet-command-'))
const checkpoint = path.join(root, 'tiny.safetensors')
beforeAll(() => writeSafetensors(checkpoint, tinyMammut()))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const run = (...args: string[]) => {
  const options = ['--packs', path.join(root, 'packs'), '--project', path.join(root, 'project')]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.resolve(import.meta.dirname, '..', 'cli.ts'), 'packs', ...args, ...options],
    { encoding: 'utf8', env: { ...process.env, XDG_CACHE_HOME: path.join(root, 'cache') } },
  )
  return { status, stdout, stderr }
}

test('a pack is made, listed, used and deleted', () => {
  const made = run('import', checkpoint, '--precision', 'int8')
  expect(made).toMatchObject({
    status: 0,
    stdout: 'openmammut-vit-64-14-int8 is ready. Use it with: tubelet packs use openmammut-vit-64-14-int8\n',
  })
  expect(made.stderr.split('\n').filter(Boolean)).toEqual(['Converting the weights…', 'Testing what it says…'])
  expect(run('list').stdout.split('\n')).toEqual([
    expect.stringMatching(
      /^\* objects-80 +\d+ MB {2}boxes \(in use for boxes\); 0 clips seen; (\d+ measured scores|no scores were measured)$/,
    ),
    expect.stringMatching(
      /^\* screen-text +\d+ MB {2}text on screen \(in use for text on screen\); 0 clips seen; (\d+ measured scores|no scores were measured)$/,
    ),
    expect.stringMatching(
      /^\* tubelet-mini +\d+ MB {2}captions, answers, search, boxes \(in use for captions, answers, search\); 0 clips seen; \d+ measured scores$/,
    ),
    expect.stringMatching(/^ {2}openmammut-vit-64-14-int8 +\d+ MB {2}captions, search; 0 clips seen; no scores were measured$/),
    '',
  ])
  expect(run('use', 'openmammut-vit-64-14-int8').stdout).toBe('openmammut-vit-64-14-int8 is in use.\n')
  expect(run('delete', 'openmammut-vit-64-14-int8')).toMatchObject({ status: 1, stderr: expect.stringContaining('is in use') as string })
  expect(run('list').stdout).toMatch(/^\* openmammut-vit-64-14-int8 .*\(in use for captions, search\)/m)
  expect(run('use', 'tubelet-mini', '--for', 'caption').stdout).toBe('tubelet-mini is in use.\n')
  expect(run('list').stdout).toMatch(/^\* openmammut-vit-64-14-int8 .*\(in use for search\)/m)
  expect(run('use', 'openmammut-vit-64-14-int8', '--for', 'boxes')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('cannot do that') as string,
  })
  expect(run('use', 'tubelet-mini').status).toBe(0)
  expect(run('delete', 'openmammut-vit-64-14-int8').stdout).toBe('openmammut-vit-64-14-int8 is deleted.\n')
  expect(run('list').stdout).not.toContain('openmammut')
})

test('what goes wrong is said with its next step, and the command fails', () => {
  writeFileSync(path.join(root, 'page.safetensors'), '<!DOCTYPE html>')
  const { status, stderr } = run('import', path.join(root, 'page.safetensors'))
  expect(status).toBe(1)
  expect(stderr).toContain('This is a web page that was saved under the name of a checkpoint.')
  expect(stderr).toContain('Download the file itself')
  expect(run('use', 'nothing').stderr).toContain(
    'There is no pack “nothing” on this computer. Choose one of: objects-80, screen-text, tubelet-mini',
  )
})
