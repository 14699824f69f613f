/** Combines the pipes of one decode pass: which frames there are, which were sampled, where the cuts are, what errors were reported. */
import { changesBetween, type Thinned, thinned } from '../../app/changes.ts'
import { type Problem, TubeletError } from '../../app/errors.ts'
import { STRIP_CELLS } from '../../app/filmstrip.ts'
import { type Probe, secondsOf } from '../../app/media.ts'
import { ClipCutter } from './clips.ts'
import { type Heard, note } from './damage.ts'
import { JpegPictures, type Message, Messages, RawPictures } from './decode-streams.ts'
import { type EncoderWant, fittedSize } from './decode-plan.ts'
import { squared, wholeSize } from './frames.ts'
import { greySize, looksSame } from './measure.ts'
import type { PassEvent, PassTask } from './sample.ts'
import { ShotDetector, stands, TINY } from './shots.ts'
import { STDERR_KEEP } from './tools.ts'

/** Least time between two progress events, milliseconds. */
const PROGRESS_EVERY = 100

export class DecodePass {
  readonly #task: PassTask
  /** The probe, corrected by what decoding shows. */
  readonly #probe: Probe
  readonly #clips: ClipCutter
  readonly #shots = new ShotDetector()
  readonly #tiny = new RawPictures(TINY.width * TINY.height * 3)
  /** Tiny pictures of which it is not known yet how long they are shown. */
  readonly #tinyWaiting: Uint8Array[] = []
  readonly #grey: RawPictures
  readonly #encoders: EncoderStream[]
  readonly #single: SingleStream[]
  readonly #preview = new JpegPictures()
  readonly #strip = new JpegPictures()
  readonly #messages: Messages
  readonly #text = new TextDecoder()
  /** What each pipe has delivered of sampled frames and the other pipes have not. */
  readonly #pickedPts: number[] = []
  readonly #pickedGrey: Uint8Array[] = []
  readonly #pickedJpeg: Uint8Array<ArrayBuffer>[] = []
  #lastPicked = -1
  readonly #greyWidth: number
  #lastGrey: Uint8Array | null = null
  readonly #filmstrip = new Filmstrip()
  #thumbnail: 'none' | 'dull' | 'good' = 'none'
  #ticks = 1
  readonly #heard: Heard = { complaints: [], madeUp: [], keys: [], sampled: [], text: '', code: null, stalled: false }
  #lastProgress = 0

