/** The thread that follows one box: ffmpeg decodes from its frame on, and each picture is searched for what the object looked like before. */
import type { Box, KeyBox } from '../../app/annotation.ts'
import { TubeletError } from '../../app/errors.ts'
import { enteredAs, Follower, type Help, type Picture } from '../../app/follow.ts'
import { secondsOf } from '../../app/media.ts'
import { interpolate } from '../../app/tracks.ts'
import { serve } from '../channel.ts'
import { frameClock } from './clock.ts'
import { framesInput, toneMapped } from './decode-plan.ts'
import { Messages, newSeal, RawPictures } from './decode-streams.ts'
import type { FollowResult, FollowService, FollowTask } from './follow.ts'
import { ShotDetector, TINY } from './shots.ts'
import { LEAD_SECONDS, SAME_TIME } from './span.ts'
import { ended, keepFrames, startTool, untilNotKilled } from './tools.ts'

/** Longer side of the pictures, pixels. More would not help: the follower scales the object to a fixed size. */
const SIDE = 640

/** An object is taken to be entering the picture if the detector's track of it begins within so many seconds. */
const ENTERING = 0.6

/** The frames that are followed, one by one. */
class Pass {
  #follower: Follower | null = null
  readonly #shots = new ShotDetector()
  readonly path: KeyBox[] = []
  /** The ordinal in the source of each frame of the pass. */
  readonly #ordinals: number[] = []
  end: FollowResult['end'] | null = null
  /** Length of the path up to the last frame on which the object was seen. */
  #clear = 1
  /** Scale of the pictures: their pixels per pixel of the frame. */
  readonly #scale: number

  readonly #task: FollowTask

  constructor(task: FollowTask, scale: number) {
    this.#task = task
    this.#scale = scale
  }

