/** The desktop shell in a real Electron. Runs where Electron's runtime is installed; elsewhere it is skipped with a reason. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { _electron, type ElectronApplication, expect, test } from '@playwright/test'
import { tinyMammut, writeSafetensors } from '../main/packs/checkpoint.testing.ts'
import { electronRuntime, ensureDesktopBuild, root } from '../main/setup.mjs'
import { dropFiles } from './app.ts'

const runtime = electronRuntime()
if (runtime.reason !== undefined)
  console.warn(
    `\n!!! The desktop shell is NOT TESTED here, because ${runtime.reason}. Run \`npm run e2e\` on a desktop with Electron's runtime.\n`,
  )
test.skip(runtime.reason !== undefined, `no Electron: ${String(runtime.reason)}`)

let app: ElectronApplication
let userData: string

test.beforeAll(async () => {
  ensureDesktopBuild()
  userData = mkdtempSync(path.join(os.tmpdir(), 'tubelet-electron-'))
  // As root (CI) Chromium's own sandbox does not start.
  const args = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), `--user-data-dir=${userData}`, root]
  app = await _electron.launch({ executablePath: String(runtime.program), args })
})
test.afterAll(async () => {
  await app.close()
  rmSync(userData, { recursive: true, force: true })
})

test('the window opens over its own scheme with a ready engine', async () => {
  const window = await app.firstWindow()
  expect(window.url()).toBe('tubelet://app/')
  await expect(window.getByText(/^Ready on/).first()).toBeVisible({ timeout: 60_000 })
})

test('the page is walled in: no Node, no network, no other site, no second window', async () => {
  const window = await app.firstWindow()
  expect(await window.evaluate(() => 'require' in globalThis || 'process' in globalThis)).toBe(false)
  expect(
    await window.evaluate(() =>
      fetch('http://127.0.0.1:9/').then(
        () => 'reached',
        () => 'refused',
      ),
    ),
  ).toBe('refused')
  await window.evaluate(() => location.assign('https://example.com/'))
  expect(window.url()).toBe('tubelet://app/')
  expect(await window.evaluate(() => open('https://example.com/') === null)).toBe(true)
  const { contextIsolation, sandbox, nodeIntegration } = await app.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
      getLastWebPreferences: () => { contextIsolation: boolean; sandbox: boolean; nodeIntegration: boolean }
    }
    return contents.getLastWebPreferences()
  })
  expect({ contextIsolation, sandbox, nodeIntegration }).toEqual({ contextIsolation: true, sandbox: true, nodeIntegration: false })
})

test('a file opened from the desktop is analysed', async () => {
  const window = await app.firstWindow()
  await app.evaluate(
    ({ app: electron }, file) => electron.emit('second-instance', {}, ['electron', 'app', file], '/'),
    path.join(root, 'models', 'packs', 'sample.mp4'),
  )
  await expect(window.getByRole('navigation').locator('[data-clip]').first()).toContainText(/[a-z]{3}/, { timeout: 60_000 })
})

test('a checkpoint that is dropped on the window is read where it lies and becomes a pack', async () => {
  const window = await app.firstWindow()
  const checkpoint = path.join(userData, 'tiny.safetensors')
  writeSafetensors(checkpoint, tinyMammut())
  await dropFiles(window, await window.context().newCDPSession(window), [checkpoint])
  await expect(window.getByText('The pack “openMaMMUT ViT-64/14” is ready')).toBeVisible({ timeout: 60_000 })
})

test('only one instance runs on a profile', async () => {
  const second = _electron.launch({
    executablePath: String(runtime.program),
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), `--user-data-dir=${userData}`, root],
  })
  await expect(
    second.then(
      (other) => other.waitForEvent('close'),
      () => 'ended',
    ),
  ).resolves.toBeDefined()
})
