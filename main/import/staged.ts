/**
 * What was read of annotation files, in a database of its own until it is imported or put away: a file may hold millions of boxes in any
 * order, and none of them is kept in memory.
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import type { ReviewState } from '../../app/annotation.ts'
import { labelText } from '../../app/formats/document.ts'
import type { BoxFound, FaultFound, Found, TextFound, VideoFound } from '../../app/formats/found.ts'
import { said } from '../../app/phrase.ts'

/** A video of a file, with the number of things that are said of it. */
export interface StagedVideo {
  id: number
  file: number
  found: VideoFound
  boxes: number
  tracks: number
  texts: number
  /** Tracks and texts that a machine made and nobody looked at. */
  unreviewed: number
  /** Those of which the file does not tell who made them. */
  unknown: number
  /** Those that people rejected: they are left out. */
  rejected: number
  /** Smallest and largest number of a frame; null where frames are not named. */
  frames: { least: number; most: number } | null
  labels: string[]
}
export type StagedBox = Omit<BoxFound, 'type' | 'video' | 'track' | 'state'> & { track: number; state: ReviewState | null }

const STATES: readonly (ReviewState | null)[] = [null, 'machine', 'accepted', 'edited', 'rejected']
const [OBSERVED, OCCLUDED, OUTSIDE] = [1, 2, 4] as const
/** Bits of the flags below the place of the state in STATES. */
const STATE_AT = 3
/** The most videos in one import: more are no annotation files. */
const MOST_VIDEOS = 20_000

