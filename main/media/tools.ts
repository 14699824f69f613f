/**
 * Finds and runs ffmpeg and, if there is one, ffprobe. Every child gets an argument array (never a shell), is killed by
 * its abort signal, and has limits on time, memory and output (see fence.ts), so that a hostile file can only harm its own child. A child that writes
 * to a pipe ends by itself when its parent dies, because the pipe breaks.
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { phrase } from '../../app/phrase.ts'
import { fenced, hideNothing, isTooNarrow, type Limits } from './fence.ts'

export interface MediaTools {
  /** Absolute paths of the two programs; ffprobe may be missing, as it is beside ffmpeg-static. */
  ffmpeg: string
  ffprobe: string | null
  /** The version that `ffmpeg -version` prints, such as "5.1.9". */
  version: string
  /** The licence that this build is under, by its configuration: "GPL-3.0-or-later", "LGPL-2.1-or-later", … */
  licence: string
  /** Names of the video codecs that this ffmpeg decodes. */
  decoders: ReadonlySet<string>
  /** Whether it has the filters that map HDR to the range of a normal screen. */
  toneMapping: boolean
  /** Whether it crops pictures to the container's clean aperture unless told not to: from 7.1 on. */
  crops: boolean
}

export interface RunOptions {
  signal?: AbortSignal | undefined
  /** The child is killed after this many milliseconds. */
  timeoutMs?: number
  /** Standard output above this many bytes kills the child. */
  maxBytes?: number
  /** How many characters of standard error are kept, from its end. */
  keep?: number
}

export interface RunResult {
  /** Exit status; null when this process killed the child. */
  code: number | null
  stdout: Buffer
  /** The end of standard error. */
  stderr: string
}

/** Characters of a tool's messages that are kept for "Details": the end, where the reason is. */
export const STDERR_KEEP = 8_000

/**
 * Start a tool. The child is killed when `signal` aborts; SIGKILL, because ffmpeg answers SIGTERM by finishing its output first, which a
 * stuck decoder never does.
 */
export function startTool(tool: string, args: readonly string[], stdio: StdioOptions, signal?: AbortSignal, limits?: Limits): ChildProcess {
  // Perl, which is part of the fence, would write of a language that is not installed, among the tool's own messages.
  const child = spawn(...fenced(tool, args, limits), { stdio, windowsHide: true, env: { ...process.env, PERL_BADLANG: '0' } })
  toolOf.set(child, tool)
  const kill = () => {
    killedHere.add(child)
    child.kill('SIGKILL')
  }
  if (signal?.aborted === true) kill()
  signal?.addEventListener('abort', kill, { once: true })
  child.once('close', () => signal?.removeEventListener('abort', kill))
  return child
}

/** Children that this process killed itself, whose exit by a signal is no error. */
const killedHere = new WeakSet<ChildProcess>()
/** The tool that a child runs, which may have been started by another program. */
const toolOf = new WeakMap<ChildProcess, string>()

/** Exit codes that a shell, or an ffmpeg that caught the signal, reports for a signal. ffmpeg's own error codes are different. */
const STATUS_OF_SIGNAL: Partial<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' }

/**
 * Resolves with the exit status once the child has ended and its pipes are drained; null when this process killed it.
 *
 * @throws TubeletError `ffmpeg-missing` when it could not be started; `tool-killed` when a signal from elsewhere ended it, as when the
 *   system runs out of memory. That says nothing about the file that it read.
 */
export function ended(child: ChildProcess): Promise<number | null> {
  const tool = toolOf.get(child) ?? child.spawnfile
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(tool, error)))
    child.once('close', (code, signal) => {
      const by = signal ?? STATUS_OF_SIGNAL[code ?? 0]
      if (by === undefined || killedHere.has(child)) resolve(code)
      else reject(new TubeletError(toolKilled(tool, by)))
    })
  })
}

function toolKilled(tool: string, signal: string): Problem {
  return {
    code: 'tool-killed',
    message: 'The system ended {{tool}} while it read this file ({{signal}}), more than once. That says nothing about the file.',
    values: { tool: path.basename(tool), signal },
    stillWorks: 'All other files go on.',
    next: 'Close programs that need much memory, then try this file again.',
  }
}

/** Milliseconds before a killed tool is tried again: there may be enough memory by then. */
const RETRY_AFTER = [300, 2000]

