/** What only a desktop can do. The preload script provides it in Electron; in a browser the same things are done within the page. */
export interface Desktop {
  platform: string
  /** The system's folder dialog; null when it was left without a choice. */
  openFolderDialog: () => Promise<string[] | null>
  /** The path of a dropped file; empty where the system does not tell. */
  pathForFile: (file: File) => string
  /** Hear of files and folders that came by the system: a menu, the dock, a command line. */
  onBring: (bring: (paths: string[]) => void) => void
  showInFolder: (path: string) => void
  /** Through the system; a click on it brings the window to the front. */
  notify: (title: string, body: string) => void
}

declare global {
  interface Window {
    tubelet?: Desktop
  }
}

/** Null in a browser: there the window offers its own folder picker, and downloads instead of showing a folder. */
export const desktop: Desktop | null = window.tubelet ?? null
