/** Who decides here, and what each decision knows of those before it (Lineage in app/annotation). */
import { createHash, randomBytes } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Lineage } from '../../app/annotation.ts'
import type { HumanLayer } from './history.ts'
import { readSetting, writeSetting } from './settings.ts'

/** The setting with the name of the person who works here; empty where none is wanted. */
export const PERSON = 'person'
/** The setting with the time when others were last given what is here, or gave what they have (ISO 8601). */
export const SHARED = 'shared'

type Signed = Pick<HumanLayer, 'by' | 'at' | 'lineage'>

/** From now on, what was decided before is known to others. */
export function shareNow(db: DatabaseSync): void {
  writeSetting(db, SHARED, new Date().toISOString())
}

/** Who decided what a row of `annotations` says, as far as that is stored. */
export function signed(row: Record<string, SQLOutputValue>): Signed {
  const { by, decided_at: at, lineage } = row
  return {
    ...(typeof by === 'string' && { by }),
    ...(typeof at === 'string' && { at }),
    ...(typeof lineage === 'string' && { lineage: JSON.parse(lineage) as Lineage }),
  }
}

/**
 * The signature of a decision made now.
 * @param before What it takes the place of; null where there was nothing. A version that nobody else can have seen is forgotten.
 */
export function nextOf(db: DatabaseSync, before: HumanLayer | null): Signed & { at: string; lineage: Lineage } {
  const [person, known] = [readSetting(db, PERSON, ''), before && lineageOf(before)]
  const unseen = before?.at !== undefined && before.at > readSetting(db, SHARED, '')
  return {
    ...(person !== '' && { by: person }),
    at: new Date().toISOString(),
    lineage: { now: [newVersion()], past: known === null ? [] : unseen ? known.past : [...known.past, ...known.now] },
  }
}

export function newVersion(): string {
  return randomBytes(8).toString('hex')
}

/** Null where nobody ever decided. A decision of before versions were kept has one by what it says, which is the same in every copy. */
export function lineageOf({ state, human, lineage }: Pick<HumanLayer, 'state' | 'human' | 'lineage'>): Lineage | null {
  if (lineage !== undefined) return lineage
  if (human === null) return null
  return {
    now: [
      createHash('sha256')
        .update(JSON.stringify([state, human]))
        .digest('hex')
        .slice(0, 16),
    ],
    past: [],
  }
}
