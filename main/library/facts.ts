/**
 * Facts about clips, made from what was detected and measured in them and what people decided about that. Nothing is detected again:
 * captions and answers made from facts are updated whenever a track, a line of text or a threshold changes.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { AnnotationBody, Evidence, KeyBox, Provenance, TrackBody } from '../../app/annotation.ts'
import { COLOURS } from '../../app/colours.ts'
import { answerFrom, SURE } from '../../app/facts/answer.ts'
import { captionOf } from '../../app/facts/caption.ts'
import { findableFacts } from '../../app/facts/told.ts'
import { showsPart } from '../../app/facts/reliability.ts'
import { stretchesIn } from '../../app/facts/unread.ts'
import { type Fact, factsOf, trackReliability } from '../../app/facts/facts.ts'
import type { ClipMeasures, Moment, TextLine, Things, ThingTrack } from '../../app/facts/input.ts'
import { isDrawn } from '../../app/facts/light.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { namesOf, shownAs, VOLUNTEERED } from '../../app/naming.ts'
import type { Phrase } from '../../app/phrase.ts'
import { DEFAULT_THRESHOLD, sameObject } from '../../app/tracks.ts'
import { clipped } from '../../app/tracker.ts'
import { labelNamed } from '../../app/vocabulary.ts'
import type { Language } from '../../app/words.ts'
import type { Annotations, MachineResult } from './annotations.ts'
import { storedVocabulary } from './detections.ts'
import type { LibraryPacks } from './packs.ts'
import { TRACKS_INTO } from './reach.ts'
import type { Seen } from './seen.ts'

/** Frames that a caption or an answer names as its evidence. */
const MOST_FRAMES = 24

/** Who says what facts give. */
export const FACTS = 'facts'

interface Parts {
  db: DatabaseSync
  annotations: Annotations
  seen: Seen
  packs: LibraryPacks
  appVersion: string
}

export class LibraryFacts {
  readonly #parts: Parts
  /** Of the video that was asked about last, and its clips. */
  #lastCuts: { of: string; cuts: number[] } | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The facts of a clip, surest first; none for a clip that no pack has looked at. */
  of(clipId: number): Fact[] {
    const measures = this.#measures(clipId)
    return measures ? factsOf(measures) : []
  }

  /** Update the captions of these clips, and their answers that were made from facts. What a pack said about clips that it knows stays. */
  refresh(clipIds: readonly number[]): void {
    const { db, annotations, packs } = this.#parts
    const words = packs.current().caption
    for (const clipId of clipIds) {
      const measures = this.#measures(clipId)
      if (measures === null) continue
      this.#judge(measures.things)
      const said = db
        .prepare(
          `SELECT id, kind, provenance ->> '$.packId' AS by, json_extract(machine, '$.question') AS question, provenance ->> '$.packDigest' AS digest, evidence ->> '$.unfamiliar' AS unfamiliar FROM annotations WHERE clip_id = ? AND kind IN ('caption', 'answer')`,
        )
        .all(clipId)
      const others = said.find(({ kind, digest, unfamiliar }) => kind === 'caption' && digest === words?.digest && unfamiliar !== 1)
      const facts = factsOf(measures)
      this.#tell(clipId, facts)
      const caption = others === undefined ? this.#caption(facts, measures) : null
      if (caption) annotations.saveMachine(clipId, 'caption', [caption])
      // What nothing supports any more is not said any more.
      else if (others === undefined)
        db.prepare(`DELETE FROM annotations WHERE clip_id = ? AND kind = 'caption' AND state = 'machine'`).run(clipId)
      for (const { id, kind, by, question } of said) {
        if (kind !== 'answer' || by !== FACTS || typeof question !== 'string') continue
        const answer = this.#answer(measures, question)
        if (answer !== null && 'body' in answer) annotations.saveMachine(clipId, 'answer', [answer])
        else db.prepare(`DELETE FROM annotations WHERE id = ? AND state = 'machine'`).run(id ?? null)
      }
    }
  }

  /** The answer made from facts; a phrase that says why facts cannot answer; null if the question is not about facts. */
  answer(clipId: number, question: string): (MachineResult & { body: { kind: 'answer' } }) | Phrase | null {
    const measures = this.#measures(clipId)
    return measures && this.#answer({ ...measures, ...this.#cuts(clipId) }, question)
  }

  /** In which captions are written. */
  get language(): Language {
    return this.#parts.db.prepare(`SELECT value FROM settings WHERE key = 'language'`).get()?.['value'] === '"de"' ? 'de' : 'en'
  }

