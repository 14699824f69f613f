import type { Desktop } from '../app/desktop.ts'

declare global {
  interface Window {
    tubelet?: Desktop<File>
  }
}

/**
 * What the preload script provides in Electron. Null in a browser, where the window offers its own folder picker, and downloads a file
 * where the desktop would show its folder.
 */
export const desktop: Desktop<File> | null = window.tubelet ?? null
