/** How well tracks follow the truth: HOTA (Luiten et al., IJCV 2021), as TrackEval computes it, and id switches. */
import { munkres } from 'munkres'
import type { Box } from '../app/annotation.ts'
import { boxArea, iou } from '../app/boxes.ts'

/** A box of an object on a frame. */
interface Placed {
  id: number
  box: Box
}

/** By frame: the true boxes, the predicted boxes, and regions in which false predictions do not count. */
export interface TrackFrame {
  truth: readonly Placed[]
  said: readonly Placed[]
  ignored: readonly Box[]
}

export interface TrackScores {
  hota: number
  /** For boxes alone and for identities alone; like HOTA, the mean over the overlaps 0.05 to 0.95. */
  detection: number
  association: number
  /** How often the predicted id on an object (IoU 0.5) differs from the last one. */
  switches: number
  /** Share of the true boxes that are found, and of the predicted boxes that are right, at IoU 0.5. */
  recall: number
  precision: number
}

const OVERLAPS = Array.from({ length: 19 }, (_, i) => 0.05 * (i + 1))
const EPSILON = 1e-9

/** Of several videos together; no id is compared across them. */
export function trackScores(videos: readonly (readonly TrackFrame[])[]): TrackScores {
  const sums = OVERLAPS.map(() => ({ right: 0, missed: 0, wrong: 0, association: 0 }))
  let switches = 0
  for (const frames of videos.map((video) => video.map(withoutIgnored))) {
    const counts = { truth: new Map<number, number>(), said: new Map<number, number>(), both: new Map<string, number>() }
    const overlaps = frames.map(({ truth, said }) => truth.map((one) => said.map((other) => iou(one.box, other.box))))
    frames.forEach(({ truth, said }, f) => {
      const table = overlaps[f] ?? []
      const columns = said.map((_, j) => table.reduce((sum, row) => sum + (row[j] ?? 0), 0))
      truth.forEach(({ id }, i) => {
        add(counts.truth, id, 1)
        const row = table[i] ?? []
        const total = row.reduce((sum, value) => sum + value, 0)
        said.forEach((other, j) => {
          const value = row[j] ?? 0
          const either = total + (columns[j] ?? 0) - value
          if (either > EPSILON) add(counts.both, `${id} ${other.id}`, value / either)
        })
      })
      for (const { id } of said) add(counts.said, id, 1)
    })
    const alignment = (a: number, b: number) => {
      const both = counts.both.get(`${a} ${b}`) ?? 0
      return both / ((counts.truth.get(a) ?? 0) + (counts.said.get(b) ?? 0) - both)
    }
    const matches = OVERLAPS.map(() => new Map<string, number>())
    const on = new Map<number, number>()
    frames.forEach(({ truth, said }, f) => {
      const pairs =
        truth.length === 0 || said.length === 0
          ? []
          : munkres(truth.map((one, i) => said.map((other, j) => 1 - alignment(one.id, other.id) * (overlaps[f]?.[i]?.[j] ?? 0))))
      OVERLAPS.forEach((least, a) => {
        const sum = sums[a]
        if (!sum) return
        let right = 0
        for (const [i, j] of pairs) {
          const [one, other] = [truth[i], said[j]]
          if (!one || !other || (overlaps[f]?.[i]?.[j] ?? 0) < least - EPSILON) continue
          right += 1
          add(matches[a] ?? new Map<string, number>(), `${one.id} ${other.id}`, 1)
          if (a !== 9) continue
          if ((on.get(one.id) ?? other.id) !== other.id) switches += 1
          on.set(one.id, other.id)
        }
        sum.right += right
        sum.missed += truth.length - right
        sum.wrong += said.length - right
      })
    })
    OVERLAPS.forEach((_, a) => {
      for (const [pair, count] of matches[a] ?? []) {
        const [one = 0, other = 0] = pair.split(' ').map(Number)
        const sum = sums[a]
        if (sum) sum.association += (count * count) / Math.max(1, (counts.truth.get(one) ?? 0) + (counts.said.get(other) ?? 0) - count)
      }
    })
  }
  const mean = (of: (sum: (typeof sums)[number]) => number) => sums.reduce((sum, one) => sum + of(one), 0) / sums.length
  const detection = ({ right, missed, wrong }: (typeof sums)[number]) => right / Math.max(1, right + missed + wrong)
  const association = (sum: (typeof sums)[number]) => sum.association / Math.max(1, sum.right)
  const half = sums[9]
  return {
    hota: mean((sum) => Math.sqrt(detection(sum) * association(sum))),
    detection: mean(detection),
    association: mean(association),
    switches,
    recall: half ? half.right / Math.max(1, half.right + half.missed) : 0,
    precision: half ? half.right / Math.max(1, half.right + half.wrong) : 0,
  }
}

/** Removes predicted boxes that match no true box and lie half or more in an ignored region. */
function withoutIgnored({ truth, said, ignored }: TrackFrame): TrackFrame {
  const inside = (box: Box, other: Box) =>
    boxArea({
      x1: Math.max(box.x1, other.x1),
      y1: Math.max(box.y1, other.y1),
      x2: Math.min(box.x2, other.x2),
      y2: Math.min(box.y2, other.y2),
    }) / (boxArea(box) || 1)
  return {
    truth,
    ignored,
    said: said.filter(({ box }) => truth.some((one) => iou(one.box, box) >= 0.5) || ignored.every((zone) => inside(box, zone) < 0.5)),
  }
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
