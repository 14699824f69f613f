/**
 * Finds the parts of a file that could not be read. Two signs must coincide: missing frames, and an error message of ffmpeg at that place. Each
 * alone proves nothing: screen recordings and motion-triggered cameras have pauses, edit lists hide frames that the container counts, interlaced
 * files count fields, and decoders report much that they then repair.
 */
import type { Problem } from '../../app/errors.ts'
import { type Stretch, stretchesText } from '../../app/facts/unread.ts'
import { type Probe, secondsOf } from '../../app/media.ts'

/** Signs of damage collected during a decode pass. */
export interface Heard {
  /** Error messages: how many frames had come before each, and whether it was about the file itself or only about missing references; ascending, each once. */
  complaints: { ordinal: number; about: 'file' | 'references' }[]
  /** Ordinals, ascending: frames that the decoder said it made up; key frames, which need no other frame. */
  madeUp: number[]
  keys: number[]
  /** Sampled frames, ascending, and whether nothing moved between each and the sampled one before it. */
  sampled: { ordinal: number; still: boolean }[]
  /** The last lines of ffmpeg's messages. */
  text: string
  /** Exit status. */
  code: number | null
  stalled: boolean
}

/** Notes a message once per frame: a decoder may repeat it a thousand times between two frames. */
export function note({ complaints }: Heard, ordinal: number, about: 'file' | 'references'): void {
  const last = complaints.at(-1)
  if (last?.ordinal === ordinal) last.about = last.about === 'file' ? 'file' : about
  else complaints.push({ ordinal, about })
}

/** Notes places where pictures are missing of which ffmpeg said nothing. The picture before each may lack its end. @param places Ordinals of the next pictures. */
export function noteLost(heard: Heard, places: readonly number[]): void {
  const said = new Map(heard.complaints.map((one) => [one.ordinal, one]))
  for (const ordinal of places) said.set(ordinal, { ordinal, about: 'file' })
  heard.complaints = [...said.values()].sort((a, b) => a.ordinal - b.ordinal)
  heard.madeUp = [...new Set([...heard.madeUp, ...places.map((ordinal) => Math.max(0, ordinal - 1))])].sort((a, b) => a - b)
}

/** How many frames a message may come too early: frames are queued and reordered. */
const AHEAD = 48
/** How many frames it may come too late: the decoder works on a frame that is shown later. */
const BEHIND = 16

export interface Damage {
  /** Null for an undamaged file. */
  problem: Problem | null
  /**
   * Seconds from the first frame in which pictures are missing or made up: up to the next picture that needs no other, since those between are made
   * from what is missing; where nothing moved meanwhile, what is missing looked like its neighbours, and those between are as they were.
   */
  unread: Stretch[]
}

/** A file as it was decoded: its probe as corrected by that, the PTS of every frame, and the seconds at which the last one ends. */
interface Decoded {
  probe: Probe
  pts: Float64Array
  ends: number
}

/** @param claimed What the file says of itself. */
export function damageOf(file: string, claimed: Probe, decoded: Decoded, heard: Heard): Damage {
  const { probe, pts, ends } = decoded
  const { complaints, madeUp, keys, sampled, code, stalled } = heard
  if (complaints.length === 0 && code === 0 && !stalled) return { problem: null, unread: [] }
  const steady = steadyStep(pts)
  const usual = steady === null ? claimed.frameRate.den / claimed.frameRate.num : (steady * probe.timeBase.num) / probe.timeBase.den
  const missing = gaps(probe, pts, { usual, far: (probe.variableFrameRate && steady === null ? 3 : 1.5) * usual }, heard)
  const secondsAt = (ordinal: number) => {
    const at = pts[ordinal]
    return at === undefined ? secondsOf(pts.at(-1) ?? probe.startPts, probe) + usual : secondsOf(at, probe)
  }
  /** Where pictures are right again after those from `lost` to before `next` are not. */
  const rightFrom = (lost: number, next: number) => {
    const after = sampled.findIndex(({ ordinal }) => ordinal >= next)
    const around = sampled.slice(
      sampled.findIndex(({ ordinal }) => ordinal >= lost),
      after + 1,
    )
    if (after >= 0 && around.every(({ still }) => still)) return secondsAt(next)
    return secondsAt(keys.find((key) => key >= next) ?? pts.length)
  }
  const firstKey = keys[0] ?? 0
  const unread = joined([
    ...missing.map(({ from, next }) => ({ from, to: rightFrom(next, next) })),
    // The decoder is a frame or two ahead of the output.
    ...madeUp.map((ordinal) => ({ from: secondsAt(ordinal), to: rightFrom(ordinal, ordinal + 1) })),
  ])
  // Made-up frames before the first key frame are no damage: recordings that were cut between two key frames begin with them.
  const spoilt = madeUp.some((ordinal) => ordinal > firstKey)
  const end = missingEnd(claimed, decoded, usual)
  return {
    problem: problemOf(file, claimed, decoded, heard, { usual, missing, unread: spoilt ? unread : [], end }),
    unread: end === null ? unread : joined([...unread, { from: Math.min(ends, end.from), to: Math.max(end.to, probe.duration) }]),
  }
}

