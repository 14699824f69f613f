/**
 * A SmolVLM2, ready to run: sees the frames of a clip once, then captions and answers from what it saw.
 *
 * The frames stand before the question in its prompt. What the decoder made of them, keys and values of each layer, is kept for the clips asked last, so
 * that a further question costs its own tokens only.
 */
import { hash } from 'node:crypto'
import type { Tensor } from 'onnxruntime-node'
import { TubeletError } from '../../app/errors.ts'
import { follow } from './attention.ts'
import { beamSearch } from './beam.ts'
import { type Continuing, gather } from './continuing.ts'
import { decode, type Decoded } from './decode.ts'
import { fromHalf, toHalf } from './float16.ts'
import { byteTensor, type Feeds, floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'
import type { Asked, Encoding, Followed, Generated, KnownAnswers } from './protocol.ts'
import type { SmolVlmPack } from './smolvlm-pack.ts'
import type { ClipTimes } from './smolvlm-text.ts'
import { TextStream } from './tokenizer.ts'

/** Bytes of keys and values that are kept of clips that were asked about. */
const KEPT_BYTES = 256 << 20
/** Tokens that the decoder reads at once: its memory for attention grows with them. */
const AT_ONCE = 512
/** One in so many of a frame's features is compared in the self-test. */
const COMPARED = 97
/** The caption of the self-test has so many tokens, and the frames of a usual clip are so many. */
const TESTED_TOKENS = 8
const USUAL_FRAMES = 8

/** The frames of a clip as the decoder has read them: for each layer keys and values [1, kvHeads, tokens, headDim]. */
interface Prefix {
  layers: { k: Tensor; v: Tensor }[]
  tokens: number
  /** Places of the image tokens, frame by frame. */
  images: number[]
}

interface AskOptions {
  onToken?: (text: string) => void
  signal?: AbortSignal
}

export class SmolVlm {
  readonly graphs: Graphs
  readonly #pack: SmolVlmPack
  readonly #keptBytes: number
  readonly #prefixes = new Map<string, Promise<Prefix>>()

  /** @param keptBytes Of keys and values; those of the clip asked last are kept whatever their size. */
  constructor(pack: SmolVlmPack, graphs: Graphs, keptBytes = KEPT_BYTES) {
    this.#pack = pack
    this.graphs = graphs
    this.#keptBytes = keptBytes
  }

  /** @param pictures [N, side, side, 3], RGB. */
  async encode(pictures: Uint8Array): Promise<Encoding> {
    return { embedding: new Float32Array(), memory: toHalf(await this.see(pictures)), tokens: null }
  }

  /** The image tokens of frames in full precision, [N, imageTokens, width]. Frame by frame, which needs less memory. */
  async see(pictures: Uint8Array): Promise<Float32Array> {
    const { dims, input } = this.#pack.manifest
    const bytes = input.width * input.height * 3
    if (pictures.length === 0 || pictures.length % bytes !== 0) throw stale('The clip was not cut as this pack needs it.')
    const perFrame = dims.imageTokens * dims.width
    const features = new Float32Array((pictures.length / bytes) * perFrame)
    for (let frame = 0; frame * bytes < pictures.length; frame += 1) {
      const pixels = byteTensor(pictures.subarray(frame * bytes, (frame + 1) * bytes), [1, input.height, input.width, 3])
      features.set(floatsOf(await this.graphs.run('vision', { pixels }), 'image_features', perFrame), frame * perFrame)
    }
    return features
  }

  /** The decoder behind the frames of a clip, which it reads now. @param features As `see` gives them. */
  async behind(features: Float32Array, times: ClipTimes): Promise<Continuing> {
    return this.#after(await this.#read(features, times))
  }

  async caption(asked: Asked, { signal }: Pick<AskOptions, 'signal'> = {}): Promise<Generated> {
    const { prompts, decoding, tokenizer } = this.#pack.manifest
    const prefix = await this.#prefixOf(asked)
    const until = { ...decoding.caption, end: tokenizer.end, most: decoding.caption.longest }
    const decoded = await beamSearch(this.#after(prefix), this.#pack.text.question(prompts.caption), until, signal)
    return this.#told(decoded, prefix, prompts.caption)
  }

  async answer(asked: Asked, question: string, { onToken, signal }: AskOptions = {}): Promise<Generated> {
    const { decoding, tokenizer } = this.#pack.manifest
    const prefix = await this.#prefixOf(asked)
    const stream = new TextStream(this.#pack.text)
    const give = (text: string) => {
      if (text !== '') onToken?.(text)
    }
    const until = { end: tokenizer.end, most: decoding.answer.longest }
    const options = { onId: (id: number) => give(stream.push(id)), signal }
    const decoded = await decode(this.#after(prefix), this.#pack.text.question(question), until, options)
    give(stream.finish())
    return this.#told(decoded, prefix, question)
  }

  /** Follow a caption, or an answer given its question, word by word over a stored encoding. */
  async follow(asked: Omit<Asked, 'embedding'>, text: string, question: string | null, signal?: AbortSignal): Promise<Followed> {
    const { prompts, tokenizer, dims } = this.#pack.manifest
    const prefix = await this.#prefixOf(asked)
    const side = Math.sqrt(dims.imageTokens)
    return follow(
      this.#after(prefix),
      this.#pack.text,
      { prompt: this.#pack.text.question(question ?? prompts.caption), ids: [...this.#pack.text.said(text), tokenizer.end] },
      { frames: prefix.images.length / dims.imageTokens, rows: side, columns: side, heatOf: (attention) => toImages(attention, prefix) },
      signal,
    )
  }

  /** Compare with the pack's known answers. Returns what is wrong, or null. `brief`: nothing is compared, since all of it is slow. */
  async selfTest({ signal, brief = false }: { signal?: AbortSignal | undefined; brief?: boolean } = {}): Promise<string | null> {
    if (brief) return null
    const { clips, features, caption, tolerance } = this.#pack.knownAnswers
    for (const [i, clip] of clips.entries()) {
      signal?.throwIfAborted()
      const seen = await this.see(clip)
      const [got, expected] = [compared(seen), features[i] ?? []]
      const largest = Math.max(...expected.map(Math.abs))
      if (got.length !== expected.length || !got.every((value, at) => Math.abs(value - (expected[at] ?? NaN)) <= tolerance * largest))
        return `what is seen of clip ${i + 1} is off`
      if (i === 0 && (await this.#begun(seen, signal)) !== caption) return 'the caption is another one'
    }
    return null
  }

  /** The outputs for clips of one frame, and what a usual clip costs on this machine. */
  async knownAnswers(clips: readonly Uint8Array[]): Promise<KnownAnswers> {
    const { dims, input } = this.#pack.manifest
    const frames = Math.min(USUAL_FRAMES, input.frames)
    const embeddings: number[][] = []
    let caption = ''
    let secondsPerClip = 0
    for (const [i, clip] of clips.entries()) {
      const began = performance.now()
      const seen = await this.see(clip)
      // Only the last frame's time is kept: the first one's includes loading.
      secondsPerClip = ((performance.now() - began) / 1000) * frames
      embeddings.push(compared(seen))
      if (i === 0) caption = await this.#begun(seen)
      if (i < clips.length - 1) continue
      const usual = new Float32Array(frames * dims.imageTokens * dims.width)
      for (let frame = 0; frame < frames; frame += 1) usual.set(seen, frame * seen.length)
      const times = { frames: Array.from({ length: frames }, (_, frame) => frame + 0.5), seconds: frames }
      const then = performance.now()
      await this.caption({ embedding: new Float32Array(), memory: toHalf(usual), times })
      secondsPerClip += (performance.now() - then) / 1000
    }
    this.#prefixes.clear()
    return { embeddings, textEmbeddings: [], caption, secondsPerClip, memoryBytes: process.resourceUsage().maxRSS * 1024 }
  }

  /** The first words of a greedy caption. */
  async #begun(features: Float32Array, signal?: AbortSignal): Promise<string> {
    const { prompts, tokenizer } = this.#pack.manifest
    const text = await this.behind(features, { frames: [0], seconds: 1 })
    const until = { end: tokenizer.end, most: TESTED_TOKENS }
    const { ids } = await decode(text, this.#pack.text.question(prompts.caption), until, { signal })
    return this.#pack.text.read(ids)
  }

  #told(decoded: Decoded, prefix: Prefix, prompt: string): Generated {
    const { dims } = this.#pack.manifest
    const heat = toImages(decoded.attention, prefix)
    const frameWeights = Array.from({ length: heat.length / dims.imageTokens }, (_, frame) =>
      heat.subarray(frame * dims.imageTokens, (frame + 1) * dims.imageTokens).reduce((sum, mass) => sum + mass, 0),
    )
    // How often it is right was measured by nobody here, so nothing that it says counts as sure.
    const { confidence, ids } = decoded
    return { text: this.#pack.text.read(ids), confidence, unsure: true, unfamiliar: false, agreement: null, frameWeights, prompt }
  }

  #prefixOf({ memory, times }: Omit<Asked, 'embedding'>): Promise<Prefix> {
    const { dims } = this.#pack.manifest
    if (times === undefined || memory.length !== times.frames.length * dims.imageTokens * dims.width)
      throw stale('The stored encoding is not of this pack.')
    const bytes = new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength)
    const key = `${hash('sha1', bytes)} ${JSON.stringify(times)}`
    const kept = this.#prefixes.get(key) ?? this.#read(fromHalf(memory), times)
    // The newest is last.
    this.#prefixes.delete(key)
    this.#prefixes.set(key, kept)
    kept.then(
      () => this.#forget(),
      () => this.#prefixes.delete(key),
    )
    return kept
  }

  /** Drops what was asked longest ago until the rest is small enough. */
  async #forget(): Promise<void> {
    const { layers, kvHeads, headDim } = this.#pack.manifest.dims
    let bytes = 0
    for (const [key, one] of [...this.#prefixes].reverse()) {
      const newest = bytes === 0
      bytes += (await one.catch(() => ({ tokens: 0 }))).tokens * layers * kvHeads * headDim * 2 * Float32Array.BYTES_PER_ELEMENT
      if (bytes > this.#keptBytes && !newest) this.#prefixes.delete(key)
    }
  }

  /** @param features [N, imageTokens, width] */
  async #read(features: Float32Array, times: ClipTimes): Promise<Prefix> {
    const { dims, tokenizer } = this.#pack.manifest
    const ids = this.#pack.text.video(times, dims.imageTokens)
    const images = ids.flatMap((id, at) => (id === tokenizer.image ? [at] : []))
    if (images.length * dims.width !== features.length) throw new Error('the prompt has not as many image tokens as its frames')
    const embeddings = new Float32Array(await this.#embed([ids]))
    images.forEach((at, image) => embeddings.set(features.subarray(image * dims.width, (image + 1) * dims.width), at * dims.width))
    const text = new AfterPrefix(this.graphs, dims, null)
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const part = embeddings.subarray(from * dims.width, Math.min(ids.length, from + AT_ONCE) * dims.width)
      await text.read(floatTensor(part, [1, part.length / dims.width, dims.width]))
    }
    return { layers: text.past, tokens: ids.length, images }
  }

  async #embed(rows: readonly (readonly number[])[]): Promise<Float32Array> {
    return floatsOf(await this.graphs.run('embed', { ids: idTensor(rows) }), 'embeddings')
  }

  #after(prefix: Prefix): Continuing {
    const { dims } = this.#pack.manifest
    const text = new AfterPrefix(this.graphs, dims, prefix)
    return {
      next: async (rows, parents) => {
        text.choose(parents)
        const embeddings = floatTensor(await this.#embed(rows), [rows.length, rows[0]?.length ?? 0, dims.width])
        return text.read(embeddings)
      },
    }
  }
}

/** Runs the decoder behind what it has read: the frames, and each text so far. */
class AfterPrefix {
  /** Keys and values of each text [B, kvHeads, tokens, headDim], by layer. */
  past: Prefix['layers']
  readonly #graphs: Graphs
  readonly #prefix: Feeds

  constructor(graphs: Graphs, { layers, kvHeads, headDim }: SmolVlmPack['manifest']['dims'], prefix: Prefix | null) {
    this.#graphs = graphs
    const none = floatTensor(new Float32Array(), [1, kvHeads, 0, headDim])
    this.past = Array.from({ length: layers }, () => ({ k: none, v: none }))
    this.#prefix = feedsOf('prefix', prefix?.layers ?? this.past)
  }

  choose(parents: readonly number[] | undefined): void {
    if (parents !== undefined) this.past = this.past.map(({ k, v }) => ({ k: gather(k, parents), v: gather(v, parents) }))
  }

  async read(embeddings: Tensor): Promise<{ logits: Float32Array; attention: Float32Array }> {
    const outputs = await this.#graphs.run('decoder', { embeddings, ...this.#prefix, ...feedsOf('past', this.past) })
    this.past = this.past.map((_, i) => ({ k: tensorOf(outputs, `present_k_${i}`), v: tensorOf(outputs, `present_v_${i}`) }))
    return { logits: floatsOf(outputs, 'logits'), attention: floatsOf(outputs, 'attention') }
  }
}

function feedsOf(name: string, layers: Prefix['layers']): Feeds {
  return Object.fromEntries(
    layers.flatMap(({ k, v }, i) => [
      [`${name}_k_${i}`, k],
      [`${name}_v_${i}`, v],
    ]),
  )
}

/** Attention to the prefix as attention to the image tokens alone; sums to 1. */
function toImages(attention: Float32Array, { images }: Prefix): Float32Array {
  const masses = Float32Array.from(images, (at) => attention[at] ?? 0)
  const sum = masses.reduce((total, mass) => total + mass, 0)
  return masses.map((mass) => (sum > 0 ? mass / sum : 1 / masses.length))
}

const compared = (features: Float32Array): number[] => Array.from(features).filter((_, at) => at % COMPARED === 0)

function stale(message: string): TubeletError {
  return new TubeletError({ code: 'clip-not-encoded', message, next: 'Analyse the file again with the pack that is loaded now.' })
}
