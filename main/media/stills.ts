/**
 * Pictures of single frames of a video, each exactly the frame of that ordinal in the video's frame table: upright, with square pixels.
 *
 * Frames are counted from the beginning of the file, in the same way as in a decode pass. Where a container states the time of every frame, far
 * frames are reached by seeking; then the times of all frames that come out must follow each other as in the table, else the file is decoded from
 * its beginning. So a picture is the right one or there is none.
 */
import { type Probe, secondsOf } from '../../app/media.ts'
import { problemOfAccess } from './access.ts'
import { access } from 'node:fs/promises'
import { TubeletError } from '../../app/errors.ts'
import { frameClock } from './clock.ts'
import { framesInput, toneMapped } from './decode-plan.ts'
import { JpegPictures, Messages, newSeal, RawPictures } from './decode-streams.ts'
import { LEAD_SECONDS, SAME_TIME } from './span.ts'
import { ended, keepFrames, type MediaTools, startTool, untilNotKilled } from './tools.ts'

/** A video as it was analysed. `pts`: of every frame by ordinal, in ticks of the probe's time base. */
export interface FilmedVideo {
  file: string
  probe: Probe
  pts: ArrayLike<number>
}

export interface Still {
  ordinal: number
  /** Pixels. */
  width: number
  height: number
  /** A JPEG, or RGB24. */
  data: Uint8Array<ArrayBuffer>
}

export interface StillOptions {
  as: 'jpeg' | 'rgb'
  /** The longest side in pixels; a larger picture is scaled down. */
  side?: number
  /** Of a JPEG, as ffmpeg counts: 2 is the best, 31 the smallest. */
  quality?: number
  signal?: AbortSignal | undefined
}

/** These containers state the time of each frame, and are read from a key frame on. */
const TIMED = /\b(?:mov|mp4|matroska|webm)\b/
/** Seeking pays where at least so many seconds would be decoded for nothing. */
const FAR_SECONDS = LEAD_SECONDS + 4
/** At most so many runs of frames are named in one expression. */
const MOST_RUNS = 1_500
/** A decoder from which nothing comes for so long is stuck. */
const STALL_MS = 60_000

/**
 * Gives the pictures of frames, in their order. The next is decoded while `take` works, and waits for it.
 *
 * @param ordinals In any order.
 * @returns The ordinals of which there is no picture, ascending: the file is damaged there, or was changed since it was analysed.
 * @throws TubeletError `file-missing`, `file-unreadable`, `ffmpeg-missing`, `tool-killed`; what `take` throws; the signal's reason when aborted.
 */
export async function eachStill(
  tools: MediaTools,
  video: FilmedVideo,
  ordinals: Iterable<number>,
  options: StillOptions,
  take: (still: Still) => void | Promise<void>,
): Promise<number[]> {
  await access(video.file).catch((error: unknown) => {
    throw new TubeletError(problemOfAccess(video.file, error), { cause: error })
  })
  const open = new Set([...ordinals].sort((a, b) => a - b))
  const taking = async (still: Still) => {
    open.delete(still.ordinal)
    await take(still)
  }
  const run = async (passes: readonly Pass[]) => {
    for (const pass of passes)
      await untilNotKilled(() => decode(tools, video, { ...pass, ordinals: pass.ordinals.filter((one) => open.has(one)) }, options, taking))
  }
  await run(passesOver(video, [...open]))
  // What seeking did not give is looked for from the beginning.
  if (open.size > 0 && isSeekable(video.probe))
    await run(passesOver({ ...video, probe: { ...video.probe, clockRestarts: true } }, [...open]))
  return [...open]
}

