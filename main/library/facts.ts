/**
 * Facts about clips, made from what was detected and measured in them and what people decided about that. No detector runs here:
 * captions and answers made from facts are updated whenever a track, a line of text or a threshold changes.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { AnnotationBody, Evidence, KeyBox, Provenance, TrackBody } from '../../app/annotation.ts'
import { COLOURS } from '../../app/colours.ts'
import { answerFrom, SURE } from '../../app/facts/answer.ts'
import { withAsked } from '../../app/facts/asked.ts'
import { captionOf } from '../../app/facts/caption.ts'
import { findableFacts } from '../../app/facts/told.ts'
import { showsPart } from '../../app/facts/reliability.ts'
import { stretchesIn } from '../../app/facts/unread.ts'
import { countReliability, type Fact, factsOf, mayBeMore, trackReliability } from '../../app/facts/facts.ts'
import type { ClipMeasures, Moment, TextLine, Things, ThingTrack } from '../../app/facts/input.ts'
import { isDrawn } from '../../app/facts/light.ts'
import type { Problem } from '../../app/errors.ts'
import { type FrameRef, type Probe, secondsOf } from '../../app/media.ts'
import { namesOf, shownAs, VOLUNTEERED } from '../../app/naming.ts'
import { type Phrase, phrase } from '../../app/phrase.ts'
import { DEFAULT_THRESHOLD, sameObject } from '../../app/tracks.ts'
import { clipped } from '../../app/tracker.ts'
import { labelNamed } from '../../app/vocabulary.ts'
import { topicOf } from '../../app/table/question.ts'
import type { Language } from '../../app/words.ts'
import type { Annotations, MachineResult } from './annotations.ts'
import { openQuestions, questionsOf, stands } from './asked.ts'
import { storedVocabulary } from './spelling.ts'
import type { LibraryPacks } from './packs.ts'
import { TRACKS_INTO } from './reach.ts'
import type { Seen } from './seen.ts'

/** At most so many frames are named as the evidence of a caption or an answer. */
const MOST_FRAMES = 24

/** The provider in the provenance of captions and answers made from facts. */
export const FACTS = 'facts'

interface Parts {
  db: DatabaseSync
  /** Null on a connection that only reads: nothing is refreshed there. */
  annotations: Annotations | null
  /** Shows in a clip the tracks that its questions ask for. */
  show?: (clipId: number) => void
  seen: Seen
  packs: Pick<LibraryPacks, 'current'>
  atomic: <T>(work: () => T) => T
  appVersion: string
  /** Whether another library makes the facts, so that they are made here only where somebody asks for them. */
  scratch?: boolean
}

export class LibraryFacts {
  readonly #parts: Parts
  /** The cuts of the video that was asked about last; `of` identifies it and its clips. */
  #lastCuts: { of: string; cuts: number[] } | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The facts of a clip, surest first; none for a clip that no pack has looked at. */
  of(clipId: number): Fact[] {
    const measures = this.#measures(clipId)
    return measures ? factsOf(measures) : []
  }

