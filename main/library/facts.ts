/** What can be stated of clips, from what was seen and measured in them and what people decided: made anew whenever any of that changes. */
import type { DatabaseSync } from 'node:sqlite'
import type { Phrase } from '../../app/phrase.ts'
import type { MachineResult } from './annotations.ts'

export class LibraryFacts {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Say again what these clips show. */
  refresh(clipIds: readonly number[]): void {
    void clipIds
    void this.#db
  }

  /** The answer that facts give; a phrase that says why they cannot; null where the question is none of theirs. */
  answer(clipId: number, question: string): (MachineResult & { body: { kind: 'answer' } }) | Phrase | null {
    void clipId
    void question
    return null
  }
}
