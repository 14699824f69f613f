/** Family `smolvlm`: frames as pictures, and a language model that reads them before a question (SmolVLM2-Video-Instruct). Made by main/packs/smolvlm. */
import { z } from 'zod'
import { FileRef, Pack, PictureInput, Size, Source } from './base.ts'

const Count = z.number().int().positive()
/** Tokens that a text may have. */
const Longest = Count.max(4_096)

export const SmolVlmManifest = Pack.extend({
  family: z.literal('smolvlm'),
  tasks: z.array(z.enum(['caption', 'answer'])).min(1),
  /** Square pictures, made as Pillow does: see main/media/frames. A clip gives `rate` frames a second, at least one and at most `frames`. */
  input: PictureInput.extend({
    fit: z.literal('stretch'),
    frames: Count.max(256),
    rate: z.number().positive().max(240),
    maxClipSeconds: z.number().positive(),
  }),
  dims: z.object({
    /** Of a token. */
    width: Size,
    /** Tokens of a frame, a square grid in row order. */
    imageTokens: Size,
    layers: Size,
    kvHeads: Size,
    headDim: Size,
    vocab: Size,
    /** Tokens that the decoder takes at most. */
    context: Size,
  }),
  /**
   * vision: `pixels` u8 [N, H, W, 3] -> `image_features` f32 [N, imageTokens, width]. embed: `ids` i64 [B, L] -> `embeddings` f32 [B, L, width].
   * decoder: `embeddings`, and for each layer i the keys and values [1 or B, kvHeads, tokens, headDim] of what stands before: `prefix_k_i`, `prefix_v_i`
   * of all texts, `past_k_i`, `past_v_i` of each -> `logits` f32 [B, vocab] after the last token, `attention` f32 [B, prefix] of the last token to the
   * prefix (mean over layers and heads), `present_k_i`, `present_v_i`: past and new.
   */
  graphs: z.object({ vision: FileRef, embed: FileRef, decoder: FileRef }),
  weights: z.array(FileRef).min(1).max(1_000),
  /** `end`: the token that ends a text. */
  tokenizer: FileRef.extend({ image: z.number().int(), end: z.number().int() }),
  /** What is asked for a caption. */
  prompts: z.object({ caption: z.string().min(1).max(500) }),
  /** Captions by beams (main/engine/beam), answers greedily: so many tokens at most. */
  decoding: z.object({
    caption: z.object({ beams: Count.max(16), lengthPenalty: z.number().min(0), longest: Longest }),
    answer: z.object({ longest: Longest }),
  }),
  source: Source,
})
export type SmolVlmManifest = z.infer<typeof SmolVlmManifest>
