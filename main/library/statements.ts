/** A database that prepares each SQL text once: preparing takes longer than most statements, of which the analysis of a clip runs dozens. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

/** Texts of lists and filters vary; those that were used last are kept. */
const MOST_KEPT = 300

export class KeptStatements extends DatabaseSync {
  readonly #kept = new Map<string, StatementSync>()

  override prepare(sql: string): StatementSync {
    const known = this.#kept.get(sql)
    if (known !== undefined) {
      this.#kept.delete(sql)
      this.#kept.set(sql, known)
      return known
    }
    const statement = super.prepare(sql)
    // One that gives row by row would begin anew if the same text were used meanwhile: each gets its own.
    statement.iterate = (...values: unknown[]) => super.prepare(sql).iterate(...(values as SQLInputValue[]))
    this.#kept.set(sql, statement)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return statement
  }
}
