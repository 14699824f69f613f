/** The only bridge between the window and the desktop: what a page alone cannot do, and nothing else. Sandboxed, so CommonJS. */
const { contextBridge, ipcRenderer, webUtils } = require('electron') as typeof import('electron')

contextBridge.exposeInMainWorld('tubelet', {
  platform: process.platform,
  openFolderDialog: (): Promise<string[] | null> => ipcRenderer.invoke('tubelet:open-dialog') as Promise<string[] | null>,
  pathForFile: (file: File): string => webUtils.getPathForFile(file),
  onBring: (bring: (paths: string[]) => void): void => void ipcRenderer.on('tubelet:bring', (_event, paths: string[]) => bring(paths)),
  notify: (title: string, body: string): void => ipcRenderer.send('tubelet:notify', title, body),
  showInFolder: (path: string): void => ipcRenderer.send('tubelet:show-in-folder', path),
})
