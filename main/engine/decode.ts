/** Greedy decoding with a cache of keys and values, over the precomputed cross-attention keys and values of a clip. */
import type { Tensor } from 'onnxruntime-node'
import { type MammutManifest, temperatureOf } from '../../app/pack/mammut.ts'
import { floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'

/** Keys and values of the cross-attention layers for one clip, [1, M, heads, N, d]. */
export interface CrossAttention {
  cross_k: Tensor
  cross_v: Tensor
}

export interface Decoded {
  /** The generated tokens, without [EOT]. */
  ids: number[]
  /** Calibrated probability 0..1: exp of the mean log-probability of the chosen tokens, [EOT] included, at the pack's temperature. */
  confidence: number
  /** [N]: attention to each token of the clip, mean over the steps; sums to 1. */
  attention: Float32Array
}

/**
 * Decode from a prompt until [EOT] or the end of the context.
 *
 * @param onId Called with each token as it is chosen.
 * @throws the signal's reason when it is aborted between two steps.
 */
export async function decode(
  graphs: Graphs,
  manifest: MammutManifest,
  cross: CrossAttention,
  prompt: readonly number[],
  { onId, signal }: { onId?: (id: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<Decoded> {
  const { dims, tokenizer } = manifest
  const ids: number[] = []
  const attention = new Float32Array(dims.tokens)
  const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
  let [past_k, past_v] = [none, none]
  let next = prompt
  let seen = 0
  let steps = 0
  let logProb = 0
  for (;;) {
    signal?.throwIfAborted()
    const outputs = await graphs.run('decoder', { ids: idTensor([next]), ...cross, past_k, past_v })
    past_k = tensorOf(outputs, 'present_k')
    past_v = tensorOf(outputs, 'present_v')
    seen += next.length
    steps += 1
    floatsOf(outputs, 'attention').forEach((mass, token) => (attention[token] = (attention[token] ?? 0) + mass))
    const best = mostLikely(floatsOf(outputs, 'logits').subarray(-dims.vocab), temperatureOf(manifest))
    logProb += best.logProb
    if (best.id === tokenizer.end || seen >= dims.context) break
    ids.push(best.id)
    onId?.(best.id)
    next = [best.id]
  }
  return { ids, confidence: Math.exp(logProb / steps), attention: attention.map((mass) => mass / steps) }
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
