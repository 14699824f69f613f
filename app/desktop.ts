/** What only a desktop can do for the window: declared once for the preload script, which offers it, and for the window, which uses it. */

/** @typeParam Dropped How the platform has a file that was dropped: app knows no DOM. */
export interface Desktop<Dropped> {
  platform: string
  /** The system's folder dialog; null when it was left without a choice. */
  openFolderDialog: () => Promise<string[] | null>
  /** The path of a dropped file; empty where the system does not tell. */
  pathForFile: (file: Dropped) => string
  /** Hear of files and folders that came by the system: a menu, the dock, a command line. */
  onBring: (bring: (paths: string[]) => void) => void
  showInFolder: (path: string) => void
  /** Through the system; a click on it brings the window to the front. */
  notify: (title: string, body: string) => void
}

/** Messages from the shell to the window, by their channel, with what they carry. */
export interface ToWindow {
  'tubelet:bring': [paths: string[]]
}
/** Messages from the window to the shell. */
export interface ToShell {
  'tubelet:notify': [title: string, body: string]
  'tubelet:show-in-folder': [path: string]
}
/** Questions of the window to the shell: what is asked, and the answer. */
export interface AskShell {
  'tubelet:open-dialog': { asks: []; answer: string[] | null }
}
