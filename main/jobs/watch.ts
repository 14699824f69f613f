/**
 * Runs detectors and readers on one source while it is decoded: each sampled frame goes to its pack as it comes, and the result
 * is stored with the frame's clip. Objects are tracked through the whole source; each clip gets its part of the tracks.
 */
import { pixelBox, type RelativeBox } from '../../app/boxes.ts'
import { edgeOf } from '../../app/colours.ts'
import type { EdgeSample } from '../../app/facts/input.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { trackScoreOf, VOLUNTEERED } from '../../app/naming.ts'
import type { Span } from '../../app/annotation.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import { joinReadable, type Line } from '../../app/text-lines.ts'
import { DEFAULT_THRESHOLD, withoutSpans } from '../../app/tracks.ts'
import { detectorPace, groundShift, type Pace, type SampledFrame, type Shift, spottedPace, Tracker } from '../../app/tracker.ts'
import { phrasesOf } from '../../app/vocabulary.ts'
import {
  type DetectorEngine,
  type Engine,
  ofFamily,
  type OwlEngine,
  type Picture,
  type Spotted,
  type TextEngine,
} from '../engine/engine.ts'
import type { MachineResult } from '../library/annotations.ts'
import { lookedFor } from '../library/detections.ts'
import type { Library } from '../library/library.ts'
import { edgesWithin, type MeasuredClip, type SeenFrame } from '../library/seen.ts'
import type { SampledClip } from '../media/clips.ts'
import { provenanceOf } from './asking.ts'
import { detectorPatience, Frames, type Known, type Lent, type Patience } from './frames.ts'

/** What finds boxes on single pictures. */
export type Seer = DetectorEngine | OwlEngine
interface Seers {
  detector: Seer | null
  reader: TextEngine | null
}

interface Parts extends Seers {
  library: Library
  appVersion: string
  sourceId: number
  probe: Probe
  signal: AbortSignal
}

/** How many there were: a source that is analysed again is another video to the reader. */
let watches = 0

