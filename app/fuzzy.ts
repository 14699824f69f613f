/** How well a text matches a few typed letters. */

/**
 * All letters must occur in order, in any case. The score is higher the more of them start words or follow each other, and the shorter the
 * text is.
 *
 * @returns 0 for no match, else above 0; only comparable for one query.
 */
export function fuzzy(query: string, text: string): number {
  const [wanted, given] = [query.toLowerCase().replace(/\s+/g, ''), text.toLowerCase()]
  if (wanted === '') return 1
  // A letter may match early or at a later word: the starts of all words are tried first, then any place.
  const score = best(wanted, given, 0, 0, new Map())
  return score === -Infinity ? 0 : Math.max(1e-6, score / wanted.length + 1 / (10 + given.length))
}

const LETTER = 1
const FOLLOWS = 6
const STARTS = 4

function best(wanted: string, given: string, done: number, from: number, known: Map<number, number>): number {
  if (done === wanted.length) return 0
  const key = done * 4096 + from
  const before = known.get(key)
  if (before !== undefined) return before
  let top = -Infinity
  for (let at = given.indexOf(wanted.charAt(done), from); at !== -1 && at < 4096; at = given.indexOf(wanted.charAt(done), at + 1)) {
    const start = at === 0 || /[^\p{L}\p{N}]/u.test(given.charAt(at - 1))
    const value = LETTER + (start ? STARTS : 0) + (done > 0 && at === from ? FOLLOWS : 0)
    top = Math.max(top, value + best(wanted, given, done + 1, at + 1, known))
  }
  known.set(key, top)
  return top
}
