/** What films are called in files: readers find videos by name, and of two with one name some drop the first without a word. */
import { lineText } from './document.ts'

/** By id: the name of its file, with as much of its folder before it as tells it from others of that name; `/` between. */
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
      // One place held both, one after the other.
      else for (const id of ids) titles.set(id, ids.length > 1 ? `${name} (${id})` : name)
    }
  }
  return titles
}
