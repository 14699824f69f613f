/**
 * Characters in names and texts of other people that act on what is around them: they move a terminal's cursor, begin a line, or turn the direction of
 * writing, so that a name reads as another one. Which these are is decided here alone, for the terminal, the window and files.
 */

/* oxlint-disable-next-line no-control-regex -- those are what it is about */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
/** Of these, the ones that turn the direction of what follows, up to the end of the line. */
const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/g

/** A line in which no character controls a terminal or the direction of writing: they are shown as `\u001b`. */
export function inert(line: string): string {
  return line.replaceAll(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Without the characters that turn the direction of the text after them. Letters of any script have their own, which stays. */
export function withoutDirections(text: string): string {
  return text.replaceAll(DIRECTIONS, '')
}
