/** The names of films in files. Readers find videos by name, and some silently drop one of two videos with the same name. */
import { lineText } from './document.ts'

/**
 * Titles by id: the name of the film's file, preceded by as much of its folder as distinguishes it from others of that name, with `/`
 * between.
 */
export function titlesOf(films: readonly { id: number; name: string; path: string }[]): Map<number, string> {
  const parts = new Map(
    films.map(({ id, name, path }) => [
      id,
      [
        ...path
          .split(/[\\/]/)
          .slice(0, -1)
          .filter((part) => part !== ''),
        name,
      ].map((part) => lineText(part) || '_'),
    ]),
  )
  const titles = new Map<number, string>()
  let open = films.map(({ id }) => id)
  for (let length = 1; open.length > 0; length++) {
    const title = (id: number) => parts.get(id)?.slice(-length).join('/') ?? ''
    const same = Map.groupBy(open, title)
    open = []
    for (const [name, ids] of same) {
      const longer = ids.some((id) => (parts.get(id)?.length ?? 0) > length)
      if (ids.length > 1 && longer) open.push(...ids)
      // Both lay at one path, one after the other.
      else for (const id of ids) titles.set(id, ids.length > 1 ? `${name} (${id})` : name)
    }
  }
  return titles
}