export class Staged {
  readonly #db: DatabaseSync
  readonly #videos = new Map<string, number>()
  readonly #tracks = new Map<string, number>()
  readonly #labels = new Map<string, number>()
  readonly #insertBox: StatementSync
  readonly #insertText: StatementSync
  #nextTrack = 1

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec(`
      PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;
      CREATE TABLE videos (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, found TEXT NOT NULL) STRICT;
      CREATE TABLE labels (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
      CREATE TABLE boxes (
        video INTEGER NOT NULL, track INTEGER NOT NULL, label INTEGER NOT NULL, frame INTEGER NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, x2 REAL NOT NULL,
        y2 REAL NOT NULL, score REAL, flags INTEGER NOT NULL, line INTEGER
      ) STRICT;
      CREATE TABLE texts (video INTEGER NOT NULL, state TEXT, found TEXT NOT NULL) STRICT;
    `)
    this.#insertBox = this.#db.prepare('INSERT INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#insertText = this.#db.prepare('INSERT INTO texts VALUES (?, ?, ?)')
  }

  close(): void {
    this.#db.close()
  }

  /** What is kept from now on is of another file. */
  begin(): void {
    this.#videos.clear()
    this.#tracks.clear()
  }

  /** Keep what was found in a file, or in a part of it. @returns What cannot be read of it. */
  *add(file: number, all: Iterable<Found>): Generator<FaultFound> {
    this.#db.exec('BEGIN')
    try {
      for (const found of all) {
        if (found.type === 'fault') yield found
        else if (found.type === 'video') this.#video(file, found.key, found)
        else if (found.type === 'box') yield* this.#box(file, found)
        else yield* this.#text(file, found)
      }
    } finally {
      this.#db.exec('COMMIT')
    }
  }

  /** Forget what was found in a file that turned out not to be readable to its end. */
  forget(file: number): void {
    for (const table of ['boxes', 'texts'])
      this.#db.prepare(`DELETE FROM ${table} WHERE video IN (SELECT id FROM videos WHERE file = ?)`).run(file)
    this.#db.prepare('DELETE FROM videos WHERE file = ?').run(file)
  }

  /** Whether anything was found in a file. */
  holds(file: number): boolean {
    const things = (table: string) => `EXISTS (SELECT 1 FROM ${table} WHERE video IN (SELECT id FROM videos WHERE file = ?))`
    return this.#db.prepare(`SELECT ${things('boxes')} OR ${things('texts')} AS held`).get(file, file)?.['held'] === 1
  }

  #video(file: number, key: string, found: VideoFound = { type: 'video', key }): number {
    const known = this.#videos.get(key)
    if (known !== undefined) return known
    if (this.#videos.size >= MOST_VIDEOS) throw new SyntaxError('The file names more videos than can be meant.')
    const id = Number(this.#db.prepare('INSERT INTO videos (file, found) VALUES (?, ?)').run(file, JSON.stringify(found)).lastInsertRowid)
    this.#videos.set(key, id)
    return id
  }

  *#box(file: number, found: BoxFound): Generator<FaultFound> {
    const { frame, box, score, observed, occluded, outside, state, line } = found
    if (!Number.isSafeInteger(frame) || frame < 0) {
      yield { type: 'fault', what: said('“{{frame}}” is no number of a frame.', { frame }), line }
      return
    }
    const video = this.#video(file, found.video)
    const flags =
      (observed ? OBSERVED : 0) | (occluded ? OCCLUDED : 0) | (outside ? OUTSIDE : 0) | (Math.max(0, STATES.indexOf(state)) << STATE_AT)
    const label = this.#label(found.label)
    this.#insertBox.run(video, this.#track(video, found.track), label, frame, box.x1, box.y1, box.x2, box.y2, score, flags, line)
  }

  #track(video: number, track: string | null): number {
    const key = `${video} ${track}`
    const known = track === null ? undefined : this.#tracks.get(key)
    if (known !== undefined) return known
    const id = this.#nextTrack++
    if (track !== null) this.#tracks.set(key, id)
    return id
  }

  #label(text: string): number {
    const name = labelText(text)
    const known = this.#labels.get(name)
    if (known !== undefined) return known
    const id = Number(this.#db.prepare('INSERT INTO labels (name) VALUES (?)').run(name).lastInsertRowid)
    this.#labels.set(name, id)
    return id
  }

  *#text(file: number, found: TextFound): Generator<FaultFound> {
    const { frames, line } = found
    if (frames && !(Number.isSafeInteger(frames.startFrame) && Number.isSafeInteger(frames.endFrame) && frames.startFrame >= 0)) {
      yield { type: 'fault', what: said('“{{frame}}” is no number of a frame.', { frame: frames.startFrame }), line }
      return
    }
    this.#insertText.run(this.#video(file, found.video), found.state, JSON.stringify(found))
  }

  /** The videos of all files of which something is said. */
  videos(): StagedVideo[] {
    const [machine, rejected] = ['machine', 'rejected'].map((state) => STATES.indexOf(state as ReviewState))
    const boxes = this.#db.prepare(
      `SELECT count(*) AS boxes, count(DISTINCT iif(flags >> ${STATE_AT} = ${rejected}, NULL, track)) AS tracks, count(DISTINCT iif(flags >> ${STATE_AT} = ${machine}, track, NULL)) AS machine,
         count(DISTINCT iif(flags >> ${STATE_AT} = ${rejected}, track, NULL)) AS rejected, count(DISTINCT iif(flags >> ${STATE_AT} = 0, track, NULL)) AS unknown, min(frame) AS least, max(frame) AS most FROM boxes WHERE video = ?`,
    )
    const texts = this.#db.prepare(
      `SELECT count(*) FILTER (WHERE state IS NOT 'rejected') AS n, count(*) FILTER (WHERE state = 'machine') AS machine, count(*) FILTER (WHERE state = 'rejected') AS rejected, count(*) FILTER (WHERE state IS NULL) AS unknown FROM texts WHERE video = ?`,
    )
    const labels = this.#db.prepare('SELECT name FROM labels WHERE id IN (SELECT label FROM boxes WHERE video = ?) ORDER BY id')
    return this.#db
      .prepare('SELECT id, file, found FROM videos ORDER BY id')
      .all()
      .map((row): StagedVideo => {
        const [id, ofBoxes, ofTexts] = [Number(row['id']), boxes.get(row['id'] ?? 0) ?? {}, texts.get(row['id'] ?? 0) ?? {}]
        return {
          id,
          file: Number(row['file']),
          found: JSON.parse(String(row['found'])) as VideoFound,
          boxes: Number(ofBoxes['boxes']),
          tracks: Number(ofBoxes['tracks']),
          texts: Number(ofTexts['n']),
          unreviewed: Number(ofBoxes['machine']) + Number(ofTexts['machine']),
          unknown: Number(ofBoxes['unknown']) + Number(ofTexts['unknown']),
          rejected: Number(ofBoxes['rejected']) + Number(ofTexts['rejected']),
          frames: ofBoxes['least'] == null ? null : { least: Number(ofBoxes['least']), most: Number(ofBoxes['most']) },
          labels: labels.all(id).map(({ name }) => String(name)),
        }
      })
      .filter(({ tracks, texts: said, rejected: no }) => tracks + said + no > 0)
  }

  /** The boxes of a video, track by track, each in the order of its frames. */
  *boxes(video: number): Generator<StagedBox> {
    const all = this.#db.prepare(
      'SELECT track, (SELECT name FROM labels WHERE id = label) AS label, frame, x1, y1, x2, y2, score, flags, line FROM boxes WHERE video = ? ORDER BY track, frame, line',
    )
    for (const row of all.iterate(video)) yield boxOf(row)
  }

  /** The boxes on a frame of a video. */
  boxesOn(video: number, frame: number): StagedBox[] {
    return this.#db
      .prepare(
        'SELECT track, (SELECT name FROM labels WHERE id = label) AS label, frame, x1, y1, x2, y2, score, flags, line FROM boxes WHERE video = ? AND frame = ? LIMIT 200',
      )
      .all(video, frame)
      .map(boxOf)
  }

  /** How many boxes are on frames from this one on. */
  boxesFrom(video: number, frame: number): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM boxes WHERE video = ? AND frame >= ?').get(video, frame)?.['n'])
  }

  *texts(video: number): Generator<TextFound> {
    for (const row of this.#db.prepare('SELECT found FROM texts WHERE video = ? ORDER BY rowid').iterate(video))
      yield JSON.parse(String(row['found'])) as TextFound
  }

  /** How many frames most boxes of a track are apart. */
  stride(video: number): number {
    const row = this.#db
      .prepare(
        `SELECT d FROM (SELECT frame - lag(frame) OVER (PARTITION BY track ORDER BY frame) AS d FROM (SELECT track, frame FROM boxes WHERE video = ? LIMIT 200000))
         WHERE d > 0 GROUP BY d ORDER BY count(*) DESC, d LIMIT 1`,
      )
      .get(video)
    return Number(row?.['d'] ?? 1)
  }
}

function boxOf(row: Record<string, SQLOutputValue>): StagedBox {
  const flags = Number(row['flags'])
  return {
    track: Number(row['track']),
    label: String(row['label']),
    frame: Number(row['frame']),
    box: { x1: Number(row['x1']), y1: Number(row['y1']), x2: Number(row['x2']), y2: Number(row['y2']) },
    score: row['score'] === null ? null : Number(row['score']),
    observed: (flags & OBSERVED) !== 0,
    occluded: (flags & OCCLUDED) !== 0,
    outside: (flags & OUTSIDE) !== 0,
    state: STATES[flags >> STATE_AT] ?? null,
    line: row['line'] === null ? null : Number(row['line']),
  }
}
