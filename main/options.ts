/**
 * What the options of the command line mean. A parser refuses a wrong value with a sentence, which commander prints before it ends with code
 * 1; what cannot be told from the option alone is a `TubeletError`.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Source } from '../app/contract.ts'
import { TubeletError } from '../app/errors.ts'

/** The full path of the folder that `--project` names. @throws TubeletError `not-found` where no library is in it. */
export function libraryIn(project: string): string {
  const folder = path.resolve(project)
  if (existsSync(path.join(folder, 'library.sqlite'))) return folder
  throw new TubeletError({
    code: 'not-found',
    message: 'There is no library in this folder.',
    file: folder,
    next: 'Analyse videos first, or name another folder with --project.',
  })
}

/** The videos that a person calls so, by name, by name and folder as lists show it, or by path. @throws TubeletError `not-found` where none is. */
export function videosNamed(sources: readonly Source[], video: string): [Source, ...Source[]] {
  const [one, ...more] = sources.filter(
    ({ name, title, path: file }) => [name, title, file].includes(video) || file === path.resolve(video),
  )
  if (one) return [one, ...more]
  throw new TubeletError({
    code: 'not-found',
    message: 'There is no video “{{video}}” in this library.',
    values: { video },
    next: 'Name it as it is listed, or by its path.',
  })
}

/** A whole number in digits, within limits. `meant`: the sentence for anything else. */
export function wholeNumber(meant: string, least = 1, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most)) throw new InvalidArgumentError(meant)
    return number
  }
}

/** Frames a second. */
export function frameRate(text: string): number {
  const rate = /^(?:\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!(rate >= 0.0001 && rate <= 1000)) throw new InvalidArgumentError('A number of pictures a second, such as 25 or 29.97.')
  return rate
}

/** Number of the picture to take of files with several, or all. */
export function pictureChoice(text: string): number | 'all' {
  return text === 'all' ? text : wholeNumber('The number of a picture, from 1, or "all".', 1, 100)(text)
}

/** The values between commas, at least one. */
export function names(text: string): string[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (parts.length === 0) throw new InvalidArgumentError('Name at least one.')
  return parts
}

export function ids(text: string): number[] {
  return names(text).map(wholeNumber('Ids are whole numbers from 1 on.'))
}

/** A text with words in it. */
export function words(meant: string): (text: string) => string {
  return (text) => {
    if (text.trim() === '') throw new InvalidArgumentError(meant)
    return text
  }
}

export function listOf<T extends string>(options: readonly T[]): (text: string) => T[] {
  return (text) => [...new Set(names(text).map(oneOf(options)))]
}

export function oneOf<T extends string>(options: readonly T[]): (text: string) => T {
  return (text) => {
    const found = options.find((option) => option === text.trim())
    if (found === undefined) throw new InvalidArgumentError(`Choose from ${options.join(', ')}.`)
    return found
  }
}