  /** @returns Whether more is wanted. */
  push(ordinal: number, picture: Picture): boolean {
    const task = this.#task
    const pts = task.pts[ordinal] ?? 0
    this.#ordinals.push(ordinal)
    const [cut] = this.#shots.push(tiny(picture))
    if (cut !== undefined) return this.#stopAt(cut)
    const help = task.help.flatMap((body, i): Help[] => {
      const box = interpolate(body, pts)
      return box === null ? [] : [{ object: body.object ?? -1 - i, box: scaled(box, this.#scale) }]
    })
    if (this.#follower === null) {
      this.#follower = new Follower(picture, scaled(task.box, this.#scale), help)
      this.path.push({ ordinal, pts, box: task.box, score: null })
      return true
    }
    const followed = this.#follower.next(picture, help)
    if (followed === null) {
      if (this.#entered(ordinal, picture, help)) return true
      // Everything after the last sighting was guessed.
      this.path.splice(this.#clear)
      this.end = 'lost'
      return false
    }
    this.path.push({ ordinal, pts, box: scaled(followed.box, 1 / this.#scale), score: null })
    if (followed.clear) this.#clear = this.path.length
    return true
  }

  /** Whether the drawn box is the first visible part of an object entering the picture: it then continues as the detector's track. */
  #entered(ordinal: number, picture: Picture, help: readonly Help[]): boolean {
    const task = this.#task
    const { from, box, probe } = task
    if (this.#clear > 1) return false
    const [pts, second] = [task.pts[from] ?? 0, probe.timeBase.den / probe.timeBase.num]
    const track = enteredAs(box, pts, pts + ENTERING * second, task.help, probe)
    const now = track && interpolate(track, task.pts[ordinal] ?? 0)
    if (!track || !now) return false
    this.path.splice(1)
    for (let frame = from + 1; frame <= ordinal; frame++) {
      const there = interpolate(track, task.pts[frame] ?? 0)
      if (there) this.path.push({ ordinal: frame, pts: task.pts[frame] ?? 0, box: there, score: null })
    }
    this.#clear = this.path.length
    this.#follower = new Follower(picture, scaled(now, this.#scale), help)
    return true
  }

  /** No more frames come. */
  finish(): void {
    const [cut] = this.#shots.finish()
    if (cut === undefined) this.end ??= 'done'
    else this.#stopAt(cut)
  }

  #stopAt(cut: number): boolean {
    const first = this.#ordinals[cut] ?? Infinity
    const after = this.path.findIndex(({ ordinal }) => ordinal >= first)
    if (after >= 0) this.path.splice(after)
    this.end = 'cut'
    return false
  }
}

/** @returns Null if seeking gave other frames than the wanted ones. */
async function follow(task: FollowTask, seek: number | null): Promise<FollowResult | null> {
  const { tools, file, probe, pts, from, until } = task
  const scale = Math.min(1, SIDE / Math.max(probe.width, probe.height))
  const [width, height] = [Math.max(1, Math.round(probe.width * scale)), Math.max(1, Math.round(probe.height * scale))]
  const seconds = (ordinal: number) => ((pts[ordinal] ?? 0) * probe.timeBase.num) / probe.timeBase.den
  const seal = newSeal()
  const graph = [
    `[0:${probe.videoStream}]${seek === null ? `${frameClock(probe, seal)},` : ''}select='gte(t,${seconds(from) - SAME_TIME})',showinfo@all_${seal}=checksum=0`,
    `scale=${width}:${height}:flags=area${toneMapped(tools, probe)},format=rgb24[out]`,
  ]
  const args = [
    ...[
      '-hide_banner',
      '-nostdin',
      '-nostats',
      '-v',
      'level+info',
      '-threads',
      '2',
      '-copyts',
      ...(seek === null ? [] : ['-ss', String(seek)]),
      ...framesInput(tools, file, probe),
    ],
    ...[
      '-filter_complex',
      graph.join(','),
      '-map',
      '[out]',
      ...keepFrames(tools),
      '-frames:v',
      String(until - from),
      '-f',
      'rawvideo',
      'pipe:1',
    ],
  ]
  const stop = new AbortController()
  const child = startTool(tools.ffmpeg, args, ['ignore', 'pipe', 'pipe'], stop.signal)
  const pass = new Pass(task, scale)
  const [pictures, messages, text] = [new RawPictures(width * height * 3), new Messages(seal), new TextDecoder()]
  const waiting: { times: number[]; rgb: Uint8Array[] } = { times: [], rgb: [] }
  let [tick, next, strange] = [0, from, false]
  const advance = () => {
    while (pass.end === null && !strange && waiting.times.length > 0 && waiting.rgb.length > 0) {
      const [time, rgb] = [waiting.times.shift() ?? 0, waiting.rgb.shift() ?? new Uint8Array()]
      while (next < until && seconds(next) < time - SAME_TIME) next += 1
      strange = (pass.path.length === 0 && next !== from) || Math.abs(seconds(next) - time) > SAME_TIME
      if (strange || !pass.push(next, { rgb, width, height })) stop.abort()
    }
  }
  child.stderr?.on('data', (chunk: Buffer) => {
    for (const message of messages.push(text.decode(chunk, { stream: true }))) {
      if (message.type === 'time-base') tick = message.num / message.den
      else if (message.type === 'frame' && message.filter === 'all') waiting.times.push(message.pts * tick)
    }
    advance()
  })
  child.stdout?.on('data', (chunk: Buffer) => {
    waiting.rgb.push(...pictures.push(chunk))
    advance()
  })
  await ended(child)
  if (pass.path.length === 0) return null
  pass.finish()
  return { path: pass.path, end: pass.end ?? 'done' }
}

/** A picture averaged down to the size that the detector of cuts takes, RGB24. */
function tiny({ rgb, width, height }: Picture): Uint8Array {
  const out = new Uint8Array(TINY.width * TINY.height * 3)
  for (let y = 0; y < TINY.height; y++) {
    const [top, bottom] = [
      Math.floor((y * height) / TINY.height),
      Math.max(Math.floor(((y + 1) * height) / TINY.height), Math.floor((y * height) / TINY.height) + 1),
    ]
    for (let x = 0; x < TINY.width; x++) {
      const [left, right] = [
        Math.floor((x * width) / TINY.width),
        Math.max(Math.floor(((x + 1) * width) / TINY.width), Math.floor((x * width) / TINY.width) + 1),
      ]
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let v = top; v < bottom; v++) for (let u = left; u < right; u++) sum += rgb[3 * (v * width + u) + channel] ?? 0
        out[3 * (y * TINY.width + x) + channel] = Math.round(sum / ((bottom - top) * (right - left)))
      }
    }
  }
  return out
}

function scaled({ x1, y1, x2, y2 }: Box, by: number): Box {
  return { x1: x1 * by, y1: y1 * by, x2: x2 * by, y2: y2 * by }
}

async function run(task: FollowTask): Promise<FollowResult> {
  const lead = Math.max(0, secondsOf(task.pts[task.from] ?? 0, task.probe) - LEAD_SECONDS)
  for (const seek of lead > 0 && task.probe.clockRestarts !== true && task.probe.numbered !== true ? [lead, null] : [null]) {
    const result = await untilNotKilled(() => follow(task, seek))
    if (result !== null) return result
  }
  throw new TubeletError({
    code: 'no-frames',
    message: 'The frames of this span cannot be read again.',
    file: task.file,
    stillWorks: 'Everything that was analysed before.',
    next: 'Retry the whole file: it may have been changed.',
  })
}

serve<FollowService>({ follow: run })
