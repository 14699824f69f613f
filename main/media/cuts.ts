/**
 * Parts of a video as files of their own: copied without loss, which begins at a key frame, or encoded again, exact to the frame. And parts of several
 * videos one after the other.
 */
import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Span } from '../../app/annotation.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { phrase } from '../../app/phrase.ts'
import { frameClock, soundClock } from './clock.ts'
import { framesInput, toneMapped } from './decode-plan.ts'
import { IN_FOLDER } from './fence.ts'
import { packetsOf } from './packets.ts'
import { LEAD_SECONDS, SAME_TIME } from './span.ts'
import { areApart, type FilmedVideo, isSeekable, ordinalAt } from './stills.ts'
import { ended, inputFile, keepFrames, type MediaTools, runTool, startTool, tailOf, untilNotKilled } from './tools.ts'

/** Nothing was encoded or copied for so long: it is stuck. */
const STALL_MS = 60_000
/** Seconds of computing for each second of video that is read or written: many times what the slowest machine needs. */
const SLOWEST = 60
/** A file may have so many bytes, and so many for each second: many times what one has. */
const LARGEST = 2 ** 28
const LARGEST_RATE = 2 ** 23

interface CutOptions {
  signal?: AbortSignal | undefined
  /** Gets the seconds written so far. */
  onSeconds?: ((seconds: number) => void) | undefined
}

// ── copies

/** How a copy is made: from which key frame, with which options of ffmpeg, and the frames of its packets in the order of decoding. */
interface CopyPlan {
  begin: number
  seek: string[]
  frames: (number | null)[]
}

/** Where a file may show pictures later than it holds them, ffmpeg seeks for this many seconds earlier (ffmpeg_demux.c). */
const EARLIER = 3 / 23

/**
 * The last key frame that is not after the span's first frame, as far as ffmpeg's seeking reaches it. Null where that is none of the frames that the
 * file shows, as where an edit list begins between key frames.
 */
async function planCopy(tools: MediaTools, video: FilmedVideo, span: Span, signal?: AbortSignal): Promise<CopyPlan | null> {
  const { file, probe, pts } = video
  if (!isSeekable(probe)) return null
  const [at, end] = [pts[span.startFrame] ?? probe.startPts, pts[span.endFrame] ?? Infinity]
  const tick = probe.timeBase.num / probe.timeBase.den
  // Half a tick later: a seek to the very time may round down to the key frame before.
  const tries = secondsOf(at, probe) === 0 ? [null] : [0, EARLIER].map((more) => secondsOf(at, probe) + more + tick / 2)
  const plans: CopyPlan[] = []
  for (const from of tries) {
    const seek = from === null ? [] : ['-ss', from.toFixed(7)]
    const until = ['-to', (endOf(video, span) + probe.startPts * tick + 1).toFixed(6)]
    const packets = await packetsOf(tools, file, probe, { from: seek, until, signal })
    const [first] = packets
    const begin = first?.key === true && first.pts <= at ? ordinalAt(pts, first.pts) : null
    // In the order of decoding: what comes before the last of the wanted frames is needed for it.
    const needed = packets.slice(0, 1 + packets.findLastIndex((packet) => packet.pts < end))
    if (begin !== null) plans.push({ begin, seek, frames: needed.map((packet) => ordinalAt(pts, packet.pts)) })
  }
  return plans.sort((a, b) => b.begin - a.begin)[0] ?? null
}

/** Seconds by which a copy of a span would begin before it; null where the file cannot be cut without encoding it again. */
export async function earlyBy(tools: MediaTools, video: FilmedVideo, span: Span, signal?: AbortSignal): Promise<number | null> {
  // What follows the first packets tells nothing of where it begins.
  const first = { startFrame: span.startFrame, endFrame: Math.min(span.endFrame, span.startFrame + 1) }
  const plan = await planCopy(tools, video, first, signal)
  if (plan === null) return null
  const [from, begin] = [video.pts[span.startFrame] ?? 0, video.pts[plan.begin] ?? 0]
  return secondsOf(from, video.probe) - secondsOf(begin, video.probe)
}