/** Run `work`, and again if the tool or thread that it uses was killed. @throws what `work` throws; `tool-killed` after the last try. */
export async function untilNotKilled<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (const pause of RETRY_AFTER) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TubeletError) || error.problem.code !== 'tool-killed') throw error
    }
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted())
  }
  return await work()
}

/** Collects the end of a text stream; the returned function gives what there is so far. */
export function tailOf(stream: Readable | null, keep = STDERR_KEEP): () => string {
  let tail = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (text: string) => {
    tail = (tail + text).slice(-keep)
  })
  return () => tail
}

/**
 * Run a tool to its end and collect what it wrote; retries if the system killed it.
 *
 * @throws TubeletError `ffmpeg-missing` (cannot be started), `decode-timeout`, `ffmpeg-failed` (too much output), `tool-killed`; the
 *   signal's reason when aborted. A non-zero exit is no error here: the caller knows what it means.
 */
export function runTool(tool: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return untilNotKilled(() => runOnce(tool, args, options), options.signal)
}

async function runOnce(tool: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { signal, timeoutMs = 60_000, maxBytes = 64 * 2 ** 20, keep } = options
  signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(timeoutMs)
  const flood = new AbortController()
  const end = AbortSignal.any([timeout, flood.signal, ...(signal ? [signal] : [])])
  // Should this process be killed, the child ends by itself, even if it computes and writes nothing.
  const child = startTool(tool, args, ['ignore', 'pipe', 'pipe'], end, { seconds: (timeoutMs / 1000) * os.availableParallelism() + 1 })
  const chunks: Buffer[] = []
  let bytes = 0
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) flood.abort()
    else chunks.push(chunk)
  })
  const stderr = tailOf(child.stderr, keep)
  const code = await ended(child)
  signal?.throwIfAborted()
  if (isTooNarrow(code, stderr()) && hideNothing()) return runOnce(tool, args, options)
  const name = path.basename(tool)
  if (flood.signal.aborted)
    throw new TubeletError({
      code: 'ffmpeg-failed',
      message: '{{tool}} wrote more than it should have.',
      values: { tool: name },
      details: stderr(),
    })
  if (timeout.aborted) {
    throw new TubeletError({
      code: 'decode-timeout',
      message: '{{tool}} did not finish within {{seconds}} s.',
      values: { tool: name, seconds: Math.round(timeoutMs / 1000) },
      details: stderr(),
    })
  }
  return { code, stdout: Buffer.concat(chunks), stderr: stderr() }
}

/**
 * What ffmpeg may open: containers and streams that hold their pictures or sound themselves. Not playlists of any kind (concat, HLS,
 * DASH, SDP, IMF), which open other files, nor scripts, devices, text and single pictures, which it would "play" too.
 */
const CONTAINERS = [
  'matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,flv,live_flv,kux,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,asf,asf_o,ogg,rm,nut,mxf,gxf,lxf,dv,gif,apng,ivf,obu,av1,h264,hevc,vvc,evc,h261,h263,mjpeg,mjpeg_2000',
  'smjpeg,mpjpeg,yuv4mpegpipe,vc1,vc1test,cavsvideo,avs2,avs3,dirac,dnxhd,swf,wtv,nuv,nsv,pva,ifv,dhav,r3d,cine,flic,bink,smk,roq,film_cpk,vivo,xmv,thp,wc3movie,ea,mv,mtv,moflex',
  'mp3,wav,w64,flac,aac,ac3,eac3,dts,aiff,caf,au,amr,ape,wv,tta,opus',
].join(',')

/** What a list of numbered pictures, written by Tubelet itself, may open: single pictures and nothing else. */
const PICTURES =
  'concat,image2,jpeg_pipe,png_pipe,bmp_pipe,tiff_pipe,webp_pipe,tga_pipe,dpx_pipe,exr_pipe,pbm_pipe,pgm_pipe,ppm_pipe,pam_pipe,j2k_pipe'

/**
 * A file as ffmpeg's input arguments. The `file:` prefix keeps names like `-x.mp4` or `concat:a` from being read as options or
 * protocols; the whitelists keep ffmpeg from reading any other file, or the network. Only the name distinguishes a stream of
 * JPEGs from a single picture.
 *
 * @param numbered The file is a list of numbered pictures, see numbered.ts.
 */
export function inputFile(file: string, numbered = false): string[] {
  if (numbered)
    return ['-protocol_whitelist', 'file', '-format_whitelist', PICTURES, '-f', 'concat', '-safe', '0', '-i', `file:${path.resolve(file)}`]
  return [
    ...(/\.mjpe?g$/i.test(file) ? ['-f', 'mjpeg'] : []),
    '-protocol_whitelist',
    'file',
    '-format_whitelist',
    CONTAINERS,
    '-i',
    `file:${path.resolve(file)}`,
  ]
}

