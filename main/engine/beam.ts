/**
 * Beam search with a cache of keys and values.
 *
 * A sentence's score is the sum of its tokens' log-probabilities, [EOT] included, divided by (number of tokens)^lengthPenalty: 1 compares
 * sentences by their mean, 0 by their sum, which prefers short ones. The beam begins `beams` wide. At each step the best continuations
 * fill it; one that ends in [EOT] keeps its place for good, so the beam narrows as sentences end, and a beam of one is greedy decoding. A
 * sentence as long as `longest` ends there. The search is over when no unfinished sentence can reach the best finished one.
 */
import type { Continuing } from './continuing.ts'
import type { Decoded, Until } from './decode.ts'

interface Sentence {
  ids: number[]
  logProb: number
  /** [N]: attention to each token of the clip, summed over the sentence's steps. */
  attention: Float32Array
}

export interface Beams {
  beams: number
  lengthPenalty: number
}

/** @throws the signal's reason when it is aborted between two steps. */
export async function beamSearch(
  text: Continuing,
  prompt: readonly number[],
  { beams, lengthPenalty, end, most }: Beams & Until,
  signal?: AbortSignal,
): Promise<Decoded> {
  let rows: number[][] = [[...prompt]]
  let parents: number[] | undefined
  let growing: Sentence[] = [{ ids: [], logProb: 0, attention: new Float32Array(0) }]
  const ended: Sentence[] = []
  const score = ({ logProb, ids }: Sentence, length = ids.length) => logProb / length ** lengthPenalty
  for (;;) {
    signal?.throwIfAborted()
    const { logits, attention } = await text.next(rows, parents)
    const [vocab, tokens] = [logits.length / rows.length, attention.length / rows.length]
    const width = beams - ended.length
    const candidates = growing
      .flatMap((sentence, row) =>
        likeliest(logits.subarray(row * vocab, (row + 1) * vocab), width).map(({ id, logProb }) => ({
          sentence,
          row,
          id,
          logProb: sentence.logProb + logProb,
        })),
      )
      .sort((a, b) => b.logProb - a.logProb || a.row - b.row || a.id - b.id)
      .slice(0, width)
    const continued: number[] = []
    growing = []
    for (const { sentence, row, id, logProb } of candidates) {
      const look = attention.subarray(row * tokens, (row + 1) * tokens)
      const longer = { ids: [...sentence.ids, id], logProb, attention: look.map((mass, token) => mass + (sentence.attention[token] ?? 0)) }
      if (id === end || longer.ids.length >= most) {
        ended.push(longer)
      } else {
        growing.push(longer)
        continued.push(row)
      }
    }
    // An upper bound: the score of an unfinished sentence at full length if all further tokens were certain.
    const best = Math.max(...ended.map((sentence) => score(sentence)))
    if (growing.every((sentence) => score(sentence, most) <= best)) break
    parents = continued
    rows = growing.map(({ ids }) => ids.slice(-1))
  }
  const [first, ...others] = ended
  if (first === undefined) throw new RangeError('the prompt fills the context')
  const best = others.reduce((a, b) => (score(b) > score(a) ? b : a), first)
  const steps = best.ids.length
  return {
    ids: best.ids.at(-1) === end ? best.ids.slice(0, -1) : best.ids,
    confidence: Math.exp(best.logProb / steps),
    attention: best.attention.map((mass) => mass / steps),
  }
}

/** The `count` largest of softmax(logits), as log-probabilities, largest first; ties go to the lower id. */
function likeliest(logits: Float32Array, count: number): { id: number; logProb: number }[] {
  const best: { id: number; logit: number }[] = []
  logits.forEach((logit, id) => {
    const last = best.at(-1)
    if (best.length === count && last && logit <= last.logit) return
    const at = best.findIndex((other) => logit > other.logit)
    best.splice(at < 0 ? best.length : at, 0, { id, logit })
    if (best.length > count) best.pop()
  })
  const [largest] = best
  if (!largest) return []
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest.logit), 0)
  return best.map(({ id, logit }) => ({ id, logProb: logit - largest.logit - Math.log(sum) }))
}
