/**
 * Runs detectors and readers on one source while it is decoded: each sampled frame goes to its pack as it comes, and the result
 * is stored with the frame's clip. Objects are tracked through the whole source; each clip gets its part of the tracks.
 */
import { pixelBox, type RelativeBox } from '../../app/boxes.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { trackScoreOf } from '../../app/naming.ts'
import type { Span } from '../../app/annotation.ts'
import type { DetectorManifest } from '../../app/pack/detector.ts'
import { joinReadable, type Line } from '../../app/text-lines.ts'
import { withoutSpans } from '../../app/tracks.ts'
import { detectorPace, groundShift, type SampledFrame, type Shift, Tracker } from '../../app/tracker.ts'
import type { DetectorEngine, Engine, Picture, Spotted, TextEngine } from '../engine/engine.ts'
import type { MachineResult } from '../library/annotations.ts'
import type { Library } from '../library/library.ts'
import type { SeenFrame } from '../library/seen.ts'
import type { SampledClip } from '../media/clips.ts'
import { persevere, provenanceOf } from './asking.ts'
import { detectorPatience, Frames, type Lent, type Patience } from './frames.ts'

interface Seers {
  detector: DetectorEngine | null
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
  readonly #lines: Frames<Line> | null
  readonly #tracker: Tracker
  readonly #clips: { id: number; startFrame: number; endFrame: number }[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    const { library, sourceId, detector, reader, signal } = parts
    const video = ++watches
    const of = <T extends Spotted | Line>(
      engine: Engine,
      patience: Patience<T> | null,
      ask: (picture: Picture, frame: FrameRef) => Promise<T[][]>,
    ) =>
      new Frames<T>(library.seen.ofSource(sourceId, engine.info.digest) as Map<number, T[] | null>, patience, (picture, frame) =>
        persevere(async () => (await ask(picture, frame))[0] ?? [], signal),
      )
    // The place on the sampling grid, so that a resumed analysis gives the same results.
    const turnOf = ({ pts }: FrameRef, { input }: DetectorManifest) => Math.floor(secondsOf(pts, parts.probe) * input.rate + 0.001)
    this.#spotted =
      detector &&
      of(detector, detectorPatience(parts.probe), async (picture, frame) =>
        (await detector.see([picture], turnOf(frame, detector.info.manifest), signal)).map((boxes) => boxes.map(compact)),
      )
    this.#lines = reader && of(reader, null, (picture) => reader.read([picture], video, signal))
    this.#tracker = new Tracker(detectorPace(parts.probe.timeBase))
  }

  /** Takes a picture. Resolves when the next one may come. */
  async picture(key: string, frame: FrameRef, picture: Lent | null, changed: readonly RelativeBox[] | null): Promise<void> {
    const { detector, reader } = this.#parts
    if (key === detector?.info.digest) await this.#spotted?.push(frame, picture, changed)
    else if (key === reader?.info.digest) await this.#lines?.push(frame, picture, changed)
  }

  /** All frames of a clip have come. Stores what was seen in it. */
  async clip(clipId: number, clip: SampledClip): Promise<void> {
    const { startFrame, endFrame } = clip
    const [spotted, lines] = await Promise.all([this.#spotted?.take(endFrame) ?? [], this.#lines?.take(endFrame) ?? []])
    this.#parts.library.together(() => this.#store(clipId, clip, spotted, lines, this.#tracker))
    this.#clips.push({ id: clipId, startFrame, endFrame })
  }

  /** The same for an unfinished clip, as if the video ended there; its frames come again with the complete clip. */
  async beginning(clipId: number, clip: SampledClip): Promise<void> {
    const [spotted, lines] = await Promise.all([this.#spotted?.before(clip.endFrame) ?? [], this.#lines?.before(clip.endFrame) ?? []])
    const tracker = new Tracker(detectorPace(this.#parts.probe.timeBase))
    this.#parts.library.together(() => this.#store(clipId, clip, spotted, lines, tracker))
  }

  #store(
    clipId: number,
    { kind, startFrame, endFrame, cut, measured, startPts, endPts, frames }: SampledClip,
    spotted: readonly SeenFrame<Spotted>[],
    lines: readonly SeenFrame<Line>[],
    tracker: Tracker,
  ): void {
    const { library, detector, reader, probe } = this.#parts
    library.seen.saveMeasured(clipId, { cut, ...measured })
    if (detector) {
      library.seen.saveFrames(clipId, detector.info.digest, spotted)
      if (cut) tracker.cut(startFrame)
      spotted.forEach((frame, i) => {
        const before = spotted[i - 1]
        tracker.push(
          sampledFrame(
            frame,
            probe,
            before && groundShift(measured.camera, secondsOf(before.pts, probe), secondsOf(frame.pts, probe), probe),
          ),
        )
      })
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
    const ordinalAt = (seconds: number) => {
      const at = pts.findIndex((ticks) => secondsOf(ticks, this.#parts.probe) >= seconds - 1e-6)
      return at === -1 ? pts.length : at
    }
    const lost = (corrected.unread ?? [])
      .map(({ from, to }) => ({ startFrame: ordinalAt(from), endFrame: ordinalAt(to) }))
      .filter(({ startFrame, endFrame }) => startFrame < endFrame)
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
    detector: DetectorEngine,
    tracker: Tracker,
    clipId: number,
    span: { startFrame: number; endFrame: number },
    ptsOf: (ordinal: number) => number,
    lost: readonly Span[] = [],
  ): boolean {
    const { library } = this.#parts
    const provenance = provenanceOf(this.#parts.appVersion, detector)
    const candidates = tracker.tracksIn(span, ptsOf).flatMap(({ score, body }) => {
      const boxes = withoutSpans(body.boxes, lost, ptsOf)
      if (boxes.length === 0) return []
      return [
        {
          score: trackScoreOf(score, detector.info.manifest.calibration),
          body: { ...body, boxes },
          provenance: provenance(body.label),
        },
      ]
    })
    return library.detections.saveTracks(clipId, detector.info, candidates)
  }
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
    sightings: seen.map(({ name, score, box, colours }) => ({ ordinal, pts, label: name, score, box: pixelBox(box, frame), colours })),
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