/** A single picture as ffmpeg's input arguments; no pattern in its name is one. */
export function pictureFile(file: string): string[] {
  return [
    ...['-protocol_whitelist', 'file', '-format_whitelist', PICTURES, '-f', 'image2', '-pattern_type', 'none'],
    ...['-i', `file:${path.resolve(file)}`],
  ]
}

/**
 * Input options that give the whole coded picture, as browsers show it: no version of ffmpeg then crops it to a clean aperture (`clap`). The
 * probe gives the size of the whole picture too.
 */
export function wholePicture({ crops }: MediaTools): string[] {
  // In older versions the option of this name takes other values.
  return crops ? ['-apply_cropping', 'codec'] : []
}

/** The output option that neither repeats nor drops frames to reach a frame rate. ffmpeg renamed it in 5.1, and will drop the old name. */
export function keepFrames(tools: MediaTools): string[] {
  const [major = 0, minor = 0] = tools.version.split('.').map(Number)
  return [major < 5 || (major === 5 && minor < 1) ? '-vsync' : '-fps_mode', 'passthrough']
}

/**
 * Find ffmpeg and ffprobe: FFMPEG_PATH / FFPROBE_PATH, the packaged app's own, ffmpeg-static, PATH, well-known folders.
 *
 * @throws TubeletError `ffmpeg-missing`, with the next step for this operating system.
 */
export async function findMediaTools(): Promise<MediaTools> {
  const tried: string[] = []
  const ffmpeg = await firstWorking(await candidates('ffmpeg', process.env['FFMPEG_PATH']), '-codecs', tried)
  mustBeUsed('FFMPEG_PATH', ffmpeg)
  if (ffmpeg === null) throw missing(tried)
  const besideFfmpeg = path.join(path.dirname(ffmpeg.file), program('ffprobe'))
  const explicit = process.env['FFPROBE_PATH']
  const [ffprobe, filters, options] = await Promise.all([
    firstWorking([...(explicit ? [explicit] : []), besideFfmpeg, ...(await candidates('ffprobe', undefined))], '-version', tried),
    runTool(ffmpeg.file, ['-hide_banner', '-filters'], { timeoutMs: 10_000 }).then(({ stdout }) => stdout.toString()),
    runTool(ffmpeg.file, ['-hide_banner', '-h', 'long'], { timeoutMs: 10_000 }).then(({ stdout }) => stdout.toString()),
  ])
  mustBeUsed('FFPROBE_PATH', ffprobe)
  return {
    ffmpeg: ffmpeg.file,
    ffprobe: ffprobe?.file ?? null,
    version: versionIn(ffmpeg.banner),
    licence: licenceOf(ffmpeg.banner),
    decoders: new Set([...ffmpeg.output.matchAll(/^ D.V... (\S+)/gm)].map((match) => match[1] ?? '')),
    toneMapping: / zscale /.test(filters) && / tonemap /.test(filters),
    crops: /^-apply_cropping/m.test(options),
  }
}

/** Whoever names a program means that one: another one must not be used in silence. @throws TubeletError `ffmpeg-missing` */
function mustBeUsed(variable: 'FFMPEG_PATH' | 'FFPROBE_PATH', found: { file: string } | null): void {
  const named = process.env[variable]
  if (named === undefined || named === '' || found?.file === named) return
  throw new TubeletError({
    code: 'ffmpeg-missing',
    message: '{{variable}} names {{file}}, which is no program that runs.',
    values: { variable, file: named },
    stillWorks: 'Everything in your library that is already analysed.',
    next: 'Correct it, or take it out of the environment: Tubelet then looks for ffmpeg by itself.',
  })
}

/** The version in a banner. Builders add text around it: `n9.0.2-17-g2a571b6 Copyright`, `7.0.2-static https://… Copyright`. */
export function versionIn(banner: string): string {
  const [, version = 'unknown'] = /version (\S+)/.exec(banner) ?? []
  return /^n?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version
}

/** By FFmpeg's LICENSE.md: GPL parts make the build GPL, version3 raises it to version 3, nonfree forbids redistribution. */
function licenceOf(banner: string): string {
  if (banner.includes('--enable-nonfree')) return 'non-free (not redistributable)'
  const version3 = banner.includes('--enable-version3')
  if (banner.includes('--enable-gpl')) return version3 ? 'GPL-3.0-or-later' : 'GPL-2.0-or-later'
  return version3 ? 'LGPL-3.0-or-later' : 'LGPL-2.1-or-later'
}

