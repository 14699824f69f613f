/** A SmolVLM2 without anything kept, to compare with. */
import type { SmolVlmManifest } from '../../app/pack/smolvlm.ts'
import { floatsOf, floatTensor, type Graphs, idTensor } from './graphs.ts'

/** The logits [V] after a whole prompt in one pass. @param features [N, imageTokens, width], which stand at the image tokens. */
export async function inOnePass(
  graphs: Graphs,
  { dims, tokenizer }: Pick<SmolVlmManifest, 'dims' | 'tokenizer'>,
  ids: readonly number[],
  features: Float32Array,
): Promise<Float32Array> {
  const embeddings = new Float32Array(floatsOf(await graphs.run('embed', { ids: idTensor([ids]) }), 'embeddings'))
  let image = 0
  ids.forEach((id, at) => {
    if (id !== tokenizer.image) return
    embeddings.set(features.subarray(image * dims.width, (image + 1) * dims.width), at * dims.width)
    image += 1
  })
  const none = floatTensor(new Float32Array(), [1, dims.kvHeads, 0, dims.headDim])
  const empty = Array.from({ length: dims.layers }, (_, i) =>
    ['prefix_k', 'prefix_v', 'past_k', 'past_v'].map((name) => [`${name}_${i}`, none] as const),
  )
  const feeds = { embeddings: floatTensor(embeddings, [1, ids.length, dims.width]), ...Object.fromEntries(empty.flat()) }
  return floatsOf(await graphs.run('decoder', feeds), 'logits')
}
