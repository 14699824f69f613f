/**
 * The stored vocabulary, and how labels are written. Names that differ only in case, or in spaces and line breaks, are one label: it is written as the vocabulary writes it, else
 * as detectors write it, else as the library wrote it first.
 */
import type { DatabaseSync } from 'node:sqlite'
import { labelNamed, newLabel, oneLine, type Vocabulary } from '../../app/vocabulary.ts'
import { THINGS } from '../../app/words.ts'

export function storedVocabulary(db: DatabaseSync): Vocabulary {
  const stored = (key: string) => db.prepare('SELECT value FROM settings WHERE key = ?').get(key)?.['value']
  const own = stored('vocabulary')
  if (typeof own === 'string') return JSON.parse(own) as Vocabulary
  // Earlier versions stored the names only.
  const names = stored('labels')
  return typeof names === 'string'
    ? (JSON.parse(names) as string[]).reduce<Vocabulary>((all, name) => [...all, newLabel(name, all)], [])
    : []
}

/** The index is entered once for each label, not once for each track. */
const ON_TRACKS = `WITH RECURSIVE labels (label) AS (
  SELECT min(label) FROM findable WHERE label IS NOT NULL
  UNION ALL SELECT (SELECT min(f.label) FROM findable f WHERE f.label IS NOT NULL AND f.label > labels.label) FROM labels WHERE label IS NOT NULL
) SELECT label AS name FROM labels WHERE label IS NOT NULL`

/** Every label that a track has, each once. */
export function onTracks(db: DatabaseSync): { name: string }[] {
  return db
    .prepare(ON_TRACKS)
    .all()
    .map((row) => ({ name: String(row['name']) }))
}

/** What detectors with a closed list call things when no label does. */
const DETECTED = THINGS.map((name) => ({ name }))

export function spelling(db: DatabaseSync, vocabulary: Vocabulary, typed: string): string {
  const name = oneLine(typed)
  return (labelNamed(vocabulary, name) ?? labelNamed(DETECTED, name) ?? labelNamed(onTracks(db), name))?.name ?? name
}

/** Write people's tracks as the vocabulary now writes their labels. @returns The clips of those that were written otherwise. */
export function respell(db: DatabaseSync, vocabulary: Vocabulary): number[] {
  const write = db.prepare(
    `UPDATE annotations SET human = json_set(human, '$.label', ?1) WHERE kind = 'track' AND human IS NOT NULL AND label = ?2 RETURNING clip_id`,
  )
  return onTracks(db).flatMap(({ name }) => {
    const own = labelNamed(vocabulary, oneLine(name)) ?? labelNamed(DETECTED, oneLine(name))
    return own === undefined || own.name === name ? [] : write.all(own.name, name).map((row) => Number(row['clip_id']))
  })
}
