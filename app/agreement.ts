/** How far two sets of tracks of one clip agree: the tracks of two thresholds, or of two packs. */
import type { TrackBody } from './annotation.ts'
import { iou } from './boxes.ts'
import { interpolate } from './tracks.ts'

/** IoU from which two boxes of one label count as the same object, as in most detection benchmarks. */
const SAME = 0.5

interface FrameAgreement {
  ordinal: number
  pts: number
  both: number
  first: number
  second: number
}
export interface Agreement {
  /** Boxes, over all frames on which either has a key box. */
  both: number
  first: number
  second: number
  frames: FrameAgreement[]
}

/** For each side, the indices of the tracks whose box at `pts` has no partner on the other side. Boxes are paired best overlap first. */
export function alone(
  first: readonly TrackBody[],
  second: readonly TrackBody[],
  pts: number,
): { first: Set<number>; second: Set<number>; both: number } {
  const at = (tracks: readonly TrackBody[]) =>
    tracks.flatMap((track, index) => {
      const box = interpolate(track, pts)
      return box === null ? [] : [{ index, label: track.label, box }]
    })
  const [here, there] = [at(first), at(second)]
  const pairs = here
    .flatMap((a) => there.filter((b) => b.label === a.label).map((b) => ({ a: a.index, b: b.index, overlap: iou(a.box, b.box) })))
    .filter(({ overlap }) => overlap >= SAME)
    .sort((x, y) => y.overlap - x.overlap || x.a - y.a || x.b - y.b)
  const left = { first: new Set(here.map(({ index }) => index)), second: new Set(there.map(({ index }) => index)), both: 0 }
  for (const { a, b } of pairs) {
    if (!left.first.has(a) || !left.second.has(b)) continue
    left.first.delete(a)
    left.second.delete(b)
    left.both += 1
  }
  return left
}

export function agreementOf(first: readonly TrackBody[], second: readonly TrackBody[]): Agreement {
  const times = new Map([...first, ...second].flatMap(({ boxes }) => boxes.map(({ ordinal, pts }) => [ordinal, pts] as const)))
  const frames = [...times]
    .sort(([a], [b]) => a - b)
    .map(([ordinal, pts]): FrameAgreement => {
      const left = alone(first, second, pts)
      return { ordinal, pts, both: left.both, first: left.first.size, second: left.second.size }
    })
  const sum = (key: 'both' | 'first' | 'second') => frames.reduce((total, frame) => total + frame[key], 0)
  return { both: sum('both'), first: sum('first'), second: sum('second'), frames }
}
