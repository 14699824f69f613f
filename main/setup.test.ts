/** What a fresh clone says while it sets itself up. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'

it.skipIf(process.platform === 'win32')('is not on the standard output, where programs read answers as JSON', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'tubelet-setup-'))
  try {
    mkdirSync(path.join(root, 'main'))
    copyFileSync(path.join(import.meta.dirname, 'setup.mjs'), path.join(root, 'main/setup.mjs'))
    writeFileSync(path.join(root, 'package-lock.json'), '{}')
    mkdirSync(path.join(root, 'bin'))
    writeFileSync(path.join(root, 'bin/npm'), '#!/bin/sh\necho installed with: $1\n', { mode: 0o755 })
    const code = "import('./main/setup.mjs').then(({ ensureModules }) => { ensureModules(); console.log('{}') })"
    const env = { ...process.env, PATH: `${path.join(root, 'bin')}${path.delimiter}${process.env.PATH ?? ''}` }
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { cwd: root, env, encoding: 'utf8' })
    expect(stdout).toBe('{}\n')
    expect(stderr).toContain('Installing packages')
    expect(stderr).toContain('installed with: ci')
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