/** The endings of files that copies are written to, by what holds the codecs of the source. Matroska holds nearly all of them. */
function containersFor({ container }: Probe): string[] {
  const own = /\bwebm\b/.test(container) ? '.mkv' : /\b(?:mov|mp4)\b/.test(container) ? '.mp4' : '.mkv'
  return [...new Set([own, '.mkv', '.mov'])]
}

export interface Copied {
  /** With its ending, which depends on the codecs. */
  file: string
  /** From its first frame to after its last. */
  real: Span
  /** Frames between these that are not in it: it ends with one that is shown later but that earlier ones were made from. */
  missing: number[]
  /** The streams that are not in it. */
  without: string[]
}

/**
 * Copy frames without loss, from the key frame before them. Pictures, sound and subtitles are kept where the container can hold them.
 * @param stem The file without its ending.
 * @throws TubeletError `ffmpeg-failed`, `disk-full`, `decode-timeout`, `ffmpeg-missing`, `tool-killed`; the signal's reason when aborted.
 */
export async function copyCut(tools: MediaTools, video: FilmedVideo, span: Span, stem: string, options: CutOptions = {}): Promise<Copied> {
  const { file, probe, pts } = video
  const uncut = (message: string) => new TubeletError({ code: 'ffmpeg-failed', message, file, next: 'Choose exact cuts.' })
  if (!isSeekable(probe))
    throw uncut(phrase('This kind of file cannot be cut without encoding it again: it does not say where its key frames are.'))
  const plan = await planCopy(tools, video, span, options.signal)
  if (plan === null)
    throw uncut(
      phrase('This part cannot be cut without encoding it again: the key frame before it is none of the frames that the file shows.'),
    )
  const { begin, seek, frames } = plan
  const length = endOf(video, span) - secondsOf(pts[begin] ?? 0, probe)
  let failed: unknown = null
  for (const ending of containersFor(probe)) {
    const out = `${stem}${ending}`
    const kept = probe.streams.filter(
      ({ index, type, cover, codec }) => index === probe.videoStream || (cover !== true && isHeld(type, codec, ending)),
    )
    const args = [
      ...[...seek, ...inputFile(file)],
      ...kept.flatMap(({ index }) => ['-map', `0:${index}`]),
      // Not by time: packets of some containers have no decoding times.
      ...[
        '-c',
        'copy',
        '-frames:v',
        String(frames.length),
        '-shortest',
        '-map_chapters',
        '-1',
        '-avoid_negative_ts',
        'make_zero',
        '-y',
        out,
      ],
    ]
    try {
      await convert(tools, file, args, { length, read: length }, options)
    } catch (error) {
      if (!(error instanceof TubeletError) || error.problem.code !== 'ffmpeg-failed') throw error
      failed ??= error
      continue
    }
    const written = await countFrames(tools, out, options.signal)
    const without = probe.streams.filter(
      (stream) => stream.index !== probe.videoStream && stream.type !== 'video' && !kept.includes(stream),
    )
    if (written === 0) {
      rmSync(out, { force: true })
      throw unreadable(file)
    }
    return {
      file: out,
      ...heldOf(frames.slice(0, written), begin, pts.length),
      without: without.map(({ index, type, codec }) => `${index} (${type}, ${codec})`),
    }
  }
  throw failed
}

/** @param frames What was copied, in the order of decoding; null where it is not known by its time. */
function heldOf(frames: readonly (number | null)[], begin: number, length: number): Pick<Copied, 'real' | 'missing'> {
  if (frames.includes(null)) return { real: { startFrame: begin, endFrame: Math.min(length, begin + frames.length) }, missing: [] }
  const held = new Set(frames)
  const endFrame = frames.reduce<number>((end, ordinal) => Math.max(end, (ordinal ?? 0) + 1), begin + 1)
  const between = Array.from({ length: endFrame - begin }, (_, at) => begin + at)
  return { real: { startFrame: begin, endFrame }, missing: between.filter((ordinal) => !held.has(ordinal)) }
}

