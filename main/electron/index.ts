/**
 * The desktop host: a window over the same handler as in the browser, at `tubelet://` instead of a port. It is thin on purpose:
 * everything behind it is tested without Electron.
 */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import v8 from 'node:v8'
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  type IpcMainEvent,
  type IpcMainInvokeEvent,
  Notification,
  protocol,
  session,
  shell,
} from 'electron'
import { PageFormat } from '../../app/contract/export.ts'
import type { AskShell, ToShell, ToWindow } from '../../app/desktop.ts'
import { inEnglish, problemOf } from '../../app/errors.ts'
import { Places } from '../places.ts'
import { lastProject, openLast, Projects } from '../projects.ts'
import { askInstead, Crashes, type Dialogs, isOurs, mayGo, mayShow, ORIGIN } from './decisions.ts'
import { forkUtility } from './engine-process.ts'
import { setMenu } from './menu.ts'
import { keepWindowState, windowState } from './window-state.ts'

protocol.registerSchemesAsPrivileged([
  { scheme: 'tubelet', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
])

// As `lean` in main/setup.mjs, as far as that can be said to a V8 that runs already.
v8.setFlagsFromString('--heap-growing-percent=30')

// Every page, also one that a fault in this file would open, is without Node and within the system's sandbox.
app.enableSandbox()

const places = new Places()
let projects: Projects | null = null
let window: BrowserWindow | null = null
let closing = false
/** Paths that came before the page was ready to receive them. */
const waiting: string[] = []

if (app.requestSingleInstanceLock()) void run()
else app.quit()

async function run(): Promise<void> {
  app.on('second-instance', (_event, argv, cwd) => {
    reveal()
    add(pathsIn(argv, cwd))
  })
  // macOS: a file dropped on the dock icon, possibly before the app is ready.
  app.on('open-file', (event, file) => {
    event.preventDefault()
    add([file])
  })
  app.on('web-contents-created', (_event, contents) => {
    // By links and scripts, by answers that redirect, and within frames.
    contents.on('will-navigate', (event) => {
      if (!mayGo(event)) event.preventDefault()
    })
    contents.on('will-redirect', (event) => {
      if (!mayGo(event)) event.preventDefault()
    })
    contents.on('will-frame-navigate', (event) => {
      if (!mayGo(event)) event.preventDefault()
    })
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  })
  app.on('window-all-closed', () => app.quit())
  app.on('before-quit', (event) => {
    if (closing || projects === null) return
    // First child processes end and the database closes; then the app quits.
    event.preventDefault()
    closing = true
    void projects.close().finally(() => app.quit())
  })

  await app.whenReady()
  projects = await openProjects(app.getPath('userData'))
  if (projects === null) {
    app.exit(1)
    return
  }
  const { handle } = projects
  protocol.handle('tubelet', (request) => (isOurs(request.url) ? handle(request) : new Response(null, { status: 403 })))
  lockDown()
  answerWindow()
  projects.onEvent((event) => {
    if (event.type === 'queue') window?.setProgressBar(event.queue.running + event.queue.waiting === 0 ? -1 : share(event.queue.jobs))
  })
  setMenu({ addFiles: () => choose('openFile'), addFolder: () => choose('openDirectory') })
  openWindow()
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow()
  })
  add(pathsIn(process.argv, process.cwd()))
}

/** Null where a person opens none. */
function openProjects(folder: string): Promise<Projects | null> {
  const file = path.join(folder, 'projects.json')
  const standard = path.join(folder, 'library')
  return openLast(
    lastProject(file),
    standard,
    (dir) => {
      const projects = new Projects(dir, { host: 'electron', fork: forkUtility, places }, file)
      projects.remember()
      return projects
    },
    (dir, problem) => askInstead(dir, problem, dialogs),
  )
}

const dialogs: Dialogs = {
  press: async (message, detail, buttons) => {
    const asked = { type: 'warning' as const, title: 'Tubelet', message, detail, buttons: [...buttons], defaultId: 0 }
    return (await dialog.showMessageBox({ ...asked, cancelId: buttons.length - 1 })).response
  },
  folder: async () => (await dialog.showOpenDialog({ properties: ['openDirectory', 'createDirectory'] })).filePaths[0] ?? null,
}

