/** What each video of the library is called, so that no two are called the same; read by SQL as `title_of(id)`. */
import type { DatabaseSync } from 'node:sqlite'
import { titlesOf } from '../../app/formats/titles.ts'

export class Titles {
  readonly #db: DatabaseSync
  #titles: Map<number, string> | null = null

  constructor(db: DatabaseSync) {
    this.#db = db
    db.function('title_of', (id) => this.of(Number(id)))
  }

  /** Videos came, went, or have another name or place. */
  forget(): void {
    this.#titles = null
  }

  /** Empty for a video that is not there. */
  of(id: number): string {
    this.#titles ??= titlesIn(this.#db)
    return this.#titles.get(id) ?? String(this.#db.prepare('SELECT name FROM sources WHERE id = ?').get(id)?.['name'] ?? '')
  }
}

export function titlesIn(db: DatabaseSync): Map<number, string> {
  const rows = db.prepare('SELECT id, name, path FROM sources ORDER BY id').all()
  return titlesOf(rows.map((row) => ({ id: Number(row['id']), name: String(row['name']), path: String(row['path']) })))
}