function program(name: 'ffmpeg' | 'ffprobe'): string {
  return process.platform === 'win32' ? `${name}.exe` : name
}

async function candidates(name: 'ffmpeg' | 'ffprobe', explicit: string | undefined): Promise<string[]> {
  const files: string[] = []
  if (explicit) files.push(explicit)
  // Only Electron has resourcesPath.
  const resources: unknown = Reflect.get(process, 'resourcesPath')
  if (typeof resources === 'string') files.push(path.join(resources, 'ffmpeg', program(name)))
  if (name === 'ffmpeg') files.push(...ffmpegStatic())
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    if (folder !== '') files.push(path.join(folder, program(name)))
  }
  for (const folder of await wellKnownFolders()) files.push(path.join(folder, program(name)))
  return [...new Set(files)]
}

/** The program of ffmpeg-static, an optional dependency: an offline install lacks it, or has the package without the program. */
function ffmpegStatic(): string[] {
  try {
    const file: unknown = createRequire(import.meta.url)('ffmpeg-static')
    return typeof file === 'string' ? [file] : []
  } catch {
    return []
  }
}

/** An app started from a dock or a start menu does not have the shell's PATH. */
async function wellKnownFolders(): Promise<string[]> {
  if (process.platform === 'darwin') return ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin']
  if (process.platform !== 'win32') return ['/usr/bin', '/usr/local/bin', '/snap/bin']
  const local = process.env['LOCALAPPDATA'] ?? ''
  const packages = path.join(local, 'Microsoft', 'WinGet', 'Packages')
  const unpacked: string[] = []
  for (const name of await readdir(packages).catch(() => [])) {
    if (!/ffmpeg/i.test(name)) continue
    for (const build of await readdir(path.join(packages, name)).catch(() => [])) unpacked.push(path.join(packages, name, build, 'bin'))
  }
  return [path.join(local, 'Microsoft', 'WinGet', 'Links'), ...unpacked, 'C:\\ffmpeg\\bin', 'C:\\ProgramData\\chocolatey\\bin']
}

/** The first candidate that answers `question`, with its answer and its banner. */
async function firstWorking(
  files: readonly string[],
  question: string,
  tried: string[],
): Promise<{ file: string; output: string; banner: string } | null> {
  for (const file of files) {
    try {
      await access(file, constants.X_OK)
    } catch {
      continue
    }
    tried.push(file)
    try {
      const ask = () => runTool(file, [question], { timeoutMs: 10_000, maxBytes: 2 ** 20 })
      const first = await ask()
      // Its libraries may be where the fence hides them.
      const { code, stdout, stderr } = first.code !== 0 && hideNothing() ? await ask() : first
      if (code === 0) return { file: path.resolve(file), output: stdout.toString(), banner: stderr }
    } catch {
      // Not runnable here (another processor, a missing library): the next candidate may be.
    }
  }
  return null
}

function missing(tried: readonly string[]): TubeletError {
  const install: Partial<Record<NodeJS.Platform, string>> = {
    darwin: phrase('Install it with "brew install ffmpeg", then start Tubelet again.'),
    win32: phrase('Install it with "winget install Gyan.FFmpeg", then start Tubelet again.'),
    linux: phrase(
      'Install the package "ffmpeg" with your package manager (on Debian and Ubuntu: "sudo apt install ffmpeg"), then start Tubelet again.',
    ),
  }
  return new TubeletError({
    code: 'ffmpeg-missing',
    message: 'Tubelet needs ffmpeg to read video, and it is not on this computer.',
    stillWorks: 'Everything in your library that is already analysed.',
    next: install[process.platform] ?? 'Install ffmpeg, or set FFMPEG_PATH to where it is.',
    details: tried.length === 0 ? 'No program of that name was found.' : `Tried without success: ${tried.join(', ')}`,
  })
}

function notStarted(tool: string, error: Error): TubeletError {
  return new TubeletError(
    {
      code: 'ffmpeg-missing',
      message: '{{tool}} could not be started.',
      values: { tool: path.basename(tool) },
      stillWorks: 'Everything in your library that is already analysed.',
      next: 'Install ffmpeg again, or set FFMPEG_PATH to where it is.',
      details: error.message,
    },
    { cause: error },
  )
}
