/** Text that comes in chunks, which may end anywhere, as lines. */

/** Lines that end with a line feed, a carriage return or both, without those, and what stands after the last; a byte order mark at the very beginning goes. */
export function* linesOf(chunks: Iterable<string>): Generator<string> {
  let rest = ''
  let first = true
  for (const chunk of chunks) {
    const text = rest + (first && chunk !== '' ? chunk.replace(/^\uFEFF/, '') : chunk)
    if (chunk !== '') first = false
    // Whether a line feed follows this carriage return is not known yet.
    const open = text.endsWith('\r') ? 1 : 0
    const lines = text.slice(0, text.length - open).split(/\r\n|\n|\r/)
    rest = (lines.pop() ?? '') + text.slice(text.length - open)
    yield* lines
  }
  if (rest !== '') yield* rest.split('\r')
}
