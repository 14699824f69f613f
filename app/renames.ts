/** Reports videos that were recognised by their content under a new name, in as few sentences as possible. */
import { type Phrase, said } from './phrase.ts'

export interface Renamed {
  from: string
  path: string
}

/** The most names in one sentence. */
const MOST = 8

/** The renamed videos of which one has taken the name of another. */
export function exchanged<R extends Renamed>(renamed: readonly R[]): R[] {
  return renamed.filter((one) => renamed.some((other) => other !== one && (other.path === one.from || other.from === one.path)))
}

/** One sentence about them. */
export function saidOfExchanged(renamed: readonly Renamed[]): Phrase {
  const [one, other] = renamed
  if (renamed.length === 2 && one && one.from === other?.path && other.from === one.path)
    return said('{{one}} and {{other}} have swapped their names. Each video is known by its content and keeps what was said of it.', {
      one: nameOf(one.from),
      other: nameOf(other.from),
    })
  const names = renamed.slice(0, MOST).map(({ from, path }) => `${nameOf(from)} → ${nameOf(path)}`)
  return said('Files have changed their names: {{names}}. Each video is known by its content and keeps what was said of it.', {
    names: [...names, ...(renamed.length > MOST ? ['…'] : [])].join(', '),
  })
}

function nameOf(path: string): string {
  return path.replace(/^.*[\\/]/, '')
}
