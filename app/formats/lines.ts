/** Text that comes in chunks, which may end anywhere, as lines. */

/** Lines that end with a line feed, a carriage return or both, without those, and what stands after the last; a byte order mark at the very beginning goes. */
export function* linesOf(chunks: Iterable<string>): Generator<string> {
  /** Of the line that has not ended: a long one is not gone through again with each chunk. */
  let begun = ''
  /** A carriage return, of which it is not known yet whether a line feed follows. */
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
  }
  if (open !== '') yield* [begun, '']
  else if (begun !== '') yield begun
}

/** JSON in which no character stands that some reader ends a line at (Python's `splitlines` does at U+0085, U+2028 and U+2029), nor another control character. */
export function escapedLines(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028\u2029\ufffe\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
