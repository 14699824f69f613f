/** Lines of text on single pictures, and the frames over which they stay. */
import type { Span } from './annotation.ts'
import { iou, type RelativeBox } from './boxes.ts'
import type { FrameRef } from './media.ts'
import { editDistance } from './words.ts'

/** A line read on one picture. */
export interface Line {
  text: string
  /** 0..1 */
  confidence: number
  /** In shares of the picture. */
  box: RelativeBox
  /** Shares of the eleven basic colours of its letters (app/colours). */
  colours?: readonly number[]
}

/** A line over the frames of a clip. If only its numbers change (a clock, a counter), `text` lists its readings one after the other. */
export interface TextStretch extends Span {
  text: string
  /** 0..1 */
  confidence: number
  /** Where it was when it was best legible, and the colours of its letters there. */
  box: RelativeBox
  colours?: readonly number[]
}

/** One reading of a line: how often it was read, its surest line, and the sum of the confidences. */
interface Reading {
  text: string
  seen: number
  best: Line
  sum: number
}

interface Open {
  last: Line
  /** Positions in the list of the frames in which it was first and last seen. */
  from: number
  to: number
  /** In time order; equal neighbours are merged. */
  readings: Reading[]
}

/** Boxes that overlap by this much are at the same place. */
const SAME_PLACE = 0.4
/** Share of a line's letters that may differ between two readings of it; short lines and lines that moved must be read alike. */
const MISREAD = 0.25
const SHORT = 4
/** A line that is not read in this many consecutive frames is gone. */
const GONE = 3
/** A line that was read only once counts if it was read this surely and is this long, or if there was no second frame to read it in. */
const SURE = 0.95
const LONG = 6
/** If a counter has more readings than this, only the first and last ones are listed. */
const MOST_READINGS = 12

/**
 * The lines of a clip from the frames that were read, by their first frame.
 *
 * A line continues an earlier one if it is at the same place with nearly the same reading, or reads alike and has moved. The reading that
 * was surest over all frames counts. Numbers are different: "12:34" and "12:35" are two readings of one line, not a mistake.
 *
 * @param frames In ascending order; `lines` is null for a picture that looked like the previous one, so that its lines are still there.
 * @param span Of the clip. A line begins with the first frame in which it was read and ends before the first one in which it is gone.
 * @param whole Whether these are all frames of the clip: if not, a short line that was read once may still turn out not to be one.
 */
export function joinLines(
  frames: readonly (FrameRef & { lines: readonly Line[] | null })[],
  { startFrame, endFrame }: Span,
  whole = true,
): TextStretch[] {
  const all: Open[] = []
  let open: Open[] = []
  let lines: readonly Line[] = []
  for (const [at, frame] of frames.entries()) {
    lines = frame.lines ?? lines
    open = open.filter(({ to }) => at - to <= GONE)
    const left = new Set(lines)
    const pairs = open.flatMap((one) => lines.map((line) => ({ one, line, fit: fitOf(one.last, line) }))).filter(({ fit }) => fit > 0)
    const taken = new Set<Open>()
    for (const { one, line } of pairs.toSorted((a, b) => b.fit - a.fit)) {
      if (taken.has(one) || !left.delete(line)) continue
      taken.add(one)
      extend(one, line, at)
    }
    for (const line of left) {
      const one: Open = { last: line, from: at, to: at, readings: [] }
      extend(one, line, at)
      open.push(one)
      all.push(one)
    }
  }
  const begin = (at: number) => (at === 0 ? startFrame : (frames[at]?.ordinal ?? startFrame))
  const end = (at: number) => frames[at + 1]?.ordinal ?? endFrame
  return all.flatMap(({ from, to, readings }) => {
    const told = tell(readings, whole ? frames.length : Infinity)
    return told && begin(from) < end(to) ? [{ ...told, startFrame: begin(from), endFrame: end(to) }] : []
  })
}

/**
 * The same in a clip of which some spans could not be read: nothing that was read on their pictures counts, and no line runs over them.
 * @param lost Spans of frames, ascending.
 */
export function joinReadable(
  frames: readonly (FrameRef & { lines: readonly Line[] | null })[],
  span: Span,
  lost: readonly Span[],
  whole = true,
): TextStretch[] {
  const isLost = ({ ordinal }: FrameRef) => lost.some(({ startFrame, endFrame }) => ordinal >= startFrame && ordinal < endFrame)
  let lines: readonly Line[] = []
  const readable = frames.flatMap((frame) => {
    // A picture that looks like a lost one still has the lines that were read there.
    lines = frame.lines ?? lines
    return isLost(frame) ? [] : [{ ...frame, lines }]
  })
  return joinLines(readable, span, whole).flatMap((line) => outside(line, lost).map((part) => ({ ...line, ...part })))
}