export class Watch {
  readonly #parts: Parts
  readonly #spotted: Frames<Spotted> | null
  readonly #looked: Frames<Uint16Array> | null
  readonly #lines: Frames<Line> | null
  readonly #tracker: Tracker
  /** Of the whole source so far, one for each change; what is known of an earlier run comes first. */
  readonly #edges: EdgeSample[]
  readonly #clips: { id: number; startFrame: number; endFrame: number }[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    const { library, sourceId, detector, reader, signal } = parts
    const video = ++watches
    const seenBy = ({ info: { digest } }: Engine) => library.seen.ofSource(sourceId, digest)
    const of = <T>(
      engine: Engine,
      patience: Patience<T> | null,
      ask: (picture: Picture, frame: FrameRef) => Promise<T[]>,
      known = seenBy(engine) as Known<T>,
    ) => new Frames<T>(known, patience, (picture, frame) => engine.step(() => ask(picture, frame), signal))
    const [closed, owl] = [
      detector && ofFamily(detector, 'detector') ? detector : null,
      detector && ofFamily(detector, 'owl') ? detector : null,
    ]
    // The place on the sampling grid, so that a resumed analysis gives the same results.
    const turnOf = ({ pts }: FrameRef, { input }: DetectorManifest) => Math.floor(secondsOf(pts, parts.probe) * input.rate + 0.001)
    this.#spotted =
      closed &&
      of<Spotted>(closed, detectorPatience(parts.probe), async (picture, frame) =>
        ((await closed.see([picture], turnOf(frame, closed.info.manifest), signal))[0] ?? []).map(compact),
      )
    this.#looked = owl && of(owl, null, (picture) => owl.look([picture], signal), cellsKnown(library, sourceId, owl))
    this.#lines = reader && of<Line>(reader, null, async (picture) => (await reader.read([picture], video, signal))[0] ?? [])
    this.#tracker = this.#newTracker()
    this.#edges = library.seen.edgesOf(sourceId)
  }

  /** Takes a picture. Resolves when the next one may come. */
  async picture(key: string, frame: FrameRef, picture: Lent | null, changed: readonly RelativeBox[] | null): Promise<void> {
    const { detector, reader, probe } = this.#parts
    if (key === (detector ?? reader)?.info.digest && picture !== null) this.#measureEdge(secondsOf(frame.pts, probe), picture)
    if (key === detector?.info.digest) await (this.#spotted ?? this.#looked)?.push(frame, picture, changed)
    else if (key === reader?.info.digest) await this.#lines?.push(frame, picture, changed)
  }

  #measureEdge(time: number, { rgb, width, height }: Picture): void {
    const edge = edgeOf(rgb, width, height)
    const last = this.#edges.at(-1)
    if (last && time <= last.time) return
    // A share that sways about does not make a sample a picture.
    const same = last && edge?.colour === last.edge?.colour && Math.abs((edge?.whole ?? 0) - (last.edge?.whole ?? 0)) < 0.1
    if (same !== true) this.#edges.push({ time, edge: edge && { ...edge, whole: Math.round(edge.whole * 100) / 100 } })
  }

  /** All frames of a clip have come. Stores what was seen in it. */
  async clip(clipId: number, clip: SampledClip): Promise<void> {
    const { startFrame, endFrame } = clip
    const [spotted, looked, lines] = await Promise.all([
      this.#spotted?.take(endFrame) ?? [],
      this.#looked?.take(endFrame) ?? [],
      this.#lines?.take(endFrame) ?? [],
    ])
    const things = await this.#thingsOf(spotted, looked)
    this.#parts.library.together(() => this.#store(clipId, clip, things, lines, this.#tracker))
    this.#clips.push({ id: clipId, startFrame, endFrame })
  }

  /** The same for an unfinished clip, as if the video ended there; its frames come again with the complete clip. */
  async beginning(clipId: number, clip: SampledClip): Promise<void> {
    const [spotted, looked, lines] = await Promise.all([
      this.#spotted?.before(clip.endFrame) ?? [],
      this.#looked?.before(clip.endFrame) ?? [],
      this.#lines?.before(clip.endFrame) ?? [],
    ])
    const things = await this.#thingsOf(spotted, looked)
    this.#parts.library.together(() => this.#store(clipId, clip, things, lines, this.#newTracker()))
  }

  #newTracker(): Tracker {
    const { detector, probe } = this.#parts
    return new Tracker(detector ? paceOf(detector, probe) : detectorPace(probe.timeBase))
  }

  /** What was seen on each frame: by a detector with a closed list, or the labels that are looked for now among cells. */
  async #thingsOf(spotted: readonly SeenFrame<Spotted>[], looked: readonly SeenFrame<Uint16Array>[]): Promise<Things> {
    const { detector, library, signal } = this.#parts
    if (detector === null || !ofFamily(detector, 'owl')) return { spotted, looked: null }
    return { ...(await spottedAmong(library, detector, looked, signal)), looked }
  }

  #store(
    clipId: number,
    { kind, start, end, startFrame, endFrame, cut, measured, startPts, endPts, frames }: SampledClip,
    things: Things,
    lines: readonly SeenFrame<Line>[],
    tracker: Tracker,
  ): void {
    const { spotted } = things
    const { library, detector, reader, probe } = this.#parts
    library.seen.saveMeasured(clipId, { cut, ...measured, ...edgesWithin(this.#edges, start, end) })
    if (detector) {
      if (things.looked === null) library.seen.saveFrames(clipId, detector.info.digest, spotted)
      else {
        library.seen.saveCells(clipId, detector.info.digest, things.looked)
        library.seen.saveSpotted(clipId, detector.info.digest, spotted, things.lookedFor)
      }
      pushAll(tracker, { startFrame, spotted, measured: { cut, ...measured } }, probe)
      const known = new Map([
        [startFrame, startPts],
        [endFrame, endPts],
        ...[...frames, ...spotted].map(({ ordinal, pts }) => [ordinal, pts] as const),
      ])
      this.#show(detector, tracker, clipId, { startFrame, endFrame }, (ordinal) => ptsNear(known, ordinal))
    }
    if (reader) {
      library.seen.saveFrames(clipId, reader.info.digest, lines)
      saveText(library, reader, this.#parts.appVersion, clipId, lines, { startFrame, endFrame, whole: kind !== 'beginning' }, probe)
    }
  }

  /**
   * The whole source has been seen: the name of each object is decided by all its boxes, except those on pictures that the decoder made up.
   * @param pts PTS of every frame, by ordinal. @param probe As corrected by decoding.
   */
  finish(pts: Float64Array, corrected: Probe): void {
    const { detector, reader, library, probe } = this.#parts
    this.#tracker.cut(pts.length)
    const ptsOf = (ordinal: number) => pts[Math.min(ordinal, pts.length - 1)] ?? 0
    const lost = lostSpans(corrected, pts, probe)
    const changed = new Set<number>(isTimed(probe, corrected) ? [] : this.#clips.map(({ id }) => id))
    for (const { id, ...span } of this.#clips) {
      if (!library.clipExists(id)) continue
      if (detector && this.#show(detector, this.#tracker, id, span, ptsOf, lost)) changed.add(id)
      if (reader && lost.some(({ startFrame, endFrame }) => startFrame < span.endFrame && endFrame > span.startFrame)) {
        const lines = library.seen.lines(id, reader.info.digest) ?? []
        saveText(library, reader, this.#parts.appVersion, id, lines, { ...span, whole: true, lost }, probe)
        changed.add(id)
      }
    }
    library.facts.refresh([...changed])
  }

  /** @returns False if the tracks are the same as before. */
  #show(
    detector: Seer,
    tracker: Tracker,
    clipId: number,
    span: { startFrame: number; endFrame: number },
    ptsOf: (ordinal: number) => number,
    lost: readonly Span[] = [],
  ): boolean {
    return showTracks(this.#parts, detector, tracker, clipId, span, ptsOf, lost)
  }
}

/** What was seen on the frames of a clip; from a detector of any words also the cells, and the labels that were looked for. */
type Things = { spotted: readonly SeenFrame<Spotted>[] } & (
  | { looked: null }
  | { looked: readonly SeenFrame<Uint16Array>[]; lookedFor: string }
)

/** The labels' boxes among the cells of frames: this needs no picture. */
async function spottedAmong(
  library: Library,
  owl: OwlEngine,
  looked: readonly SeenFrame<Uint16Array>[],
  signal: AbortSignal,
): Promise<{ spotted: SeenFrame<Spotted>[]; lookedFor: string }> {
  const vocabulary = library.detections.vocabulary()
  const cells = looked.flatMap(({ seen }) => seen ?? [])
  const found = await owl.step(() => owl.spot(cells, vocabulary.map(phrasesOf), signal), signal)
  let next = 0
  const spotted = looked.map(({ ordinal, pts, seen }) => ({
    ordinal,
    pts,
    seen:
      seen &&
      seen.flatMap(() =>
        (found[next++] ?? []).map(({ label, score, box }) => compact({ name: vocabulary[label]?.name ?? '', score, box, colours: [] })),
      ),
  }))
  return { spotted, lookedFor: lookedFor(vocabulary) }
}

/**
 * Look for the labels of the vocabulary in what an analysis kept of a source's pictures, and follow them through it anew.
 * @returns The clips whose boxes changed.
 */
export async function lookAmongCells(
  { library, appVersion }: Pick<Parts, 'library' | 'appVersion'>,
  owl: OwlEngine,
  sourceId: number,
  signal: AbortSignal,
): Promise<number[]> {
  const { probe } = library.source(sourceId)
  if (probe === null) return []
  const { digest } = owl.info
  const pts = library.frames(sourceId)
  const tracker = new Tracker(paceOf(owl, probe))
  const clips = library.clips({ sourceId, limit: -1, offset: 0 }).clips.filter(({ kind }) => kind !== 'marked')
  const found: { id: number; spotted: SeenFrame<Spotted>[]; lookedFor: string; startFrame: number; endFrame: number }[] = []
  for (const { id, startFrame, endFrame } of clips) {
    const [frames, measured] = [library.seen.spotted(id, digest), library.seen.measured(id)]
    if (frames === null || measured === null) continue
    const cells = library.seen.cells(id, digest)
    const looked = frames.map(({ ordinal, pts: at, seen }) => {
      const bits = cells.get(ordinal)
      return { ordinal, pts: at, seen: seen && (bits ? [bits] : []) }
    })
    const { spotted, lookedFor: what } = await spottedAmong(library, owl, looked, signal)
    pushAll(tracker, { startFrame, spotted, measured }, probe)
    found.push({ id, spotted, lookedFor: what, startFrame, endFrame })
  }
  tracker.cut(pts.length)
  const lost = lostSpans(probe, pts, probe)
  const ptsOf = (ordinal: number) => pts[Math.min(ordinal, pts.length - 1)] ?? 0
  const changed: number[] = []
  library.together(() => {
    for (const { id, spotted, lookedFor: what, ...span } of found) {
      if (!library.clipExists(id)) continue
      library.seen.saveSpotted(id, digest, spotted, what)
      if (showTracks({ library, appVersion }, owl, tracker, id, span, ptsOf, lost)) changed.push(id)
    }
  })
  library.facts.refresh(changed)
  return changed
}

/** What an earlier run kept of a source's frames. Read one by one: all together may be larger than the memory. */
function cellsKnown(library: Library, sourceId: number, { info: { digest } }: OwlEngine): Known<Uint16Array> {
  const frames = library.seen.ofSource(sourceId, digest)
  return {
    get: (ordinal) => {
      const seen = frames.get(ordinal)
      if (seen === undefined || seen === null) return seen
      const bits = library.seen.cellsAt(sourceId, digest, ordinal)
      return bits === null ? undefined : [bits]
    },
  }
}

function paceOf({ info: { manifest } }: Seer, { timeBase }: Probe): Pace {
  return manifest.family === 'detector' ? detectorPace(timeBase) : spottedPace(timeBase, manifest.input.rate, manifest.calibration.asked)
}

/** Give a clip's frames to the tracker. */
function pushAll(
  tracker: Tracker,
  { startFrame, spotted, measured }: { startFrame: number; spotted: readonly SeenFrame<Spotted>[]; measured: MeasuredClip },
  probe: Probe,
): void {
  if (measured.cut) tracker.cut(startFrame)
  spotted.forEach((frame, i) => {
    const before = spotted[i - 1]
    const shift = before && groundShift(measured.camera, secondsOf(before.pts, probe), secondsOf(frame.pts, probe), probe)
    tracker.push(sampledFrame(frame, probe, shift))
  })
}

/** The spans, in frames, of which the decoder made up the pictures. @param corrected As decoding found it. */
function lostSpans(corrected: Probe, pts: Float64Array, probe: Probe): Span[] {
  const ordinalAt = (seconds: number) => {
    const at = pts.findIndex((ticks) => secondsOf(ticks, probe) >= seconds - 1e-6)
    return at === -1 ? pts.length : at
  }
  return (corrected.unread ?? [])
    .map(({ from, to }) => ({ startFrame: ordinalAt(from), endFrame: ordinalAt(to) }))
    .filter(({ startFrame, endFrame }) => startFrame < endFrame)
}

/** Store a clip's part of the tracks. @returns False if they are the same as before. */
function showTracks(
  { library, appVersion }: Pick<Parts, 'library' | 'appVersion'>,
  detector: Seer,
  tracker: Tracker,
  clipId: number,
  span: Span,
  ptsOf: (ordinal: number) => number,
  lost: readonly Span[],
): boolean {
  const provenance = provenanceOf(appVersion, detector)
  const { manifest } = detector.info
  // Scores of a detector of any words are calibrated on nothing: above the line they keep their order.
  const scale =
    manifest.family === 'detector'
      ? manifest.calibration
      : {
          asked: manifest.calibration.asked,
          volunteered:
            manifest.calibration.asked + ((VOLUNTEERED - DEFAULT_THRESHOLD) / (1 - DEFAULT_THRESHOLD)) * (1 - manifest.calibration.asked),
        }
  const candidates = tracker.tracksIn(span, ptsOf).flatMap(({ score, body }) => {
    const boxes = withoutSpans(body.boxes, lost, ptsOf)
    return boxes.length === 0 ? [] : [{ score: trackScoreOf(score, scale), body: { ...body, boxes }, provenance: provenance(body.label) }]
  })
  return library.detections.saveTracks(clipId, detector.info, candidates)
}

/** Whether times in seconds are the same by both probes, so that facts stay as they are. */
function isTimed(before: Probe, after: Probe): boolean {
  const times = ({ startPts, timeBase, width, height, clockRestarts }: Probe) =>
    JSON.stringify([startPts, timeBase, width, height, clockRestarts])
  return times(before) === times(after)
}

/** Rounded for storage: a ten-thousandth of the picture is less than a pixel, and nobody sees a hundredth of a colour. */
function compact({ name, score, box, colours }: Spotted): Spotted {
  const share = (value: number, of: number) => Math.round(value * of) / of
  const { cx, cy, w, h } = box
  return {
    name,
    score: share(score, 1e3),
    box: { cx: share(cx, 1e4), cy: share(cy, 1e4), w: share(w, 1e4), h: share(h, 1e4) },
    colours: colours.map((one) => share(one, 100)),
  }
}

function sampledFrame({ ordinal, pts, seen }: SeenFrame<Spotted>, frame: Probe, shift: Shift | undefined): SampledFrame {
  if (seen === null) return { ordinal, pts, same: true }
  return {
    ordinal,
    pts,
    sightings: seen.map(({ name, score, box, colours }) => ({
      ...{ ordinal, pts, label: name, score, box: pixelBox(box, frame) },
      ...(colours.length > 0 ? { colours } : {}),
    })),
    ...(shift ? { shift } : {}),
  }
}

/** PTS of a frame while the source is decoded, when only those of sampled frames and of clip edges are known: interpolated between them. */
function ptsNear(known: ReadonlyMap<number, number>, ordinal: number): number {
  const exact = known.get(ordinal)
  if (exact !== undefined) return exact
  const ordinals = [...known.keys()].sort((a, b) => a - b)
  const [before, after] = [
    ordinals.findLast((one) => one < ordinal) ?? ordinals[0] ?? 0,
    ordinals.find((one) => one > ordinal) ?? ordinals.at(-1) ?? 0,
  ]
  const [from, to] = [known.get(before) ?? 0, known.get(after) ?? 0]
  return after === before ? from : Math.round(from + ((to - from) * (ordinal - before)) / (after - before))
}

/** Store the lines of a clip as text on screen, beneath people's decisions. */
function saveText(
  library: Library,
  reader: TextEngine,
  appVersion: string,
  clipId: number,
  frames: readonly SeenFrame<Line>[],
  { whole, lost = [], ...span }: Span & { whole: boolean; lost?: readonly Span[] },
  frame: Probe,
): void {
  const provenance = provenanceOf(appVersion, reader)('')
  library.saveMachine(
    clipId,
    'text',
    joinReadable(
      frames.map(({ ordinal, pts, seen }) => ({ ordinal, pts, lines: seen })),
      span,
      lost,
      whole,
    ).map(
      ({ text, box, confidence, colours, ...at }): MachineResult => ({
        body: { kind: 'text', text, span: at, box: pixelBox(box, frame), ...(colours ? { colours: [...colours] } : {}) },
        evidence: { confidence, unsure: false, agreement: null, frames: [] },
        provenance,
      }),
    ),
  )
}
