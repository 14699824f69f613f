/** A project's vocabulary: what is looked for, under which names, in which colour, and how sure a track must be to count. */
import { z } from 'zod'
import { type Phrase, said } from './phrase.ts'
import { DEFAULT_THRESHOLD } from './tracks.ts'

/** Limits: characters in a name, synonyms of one label, labels. */
export const MOST = { name: 60, synonyms: 20, labels: 200 }

export const LabelName = z.string().trim().min(1).max(MOST.name)
export const Label = z.object({
  name: LabelName,
  /** Other names of the same thing; the one that fits a box best counts. */
  synonyms: z.array(LabelName).max(MOST.synonyms),
  /** `#rrggbb` */
  colour: z.string().regex(/^#[0-9a-f]{6}$/),
  /** The lowest score 0..1 from which a track counts. */
  threshold: z.number().min(0).max(1),
})
export type Label = z.infer<typeof Label>
export const Vocabulary = z.array(Label).max(MOST.labels)
export type Vocabulary = z.infer<typeof Vocabulary>

/**
 * Hues that are easy to tell apart, light enough for dark text on them and visible on dark pictures: oklch(0.78 0.12 h), h in steps of 30°,
 * as sRGB; neighbours in the list differ widely.
 */
export const PALETTE = [
  '#69c1fc',
  '#efa464',
  '#7ccd8e',
  '#f696b4',
  '#c3a5f9',
  '#d5b455',
  '#3ecce2',
  '#fb9989',
  '#adc367',
  '#e39bdc',
  '#4ad0ba',
  '#99b3ff',
] as const

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** A name as it is kept: on one line, without space around it. */
export function oneLine(name: string): string {
  return name.replace(/\s+/gu, ' ').trim()
}

/** The label of that name, in any case. */
export function labelNamed<L extends Pick<Label, 'name'>>(vocabulary: readonly L[], name: string): L | undefined {
  return vocabulary.find((label) => same(label.name, name))
}

/** The initial values of a new label: its colour is the first of those that the fewest labels have. */
export function newLabel(name: string, vocabulary: readonly Pick<Label, 'colour'>[]): Label {
  const uses = (colour: string) => vocabulary.filter((label) => label.colour === colour).length
  const colour = PALETTE.reduce<string>((rarest, candidate) => (uses(candidate) < uses(rarest) ? candidate : rarest), PALETTE[0])
  return { name: name.trim(), synonyms: [], colour, threshold: DEFAULT_THRESHOLD }
}

/** A colour for every label, including those that only a track has: its own from the vocabulary, else one derived from its name. */
export function colourIn(vocabulary: readonly Pick<Label, 'name' | 'colour'>[], name: string): string {
  const own = labelNamed(vocabulary, name)
  if (own) return own.colour
  let hash = 0
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 997
  return PALETTE[hash % PALETTE.length] ?? PALETTE[0]
}

/** A different colour for each of these names, as long as there are colours: that of `colourIn` if it is free. */
export function coloursApart(vocabulary: readonly Pick<Label, 'name' | 'colour'>[], names: readonly string[]): Map<string, string> {
  const taken = new Set(names.flatMap((name) => labelNamed(vocabulary, name)?.colour ?? []))
  return new Map(
    names.map((name) => {
      const usual = colourIn(vocabulary, name)
      if (labelNamed(vocabulary, name)) return [name, usual]
      const colour = taken.has(usual) ? (PALETTE.find((one) => !taken.has(one)) ?? usual) : usual
      taken.add(colour)
      return [name, colour]
    }),
  )
}

/**
 * Names that differ only in case are one label: the first, which also gets the synonyms of the others. Drops synonyms that repeat the label's name.
 */
export function tidy(vocabulary: readonly Label[]): Vocabulary {
  const kept: Label[] = []
  for (const label of vocabulary) {
    const name = oneLine(label.name)
    if (name === '') continue
    const into = labelNamed(kept, name)
    const own = into ?? { ...label, name, synonyms: [] }
    for (const synonym of label.synonyms.map(oneLine))
      if (synonym !== '' && !same(synonym, own.name) && !own.synonyms.some((other) => same(other, synonym))) own.synonyms.push(synonym)
    if (!into) kept.push(own)
  }
  return kept
}

/** Adds names that are not in the vocabulary yet. */
export function withNames(vocabulary: readonly Label[], names: readonly string[]): Vocabulary {
  return names.reduce<Vocabulary>(
    (grown, name) => (name.trim() === '' || labelNamed(grown, name.trim()) ? grown : [...grown, newLabel(name, grown)]),
    [...vocabulary],
  )
}

/**
 * Renames `from` to `to`. If `to` is a label already, the two are merged: it keeps its place, colour and threshold, and the names of `from`
 * join its synonyms, so that what was found before is still found.
 */
export function renamed(vocabulary: readonly Label[], from: string, to: string): Vocabulary {
  const gone = labelNamed(vocabulary, from)
  const target = labelNamed(vocabulary, to)
  if (!gone) return [...vocabulary]
  if (!target || target === gone) return tidy(vocabulary.map((label) => (label === gone ? { ...label, name: to } : label)))
  return tidy(
    vocabulary.flatMap((label) =>
      label === gone ? [] : label === target ? [{ ...label, synonyms: [...label.synonyms, gone.name, ...gone.synonyms] }] : [label],
    ),
  )
}

/** What a person did to a vocabulary, for the undo list; null when nothing changed. */
export function changeOf(before: readonly Label[], after: readonly Label[]): Phrase | null {
  const names = (labels: readonly Label[]) => labels.map(({ name }) => name).join(', ')
  const added = after.filter(({ name }) => !labelNamed(before, name))
  const removed = before.filter(({ name }) => !labelNamed(after, name))
  if (added.length > 0 && removed.length > 0) return said('{{from}} is now {{to}}', { from: names(removed), to: names(added) })
  if (added.length > 0) return said('Labels added: {{labels}}', { labels: names(added) })
  const into = after.filter(({ synonyms }) => removed.some(({ name }) => synonyms.some((synonym) => same(synonym, name))))
  if (removed.length > 0 && into.length === 1) return said('{{from}} merged into {{to}}', { from: names(removed), to: names(into) })
  if (removed.length > 0) return said('Labels removed: {{labels}}', { labels: names(removed) })
  const differ = (key: keyof Label) =>
    after.filter((label) => JSON.stringify(label[key]) !== JSON.stringify(labelNamed(before, label.name)?.[key]))
  const [thresholds, colours, synonyms] = [differ('threshold'), differ('colour'), differ('synonyms')]
  if (synonyms.length > 0) return said('Synonyms of {{labels}}', { labels: names(synonyms) })
  if (thresholds.length > 0) return said('Thresholds of {{labels}}', { labels: names(thresholds) })
  if (colours.length > 0) return said('Colours of {{labels}}', { labels: names(colours) })
  return JSON.stringify(before) === JSON.stringify(after) ? null : said('Labels changed')
}

/** Why a vocabulary is too large to be stored as typed; null when it is not. */
export function tooMuch(vocabulary: readonly Label[]): Phrase | null {
  const long = vocabulary.flatMap(phrasesOf).find((name) => name.trim().length > MOST.name)
  if (long !== undefined)
    return said('A name has at most {{most}} characters. This one has {{length}}: “{{name}}”', {
      most: MOST.name,
      length: long.trim().length,
      name: long.trim(),
    })
  const crowded = vocabulary.find(({ synonyms }) => synonyms.length > MOST.synonyms)
  if (crowded)
    return said('“{{label}}” can have at most {{most}} synonyms; this would be {{length}}.', {
      label: crowded.name,
      most: MOST.synonyms,
      length: crowded.synonyms.length,
    })
  return vocabulary.length > MOST.labels
    ? said('At most {{most}} labels can be looked for; this would be {{length}}.', { most: MOST.labels, length: vocabulary.length })
    : null
}

/** The phrases that are searched for a label; labels with the same phrases find the same. */
export function phrasesOf({ name, synonyms }: Pick<Label, 'name' | 'synonyms'>): string[] {
  return [name, ...synonyms]
}

// ── as a file: one label per line, `name, #colour, threshold, synonym, synonym…`

/** The vocabulary as a text that spreadsheets and people can read. */
export function writeVocabulary(vocabulary: readonly Label[]): string {
  const cell = (text: string) => (/[",\r\n#]|^\s|\s$|^[\d.]+$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return vocabulary
    .map(({ name, colour, threshold, synonyms }) => `${[cell(name), colour, String(threshold), ...synonyms.map(cell)].join(',')}\r\n`)
    .join('')
}

/**
 * Reads the output of `writeVocabulary`, and plain lists: the first cell of a line is the name, `#rrggbb` a colour, a bare number 0..1 a
 * threshold, and everything else a synonym. Empty lines and lines that begin with `#` and a space are skipped.
 *
 * @throws SyntaxError that names the line.
 */
export function readVocabulary(text: string): Vocabulary {
  const read: Label[] = []
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, at) => {
      if (line.trim() === '' || /^#\s/.test(line)) return
      const [name, ...cells] = cellsOf(line, at + 1)
      if (name === undefined || name.text === '') throw new SyntaxError(`Line ${at + 1} has no name.`)
      const label = newLabel(name.text, read)
      for (const { text: cell, quoted } of cells) {
        if (!quoted && /^#[0-9a-f]{6}$/i.test(cell)) label.colour = cell.toLowerCase()
        else if (!quoted && /^\d*\.?\d+$/.test(cell)) label.threshold = Number(cell)
        else if (cell !== '') label.synonyms.push(cell)
      }
      const checked = Label.safeParse(label)
      if (!checked.success)
        throw new SyntaxError(
          `Line ${at + 1}: ${checked.error.issues[0]?.path.join('.') ?? ''} ${checked.error.issues[0]?.message ?? 'is not right'}.`,
        )
      read.push(checked.data)
    })
  return tidy(read)
}

function cellsOf(line: string, number: number): { text: string; quoted: boolean }[] {
  const cells: { text: string; quoted: boolean }[] = []
  const cell = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y
  while (cell.lastIndex < line.length || line.endsWith(',')) {
    const found = cell.exec(line)
    if (!found) throw new SyntaxError(`Line ${number}: a quote is out of its place.`)
    const [, quoted, plain = '', end] = found
    cells.push(quoted === undefined ? { text: plain.trim(), quoted: false } : { text: quoted.replaceAll('""', '"'), quoted: true })
    if (end !== ',') break
  }
  return cells
}
