/** Greedy decoding. */
import type { Continuing } from './continuing.ts'

export interface Decoded {
  /** The generated tokens, without the one that ends the text. */
  ids: number[]
  /** Calibrated probability 0..1: exp of the mean log-probability of the chosen tokens, the ending one included, at the given temperature. */
  confidence: number
  /** [N]: attention to each token of the clip, mean over the steps; MaMMUT's sums to 1. */
  attention: Float32Array
}

/** How a text may end. */
export interface Until {
  /** The token that ends a text. */
  end: number
  /** Tokens without the ending one. */
  most: number
}

/**
 * Decode from a prompt until the ending token, or until there are as many tokens as may be.
 *
 * @param temperature Logits are divided by this before they become probabilities.
 * @param onId Called with each token as it is chosen.
 * @throws the signal's reason when it is aborted between two steps.
 */
export async function decode(
  text: Continuing,
  prompt: readonly number[],
  { end, most, temperature = 1 }: Until & { temperature?: number },
  { onId, signal }: { onId?: (id: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<Decoded> {
  const ids: number[] = []
  let attention = new Float32Array(0)
  let given = prompt
  let logProb = 0
  for (let steps = 1; ; steps += 1) {
    signal?.throwIfAborted()
    const next = await text.next([given])
    if (steps === 1) attention = new Float32Array(next.attention.length)
    next.attention.forEach((mass, token) => (attention[token] = (attention[token] ?? 0) + mass))
    const best = mostLikely(next.logits, temperature)
    logProb += best.logProb
    if (best.id === end || ids.length >= most)
      return { ids, confidence: Math.exp(logProb / steps), attention: attention.map((mass) => mass / steps) }
    ids.push(best.id)
    onId?.(best.id)
    given = [best.id]
  }
}

/** The token with the largest logit (ties go to the lower id) and its log-probability under softmax(logits / temperature). */
export function mostLikely(logits: Float32Array, temperature: number): { id: number; logProb: number } {
  let id = 0
  let largest = -Infinity
  logits.forEach((logit, i) => {
    if (logit > largest) [id, largest] = [i, logit]
  })
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - largest) / temperature), 0)
  return { id, logProb: -Math.log(sum) }
}
