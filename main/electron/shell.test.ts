/** The shell itself, started with a stand-in for Electron's runtime: what it asks Electron to forbid, and what it answers to whom. */
import { EventEmitter } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

/** What the stand-in was asked for. */
const asked = vi.hoisted(() => ({
  sandboxed: false,
  loaded: [] as string[],
  windows: [] as { webPreferences: Record<string, unknown> }[],
  questions: [] as { message: string; buttons: string[] }[],
  /** The button that is pressed next. */
  press: 0,
  shown: [] as string[],
  engines: 0,
  cancel: null as ((details: unknown, decide: (how: { cancel: boolean }) => void) => void) | null,
  permit: null as ((contents: unknown, permission: string, decide: (granted: boolean) => void) => void) | null,
  pages: null as ((request: Request) => Response | Promise<Response>) | null,
  calls: new Map<string, (event: unknown, ...message: unknown[]) => unknown>(),
}))
const electron = vi.hoisted(() => ({ app: null as EventEmitter | null, contents: null as EventEmitter | null, userData: '' }))

vi.mock('electron', async () => {
  const events = await import('node:events')
  const app = Object.assign(new events.EventEmitter(), {
    isPackaged: true,
    enableSandbox: () => void (asked.sandboxed = true),
    requestSingleInstanceLock: () => true,
    whenReady: () => Promise.resolve(),
    getPath: () => electron.userData,
    quit: () => void app.emit('before-quit', { preventDefault: () => undefined }),
    exit: () => undefined,
  })
  electron.app = app
  class BrowserWindow extends events.EventEmitter {
    static getAllWindows = () => asked.windows
    webContents = Object.assign(new events.EventEmitter(), {
      isLoadingMainFrame: () => false,
      getURL: () => 'tubelet://app/',
      send: () => undefined,
      printToPDF: () => Promise.resolve(Buffer.from('%PDF')),
    })
    constructor(options: { webPreferences: Record<string, unknown> }) {
      super()
      asked.windows.push(options)
      electron.contents = this.webContents
    }
    loadURL = (url: string) => (asked.loaded.push(url), Promise.resolve())
    isDestroyed = () => false
    destroy = () => undefined
    setProgressBar = () => undefined
    maximize = () => undefined
    show = () => undefined
  }
  const dialog = {
    showMessageBox: (...given: { message: string; buttons: string[] }[]) => {
      const { message, buttons } = given.at(-1) ?? { message: '', buttons: [] }
      asked.questions.push({ message, buttons })
      return Promise.resolve({ response: asked.press })
    },
    showOpenDialog: () => Promise.resolve({ canceled: true, filePaths: [] }),
    showSaveDialog: () => Promise.resolve({ canceled: false, filePath: `${electron.userData}/saved.pdf` }),
  }
  const answer = (channel: string, of: (event: unknown, ...message: unknown[]) => unknown) => void asked.calls.set(channel, of)
  return {
    app,
    BrowserWindow,
    dialog,
    ipcMain: { handle: answer, on: answer },
    Menu: { setApplicationMenu: () => undefined, buildFromTemplate: () => null },
    Notification: { isSupported: () => false },
    protocol: { registerSchemesAsPrivileged: () => undefined, handle: (_: string, of: typeof asked.pages) => void (asked.pages = of) },
    screen: { getDisplayMatching: () => ({ workArea: { x: 0, y: 0, width: 1, height: 1 } }) },
    session: {
      defaultSession: {
        setPermissionRequestHandler: (of: typeof asked.permit) => void (asked.permit = of),
        setPermissionCheckHandler: () => undefined,
        webRequest: { onBeforeRequest: (_: unknown, of: typeof asked.cancel) => void (asked.cancel = of) },
      },
    },
    shell: { showItemInFolder: (file: string) => void asked.shown.push(file) },
    // An engine that never answers.
    utilityProcess: {
      fork: () => {
        asked.engines += 1
        const engine = Object.assign(new events.EventEmitter(), {
          pid: 1,
          postMessage: () => undefined,
          kill: () => engine.emit('exit', 0),
        })
        return engine
      },
    },
  }
})

beforeAll(async () => {
  electron.userData = mkdtempSync(path.join(os.tmpdir(), 'tubelet-shell-start-'))
  // The library that was open last is no library, and has no backup: a person opens the standard one.
  const last = path.join(electron.userData, 'last')
  mkdirSync(last)
  writeFileSync(path.join(last, 'library.sqlite'), 'no library at all, but longer than nothing'.repeat(200))
  writeFileSync(path.join(electron.userData, 'projects.json'), JSON.stringify([{ path: last, openedAt: '2026-01-01' }]))
  for (const name of ['XDG_DATA_HOME', 'XDG_CACHE_HOME']) vi.stubEnv(name, path.join(electron.userData, name))
  asked.press = 2
  await import('./index.ts')
  await vi.waitUntil(() => asked.loaded.length > 0, 50_000)
}, 60_000)
afterAll(async () => {
  const ends = new Promise((resolve) => electron.app?.once('quitting', resolve))
  const app = electron.app ?? expect.fail()
  Object.assign(app, { quit: () => app.emit('quitting') })
  app.emit('before-quit', { preventDefault: () => undefined })
  await ends
  vi.unstubAllEnvs()
  rmSync(electron.userData, { recursive: true, force: true })
}, 60_000)

