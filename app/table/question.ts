/** Questions and their answers as columns use them. */

/** The key by which two questions are the same column: their words, however typed. */
export function topicOf(question: string): string {
  return question
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/[?.!\s]+$/, '')
}

export type YesNo = 'yes' | 'no' | 'unsure'

const YES = new Set(['yes', 'y', 'yeah', 'yep', 'true', '1', 'x', '✓', '✔', 'ja', 'wahr'])
const NO = new Set(['no', 'n', 'nope', 'none', 'not', 'false', '0', '✗', '✘', 'nein', 'falsch', 'kein', 'keine', 'keinen', 'keins'])
/** Begins with a word for no and is none. */
const NO_IDEA = /^(no idea|keine ahnung)\b/

/** The answer to a yes-or-no question, by its first word. Any other answer is `unsure`, however confident the model is of its words. */
export function yesNo(answer: string): YesNo {
  const text = answer.trim().toLowerCase()
  const [first = ''] = text.split(/[\s,.;:!]+/)
  return YES.has(first) ? 'yes' : NO.has(first) && !NO_IDEA.test(text) ? 'no' : 'unsure'
}

/** What a person typed or pasted into a yes-or-no cell; null if it is none of the three. */
export function typedYesNo(text: string): YesNo | null {
  const word = text.trim().toLowerCase()
  if (YES.has(word)) return 'yes'
  if (NO.has(word)) return 'no'
  return ['unsure', 'not sure', 'maybe', '?', 'unsicher', 'vielleicht'].includes(word) ? 'unsure' : null
}

/** The answer that a toggle gives next. */
export function toggled(answer: string): YesNo {
  return yesNo(answer) === 'yes' ? 'no' : 'yes'
}

const YES_NO_START =
  /^(is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|might|ist|sind|war|waren|gibt|hat|haben|kann|können|wird|werden|trägt|fährt)\b/i

const WORDS_START =
  /^(how|what|which|who|whom|whose|where|when|why|wie|welche[rsmn]?|wer|wem|wen|wo|woher|wohin|wann|warum|wieso|weshalb|was (ist|sind|macht|machen|tut|tun|hat|haben|steht|liegt|passiert|geschieht|sieht|trägt|bewegt|fährt))(?![\p{L}])/iu

/** Whether a question asks for a number, a thing, a place or a time, by its first word: yes or no answers it nowhere. */
export function wantsWords(question: string): boolean {
  return WORDS_START.test(question.trim())
}

/**
 * Whether a question looks like a yes-or-no question, by its first word, so that the form proposes the right kind of column. "Is it red or
 * blue?" offers a choice and needs words.
 */
export function looksYesNo(question: string): boolean {
  return YES_NO_START.test(question.trim()) && !/\b(or|oder)\b/i.test(question)
}
