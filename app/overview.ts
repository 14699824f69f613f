/** Charts of a whole library: where its videos lie on one axis, counts along it, and which clips a region of a chart holds. */
import { z } from 'zod'
import { ReviewState } from './annotation.ts'
import { labelText } from './review.ts'

export const ClipFact = z.object({
  id: z.number().int(),
  sourceId: z.number().int(),
  /** Seconds from the first frame of the source. */
  start: z.number(),
  end: z.number(),
  caption: z.string().nullable(),
  state: ReviewState.nullable(),
  /** Of the caption, 0..1. */
  confidence: z.number().nullable(),
  /** Number of tracks that are sure, drawn or accepted, by label. */
  labels: z.record(z.string(), z.number().int()),
  /** Number of unsure tracks, by label. */
  perhaps: z.record(z.string(), z.number().int()),
  /** The model is not sure of the caption, and nobody decided about it. */
  unsure: z.boolean(),
  review: z.enum(['open', 'partly', 'done', 'nothing']),
})
export type ClipFact = z.infer<typeof ClipFact>

export const Facts = z.object({
  clips: z.array(ClipFact),
  answers: z.array(
    z.object({ clipId: z.number().int(), question: z.string(), text: z.string(), confidence: z.number().nullable(), unsure: z.boolean() }),
  ),
  /** Tracks that the model found, each with its reliability 0..1. */
  tracks: z.array(z.object({ clipId: z.number().int(), confidence: z.number() })),
})
export type Facts = z.infer<typeof Facts>

interface Placed {
  sourceId: number
  /** Seconds on the axis. */
  from: number
  length: number
}
export interface Axis {
  sources: Placed[]
  length: number
  /** The axis's zero in milliseconds since 1970; null where videos lie end to end. */
  origin: number | null
}
interface Timed {
  id: number
  probe: { duration: number; recordedAt?: string | undefined } | null
}

/** Videos end to end: those with a recording time ordered by it, then the others in the order in which they were added. */
export function endToEnd(sources: readonly Timed[]): Axis {
  const at = ({ probe }: Timed) => (probe?.recordedAt === undefined ? Infinity : Date.parse(probe.recordedAt))
  let length = 0
  const placed = sources
    .filter(({ probe }) => (probe?.duration ?? 0) > 0)
    .toSorted((a, b) => (at(a) === at(b) ? a.id - b.id : at(a) - at(b)))
    .map(({ id, probe }) => {
      const from = length
      length += probe?.duration ?? 0
      return { sourceId: id, from, length: probe?.duration ?? 0 }
    })
  return { sources: placed, length, origin: null }
}

/** Videos at their recording time; those without one are left out. Null when none has one. */
export function byDate(sources: readonly Timed[]): Axis | null {
  const dated = sources
    .flatMap(({ id, probe }) =>
      probe?.recordedAt === undefined ? [] : [{ id, at: Date.parse(probe.recordedAt), duration: probe.duration }],
    )
    .sort((a, b) => a.at - b.at)
  const [first] = dated
  if (first === undefined) return null
  const placed = dated.map(({ id, at, duration }) => ({ sourceId: id, from: (at - first.at) / 1000, length: duration }))
  return { sources: placed, length: Math.max(...placed.map(({ from, length }) => from + length), 1), origin: first.at }
}

export interface Bin {
  from: number
  to: number
  clipIds: number[]
  /** Number of tracks by label, as `labelText` writes it. */
  labels: Map<string, number>
}

/** Clips by their middle, in `count` equal parts of `[from, to)` of the axis. */
export function binsOf(clips: readonly ClipFact[], axis: Axis, count: number, [from, to]: readonly [number, number]): Bin[] {
  const width = (to - from) / count
  const bins = Array.from(
    { length: count },
    (_, at): Bin => ({ from: from + at * width, to: from + (at + 1) * width, clipIds: [], labels: new Map() }),
  )
  const places = new Map(axis.sources.map((source) => [source.sourceId, source.from]))
  for (const clip of clips) {
    const place = places.get(clip.sourceId)
    if (place === undefined) continue
    const bin = bins[Math.floor((place + (clip.start + clip.end) / 2 - from) / width)]
    if (!bin) continue
    bin.clipIds.push(clip.id)
    for (const [label, tracks] of tracksOf(clip)) bin.labels.set(label, (bin.labels.get(label) ?? 0) + tracks)
  }
  return bins
}

/** Number of tracks of a clip by label, as `labelText` writes it; sure ones first. */
export function tracksOf({ labels, perhaps }: Pick<ClipFact, 'labels' | 'perhaps'>): [label: string, tracks: number][] {
  return [
    ...Object.entries(labels),
    ...Object.entries(perhaps).map(([label, tracks]): [string, number] => [labelText(label, true), tracks]),
  ]
}

/** Clip ids by value 0..1, in `count` equal parts; a clip is listed once for each of its values. */
export function histogram(values: readonly { clipId: number; value: number }[], count: number): number[][] {
  const bins = Array.from({ length: count }, (): number[] => [])
  for (const { clipId, value } of values) bins[Math.min(count - 1, Math.max(0, Math.floor(value * count + 1e-9)))]?.push(clipId)
  return bins
}

export interface Point {
  x: number
  y: number
}

/** Whether a point lies in a polygon, by the even-odd rule. */
export function inside({ x, y }: Point, polygon: readonly Point[]): boolean {
  let within = false
  polygon.forEach((a, at) => {
    const b = polygon[(at + polygon.length - 1) % polygon.length] ?? a
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) within = !within
  })
  return within
}

/** The commonest texts, at most `most`; the others share one entry of the legend. */
export function commonest(texts: readonly string[], most: number): string[] {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || a.localeCompare(b))
    .slice(0, most)
    .map(([text]) => text)
}
