/**
 * Beam search with a cache of keys and values.
 *
 * A sentence's score is the sum of its tokens' log-probabilities, [EOT] included, divided by (number of tokens)^lengthPenalty: 1 compares
 * sentences by their mean, 0 by their sum, which prefers short ones. The beam begins `beams` wide. At each step the best continuations
 * fill it; one that ends in [EOT] keeps its place for good, so the beam narrows as sentences end, and a beam of one is greedy decoding. A
 * sentence as long as `longest` ends there. The search is over when no unfinished sentence can reach the best finished one.
 */
import type { MammutManifest } from '../../app/pack/mammut.ts'
import type { CrossAttention, Decoded } from './decode.ts'
import { floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'

interface Sentence {
  ids: number[]
  logProb: number
  /** [N]: attention to each token of the clip, summed over the sentence's steps. */
  attention: Float32Array
}

type Decoding = NonNullable<MammutManifest['decoding']>

/** @throws the signal's reason when it is aborted between two steps. */
export async function beamSearch(
  graphs: Graphs,
  { dims, tokenizer }: MammutManifest,
  { beams, lengthPenalty, longest }: Decoding,
  cross: CrossAttention,
  prompt: readonly number[],
  signal?: AbortSignal,
): Promise<Decoded> {
  const most = Math.min(longest, dims.context - prompt.length)
  const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
  let [past_k, past_v] = [none, none]
  let rows: number[][] = [[...prompt]]
  let growing: Sentence[] = [{ ids: [], logProb: 0, attention: new Float32Array(0) }]
  const ended: Sentence[] = []
  const score = ({ logProb, ids }: Sentence, length = ids.length) => logProb / length ** lengthPenalty
  for (;;) {
    signal?.throwIfAborted()
    const outputs = await graphs.run('decoder', { ids: idTensor(rows), ...cross, past_k, past_v })
    const logits = floatsOf(outputs, 'logits')
    const looks = floatsOf(outputs, 'attention')
    const perRow = logits.length / rows.length
    const width = beams - ended.length
    const candidates = growing
      .flatMap((sentence, row) =>
        likeliest(logits.subarray((row + 1) * perRow - dims.vocab, (row + 1) * perRow), width).map(({ id, logProb }) => ({
          sentence,
          row,
          id,
          logProb: sentence.logProb + logProb,
        })),
      )
      .sort((a, b) => b.logProb - a.logProb || a.row - b.row || a.id - b.id)
      .slice(0, width)
    const parents: number[] = []
    growing = []
    for (const { sentence, row, id, logProb } of candidates) {
      const look = looks.subarray((row * looks.length) / rows.length, ((row + 1) * looks.length) / rows.length)
      const longer = { ids: [...sentence.ids, id], logProb, attention: look.map((mass, token) => mass + (sentence.attention[token] ?? 0)) }
      if (id === tokenizer.end || longer.ids.length >= most) {
        ended.push(longer)
      } else {
        growing.push(longer)
        parents.push(row)
      }
    }
    // An upper bound: the score of an unfinished sentence at full length if all further tokens were certain.
    const best = Math.max(...ended.map((sentence) => score(sentence)))
    if (growing.every((sentence) => score(sentence, most) <= best)) break
    past_k = gather(tensorOf(outputs, 'present_k'), parents)
    past_v = gather(tensorOf(outputs, 'present_v'), parents)
    rows = growing.map(({ ids }) => ids.slice(-1))
  }
  const [first, ...others] = ended
  if (first === undefined) throw new RangeError('the prompt fills the context')
  const best = others.reduce((a, b) => (score(b) > score(a) ? b : a), first)
  const steps = best.ids.length
  return {
    ids: best.ids.at(-1) === tokenizer.end ? best.ids.slice(0, -1) : best.ids,
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

/** These rows of a tensor [B, ...], in this order. */
function gather(tensor: ReturnType<typeof floatTensor>, rows: readonly number[]): ReturnType<typeof floatTensor> {
  const { data, dims } = tensor
  if (!(data instanceof Float32Array)) throw new TypeError('a cache of keys and values is fp32')
  const [batch = 1, ...rest] = dims
  if (rows.length === batch && rows.every((row, at) => row === at)) return tensor
  const size = data.length / batch
  const out = new Float32Array(rows.length * size)
  rows.forEach((row, at) => out.set(data.subarray(row * size, (row + 1) * size), at * size))
  return floatTensor(out, [rows.length, ...rest])
}