  /** Whether an earlier version did not say how sure the tracks of a detector are, or did not have search find facts. */
  unjudged(): boolean {
    const { db, packs } = this.#parts
    const { boxes } = packs.current()
    const untold = `SELECT 1 FROM annotations WHERE kind = 'caption' AND state = 'machine' AND provenance ->> '$.packId' = ? AND NOT EXISTS (SELECT 1 FROM told) LIMIT 1`
    if (db.prepare(untold).get(FACTS) !== undefined) return true
    if (boxes?.names === undefined) return false
    const unjudged = `SELECT 1 FROM annotations a JOIN candidates c ON c.id = a.candidate
      WHERE a.kind = 'track' AND a.state = 'machine' AND a.evidence IS NULL AND c.pack_digest = ? LIMIT 1`
    return db.prepare(unjudged).get(boxes.digest) !== undefined
  }

  /** How sure each track is that nobody decided about: what every list, picture and file says of it. */
  #judge(things: Things | null): void {
    const judged = this.#parts.db.prepare(
      `UPDATE annotations SET evidence = ?1 WHERE candidate = ?2 AND kind = 'track' AND machine IS NOT NULL AND evidence IS NOT ?1`,
    )
    for (const track of things?.tracks ?? []) {
      if (track.candidate === undefined || things === null) continue
      const confidence = trackReliability(track, things)
      const evidence: Evidence = { confidence, unsure: confidence < SURE, agreement: null, asked: track.asked === true, frames: [] }
      judged.run(JSON.stringify(evidence), track.candidate)
    }
  }

  /** Have search find the facts of a clip. */
  #tell(clipId: number, facts: readonly Fact[]): void {
    const { db } = this.#parts
    const told = findableFacts(facts)
    const rows = db.prepare('SELECT words, whole, strength FROM told WHERE clip_id = ? ORDER BY id').all(clipId)
    const same =
      rows.length === told.length &&
      told.every(({ words, fact }, i) => rows[i]?.['words'] === words && rows[i]['strength'] === fact.reliability)
    if (same) return
    db.prepare('DELETE FROM told WHERE clip_id = ?').run(clipId)
    const tell = db.prepare('INSERT INTO told (clip_id, whole, strength, words) VALUES (?, ?, ?, ?)')
    for (const { words, whole, fact } of told) tell.run(clipId, Number(whole), fact.reliability, words)
  }

  #caption(facts: readonly Fact[], measures: Measures): MachineResult | null {
    const caption = captionOf(facts, measures.span.to - measures.span.from, this.language)
    return (
      caption &&
      this.#result(
        { kind: 'caption', text: caption.text },
        caption.told.flatMap(({ evidence }) => evidence.frames),
        caption.reliability,
        measures,
      )
    )
  }

  #answer(measures: Measures, question: string): (MachineResult & { body: { kind: 'answer' } }) | Phrase | null {
    const found = answerFrom(measures, question)
    if (found === null) return null
    if ('cannot' in found) return { text: found.cannot }
    return this.#result({ kind: 'answer', question, text: found.text }, found.evidence.frames, found.confidence, measures)
  }

  #result<B extends AnnotationBody>(
    body: B,
    shown: readonly Moment[],
    confidence: number,
    { probe }: Measures,
  ): MachineResult & { body: B } {
    const frames = [...new Map(shown.map((frame) => [frame.ordinal, frame])).values()]
      .sort((a, b) => a.ordinal - b.ordinal)
      .slice(0, MOST_FRAMES)
    const evidence: Evidence = {
      confidence,
      unsure: confidence < SURE,
      agreement: null,
      frames: frames.map((frame) => ({ ordinal: frame.ordinal, pts: ticks(frame.time, probe), weight: 1 / frames.length })),
    }
    const provenance: Provenance = {
      packId: FACTS,
      packVersion: this.#parts.appVersion,
      packDigest: '',
      provider: '',
      prompt: '',
      appVersion: this.#parts.appVersion,
      at: new Date().toISOString(),
    }
    return { body, evidence, provenance }
  }

  #measures(clipId: number): Measures | null {
    const { db, seen, packs } = this.#parts
    const row = db
      .prepare(
        'SELECT c.start, c."end", c.start_frame, c.end_frame, s.probe FROM clips c JOIN sources s ON s.id = c.source_id WHERE c.id = ?',
      )
      .get(clipId)
    const measured = seen.measured(clipId)
    if (row === undefined || typeof row['probe'] !== 'string' || measured === null) return null
    const probe = JSON.parse(row['probe']) as Probe
    const { boxes, text } = packs.current()
    const drawn = isDrawn(measured.light)
    const span = { from: Number(row['start']), to: Number(row['end']) }
    const unread = stretchesIn(probe.unread ?? [], span)
    return {
      span,
      ...(unread.length > 0 ? { unread } : {}),
      frame: { width: probe.width, height: probe.height },
      things: this.#things(
        clipId,
        boxes?.digest ?? null,
        boxes?.names ?? [],
        probe,
        {
          startFrame: Number(row['start_frame']),
          endFrame: Number(row['end_frame']),
          startPts: ticks(Number(row['start']), probe),
          endPts: ticks(Number(row['end']), probe),
        },
        drawn,
      ),
      camera: measured.camera,
      light: measured.light,
      lines: text
        ? this.#lines(
            clipId,
            text.digest,
            probe,
            [Number(row['start_frame']), Number(row['start'])],
            [Number(row['end_frame']), Number(row['end'])],
          )
        : null,
      probe,
    }
  }

  /** When the video of a clip cuts; nothing where not all of it was looked at. Asked of every clip of a long video it is looked up once. */
  #cuts(clipId: number): Pick<ClipMeasures, 'cuts'> {
    const { db, seen } = this.#parts
    const clips = db
      .prepare(
        `SELECT id, start, source_id FROM clips WHERE kind <> 'marked' AND source_id = (SELECT source_id FROM clips WHERE id = ?) ORDER BY start_frame`,
      )
      .all(clipId)
    const of = clips.map(({ id }) => Number(id)).join()
    if (this.#lastCuts?.of === of) return this.#lastCuts
    const measured = clips.map(({ id, start }) => ({ start: Number(start), clip: seen.measured(Number(id)) }))
    if (measured.some(({ clip }) => clip === null)) return {}
    this.#lastCuts = { of, cuts: measured.slice(1).flatMap(({ start, clip }) => (clip?.cut === true ? [start] : [])) }
    return this.#lastCuts
  }

  /**
   * The detector's tracks without those that a person rejected, and with those that a person drew, moved or renamed in this clip or into it.
   * @param digest Of the detector; null where there is none.
   */
  #things(clipId: number, digest: string | null, known: readonly string[], probe: Probe, span: FrameSpan, drawn: boolean): Things | null {
    const { db, seen } = this.#parts
    const frames = digest === null ? null : seen.spotted(clipId, digest)
    const decided = db
      .prepare(
        `SELECT a.machine, a.state, coalesce(a.human, a.machine) AS body FROM annotations a WHERE a.clip_id = ?1 AND a.kind = 'track' AND a.state <> 'machine'
         UNION ALL SELECT a.machine, a.state, a.human FROM ${TRACKS_INTO} WHERE r.id = ?1`,
      )
      .all(clipId)
    const people = decided.flatMap(({ state, body }) => {
      const inside = state === 'rejected' ? null : within(JSON.parse(String(body)) as TrackBody, span)
      return inside === null ? [] : [inside]
    })
    // What nobody looked for but people is known to people alone.
    if (frames === null && people.length === 0) return null
    // A newer run finds the same objects again: what a person decided about one holds for it, whatever it is called by now.
    const layers = decided.flatMap(({ machine, body }) =>
      [machine, body].flatMap((layer) => (typeof layer === 'string' ? [JSON.parse(layer) as TrackBody] : [])),
    )
    const settled = (found: TrackBody) => layers.some((layer) => sameObject({ ...layer, label: found.label }, found))
    const found = db
      .prepare('SELECT id, label, score, body FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
      .all(clipId, frames === null ? null : digest)
    const vocabulary = storedVocabulary(db)
    const shown = shownAs({ classes: [...known] }, vocabulary)
    // What is shown counts and what is not does not, whatever threshold a label has; of a name without a label what is less sure may be asked for.
    const counting = (name: string, score: number) => {
      const { threshold, label } = shown.get(name) ?? { threshold: Infinity, label: name }
      if (score >= threshold) return Math.max(score, VOLUNTEERED)
      return Math.min(score, (labelNamed(vocabulary, label) ? DEFAULT_THRESHOLD : VOLUNTEERED) - 1e-6)
    }
    const track = (body: TrackBody, score: number): ThingTrack => ({
      label: body.label,
      score,
      boxes: body.boxes.map((box) => thingBox(box, probe)),
      ...coloursOf(body),
    })
    const weak: Record<string, number> = {}
    for (const { seen: spotted } of frames ?? []) for (const { name, score } of spotted ?? []) weak[name] = Math.max(weak[name] ?? 0, score)
    const theirs = people.map((body) => named(track(body, 1), known))
    const looked = frames?.map((frame) => moment(frame, probe)) ?? momentsOf(theirs)
    return {
      tracks: [
        ...found.flatMap(({ id, label, score, body }) => {
          const of = JSON.parse(String(body)) as TrackBody
          const wanted = labelNamed(vocabulary, shown.get(String(label))?.label ?? '') !== undefined
          const one = track(of, counting(String(label), Number(score)))
          return settled(of)
            ? []
            : [{ ...one, candidate: Number(id), ...(wanted ? { asked: true } : {}), ...(showsPart(one, probe) ? { part: true } : {}) }]
        }),
        ...theirs,
      ],
      looked,
      weak,
      // What people have named here can be asked for, whatever the pack knows.
      known: [...new Set([...(frames === null ? [] : known), ...theirs.map(({ label }) => label)])],
      asked: DEFAULT_THRESHOLD,
      volunteered: VOLUNTEERED,
      drawn,
    }
  }

  /** @param start,end Of the clip: ordinal and time. */
  #lines(
    clipId: number,
    digest: string,
    probe: Probe,
    start: readonly [number, number],
    end: readonly [number, number],
  ): TextLine[] | null {
    const frames = this.#parts.seen.lines(clipId, digest)
    if (frames === null) return null
    // A line begins and ends with a frame that was read, or with the clip; a person may have moved it between them.
    const times = [start, ...frames.map(({ ordinal, pts }) => [ordinal, secondsOf(pts, probe)] as const), end].sort(([a], [b]) => a - b)
    const time = (ordinal: number) => times.find(([at]) => at >= ordinal)?.[1] ?? end[1]
    const rows = this.#parts.db
      .prepare(
        `SELECT coalesce(human, machine) AS body, confidence, state FROM annotations WHERE clip_id = ? AND kind = 'text' AND state <> 'rejected' ORDER BY id`,
      )
      .all(clipId)
    return rows.flatMap(({ body, confidence, state }) => {
      const text = JSON.parse(String(body)) as AnnotationBody
      if (text.kind !== 'text') return []
      return [
        {
          text: text.text,
          ordinal: text.span.startFrame,
          from: time(text.span.startFrame),
          to: time(text.span.endFrame),
          box: text.box,
          score: state === 'machine' ? Number(confidence) : 1,
          ...(text.colours ? { colours: text.colours } : {}),
        },
      ]
    })
  }
}

