/** Runs the decoder along a given text: where it looks for each word, and how probable it finds each. Nothing is generated. */
import { type MammutManifest, temperatureOf } from '../../app/pack/mammut.ts'
import { heatOf } from '../../app/tubes.ts'
import type { CrossAttention } from './decode.ts'
import { floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'
import type { Followed } from './protocol.ts'
import { type Text, TextStream } from './tokenizer.ts'

/** Each input frame is divided into this many rows and columns: at least as fine as the patches of the known encoders. */
const GRID = { rows: 16, columns: 16 }

interface Step {
  /** Probability of the token, 0..1, at the pack's temperature. */
  probability: number
  /** [N]: attention to each token of the clip; sums to 1. */
  attention: Float32Array
}

/**
 * @param prompt As it was when the text was generated.
 * @param said The text, by the model or a person. What does not fit into the decoder's context is left out.
 * @throws the signal's reason when it is aborted between two steps.
 */
export async function follow(
  graphs: Graphs,
  manifest: MammutManifest,
  text: Text,
  cross: CrossAttention,
  prompt: readonly number[],
  said: string,
  signal?: AbortSignal,
): Promise<Followed> {
  const { dims, input, tokenizer } = manifest
  const [, ...whole] = text.sentence(said)
  const ids = [...whole.slice(0, -1).slice(0, dims.context - prompt.length), tokenizer.end]
  const steps = await forced(graphs, manifest, cross, prompt, ids, signal)
  const mean = (some: readonly Step[]) => {
    const attention = new Float32Array(dims.tokens)
    for (const step of some) step.attention.forEach((mass, token) => (attention[token] = (attention[token] ?? 0) + mass / some.length))
    return Float32Array.from(heatOf(attention, input, GRID))
  }
  const words = wordsOf(text, ids).map(({ text: word, from, to }) => {
    const some = steps.slice(from, to)
    return {
      text: word,
      probability: Math.exp(some.reduce((sum, { probability }) => sum + Math.log(probability), 0) / some.length),
      heat: mean(some),
    }
  })
  return { ...GRID, frames: input.frames, heat: mean(steps), words }
}

async function forced(
  graphs: Graphs,
  manifest: MammutManifest,
  cross: CrossAttention,
  prompt: readonly number[],
  ids: readonly number[],
  signal?: AbortSignal,
): Promise<Step[]> {
  const { dims } = manifest
  const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
  let [past_k, past_v] = [none, none]
  let next = prompt
  const steps: Step[] = []
  for (const id of ids) {
    signal?.throwIfAborted()
    const outputs = await graphs.run('decoder', { ids: idTensor([next]), ...cross, past_k, past_v })
    past_k = tensorOf(outputs, 'present_k')
    past_v = tensorOf(outputs, 'present_v')
    next = [id]
    steps.push({
      probability: probabilityOf(id, floatsOf(outputs, 'logits').subarray(-dims.vocab), temperatureOf(manifest)),
      attention: floatsOf(outputs, 'attention'),
    })
  }
  return steps
}

/** The probability of one id under softmax(logits / temperature). */
function probabilityOf(id: number, logits: Float32Array, temperature: number): number {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - largest) / temperature), 0)
  return Math.exp(((logits[id] ?? -Infinity) - largest) / temperature) / sum
}

/** Which ids make up each word. A word begins where a space does; the last id, [EOT], belongs to none. */
function wordsOf(text: Text, ids: readonly number[]): { text: string; from: number; to: number }[] {
  const stream = new TextStream(text)
  const words: { text: string; from: number; to: number }[] = []
  ids.slice(0, -1).forEach((id, at) => {
    const piece = stream.push(id)
    const open = words.at(-1)
    if (open && !/^\s/.test(piece)) {
      open.text += piece.trimEnd()
      open.to = at + 1
    } else {
      words.push({ text: piece.trim(), from: at, to: at + 1 })
    }
  })
  return words.filter(({ text: word }) => word !== '')
}