/** Denies all permissions and all network requests: the window needs neither. */
function lockDown(): void {
  const { defaultSession } = session
  defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  defaultSession.setPermissionCheckHandler(() => false)
  defaultSession.webRequest.onBeforeRequest(
    { urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*'] },
    (_details, decide) => decide({ cancel: true }),
  )
}

type Unknown<T extends unknown[]> = { [K in keyof T]: unknown }

function answerWindow(): void {
  const fromUs = (event: IpcMainEvent | IpcMainInvokeEvent) => event.senderFrame !== null && isOurs(event.senderFrame.url)
  // Messages from the preload script have these types; anything else is an attack.
  const answer = <C extends keyof AskShell>(
    channel: C,
    of: (event: IpcMainInvokeEvent, ...asks: Unknown<AskShell[C]['asks']>) => Promise<AskShell[C]['answer']>,
  ) => ipcMain.handle(channel, (event, ...asks) => of(event, ...(asks as Unknown<AskShell[C]['asks']>)))
  const hear = <C extends keyof ToShell>(channel: C, listener: (event: IpcMainEvent, ...message: Unknown<ToShell[C]>) => void) =>
    ipcMain.on(channel, (event, ...message) => listener(event, ...(message as Unknown<ToShell[C]>)))
  answer('tubelet:open-dialog', async (event) => {
    if (!fromUs(event) || window === null) return null
    const { canceled, filePaths } = await dialog.showOpenDialog(window, { properties: ['openDirectory', 'multiSelections'] })
    if (canceled) return null
    // What a person chose in the system's dialog may be written to.
    for (const chosen of filePaths) places.grant(chosen)
    return filePaths
  })
  answer('tubelet:save-pdf', async (event, exportId, given) => {
    const format = PageFormat.safeParse(given)
    if (!fromUs(event) || window === null || typeof exportId !== 'string' || !format.success) return null
    const { filePath } = await dialog.showSaveDialog(window, {
      defaultPath: `${format.data}.pdf`,
      filters: [{ name: 'PDF', extensions: ['pdf'] }],
    })
    if (filePath === '') return null
    try {
      await writeFile(filePath, await pdfOf(`${ORIGIN}/api/exports/${encodeURIComponent(exportId)}/page?format=${format.data}`))
      return filePath
    } catch (error) {
      const { message, next } = inEnglish(problemOf(error))
      await dialog.showMessageBox(window, {
        type: 'warning',
        title: 'Tubelet',
        message: 'The PDF could not be saved.',
        detail: `${message} ${next}`,
      })
      return null
    }
  })
  hear('tubelet:notify', (event, title, body) => {
    if (fromUs(event) && typeof title === 'string' && typeof body === 'string') notify(title, body)
  })
  hear('tubelet:dropped', (event, file) => {
    if (fromUs(event) && typeof file === 'string' && path.isAbsolute(file)) places.grant(file)
    event.returnValue = null
  })
  hear('tubelet:show-in-folder', (event, file) => {
    if (!fromUs(event) || typeof file !== 'string' || projects === null) return
    const { library } = projects.current
    const videos = () => library.sources().map((source) => source.path)
    if (mayShow(file, { projectDir: library.projectDir, videos, hasWritten: (one) => places.hasWritten(one) }) && existsSync(file))
      shell.showItemInFolder(file)
  })
}

/** A page of ours on paper, by its own styles for that. */
async function pdfOf(url: string): Promise<Uint8Array> {
  const page = new BrowserWindow({ show: false, webPreferences: { sandbox: true, javascript: false } })
  try {
    await page.loadURL(url)
    return await page.webContents.printToPDF({ preferCSSPageSize: true, printBackground: true })
  } finally {
    page.destroy()
  }
}

function openWindow(): void {
  const state = windowState()
  window = new BrowserWindow({
    ...state.bounds,
    minWidth: 1024,
    minHeight: 700,
    show: false,
    title: 'Tubelet',
    webPreferences: {
      preload: path.join(import.meta.dirname, 'preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  if (state.maximized) window.maximize()
  keepWindowState(window)
  window.once('ready-to-show', () => window?.show())
  window.on('closed', () => (window = null))
  const crashes = new Crashes()
  window.webContents.on('render-process-gone', (_event, { reason }) => void afterCrash(crashes.after(reason)))
  // The page is listening by then. After a reload it listens again, and nothing is waiting.
  window.webContents.on('did-finish-load', () => add([]))
  void window.loadURL(`${ORIGIN}/`)
}

/** The library and the queue live in another process, which goes on. */
async function afterCrash(what: ReturnType<Crashes['after']>): Promise<void> {
  const stopped = window
  if (what === 'nothing' || stopped === null) return
  if (what === 'ask') {
    const { response } = await dialog.showMessageBox(stopped, {
      type: 'warning',
      title: 'Tubelet',
      message: 'The window keeps ending unexpectedly.',
      detail: 'Your library is unharmed, and analysis goes on. What was typed and not saved is offered again.',
      buttons: ['Open it again', 'Quit'],
      defaultId: 0,
      cancelId: 0,
    })
    if (response === 1) {
      app.quit()
      return
    }
  }
  if (!stopped.isDestroyed()) await stopped.loadURL(`${ORIGIN}/`)
}

function reveal(): void {
  if (window === null) return
  if (window.isMinimized()) window.restore()
  window.focus()
}

function notify(title: string, body: string): void {
  if (!Notification.isSupported()) return
  const notification = new Notification({ title, body })
  notification.on('click', reveal)
  notification.show()
}

async function choose(property: 'openFile' | 'openDirectory'): Promise<void> {
  if (window === null) return
  const { filePaths } = await dialog.showOpenDialog(window, { properties: [property, 'multiSelections'] })
  add(filePaths)
}

/** Paths from the system, the menu or the command line are handled like files dropped on the window, which shows what became of them. */
function add(paths: readonly string[]): void {
  for (const one of paths) places.grant(one)
  waiting.push(...paths)
  // Before the page has loaded nobody would receive them: they are sent as soon as it has.
  if (waiting.length === 0 || window === null || window.webContents.isLoadingMainFrame() || window.webContents.getURL() === '') return
  const message: ToWindow['tubelet:bring'] = [waiting.splice(0)]
  window.webContents.send('tubelet:bring', ...message)
}

/** Existing files and folders among command-line arguments, without the program itself and the app's own folder. */
function pathsIn(argv: readonly string[], cwd: string): string[] {
  return argv
    .slice(app.isPackaged ? 1 : 2)
    .filter((arg) => !arg.startsWith('-'))
    .map((arg) => path.resolve(cwd, arg))
    .filter((file) => existsSync(file))
}

function share(jobs: readonly { progress: number; state: string }[]): number {
  const open = jobs.filter(({ state }) => state === 'queued' || state === 'running')
  return jobs.length === 0 ? 0 : (jobs.length - open.length + open.reduce((sum, { progress }) => sum + progress, 0)) / jobs.length
}