/** The size of a picture: square pixels, at most `side` a side. */
function stillSize({ width, height }: Pick<Probe, 'width' | 'height'>, side = Infinity): { width: number; height: number } {
  const scale = Math.min(1, side / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** One run of ffmpeg. `seek`: whether it may begin near the first frame. */
interface Pass {
  seek: boolean
  ordinals: number[]
}

/** Whether frames can be reached by seeking, and are known by their times. */
export function isSeekable({ container, clockRestarts, numbered, untimedFrames }: Probe): boolean {
  return TIMED.test(container) && clockRestarts !== true && numbered !== true && untimedFrames === undefined
}

/** @param ordinals Ascending. */
function passesOver({ probe, pts }: FilmedVideo, ordinals: readonly number[]): Pass[] {
  const passes: Pass[] = []
  const seek = isSeekable(probe)
  const far = (from: number, to: number) => secondsOf(pts[to] ?? 0, probe) - secondsOf(pts[from] ?? 0, probe) > FAR_SECONDS
  let runs = 0
  for (const ordinal of ordinals) {
    const pass = passes.at(-1)
    const last = pass?.ordinals.at(-1)
    if (last !== undefined && last + 1 !== ordinal) runs += 1
    if (pass === undefined || last === undefined || runs > MOST_RUNS || (seek && far(last, ordinal))) {
      passes.push({ seek, ordinals: [ordinal] })
      runs = 1
    } else pass.ordinals.push(ordinal)
  }
  return passes
}

async function decode(
  tools: MediaTools,
  video: FilmedVideo,
  pass: Pass,
  { as, side, quality = 2, signal }: StillOptions,
  take: (still: Still) => Promise<void>,
): Promise<void> {
  const { probe, pts } = video
  const [first] = pass.ordinals
  if (first === undefined) return
  signal?.throwIfAborted()
  const from = secondsOf(pts[first] ?? 0, probe) - LEAD_SECONDS
  const seek = pass.seek && from > 0 && areApart(video, pass.ordinals) ? from : null
  const size = stillSize(probe, side)
  const seal = newSeal()
  const stall = new AbortController()
  const child = startTool(
    tools.ffmpeg,
    argsOf(tools, video, pass.ordinals, seek, size, as === 'jpeg' ? quality : null, seal),
    ['ignore', 'pipe', 'pipe'],
    AbortSignal.any([stall.signal, ...(signal ? [signal] : [])]),
  )
  const over = ended(child)
  // It is awaited below; until then a failure must not count as unhandled.
  over.catch(() => undefined)
  let heard = Date.now()
  let held = false
  const watch = setInterval(() => {
    if (!held && Date.now() - heard > STALL_MS) stall.abort()
  }, 1_000)
  const counted = new Counted(video, pass.ordinals, seek !== null, seal)
  child.stderr?.on('data', (chunk: Buffer) => {
    heard = Date.now()
    counted.hear(chunk)
  })
  const pictures = as === 'jpeg' ? new JpegPictures() : new RawPictures(size.width * size.height * 3)
  const waiting: Uint8Array<ArrayBuffer>[] = []
  const give = async () => {
    for (let data = waiting[0]; data !== undefined; data = waiting[0]) {
      const ordinal = counted.next()
      if (ordinal === undefined) return
      waiting.shift()
      held = true
      if (ordinal !== null) await take({ ordinal, ...size, data })
      held = false
      heard = Date.now()
    }
  }
  try {
    for await (const chunk of child.stdout ?? []) {
      heard = Date.now()
      waiting.push(...pictures.push(chunk as Buffer))
      await give()
    }
    await over
    await give()
    signal?.throwIfAborted()
  } finally {
    clearInterval(watch)
    stall.abort()
    await over.catch(() => undefined)
  }
}

/** Tells which frames come out of a pass, by the times that ffmpeg prints of all frames and of those that it picks. */
class Counted {
  readonly #messages: Messages
  readonly #text = new TextDecoder()
  readonly #pts: ArrayLike<number>
  readonly #timeBase: Probe['timeBase']
  readonly #wanted: readonly number[]
  readonly #seeking: boolean
  /** The ordinal of the next frame that comes; null once the times are not those of the table. */
  #next: number | null
  /** Ordinals of the frames that were picked and not yet asked for; null for one that cannot be trusted. */
  readonly #picked: (number | null)[] = []
  #at = 0
  #last: number | null = null
  #ticks = 1

  constructor({ pts, probe }: FilmedVideo, wanted: readonly number[], seeking: boolean, seal: number) {
    this.#messages = new Messages(seal)
    this.#pts = pts
    this.#timeBase = probe.timeBase
    this.#wanted = wanted
    this.#seeking = seeking
    this.#next = seeking ? null : 0
  }

  hear(chunk: Uint8Array): void {
    for (const message of this.#messages.push(this.#text.decode(chunk, { stream: true }))) {
      if (message.type === 'time-base') this.#ticks = (message.num * this.#timeBase.den) / (message.den * this.#timeBase.num)
      if (message.type !== 'frame') continue
      const ticks = Math.round(message.pts * this.#ticks)
      if (message.filter === 'all') this.#count(ticks)
      else this.#pick(ticks)
    }
  }

  /** The ordinal of the next picture; null if it is not what was asked for, undefined if ffmpeg has not told yet. */
  next(): number | null | undefined {
    return this.#picked.shift()
  }

  #count(ticks: number): void {
    // After seeking, the first frame shows where in the table it is.
    if (this.#seeking && this.#last === null) this.#next = ordinalAt(this.#pts, ticks)
    const right = this.#next !== null && this.#pts[this.#next] === ticks
    this.#last = right ? this.#next : -1
    this.#next = right && this.#next !== null ? this.#next + 1 : this.#seeking ? null : (this.#next ?? 0) + 1
  }

  #pick(ticks: number): void {
    const ordinal = this.#last
    const isWanted = ordinal !== null && ordinal >= 0 && this.#pts[ordinal] === ticks
    while (isWanted && (this.#wanted[this.#at] ?? Infinity) < ordinal) this.#at += 1
    this.#picked.push(isWanted && this.#wanted[this.#at] === ordinal ? ordinal : null)
  }
}

/** By bisection; null if no frame has this time. */
export function ordinalAt(pts: ArrayLike<number>, ticks: number): number | null {
  let [low, high] = [0, pts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pts[middle] ?? 0) < ticks) low = middle + 1
    else high = middle
  }
  return pts[low] === ticks ? low : null
}

/** Whether these frames can be told from their neighbours by their times. */
export function areApart({ pts, probe }: FilmedVideo, ordinals: readonly number[]): boolean {
  const seconds = (ordinal: number) => ((pts[ordinal] ?? Infinity) * probe.timeBase.num) / probe.timeBase.den
  return ordinals.every(
    (one) => (one === 0 || seconds(one) - seconds(one - 1) > 2 * SAME_TIME) && !(seconds(one + 1) - seconds(one) <= 2 * SAME_TIME),
  )
}

function argsOf(
  tools: MediaTools,
  { file, probe, pts }: FilmedVideo,
  ordinals: readonly number[],
  seek: number | null,
  { width, height }: { width: number; height: number },
  quality: number | null,
  seal: number,
): string[] {
  const seconds = (ordinal: number) => ((pts[ordinal] ?? 0) * probe.timeBase.num) / probe.timeBase.den
  const chosen =
    seek === null
      ? chosenBy('n', runsOf(ordinals))
      : chosenBy(
          't',
          runsOf(ordinals).map(([first, last]) => [seconds(first) - SAME_TIME, seconds(last) + SAME_TIME]),
        )
  const flags = 'flags=bicubic+accurate_rnd+full_chroma_int'
  // JPEGs hold the colours of BT.601 in the full range.
  const format =
    quality !== null ? `scale=out_range=full:out_color_matrix=bt601:${flags},setsar=1,format=yuvj420p` : 'setsar=1,format=rgb24'
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-v', 'level+info', '-threads', '2', '-copyts', '-filter_complex_threads', '1'],
    ...(seek === null ? [] : ['-ss', seek.toFixed(6)]),
    ...framesInput(tools, file, probe),
    '-filter_complex',
    [
      `[0:${probe.videoStream}]${seek === null ? `${frameClock(probe)},` : ''}showinfo@all_${seal}=checksum=0`,
      `select='${chosen}'`,
      `showinfo@picked_${seal}=checksum=0`,
      `scale=${width}:${height}:${flags}${toneMapped(tools, probe)},${format}`,
      'settb=1/25,setpts=N[out]',
    ].join(','),
    ...['-map', '[out]', ...keepFrames(tools), '-enc_time_base', '1:25', '-frames:v', String(ordinals.length)],
    ...(quality !== null ? ['-c:v', 'mjpeg', '-threads', '1', '-q:v', String(quality), '-f', 'mpjpeg'] : ['-f', 'rawvideo']),
    'pipe:1',
  ]
}

type Run = readonly [first: number, last: number]

/** Ascending ordinals as runs, both ends included. */
function runsOf(ordinals: readonly number[]): Run[] {
  const runs: [number, number][] = []
  for (const ordinal of ordinals) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] + 1 === ordinal) last[1] = ordinal
    else runs.push([ordinal, ordinal])
  }
  return runs
}

/** A `select` expression that halves the runs until one is left, since it is evaluated for every frame. */
function chosenBy(variable: 'n' | 't', runs: readonly Run[]): string {
  const [first, ...others] = runs
  if (first === undefined) return '0'
  if (others.length === 0) return `between(${variable},${first[0]},${first[1]})`
  const middle = runs.length >> 1
  const border = runs[middle]?.[0] ?? 0
  return `if(lt(${variable},${border}),${chosenBy(variable, runs.slice(0, middle))},${chosenBy(variable, runs.slice(middle))})`
}