/** What is left of a span without the lost ones. */
function outside({ startFrame, endFrame }: Span, lost: readonly Span[]): Span[] {
  const edges = [startFrame, ...lost.flatMap((one) => [one.startFrame, one.endFrame]), endFrame]
  return edges.flatMap((from, at) => {
    const to = edges[at + 1]
    if (at % 2 === 1 || to === undefined) return []
    const [first, end] = [Math.max(from, startFrame), Math.min(to, endFrame)]
    return first < end ? [{ startFrame: first, endFrame: end }] : []
  })
}

function extend(one: Open, line: Line, at: number): void {
  one.last = line
  one.to = at
  const before = one.readings.at(-1)
  if (before?.text !== line.text) {
    one.readings.push({ text: line.text, seen: 1, best: line, sum: line.confidence })
    return
  }
  before.seen += 1
  before.sum += line.confidence
  if (line.confidence > before.best.confidence) before.best = line
}

/** How well a line continues another; above 0 where it does. Lines that stay in place rank before lines that moved. */
function fitOf(before: Line, line: Line): number {
  const overlap = iou(corners(before.box), corners(line.box))
  const likeness = likenessOf(before.text, line.text)
  if (overlap >= SAME_PLACE && (likeness > 0 || pattern(before.text) === pattern(line.text))) return 1 + overlap + likeness
  const near = 1 - Math.hypot(before.box.cx - line.box.cx, before.box.cy - line.box.cy)
  return before.text.length >= SHORT && likeness > 0 && near > 0 && numbers(before.text) === numbers(line.text) ? near * likeness : 0
}

/** Similarity of two texts: 1 for the same text, 0 for an entirely different one. */
function likenessOf(a: string, b: string): number {
  if (a === b) return 1
  const [first, second] = [a, b].map((text) => text.toLowerCase().replace(/\s/g, '')) as [string, string]
  const longer = Math.max(first.length, second.length)
  const off = editDistance(first, second) / longer
  return longer >= SHORT && off <= MISREAD ? 1 - off : 0
}

function pattern(text: string): string {
  return /\d/.test(text) ? text.replace(/\s/g, '').replace(/\d+/g, '0') : `no numbers: ${text}`
}

function numbers(text: string): string {
  return text.replace(/\D/g, '')
}

/** The text of a line; null where it was not seen well enough. */
function tell(readings: readonly Reading[], frames: number): Omit<TextStretch, keyof Span> | null {
  const votes = new Map<string, Reading>()
  for (const reading of readings) {
    const sum = votes.get(reading.text)
    votes.set(
      reading.text,
      sum
        ? {
            ...sum,
            seen: sum.seen + reading.seen,
            sum: sum.sum + reading.sum,
            best: reading.best.confidence > sum.best.confidence ? reading.best : sum.best,
          }
        : reading,
    )
  }
  const ranked = [...votes.values()].sort((a, b) => b.sum - a.sum)
  const [winner] = ranked
  const seen = ranked.reduce((sum, reading) => sum + reading.seen, 0)
  if (!winner || (seen < 2 && !standsAlone(winner.best, frames))) return null
  const alike = ranked.filter(({ text }) => pattern(text) === pattern(winner.text))
  // Numbers that were read once are misread, unless no number stays: then it is a counter, and none of them may stand for all.
  const stays = 2 * winner.seen > alike.reduce((sum, reading) => sum + reading.seen, 0)
  const counted = alike.filter((reading) => !stays || reading === winner || reading.seen > 1 || reading.best.confidence >= SURE)
  const texts = readings.filter(({ text }) => counted.some((reading) => reading.text === text)).map(({ text }) => text)
  const kept = texts.filter((text, i) => text !== texts[i - 1])
  const confidence = counted.reduce((sum, reading) => sum + reading.sum, 0) / counted.reduce((sum, reading) => sum + reading.seen, 0)
  return {
    text: inOrder(counted.length > 1 ? kept : [winner.text]),
    confidence,
    box: winner.best.box,
    ...(winner.best.colours ? { colours: winner.best.colours } : {}),
  }
}

function standsAlone({ text, confidence }: Line, frames: number): boolean {
  return confidence >= SURE && (frames <= 2 || text.length >= LONG)
}

function inOrder(texts: readonly string[]): string {
  if (texts.length <= MOST_READINGS) return texts.join(' → ')
  return [...texts.slice(0, MOST_READINGS / 2), '…', ...texts.slice(-MOST_READINGS / 2)].join(' → ')
}

function corners({ cx, cy, w, h }: RelativeBox) {
  return { x1: cx - w / 2, y1: cy - h / 2, x2: cx + w / 2, y2: cy + h / 2 }
}
