/** How a pack is known: by what decides its answers, and not by what is said of it. */
import { hash } from 'node:crypto'

/** Keys of pack.json that change no answer: measured anew, or worded otherwise, a pack is the same, and no clip is looked at again for it. */
const PROSE = ['description', 'licence', 'data', 'scores', 'formerly']

/**
 * @param text pack.json.
 * @returns `digest`: SHA-256 of its JSON without prose, keys in order, and so of every file that it names. `formerly`: under which other names it may lie
 * in a library: SHA-256 of the whole file was a pack's name before, and of files with the same answers pack.json itself tells it.
 */
export function digestsOf(text: Uint8Array): { digest: string; formerly: string[] } {
  const json: unknown = JSON.parse(Buffer.from(text).toString('utf8'))
  const formerly = typeof json === 'object' && json !== null && 'formerly' in json && Array.isArray(json.formerly) ? json.formerly : []
  return {
    digest: hash('sha256', JSON.stringify(inOrder(json, PROSE))),
    formerly: [hash('sha256', text), ...formerly.filter((one) => typeof one === 'string')],
  }
}

function inOrder(value: unknown, without: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((one) => inOrder(one))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => !without.includes(key))
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, inOrder(one)]))
}
