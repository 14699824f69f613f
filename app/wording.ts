/**
 * Words as search compares them: the terms that people type, and the spellings that count as the same word in English and German. SQLite's
 * tokenizer folds case and diacritics and its porter stemmer handles English; this file does what those two cannot.
 */

/** One thing that is searched for: a word, or words in quotes that must follow each other. */
export interface Term {
  /** As typed, without quotes. */
  text: string
  /** Folded, in order; never empty. */
  words: string[]
}

/** The possible spellings of a word, folded: `plain` has ä as a, `spelt` has ä as ae, as in the two columns of the index. */
export interface Forms {
  plain: string[]
  spelt: string[]
}

/** In lower case, with ß as ss, without diacritics: as in the plain column of the index. */
export function folded(text: string): string {
  return text
    .replaceAll(/[ßẞ]/g, 'ss')
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
}

/** The same with ä as ae, as German is written without its special letters. */
export function spelt(text: string): string {
  return folded(text.normalize('NFD').replaceAll('\u0308', 'e'))
}

/** The words of a text, folded. A word needs a letter or a digit. */
export function wordsIn(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Words that describe nothing in a picture, in English and German. */
const EMPTY = new Set(
  wordsIn(
    `a an the this that these those some any of in on at to by from with without and or is are was were be been being it its there here he she his her they their as for into onto over while who which
     der die das den dem des ein eine einen einem einer eines dieser diese dieses und oder ist sind war waren im am zum zur von vom mit ohne auf an zu bei aus es er sie ihr sein seine wird werden als wie dort hier`,
  ),
)

/**
 * A search as people type it: what is wanted, and what must not be there, each written with a minus before it (`bottle -person`, `-"red car"`). A minus
 * before a number is part of it (`-5 °C`), and where nothing else is wanted the minus is read over.
 */
export function withoutExcluded(query: string): { wanted: string; excluded: string[] } {
  const excluded: string[] = []
  const wanted = query.replaceAll(/(?<=^|\s)-(?:["“„]([^"“”„]*)["“”]|(\p{L}[^\s"“”„]*))/gu, (_, quoted?: string, single?: string) => {
    excluded.push(quoted === undefined ? (single ?? '') : `"${quoted}"`)
    return ''
  })
  return termsOf(wanted).length === 0 ? { wanted: query, excluded: [] } : { wanted, excluded }
}

/** The terms of a search. Empty words are left out unless there are no others; punctuation alone is no term. */
export function termsOf(query: string): Term[] {
  const terms = [...query.matchAll(/["“„]([^"“”„]*)["“”]|([^\s"“”„]+)/g)].flatMap(([, quoted, single]) => {
    const text = (quoted ?? single ?? '').trim()
    const words = wordsIn(text)
    return words.length === 0 ? [] : [{ text: text.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''), words }]
  })
  const telling = terms.filter(({ words }) => words.some((word) => !EMPTY.has(word)))
  return telling.length > 0 ? telling : terms
}

/**
 * German nouns whose plural is -er without a change of the vowel, and adjectives, which take the endings below. They are closed lists: as a
 * general rule -er would make corn of corner.
 */
const NOUNS_ER = 'kind bild feld kleid lied schild brett rind licht gesicht nest schwert glied geist ei'.split(' ')
const ADJECTIVES =
  'rot grun blau gelb schwarz weiss grau braun orange rosa violett gross klein alt jung neu lang kurz hell leer voll nass trocken schnell langsam hoch niedrig breit rund'.split(
    ' ',
  )
const ADJECTIVE_ENDINGS = ['e', 'er', 'es', 'en', 'em']
const PLURAL_ENDINGS = ['er', 'ern', 'e', 'en', 'n']

/**
 * The word and its forms: endings of German nouns and adjectives, with and without umlaut (Haus, Häuser), and the English plural.
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

/** The words of which this one may be a form, itself first. */
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
  // Häuser: the umlaut shows that -er is an ending.
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

/** The word with its last vowel turned into an umlaut and spelt out; null if it has none that German changes in plurals. */
function withUmlaut(base: string): string | null {
  const [, head = '', vowel = '', tail = ''] = /^(.*?)(au|a|o|u)([^aeiou]*)$/.exec(base) ?? []
  if (vowel === '' || head.length + tail.length < 2) return null
  return `${head}${{ au: 'aeu', a: 'ae', o: 'oe', u: 'ue' }[vowel] ?? ''}${tail}`
}

/** Whether a label, which may have several words, contains the term in any form. */
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

/** The fewest letters of the last part of a compound, and of what stands before it: otherwise plane would contain lane. */
const COMPOUND = { end: 4, head: 3 }

/** The words of an index that are compounds ending in the term: Autobahnbrücke for Brücke, football for ball. */
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

/** An FTS5 string that matches these words in this order and nothing else. */
export function quoted(words: readonly string[]): string {
  return `"${words.join(' ').replaceAll('"', '""')}"`
}
