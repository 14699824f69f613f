/**
 * What SmolVLM2 reads: the text of transformers' SmolVLM processor and of its chat template for videos, byte for byte, as token ids. The constants are
 * that processor's (Apache-2.0, see models/packs/smolvlm/NOTICE).
 */
import { bpeOf, type Bpe, type Readable } from './tokenizer.ts'

/** When a clip's frames are shown, in seconds from its beginning, and how long it lasts. */
export interface ClipTimes {
  frames: readonly number[]
  seconds: number
}

const IMAGE = '<image>'
const EDGE = '<fake_token_around_image>'
const GLOBAL = '<global-img>'
const END = '<end_of_utterance>'
const START = '<|im_start|>'
/** The marks that the prompt is made of: a tokenizer must have each as one token. */
export const MARKS = [START, EDGE, GLOBAL, IMAGE, END] as const

/** A question longer than this, in tokens, is cut. */
const LONGEST_QUESTION = 512

/**
 * The prompt up to the last frame. It ends with a mark, because there the ids of what follows do not depend on it; two line feeds, with which the question
 * begins, could join its first letters.
 */
export function videoPrompt({ frames, seconds }: ClipTimes, imageTokens: number): string {
  const whole = Math.floor(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const length = `${hours}:${two(minutes)}:${two(rest)}`
  const introduction = `You are provided the following series of ${inWords(frames.length)} frames from a ${length} [H:MM:SS] video.\n`
  const picture = `${EDGE}${GLOBAL}${IMAGE.repeat(imageTokens)}${EDGE}`
  const shown = frames.map((time) => `\nFrame from ${two(Math.floor(time / 60))}:${two(Math.floor(time % 60))}:${picture}`)
  return `${START}User: ${introduction}${shown.join('')}`
}

const two = (value: number) => String(value).padStart(2, '0')

const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

/** @param count Below 100. */
function inWords(count: number): string {
  const [tens, ones] = [TENS[Math.floor(count / 10)] ?? '', ONES[count % 10] ?? '']
  return ONES[count] ?? (count % 10 === 0 ? tens : `${tens}-${ones}`)
}

export class SmolVlmText implements Readable {
  readonly #tokenizer: Bpe
  readonly #marks: ReadonlySet<number>

  /** @param content Of the model's tokenizer.json. */
  constructor(content: { added_tokens: readonly { id: number }[] }) {
    this.#tokenizer = bpeOf(content)
    this.#marks = new Set(content.added_tokens.map(({ id }) => id))
  }

  /** The id of a text that is one token; undefined if it is not. */
  only(mark: string): number | undefined {
    const ids = this.ids(mark)
    return ids.length === 1 ? ids[0] : undefined
  }

  ids(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids
  }

  video(times: ClipTimes, imageTokens: number): number[] {
    return this.ids(videoPrompt(times, imageTokens))
  }

  /** The rest of the prompt. Marks that a person typed are no words: they are left out. */
  question(question: string): number[] {
    return [...this.#words(`\n\n${question}`).slice(0, LONGEST_QUESTION), ...this.ids(`${END}\nAssistant:`)]
  }

  /** What the model would have said, as ids. */
  said(text: string): number[] {
    return this.#words(` ${text}`)
  }

  read(ids: readonly number[]): string {
    const words = ids.filter((id) => !this.#marks.has(id))
    if (words.length === 0) return ''
    return this.#tokenizer.decode(words, { skip_special_tokens: true, clean_up_tokenization_spaces: false }).trim()
  }

  #words(text: string): number[] {
    return this.ids(text).filter((id) => !this.#marks.has(id))
  }
}
