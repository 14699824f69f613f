/**
 * The sampled frames of a source for one pack, and which of them the pack has to process: a frame that looks like the one before is skipped, and
 * after a small change a detector may wait.
 */
import type { RelativeBox } from '../../app/boxes.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import type { Picture, Spotted } from '../engine/engine.ts'
import type { SeenFrame } from '../library/seen.ts'

/** Pictures queued for an engine: enough that it never waits for the decoder. */
const WAITING = 3

/** A place that changed before this many looks, none of which saw anything move there, only flickers (or is a counter). */
const USUAL = 2
/** So many sides of a square from its middle lies the middle of the next one. */
const BESIDE = 1.5
/**
 * Where only such places change, a detector looks again after this many seconds, so that something new there is soon seen. An odd number of its
 * steps, so that these looks alternate between the picture and its mirror image too.
 */
const LOOKS_AGAIN = 4.25
/** So few other squares show nothing that a detector could see, or that cannot wait as long. What moves on changes more. */
const FEW = 2
/** If a larger share of the picture changed, it is looked at. */
const LITTLE = 0.15
/** If a larger share changed that does not always change, it is another scene, of which nothing is known. */
const OTHER_SCENE = 0.3
/** What moves changes this share of its box: digits that change on a sign do not move the sign. A weaker box than this begins no track (app/tracker). */
const MOVED = 0.25
const LEAST_SCORE = 0.25

/** A picture whose memory the decoder reuses afterwards. */
export type Lent = Picture & { giveBack: () => void }

/** The rule by which a pack may skip a changed picture. */
export interface Patience<T> {
  /** Which of the things seen move, given where the picture changed. */
  moving: (seen: readonly T[], changed: readonly RelativeBox[]) => readonly { box: RelativeBox }[]
  secondsBetween: (from: FrameRef, to: FrameRef) => number
}

/** What an earlier run saw on a frame: null if it skipped it, undefined if it did not come to it. */
export interface Known<T> {
  get: (ordinal: number) => T[] | null | undefined
}

/** The frames of one pack that are not yet handed to a clip. */
/** @typeParam T What is seen on a picture: things, lines, or the cells of a detector of any words. */
export class Frames<T> {
  readonly #ask: (picture: Picture, frame: FrameRef) => Promise<T[]>
  readonly #patience: Patience<T> | null
  /** The last frame that was processed, and where the picture changed since, by place. */
  #last: { frame: FrameRef; seen: Promise<T[] | null> } | null = null
  readonly #changed = new Map<number, RelativeBox>()
  /** By place: before how many looks it had changed without anything seen moving there. */
  readonly #flickers = new Map<number, { square: RelativeBox; looks: number }>()
  /** Resolves when that count includes all looks so far. */
  #learnt = Promise.resolve()
  /** Results of an earlier run, by frame ordinal. */
  readonly #known: Known<T>
  #waiting: { frame: FrameRef; seen: Promise<T[] | null> }[] = []
  /** What was seen last in the clips handed out so far. */
  #standing: T[] | null = null
  #running = 0
  /** Resolves when a running look has ended. */
  #ended = Promise.withResolvers<undefined>()

  /** @param patience Null for a pack that processes every changed picture. */
  constructor(known: Known<T>, patience: Patience<T> | null, ask: (picture: Picture, frame: FrameRef) => Promise<T[]>) {
    this.#known = known
    this.#patience = patience
    this.#ask = ask
  }

