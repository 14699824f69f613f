/** When what is made from facts is made anew: after edits, when a question is asked by a column or no longer, and for a whole library. */
import type { DatabaseSync } from 'node:sqlite'
import type { BackendEvent } from '../../app/contract.ts'
import { clipsAsked } from './asked.ts'
import type { Detections } from './detections.ts'
import type { LibraryFacts } from './facts.ts'
import type { LibraryPacks } from './packs.ts'
import { TOUCHED } from './reach.ts'

/** The facts of up to so many edited clips are updated at once with the edit. */
const AT_ONCE = 200
/** Clips per part of longer work: others have their turn in between. */
const TOGETHER = 20

interface Parts {
  db: DatabaseSync
  facts: LibraryFacts
  detections: Detections
  packs: LibraryPacks
  atomic: <T>(work: () => T) => T
  /** Emits an event when the open transaction is committed. */
  afterwards: (event: BackendEvent) => void
}

export class Restating {
  readonly #parts: Parts
  /** The number of the newest call of `all`. */
  #turn = 0
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  close(): void {
    this.#closed = true
  }

  /**
   * Update facts after people decided about boxes or text. Edits of thousands of clips are about captions, answers and notes, which facts do not depend on.
   * @returns These clips, and clips into which a track reaches, or reached, that was just edited in one of them.
   */
  edited(clipIds: readonly number[]): number[] {
    if (clipIds.length > AT_ONCE) return [...clipIds]
    const { db, facts, atomic } = this.#parts
    const reached = db.prepare(TOUCHED).all(JSON.stringify(clipIds), AT_ONCE)
    const all = [...clipIds, ...reached.slice(0, AT_ONCE).map((row) => Number(row['id']))]
    atomic(() => facts.refresh(all))
    return all
  }

  /** Update what clips state after the column of a question that they answer was added or removed: some at once, the others in parts. */
  asked(question: string): void {
    const ids = clipsAsked(this.#parts.db, question)
    const part = () => {
      const some = ids.splice(0, TOGETHER)
      this.#restate(some, () => {
        for (const id of some) this.show(id)
      })
      if (ids.length > 0)
        setImmediate(() => {
          if (!this.#closed) part()
        })
    }
    if (ids.length > 0) part()
  }

  /** Show in a clip the tracks that its questions ask for. */
  show(clipId: number): void {
    const { boxes } = this.#parts.packs.current()
    if (boxes?.names !== undefined) this.#parts.detections.showAgain(clipId, { digest: boxes.digest, names: boxes.names })
  }

  /** All clips, after the language or a pack changed. It is done in parts; a newer call replaces an older one. */
  async all(): Promise<void> {
    const turn = (this.#turn += 1)
    const ids = this.#parts.db
      .prepare('SELECT id FROM clips ORDER BY id')
      .all()
      .map(({ id }) => Number(id))
    for (let at = 0; at < ids.length && this.#turn === turn && !this.#closed; at += TOGETHER) {
      this.#restate(ids.slice(at, at + TOGETHER))
      await new Promise(setImmediate)
    }
  }

  /** Clips that were removed meanwhile have nothing to be updated. @param before Done in the same transaction. */
  #restate(clipIds: number[], before?: () => void): void {
    const { facts, atomic, afterwards } = this.#parts
    atomic(() => {
      before?.()
      facts.refresh(clipIds)
      afterwards({ type: 'annotations', clipIds })
    })
  }
}