/** Whether a container holds a stream beside the pictures. */
function isHeld(type: string, codec: string, ending: string): boolean {
  if (type === 'audio') return true
  if (type !== 'subtitle') return false
  return ending === '.mkv' ? codec !== 'mov_text' && codec !== 'eia_608' : codec === 'mov_text'
}

/** Seconds at which the last frame of a span ends. */
function endOf({ probe, pts }: FilmedVideo, { endFrame }: Span): number {
  const next = pts[endFrame]
  if (next !== undefined) return secondsOf(next, probe)
  return Math.max(secondsOf(pts[pts.length - 1] ?? 0, probe) + probe.frameRate.den / probe.frameRate.num, 0)
}

// ── encoded again

/**
 * Encode exactly these frames again, upright, with square pixels and at their own times, and the sound of that time: H.264 and AAC in MP4.
 * @returns How many frames it has: less than the span where some could not be read.
 * @throws as `copyCut`, and `no-frames` where none could
 */
export async function encodeCut(tools: MediaTools, video: FilmedVideo, span: Span, out: string, options: CutOptions = {}): Promise<number> {
  const { width, height } = video.probe
  const size = { width: even(width), height: even(height) }
  const sound = ['-c:a', 'aac', '-b:a', '160k', '-movflags', '+faststart', '-f', 'mp4']
  const audible = video.probe.streams.some(({ type }) => type === 'audio')
  await encode(
    tools,
    video,
    span,
    `scale=${size.width}:${size.height}:flags=bicubic`,
    { out, args: sound, sound: audible ? 'own' : 'none' },
    options,
  )
  const frames = await countFrames(tools, out, options.signal)
  if (frames > 0) return frames
  rmSync(out, { force: true })
  throw unreadable(video.file)
}

function even(side: number): number {
  return Math.max(2, 2 * Math.round(side / 2))
}

async function encode(
  tools: MediaTools,
  video: FilmedVideo,
  span: Span,
  scale: string,
  { out, args, sound }: { out: string; args: readonly string[]; sound: 'own' | 'none' | 'always' },
  options: CutOptions,
): Promise<void> {
  const { file, probe, pts } = video
  const seconds = (ordinal: number) => ((pts[ordinal] ?? 0) * probe.timeBase.num) / probe.timeBase.den
  const start = seconds(span.startFrame)
  const length = endOf(video, span) - secondsOf(pts[span.startFrame] ?? 0, probe)
  const lead = secondsOf(pts[span.startFrame] ?? 0, probe) - LEAD_SECONDS
  const last = Math.min(span.endFrame, pts.length) - 1
  const seek = isSeekable(probe) && lead > 0 && areApart(video, [span.startFrame, last]) ? lead : null
  const chosen = seek === null ? `between(n,${span.startFrame},${last})` : `between(t,${start - SAME_TIME},${seconds(last) + SAME_TIME})`
  const pictures = [
    `[0:${probe.videoStream}]${seek === null ? `${frameClock(probe)},` : ''}select='${chosen}',setpts=PTS-STARTPTS`,
    `${scale}${toneMapped(tools, probe)},setsar=1,format=yuv420p[v]`,
  ].join(',')
  const hasSound = probe.streams.some(({ type }) => type === 'audio') && sound !== 'none'
  const loud = `[0:a:0]${soundClock()},atrim=start=${start}:end=${start + length},asetpts=PTS-${start}/TB,aresample=48000:async=1:first_pts=0,aformat=channel_layouts=stereo,apad=whole_dur=${length},atrim=end=${length}[a]`
  const silent = `anullsrc=r=48000:cl=stereo,atrim=end=${length}[a]`
  const making = (audio: string | null) => [
    ...['-copyts', ...(seek === null ? [] : ['-ss', seek.toFixed(6)])],
    ...framesInput(tools, file, probe),
    ...['-filter_complex', audio === null ? pictures : `${pictures};${audio}`, '-map', '[v]', ...(audio === null ? [] : ['-map', '[a]'])],
    ...[...keepFrames(tools), '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-bf', '0', '-enc_time_base', '1:90000'],
    ...['-video_track_timescale', '90000', ...args, '-y', out],
  ]
  const none = sound === 'always' ? silent : null
  const time = { length, read: probe.duration }
  try {
    await convert(tools, file, making(hasSound ? loud : none), time, options)
  } catch (error) {
    // If the sound cannot be decoded, the pictures are kept without it.
    if (!hasSound || !(error instanceof TubeletError) || error.problem.code !== 'ffmpeg-failed') throw error
    await convert(tools, file, making(none), time, options)
  }
}

