/** What can be stated of clips, from what was seen and measured in them and what people decided: made anew whenever any of that changes. */
import type { DatabaseSync } from 'node:sqlite'
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

  /** The answer that facts give; null where they give none. */
  answer(clipId: number, question: string): MachineResult | null {
    void clipId
    void question
    return null
  }
}
