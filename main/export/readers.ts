/**
 * Reads what was written once more, with a library that nobody here wrote, where there is one: how many things it finds. What such a library would need
 * too much memory or time for is left to our own reader alone.
 */
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import sax from 'sax'
import webvtt from 'webvtt-parser'

/** In bytes. */
const LARGEST = 16 << 20

interface Reader {
  library: string
  /** The number of things in the text. @throws SyntaxError where the library refuses it. */
  count: (text: string) => number
}

/** Cues, as the validator of the W3C reads them. */
export const webvttParser: Reader = {
  library: 'webvtt-parser',
  count: (text) => {
    const { cues, errors } = new webvtt.WebVTTParser(ENTITIES).parse(text, 'captions')
    const [first] = errors
    if (first) throw new SyntaxError(`line ${first.line}: ${first.message}`)
    return cues.length
  },
}
/** Those that are written. */
const ENTITIES = { '&amp': '&', '&lt': '<', '&gt': '>', '&amp;': '&', '&lt;': '<', '&gt;': '>' }

/** Elements of these names. */
export const saxReader = (...names: readonly string[]): Reader => ({
  library: 'sax',
  count: (text) => {
    let count = 0
    const parser = sax.parser(true)
    parser.onopentag = ({ name }) => {
      if (names.includes(name)) count += 1
    }
    parser.onerror = (error) => {
      throw new SyntaxError(error.message)
    }
    parser.write(text).close()
    return count
  },
})

/** Elements of these names, wherever they are. */
export const fastXmlParser = (...names: readonly string[]): Reader => ({
  library: 'fast-xml-parser',
  count: (text) => {
    const within = (node: unknown): number => {
      if (Array.isArray(node)) return node.reduce((sum: number, one) => sum + within(one), 0)
      if (typeof node !== 'object' || node === null) return 0
      return Object.entries(node).reduce(
        (sum, [name, inner]: [string, unknown]) =>
          sum + within(inner) + (names.includes(name) ? (Array.isArray(inner) ? inner.length : 1) : 0),
        0,
      )
    }
    return within(new XMLParser({ ignoreAttributes: false }).parse(text))
  },
})

const { resolve } = createRequire(import.meta.url)

/** Some packages do not let their package.json be asked for by name. */
function versionOf(library: string): string {
  const place = resolve(library)
  const at = path.join('node_modules', library)
  const { version } = JSON.parse(readFileSync(path.join(place.slice(0, place.lastIndexOf(at) + at.length), 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

/**
 * The library that found as many things in a file as were written, with its version; null where the file is too large for it.
 * @throws SyntaxError where it finds others.
 */
export function readAlsoBy({ library, count }: Reader, file: string, things: number): string | null {
  if (statSync(file).size > LARGEST) return null
  const found = count(readFileSync(file, 'utf8'))
  if (found !== things) throw new SyntaxError(`${library} finds ${found} things, not ${things}`)
  return `${library} ${versionOf(library)}`
}
