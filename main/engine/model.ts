/** One pack, ready to run: encodes a clip once, then captions, answers, embeds and detects from the encoding. */
import { hash } from 'node:crypto'
import type { Detection } from '../../app/detections.ts'
import { TubeletError } from '../../app/errors.ts'
import { type MammutManifest, temperatureOf, unlearnt } from '../../app/pack/mammut.ts'
import { cutTubes, frameWeights, heatOf, tubeCounts, tubeVoxels } from '../../app/tubes.ts'
import { dot, isDirection } from '../../app/vector.ts'
import { beamSearch } from './beam.ts'
import { type CrossAttention, overCross } from './continuing.ts'
import { decode, type Decoded } from './decode.ts'
import { follow } from './attention.ts'
import { fromHalf, toHalf } from './float16.ts'
import { byteTensor, floatsOf, floatTensor, type Graphs, idTensor, tensorOf } from './graphs.ts'
import type { Pack } from './mammut.ts'
import type { Encoding, Followed, Generated, KnownAnswers, Regions, TextUse } from './protocol.ts'
import { Text, TextStream } from './tokenizer.ts'

/** Cross-attention keys and values are cached for the next question, for so many clips, but at most so many bytes. */
const CROSS_KEPT = 8
const CROSS_BYTES = 128 << 20
const TEXTS_KEPT = 2_000
const TEXT_BATCH = 32
/** Boxes with a score above this share of the pack's threshold are returned. */
const FLOOR = 0.2
/** Each input frame is divided into this many rows and columns to show attention: at least as fine as the patches of the known encoders. */
const GRID = { rows: 16, columns: 16 }
/** Of regions this alike (cosine) one is kept: they show one thing seen by two queries or on two frames. Of 144 in a real clip about 16 are left. */
const SAME_REGION = 0.85

export interface Vision {
  /** [E] */
  embedding: Float32Array
  /** [N, D] */
  memory: Float32Array
  /** [N, V] */
  tokens: Float32Array | null
}

interface GenerateOptions {
  onToken?: (text: string) => void
  signal?: AbortSignal
}

export class Model {
  readonly graphs: Graphs
  readonly #pack: Pack
  readonly #text: Text
  readonly #cross = new Map<string, Promise<CrossAttention>>()
  readonly #embedded = new Map<string, Float32Array>()

  constructor(pack: Pack, graphs: Graphs) {
    this.graphs = graphs
    this.#pack = pack
    this.#text = new Text(pack)
  }

  /** @param tubes As `cutTubes` gives them. @throws TubeletError `pack-cannot` where the embedding has no direction. */
  async encode(tubes: readonly Uint8Array[]): Promise<Encoding> {
    const { embedding, memory, tokens } = await this.see(tubes)
    if (!isDirection(embedding))
      throw new TubeletError({
        code: 'pack-cannot',
        message: 'The pack makes zeros, or values that are no numbers, of a clip of this file, so nothing of that was stored.',
        stillWorks: 'All other files go on.',
        next: 'Choose another pack on the Packs page, and analyse the file again.',
      })
    return { embedding, memory: toHalf(memory), tokens: tokens && toHalf(tokens) }
  }

  /** The encoder's outputs in full precision. */
  async see(tubes: readonly Uint8Array[]): Promise<Vision> {
    const { input, dims } = this.#pack.manifest
    const counts = tubeCounts(input)
    const feeds = Object.fromEntries(
      input.tubes.map((kind, i) => {
        const [part, count = 0] = [tubes[i], counts[i]]
        if (part?.length !== count * tubeVoxels(kind)) throw stale('The clip was not cut as this pack needs it.')
        return [`tubes_${i}`, byteTensor(part, [1, count, tubeVoxels(kind)])]
      }),
    )
    const outputs = await this.graphs.run('vision', feeds)
    return {
      embedding: floatsOf(outputs, 'embedding', dims.embedding),
      memory: floatsOf(outputs, 'memory', dims.tokens * dims.memory),
      tokens: this.graphs.has('detector') ? floatsOf(outputs, 'tokens', dims.tokens * dims.token) : null,
    }
  }

  async caption(encoding: Pick<Encoding, 'embedding' | 'memory'>, options: GenerateOptions = {}): Promise<Generated> {
    const { prompts, calibration, decoding } = this.#pack.manifest
    const ids = this.#text.prompt(prompts.caption)
    const decoded = decoding
      ? await this.#best(await this.#crossOf(encoding.memory), ids, decoding, options.signal)
      : await this.#generate(encoding, ids, options)
    return this.#judged(encoding, decoded, prompts.caption, '', calibration.caption.notSureBelow)
  }

