/** How a source gets onto the screen: the file itself where Chromium plays it, else a preview copy that ffmpeg makes once. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { TubeletError } from '../../app/errors.ts'
import type { Probe } from '../../app/media.ts'
import { frameClock, soundClock } from './clock.ts'
import { framesInput, PREVIEW_SIDE } from './decode-plan.ts'
import { ended, inputFile, keepFrames, type MediaTools, runTool, startTool, tailOf, untilNotKilled, wholePicture } from './tools.ts'

const PROXY_SIDE = 1280
const PROXY_STALL_MS = 60_000
/** A copy may have so many bytes, and so many for each second: many times what one has. */
const LARGEST_COPY = 2 ** 28
const LARGEST_RATE = 4 * 2 ** 20

/** Codecs that Chromium decodes in software on every platform, by container. Whether it plays HEVC or ProRes depends on the machine. */
const PLAYABLE: readonly { container: RegExp; codecs: readonly string[] }[] = [
  { container: /\b(?:mov|mp4)\b/, codecs: ['h264', 'vp9', 'av1'] },
  { container: /\b(?:matroska|webm)\b/, codecs: ['h264', 'vp8', 'vp9', 'av1'] },
]

/** `direct`: serve the file. `proxy`: serve what `makeProxy` makes. A video of one picture is played like any other: it is shown, and stays. */
export function playbackOf(probe: Probe): 'direct' | 'proxy' {
  const plays = PLAYABLE.some(({ container, codecs }) => container.test(probe.container) && codecs.includes(probe.codec))
  const chroma420 = /^yuvj?420p(?:10le)?$/.test(probe.pixelFormat)
  // Chromium has no 10-bit H.264; of VP9 and AV1 it plays 10 bits.
  const depth = probe.bitDepth === 8 || (probe.bitDepth === 10 && probe.codec !== 'h264')
  // Browsers do not seek to the exact frame of a file that is shown late, and cannot seek before time 0 at all.
  const exact = probe.shownLate !== true && probe.startPts >= 0
  return plays && chroma420 && depth && exact && isPlayedFirst(probe) ? 'direct' : 'proxy'
}

/** Whether browsers are sure to play this stream: the first of several, and none of the others marked as default instead. */
function isPlayedFirst({ streams, videoStream }: Probe): boolean {
  const [first, ...others] = streams.filter(({ type }) => type === 'video')
  // Earlier versions stored no streams for some files.
  return first === undefined || (first.index === videoStream && (first.isDefault || others.every(({ isDefault }) => !isDefault)))
}

/**
 * The first frame of a file as a JPEG of at most PREVIEW_SIDE pixels a side: something to see within a second,
 * while the file is still being probed. Null if ffmpeg gives none.
 */
export async function firstPicture(
  tools: MediaTools,
  file: string,
  picture: number | null,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const scale = `scale=iw*sar:ih,scale=${PREVIEW_SIDE}:${PREVIEW_SIDE}:force_original_aspect_ratio=decrease`
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-threads',
    '1',
    ...wholePicture(tools),
    ...inputFile(file),
    '-map',
    picture === null ? '0:V:0' : `0:${picture}`,
    '-frames:v',
    '1',
    '-vf',
    scale,
    '-f',
    'mjpeg',
    'pipe:1',
  ]
  const { stdout } = await runTool(tools.ffmpeg, args, { signal, timeoutMs: 10_000 })
  return stdout.length > 0 ? stdout : null
}

/**
 * Make a preview copy: H.264 and AAC in MP4, at most 1280 pixels on its long side, upright, square pixels. Every frame is kept at its own
 * time, counted from the first frame, so that a moment in the copy is the same moment in the source; sound before the first frame
 * is cut off. The file appears under its name only when it is complete.
 *
 * @param onProgress Gets the seconds of the source done so far; ffmpeg is paused until it resolves, except on Windows, which cannot pause a process.
 * @throws TubeletError `ffmpeg-failed`, `decode-timeout`, `disk-full`, `ffmpeg-missing`, `tool-killed`; the signal's reason when aborted.
 */
export async function makeProxy(tools: MediaTools, file: string, probe: Probe, outFile: string, options: ProxyOptions = {}): Promise<void> {
  const copy = (streams: Probe['streams']) =>
    untilNotKilled(() => copyOnce(tools, file, { ...probe, streams }, outFile, options), options.signal)
  try {
    await copy(probe.streams)
  } catch (error) {
    // If the sound cannot be decoded, the pictures are copied without it.
    const silent = probe.streams.filter(({ type }) => type !== 'audio')
    if (!(error instanceof TubeletError) || error.problem.code !== 'ffmpeg-failed' || silent.length === probe.streams.length) throw error
    await copy(silent)
  }
}

