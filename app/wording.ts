/**
 * Words as search compares them: what people type as terms, and the spellings of a word that count as the same in English and German. SQLite's
 * tokenizer folds case and marks and its porter stems English; what is here is what those two cannot do.
 */

/** One thing that is asked for: a word, or words in quotes that must follow each other. */
export interface Term {
  /** As typed, without quotes. */
  text: string
  /** Folded, in their order; never empty. */
  words: string[]
}

/** What a word may be written as. Both are folded; `plain` has ä as a, `spelt` has ä as ae: the two columns of the index. */
export interface Forms {
  plain: string[]
  spelt: string[]
}

/** In lower case, ß as ss, without marks: as the index has it in its plain column. */
export function folded(text: string): string {
  return text
    .replaceAll(/[ßẞ]/g, 'ss')
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
}

/** The same with ä as ae: how German is written without its letters. */
export function spelt(text: string): string {
  return folded(text.normalize('NFD').replaceAll('\u0308', 'e'))
}

/** The words of a text, folded. What has neither a letter nor a digit is no word. */
export function wordsIn(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Words that say nothing of a picture, in English and German. */
const EMPTY = new Set(
  wordsIn(
    `a an the this that these those some any of in on at to by from with without and or is are was were be been being it its there here he she his her they their as for into onto over while who which
     der die das den dem des ein eine einen einem einer eines dieser diese dieses und oder ist sind war waren im am zum zur von vom mit ohne auf an zu bei aus es er sie ihr sein seine wird werden als wie dort hier`,
  ),
)

/** What a search asks for. Words that say nothing are left out unless there are no others; signs alone are nothing. */
export function termsOf(query: string): Term[] {
  const terms = [...query.matchAll(/["“„]([^"“”„]*)["“”]|([^\s"“”„]+)/g)].flatMap(([, quoted, single]) => {
    const text = (quoted ?? single ?? '').trim()
    const words = wordsIn(text)
    return words.length === 0 ? [] : [{ text: text.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''), words }]
  })
  const telling = terms.filter(({ words }) => words.some((word) => !EMPTY.has(word)))
  return telling.length > 0 ? telling : terms
}

/** German nouns whose plural is -er without a change of the vowel, and adjectives, which take the endings below. They are closed lists: -er after anything would make corn of corner. */
const NOUNS_ER = 'kind bild feld kleid lied schild brett rind licht gesicht nest schwert glied geist ei'.split(' ')
const ADJECTIVES =
  'rot grun blau gelb schwarz weiss grau braun orange rosa violett gross klein alt jung neu lang kurz hell leer voll nass trocken schnell langsam hoch niedrig breit rund'.split(
    ' ',
  )
const ADJECTIVE_ENDINGS = ['e', 'er', 'es', 'en', 'em']
const PLURAL_ENDINGS = ['er', 'ern', 'e', 'en', 'n']

/**
 * The word and its forms: endings of German nouns and adjectives, with and without the change of the vowel (Haus, Häuser), and the English plural.
 *
 * @param word As typed; one word.
 */
export function formsOf(word: string): Forms {
  const plain = new Set<string>()
  const umlauts = new Set<string>()
  for (const base of basesOf(word)) {
    plain.add(base)
    for (const ending of endingsOf(base)) plain.add(base + ending)
    const changed = withUmlaut(base)
    if (changed !== null) for (const ending of PLURAL_ENDINGS) umlauts.add(changed + ending)
  }
  const own = spelt(word)
  return { plain: [...plain], spelt: [...new Set([...plain, own, ...umlauts])] }
}

/** What the word may be a form of, itself first. */
function basesOf(word: string): string[] {
  const plain = folded(word)
  const bases = [plain]
  const strip = (ending: string, least: number) => {
    if (plain.endsWith(ending) && plain.length - ending.length >= least) bases.push(plain.slice(0, -ending.length))
  }
  if (!plain.endsWith('ss')) strip('s', 3)
  if (/(?:[sxz]|ch|sh)es$/.test(plain)) strip('es', 3)
  else strip('es', 4)
  if (/ies$/.test(plain) && plain.length > 4) bases.push(`${plain.slice(0, -3)}y`)
  strip('e', 4)
  strip('en', 4)
  if (/[elr]n$/.test(plain)) strip('n', 4)
  // Häuser: the vowel that was changed says that -er is an ending.
  if (spelt(word) !== plain) for (const ending of ['ern', 'er']) strip(ending, 3)
  for (const ending of ['ern', 'er'])
    if (plain.endsWith(ending) && NOUNS_ER.some((noun) => plain.slice(0, -ending.length).endsWith(noun))) strip(ending, 2)
  for (const ending of ADJECTIVE_ENDINGS)
    if (plain.endsWith(ending) && ADJECTIVES.includes(plain.slice(0, -ending.length))) strip(ending, 3)
  return [...new Set(bases)]
}

function endingsOf(base: string): string[] {
  const endings = base.endsWith('s') ? [] : ['s']
  if (/(?:[sxz]|ch|sh)$/.test(base)) endings.push('es')
  if (base.length >= 4) endings.push('e', 'es', 'en', 'n')
  if (NOUNS_ER.some((noun) => base.endsWith(noun))) endings.push('er', 'ern')
  if (ADJECTIVES.includes(base)) endings.push(...ADJECTIVE_ENDINGS)
  return endings
}

/** The last vowel that German changes in a plural, changed and spelt out; null where there is none. */
function withUmlaut(base: string): string | null {
  const [, head = '', vowel = '', tail = ''] = /^(.*?)(au|a|o|u)([^aeiou]*)$/.exec(base) ?? []
  if (vowel === '' || head.length + tail.length < 2) return null
  return `${head}${{ au: 'aeu', a: 'ae', o: 'oe', u: 'ue' }[vowel] ?? ''}${tail}`
}

/** Whether a label, which may have several words, has the term in it, in any form. */
export function names(label: string, { text, words }: Term): boolean {
  const given = wordsIn(label)
  if (words.length > 1) return ` ${given.join(' ')} `.includes(` ${words.join(' ')} `)
  const forms = formsOf(text)
  const wanted = new Set([...forms.plain, ...forms.spelt])
  return (
    given.some((word) => wanted.has(word)) ||
    (spelt(label) !== folded(label) &&
      spelt(label)
        .split(/[^\p{L}\p{N}]+/u)
        .some((word) => wanted.has(word)))
  )
}

/** The fewest letters of a word that may end a longer one, and of what stands before it: else plane has a lane. */
const COMPOUND = { end: 4, head: 3 }

/** Of the words of an index, those that are compounds with the term in the end: Autobahnbrücke of Brücke, football of ball. */
export function compoundsOf({ text, words }: Term, known: readonly string[]): string[] {
  const [word, more] = words
  if (word === undefined || more !== undefined || word.length < COMPOUND.end || !/^\p{L}+$/u.test(word)) return []
  const ends = formsOf(text).plain.filter((form) => form.length >= COMPOUND.end)
  return known.filter(
    (longer) =>
      longer.length >= word.length + COMPOUND.head &&
      ends.some((end) => longer.length >= end.length + COMPOUND.head && longer.endsWith(end)),
  )
}

/** A string of FTS5 that means these words in this order and nothing else. */
export function quoted(words: readonly string[]): string {
  return `"${words.join(' ').replaceAll('"', '""')}"`
}
