/**
 * The parts of a video that could not be read: stretches for which a decoder gave no picture, or one that it made up from others. What was
 * measured there is dropped before anything is stated, and the caption says what cannot be known.
 */
import type { ClipMeasures, ThingTrack } from './input.ts'
import type { Language } from '../words.ts'

/** Half-open, seconds of the video. */
export interface Stretch {
  from: number
  to: number
}

/** The most spans that are listed. */
const TOLD = 8

/**
 * In tenths of a second, rounded as every other time is, so that what was seen up to a stretch is not said to lie in it: "28–32, 41.3–45"; a stretch shorter
 * than a tenth is given the tenths around it. Touching stretches are joined.
 */
export function stretchesText(lost: readonly Stretch[]): string {
  const spans: Stretch[] = []
  for (const { from, to } of lost.map(inTenths)) {
    const last = spans.at(-1)
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to)
    else spans.push({ from, to })
  }
  return (
    spans
      .slice(0, TOLD)
      .map(({ from, to }) => `${from / 10}–${to / 10}`)
      .join(', ') + (spans.length > TOLD ? ' …' : '')
  )
}

function inTenths({ from, to }: Stretch): Stretch {
  const [first, last] = [Math.round(from * 10), Math.round(to * 10)]
  return first < last ? { from: first, to: last } : { from: Math.floor(from * 10 + 1e-6), to: Math.floor(from * 10 + 1e-6) + 1 }
}

/** "seconds 41–45 are unreadable": worded so that a search for "read" does not find it. */
export function unreadText(unread: readonly Stretch[], language: Language): string {
  const spans = stretchesText(unread)
  return language === 'en' ? `seconds ${spans} are unreadable` : `Sekunden ${spans.replaceAll('.', ',')} sind unlesbar`
}

/** The parts of stretches that lie in a span. */
export function stretchesIn(lost: readonly Stretch[], { from, to }: Stretch): Stretch[] {
  return lost.map((one) => ({ from: Math.max(one.from, from), to: Math.min(one.to, to) })).filter((one) => one.to > one.from)
}

/** Share of a clip, 0..1, that could not be read. */
export function unreadShare({ span, unread = [] }: Pick<ClipMeasures, 'span' | 'unread'>): number {
  return unread.reduce((sum, { from, to }) => sum + to - from, 0) / Math.max(1e-9, span.to - span.from)
}

/** The stretches between those that could not be read. */
export function readableParts({ span, unread = [] }: Pick<ClipMeasures, 'span' | 'unread'>): Stretch[] {
  const edges = [span.from, ...unread.flatMap(({ from, to }) => [from, to]), span.to]
  return edges.flatMap((from, at) => {
    const to = edges[at + 1]
    return at % 2 === 1 || to === undefined ? [] : [{ from, to }]
  })
}

/** The measurements of a clip without those made where nothing could be read. */
export function readable(clip: ClipMeasures): ClipMeasures {
  const { unread = [], things, camera, light, lines, cuts } = clip
  if (unread.length === 0) return clip
  const lost = (time: number) => unread.some(({ from, to }) => time >= from && time < to)
  const over = (one: Stretch) => unread.some(({ from, to }) => one.from < to && one.to > from)
  return {
    ...clip,
    things: things && {
      ...things,
      looked: things.looked.filter(({ time }) => !lost(time)),
      tracks: things.tracks.flatMap((track) => {
        // A track drawn by a person stays: the person saw it.
        const seen = track.score >= 1 ? track : withoutStretches(track, unread)
        return seen.boxes.length === 0 ? [] : [seen]
      }),
    },
    camera: { steps: camera.steps.filter((step) => !over(step)), stays: camera.stays.filter((stay) => !over(stay)) },
    // The change since a missing picture says nothing.
    light: light.flatMap((sample, i) =>
      lost(sample.time) ? [] : [over({ from: light[i - 1]?.time ?? sample.time, to: sample.time }) ? { ...sample, change: null } : sample],
    ),
    lines:
      lines &&
      lines.flatMap((line) =>
        readableParts({ span: line, unread: stretchesIn(unread, line) })
          .filter(({ from, to }) => to > from)
          .map((part) => ({ ...line, ...part })),
      ),
    ...(cuts ? { cuts: cuts.filter((time) => !unread.some(({ from, to }) => time >= from && time <= to)) } : {}),
  }
}

/** The track is absent while nothing could be read: no box is interpolated across. */
function withoutStretches(track: ThingTrack, unread: readonly Stretch[]): ThingTrack {
  const boxes = track.boxes.filter(({ time }) => !unread.some(({ from, to }) => time >= from && time < to))
  return {
    ...track,
    boxes: boxes.flatMap((box, i) => {
      const next = boxes[i + 1]
      const gap = next && unread.find(({ from, to }) => box.time <= from && next.time >= to)
      return gap ? [box, { ...box, time: (box.time + gap.from) / 2, outside: true }] : [box]
    }),
  }
}
