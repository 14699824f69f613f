/** From sampled frames and cuts to clips: spans that tile the source, each with the frames and tubes that the model sees. */
import type { FrameRef, Probe } from '../../app/media.ts'
import { secondsOf } from '../../app/media.ts'
import { type GreyFrame, type Measured, Measuring } from './measure.ts'
import type { EncoderWant } from './decode-plan.ts'
import { frameCount } from './frames.ts'
import { cutTubes } from '../../app/tubes.ts'

/** A clip with what its encoding needs. Spans are half-open. */
export interface SampledClip {
  index: number
  /**
   * shot: cut to cut. window: a part of a shot longer than the model's clip length. marked: a span that a person chose. beginning: the first clip of
   * the source as far as it has been decoded; its end is not known yet.
   */
  kind: 'shot' | 'window' | 'marked' | 'beginning'
  /** Seconds from the first frame of the source. */
  start: number
  end: number
  /** Ordinals. */
  startFrame: number
  endFrame: number
  /** Time base ticks. `endPts` is the PTS of the frame after the clip, or where the last frame of the source ends. */
  startPts: number
  endPts: number
  /** Whether a shot begins with this clip. */
  cut: boolean
  measured: Measured
  /** Some sampled frames, to show the clip by. */
  frames: FrameRef[]
  inputs: ClipInput[]
  /** JPEG of the middle sampled frame, at most 240 pixels on its long side. */
  thumbnail: Uint8Array<ArrayBuffer>
}

/** What one pack's encoder reads. */
export interface ClipInput {
  /** The pack's digest. */
  key: string
  /** The model's input frames, ascending; repeated where the clip has fewer sampled frames than a model takes that always takes as many. */
  frames: FrameRef[]
  /** Per tube kind, [n_i * kt*kh*kw*3], see app/tubes; for a model that takes whole frames, all of them as one. */
  tubes: Uint8Array<ArrayBuffer>[]
}

/** A sampled frame: its pictures at each model's size (RGB24), in the order of the wants, and as a preview. */
export interface PickedFrame extends GreyFrame {
  rgb: Uint8Array[]
  jpeg: Uint8Array<ArrayBuffer>
}

/** Longest clip, seconds, unless a model wants shorter ones: one sentence can still describe it. */
const LONGEST = 8
/** Number of frames that show a clip which no encoder saw. */
const SHOWN = 16
/** Lengths, seconds, at which the unfinished first clip is emitted: without them nothing of a long shot would be seen for two clip lengths. */
const BEGINNINGS = [1, 2, 4, 8]

/**
 * Turns frames into clips as they come. Memory holds two clip lengths of sampled frames and 8 bytes per decoded frame, however long the
 * file: as soon as a shot runs past twice the model's clip length, a full window is emitted; the rest is cut into equal parts when the
 * shot ends, so that no clip is very short.
 */
export class ClipCutter {
  readonly #probe: Probe
  readonly #wants: readonly EncoderWant[]
  /** Longest clip, seconds. */
  readonly #longest: number
  /** PTS by ordinal. */
  readonly pts: number[] = []
  #picked: PickedFrame[] = []
  #cuts: number[] = []
  #shotStart = 0
  /** Whether a window of the open shot has been emitted. */
  #windowed = false
  /** Whether the next clip is the first of its shot. */
  #atCut = true
  #count = 0
  /** Measures the clip that is emitted next. */
  #measuring: Measuring
  /** How many of BEGINNINGS are behind us, emitted or skipped. */
  #beginnings = 0
  /** PTS at which the last frame ends, once it is known. */
  #lastEnds = -Infinity

  constructor(probe: Probe, wants: readonly EncoderWant[]) {
    this.#probe = probe
    this.#measuring = new Measuring(probe)
    this.#wants = wants
    this.#longest = Math.min(LONGEST, ...wants.map(({ input }) => input.maxClipSeconds))
  }

  /** Seconds from the start of the first frame to the end of the last one so far. */
  get length(): number {
    return this.#timeOf(this.pts.length)
  }

  addPicked(frame: PickedFrame): void {
    this.#picked.push(frame)
  }

  addCuts(ordinals: readonly number[]): void {
    this.#cuts.push(...ordinals)
  }

