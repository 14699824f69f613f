/** What videos are called, in the window and in files alike: readers find videos by name, and of two with one name some drop the first without a word. */
import { titleOfPattern } from '../numbered.ts'
import { withoutDirections } from '../inert.ts'
import { lineText } from './document.ts'

/** What of a file's or folder's name is shown. */
const shown = (name: string) => lineText(withoutDirections(name)) || '_'

/** The name of a video's file, and the number of its picture behind it, if it has one. */
function fileOf({ name, path }: { name: string; path: string }): { file: string; number: string } {
  const last = titleOfPattern(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1) || name)
  const number = name.startsWith(`${last} #`) ? name.slice(last.length) : ''
  return { file: shown(number === '' ? name : last), number }
}

/** Videos share a title only if this is the same. */
export function fileNameOf(film: { name: string; path: string }): string {
  return fileOf(film).file
}

/**
 * By id: the name of its file, with as much of its folder before it as tells it from other files of that name; `/` between. A name may end
 * with the number of a picture of the file, as in `cam.mp4 #2`: that stands last.
 */
export function titlesOf(films: readonly { id: number; name: string; path: string }[]): Map<number, string> {
  const parts = new Map<number, { place: string; folders: string[]; file: string; number: string }>()
  for (const film of films) {
    const folders = film.path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .slice(0, -1)
      .map(shown)
    parts.set(film.id, { place: film.path, folders, ...fileOf(film) })
  }
  const titles = new Map<number, string>()
  let open = [...parts]
  for (let length = 0; open.length > 0; length++) {
    const titled = ({ folders, file }: { folders: string[]; file: string }) =>
      [...folders.slice(Math.max(0, folders.length - length)), file].join('/')
    const same = Map.groupBy(open, ([, part]) => titled(part))
    open = []
    for (const [title, those] of same) {
      const longer = those.some(([, { folders }]) => folders.length > length)
      if (new Set(those.map(([, { place }]) => place)).size > 1 && longer) {
        open.push(...those)
        continue
      }
      const numbered = Map.groupBy(those, ([, { number }]) => title + number)
      // One place held several, one after the other.
      for (const [whole, ids] of numbered) for (const [id] of ids) titles.set(id, ids.length > 1 ? `${whole} (${id})` : whole)
    }
  }
  return titles
}
