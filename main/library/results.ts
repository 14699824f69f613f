/**
 * Takes in what another machine found in a video: the rows of that video in a library of its own, which its analysis made. Every row is known by the clip's
 * span, the pack's digest and the question, so that the same results taken in again, or those of a second machine, change nothing and add nothing.
 */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { inflateSync } from 'node:zlib'
import type { AnnotationBody, Evidence, Provenance, TrackBody } from '../../app/annotation.ts'
import type { Problem } from '../../app/errors.ts'
import type { FrameRef, Probe } from '../../app/media.ts'
import { topicOf } from '../../app/table/question.ts'
import type { MachineResult } from './annotations.ts'
import { detectionsIn, type Shower } from './detections.ts'
import type { Library } from './library.ts'
import { frameTimes } from './frame-times.ts'

type Row = Record<string, SQLOutputValue>

/** The small pictures of a video: `thumbnail.jpg`, `strip-0.jpg` …, `clip-ID.jpg` with the ids of the other library; null for one that is not there. */
type Pictures = (name: string) => Uint8Array | null

interface Taking {
  /** Checked as main/sharing/foreign.ts does; nobody writes to it. */
  file: string
  /** Of the video. */
  fingerprint: string
  pictures: Pictures
  /** The packs that made the results, by digest, and which of them found boxes and read text. */
  packs: ReadonlyMap<string, Shower>
  boxes: Shower | null
  readsText: boolean
  signal: AbortSignal
}

/**
 * Store the results of a video, clip by clip with turns for others in between. Cut off, they are taken in from the beginning the next time.
 * @returns The clips. @throws TubeletError `disk-full`; RangeError, SyntaxError or TypeError where a value is none that Tubelet wrote; the signal's reason.
 */
export async function takeResults(library: Library, sourceId: number, taking: Taking): Promise<number[]> {
  const from = new DatabaseSync(taking.file, { readOnly: true })
  try {
    from.exec('PRAGMA trusted_schema = OFF')
    const source = from.prepare('SELECT id, probe, filmstrip_cells FROM sources WHERE fingerprint = ?').get(taking.fingerprint)
    if (source === undefined || typeof source['probe'] !== 'string') throw new RangeError('the results are of another video')
    const probe = JSON.parse(source['probe']) as Probe
    const thumbnail = taking.pictures('thumbnail.jpg')
    const rows = from.prepare(`SELECT * FROM clips WHERE source_id = ? AND kind IN ('shot', 'window') ORDER BY start_frame`)
    const clips: number[] = []
    // Each transaction waits for the disk, so the first clip and the last one share theirs with what is stored of the video.
    const stored = rows.all(source['id'] ?? null)
    const video = () => {
      library.setProbe(sourceId, probe)
      if (thumbnail) library.saveThumbnail(sourceId, thumbnail)
    }
    if (stored.length === 0) video()
    for (const [nth, row] of stored.entries()) {
      taking.signal.throwIfAborted()
      const clipId = library.together(() => {
        if (nth === 0) video()
        return oneClip(library, from, sourceId, row, taking)
      })
      clips.push(clipId)
      library.emit({ type: 'clips', sourceId, clipIds: [clipId] })
      await setImmediate()
    }
    taking.signal.throwIfAborted()
    library.together(() => {
      library.pruneClips(sourceId, clips)
      library.setFrames(sourceId, frameTimes(from, Number(source['id'])))
      const cells = Array.from({ length: Number(source['filmstrip_cells']) }, (_, cell) => taking.pictures(`strip-${cell}.jpg`))
      library.saveFilmstrip(sourceId, cells)
      // The frames of clips that a person marked have been seen too.
      const marked = library.markedClips(sourceId).map(({ id }) => id)
      for (const id of marked) library.seen.copyTo(id)
      library.facts.refresh(marked)
    })
    return clips
  } finally {
    from.close()
  }
}

