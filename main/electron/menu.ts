/** The application menu. Keys of the window itself (search, export, review) are the window's own. */
import { app, Menu, type MenuItemConstructorOptions } from 'electron'

export interface MenuActions {
  addFiles: () => Promise<void>
  addFolder: () => Promise<void>
}

export function setMenu({ addFiles, addFolder }: MenuActions): void {
  const mac = process.platform === 'darwin'
  const file: MenuItemConstructorOptions = {
    label: '&File',
    submenu: [
      { label: 'Add &Files…', accelerator: 'CmdOrCtrl+O', click: () => void addFiles() },
      { label: 'Add F&older…', accelerator: 'CmdOrCtrl+Shift+O', click: () => void addFolder() },
      { type: 'separator' },
      mac ? { role: 'close' } : { role: 'quit' },
    ],
  }
  const view: MenuItemConstructorOptions = {
    label: '&View',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
      ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' as const }]),
    ],
  }
  // No Edit > Undo role: Ctrl+Z belongs to the window, which undoes reviews outside text fields and text inside them.
  const edit: MenuItemConstructorOptions = {
    label: '&Edit',
    submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
  }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([...(mac ? [{ role: 'appMenu' as const }] : []), file, edit, view, { role: 'windowMenu' }]),
  )
}
