/** Text to token ids and back, as in models/tokenizer: [SOT] ... [EOT]; a prompt has no [EOT]. */
import { Tokenizer } from '@huggingface/tokenizers'
import { z } from 'zod'
import type { MammutManifest } from '../../app/pack/mammut.ts'
import { cleanForClip } from './clean.ts'

/** tokenizer.json of a pack. */
export const TokenizerFile = z.looseObject({ model: z.looseObject({}), added_tokens: z.array(z.looseObject({ id: z.number().int() })) })

/** What ids say. */
export interface Readable {
  read: (ids: readonly number[]) => string
}

/** The part of the package's interface that is used. Its own types do not resolve: their imports lack the extensions that Node needs. */
export interface Bpe {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
  /** @param ids At least one. */
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string
}

/** What the tokenizer needs of a pack. */
interface TokenizerOf {
  tokenizer: z.infer<typeof TokenizerFile>
  manifest: { tokenizer: Pick<MammutManifest['tokenizer'], 'start' | 'end' | 'clean'>; dims: Pick<MammutManifest['dims'], 'context'> }
}

/** At least this share of the context is left for the answer. */
const ANSWER_SHARE = 1 / 3

/** @param content Of a tokenizer.json. */
export function bpeOf(content: object): Bpe {
  // oxlint-disable-next-line @typescript-eslint/no-unsafe-call -- see Bpe
  return new Tokenizer(content, {}) as Bpe
}

export class Text {
  readonly #tokenizer: Bpe
  readonly #context: number
  readonly #start: number
  readonly #end: number
  readonly #marks: Set<number>
  readonly #clean: (text: string) => string

  constructor({
    tokenizer,
    manifest: {
      tokenizer: { start, end, clean },
      dims,
    },
  }: TokenizerOf) {
    this.#tokenizer = bpeOf(tokenizer)
    this.#context = dims.context
    this.#start = start
    this.#end = end
    this.#marks = new Set(tokenizer.added_tokens.map(({ id }) => id))
    this.#clean = clean === 'clip' ? cleanForClip : (text) => text
  }

  /** [SOT] text [EOT], cut to the context but keeping [EOT]: the input of the contrastive pass. */
  sentence(text: string): number[] {
    return [this.#start, ...this.#words(text).slice(0, this.#context - 2), this.#end]
  }

  /**
   * [SOT] template with its `{question}` filled in. A question that is too long is cut at its end, but the words of the template after
   * it stay: without "answer:" the decoder would continue the question.
   */
  prompt(template: string, question = ''): number[] {
    const [, tail = ''] = template.split('{question}')
    const ids = this.#words(template.replace('{question}', () => question))
    const room = this.#context - 1 - Math.ceil(this.#context * ANSWER_SHARE)
    if (ids.length <= room) return [this.#start, ...ids]
    const kept = tail === '' ? 0 : this.#words(tail.trim()).length
    return [this.#start, ...ids.slice(0, room - kept), ...ids.slice(ids.length - kept)]
  }

  read(ids: readonly number[]): string {
    if (ids.length === 0) return ''
    return this.#tokenizer.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }).trim()
  }

  /** The ids of a text, without special tokens such as [SOT] and [EOT], which a person may have typed. */
  #words(text: string): number[] {
    return this.#tokenizer.encode(this.#clean(text), { add_special_tokens: false }).ids.filter((id) => !this.#marks.has(id))
  }
}

/** Turns a growing list of ids into text: a character is returned once further tokens can no longer change it. */
export class TextStream {
  readonly #text: Readable
  readonly #ids: number[] = []
  #given = ''

  constructor(text: Readable) {
    this.#text = text
  }

  /** The text that is new with this token, possibly none. */
  push(id: number): string {
    this.#ids.push(id)
    // U+FFFD at the end is a character whose remaining bytes have not come yet.
    return this.#advance(this.#text.read(this.#ids).replace(/[\uFFFD\s]+$/u, ''))
  }

  /** The text that was held back. */
  finish(): string {
    return this.#advance(this.#text.read(this.#ids))
  }

  #advance(text: string): string {
    if (!text.startsWith(this.#given)) return ''
    const more = text.slice(this.#given.length)
    this.#given = text
    return more
  }
}
