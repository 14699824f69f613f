/**
 * What each video of the library is called, so that no two are called the same; read by SQL of the library as `title_of(id)`. Only files of one name have to be told
 * apart, so a video that comes, goes or moves costs no more than those that have its file's name.
 */
import type { DatabaseSync } from 'node:sqlite'
import { fileNameOf, titlesOf } from '../../app/formats/titles.ts'

interface Film {
  id: number
  name: string
  path: string
}

export class Titles {
  readonly #db: DatabaseSync
  readonly #films = new Map<number, Film>()
  /** Ids of the videos whose files have one name, by that name. */
  readonly #named = new Map<string, Set<number>>()
  readonly #titles = new Map<number, string>()
  /** Videos whose name or place may have changed; null for all. */
  #changed: Set<number> | null = null

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Videos came, went, or may have another name or place. @param ids Empty for any. */
  forget(ids: readonly number[] = []): void {
    if (ids.length === 0) this.#changed = null
    else if (this.#changed) for (const id of ids) this.#changed.add(id)
  }

  /** Empty for a video that is not there. */
  of(id: number): string {
    this.#read()
    // Between a change and the event about it there may be a video that was not read yet.
    return this.#titles.get(id) ?? String(this.#db.prepare('SELECT name FROM sources WHERE id = ?').get(id)?.['name'] ?? '')
  }

  #read(): void {
    const changed = this.#changed
    if (changed?.size === 0) return
    this.#changed = new Set()
    const statement = this.#db.prepare(
      `SELECT id, name, path FROM sources ${changed ? 'WHERE id IN (SELECT value FROM json_each(?))' : ''} ORDER BY id`,
    )
    // As arrays: with ten thousand videos, objects would take three times as long.
    statement.setReturnArrays(true)
    const rows = statement.all(...(changed ? [JSON.stringify([...changed])] : [])) as unknown as [number, string, string][]
    const gone = changed ?? new Set(this.#films.keys())
    const groups = new Set<string>()
    for (const [id, name, path] of rows) {
      gone.delete(id)
      const was = this.#films.get(id)
      if (was?.name === name && was.path === path) continue
      if (was) groups.add(this.#leave(was))
      groups.add(this.#join({ id, name, path }))
    }
    for (const id of gone) {
      const was = this.#films.get(id)
      if (was) groups.add(this.#leave(was))
    }
    for (const group of groups) {
      const films = [...(this.#named.get(group) ?? [])].toSorted((a, b) => a - b).flatMap((id) => this.#films.get(id) ?? [])
      for (const [id, title] of titlesOf(films)) this.#titles.set(id, title)
    }
  }

  #leave(film: Film): string {
    const group = fileNameOf(film)
    const ids = this.#named.get(group)
    ids?.delete(film.id)
    if (ids?.size === 0) this.#named.delete(group)
    this.#films.delete(film.id)
    this.#titles.delete(film.id)
    return group
  }

  #join(film: Film): string {
    const group = fileNameOf(film)
    const ids = this.#named.get(group) ?? new Set()
    this.#named.set(group, ids.add(film.id))
    this.#films.set(film.id, film)
    return group
  }
}
