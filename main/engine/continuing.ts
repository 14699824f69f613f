/** Texts about one clip that grow token by token: what decoding needs of a language model, and MaMMUT's decoder as one. */
import type { Tensor } from 'onnxruntime-node'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'

/** Of each of B texts: logits [B, V] of the token that comes next, attention [B, N] of its last token to each token of the clip. */
interface Next {
  logits: Float32Array
  attention: Float32Array
}

export interface Continuing {
  /**
   * @param rows The new tokens of each text, all equally many: at first the prompt, then usually one.
   * @param parents Which text of the call before each continues; left out at first, and where each continues itself.
   */
  next: (rows: readonly (readonly number[])[], parents?: readonly number[]) => Promise<Next>
}

/** Keys and values of the cross-attention layers for one clip, [1, M, heads, N, d]. */
export interface CrossAttention {
  cross_k: Tensor
  cross_v: Tensor
}

/** MaMMUT's decoder over the precomputed cross-attention keys and values of a clip, with a cache of those of its texts. */
export function overCross(graphs: Graphs, { dims }: Pick<MammutManifest, 'dims'>, cross: CrossAttention): Continuing {
  const none = floatTensor(new Float32Array(0), [1, dims.layers, dims.heads, 0, dims.headDim])
  let [past_k, past_v] = [none, none]
  return {
    async next(rows, parents) {
      if (parents !== undefined) [past_k, past_v] = [gather(past_k, parents), gather(past_v, parents)]
      const outputs = await graphs.run('decoder', { ids: idTensor(rows), ...cross, past_k, past_v })
      ;[past_k, past_v] = [tensorOf(outputs, 'present_k'), tensorOf(outputs, 'present_v')]
      const all = floatsOf(outputs, 'logits')
      const perRow = all.length / rows.length
      const logits = new Float32Array(rows.length * dims.vocab)
      rows.forEach((_, row) => logits.set(all.subarray((row + 1) * perRow - dims.vocab, (row + 1) * perRow), row * dims.vocab))
      return { logits, attention: floatsOf(outputs, 'attention') }
    },
  }
}

/** These rows of a tensor [B, ...], in this order. */
export function gather(tensor: Tensor, rows: readonly number[]): Tensor {
  const { data, dims } = tensor
  if (!(data instanceof Float32Array)) throw new TypeError('a cache of keys and values is fp32')
  const [batch = 1, ...rest] = dims
  if (rows.length === batch && rows.every((row, at) => row === at)) return tensor
  const size = data.length / batch
  const out = new Float32Array(rows.length * size)
  rows.forEach((row, at) => out.set(data.subarray(row * size, (row + 1) * size), at * size))
  return floatTensor(out, [rows.length, ...rest])
}
