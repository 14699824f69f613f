/**
 * What limits a child that reads a stranger's file, where the system offers it: how much memory it may ask for, how long it may compute, how large a
 * file it may write, no network, and no files but its input, its output and the system's programs. On Linux these are set by util-linux's `prlimit`
 * and `unshare` and, for the files, by the kernel's Landlock (5.13 and later, no rights needed), which Perl calls; on macOS network and files by
 * `sandbox-exec` (seatbelt.ts). Each becomes the child itself, so that it keeps its process id. Elsewhere only what `startTool` and `runTool` do themselves holds.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, realpathSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { belted, may, SANDBOX, TRIED } from './seatbelt.ts'

export interface Fence {
  /** Bytes of memory that the child may ask for; null if there is no limit. */
  memory: number | null
  /** Whether it is without a network. */
  noNetwork: boolean
  /** Whether it can open its input and its output only, of all files that are not the system's programs. */
  noFiles: boolean
}

export interface Limits {
  /** Seconds of computing, over all its threads. */
  seconds?: number | undefined
  /** The file that it writes, and its largest size. A child writes no other file. */
  output?: { file: string; bytes: number } | undefined
}

const GIB = 2 ** 30
/**
 * Large pictures in many threads ask for gigabytes, most of which they never touch; a forged size asks for more than there is.
 */
const MEMORY = Math.max(4 * GIB, Math.floor(os.totalmem() / 2))

/** The super user keeps its rights over others' files only without a user namespace. */
const UNSHARE = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-current-user', '--net']

/** Number of the system call `prctl`; those of Landlock are the same everywhere. */
const PRCTL: Partial<Record<string, number>> = { x64: 157, arm64: 167 }

/** What programs need to start: programs and libraries, and what tells them of the machine. None of it is of a user. */
const PROGRAMS = ['/usr', '/lib', '/lib32', '/lib64', '/bin', '/etc/ld.so.cache', '/etc/ld.so.preload', '/sys/devices/system']
/** Libraries of TLS do not start without their settings. */
const TLS = ['/etc/ssl/openssl.cnf', '/etc/pki/tls/openssl.cnf', '/etc/crypto-policies', '/etc/gnutls', '/etc/gcrypt']
const DEVICES = ['/dev/null', '/dev/zero', '/dev/urandom', '/dev/random', '/proc/cpuinfo', '/proc/meminfo', '/proc/stat']

/** Exit status, and the beginning of the message, of a fence that would have kept the tool from its own input. */
const TOO_NARROW = { code: 77, said: 'tubelet: the fence hides the input' }

/**
 * Arguments: the number of `prctl`; files and folders, each after x (programs), r (read) or w (written, made if it is not there); `--`; the tool and its
 * arguments. The numbers are those of linux/landlock.h: system calls 444 to 446; rights execute 1, write 2, read 4, list 8, truncate 0x4000; all rights
 * of files, of TCP and of signals that this kernel knows are taken away first. Files stay open, so that file systems that forget what a file was (9p)
 * know it again.
 */
const HIDE = `
$^F = 1e6;
my $prctl = shift;
my $abi = syscall 444, 0, 0, 1;
exit 1 if $abi < 1;
my $all = $abi >= 5 ? 0xffff : $abi >= 3 ? 0x7fff : $abi == 2 ? 0x3fff : 0x1fff;
my $rules = pack $abi >= 6 ? 'Q3' : $abi >= 4 ? 'Q2' : 'Q', $all, 3, 3;
my $set = syscall 444, $rules, length $rules, 0;
exit 1 if $set < 0;
my (@held, @inputs);
while (defined(my $arg = shift)) {
  last if $arg eq '--';
  my ($kind, $file) = $arg =~ /^([xrw])(.*)$/s;
  if (!sysopen my $held, $file, $kind eq 'w' ? 0101 : 010000000) {
    next if $kind ne 'w';
    print STDERR "$file: $!\n";
    exit 1;
  } else {
    my $right = $kind eq 'w' ? ($abi >= 3 ? 0x4006 : 6) : $kind eq 'r' ? 4 : -d $held ? 13 : 5;
    exit 1 if syscall 445, $set, 1, pack('Ql', $right, fileno $held), 0;
    push @held, $held;
    push @inputs, $file if $kind eq 'r' && -f $held && -r $file;
  }
}
exit 1 if syscall($prctl, 38, 1, 0, 0, 0) || syscall(446, $set, 0);
for my $input (@inputs) {
  next if open my $again, '<', $input;
  print STDERR "${TOO_NARROW.said}\n";
  exit ${TOO_NARROW.code};
}
exec { $ARGV[0] } @ARGV;
exit 127;
`

interface Found {
  prlimit: string | null
  unshare: string | null
  perl: string | null
  /** Of macOS. */
  sandbox: string | null
}

/** What all threads of this process know of it together. */
const TOGETHER = 'tubelet-fence'
interface Together {
  found: Found | null
  /** [0] is 1 once the tools did not work with files hidden from them. */
  open: Int32Array<SharedArrayBuffer>
}
const together = (getEnvironmentData(TOGETHER) as unknown as Together | undefined) ?? {
  found: null,
  open: new Int32Array(new SharedArrayBuffer(4)),
}
const share = () => setEnvironmentData(TOGETHER, together)
share()

