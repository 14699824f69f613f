/**
 * The frames that one pack is shown of a source, as they come, and which of them it is asked about: what looks as before is not looked at again, and
 * where only a little has changed, a detector need not look at once.
 */
import type { RelativeBox } from '../../app/boxes.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import type { Line } from '../../app/text-lines.ts'
import type { Picture, Spotted } from '../engine/engine.ts'
import type { SeenFrame } from '../library/seen.ts'

/** Pictures that an engine may have waiting: enough that it never waits for the decoder's next. */
const WAITING = 3

/** What changed before so many looks that saw nothing move there flickers, or counts, and does so on. */
const USUAL = 2
/**
 * Where only such places change, a detector looks again after so many seconds, so that what comes there is soon seen: an odd number of its steps, so
 * that these looks are in a mirror by turns, too.
 */
const LOOKS_AGAIN = 2.25
/** With more of the picture changed than this share, it is another one. */
const LITTLE = 0.1
/** What moves changes this share of its box: digits that change on a sign do not move the sign. A weaker box than this begins no track (app/tracker). */
const MOVED = 0.2
const LEAST_SCORE = 0.25

/** A picture whose memory its decoder has a use for afterwards. */
export type Lent = Picture & { giveBack: () => void }

/** What lets a pack wait. */
export interface Patience<T> {
  /** What of that which was seen moves, by where the picture has changed. */
  moving: (seen: readonly T[], changed: readonly RelativeBox[]) => readonly T[]
  secondsBetween: (from: FrameRef, to: FrameRef) => number
}

/** The frames that one pack was shown and did not tell a clip of yet. */
export class Frames<T extends Spotted | Line> {
  readonly #ask: (picture: Picture, frame: FrameRef) => Promise<T[]>
  readonly #patience: Patience<T> | null
  /** What was looked at last, and where that has changed since, by place. */
  #last: { frame: FrameRef; seen: Promise<T[] | null> } | null = null
  readonly #changed = new Map<string, RelativeBox>()
  /** Before how many looks that saw nothing move there a place had changed. */
  readonly #flickers = new Map<string, number>()
  /** Resolves when that holds for all looks so far. */
  #learnt = Promise.resolve()
  /** What an earlier run was told, by ordinal. */
  readonly #known: ReadonlyMap<number, T[] | null>
  #waiting: { frame: FrameRef; seen: Promise<T[] | null> }[] = []
  /** What stands there as far as clips were told. */
  #standing: T[] | null = null
  #running = 0
  /** Resolves when one that runs has ended. */
  #ended = Promise.withResolvers<undefined>()

  /** @param patience Null of a pack that looks at every picture that has changed. */
  constructor(
    known: ReadonlyMap<number, T[] | null>,
    patience: Patience<T> | null,
    ask: (picture: Picture, frame: FrameRef) => Promise<T[]>,
  ) {
    this.#known = known
    this.#patience = patience
    this.#ask = ask
  }

  /** @param changed Where the picture differs from the one pushed before; null where there was none. Resolves when the next one may come. */
  async push(frame: FrameRef, picture: Lent | null, changed: readonly RelativeBox[] | null): Promise<void> {
    for (const box of changed ?? []) this.#changed.set(`${box.cx} ${box.cy}`, box)
    const known = this.#known.get(frame.ordinal)
    const rests = known === null || (known === undefined && (picture === null || (await this.#rests(frame, changed))))
    const seen = rests ? Promise.resolve(null) : known || picture === null ? Promise.resolve(known ?? null) : this.#look(picture, frame)
    // It is heard of where it is awaited.
    seen.catch(() => undefined).finally(() => picture?.giveBack())
    this.#waiting.push({ frame, seen })
    if (!rests) {
      this.#learn(seen)
      this.#last = { frame, seen }
      this.#changed.clear()
    }
    while (this.#running >= WAITING) await this.#ended.promise
  }

  /** Whether nothing has changed since the last look but what always does, so that this one can wait. @param changed Since the frame before. */
  async #rests(frame: FrameRef, changed: readonly RelativeBox[] | null): Promise<boolean> {
    if (this.#last === null || this.#patience === null || changed === null || areaOf(changed) > LITTLE) return false
    // Not asked before the looks under way have ended: what is looked at must not depend on how fast that goes.
    await this.#learnt
    if (this.#patience.secondsBetween(this.#last.frame, frame) > LOOKS_AGAIN - 0.01 || this.#unusualOf(this.#changed).length > 0)
      return false
    const seen = await this.#last.seen.catch(() => null)
    return seen !== null && this.#patience.moving(seen, [...this.#changed.values()]).length === 0
  }

  #unusualOf(changed: ReadonlyMap<string, RelativeBox>): RelativeBox[] {
    return [...changed].flatMap(([place, square]) => ((this.#flickers.get(place) ?? 0) < USUAL ? [square] : []))
  }

  /** @param looked What is seen now that some places have changed. */
  #learn(looked: Promise<T[] | null>): void {
    const { moving } = this.#patience ?? {}
    if (moving === undefined) return
    const changed = new Map(this.#changed)
    this.#learnt = this.#learnt.then(async () => {
      const seen = await looked.catch(() => null)
      if (seen === null) return
      if (areaOf(this.#unusualOf(changed)) > LITTLE) this.#flickers.clear()
      else {
        const things = moving(seen, [...changed.values()])
        for (const [place, square] of changed)
          if (things.some(({ box }) => shared(box, square) > 0)) this.#flickers.delete(place)
          else this.#flickers.set(place, (this.#flickers.get(place) ?? 0) + 1)
      }
    })
  }

  /** Those of the next clip, which stands for itself: where nothing has changed since the one before, it begins with what stood there. */
  async take(endFrame: number): Promise<SeenFrame<T>[]> {
    const frames = await this.before(endFrame)
    this.#waiting = this.#waiting.slice(frames.length)
    const [first] = frames
    if (first) first.seen ??= this.#standing
    this.#standing = frames.findLast(({ seen }) => seen !== null)?.seen ?? this.#standing
    return frames
  }

  /** Those that no clip was told of yet, which go on waiting for theirs. */
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

function areaOf(boxes: readonly RelativeBox[]): number {
  return boxes.reduce((sum, { w, h }) => sum + w * h, 0)
}

/** The area that two boxes have in common. */
function shared(a: RelativeBox, b: RelativeBox): number {
  const [across, down] = [
    Math.min(a.cx + a.w / 2, b.cx + b.w / 2) - Math.max(a.cx - a.w / 2, b.cx - b.w / 2),
    Math.min(a.cy + a.h / 2, b.cy + b.h / 2) - Math.max(a.cy - a.h / 2, b.cy - b.h / 2),
  ]
  return Math.max(0, across) * Math.max(0, down)
}
