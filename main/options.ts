/** Parsers of command line options. Each refuses a wrong value with a sentence, which commander prints before it ends with code 1. */
import { InvalidArgumentError } from 'commander'

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