/** What this system offers, tried once, and in threads that were started before. */
function tools(): Found {
  if (together.found !== null) return together.found
  const isLinux = process.platform === 'linux'
  const prctl = PRCTL[process.arch]
  together.found = {
    prlimit: isLinux ? working('prlimit', [`--as=${MEMORY}`, '--core=0', '--']) : null,
    unshare: isLinux ? working('unshare', [...UNSHARE, '--']) : null,
    perl:
      isLinux && prctl !== undefined ? working('perl', ['-e', HIDE, String(prctl), ...PROGRAMS.map((place) => `x${place}`), '--']) : null,
    sandbox: process.platform === 'darwin' && runs(SANDBOX, [...TRIED, '/usr/bin/true']) ? SANDBOX : null,
  }
  share()
  return together.found
}

/** The path of a program if it can run another one with these arguments. */
function working(name: string, args: readonly string[]): string | null {
  const file = ['/usr/bin', '/bin', ...(process.env['PATH'] ?? '').split(path.delimiter)]
    .map((folder) => path.join(folder, name))
    .find((candidate) => path.isAbsolute(candidate) && isProgram(candidate))
  return file !== undefined && runs(file, [...args, file, '--version']) ? file : null
}

function runs(file: string, args: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore', timeout: 5_000 }).status === 0
}

export function fenceHere(): Fence {
  const { prlimit, unshare, perl, sandbox } = tools()
  const hides = together.open[0] === 0
  return {
    memory: prlimit === null ? null : MEMORY,
    noNetwork: unshare !== null || (sandbox !== null && hides),
    noFiles: (perl ?? sandbox) !== null && hides,
  }
}

/** Hide no files any more: with them hidden the tools do not work here. False if none were hidden. */
export function hideNothing(): boolean {
  return Atomics.exchange(together.open, 0, 1) === 0 && (tools().perl ?? tools().sandbox) !== null
}

/** Whether a tool did not begin because the fence kept it from its own input. */
export function isTooNarrow(code: number | null, stderr: string): boolean {
  return code === TOO_NARROW.code && stderr.startsWith(TOO_NARROW.said)
}

/** The command that runs `tool` within the fence. A tool that is not there is left for the caller to fail with. */
export function fenced(tool: string, args: readonly string[], { seconds, output }: Limits = {}): [command: string, args: string[]] {
  if (!isProgram(tool)) return [tool, [...args]]
  const { prlimit, unshare, perl, sandbox } = tools()
  if (sandbox !== null && together.open[0] === 0 && isBinary(tool))
    return [sandbox, [...belted({ tool, ...inputsOf(args), output: output?.file }, TOO_NARROW.said), tool, ...args]]
  const limits = [
    `--as=${MEMORY}`,
    '--core=0',
    ...(seconds === undefined ? [] : [`--cpu=${Math.ceil(seconds)}`]),
    ...(output === undefined ? [] : [`--fsize=${Math.ceil(output.bytes)}`]),
  ]
  const [command = tool, ...rest] = [
    ...(prlimit === null ? [] : [prlimit, ...limits, '--']),
    ...(unshare === null ? [] : [unshare, ...UNSHARE, '--']),
    ...(perl === null || together.open[0] === 1 || !isBinary(tool) ? [] : [perl, '-e', HIDE, ...opened(tool, args, output?.file), '--']),
    tool,
    ...args,
  ]
  return [command, rest]
}

/** What a tool may open, as arguments of HIDE. */
function opened(tool: string, args: readonly string[], output: string | undefined): string[] {
  const itself = realpathSync(tool)
  const { inputs, folders } = inputsOf(args)
  return [
    String(PRCTL[process.arch]),
    ...[...PROGRAMS, itself, ...(path.basename(path.dirname(itself)) === 'bin' ? [path.join(itself, '..', '..', 'lib')] : [])].map(
      (one) => `x${one}`,
    ),
    ...[...TLS, ...DEVICES, ...inputs, ...folders].map((one) => `r${one}`),
    ...(output === undefined ? [] : [`w${output}`]),
  ]
}

/** The files that ffmpeg's arguments name, and the folders of numbered pictures. */
function inputsOf(args: readonly string[]): { inputs: string[]; folders: string[] } {
  const inputs = args.flatMap((arg, at) => (args[at - 1] === '-i' ? [arg.replace(/^file:/, '')] : []))
  const lists = args.some((arg, at) => arg === 'concat' && args[at - 1] === '-f')
  return { inputs, folders: lists ? inputs.flatMap(foldersIn) : [] }
}

/** Begins a line of a list of numbered pictures that names a folder where they are, in JSON. To ffmpeg it is a remark. */
export const IN_FOLDER = '# in '

/** The folders that a list of numbered pictures names first, see numbered.ts. */
function foldersIn(list: string): string[] {
  const [, ...lines] = headOf(list, 65_536).toString().split('\n')
  const end = lines.findIndex((line) => !line.startsWith(IN_FOLDER))
  return lines.slice(0, Math.max(0, end)).map((line) => String(JSON.parse(line.slice(IN_FOLDER.length))))
}

/** How programs begin: ELF; Mach-O of 64 bits, of one processor or of several. */
const BINARY: ReadonlySet<string> = new Set(['7f454c46', 'cffaedfe', 'cafebabe'])
const binaries = new Map<string, boolean>()
/** Whether a program is one itself. A script may need any other file to start another. */
function isBinary(tool: string): boolean {
  const known = binaries.get(tool) ?? BINARY.has(headOf(tool, 4).toString('hex'))
  binaries.set(tool, known)
  return known
}

/** The first bytes of a file; none if it cannot be read. */
function headOf(file: string, bytes: number): Buffer {
  const head = Buffer.alloc(bytes)
  try {
    const opened = openSync(file, 'r')
    try {
      return head.subarray(0, readSync(opened, head))
    } finally {
      closeSync(opened)
    }
  } catch {
    return head.subarray(0, 0)
  }
}

const isProgram = (file: string) => may(file, constants.X_OK)
