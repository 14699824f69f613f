/** What the shell decides, apart from Electron, so that it can be tested without. */
import path from 'node:path'

export const ORIGIN = 'tubelet://app'

/** Whether an address is the window's own. */
export function isOurs(url: string): boolean {
  return url === ORIGIN || url.startsWith(`${ORIGIN}/`)
}

/** Whether a page may go to an address: the window to its own pages, frames within it nowhere. */
export function mayGo({ url, isMainFrame }: { url: string; isMainFrame: boolean }): boolean {
  return isMainFrame && isOurs(url)
}

/** Crashes of the window that are put right without asking, and the milliseconds in which they are counted. */
const QUIET_CRASHES = 2
const CRASH_SPAN_MS = 60_000

/** What to do when the process of the window has ended: load it again, or ask, where that does not help. */
export class Crashes {
  #times: number[] = []

  after(reason: string, now = Date.now()): 'nothing' | 'reload' | 'ask' {
    if (reason === 'clean-exit') return 'nothing'
    this.#times = [...this.#times.filter((time) => now - time < CRASH_SPAN_MS), now]
    return this.#times.length > QUIET_CRASHES ? 'ask' : 'reload'
  }
}

/** Whether a file may be shown in its folder: a video of the library, something that an export wrote, or something of the library itself. */
export function mayShow(
  file: string,
  known: { projectDir: string; videos: () => readonly string[]; hasWritten: (file: string) => boolean },
): boolean {
  // A network path would send this person's name and a proof of the password to its server.
  if (!path.isAbsolute(file) || /^[\\/]{2}/.test(file)) return false
  const within = path.relative(known.projectDir, file)
  const isInside = within !== '' && within.split(path.sep)[0] !== '..' && !path.isAbsolute(within)
  return isInside || known.hasWritten(file) || known.videos().includes(file)
}
