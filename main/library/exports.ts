/** What exports need from the library besides annotations: the numbers of labels, and which jobs may still add results. */
import type { DatabaseSync } from 'node:sqlite'
import { type Category, labelText } from '../../app/formats/document.ts'
import { kindsThat } from '../../app/job-kinds.ts'
import { colourIn } from '../../app/vocabulary.ts'
import { storedVocabulary } from './spelling.ts'

export class LibraryExports {
  readonly #db: DatabaseSync
  /** Runs `work` in one transaction. */
  readonly #atomic: <T>(work: () => T) => T

  constructor(db: DatabaseSync, atomic: <T>(work: () => T) => T) {
    this.#db = db
    this.#atomic = atomic
  }

  /**
   * All labels that the library has or had, by number. A number belongs to one label, whatever its case, for ever. New labels, those of the
   * vocabulary before those of tracks, get theirs now.
   *
   * @param withRejected Whether labels of which all tracks are rejected get a number too.
   */
  categories(withRejected: boolean): Category[] {
    const vocabulary = storedVocabulary(this.#db)
    const named = new Map(vocabulary.map(({ name }) => [labelText(name).toLowerCase(), labelText(name)]))
    const rows = this.#atomic(() => {
      const onTracks = this.#labelsOnTracks(withRejected)
      const give = this.#db.prepare(
        'INSERT INTO categories (key, name) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM categories WHERE key = ?1)',
      )
      for (const name of [...named.values(), ...onTracks.sort()]) give.run(name.toLowerCase(), name)
      return this.#db.prepare('SELECT id, key, name FROM categories ORDER BY id').all()
    })
    return rows.map((row) => {
      const name = named.get(String(row['key'])) ?? String(row['name'])
      return { id: Number(row['id']), name, colour: colourIn(vocabulary, name) }
    })
  }

  /**
   * Older libraries have labels with the character NUL or half a surrogate pair, which the column of labels does not hold as they are: these are
   * read from the annotations themselves.
   */
  #labelsOnTracks(withRejected: boolean): string[] {
    const from = `FROM annotations WHERE kind = 'track' AND (state <> 'rejected' OR ?)`
    const rows = this.#db.prepare(`SELECT DISTINCT label, instr(label, char(0)) AS cut ${from}`).all(Number(withRejected))
    const odd = rows.some(({ label, cut }) => Number(cut) > 0 || String(label).includes('\ufffd'))
    if (!odd) return rows.map(({ label }) => labelText(String(label)))
    return this.#db
      .prepare(`SELECT DISTINCT coalesce(human, machine) -> '$.label' AS label ${from}`)
      .all(Number(withRejected))
      .map(({ label }) => labelText(String(JSON.parse(String(label)))))
  }

  /** The ids of these clips' sources. */
  sourcesOf(clipIds: Iterable<number>): Set<number> {
    return new Set(
      this.#db
        .prepare('SELECT DISTINCT source_id AS id FROM clips WHERE id IN (SELECT value FROM json_each(?))')
        .all(JSON.stringify([...clipIds]))
        .map((row) => Number(row['id'])),
    )
  }

  /** Sources with an annotation that was made or changed after a time (ISO 8601, UTC). */
  changedSince(time: string): number[] {
    return this.#db
      .prepare('SELECT DISTINCT c.source_id AS id FROM annotations a JOIN clips c ON c.id = a.clip_id WHERE a.updated_at > ?')
      .all(time)
      .map((row) => Number(row['id']))
  }

  /** How many running or waiting jobs may still add results to analysed sources: for labels, questions or marked clips. */
  underWay(): number {
    const under = this.#db.prepare(
      `SELECT count(*) AS n FROM jobs WHERE state IN ('queued', 'running') AND kind IN (SELECT value FROM json_each(?))`,
    )
    return Number(under.get(JSON.stringify(kindsThat(({ adds }) => adds)))?.['n'])
  }
}