test('a library that cannot be opened is told before there is a window, and another one opened as a person said', () => {
  expect(asked.questions).toEqual([
    {
      message: 'Tubelet could not open its library.',
      buttons: ['Try again', 'Choose another library…', 'Open the standard library', 'Quit'],
    },
  ])
  expect(asked.engines).toBeGreaterThan(0)
})

test('every page is in a sandbox without Node, and is given nothing that needs a permission or the network', async () => {
  expect(asked.sandboxed).toBe(true)
  expect(asked.windows.map(({ webPreferences }) => webPreferences)).toEqual([
    expect.objectContaining({ sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false }),
  ])
  expect(await new Promise((resolve) => asked.permit?.(null, 'media', resolve))).toBe(false)
  expect(await new Promise((resolve) => asked.cancel?.(null, resolve))).toEqual({ cancel: true })
  const page = async (url: string) => (await asked.pages?.(new Request(url)))?.status
  expect([await page('tubelet://app/api/person'), await page('tubelet://elsewhere/api/person')]).toEqual([200, 403])
})

test('a page goes nowhere else: by a link, a redirect, a frame, a window or a guest', () => {
  const contents = new EventEmitter()
  let opens: unknown
  Object.assign(contents, { setWindowOpenHandler: (of: () => unknown) => (opens = of()) })
  electron.app?.emit('web-contents-created', {}, contents)
  const goes = (event: string, url: string, isMainFrame: boolean) => {
    let prevented = false
    contents.emit(event, { url, isMainFrame, preventDefault: () => (prevented = true) })
    return !prevented
  }
  for (const event of ['will-navigate', 'will-redirect', 'will-frame-navigate']) {
    expect([event, goes(event, 'tubelet://app/x', true)]).toEqual([event, true])
    for (const [url, isMain] of [
      ['https://example.com/', true],
      ['file:///etc/passwd', true],
      ['tubelet://app/x', false],
    ] as const)
      expect([event, url, goes(event, url, isMain)]).toEqual([event, url, false])
  }
  expect(goes('will-attach-webview', 'tubelet://app/', true)).toBe(false)
  expect(opens).toEqual({ action: 'deny' })
})

test('only the window’s own page is answered', async () => {
  const from = (url: string | null) => ({ senderFrame: url === null ? null : { url }, returnValue: undefined as unknown })
  const inLibrary = path.join(electron.userData, 'library', 'library.sqlite')
  for (const stranger of [from('https://example.com/'), from('tubelet://app.evil/'), from(null)]) {
    expect(await asked.calls.get('tubelet:open-dialog')?.(stranger)).toBeNull()
    asked.calls.get('tubelet:show-in-folder')?.(stranger, inLibrary)
  }
  expect(asked.shown).toEqual([])
  const own = from('tubelet://app/')
  for (const file of [inLibrary, '/etc/passwd', 7, '//server/share']) asked.calls.get('tubelet:show-in-folder')?.(own, file)
  expect(asked.shown).toEqual([inLibrary])
})

test('a window whose process ends is loaded again, and asks where that does not help', async () => {
  asked.loaded.length = asked.questions.length = asked.press = 0
  for (const _ of [1, 2, 3]) electron.contents?.emit('render-process-gone', {}, { reason: 'crashed' })
  await expect.poll(() => asked.loaded).toHaveLength(3)
  expect(asked.questions.map(({ message }) => message)).toEqual(['The window keeps ending unexpectedly.'])
})

test('a page of an export is saved as a PDF where a person says, through a window that runs nothing', async () => {
  const save = asked.calls.get('tubelet:save-pdf') ?? expect.fail()
  const own = { senderFrame: { url: 'tubelet://app/' } }
  const before = asked.loaded.length
  expect(await save({ senderFrame: { url: 'https://example.com/' } }, 'one', 'report')).toBeNull()
  expect(await save(own, 'one', '../../secret')).toBeNull()
  expect(asked.loaded).toHaveLength(before)
  const file = path.join(electron.userData, 'saved.pdf')
  expect(await save(own, '../one', 'report')).toBe(file)
  expect(asked.loaded.at(-1)).toBe('tubelet://app/api/exports/..%2Fone/page?format=report')
  expect(asked.windows.at(-1)).toMatchObject({ show: false, webPreferences: { sandbox: true, javascript: false } })
  expect(readFileSync(file, 'utf8')).toBe('%PDF')
})
