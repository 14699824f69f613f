/**
 * Search by words over annotations and facts, in the search worker: reads the index that the schema's triggers maintain, term by term.
 * A clip matches if its annotations, its facts and its file's name together have every term.
 */
import type { DatabaseSync } from 'node:sqlite'
import { namesOf, shows } from '../../app/naming.ts'
import { labelNamed, phrasesOf } from '../../app/vocabulary.ts'
import { compoundsOf, formsOf, names, quoted, type Term, termsOf, withoutExcluded, wordsIn } from '../../app/wording.ts'
import { classesOf, type Meaning, THINGS } from '../../app/words.ts'
import { ELSEWHERE } from './reach.ts'
import { storedVocabulary } from './spelling.ts'

/**
 * Factors on the strength of a match that is not word for word: another form of the term, or a class that it means; the end of a compound; a wider
 * class (dog for poodle); the beginning of a word.
 */
const FORM = 0.95
const COMPOUND = 0.8
const WIDER = 0.75
const PREFIX = 0.7
/** From so many letters on, the last word of a query may be the beginning of a longer one. */
const SHORTEST_PREFIX = 3
/** A term is looked for at the end of at most so many compounds: more would not help. */
const MOST_COMPOUNDS = 50
/** Score of a guess: below all other matches by words. */
const GUESS = -1
/** Most words in one name, like “traffic light”. */
const LONGEST_NAME = 3

/** Annotations that match, with their clips, and for each its standing (see schema.ts) plus BELOW_ONE times its strength, 0..1. */
interface Gathered {
  ids: number[]
  clips: number[]
  standings: number[]
}
const BELOW_ONE = 0.999

/** A term, and what it means; null for words that name nothing that is known. */
interface Asked extends Term {
  means: Meaning | null
}

/** A label of tracks, with its synonyms. */
interface Labelled {
  name: string
  phrases: readonly string[]
}

/** What a term found, and where. */
interface Found {
  /** By clip: its best score. */
  best: Map<number, number>
  /** Annotations, each with its clip and score. */
  said: { ids: number[]; clips: number[]; scores: number[] }
  /** By source whose name has the term: the score. */
  named: Map<number, number>
  /** By clip: the facts that state the term, surest first. */
  told: Map<number, Told[]>
}

interface Told {
  id: number
  whole: boolean
  strength: number
}

export interface WordMatch {
  /**
   * By clip with all terms: the mean of each term's best score. A match is worth 4 to 5 in a person's own words, 3 to 4 in what a person accepted, 1 to 2
   * in the machine's words by how sure it is, 0 to 1 in a file's name.
   */
  scores: Map<number, number>
  /** Clips with some of the terms, those with most terms first; filled only if no clip has all. */
  some: number[]
  /** Terms that occur nowhere in the library. */
  unknown: string[]
  /** For these clips: the annotations for which they are found, best first. */
  reasons: (clipIds: readonly number[]) => Map<number, number[]>
  /** The facts for which a clip is found: those that state a term which its annotations do not. */
  told: (clipId: number) => number[]
  /** Whether the name of its source is the only place where a clip has some term. */
  named: (clipId: number, sourceId: number) => boolean
  /** Whether a clip has something that must not be there. */
  excluded: (clipId: number) => boolean
}

export class WordSearch {
  readonly #db: DatabaseSync
  /** The words of the index at one state of it. */
  #known: { state: string; said: string[]; named: string[] } | null = null

  /** @param db Opened read-only. */
  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Labels of tracks that can be found. */
  labels(): string[] {
    // Jumps from label to label in the index instead of scanning all tracks.
    const labels = `WITH RECURSIVE l(label) AS (SELECT min(label) FROM findable WHERE label IS NOT NULL UNION ALL SELECT (SELECT min(f.label) FROM findable f WHERE f.label > l.label) FROM l WHERE l.label IS NOT NULL) SELECT label FROM l WHERE label IS NOT NULL`
    return this.#db
      .prepare(labels)
      .all()
      .map((row) => String(row['label']))
  }

