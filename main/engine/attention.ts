/** Runs a decoder along a given text: where it looks for each word, and how probable it finds each. Nothing is generated. */
import type { Continuing } from './continuing.ts'
import type { Followed } from './protocol.ts'
import { type Readable, TextStream } from './tokenizer.ts'

/** How attention to the tokens of a clip is seen on its frames. */
export interface Looking {
  frames: number
  rows: number
  columns: number
  /** @param attention [N]. @returns [frames, rows, columns], row-major; sums to 1. */
  heatOf: (attention: Float32Array) => Float32Array
}

interface Step {
  /** Probability of the token, 0..1, at the pack's temperature. */
  probability: number
  /** [N]: attention to each token of the clip. */
  attention: Float32Array
}

/**
 * @param prompt As it was when the text was generated.
 * @param ids The text, by the model or a person, with the token that ends it.
 * @throws the signal's reason when it is aborted between two steps.
 */
export async function follow(
  over: Continuing,
  text: Readable,
  { prompt, ids, temperature = 1 }: { prompt: readonly number[]; ids: readonly number[]; temperature?: number },
  { heatOf, ...grid }: Looking,
  signal?: AbortSignal,
): Promise<Followed> {
  const steps: Step[] = []
  let given = prompt
  for (const id of ids) {
    signal?.throwIfAborted()
    const { logits, attention } = await over.next([given])
    given = [id]
    steps.push({ probability: probabilityOf(id, logits, temperature), attention })
  }
  const mean = (some: readonly Step[]) => {
    const attention = new Float32Array(steps[0]?.attention.length ?? 0)
    for (const step of some) step.attention.forEach((mass, token) => (attention[token] = (attention[token] ?? 0) + mass / some.length))
    return heatOf(attention)
  }
  const words = wordsOf(text, ids).map(({ text: word, from, to }) => {
    const some = steps.slice(from, to)
    return {
      text: word,
      probability: Math.exp(some.reduce((sum, { probability }) => sum + Math.log(probability), 0) / some.length),
      heat: mean(some),
    }
  })
  return { ...grid, heat: mean(steps), words }
}

/** The probability of one id under softmax(logits / temperature). */
function probabilityOf(id: number, logits: Float32Array, temperature: number): number {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity)
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - largest) / temperature), 0)
  return Math.exp(((logits[id] ?? -Infinity) - largest) / temperature) / sum
}

/** Which ids make up each word. A word begins where a space does; the last id, which ends the text, belongs to none. */
function wordsOf(text: Readable, ids: readonly number[]): { text: string; from: number; to: number }[] {
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
