/**
 * Search for what looks like a box, in what a detector of any words kept of each sampled picture (app/cells). Nothing is decoded and no picture is looked
 * at for it; every clip's cells are read, a megabyte each.
 */
import type { Box } from '../../app/annotation.ts'
import { pixelBox, type RelativeBox } from '../../app/boxes.ts'
import type { Clip } from '../../app/contract.ts'
import type { Curve, FindHit, FindQuery } from '../../app/contract/find.ts'
import { secondsOf } from '../../app/media.ts'
import type { OwlEngine } from '../engine/engine.ts'
import type { Library } from '../library/library.ts'

type BoxQuery = Extract<FindQuery, { by: 'box' }>

/** The best box of one frame. */
interface Like {
  ordinal: number
  score: number
  box: RelativeBox
}

export class LikeBox {
  readonly #library: Library
  readonly #owl: OwlEngine
  readonly #from: Uint16Array
  readonly #box: RelativeBox
  /** The frame whose cells stand for that of the query. */
  readonly ordinal: number
  /** The score from which something counts as alike; a guess of the pack. */
  readonly line: number

  private constructor(library: Library, owl: OwlEngine, ordinal: number, from: Uint16Array, box: RelativeBox) {
    this.#library = library
    this.#owl = owl
    this.#from = from
    this.#box = box
    this.ordinal = ordinal
    this.line = owl.info.manifest.calibration.asked
  }

  /** @returns Null if the clip was not seen by the detector. @throws TubeletError `not-found` */
  static of(library: Library, owl: OwlEngine, { clipId, ordinal, box }: BoxQuery): LikeBox | null {
    const { probe } = library.source(library.clip(clipId).sourceId)
    const away = (frame: number) => Math.abs(frame - ordinal)
    const [nearby] = [...library.seen.cells(clipId, owl.info.digest)].sort(([a], [b]) => away(a) - away(b))
    if (probe === null || nearby === undefined) return null
    const { width, height } = probe
    const shares = {
      cx: (box.x1 + box.x2) / 2 / width,
      cy: (box.y1 + box.y2) / 2 / height,
      w: (box.x2 - box.x1) / width,
      h: (box.y2 - box.y1) / height,
    }
    return new LikeBox(library, owl, ...nearby, shares)
  }

  /** In each sampled frame of a clip what is most like the box. */
  async #in(clipId: number): Promise<Like[]> {
    const cells = [...this.#library.seen.cells(clipId, this.#owl.info.digest)]
    if (cells.length === 0) return []
    const spots = await this.#owl.liken(
      this.#from,
      this.#box,
      cells.map(([, bits]) => bits),
    )
    return spots.flatMap(([best], i) => (best ? [{ ordinal: cells[i]?.[0] ?? 0, score: best.score, box: best.box }] : []))
  }

  /** The clips with their best frame and box there, most alike first. */
  async hits(clips: readonly Clip[]): Promise<(FindHit & { score: number })[]> {
    const found: (FindHit & { score: number })[] = []
    for (const clip of clips) {
      const frame = this.#library.source(clip.sourceId).probe
      const [best] = (await this.#in(clip.id)).sort((a, b) => b.score - a.score)
      if (best === undefined || frame === null) continue
      const place: { ordinal: number; box: Box } = { ordinal: best.ordinal, box: pixelBox(best.box, frame) }
      found.push({ clip, score: best.score, why: [], place, alike: [] })
    }
    return found.sort((a, b) => b.score - a.score)
  }

  /** How alike each clip and each sampled frame of a video is. */
  async curve(sourceId: number): Promise<Curve> {
    const { probe } = this.#library.source(sourceId)
    const curve: Curve = { measure: 'cosine', line: this.line, clips: [], moments: [] }
    if (probe === null) return curve
    const pts = this.#library.frames(sourceId)
    for (const { id: clipId, start, end } of this.#library.clips({ sourceId, limit: -1, offset: 0 }).clips) {
      const likes = await this.#in(clipId)
      curve.clips.push({ clipId, start, end, score: likes.length === 0 ? null : Math.max(...likes.map(({ score }) => score)) })
      for (const { ordinal, score } of likes.sort((a, b) => a.ordinal - b.ordinal))
        curve.moments.push({ clipId, time: secondsOf(pts[ordinal] ?? 0, probe), score })
    }
    return curve
  }
}