/** Of a clip, half-open. */
interface FrameSpan {
  startFrame: number
  endFrame: number
  startPts: number
  endPts: number
}

/** The part of a track that lies in a clip; null where none does. */
function within(body: TrackBody, { startFrame, endFrame, startPts, endPts }: FrameSpan): TrackBody | null {
  // Between its edges the frames of a clip are taken to run evenly: a box that is cut there lies between two others.
  const ptsOf = (ordinal: number) => Math.round(startPts + ((endPts - startPts) * (ordinal - startFrame)) / (endFrame - startFrame))
  const boxes = clipped(body.boxes, { startFrame, endFrame }, ptsOf)
  return boxes.length === 0 ? null : { ...body, boxes }
}

/** When any of these tracks has a box of its own, in order. */
function momentsOf(tracks: readonly ThingTrack[]): Moment[] {
  const moments = tracks.flatMap(({ boxes }) => boxes.map(({ ordinal, time }) => ({ ordinal, time })))
  return [...new Map(moments.map((one) => [one.ordinal, one])).values()].sort((a, b) => a.ordinal - b.ordinal)
}

function ticks(time: number, { startPts, timeBase }: Probe): number {
  return Math.round(startPts + (time * timeBase.den) / timeBase.num)
}

/** Of the whole, and of both halves where they were kept. */
function coloursOf({ colours }: TrackBody): Pick<ThingTrack, 'colours' | 'halves'> {
  if (!colours) return {}
  const [upper, lower] = [colours.slice(0, COLOURS.length), colours.slice(COLOURS.length)]
  return lower.length === 0 ? { colours } : { colours: upper.map((share, i) => (share + (lower[i] ?? 0)) / 2), halves: [upper, lower] }
}

/** A label that means one of the detector's names counts as that. */
function named(track: ThingTrack, known: readonly string[]): ThingTrack {
  const [name, ...others] = namesOf([track.label], known)
  return name !== undefined && others.length === 0 ? { ...track, label: name } : track
}

type Measures = ClipMeasures & { probe: Probe }

function thingBox({ box, score, outside, ...frame }: KeyBox, probe: Probe) {
  return { ...moment(frame, probe), box, score, ...(outside ? { outside } : {}) }
}

function moment({ ordinal, pts }: FrameRef, probe: Probe) {
  return { ordinal, time: secondsOf(pts, probe) }
}
