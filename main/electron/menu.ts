/** The application menu. The window itself handles its keys (search, export, review). */
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
  // No Undo role: the window handles Ctrl+Z, which undoes reviews outside text fields and typing inside them.
  const edit: MenuItemConstructorOptions = {
    label: '&Edit',
    submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
  }
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([...(mac ? [{ role: 'appMenu' as const }] : []), file, edit, view, { role: 'windowMenu' }]),
  )
}