  /**
   * Update the captions and answers of these clips that are made from facts. What a pack said about clips familiar to it stays. A question that facts
   * can no longer answer says why, and is answered again as soon as they can.
   */
  refresh(clipIds: readonly number[]): void {
    if (this.#parts.scratch === true) return
    for (const clipId of clipIds) this.#parts.atomic(() => this.#refreshOne(clipId))
  }

  #refreshOne(clipId: number): void {
    const { db, annotations, packs, show } = this.#parts
    if (annotations === null) throw new RangeError('this connection only reads')
    const words = packs.current().caption
    const before = this.#measures(clipId)
    if (before === null) return
    const again = openQuestions(db, clipId).filter((question) => this.#answerInto(annotations, clipId, before, question))
    // What is asked for counts in every statement.
    if (again.length > 0) show?.(clipId)
    const measures = again.length > 0 ? (this.#measures(clipId) ?? before) : before
    this.#judge(measures.things)
    const said = db
      .prepare(
        `SELECT kind, provenance ->> '$.packId' AS by, json_extract(machine, '$.question') AS question, provenance ->> '$.packDigest' AS digest, evidence ->> '$.unfamiliar' AS unfamiliar FROM annotations WHERE clip_id = ? AND kind IN ('caption', 'answer')`,
      )
      .all(clipId)
    const others = said.find(({ kind, digest, unfamiliar }) => kind === 'caption' && digest === words?.digest && unfamiliar !== 1)
    const facts = factsOf(measures)
    this.#tell(clipId, facts)
    const caption = others === undefined ? this.#caption(facts, measures) : null
    if (caption) annotations.saveMachine(clipId, 'caption', [caption])
    // A caption that no fact supports any more is removed.
    else if (others === undefined)
      db.prepare(`DELETE FROM annotations WHERE clip_id = ? AND kind = 'caption' AND state = 'machine'`).run(clipId)
    for (const { kind, by, question } of said)
      if (kind === 'answer' && by === FACTS && typeof question === 'string') this.#answerInto(annotations, clipId, measures, question)
  }

  /** Store the answer that facts give to a question, or why they give none. @returns Whether they answer it. */
  #answerInto(annotations: Annotations, clipId: number, measures: Measures, question: string): boolean {
    const { db } = this.#parts
    const topic = topicOf(question)
    const answer = this.#answer({ ...measures, ...this.#cuts(clipId) }, question)
    if (answer !== null && 'body' in answer) {
      annotations.saveMachine(clipId, 'answer', [answer])
      db.prepare('DELETE FROM unanswered WHERE clip_id = ? AND topic = ?').run(clipId, topic)
      return true
    }
    const gone = db.prepare(`DELETE FROM annotations WHERE clip_id = ? AND kind = 'answer' AND topic = ? AND state = 'machine'`)
    const withdrawn = gone.run(clipId, topic).changes > 0
    // Of a question that is not about facts, a pack may have said more.
    if (stands(db, clipId, topic) && (withdrawn || answer !== null))
      db.prepare('INSERT INTO unanswered (topic, clip_id, why) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET why = excluded.why').run(
        topic,
        clipId,
        JSON.stringify(notAnswerable(answer, null)),
      )
    return false
  }

  /** The answer made from facts; a phrase that says why facts cannot answer; null if the question is not about facts. */
  answer(clipId: number, question: string): (MachineResult & { body: { kind: 'answer' } }) | Phrase | null {
    const measures = this.#measures(clipId)
    return measures && this.#answer({ ...measures, ...this.#cuts(clipId) }, question)
  }

  /** The language of captions. */
  get language(): Language {
    return this.#parts.db.prepare(`SELECT value FROM settings WHERE key = 'language'`).get()?.['value'] === '"de"' ? 'de' : 'en'
  }

  /** Whether the library lacks what earlier versions did not store: how sure a detector's tracks are, or facts in the search index. */
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

  /** Store for each track that nobody reviewed whether it is sure, as every list, picture and file shows it. */
  #judge(things: Things | null): void {
    const judged = this.#parts.db.prepare(
      `UPDATE annotations SET evidence = ?1 WHERE candidate = ?2 AND kind = 'track' AND machine IS NOT NULL AND evidence IS NOT ?1`,
    )
    if (things === null) return
    const counted = Map.groupBy(
      things.tracks.filter(({ score }) => score >= things.asked),
      ({ label }) => label,
    )
    const more = new Set([...counted].flatMap(([label, of]) => (mayBeMore(of, things) ? [label] : [])))
    for (const track of things.tracks) {
      if (track.candidate === undefined) continue
      const confidence = trackReliability(track, things)
      const countable = !more.has(track.label) && countReliability(track, things) >= SURE
      const evidence: Evidence = {
        ...{ confidence, unsure: confidence < SURE, agreement: null, asked: track.asked === true, frames: [] },
        ...(confidence >= SURE && !countable ? { countable } : {}),
      }
      judged.run(JSON.stringify(evidence), track.candidate)
    }
  }

  /** Put the facts of a clip into the search index. */
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
    const { span, alone } = measures
    const caption = captionOf(facts, span.to - span.from, this.language)
    const other = alone && captionOf(factsOf(alone), span.to - span.from, this.language)
    return (
      caption &&
      this.#result(
        { kind: 'caption', text: caption.text },
        caption.told.flatMap(({ evidence }) => evidence.frames),
        caption.reliability,
        measures,
        alone !== undefined && (other?.text !== caption.text || other.reliability !== caption.reliability),
      )
    )
  }

  #answer(measures: Measures, question: string): (MachineResult & { body: { kind: 'answer' } }) | Phrase | null {
    const found = answerFrom(measures, question)
    if (found === null) return null
    if ('cannot' in found) return { text: found.cannot }
    const { alone, cuts } = measures
    const other = alone && answerFrom({ ...alone, ...(cuts ? { cuts } : {}) }, question)
    const same = other && !('cannot' in other) && other.text === found.text && other.confidence === found.confidence
    return this.#result(
      { kind: 'answer', question, text: found.text },
      found.evidence.frames,
      found.confidence,
      measures,
      alone !== undefined && same !== true,
    )
  }

  #result<B extends AnnotationBody>(
    body: B,
    shown: readonly Moment[],
    confidence: number,
    { probe }: Measures,
    people: boolean,
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
      ...(people ? { people } : {}),
    }
    return { body, evidence, provenance }
  }

  /** @param people Whether what people drew and decided counts. */
  #measures(clipId: number, people = true): Measures | null {
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
    const alone = people && this.#isDecided(clipId) ? this.#measures(clipId, false) : null
    const measures: Measures = {
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
        people,
      ),
      camera: measured.camera,
      light: measured.light,
      ...(measured.edges ? { edges: measured.edges } : {}),
      lines: text
        ? this.#lines(
            clipId,
            text.digest,
            probe,
            [Number(row['start_frame']), Number(row['start'])],
            [Number(row['end_frame']), Number(row['end'])],
            people,
          )
        : null,
      probe,
      ...(alone ? { alone } : {}),
    }
    return withAsked(measures, questionsOf(db, clipId))
  }

  /** Whether people drew or decided anything that facts of this clip are made from. */
  #isDecided(clipId: number): boolean {
    const decided = this.#parts.db.prepare(
      `SELECT 1 FROM annotations a WHERE a.clip_id = ?1 AND a.kind IN ('track', 'text') AND a.state <> 'machine'
       UNION ALL SELECT 1 FROM ${TRACKS_INTO} WHERE r.id = ?1 LIMIT 1`,
    )
    return decided.get(clipId) !== undefined
  }

  /** Times of the cuts in a clip's video; left out if not all of it was analysed. Cached, since it is asked for every clip of a long video. */
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
   * The detector's tracks without those that a person rejected, and with those in the clip that a person drew, moved or renamed.
   * @param digest The detector's; null if there is none.
   */
  #things(
    clipId: number,
    digest: string | null,
    known: readonly string[],
    probe: Probe,
    span: FrameSpan,
    drawn: boolean,
    decisions: boolean,
  ): Things | null {
    const { db, seen } = this.#parts
    const frames = digest === null ? null : seen.spotted(clipId, digest)
    const decided = db
      .prepare(
        `SELECT a.machine, a.state, coalesce(a.human, a.machine) AS body FROM annotations a WHERE ?2 AND a.clip_id = ?1 AND a.kind = 'track' AND a.state <> 'machine'
         UNION ALL SELECT a.machine, a.state, a.human FROM ${TRACKS_INTO} WHERE ?2 AND r.id = ?1`,
      )
      .all(clipId, Number(decisions))
    const people = decided.flatMap(({ state, body }) => {
      const inside = state === 'rejected' ? null : within(JSON.parse(String(body)) as TrackBody, span)
      return inside === null ? [] : [inside]
    })
    // No detector has looked at the clip, and no person has drawn anything.
    if (frames === null && people.length === 0) return null
    // A newer run finds the same objects again: a person's decision about an object holds for it, even if it has another name by now.
    const layers = decided.flatMap(({ machine, body }) =>
      [machine, body].flatMap((layer) => (typeof layer === 'string' ? [JSON.parse(layer) as TrackBody] : [])),
    )
    const settled = (found: TrackBody) => layers.some((layer) => sameObject({ ...layer, label: found.label }, found))
    const found = db
      .prepare('SELECT id, label, score, body FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
      .all(clipId, frames === null ? null : digest)
    const vocabulary = storedVocabulary(db)
    const shown = shownAs({ classes: [...known] }, vocabulary)
    // Shown tracks always count and hidden ones of a label never do, whatever its threshold; of a name without a label, less sure tracks can be asked for.
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
          const one = { ...track(of, counting(String(label), Number(score))), found: Number(score) }
          return settled(of)
            ? []
            : [{ ...one, candidate: Number(id), ...(wanted ? { asked: true } : {}), ...(showsPart(one, probe) ? { part: true } : {}) }]
        }),
        ...theirs,
      ],
      looked,
      weak,
      // Names that people gave in this clip can be asked for even if the pack does not know them.
      known: [...new Set([...(frames === null ? [] : known), ...theirs.map(({ label }) => label)])],
      asked: DEFAULT_THRESHOLD,
      volunteered: VOLUNTEERED,
      drawn,
    }
  }

  /** @param start,end The clip's first and last edge: ordinal and time. */
  #lines(
    clipId: number,
    digest: string,
    probe: Probe,
    start: readonly [number, number],
    end: readonly [number, number],
    people: boolean,
  ): TextLine[] | null {
    const frames = this.#parts.seen.lines(clipId, digest)
    if (frames === null) return null
    // The machine's lines begin and end at a frame that was read or at the clip's edge; a person may have moved them to frames between.
    const times = [start, ...frames.map(({ ordinal, pts }) => [ordinal, secondsOf(pts, probe)] as const), end].sort(([a], [b]) => a - b)
    const time = (ordinal: number) => times.find(([at]) => at >= ordinal)?.[1] ?? end[1]
    const rows = this.#parts.db
      .prepare(
        people
          ? `SELECT coalesce(human, machine) AS body, confidence, state FROM annotations WHERE clip_id = ? AND kind = 'text' AND state <> 'rejected' ORDER BY id`
          : `SELECT machine AS body, confidence, 'machine' AS state FROM annotations WHERE clip_id = ? AND kind = 'text' AND machine IS NOT NULL ORDER BY id`,
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

/** @param why What facts say; null where the question is not about them. @param pack The name of the pack that cannot answer either; null if none was asked. */
export function notAnswerable(why: Phrase | null, pack: string | null): Problem {
  const unknown =
    pack === null
      ? phrase('Nothing that was seen or measured answers this.')
      : phrase('Nothing that was seen or measured answers this, and “{{pack}}” was taught nothing like this clip.')
  return {
    code: 'not-answerable',
    message: why?.text ?? unknown,
    values: { ...why?.values, ...(pack === null ? {} : { pack }) },
    // A reason names what was asked; the list would name the same again as what can be answered.
    ...(why === null
      ? {
          stillWorks: phrase(
            'Questions of what is there, how many, which colour, which way, where and when; what the camera does; what text says.',
          ),
        }
      : {}),
    next: phrase(
      'Look at what the model guesses, teach it with your own corrections, or bring a pack that answers questions (Packs page).',
    ),
  }
}

/** The frames and times of a clip, half-open. */
interface FrameSpan {
  startFrame: number
  endFrame: number
  startPts: number
  endPts: number
}

/** The part of a track that lies in a clip; null if it is not in the picture there. */
function within(body: TrackBody, { startFrame, endFrame, startPts, endPts }: FrameSpan): TrackBody | null {
  // The clip's frames are assumed to be evenly spaced: the box at an edge is interpolated between two others.
  const ptsOf = (ordinal: number) => Math.round(startPts + ((endPts - startPts) * (ordinal - startFrame)) / (endFrame - startFrame))
  const boxes = clipped(body.boxes, { startFrame, endFrame }, ptsOf)
  return boxes.every(({ outside }) => outside === true) ? null : { ...body, boxes }
}

/** The moments at which any of these tracks has a key box, in order. */
function momentsOf(tracks: readonly ThingTrack[]): Moment[] {
  const moments = tracks.flatMap(({ boxes }) => boxes.map(({ ordinal, time }) => ({ ordinal, time })))
  return [...new Map(moments.map((one) => [one.ordinal, one])).values()].sort((a, b) => a.ordinal - b.ordinal)
}

function ticks(time: number, { startPts, timeBase }: Probe): number {
  return Math.round(startPts + (time * timeBase.den) / timeBase.num)
}

/** The colours of the whole box, and of both halves if they were stored. */
function coloursOf({ colours }: TrackBody): Pick<ThingTrack, 'colours' | 'halves'> {
  if (!colours) return {}
  const [upper, lower] = [colours.slice(0, COLOURS.length), colours.slice(COLOURS.length)]
  return lower.length === 0 ? { colours } : { colours: upper.map((share, i) => (share + (lower[i] ?? 0)) / 2), halves: [upper, lower] }
}

/** The track under the detector's name if its label means one of those. */
function named(track: ThingTrack, known: readonly string[]): ThingTrack {
  const [name, ...others] = namesOf([track.label], known)
  return name !== undefined && others.length === 0 ? { ...track, label: name } : track
}

/** `alone`: without what people decided; missing where nobody decided anything. */
type Measures = ClipMeasures & { probe: Probe; alone?: Measures }

function thingBox({ box, score, outside, ...frame }: KeyBox, probe: Probe) {
  return { ...moment(frame, probe), box, score, ...(outside ? { outside } : {}) }
}

function moment({ ordinal, pts }: FrameRef, probe: Probe) {
  return { ordinal, time: secondsOf(pts, probe) }
}
