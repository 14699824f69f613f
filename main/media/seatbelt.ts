/**
 * The fence of children on macOS: `sandbox-exec`, which is part of the system, with a profile in its language (SBPL; the last rule that fits holds).
 * Everything is allowed but the network, writing, and reading where users keep their files; of those, the child's input and output.
 */
import { accessSync, constants, realpathSync } from 'node:fs'
import path from 'node:path'

export interface Belt {
  tool: string
  /** Files that it reads, and folders whose files it reads. */
  inputs: readonly string[]
  folders: readonly string[]
  /** The one file that it writes. */
  output: string | undefined
}

export const SANDBOX = '/usr/bin/sandbox-exec'
/** The least that shows whether a profile is taken here. */
export const TRIED = ['-p', '(version 1)(allow default)(deny network*)']

/** Where users, their disks and their temporary files are. Programs, libraries and fonts of the system are elsewhere. */
const USERS = ['/Users', '/Volumes', '/Network', '/private/tmp', '/private/var']
/** What programs read below these to start. */
const SYSTEM = ['/private/var/db/dyld', '/private/var/db/timezone']

/** Begins the tool if its inputs can be opened. They come before `--`. `true` is no special builtin, which would end the shell where it fails. */
const CHECK = 'while [ "$1" != -- ]; do true < "$1" || { echo "$TOO_NARROW" >&2; exit 77; }; shift; done; shift; exec "$@"'

/**
 * Arguments of `sandbox-exec`, up to those of the tool itself. Names of files are parameters of the profile, so that none can be read as a part of it.
 * @param said What is written, with exit status 77, where an input is hidden that this user can read.
 */
export function belted({ tool, inputs, folders, output }: Belt, said: string): string[] {
  const names: string[] = []
  /** A rule's words for files, whose true names are parameters of the profile: the system compares no other. */
  const files = (kind: 'literal' | 'subpath', all: readonly string[]) =>
    all.map((file) => `(${kind} (param "F${names.push(file) - 1}"))`).join(' ')
  const itself = trueName(tool)
  const libraries = path.basename(path.dirname(itself)) === 'bin' ? [path.join(itself, '..', '..', 'lib')] : []
  const subpaths = (all: readonly string[]) => all.map((folder) => `(subpath "${folder}")`).join(' ')
  const profile = [
    '(version 1)(allow default)(deny network*)(deny file-write*)',
    `(deny file-read-data ${subpaths(USERS)})`,
    `(allow file-read-data ${subpaths(SYSTEM)} ${files('literal', [itself, ...inputs.map(trueName)])} ${files('subpath', [...libraries, ...folders.map(trueName)])})`,
    `(allow file-write* (subpath "/dev") ${output === undefined ? '' : files('literal', [path.join(trueName(path.dirname(output)), path.basename(output))])})`,
  ].join('')
  const readable = inputs.filter((input) => may(input, constants.R_OK))
  return [
    ...['-p', profile],
    ...names.flatMap((name, at) => ['-D', `F${at}=${name}`]),
    ...['/bin/sh', '-c', CHECK.replace('$TOO_NARROW', said), 'sh', ...readable, '--'],
  ]
}

/** The name by which the system knows a file, without links; the given one of a file that is missing, which its reader will tell. */
function trueName(file: string): string {
  try {
    return realpathSync.native(file)
  } catch {
    return path.resolve(file)
  }
}

/** Whether this user may do that with a file. @param what Of `constants` in node:fs. */
export function may(file: string, what: number): boolean {
  try {
    accessSync(file, what)
    return true
  } catch {
    return false
  }
}