/** What the file promises after its last picture; null if that is no more than counting and sound explain. */
function missingEnd(claimed: Probe, { probe, pts }: Decoded, usual: number): Stretch | null {
  const read = secondsOf(pts.at(-1) ?? probe.startPts, probe)
  const counted = claimed.frameCount !== null && claimed.frameCount > pts.length
  const to = Math.max(claimed.duration, counted ? promised(claimed, usual) : 0) - secondsOf(probe.startPts, claimed)
  // A tolerance: neither the end of the last picture nor a container's length, which includes sound, is exact.
  return to - read > (counted ? 1.5 * usual : Math.max(1, 0.02 * claimed.duration)) ? { from: read + usual, to } : null
}

/** Sorted, with touching spans merged. */
function joined(stretches: Stretch[]): Stretch[] {
  const all: Stretch[] = []
  for (const { from, to } of stretches.sort((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else if (to > from) all.push({ from, to })
  }
  return all
}

function problemOf(
  file: string,
  claimed: Probe,
  { probe, pts }: Decoded,
  heard: Heard,
  { usual, missing, unread, end }: { usual: number; missing: readonly Stretch[]; unread: readonly Stretch[]; end: Stretch | null },
): Problem | null {
  const { code, stalled } = heard
  const read = secondsOf(pts.at(-1) ?? probe.startPts, probe)
  const late = secondsOf(probe.startPts, claimed)
  const counted = claimed.frameCount !== null && claimed.frameCount > pts.length
  // If a file ends too early, a gap in its last second belongs to the missing end.
  const lost = missing.filter(({ from }) => end === null || from < read - 1)
  const seconds = lost.reduce((sum, { from, to }) => sum + to - from, 0)
  if ((lost.length > 0 && (!counted || seconds >= 1)) || unread.length > 0) {
    return broken(file, heard, 'Damaged: seconds {{spans}} cannot be read.', {
      spans: stretchesText(joined([...lost, ...unread, ...(end === null ? [] : [end])])),
    })
  }
  if (lost.length === 0 && end === null && !beheaded(claimed, late, usual, counted, heard) && code === 0 && !stalled) return null
  return counted
    ? broken(file, heard, 'Damaged: {{read}} of {{total}} frames could be read.', {
        read: pts.length,
        total: claimed.frameCount ?? pts.length,
      })
    : broken(file, heard, 'Damaged: {{read}} of {{total}} seconds could be read.', {
        read: Number(read.toFixed(1)),
        total: Number(claimed.duration.toFixed(1)),
      })
}

function broken(file: string, { text }: Heard, message: string, values: NonNullable<Problem['values']>): Problem {
  return {
    code: 'damaged',
    message,
    values,
    file,
    stillWorks: 'The part that could be read is analysed and can be used.',
    next: 'Copy the file again from its source if you need the rest.',
    details: text,
  }
}

/** Seconds that the container's count of frames stands for; 0 for MP4 and MOV, which count frames that edit lists hide and whose lengths are exact. */
function promised({ container, frameCount }: Probe, usual: number): number {
  return /\b(?:mov|mp4)\b/.test(container) ? 0 : (frameCount ?? 0) * usual
}

/** Whether the beginning is missing: the index of a file promises pictures before the first one. Streams, which have none, may begin between key frames. */
function beheaded({ container }: Probe, late: number, usual: number, counted: boolean, { complaints: [first] }: Heard): boolean {
  return counted && late > 1.5 * usual && first?.ordinal === 0 && first.about === 'file' && /\b(?:mov|mp4|avi)\b/.test(container)
}

/** Share of the steps from frame to frame that are the usual one, above which the others are gaps and not a variable rate. */
const STEADY = 0.8

/** The step of a constant frame rate in time base ticks, if most steps are of one length: what is missing makes a file look like one of a variable rate. */
function steadyStep(pts: Float64Array): number | null {
  const steps = pts.slice(1).map((at, i) => at - (pts[i] ?? at))
  const median = steps.toSorted()[steps.length >> 1] ?? 0
  const tolerance = Math.max(1.5, 0.05 * median)
  return median > 0 && steps.filter((step) => Math.abs(step - median) <= tolerance).length >= STEADY * steps.length ? median : null
}

/** Stretches where frames are further apart than `far` and ffmpeg reported an error in the file; `next` is the first frame after the gap. Seconds. */
function gaps(
  probe: Probe,
  pts: Float64Array,
  { usual, far }: { usual: number; far: number },
  { complaints }: Heard,
): (Stretch & { next: number })[] {
  const places = complaints.flatMap(({ ordinal, about }) => (about === 'file' ? [ordinal] : []))
  const lost: (Stretch & { next: number })[] = []
  let at = 0
  for (let next = 1; next < pts.length; next++) {
    const [from, to] = [secondsOf(pts[next - 1] ?? 0, probe), secondsOf(pts[next] ?? 0, probe)]
    if (to - from <= far) continue
    while ((places[at] ?? Infinity) < next - AHEAD) at += 1
    if ((places[at] ?? Infinity) <= next + BEHIND) lost.push({ from: from + usual, to, next })
  }
  return lost
}