function oneClip(library: Library, from: DatabaseSync, sourceId: number, row: Row, taking: Taking): number {
  const { packs, boxes, readsText, pictures } = taking
  const theirs = Number(row['id'])
  const clipId = library.saveClip(sourceId, {
    index: Number(row['idx']),
    kind: row['kind'] === 'window' ? 'window' : 'shot',
    start: Number(row['start']),
    end: Number(row['end']),
    startFrame: Number(row['start_frame']),
    endFrame: Number(row['end_frame']),
    frames: json(row['frames']) as FrameRef[],
  })
  const picture = pictures(`clip-${theirs}.jpg`)
  if (picture) library.saveClipThumbnail(clipId, picture)
  for (const seen of from.prepare('SELECT by, body, looked_for FROM seen WHERE clip_id = ?').all(theirs)) {
    const by = String(seen['by'])
    if (by !== '' && !packs.has(by)) continue
    library.seen.saveStored(clipId, by, bytes(seen['body']), seen['looked_for'] === null ? null : String(seen['looked_for']))
    library.seen.saveCells(
      clipId,
      by,
      from
        .prepare('SELECT ordinal, body FROM cells WHERE clip_id = ? AND by = ? ORDER BY ordinal')
        .all(theirs, by)
        .map((cell) => ({ ordinal: Number(cell['ordinal']), pts: 0, seen: [new Uint16Array(own(cell['body']))] })),
    )
  }
  const found = boxes && candidatesOf(from, theirs, boxes)
  // What a pack that encodes detected is stored with its encoding.
  if (boxes && found && boxes.manifest.family !== 'mammut') library.detections.saveTracks(clipId, boxes, found)
  if (readsText) library.saveMachine(clipId, 'text', machineResults(from, theirs, 'text'))
  for (const one of from.prepare('SELECT * FROM encodings WHERE clip_id = ?').all(theirs)) {
    const info = packs.get(String(one['pack_digest']))
    if (info === undefined || library.hasEncoding(clipId, info.digest)) continue
    const embedding = new Float32Array(own(one['embedding']))
    const tokens = one['tokens']
    library.saveClipResult(
      clipId,
      info,
      { embedding, memory: new Uint16Array(own(one['memory'])), tokens: tokens === null ? null : new Uint16Array(own(tokens)) },
      json(one['frames']) as FrameRef[],
      {
        caption: one['caption'] === null ? null : dated(json(one['caption']) as MachineResult),
        seen:
          info.digest === boxes?.digest && info.manifest.family === 'mammut' && typeof one['looked_for'] === 'string'
            ? { lookedFor: one['looked_for'], fresh: detectionsIn(from, theirs, info.digest), candidates: found ?? [] }
            : null,
      },
    )
  }
  library.facts.refresh([clipId])
  answers(library, from, theirs, clipId)
  return clipId
}

/** Answers to the questions that every clip is asked, where there is none yet. */
function answers(library: Library, from: DatabaseSync, theirs: number, clipId: number): void {
  const given = machineResults(from, theirs, 'answer')
  for (const { kind, text, automatic } of library.table.columns()) {
    if (!automatic || kind === 'count' || library.table.annotationsIn([clipId], 'answer', text).size > 0) continue
    // Facts say it as they are here, with what people decided.
    const known = library.facts.answer(clipId, text)
    const answer =
      known !== null && 'body' in known
        ? known
        : given.find(({ body }) => body.kind === 'answer' && topicOf(body.question) === topicOf(text))
    if (answer) library.saveMachine(clipId, 'answer', [answer])
    const why = from.prepare('SELECT why FROM unanswered WHERE clip_id = ? AND topic = ?').get(theirs, topicOf(text))?.['why']
    library.table.setUnanswered(clipId, text, answer || typeof why !== 'string' ? null : (JSON.parse(why) as Problem))
  }
}

function candidatesOf(from: DatabaseSync, clipId: number, { digest }: Shower) {
  return from
    .prepare('SELECT score, body, provenance FROM candidates WHERE clip_id = ? AND pack_digest = ? ORDER BY id')
    .all(clipId, digest)
    .map((one) => ({
      score: Number(one['score']),
      body: json(one['body']) as TrackBody,
      provenance: { ...(json(one['provenance']) as Provenance), at: now() },
    }))
}

function machineResults(from: DatabaseSync, clipId: number, kind: AnnotationBody['kind']): MachineResult[] {
  return from
    .prepare(`SELECT machine, evidence, provenance FROM annotations WHERE clip_id = ? AND kind = ? AND state = 'machine' ORDER BY id`)
    .all(clipId, kind)
    .map(({ machine, evidence, provenance }) =>
      dated({
        body: json(machine) as AnnotationBody,
        evidence: evidence === null || evidence === undefined ? null : (json(evidence) as Evidence),
        provenance: json(provenance) as Provenance,
      }),
    )
}

/** Times are this machine's: the clock of the other one may be wrong. */
function dated(result: MachineResult): MachineResult {
  return { ...result, provenance: { ...result.provenance, at: now() } }
}

const now = () => new Date().toISOString()

function json(value: SQLOutputValue | undefined): unknown {
  return JSON.parse(String(value))
}

function bytes(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError('bytes are missing')
  // It must unpack here as it did there.
  JSON.parse(inflateSync(value).toString('utf8'))
  return value
}

/** A copy: a row's bytes may begin anywhere. */
function own(value: SQLOutputValue | undefined): ArrayBuffer {
  if (!(value instanceof Uint8Array)) throw new TypeError('bytes are missing')
  return new Uint8Array(value).buffer
}
