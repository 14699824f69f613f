/**
 * What the command line prints. Names of files, tags and texts of other people are printed too: a control character in them could move the cursor, change
 * the title or imitate another line, so each is printed as its number.
 */
import { inert } from '../app/inert.ts'

/** Print a line to standard output. */
export function printLine(line: string): void {
  console.log(inert(line))
}

/** Print a line to standard error. */
export function printError(line: string): void {
  console.error(inert(line))
}

/** Print a value as an indented JSON document to standard output. Such characters are in its strings alone, where the number means the same. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2).split('\n').map(inert).join('\n'))
}

/** Print a value as one line of JSON to standard output. */
export function printJsonLine(value: unknown): void {
  console.log(inert(JSON.stringify(value)))
}

/** Print a text of several lines, such as the details of an error, to standard error. */
export function printErrorLines(text: string): void {
  for (const line of text.split('\n')) printError(line)
}
