/**
 * Reads one JSON object that may be larger than memory, part by part: the elements of its arrays one by one, and all other values; or one
 * array, whose elements have the key ''.
 */
import type { ZodType } from 'zod'
import { phrase } from '../phrase.ts'

/** The longest part, in characters: what is longer is no list of annotations, and would not fit into memory. */
const LONGEST = 1 << 27

/** An element of the array under `key`, or the whole of a value that is not an array. */
export interface JsonPart {
  key: string
  value: unknown
}

/**
 * @param wanted Keys whose values are needed; others are passed over without being parsed.
 * @param top What the text must be.
 * @throws SyntaxError Where it is not.
 */
export function* jsonParts(
  chunks: Iterable<string>,
  wanted: (key: string) => boolean = () => true,
  top: 'object' | 'array' = 'object',
): Generator<JsonPart> {
  /** Text that has arrived and was not yet returned begins at 0; `at` is where to search on. */
  let text = ''
  let at = 0
  let key: string | null = null
  let inArray = false
  let state: 'before' | 'key' | 'value' | 'after' | 'done' = 'before'
  const skip = () => {
    while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1
    text = text.slice(at)
    at = 0
  }
  const value = nextValue()
  for (const chunk of chunks) {
    text += at === 0 && text === '' && state === 'before' ? chunk.replace(/^\uFEFF/, '') : chunk
    for (;;) {
      if (!value.isOpen) skip()
      if (text === '') break
      const sign = text.charAt(0)
      if (state === 'before') {
        if (sign !== (top === 'object' ? '{' : '[')) throw new SyntaxError(phrase('The file is not one JSON object.'))
        inArray = top === 'array'
        state = inArray ? 'value' : 'key'
        at = 1
      } else if (state === 'key' && sign === '}') {
        state = 'done'
        at = 1
      } else if (state === 'after') {
        if (sign !== ',' && sign !== (inArray ? ']' : '}')) throw new SyntaxError(`A comma is missing before “${text.slice(0, 20)}”.`)
        at = 1
        if (sign === ']') {
          inArray = false
          if (top === 'array') state = 'done'
        } else state = sign === '}' ? 'done' : inArray ? 'value' : 'key'
      } else if (state === 'done') throw new SyntaxError(phrase('Something stands after the end of the JSON object.'))
      else if (state === 'value' && !value.isOpen && sign === '[' && !inArray) {
        inArray = true
        at = 1
      } else if (state === 'value' && !value.isOpen && sign === ']' && inArray) {
        inArray = false
        state = top === 'array' ? 'done' : 'after'
        at = 1
      } else {
        const end = value.endIn(text)
        if (end === null) {
          if (text.length > LONGEST) throw new SyntaxError(`An entry of “${key ?? ''}” is too long to be read.`)
          break
        }
        if (state === 'value' && !wanted(key ?? '')) {
          at = end
          state = 'after'
          continue
        }
        const parsed: unknown = JSON.parse(text.slice(0, end))
        at = end
        if (state === 'value') {
          yield { key: key ?? '', value: parsed }
          state = 'after'
        } else {
          skip()
          // The colon may be in the next chunk: then the key is looked at again.
          if (typeof parsed !== 'string' || (text !== '' && text.charAt(0) !== ':'))
            throw new SyntaxError(phrase('A key is out of its place.'))
          key = parsed
          if (text === '') {
            text = JSON.stringify(parsed)
            break
          }
          at = 1
          state = 'value'
        }
      }
    }
  }
  if (state !== 'done') throw new SyntaxError(phrase('The JSON ends before its end: it may be cut off.'))
}

/** Finds where a value ends, and continues where it stopped when more text arrives. */
function nextValue() {
  let from = 0
  let depth = 0
  let inText = false
  const scan = /["{}[\],\\]/g
  return {
    get isOpen() {
      return from > 0
    },
    /** The index after the value that begins at 0; null where the text ends before it. */
    endIn(text: string): number | null {
      scan.lastIndex = from
      for (let found = scan.exec(text); found; found = scan.exec(text)) {
        const sign = found[0]
        if (inText) {
          if (sign === '\\') {
            if (found.index + 1 >= text.length) {
              from = found.index
              return null
            }
            scan.lastIndex = found.index + 2
          } else if (sign === '"') {
            inText = false
            if (depth === 0) return done(found.index + 1)
          }
        } else if (sign === '"') inText = true
        else if (sign === '{' || sign === '[') depth += 1
        else if (sign === ',' && depth === 0) return done(found.index)
        else if (sign === '}' || sign === ']') {
          // A number or a word ends where its container ends.
          if (depth === 0) return done(found.index)
          depth -= 1
          if (depth === 0) return done(found.index + 1)
        }
      }
      from = text.length
      return null
    },
  }
  function done(end: number): number {
    from = 0
    depth = 0
    inText = false
    return end
  }
}

/**
 * Writer and reader of one JSON object whose first key is `info` and whose further keys, in this order, are lists with an entry on each line; an
 * empty list of licences is there for readers that want it.
 */
export function listsOf<Piece extends { part: string; value: unknown }>(schemas: Readonly<Record<Piece['part'], ZodType>>) {
  const order = Object.keys(schemas) as Piece['part'][]
  return {
    *write(pieces: Iterable<Piece>): Generator<string> {
      let open = 0
      let isFirst = true
      for (const piece of pieces) {
        if (piece.part === 'info') {
          yield `{"info":${JSON.stringify(piece.value)},\n"licenses":[]`
          continue
        }
        const place = order.indexOf(piece.part)
        for (; open < place; open++) {
          yield `${open > 0 ? '\n]' : ''},\n"${order[open + 1] ?? ''}":[`
          isFirst = true
        }
        yield `${isFirst ? '' : ','}\n${JSON.stringify(piece.value)}`
        isFirst = false
      }
      for (; open < order.length - 1; open++) yield `${open > 0 ? '\n]' : ''},\n"${order[open + 1] ?? ''}":[`
      yield '\n]}\n'
    },
    *read(chunks: Iterable<string>): Generator<Piece> {
      let hasInfo = false
      for (const { key, value } of jsonParts(chunks)) {
        if (key === 'licenses') continue
        hasInfo ||= key === 'info'
        const part = order.find((one) => one === key)
        if (part === undefined) throw new SyntaxError(`There is no “${key}” in such a file of Tubelet.`)
        yield { part, value: schemas[part].parse(value) } as Piece
      }
      if (!hasInfo) throw new SyntaxError('The file has no info.')
    },
  }
}
