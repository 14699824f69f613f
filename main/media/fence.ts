/**
 * What limits a child that reads a stranger's file, where the system offers it: how much memory it may ask for, how long it may compute, how large a
 * file it may write, and no network. On Linux these are set by util-linux's `prlimit` and `unshare`, which become the child themselves, so that it
 * keeps its process id. Elsewhere only what `startTool` and `runTool` do themselves holds.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface Fence {
  /** Bytes of memory that the child may ask for; null if there is no limit. */
  memory: number | null
  /** Whether it is without a network. */
  noNetwork: boolean
}

interface Limits {
  /** Seconds of computing, over all its threads. */
  seconds?: number | undefined
  /** Size of a file that it writes. */
  fileBytes?: number | undefined
}

const GIB = 2 ** 30
/**
 * Large pictures in many threads ask for gigabytes, most of which they never touch; a forged size asks for more than there is.
 */
const MEMORY = Math.max(4 * GIB, Math.floor(os.totalmem() / 2))

/** The super user keeps its rights over others' files only without a user namespace. */
const UNSHARE = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-current-user', '--net']

interface Found {
  prlimit: string | null
  unshare: string | null
}
let found: Found | null = null

/** What this system offers, tried once in each thread. */
function tools(): Found {
  return (found ??=
    process.platform === 'linux'
      ? { prlimit: working('prlimit', [`--as=${MEMORY}`, '--core=0', '--']), unshare: working('unshare', [...UNSHARE, '--']) }
      : { prlimit: null, unshare: null })
}

/** The path of a program if it can run another one with these arguments. */
function working(name: string, args: readonly string[]): string | null {
  const file = ['/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)]
    .map((folder) => path.join(folder, name))
    .find((candidate) => path.isAbsolute(candidate) && isProgram(candidate))
  const dry = file === undefined ? null : spawnSync(file, [...args, file, '--version'], { stdio: 'ignore', timeout: 5_000 })
  return file !== undefined && dry?.status === 0 ? file : null
}

export function fenceHere(): Fence {
  const { prlimit, unshare } = tools()
  return { memory: prlimit === null ? null : MEMORY, noNetwork: unshare !== null }
}

/** The command that runs `tool` within the fence. A tool that is not there is left for the caller to fail with. */
export function fenced(tool: string, args: readonly string[], { seconds, fileBytes }: Limits = {}): [command: string, args: string[]] {
  if (!isProgram(tool)) return [tool, [...args]]
  const { prlimit, unshare } = tools()
  const limits = [
    `--as=${MEMORY}`,
    '--core=0',
    ...(seconds === undefined ? [] : [`--cpu=${Math.ceil(seconds)}`]),
    ...(fileBytes === undefined ? [] : [`--fsize=${Math.ceil(fileBytes)}`]),
  ]
  const [command = tool, ...rest] = [
    ...(prlimit === null ? [] : [prlimit, ...limits, '--']),
    ...(unshare === null ? [] : [unshare, ...UNSHARE, '--']),
    tool,
    ...args,
  ]
  return [command, rest]
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
