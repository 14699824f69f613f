/** Splits text into lines; it arrives in chunks that may end anywhere. */
import { phrase } from '../phrase.ts'

/** The longest line, in characters: a longer text is no file of lines, and would not fit into memory. */
const LONGEST = 1 << 28

/**
 * Lines that end with a line feed, a carriage return or both, without these, and the text after the last one. A byte order mark at the very
 * beginning is dropped.
 */
export function* linesOf(chunks: Iterable<string>): Generator<string> {
  /** The parts of the line that has not ended: a long line is not scanned again with each chunk. */
  let begun = ''
  /** A carriage return after which a line feed may still follow. */
  let open = ''
  let first = true
  for (const chunk of chunks) {
    const text = open + (first && chunk !== '' ? chunk.replace(/^\uFEFF/, '') : chunk)
    if (chunk !== '') first = false
    open = text.endsWith('\r') ? '\r' : ''
    const lines = text.slice(0, text.length - open.length).split(/\r\n|\n|\r/)
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      yield begun + line
      begun = ''
    }
    begun += rest
    if (begun.length > LONGEST) throw new SyntaxError(phrase('A line is too long to be read.'))
  }
  if (open !== '') yield* [begun, '']
  else if (begun !== '') yield begun
}

/**
 * JSON with escapes for the characters at which some reader ends a line (Python's `splitlines` does at U+0085, U+2028 and U+2029), and for
 * all other control characters.
 */
export function escapedLines(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\ufffe\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
