/** From sampled frames and cuts to clips: spans that tile the source, each with the frames and tubes that the model sees. */
import type { FrameRef, Probe } from '../../app/media.ts'
import { secondsOf } from '../../app/media.ts'
import { type GreyFrame, type Measured, Measuring } from './measure.ts'
import type { Want } from './decode-plan.ts'
import { cutTubes } from '../../app/tubes.ts'

/** A clip with what its encoding needs. Spans are half-open. */
export interface SampledClip {
  index: number
  /**
   * shot: cut to cut. window: a part of a shot longer than the model's clip length. marked: a span that a person chose. beginning: the first clip of
   * the source as far as it has come, which will end later.
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
  /** Whether a shot begins with it. */
  cut: boolean
  measured: Measured
  /** Some sampled frames, for who shows the clip. */
  frames: FrameRef[]
  inputs: ClipInput[]
  /** JPEG of the middle sampled frame, at most 240 pixels on its long side. */
  thumbnail: Uint8Array<ArrayBuffer>
}

/** What one pack's encoder reads. */
export interface ClipInput {
  /** The pack's digest. */
  key: string
  /** The model's input frames, ascending; repeated where the clip has fewer sampled frames than the model takes. */
  frames: FrameRef[]
  /** Per tube kind, [n_i * kt*kh*kw*3], see app/tubes. */
  tubes: Uint8Array<ArrayBuffer>[]
}

/** A sampled frame: its pictures at each model's size (RGB24), in the order of the wants, and as a preview. */
export interface PickedFrame extends GreyFrame {
  rgb: Uint8Array[]
  jpeg: Uint8Array<ArrayBuffer>
}

export type TubesWant = Extract<Want, { kind: 'tubes' }>

/** Longest clip, seconds, where no model wants shorter ones: what happens in it can be told in a sentence. */
const LONGEST = 8
/** Frames that a clip is shown by where no encoder saw it. */
const SHOWN = 16
/** Seconds of the first clip after which what has come of it is given off, until it is whole: a long shot is only known to be one after two clip lengths. */
const BEGINNINGS = [1, 2, 4, 8]

/**
 * Turns frames into clips as they come. Memory holds two clip lengths of sampled frames and 8 bytes per decoded frame, however long the
 * file: a shot that runs past twice the model's clip length gives off a full window at once; what is left of it in the end is cut in
 * equal parts, so that no clip is a sliver.
 */
export class ClipCutter {
  readonly #probe: Probe
  readonly #wants: readonly TubesWant[]
  /** Longest clip, seconds. */
  readonly #longest: number
  /** PTS by ordinal. */
  readonly pts: number[] = []
  #picked: PickedFrame[] = []
  #cuts: number[] = []
  #shotStart = 0
  /** Whether a window of the open shot has been given off. */
  #windowed = false
  /** Whether the open shot begins where nothing of it was given off. */
  #atCut = true
  #count = 0
  /** Of the clip that is given off next. */
  #measuring: Measuring
  /** How many beginnings of the first clip have been given off, or passed over. */
  #beginnings = 0
  /** PTS. */
  #lastEnds = -Infinity

  constructor(probe: Probe, wants: readonly TubesWant[]) {
    this.#probe = probe
    this.#measuring = new Measuring(probe)
    this.#wants = wants
    this.#longest = Math.min(LONGEST, ...wants.map(({ input }) => input.maxClipSeconds))
  }

  /** Seconds from the first frame to where the last one so far ends. */
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
   * @param decided Ordinals below this have passed the shot detector. @param here Of frames below these, every picture that is wanted by all packs, and
   * by one of them, has come.
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
        // Where a picture that was not sampled stands longer than a clip, as a slide does, the window goes on to the first that was.
        const end = Math.max(this.#ordinalAfter(this.#shotStart, this.#longest) ?? full, (this.#picked[0]?.ordinal ?? 0) + 1)
        if (end > Math.min(decided, lastPicked)) break
        yield* this.#emit(end, 'window')
        this.#windowed = true
      } else break
    }
    // A reader that is given a picture every two seconds is not waited for.
    const beginning = this.#count === 0 ? this.#beginning(Math.min(decided, here.some, picked)) : null
    if (beginning !== null) yield beginning
  }

  /** The longest beginning of the first clip that has come since the last one. @param here Frames below this have come whole. */
  #beginning(here: number): SampledClip | null {
    const ends = BEGINNINGS.map((seconds) => this.#ordinalAfter(0, seconds)).filter((end) => end !== null && end <= here)
    const end = ends.at(-1)
    if (end === undefined || end === null || ends.length <= this.#beginnings) return null
    this.#beginnings = ends.length
    const inside = this.#picked.filter(({ ordinal }) => ordinal < end)
    const clip = this.#clipOf(inside, end, 'beginning')
    // The picture is still needed here, and what is given off is another thread's.
    return clip && { ...clip, cut: true, inputs: [], thumbnail: clip.thumbnail.slice() }
  }

  /** No more frames follow. @param end Seconds at which the last one ends, where it stands longer than others. @returns The last clips. */
  *finish(end: number): Generator<SampledClip> {
    const { timeBase, startPts } = this.#probe
    this.#lastEnds = startPts + Math.round((end * timeBase.den) / timeBase.num)
    // A last shot of which no frame was sampled belongs to the one before it.
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

  /** Gives off [#shotStart, end). A span without a sampled frame (a gap in the file) stays open and joins what follows. */
  *#emit(end: number, kind: SampledClip['kind']): Generator<SampledClip> {
    const inside = this.#picked.filter(({ ordinal }) => ordinal < end)
    const clip = this.#clipOf(inside, end, kind)
    if (clip === null) return
    this.#picked = this.#picked.slice(inside.length)
    this.#shotStart = end
    this.#measuring = new Measuring(this.#probe)
    this.#count += 1
    const inputs = this.#wants.map(({ key, input }, want) => {
      const chosen = evenly(inside, input.frames)
      const picture = input.width * input.height * 3
      const video = new Uint8Array(chosen.length * picture)
      chosen.forEach(({ rgb }, i) => video.set(rgb[want] ?? new Uint8Array(), i * picture))
      return {
        key,
        frames: chosen.map(({ ordinal, pts }) => ({ ordinal, pts })),
        tubes: cutTubes(video, input).map((tube) => new Uint8Array(tube)),
      }
    })
    yield { ...clip, cut: this.#opens(), inputs }
  }

  /** [#shotStart, end), of which these are the sampled frames, without what encoders want; null where there are none. */
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

  /** Whether a shot begins with the clip that is given off now. */
  #opens(): boolean {
    const opens = this.#atCut
    this.#atCut = false
    return opens
  }

  /** Seconds from the first frame. */
  #timeOf(ordinal: number): number {
    return secondsOf(this.#ptsAt(ordinal), this.#probe)
  }

  /** PTS of a frame; past the last one, where that one ends. */
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

/** `count` of `all`, one from the middle of each of `count` equal parts: entries repeat where there are fewer. */
function evenly<T>(all: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]).filter((one) => one !== undefined)
}
