/** The digest of a pack, which covers everything that decides its answers, but not its descriptions. */
import { hash } from 'node:crypto'

/** Keys of pack.json that change no answer: with new scores or wording a pack is still the same, and no clip is analysed again. */
const PROSE = ['description', 'licence', 'data', 'scores', 'formerly']

/**
 * @param text pack.json.
 * @returns `digest`: SHA-256 of its JSON without PROSE, keys in order; it covers every named file by its checksum. `formerly`: other digests under which
 * a library may have its results: SHA-256 of the whole file, as in earlier versions, and the digests of packs with the same answers that pack.json lists.
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
