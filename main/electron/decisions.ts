/** What the shell decides, apart from Electron, so that it can be tested without. */
import path from 'node:path'
import { type ErrorCode, inEnglish, type Problem } from '../../app/errors.ts'
import { type Backup, backupsOf } from '../library/backups.ts'
import type { Instead } from '../projects.ts'

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

/** The system's dialogs, as far as the start needs them. */
export interface Dialogs {
  /** @returns Which button was pressed; the last one where the dialog was closed in another way. */
  press: (message: string, detail: string, buttons: readonly string[]) => Promise<number>
  /** @returns The folder that was chosen; null for none. */
  folder: () => Promise<string | null>
}

/** Where a backup helps: the library is damaged, or gone from its folder. */
const LOST: ReadonlySet<ErrorCode> = new Set(['file-unreadable', 'file-missing'])
/** So many backups are offered: the newest, but what was set aside (damaged, most likely) after all others. */
const OFFERED = 6

/** Asks what to do about a library that cannot be opened. Restoring is offered where there are backups and one may help. */
export async function askInstead(dir: string, problem: Problem, { press, folder }: Dialogs): Promise<Instead> {
  const { message, next } = inEnglish(problem)
  const backups = LOST.has(problem.code) ? offered(dir) : []
  const ways: [label: string, take: () => Instead | Promise<Instead | null>][] = [
    ['Try again', () => ({ open: 'again' })],
    ['Choose another library…', async () => whereChosen(await folder())],
    ['Open the standard library', () => ({ open: 'default' })],
    ['Quit', () => ({ open: 'none' })],
  ]
  if (backups.length > 0) ways.unshift(['Restore a backup…', () => askBackup(backups, press)])
  for (;;) {
    const pressed = await press(
      'Tubelet could not open its library.',
      [dir, [message, next].join(' ')].join('\n\n'),
      ways.map(([label]) => label),
    )
    const instead = await ways[pressed]?.[1]()
    if (instead) return instead
  }
}

const whereChosen = (folder: string | null): Instead | null => (folder === null ? null : { open: 'other', folder })

function offered(dir: string): Backup[] {
  const isAside = ({ kind }: Backup) => Number(kind === 'set-aside')
  return backupsOf(dir)
    .sort((a, b) => isAside(a) - isAside(b))
    .slice(0, OFFERED)
}

async function askBackup(backups: readonly Backup[], press: Dialogs['press']): Promise<Instead | null> {
  const pressed = await press(
    'Which backup takes the place of the library?',
    'The library as it is now is kept beside the backups, and can be restored like one of them.',
    [...backups.map(labelOf), 'Back'],
  )
  const backup = backups[pressed]
  return backup === undefined ? null : { open: 'restored', backup: backup.name }
}

function labelOf({ madeAt, bytes, kind }: Backup): string {
  const at = new Date(madeAt).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' })
  return `${at}, ${(bytes / 1e6).toFixed(1)} MB${kind === 'set-aside' ? ' (set aside)' : ''}`
}