  async answer(encoding: Pick<Encoding, 'embedding' | 'memory'>, question: string, options: GenerateOptions = {}): Promise<Generated> {
    const { prompts, calibration } = this.#pack.manifest
    if (prompts.question === undefined || calibration.answer === undefined)
      throw cannot(this.#pack, '“{{pack}}” answers no questions: it writes captions and finds clips by words.')
    const ids = this.#text.prompt(prompts.question, question)
    const decoded = await this.#generate(encoding, ids, options)
    return this.#judged(encoding, decoded, this.#text.read(ids.slice(1)), question, calibration.answer.notSureBelow)
  }

  /** Follow a caption, or an answer given its question, word by word over a stored encoding. */
  async follow(memory: Uint16Array, text: string, question: string | null, signal?: AbortSignal): Promise<Followed> {
    const { prompts } = this.#pack.manifest
    if (question !== null && prompts.question === undefined)
      throw cannot(this.#pack, '“{{pack}}” answers no questions: it writes captions and finds clips by words.')
    const prompt =
      question === null || prompts.question === undefined
        ? this.#text.prompt(prompts.caption)
        : this.#text.prompt(prompts.question, question)
    const { dims, input, tokenizer } = this.#pack.manifest
    // What does not fit into the decoder's context is left out.
    const [, ...whole] = this.#text.sentence(text)
    const ids = [...whole.slice(0, -1).slice(0, dims.context - prompt.length), tokenizer.end]
    return follow(
      overCross(this.graphs, this.#pack.manifest, await this.#crossOf(memory)),
      this.#text,
      { prompt, ids, temperature: temperatureOf(this.#pack.manifest) },
      { ...GRID, frames: input.frames, heatOf: (attention) => Float32Array.from(heatOf(attention, input, GRID)) },
      signal,
    )
  }

  /** The caption of a clip from its memory in full precision. */
  async describe(memory: Float32Array, signal?: AbortSignal): Promise<string> {
    const { manifest } = this.#pack
    const [cross, prompt] = [await this.#project(memory), this.#text.prompt(manifest.prompts.caption)]
    const { ids } = manifest.decoding
      ? await this.#best(cross, prompt, manifest.decoding, signal)
      : await this.#greedy(cross, prompt, { signal })
    return this.#text.read(ids)
  }

  /** Compare with the pack's known answers; `brief`: only those for texts. Returns what is wrong, or null. @throws the signal's reason when aborted. */
  async selfTest({ signal, brief = false }: { signal?: AbortSignal | undefined; brief?: boolean } = {}): Promise<string | null> {
    const { clips, texts, embeddings, textEmbeddings, caption, tolerance } = this.#pack.knownAnswers
    const differs = (got: Float32Array | undefined, expected: readonly number[] | undefined) =>
      got?.length !== expected?.length || !(got?.every((value, i) => Math.abs(value - (expected?.[i] ?? NaN)) <= tolerance) ?? false)
    for (const [i, clip] of brief ? [] : clips.entries()) {
      signal?.throwIfAborted()
      const { embedding, memory } = await this.see(cutTubes(clip, this.#pack.manifest.input))
      if (differs(embedding, embeddings[i])) return `the embedding of clip ${i + 1} is off`
      if (i === 0 && (await this.describe(memory, signal)) !== caption) return 'the caption is another one'
    }
    const got = await this.embed(texts)
    const off = texts.findIndex((_, i) => differs(got[i], textEmbeddings[i]))
    return off < 0 ? null : `the embedding of "${texts[off] ?? ''}" is off`
  }

  /** The graphs' outputs for these, and their cost on this machine. @param clips RGB [frames, height, width, 3] of the pack's input size. */
  async knownAnswers(clips: readonly Uint8Array[], texts: readonly string[]): Promise<KnownAnswers> {
    const embeddings: number[][] = []
    let caption = ''
    let secondsPerClip = 0
    for (const [i, clip] of clips.entries()) {
      const began = performance.now()
      const { embedding, memory } = await this.see(cutTubes(clip, this.#pack.manifest.input))
      const said = await this.describe(memory)
      // Only the last clip's time is kept: the first one's includes loading.
      secondsPerClip = (performance.now() - began) / 1000
      if (i === 0) caption = said
      embeddings.push([...embedding])
    }
    const textEmbeddings = (await this.embed(texts)).map((embedding) => [...embedding])
    return { embeddings, textEmbeddings, caption, secondsPerClip, memoryBytes: process.resourceUsage().maxRSS * 1024 }
  }

  /** One L2-normalised embedding [E] for each text, put into the prompt for its use. */
  embedText(texts: readonly string[], as: TextUse): Promise<Float32Array[]> {
    const { prompts } = this.#pack.manifest
    return this.embed(
      texts.map((text) =>
        as === 'label' && prompts.label !== undefined
          ? prompts.label.replace('{label}', () => text)
          : prompts.search.replace('{query}', () => text),
      ),
    )
  }

  /** As `embedText`, but without a prompt. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { tokenizer, dims } = this.#pack.manifest
    const missing = [...new Set(texts)].filter((text) => !this.#embedded.has(text))
    const found = new Map<string, Float32Array>()
    for (let at = 0; at < missing.length; at += TEXT_BATCH) {
      const batch = missing.slice(at, at + TEXT_BATCH)
      const rows = batch.map((text) => this.#text.sentence(text))
      const longest = Math.max(...rows.map((row) => row.length))
      const padded = rows.map((row) => [...row, ...new Array<number>(longest - row.length).fill(tokenizer.pad)])
      const all = floatsOf(await this.graphs.run('text', { ids: idTensor(padded) }), 'embedding', batch.length * dims.embedding)
      batch.forEach((text, i) => found.set(text, all.slice(i * dims.embedding, (i + 1) * dims.embedding)))
    }
    return texts.map((text) => {
      const embedding = recall(this.#embedded, text) ?? found.get(text)
      if (!embedding) throw new Error('a text was not embedded')
      keep(this.#embedded, text, embedding, TEXTS_KEPT)
      return embedding
    })
  }

  /**
   * For each label, the queries that could show it, down to far below the score at which the pack would draw a box, so that a threshold can be
   * lowered without running the detector again. The best of a label's phrases
   * counts: they are alternatives, and a mean would penalise a label for a synonym that the text encoder knows less well.
   */
  async detect(tokenBits: Uint16Array, labels: readonly (readonly string[])[]): Promise<Detection[][]> {
    const { dims, calibration } = this.#pack.manifest
    if (labels.length === 0) return []
    if (calibration.detect === undefined) throw cannot(this.#pack, '“{{pack}}” finds no boxes.')
    const texts = await this.embedText(labels.flat(), 'label')
    const { boxes, objectness, regions, frames } = await this.#seek(tokenBits)
    const { scale, bias, threshold } = calibration.detect
    let first = 0
    return labels.map((phrases) => {
      const named = texts.slice(first, (first += phrases.length))
      const found: Detection[] = []
      for (let query = 0; query < dims.queries; query++) {
        const region = regions.subarray(query * dims.embedding, (query + 1) * dims.embedding)
        const cosine = Math.max(...named.map((text) => dot(region, text)))
        const score = (objectness[query] ?? 0) / (1 + Math.exp(-(scale * cosine + bias)))
        if (!(score >= threshold * FLOOR)) continue
        const [cx = 0, cy = 0, w = 0, h = 0] = boxes.subarray(query * 4, query * 4 + 4)
        found.push({ query, frame: Number(frames[query]), cx, cy, w, h, score: Math.min(1, score) })
      }
      return found
    })
  }

  /** The regions of a clip. @param most So many distinct ones, likeliest objects first; null: one for each query, in their order. */
  async regions(tokenBits: Uint16Array, most: number | null): Promise<Regions> {
    const { dims } = this.#pack.manifest
    const found = await this.#seek(tokenBits)
    const vector = (query: number) => found.regions.subarray(query * dims.embedding, (query + 1) * dims.embedding)
    const queries = Array.from({ length: dims.queries }, (_, query) => query)
    const kept = most === null ? queries : []
    for (const query of most === null ? [] : queries.sort((a, b) => (found.objectness[b] ?? 0) - (found.objectness[a] ?? 0))) {
      if (kept.length === most) break
      if (kept.every((other) => dot(vector(other), vector(query)) < SAME_REGION)) kept.push(query)
    }
    const vectors = new Float32Array(kept.length * dims.embedding)
    kept.forEach((query, at) => vectors.set(vector(query), at * dims.embedding))
    return {
      frames: kept.map((query) => Number(found.frames[query])),
      boxes: kept.map((query) => {
        const [cx = 0, cy = 0, w = 0, h = 0] = found.boxes.subarray(query * 4, query * 4 + 4)
        return { cx, cy, w, h }
      }),
      vectors,
    }
  }

  async #seek(tokenBits: Uint16Array) {
    const { dims } = this.#pack.manifest
    const tokens = floatTensor(this.#widen(tokenBits, dims.tokens * dims.token), [1, dims.tokens, dims.token])
    const outputs = await this.graphs.run('detector', { tokens })
    return {
      boxes: floatsOf(outputs, 'boxes', dims.queries * 4),
      objectness: floatsOf(outputs, 'objectness', dims.queries),
      regions: floatsOf(outputs, 'regions', dims.queries * dims.embedding),
      frames: tensorOf(outputs, 'frame').data,
    }
  }

  async #best(
    cross: CrossAttention,
    prompt: readonly number[],
    decoding: NonNullable<MammutManifest['decoding']>,
    signal?: AbortSignal,
  ): Promise<Decoded & { text: string }> {
    const { manifest } = this.#pack
    const most = Math.min(decoding.longest, manifest.dims.context - prompt.length)
    const decoded = await beamSearch(
      overCross(this.graphs, manifest, cross),
      prompt,
      { ...decoding, end: manifest.tokenizer.end, most },
      signal,
    )
    return { ...decoded, text: this.#text.read(decoded.ids) }
  }

  async #generate(
    { memory }: Pick<Encoding, 'memory'>,
    prompt: readonly number[],
    { onToken, signal }: GenerateOptions,
  ): Promise<Decoded & { text: string }> {
    const cross = await this.#crossOf(memory)
    const stream = new TextStream(this.#text)
    const give = (text: string) => {
      if (text !== '') onToken?.(text)
    }
    const decoded = await this.#greedy(cross, prompt, { onId: (id) => give(stream.push(id)), signal })
    give(stream.finish())
    return { ...decoded, text: this.#text.read(decoded.ids) }
  }

  #greedy(
    cross: CrossAttention,
    prompt: readonly number[],
    options: { onId?: (id: number) => void; signal: AbortSignal | undefined },
  ): Promise<Decoded> {
    const { manifest } = this.#pack
    const until = { end: manifest.tokenizer.end, most: manifest.dims.context - prompt.length, temperature: temperatureOf(manifest) }
    return decode(overCross(this.graphs, manifest, cross), prompt, until, options)
  }

  async #judged(
    { embedding }: Pick<Encoding, 'embedding'>,
    decoded: Decoded & { text: string },
    prompt: string,
    question: string,
    notSureBelow: number,
  ): Promise<Generated> {
    const { manifest } = this.#pack
    const { text, confidence, attention } = decoded
    const [said] = await this.embedText([`${question} ${text}`.trim()], 'search')
    const agreement = said ? dot(said, embedding) : 0
    const unfamiliar = this.unfamiliar(embedding)
    const unsure = unfamiliar || unlearnt(manifest, question).length > 0 || confidence < notSureBelow
    return { text, confidence, unsure, unfamiliar, agreement, frameWeights: frameWeights(attention, manifest.input), prompt }
  }

  /** Whether the clip is unlike everything that the pack was trained on. Its confidence then means nothing. */
  unfamiliar(embedding: Float32Array): boolean {
    const { manifest, taught } = this.#pack
    const { familiar } = manifest.calibration
    if (!familiar) return false
    const width = embedding.length
    return !Array.from({ length: taught.length / width }, (_, i) => taught.subarray(i * width, (i + 1) * width)).some(
      (near) => dot(near, embedding) >= familiar.threshold,
    )
  }

  #crossOf(memory: Uint16Array): Promise<CrossAttention> {
    const { dims } = this.#pack.manifest
    const key = hash('sha1', new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength))
    const cross = recall(this.#cross, key) ?? this.#project(this.#widen(memory, dims.tokens * dims.memory))
    const bytes = 2 * dims.crossLayers * dims.heads * dims.tokens * dims.headDim * Float32Array.BYTES_PER_ELEMENT
    keep(this.#cross, key, cross, Math.max(1, Math.min(CROSS_KEPT, Math.floor(CROSS_BYTES / bytes))))
    cross.catch(() => this.#cross.delete(key))
    return cross
  }

  async #project(memory: Float32Array): Promise<CrossAttention> {
    const { dims } = this.#pack.manifest
    const outputs = await this.graphs.run('cross', { memory: floatTensor(memory, [1, dims.tokens, dims.memory]) })
    return { cross_k: tensorOf(outputs, 'cross_k'), cross_v: tensorOf(outputs, 'cross_v') }
  }

  #widen(bits: Uint16Array, length: number): Float32Array {
    if (bits.length !== length) throw stale('The stored encoding is not of this pack.')
    return fromHalf(bits)
  }
}

/** Reads an entry of a cache and makes it the newest. */
function recall<V>(cache: Map<string, V>, key: string): V | undefined {
  const value = cache.get(key)
  if (value !== undefined) cache.delete(key)
  return value
}

function keep<V>(cache: Map<string, V>, key: string, value: V, limit: number): void {
  cache.set(key, value)
  const [oldest] = cache.keys()
  if (cache.size > limit && oldest !== undefined) cache.delete(oldest)
}

function cannot({ manifest }: Pack, message: string): TubeletError {
  return new TubeletError({
    code: 'pack-cannot',
    message,
    values: { pack: manifest.name },
    stillWorks: 'What this model can do is written on the Packs page.',
    next: 'Switch to a pack that can.',
  })
}

function stale(message: string): TubeletError {
  return new TubeletError({ code: 'clip-not-encoded', message, next: 'Analyse the file again with the pack that is loaded now.' })
}