  constructor(task: PassTask) {
    this.#task = task
    this.#messages = new Messages(task.seal)
    this.#probe = { ...task.probe }
    const wants = task.wants.filter((want) => want.kind !== 'pictures')
    this.#clips = new ClipCutter(this.#probe, wants)
    const grey = greySize(task.probe)
    this.#greyWidth = grey.width
    this.#grey = new RawPictures(grey.width * grey.height)
    this.#encoders = wants.map((want) => encoderStream(want, task.probe))
    this.#single = task.wants.flatMap((want, number) =>
      want.kind === 'pictures' ? [new SingleStream(want.key, number, fittedSize(task.probe, want.input))] : [],
    )
  }

  *tiny(chunk: Uint8Array): Generator<PassEvent> {
    this.#tinyWaiting.push(...this.#tiny.push(chunk))
    yield* this.#advance()
  }

  *messages(chunk: Uint8Array): Generator<PassEvent> {
    for (const message of this.#messages.push(this.#text.decode(chunk, { stream: true }))) this.#note(message)
    yield* this.#advance()
  }

  *grey(chunk: Uint8Array): Generator<PassEvent> {
    this.#pickedGrey.push(...this.#grey.push(chunk))
    yield* this.#advance()
  }

  /** @param key The want's key. */
  *wanted(key: string, chunk: Uint8Array): Generator<PassEvent> {
    for (const stream of this.#encoders.filter((one) => one.key === key))
      for (const rgb of stream.pictures.push(chunk)) stream.waiting.push(stream.prepare(rgb))
    for (const stream of this.#single) if (stream.key === key) stream.waiting.push(...stream.pictures.push(chunk))
    yield* this.#advance()
  }

  /** Take back the memory of a picture, to use it for a later one. @param key The want's key. */
  reuse(key: string, memory: ArrayBuffer): void {
    this.#single.find((stream) => stream.key === key)?.pictures.reuse(memory)
  }

  *preview(chunk: Uint8Array): Generator<PassEvent> {
    this.#pickedJpeg.push(...this.#preview.push(chunk))
    yield* this.#advance()
  }

  strip(chunk: Uint8Array): PassEvent[] {
    for (const jpeg of this.#strip.push(chunk)) this.#filmstrip.addPicture(jpeg)
    return []
  }

  /**
   * ffmpeg has ended.
   *
   * @throws TubeletError `no-frames`, `codec-unsupported`, `decode-timeout` when there is nothing to show for it.
   */
  *finish(code: number | null, stalled: boolean): Generator<PassEvent> {
    const { pts } = this.#clips
    Object.assign(this.#heard, { code, stalled })
    this.#findCuts(this.#probe.startPts + (this.#duration() * this.#probe.timeBase.den) / this.#probe.timeBase.num)
    this.#clips.addCuts(this.#shots.finish())
    yield* this.#advance()
    for (const stream of this.#single) stream.here = Infinity
    if (pts.length === 0) throw new TubeletError(this.#nothing(stalled))
    // An intact file that claims to be longer than its frames holds its last picture until then; a broken one does not.
    const whole = this.#heard.complaints.length === 0 && code === 0 && !stalled
    for (const clip of this.#clips.finish(whole ? this.#duration() : 0)) yield { type: 'clip', clip }
    yield {
      type: 'done',
      probe: { ...this.#probe, duration: this.#duration() },
      pts: Float64Array.from(pts),
      filmstrip: this.#filmstrip.kept.map(({ pts, jpeg }) => ({ time: secondsOf(pts, this.#probe), picture: jpeg })),
      ends: this.#clips.length,
      heard: this.#heard,
    }
  }

  #note(message: Message): void {
    const { pts } = this.#clips
    const { timeBase } = this.#probe
    if (message.type === 'error') {
      this.#heard.text = `${this.#heard.text}${message.text}\n`.slice(-STDERR_KEEP)
      if (message.about !== 'output') note(this.#heard, pts.length, message.about)
      if (message.madeUp === true && this.#heard.madeUp.at(-1) !== pts.length) this.#heard.madeUp.push(pts.length)
    } else if (message.type === 'time-base') this.#ticks = (message.num * timeBase.den) / (message.den * timeBase.num)
    else if (message.type === 'new-clock') this.#probe.clockRestarts = true
    else {
      const ticks = Math.round(message.pts * this.#ticks)
      // The first frame, not the first packet: a cut stream begins with packets that give no picture, and the packets of an AVI have no times.
      if (pts.length === 0) this.#probe.startPts = ticks
      if (message.filter === 'picked') this.#pickedPts.push(ticks)
      else if (message.filter === 'strip') this.#filmstrip.addTime(ticks)
      else if (message.filter === 'all') {
        if (message.key === true) this.#heard.keys.push(pts.length)
        pts.push(ticks)
      } else this.#single.find(({ number }) => number === message.filter)?.pts.push(ticks)
    }
  }

  /** Seconds: what the file claims, but at least to the end of its last frame. */
  #duration(): number {
    const late = Math.max(0, secondsOf(this.#probe.startPts, this.#task.probe))
    return Math.max(this.#clips.length, this.#task.probe.duration - late)
  }

  /** @param end PTS at which the last frame is gone; left out while more may follow. */
  #findCuts(end?: number): void {
    const { pts } = this.#clips
    for (let picture = this.#tinyWaiting[0]; picture !== undefined; picture = this.#tinyWaiting[0]) {
      const at = this.#shots.taken
      const [from, until] = [pts[at], pts[at + 1] ?? end]
      if (from === undefined || until === undefined) return
      this.#tinyWaiting.shift()
      const stay = secondsOf(until, this.#probe) - secondsOf(from, this.#probe)
      this.#clips.addCuts(this.#shots.push(picture, stands(stay, this.#probe.frameRate)))
    }
  }

  /** Join what the pipes have delivered so far. @returns The events that are now complete. */
  *#advance(): Generator<PassEvent> {
    this.#findCuts()
    const { pts } = this.#clips
    for (;;) {
      const [ticks, grey, jpeg] = [this.#pickedPts[0], this.#pickedGrey[0], this.#pickedJpeg[0]]
      const rgb = this.#encoders.flatMap(({ waiting }) => waiting[0] ?? [])
      if (ticks === undefined || grey === undefined || jpeg === undefined || rgb.length < this.#encoders.length) break
      // Sampled frames are a subsequence of all frames, so each is the next frame with its time.
      const found = pts.indexOf(ticks, this.#lastPicked + 1)
      if (found < 0) break
      this.#lastPicked = found
      this.#pickedPts.shift()
      this.#pickedGrey.shift()
      for (const { waiting } of this.#encoders) waiting.shift()
      this.#pickedJpeg.shift()
      this.#heard.sampled.push({ ordinal: found, still: this.#lastGrey !== null && looksSame(this.#lastGrey, grey, this.#greyWidth) })
      this.#lastGrey = grey
      this.#clips.addPicked({ ordinal: found, pts: pts[found] ?? 0, rgb, grey, jpeg })
      yield* this.#thumbnailFrom(grey, jpeg)
      yield* this.#progress(pts[found] ?? 0)
    }
    for (const stream of this.#single) yield* stream.advance(pts)
    const here = this.#single.map((stream) => stream.here)
    const decided = Math.min(this.#shots.decided, pts.length)
    for (const clip of this.#clips.complete(decided, { all: Math.min(...here), some: here.length === 0 ? Infinity : Math.max(...here) }))
      yield { type: clip.kind === 'beginning' ? 'beginning' : 'clip', clip }
  }

  /** The first frame at once, so that there is something to see; replaced by a later one if it is black or empty. */
  *#thumbnailFrom(grey: Uint8Array, jpeg: Uint8Array): Generator<PassEvent> {
    if (this.#thumbnail === 'good') return
    const good = contrastOf(grey) >= 16
    if (this.#thumbnail === 'none' || good) yield { type: 'thumbnail', jpeg: new Uint8Array(jpeg) }
    this.#thumbnail = good ? 'good' : 'dull'
  }

  *#progress(pts: number): Generator<PassEvent> {
    const now = performance.now()
    if (now - this.#lastProgress < PROGRESS_EVERY) return
    this.#lastProgress = now
    yield { type: 'progress', seconds: Math.max(0, secondsOf(pts, this.#probe)) }
  }

  #nothing(stalled: boolean): Problem {
    const { file, probe } = this.#task
    const shared = { file, stillWorks: 'All other files go on.', details: this.#heard.text }
    if (stalled) {
      return {
        ...shared,
        code: 'decode-timeout',
        message: 'The decoder found no picture in a minute and was stopped.',
        next: 'Convert the file to H.264 and add that.',
      }
    }
    if (/decoder .*not found|not (?:currently )?implemented|doesn't support|unsupported/i.test(this.#heard.text)) {
      return {
        ...shared,
        code: 'codec-unsupported',
        message: 'This kind of “{{codec}}” video is not supported by the ffmpeg on this computer.',
        values: { codec: probe.codec },
        next: 'Install a newer ffmpeg, or convert the file to H.264.',
      }
    }
    return {
      ...shared,
      code: 'no-frames',
      message: 'No picture in this file can be read.',
      next: 'Copy the file again from its source, or export it again.',
    }
  }
}

/** Joins the filmstrip's pictures with their times. Holds at most twice STRIP_CELLS, whatever length the container claims. */
class Filmstrip {
  kept: { pts: number; jpeg: Uint8Array<ArrayBuffer> }[] = []
  /** What one pipe has delivered and the other has not. */
  readonly #pts: number[] = []
  readonly #jpegs: Uint8Array<ArrayBuffer>[] = []
  #every = 1
  #seen = 0

  addTime(pts: number): void {
    this.#pts.push(pts)
    this.#join()
  }

  addPicture(jpeg: Uint8Array<ArrayBuffer>): void {
    this.#jpegs.push(jpeg)
    this.#join()
  }

  #join(): void {
    const [pts, jpeg] = [this.#pts[0], this.#jpegs[0]]
    if (pts === undefined || jpeg === undefined) return
    this.#pts.shift()
    this.#jpegs.shift()
    if (this.#seen++ % this.#every !== 0) return
    this.kept.push({ pts, jpeg })
    if (this.kept.length < 2 * STRIP_CELLS) return
    this.kept = this.kept.filter((_, i) => i % 2 === 0)
    this.#every *= 2
  }
}

/** Standard deviation of brightness, 0..128. */
function contrastOf(grey: Uint8Array): number {
  let [sum, squares] = [0, 0]
  for (const value of grey) {
    sum += value
    squares += value * value
  }
  return Math.sqrt(Math.max(0, squares / grey.length - (sum / grey.length) ** 2))
}

/** The pictures of one want as they come out of its pipe. */
interface Stream {
  key: string
  pictures: RawPictures
  waiting: Uint8Array<ArrayBuffer>[]
}

/** The picture of every sampled frame for a pack that encodes clips. */
interface EncoderStream extends Stream {
  /** The picture as the pack sees it. */
  prepare: (rgb: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
}

function encoderStream({ key, kind, input }: EncoderWant, probe: Probe): EncoderStream {
  if (kind === 'tubes') return { key, pictures: new RawPictures(input.width * input.height * 3), waiting: [], prepare: (rgb) => rgb }
  const size = wholeSize(probe)
  const pictures = new RawPictures(size.width * size.height * 3)
  return {
    key,
    pictures,
    waiting: [],
    // At once, since the whole picture is large.
    prepare: (rgb) => {
      const made = squared({ rgb, ...size }, input.width)
      pictures.reuse(rgb.buffer)
      return made
    },
  }
}

/** Pictures of some sampled frames for a detector or reader; a picture that looks like the last one given is reported without its pixels. */
class SingleStream implements Stream {
  readonly key: string
  readonly number: number
  readonly pictures: RawPictures
  readonly waiting: Uint8Array<ArrayBuffer>[] = []
  /** PTS of frames whose picture has not come yet. */
  readonly pts: number[] = []
  /** Every picture of frames below this ordinal has come. */
  here = 0
  readonly #size: { width: number; height: number }
  /** The picture that was given last. */
  #given: Thinned | null = null

  constructor(key: string, number: number, size: { width: number; height: number }) {
    this.key = key
    this.number = number
    this.#size = size
    this.pictures = new RawPictures(size.width * size.height * 3)
  }

  /** @param all PTS of every frame so far, by ordinal. */
  *advance(all: readonly number[]): Generator<PassEvent> {
    for (;;) {
      const [ticks, rgb] = [this.pts[0], this.waiting[0]]
      if (ticks === undefined || rgb === undefined) return
      const ordinal = all.indexOf(ticks, this.here)
      if (ordinal < 0) return
      this.pts.shift()
      this.waiting.shift()
      this.here = ordinal + 1
      const frame = { ordinal, pts: ticks }
      const here = thinned(rgb, this.#size.width)
      const changed = this.#given && changesBetween(this.#given, here)
      if (changed?.length === 0) {
        this.pictures.reuse(rgb.buffer)
        yield { type: 'picture', key: this.key, frame, picture: null, changed }
      } else {
        this.#given = here
        yield { type: 'picture', key: this.key, frame, picture: { rgb, ...this.#size }, changed }
      }
    }
  }
}
