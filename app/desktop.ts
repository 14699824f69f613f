/**
 * What only the desktop app can do for the window: declared once for the preload script, which offers it, and for the window, which uses
 * it.
 */
import type { PageFormat } from './contract/export.ts'

/** @typeParam Dropped The platform's type of a dropped file: app/ knows no DOM. */
export interface Desktop<Dropped> {
  platform: string
  /** The system's folder dialog; null when it was cancelled. */
  openFolderDialog: () => Promise<string[] | null>
  /** The path of a dropped file; empty where the system does not say. */
  pathForFile: (file: Dropped) => string
  /** Called with files and folders that come from the system: a menu, the dock, a command line. */
  onBring: (bring: (paths: string[]) => void) => void
  showInFolder: (path: string) => void
  /** Save a page of an export as a PDF where a person says; null when they cancelled. */
  savePdf: (exportId: string, format: PageFormat) => Promise<string | null>
  /** A notification of the system; a click on it brings the window to the front. */
  notify: (title: string, body: string) => void
}

/** Messages from the shell to the window: their channels and what they carry. */
export interface ToWindow {
  'tubelet:bring': [paths: string[]]
}
/** Messages from the window to the shell. */
export interface ToShell {
  'tubelet:notify': [title: string, body: string]
  'tubelet:show-in-folder': [path: string]
  /** A person dropped it: it may be read. The window waits until that is known. */
  'tubelet:dropped': [path: string]
}
/** Questions from the window to the shell: what is asked, and the answer. */
export interface AskShell {
  'tubelet:open-dialog': { asks: []; answer: string[] | null }
  'tubelet:save-pdf': { asks: [exportId: string, format: PageFormat]; answer: string | null }
}
