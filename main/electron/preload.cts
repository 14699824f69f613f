/** The only bridge between the window and the desktop: what a page alone cannot do, and nothing else. Sandboxed, so CommonJS. */
import type { AskShell, Desktop, ToShell, ToWindow } from '../../app/desktop.ts' with { 'resolution-mode': 'import' }

const { contextBridge, ipcRenderer, webUtils } = require('electron') as typeof import('electron')

function send<C extends keyof ToShell>(channel: C, ...message: ToShell[C]): void {
  ipcRenderer.send(channel, ...message)
}
function ask<C extends keyof AskShell>(channel: C, ...asks: AskShell[C]['asks']): Promise<AskShell[C]['answer']> {
  return ipcRenderer.invoke(channel, ...asks) as Promise<AskShell[C]['answer']>
}
function hear<C extends keyof ToWindow>(channel: C, listener: (...message: ToWindow[C]) => void): void {
  ipcRenderer.on(channel, (_event, ...message) => listener(...(message as ToWindow[C])))
}

const desktop: Desktop<File> = {
  platform: process.platform,
  openFolderDialog: () => ask('tubelet:open-dialog'),
  pathForFile: (file) => {
    const path = webUtils.getPathForFile(file)
    // A file that a script made has no path.
    if (path !== '') ipcRenderer.sendSync('tubelet:dropped' satisfies keyof ToShell, path)
    return path
  },
  onBring: (bring) => hear('tubelet:bring', bring),
  notify: (title, body) => send('tubelet:notify', title, body),
  showInFolder: (path) => send('tubelet:show-in-folder', path),
  savePdf: (exportId, format) => ask('tubelet:save-pdf', exportId, format),
}
contextBridge.exposeInMainWorld('tubelet', desktop)