  /** @param changed Where the picture differs from the one pushed before; null for the first. Resolves when the next one may be pushed. */
  async push(frame: FrameRef, picture: Lent | null, changed: readonly RelativeBox[] | null): Promise<void> {
    for (const box of changed ?? []) this.#changed.set(placeOf(box), box)
    const known = this.#known.get(frame.ordinal)
    const rests = known === null || (known === undefined && (picture === null || (await this.#rests(frame, changed))))
    const seen = rests ? Promise.resolve(null) : known || picture === null ? Promise.resolve(known ?? null) : this.#look(picture, frame)
    // An error is handled where this is awaited. After one, the engine may still be reading the picture.
    seen.then(
      () => picture?.giveBack(),
      () => undefined,
    )
    this.#waiting.push({ frame, seen })
    if (!rests) {
      this.#learn(seen)
      this.#last = { frame, seen }
      this.#changed.clear()
    }
    while (this.#running >= WAITING) await this.#ended.promise
  }

  /** Whether only places that always change have changed since the last look, so that this frame can be skipped. @param changed Since the frame before. */
  async #rests(frame: FrameRef, changed: readonly RelativeBox[] | null): Promise<boolean> {
    if (this.#last === null || this.#patience === null || changed === null || areaOf(changed) > LITTLE) return false
    // Decided only after the running looks have ended: which frames are processed must not depend on speed.
    await this.#learnt
    if (this.#patience.secondsBetween(this.#last.frame, frame) > LOOKS_AGAIN - 0.01 || this.#unusualOf(this.#changed).length > FEW)
      return false
    const seen = await this.#last.seen.catch(() => null)
    return seen !== null && this.#patience.moving(seen, [...this.#changed.values()]).length === 0
  }

  /** Those that do not always change, nor lie beside a place that does: another digit of a clock changes other parts of its field. */
  #unusualOf(changed: ReadonlyMap<number, RelativeBox>): RelativeBox[] {
    const usual = [...this.#flickers.values()].filter(({ looks }) => looks >= USUAL)
    const isBeside = ({ cx, cy }: RelativeBox) =>
      usual.some(({ square }) => Math.abs(square.cx - cx) < BESIDE * square.w && Math.abs(square.cy - cy) < BESIDE * square.h)
    return [...changed].flatMap(([place, square]) => ((this.#flickers.get(place)?.looks ?? 0) >= USUAL || isBeside(square) ? [] : [square]))
  }

  /** @param looked What is seen after the changes. */
  #learn(looked: Promise<T[] | null>): void {
    const { moving } = this.#patience ?? {}
    if (moving === undefined) return
    const changed = new Map(this.#changed)
    this.#learnt = this.#learnt.then(async () => {
      const seen = await looked.catch(() => null)
      if (seen === null) return
      if (areaOf(this.#unusualOf(changed)) > OTHER_SCENE) this.#flickers.clear()
      else {
        const things = moving(seen, [...changed.values()])
        for (const [place, square] of changed)
          if (things.some(({ box }) => shared(box, square) > 0)) this.#flickers.delete(place)
          else this.#flickers.set(place, { square, looks: (this.#flickers.get(place)?.looks ?? 0) + 1 })
      }
    })
  }

  /** The frames of the next clip. A clip is complete by itself: if nothing changed since the clip before, it starts with what was seen there. */
  async take(endFrame: number): Promise<SeenFrame<T>[]> {
    const frames = await this.before(endFrame)
    this.#waiting = this.#waiting.slice(frames.length)
    const [first] = frames
    if (first) first.seen ??= this.#standing
    this.#standing = frames.findLast(({ seen }) => seen !== null)?.seen ?? this.#standing
    return frames
  }

  /** Frames before `endFrame` that no clip has taken yet; they stay for their clip. */
  async before(endFrame: number): Promise<SeenFrame<T>[]> {
    const some = this.#waiting.filter(({ frame }) => frame.ordinal < endFrame)
    return await Promise.all(some.map(async ({ frame, seen }) => ({ ...frame, seen: await seen })))
  }

  async #look({ rgb, width, height }: Picture, frame: FrameRef): Promise<T[]> {
    this.#running += 1
    try {
      return await this.#ask({ rgb, width, height }, frame)
    } finally {
      this.#running -= 1
      this.#ended.resolve(undefined)
      this.#ended = Promise.withResolvers()
    }
  }
}

export function detectorPatience(probe: Pick<Probe, 'timeBase' | 'startPts'>): Patience<Spotted> {
  return {
    moving: (seen, changed) =>
      seen.filter(
        ({ box, score }) => score >= LEAST_SCORE && changed.reduce((sum, square) => sum + shared(box, square), 0) >= MOVED * box.w * box.h,
      ),
    secondsBetween: (from, to) => secondsOf(to.pts, probe) - secondsOf(from.pts, probe),
  }
}

/** Tells the squares of a picture apart, of which there are fewer than 2^15 in a row. A text of the two numbers would take ten times as long to make. */
function placeOf({ cx, cy }: RelativeBox): number {
  return Math.round(cx * 2 ** 16) * 2 ** 17 + Math.round(cy * 2 ** 16)
}

function areaOf(boxes: readonly RelativeBox[]): number {
  return boxes.reduce((sum, { w, h }) => sum + w * h, 0)
}

/** The area of the intersection of two boxes. */
function shared(a: RelativeBox, b: RelativeBox): number {
  const [across, down] = [
    Math.min(a.cx + a.w / 2, b.cx + b.w / 2) - Math.max(a.cx - a.w / 2, b.cx - b.w / 2),
    Math.min(a.cy + a.h / 2, b.cy + b.h / 2) - Math.max(a.cy - a.h / 2, b.cy - b.h / 2),
  ]
  return Math.max(0, across) * Math.max(0, down)
}