async function countFrames(tools: MediaTools, file: string, signal?: AbortSignal): Promise<number> {
  const args = ['-v', 'error', '-nostdin', ...inputFile(file), '-map', '0:v:0', '-c', 'copy', '-f', 'framecrc', 'pipe:1']
  const { stdout } = await runTool(tools.ffmpeg, args, { signal })
  return [...stdout.toString().matchAll(/^0, /gm)].length
}

// ── one after the other

export interface ReelPart {
  video: FilmedVideo
  /** Why its file is not to be read. */
  absent: Problem | null
  span: Span
  /** The title of its chapter. */
  title: string
}

/** The size that all pictures of a reel have, pixels: their own if they have one in common, else 720p, upright if all are. */
export function reelSize(probes: readonly Pick<Probe, 'width' | 'height'>[]): { width: number; height: number } {
  const [first] = probes
  const large = 1920
  if (first !== undefined && probes.every(({ width, height }) => width === first.width && height === first.height)) {
    const scale = Math.min(1, large / Math.max(first.width, first.height))
    return { width: even(first.width * scale), height: even(first.height * scale) }
  }
  return probes.every(({ width, height }) => height > width) ? { width: 720, height: 1280 } : { width: 1280, height: 720 }
}

/**
 * Parts one after the other in one MP4, each a chapter: of one size, letterboxed, with their sound, or silence where there is none.
 *
 * @param folder For files in between, which the caller removes.
 * @param onPart Called after each part with its number, and null or what was wrong with it: it is left out then.
 * @throws as `copyCut`, where it is not the fault of one part; `no-frames` where no part could be read.
 */
export async function encodeReel(
  tools: MediaTools,
  parts: readonly ReelPart[],
  folder: string,
  out: string,
  onPart: (at: number, problem: TubeletError | null) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { width, height } = reelSize(parts.map(({ video }) => video.probe))
  const fitted = `scale=${width}:${height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic`
  const done: { file: string; title: string; length: number }[] = []
  for (const [at, { video, absent, span, title }] of parts.entries()) {
    const file = path.join(folder, `${at}.mov`)
    const { width: w, height: h } = video.probe
    // The pixels of the source may not be square.
    const scale = `scale=${even(w)}:${even(h)}:flags=bicubic,${fitted},pad=${width}:${height}:-1:-1`
    try {
      if (absent !== null) throw new TubeletError(absent)
      await encode(tools, video, span, scale, { out: file, args: ['-c:a', 'pcm_s16le', '-f', 'mov'], sound: 'always' }, { signal })
      if ((await countFrames(tools, file, signal)) === 0) throw unreadable(video.file)
      done.push({ file, title, length: endOf(video, span) - secondsOf(video.pts[span.startFrame] ?? 0, video.probe) })
      onPart(at, null)
    } catch (error) {
      if (!(error instanceof TubeletError) || !OF_ONE_PART.has(error.problem.code)) throw error
      onPart(at, error)
    }
  }
  const [first] = parts
  if (done.length === 0) throw unreadable(first?.video.file ?? out)
  const [list, chapters] = [path.join(folder, 'list.ffconcat'), path.join(folder, 'chapters.txt')]
  await writeFile(
    list,
    `ffconcat version 1.0\n${IN_FOLDER}${JSON.stringify(folder)}\n${done.map(({ file }) => `file ${path.basename(file)}\n`).join('')}`,
  )
  await writeFile(chapters, chaptersOf(done))
  const length = done.reduce((sum, one) => sum + one.length, 0)
  const args = [
    ...['-protocol_whitelist', 'file', '-f', 'concat', '-safe', '0', '-i', `file:${list}`],
    ...['-protocol_whitelist', 'file', '-f', 'ffmetadata', '-i', `file:${chapters}`],
    ...['-map', '0:v:0', '-map', '0:a:0', '-map_metadata', '1', '-map_chapters', '1', '-c:v', 'copy', '-c:a', 'aac', '-b:a', '160k'],
    ...['-movflags', '+faststart', '-f', 'mp4', '-y', out],
  ]
  await convert(tools, out, args, { length, read: length }, { signal })
}