interface ProxyOptions {
  signal?: AbortSignal
  onProgress?: (seconds: number) => Promise<void>
}

async function copyOnce(tools: MediaTools, file: string, probe: Probe, outFile: string, options: ProxyOptions): Promise<void> {
  const { signal, onProgress } = options
  signal?.throwIfAborted()
  const start = ((probe.startPts * probe.timeBase.num) / probe.timeBase.den).toFixed(6)
  const scale = Math.min(1, PROXY_SIDE / Math.max(probe.width, probe.height))
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2))
  const hasSound = probe.streams.some(({ type }) => type === 'audio')
  // A name of its own: an ffmpeg that outlived an earlier host may still be writing.
  const part = `${outFile}.${randomUUID()}.part`
  const stall = new AbortController()
  const args = [
    ...['-hide_banner', '-nostdin', '-nostats', '-v', 'error', '-threads', '2', '-progress', 'pipe:1', '-y'],
    // Otherwise ffmpeg closes the gaps in transport stream recordings.
    '-copyts',
    ...framesInput(tools, file, probe),
    ...['-map', `0:${probe.videoStream}`, ...(hasSound ? ['-map', '0:a:0?'] : []), '-dn', '-sn'],
    ...[
      '-vf',
      `${frameClock(probe)},setpts=PTS-STARTPTS,scale=${even(probe.width)}:${even(probe.height)}:flags=bicubic,setsar=1,format=yuv420p`,
    ],
    ...keepFrames(tools),
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-enc_time_base', `${probe.timeBase.num}:${probe.timeBase.den}`],
    // B-frames would move the first frame away from time 0.
    ...['-bf', '0', '-video_track_timescale', String(trackTimescale(probe))],
    // Gaps in the sound are filled with silence; the encoder would close them.
    ...(hasSound ? ['-af', `${soundClock()},atrim=start=${start},asetpts=PTS-${start}/TB,aresample=async=1`] : []),
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-movflags', '+faststart', '-f', 'mp4', part],
  ]
  const child = startTool(tools.ffmpeg, args, ['ignore', 'pipe', 'pipe'], AbortSignal.any([stall.signal, ...(signal ? [signal] : [])]), {
    output: { file: part, bytes: LARGEST_COPY + probe.duration * LARGEST_RATE },
  })
  const stderr = tailOf(child.stderr)
  let watch = setTimeout(() => stall.abort(), PROXY_STALL_MS)
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const micros = [...text.matchAll(/out_time_us=(\d+)/g)].at(-1)?.[1]
    if (micros === undefined) return
    clearTimeout(watch)
    hold(child, true)
    const goOn = () => {
      hold(child, false)
      watch = setTimeout(() => stall.abort(), PROXY_STALL_MS)
    }
    // It rejects when `signal` aborts, which also ends the child.
    void Promise.resolve(onProgress?.(Number(micros) / 1e6)).then(goOn, () => undefined)
  })
  try {
    const code = await ended(child)
    signal?.throwIfAborted()
    if (stall.signal.aborted) throw failure('decode-timeout', 'The preview copy stopped moving and was given up.', file, stderr())
    if (code !== 0 && /No space left on device|Disk quota exceeded/.test(stderr()))
      throw new TubeletError({
        code: 'disk-full',
        message: 'The disk is full.',
        file: outFile,
        stillWorks: 'Its clips, captions and pictures.',
        next: 'Free some space on it; what waits then goes on by itself.',
        details: stderr(),
      })
    if (code !== 0) throw failure('ffmpeg-failed', 'No preview copy of this file could be made.', file, stderr())
    await rename(part, outFile)
  } finally {
    clearTimeout(watch)
    await rm(part, { force: true })
  }
}

function hold(child: ChildProcess, still: boolean): void {
  if (process.platform !== 'win32') child.kill(still ? 'SIGSTOP' : 'SIGCONT')
}

/** The source's own ticks where MP4 can count in them, so that times stay exact. */
function trackTimescale({ timeBase }: Probe): number {
  return timeBase.num === 1 && timeBase.den <= 2 ** 31 - 1 ? timeBase.den : 90_000
}

function failure(code: 'decode-timeout' | 'ffmpeg-failed', message: string, file: string, details: string): TubeletError {
  return new TubeletError({
    code,
    message,
    file,
    stillWorks: 'Its clips, captions and pictures.',
    next: 'Open the file in another player to watch it.',
    details,
  })
}
