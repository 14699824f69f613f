/**
 * Which folders of this machine a window may look into and write to. Whoever has got hold of the key is then not able to read or write every file
 * that this person can. The rule, as docs/trust.md states it: a person's own folders and drives, but nothing hidden in them; folders that hold videos
 * of the library; folders chosen in a dialog of the system or named with --allow.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { TubeletError } from '../app/errors.ts'

/** Folders of a home in which programs keep their settings. */
const HIDDEN = process.platform === 'win32' ? /^(?:\.|appdata$)/i : process.platform === 'darwin' ? /^(?:\.|Library$)/ : /^\./
/** Where a Unix system mounts what is its own. */
const SYSTEM = /^\/(?:$|(?:bin|boot|dev|efi|etc|gnu|lib|lib64|nix|opt|proc|root|run|sbin|snap|sys|tmp|usr|var)(?:\/|$))/

export class Places {
  readonly #roots: string[]
  readonly #home: string
  /** Files and folders that exports made. */
  readonly #written = new Set<string>()

  /**
   * @param allowed Folders that were named by the person who started Tubelet.
   * @param own The person's own folders and drives.
   */
  constructor(allowed: readonly string[] = [], own: readonly string[] = ownFolders()) {
    this.#home = os.homedir()
    this.#roots = [...new Set([...own, ...allowed].map(real))]
  }

  /** Allow a folder or a file that a person chose in a dialog of the system, or dropped. */
  grant(place: string): void {
    this.#roots.push(real(place))
  }

  /** Remember what was written, so that it can be shown in its folder. */
  wrote(files: readonly string[]): void {
    for (const file of files) this.#written.add(path.resolve(file))
  }

  hasWritten(file: string): boolean {
    return this.#written.has(path.resolve(file))
  }

  /** Where looking around begins, and can go on: the home first, then drives and allowed folders. */
  starts(): string[] {
    const first = real(this.#home)
    const shown = this.#roots.filter((root) => root !== real(os.tmpdir()) && existsSync(root))
    return [...(shown.includes(first) ? [first] : []), ...shown.filter((root) => root !== first)]
  }

  /** Whether `place`, which need not exist, is in a folder that may be used. `more`: further such folders. */
  isOpen(place: string, more: () => Iterable<string> = () => []): boolean {
    const there = real(place)
    const within = (root: string) => {
      const below = path.relative(root, there)
      return !path.isAbsolute(below) && below.split(path.sep).every((name) => name !== '..' && !HIDDEN.test(name))
    }
    if (this.#roots.some(within)) return true
    for (const folder of more()) if (within(real(folder))) return true
    return false
  }

  /** @throws TubeletError `forbidden` */
  mustBeReadable(place: string, more?: () => Iterable<string>): void {
    if (this.isOpen(place, more)) return
    throw new TubeletError({
      code: 'forbidden',
      message: 'Tubelet lists your own folders and drives only, and nothing hidden in them.',
      file: place,
      stillWorks: 'A video in any folder can be added by its full path.',
      next: 'Type the full path of the video or of its folder, or start Tubelet with --allow and this folder.',
    })
  }

  /** For a file whose content is taken over. @throws TubeletError `forbidden` */
  mustBeTakeable(file: string, field: string, more?: () => Iterable<string>): void {
    if (this.isOpen(file, more)) return
    throw new TubeletError({
      code: 'forbidden',
      message: 'Tubelet imports from your own folders and drives and from folders of your videos, and from nothing hidden in them.',
      field,
      file,
      stillWorks: 'Nothing was read.',
      next: 'Copy the file into one of these, or start Tubelet with --allow and its folder.',
    })
  }

  /** @throws TubeletError `forbidden` */
  mustBeWritable(place: string, field: string, more?: () => Iterable<string>): void {
    if (this.isOpen(place, more)) return
    throw new TubeletError({
      code: 'forbidden',
      message: 'Tubelet writes only to your own folders and drives, to nothing hidden in them, and to folders of your videos.',
      field,
      file: place,
      stillWorks: 'Nothing was written.',
      next: 'Choose one of these, or start Tubelet with --allow and this folder.',
    })
  }
}

/** The place without links, as far as it exists. */
function real(place: string): string {
  const whole = path.resolve(place)
  try {
    return realpathSync(whole)
  } catch {
    const above = path.dirname(whole)
    return above === whole ? whole : path.join(real(above), path.basename(whole))
  }
}

/** The home, the temporary folder, the folder in which Tubelet was started, and mounted drives. */
function ownFolders(): string[] {
  // `npm start` runs in the project's folder and says where it was called.
  const from = process.env['INIT_CWD'] ?? process.cwd()
  // A program that is started by a desktop runs in the root, or in a folder of the system.
  const isOfSystem = process.platform === 'win32' ? /^[a-z]:\\(?:$|windows(?:\\|$)|program files)/i.test(from) : /^\/$/.test(from)
  return [os.homedir(), os.tmpdir(), ...(isOfSystem ? [] : [from]), ...drives()]
}

function drives(): string[] {
  if (process.platform === 'darwin') return namesIn('/Volumes').map((name) => path.join('/Volumes', name))
  if (process.platform === 'win32') {
    const system = (process.env['SystemDrive'] ?? 'C:').toUpperCase()
    const letters = Array.from({ length: 26 }, (_, nth) => `${String.fromCharCode(65 + nth)}:`)
    return letters.filter((drive) => drive !== system).map((drive) => `${drive}\\`)
  }
  return ['/media', '/mnt', '/run/media', ...mounted()]
}

/** Disks and network folders that are mounted outside the system's own folders. */
function mounted(): string[] {
  let text: string
  try {
    text = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [device = '', target = ''] = line.split(' ')
    // Spaces in names are written as octal numbers.
    const place = target.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    return /^\/dev\/|^\/\/|:/.test(device) && !SYSTEM.test(place) ? [place] : []
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