  /**
   * @param allowed Clips that may be found; null for all.
   * @param classes Names that boxes may have, besides the labels that are there.
   */
  find(
    words: string,
    { allowed, classes, guesses }: { allowed: ReadonlySet<number> | null; classes: readonly string[]; guesses: boolean },
  ): WordMatch {
    const vocabulary = storedVocabulary(this.#db)
    const labels = this.labels().map((name) => ({ name, phrases: phrasesOf(labelNamed(vocabulary, name) ?? { name, synonyms: [] }) }))
    const called = [...new Set([...labels.flatMap(({ phrases }) => phrases), ...classes])]
    // A label may be called by any word for its class.
    const { wanted, excluded: unwanted } = withoutExcluded(words)
    const excludedBy = unwanted.map((one) => this.find(one, { allowed, classes, guesses: false }).scores)
    const excluded = (clipId: number) => excludedBy.some((scores) => scores.has(clipId))
    const terms = joined(termsOf(wanted), [...new Set([...called, ...namesOf(called, THINGS)])])
    const found = terms.map((term, at) => this.#find(term, labels, { guesses, last: at === terms.length - 1 }))
    const reasons: WordMatch['reasons'] = (clipIds) => {
      const best = new Map(clipIds.map((clipId) => [clipId, new Map<number, number>()]))
      for (const { said } of found) {
        for (const [at, clipId] of said.clips.entries()) {
          const [ids, id, score] = [best.get(clipId), said.ids[at] ?? 0, said.scores[at] ?? 0]
          if (ids !== undefined && score > (ids.get(id) ?? -Infinity)) ids.set(id, score)
        }
      }
      return new Map([...best].map(([clipId, ids]) => [clipId, [...ids].sort(([, a], [, b]) => b - a).map(([id]) => id)]))
    }
    const unknown = terms.filter((_, at) => found[at]?.best.size === 0 && found[at].told.size === 0).map(({ text }) => text)
    const may = (clipId: number) => (allowed === null || allowed.has(clipId)) && !excluded(clipId)
    const scores = new Map<number, number>()
    const [first] = found
    for (const clipId of new Set([...(first?.best.keys() ?? []), ...(first?.told.keys() ?? [])])) {
      if (!may(clipId)) continue
      const all = found.map((one) => one.best.get(clipId) ?? stated(one, clipId, found)?.score)
      if (all.every((one) => one !== undefined)) scores.set(clipId, all.reduce((sum, one) => sum + one, 0) / found.length)
    }
    return {
      scores,
      some: scores.size > 0 || terms.length < 2 ? [] : some(found, may),
      unknown,
      reasons,
      told: (clipId) => [...new Set(found.flatMap((one) => (one.best.has(clipId) ? [] : (stated(one, clipId, found)?.id ?? []))))],
      excluded,
      named: (clipId, sourceId) => found.some(({ named, best }) => named.has(sourceId) && best.get(clipId) === named.get(sourceId)),
    }
  }

  #find(term: Asked, labels: readonly Labelled[], { guesses, last }: { guesses: boolean; last: boolean }): Found {
    const found: Found = { best: new Map(), said: { ids: [], clips: [], scores: [] }, named: new Map(), told: new Map() }
    const seen = new Set<number>()
    const add = ({ ids, clips, standings }: Gathered, quality: number, exact?: ReadonlySet<number>) => {
      const from = found.said.ids.length
      for (const [at, id] of ids.entries()) {
        const value = standings[at] ?? 0
        const [clipId, standing] = [clips[at] ?? 0, Math.floor(value)]
        if ((standing === 0 && !guesses) || seen.has(id)) continue
        const close = exact?.has(id) === true ? 1 : quality
        const score = standing > 1 ? standing + 1 + close : (standing === 0 ? GUESS : 1) + ((value - standing) / BELOW_ONE) * close
        found.said.ids.push(id)
        found.said.clips.push(clipId)
        found.said.scores.push(score)
        const before = found.best.get(clipId)
        if (before === undefined || score > before) found.best.set(clipId, score)
      }
      // One track may be in several clips.
      for (const id of found.said.ids.slice(from)) seen.add(id)
    }
    const addStems = (match: string, quality: number) => {
      const missing = match === '' ? [] : this.#rowids('stems', match).filter((id) => !seen.has(id))
      if (missing.length > 0)
        add(this.#gather('findable f WHERE f.id IN (SELECT value FROM json_each(?))', JSON.stringify(missing)), quality)
    }
    const name = (rows: readonly (readonly number[])[], quality: number) => {
      for (const [sourceId = 0, clipId = 0] of rows) {
        if (!found.named.has(sourceId)) found.named.set(sourceId, quality)
        if (!found.best.has(clipId)) found.best.set(clipId, quality)
      }
    }
    const { words, text, means } = term
    const close = means?.wider === true ? WIDER : FORM
    const [whole, single] = [quoted(words), words.length === 1]
    const forms = single ? formsOf(text) : { plain: [], spelt: [] }
    const any = [...new Set([whole, ...[...forms.plain, ...forms.spelt].map((form) => quoted([form]))])].join(' OR ')
    const [inAnyForm, wordForWord] = [this.#saying(any), this.#rowids('said', whole)]
    // Most words occur in one form only: then all matches are word for word.
    if (inAnyForm.ids.length === wordForWord.length) add(inAnyForm, 1)
    else add(inAnyForm, FORM, new Set(wordForWord))
    addStems(whole, FORM)
    for (const { name: label, phrases } of labels) {
      if (label.toLowerCase() === text.toLowerCase()) add(this.#labelled(label), 1)
      else if (phrases.some((phrase) => names(phrase, term))) add(this.#labelled(label), FORM)
      else if (means !== null && shows(means, phrases)) add(this.#labelled(label), close)
    }
    const meant = (means?.classes ?? []).map((label) => quoted(wordsIn(label)))
    addStems(meant.join(' OR '), close)
    found.told = this.#told([any, ...meant].join(' OR '))
    name(this.#named(any), FORM)
    if (!single) return found
    const known = this.#words()
    const longer = (list: readonly string[]) =>
      compoundsOf(term, list)
        .slice(0, MOST_COMPOUNDS)
        .map((word) => quoted([word]))
        .join(' OR ')
    add(this.#saying(longer(known.said)), COMPOUND)
    name(this.#named(longer(known.named)), COMPOUND)
    const [word = ''] = words
    if (last && found.best.size === 0 && found.told.size === 0 && word.length >= SHORTEST_PREFIX) {
      add(this.#saying(`${whole}*`), PREFIX)
      for (const { name: label } of labels) if (label.toLowerCase().startsWith(word)) add(this.#labelled(label), PREFIX)
      name(this.#named(`${whole}*`), PREFIX)
    }
    return found
  }

  #saying(match: string): Gathered {
    return match === ''
      ? { ids: [], clips: [], standings: [] }
      : this.#gather('said s JOIN findable f ON f.id = s.rowid WHERE said MATCH ?', match)
  }

  /** Tracks of a label, in every clip in which they are seen. */
  #labelled(label: string): Gathered {
    return this.#gather(
      `(SELECT id, clip_id, standing, strength FROM findable WHERE label = ?1
        UNION ALL SELECT a.id, r.id, iif(a.state = 'edited', 3, 2), 1.0 FROM ${ELSEWHERE} WHERE a.label = ?1) f`,
      label,
    )
  }

  /** Reads matches as three lists in one row: handing over tens of thousands of rows would take longer than finding them. */
  #gather(from: string, value: string): Gathered {
    const [[ids = '[]', clips = '[]', standings = '[]'] = []] = this.#rows<string>(
      `SELECT json_group_array(f.id), json_group_array(f.clip_id), json_group_array(f.standing + ${BELOW_ONE} * f.strength) FROM ${from}`,
      value,
    )
    return { ids: JSON.parse(ids) as number[], clips: JSON.parse(clips) as number[], standings: JSON.parse(standings) as number[] }
  }

  #told(match: string): Found['told'] {
    const rows = this.#rows<number>(
      'SELECT t.id, t.clip_id, t.whole, t.strength FROM told_words w JOIN told t ON t.id = w.rowid WHERE told_words MATCH ? ORDER BY t.strength DESC',
      match,
    )
    const told: Found['told'] = new Map()
    for (const [id = 0, clipId = 0, whole, strength = 0] of rows) {
      const of = told.get(clipId) ?? []
      of.push({ id, whole: whole === 1, strength })
      told.set(clipId, of)
    }
    return told
  }

  #rowids(table: 'said' | 'stems', match: string): number[] {
    const [[ids = '[]'] = []] = this.#rows<string>(`SELECT json_group_array(rowid) FROM ${table} WHERE ${table} MATCH ?`, match)
    return JSON.parse(ids) as number[]
  }

  #named(match: string): number[][] {
    return match === ''
      ? []
      : this.#rows<number>('SELECT n.rowid, c.id FROM named n JOIN clips c ON c.source_id = n.rowid WHERE named MATCH ?', match)
  }

  #rows<T>(sql: string, value: string): T[][] {
    const statement = this.#db.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all(value) as unknown as T[][]
  }

  #words(): { said: string[]; named: string[] } {
    // FTS5 writes this row with every change of an index.
    const state = ['said', 'named']
      .map((table) => String(this.#db.prepare(`SELECT hex(block) AS state FROM ${table}_data WHERE id = 10`).get()?.['state']))
      .join()
    if (this.#known?.state !== state) {
      const list = (table: string) =>
        String(this.#db.prepare(`SELECT coalesce(group_concat(term, ' '), '') AS terms FROM ${table}`).get()?.['terms']).split(' ')
      this.#known = { state, said: list('said_words'), named: list('named_words') }
    }
    return this.#known
  }
}

/**
 * The fact of a clip that states this term and most of the others, with its score. A fact about one thing in the picture must state another term too:
 * for "grey bottle", a clip of a grey cat and a green bottle must not match by "grey" alone.
 */
function stated({ told }: Found, clipId: number, all: readonly Found[]): { id: number; score: number } | null {
  let best: { id: number; score: number } | null = null
  for (const { id, whole, strength } of told.get(clipId) ?? []) {
    const terms = all.filter((other) => other.told.get(clipId)?.some((one) => one.id === id) === true).length
    if (!whole && terms < Math.min(2, all.length)) continue
    const score = 1 + FORM * BELOW_ONE * strength * (terms / all.length)
    if (best === null || score > best.score) best = { id, score }
  }
  return best
}

/** Joins words that together name one class into one term. */
function joined(terms: readonly Term[], known: readonly string[]): Asked[] {
  const all: Asked[] = []
  for (let at = 0; at < terms.length; ) {
    let length = Math.min(LONGEST_NAME, terms.length - at)
    const textOf = () =>
      terms
        .slice(at, at + length)
        .map(({ text }) => text)
        .join(' ')
    while (length > 1 && classesOf(textOf(), known) === null) length -= 1
    const meaning = classesOf(textOf(), known)
    all.push({
      text: textOf(),
      words: terms.slice(at, at + length).flatMap(({ words }) => words),
      means: meaning,
    })
    at += length
  }
  return all
}

/** Clips by the number of terms that they have, then by the sum of their scores. */
function some(found: readonly Found[], may: (clipId: number) => boolean): number[] {
  const counts = new Map<number, { terms: number; score: number }>()
  for (const { best } of found) {
    for (const [clipId, score] of best) {
      if (!may(clipId)) continue
      const { terms, score: sum } = counts.get(clipId) ?? { terms: 0, score: 0 }
      counts.set(clipId, { terms: terms + 1, score: sum + score })
    }
  }
  return [...counts].sort(([, a], [, b]) => b.terms - a.terms || b.score - a.score).map(([clipId]) => clipId)
}
