/**
 * What the command line prints. Names of files, tags and texts of other people are printed too: a control character in them could move the cursor, change
 * the title or imitate another line, so each is printed as its number.
 */

/* eslint-disable-next-line no-control-regex -- those are what it is about */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A line in which no character controls a terminal or the direction of writing: they are shown as `\u001b`. */
export function inert(line: string): string {
  return line.replaceAll(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

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