  /**
   * @param decided Ordinals below this have passed the shot detector. @param here Pictures have come of all frames below `all` for every pack, and below
   * `some` for at least one pack.
   * @returns The clips that are now complete, or a beginning of the first.
   */
  *complete(decided: number, here: { all: number; some: number }): Generator<SampledClip> {
    const picked = this.#picked.at(-1)?.ordinal ?? 0
    const lastPicked = Math.min(here.all, picked)
    for (;;) {
      const cut = this.#cuts[0]
      const full = this.#ordinalAfter(this.#shotStart, 2 * this.#longest)
      if (cut !== undefined && cut <= Math.min(full ?? Infinity, lastPicked)) {
        this.#cuts.shift()
        yield* this.#closeShot(cut)
      } else if (full !== null && full < Math.min(decided, lastPicked)) {
        // One picture may stand longer than a clip, as a slide does: a window without a sampled frame is extended to the first one.
        const end = Math.max(this.#ordinalAfter(this.#shotStart, this.#longest) ?? full, (this.#picked[0]?.ordinal ?? 0) + 1)
        if (end > Math.min(decided, lastPicked)) break
        yield* this.#emit(end, 'window')
        this.#windowed = true
      } else break
    }
    // Not `here.all`: a reader gets a picture only every two seconds.
    const beginning = this.#count === 0 ? this.#beginning(Math.min(decided, here.some, picked)) : null
    if (beginning !== null) yield beginning
  }

  /** The longest beginning of the first clip that is new since the last call; null if none. @param here All pictures of frames below this have come. */
  #beginning(here: number): SampledClip | null {
    const ends = BEGINNINGS.map((seconds) => this.#ordinalAfter(0, seconds)).filter((end) => end !== null && end <= here)
    const end = ends.at(-1)
    if (end === undefined || end === null || ends.length <= this.#beginnings) return null
    this.#beginnings = ends.length
    const inside = this.#picked.filter(({ ordinal }) => ordinal < end)
    const clip = this.#clipOf(inside, end, 'beginning')
    // A copy: the event's memory goes to another thread, and the clip itself needs the picture later.
    return clip && { ...clip, cut: true, inputs: [], thumbnail: clip.thumbnail.slice() }
  }

  /** No more frames follow. @param end Seconds at which the last frame ends, if it stands longer than the frame rate says. @returns The last clips. */
  *finish(end: number): Generator<SampledClip> {
    const { timeBase, startPts } = this.#probe
    this.#lastEnds = startPts + Math.round((end * timeBase.den) / timeBase.num)
    // If no frame of the last shot was sampled, it joins the shot before it.
    const lastPicked = this.#picked.at(-1)?.ordinal ?? 0
    for (const cut of this.#cuts) if (cut <= lastPicked) yield* this.#closeShot(cut)
    yield* this.#closeShot(this.pts.length)
  }

  *#closeShot(end: number): Generator<SampledClip> {
    // A shot so short that no frame of it was sampled joins the next one.
    if (!this.#picked.some(({ ordinal }) => ordinal < end)) return
    const from = this.#timeOf(this.#shotStart)
    const length = this.#timeOf(end) - from
    const parts = Math.max(1, Math.ceil(length / this.#longest - 1e-6))
    const kind = parts > 1 || this.#windowed ? 'window' : 'shot'
    const first = this.#shotStart
    for (let part = 1; part < parts; part++) {
      const boundary = this.#ordinalAfter(first, (length * part) / parts)
      const isSampled = this.#picked.some(({ ordinal }) => boundary !== null && boundary <= ordinal && ordinal < end)
      if (boundary !== null && isSampled) yield* this.#emit(boundary, kind)
    }
    yield* this.#emit(end, kind)
    this.#windowed = false
    this.#atCut = true
  }

  /** Emits [#shotStart, end). A span without a sampled frame (a gap in the file) stays open and joins what follows. */
  *#emit(end: number, kind: SampledClip['kind']): Generator<SampledClip> {
    const inside = this.#picked.filter(({ ordinal }) => ordinal < end)
    const clip = this.#clipOf(inside, end, kind)
    if (clip === null) return
    this.#picked = this.#picked.slice(inside.length)
    this.#shotStart = end
    this.#measuring = new Measuring(this.#probe)
    this.#count += 1
    const inputs = this.#wants.map(({ key, kind, input }, want) => {
      const count = kind === 'tubes' ? input.frames : Math.min(inside.length, frameCount(input, clip.end - clip.start))
      const chosen = evenly(inside, count)
      const picture = input.width * input.height * 3
      const video = new Uint8Array(chosen.length * picture)
      chosen.forEach(({ rgb }, i) => video.set(rgb[want] ?? new Uint8Array(), i * picture))
      return {
        key,
        frames: chosen.map(({ ordinal, pts }) => ({ ordinal, pts })),
        tubes: kind === 'tubes' ? cutTubes(video, input).map((tube) => new Uint8Array(tube)) : [video],
      }
    })
    yield { ...clip, cut: this.#opens(), inputs }
  }

  /** The clip [#shotStart, end) without the encoders' inputs. @param inside Its sampled frames; null is returned if there are none. */
  #clipOf(inside: readonly PickedFrame[], end: number, kind: SampledClip['kind']): Omit<SampledClip, 'cut' | 'inputs'> | null {
    const middle = inside[inside.length >> 1]
    const startFrame = this.#shotStart
    const startPts = this.pts[startFrame]
    if (middle === undefined || startPts === undefined || end <= startFrame) return null
    return {
      index: this.#count,
      kind,
      start: this.#timeOf(startFrame),
      end: this.#timeOf(end),
      startFrame,
      endFrame: end,
      startPts,
      endPts: this.#ptsAt(end),
      measured: this.#measuring.of(inside),
      frames: evenly(inside, SHOWN).map(({ ordinal, pts }) => ({ ordinal, pts })),
      thumbnail: middle.jpeg,
    }
  }

  /** Whether a shot begins with the clip that is emitted now. */
  #opens(): boolean {
    const opens = this.#atCut
    this.#atCut = false
    return opens
  }

  /** Seconds from the first frame. */
  #timeOf(ordinal: number): number {
    return secondsOf(this.#ptsAt(ordinal), this.#probe)
  }

  /** PTS of a frame; for an ordinal past the last frame, the PTS at which the last one ends. */
  #ptsAt(ordinal: number): number {
    const { frameRate, timeBase } = this.#probe
    const nominal = Math.max(1, Math.round((frameRate.den * timeBase.den) / (frameRate.num * timeBase.num)))
    return this.pts[ordinal] ?? Math.max(this.#lastEnds, (this.pts.at(-1) ?? this.#probe.startPts) + nominal)
  }

  /** The first frame at least `seconds` after frame `from`, by bisection (times ascend); null if it has not come yet. */
  #ordinalAfter(from: number, seconds: number): number | null {
    const target = this.#timeOf(from) + seconds - 1e-6
    let [low, high] = [from, this.pts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#timeOf(middle) < target) low = middle + 1
      else high = middle
    }
    return low < this.pts.length ? low : null
  }
}

/** `count` entries of `all`, one from the middle of each of `count` equal parts: entries repeat if `all` has fewer. */
function evenly<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]).filter((one) => one !== undefined)
}