/** What is wrong with one part, while others can be read. */
const OF_ONE_PART = new Set([
  'ffmpeg-failed',
  'decode-timeout',
  'file-missing',
  'file-replaced',
  'file-unreadable',
  'no-frames',
  'tool-killed',
])

export function unreadable(file: string): TubeletError {
  return new TubeletError({ code: 'no-frames', message: 'No frame of this part could be read.', file, next: 'Check the file.' })
}

/** In ffmpeg's format for metadata; a title is on one line, and what means something there has a backslash before it. */
function chaptersOf(parts: readonly { title: string; length: number }[]): string {
  let at = 0
  const chapters = parts.map(({ title, length }) => {
    const [start, end] = [at, at + Math.round(length * 1000)]
    at = end
    const text = title.replace(/\s+/g, ' ').replace(/[=;#\\]/g, String.raw`\$&`)
    return `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${text}\n`
  })
  return `;FFMETADATA1\n${chapters.join('')}`
}

// ── running ffmpeg

/** What fails leaves no file. @param args ffmpeg's, the file that it writes last. @param file Which file an error names. @param length Seconds that will be written. @param read Seconds that are read at most. */
async function convert(
  tools: MediaTools,
  file: string,
  args: readonly string[],
  { length, read }: { length: number; read: number },
  { signal, onSeconds }: CutOptions,
): Promise<void> {
  await untilNotKilled(async () => {
    signal?.throwIfAborted()
    const stall = new AbortController()
    const child = startTool(
      tools.ffmpeg,
      ['-hide_banner', '-nostdin', '-nostats', '-v', 'error', '-threads', '2', '-progress', 'pipe:1', ...args],
      ['ignore', 'pipe', 'pipe'],
      AbortSignal.any([stall.signal, ...(signal ? [signal] : [])]),
      { output: { file: args.at(-1) ?? '', bytes: LARGEST + length * LARGEST_RATE }, seconds: 600 + SLOWEST * (length + read) },
    )
    const stderr = tailOf(child.stderr)
    // ffmpeg tells its progress twice a second, also while it reads what is not wanted.
    let watch = setTimeout(() => stall.abort(), STALL_MS)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      clearTimeout(watch)
      watch = setTimeout(() => stall.abort(), STALL_MS)
      const micros = [...text.matchAll(/out_time_us=(\d+)/g)].at(-1)?.[1]
      if (micros !== undefined) onSeconds?.(Number(micros) / 1e6)
    })
    try {
      const code = await ended(child)
      signal?.throwIfAborted()
      if (stall.signal.aborted) throw failure('decode-timeout', 'Cutting this file stopped moving and was given up.', file, stderr())
      if (code !== 0 && /No space left on device|Disk quota exceeded/.test(stderr()))
        throw new TubeletError({
          code: 'disk-full',
          message: 'The disk is full.',
          file,
          next: 'Free some space, or export to another disk.',
        })
      if (code !== 0) throw failure('ffmpeg-failed', 'This part of the file could not be written as a video.', file, stderr())
    } catch (error) {
      rmSync(args.at(-1) ?? '', { force: true })
      throw error
    } finally {
      clearTimeout(watch)
    }
  }, signal)
}

function failure(code: 'decode-timeout' | 'ffmpeg-failed', message: string, file: string, details: string): TubeletError {
  return new TubeletError({ code, message, file, stillWorks: 'All other files go on.', next: 'Check the file in a player.', details })
}
