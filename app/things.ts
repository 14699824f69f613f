/**
 * Things mentioned in English captions, as suggestions for a vocabulary: the last noun of each phrase that a determiner opens ("a small red
 * *car* moves …"). There is no grammatical parsing; a wrong word here costs only a look.
 */
const DETERMINERS = new Set(
  'a an the this that these those some several many few his her its their my our one two three four five six seven eight nine ten both each every another'.split(
    ' ',
  ),
)
/** Words that end a noun phrase. */
const BREAKS = new Set(
  'in on at of to from by with without and or but while as is are was were be being been has have that which who into onto over under near behind beside between through across along up down left right out off around against towards toward then there not very it he she they them him'.split(
    ' ',
  ),
)
/** Words that take a noun's place in captions without being a thing. */
const NO_THINGS = new Set(
  'left right top bottom side front back middle center centre background foreground camera picture image video clip scene view frame something anything nothing way other others while still time color colour photo photograph shot view zoom pan pair group set number lot kind type'.split(
    ' ',
  ),
)

/** @returns Singular words with the number of captions that mention them, commonest first. */
export function thingsIn(captions: readonly string[]): { word: string; clips: number }[] {
  const phrases = captions.map((caption) => phrasesIn(caption))
  const heads = new Set([
    ...NO_THINGS,
    ...phrases
      .flat()
      .filter(({ single }) => single)
      .map(({ single, words }) => headOf(words, single, NONE)),
  ])
  const counts = new Map<string, number>()
  for (const inCaption of phrases) {
    const things = new Set(inCaption.map(({ single, words }) => headOf(words, single, heads)))
    for (const thing of things) if (thing.length > 2 && !NO_THINGS.has(thing)) counts.set(thing, (counts.get(thing) ?? 0) + 1)
  }
  return [...counts].map(([word, clips]) => ({ word, clips })).sort((a, b) => b.clips - a.clips || a.word.localeCompare(b.word))
}

const NONE: ReadonlySet<string> = new Set()

/**
 * The last word of a phrase before its verb. After "a" nothing is plural, so a final s marks a verb; elsewhere a word that looks like a
 * verb is taken for one if it follows a known thing.
 */
function headOf(words: readonly string[], single: boolean, heads: ReadonlySet<string>): string {
  const verb = words.findIndex(
    (word, at) => at > 0 && ((single && /[^su]s$/.test(word)) || (/(s|ing|ed)$/.test(word) && heads.has(words[at - 1] ?? ''))),
  )
  const head = (verb === -1 ? words.at(-1) : words[verb - 1]) ?? ''
  return single ? head : singular(head)
}

function phrasesIn(caption: string): { single: boolean; words: string[] }[] {
  const phrases: { single: boolean; words: string[] }[] = []
  for (const part of caption.toLowerCase().split(/[.,;:!?()"]+/)) {
    let open: string[] | null = null
    for (const word of part.split(/\s+/).filter((text) => /^[a-z][a-z'-]*$/.test(text))) {
      if (DETERMINERS.has(word)) {
        open = []
        phrases.push({ single: word === 'a' || word === 'an', words: open })
      } else if (BREAKS.has(word) || word.endsWith('ly')) open = null
      else open?.push(word)
    }
  }
  return phrases.filter(({ words }) => words.length > 0)
}

function singular(word: string): string {
  if (/(ss|us|is)$/.test(word)) return word
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(ches|shes|xes|sses)$/.test(word)) return word.slice(0, -2)
  return word.endsWith('s') ? word.slice(0, -1) : word
}
