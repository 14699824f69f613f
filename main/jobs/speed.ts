/** How fast this machine is, learnt from earlier analyses: by pack, and by kind of video if enough was timed. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { makeFolderSync } from '../folders.ts'

/** No estimate is given until this many files were timed. */
const SAMPLES = 3
/** Classes of the picture's smaller side, pixels, each with about the same cost to decode: upper limits. */
const SIDES = [540, 760, 1100, Infinity]

/** Sums, so that a single unusual file does not change the estimate much. */
const Sums = z.object({ video: z.number(), wall: z.number(), files: z.number() })
export type Sums = z.infer<typeof Sums>
const Learnt = z.record(z.string(), Sums)

export interface VideoKind {
  /** Null if the file was not probed yet. */
  codec: string | null
  /** Smaller side of the picture, pixels. */
  side: number
}

export class Speed {
  readonly #file: string
  #learnt: Record<string, Sums>

  /** @param file The file with the sums; it may be missing, unreadable or not writable. */
  constructor(file: string) {
    this.#file = file
    this.#learnt = read(file)
  }

  /** `video` seconds of a file took `wall` seconds with the pack whose digest `model` is. */
  learn(model: string, kind: VideoKind, video: number, wall: number): void {
    if (video <= 0 || wall <= 0) return
    for (const key of [model, keyOf(model, kind)]) {
      const { video: before, wall: spent, files } = this.#learnt[key] ?? { video: 0, wall: 0, files: 0 }
      this.#learnt[key] = { video: before + video, wall: spent + wall, files: files + 1 }
    }
    try {
      makeFolderSync(path.dirname(this.#file))
      writeFileSync(this.#file, JSON.stringify(this.#learnt))
    } catch {
      // Losing the file only means learning again.
    }
  }

  /** A pack's sums over all kinds of video; null until enough was timed. */
  of(model: string): Sums | null {
    const sums = this.#learnt[model]
    return sums === undefined || sums.files < SAMPLES ? null : sums
  }

  /** Estimated seconds for the videos ahead; null until enough was timed. A file that was not probed yet counts as an average one. */
  estimate(model: string, ahead: readonly (VideoKind & { seconds: number; files: number })[]): number | null {
    const all = this.of(model)
    if (all === null) return null
    return ahead.reduce((sum, { seconds, files, ...kind }) => {
      const own = this.#learnt[keyOf(model, kind)]
      const { wall, video } = own !== undefined && own.files >= SAMPLES ? own : all
      return sum + ((kind.codec === null ? (files * all.video) / all.files : seconds) * wall) / video
    }, 0)
  }
}

function keyOf(model: string, { codec, side }: VideoKind): string {
  return `${model} ${codec ?? ''} ${SIDES.findIndex((limit) => side <= limit)}`
}

function read(file: string): Record<string, Sums> {
  try {
    return Learnt.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return {}
  }
}
